"""A first sync: read both sides, match, merge, decide, plan, journal, write, read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .box import box
from .table import Line
from .upsert import upsert_us

OVERLAP = 0.6
TARGET_US, STATE_TARGET_US, RATIO, MEMORY_MB = 250, 120, 50, 250


def measure(people_each: int) -> Iterator[Line]:
    """Lines about a first sync of so many people on each side, six of ten in both."""
    with box(people_each, OVERLAP) as worlds:
        ran = worlds.run()
        calls = worlds.calls()
        upsert = upsert_us(worlds.database)
        again = worlds.run()
        calls_again = worlds.calls()
    people, created = ran["people"], ran["created"]
    # Among very many people, some have an address for which Salesforce has no room: they are held.
    if ran["rejected"] or created + ran["held"] != round(2 * people_each * (1 - OVERLAP)):
        raise RuntimeError(f"the first sync did not do what it should: {ran}")
    name = f"first sync, {people:,} people, {created:,} creates"
    us = ran["cpu_s"] / people * 1e6
    yield Line(f"{name}: CPU per person", f"{us:.0f} us", f"target {TARGET_US}")
    yield Line("  of that the start of the program", f"{(ran['cpu_s'] - ran['engine_cpu_s']) / people * 1e6:.0f} us")
    yield Line("  of that the state", f"{ran['state_cpu_s'] / people * 1e6:.0f} us", f"target {STATE_TARGET_US}")
    yield Line("  one driver upsert of a link, same run", f"{upsert:.1f} us")
    yield Line("  ratio", f"{us / upsert:.1f} x", f"<= {RATIO}", us <= RATIO * upsert)
    yield Line("  peak memory", f"{ran['peak_mb']:.0f} MB", f"< {MEMORY_MB}", ran["peak_mb"] < MEMORY_MB)
    yield Line("  API calls", _told(calls))
    what = f"{again['writes']} writes, {_told(calls_again)}, {again['engine_cpu_s']:.2f} s CPU"
    yield Line("  a run right behind it reads its writes once more", what, "0 writes", again["writes"] == 0)


def _told(calls: Mapping[str, int]) -> str:
    return f"{calls['hubspot']:,} HubSpot, {calls['salesforce']:,} Salesforce"
