"""The scopes that only a very large account wants, and whether this credential has them. Asked by calls that do nothing (HubSpot docs, Exports; Imports)."""

from __future__ import annotations

from ...model.errors import ConfigurationError
from .client import Client
from .errors import Forbidden


def lacking(client: Client) -> list[str]:
    """A sentence for each that is missing."""
    wanted = (
        ("crm.export", f"{client.paths.exports}/tasks/1/status", "to read an account that has more contacts than the calls of a day can"),
        ("crm.import", client.paths.imports, "to make more contacts than the calls of a day can, beside crm.export"),
    )
    return [
        f"the scope {scope} is not given, which is wanted only {what}: without it that takes several days"
        for scope, path, what in wanted
        if _lacks(client, scope, path)
    ]


def _lacks(client: Client, scope: str, path: str) -> bool:
    """Whoever has it is told that there is no such export, or which imports there are."""
    try:
        client.get(path)
    except Forbidden as error:
        return scope in error.scopes
    except ConfigurationError:  # a version that does not serve it
        return False
    return False
