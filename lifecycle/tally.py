"""Counting the ledger: one walk over the stays of everybody, person by person, into counts by place. Pure; memory grows with places, hardly with people.

Times are the vendor's where it told them, and otherwise those at which we observed. Nothing happened before what it followed: a time that says so gives way.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Literal, TypeAlias

from ..model.stays import StayKind, When
from .funnel import Funnel
from .units import Unit, units_of

Group: TypeAlias = str | None
"""What a report is by: a source, an owner, a month. None where it is by nothing, or nothing is known."""
Row: TypeAlias = tuple[int, int, int, str | None]
"""The fields of a `Stay`."""

_DAY_MS = 86_400_000
_ORDER: tuple[When, ...] = ("before", "in", "after")


@dataclass(frozen=True, slots=True)
class Frame:
    """What is counted: everything that happened in `[since, until)` (ms). `by`: the month (UTC) in which a pass began, or the stays' own groups."""

    funnel: Funnel
    since: int
    until: int
    by: Literal["cohort", "group"] | None = None


def _numbers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Fate:
    """Passes that entered a unit in the period, and what became of them: gone on, rejected, sent back, otherwise beside the line; all others stand in it.

    `observed`: of those who entered, whose time is the observed one. `times`: how long (ms) it took those who went on in the period, from first entering
    the unit in their pass to first standing further; `times_observed`: of these, with an observed time at either end.
    """

    entered: int = 0
    observed: int = 0
    on: int = 0
    rejected: int = 0
    recycled: int = 0
    beside: int = 0
    times: array[int] = field(default_factory=_numbers)
    times_observed: int = 0


@dataclass(slots=True)
class Passes:
    """Passes that began in the period (`again`: somebody's second or later); those in the line at any time in it, and of these those rejected or sent back."""

    begun: int = 0
    again: int = 0
    worked: int = 0
    rejected: int = 0
    recycled: int = 0


@dataclass(slots=True)
class Section:
    """What was counted of one group. `stays`: by kind. `kept`: stays by kind that began in the place of the one before, so that nobody moved.

    `came`: place -> since when the people are there who are there at the end. `fates`: by unit.
    """

    stays: Counter[StayKind] = field(default_factory=Counter[StayKind])
    kept: Counter[StayKind] = field(default_factory=Counter[StayKind])
    came: defaultdict[str | None, array[int]] = field(default_factory=lambda: defaultdict(_numbers))
    fates: defaultdict[str, Fate] = field(default_factory=lambda: defaultdict(Fate))
    passes: Passes = field(default_factory=Passes)


@dataclass(slots=True)
class Tally:
    """All that was counted. `people`: (the first stay, when the last one ended) -> how many, so that the places can be held against it.

    `regrouped`: like a section's `kept`, but in another group: for the groups they moved, as a whole they did not.
    """

    sections: dict[Group, Section] = field(default_factory=lambda: defaultdict(Section))
    regrouped: Counter[StayKind] = field(default_factory=Counter[StayKind])
    people: Counter[tuple[StayKind, When]] = field(default_factory=Counter[tuple[StayKind, When]])


def tally(frame: Frame, stays: Iterable[Row], kind_of: Callable[[int], StayKind]) -> Tally:
    """Count the ledger. `stays`: a person's stand together, in the order in which they came. `kind_of`: what the number of a kind stands for."""
    walk = _Walk(frame, kind_of)
    for _, rows in groupby(stays, key=itemgetter(0)):
        walk.person(list(rows))
    return walk.found


@dataclass(frozen=True, slots=True, eq=False)
class _Fact:
    """A kind of stay as the walk needs it. `position` is -1 where it is not in the line. Whether it begins in the period, reaches into it, lasts at its end."""

    kind: StayKind
    pass_no: int
    place: str | None
    observed: bool
    position: int
    units: tuple[Unit, ...]
    began: When
    ended: When
    begins: bool
    reaches: bool
    lasts: bool


@dataclass(slots=True)
class _Open:
    """A unit that a pass has entered: first so (`gone`: and has been further since), and in the period so (`on`: and has been further since)."""

    top: int
    start: int
    observed: bool
    first: Fate
    gone: bool = False
    counted: Fate | None = None
    on: bool = False


