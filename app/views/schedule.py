"""`stagesync schedule`: when each workspace runs next, what became of its last run, and what the timetable costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...state import runs, schedule
from ...state.runs import RunRow
from ...state.schedule import ScheduleRow
from ...state.store import Tx
from ..configuration.config import Config
from ..serving.forecast import Cost, forecast
from . import words
from .runs import did, run_row_json, state

LATE_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Standing:
    """One workspace. `row`: what a service keeps of it, None before the first look."""

    config: Config
    row: ScheduleRow | None
    last: RunRow | None
    costs: Sequence[Cost]
    now: int


def look(tx: Tx, workspace: int, config: Config, now: int) -> Standing:
    """What the state knows."""
    return Standing(config, schedule.get(tx, workspace), runs.last(tx, workspace, "sync"), forecast(tx, workspace, config.timetable.runs_a_day(now)), now)


def schedule_text(found: Standing) -> list[str]:
    """For people; moments are those of the timetable's own time zone."""
    rows = [("next run", next_run(found)), ("last run", _last(found)), *_service(found)]
    rows += [(f"costs in {cost.system}", str(cost)) for cost in found.costs] or [("costs", "told after the first run")]
    return [f"Workspace {found.config.workspace} ({found.config.path}): {found.config.timetable}", *words.table(rows)]


def schedule_json(found: Standing) -> dict[str, Any]:
    """The same as one object; times in UTC."""
    row = found.row
    return {
        "workspace": found.config.workspace,
        "file": str(found.config.path),
        "timetable": str(found.config.timetable),
        "zone": found.config.timetable.zone,
        "next_at": None if row is None else words.stamp(row.due_at),
        "service": None
        if row is None or row.began_at is None
        else {
            "began_at": words.stamp(row.began_at),
            "ended_at": words.stamp(row.ended_at),
            "by": row.holder,
            "outcome": None if row.broken_off else row.outcome,
            "reason": row.reason,
            "failures_in_a_row": row.failures,
        },
        "last_run": None if found.last is None else run_row_json(found.last),
        "costs": [
            {"system": cost.system, "runs_a_day": cost.runs_a_day, "calls": cost.calls, "calls_a_day": cost.a_day, "daily_limit": cost.limit}
            for cost in found.costs
        ],
    }


def next_run(found: Standing) -> str:
    """When the next run begins, in words."""
    if found.row is None:
        return "when `stagesync serve` is started"
    at = _moment(found, found.row.due_at)
    return f"was due {at}: is `stagesync serve` running?" if late(found) else at


def late(found: Standing) -> bool:
    """The next run should have begun some minutes ago."""
    return found.row is not None and found.row.due_at <= found.now - LATE_MS


def _last(found: Standing) -> str:
    if found.last is None:
        return "none yet; the first is made by hand: `stagesync sync`"
    return f"{_moment(found, found.last.started_at)}, {state(found.last)}: {did(found.last) or 'nothing'} (run {found.last.id})"


def _service(found: Standing) -> list[tuple[str, str]]:
    row = found.row
    if row is None or row.began_at is None:
        return []
    if row.ended_at is None:
        return [("service", f"a run of {row.holder} began {_moment(found, row.began_at)} and has not ended")]
    again = f", {row.failures} times in a row" if row.failures > 1 else ""
    reason = f": {row.reason}" if row.reason else ""
    return [("service", f"the last run of {row.holder} ended {_moment(found, row.ended_at)}, {row.outcome}{again}{reason}")]


def _moment(found: Standing, at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(found.config.timetable.zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
