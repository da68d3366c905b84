"""What the systems show goes into the state: records, what changed on them, what is gone, and what moved to another ref.

Observations and the cursor that covers them are committed together by the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ...mapping.keys import key_value
from ...mapping.signals import read_signals
from ...mapping.stages import StageMap
from ...model.records import Gone, Moved, Native, Observation, Present, Record, Ref, Sighting, Signal, Unreadable, Values
from ...state import changes, forgotten, keys, links, people, presence, signals
from ...state.forgotten import Mark
from ...state.links import LinkRow, Observed
from ...state.signals import NewSignal
from ...state.store import Tx
from ..deciding.desk import System
from ..deciding.erasure import ERASED
from ..deciding.parking import unparked
from ..people.forget import Arrived, forgotten_among, leave_out
from .last_words import handed_on, in_order, last_words
from .stirring import renamed, stir
from .succession import causes, heirs, returning

_ABSENT: Any = object()
V = TypeVar("V")


@dataclass(slots=True)
class Seen:
    """One batch of observations of one system, as it came."""

    records: list[Record] = field(default_factory=list[Record])
    gone: list[Gone] = field(default_factory=list[Gone])
    moved: list[Moved] = field(default_factory=list[Moved])
    signals: list[Sighting] = field(default_factory=list[Sighting])

    def take(self, answer: Observation) -> None:
        """Sort in one observation; what is unreadable says nothing."""
        match answer:
            case Present(record=record):
                self.records.append(record)
            case Gone():
                self.gone.append(answer)
            case Moved():
                self.moved.append(answer)
            case Unreadable():
                pass


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a batch amounted to. `unknown`: refs to which something moved, or that a signal is about, and that nobody has read yet.

    `forgotten`: records of people who are not to be known any more, of which nothing was kept.
    `lacking`: records that came without a field that was asked for: what it holds now is not known, and may have been edited.
    """

    new: int = 0
    changed: int = 0
    gone: int = 0
    unknown: tuple[Ref, ...] = ()
    forgotten: int = 0
    lacking: tuple[Ref, ...] = ()


@dataclass(slots=True)
class _Batch:
    """The rows that this batch touches, by ref, and what must be written about them.

    `returning`: links that are back, and their person's own again. `bereft`: people whose own record is gone. `stirred`: links of which a key, the name, or
    whether they are there has changed, which others may share a key with.
    """

    known: dict[Ref, LinkRow]
    new: dict[Ref, LinkRow] = field(default_factory=dict[Ref, LinkRow])
    observed: dict[int, Observed] = field(default_factory=dict[int, Observed])
    rewritten: dict[int, LinkRow] = field(default_factory=dict[int, LinkRow])
    changes: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    rekeyed: list[int] = field(default_factory=list[int])
    keys: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    told: dict[Ref, list[Signal]] = field(default_factory=dict[Ref, list[Signal]])
    told_of: list[tuple[str, Signal]] = field(default_factory=list[tuple[str, Signal]])
    followed: list[tuple[int, Ref]] = field(default_factory=list[tuple[int, Ref]])
    due: set[int] = field(default_factory=set[int])
    returning: set[int] = field(default_factory=set[int])
    bereft: set[int] = field(default_factory=set[int])
    stirred: set[int] = field(default_factory=set[int])


