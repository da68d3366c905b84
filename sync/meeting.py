"""The first meeting of records that nobody knew: what does not need a contest is settled here, field by field. Pure.

Most people of a first sync are plain: one system alone says something, or all say the same. A blank never beats a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..mapping.fields import Field, Silent, Unmappable
from ..mapping.maps import FieldMap
from ..model.records import Value
from .decision import Decision
from .desk import Desk, View
from .merge import Hub
from .owing import owe

_ABSENT: Any = object()


def meet(desk: Desk, decision: Decision, views: Sequence[View]) -> list[Field]:
    """Settle every field that is plain; returns those that several records fill differently, or that cannot be read."""
    contested: list[Field] = []
    for name, field in desk.maps.fields.items():
        if field.policy.kind == "never":
            continue
        told: Value = None
        source: View | None = None
        said: list[View] = []
        blank: list[tuple[View, FieldMap]] = []
        for view in views:
            field_map = view.kind.fields.get(name)
            if field_map is None:
                continue
            seen = view.row.seen
            native = seen.get(field_map.native, _ABSENT)
            if native is None:
                blank.append((view, field_map))
                continue
            if native is _ABSENT:
                continue
            try:
                value = field_map.read(native, seen)
            except Silent:
                said.append(view)  # it agrees with whatever the others say
                continue
            except Unmappable:
                contested.append(field)
                break
            if value is None or (value is False and field.type == "boolean"):
                blank.append((view, field_map))
            elif source is None:
                told, source = value, view
                said.append(view)
            elif value == told:
                said.append(view)
            else:
                contested.append(field)
                break
        else:
            _agree(decision, field, told, source, said, blank)
    for view in views:
        view.agreed.clear()
        view.touched = True
    return contested


def _agree(decision: Decision, field: Field, told: Value, source: View | None, said: Sequence[View], blank: Sequence[tuple[View, FieldMap]]) -> None:
    name = field.name
    if source is None:
        for view in (*said, *(view for view, _ in blank)):
            view.carried[name] = 0
        return
    decision.canonical[name] = [told, 1, source.system.name, source.row.stamp]
    for view in said:
        view.carried[name] = 1
    for view, field_map in blank:
        view.carried[name] = 0
        owe(decision, field, Hub(told, 1, source.system.name), None, view, field_map, f"first seen in {source.system.name}")
