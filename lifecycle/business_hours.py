"""Time as a business counts it: by the hours in which it is open, in its own time zone. Pure.

A day is open from its opening to its closing as the clock on the wall shows them, so that 09:00 to 17:00 stays that on the days on which clocks change. Times
are milliseconds since 1970; a moment is open from the opening on and no longer open at the closing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
DAY_MINUTES = 1_440
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a business is open. `week`: for Monday to Sunday the minutes of opening and closing after midnight (at most 1440), None where it is closed.

    `zone`: an IANA name. `holidays`: local dates on which it is closed.
    """

    zone: str
    week: tuple[tuple[int, int] | None, ...]
    holidays: frozenset[date] = frozenset()

    @property
    def week_hours(self) -> float:
        """How many hours a week without holidays is open."""
        return sum(day[1] - day[0] for day in self.week if day is not None) / 60

    def is_open(self, at: int) -> bool:
        """Whether it is open at this moment."""
        return any(start <= at < end for start, end in self._spans(at, at + 1))

    def open_ms(self, start: int, end: int) -> int:
        """How long it is open between two moments; 0 where the second is not later."""
        return sum(min(end, closing) - max(start, opening) for opening, closing in self._spans(start, end))

    def add(self, at: int, hours: float) -> int:
        """The first moment by which it has been open for so many hours since `at`; `at` itself for 0.

        A day's closing moment is the end of that day and not the next opening. Raises `OverflowError` where the year 9999 is not enough.
        """
        left = round(hours * HOUR_MS)
        if left <= 0:
            return at
        for opening, closing in self._spans(at, None):
            begin = max(at, opening)
            if closing - begin >= left:
                return begin + left
            left -= closing - begin
        raise OverflowError("it is never open for so long")

    def _spans(self, start: int, end: int | None) -> Iterator[tuple[int, int]]:
        """The open times that reach into `[start, end)`, in order."""
        day = datetime.fromtimestamp(start / 1000, UTC).astimezone(ZoneInfo(self.zone)).date()
        while day < date.max:
            span = _span(self, day)
            if span is not None:
                if end is not None and span[0] >= end:
                    return
                if span[1] > start:
                    yield span
            elif end is not None and _midnight_ms(day) >= end:
                return
            day += _ONE_DAY


def _midnight_ms(day: date) -> int:
    """A moment that no zone reaches before this day begins there."""
    return int(datetime.combine(day, time(), UTC).timestamp() - 15 * 3600) * 1000


@lru_cache(maxsize=8192)
def _span(calendar: Calendar, day: date) -> tuple[int, int] | None:
    """The open time of a local day; None where it is closed, or where the zone has no such day: Samoa went without 30 December 2011."""
    hours = calendar.week[day.weekday()]
    if hours is None or day in calendar.holidays:
        return None
    zone = ZoneInfo(calendar.zone)
    opening, closing = (_moment(day, minutes, zone) for minutes in hours)
    there = opening.astimezone(zone).date() == day
    return (_ms(opening), _ms(closing)) if there and closing > opening else None


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """When the clock on the wall shows this. A time that the change of clocks leaves out is the moment of the change or shortly after it."""
    local = datetime.combine(day + minutes // DAY_MINUTES * _ONE_DAY, time(minutes % DAY_MINUTES // 60, minutes % 60), zone)
    return local.astimezone(UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
