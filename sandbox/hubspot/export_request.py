"""What an export was asked for: the posted body, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .call import CONTACTS
from .errors import BadValue, invalid, invalid_values
from .portal import Portal
from .search import Group, asks, groups_of, sort_of

FORMATS = ("CSV", "XLSX", "XLS")
INTERNAL = ("NAMES", "VALUES")
MOST_GROUPS = 3
MOST_IN_GROUP = 3
"""Filters of an export are fewer than those of a search (HubSpot docs, Exports guide)."""
_REQUIRED = ("exportType", "format", "exportName", "objectType", "objectProperties")
_REQUIRED_TOO = ("language", "exportInternalValuesOptions", "overrideAssociatedObjectsPerDefinitionPerRowLimit")
_REQUIRED_DATED = ("associatedObjectType", "includeLabeledAssociations", "includePrimaryDisplayPropertyForAssociatedObjects")
"""What the reference calls required, and clients are seen to leave out: of every version, and of the dated ones (API reference, Start an export)."""
_VIEW_V3, _VIEW_DATED = ("filters", "query", "sorts"), ("filterGroups", "filters", "sorts")


@dataclass(frozen=True)
class ExportRequest:
    """A view of contacts. `names` and `values`: internal ones instead of labels."""

    name: str
    object_type: str
    properties: tuple[str, ...]
    names: bool
    values: bool
    groups: Sequence[Group]
    text: str
    sort: str
    descending: bool


def checked(portal: Portal, body: Mapping[str, Any], version: str) -> ExportRequest:
    """The posted export. Raises Refused (400) for what is missing, unknown, or not to be had from this portal."""
    _check_complete(body, version, strict=portal.habits.export_requires_all)
    kind, object_type = _text(body, "exportType").upper(), _text(body, "objectType")
    _check_format(_text(body, "format").upper())
    if object_type.lower() not in (*CONTACTS, "contacts"):
        raise invalid(f"{object_type} is not supported: the sandbox exports contacts (CONTACT, 0-1) only.")
    if kind == "LIST":
        raise invalid(f"List {body.get('listId')} does not exist: the sandbox has no lists.")
    if kind != "VIEW":
        raise invalid(f"exportType is VIEW or LIST, not {kind}.")
    if body.get("associatedObjectType"):
        raise invalid("associatedObjectType is not supported: the sandbox exports contacts alone.")
    internal = _texts(body, "exportInternalValuesOptions")
    if not set(internal) <= set(INTERNAL):
        raise invalid(f"exportInternalValuesOptions are {' and '.join(INTERNAL)}, not {', '.join(internal)}.")
    view = body.get("publicCrmSearchRequest") or {}
    if not isinstance(view, dict):
        raise invalid("publicCrmSearchRequest must be an object.")
    groups, text = groups_of(view, MOST_GROUPS, MOST_IN_GROUP), str(view.get("query") or "")
    asks(portal, groups, text)
    sorts = view.get("sorts") or []
    sort, descending = sort_of(portal, {"sorts": [_as_in_search(each) for each in sorts] if isinstance(sorts, list) else sorts})
    names, values = (option in internal for option in INTERNAL)
    return ExportRequest(_text(body, "exportName"), object_type, _properties(portal, body), names, values, groups, text, sort, descending)


def _check_complete(body: Mapping[str, Any], version: str, *, strict: bool) -> None:
    dated, view = not version.startswith("v"), body.get("publicCrmSearchRequest")
    wanted = [*_REQUIRED, *(_REQUIRED_TOO if strict else ()), *(_REQUIRED_DATED if strict and dated else ())]
    missing = [name for name in wanted if body.get(name) is None]
    if strict and isinstance(view, dict):
        missing += [f"publicCrmSearchRequest.{name}" for name in (_VIEW_DATED if dated else _VIEW_V3) if view.get(name) is None]
    if missing:
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")


def _check_format(given: str) -> None:
    if given not in FORMATS:
        raise invalid(f"format is one of {', '.join(FORMATS)}, not {given}.")
    if given != "CSV":
        raise invalid(f"format {given} is not supported: the sandbox writes CSV only.")


def _properties(portal: Portal, body: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_texts(body, "objectProperties")))
    if not names:
        raise invalid("objectProperties must name at least one property.")
    unknown = [name for name in names if name not in portal.catalogue.by_name]
    if unknown:
        bad = [BadValue(name, "", "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist') for name in unknown]
        raise invalid_values(bad, only_in_message=portal.habits.errors_only_in_message)
    return names


def _as_in_search(sort: Any) -> Any:
    """An export's sort has its direction under `order`, ASC or DES (HubSpot docs, Exports guide)."""
    if not isinstance(sort, dict) or "order" not in sort:
        return sort
    return {**sort, "direction": "DESCENDING" if str(sort["order"]).upper().startswith("DES") else "ASCENDING"}


def _text(body: Mapping[str, Any], name: str) -> str:
    given = body.get(name)
    if not isinstance(given, str) or not given:
        raise invalid(f"{name} must be text, not {given!r}.")
    return given


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    given = body.get(name) or []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise invalid(f"{name} must be a list of names.")
    return given
