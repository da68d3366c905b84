"""From the configuration to compiled maps, with what the accounts look like or without."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..connectors.contract import AccountId, SystemDescription
from ..lifecycle.funnel import Funnel
from ..lifecycle.presets import crosswalk, default_funnel
from ..mapping.compile import compile_maps
from ..mapping.maps import Maps, SystemInput
from .system_config import SystemConfig

Seen = Mapping[str, tuple[AccountId, SystemDescription]]


def compile_for(funnel: Funnel, fields: Mapping[str, Any], systems: Mapping[str, SystemConfig], seen: Seen) -> Maps:
    """The maps over the accounts as they were `seen`. Raises `ConfigurationError` with all mistakes."""
    given = {name: SystemInput(system.plugin.defaults(), seen[name][1], system.table, seen[name][0].zone, system.region) for name, system in systems.items()}
    return _compiled(funnel, fields, given)


def compile_unasked(funnel: Funnel, fields: Mapping[str, Any], systems: Mapping[str, SystemConfig]) -> Maps:
    """The maps as far as they can be judged without the accounts. Raises `ConfigurationError` with the mistakes that show already."""
    given = {name: SystemInput(system.plugin.defaults(), None, system.table, "UTC", system.region) for name, system in systems.items()}
    return _compiled(funnel, fields, given)


def _compiled(funnel: Funnel, fields: Mapping[str, Any], given: Mapping[str, SystemInput]) -> Maps:
    """The vendors' default maps speak of the default funnel's stages; the crosswalk says what they are in this one.

    The digest also covers what the funnel alone decides, so that a changed rule is asked about like a changed map.
    """
    alike = crosswalk(funnel, default_funnel()).stages
    maps = compile_maps(fields, given, stages=funnel.positions, sides=funnel.sides, groups=funnel.members, alike=alike)
    moves = sorted((place, sorted(following)) for place, following in funnel.moves.items())
    rules = json.dumps([maps.digest, moves, sorted(funnel.rejections), sorted(funnel.reentries)])
    return replace(maps, digest=hashlib.sha256(rules.encode()).hexdigest()[:16])
