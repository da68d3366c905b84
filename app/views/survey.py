"""What a stored plan amounts to, counted in one walk over its rows: fields, rules, stage moves, calls, and a few examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...sync.deciding.claims import STAGE
from ...sync.sending.companies import Named
from ...sync.session import Session
from .cost import Cost, Reckoning
from .listing import Change, Reader, each_chunk

NOT_ASKED: Mapping[str, Named] = {}
EXAMPLES = 2
"""So many people are shown for each kind of change."""


@dataclass(slots=True)
class Survey:
    """Counts of changes. `fields`: (system, kind of change, field) · `rules`: (rule, field) -> overruled values · `moves`: (system, from, to) of stages.

    `costs`: system -> what writing costs. `examples`: (system, kind) -> the first few.
    """

    fields: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    rules: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    moves: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    costs: dict[str, Cost] = field(default_factory=dict[str, Cost])
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


def survey(session: Session, run: int, companies: Mapping[str, Named] = NOT_ASKED) -> Survey:
    """Walk the plan once. `companies`: what was found of those that it names, by system."""
    found, reader, cost = Survey(), Reader(session.desk), Reckoning(session)
    for rows, records in each_chunk(session, run):
        for row in rows:
            for change in reader.read(row, records):
                found.add(change)
            cost.add(row)
    found.costs = cost.costs()
    found.costs |= {name: found.costs.get(name, Cost()).and_companies(named.calls) for name, named in companies.items()}
    return found
