"""The agreement on acceptance: what is agreed, who waits, and how it is kept. Moments are those of the agreement's own time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...lifecycle.business_hours import HOUR_MS, Calendar
from ...lifecycle.sla import DAYS, Sla
from ...state import clocks
from ...state.clocks import Counts
from ...state.entries import EntryRow
from ...state.store import Tx
from ..clock import SystemClock
from ..standing.accepting import MOST, Standing
from . import words
from .report import share

_SHOWN = 25


def sla_text(found: Standing) -> list[str]:
    """For people; the longest lists are cut."""
    sla, calendar = found.sla, found.sla.calendar
    zone = ZoneInfo(calendar.zone)
    local = datetime.fromtimestamp(found.since / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d")
    month = found.month
    return [
        f"{', '.join(sorted(sla.starts))} -> {sla.ends} within {sla.hours:g} opening hour{'' if sla.hours == 1 else 's'}: {opening(calendar)}, {calendar.zone}",
        "",
        f"Waiting, in time: {_count(found.running)}",
        *_people(found, found.running, zone),
        f"Waiting, nobody answered in time: {_count(found.unanswered)}",
        *_people(found, found.unanswered, zone),
        f"Started since {local}: {month.met:,} answered in time, {month.missed:,} not, {month.running:,} still running ({share(rate(month))} in time)",
    ]


def waiting(tx: Tx, workspace: int) -> list[str]:
    """For `status`: how many clocks run, and whether any is overdue; nothing where none is."""
    count, first, overdue = clocks.ticking(tx, workspace, SystemClock().now_ms())
    if not count and not overdue:
        return []
    soon = f", the first until {words.moment(first)[:16]} UTC" if first is not None else ""
    return [f"To be accepted: {words.count(count, 'person', 'people')}{soon}; {overdue:,} overdue since the last run (`stagesync sla`)"]


def waiting_json(tx: Tx, workspace: int) -> dict[str, Any]:
    """The same as one object."""
    count, first, overdue = clocks.ticking(tx, workspace, SystemClock().now_ms())
    return {"running": count, "first_due_at": words.stamp(first), "overdue": overdue}


def opening(calendar: Calendar) -> str:
    """When it is open, in words: `mon-fri 09:00-17:00`."""
    days = [day for day, hours in zip(DAYS, calendar.week, strict=True) if hours is not None]
    hours = next(each for each in calendar.week if each is not None)
    line = f"{days[0]}-{days[-1]}" if len(days) > 2 and days == list(DAYS[DAYS.index(days[0]) : DAYS.index(days[0]) + len(days)]) else ", ".join(days)
    return f"{line} {'-'.join(f'{minutes // 60:02d}:{minutes % 60:02d}' for minutes in hours)}"


def rate(counts: Counts) -> float | None:
    """The share that was answered in time of those that are decided."""
    return counts.met / (counts.met + counts.missed) if counts.met + counts.missed else None


def _count(rows: Sequence[EntryRow]) -> str:
    return f"{words.count(len(rows), 'person', 'people')}{' or more' if len(rows) == MOST else ''}"


def _people(found: Standing, rows: Sequence[EntryRow], zone: ZoneInfo) -> list[str]:
    shown = [
        (
            datetime.fromtimestamp((row.due_at or 0) / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            _left(found, row),
            row.stage or "",
            words.person(found.names.get(row.person, {}), row.person),
            row.owner or "",
        )
        for row in rows[:_SHOWN]
    ]
    more = [f"  and {len(rows) - _SHOWN:,} more (--json has them)"] if len(rows) > _SHOWN else []
    return [*words.table(shown), *more]


def _left(found: Standing, row: EntryRow) -> str:
    """How much opening time is left, or is over it."""
    due, calendar = row.due_at or 0, found.sla.calendar
    return f"{_hours(calendar.open_ms(found.now, due))} left" if due >= found.now else f"{_hours(calendar.open_ms(due, found.now))} over"


def _hours(open_ms: int) -> str:
    return f"{open_ms / HOUR_MS:,.1f} h"


def sla_json(found: Standing) -> dict[str, Any]:
    """The same as one object; times in UTC, hours are opening hours."""
    sla: Sla = found.sla
    return {
        "from": sorted(sla.starts),
        "to": sla.ends,
        "hours": sla.hours,
        "zone": sla.calendar.zone,
        "running": [_row_json(found, row) for row in found.running],
        "unanswered": [_row_json(found, row) for row in found.unanswered],
        "month": {"since": words.stamp(found.since), **found.month._asdict(), "rate": rate(found.month)},
    }


def _row_json(found: Standing, row: EntryRow) -> dict[str, Any]:
    due, calendar = row.due_at or 0, found.sla.calendar
    hours = calendar.open_ms(found.now, due) if due >= found.now else -calendar.open_ms(due, found.now)
    who = {"person": row.person, "email": found.names.get(row.person, {}).get("email"), "stage": row.stage, "owner": row.owner}
    return {**who, "due_at": words.stamp(due), "hours_left": round(hours / HOUR_MS, 2)}
