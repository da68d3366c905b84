"""What Salesforce checks and changes in the values it is given, one field at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from ..alter import altered
from .errors import Refused, refused_row
from .fields import NUMBERS, TEXTS, Choice, Field, Row, SObject
from .ids import normalise
from .org import Org
from .stamps import parse, parse_date

_EMAIL = re.compile(r"[A-Za-z0-9._|\\%#~`=?&/$^*!}{+'-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
MAX_CHOSEN = 100


def check_names(org: Org, sobject: SObject, values: Mapping[str, Any], *, by_hand: bool = False) -> None:
    """Refuse fields that are not there, or hidden from the integration. Raises INVALID_FIELD."""
    for name in values:
        known = name.lower() in sobject.by_lower if by_hand else org.schema.visible(sobject, name) is not None
        if name != "attributes" and not known:
            raise Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")


def cleaned(org: Org, sobject: SObject, values: Mapping[str, Any], *, creating: bool, by_hand: bool = False) -> Row:
    """The values as they will be stored, by exact API name. Raises Refused for a row that cannot be saved."""
    given = {sobject.by_lower[name.lower()]: value for name, value in values.items() if name != "attributes"}
    unwritable = [name for name in given if not _writable(org, sobject, sobject.fields[name], creating, by_hand)]
    if unwritable:
        hint = "Please check the security settings of this field and verify that it is read/write for your profile or permission set."
        raise refused_row("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {', '.join(unwritable)}. {hint}", unwritable)
    found = {name: _altered(org, f"{sobject.name}.{name}", _value(org, sobject, sobject.fields[name], value)) for name, value in given.items()}
    missing = [
        name for name, value in found.items() if value is None and not sobject.fields[name].nillable and not (creating and sobject.fields[name].defaulted)
    ]
    if creating:
        missing += [one.name for one in sobject.fields.values() if one.required and one.name not in found]
    if missing:
        raise refused_row("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
    return found


def _writable(org: Org, sobject: SObject, one: Field, creating: bool, by_hand: bool) -> bool:
    if by_hand:
        return one.creatable if creating else one.updatable
    return org.schema.writable(sobject, one, creating=creating)


def _altered(org: Org, field: str, value: Any) -> Any:
    """What automation makes of a text."""
    return altered(value, org.habits.alters[field]) if isinstance(value, str) and field in org.habits.alters else value


def _value(org: Org, sobject: SObject, one: Field, value: Any) -> Any:
    if value is None and one.type != "boolean":
        return None
    if one.type in TEXTS:
        return _text(org, sobject, one, value)
    if one.type in NUMBERS:
        return _number(one, value)
    if one.type == "reference":
        return _reference(org, one, value)
    if one.type == "boolean":
        if isinstance(value, bool):
            return value
        raise _wrong_type(one, value)
    if value == "":
        return None
    try:
        return (parse if one.type == "datetime" else parse_date)(str(value))
    except ValueError:
        raise _wrong_type(one, value) from None


def _wrong_type(one: Field, value: Any) -> Refused:
    return refused_row("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{one.label}: value not of required type: {value}", [one.name])


def _text(org: Org, sobject: SObject, one: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong_type(one, value)
    text = str(value).strip()
    if not text:
        return None if org.habits.empty_text_is_null or one.type in {"picklist", "multipicklist", "email"} else ""
    if one.type == "picklist":
        return _chosen(org, sobject, one, text)
    if one.type == "multipicklist":
        return _several(org, sobject, one, text)
    if one.length and len(text) > one.length:
        raise refused_row("STRING_TOO_LONG", f"{one.label}: data value too large: {text} (max length={one.length})", [one.name])
    if one.type == "email" and not _EMAIL.fullmatch(text):
        raise refused_row("INVALID_EMAIL_ADDRESS", f"{one.label}: invalid email address: {text}", [one.name])
    return text


def _chosen(org: Org, sobject: SObject, one: Field, text: str) -> str:
    """The picklist's own spelling. An unrestricted picklist takes an unknown value in, as an inactive one."""
    known = next((choice for choice in org.schema.values(sobject, one) if choice.value.lower() == text.lower()), None)
    if known is not None and (known.active or not one.restricted):
        return known.value
    if one.restricted:
        raise refused_row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{one.label}: bad value for restricted picklist field: {text}", [one.name])
    if one.length and len(text) > one.length:
        raise refused_row("STRING_TOO_LONG", f"{one.label}: data value too large: {text} (max length={one.length})", [one.name])
    org.schema.extra.setdefault((sobject.name, one.name), {})[text] = Choice(text, text, active=False)
    return text


def _several(org: Org, sobject: SObject, one: Field, text: str) -> str:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) > MAX_CHOSEN:
        raise refused_row("TOO_MANY_ENUM_VALUE", f"{one.label}: too many values for the multi-select picklist", [one.name])
    chosen = {_chosen(org, sobject, one, part) for part in parts}
    return ";".join(choice.value for choice in org.schema.values(sobject, one) if choice.value in chosen)


def _number(one: Field, value: Any) -> float | int:
    try:
        exact = Decimal(str(value).strip()) if not isinstance(value, bool) else Decimal("NaN")
    except ArithmeticError:
        raise _wrong_type(one, value) from None
    if not exact.is_finite():
        raise _wrong_type(one, value)
    cut = exact.quantize(Decimal(1).scaleb(-one.scale), ROUND_DOWN) if abs(exact) < 10**20 else exact
    if abs(cut) >= Decimal(10) ** (one.precision - one.scale):
        raise refused_row("NUMBER_OUTSIDE_VALID_RANGE", f"{one.label}: value outside of valid range on numeric field: {value}", [one.name])
    return int(cut) if one.type == "int" else float(cut)


def _reference(org: Org, one: Field, value: Any) -> str | None:
    if value == "":
        return None
    id = normalise(value) if isinstance(value, str) else None
    if id is None:
        raise refused_row("MALFORMED_ID", f"{one.label}: id value of incorrect type: {value}", [one.name])
    targets = [org.schema.objects[name] for name in one.refers_to]
    kind = next((target.name for target in targets if id.startswith(target.prefix)), None)
    if kind is None:
        raise refused_row("FIELD_INTEGRITY_EXCEPTION", f"{one.label}: id value of incorrect type: {id}", [one.name])
    parent = org.store.tables[kind].rows.get(id)
    if parent is None:
        raise refused_row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [one.name])
    if parent.get("IsDeleted"):
        raise refused_row("ENTITY_IS_DELETED", "entity is deleted", [one.name])
    if kind == "User" and not parent["IsActive"]:
        raise refused_row("INACTIVE_OWNER_OR_USER", "operation performed with inactive user [" + id + "] as owner of " + one.name, [one.name])
    return id
