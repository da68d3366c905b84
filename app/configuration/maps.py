"""From the configuration to compiled maps, with what the accounts look like or without."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from ...connectors.contract import AccountId, SystemDescription
from ...lifecycle.presets import crosswalk, default_funnel
from ...mapping.compile import compile_maps
from ...mapping.maps import Maps, SystemInput
from ...mapping.problems import Problems
from .config import Config

Seen = Mapping[str, tuple[AccountId, SystemDescription]]


def compile_for(config: Config, seen: Seen, told: Problems | None = None) -> Maps:
    """The maps over the accounts as they were `seen`. Raises `ConfigurationError` with all mistakes, unless they are `told` to somebody."""
    systems = config.systems.items()
    given = {name: SystemInput(system.plugin.defaults(), seen[name][1], system.table, seen[name][0].zone, system.region) for name, system in systems}
    return _compiled(config, given, told)


def compile_unasked(config: Config) -> Maps:
    """The maps as far as they can be judged without the accounts. Raises `ConfigurationError` with the mistakes that show already."""
    return _compiled(config, {name: SystemInput(system.plugin.defaults(), None, system.table, "UTC", system.region) for name, system in config.systems.items()})


def _compiled(config: Config, given: Mapping[str, SystemInput], told: Problems | None = None) -> Maps:
    """The vendors' default maps speak of the default funnel's stages; the crosswalk says what they are in this one.

    The digest also covers what the funnel and the rules alone decide, so that a changed rule is asked about like a changed map.
    """
    funnel, rules = config.funnel, config.rules
    maps = compile_maps(
        config.fields,
        given,
        stages=funnel.positions,
        sides=funnel.sides,
        groups={name: stages for name, stages in funnel.members.items() if stages},  # one without any is told with the funnel
        alike=crosswalk(funnel, default_funnel()).stages,
        signals=config.signals,
        asked=rules.words if rules is not None else (),
        told=told,
    )
    moves = sorted((place, sorted(following)) for place, following in funnel.moves.items())
    marks = sorted((stage.id, stage.entry, stage.won) for stage in funnel.stages.values())
    decided = json.dumps([maps.digest, moves, marks, sorted(funnel.rejections), sorted(funnel.reentries), *([rules.digest] if rules is not None else [])])
    return replace(maps, digest=hashlib.sha256(decided.encode()).hexdigest()[:16])
