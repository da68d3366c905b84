"""The numbers of a run, as the last line of `sync` shows them. Scripts rely on its keys and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...sync.deciding.guard import Stop
from ...sync.engine import PlanReport, RunReport


def numbers(report: RunReport) -> dict[str, Any]:
    """The keys of the line: first the people, then each system, then the time in seconds."""
    counts = report.systems.values()
    told: dict[str, Any] = {
        "people": report.people,
        "created": sum(count.created for count in counts),
        "updated": sum(count.updated + count.archived for count in counts),
        "held": report.held,
        "rejected": report.rejected,
        "overruled": report.overruled,
    }
    for name in report.calls:
        told[f"{name}.writes"] = report.systems[name].writes if name in report.systems else 0
        told[f"{name}.calls"] = report.calls[name]
    return {**told, "own_s": round(report.own_s, 3), "vendor_s": round(report.vendor_s, 3)}


def line(told: dict[str, Any]) -> str:
    """`key=value key=value ...`"""
    return " ".join(f"{key}={value}" for key, value in told.items())


def nothing_written(report: RunReport) -> str | None:
    """What a run that wrote nothing says; None where it wrote, or was kept from it."""
    if report.writes or report.error or report.rejected or report.left:
        return None
    return f"0 writes: {report.held:,} held" if report.held else "0 writes: everything agrees"


def reasons(stops: Sequence[Stop]) -> str:
    """Why a run stops, as one sentence. A first run exceeds the guards in any case, so that it alone is reason enough."""
    first = [stop for stop in stops if stop.kind == "first"]
    grave = [stop for stop in stops if not stop.by_yes]
    return "; ".join(stop.sentence for stop in (grave or first or stops))


def approval(report: PlanReport) -> str:
    """How somebody lets a plan go through that a guard has stopped."""
    return f"carry out exactly this plan with `stagesync apply --approve {report.digest}`"


def plan_json(report: PlanReport) -> dict[str, Any]:
    """A plan's numbers as JSON."""
    writes: dict[str, dict[str, int]] = {}
    for (system, kind), count in sorted(report.tally.writes.items()):
        writes.setdefault(system, {})[kind] = count
    return {
        "digest": report.digest,
        "run": report.run,
        "people": report.tally.people,
        "writes": writes,
        "held": sum(report.tally.holds.values()),
        "new_holds": report.tally.new_holds,
        "overruled": report.tally.overruled,
        "excluded": [{"system": system, "reason": reason, "people": count} for (system, reason), count in sorted(report.tally.excluded.items())],
        "stops": [{"kind": stop.kind, "reason": stop.sentence, "lifted_by_yes": stop.by_yes} for stop in report.stops],
    }
