"""`why`: how a person's value came to be. What each system says, who changed it, which rule decided, what was overruled, and what comes next.

The same for an earlier moment: how it stood then, and what came after. Pure reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...mapping.fields import Unmappable
from ...model.companies import FIELD as COMPANY
from ...state.actions import ANSWERED, ActionRow
from ...state.changes import RECORD, THERE
from ...state.links import LinkRow
from ...state.people import PersonRow
from ...state.store import Tx
from ..actors import OURS, Actors
from ..deciding.claims import STAGE
from ..deciding.decision import UNDO
from ..deciding.desk import Desk
from ..deciding.merge import same_value
from ..deciding.parking import PARKED, created_in
from ..deciding.qualifying import PROPOSAL
from ..session import Session
from .holds import because
from .memory import Memory, remember, told_at

EventKind = Literal["seen", "record", "met", "decided", "held", "answered", "overruled", "written"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One record's say on one field: `native` and its value as last read, and how it stands to the hub.

    `stamp` and `who`: when (ms; 0: not known) and by whom the record was changed last.
    """

    system: str
    kind: str
    ref: str
    native: str
    value: Any
    stamp: int
    state: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the field. `at`: the vendor's time for what was seen, ours for what we did (ms). `system`: where, "" for the hub.

    `before` and `after` are native for what was seen, canonical for the rest. `who`: who did it, "" where that is not known. `note`: by which rule, or what
    came of it. `seen_at`: when we read of it (ms).
    """

    at: int | None
    run: int | None
    kind: EventKind
    system: str
    before: Any
    after: Any
    note: str
    native: str = ""
    who: str = ""
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Everything known about one field of one person. `source`: the system from which the value came. `next`: what the coming runs do about it.

    `rule`: what sets the field, where no system does. `later`: what came after the moment that was asked about.
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
    later: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """One person, now or at an earlier moment. `row`: as they are now; `then`: as they were (None: nobody here knew them yet); `known_since` in ms."""

    row: PersonRow
    then: PersonRow | None
    known_since: int | None
    fields: tuple[Why, ...]


def story(tx: Tx, session: Session, person: int, only: str | None = None, at: int | None = None) -> Story:
    """All fields of the person, or one, as they are or as they stood at a moment (ms). Reads the state alone.

    Raises `KeyError` where there is no such person.
    """
    memory, teller = remember(tx, session.workspace, person), _Teller(session.desk, session.actors)
    names = [STAGE, *session.desk.maps.fields] if only is None else [only]
    file = memory.present() if at is None else memory.as_of(at)
    if file is None:
        return Story(memory.row, None, memory.known_since, ())
    later = {name: teller.events(memory, name) if at is not None else [] for name in names}
    return Story(memory.row, file.row, memory.known_since, tuple(teller.why(file, name, later[name]) for name in names))


def stage_words(row: PersonRow) -> str | None:
    """A person's stage as it is shown: `mql`, `mql (disqualified: no budget)`."""
    side = f"{row.side}: {row.reason}" if row.side and row.reason else row.side
    return f"{row.stage or 'none'} ({side})" if side else row.stage


_RANK: Mapping[EventKind, int] = {"record": 0, "seen": 1, "met": 2, "decided": 3, "held": 4, "answered": 5, "overruled": 6, "written": 7}


