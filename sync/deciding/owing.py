"""Brings one link up to the hub's version of a field: by a write, or without one where it says the same or cannot be told. Pure."""

from __future__ import annotations

from ...mapping.fields import Field, Silent, Unmappable
from ...mapping.maps import FieldMap
from ...model.records import Value
from .decision import Decision, Hold
from .desk import View
from .merge import Hub, same_value


def owe(decision: Decision, field: Field, hub: Hub, value: Value, view: View, field_map: FieldMap, reason: str) -> None:
    """`value` is what the record says now, in our terms."""
    name, seen = field.name, view.row.seen[field_map.native]
    if not field_map.writable or not view.system.writes or same_value(field, value, hub.value) or (field.policy.kind == "fill" and seen is not None):
        view.carry(name, hub.version)
        return
    try:
        native = field_map.write(hub.value)
    except Silent:
        view.carry(name, hub.version)
        return
    except Unmappable as refusal:
        decision.holds.append(Hold(f"unwritable:{name}:{view.system.name}", name, {"hub": hub.value, view.system.name: seen}, refusal.reason, view.system.name))
        return
    if native == seen or (field_map.blank_is_false and not native and not seen):
        view.carry(name, hub.version)
        return
    if view.holds_back(name, [hub.version, seen]):
        return
    view.owe(name, {field_map.native: native}, seen, native, hub.version, reason or f"owed since version {hub.version}, from {hub.source}")
