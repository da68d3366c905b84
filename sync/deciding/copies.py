"""Whether a second record of somebody in a system says anything else than the one that is written. Pure.

One that does not is a copy: whoever it is, nothing is lost when it is left alone. Names may be spelled in another way, in part, or swapped. An opt-out is
heard from every record with the person's address, so it is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...mapping.fields import Field, Unmappable
from ...mapping.maps import KindMap
from ...mapping.names import agree
from ...model.records import Value
from .claims import STAGE, words_of
from .desk import Desk, Link

_NAMES = ("first_name", "last_name")


def unlike(desk: Desk, best: Link, other: Link) -> dict[str, tuple[Value, Value]]:
    """Field -> what the best one says, and what the other one of the same system says, where they do not say the same."""
    mine, theirs = _told(desk, best), _told(desk, other)
    found = {name: (mine.get(name), theirs.get(name)) for name in (*desk.maps.fields, STAGE) if mine.get(name) != theirs.get(name)}
    if agree(_name(mine), _name(theirs)):
        for name in _NAMES:
            found.pop(name, None)
    return found


def _told(desk: Desk, row: Link) -> dict[str, Any]:
    """What a record says, without what it leaves blank. What cannot be read says itself."""
    kind = desk.systems[row.account].map.kinds[row.kind]
    told = {name: value for name in kind.fields if _counts(desk.maps.fields[name]) and (value := _read(kind, name, row.seen)) not in (None, False)}
    reading = kind.stage.read(row.seen) if kind.stage is not None else None
    return told if reading is None else {**told, STAGE: words_of(reading)}


def _counts(field: Field) -> bool:
    return field.heard and not field.sticky


def _read(kind: KindMap, name: str, seen: Mapping[str, Any]) -> Any:
    native = seen.get(kind.fields[name].native)
    try:
        return None if native is None else kind.fields[name].read(native, seen)
    except Unmappable:
        return native


def _name(told: Mapping[str, Any]) -> tuple[str, str]:
    first, last = (str(told.get(name) or "") for name in _NAMES)
    return first, last
