"""Filling the org with many records at once, past every rule of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import stamps
from .errors import refused_row
from .fields import NUMBERS, Field, Row, SObject
from .ids import normalise
from .org import Org
from .writes import DERIVED, list_statuses, person_name

SYSTEM = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


def load(org: Org, kind: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Insert rows as if they had always been there; gives their ids.

    Stamps are taken from the row (ISO text with an offset, or milliseconds) and are now otherwise; somebody made them.
    Numbers, booleans and dates may come as text. Raises Refused for a field that is not defined.
    """
    sobject = org.schema.objects[kind]
    convert = {one.name: converter for one in sobject.fields.values() if (converter := _converter(one)) is not None}
    base = _base(org, kind, sobject)
    found = [_row(org, kind, sobject, given, base, convert) for given in rows]
    org.store.tables[kind].load(found)
    for row in found if kind == "Campaign" else ():
        list_statuses(org, row["Id"], org.moment())
    return [row["Id"] for row in found]


def _base(org: Org, kind: str, sobject: SObject) -> Row:
    now = org.now()
    system = {"CreatedById": org.somebody, "LastModifiedById": org.somebody, "OwnerId": org.somebody, **dict.fromkeys(SYSTEM, now)}
    base: Row = {**sobject.defaults, **{name: value for name, value in system.items() if name in sobject.fields}}
    if kind == "Lead":
        base["Status"] = next(choice.value for choice in org.status_choices() if choice.default)
    return base


def _row(org: Org, kind: str, sobject: SObject, given: Mapping[str, Any], base: Row, convert: Mapping[str, Callable[[Any], Any]]) -> Row:
    row: Row = {**base, **{name: value for name, value in given.items() if value is not None and value != ""}}
    if not sobject.fields.keys() >= row.keys():
        unknown = sorted(row.keys() - sobject.fields.keys())
        raise refused_row("INVALID_FIELD", f"{kind} has no field {', '.join(unknown)}: define it first", unknown)
    for name in convert.keys() & given.keys():
        if name in row and given[name] is not None:
            row[name] = convert[name](row[name])
    _settle_stamps(row, given, sobject)
    if "Id" not in row:
        row["Id"] = org.store.mint(kind)
    if kind in {"Lead", "Contact"}:
        row["Name"] = person_name(row)
    elif kind in DERIVED:
        row = {**row, **DERIVED[kind](org, row, None, org.moment())}
    return row


def _settle_stamps(row: Row, given: Mapping[str, Any], sobject: SObject) -> None:
    """What was made then was also changed then, unless the row says otherwise."""
    created, modified = given.get("CreatedDate"), given.get("LastModifiedDate")
    if "SystemModstamp" not in sobject.fields:
        return
    if created is not None and modified is None:
        row["LastModifiedDate"] = row["CreatedDate"]
    if given.get("SystemModstamp") is None and (created is not None or modified is not None):
        row["SystemModstamp"] = row["LastModifiedDate"]
    if modified is not None and created is None:
        row["CreatedDate"] = row["LastModifiedDate"]


def _converter(one: Field) -> Callable[[Any], Any] | None:
    if one.type == "datetime":
        return lambda value: stamps.of_ms(value) if isinstance(value, int) else stamps.parse(value)
    if one.type == "date":
        return lambda value: stamps.parse_date(str(value))
    if one.type == "boolean":
        return lambda value: value if isinstance(value, bool) else str(value).strip().lower() in {"true", "1", "yes"}
    if one.type in NUMBERS:
        return int if one.type == "int" else float
    if one.type in {"reference", "id"}:
        return _id
    return None


def _id(value: Any) -> str:
    found = normalise(value) if isinstance(value, str) else None
    if found is None:
        raise refused_row("MALFORMED_ID", f"malformed id {value}")
    return found