def _order(event: Event) -> tuple[int, int, int]:
    """By run, since clocks of several vendors and ours need not agree; within a run first what it saw, then what it made of it."""
    return (event.run or 0, _RANK[event.kind], event.at or 0)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells the story of a field from what is remembered."""

    desk: Desk
    actors: Actors

    def why(self, file: Memory, name: str, everything: Sequence[Event]) -> Why:
        """`everything`: all that ever happened to the field, where the file is of an earlier moment."""
        if name == STAGE:
            entry: Sequence[Any] = [stage_words(file.row), file.row.stage_version, "", None]
        else:
            entry = file.row.canonical.get(name) or [None, 0, "", None]
        standings = tuple(standing for link in file.links for standing in self._standings(file, link, name, entry))
        events = self.events(file, name)
        holds = tuple(act for act in file.acts if act.op == "hold" and act.state == "held" and act.answer != "skip" and _asks_about(act, name))
        coming = () if file.at is not None else tuple(_next(self.desk, file, name, standings, holds))
        later = tuple(event for event in everything if event.at is not None and file.at is not None and event.at > file.at)
        return Why(file.row.id, name, entry[0], entry[1], entry[2], entry[3], standings, tuple(events), holds, coming, _rule(self.desk, name), later)

    def events(self, file: Memory, name: str) -> list[Event]:
        """What happened to the field, in its order."""
        return sorted([*self._observed(file, name), *self._acted(file, name)], key=_order)

    def _system(self, account: int | None) -> str:
        system = self.desk.systems.get(account) if account is not None else None
        return system.name if system else "" if account is None else f"account {account}"

    # -- what each record says

    def _standings(self, file: Memory, link: LinkRow, name: str, entry: Sequence[Any]) -> Iterable[Standing]:
        label = self._system(link.account)
        who = self.actors.author(label, link.author)
        for native in _natives(self.desk, link, name):
            state = self._state(file, link, name, native, entry)
            yield Standing(label, link.kind, link.ref, native, link.seen.get(native), link.stamp, state, who)

    def _state(self, file: Memory, link: LinkRow, name: str, native: str, entry: Sequence[Any]) -> str:
        carried = link.carried.get(name)
        if link.state != "linked":
            return _STATES.get(link.state, link.state)
        if native in link.agreed:
            return _UNSEEN if _unseen(file, link, native) else _TYPED
        if name == COMPANY and link.seen.get(native) is not None and carried != entry[1]:
            return _CHOSEN
        if carried is None:
            return "not met yet"
        if carried != entry[1]:
            return "is behind"
        return _KEPT if entry[2] == UNDO and not _says(self.desk, link, name, entry[0]) else "agrees"

    # -- what happened

    def _observed(self, file: Memory, name: str) -> Iterable[Event]:
        for link in file.links:
            natives, system = _natives(self.desk, link, name), self._system(link.account)
            moved: Mapping[str, Any] = {}
            for change in file.seen.get(link.id, ()):
                if natives and RECORD in change.values:
                    place: Any = change.values[RECORD]
                    before, after, *rest = place
                    moved = rest[0] if rest else moved
                    yield Event(told_at(change), change.run, "record", system, before, after, "", f"{link.kind} {link.ref}", "", change.seen_at)
                    if rest:
                        continue
                for native in natives:
                    if native in change.values:
                        before, after = change.values[native]
                        before = moved.get(native) if before is None else before  # what it said before it moved to another ref
                        if before != after:
                            who = self.actors.author(system, change.author)
                            yield Event(change.at, change.run, "seen", system, before, after, "", native, who, change.seen_at)
                moved = {}

    def _acted(self, file: Memory, name: str) -> Iterable[Event]:
        yield from self._decided(file, name)
        for act in file.acts:
            if act.state == "planned" or (act.op == "overrule" and act.state != "overruled"):  # a plan that was given up overruled nobody
                continue
            at, where = file.when(act), self._system(act.account)
            if act.op == "hold" and _asks_about(act, name):
                yield Event(at, act.run, "held", where, None, dict(act.payload.get("choices", {})), f"{because(act)}; {_answer(act)}")
                if act.answer is not None and (answered := (act.result or {}).get(ANSWERED)) is not None:
                    yield Event(answered, act.run, "answered", "", None, act.answer, "")
            elif act.op in ("overrule", "update") and name in act.fields:
                before, after, _, reason = act.fields[name]
                kind: EventKind = "overruled" if act.op == "overrule" else "written"
                yield Event(at, act.run, kind, where, before, after, str(reason) if act.op == "overrule" else _outcome(act, str(reason)))
            elif act.op == "create" and name in act.payload.get("carried", {}):
                yield Event(at, act.run, "written", where, None, None, _outcome(act, "with the new record"))
            elif act.op == "archive":
                yield Event(at, act.run, "record", where, THERE, "archived", _outcome(act, act.reason), who=OURS)

    def _decided(self, file: Memory, name: str) -> Iterable[Event]:
        """Each decision that moved the hub's value. One that had no value before is a first meeting, whose row holds no change."""
        known = 0
        for act in file.turns:
            value, version, source = _remembered(act, name)
            at, before, who = file.when(act), known, self._mover(act) if name == STAGE else ""
            known = version
            if name in act.fields:
                old, new, _, reason = act.fields[name]
                yield Event(at, act.run, "decided", "", old, new, str(reason), who=who)
            elif version > before and value is not None:
                yield Event(at, act.run, "met", source, None, value, "", who=who)

    def _mover(self, act: ActionRow) -> str:
        """Who moved the stage, where a history told."""
        _, _, _, _, _, _, system, actor, *_ = (act.payload.get("stays") or [(None,) * 11])[-1]
        return self.actors.actor(str(system), actor)


