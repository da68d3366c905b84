"""The end of `stagesync sync`: what the run did, in words; and the fixed last line on which scripts rely."""

from __future__ import annotations

from typing import Any

from ...model.errors import SafetyStop
from ...sync.engine import RunReport
from ..terminal.summary import line, nothing_written, numbers
from . import words


def run_text(report: RunReport) -> list[str]:
    """What the run did, as lines. The last one is `people=N created=N ...`; before it `0 writes: ...` where nothing was written."""
    lines = [f"{words.count(report.people, 'person', 'people')} had something to settle."]
    lines += words.table([(f"{name}:", ", ".join(_done(report, name)), f"({words.count(report.calls.get(name, 0), 'call')})") for name in report.calls])
    if report.overruled:
        lines.append(f"{words.count(report.overruled, 'value was', 'values were')} overruled by a rule; both values are kept (`stagesync why WHO`).")
    if report.held:
        new = words.of_which_new(report.new_holds, report.held)
        lines.append(f"{words.count(report.held, 'case is', 'cases are')} held until somebody answers{new} (`stagesync holds`).")
    lines += words.promotions(report.promoted)
    if report.breached:
        lines.append(f"{words.count(report.breached, 'person was', 'people were')} not answered in the agreed time (`stagesync sla`).")
    lines += words.unread(report.unread)
    if report.rejected:
        lines.append(f"{words.count(report.rejected, 'write was refused and is', 'writes were refused and are')} parked (`stagesync errors`).")
    if report.ahead and not isinstance(report.error, SafetyStop):
        lines.append(f"The first {words.count(report.ahead, 'person was', 'people were')} written and read back before the others: all landed as wanted.")
    if report.drifted:
        lines.append(f"{words.count(report.drifted, 'person was', 'people were')} edited since the plan was made: left to the next run.")
    if report.error is not None:
        lines.append("The run was stopped before its end; the next one goes on from there.")
    quiet = nothing_written(report)
    return [*lines, *([quiet] if quiet else []), line(numbers(report))]


def run_json(report: RunReport) -> dict[str, Any]:
    """The keys of the last line, and nothing else: scripts rely on it."""
    return numbers(report)


def _done(report: RunReport, name: str) -> list[str]:
    count = report.systems.get(name)
    if count is None:
        return ["only read"]
    told = {
        "created": count.created,
        "updated": count.updated,
        "archived": count.archived,
        "refused": count.rejected,
        "left to the next run": count.skipped,
        "unknown (looked up by the next run)": count.unknown,
    }
    return [f"{number:,} {what}" for what, number in told.items() if number] or ["nothing written"]