def absorb(tx: Tx, workspace: int, system: System, seen: Seen, run: int, now: int) -> Absorbed:
    """Write one batch into the state. Records that are not newer than what is held change nothing."""
    newest = _newest(seen.records, system)
    refs = {*newest, *(gone.ref for gone in seen.gone)}
    for moved in seen.moved:
        refs.update((moved.ref, moved.to))
    refs.update(sighting.ref for sighting in seen.signals if sighting.ref is not None)
    batch = _Batch(links.by_refs(tx, workspace, system.account, list(refs)) if refs else {})
    if seen.moved:
        newest = _newest([*newest.values(), *last_words(seen.moved, system, batch.known.keys() | newest.keys())], system)
    left_out = forgotten_among(tx, workspace, system.account, system.map, (Arrived(record, batch.known.get(ref)) for ref, record in newest.items()))
    if left_out:
        leave_out(tx, workspace, [row for ref in left_out if (row := batch.known.pop(ref, None)) is not None])
        newest = {ref: record for ref, record in newest.items() if ref not in left_out}
    fresh = [record for ref, record in newest.items() if ref not in batch.known and record.ref.kind in system.map.kinds]
    first = links.reserve(tx, len(fresh)) if fresh else 0
    for offset, record in enumerate(fresh):
        _add(batch, system, record, first + offset)
    batch.returning = returning(tx, system.account, [row for ref, row in batch.known.items() if ref in newest and row.state == "gone"])
    lacking = tuple(ref for ref, record in newest.items() if _lacks(system, batch.known.get(ref), record))
    for ref, row in batch.known.items():
        record = newest.get(ref)
        if record is not None:
            _update(batch, system, row, record, run, now)
    changed = len(batch.changes)
    sight = (now, run)
    gone = sum(_lose(batch, gone, sight) for gone in seen.gone if not _there_since(newest.get(gone.ref), gone))
    unknown = [ref for moved in in_order(seen.moved) if (ref := _move(batch, system, moved, sight)) is not None]
    if batch.bereft:
        batch.rewritten |= {row.id: row for row in heirs(tx, workspace, system.account, batch.bereft, lambda row: _as_left(batch, row))}
    if seen.signals:
        heard = [sighting for sighting in seen.signals if sighting.ref not in left_out]
        unknown += _hear(tx, batch, system, _without_forgotten(tx, workspace, batch, system, heard))
    _store(tx, workspace, batch, run, now)
    presence.follow(tx, workspace, causes(system.name, batch.rewritten.values(), batch.changes), now, run)
    return Absorbed(len(fresh), changed, gone, tuple(unknown), len(left_out), lacking)


def _newest(records: Iterable[Record], system: System) -> dict[Ref, Record]:
    """Each record once, as it was last. Of one that is told part by part, what only an older part said stays."""
    found: dict[Ref, Record] = {}
    for record in records:
        other = found.get(record.ref)
        if other is None or record.stamp >= other.stamp:
            found[record.ref] = record if other is None or system.looks else replace(record, values={**other.values, **record.values})
        elif not system.looks:
            found[record.ref] = replace(other, values={**record.values, **other.values})
    return found


def _lacks(system: System, row: LinkRow | None, record: Record) -> bool:
    """A field that is asked for is absent. Evidence on other objects (a dot in its name) has its own ways of not being there."""
    kind = system.map.kinds.get(record.ref.kind)
    if not system.looks or kind is None or len(record.values) >= len(kind.asks) or (row is not None and record.stamp < row.stamp):
        return False
    return any(native not in record.values and "." not in native for native in kind.asks)


def _there_since(record: Record | None, gone: Gone) -> bool:
    """It was made again, or brought back, after it was gone: both came in one batch."""
    return record is not None and gone.at is not None and record.stamp > gone.at


def _add(batch: _Batch, system: System, record: Record, link: int) -> None:
    values = dict(record.values)
    row = LinkRow(link, system.account, record.ref.kind, record.ref.id, None, "new", record.stamp, values, {}, {}, None, record.author)
    batch.new[record.ref] = row
    kind = system.map.kinds[record.ref.kind]
    batch.keys.extend((key, value, link) for key, value in kind.keys(values))
    if kind.signals:
        batch.told[record.ref] = read_signals(kind.signals, system.name, record.ref, values)


