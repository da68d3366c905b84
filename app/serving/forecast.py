"""What a timetable costs: the calls of a run in which nothing changed, times the runs of a day, against the account's daily quota."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...state import runs
from ...state.store import Tx

_LOOK_BACK = 50


@dataclass(frozen=True, slots=True)
class Cost:
    """One system. `calls`: of a run in which nothing changed; `limit`: the account's calls a day, None where its vendor does not tell.

    `quiet`: there was such a run already; else `calls` is of the least of those that wrote something, and too many.
    """

    system: str
    runs_a_day: int
    calls: int
    limit: int | None
    quiet: bool = True

    @property
    def a_day(self) -> int:
        """Calls a day while nothing changes."""
        return self.runs_a_day * self.calls

    @property
    def share(self) -> float | None:
        """The part of the daily quota."""
        return self.a_day / self.limit if self.limit else None

    def __str__(self) -> str:
        share = "" if self.share is None else f" of {self.limit:,} ({self.share:.1%})"
        when = "when nothing changes" if self.quiet else "if each wrote something, as all did so far"
        return f"{self.runs_a_day:,} runs a day of {self.calls:,} call{'' if self.calls == 1 else 's'}, {when}: {self.a_day:,} calls a day{share}"


def forecast(tx: Tx, workspace: int, runs_a_day: int) -> list[Cost]:
    """Per system of the latest runs, the least that a quiet one of them needed. Nothing where no run was carried out yet."""
    done = [row.counts for row in runs.recent(tx, workspace, _LOOK_BACK) if row.kind == "sync" and row.state == "applied"]
    if not done:
        return []
    quota: Mapping[str, tuple[int, int]] = done[0].get("quota", {})
    calls: Mapping[str, int] = done[0].get("calls", {})
    quiet = [counts for counts in done if not any(counts.get(what) for what in ("created", "updated", "archived"))]
    found: list[Cost] = []
    for name in calls:
        asked = [counts["calls"][name] for counts in quiet if name in counts.get("calls", {})]
        least = min(asked or [counts["calls"][name] for counts in done if name in counts.get("calls", {})])
        found.append(Cost(name, runs_a_day, least, quota[name][1] if name in quota else None, bool(asked)))
    return found
