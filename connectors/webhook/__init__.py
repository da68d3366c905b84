"""Any system that posts events to us, or takes ours: the plugin. Everything heavy is loaded when it is used, so that `--help` stays quick."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..contract import Connector, Hooks, Ports


class WebhookPlugin:
    """What the entry point `webhook` gives."""

    name = "webhook"

    @property
    def settings(self) -> type[Any]:
        """The keys of a `[systems.NAME]` table with `connector = "webhook"`."""
        from .settings import WebhookSettings

        return WebhookSettings

    def defaults(self) -> Mapping[str, Any]:
        """Its records speak in our own words."""
        return tomllib.loads(files(__name__).joinpath("defaults.toml").read_text(encoding="utf-8"))

    def open(self, system: str, settings: Any, ports: Ports) -> Connector:
        """Open what was told so far."""
        from .connector import open_webhook

        return open_webhook(system, settings, ports)

    def hooks(self, system: str, settings: Any) -> Hooks | None:
        """How its posts are read; None where it only takes events."""
        from .hooks import JsonHooks

        return JsonHooks(settings) if settings.secrets else None

    def heard(self, cursor: str, mark: str) -> int:
        """How far its events were read."""
        from .pull import heard

        return heard(cursor, mark)


plugin = WebhookPlugin()
