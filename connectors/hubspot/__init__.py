"""HubSpot contacts: the plugin. Everything heavy is loaded when an account is opened, so that `--help` stays quick."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..contract import Connector, Hooks, Ports
    from ..probing import Laboratory


class HubSpotPlugin:
    """What the entry point `hubspot` gives."""

    name = "hubspot"

    @property
    def settings(self) -> type[Any]:
        """The keys of a `[systems.NAME]` table with `connector = "hubspot"`."""
        from .settings import HubSpotSettings

        return HubSpotSettings

    def defaults(self) -> Mapping[str, Any]:
        """HubSpot's default maps."""
        return tomllib.loads(files(__name__).joinpath("defaults.toml").read_text(encoding="utf-8"))

    def open(self, system: str, settings: Any, ports: Ports) -> Connector:
        """Open the account; makes no call yet."""
        from .connector import open_account

        return open_account(system, settings, ports)

    def laboratory(self, system: str, settings: Any, ports: Ports) -> Laboratory:
        """Where the account is asked what no document tells; makes no call yet."""
        from .probe import open_laboratory

        return open_laboratory(system, settings, ports)

    def heard(self, cursor: str, mark: str) -> int:
        """How far hints were read."""
        from ..hints import heard

        return heard(cursor, mark)

    def hooks(self, system: str, settings: Any) -> Hooks | None:
        """How its webhooks are read; None where no secret is given for them."""
        from .hooks import HubSpotHooks

        return HubSpotHooks(settings) if settings.hook_secrets else None


plugin = HubSpotPlugin()
