"""What the records of one person assert about the stage: claims, out of the evidence in their fields. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias
from zoneinfo import ZoneInfo

from ...mapping.stages import StageMap
from ...mapping.times import moment_ms
from ...model.records import Actor, FieldChange, Values
from ...model.stages import Claim, StageReading, StageState
from .decision import Decision
from .desk import Asked, Desk, History, View

STAGE = "stage"
"""The name under which links carry the stage's version, beside the fields."""

_UTC = ZoneInfo("UTC")

Said: TypeAlias = tuple[View, Claim]
"""A record and what it claims."""


def claims_of(desk: Desk, decision: Decision, views: Sequence[View], history: History | None) -> list[Said] | None:
    """What each record claims; None where that depends on who changed what, and the histories have not been read yet (`decision.wants` names them)."""
    for view in views:
        _note_unmapped(view, decision)
    claims = [(view, claim) for view in views if view.system.reads and (claim := _claim(desk, decision, view, history)) is not None]
    if history is None and _wants_history(decision, claims):
        return None
    return _as_they_mean_it(desk, claims)


def _claim(desk: Desk, decision: Decision, view: View, history: History | None) -> Claim | None:
    """What this link asserts, if anything: by its own stage fields, or by evidence that came with a conversion."""
    carried, stage = view.carried.get(STAGE), view.kind.stage
    current = carried is not None and carried == decision.stage.version
    hub = decision.stage.reading if decision.stage.version and (current or carried is None) else None
    reading = _read(stage, view.seen, hub, view.agreed) if stage is not None else None
    converted = _converted(desk, decision, view, first=carried is None)
    if stage is None or reading is None or (converted is not None and _outdone(desk, reading, converted.reading)):
        return converted
    remapped = _mapped_since(view, stage) or (desk.remapped and current and _means_otherwise(view, stage, decision))
    changed = carried is not None and (remapped or _moved(view, stage, reading, hub))
    change = _newest_change(view, stage, reading, hub, history)
    actor = change.actor if change else _last_author(view, stage) if history is not None else None
    at = _raised_at(view, stage, reading) or (change.at if change else None)
    team = desk.policy.authority.team_of(view.system.name, actor) if changed and desk.policy.authority is not None else None
    if changed and hub is not None:
        reading = _with_its_reason(view, stage, reading, hub)
    return Claim(view.system.name, reading, changed=changed, current=current, first=carried is None, at=at, actor=actor, team=team)


def _converted(desk: Desk, decision: Decision, view: View, *, first: bool) -> Claim | None:
    """The Lead that this record was converted from said something that the record itself has no field for.

    It raises, and lowers nobody. Whoever converts a Lead that shows where its person waits beside the line lets them in again.
    """
    converted, state = view.notes.get("converted"), decision.stage
    if converted is None or view.notes.get("converted_told"):
        return None
    reading = StageReading(*converted)
    seen = state.side in desk.funnel.reentries and view.notes.get("converted_seen") == state.version
    again = seen and desk.funnel.position(reading.stage) > desk.funnel.position(state.stage)
    return Claim(view.system.name, reading, changed=True, current=again, first=first and not again)


def _is_converted(view: View, claim: Claim) -> bool:
    """It is what the Lead said, and no word of the record's own."""
    told = view.notes.get("converted")
    return told is not None and not view.notes.get("converted_told") and claim.reading == StageReading(*told)


def _outdone(desk: Desk, own: StageReading, converted: StageReading) -> bool:
    """The Lead's last word is further than what the record says by itself, such as a picklist that went along as it was. A side state there is its own word."""
    return own.side is None and desk.funnel.position(converted.stage) > desk.funnel.position(own.stage)


def _last_author(view: View, stage: StageMap) -> Actor | None:
    """Who changed the record last, where the vendor tells no more: the best that is known of who moved the stage. Of what stands on related records it tells
    nothing."""
    own = any(native in view.agreed for native in stage.evidence if "." not in native)
    return Actor("user", view.row.author) if own and view.row.author is not None else None


