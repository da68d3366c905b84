"""The agreement on acceptance: whoever enters a stage of marketing's shall be answered by sales within so many opening hours. Pure.

[sla]
from = ["mql", "pql"]     # stages or groups; entering one starts the clock
to = "sal"                # a stage, a group or whatever stands at its position: reached or passed is an answer, a side state is one too
hours = 24                # of opening time
zone = "Europe/Berlin"    # default: UTC
days = ["mon", "tue", "wed", "thu", "fri"]
open = "09:00"
close = "17:00"
holidays = ["2026-12-25"]
breach = "notify"         # or "propose": a proposal is held for somebody to decide; the clock itself never moves anybody
proposal = "recycled"     # what is proposed: a side state or a stage
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from ..model.stages import StageReading
from .business_hours import DAY_MINUTES, Calendar
from .funnel import Funnel
from .parsing import Tell, known
from .places import names_of

KEYS = ("from", "to", "hours", "zone", "days", "open", "close", "holidays", "breach", "proposal")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BREACHES = ("notify", "propose")
_LONGEST_WEEKS = 104
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Sla:
    """Whoever enters one of `starts` shall reach `ends` within `hours` of opening time.

    `breach`: what happens where it is not kept. `proposal`: what is then held for somebody to decide, with "propose".
    """

    starts: frozenset[str]
    ends: str
    hours: float
    calendar: Calendar
    breach: Literal["notify", "propose"] = "notify"
    proposal: StageReading | None = None

    def due(self, at: int) -> int:
        """Until when somebody who entered at `at` (ms) is to be answered; an answer at that moment is in time."""
        return self.calendar.add(at, self.hours)

    def starts_at(self, place: StageReading) -> bool:
        """Whether entering this place starts the clock."""
        return place.side is None and place.stage in self.starts

    def answered(self, funnel: Funnel, place: StageReading) -> bool:
        """Whether this place is an answer: as far as `ends` or further, or beside the line, since sending somebody back is an answer too."""
        return place.side is not None or (place.stage in funnel.stages and funnel.position(place.stage) >= funnel.position(self.ends))


def read_sla(own: Mapping[str, Any], funnel: Funnel, tell: Tell) -> Sla | None:
    """The agreement in the table `sla` of a configuration; None where there is none. Every mistake is told; with one told it is not to be used."""
    table = own.get("sla")
    if table is None:
        return None
    if not isinstance(table, Mapping):
        tell("sla", "must be a table", "Write [sla] and its keys below it")
        return None
    return _Reader(cast("Mapping[str, Any]", table), funnel, tell).sla()


@dataclass(frozen=True, slots=True)
class _Reader:
    """One walk over the table."""

    table: Mapping[str, Any]
    funnel: Funnel
    tell: Tell

    def sla(self) -> Sla | None:
        for key in self.table:
            if key not in KEYS:
                self.tell(f"sla.{key}", "there is no such key", known(KEYS))
        starts, ends, hours, calendar = self.starts(), self.ends(), self.hours(), self.calendar()
        breach = self.table.get("breach", "notify")
        if breach not in BREACHES:
            self.tell("sla.breach", f"{breach!r} is not allowed here", f"Allowed: {', '.join(BREACHES)}")
        proposal = self.proposal(asked=breach == "propose")
        if not starts or ends is None or hours is None or calendar is None:
            return None
        for stage in sorted(starts):
            if self.funnel.position(stage) >= self.funnel.position(ends):
                self.tell("sla.from", f"{stage!r} does not stand before {ends!r}", "The clock runs from earlier stages to a later one")
        if hours > calendar.week_hours * _LONGEST_WEEKS:
            self.tell("sla.hours", f"{hours:g} opening hours are more than two years", "These are hours in which the business is open")
            return None
        return Sla(starts, ends, hours, calendar, "propose" if breach == "propose" else "notify", proposal)

    def starts(self) -> frozenset[str]:
        said = self.table.get("from")
        if not isinstance(said, list) or not said:
            self.tell("sla.from", "is missing" if said is None else "is not a list of stages", 'For example from = ["mql"]')
            return frozenset()
        found = [self.stages("sla.from", each) for each in cast("list[object]", said)]
        return frozenset(stage for stages in found for stage in stages)

    def ends(self) -> str | None:
        if "to" not in self.table:
            self.tell("sla.to", "is missing", 'For example to = "sal"')
            return None
        return next(iter(self.stages("sla.to", self.table["to"])), None)

    def stages(self, path: str, said: object) -> tuple[str, ...]:
        """What a stage's or a group's id or label means, in the order of the line."""
        named = names_of(self.funnel).get(said.casefold()) if isinstance(said, str) else None
        found = tuple(stage for stage in named.stages if stage is not None) if named is not None else ()
        if not found:
            self.tell(path, f"{said!r} is neither a stage nor a group of the funnel", known([*self.funnel.stages, *self.funnel.groups]))
        return found

    def proposal(self, *, asked: bool) -> StageReading | None:
        said = self.table.get("proposal")
        if said is None:
            if asked:
                self.tell("sla.proposal", "is missing", f"Name what is proposed. {known([*self.funnel.sides, *self.funnel.stages])}")
            return None
        named = names_of(self.funnel).get(said.casefold()) if isinstance(said, str) else None
        if named is not None and named.side is not None:
            return StageReading(side=named.side)
        stages = self.stages("sla.proposal", said)
        return StageReading(stages[0]) if stages else None

    def hours(self) -> float | None:
        said = self.table.get("hours")
        if isinstance(said, (int, float)) and not isinstance(said, bool) and 0 <= said < float("inf"):
            return float(said)
        self.tell(
            "sla.hours", "is missing" if said is None else f"{said!r} is not a number of hours", "For example hours = 24: hours in which the business is open"
        )
        return None

    def calendar(self) -> Calendar | None:
        zone, days, hours = self.zone(), self.days(), (self.minutes("open", "09:00"), self.minutes("close", "17:00"))
        holidays = self.holidays()
        if zone is None or not days or hours[0] is None or hours[1] is None:
            return None
        if hours[0] >= hours[1]:
            self.tell("sla.close", "is not later than sla.open", 'A day closes before midnight, or at "24:00"')
            return None
        return Calendar(zone, tuple((hours[0], hours[1]) if day in days else None for day in DAYS), holidays)

    def zone(self) -> str | None:
        said = self.table.get("zone", "UTC")
        try:
            return ZoneInfo(said).key
        except (KeyError, TypeError, ValueError, OSError, AttributeError):  # what it raises depends on how wrong the name is: a folder, a path, no text
            self.tell("sla.zone", f"{said!r} is not a time zone", 'For example zone = "Europe/Berlin"')
            return None

    def days(self) -> frozenset[str]:
        said = self.table.get("days", list(DAYS[:5]))
        if isinstance(said, list) and said and all(isinstance(day, str) and day.casefold() in DAYS for day in cast("list[object]", said)):
            return frozenset(day.casefold() for day in cast("list[str]", said))
        self.tell("sla.days", "is not a list of weekdays", known(DAYS))
        return frozenset()

    def minutes(self, key: str, default: str) -> int | None:
        """Minutes after midnight; TOML's own times are taken as well as text."""
        said = self.table.get(key, default)
        told = said.strftime("%H:%M") if isinstance(said, time) else said
        found = _CLOCK.fullmatch(told) if isinstance(told, str) else None
        minutes = int(found[1]) * 60 + int(found[2]) if found is not None and int(found[2]) < 60 else None
        if minutes is not None and minutes <= DAY_MINUTES:
            return minutes
        self.tell(f"sla.{key}", f"{said!r} is not a time of day", f'For example {key} = "{default}"')
        return None

    def holidays(self) -> frozenset[date]:
        said = self.table.get("holidays", [])
        if not isinstance(said, list):
            self.tell("sla.holidays", "is not a list of dates", 'For example holidays = ["2026-12-25"]')
            return frozenset()
        found = [self.day(each) for each in cast("list[object]", said)]
        return frozenset(day for day in found if day is not None)

    def day(self, said: object) -> date | None:
        if isinstance(said, date) and not isinstance(said, datetime):
            return said
        try:
            return date.fromisoformat(said) if isinstance(said, str) else self.no_day(said)
        except ValueError:
            return self.no_day(said)

    def no_day(self, said: object) -> None:
        self.tell("sla.holidays", f"{said!r} is not a date", 'For example holidays = ["2026-12-25"]')
