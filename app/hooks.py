"""Where posts come in: the doors of all systems that tell us something by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from ..connectors.contract import Telling
from .config import Config
from .web.receiver import Door


def doors(configs: Iterable[Config]) -> list[Door]:
    """One door for each such system of each workspace."""
    return [
        Door(config.workspace, name, hooks, config.listen.public_url)
        for config in configs
        for name, system in config.systems.items()
        if isinstance(system.plugin, Telling) and (hooks := system.plugin.hooks(name, system.settings)) is not None
    ]
