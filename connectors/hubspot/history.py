"""Who changed a property and when, from `propertiesWithHistory`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

from ...model.records import Actor, FieldChange
from .errors import strange
from .rows import instant_ms

HISTORY_PAGE = 50
"""Records per call when history is asked for (the official client's own limit)."""

_USERS = frozenset({"CRM_UI", "CRM_UI_BULK_ACTION", "CONTACTS_WEB", "EXTENSION", "TASK"})
_AUTOMATIONS = frozenset(
    {"AUTOMATION_PLATFORM", "CALCULATED", "ASSISTS", "ANALYTICS", "DEALS", "COMPANIES", "FORM", "HEISENBERG", "MIGRATION", "EMAIL_INTEGRATION"},
)
_INTEGRATIONS = frozenset({"INTEGRATION", "INTEGRATIONS_SYNC", "API", "SALESFORCE"})
NATIVE_CONNECTOR = "SALESFORCE"
"""Written by HubSpot's own integration with Salesforce."""


def dated(rows: list[dict[str, Any]], *, where: str) -> list[dict[str, Any]]:
    """The rows, of which each version says when it was. Raises `Unreachable` for one that does not."""
    if not all(isinstance(version.get("timestamp"), str) for row in rows for version in _versions(row)):
        raise strange("HubSpot's answer holds a version without `timestamp`", where=where)
    return rows


def _versions(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    told: Mapping[str, Any] = row.get("propertiesWithHistory") or {}
    return chain.from_iterable(versions or () for versions in told.values())


def history_of(row: Mapping[str, Any], names: Sequence[str], app_id: str | None) -> dict[str, Sequence[FieldChange]]:
    """Native field -> its versions, newest first. HubSpot lists no source types, so unknown ones are `unknown`, not errors."""
    told: Mapping[str, Any] = row.get("propertiesWithHistory") or {}
    return {name: sorted((_change(version, app_id) for version in told[name] or ()), key=_moment, reverse=True) for name in names if name in told}


def _moment(change: FieldChange) -> int:
    return change.at


def _change(version: Mapping[str, Any], app_id: str | None) -> FieldChange:
    return FieldChange(version.get("value") or None, instant_ms(version["timestamp"]), actor_of(version, app_id))


def actor_of(version: Mapping[str, Any], app_id: str | None) -> Actor:
    """The actor of one version. Our own writes are `INTEGRATION` with our app's id as source."""
    source, source_id = str(version.get("sourceType") or ""), str(version.get("sourceId") or "")
    user = version.get("updatedByUserId")
    who = str(user) if user is not None else source_id.removeprefix("userId:") or None
    kind: Literal["user", "automation", "integration", "import", "unknown"] = "unknown"
    if source in _INTEGRATIONS:
        return Actor("integration", source_id or source, own=source == "INTEGRATION" and app_id is not None and source_id == app_id)
    if source in _USERS:
        kind = "user"
    elif source == "IMPORT":
        kind = "import"
    elif source in _AUTOMATIONS:
        kind = "automation"
    return Actor(kind, who if kind == "user" else source_id or source or None)


def sources_of(row: Mapping[str, Any]) -> set[str]:
    """The source types of all versions in one row."""
    return {str(version.get("sourceType") or "") for version in _versions(row)}
