"""Whom contacts can be assigned to (HubSpot docs, Owners)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .client import Client
from .errors import strange
from .rows import keyed

OWNER = "hubspot_owner_id"
_PAGE = 500
"""The most that one call lists."""


def listed(client: Client, *, archived: bool) -> Iterator[Mapping[str, Any]]:
    """Everybody who can own contacts now, or who no longer can. Raises what a missing scope or path raises."""
    after = ""
    while True:
        query = [("limit", str(_PAGE)), ("archived", str(archived).lower()), *([("after", after)] if after else [])]
        told = client.expected(client.get(client.paths.owners, query))
        yield from keyed(told.get("results"), "id", where=client.system)
        before, after = after, str(((told.get("paging") or {}).get("next") or {}).get("after") or "")
        if not after:
            return
        if after == before:
            raise strange(where=client.system)
