"""`why`: how a person's value came to be. What each system says, which rule decided, what was overruled, and what comes next. Pure reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..mapping.fields import Unmappable
from ..state import actions, changes, links, people, runs
from ..state.actions import ActionRow
from ..state.changes import ChangeRow
from ..state.links import LinkRow
from ..state.people import PersonRow
from ..state.store import Tx
from .claims import STAGE
from .decision import UNDO
from .desk import Desk
from .holds import because
from .merge import same_value
from .parking import PARKED, created_in
from .qualifying import PROPOSAL

EventKind = Literal["seen", "met", "decided", "held", "overruled", "written"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One record's say on one field: `native` and its value as last read, when (ms), and how it stands to the hub."""

    system: str
    kind: str
    ref: str
    native: str
    value: Any
    stamp: int
    state: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the field. `at`: the vendor's time for what was seen, the run's for what we did (ms). `system`: where, "" for the hub.

    `before` and `after` are native for what was seen, canonical for the rest. `note`: who, or by which rule, or what came of it.
    """

    at: int | None
    run: int | None
    kind: EventKind
    system: str
    before: Any
    after: Any
    note: str
    native: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """Everything known about one field of one person. `source`: the system from which the value came. `next`: what the coming runs do about it.

    `rule`: what sets the field, where no system does.
    """

    person: int
    field: str
    value: Any
    version: int
    source: str
    at: int | None
    standings: tuple[Standing, ...]
    events: tuple[Event, ...]
    holds: tuple[ActionRow, ...]
    next: tuple[str, ...]
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    """All that the state has on one person."""

    row: PersonRow
    links: Sequence[LinkRow]
    acts: Sequence[ActionRow]
    seen: Mapping[int, Sequence[ChangeRow]]
    starts: Mapping[int, int]


def why(tx: Tx, desk: Desk, workspace: int, person: int, only: str | None = None) -> list[Why]:
    """All fields of the person, or one. Reads the state alone. Raises `KeyError` where there is no such person."""
    row = people.by_ids(tx, [person])[person]
    rows = links.of_people(tx, [person]).get(person, [])
    acts = actions.of_person(tx, workspace, person, 1_000)
    found = {act.run for act in acts}
    starts = {run: known.started_at for run in found if (known := runs.by_id(tx, run)) is not None}
    file = _File(row, rows, acts, changes.of_links(tx, [link.id for link in rows]), starts)
    return [_why(desk, file, name) for name in ([STAGE, *desk.maps.fields] if only is None else [only])]


def _why(desk: Desk, file: _File, name: str) -> Why:
    if name == STAGE:
        entry: Sequence[Any] = [stage_words(file.row), file.row.stage_version, "", None]
    else:
        entry = file.row.canonical.get(name) or [None, 0, "", None]
    standings = tuple(standing for link in file.links for standing in _standings(desk, link, name, entry))
    events = sorted([*_observed(desk, file, name), *_acted(desk, file, name)], key=_order)
    holds = tuple(act for act in file.acts if act.op == "hold" and act.state == "held" and act.answer != "skip" and _asks_about(act, name))
    coming, rule = tuple(_next(desk, file, name, standings, holds)), _rule(desk, name)
    return Why(file.row.id, name, entry[0], entry[1], entry[2], entry[3], standings, tuple(events), holds, coming, rule)


def _rule(desk: Desk, name: str) -> str:
    """What sets the field, where no system does."""
    mapped = desk.maps.fields.get(name)
    return mapped.fill.sentence if mapped is not None and mapped.fill is not None else ""


def stage_words(row: PersonRow) -> str | None:
    """A person's stage as it is shown: `mql`, `mql (disqualified: no budget)`."""
    side = f"{row.side}: {row.reason}" if row.side and row.reason else row.side
    return f"{row.stage or 'none'} ({side})" if side else row.stage


_RANK: Mapping[str, int] = {"seen": 0, "met": 1, "decided": 2, "held": 3, "overruled": 4, "written": 5}


def _order(event: Event) -> tuple[int, int, int]:
    """By run, since clocks of several vendors and ours need not agree; within a run first what it saw, then what it made of it."""
    return (event.run or 0, _RANK[event.kind], event.at or 0)


def _natives(desk: Desk, link: LinkRow, name: str) -> tuple[str, ...]:
    system = desk.systems.get(link.account)
    kind = system.map.kinds.get(link.kind) if system else None
    if kind is None:
        return ()
    if name == STAGE:
        return kind.stage.natives if kind.stage else ()
    return (kind.fields[name].native,) if name in kind.fields else ()


_TYPED = "changed there, not agreed yet"
_KEPT = "is left as it is since an undo"
_STATES = {"gone": "deleted there", "moved": "moved to another record", "parked": "a duplicate that is left alone", "new": "not matched yet"}


def _standings(desk: Desk, link: LinkRow, name: str, entry: Sequence[Any]) -> list[Standing]:
    system = desk.systems.get(link.account)
    label = system.name if system else f"account {link.account}"
    carried = link.carried.get(name)
    found: list[Standing] = []
    for native in _natives(desk, link, name):
        if link.state != "linked":
            state = _STATES.get(link.state, link.state)
        elif native in link.agreed:
            state = _TYPED
        elif carried is None:
            state = "not met yet"
        else:
            state = "is behind" if carried != entry[1] else _KEPT if entry[2] == UNDO and not _says(desk, link, name, entry[0]) else "agrees"
        found.append(Standing(label, link.kind, link.ref, native, link.seen.get(native), link.stamp, state))
    return found


