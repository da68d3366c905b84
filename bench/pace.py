"""How much of HubSpot's limit a run uses, wherever the vendor stands.

Everybody is in Salesforce alone, and is made in HubSpot, which allows 190 calls in ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .box import Box, box
from .table import Line

_A_SECOND = 19.0
_SHARE = 0.85


def measure(people: int, latencies: Sequence[float]) -> Iterator[Line]:
    """A line for each latency, in seconds: so many people are written through the whole engine, and all are read by the connector alone."""
    for latency in latencies:
        with box(people, 0.0) as worlds:
            _paced(worlds)
            if latency:
                worlds.hand("hubspot", "faults", {"kind": "delay", "seconds": latency, "times": 1_000_000})
            ran = worlds.run()
            wrote = ran["sending"]["hubspot"]
            read = worlds.run("read")["systems"]["hubspot"]
        far = f"{latency * 1000:.0f} ms away"
        yield _line(f"writing {people:,} contacts, {far}", wrote["calls"] / wrote["seconds"])
        yield _line(f"reading {read['records']:,} contacts, {far}", read["records"] / 100 / read["seconds"])


def _paced(worlds: Box) -> None:
    """As with the real HubSpot: its limit, and our own below it. A sandbox's configuration has none."""
    worlds.hand("hubspot", "hands/habits", {"rate_limit": True})
    lines = worlds.config.read_text().splitlines()
    worlds.config.write_text("".join(f"{line}\n" for line in lines if not line.startswith("calls_per_10s")))


def _line(what: str, rate: float) -> Line:
    share = rate / _A_SECOND
    return Line(what, f"{rate:.1f} calls a second, {share:.0%} of the limit", f">= {_SHARE:.0%}", share >= _SHARE)
