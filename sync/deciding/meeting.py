"""The first meeting of records that nobody knew: what does not need a contest is settled here, field by field. Pure.

Most people of a first sync are plain: one system alone says something, or all say the same. A blank never beats a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...mapping.fields import Field, Silent, Unmappable
from ...mapping.maps import FieldMap, Reader
from ...model.records import Value
from .decision import Decision
from .desk import Desk, View
from .merge import Hub
from .owing import owe

_ABSENT: Any = object()


class Item(NamedTuple):
    """One field that records have in common. `places`: (which record, its native field, reader, map); `boolean`: false is as good as blank."""

    name: str
    field: Field
    boolean: bool
    places: Sequence[tuple[int, str, Reader, FieldMap]]


def meet(desk: Desk, decision: Decision, views: Sequence[View]) -> list[Field]:
    """Settle every field that is plain; returns those that several records fill differently, or that cannot be read."""
    contested: list[Field] = []
    records = [view.row.seen for view in views]
    for name, field, boolean, places in _agenda(desk, views):
        told: Value = None
        source = -1
        said: list[int] = []
        blank: list[tuple[int, FieldMap]] = []
        for index, native_name, read, field_map in places:
            native = records[index].get(native_name, _ABSENT)
            if native is None:
                blank.append((index, field_map))
                continue
            if native is _ABSENT:
                continue
            try:
                value = read(native, records[index])
            except Silent:
                said.append(index)  # it agrees with whatever the others say
                continue
            except Unmappable:
                contested.append(field)
                break
            if value is None or (boolean and value is False):
                blank.append((index, field_map))
            elif source < 0:
                told, source = value, index
                said.append(index)
            elif value == told:
                said.append(index)
            else:
                contested.append(field)
                break
        else:
            version = 0 if source < 0 else 1
            for index in said:
                views[index].carried[name] = version
            for index, _ in blank:
                views[index].carried[name] = 0
            if version:
                _tell(decision, field, told, views[source], [(views[index], field_map) for index, field_map in blank])
    for view in views:
        view.agreed.clear()
        view.touched = True
    return contested


def _agenda(desk: Desk, views: Sequence[View]) -> list[Item]:
    kinds = tuple([f"{view.system.name} {view.kind.kind}" for view in views])
    found = desk.agendas.get(kinds)
    if found is None:
        found = desk.agendas[kinds] = [
            Item(name, field, field.type == "boolean", _places(desk, name, views)) for name, field in desk.maps.fields.items() if field.heard
        ]
    return found


def _places(desk: Desk, name: str, views: Sequence[View]) -> list[tuple[int, str, Reader, FieldMap]]:
    """Those ahead that go first in a tie: of several who say the same, the first is the origin."""
    order = desk.settings.order or {}
    ranked = sorted(enumerate(views), key=lambda each: order.get(each[1].system.name, len(order)))
    maps = [(index, view.kind.fields[name]) for index, view in ranked if name in view.kind.fields]
    return [(index, field_map.native, field_map.read, field_map) for index, field_map in maps]


def _tell(decision: Decision, field: Field, told: Value, source: View, blank: Sequence[tuple[View, FieldMap]]) -> None:
    """The value is known from now on, and whoever has none is owed it."""
    decision.canonical[field.name] = [told, 1, source.system.name, source.row.stamp]
    for view, field_map in blank:
        owe(decision, field, Hub(told, 1, source.system.name), None, view, field_map, f"first seen in {source.system.name}")
