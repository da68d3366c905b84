"""What a stored plan amounts to, counted in one walk over its rows: fields, rules, stage moves, calls, and a few examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from ...model.writes import Step
from ...state.actions import ActionRow
from ...sync.claims import STAGE
from ...sync.session import Session
from .listing import Change, Reader, each_chunk

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
    found, reader, cost = Survey(), Reader(session.desk), _Cost(session)
    for rows, records in each_chunk(session, run):
        for row in rows:
            for change in reader.read(row, records):
                found.add(change)
            cost.add(row)
    found.calls = cost.calls()
    return found


@dataclass(slots=True)
class _Cost:
    """About how many calls the writes take: each batch once to write, and once to look again before an update."""

    session: Session
    batches: Counter[tuple[int, str, int]] = field(default_factory=Counter[tuple[int, str, int]])
    rereads: Counter[int] = field(default_factory=Counter[int])

    def add(self, row: ActionRow) -> None:
        account = row.account or 0
        if row.op not in ("create", "update", "archive") or account not in self.session.systems:
            return
        key, size = self.session.systems[account].connector.capabilities.batch(_step(row))
        self.batches[(account, f"{row.step}:{key}", size)] += 1
        if row.op != "create" and row.step == 1:
            self.rereads[account] += 1

    def calls(self) -> dict[str, int]:
        told: dict[str, int] = {}
        for (account, _, size), count in self.batches.items():
            name = self.session.systems[account].name
            told[name] = told.get(name, 0) + ceil(count / size)
        for account, count in self.rereads.items():
            connected = self.session.systems[account]
            told[connected.name] = told.get(connected.name, 0) + ceil(count / max(1, connected.connector.capabilities.reread))
        return told


def _step(row: ActionRow) -> Step:
    values: dict[str, Any] = row.payload["values"]
    operation = row.op if row.op in ("create", "archive") else "update"
    return Step(row.id, row.step, operation, str(row.payload["kind"]), None, values)
