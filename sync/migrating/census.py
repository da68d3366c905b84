"""Counts what the source holds, from the records as they were read: how full each field is, what would not arrive as it is, and who is at which stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...mapping.fields import Silent, Unmappable
from ...mapping.maps import FieldMap, KindMap
from ...mapping.stages import StageMap
from ...model.records import Native, Value, Values
from ..session import Session
from .pair import Pair, each_live

REASONS = 200
"""So many different troubles of one field are told apart; the rest is counted as one."""
OTHERS = "other values of this field, each rare"


@dataclass(slots=True)
class Column:
    """One mapped field, `name`, of one kind of record. `arrives`: the target has a field for it that may be set in a new record.

    `filled`: records with a value; `shortened`: those whose value the target stores only in part; `troubles`: why a value cannot be stored there -> records.
    """

    kind: str
    name: str
    native: str
    arrives: bool
    records: int = 0
    filled: int = 0
    shortened: int = 0
    longest: int = 0
    troubles: Counter[str] = field(default_factory=Counter[str])

    def trouble(self, reason: str) -> None:
        """One more record whose value does not arrive."""
        self.troubles[reason if reason in self.troubles or len(self.troubles) < REASONS else OTHERS] += 1


class Standing(NamedTuple):
    """Where records of the source stand: what they say there, and what that means. `stage` and `side` None: it says nothing."""

    kind: str
    said: str
    stage: str | None
    side: str | None
    mapped: bool


@dataclass(slots=True)
class Census:
    """What the source holds. `records`: by kind; `columns`: by (kind, field); `standings`: how many stand where."""

    records: Counter[str] = field(default_factory=Counter[str])
    columns: dict[tuple[str, str], Column] = field(default_factory=dict[tuple[str, str], Column])
    standings: Counter[Standing] = field(default_factory=Counter[Standing])


def census(session: Session, pair: Pair) -> Census:
    """Walk over all records of the source, as they were last read. Memory does not grow with their number."""
    found = Census()
    kinds, goal = pair.source.system.map.kinds, pair.goal.map.kinds[pair.goal.map.create_kind]
    for rows in each_live(session, pair.source):
        for row in rows:
            kind = kinds.get(row.kind)
            if kind is None:
                continue
            found.records[row.kind] += 1
            for name, mapped in kind.fields.items():
                column = found.columns.get((row.kind, name))
                if column is None:
                    column = found.columns[row.kind, name] = Column(row.kind, name, mapped.native, _arrives(goal, name))
                _look(column, mapped, goal.fields.get(name), row.seen)
            if kind.stage is not None:
                found.standings[_standing(kind, kind.stage, row.seen)] += 1
        session.progress("counting", found.records.total())
    return found


def _arrives(goal: KindMap, name: str) -> bool:
    return name in goal.fields and goal.fields[name].creatable


def _look(column: Column, mapped: FieldMap, there: FieldMap | None, seen: Values) -> None:
    column.records += 1
    native = seen.get(mapped.native)
    if native is None or native is False:
        return
    column.filled += 1
    column.longest = max(column.longest, len(native) if isinstance(native, str) else 0)
    try:
        value = mapped.read(native, seen)
    except Silent:
        return
    except Unmappable as refusal:
        column.trouble(f"cannot be understood: {refusal.reason}")
        return
    if there is None or value is None or not column.arrives:
        return
    try:
        stored = there.write(value)
    except Silent as silence:
        column.trouble(silence.reason)
    except Unmappable as refusal:
        column.trouble(refusal.reason)
    else:
        column.shortened += there.lossy and _in_part(value, stored)


def _in_part(value: Value, stored: Native) -> bool:
    """Text that was cut off; a moment to the second or a rounded number is told by the field, not by each record."""
    return isinstance(value, str) and isinstance(stored, str) and len(stored) < len(value) and value.startswith(stored[:1]) and "T" not in value[10:11]


def _standing(kind: KindMap, stage: StageMap, seen: Values) -> Standing:
    said = stage.said(seen)
    reading = stage.read(seen)
    mapped = stage.unmapped(seen) is None
    if reading is not None and not said:
        said = "told by related records"
    if reading is None:
        return Standing(kind.kind, said, None, None, mapped)
    return Standing(kind.kind, said, reading.stage, reading.side, mapped)


def written_for(goal: KindMap, stage: str | None, side: str | None) -> tuple[Mapping[str, Native], bool] | None:
    """What a new record of the target is given for a place, and whether that says the place itself; None where it can say nothing of the kind."""
    if goal.stage is None or (stage is None and side is None):
        return None
    written = goal.stage.write(stage, side, None)
    if not written:
        return None
    back = goal.stage.read(written)
    return written, back is not None and back.stage in (stage, None) and back.side == side and (back.stage == stage or side is not None)
