"""Counting the ledger: one walk over the stays of everybody, person by person, into counts by place. Pure; memory grows with places, hardly with people.

Times are the vendor's where it told them, and otherwise those at which we observed. Nothing happened before what it followed: a time that says so gives way.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Set
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, groupby
from operator import attrgetter, itemgetter
from typing import Literal, TypeAlias

from ..model.stays import GONE, StayKind, When
from .funnel import Funnel
from .units import Unit, units_of

Group: TypeAlias = str | None
"""What a report is by: a source, an owner, a month. None where it is by nothing, or nothing is known."""
Row: TypeAlias = tuple[int, int, int, str | None]
"""The fields of a `Stay`."""

_DAY_MS = 86_400_000
_OFTEN, _LONGEST = 8, 60
"""A way is judged for all when so many have come by it, unless it has more stays than a number has bits."""
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
    """Passes that entered a unit in the period, and what became of them: gone on, rejected, sent back, otherwise beside the line, gone; all others stand in it.

    `observed`: of those who entered, whose time is the observed one. `times`: how long (ms) it took those who went on in the period, from first entering
    the unit in their pass to first standing further; `times_observed`: of these, with an observed time at either end.
    """

    entered: int = 0
    observed: int = 0
    on: int = 0
    rejected: int = 0
    recycled: int = 0
    beside: int = 0
    gone: int = 0
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
    """All that was counted. `people`, each time that they were there: (the first stay, when the last one ended) -> how many, to hold the places against.

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
    return walk.total()


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

    @property
    def gone(self) -> bool:
        """The person had no record then."""
        return self.place == GONE


class _Open:
    """A unit that a pass stands in and has not gone on from. `first`: where the time goes that this takes, None where that is told already.

    `counted`: where it is counted that the pass entered in the period, None where it did not.
    """

    __slots__ = ("counted", "first", "observed", "start")

    def __init__(self, start: int, observed: bool, first: Fate | None) -> None:
        self.start, self.observed, self.first = start, observed, first
        self.counted: Fate | None = None


@dataclass(slots=True)
class _Way:
    """Stays of the same kinds in the same order, as many people have them: what one person adds, how many there are, and where the times of each go."""

    one: Tally
    came: list[tuple[Callable[[int], None], int]]
    times: list[tuple[Callable[[int], None], int, int]]
    people: int = 0


