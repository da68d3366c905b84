"""All fields of one person over all of its links: what is agreed, what is owed, what is held. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...mapping.fields import Field, Silent, Unmappable
from ...mapping.maps import FieldMap
from ...model.records import Native, Value
from ...model.stages import StageState
from .companies import link_company
from .consent import follow_addresses, hear_the_rest, owe_anew, tell_duplicates
from .creation import create_missing
from .decision import Decision, Hold, Overruled
from .desk import NOTHING_KNOWN, Asked, Desk, History, Known, Link, View, lay_out
from .meeting import meet
from .merge import Hub, Rules, Say, Side, Verdict, is_blank, merge, same_value
from .owing import owe
from .removal import RECORD, decide_removal
from .staging import decide_stage
from .stamps import stamp

_ABSENT: Any = object()
NOBODY: Mapping[str, Asked] = {}


class _Told(NamedTuple):
    """What is known beside the records and the hub: answers, histories, fields held from outside, and the rest."""

    answers: Mapping[str, Asked]
    history: History | None
    blocked: Mapping[str, Hold]
    known: Known


def reconcile(
    desk: Desk,
    canonical: Mapping[str, list[Any]],
    stage: StageState,
    links: Sequence[Link],
    *,
    answers: Mapping[str, Asked] = NOBODY,
    history: History | None = None,
    blocked: Mapping[str, Hold] | None = None,
    known: Known = NOTHING_KNOWN,
) -> Decision:
    """Decide everything about one person.

    `canonical` and `stage` are what the hub knows, `links` all of the person's links (gone and moved ones too: a system with a
    tombstone gets no new record). `history` is None until the vendors' histories were read. `blocked`: fields held from outside. `known`: what else there
    is on the person.
    """
    views = lay_out(desk, links)
    told = _Told(answers, history, blocked or {}, known)
    before = {name: entry[0] for name, entry in canonical.items()}
    decision = _decide(desk, canonical, stage, links, views, [view for view in views if _excluded(view, before, stage)], told)
    if any(view.frozen and not _excluded(view, decision.values, decision.stage) for view in views):
        views = lay_out(desk, links)  # what was decided includes it again: it has its say at once
        decision = _decide(desk, canonical, stage, links, views, [view for view in views if _excluded(view, decision.values, decision.stage)], told)
    return decision


def _excluded(view: View, values: Mapping[str, Value], stage: StageState) -> bool:
    """Its record was in agreement once, and the person no longer belongs into that system."""
    return view.row.person is not None and bool(view.carried) and view.system.map.include(values, stage.stage) is not None


def _decide(
    desk: Desk, canonical: Mapping[str, list[Any]], stage: StageState, links: Sequence[Link], views: list[View], frozen: Sequence[View], told: _Told
) -> Decision:
    decision = Decision(dict(canonical), stage, views)
    for view in frozen:
        view.frozen = True
    live = [view for view in views if not view.frozen]
    owe_anew(desk, canonical, live)
    plain = not canonical and not any(view.carried or not view.system.reads for view in live)
    for field in meet(desk, decision, live) if plain else desk.maps.fields.values():
        if field.heard:
            _reconcile_field(desk, decision, field, live, told.answers.get(field.name), told.history, told.blocked)
    hear_the_rest(desk, decision, links, live)
    follow_addresses(decision, live)
    link_company(desk, decision)
    if any(link.state in ("new", "linked") for link in links):
        decide_stage(desk, decision, live, told.answers, told.history, told.known, told.blocked)
    else:
        decision.notes = told.known.notes  # where nothing of them is left nobody moves them, nor does time
    stamp(desk, decision, stage, told.known.now)
    decide_removal(desk, decision, links, told.answers.get(RECORD))
    create_missing(desk, decision, links)
    for view in views:
        view.unpark()
    if not decision.archives:
        tell_duplicates(desk, decision, links)
    return decision


def _reconcile_field(
    desk: Desk,
    decision: Decision,
    field: Field,
    views: Sequence[View],
    asked: Asked | None,
    history: History | None,
    blocked: Mapping[str, Hold],
) -> None:
    name = field.name
    entry = decision.canonical.get(name)
    hub = Hub(entry[0], entry[1], entry[2], entry[4] if len(entry) > 4 else None) if entry else Hub()
    taking_part = [(view, view.kind.fields[name]) for view in views if name in view.kind.fields and view.kind.fields[name].native in view.seen]
    if all(view.carried.get(name) == hub.version and field_map.native not in view.agreed for view, field_map in taking_part):
        return
    sides: list[Side] = []
    speaking: list[tuple[View, FieldMap]] = []
    for view, field_map in taking_part:
        try:
            sides.append(_side(field, field_map, view, hub, history))
            speaking.append((view, field_map))
        except Unmappable as refusal:
            decision.holds.append(_unreadable(name, view, refusal))
    undecided = next((view for side, (view, field_map) in zip(sides, speaking, strict=True) if side.say != "silent" and _undecided(view, field_map)), None)
    if undecided is not None and asked is None:
        choices = {view.system.name: side.value for (view, _), side in zip(speaking, sides, strict=True)} | {"hub": hub.value}
        why = "a write of ours met an edit, and nobody can tell which came last"
        decision.holds.append(Hold(f"undecided:{name}:{undecided.system.name}", name, choices, why))
        return
    sides = _as_stored(field, hub, sides, speaking)
    if name in blocked and any(side.say in ("edited", "behind", "first") for side in sides):
        told = {side.system: side.value for side in sides if side.say != "silent"}
        decision.holds.append(blocked[name] if blocked[name].choices else blocked[name]._replace(choices=told))
        return
    rules = Rules(desk.settings.order, desk.settings.winners.get(field.group), _usable_answer(asked, sides), history is not None or not _timeable(sides))
    verdict = merge(field, hub, sides, rules)
    if verdict.untimed:
        for (view, field_map), side in zip(speaking, sides, strict=True):
            if side.say in ("edited", "behind"):
                decision.wants.setdefault(view.row.id, set()).add(field_map.native)
        return
    if verdict.hold is not None:
        _hold(decision, field, hub, sides, verdict.hold)
        return
    _settle_field(decision, field, hub, sides, speaking, verdict)


def _side(field: Field, field_map: FieldMap, view: View, hub: Hub, history: History | None) -> Side:
    native: Native = view.seen[field_map.native]
    try:
        value = field_map.read(native, view.seen) if native is not None else None
    except Silent:
        return Side(view.system.name, "silent", None, view.row.stamp)
    say = _say(field, field_map, view, hub, value)
    change = history.get(view.row.id, {}).get(field_map.native) if history else None
    if not view.system.reads and say in ("edited", "behind", "first"):
        view.carry(field.name, 0)
        if native is not None:
            view.agreed.setdefault(field_map.native, None)
        say = "same"
    return Side(view.system.name, say, value, view.row.stamp, change.at if change else None)


def _say(field: Field, field_map: FieldMap, view: View, hub: Hub, value: Value) -> Say:
    carried = view.carried.get(field.name)
    if carried is None:
        return "first"
    agreed = view.agreed.get(field_map.native, _ABSENT)
    if agreed is _ABSENT:
        return "same"
    try:
        if same_value(field, field_map.read(agreed, view.seen), value):
            return "same"
    except Unmappable:
        pass
    if same_value(field, value, hub.value):
        return "agreed"
    return "edited" if carried == hub.version else "behind"


def _as_stored(field: Field, hub: Hub, sides: list[Side], speaking: Sequence[tuple[View, FieldMap]]) -> list[Side]:
    """Where a system stores less than it is given, its shortened form of a fuller value is that value."""
    if not any(field_map.lossy for _, field_map in speaking):
        return sides
    fuller = [hub.value, *(side.value for side, (_, field_map) in zip(sides, speaking, strict=True) if not field_map.lossy)]
    whole = [_restored(field, side, view, field_map, fuller) if field_map.lossy else side for side, (view, field_map) in zip(sides, speaking, strict=True)]
    return [_in_agreement(field, hub, side) for side in whole]


def _in_agreement(field: Field, hub: Hub, side: Side) -> Side:
    """Whoever can only say it shorter, and changed it to the short form of what the hub holds, says what the hub holds."""
    return side._replace(say="agreed") if side.say in ("edited", "behind") and same_value(field, side.value, hub.value) else side


def _restored(field: Field, side: Side, view: View, field_map: FieldMap, fuller: Sequence[Value]) -> Side:
    for value in fuller:
        if value is None or same_value(field, value, side.value):
            continue
        try:
            shortened = field_map.write(value) == view.seen[field_map.native]
        except Unmappable:
            continue
        if shortened:
            return side._replace(value=value)
    return side


def _undecided(view: View, field_map: FieldMap) -> bool:
    """An interrupted write left a third value here, and it still stands."""
    left = view.notes.get("undecided", {})
    return field_map.native in left and left[field_map.native] == view.seen[field_map.native]


def _timeable(sides: Sequence[Side]) -> bool:
    """Looking up times can help only where several records have a say, and one was changed."""
    return len(sides) > 1 and any(side.say in ("edited", "behind") for side in sides)


def _usable_answer(asked: Asked | None, sides: Sequence[Side]) -> str | None:
    """An answer holds for the choices that were shown; where somebody has edited since, it is asked anew."""
    if asked is None:
        return None
    now = {side.system: side.value for side in sides}
    told = {system: value for system, value in asked.choices.items() if system in now}
    return asked.answer if all(now[system] == value for system, value in told.items()) else None


def _unreadable(name: str, view: View, refusal: Unmappable) -> Hold:
    return Hold(
        f"unreadable:{name}:{view.system.name}", name, {view.system.name: view.seen.get(view.kind.fields[name].native)}, refusal.reason, view.system.name
    )


def _hold(decision: Decision, field: Field, hub: Hub, sides: Sequence[Side], kind: str) -> None:
    silent = ("silent", "same") if hub.version else ("silent",)
    speaking = [side for side in sides if side.say not in silent and (side.say in ("edited", "behind") or not is_blank(field, side.value))]
    choices: dict[str, Any] = {side.system: side.value for side in speaking}
    if hub.version and not any(side.say == "edited" for side in sides):
        choices["hub"] = hub.value
    names = "+".join(sorted(choices))
    decision.holds.append(Hold(f"{kind}:{field.name}:{names}", field.name, choices, kind))


def _settle_field(decision: Decision, field: Field, hub: Hub, sides: Sequence[Side], speaking: Sequence[tuple[View, FieldMap]], verdict: Verdict) -> None:
    name, new = field.name, verdict.hub
    if new.version != hub.version:
        stamp = next((side.stamp for side in sides if side.system == new.source), 0)
        decision.canonical[name] = [new.value, new.version, new.source, new.at or stamp] + ([new.at] if new.at else [])
        if hub.version or any(side.say != "first" for side in sides):
            decision.changed[name] = [hub.value, new.value, new.version, verdict.reason]
        if verdict.replaced:
            decision.overruled.append(Overruled(name, hub.source, hub.value, new.value, verdict.replaced))
    chosen = max((side.at or side.stamp for side in sides if side.say in ("edited", "behind")), default=0)
    for index, (side, (view, field_map)) in enumerate(zip(sides, speaking, strict=True)):
        if index in verdict.losers:
            decision.overruled.append(Overruled(name, side.system, side.value, new.value, verdict.losers[index]))
            view.agree(field_map.native)
            view.carry(name, 0)
        elif index in verdict.kept or side.say in ("edited", "behind", "agreed"):
            view.agree(field_map.native)
            view.carry(name, new.version)
        elif side.say == "silent":
            _let_stand(view, field_map, side, hub, new, chosen)
        else:
            if not view.system.reads and field_map.native in view.agreed and new.version and not same_value(field, side.value, new.value):
                decision.overruled.append(Overruled(name, side.system, side.value, new.value, f"nothing is taken over from {side.system}"))
            view.agree(field_map.native)
            if side.say == "first":
                view.carry(name, new.version if same_value(field, side.value, new.value) else 0)
        if view.carried[name] != new.version:
            owe(decision, field, new, side.value, view, field_map, verdict.reason)


def _let_stand(view: View, field_map: FieldMap, side: Side, hub: Hub, new: Hub, chosen: int) -> None:
    """What says nothing stays, unless somebody chose a value elsewhere after it came to be (`chosen`: when, in ms; 0: nobody did): that it is owed."""
    name = field_map.field
    if name not in view.carried or field_map.native in view.agreed:
        view.carry(name, hub.version if chosen > side.stamp else new.version)
    elif view.carried[name] == hub.version and not chosen:
        view.carry(name, new.version)
    view.agree(field_map.native)
