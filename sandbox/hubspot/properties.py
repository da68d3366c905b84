"""Property definitions: what a portal's contacts can hold, with types, options and what may be changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from .errors import Refused, invalid
from .habits import Habits
from .instants import instant
from .standard import STAGES, TABLE

TYPES = ("string", "number", "date", "datetime", "enumeration", "bool", "phone_number")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,249}")


@dataclass(frozen=True)
class Option:
    """One allowed value of an enumeration."""

    value: str
    label: str
    order: int
    hidden: bool = False
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """The option as the API shows it."""
        return {"label": self.label, "value": self.value, "description": self.description, "displayOrder": self.order, "hidden": self.hidden}


@dataclass(frozen=True)
class Definition:
    """One property of contacts. `read_only` binds its value, `fixed` its definition (its options stay editable unless `fixed_options`)."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    options: tuple[Option, ...] = ()
    group: str = "contactinformation"
    description: str = ""
    read_only: bool = False
    calculated: bool = False
    fixed: bool = False
    fixed_options: bool = False
    own: bool = True
    unique: bool = False
    external: bool = False
    created_ms: int = 0
    updated_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        """The definition as the API shows it."""
        metadata = {"archivable": self.own, "readOnlyDefinition": self.fixed, "readOnlyValue": self.read_only}
        if self.type == "enumeration":
            metadata["readOnlyOptions"] = self.fixed_options
        return {
            "updatedAt": instant(self.updated_ms),
            "createdAt": instant(self.created_ms),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [option.as_json() for option in self.options],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.external,
            "archived": False,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": not self.own,
            "modificationMetadata": metadata,
            "formField": not self.read_only,
            "dataSensitivity": "non_sensitive",
        }


def options_of(given: Iterable[Any]) -> tuple[Option, ...]:
    """Options from JSON objects, (value, label) pairs or plain values; the order of the list counts where no displayOrder is given."""
    found: list[Option] = []
    for index, each in enumerate(given):
        if isinstance(each, Mapping):
            value = str(each["value"])
            order = each.get("displayOrder", -1)
            order = index if order is None or order < 0 else int(order)
            found.append(Option(value, str(each.get("label", value)), order, bool(each.get("hidden", False)), str(each.get("description") or "")))
        elif isinstance(each, str):
            found.append(Option(each, each, index))
        else:
            value, label = each
            found.append(Option(str(value), str(label), index))
    return tuple(found)


def _standard(line: str) -> Definition:
    name, label, kind, field_type, flags, *rest = line.split("|")
    options = options_of(part.split("=") if "=" in part else part for part in rest[0].split(";")) if rest else ()
    return Definition(
        name,
        label,
        kind,
        field_type,
        options,
        read_only="r" in flags,
        calculated="c" in flags,
        fixed="t" in flags,
        own=False,
        external=name in ("hubspot_owner_id", "hubspot_team_id"),
    )


def _stage_dates(stages: Iterable[Option]) -> Iterable[Definition]:
    """What HubSpot calculates for each stage, custom ones included; the dates of the older form exist for its own stages only."""
    legacy = {value for value, _ in STAGES}
    for stage in stages:
        for part, label, kind in (
            ("date_entered", "Date entered", "datetime"),
            ("date_exited", "Date exited", "datetime"),
            ("latest_time_in", "Latest time in", "number"),
            ("cumulative_time_in", "Cumulative time in", "number"),
        ):
            field_type = "date" if kind == "datetime" else "number"
            label = f'{label} "{stage.label} (Lifecycle Stage Pipeline)"'
            yield Definition(f"hs_v2_{part}_{stage.value}", label, kind, field_type, read_only=True, calculated=True, fixed=True, own=False)
        if stage.value in legacy:
            name = f"hs_lifecyclestage_{stage.value}_date"
            yield Definition(name, f"Became a {stage.label} Date", "datetime", "date", read_only=True, calculated=True, fixed=True, own=False)


@lru_cache(maxsize=8)
def _delivered(now_ms: int) -> Mapping[str, Definition]:
    """The properties of a portal that was opened at that moment."""
    found = {one.name: one for one in map(_standard, TABLE.strip().splitlines())}
    stage = replace(found["lifecyclestage"], options=options_of(STAGES))
    every = {**found, "lifecyclestage": stage} | {one.name: one for one in _stage_dates(stage.options)}
    return {name: replace(each, created_ms=now_ms, updated_ms=now_ms) for name, each in every.items()}