class _Walk:
    """One walk, written for millions of stays. A way by which many come is judged once, and after that only counted."""

    def __init__(self, frame: Frame, kind_of: Callable[[int], StayKind]) -> None:
        self.found = Tally()
        self._frame, self._by, self._funnel = frame, frame.by, frame.funnel
        units = units_of(frame.funnel)
        self._line = {stage.id: (stage.position, tuple(unit for unit in units if stage.id in unit.stages)) for stage in frame.funnel.stages.values()}
        self._fact_of = lru_cache(maxsize=None)(lambda number: self._fact(kind_of(number)))
        self._ways: dict[tuple[_Fact, ...], int | _Way] = {}

    def person(self, rows: list[Row]) -> None:
        """Count one person's stays."""
        facts = [self._fact_of(row[1]) for row in rows]
        starts = [row[2] for row in rows]
        if len(rows) > 1 and starts != sorted(starts):
            starts = list(accumulate(starts, max))
            facts = self._straightened(facts, starts)
        elif self._by is None:
            way = self._way(tuple(facts), rows)
            if way is not None:
                way.people += 1
                for take, row in way.came:
                    take(starts[row])
                for take, start, end in way.times:
                    take(starts[end] - starts[start])
                return
        self._judge(facts, starts, rows)

    def total(self) -> Tally:
        """All that was counted."""
        for way in self._ways.values():
            if isinstance(way, _Way):
                _add(self.found, way.one, way.people)
        return self.found

    def _way(self, facts: tuple[_Fact, ...], rows: list[Row]) -> _Way | None:
        """The way that somebody came by; None where too few came by it so far to be worth it."""
        known = self._ways.get(facts, 0)
        if isinstance(known, int):
            if known < _OFTEN or len(facts) > _LONGEST:
                self._ways[facts] = known + 1
                return None
            known = self._ways[facts] = self._judged(facts, rows)
        return known

    def _judged(self, facts: tuple[_Fact, ...], rows: list[Row]) -> _Way:
        """Judge a way with powers of two for times: each time, and each difference of two, then says from which stays it is."""
        alone = copy(self)
        alone.found = Tally()
        alone._judge(list(facts), [1 << row for row in range(len(facts))], rows)
        one, mine = alone.found.sections[None], self.found.sections[None]
        came = [(mine.came[place].append, start.bit_length() - 1) for place, starts in one.came.items() for start in starts]
        times = [(mine.fates[unit].times.append, (time & -time).bit_length() - 1, time.bit_length()) for unit, fate in one.fates.items() for time in fate.times]
        return _Way(alone.found, came, times)

    def _judge(self, facts: list[_Fact], starts: list[int], rows: list[Row]) -> None:
        for gone, together in groupby(facts, key=attrgetter("gone")):
            if not gone:
                there = list(together)
                self.found.people[there[0].kind, there[-1].ended] += 1
        if facts[0].pass_no == facts[-1].pass_no:
            self._pass(facts, starts, rows)
            return
        for _, same in groupby(range(len(facts)), key=lambda row: facts[row].pass_no):
            mine = list(same)
            begin, end = mine[0], mine[-1] + 1
            self._pass(facts[begin:end], starts[begin:end], rows[begin:end])

    def _pass(self, facts: list[_Fact], starts: list[int], rows: list[Row]) -> None:
        """Count one pass: its stays by place, and the units that it enters and leaves behind. Whoever was gone for a while goes on from where they were."""
        by, sections = self._by, self.found.sections
        section = begun = sections[None if by is None else rows[0][3] if by == "group" else _month(starts[0] // _DAY_MS)]
        opened: dict[Unit, _Open] = {}
        done: dict[Unit, bool] = {}
        before, away, came, worked, sides = None, False, starts[0], False, set[str | None]()
        last = facts[-1]
        for fact, start, row in zip(facts, starts, rows, strict=True):
            kept = section.kept
            if by == "group" and sections[row[3]] is not section:
                section, kept = sections[row[3]], self.found.regrouped
            section.stays[fact.kind] += 1
            if fact.gone:
                away = True
                continue
            if before is None or before.place != fact.place:
                came = start
            elif not away:
                kept[fact.kind] += 1
            away = False
            if fact.lasts:
                section.came[fact.place].append(came)
            if fact.position >= 0:
                worked = worked or fact.reaches
                if opened:
                    self._go_on(opened, done, fact, start)
                if fact is not last or fact.begins:
                    self._enter(opened, done, section, before, fact, start)
            elif fact.begins and before is not None and before.position >= 0:
                sides.add(fact.place)
            before = fact
        self._end(opened, begun.passes, facts, worked, sides)
        if before is not None:
            self._left(opened, before, away)

    def _go_on(self, opened: dict[Unit, _Open], done: dict[Unit, bool], fact: _Fact, start: int) -> None:
        """Somebody stands further than in units that they entered before."""
        for unit in [unit for unit in opened if fact.position > unit.top]:
            entry = opened.pop(unit)
            done[unit] = done.get(unit, False) or entry.counted is not None
            if entry.counted is not None:
                entry.counted.on += 1
            if fact.begins and entry.first is not None:
                entry.first.times.append(start - entry.start)
                entry.first.times_observed += entry.observed or fact.observed

    def _enter(self, opened: dict[Unit, _Open], done: dict[Unit, bool], section: Section, before: _Fact | None, fact: _Fact, start: int) -> None:
        """Somebody stands in these units now; a pass counts once in each, with its first entry in the period, and so does its time."""
        for unit in fact.units:
            entry = opened.get(unit)
            if entry is None:
                entry = opened[unit] = _Open(start, fact.observed, None if unit in done else section.fates[unit.id])
            if fact.begins and entry.counted is None and not done.get(unit) and (before is None or unit not in before.units):
                entry.counted = fate = section.fates[unit.id]
                fate.entered += 1
                fate.observed += fact.observed

    def _end(self, opened: dict[Unit, _Open], passes: Passes, facts: list[_Fact], worked: bool, sides: Set[str | None]) -> None:
        """This is how far the pass came. `sides`: where it was moved out of the line in the period."""
        if facts[0].begins:
            passes.begun += 1
            passes.again += facts[0].pass_no > 1
        passes.worked += worked
        if sides:
            passes.rejected += not self._funnel.rejections.isdisjoint(sides)
            passes.recycled += not self._funnel.reentries.isdisjoint(sides)

    def _left(self, opened: dict[Unit, _Open], last: _Fact, gone: bool) -> None:
        """What became of the units from which the pass did not go on. Whoever stood beside the line and is gone since was refused or sent back, not lost."""
        for entry in opened.values() if last.kind.beside or gone else ():
            if entry.counted is not None:
                if not last.kind.beside:
                    entry.counted.gone += 1
                elif last.place in self._funnel.rejections:
                    entry.counted.rejected += 1
                elif last.place in self._funnel.reentries:
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


def _add(found: Tally, one: Tally, people: int) -> None:
    """So many people more who are like one, but for their times."""
    for group, section in one.sections.items():
        mine = found.sections[group]
        for counts, more in ((mine.stays, section.stays), (mine.kept, section.kept)):
            for kind, count in more.items():
                counts[kind] += count * people
        for unit, fate in section.fates.items():
            _multiply(mine.fates[unit], fate, people)
        _multiply(mine.passes, section.passes, people)
    for key, count in one.people.items():
        found.people[key] += count * people


def _multiply(counted: Fate | Passes, one: Fate | Passes, people: int) -> None:
    for column in fields(counted):
        count = getattr(one, column.name)
        if isinstance(count, int):
            setattr(counted, column.name, getattr(counted, column.name) + count * people)


@lru_cache(maxsize=4096)
def _month(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_MS / 1000, UTC).strftime("%Y-%m")