def _update(batch: _Batch, system: System, row: LinkRow, record: Record, run: int, now: int) -> None:
    if record.stamp < row.stamp or row.state == "moved" or record.ref.kind not in system.map.kinds:
        return
    different = {native: [row.seen.get(native), value] for native, value in record.values.items() if row.seen.get(native, _ABSENT) != value}
    restored = row.state == "gone"
    if not different and not restored:
        if record.stamp > row.stamp:
            batch.observed[row.id] = Observed(row.id, record.stamp, row.seen, row.agreed, record.author, row.state)
        return
    seen, values = {**row.seen, **record.values}, record.values
    kind = system.map.kinds[record.ref.kind]
    if kind.signals:
        batch.told[record.ref] = read_signals(kind.signals, system.name, record.ref, seen, different)
        different, values = without(kind.hearsay, different), without(kind.hearsay, values)
        if not different and not restored:
            batch.observed[row.id] = Observed(row.id, record.stamp, seen, row.agreed, record.author, row.state)
            return
    back = {changes.RECORD: [changes.DELETED, changes.THERE]} if restored and row.stamp else {}
    batch.changes.append((row.id, row.person, record.stamp, now, run, record.author, {**back, **different}))
    agreed = {**overlay(row, values), **_found_out(row, kind.stage, different)}
    changed = row._replace(stamp=record.stamp, seen=seen, agreed=agreed, author=record.author, claim=unparked(row.claim))
    new_keys, old_keys = kind.keys(seen), kind.keys(row.seen)
    if new_keys != old_keys:
        batch.rekeyed.append(row.id)
        batch.keys.extend((key, value, row.id) for key, value in new_keys)
    if new_keys != old_keys or renamed(kind, row.seen, seen):
        batch.stirred.add(row.id)
    _place(batch, changed, row.claim, restored=restored, rekeyed=new_keys != old_keys, keyed=bool(new_keys))


def _found_out(row: LinkRow, stage: StageMap | None, different: Mapping[str, Any]) -> dict[str, Native]:
    """Evidence on other objects (a dot in its name) that nobody could read when the person was met: it is news now, as if it had been blank."""
    return {native: None for native in different if "." in native and stage is not None and native in stage.natives and native not in row.seen}


def _place(batch: _Batch, row: LinkRow, claim: dict[str, Any] | None, *, restored: bool, rekeyed: bool, keyed: bool) -> None:
    """Where the changed record stands now: back from the dead it is still owed what changed meanwhile, since it says what it said before and nothing newer,
    unless another one has its place; set aside, it is matched again if its key moved or it has no person.

    `claim`: what was noted before the change. What was refused there may be taken now. `keyed`: it can be matched.
    """
    person = row.person
    if restored:
        notes = {name: note for name, note in (row.claim or {}).items() if name != ERASED} or None
        back = row._replace(state="linked" if row.id in batch.returning else "parked", claim=notes)
        row = back if row.id in batch.returning or (person is not None and not keyed) else back.unmatched
    elif row.state == "parked" and (row.person is None or rekeyed):
        row = row.unmatched
    if person is not None and row.state in ("linked", "parked", "new"):  # a duplicate may tell of an opt-out, and what is asked of it may be moot
        batch.due.add(person)
    if restored or row.state == "new" or row.claim != claim:
        batch.rewritten[row.id] = row
    else:
        batch.observed[row.id] = Observed(row.id, row.stamp, row.seen, row.agreed, row.author, row.state)


def without(hearsay: Collection[str], values: Mapping[str, V]) -> dict[str, V]:
    """What is an edit of the record, and not only told by it."""
    return {native: value for native, value in values.items() if native not in hearsay}


def overlay(row: LinkRow, values: Values) -> dict[str, Native]:
    """The agreed values that now differ from what was seen: a value that came back to what was agreed is no change."""
    agreed = dict(row.agreed)
    for native, value in values.items():
        before = row.seen.get(native, _ABSENT)
        if before is _ABSENT or (before == value and native not in agreed):
            continue
        if native not in agreed:
            agreed[native] = before
        elif agreed[native] == value:
            del agreed[native]
    return agreed


