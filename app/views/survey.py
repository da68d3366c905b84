"""What a stored plan amounts to, counted in one walk over its rows: fields, rules, stage moves, calls, and a few examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from ...model.writes import Step
from ...state.actions import ActionRow
from ...sync.session import Session
from ...sync.staging import STAGE
from .listing import Change, each_change, each_chunk

EXAMPLES = 2
"""So many people are shown for each kind of change."""


@dataclass(slots=True)
class Survey:
    """Counts of changes. `fields`: (system, kind of change, field) · `rules`: (rule, field) -> overruled values · `moves`: (system, from, to) of stages.

    `calls`: system -> estimated API calls for writing. `examples`: (system, kind) -> the first few.
    """

    fields: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    rules: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    calls: dict[str, int] = field(default_factory=dict[str, int])
    examples: dict[tuple[str, str], list[Change]] = field(default_factory=dict[tuple[str, str], list[Change]])
    _people: dict[tuple[str, str], set[int]] = field(default_factory=dict[tuple[str, str], set[int]])

    def add(self, change: Change) -> None:
        """Count one change."""
        if change.kind == "overruled":
            self.rules[(change.reason, change.field)] += 1
        elif change.kind != "held":
            self.fields[(change.system, change.kind, change.field)] += 1
            if change.field == STAGE and change.kind != "create":
                self.moves[(change.system, str(change.before or "(blank)"), str(change.after or "(blank)"))] += 1
        if change.kind != "held" and change.person is not None:
            self._keep(change)

    def _keep(self, change: Change) -> None:
        key = (change.system, change.kind)
        people = self._people.setdefault(key, set())
        if len(people) < EXAMPLES or change.person in people:
            people.add(change.person or 0)
            self.examples.setdefault(key, []).append(change)


def survey(session: Session, run: int) -> Survey:
    """Walk the plan once."""
    found = Survey()
    for change in each_change(session, run):
        found.add(change)
    found.calls = _calls(session, run)
    return found


def _calls(session: Session, run: int) -> dict[str, int]:
    """About how many calls the writes cost: each batch once to write, and once to look again before an update."""
    batches: Counter[tuple[int, str, int]] = Counter()
    rereads: Counter[int] = Counter()
    for rows, _ in each_chunk(session, run):
        for row in rows:
            account = row.account or 0
            if row.op not in ("create", "update", "archive") or account not in session.systems:
                continue
            key, size = session.systems[account].connector.capabilities.batch(_step(row))
            batches[(account, key, size)] += 1
            if row.op != "create" and row.step == 1:
                rereads[account] += 1
    calls: dict[str, int] = {}
    for (account, _, size), count in batches.items():
        name = session.systems[account].name
        calls[name] = calls.get(name, 0) + ceil(count / size)
    for account, count in rereads.items():
        connected = session.systems[account]
        calls[connected.name] = calls.get(connected.name, 0) + ceil(count / max(1, connected.connector.capabilities.reread))
    return calls


def _step(row: ActionRow) -> Step:
    values: dict[str, Any] = row.payload["values"]
    operation = row.op if row.op in ("create", "archive") else "update"
    return Step(row.id, row.step, operation, str(row.payload["kind"]), None, values)
