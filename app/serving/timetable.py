"""When a workspace is due: every so often, or by a cron expression in a time zone. Pure: a moment goes in, the next one comes out.

APScheduler's triggers know the calendar; which moment is next is decided here and kept in the state, so that a missed run is made up for once.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..configuration.tables import Table

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

DAY_MS = 24 * 3600 * 1000
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_SHORTEST_MS = 1_000


@dataclass(frozen=True, slots=True)
class Timetable:
    """`cron`, where it is given, in `zone`; else every `every_ms`. A run begins up to `jitter_ms` later, always as much for the same slot."""

    every_ms: int = 60_000
    cron: str | None = None
    zone: str = "UTC"
    jitter_ms: int = 0

    def __str__(self) -> str:
        later = f", up to {_spelled(self.jitter_ms)} later" if self.jitter_ms else ""
        return (f"{self.cron} ({self.zone})" if self.cron else f"every {_spelled(self.every_ms)}") + later

    def following(self, now: int, slot: int | None = None) -> int:
        """The first slot after `now`. Those that were missed since the last one, `slot`, are passed over.

        Without a last slot a workspace that runs every so often is due at once. On the day when clocks go back, a cron time in the hour that comes
        twice is met twice; on the day when they go forward, one in the hour that is left out is met an hour later.
        """
        if self.cron is None:
            return now if slot is None else slot + ((max(now, slot) - slot) // self.every_ms + 1) * self.every_ms
        return _after(self.cron, self.zone, now if slot is None else max(now, slot))

    def due(self, workspace: str, slot: int) -> int:
        """When the run of this slot begins: workspaces of one timetable are spread, and two machines agree."""
        spread = int.from_bytes(hashlib.blake2b(f"{workspace} {slot}".encode(), digest_size=4).digest())
        return slot + spread * self.jitter_ms // 2**32

    def runs_a_day(self, now: int) -> int:
        """How many runs there are on the fullest of the next seven days."""
        if self.cron is None:
            return max(1, round(DAY_MS / self.every_ms))
        slot, found = now, [0] * 7
        while (slot := self.following(slot)) < now + 7 * DAY_MS:
            found[(slot - now) // DAY_MS] += 1
        return max(found)


def read_timetable(table: Table) -> Timetable:
    """The `[schedule]` table; without one, a fast poll every 60 seconds."""
    table.only(("every", "cron", "zone", "jitter"))
    zone = _zone(table)
    if "cron" in table.values and "every" in table.values:
        table.problems.add(table.path, "has both `every` and `cron`", "Leave one of them out")
    cron = _cron(table, zone) if "cron" in table.values else None
    every = read_span(table, "every", 60_000, _SHORTEST_MS)
    return Timetable(every, cron, zone, read_span(table, "jitter", 0, 0))


def _zone(table: Table) -> str:
    name = table.text("zone", "UTC")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.problems.add(table.at("zone"), f"there is no time zone {name!r}", 'Write one such as "Europe/Berlin" or "UTC"')
        return "UTC"
    return name


def read_span(table: Table, key: str, default: int, least: int) -> int:
    """A length of time in ms."""
    value = table.values.get(key)
    if value is None:
        return default
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    span = int(float(found[1]) * _UNITS[found[2]]) if found else -1
    if not least <= span <= 31 * DAY_MS:
        table.problems.add(table.at(key), f"{value!r} is no length of time from {_spelled(least)} to 31 d", f'For example {key} = "90s", "15m", "2h" or "1d"')
        return default
    return span


def _cron(table: Table, zone: str) -> str | None:
    """A cron expression that means here what it means to cron.

    Of APScheduler's reading of one, two things are not cron's: it counts the days of the week from Monday, and a day that is
    limited in both ways must match both. So numbers are not taken there, and only one of the two may be limited.
    """
    written = " ".join(table.text("cron", "").lower().split())
    fields = written.split()
    remedy = 'For example cron = "*/15 8-18 * * mon-fri": minute, hour, day of the month, month, day of the week'
    if re.search(r"(?<![/\d])\d", fields[4] if len(fields) == 5 else ""):
        table.problems.add(table.at("cron"), "numbers of days of the week mean different days to different programs", 'Write names: "mon-fri", "sat,sun"')
        return None
    if len(fields) == 5 and not fields[2].startswith("*") and not fields[4].startswith("*"):
        table.problems.add(table.at("cron"), "limits the day of the month and the day of the week", "Leave one of them *")
        return None
    try:
        _after(written, zone, 0)
    except ValueError as error:
        table.problems.add(table.at("cron"), f"cannot be understood: {error}", remedy)
        return None
    return written


@lru_cache(maxsize=64)
def _trigger(cron: str, zone: str) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    return CronTrigger.from_crontab(cron, timezone=ZoneInfo(zone))


def _after(cron: str, zone: str, moment: int) -> int:
    """The first time after a moment. Raises `ValueError` for an expression that cannot be read or never comes true."""
    later = datetime.fromtimestamp(moment / 1000, UTC) + timedelta(milliseconds=1)
    found = _trigger(cron, zone).get_next_fire_time(None, later.astimezone(ZoneInfo(zone)))
    if found is None:
        raise ValueError("there is no such day")
    return round(found.timestamp() * 1000)


def _spelled(span_ms: int) -> str:
    unit = next((unit for unit in ("d", "h", "m") if span_ms and span_ms % _UNITS[unit] == 0), "s")
    return f"{span_ms / _UNITS[unit]:g} {unit if unit != 'm' else 'min'}"
