"""Proves that the systems agree: reads all of them now and compares every linked record with the hub. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from ...mapping.fields import Field, Silent, Unmappable
from ...mapping.maps import FieldMap
from ...model.companies import FIELD as COMPANY
from ...model.companies import NONE_FOUND, SEVERAL_FOUND
from ...model.records import Present, Query, Record, Ref
from ...state import actions, links, people
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.people import PersonRow
from ..deciding.claims import STAGE
from ..deciding.merge import same_value
from ..people.explain import stage_words
from ..people.forget import Arrived, forgotten_among
from ..session import Connected, Session

SHOWN = 200
"""So many drifted and orphaned records are kept with their details; all are counted."""
MIN_DIGITS = 6
"""A national telephone number has at least so many digits."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One record that differs from the hub. `fields`: (name, what the record says, what the hub says, whether the system refused the hub's value)."""

    person: int
    system: str
    kind: str
    ref: str
    fields: tuple[tuple[str, Any, Any, bool], ...]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A record that belongs to nobody, or a link without its record."""

    system: str
    kind: str
    ref: str
    why: str


@dataclass(slots=True)
class Verification:
    """What was found. Counts are records.

    `in_sync`: every mapped field agrees. `drifted`: at least one does not, and nothing holds it. `held`: differs, and a question is open.
    `frozen`: differs, and is excluded by the configuration. `orphans`: a link whose record is not there, or a record that belongs to nobody.
    `ambiguous`: set aside, since nobody can tell whose they are; `duplicates`: a second record of a linked person in the same system, left alone.
    `forgotten`: records of people who were forgotten, at which nobody looks.
    `unprovable`: fields that a system cannot carry, by system and field. `rules`: field -> what sets it, where no system does.
    `unseen`: systems that cannot be looked at, of which nothing can be proved. `read`: system -> records that it has now, those of forgotten people left out.
    `differing`: (system, field) -> records that differ there, and are not held. `unlinked`: (system, our code) -> records without a link to a company's
    record, since there is none of that company, or nobody can tell which of several it is.
    `unread`: (system, what it did not tell although it was asked).
    """

    in_sync: int = 0
    drifted: int = 0
    held: int = 0
    frozen: int = 0
    orphans: int = 0
    ambiguous: int = 0
    duplicates: int = 0
    forgotten: int = 0
    unprovable: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    drifts: list[Drift] = field(default_factory=list[Drift])
    lost: list[Orphan] = field(default_factory=list[Orphan])
    rules: dict[str, str] = field(default_factory=dict[str, str])
    unseen: list[str] = field(default_factory=list[str])
    read: Counter[str] = field(default_factory=Counter[str])
    differing: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    unread: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    unlinked: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    @property
    def proved(self) -> bool:
        """All linked records agree, but for open questions."""
        return self.drifted == 0 and self.orphans == 0

    def orphan(self, system: str, ref: Ref, why: str) -> None:
        """Count one more."""
        self.orphans += 1
        if len(self.lost) < SHOWN:
            self.lost.append(Orphan(system, ref.kind, ref.id, why))


class _Open(NamedTuple):
    """What is asked: (person, field), and the records of which it is asked whose they are."""

    fields: frozenset[tuple[int | None, str | None]]
    records: frozenset[int]

    @classmethod
    def of(cls, holds: Iterable[ActionRow]) -> _Open:
        """From the open questions."""
        found = list(holds)
        return cls(frozenset((hold.person, hold.field) for hold in found), frozenset(link for hold in found for link in hold.payload.get("park", ())))


class _Seen:
    """The links that were seen, a byte each: a set of a million numbers takes a hundred times as much."""

    def __init__(self) -> None:
        self._marks = bytearray()
        self.number = 0

    def add(self, link: int) -> bool:
        """Whether it is new."""
        if link in self:
            return False
        self._marks.extend(bytes(max(0, link + 1 - len(self._marks))))
        self._marks[link] = 1
        self.number += 1
        return True

    def __contains__(self, link: int) -> bool:
        return link < len(self._marks) and bool(self._marks[link])


def verify(session: Session) -> Verification:
    """Compare all systems with the hub, a page at a time. Raises what the connectors raise."""
    found = Verification(rules={each.name: each.fill.sentence for each in session.desk.maps.filled if each.fill is not None})
    with session.store.read() as tx:
        held = _Open.of(actions.each_hold(tx, session.workspace))
    for connected in session.systems.values():
        if connected.system.looks:
            _verify_system(session, connected, held, found)
        else:
            found.unseen.append(connected.name)
    return found


def verify_people(session: Session, persons: Collection[int]) -> Verification:
    """Read the linked records of these people now and compare them with the hub. A record that is gone, or cannot be read, is an orphan."""
    found = Verification()
    with session.store.read() as tx:
        held = _Open.of(hold for holds in actions.holds_of_people(tx, session.workspace, persons).values() for hold in holds)
        known = people.by_ids(tx, persons)
        rows = [row for theirs in links.of_people(tx, persons).values() for row in theirs if row.state == "linked"]
    for account, connected in session.systems.items():
        theirs = [row for row in rows if row.account == account and connected.system.looks]
        for row, answer in zip(theirs, connected.connector.fetch([row.address for row in theirs], session.asks(account)) if theirs else (), strict=True):
            if isinstance(answer, Present):
                _compare(session, connected, answer.record, row, known.get(row.person or 0), held, found)
            else:
                found.orphan(connected.name, row.address, "written, but not there any more")
    return found


def _verify_system(session: Session, connected: Connected, held: _Open, found: Verification) -> None:
    account = connected.system.account
    seen = _Seen()
    strangers: set[Ref] = set()
    for page in connected.connector.pull(Query(session.asks(account))):
        found.unread.extend((connected.name, finding) for finding in page.findings)
        for note in page.notes:
            session.tell(f"{connected.name}: {note}")
        with session.store.read() as tx:
            rows = links.by_refs(tx, session.workspace, account, [record.ref for record in page.records])
            persons = people.by_ids(tx, [row.person for row in rows.values() if row.person is not None])
            left_alone = forgotten_among(tx, session.workspace, account, connected.system.map, (Arrived(each, rows.get(each.ref)) for each in page.records))
        for record in page.records:
            row = rows.get(record.ref)
            if row is None:
                if record.ref in strangers:
                    continue
                strangers.add(record.ref)
                if record.ref in left_alone:
                    found.forgotten += 1
                else:
                    found.read[connected.name] += 1
                    found.orphan(connected.name, record.ref, "a record that no run has read yet")
            elif seen.add(row.id):
                found.read[connected.name] += 1
                _compare(session, connected, record, row, persons.get(row.person or 0), held, found)
        session.progress(f"{connected.name}: comparing", seen.number)
    for row in chain.from_iterable(links.pages(session.store, session.workspace, account, 2_000)):
        if row.state == "linked" and row.id not in seen:
            found.orphan(connected.name, row.address, "linked, but no longer there")


def _compare(
    session: Session,
    connected: Connected,
    record: Record,
    row: LinkRow,
    person: PersonRow | None,
    held: _Open,
    found: Verification,
) -> None:
    if row.state == "parked":
        if row.person is None or row.id in held.records:
            found.ambiguous += 1
        else:
            found.duplicates += 1
        return
    if person is None or row.state != "linked":
        found.orphan(connected.name, record.ref, "read, but not matched with a person yet" if row.state == "new" else "there again, after it was gone")
        return
    different = list(_differences(session, connected, record, row, person, found))
    code = (row.claim or {}).get("parked", {}).get(COMPANY, {}).get("code")
    if code in (NONE_FOUND, SEVERAL_FOUND) and any(name == COMPANY for name, _, _ in different):
        different = [each for each in different if each[0] != COMPANY]
        found.unlinked[(connected.name, code)] += 1
    open_ones = [name for name, _, _ in different if (person.id, name) in held.fields]
    if not different:
        found.in_sync += 1
    elif _excluded(connected, person):
        found.frozen += 1
    elif len(open_ones) == len(different):
        found.held += 1
    else:
        found.drifted += 1
        found.differing.update((connected.name, name) for name, _, _ in different if name not in open_ones)
        if len(found.drifts) < SHOWN:
            refused = (row.claim or {}).get("parked", {})
            fields = tuple((name, theirs, ours, name in refused) for name, theirs, ours in different if name not in open_ones)
            found.drifts.append(Drift(person.id, connected.name, record.ref.kind, record.ref.id, fields))


def _excluded(connected: Connected, person: PersonRow) -> bool:
    """Frozen: left alone until it is included again."""
    return connected.system.map.include(person.values, person.stage) is not None


def _differences(
    session: Session, connected: Connected, record: Record, row: LinkRow, person: PersonRow, found: Verification
) -> Iterator[tuple[str, Any, Any]]:
    kind, writes = connected.system.map.kinds[record.ref.kind], connected.system.writes
    for name, field_map in kind.fields.items():
        mapped = session.desk.maps.fields[name]
        if mapped.policy.kind == "never" or field_map.native not in record.values:
            continue
        if mapped.fill is not None and name not in person.canonical:
            continue  # the lifecycle knows nothing yet, so what stands there is left alone
        if not connected.system.reads and name not in person.canonical:
            continue  # nobody has told a value that it could be owed, and its own counts for nothing
        entry: Sequence[Any] = person.canonical.get(name) or (None, 0)
        value = _read(field_map, record)
        told = value is not _UNREADABLE and value is not _SILENT
        if (value is _SILENT and entry[0] is None) or (told and (_same(mapped, value, entry[0]) or _stored_as(field_map, entry[0], value, record))):
            continue
        if entry[0] is None and field_map.native in kind.create_fallback and record.values[field_map.native] == kind.create_fallback[field_map.native]:
            continue  # given in the place of a value that the system demands and nobody has
        if mapped.policy.kind == "company" and told and value is not None:
            continue  # linked: to which company is for somebody to say
        lost = name in kind.belongs and record.values.get(kind.fields[kind.belongs[name]].native) is None  # what belongs to an address, without one
        settles = field_map.writable and not _silent_there(field_map, entry[0]) if writes else _edited(record, row, field_map.native)
        able = told and settles and not lost
        if not able or (mapped.policy.kind == "fill" and value is not None):
            found.unprovable[(connected.name, name)] += 1
            continue
        yield name, value, entry[0]
    if kind.stage is not None and person.stage_version:
        owed = kind.stage.write(person.stage, person.side, person.reason, record.values)
        if owed is None or (owed and not writes and not any(_edited(record, row, native) for native in kind.stage.evidence)):
            found.unprovable[(connected.name, STAGE)] += 1
        elif owed and kind.stage.unmapped(record.values) is None:
            yield STAGE, ", ".join(f"{native}={record.values.get(native)}" for native in owed), stage_words(person)


def _edited(record: Record, row: LinkRow, native: str) -> bool:
    """Somebody changed it since it was last agreed: a system that is only read is owed nothing, and its own edits are all that a sync would settle."""
    return record.values.get(native) != row.agreed.get(native, row.seen.get(native))


_UNREADABLE: Any = object()
_SILENT: Any = object()


def _read(field_map: FieldMap, record: Record) -> Any:
    native = record.values[field_map.native]
    try:
        return field_map.read(native, record.values) if native is not None else None
    except Silent:
        return _SILENT
    except Unmappable:
        return _UNREADABLE


def _same(mapped: Field, value: Any, ours: Any) -> bool:
    return same_value(mapped, value, ours) or (mapped.type == "phone" and _same_number(value, ours))


def _same_number(value: Any, ours: Any) -> bool:
    """One number, once written nationally in a record whose country nobody can read (any more), once internationally."""
    one, other = (str(number or "") for number in (value, ours))
    if other.startswith("+"):
        one, other = other, one
    national = "".join(sign for sign in other if sign.isdigit()).lstrip("0")
    return one.startswith("+") and not other.startswith("+") and len(national) >= MIN_DIGITS and one.endswith(national)


def _stored_as(field_map: FieldMap, value: Any, theirs: Any, record: Record) -> bool:
    """The system holds the hub's value in the form in which it stores it (shortened, to the second, or false for blank), however it spells that."""
    try:
        native = field_map.write(value)
        stored = field_map.read(native, record.values) if native is not None else None
    except Unmappable:
        return False
    if stored is not None and stored == theirs:
        return True
    return native == record.values[field_map.native] or (field_map.blank_is_false and not native and not record.values[field_map.native])


def _silent_there(field_map: FieldMap, value: Any) -> bool:
    """The system has nothing by which to say the hub's value (an owner whom it does not know)."""
    try:
        field_map.write(value)
    except Silent:
        return True
    except Unmappable:
        pass
    return False
