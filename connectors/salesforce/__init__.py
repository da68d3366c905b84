"""Salesforce Leads and Contacts: the plugin. Everything heavy is loaded when an org is opened, so that `--help` stays quick."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..contract import Connector, Hooks, Ports
    from ..probing import Laboratory


class SalesforcePlugin:
    """What the entry point `salesforce` gives."""

    name = "salesforce"

    @property
    def settings(self) -> type[Any]:
        """The keys of a `[systems.NAME]` table with `connector = "salesforce"`."""
        from .settings import SalesforceSettings

        return SalesforceSettings

    def defaults(self) -> Mapping[str, Any]:
        """Salesforce's default maps."""
        return tomllib.loads(files(__name__).joinpath("defaults.toml").read_text(encoding="utf-8"))

    def open(self, system: str, settings: Any, ports: Ports) -> Connector:
        """Open the org; makes no call yet."""
        from .connector import open_org

        return open_org(system, settings, ports)

    def heard(self, cursor: str, mark: str) -> int:
        """How far hints were read."""
        from ..hints import heard

        return heard(cursor, mark)

    def hooks(self, system: str, settings: Any) -> Hooks | None:
        """How its outbound messages are read; None where no token is given for them."""
        from .hooks import SalesforceHooks

        return SalesforceHooks(settings) if settings.hook_secrets else None

    def laboratory(self, system: str, settings: Any, ports: Ports) -> Laboratory:
        """Where the org is asked what no document tells; makes no call yet."""
        from .probe import open_laboratory

        return open_laboratory(system, settings, ports)


plugin = SalesforcePlugin()
