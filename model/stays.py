"""One row of the ledger as it is counted: a person's stay in a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

When: TypeAlias = Literal["before", "in", "after"]
"""Where a moment is beside a period."""
GONE = "(gone)"
"""The place of whoever has no record left: nothing that a funnel may call a stage."""


@dataclass(frozen=True, slots=True, eq=False)
class StayKind:
    """What a stay is beside who stayed and since when: there are few, and millions of rows share them, so that each is known by itself.

    `place`: a stage, or the side state (`beside`) where there is one; None for neither, and for what the funnel has not; or `GONE`. `observed`: the vendor did
    not tell when it began. `first`: the person stood there when we met. `clock`: whether the person was accepted in time, where entering the place
    called for that; "missed" also while the answer is overdue. `began`, `ended`: before, in, or after the period; a stay that lasts ends after it.
    """

    pass_no: int
    place: str | None
    beside: bool
    observed: bool
    first: bool
    clock: Literal["met", "missed", "running"] | None
    began: When
    ended: When


class Stay(NamedTuple):
    """One stay. `kind`: the number of its kind. `start`: milliseconds since 1970. `group`: that of the person when it began."""

    person: int
    kind: int
    start: int
    group: str | None
