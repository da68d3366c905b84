"""The numbers of a funnel: volume, conversion, velocity, age, refusals, second passes, and acceptance in time. Pure.

Each row checks itself: what was there, and came, and did not leave, is there at the end; whoever entered a stage has gone on, has left, or stands in the line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..model.stays import GONE, StayKind
from .funnel import Funnel
from .tally import Fate, Passes, Section, Tally
from .units import Unit, units_of

By: TypeAlias = Literal["source", "cohort", "owner"]
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Volume:
    """People in a place. `met`: of those who entered, whom we met there; `observed`: whose time is the one at which we saw it.

    `kind`: a stage; a side state; people at no stage of the funnel (none); people without a record (gone); a group, which is the sum of its stages; or
    everybody who has one (all).
    """

    id: str
    label: str
    kind: Literal["stage", "side", "none", "gone", "group", "all"]
    start: int
    entered: int
    left: int
    end: int
    met: int
    observed: int

    def __post_init__(self) -> None:
        _holds(self.start + self.entered - self.left == self.end, self)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Passes that entered a stage in the period, by what became of them until now: gone on, rejected, sent back, else beside the line, gone, or waiting."""

    id: str
    label: str
    stages: tuple[str, ...]
    entered: int
    on: int
    rejected: int
    recycled: int
    beside: int
    gone: int
    waiting: int
    observed: int

    def __post_init__(self) -> None:
        fates = self.on, self.rejected, self.recycled, self.beside, self.gone, self.waiting
        _holds(self.waiting >= 0 and self.entered == sum(fates), self)

    @property
    def rate(self) -> float | None:
        """The share that went on; None where nobody entered."""
        return self.on / self.entered if self.entered else None


