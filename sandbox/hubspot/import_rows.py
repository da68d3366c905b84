"""What an import does with one row: makes a contact, changes one, or says why not.

A cell that cannot be read is told as an error, and its row goes on without it, where the portal's habit says so. A file may have labels in place of internal
values, and dates in the order that was named (HubSpot Knowledge Base, Set up import files).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..alter import altered
from .contacts import Contact
from .errors import Refused
from .import_request import ImportRequest, Mapped
from .portal import IMPORTED, Portal
from .single import find_by
from .values import Bad, check_account_rules, one
from .writing import check_unique, create, update

_ERRORS = {
    "INVALID_EMAIL": "INVALID_EMAIL",
    "INVALID_OPTION": "INVALID_ENUMERATION_OPTION",
    "INVALID_LONG": "COULD_NOT_PARSE_NUMBER",
    "INVALID_DATE": "COULD_NOT_PARSE_DATE",
    "COULD_NOT_FIND_OWNER": "COULD_NOT_FIND_OWNER",
}
"""The API's name of a reason -> that of imports."""
_ORDERS = {"MONTH_DAY_YEAR": (2, 0, 1), "DAY_MONTH_YEAR": (2, 1, 0), "YEAR_MONTH_DAY": (0, 1, 2)}
"""Where in a date the year, the month and the day stand."""
_MILLISECONDS = re.compile(r"-?\d+")
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")


@dataclass(frozen=True)
class Trouble:
    """What could not be done. `row`: from 0; `column`: None where it is the whole row."""

    row: int
    error: str
    message: str
    column: int | None = None


@dataclass(frozen=True)
class Done:
    """What came of a row."""

    created: int = 0
    updated: int = 0
    troubles: Sequence[Trouble] = ()


def carried_out(portal: Portal, asked: ImportRequest, number: int) -> Done:
    """Do what the row says, as far as it can be done."""
    row = asked.rows[number]
    if len(row) != len(asked.columns):
        return Done(troubles=[Trouble(number, "INCORRECT_NUMBER_OF_COLUMNS", "The row has not as many cells as the header.")])
    troubles: list[Trouble] = []
    found = _found(portal, asked, row)
    values = _values(portal, asked, number, found, troubles)
    if troubles and (portal.habits.import_bad_cell == "row" or any(each.error == "INVALID_EMAIL" for each in troubles)):
        return Done(troubles=troubles)
    try:
        if found is not None and asked.operation == "CREATE":
            return Done(troubles=[Trouble(number, "CREATE_ONLY_IMPORT", "The record exists, and the import may only create.")])
        if found is not None:
            check_unique(portal, values, found)
            update(portal, found, values, IMPORTED)
            return Done(updated=1, troubles=troubles)
        if asked.operation == "UPDATE":
            return Done(troubles=[Trouble(number, "UPDATE_ONLY_IMPORT", "The record does not exist, and the import may only update.")])
        if not any(values.get(name) for name in ("email", "firstname", "lastname")):
            return Done(troubles=[*troubles, Trouble(number, "FAILED_VALIDATION", "A contact must have an email, a first or a last name.")])
        check_account_rules(portal, asked.version, values, {}, creating=True)
        check_unique(portal, values, None)
    except Refused as refused:
        code = "MISSING_REQUIRED_PROPERTY" if "required" in refused.message else "DUPLICATE_UNIQUE_PROPERTY_VALUE"
        return Done(troubles=[*troubles, Trouble(number, code, refused.message)])
    marketing = {} if asked.marketing is None else {"hs_marketable_status": str(asked.marketing).lower()}
    create(portal, {**values, **marketing}, IMPORTED)
    return Done(created=1, troubles=troubles)


def _found(portal: Portal, asked: ImportRequest, row: Sequence[str]) -> Contact | None:
    """The contact that the row is about: by the column that says so, else by the address."""
    for column, cell in zip(asked.columns, row, strict=True):
        if column.key == "HUBSPOT_OBJECT_ID":
            return portal.store.find(int(cell)) if cell.isdecimal() else None
    for column, cell in zip(asked.columns, row, strict=True):
        if column.property and cell and (column.key or column.property == "email"):
            return find_by(portal, column.property, cell)
    return None


def _values(portal: Portal, asked: ImportRequest, number: int, found: Contact | None, troubles: list[Trouble]) -> dict[str, str]:
    values: dict[str, str] = {}
    for place, (column, cell) in enumerate(zip(asked.columns, asked.rows[number], strict=True)):
        if column.property is None or column.key == "HUBSPOT_OBJECT_ID" or not cell.strip():
            continue
        try:
            values[column.property] = _value(portal, asked, column, cell.strip(), found)
        except Bad as bad:
            troubles.append(Trouble(number, _ERRORS.get(bad.error, "FAILED_VALIDATION"), bad.message, place))
    return values


def _value(portal: Portal, asked: ImportRequest, column: Mapped, cell: str, found: Contact | None) -> str:
    """What is stored of a cell. Raises Bad."""
    name = str(column.property)
    definition = portal.catalogue.by_name[name]
    if definition.type == "date" and not _MILLISECONDS.fullmatch(cell):
        cell = _iso_date(cell, asked.dates)
    elif definition.type == "datetime" and portal.habits.import_moments == "epoch" and not _MILLISECONDS.fullmatch(cell):
        raise Bad("INVALID_DATE", f"{cell} was not a valid datetime.")
    elif name == "hubspot_owner_id":
        cell = next((owner.id for owner in portal.owners if owner.email == cell.lower() and not owner.archived), "")
        if not cell:
            raise Bad("COULD_NOT_FIND_OWNER", "No user has this address.")
    elif definition.type == "enumeration":
        labels = {option.label.lower(): option.value for option in definition.options}
        known = {option.value for option in definition.options}
        cell = ";".join(part if part in known else labels.get(part.lower(), part) for part in cell.split(";"))
    stored = one(portal, name, cell, found.props.get(name, "") if found is not None else "", by_api=True)
    return altered(stored, portal.habits.import_alters[name]) if name in portal.habits.import_alters else stored


def _iso_date(cell: str, order: str) -> str:
    """The date in the order that was named. Raises Bad."""
    parts = _DATE.fullmatch(cell)
    try:
        year, month, day = (int(parts.groups()[place]) for place in _ORDERS[order]) if parts is not None else (0, 0, 0)
        return date(year, month, day).isoformat()
    except ValueError:
        raise Bad("INVALID_DATE", f"{cell} was not a valid date.") from None
