"""What a migration costs in API calls and minutes, by the vendors' editions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from ...connectors.contract import Tier
from ...sync.engine import PlanReport
from ...sync.migrating.pair import Pair
from ...sync.session import Connected, Session
from ..views.cost import Cost as Writing
from ..views.survey import survey as plan_survey


@dataclass(frozen=True, slots=True)
class Bill:
    """What one edition makes of the calls of one system. `minutes`: at least so many; `days`: of its daily quota."""

    tier: str
    minutes: float
    days: int


@dataclass(frozen=True, slots=True)
class Cost:
    """One system's calls by what they are for. `call_s`: seconds that one call took in this survey; `writing`: which way the writes go."""

    system: str
    calls: Mapping[str, int]
    call_s: float
    bills: tuple[Bill, ...]
    writing: Writing

    @property
    def total(self) -> int:
        """All of its calls."""
        return sum(self.calls.values())


def costs(session: Session, pair: Pair, planned: PlanReport, read: Mapping[str, int], records: int, companies: int) -> Iterator[Cost]:
    """`read`: system -> the calls that it took to read all of it, which the proof at the end will do once more. `records`: of the source.

    `companies`: what it takes to look for companies in the target, and to make them.
    """
    writing = plan_survey(session, planned.run).costs
    reach = pair.source.connector.capabilities.history
    histories = {pair.source.name: ceil(records / reach) if reach else 0}
    for connected in pair:
        usage, written = connected.connector.usage(), writing.get(connected.name, Writing())
        calls = {
            "writing": written.calls,
            "companies": companies if connected is pair.target else 0,
            "histories": histories.get(connected.name, 0),
            "verify": read.get(connected.name, 0),
        }
        calls = {name: count for name, count in calls.items() if count}
        call_s = usage.vendor_s / usage.calls if usage.calls else 0.0
        yield Cost(connected.name, calls, call_s, tuple(_bills(connected, sum(calls.values()), call_s)), written)


def _bills(connected: Connected, calls: int, call_s: float) -> Iterator[Bill]:
    capabilities = connected.connector.capabilities
    return (_bill(tier, calls, call_s / capabilities.abreast) for tier in capabilities.tiers)


def _bill(tier: Tier, calls: int, call_s: float) -> Bill:
    """Calls take as long as the vendor takes for them, less where several are under way at once; the rate is the most that anybody gets."""
    paced = calls * tier.rate.seconds / tier.rate.calls if tier.rate is not None else 0.0
    return Bill(tier.name, max(paced, calls * call_s) / 60, ceil(calls / tier.day))
