"""From what somebody sends to what HubSpot stores: trimmed, lower-cased addresses, ISO times, checked options."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..alter import altered
from .errors import BadValue, Refused, invalid_values
from .instants import calendar_date, instant, instant_ms
from .portal import Portal
from .properties import Definition

_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s.,;<>()\"]{2,}")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


class Bad(Exception):
    """A value that is not acceptable; `error` is HubSpot's name of the reason."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message


def as_text(value: object) -> str:
    """A JSON value as the text that HubSpot makes of it; null clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def stored(portal: Portal, given: Mapping[str, object], current: Mapping[str, str], *, by_api: bool) -> dict[str, str]:
    """The values as they are stored. Raises Refused (400) that names every bad one; somebody in the screens may also set read-only ones."""
    found: dict[str, str] = {}
    bad: list[BadValue] = []
    for name, raw in given.items():
        value = as_text(raw).strip()
        try:
            found[name] = one(portal, name, value, current.get(name, ""), by_api=by_api)
        except Bad as error:
            bad.append(BadValue(name, value, error.error, error.message))
    if bad:
        raise invalid_values(bad, only_in_message=portal.habits.errors_only_in_message)
    return found


def one(portal: Portal, name: str, value: str, current: str, *, by_api: bool) -> str:
    """One value as it is stored. Raises Bad."""
    definition = portal.catalogue.by_name.get(name)
    if definition is None or (by_api and not portal.seen([name])):
        raise Bad("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if by_api and (definition.read_only or name in portal.habits.locked_properties):
        raise Bad("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    formed = _form(portal, definition, value, current) if value else ""
    return altered(formed, portal.habits.alters[name]) if name in portal.habits.alters else formed


def _form(portal: Portal, definition: Definition, value: str, current: str) -> str:
    if definition.name == "email":
        return _address(value)
    match definition.type:
        case "enumeration":
            return _choice(portal, definition, value, current)
        case "bool":
            return _yes_or_no(definition, value)
        case "number":
            return _number(value)
        case "date" | "datetime":
            return _moment(definition, value)
        case _:
            return value


def _address(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise Bad("INVALID_EMAIL", f"Email address {value} is invalid")
    return value.lower()


def _yes_or_no(definition: Definition, value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise Bad("INVALID_OPTION", f"{value} was not one of the allowed options: [true, false] for {definition.name}")
    return value.lower()


def _number(value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise Bad("INVALID_LONG", f"{value} was not a valid long.")
    return value


def _moment(definition: Definition, value: str) -> str:
    try:
        return calendar_date(value) if definition.type == "date" else instant(instant_ms(value))
    except (ValueError, OverflowError, OSError):
        raise Bad("INVALID_DATE", f"{value} was not a valid {definition.type}.") from None


def _choice(portal: Portal, definition: Definition, value: str, current: str) -> str:
    if definition.name == "hubspot_owner_id":
        allowed = {owner.id for owner in portal.owners}
    else:
        allowed = {option.value for option in definition.options}
        if not allowed and definition.external:
            return value
    if definition.field_type != "checkbox":
        _refuse_unknown(definition, [value], allowed)
        return value
    parts = [part.strip() for part in value.split(";") if part.strip()]
    if definition.name == "hs_additional_emails":
        return ";".join(dict.fromkeys(_address(part) for part in parts))
    _refuse_unknown(definition, parts, allowed)
    before = [part for part in current.split(";") if part] if value.startswith(";") else []
    return ";".join(dict.fromkeys(before + parts))


def _refuse_unknown(definition: Definition, values: list[str], allowed: set[str]) -> None:
    for value in values:
        if value not in allowed:
            raise Bad("INVALID_OPTION", f"{value} was not one of the allowed options: [{', '.join(sorted(allowed))}] for {definition.name}")


def check_account_rules(portal: Portal, version: str, values: Mapping[str, str], current: Mapping[str, str], *, creating: bool) -> None:
    """The account's own rules for fields, which bind writes from version 2026-09 on. Raises Refused (400)."""
    if version.startswith("v") or version < "2026-09":
        return
    after = {**current, **values}
    if creating:
        missing = [name for name in portal.habits.required_properties if not after.get(name)]
        if missing:
            raise _rule_broken("MISSING_REQUIRED_PROPERTY", missing)
    wanted = [needed for name, value, needed in portal.habits.conditional_properties if values.get(name) == value and not after.get(needed)]
    if wanted:
        raise _rule_broken("MISSING_CONDITIONAL_REQUIRED_PROPERTY", wanted)


def _rule_broken(code: str, names: list[str]) -> Refused:
    message = f"Some required properties were not set: {', '.join(names)}"
    return Refused(400, message, "VALIDATION_ERROR", errors=[{"message": message, "code": code, "context": {"propertyName": names}}])
