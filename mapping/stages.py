"""Stage maps: decision tables that read a stage out of several native fields, and write it back.

Where a vendor has no word for a stage, the map names another that is written in its place: reading that back is no claim as long as nobody touched it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..model.records import Native, Values
from ..model.stages import StageReading

NOTHING: Mapping[str, Native] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the read table: where all of `when` hold, it says `stage`, or `side`, or both.

    `when`: native field -> the values of which one must be there; `True` = any but blank (and not false), `False` = blank (or false).
    """

    when: Mapping[str, frozenset[Native] | bool]
    stage: str | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class StageMap:
    """How one kind of record expresses the stage.

    `natives`: all fields that are evidence. `writes`: those that we may write. `lossy`: stages that are written as another one.
    """

    natives: tuple[str, ...]
    writes: frozenset[str]
    lossy: Mapping[str, str] = field(default_factory=dict[str, str])

    def read(self, values: Values) -> StageReading | None:
        """What the record says; None where it makes no claim (blank, `other`, unmapped)."""
        raise NotImplementedError

    def unmapped(self, values: Values) -> str | None:
        """`field=value` where a value stands that nobody mapped."""
        raise NotImplementedError

    def write(self, stage: str | None, side: str | None, reason: str | None, values: Values = NOTHING) -> Mapping[str, Native] | None:
        """What must be written so that the record says this; only what differs from its present `values` (none: a create).

        Empty: it says so already. None: this kind cannot express it, or the record is closed (a converted Lead).
        """
        raise NotImplementedError
