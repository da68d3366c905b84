"""Signals that somebody reports from outside the systems: a product, a webhook, a file.

They are kept at once, beside any run; the next run gives them to their people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...model.records import Ref, Signal
from ...state import forgotten, keys, links, people, signals
from ...state.links import LinkRow
from ...state.signals import NewSignal
from ...state.store import Tx


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a report is about, in one of three ways. `person`: our number. `record`: system, kind (where it is told) and id. `key`: match key and its value,
    in the form of `mapping.keys.key_value`."""

    person: int | None = None
    record: tuple[str, str | None, str] | None = None
    key: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One event, and whom it is about."""

    signal: Signal
    about: Named


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of some reports. `known`: told before. `nobodys`: those of the new ones that wait for somebody whom we do not know yet.

    `forgotten`: about people who were forgotten, of which nothing was kept.
    """

    new: int
    known: int
    nobodys: int
    forgotten: int = 0


class Nobody(ValueError):
    """Some reports are about somebody who cannot be: `found` says which (by their place) and why."""

    def __init__(self, found: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(why for _, why in found))
        self.found = found


@dataclass(frozen=True, slots=True)
class Reach:
    """One system that was read before: its account number, and its kinds of record."""

    account: int
    kinds: tuple[str, ...]


def keep(tx: Tx, workspace: int, systems: Mapping[str, Reach], reports: Sequence[Report], now: int) -> Kept:
    """Keep all of them, each once, however often it is told. Raises `Nobody` before anything is written where one names a person or record that cannot be.

    They are given to people by the next run, which also looks at these people again: a run under way decides by what it has read.
    """
    told = len(reports)
    places = _not_forgotten(tx, workspace, systems, reports)
    reports = [reports[place] for place in places]
    try:
        found = _Found(tx, workspace, systems, reports)
    except Nobody as error:
        raise Nobody([(places[place], why) for place, why in error.found]) from None
    before = signals.known(tx, workspace, {(each.signal.source, each.signal.key) for each in reports})
    fresh: dict[tuple[str, str], Report] = {}
    for each in reports:
        name = (each.signal.source, each.signal.key)
        if name not in before:
            fresh.setdefault(name, each)
    rows = [found.row(each) for each in fresh.values()]
    links.insert(tx, workspace, found.strangers)
    signals.add(tx, workspace, rows, now, None)
    people.mark_due(tx, workspace, sorted({row.person for row in rows if row.person is not None}), now)
    nobodys = sum(1 for row in rows if row.person is None and row.link not in found.owned)
    return Kept(len(rows), len(reports) - len(rows), nobodys, told - len(reports))


def _not_forgotten(tx: Tx, workspace: int, systems: Mapping[str, Reach], reports: Sequence[Report]) -> Sequence[int]:
    """The places of the reports that may be kept."""
    if not forgotten.any_of(tx, workspace):
        return range(len(reports))
    marks = [_mark(systems, each.about) for each in reports]
    known = forgotten.covered(tx, workspace, {mark for mark in marks if mark is not None})
    return [place for place, mark in enumerate(marks) if mark not in known]


def _mark(systems: Mapping[str, Reach], about: Named) -> forgotten.Mark | None:
    if about.record is None or about.record[0] not in systems:
        return about.key
    system, kind, id_ = about.record
    return forgotten.mark_of(systems[system].account, Ref(kind or systems[system].kinds[0], id_))


