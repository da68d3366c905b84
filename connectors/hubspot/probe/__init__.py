"""What HubSpot's documents leave open, asked of a developer account."""

from __future__ import annotations

from typing import Any

from ....model.errors import SafetyStop
from ...contract import Ports
from ...probing import Experiment, Laboratory
from .. import describe as about
from ..client import Client
from ..settings import HubSpotSettings
from . import addresses, changes, merges, rows, stages
from .bench import Contacts

TEST_ACCOUNTS = ("DEVELOPER_TEST", "SANDBOX")
"""The account types that hold nobody's customers (HubSpot API specification, Account Info: accountType)."""

EXPERIMENTS: tuple[Experiment[Contacts], ...] = (
    *stages.EXPERIMENTS,
    *merges.EXPERIMENTS,
    *rows.EXPERIMENTS,
    *addresses.EXPERIMENTS,
    *changes.EXPERIMENTS,
)


def open_laboratory(system: str, settings: HubSpotSettings, ports: Ports, pool: Any = None) -> Laboratory:
    """The laboratory of one portal; makes no call. `pool` takes the place of urllib3's pool manager."""
    client = Client(system, settings, ports, pool)
    return Laboratory(EXPERIMENTS, lambda: _permit(client), lambda token: Contacts(client, token), client.close)


def _permit(client: Client) -> str:
    """The account's type. Raises `SafetyStop` for one that is no test account, or does not say what it is."""
    kind = str(about.account(client).get("accountType") or "")
    if kind not in TEST_ACCOUNTS:
        said = f"is of type {kind}" if kind else "does not say of which type it is"
        raise SafetyStop(
            f"nothing was written: this HubSpot account {said}, and experiments are made on developer test accounts and sandboxes only",
            where=f"systems.{client.system}",
            next_step="make a free developer test account, and give its credential in a configuration of its own",
        )
    return kind.lower().replace("_", " ")
