"""The org's metadata: which objects and fields there are, what is hidden, and how `describe` tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from .errors import Refused
from .fields import NUMBERS, TEXTS, Choice, Field, SObject

CUSTOM_TYPES = TEXTS | NUMBERS | {"boolean", "date", "datetime", "reference"}
AUDITED = "CreatedDate"


class Schema:
    """Objects by name. `hidden` and `locked` are field-level security: "Lead.HasOptedOutOfEmail" is absent, or read-only, for the integration user.

    `closed`: objects that this user has no right to, or that the org has not switched on: to a client there is no such object.
    `audits`: this user may say when a new record was created ("Set Audit Fields upon Record Creation").
    """

    def __init__(
        self,
        objects: Iterable[SObject],
        hidden: Callable[[], frozenset[str]],
        locked: Callable[[], frozenset[str]],
        closed: Callable[[], frozenset[str]],
        audits: Callable[[], bool],
    ) -> None:
        self.objects = {one.name: one for one in objects}
        self._by_lower = {name.lower(): name for name in self.objects}
        self._hidden = hidden
        self._locked = locked
        self._closed = closed
        self._audits = audits
        self.choices: dict[tuple[str, str], Callable[[], tuple[Choice, ...]]] = {}
        """Picklists whose values live elsewhere: Lead.Status in LeadStatus."""
        self.extra: dict[tuple[str, str], dict[str, Choice]] = {}
        """Values that the API was given for an unrestricted picklist: kept as inactive values."""
        self.conversion: dict[str, tuple[str, str]] = {}
        """Custom Lead field -> (object, field) that the administrator mapped it to."""

    def object(self, name: str, message: str = "") -> SObject:
        """The object of this API name (any case). Raises the 400 of a query, or the 404 of a resource when `message` is empty."""
        found = self._by_lower.get(name.lower())
        if found is None or found in self._closed():
            if message:
                raise Refused("INVALID_TYPE", message)
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        return self.objects[found]

    def shown(self) -> list[SObject]:
        """The objects that the integration user may see."""
        return [one for one in self.objects.values() if one.name not in self._closed()]

    def known(self, name: str) -> SObject:
        """The object of this API name (any case) as an administrator sees it, closed or not. Raises NOT_FOUND."""
        found = self._by_lower.get(name.lower())
        if found is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        return self.objects[found]

    def of_id(self, id: str) -> SObject | None:
        """The object that an id belongs to, by its first three characters."""
        return next((one for one in self.objects.values() if id.startswith(one.prefix)), None)

    def visible(self, sobject: SObject, name: str) -> Field | None:
        """The field of this name (any case), unless it is hidden from the integration user."""
        exact = sobject.by_lower.get(name.lower())
        if exact is None or f"{sobject.name}.{exact}" in self._hidden():
            return None
        return sobject.fields[exact]

    def writable(self, sobject: SObject, field: Field, *, creating: bool) -> bool:
        """Whether the integration user may write the field."""
        field = self._to_user(sobject, field)
        return field.creatable if creating else field.updatable

    def _to_user(self, sobject: SObject, field: Field) -> Field:
        """The field with the rights that the integration user has."""
        if f"{sobject.name}.{field.name}" in self._locked():
            return replace(field, creatable=False, updatable=False)
        return replace(field, creatable=True) if field.name == AUDITED and sobject.creatable and self._audits() else field

    def values(self, sobject: SObject, field: Field) -> tuple[Choice, ...]:
        """The picklist's values, inactive ones included."""
        living = self.choices.get((sobject.name, field.name))
        return (*(living() if living else field.choices), *self.extra.get((sobject.name, field.name), {}).values())

    def define(self, kind: str, field: Field, converts_to: str | None = None) -> None:
        """Add or replace a field. `converts_to` = "Contact.Stage__c" maps a Lead field for conversion."""
        sobject = self.known(kind)
        if field.type not in CUSTOM_TYPES:
            raise ValueError(f"{field.name}: unknown type {field.type!r}, known are {', '.join(sorted(CUSTOM_TYPES))}")
        sobject.fields[field.name] = field
        sobject.by_lower[field.name.lower()] = field.name
        if field.type == "boolean":
            sobject.defaults[field.name] = False if field.default is None else field.default
        if field.relationship:
            sobject.relationships[field.relationship.lower()] = field.name
        if converts_to:
            target, _, name = converts_to.partition(".")
            self.conversion[field.name] = (self.known(target).name, name)

    def describe(self, sobject: SObject, base: str) -> dict[str, Any]:
        """The answer of `/sobjects/X/describe`."""
        shown = [one for one in sobject.fields.values() if f"{sobject.name}.{one.name}" not in self._hidden()]
        fields = [self._field(sobject, self._to_user(sobject, one)) for one in shown]
        return {
            **self.summary(sobject, base),
            "actionOverrides": [],
            "childRelationships": [],
            "compactLayoutable": True,
            "fields": fields,
            "recordTypeInfos": [
                {
                    "active": True,
                    "available": True,
                    "defaultRecordTypeMapping": True,
                    "developerName": "Master",
                    "master": True,
                    "name": "Master",
                    "recordTypeId": "012000000000000AAA",
                    "urls": {"layout": f"{base}/sobjects/{sobject.name}/describe/layouts/012000000000000AAA"},
                }
            ],
            "supportedScopes": [],
        }

    def summary(self, sobject: SObject, base: str) -> dict[str, Any]:
        """One entry of the global describe."""
        url = f"{base}/sobjects/{sobject.name}"
        return {
            "activateable": False,
            "createable": sobject.creatable,
            "custom": sobject.name.endswith("__c"),
            "customSetting": False,
            "deletable": sobject.deletable,
            "deprecatedAndHidden": False,
            "feedEnabled": False,
            "keyPrefix": sobject.prefix,
            "label": sobject.label,
            "labelPlural": sobject.plural,
            "layoutable": sobject.creatable,
            "mergeable": sobject.mergeable,
            "mruEnabled": sobject.creatable,
            "name": sobject.name,
            "queryable": True,
            "replicateable": sobject.replicable,
            "retrieveable": True,
            "searchable": sobject.creatable,
            "triggerable": sobject.creatable,
            "undeletable": sobject.soft_deletes and sobject.deletable,
            "updateable": sobject.updatable,
            "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
        }

    def _field(self, sobject: SObject, one: Field) -> dict[str, Any]:
        shown = self.values(sobject, one) if one.type in {"picklist", "multipicklist"} else ()
        return {
            **_constant(),
            **_kind_of(one),
            "compoundFieldName": "Name" if one.name in {"FirstName", "LastName", "Salutation"} and "Name" in sobject.fields else None,
            "picklistValues": [{"active": c.active, "defaultValue": c.default, "label": c.label, "validFor": None, "value": c.value} for c in shown],
        }