def _means_otherwise(view: View, stage: StageMap, decision: Decision) -> bool:
    """Under maps that changed, the record names another place than the hub's, although it could name that one, or the first that anybody knows.

    What the vendor filled in by itself when we made the record was said by nobody. A record that nobody could bring along, because its system is only read or
    has no word for the place, has been saying something else all the time: that alone is no news.
    """
    state, default = decision.stage, view.notes.get("default", {})
    if state.version == 0:
        return not default or any(view.seen.get(native) != value for native, value in default.items())
    values = stage.write(state.stage, state.side, state.reason, view.seen)
    if view.system.writes and values is not None:
        return bool(values)
    return _says(view, stage, state) != view.notes.get("says")


def note_left_behind(view: View, stage: StageMap, state: StageState) -> None:
    """What the record goes on saying although the person is elsewhere is kept with the link, so that changed maps can tell whether it says something new."""
    said = _says(view, stage, state)
    if view.notes.get("says") != said:
        view.touched = True
        view.notes.pop("says", None)
        if said is not None:
            view.notes["says"] = said


def _says(view: View, stage: StageMap, state: StageState) -> list[str | None] | None:
    """The other place that it names; None where it names the hub's, or none."""
    said = stage.read(view.seen, state.reading)
    return None if said is None or (said.stage, said.side) == (state.stage, state.side) else [said.stage, said.side]


def _note_unmapped(view: View, decision: Decision) -> None:
    """A value that nobody mapped is no claim, but it is never dropped: the link keeps it, so that it can be told and counted."""
    unmapped = view.kind.stage.unmapped(view.seen) if view.kind.stage is not None else None
    if unmapped is not None:
        decision.unmapped[view.system.name] = unmapped
    if view.notes.get("unmapped") == unmapped:
        return
    view.touched = True
    if unmapped is not None:
        view.notes["unmapped"] = unmapped
        return
    del view.notes["unmapped"]
    if view.kind.stage is not None and _mapped_since(view, view.kind.stage):
        view.carry(STAGE, 0)  # nobody moved anybody by it: it may raise the person, or reject, and is owed the hub's place where it says another


def _mapped_since(view: View, stage: StageMap) -> bool:
    """The value stood there already when nobody had mapped it, so that it says something only now."""
    noted = (view.row.claim or {}).get("unmapped")
    return noted is not None and stage.unmapped(view.seen) is None and not any(native in view.agreed for native in stage.natives)


def _as_they_mean_it(desk: Desk, claims: list[Said]) -> list[Said]:
    """At a first meeting, a system's word that would also stand for what another one says is no contradiction to it.

    A Lead's "Open - Not Contacted" is all that Salesforce has for a subscriber, so it does not make a lead of somebody who is a subscriber in HubSpot.
    """
    if len(claims) < 2:
        return claims
    return [(view, _as_meant(desk, view, claim, [other.reading for _, other in claims if other is not claim])) for view, claim in claims]


def _as_meant(desk: Desk, view: View, claim: Claim, others: Sequence[StageReading]) -> Claim:
    stage = view.kind.stage
    if stage is None or not claim.first or not (stage.lossy or stage.floored) or _is_converted(view, claim):
        return claim
    readings = [reading for other in others if (reading := stage.read(view.seen, other)) is not None and reading != claim.reading]
    furthest = max(readings, key=lambda reading: (desk.funnel.position(reading.stage), str(reading.stage)), default=claim.reading)
    return replace(claim, reading=furthest) if furthest != claim.reading else claim


def _moved(view: View, stage: StageMap, reading: StageReading, hub: StageReading | None) -> bool:
    """The evidence differs in meaning from what was last agreed."""
    if not any(native in view.agreed for native in stage.evidence):
        return False
    return _read(stage, {**view.seen, **view.agreed}, hub) != reading


