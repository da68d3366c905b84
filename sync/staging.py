"""The stage of one person: claims out of the links' evidence, the decision of `lifecycle`, and what each system is owed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..lifecycle.decide import decide
from ..mapping.stages import StageMap
from ..model.records import FieldChange, Native, Values
from ..model.stages import Claim, StageReading
from .decision import Decision, Hold, Overruled
from .desk import Asked, Desk, History, View

STAGE = "stage"
"""The name under which links carry the stage's version, beside the fields."""


def decide_stage(desk: Desk, decision: Decision, views: Sequence[View], asked: Asked | None, history: History | None) -> None:
    """Decide the stage and plan what each link must be told."""
    for view in views:
        _note_unmapped(view, decision)
    claims = [(view, claim) for view in views if view.system.reads and (claim := _claim(view, decision, history)) is not None]
    if history is None and _wants_history(decision, claims):
        return
    claims = _as_they_mean_it(desk, claims)
    if asked is not None:
        claims = _answered(claims, asked)
    verdict = decide(desk.funnel, decision.stage, [claim for _, claim in claims], desk.settings.stage_conflict)
    if verdict.hold is not None:
        choices = {claim.system: _words(claim.reading) for _, claim in claims if claim.changed or claim.first}
        decision.holds.append(Hold(f"stage:{'+'.join(sorted(choices))}", STAGE, choices, verdict.hold))
        return
    before, decision.stage = decision.stage, verdict.state
    if before.version and verdict.state.version != before.version:
        decision.changed[STAGE] = [_words(before.reading), _words(verdict.state.reading), verdict.state.version, verdict.cause]
    for system, reading, rule in verdict.overruled:
        decision.overruled.append(Overruled(STAGE, system, _words(reading), _words(verdict.state.reading), rule))
    for view in views:
        _bring_up(desk, decision, view, verdict.cause)


def _claim(view: View, decision: Decision, history: History | None) -> Claim | None:
    """What this link asserts, if anything: by its own stage fields, or by evidence that came with a conversion."""
    carried = view.carried.get(STAGE)
    current = carried is not None and carried == decision.stage.version
    converted = view.notes.get("converted")
    if view.kind.stage is None:
        if converted is None or view.notes.get("converted_told"):
            return None
        return Claim(view.system.name, StageReading(*converted), changed=True, current=False, first=carried is None)
    hub = decision.stage.reading if decision.stage.version and (current or carried is None) else None
    reading = view.kind.stage.read(view.seen, hub)
    if reading is None:
        return None
    changed = carried is not None and _moved(view, view.kind.stage, reading, hub)
    change = _newest_change(view, history)
    return Claim(
        view.system.name,
        reading,
        changed=changed,
        current=current,
        first=carried is None,
        at=change.at if change else None,
        actor=change.actor if change else None,
    )


def _note_unmapped(view: View, decision: Decision) -> None:
    """A value that nobody mapped is no claim, but it is never dropped: the link keeps it, so that it can be told and counted."""
    unmapped = view.kind.stage.unmapped(view.seen) if view.kind.stage is not None else None
    if unmapped is not None:
        decision.unmapped[view.system.name] = unmapped
    if view.notes.get("unmapped") == unmapped:
        return
    view.touched = True
    if unmapped is None:
        del view.notes["unmapped"]
    else:
        view.notes["unmapped"] = unmapped


def _as_they_mean_it(desk: Desk, claims: list[tuple[View, Claim]]) -> list[tuple[View, Claim]]:
    """At a first meeting, a system's word that would also stand for what another one says is no contradiction to it.

    A Lead's "Open - Not Contacted" is all that Salesforce has for a subscriber, so it does not make a lead of somebody who is a subscriber in HubSpot.
    """
    if len(claims) < 2:
        return claims
    return [(view, _as_meant(desk, view, claim, [other.reading for _, other in claims if other is not claim])) for view, claim in claims]


def _as_meant(desk: Desk, view: View, claim: Claim, others: Sequence[StageReading]) -> Claim:
    stage = view.kind.stage
    if stage is None or not claim.first or not stage.lossy:
        return claim
    readings = [reading for other in others if (reading := stage.read(view.seen, other)) is not None and reading != claim.reading]
    furthest = max(readings, key=lambda reading: (desk.funnel.position(reading.stage), str(reading.stage)), default=claim.reading)
    return replace(claim, reading=furthest) if furthest != claim.reading else claim


def _moved(view: View, stage: StageMap, reading: StageReading, hub: StageReading | None) -> bool:
    """The evidence differs in meaning from what was last agreed."""
    if not any(native in view.agreed for native in stage.natives):
        return False
    return stage.read({**view.seen, **view.agreed}, hub) != reading