class Catalogue:
    """The definitions of one portal by name."""

    def __init__(self, now_ms: int) -> None:
        self.by_name = dict(_delivered(now_ms))

    def _put(self, definition: Definition) -> None:
        self.by_name[definition.name] = definition
        if definition.name == "lifecyclestage":
            for each in _stage_dates(definition.options):
                self.by_name.setdefault(each.name, replace(each, created_ms=definition.created_ms, updated_ms=definition.updated_ms))

    def stage_order(self) -> dict[str, int]:
        """Lifecycle stage -> its place in the order."""
        return {option.value: option.order for option in self.by_name["lifecyclestage"].options}

    def known(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are defined, once each, in order."""
        return [name for name in dict.fromkeys(names) if name in self.by_name]

    def define(self, definition: Definition, now_ms: int) -> None:
        """Somebody defines a property in the settings, or changes one: nothing is refused but what makes no sense."""
        if definition.type not in TYPES:
            raise ValueError(f"{definition.name}: type {definition.type!r} is none of {', '.join(TYPES)}")
        if not _NAME.fullmatch(definition.name):
            raise ValueError(f"{definition.name!r} is no property name: lower-case letters, digits and underscores")
        old = self.by_name.get(definition.name)
        if old is not None:
            options = definition.options or old.options
            definition = replace(old, label=definition.label, options=options, read_only=definition.read_only or old.read_only)
        self._put(replace(definition, created_ms=old.created_ms if old else now_ms, updated_ms=now_ms))

    def get(self, name: str, *, hidden: Sequence[str] = ()) -> Definition:
        """One definition, unless it is hidden. Raises Refused (404)."""
        found = self.by_name.get(name)
        if found is None or name in hidden:
            raise Refused(404, f"No property named {name} exists for 0-1", "OBJECT_NOT_FOUND")
        return found

    def create(self, posted: Mapping[str, Any], now_ms: int) -> Definition:
        """A new property by the API. Raises Refused (400, 409)."""
        name = str(posted.get("name", ""))
        missing = [key for key in ("name", "label", "type", "fieldType", "groupName") if not posted.get(key)]
        if missing or not _NAME.fullmatch(name) or posted["type"] not in TYPES:
            raise invalid(f"Property definition is not valid: {', '.join(missing) or name}")
        if name in self.by_name:
            message = f"A property named '{name}' already exists."
            raise Refused(409, message, "OBJECT_ALREADY_EXISTS", extra={"subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS"})
        unique = bool(posted.get("hasUniqueValue", False))
        if unique and sum(each.unique for each in self.by_name.values()) >= 10:
            raise invalid("There can be at most 10 properties with unique values.")
        self._put(_posted(Definition(name, "", created_ms=now_ms, unique=unique), posted, now_ms))
        return self.by_name[name]

    def patch(self, name: str, posted: Mapping[str, Any], habits: Habits, now_ms: int) -> Definition:
        """Change a definition by the API; `options` replaces the whole list. Raises Refused (400, 404)."""
        old = self.get(name)
        if "options" in posted and name == "lifecyclestage" and not habits.stage_options_by_api:
            raise invalid("Property lifecyclestage has read-only options.")
        if old.fixed and set(posted) - {"options"}:
            raise invalid(f"Property {name} has a read-only definition.")
        self._put(_posted(old, posted, now_ms))
        return self.by_name[name]

    def archive(self, name: str) -> None:
        """Remove a property by the API. Raises Refused (400)."""
        found = self.by_name.get(name)
        if found is not None and not found.own:
            raise invalid(f"Property {name} is defined by HubSpot and can't be archived.")
        self.by_name.pop(name, None)

    def page(self, habits: Habits) -> list[dict[str, Any]]:
        """Every definition that the credential sees, as the API shows them."""
        return [self.shown(each, habits) for each in self.by_name.values() if each.name not in habits.hidden_properties]

    def groups(self) -> list[dict[str, Any]]:
        """The groups in which there are definitions."""
        names = dict.fromkeys(each.group for each in self.by_name.values())
        return [{"name": name, "label": name, "displayOrder": order, "archived": False} for order, name in enumerate(names)]

    def shown(self, definition: Definition, habits: Habits) -> dict[str, Any]:
        """One definition as the API shows it; whether stage options are editable, and values locked, is a habit."""
        if definition.name == "lifecyclestage":
            definition = replace(definition, fixed_options=not habits.stage_options_by_api)
        if definition.name in habits.locked_properties:
            definition = replace(definition, read_only=True)
        return definition.as_json()


def _posted(base: Definition, posted: Mapping[str, Any], now_ms: int) -> Definition:
    return replace(
        base,
        label=str(posted.get("label", base.label)),
        type=str(posted.get("type", base.type)),
        field_type=str(posted.get("fieldType", base.field_type)),
        group=str(posted.get("groupName", base.group)),
        description=str(posted.get("description", base.description)),
        options=options_of(posted["options"]) if "options" in posted else base.options,
        updated_ms=now_ms,
    )
