"""Looks into some records of the source for what nobody mapped: fields of the account that people fill in, and that would stay behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...connectors.contract import FieldDescription, SystemDescription
from ...model.records import Present, Ref
from ..session import Session
from .pair import Pair, each_live
from .spread import Spread

SAMPLE = 500
"""So many records of each kind are looked into."""


class Unmapped(NamedTuple):
    """A field that nobody mapped. `filled`: of `of` records that were looked into."""

    kind: str
    native: str
    label: str
    filled: int
    of: int


def unmapped_fields(session: Session, pair: Pair, description: SystemDescription) -> list[Unmapped]:
    """Fields that people may fill in and some did, the fullest first. Raises what the connector raises."""
    if not pair.source.system.looks:
        return []
    refs = _spread(session, pair)
    return sorted(_each(pair, description, refs), key=lambda each: (-each.filled / each.of, each.kind, each.native))


def _each(pair: Pair, description: SystemDescription, refs: dict[str, list[Ref]]) -> Iterator[Unmapped]:
    for kind, mapped in pair.source.system.map.kinds.items():
        described = description.kinds.get(kind)
        known = set(mapped.asks)
        names = [name for name, each in described.fields.items() if name not in known and _of_people(each)] if described is not None else []
        if described is None or not names or not refs.get(kind):
            continue
        filled: Counter[str] = Counter()
        read = 0
        for answer in pair.source.connector.fetch(refs[kind], {kind: tuple(names)}):
            if isinstance(answer, Present):
                read += 1
                filled.update(name for name in names if answer.record.values.get(name) not in (None, False))
        yield from (Unmapped(kind, name, described.fields[name].label, count, read) for name, count in filled.items())


def _of_people(each: FieldDescription) -> bool:
    """What the vendor computes or keeps for itself is nobody's to bring along."""
    return each.writable and each.type not in ("other", "reference")


def _spread(session: Session, pair: Pair) -> dict[str, list[Ref]]:
    """Records of each kind, spread over all that there are."""
    found: dict[str, Spread[Ref]] = {}
    for rows in each_live(session, pair.source):
        for row in rows:
            found.setdefault(row.kind, Spread(SAMPLE)).add(row.address)
    return {kind: spread.chosen for kind, spread in found.items()}