def _constant() -> dict[str, Any]:
    """What is the same for every field here."""
    nothing = dict.fromkeys(("calculatedFormula", "controllerName", "defaultValueFormula", "inlineHelpText", "relationshipOrder"))
    never = dict.fromkeys(("autoNumber", "cascadeDelete", "dependentPicklist", "deprecatedAndHidden", "encrypted", "htmlFormatted"), False)
    return {**nothing, **never}


def _kind_of(one: Field) -> dict[str, Any]:
    """What follows from the field's definition alone."""
    ungroupable = {"double", "currency", "percent", "datetime", "multipicklist"}
    return {
        "aggregatable": one.filterable and one.type != "boolean",
        "byteLength": one.length * 3 if one.type not in {"id", "reference"} else 18,
        "calculated": one.calculated,
        "caseSensitive": one.case_sensitive,
        "createable": one.creatable,
        "custom": one.custom,
        "defaultValue": one.default if one.type != "boolean" else bool(one.default),
        "defaultedOnCreate": one.defaulted,
        "digits": one.precision if one.type == "int" else 0,
        "externalId": one.external_id,
        "filterable": one.filterable,
        "groupable": one.filterable and one.type not in ungroupable,
        "idLookup": one.id_lookup,
        "label": one.label,
        "length": one.length,
        "name": one.name,
        "nameField": one.name == "Name",
        "namePointing": len(one.refers_to) > 1,
        "nillable": one.nillable,
        "permissionable": one.nillable and one.updatable,
        "polymorphicForeignKey": len(one.refers_to) > 1,
        "precision": 0 if one.type == "int" else one.precision,
        "referenceTo": list(one.refers_to),
        "relationshipName": one.relationship,
        "restrictedPicklist": one.restricted,
        "scale": one.scale,
        "soapType": SOAP_TYPES.get(one.type, "xsd:string"),
        "sortable": one.sortable,
        "type": one.type,
        "unique": one.unique,
        "updateable": one.updatable,
    }


SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "anyType": "xsd:anyType",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
}