class _Walk:
    """One walk, written for millions of stays: few objects, so that they stay near."""

    def __init__(self, frame: Frame, kind_of: Callable[[int], StayKind]) -> None:
        self.found = Tally()
        self._frame, self._by, self._funnel = frame, frame.by, frame.funnel
        units = units_of(frame.funnel)
        self._line = {stage.id: (stage.position, tuple(unit for unit in units if stage.id in unit.stages)) for stage in frame.funnel.stages.values()}
        self._fact_of = lru_cache(maxsize=None)(lambda number: self._fact(kind_of(number)))

    def person(self, rows: list[Row]) -> None:
        """Count one person's stays."""
        facts = [self._fact_of(row[1]) for row in rows]
        starts = [row[2] for row in rows]
        if len(rows) > 1 and (starts != sorted(starts) or any([one.ended != other.began for one, other in pairwise(facts)])):  # noqa: C419 - twice as quick
            starts = list(accumulate(starts, max))
            facts = self._straightened(facts, starts)
        self.found.people[facts[0].kind, facts[-1].ended] += 1
        if facts[0].pass_no == facts[-1].pass_no:
            self._pass(facts, starts, rows)
            return
        for _, same in groupby(range(len(facts)), key=lambda row: facts[row].pass_no):
            mine = list(same)
            begin, end = mine[0], mine[-1] + 1
            self._pass(facts[begin:end], starts[begin:end], rows[begin:end])

    def _pass(self, facts: list[_Fact], starts: list[int], rows: list[Row]) -> None:
        """Count one pass: its stays by place, and the units that it enters and leaves behind."""
        by, sections = self._by, self.found.sections
        section = begun = sections[None if by is None else rows[0][3] if by == "group" else _month(starts[0] // _DAY_MS)]
        if len(facts) == 1:
            self._alone(section, facts[0], starts[0])
            return
        opened: dict[Unit, _Open] = {}
        before = None
        came = starts[0]
        for fact, start, row in zip(facts, starts, rows, strict=True):
            kept = section.kept
            if by == "group" and sections[row[3]] is not section:
                section, kept = sections[row[3]], self.found.regrouped
            section.stays[fact.kind] += 1
            if before is None or before.place != fact.place:
                came = start
            else:
                kept[fact.kind] += 1
            if fact.lasts:
                section.came[fact.place].append(came)
            if fact.position >= 0:
                self._enter(opened, section, before, fact, start)
            before = fact
        self._end(opened, begun.passes, facts)

    def _alone(self, section: Section, fact: _Fact, start: int) -> None:
        """A pass of one stay, as most are."""
        section.stays[fact.kind] += 1
        if fact.lasts:
            section.came[fact.place].append(start)
        if fact.begins:
            for unit in fact.units:
                fate = section.fates[unit.id]
                fate.entered += 1
                fate.observed += fact.observed
        self._end({}, section.passes, [fact])

    def _enter(self, opened: dict[Unit, _Open], section: Section, before: _Fact | None, fact: _Fact, start: int) -> None:
        """Somebody stands in the line: perhaps further than in units that they entered before, and perhaps in new ones."""
        for entry in opened.values():
            if fact.position > entry.top:
                if not entry.gone:
                    entry.gone = True
                    if fact.begins:
                        entry.first.times.append(start - entry.start)
                        entry.first.times_observed += entry.observed or fact.observed
                if entry.counted is not None and not entry.on:
                    entry.on = True
                    entry.counted.on += 1
        for unit in fact.units:
            entry = opened.get(unit)
            if entry is None:
                entry = opened[unit] = _Open(unit.top, start, fact.observed, section.fates[unit.id])
            if fact.begins and entry.counted is None and (before is None or unit not in before.units):
                entry.counted = fate = section.fates[unit.id]
                fate.entered += 1
                fate.observed += fact.observed

    def _end(self, opened: dict[Unit, _Open], passes: Passes, facts: list[_Fact]) -> None:
        """This is how far the pass came."""
        if facts[0].begins:
            passes.begun += 1
            passes.again += facts[0].pass_no > 1
        passes.worked += any(fact.reaches for fact in facts)
        if len(facts) > 1:
            sides = {after.place for before, after in pairwise(facts) if after.begins and after.kind.beside and before.position >= 0}
            if sides:
                passes.rejected += not self._funnel.rejections.isdisjoint(sides)
                passes.recycled += not self._funnel.reentries.isdisjoint(sides)
            if facts[-1].kind.beside:
                self._left(opened, facts[-1].place)

    def _left(self, opened: dict[Unit, _Open], side: str | None) -> None:
        """The pass stands beside the line now: that is what became of the units from which it did not go on."""
        for entry in opened.values():
            if entry.counted is not None and not entry.on:
                if side in self._funnel.rejections:
                    entry.counted.rejected += 1
                elif side in self._funnel.reentries:
                    entry.counted.recycled += 1
                else:
                    entry.counted.beside += 1

    def _fact(self, kind: StayKind) -> _Fact:
        position, units = self._line.get(kind.place or "", (-1, ())) if not kind.beside else (-1, ())
        there = kind.began != "after" and kind.ended != "before"
        lasts = there and kind.ended == "after"
        return _Fact(kind, kind.pass_no, kind.place, kind.observed, position, units, kind.began, kind.ended, kind.began == "in", there and position >= 0, lasts)

    def _straightened(self, facts: list[_Fact], starts: list[int]) -> list[_Fact]:
        """Two clocks tell that something began before what it followed: it began with it, and each stay ends when the next one begins."""
        began = [self._when(start) for start in starts]
        ended = [*began[1:], max(began[-1], facts[-1].ended, key=_ORDER.index)]
        return [self._fact(replace(fact.kind, began=one, ended=other)) for fact, one, other in zip(facts, began, ended, strict=True)]

    def _when(self, at: int) -> When:
        return "before" if at < self._frame.since else "in" if at < self._frame.until else "after"


@lru_cache(maxsize=4096)
def _month(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_MS / 1000, UTC).strftime("%Y-%m")
