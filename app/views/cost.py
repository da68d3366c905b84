"""What the writes of a plan cost: API calls, by which way they go, and how long a vendor's limit makes them last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from ...model.writes import Operation, Step
from ...state import actions
from ...state.actions import ActionRow
from ...sync.session import Session
from . import words


@dataclass(frozen=True, slots=True)
class Cost:
    """About what the writes to one system take. `bulk`: so many of them go by `jobs` of the vendor's own, `plain` by calls like any other.

    `companies`: so many of the calls look for companies, or make them. `rate`: so many calls a second is the pace that we keep; None: they are not paced.
    `why`: there are jobs for want of calls.
    """

    calls: int = 0
    bulk: int = 0
    jobs: int = 0
    plain: int = 0
    rate: float | None = None
    companies: int = 0
    why: str = ""

    @property
    def seconds(self) -> float | None:
        """What the pace makes of the calls; None where they are not paced."""
        return self.calls / self.rate if self.rate is not None else None

    def and_companies(self, calls: int) -> Cost:
        """With so many calls for companies."""
        return replace(self, calls=self.calls + calls, companies=calls)

    def ways(self) -> str:
        """How many go which way; empty where nothing is written."""
        by_jobs = f"{self.bulk:,} by {words.count(self.jobs, 'bulk job')}" if self.jobs else ""
        by_calls = f"{self.plain:,} by calls" if self.plain else ""
        return " and ".join(each for each in (by_jobs, by_calls) if each) + (f", {self.why}" if self.why else "")

    def text(self) -> str:
        """In words; empty where nothing is written."""
        if not self.calls:
            return ""
        told = f"about {words.count(self.calls, 'API call')}"
        if self.companies:
            told += f", {self.companies:,} of them for companies"
        if self.jobs:
            told += f"; {words.count(self.bulk, 'of them goes', 'of the writes go')} by {words.count(self.jobs, 'bulk job')}"
        if self.why:
            told += f", {self.why}"
        if self.seconds is not None and self.rate is not None and self.seconds >= 1:
            told += f", {_lasting(self.seconds)} at {self.rate:.0f} a second"
        return told


def _lasting(seconds: float) -> str:
    return f"{ceil(seconds)} s" if seconds < 120 else words.span(round(seconds * 1000))


@dataclass(slots=True)
class Reckoning:
    """Counts the rows of a plan: each request once to write, and once to look again before an update."""

    session: Session
    _rows: Counter[tuple[int, Operation, str, int]] = field(default_factory=Counter[tuple[int, Operation, str, int]])
    _rereads: Counter[int] = field(default_factory=Counter[int])
    _beside: Counter[int] = field(default_factory=Counter[int])

    def add(self, row: ActionRow) -> None:
        """One row more."""
        account = row.account or 0
        if row.op not in actions.WRITES or account not in self.session.systems:
            return
        can, step = self.session.systems[account].connector.capabilities, _step(row)
        key, size = can.batch(step)
        self._rows[(account, step.operation, f"{row.step}:{key}", size)] += 1
        self._beside[account] += can.beside(step)
        if row.op != "create" and row.step == 1:
            self._rereads[account] += 1

    def costs(self) -> dict[str, Cost]:
        """System -> what its writes cost, of those that are written."""
        accounts = dict.fromkeys(account for account, *_ in self._rows)
        return {self.session.systems[account].name: self._cost(account) for account in accounts}

    def _cost(self, account: int) -> Cost:
        can = self.session.systems[account].connector.capabilities
        calls = ceil(self._rereads[account] / max(1, can.reread)) + self._beside[account]
        jobs = by_job = plain = 0
        why = ""
        for (whose, op, _, size), rows in self._rows.items():
            if whose != account:
                continue
            if can.bulk is not None and can.bulk.pays(op, rows):
                by_job += rows
                jobs += ceil(rows / can.bulk.most)
                why = f"since by calls like any other they would take about {ceil(rows / size):,}, and {can.bulk.why}" if can.bulk.why else ""
            else:
                plain += rows
                calls += ceil(rows / size)
        calls += jobs * can.bulk.calls if can.bulk is not None else 0
        rate = can.pace.calls / can.pace.seconds if can.pace is not None else None
        return Cost(calls, by_job, jobs, plain, rate, why=why)


def _step(row: ActionRow) -> Step:
    values: dict[str, Any] = row.payload["values"]
    operation = row.op if row.op in ("create", "archive") else "update"
    return Step(row.id, row.step, operation, str(row.payload["kind"]), None, values, row.payload.get("address"))
