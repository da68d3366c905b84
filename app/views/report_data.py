"""The report for programs and spreadsheets: nothing is left out, nothing is rounded but days and shares."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from ...lifecycle.report import Acceptance, Conversion, Days, Part, Report, Volume
from . import words
from .plan_files import cell

_PASSES = ("begun", "again", "worked", "rejected", "recycled")
_VOLUME = ("start", "entered", "left", "end", "met", "observed")
_FATES = ("entered", "on", "rejected", "recycled", "beside", "gone", "waiting", "observed")
_CLOCKS = ("met", "missed", "running")
COLUMNS = (
    *("group", "kind", "id", "label"),
    *_VOLUME,
    *(f"age_{name}" for name in ("median_days", "ninety_days", "observed")),
    *(f"conversion_{name}" for name in (*_FATES, "rate")),
    *(f"velocity_{name}" for name in ("count", "median_days", "ninety_days", "observed")),
    *(f"acceptance_{name}" for name in (*_CLOCKS, "rate")),
    *(f"passes_{name}" for name in _PASSES),
)
"""The columns of the CSV: one line for each place, unit of stages, and everybody, of the whole and of each group."""


def report_json(found: Report, workspace: str) -> dict[str, Any]:
    """One object: `whole`, and where the report is by something `groups`, each with all tables. Times are ISO 8601 in UTC, days and shares are numbers."""
    head = {"workspace": workspace, "funnel": found.funnel.name, "since": words.stamp(found.since), "until": words.stamp(found.until), "by": found.by}
    return {**head, "whole": _part(found.whole), "groups": [{"group": part.group, **_part(part)} for part in found.parts]}


def _part(part: Part) -> dict[str, Any]:
    return {
        "volume": [asdict(row) for row in part.volume],
        "conversion": [{**asdict(row), "rate": _rounded(row.rate)} for row in part.conversion],
        "velocity": [_days(row) for row in part.velocity],
        "age": [_days(row) for row in part.age],
        "acceptance": [{**asdict(row), "rate": _rounded(row.rate)} for row in part.acceptance],
        "passes": asdict(part.passes),
    }


def _days(row: Days) -> dict[str, Any]:
    told = {"id": row.id, "label": row.label, "count": row.count, "observed": row.observed}
    return {**told, "median_days": _rounded(row.median), "ninety_days": _rounded(row.ninety)}


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def report_csv(found: Report) -> str:
    """A table in which every cell is quoted, in UTF-8 with the mark by which spreadsheets know it. What they would run as a formula is text."""
    out = io.StringIO(newline="")
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for group, part in (("(all)", found.whole), *((part.group, part) for part in found.parts)):
        for row in _lines(part):
            told = {"group": group if group is not None else "(not known)", **row}
            writer.writerow([cell(told.get(column)) for column in COLUMNS])
    return out.getvalue()


def _lines(part: Part) -> list[dict[str, Any]]:
    """What is told of one place stands in one line."""
    lines: dict[str, dict[str, Any]] = {}
    for row in part.volume:
        lines[_key(row)] = {"kind": row.kind, "id": row.id, "label": row.label, **{name: getattr(row, name) for name in _VOLUME}}
    ages = {row.id: row for row in part.age}
    for row in lines.values():
        if row["kind"] in ("stage", "side", "none"):
            row.update(_times("age", ages[row["id"]]))
    for conversion, velocity in zip(part.conversion, part.velocity, strict=True):
        line = lines.setdefault(conversion.id, {"kind": "stages", "id": conversion.id, "label": conversion.label})
        line.update(_converted(conversion), velocity_count=velocity.count, **_times("velocity", velocity))
    for clock in part.acceptance:
        lines[clock.id].update(_accepted(clock))
    passes = {"kind": "passes", "id": "", "label": "Passes", **{f"passes_{name}": getattr(part.passes, name) for name in _PASSES}}
    return [*lines.values(), passes]


def _key(row: Volume) -> str:
    return row.id or row.kind


def _times(name: str, row: Days) -> dict[str, Any]:
    return {f"{name}_median_days": _rounded(row.median), f"{name}_ninety_days": _rounded(row.ninety), f"{name}_observed": row.observed}


def _converted(row: Conversion) -> dict[str, Any]:
    return {**{f"conversion_{name}": getattr(row, name) for name in _FATES}, "conversion_rate": _rounded(row.rate)}


def _accepted(row: Acceptance) -> dict[str, Any]:
    return {**{f"acceptance_{name}": getattr(row, name) for name in _CLOCKS}, "acceptance_rate": _rounded(row.rate)}
