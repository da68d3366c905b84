"""From the configuration to compiled maps, with what the accounts look like or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..connectors.contract import AccountId, SystemDescription
from ..lifecycle.funnel import Funnel
from ..lifecycle.presets import default_funnel
from ..mapping.compile import compile_maps
from ..mapping.maps import Maps, SystemInput
from .system_config import SystemConfig


def compile_for(fields: Mapping[str, Any], systems: Mapping[str, SystemConfig], seen: Mapping[str, tuple[AccountId, SystemDescription]]) -> tuple[Maps, Funnel]:
    """The maps over the accounts as they were `seen`. Raises `ConfigurationError` with all mistakes."""
    funnel = default_funnel()
    given = {name: SystemInput(system.plugin.defaults(), seen[name][1], system.table, seen[name][0].zone, system.region) for name, system in systems.items()}
    return compile_maps(fields, given, stages=funnel.positions, sides=funnel.sides), funnel


def compile_unasked(fields: Mapping[str, Any], systems: Mapping[str, SystemConfig]) -> Maps:
    """The maps as far as they can be judged without the accounts. Raises `ConfigurationError` with the mistakes that show already."""
    funnel = default_funnel()
    given = {name: SystemInput(system.plugin.defaults(), None, system.table, "UTC", system.region) for name, system in systems.items()}
    return compile_maps(fields, given, stages=funnel.positions, sides=funnel.sides)
