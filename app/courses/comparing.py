"""What only shows when maps and accounts are laid side by side: stage values nobody mapped, an order that differs, choices that the other lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...connectors.contract import FieldDescription, SystemDescription
from ...lifecycle.funnel import Funnel
from ...mapping.fields import Unmappable
from ...mapping.maps import FieldMap, KindMap, Maps
from ...model.records import Value

SHOWN = 5
Descriptions = Mapping[str, SystemDescription]


def unmapped_stages(maps: Maps, accounts: Descriptions) -> Iterator[str]:
    """Values of stage fields that mean nothing to the funnel."""
    for where, native, described, kind in _stage_fields(maps, accounts):
        stage = kind.stage
        values = [option.value for option in described.options if option.active and stage is not None and stage.unmapped({native: option.value})]
        if values:
            system, name = where.split()
            cure = f"map them in [systems.{system}.stages.{name}]"
            yield f"{where}: {native} has values that nobody mapped: {_some(values)}; people with them keep their stage, or {cure}"


def stage_order(maps: Maps, accounts: Descriptions, funnel: Funnel) -> Iterator[str]:
    """Pairs of stages that the account orders the other way around than the funnel."""
    for where, native, described, kind in _stage_fields(maps, accounts):
        furthest, label = -1, ""
        for option in sorted((option for option in described.options if option.active), key=lambda option: option.order):
            reading = kind.stage.read({native: option.value}) if kind.stage is not None else None
            if reading is None or reading.stage is None or reading.side is not None:
                continue
            position = funnel.position(reading.stage)
            if position < furthest:
                yield f"{where}: {native} orders {label!r} before {option.label!r}, the funnel {funnel.name!r} the other way around (funnel.line)"
            else:
                furthest, label = position, option.label


def missing_options(maps: Maps, accounts: Descriptions) -> Iterator[str]:
    """Choices of one system that another has no option for: people with them are held for that field."""
    for name, field in maps.fields.items():
        if field.type not in ("choice", "multichoice"):
            continue
        carried = [(system, kind, kind.fields[name]) for system, table in maps.systems.items() for kind in table.kinds.values() if name in kind.fields]
        for system, kind, source in carried:
            described = accounts[system].kinds[kind.kind].fields.get(source.native)
            for other, other_kind, target in carried:
                if described is None or other == system or not target.writable:
                    continue
                missing = [option.label for option in described.options if option.active and not _fits(option.value, source, target)]
                if missing:
                    yield f"{other} {other_kind.kind}: {target.native} has no value for these of {system} ({name}), such people are held: {_some(missing)}"


def _stage_fields(maps: Maps, accounts: Descriptions) -> Iterator[tuple[str, str, FieldDescription, KindMap]]:
    for system, table in maps.systems.items():
        for kind in table.kinds.values():
            for native in kind.stage.writes if kind.stage is not None else ():
                described = accounts[system].kinds[kind.kind].fields.get(native)
                if described is not None and described.options:
                    yield f"{system} {kind.kind}", native, described, kind


def _fits(value: str, source: FieldMap, target: FieldMap) -> bool:
    try:
        canonical: Value = source.read(value, {})
    except Unmappable:
        return True
    try:
        target.write(canonical)
    except Unmappable:
        return False
    return True


def _some(values: list[str]) -> str:
    rest = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + rest