def _says(desk: Desk, link: LinkRow, name: str, value: Any) -> bool:
    """The record says this value of the field."""
    mapped = desk.systems[link.account].map.kinds[link.kind].fields[name]
    native = link.seen.get(mapped.native)
    try:
        return same_value(desk.maps.fields[name], mapped.read(native, link.seen) if native is not None else None, value)
    except Unmappable:
        return False


def _observed(desk: Desk, file: _File, name: str) -> Iterable[Event]:
    for link in file.links:
        system = desk.systems.get(link.account)
        for change in file.seen.get(link.id, ()):
            for native in _natives(desk, link, name):
                if native in change.values and change.values[native] != [None, None]:  # read for the first time, and blank
                    before, after = change.values[native]
                    note = f"the record was last modified by {change.author}" if change.author else ""
                    yield Event(change.at, change.run, "seen", system.name if system else f"account {link.account}", before, after, note, native)


def _acted(desk: Desk, file: _File, name: str) -> Iterable[Event]:
    yield from _decided(file, name)
    for act in file.acts:
        if act.state == "planned":
            continue
        at = file.starts.get(act.run)
        system = desk.systems.get(act.account) if act.account is not None else None
        where = system.name if system else ""
        if act.op == "hold" and _asks_about(act, name):
            answered = f"answered: {act.answer}" if act.answer else ("waits for an answer" if act.state == "held" else "no longer asked")
            yield Event(at, act.run, "held", where, None, dict(act.payload.get("choices", {})), f"{because(act)}; {answered}")
        elif act.op in ("overrule", "update") and name in act.fields:
            before, after, _, reason = act.fields[name]
            if act.op == "overrule":
                yield Event(at, act.run, "overruled", where, before, after, str(reason))
            else:
                yield Event(at, act.run, "written", where, before, after, _outcome(act, str(reason)))
        elif act.op == "create" and name in act.payload.get("carried", {}):
            yield Event(at, act.run, "written", where, None, None, _outcome(act, "with the new record"))


def _asks_about(act: ActionRow, name: str) -> bool:
    """A question about the field, or about the whole record; a stage that is proposed is one about the stage."""
    return act.field in (name, "record") or (act.field == PROPOSAL and name == STAGE)


def _decided(file: _File, name: str) -> Iterable[Event]:
    """Each decision that moved the hub's value. One that had no value before is a first meeting, whose row holds no change."""
    known = 0
    for act in sorted((act for act in file.acts if act.op == "decide" and act.state == "applied"), key=lambda act: act.id):
        value, version, source = _remembered(act, name)
        at, before = file.starts.get(act.run), known
        known = version
        if name in act.fields:
            old, new, _, reason = act.fields[name]
            yield Event(at, act.run, "decided", "", old, new, str(reason))
        elif version > before and value is not None:
            yield Event(at, act.run, "met", source, None, value, "")


def _remembered(act: ActionRow, name: str) -> tuple[Any, int, str]:
    """(value, version, source) of the field after a decision."""
    if name == STAGE:
        memory: Sequence[Any] = act.payload.get("stage") or (None, None, None, 1, 0)
        stage, side, _, _, version = memory
        return (stage if side is None else f"{stage or 'none'} ({side})"), version, ""
    entry: Sequence[Any] = act.payload.get("canonical", {}).get(name) or (None, 0, "")
    return entry[0], entry[1], entry[2]


def _outcome(act: ActionRow, reason: str) -> str:
    refusal = (act.result or {}).get("reason")
    said = {
        "applied": "",
        "rejected": "refused there",
        "skipped": "not sent",
        "sent": "sent, the outcome is being looked up",
        "unknown": "sent, the outcome is being looked up",
    }
    words = said.get(act.state, act.state)
    return "; ".join(part for part in (reason, words, str(refusal) if refusal and act.state != "applied" else "") if part)


def _refused(desk: Desk, file: _File, name: str) -> Iterable[tuple[str, str, str]]:
    """(system, what it refused, the vendor's code) of what is parked and concerns the field."""
    for link in file.links:
        for parked, entry in (link.claim or {}).get(PARKED, {}).items():
            account = created_in(parked)
            if isinstance(entry, dict) and (account is not None or parked == name):
                system = desk.systems.get(link.account if account is None else account)
                yield system.name if system else "?", "it" if account is None else "to make the record", str(entry["code"])


def _next(desk: Desk, file: _File, name: str, standings: Sequence[Standing], holds: Sequence[ActionRow]) -> Iterable[str]:
    """What would happen, as sentences; none where nothing would."""
    for act in file.acts:
        if act.state == "planned" and name in act.fields and act.op == "update":
            system = desk.systems.get(act.account or 0)
            yield f"the stored plan of run {act.run} writes it to {system.name if system else '?'}"
    refused = sorted(_refused(desk, file, name))
    if holds:
        yield "nothing, until the question is answered"
    elif refused:
        told = "; ".join(f"{system} refused {what} ({code})" for system, what, code in refused)
        yield f"{told}: tried again when something changes, or on `stagesync retry p{file.row.id}` (`stagesync errors` tells what helps)"
    elif any(standing.state == "is behind" for standing in standings):
        behind = sorted({standing.system for standing in standings if standing.state == "is behind"})
        yield f"the next run brings {', '.join(behind)} up, unless it cannot carry the value"
    elif _rule(desk, name) and any(standing.state == _TYPED for standing in standings):
        yield "the next run puts back what was changed there: the lifecycle sets this field"
    elif file.row.due is not None:
        yield "the next run looks at this person again"