def _read(stage: StageMap, values: Values, hub: StageReading | None, changed: Collection[str] = ()) -> StageReading | None:
    """What the record says now; what it says at least only as long as that is no old story."""
    return stage.read(values, hub, least=not stage.outlived(values, hub, changed))


def _raised_at(view: View, stage: StageMap, reading: StageReading) -> int | None:
    """When what the record says at least came to be so, where that is what it says."""
    since = stage.since(view.seen)
    own = stage.spelled(view.seen) if since is not None else None
    return None if since is None or (own is not None and own.stage == reading.stage) else moment_ms(since, _UTC)


def _with_its_reason(view: View, stage: StageMap, reading: StageReading, hub: StageReading) -> StageReading:
    """Whoever moves the stage alone keeps the reason for which the person is aside: a record that has no field for it says the label of its own word."""
    before = _read(stage, {**view.seen, **view.agreed}, hub)
    kept = before is not None and reading.side is not None and before.side == reading.side == hub.side and before.reason == reading.reason
    return replace(reading, reason=hub.reason) if kept else reading


def _newest_change(view: View, stage: StageMap, reading: StageReading, hub: StageReading | None, history: History | None) -> FieldChange | None:
    """The last of the changes that made the record say something else. What was only changed beside them moved nobody: it has another author, and time."""
    known = history.get(view.row.id, {}) if history else {}
    changed = [native for native in stage.evidence if native in known]
    before = {native: view.agreed[native] for native in changed if native in view.agreed}
    telling = [native for native, old in before.items() if _read(stage, {**view.seen, native: old}, hub) != reading]
    return max((known[native] for native in telling or changed), key=lambda change: change.at, default=None)


def _wants_history(decision: Decision, claims: Sequence[Said]) -> bool:
    """Whoever moved a stage after the first meeting is looked up: who may do what depends on it."""
    wanted = False
    for view, claim in claims:
        if claim.changed and not claim.first and view.kind.stage is not None:
            natives = {native for native in view.kind.stage.writes if native in view.agreed}
            if natives:
                decision.wants.setdefault(view.row.id, set()).update(natives)
                wanted = True
    return wanted


def stands_for(asked: Asked, stage: StageState, claims: Sequence[Claim]) -> bool:
    """An answer holds for the choices that were shown: where somebody has moved the person since, what they say is heard like anything else."""
    said = {claim.system: words_of(claim.reading) for claim in claims} | {"hub": words_of(stage.reading)}
    asserting = {claim.system for claim in claims if claim.changed or claim.first}
    return asserting <= asked.choices.keys() and all(said.get(system) == shown for system, shown in asked.choices.items())


def answered(claims: Sequence[Said], asked: Asked) -> list[Said]:
    """The claims that somebody's answer lets stand, as theirs: nobody's authority stands against them."""
    if asked.answer == "hub":
        return []
    chosen = [(view, claim) for view, claim in claims if claim.system == asked.answer]
    if not chosen and asked.answer == "newest":
        chosen = sorted(claims, key=lambda pair: (pair[1].at or pair[0].row.stamp, pair[1].system))[-1:]
    return [(view, replace(claim, team=None)) for view, claim in chosen or claims]


def actor_words(claim: Claim) -> str:
    """Who made a claim, as the ledger keeps it: `user 4711`, `automation`, `rule fits`."""
    if claim.rule is not None:
        return f"rule {claim.rule}"
    actor = claim.actor
    return "unknown" if actor is None else f"{actor.kind} {actor.id}" if actor.id else actor.kind


def words_of(reading: StageReading) -> str:
    """A stage as it is stored in plans and shown: `mql`, `mql (disqualified: no budget)`."""
    side = f"{reading.side}: {reading.reason}" if reading.side and reading.reason else reading.side
    if side is None:
        return reading.stage or "none"
    return f"{reading.stage} ({side})" if reading.stage else f"({side})"
