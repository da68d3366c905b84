"""Opt-outs: they stay with the human, whatever becomes of their address and of their records. Pure.

In some systems an opt-out belongs to the address (`KindMap.belongs`): a record that gets another address is mailable again, although nobody said so. So it is
owed again after such a change, and goes before every new address that we write ourselves. In others it belongs to the record, and several may have one
address: then what any of them says counts, and each is told, those too that are set aside as duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...mapping.fields import Field, Unmappable
from ...mapping.maps import FieldMap
from ...model.records import Value
from .creation import KEY
from .decision import Decision, Hold
from .desk import Desk, Link, View
from .merge import Hub
from .owing import owe

UNHEARD = "unheard"
"""The note of a link: the fields in which a record that went into it had opted out, which nobody had heard."""


def owe_anew(desk: Desk, canonical: Mapping[str, list[Any]], views: Sequence[View]) -> None:
    """Before anything is decided: a record whose address somebody changed shows the opt-out of that address, which is nobody's taking back of it.

    A record that has no address yet (we died between taking it the old one and giving it the new one) shows none. Under changed maps also where it could not
    be written until now.
    """
    for view in views:
        for name, key in view.kind.belongs.items():
            mapped, address = view.kind.fields[name], view.kind.fields[key].native
            between = view.seen.get(address) is None and canonical.get(key, [None])[0] is not None
            lost = between or address in view.agreed or (desk.remapped and mapped.native not in view.agreed)
            if lost and name in view.carried and _told(canonical, name) and not _says(view, mapped):
                view.agree(mapped.native)
                view.carry(name, 0)


def follow_addresses(decision: Decision, views: Sequence[View]) -> None:
    """Whoever has opted out takes that along: what is owed a new address is owed the opt-out with it, or the address waits."""
    for view in views:
        for name, key in view.kind.belongs.items():
            address, entry = view.kind.fields[key].native, decision.canonical.get(name)
            if entry is not None and _told(decision.canonical, name) and view.values.get(address) is not None:
                _take_along(decision, view, name, key, entry)


def _take_along(decision: Decision, view: View, name: str, key: str, entry: Sequence[Any]) -> None:
    mapped, seen = view.kind.fields[name], view.seen.get(view.kind.fields[name].native)
    if not mapped.writable and not _says(view, mapped):
        return  # nothing is lost there: it could not be carried before either
    if mapped.writable and name not in decision.held and not view.holds_back(name, [entry[1], seen]):
        native = mapped.write(entry[0])
        view.owe(name, {mapped.native: native}, seen, native, entry[1], "stays with the person at the new address")
        return
    if not mapped.writable:
        why = "who has opted out would be mailable at the new address, since the credential may not opt it out"
        choices = {"hub": decision.canonical[key][0], view.system.name: view.seen.get(view.kind.fields[key].native)}
        decision.holds.append(Hold(f"unwritable:{key}:{view.system.name}", key, choices, why, view.system.name))
    del view.values[view.kind.fields[key].native], view.fields[key]


def hear_the_rest(desk: Desk, decision: Decision, links: Sequence[Link], live: Sequence[View]) -> None:
    """Somebody has opted out in a record that is none of the person's own, and that counts: in one with their address that was set aside as a duplicate, or
    in one that went into another before anybody had heard it."""
    told = [(name, view, "merged record") for view in live for name in view.notes.get(UNHEARD, ())]
    told += [(name, view, "duplicate") for name, _, view in _duplicates(desk, decision, links) if _says(view, view.kind.fields[name]) or _unheard(view, name)]
    for name, view, what in told:
        field, entry = desk.maps.fields.get(name), decision.canonical.get(name)
        if field is not None and field.heard and view.system.reads and not _told(decision.canonical, name):
            version, cause = (entry[1] if entry is not None else 0) + 1, f"a {what} in {view.system.name} says so"
            decision.canonical[name] = [True, version, view.system.name, view.row.stamp]
            decision.changed[name] = [entry[0] if entry is not None else None, True, version, f"{cause}, and an opt-out stays"]
            _owe_all(decision, field, Hub(True, version, view.system.name), cause)
    for view in live:
        if view.notes.pop(UNHEARD, None) is not None:
            view.touched = True


def tell_duplicates(desk: Desk, decision: Decision, links: Sequence[Link]) -> None:
    """Every record with the address is told, though only one of a system is kept the same otherwise."""
    for name, entry, view in _duplicates(desk, decision, links):
        mapped = view.kind.fields[name]
        if entry is None or name in decision.held or not _told(decision.canonical, name) or _says(view, mapped) or not (mapped.writable and view.system.writes):
            continue
        native, seen = mapped.write(entry[0]), view.seen.get(mapped.native)
        if not view.holds_back(name, [entry[1], seen]):
            view.owe(name, {mapped.native: native}, seen, native, entry[1], "every record with the address of whoever has opted out says so")
            decision.views.append(view)


def _duplicates(desk: Desk, decision: Decision, links: Sequence[Link]) -> Iterator[tuple[str, Sequence[Any] | None, View]]:
    """(sticky field, what the hub knows of it, record) of the duplicates that have the person's address."""
    sticky = [name for name, field in desk.maps.fields.items() if field.sticky and field.heard]
    address = decision.canonical.get(KEY, [None])[0]
    for row in links if sticky and address is not None and not decision.wants else ():
        system = desk.systems.get(row.account)
        kind = system.map.kinds.get(row.kind) if system is not None else None
        if system is None or kind is None or row.state != "parked" or (row.claim or {}).get("collided"):
            continue
        view = View(row, system, kind, dict(row.carried), dict(row.agreed), dict(row.claim or ()))
        if KEY in kind.fields and _read(view, kind.fields[KEY]) == address:
            yield from ((name, decision.canonical.get(name), view) for name in sticky if name in kind.fields and kind.fields[name].native in row.seen)


def _unheard(view: View, name: str) -> bool:
    """One that went into it said so, and that was never carried over."""
    return name in view.notes.get(UNHEARD, ()) and name not in view.carried


def _owe_all(decision: Decision, field: Field, hub: Hub, cause: str) -> None:
    for view in decision.views:
        mapped = view.kind.fields.get(field.name)
        if not view.frozen and mapped is not None and mapped.native in view.seen and view.carried.get(field.name) != hub.version:
            owe(decision, field, hub, _read(view, mapped), view, mapped, cause)


def _told(canonical: Mapping[str, list[Any]], name: str) -> bool:
    """The hub knows that they have opted out."""
    return name in canonical and bool(canonical[name][0])


def _says(view: View, mapped: FieldMap) -> bool:
    return bool(_read(view, mapped))


def _read(view: View, mapped: FieldMap) -> Value:
    """What the record says in our terms; what cannot be read says nothing."""
    native = view.seen.get(mapped.native)
    try:
        return mapped.read(native, view.seen) if native is not None else None
    except Unmappable:
        return None
