"""Which configurations are meant by files and folders on the command line, each read by itself: one that is broken is told and stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...model.errors import ConfigurationError
from ..configuration.config import Config
from ..configuration.loading import config_path, load
from ..shadows import shadow_of


@dataclass(frozen=True, slots=True)
class Found:
    """The configurations that can be used, and what is wrong with each of the others."""

    configs: tuple[Config, ...]
    broken: tuple[tuple[Path, ConfigurationError], ...]


def find(given: Sequence[Path], *, shadow: bool = False) -> Found:
    """Every file that is named, and every `*.toml` of a folder that is; without any, the file that all commands mean. `shadow`: the shadow of each.

    Raises `ConfigurationError` for a folder without one, and for two files that mean one workspace.
    """
    configs: list[Config] = []
    broken: list[tuple[Path, ConfigurationError]] = []
    for path in dict.fromkeys(path for each in given or [config_path(None)] for path in _files(each)):
        try:
            config = load(path)
            configs.append(shadow_of(config) if shadow else config)
        except ConfigurationError as error:
            broken.append((path, error))
    _different(configs)
    return Found(tuple(configs), tuple(broken))


def one_service(configs: Sequence[Config]) -> None:
    """Raises `ConfigurationError` for two workspaces of one name, in two states: metrics and the addresses of webhooks tell workspaces by their names."""
    met: dict[str, Config] = {}
    for config in configs:
        other = met.setdefault(config.workspace, config)
        if other is not config:
            raise ConfigurationError(
                f"{other.path} and {config.path} have workspaces of one name, {config.workspace!r}", where="serve", next_step="run a service for each of them"
            )


def _files(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    found = sorted(given.glob("*.toml"))
    if not found:
        raise ConfigurationError("the folder holds no configuration", where=str(given), next_step="put files that end in .toml there, or name another folder")
    return found


def _different(configs: Sequence[Config]) -> None:
    met: dict[tuple[str, str], Config] = {}
    for config in configs:
        other = met.setdefault((config.state_url, config.workspace), config)
        if other is not config:
            raise ConfigurationError(
                f"{other.path} and {config.path} mean the same workspace {config.workspace!r}",
                where="workspace.name",
                next_step="give one of them another [workspace] name, or leave it out",
            )
