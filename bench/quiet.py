"""A run in which nothing has changed and no overlap window is open."""

from __future__ import annotations

from collections.abc import Iterator

from .box import box
from .table import Line

CALLS = {"hubspot": 4, "salesforce": 7}
OWN_S = 1.0


def measure(sizes: tuple[int, ...]) -> Iterator[Line]:
    """Lines about a quiet run, for each number of people; all of them are in both systems."""
    counted: list[dict[str, int]] = []
    for people in sizes:
        with box(people, 1.0) as worlds:
            worlds.run()
            worlds.later()
            worlds.run()
            worlds.later()
            worlds.calls()
            ran = worlds.run()
            calls = worlds.calls()
        if ran["writes"] or ran["people"]:
            raise RuntimeError(f"the quiet run was not quiet: {ran}")
        counted.append(calls)
        told = ", ".join(f"{count} {system}" for system, count in calls.items())
        yield Line(f"quiet run, {people:,} people: calls", told, "<= 4 HubSpot, 7 Salesforce", all(calls[system] <= most for system, most in CALLS.items()))
        yield Line("  own CPU of the run", f"{ran['engine_cpu_s']:.3f} s", f"< {OWN_S:.0f} s", ran["engine_cpu_s"] < OWN_S)
        yield Line("  with the start of the program", f"{ran['cpu_s']:.2f} s")
    same = all(each == counted[0] for each in counted)
    yield Line("  the same calls at each size", "yes" if same else "no", "yes", same)
