"""What a field and an object are: the attributes that `describe` tells, and short ways to write them down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Row = dict[str, Any]
"""One record: API name -> value; a name that is missing is null. Never changed in place: a change makes a new dict."""

TEXTS = frozenset({"string", "textarea", "phone", "email", "url", "picklist", "multipicklist", "combobox", "encryptedstring"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})
LONG_TEXT = 4000
"""Text fields longer than this can be neither filtered nor sorted."""


@dataclass(frozen=True)
class Choice:
    """One value of a picklist."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True)
class Field:
    """One field. `creatable` and `updatable` are Salesforce's createable and updateable; numbers use `precision` and `scale`."""

    name: str
    label: str
    type: str = "string"
    length: int = 0
    nillable: bool = True
    defaulted: bool = False
    creatable: bool = True
    updatable: bool = True
    calculated: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    choices: tuple[Choice, ...] = ()
    precision: int = 0
    scale: int = 0
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None
    custom: bool = False
    default: Any = None

    @property
    def filterable(self) -> bool:
        """Whether it may stand in WHERE and ORDER BY."""
        return not (self.type == "textarea" and self.length > LONG_TEXT) and self.type != "anyType"

    @property
    def sortable(self) -> bool:
        """Whether it may stand in ORDER BY."""
        return self.filterable and self.type != "multipicklist"

    @property
    def required(self) -> bool:
        """Whether a create must give it."""
        return self.creatable and not self.nillable and not self.defaulted


@dataclass(frozen=True)
class SObject:
    """One object: its fields by API name, in the order of `describe`."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field]
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    mergeable: bool = False
    replicable: bool = True
    soft_deletes: bool = True
    stamp: str = "SystemModstamp"
    """The field whose index serves "what has changed": history rows have only CreatedDate."""
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    """What every row has from the beginning: booleans are never null."""
    by_lower: dict[str, str] = field(default_factory=dict[str, str])
    relationships: dict[str, str] = field(default_factory=dict[str, str])
    """Lower-case relationship name -> the lookup field behind it."""


def sobject(name: str, prefix: str, fields: Sequence[Field], *, label: str = "", plural: str = "", **flags: Any) -> SObject:
    """An object with its look-up tables filled in."""
    label = label or spaced(name)
    return SObject(
        name,
        label,
        plural or f"{label}s",
        prefix,
        {one.name: one for one in fields},
        defaults={one.name: False if one.default is None else one.default for one in fields if one.type == "boolean"},
        by_lower={one.name.lower(): one.name for one in fields},
        relationships={one.relationship.lower(): one.name for one in fields if one.relationship},
        **flags,
    )


def spaced(name: str) -> str:
    """A label made from an API name: `NumberOfEmployees` -> "Number Of Employees"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("__c").replace("_", " "))


def text(name: str, length: int = 255, label: str = "", **flags: Any) -> Field:
    """A line of text."""
    return Field(name, label or spaced(name), "string", length, **flags)


def long_text(name: str, length: int = 32_000, label: str = "") -> Field:
    """A text of several lines."""
    return Field(name, label or spaced(name), "textarea", length)


def picklist(name: str, *values: str, label: str = "", length: int = 255, **flags: Any) -> Field:
    """A choice of one value; unrestricted unless said otherwise."""
    return Field(name, label or spaced(name), "picklist", length, choices=tuple(Choice(value, value) for value in values), **flags)


def flag(name: str, label: str = "", **flags: Any) -> Field:
    """A boolean: never null, false unless given."""
    return Field(name, label or spaced(name), "boolean", nillable=False, defaulted=True, **flags)


def number(name: str, type: str = "double", precision: int = 18, scale: int = 0, label: str = "", **flags: Any) -> Field:
    """An int, double, currency or percent."""
    return Field(name, label or spaced(name), type, precision=precision, scale=scale, **flags)


def lookup(name: str, *targets: str, relationship: str | None = "", label: str = "", **flags: Any) -> Field:
    """A reference to another record; the relationship is the name without `Id` unless said otherwise."""
    return Field(
        name, label or spaced(name), "reference", 18, refers_to=targets, relationship=name.removesuffix("Id") if relationship == "" else relationship, **flags
    )


def plain(name: str, type: str, label: str = "", length: int = 0, **flags: Any) -> Field:
    """A field of a type without further attributes: date, datetime, phone, email, url."""
    return Field(name, label or spaced(name), type, length, **flags)


def fixed(one: Field) -> Field:
    """The same field, read-only through the API."""
    return replace(one, creatable=False, updatable=False)