class _Found:
    """What is known of everybody who is named, looked up at once."""

    def __init__(self, tx: Tx, workspace: int, systems: Mapping[str, Reach], reports: Sequence[Report]) -> None:
        self._tx, self._systems = tx, systems
        self._people = _of_people(tx, {each.about.person for each in reports if each.about.person is not None})
        self._keys = _of_keys(tx, workspace, {each.about.key for each in reports if each.about.key is not None})
        self._records = _of_records(tx, workspace, systems, {each.about.record for each in reports if each.about.record is not None})
        self.strangers: list[LinkRow] = []
        problems = [(place, why) for place, each in enumerate(reports) if (why := self._wrong(each.about)) is not None]
        if problems:
            raise Nobody(problems)
        self.owned = {row.id for row in (*self._people.values(), *self._keys.values(), *self._records.values()) if row is not None and row.person is not None}

    def _wrong(self, about: Named) -> str | None:
        if about.person is not None and about.person not in self._people:
            return f"there is no person p{about.person}"
        if about.record is None or about.record in self._records:
            return None
        system, kind, _ = about.record
        if system not in self._systems:
            return f"{system} was not read yet: run `stagesync sync` first, or name the person by e-mail address"
        kinds = self._systems[system].kinds
        if kind is None and len(kinds) > 1:
            return f"nobody has read that record of {system} yet: say which kind it is, as in {kinds[0]}/ID"
        return f"{system} has no kind {kind!r}: {' or '.join(kinds)}" if kind is not None and kind not in kinds else None

    def row(self, report: Report) -> NewSignal:
        """The report with what is known of whom it is about. A record that nobody has read yet gets a row, as one that is not there."""
        about = report.about
        if about.person is not None:
            row = self._people[about.person]
            return NewSignal(about.person if row is None else None, None if row is None else row.id, None, report.signal)
        if about.key is not None:
            row = self._keys.get(about.key)
            return NewSignal(None, None if row is None else row.id, ":".join(about.key), report.signal)
        assert about.record is not None  # one of the three is given
        row = self._records.get(about.record) or self._stranger(*about.record)
        return NewSignal(None, row.id, None, report.signal)

    def _stranger(self, system: str, kind: str | None, id_: str) -> LinkRow:
        reach = self._systems[system]
        named = (system, kind or reach.kinds[0], id_)
        if named not in self._records:
            self._records[named] = LinkRow(links.reserve(self._tx, 1), reach.account, named[1], id_, None, "gone", 0, {}, {}, {}, None, None)
            self.strangers.append(self._records[named])
        return self._records[named]


def _of_people(tx: Tx, numbers: Iterable[int]) -> dict[int, LinkRow | None]:
    """Person -> one of their records, those that are there first."""
    wanted = sorted(numbers)
    rows = links.of_people(tx, wanted)
    return {number: min(rows.get(number, ()), key=lambda row: row.state != "linked", default=None) for number in people.by_ids(tx, wanted)}


def _of_keys(tx: Tx, workspace: int, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], LinkRow]:
    """Match key -> a record of the only person who has it."""
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in wanted:
        values[key].append(value)
    found: dict[tuple[str, str], LinkRow] = {}
    for key, listed in values.items():
        pairs = keys.find(tx, workspace, key, listed)
        rows = links.by_ids(tx, {link for _, link in pairs})
        owners: dict[str, dict[int, LinkRow]] = defaultdict(dict)
        for value, link in pairs:
            row = rows[link]
            if row.person is not None and row.state == "linked":
                owners[value].setdefault(row.person, row)
        found.update({(key, value): next(iter(each.values())) for value, each in owners.items() if len(each) == 1})
    return found


def _of_records(
    tx: Tx, workspace: int, systems: Mapping[str, Reach], wanted: Iterable[tuple[str, str | None, str]]
) -> dict[tuple[str, str | None, str], LinkRow]:
    """Record, as it was named -> its row."""
    listed = [each for each in wanted if each[0] in systems]
    found: dict[tuple[str, str | None, str], LinkRow] = {}
    for name in {system for system, _, _ in listed}:
        reach = systems[name]
        asked = {(system, kind, id_): [Ref(each, id_) for each in ((kind,) if kind else reach.kinds)] for system, kind, id_ in listed if system == name}
        rows = links.by_refs(tx, workspace, reach.account, {ref for refs in asked.values() for ref in refs})
        for named, refs in asked.items():
            there = [rows[ref] for ref in refs if ref in rows]
            if there:
                found[named] = there[0]
    return found
