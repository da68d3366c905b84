"""`stagesync runs`: the latest runs, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...state import runs
from ...state.runs import RunRow
from ...state.store import Tx
from . import words

_STATES: Mapping[str, str] = {
    "running": "under way",
    "applying": "under way, writing",
    "planned": "planned, waits for approval",
    "superseded": "planned, never applied",
    "applied": "done",
    "stopped": "stopped before its end",
    "broken": "broken off",
}


def runs_text(tx: Tx, workspace: int, number: int = 20) -> list[str]:
    """The newest runs first, as an aligned table."""
    found = runs.recent(tx, workspace, number)
    if not found:
        return ["There was no run yet: `stagesync sync` makes the first."]
    head = ("run", "started (UTC)", "took", "what became of it", "what it did")
    return words.table([head, *((str(row.id), words.moment(row.started_at), took(row), state(row), did(row)) for row in found)], 0)


def runs_json(tx: Tx, workspace: int, number: int = 20) -> dict[str, Any]:
    """The same as one object."""
    return {"runs": [run_row_json(row) for row in runs.recent(tx, workspace, number)]}


def run_row_json(row: RunRow) -> dict[str, Any]:
    """One run."""
    return {
        "run": row.id,
        "kind": row.kind,
        "state": row.state,
        "started": words.stamp(row.started_at),
        "finished": words.stamp(row.finished_at),
        "digest": row.digest,
        "counts": row.counts,
    }


def state(row: RunRow) -> str:
    """What became of it, in words."""
    return _STATES.get(row.state, row.state)


def took(row: RunRow) -> str:
    """How long it took."""
    return "" if row.finished_at is None else f"{max(row.finished_at - row.started_at, 0) / 1000:,.1f} s"


def did(row: RunRow) -> str:
    """What it wrote, or would have written."""
    counts = row.counts
    if "created" in counts:
        told = [f"{counts[key]:,} {key}" for key in ("created", "updated", "archived", "rejected") if counts.get(key)] or ["0 writes"]
    else:
        planned: Sequence[Sequence[Any]] = [entry for entry in counts.get("writes", ()) if entry[1] != "lowerings"]
        total = sum(int(entry[2]) for entry in planned)
        told = [f"{words.count(total, 'write')} planned"] if row.digest else []
    if "undoes" in counts:
        told[:1] = [": ".join([f"undo of run {counts['undoes']}", *told[:1]])]
    if counts.get("refused"):
        told.append(f"{sum(int(count) for *_, count in counts['refused']):,} not undone")
    if counts.get("new_holds"):
        told.append(f"{counts['new_holds']:,} newly held")
    if counts.get("overruled"):
        told.append(f"{counts['overruled']:,} overruled")
    return ", ".join(told)