def _newest_change(view: View, history: History | None) -> FieldChange | None:
    if not history or view.kind.stage is None:
        return None
    known = history.get(view.row.id, {})
    changes = [known[native] for native in view.kind.stage.natives if native in known]
    return max(changes, key=lambda change: change.at, default=None)


def _wants_history(decision: Decision, claims: Sequence[tuple[View, Claim]]) -> bool:
    """Whoever moved a stage after the first meeting is looked up: who may do what depends on it."""
    wanted = False
    for view, claim in claims:
        if claim.changed and not claim.first and view.kind.stage is not None:
            decision.wants.setdefault(view.row.id, set()).update(native for native in view.kind.stage.writes if native in view.agreed)
            wanted = bool(decision.wants.get(view.row.id)) or wanted
    return wanted


def _answered(claims: Sequence[tuple[View, Claim]], asked: Asked) -> list[tuple[View, Claim]]:
    if asked.answer == "hub":
        return []
    chosen = [(view, claim) for view, claim in claims if claim.system == asked.answer]
    if not chosen and asked.answer == "newest":
        chosen = sorted(claims, key=lambda pair: (pair[1].at or pair[0].row.stamp, pair[1].system))[-1:]
    return chosen or list(claims)


def _bring_up(desk: Desk, decision: Decision, view: View, cause: str) -> None:
    """Make one link carry the stage: by a write, or without one where it says so already or cannot say it."""
    state, stage = decision.stage, view.kind.stage
    if view.kind.stage is None and view.notes.get("converted") is not None and not view.notes.get("converted_told"):
        view.notes["converted_told"] = view.touched = True
    if stage is None or state.version == 0:
        _settle(view, stage, state.version)
        return
    if view.carried.get(STAGE) == state.version and not any(native in view.agreed for native in stage.natives):
        return
    reading = stage.read(view.seen)
    if reading is None and not _may_fill(decision, view, stage):
        return
    says_so = reading is not None and reading.stage == state.stage and reading.side is None and state.side is None
    values = stage.write(state.stage, state.side, state.reason, view.seen) if view.system.writes and not says_so else None
    _settle(view, stage, state.version if not values else 0)
    if not values:
        return
    if view.notes.get("parked", {}).get(STAGE) == parked_on(state.version, stage.writes, view.seen, values):
        return
    if reading is not None and _goes_back(desk, reading, state.stage):
        decision.lowered.append(view.system.name)
    view.owe(STAGE, values, _words(reading) if reading else None, _words(state.reading), state.version, cause)


def parked_on(version: int, writes: frozenset[str], seen: Values, values: Values) -> list[Any]:
    """What a refused stage is parked on: the version, and what stood there. It is tried again when either changes."""
    return [version, *sorted(str((native, seen.get(native))) for native in values if native in writes)]


def _settle(view: View, stage: StageMap | None, version: int) -> None:
    for native in stage.natives if stage else ():
        view.agree(native)
    view.carry(STAGE, version)


def _may_fill(decision: Decision, view: View, stage: StageMap) -> bool:
    """A record without a stage: blank is filled, but a stage that somebody cleared only after one quiet cycle, and a value nobody mapped never."""
    if stage.unmapped(view.seen) is not None:
        _settle(view, stage, decision.stage.version)
        return False
    cleared = view.carried.get(STAGE) is not None and any(native in view.agreed for native in stage.natives)
    if cleared and not view.notes.get("cleared"):
        view.notes["cleared"] = view.touched = decision.again = True
        return False
    view.notes.pop("cleared", None)
    return True


def _goes_back(desk: Desk, reading: StageReading, stage: str | None) -> bool:
    return reading.stage is not None and desk.funnel.position(stage) < desk.funnel.position(reading.stage)


def _words(reading: StageReading) -> str:
    """A stage as it is stored in plans and shown: `mql`, `mql (disqualified: no budget)`."""
    side = f"{reading.side}: {reading.reason}" if reading.side and reading.reason else reading.side
    if side is None:
        return reading.stage or "none"
    return f"{reading.stage} ({side})" if reading.stage else f"({side})"


def stage_values(desk: Desk, decision: Decision, stage: StageMap) -> Mapping[str, Native]:
    """What a new record is given so that it says the person's stage; nothing where it cannot."""
    state = decision.stage
    if state.version == 0 or any(hold.field == STAGE for hold in decision.holds):
        return {}
    values: Mapping[str, Any] | None = stage.write(state.stage, state.side, state.reason, {})
    return values or {}