def _lose(batch: _Batch, gone: Gone, sight: tuple[int, int]) -> int:
    row = _current(batch, gone.ref)
    if row is None or row.state in ("gone", "moved"):
        return 0
    notes = {**(row.claim or {}), ERASED: True} if gone.why == "erased" else row.claim
    batch.rewritten[row.id] = row._replace(state="gone", claim=notes)
    batch.changes.append((row.id, row.person, gone.at, *sight, None, {changes.RECORD: [changes.THERE, gone.why]}))
    batch.stirred.add(row.id)
    if row.person is not None and row.state in ("linked", "parked"):  # what is asked of a record beside the person's own is moot
        batch.due.add(row.person)
    if row.person is not None and row.state == "linked" and gone.why != "erased":
        batch.bereft.add(row.person)
    return 1


def _current(batch: _Batch, ref: Ref) -> LinkRow | None:
    """The row as this batch leaves it so far."""
    if ref in batch.new:
        row = batch.new[ref]
        return batch.rewritten.get(row.id, row)
    row = batch.known.get(ref)
    return None if row is None else _as_left(batch, row)


def _as_left(batch: _Batch, row: LinkRow) -> LinkRow:
    if row.id in batch.rewritten:
        return batch.rewritten[row.id]
    seen = batch.observed.get(row.id)
    return row._replace(stamp=seen.stamp, seen=seen.seen, agreed=seen.agreed, author=seen.author) if seen else row


def _move(batch: _Batch, system: System, moved: Moved, sight: tuple[int, int]) -> Ref | None:
    """The link follows its record. `sight`: when (ms) and by which run that was seen. Returns the new ref if nobody has read it yet."""
    old, target = _current(batch, moved.ref), _current(batch, moved.to)
    if old is not None and old.state == "moved":
        old = None
    if target is None:
        if old is not None:
            notes = {**(old.claim or {}), **handed_on(system, moved, old, {})}
            batch.rewritten[old.id] = old._replace(kind=moved.to.kind, ref=moved.to.id, stamp=0, seen={}, agreed={}, carried={}, claim=notes)
            batch.known[moved.to] = batch.rewritten[old.id]
            place = [f"{old.kind} {old.ref}", f"{moved.to.kind} {moved.to.id}", old.seen]
            batch.changes.append((old.id, old.person, None, *sight, None, {changes.RECORD: place}))
        return moved.to
    _retell(batch, system, moved, old)
    person = target.person if target.person is not None else (old.person if old is not None else None)
    if notes := handed_on(system, moved, old, target.claim or {}):
        target = target._replace(claim={**(target.claim or {}), **notes})
        batch.rewritten[target.id] = target
    if old is not None:
        batch.stirred.add(old.id)
        batch.rewritten[old.id] = old._replace(state="moved", person=old.person if old.person is not None else person)
        place = [f"{old.kind} {old.ref}", f"{moved.to.kind} {moved.to.id}"]
        batch.changes.append((old.id, old.person, None, *sight, None, {changes.RECORD: place}))
        batch.followed.append((old.id, moved.to))
        spare = target.state == "parked" and target.person == old.person  # a duplicate that was set aside takes the place of what went into it
        if (target.person is None or spare) and old.person is not None and old.state == "linked":
            batch.rewritten[target.id] = target._replace(person=old.person, state="linked", carried={}, agreed={})
    if person is not None and (old is not None or target.id in batch.rewritten):
        batch.due.add(person)
    if old is not None and old.person is not None and old.person != person:
        if old.state != "parked" or (old.claim or {}).get("collided"):  # one that was only set aside beside somebody is no longer there, and nothing else
            batch.rewritten[old.id] = old._replace(state="parked", claim={**(old.claim or {}), "collided": target.id})
        batch.due.add(old.person)
    return None


def _retell(batch: _Batch, system: System, moved: Moved, old: LinkRow | None) -> None:
    """What the old record told is not told again by the one that it went into; what only its last state tells, the new one tells in its name."""
    there, here = system.map.kinds.get(moved.to.kind), system.map.kinds.get(moved.ref.kind)
    if old is not None and there is not None and moved.to in batch.told:
        known = {signal.key for signal in read_signals(there.signals, system.name, moved.to, old.seen)}
        batch.told[moved.to] = [signal for signal in batch.told[moved.to] if signal.key not in known]
    if moved.record is not None and moved.why == "converted" and here is not None and here.signals:
        batch.told.setdefault(moved.to, []).extend(read_signals(here.signals, system.name, moved.ref, moved.record.values))