def _unseen(file: Memory, link: LinkRow, native: str) -> bool:
    """At that moment it had changed there, and nobody here had read it yet."""
    return file.at is not None and any(native in change.values and change.seen_at > file.at for change in file.seen.get(link.id, ()))


def _rule(desk: Desk, name: str) -> str:
    """What sets the field, where no system does."""
    mapped = desk.maps.fields.get(name)
    if name == COMPANY:
        return "follows from company, email and website"
    return mapped.fill.sentence if mapped is not None and mapped.fill is not None else ""


def _natives(desk: Desk, link: LinkRow, name: str) -> tuple[str, ...]:
    system = desk.systems.get(link.account)
    kind = system.map.kinds.get(link.kind) if system else None
    if kind is None:
        return ()
    if name == STAGE:
        return kind.stage.evidence if kind.stage else ()
    return (kind.fields[name].native,) if name in kind.fields else ()


_TYPED = "changed there, not agreed yet"
_UNSEEN = "changed there, and no run had read it yet"
_CHOSEN = "linked by somebody: it stays so"
_KEPT = "is left as it is since an undo"
_STATES = {"gone": "deleted there", "moved": "moved to another record", "parked": "a duplicate that is left alone", "new": "not matched yet"}


def _says(desk: Desk, link: LinkRow, name: str, value: Any) -> bool:
    """The record says this value of the field."""
    mapped = desk.systems[link.account].map.kinds[link.kind].fields[name]
    native = link.seen.get(mapped.native)
    try:
        return same_value(desk.maps.fields[name], mapped.read(native, link.seen) if native is not None else None, value)
    except Unmappable:
        return False


def _asks_about(act: ActionRow, name: str) -> bool:
    """A question about the field, or about the whole record; a stage that is proposed is one about the stage."""
    return act.field in (name, "record") or (act.field == PROPOSAL and name == STAGE)


def _answer(act: ActionRow) -> str:
    return f"answered: {act.answer}" if act.answer else "waits for an answer" if act.state == "held" else "no longer asked"


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


def _refused(desk: Desk, file: Memory, name: str) -> Iterable[tuple[str, str, str]]:
    """(system, what it refused, the vendor's code) of what is parked and concerns the field."""
    for link in file.links:
        for parked, entry in (link.claim or {}).get(PARKED, {}).items():
            account = created_in(parked)
            if isinstance(entry, dict) and (account is not None or parked == name):
                system = desk.systems.get(link.account if account is None else account)
                yield system.name if system else "?", "it" if account is None else "to make the record", str(entry["code"])


def _next(desk: Desk, file: Memory, name: str, standings: Sequence[Standing], holds: Sequence[ActionRow]) -> Iterable[str]:
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
