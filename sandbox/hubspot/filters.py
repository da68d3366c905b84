"""One filter of a search as a question about one contact, compiled once per query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .contacts import Contact
from .derived import value_of
from .errors import invalid
from .instants import instant_ms
from .portal import Portal
from .properties import Definition

Question = Callable[[Contact], bool]
Key = Callable[[Contact], Any]
"""The value by which contacts compare; None = empty."""

_TOKENS = re.compile(r"[\w]+", re.UNICODE)
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda value, asked: value == asked,
    "LT": lambda value, asked: value < asked,
    "LTE": lambda value, asked: value <= asked,
    "GT": lambda value, asked: value > asked,
    "GTE": lambda value, asked: value >= asked,
}
OPERATORS = (*_ORDERED, "NEQ", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN")


def key_of(portal: Portal, definition: Definition) -> Key:
    """How contacts compare in this property: times as ms, numbers as numbers, text in lower case, options as they are."""
    name = definition.name
    if name == "lastmodifieddate":
        return lambda contact: contact.updated_ms
    if name == "createdate":
        return lambda contact: contact.created_ms
    if name == "hs_object_id":
        return (lambda contact: contact.id) if portal.habits.ids_compare_as_text else (lambda contact: contact.number)
    convert = _converter(definition)

    def key(contact: Contact) -> Any:
        value = value_of(contact, name)
        try:
            return None if value is None else convert(value)
        except ValueError:  # loaded past the rules, so the index could not make anything of it
            return None

    return key


def _converter(definition: Definition) -> Callable[[str], Any]:
    match definition.type:
        case "date" | "datetime":
            return instant_ms
        case "number":
            return float
        case "enumeration" | "bool":
            return str
        case _:
            return str.lower


def asked_as(portal: Portal, definition: Definition, value: Any) -> Any:
    """A filter's value in the form of the key. Raises Refused (400)."""
    if value is None:
        raise invalid(f"A value is missing for {definition.name}.")
    text = str(value).strip()
    try:
        if definition.name == "hs_object_id":
            return text if portal.habits.ids_compare_as_text else int(text)
        return _converter(definition)(text)
    except ValueError:
        raise invalid(f"{text} is no valid {definition.type} for {definition.name}.") from None


def question(portal: Portal, posted: Mapping[str, Any]) -> Question:
    """The question that a posted filter asks. Raises Refused (400) for an unknown property or operator."""
    name, operator = str(posted.get("propertyName", "")), str(posted.get("operator", ""))
    definition = portal.catalogue.by_name.get(name)
    if definition is None or not portal.seen([name]):
        raise invalid(f"There was a problem with the request: property {name} does not exist.")
    key = key_of(portal, definition)
    match operator:
        case "HAS_PROPERTY":
            return lambda contact: key(contact) is not None
        case "NOT_HAS_PROPERTY":
            return lambda contact: key(contact) is None
        case "BETWEEN":
            low, high = asked_as(portal, definition, posted.get("value")), asked_as(portal, definition, posted.get("highValue"))
            return lambda contact: (value := key(contact)) is not None and low <= value <= high
        case "NEQ":
            return _unless(portal, key, _equal(key, asked_as(portal, definition, posted.get("value"))))
        case "IN":
            return _among(portal, definition, key, posted)
        case "NOT_IN":
            return _unless(portal, key, _among(portal, definition, key, posted))
        case "CONTAINS_TOKEN":
            return _contains(key, str(posted.get("value", "")))
        case "NOT_CONTAINS_TOKEN":
            return _unless(portal, key, _contains(key, str(posted.get("value", ""))))
        case _ if operator in _ORDERED:
            return _ordered(key, operator, asked_as(portal, definition, posted.get("value")))
        case _:
            raise invalid(f"{operator or 'No operator'} is none of {', '.join(OPERATORS)}.")


def _equal(key: Key, asked: Any) -> Question:
    return lambda contact: key(contact) == asked


def _ordered(key: Key, operator: str, asked: Any) -> Question:
    compare = _ORDERED[operator]
    return lambda contact: (value := key(contact)) is not None and compare(value, asked)


def _unless(portal: Portal, key: Key, inner: Question) -> Question:
    """The opposite; whether an empty property counts as different is a habit."""
    if portal.habits.negative_filters_match_empty:
        return lambda contact: not inner(contact)
    return lambda contact: key(contact) is not None and not inner(contact)


def _among(portal: Portal, definition: Definition, key: Key, posted: Mapping[str, Any]) -> Question:
    """Text is compared with the lower-case index, and the given values are taken as they are: upper case never matches."""
    values = posted.get("values")
    if not isinstance(values, list) or not values:
        raise invalid(f"values is missing for {definition.name}.")
    as_is = definition.type in ("string", "phone_number")
    asked = frozenset(str(value).strip() if as_is else asked_as(portal, definition, value) for value in values)
    return lambda contact: key(contact) in asked


def _contains(key: Key, asked: str) -> Question:
    """Every token must be there; `*` at an end stands for the rest of a token."""
    wanted = [re.compile(re.escape(part).replace(r"\*", r"\w*")) for part in re.findall(r"[\w*]+", asked.lower())]

    def ask(contact: Contact) -> bool:
        tokens = _TOKENS.findall(str(key(contact) or "").lower())
        return bool(wanted) and all(any(part.fullmatch(token) for token in tokens) for part in wanted)

    return ask
