"""What Salesforce's documents leave open, asked of a Developer Edition or a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....model.errors import SafetyStop
from ...contract import Ports
from ...probing import Experiment, Laboratory
from ..client import Client
from ..settings import SalesforceSettings
from . import merges, stamps, values
from .bench import Rows

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

DEVELOPER = "Developer Edition"

EXPERIMENTS: tuple[Experiment[Rows], ...] = (*values.EXPERIMENTS, *stamps.EXPERIMENTS, *merges.EXPERIMENTS)


def open_laboratory(system: str, settings: SalesforceSettings, ports: Ports, adapter: HTTPAdapter | None = None) -> Laboratory:
    """The laboratory of one org; makes no call. `adapter` takes the place of the network."""
    client = Client(system, settings, ports, adapter)
    return Laboratory(EXPERIMENTS, lambda: _permit(client), lambda token: Rows(client, token), client.close)


def _permit(client: Client) -> str:
    """What kind of org it is. Raises `SafetyStop` for one that is neither a sandbox nor a Developer Edition, or does not say what it is.

    Source: Object Reference, Organization (IsSandbox, OrganizationType).
    """
    org = next(iter(client.open_rows("SELECT IsSandbox, OrganizationType FROM Organization") or ()), {})
    if org.get("IsSandbox") is True:
        return "sandbox"
    if org.get("OrganizationType") == DEVELOPER:
        return DEVELOPER
    said = f"is a production org ({org['OrganizationType']})" if org.get("OrganizationType") else "does not say what it is"
    raise SafetyStop(
        f"nothing was written: this Salesforce org {said}, and experiments are made in sandboxes and Developer Editions only",
        where=f"systems.{client.system}",
        next_step="get a free Developer Edition org, and give its credential in a configuration of its own",
    )