@dataclass(frozen=True, slots=True)
class Days:
    """How long something took or takes: `count` people, of whom `observed` with an observed time; half and nine tenths of them at most so many days."""

    id: str
    label: str
    count: int
    median: float | None
    ninety: float | None
    observed: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Clocks that started in the period at a stage: answered in time, late or overdue, and still running."""

    id: str
    label: str
    met: int
    missed: int
    running: int

    @property
    def rate(self) -> float | None:
        """The share that was met of those that are decided; None where none is."""
        return self.met / (self.met + self.missed) if self.met + self.missed else None


@dataclass(frozen=True, slots=True)
class Part:
    """All numbers of everybody, or of one group. `velocity`: from entering a unit to going on, for whoever went on in the period. `age`: of those there."""

    group: str | None
    volume: tuple[Volume, ...]
    conversion: tuple[Conversion, ...]
    velocity: tuple[Days, ...]
    age: tuple[Days, ...]
    acceptance: tuple[Acceptance, ...]
    passes: Passes


@dataclass(frozen=True, slots=True)
class Report:
    """A period of a funnel. `since`: None for all that is known. `parts`: where it is `by` something, one for each group, the largest first or by month."""

    funnel: Funnel
    since: int | None
    until: int
    by: By | None
    whole: Part
    parts: tuple[Part, ...]


def report(funnel: Funnel, since: int | None, until: int, by: By | None, found: Tally) -> Report:
    """The numbers behind what was counted. Raises `ArithmeticError` where a row does not add up, which no ledger makes it do."""
    whole = _part(funnel, until, None, [*found.sections.values(), Section(kept=found.regrouped)])
    parts = [_part(funnel, until, group, [section]) for group, section in found.sections.items()] if by is not None else []
    parts = [part for part in parts if any(row.kind != "gone" and (row.start or row.entered) for row in part.volume)]  # some are of other times
    order = (lambda part: part.group or "") if by == "cohort" else (lambda part: (-part.passes.worked, part.group or ""))
    return Report(funnel, since, until, by, replace(whole, volume=(*whole.volume, _everybody(found))), tuple(sorted(parts, key=order)))


def label_of(funnel: Funnel, unit: Unit) -> str:
    """What a unit is called: a stage's or a group's label, or the ids of the stages that share a position."""
    if unit.id in funnel.stages:
        return funnel.stages[unit.id].label
    return funnel.groups[unit.id].label if unit.id in funnel.groups else " / ".join(unit.stages)


def _part(funnel: Funnel, until: int, group: str | None, sections: Iterable[Section]) -> Part:
    sections = list(sections)
    flows = _flows(sections)
    volume: list[Volume] = []
    age: list[Days] = []
    for place, label, kind in _places(funnel):
        flow = flows[place]
        if kind == "none" and not (flow["start"] or flow["entered"]):
            continue
        volume.append(Volume(place or "", label, kind, *(flow[column] for column in _COLUMNS)))
        came = [until - start for section in sections for start in section.came.get(place, ())]
        age.append(_days(place or "", label, came, flow["end observed"]))
    groups = [_sum(each.id, each.label, "group", [row for row in volume if row.id in each.stages]) for each in funnel.groups.values()]
    conversion: list[Conversion] = []
    velocity: list[Days] = []
    for unit in units_of(funnel):
        fates, label = [section.fates[unit.id] for section in sections if unit.id in section.fates], label_of(funnel, unit)
        conversion.append(_conversion(unit, label, fates))
        velocity.append(_days(unit.id, label, [time for fate in fates for time in fate.times], sum(fate.times_observed for fate in fates)))
    acceptance = [_acceptance(stage.id, stage.label, flows[stage.id]) for stage in funnel.stages.values()]
    told = tuple(row for row in acceptance if row.met or row.missed or row.running)
    return Part(group, (*volume, *groups, *_gone(flows[GONE])), tuple(conversion), tuple(velocity), tuple(age), told, _passes(sections))


_Kind: TypeAlias = Literal["stage", "side", "none", "gone", "group", "all"]
_COLUMNS = ("start", "entered", "left", "end", "met", "observed")
_FATES = ("on", "rejected", "recycled", "beside", "gone")


def _places(funnel: Funnel) -> list[tuple[str | None, str, _Kind]]:
    """Everywhere where somebody can be: in the line, beside it, and at no stage that the funnel has."""
    stages: list[tuple[str | None, str, _Kind]] = [(stage.id, stage.label, "stage") for stage in funnel.stages.values()]
    return [*stages, *((side, label, "side") for side, label in funnel.sides.items()), (None, "(no stage of the funnel)", "none")]


def _flows(sections: Iterable[Section]) -> defaultdict[str | None, Counter[str]]:
    """Place -> column -> how many."""
    flows: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
    for section in sections:
        for kind, count in section.stays.items():
            for column in _told_by(kind):
                flows[kind.place][column] += count
        for kind, count in section.kept.items():
            if kind.began == "in":  # they came from where they were: nobody left, and nobody entered
                flows[kind.place]["left"] -= count
                for column in _coming(kind):
                    flows[kind.place][column] -= count
    return flows


def _told_by(kind: StayKind) -> list[str]:
    """What a stay adds to its place: whoever was there, or came, and did not leave, is there."""
    if kind.began == "after" or kind.ended == "before":
        return []
    columns = ["start"] if kind.began == "before" else _coming(kind)
    columns += ["left"] if kind.ended == "in" else ["end", *["end observed"] * kind.observed]
    return [*columns, f"clock {kind.clock}"] if kind.clock is not None and kind.began == "in" else columns


def _coming(kind: StayKind) -> list[str]:
    return ["entered", *["met"] * kind.first, *["observed"] * kind.observed]


def _everybody(found: Tally) -> Volume:
    """Everybody as a whole: from when they came into the ledger, or back, until no record was left."""
    flow = Counter[str]()
    for (first, ended), count in found.people.items():
        for column in _told_by(replace(first, clock=None, ended=ended)):
            flow[column] += count
    return Volume("", "Everybody", "all", *(flow[column] for column in _COLUMNS))


def _gone(flow: Counter[str]) -> list[Volume]:
    """People without a record, where there are any: who came there was deleted, or merged away, in all systems."""
    return [Volume("", "(no record left)", "gone", *(flow[column] for column in _COLUMNS))] if flow["start"] or flow["entered"] else []


def _sum(name: str, label: str, kind: _Kind, rows: Sequence[Volume]) -> Volume:
    return Volume(name, label, kind, *(sum(getattr(row, column) for row in rows) for column in _COLUMNS))


def _conversion(unit: Unit, label: str, fates: Sequence[Fate]) -> Conversion:
    entered, observed, *told = (sum(getattr(fate, column) for fate in fates) for column in ("entered", "observed", *_FATES))
    return Conversion(unit.id, label, unit.stages, entered, *told, waiting=entered - sum(told), observed=observed)


def _days(name: str, label: str, times: list[int], observed: int) -> Days:
    """The median is the middle one, or the mean of the two in the middle; the other is the smallest that nine tenths do not exceed."""
    times.sort()
    count = len(times)
    if not count:
        return Days(name, label, 0, None, None, 0)
    median = (times[(count - 1) // 2] + times[count // 2]) / 2
    return Days(name, label, count, median / _DAY_MS, times[-(-9 * count // 10) - 1] / _DAY_MS, observed)


def _acceptance(name: str, label: str, flow: Counter[str]) -> Acceptance:
    return Acceptance(name, label, flow["clock met"], flow["clock missed"], flow["clock running"])


def _passes(sections: Iterable[Section]) -> Passes:
    added = Passes()
    for section in sections:
        mine = section.passes
        added.begun += mine.begun
        added.again += mine.again
        added.worked += mine.worked
        added.rejected += mine.rejected
        added.recycled += mine.recycled
    return added


def _holds(sums: bool, row: object) -> None:
    if not sums:
        raise ArithmeticError(f"the numbers of a report do not add up: {row}")
