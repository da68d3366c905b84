"""Whom contacts can be assigned to (HubSpot docs, Owners)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .client import Client
from .listing import pages
from .rows import keyed

OWNER = "hubspot_owner_id"
_PAGE = 500
"""The most that one call lists."""


def listed(client: Client, *, archived: bool) -> Iterator[Mapping[str, Any]]:
    """Everybody who can own contacts now, or who no longer can. Raises what a missing scope or path raises."""
    for rows in pages(client, client.paths.owners, [("limit", str(_PAGE)), ("archived", str(archived).lower())]):
        yield from keyed(rows, "id", where=client.system)
