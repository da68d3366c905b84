"""What stops a run before the first write. Pure.

Limits are by kind of change, because a thousand filled blanks are a good day and a thousand deletions are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIFTED_BY_YES = frozenset({"first", "mapping", "creates", "fills", "updates", "people"})
"""The guards that `--yes` answers. All others need the approval of a stored plan by its digest."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count`, or this share of the system's linked records, whichever is more."""

    count: int
    share: float

    def allows(self, wanted: int, of: int) -> bool:
        """Whether so many may go through."""
        return wanted <= max(self.count, int(self.share * of))


DEFAULT_LIMITS: Mapping[str, Limit] = {
    "creates": Limit(50, 0.30),
    "fills": Limit(50, 0.30),
    "updates": Limit(50, 0.30),
    "clears": Limit(10, 0.05),
    "archives": Limit(10, 0.05),
    "lowerings": Limit(10, 0.05),
    "people": Limit(100, 0.50),
}
LEFT = 0.1
"""A system that shows less than this share of the records that it had is as good as empty."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One reason not to go on. `by_yes`: `--yes` is answer enough."""

    kind: str
    sentence: str

    @property
    def by_yes(self) -> bool:
        """Whether `--yes` lifts it."""
        return self.kind in LIFTED_BY_YES


@dataclass(frozen=True, slots=True)
class Situation:
    """What the guard weighs. `writes`: (system, kind) -> count; `linked` and `live`: system -> records; `before`: live ones when a run was last applied.

    `written`: people of whom a record would be written anywhere; `people`: all that are known.
    """

    writes: Mapping[tuple[str, str], int]
    linked: Mapping[str, int]
    live: Mapping[str, int]
    before: Mapping[str, int]
    first_run: bool
    mapping_changed: bool
    written: int = 0
    people: int = 0


def weigh(situation: Situation, limits: Mapping[str, Limit] = DEFAULT_LIMITS) -> list[Stop]:
    """Every reason to stop, the gravest first."""
    stops = [
        Stop("empty", f"{system} had {count:,} records and now shows {left or 'none'}: is it the right account, and may the credential still read it?")
        for system, count in sorted(situation.before.items())
        if (left := situation.live.get(system, 0)) < LEFT * count
    ]
    for (system, kind), wanted in sorted(situation.writes.items()):
        limit = limits[kind]
        of = situation.linked.get(system, 0)
        if not limit.allows(wanted, of):
            stops.append(Stop(kind, f"{wanted:,} {kind} in {system}: more than {limit.count} and {limit.share:.0%} of its {of:,} linked records"))
    many = limits["people"]
    if not many.allows(situation.written, situation.people):
        told = f"{situation.written:,} people would be written: more than {many.count} and {many.share:.0%} of the {situation.people:,} that are known"
        stops.append(Stop("people", told))
    if situation.first_run:
        stops.append(Stop("first", "this is the first run of this workspace"))
    elif situation.mapping_changed:
        stops.append(Stop("mapping", "the mapping, funnel or rules changed since the last run"))
    return sorted(stops, key=lambda stop: stop.by_yes)


def limits_from(table: Mapping[str, Any]) -> Mapping[str, Limit]:
    """The limits with those of the configuration's `[guard]` table laid over: `updates = {count = 50, share = 0.3}`."""
    return {**DEFAULT_LIMITS, **{kind: Limit(int(spec["count"]), float(spec["share"])) for kind, spec in table.items()}}
