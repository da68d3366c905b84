"""Records that are missing: who is made where, with what, and who is not and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...mapping.fields import Silent, Unmappable
from ...mapping.maps import KindMap
from ...model.companies import FIELD as COMPANY
from ...model.records import Native
from .claims import STAGE
from .decision import Creation, Decision, Hold
from .desk import Desk, Link, System
from .parking import for_create, wanted
from .staging import stage_values

KEY = "email"
"""The field by which a new record can be found again; without it none is made."""
HELD_KEY = "its e-mail is held"


def create_missing(desk: Desk, decision: Decision, links: Sequence[Link]) -> None:
    """Plan a record in every system that has none of this person, unless it was deleted there, is excluded, or cannot be found again."""
    if decision.wants or decision.archives or not decision.views:
        return
    retired = set(decision.retired)
    present = {link.account for link in links if link.state in ("new", "linked", "gone", "parked") and link.id not in retired}
    values = decision.values
    for account, system in desk.systems.items():
        if account in present or not system.writes or not system.creates:
            continue
        reason = HELD_KEY if KEY in decision.held else why_not(system, values, decision.stage.stage)
        if reason is not None:
            decision.excluded[system.name] = reason
            continue
        kind = system.map.kinds[system.map.create_kind]
        _create(desk, decision, system, kind)


def why_not(system: System, values: Mapping[str, Any], stage: str | None) -> str | None:
    """Why somebody with these values and at this stage gets no record there; None: they do."""
    if values.get(KEY) is None or KEY not in system.map.kinds[system.map.create_kind].fields:
        return "no e-mail: it could not be found again"
    return system.map.include(values, stage)


def _create(desk: Desk, decision: Decision, system: System, kind: KindMap) -> None:
    held = {hold.field for hold in decision.holds if not hold.about}
    values: dict[str, Native] = {}
    carried: dict[str, int] = {}
    canonical = decision.canonical
    for name, field_map in kind.fields.items():
        entry = canonical.get(name)
        if name in held:
            continue
        version = entry[1] if entry else 0
        if entry is None or entry[0] is None or not field_map.creatable:
            carried[name] = version
            continue
        try:
            native = field_map.write(entry[0])
        except Silent:
            carried[name] = version
            continue
        except Unmappable as refusal:
            decision.holds.append(Hold(f"unwritable:{name}:{system.name}", name, {"hub": entry[0]}, refusal.reason, system.name))
            continue
        values[field_map.native] = native
        carried[name] = version
    if COMPANY in carried and kind.fields[COMPANY].native not in values:
        del carried[COMPANY]  # it is owed a link as soon as its company can be looked for
    if values.get(kind.fields[KEY].native) is None:  # it has no room there (that is held above), or may not be written
        decision.excluded[system.name] = "its e-mail cannot be written there"
        return
    if kind.stage is not None:
        given = stage_values(desk, decision, kind.stage)
        values.update(given)
        if STAGE not in held:
            carried[STAGE] = decision.stage.version
    missing = _complete(kind, values)
    if missing:
        decision.holds.append(Hold(f"required:{missing}:{system.name}", missing, {}, f"{system.name} needs {missing} to create a {kind.kind}", system.name))
        return
    if any(view.holds_back(for_create(system.account), wanted(kind.kind, values)) for view in decision.views):
        decision.excluded[system.name] = "refused there before (`stagesync errors`)"
        return
    decision.creations.append(Creation(system.account, kind.kind, values, carried))


def _complete(kind: KindMap, values: dict[str, Native]) -> str | None:
    """Fill what is required from the configured fallback; the name of what is still missing, or None."""
    for native in kind.create_required:
        if values.get(native) is None:
            fallback = kind.create_fallback.get(native)
            if fallback is None:
                return native
            values[native] = fallback
    return None
