"""`why`: how a person's value came to be. What each system says, which rule decided, what was overruled, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..state import actions, changes, links, people
from ..state.actions import ActionRow
from ..state.links import LinkRow
from ..state.store import Tx
from .desk import Desk
from .staging import STAGE


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
    """Something that happened to the field, at a time (ms), in words."""

    at: int | None
    run: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Why:
    """Everything known about one field of one person. `source`: the system from which the value came."""

    person: int
    field: str
    value: Any
    version: int
    source: str
    at: int | None
    standings: tuple[Standing, ...]
    events: tuple[Event, ...]
    holds: tuple[str, ...]


def why(tx: Tx, desk: Desk, workspace: int, person: int, only: str | None = None) -> list[Why]:
    """All fields of the person, or one. Reads the state alone."""
    row = people.by_ids(tx, [person])[person]
    rows = links.of_people(tx, [person]).get(person, [])
    acts = actions.of_person(tx, workspace, person)
    seen = changes.of_links(tx, [link.id for link in rows])
    names = [STAGE, *desk.maps.fields] if only is None else [only]
    answers: list[Why] = []
    for name in names:
        if name == STAGE:
            entry: Sequence[Any] = [_stage_words(row), row.stage_version, "", None]
        else:
            entry = row.canonical.get(name) or [None, 0, "", None]
        standings = tuple(standing for link in rows for standing in _standings(desk, link, name, entry[1]))
        events = (*_observed(desk, rows, seen, name), *_acted(desk, acts, name))
        holds = tuple(f"{act.reason} ({act.question})" for act in acts if act.op == "hold" and act.state == "held" and act.field == name)
        answers.append(
            Why(
                person, name, entry[0], entry[1], entry[2], entry[3], standings, tuple(sorted(events, key=lambda event: (event.at or 0, event.run or 0))), holds
            )
        )
    return answers


def _stage_words(row: people.PersonRow) -> str | None:
    side = f"{row.side}: {row.reason}" if row.side and row.reason else row.side
    return f"{row.stage or 'none'} ({side})" if side else row.stage


def _natives(desk: Desk, link: LinkRow, name: str) -> tuple[str, ...]:
    system = desk.systems.get(link.account)
    kind = system.map.kinds.get(link.kind) if system else None
    if kind is None:
        return ()
    if name == STAGE:
        return kind.stage.natives if kind.stage else ()
    return (kind.fields[name].native,) if name in kind.fields else ()


def _standings(desk: Desk, link: LinkRow, name: str, version: int) -> list[Standing]:
    system = desk.systems.get(link.account)
    label = system.name if system else f"account {link.account}"
    carried = link.carried.get(name)
    found: list[Standing] = []
    for native in _natives(desk, link, name):
        if link.state != "linked":
            state = {"gone": "deleted there", "moved": "moved to another record", "parked": "set aside as a duplicate"}.get(link.state, link.state)
        elif native in link.agreed:
            state = f"changed from {link.agreed[native]!r}, not agreed yet"
        elif carried is None:
            state = "never met"
        else:
            state = "agrees" if carried == version else "is owed a write"
        found.append(Standing(label, link.kind, link.ref, native, link.seen.get(native), link.stamp, state))
    return found


def _observed(desk: Desk, rows: Sequence[LinkRow], seen: Mapping[int, Sequence[changes.ChangeRow]], name: str) -> list[Event]:
    found: list[Event] = []
    for link in rows:
        system = desk.systems.get(link.account)
        for change in seen.get(link.id, ()):
            for native in _natives(desk, link, name):
                if native in change.values:
                    before, after = change.values[native]
                    author = f" by {change.author}" if change.author else ""
                    found.append(Event(change.at, change.run, f"{system.name if system else '?'} {native}: {before!r} -> {after!r}{author}"))
    return found


def _acted(desk: Desk, acts: Sequence[ActionRow], name: str) -> list[Event]:
    found: list[Event] = []
    for act in acts:
        system = desk.systems.get(act.account) if act.account is not None else None
        where = system.name if system else "hub"
        if act.op == "decide" and name in act.fields and act.state == "applied":
            before, after, _, reason = act.fields[name]
            found.append(Event(_FIRST, act.run, f"decided: {before!r} -> {after!r} ({reason})"))
        elif act.op == "overrule" and act.field == name and act.state == "overruled":
            lost, won, _, rule = act.fields[name]
            found.append(Event(_FIRST, act.run, f"overruled in {where}: {lost!r} gave way to {won!r} ({rule})"))
        elif act.op == "update" and name in act.fields:
            before, after, _, reason = act.fields[name]
            found.append(Event(_FIRST, act.run, f"{_PAST.get(act.state, act.state)} to {where}: {before!r} -> {after!r} ({reason})"))
        elif act.op == "create":
            found.append(Event(_FIRST, act.run, f"{_PAST.get(act.state, act.state)} to {where} as a new record"))
    return found


_FIRST = 0
_PAST = {
    "applied": "written",
    "rejected": "refused when written",
    "planned": "planned to be written",
    "skipped": "not written",
    "sent": "sent",
    "unknown": "sent, unknown",
}
