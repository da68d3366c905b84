"""One call as the endpoints see it: where it goes, under which version, with which arguments and body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from ..wire import Request
from .errors import invalid

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
AREAS = ("objects", "properties", "owners", "associations", "exports", "imports")
CONTACTS = ("contacts", "contact", "0-1")
COMPANIES = ("companies", "company", "0-2")
_KINDS = frozenset((*CONTACTS, *COMPANIES))


@dataclass(frozen=True)
class Call:
    """`area` and `version` are taken out of the path in whichever order they stand; `rest` is what follows."""

    request: Request
    area: str
    version: str
    rest: tuple[str, ...]

    @property
    def method(self) -> str:
        """GET, POST ..."""
        return self.request.method

    @property
    def is_dated(self) -> bool:
        """`2026-09` and the like, not `v3`."""
        return not self.version.startswith("v")

    @property
    def made(self) -> int:
        """What is answered where associations or properties were made: from 2026-09 on with 200 (HubSpot docs, API reference)."""
        return 200 if self.is_dated and self.version >= "2026-09" else 201

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The JSON object that was sent. Raises Refused (400) for anything else."""
        try:
            found = orjson.loads(self.request.body or b"{}")
        except orjson.JSONDecodeError as error:
            raise invalid(f"Invalid input JSON: {error}") from None
        if not isinstance(found, dict):
            raise invalid("Invalid input JSON: an object is expected")
        return found

    @property
    def listed(self) -> list[Any]:
        """The JSON list that was sent; empty for anything else."""
        try:
            found = orjson.loads(self.request.body or b"[]")
        except orjson.JSONDecodeError:
            return []
        return found if isinstance(found, list) else []

    def names(self, argument: str) -> list[str]:
        """A list argument: given as repeated keys, as commas, or both."""
        return [name for value in self.request.args.get(argument, []) for name in value.split(",") if name]

    def posted_names(self, member: str) -> list[str]:
        """A list of names in the body, empty where there is none. Raises Refused (400) for anything else."""
        found = self.body.get(member)
        if found is not None and not isinstance(found, list):
            raise invalid(f"{member} must be a list.")
        return [str(name) for name in found or ()]

    def link(self, query: str) -> str:
        """The address of this call's path with another query, as `paging` tells it."""
        return self.address(f"{self.request.path}?{query}")

    def address(self, path: str) -> str:
        """The address of a path: whoever follows it stays at the host that was asked."""
        host = self.request.headers.get("host", "api.hubapi.com")
        scheme = "http" if host.rsplit(":", 1)[0] in LOOPBACK else "https"
        return f"{scheme}://{host}{path}"

    def flag(self, argument: str) -> bool:
        """A boolean argument; absent is false."""
        return self.request.arg(argument).lower() == "true"


def parsed(request: Request) -> Call:
    """Find area and version: `/crm/v3/objects/...` and `/crm/objects/2026-09/...` are the same place. Kinds may be written in capitals (`CONTACT`)."""
    parts = [part for part in request.path.split("/") if part]
    if parts[:1] == ["crm"] and len(parts) >= 3:
        area, version = (parts[1], parts[2]) if parts[1] in AREAS else (parts[2], parts[1])
        return Call(request, area, version, tuple(low if (low := part.lower()) in _KINDS else part for part in parts[3:]))
    if len(parts) >= 2:
        return Call(request, parts[0], parts[1], tuple(parts[2:]))
    return Call(request, parts[0] if parts else "", "", ())


_FIXED_WORDS = {"batch", "read", "create", "update", "upsert", "archive", "search", "merge", "gdpr-delete", "token", "introspect", "revoke"}


def template(request: Request) -> str:
    """The path with its ids and names replaced, for counting."""
    call = parsed(request)
    head = request.path.rstrip("/").split("/")
    kept = len(head) - len(call.rest)
    rest = list(call.rest)
    if call.area == "objects" and ((len(rest) == 2 and rest[1] not in _FIXED_WORDS) or rest[2:3] == ["associations"]):
        rest[1] = "{id}"
    elif call.area == "oauth" and len(rest) == 2 and rest[0].endswith("-tokens"):
        rest[1] = "{token}"
    elif call.area == "properties" and len(rest) == 2 and rest[1] != "groups":
        rest[1] = "{name}"
    elif call.area == "owners" and len(rest) == 1:
        rest[0] = "{id}"
    elif call.area in ("exports", "imports"):
        rest = ["{id}" if part.isdecimal() else part for part in rest]
    elif call.area == "export-files":
        rest = ["{file}"]
    elif call.area == "communication-preferences" and len(rest) >= 2 and rest[0] == "statuses":
        rest[1] = "{email}"
    return "/".join([*head[:kept], *rest])