def _hear(tx: Tx, batch: _Batch, system: System, sightings: Sequence[Sighting]) -> list[Ref]:
    """Events that stand in rows of their own. A record that nobody has read yet gets a row, as one that is not there, to keep them; its ref is returned.

    Where such an event names a match key too, it waits for whoever has that instead.
    """
    rows: dict[Ref, LinkRow | None] = {}
    for sighting in sightings:
        ref = sighting.ref
        if ref is not None and ref not in rows:
            rows[ref] = _current(batch, ref)
        if sighting.key is not None and (ref is None or rows[ref] is None):
            if (value := key_value(*sighting.key)) is not None:
                batch.told_of.append((f"{sighting.key[0]}:{value}", sighting.signal))
        elif ref is not None and ref.kind in system.map.kinds:
            batch.told.setdefault(ref, []).append(sighting.signal)
    strangers = [ref for ref, row in rows.items() if row is None and ref in batch.told]
    first = links.reserve(tx, len(strangers)) if strangers else 0
    for offset, ref in enumerate(strangers):
        batch.new[ref] = LinkRow(first + offset, system.account, ref.kind, ref.id, None, "gone", 0, {}, {}, {}, None, None)
    return [ref for ref, row in rows.items() if ref in batch.told and (row is None or (row.state == "gone" and row.stamp == 0))]


def _without_forgotten(tx: Tx, workspace: int, batch: _Batch, system: System, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
    """Without what is told of people who were forgotten: under an id or a key by which they are known again."""
    if not forgotten.any_of(tx, workspace):
        return sightings
    marks: list[set[Mark]] = []
    for sighting in sightings:
        theirs = {forgotten.mark_of(system.account, sighting.ref)} if sighting.ref is not None and _current(batch, sighting.ref) is None else set[Mark]()
        if sighting.key is not None and (value := key_value(*sighting.key)) is not None:
            theirs.add((sighting.key[0], value))
        marks.append(theirs)
    known = forgotten.covered(tx, workspace, set[Mark]().union(*marks))
    return [sighting for sighting, theirs in zip(sightings, marks, strict=True) if known.isdisjoint(theirs)]


def _store(tx: Tx, workspace: int, batch: _Batch, run: int, now: int) -> None:
    told = [NewSignal(row.person, row.id, None, signal) for ref, found in batch.told.items() if (row := _current(batch, ref)) for signal in found]
    told += [NewSignal(None, None, who, signal) for who, signal in batch.told_of]
    followed = [(link, row.id, row.person) for link, ref in batch.followed if (row := _current(batch, ref))]
    rewritten = batch.rewritten
    if batch.new:
        links.insert(tx, workspace, [rewritten.pop(row.id, row) for row in batch.new.values()])
    if rewritten:
        links.rewrite(tx, list(rewritten.values()))
    observed: Sequence[Observed] = [row for link, row in batch.observed.items() if link not in rewritten]
    if observed:
        links.observed(tx, observed)
    stir(tx, workspace, batch.stirred, now)
    if batch.rekeyed:
        again = set(batch.rekeyed)
        keys.replace(tx, workspace, batch.rekeyed, [row for row in batch.keys if row[2] in again])
        keys.insert(tx, workspace, [row for row in batch.keys if row[2] not in again])
    elif batch.keys:
        keys.insert(tx, workspace, batch.keys)
    if batch.changes:
        changes.insert(tx, workspace, batch.changes)
    signals.follow(tx, followed)
    batch.due.update(signals.add(tx, workspace, told, now, run))
    if batch.due:
        people.mark_due(tx, workspace, sorted(batch.due), now)
