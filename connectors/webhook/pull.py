"""Reads the inbox on from a cursor: parts of records, what is gone, signals; what comes late takes nothing back that was told since.

A system tells a part of a record at a time, and not always in the order in which it happened. So the inbox keeps for each record when what was told of each
field last had happened, and an older word about the same field is passed over. A record's stamp is the newest of these times. What it never told is blank.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...model.events import Told
from ...model.ports import Inbox
from ...model.records import Gone, Native, Page, Query, Record, Ref, Sighting
from .events import KIND, Meaning, Part, Poison, Reader

AT_ONCE = 1_000
_GONE = "*"
"""Stands among a record's fields for the record itself: when it was deleted."""


Names = Callable[[Collection[str]], Mapping[str, str]]
"""The sender's ids -> ours, of the records that we told it of and that it called otherwise."""


def pull(inbox: Inbox, system: str, reader: Reader, query: Query, now: int, names: Names) -> Iterator[Page]:
    """Everything after the cursor. Raises `StateError`."""
    mark = inbox.mark() or ""
    after = heard(query.cursor, mark)
    if after:
        inbox.finish(system, after, now)
    asked = frozenset(query.fields.get(KIND, ()))
    while told := inbox.take(system, after, AT_ONCE):
        after = told[-1].id
        meanings, parked = _understood(reader, told)
        _rename(meanings, names)
        yield _page(inbox, system, meanings, parked, asked, query, f"{mark}:{after}", now)
    yield Page((), f"{mark}:{after}", now)


def heard(cursor: str | None, mark: str) -> int:
    """The number up to which all was read. A cursor into another inbox says nothing about this one."""
    of, _, number = (cursor or "").partition(":")
    return int(number) if of == mark and number.isdecimal() else 0


@dataclass(slots=True)
class _Fold:
    """What some events come to together. `times`: of every record that they name, as they are now."""

    times: dict[str, dict[str, int]]
    values: dict[Ref, dict[str, Native]] = field(default_factory=dict[Ref, dict[str, Native]])
    gone: dict[Ref, Gone] = field(default_factory=dict[Ref, Gone])
    signals: list[Sighting] = field(default_factory=list[Sighting])

    def add(self, meaning: Meaning) -> None:
        for part in meaning.parts:
            self._tell(part)
        for gone in meaning.gone:
            self._lose(gone)
        self.signals.extend(meaning.signals)

    def _tell(self, part: Part) -> None:
        times = self.times.setdefault(part.ref.id, {})
        if part.at < times.get(_GONE, 0):
            return  # told before it was deleted
        fresh = {native: value for native, value in part.values.items() if part.at >= times.get(native, 0)}
        self.values.setdefault(part.ref, {}).update(fresh)
        times.update(dict.fromkeys(fresh, part.at))
        self.gone.pop(part.ref, None)

    def _lose(self, gone: Gone) -> None:
        times, at = self.times.setdefault(gone.ref.id, {}), gone.at or 0
        if any(told > at for told in times.values()):
            return  # it was there again since
        self.times[gone.ref.id] = {_GONE: at}
        self.values.pop(gone.ref, None)
        self.gone[gone.ref] = gone


def _rename(meanings: Sequence[Meaning], names: Names) -> None:
    """Records that we made are known by the ids that we gave them."""
    told = [each.ref.id for meaning in meanings for each in (*meaning.parts, *meaning.gone, *meaning.signals) if each.ref is not None]
    ours = names(set(told)) if told else {}
    for meaning in meanings if ours else ():
        meaning.parts = [replace(part, ref=Ref(KIND, ours.get(part.ref.id, part.ref.id))) for part in meaning.parts]
        meaning.gone = [replace(gone, ref=Ref(KIND, ours.get(gone.ref.id, gone.ref.id))) for gone in meaning.gone]
        meaning.signals = [each if each.ref is None else replace(each, ref=Ref(KIND, ours.get(each.ref.id, each.ref.id))) for each in meaning.signals]


def _page(
    inbox: Inbox, system: str, meanings: Sequence[Meaning], parked: Mapping[int, str], asked: frozenset[str], query: Query, cursor: str, now: int
) -> Page:
    refs = {each.ref.id for meaning in meanings for each in (*meaning.parts, *meaning.gone)}
    fold = _Fold({ref: dict(times) for ref, times in inbox.times(system, refs).items()} if refs else {})
    for meaning in meanings:
        fold.add(meaning)
    if refs or parked:
        inbox.note(system, fold.times, parked)
    records = [_record(ref, values, fold.times[ref.id], asked) for ref, values in fold.values.items()]
    return Page(records, cursor, now, tuple(fold.gone.values()), signals=fold.signals if query.signals else ())


def _record(ref: Ref, values: Mapping[str, Native], times: Mapping[str, int], asked: frozenset[str]) -> Record:
    """What was told; a field of which nothing was ever told is blank, so that the first word about it is news."""
    unsaid = dict.fromkeys(asked - times.keys())
    return Record(ref, max(times.values(), default=0), {**unsaid, **{native: value for native, value in values.items() if native in asked}})


def _understood(reader: Reader, told: Sequence[Told]) -> tuple[list[Meaning], Mapping[int, str]]:
    """What the events mean, and the codes of those that mean nothing."""
    meanings: list[Meaning] = []
    parked: dict[int, str] = {}
    for each in told:
        try:
            meanings.append(reader.read(each))
        except Poison as error:
            parked[each.id] = error.code
    return meanings, parked
