"""Which connectors there are: the built-in ones register in the same entry-point group as a stranger's."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from ..model.errors import ConfigurationError
from .contract import Plugin

GROUP = "stagesync.connectors"


@dataclass(frozen=True, slots=True)
class Listed:
    """One registered connector. `plugin` is None where it cannot be loaded; `problem` says why."""

    name: str
    plugin: Plugin | None
    problem: str = ""


def listed() -> list[Listed]:
    """Every registered connector by name, broken ones included."""
    return [_loaded(point) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)]


def find(name: str, *, where: str = "") -> Plugin:
    """The connector of that name; only this one is loaded. Raises `ConfigurationError` for an unknown or a broken one."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        known = ", ".join(sorted(points)) or "none: is stagesync installed?"
        raise ConfigurationError(f'there is no connector "{name}"', where=where, next_step=f"Known: {known}")
    found = _loaded(points[name])
    if found.plugin is None:
        raise ConfigurationError(f'the connector "{name}" cannot be loaded: {found.problem}', where=where, next_step="reinstall or remove its package")
    return found.plugin


def _loaded(point: EntryPoint) -> Listed:
    """A plugin is somebody else's code: whatever it raises on import concerns it alone."""
    try:
        plugin = point.load()
    except Exception as error:  # noqa: BLE001 - see above
        return Listed(point.name, None, f"{type(error).__name__}: {error}")
    missing = [part for part in ("name", "settings", "defaults", "open") if not hasattr(plugin, part)]
    if missing:
        return Listed(point.name, None, f"{point.value} is no connector: it lacks {', '.join(missing)}")
    return Listed(point.name, plugin)
