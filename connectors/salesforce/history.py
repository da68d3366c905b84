"""Field history: who set a field, when and to what, as far as the org tracks it (LeadHistory, ContactHistory)."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.records import Actor, FieldChange, Native
from .client import Client
from .fetch import Histories
from .rows import OBJECTS, Row, id15, stamp_ms
from .soql import lists, selects

HISTORY_REACH = 400
"""Records per call on average when history is asked for: a query names some 550 ids in its URL, and the records themselves are read 2,000 a call."""

_BIRTH = "created"
"""The entry that says when and by whom the record was made; it holds no values (Object Reference, LeadHistory)."""

_FIELDS = ("Id", "Field", "DataType", "OldValue", "NewValue", "CreatedById", "CreatedDate")


def histories(client: Client, kind: str, ids: Iterable[str], fields: tuple[str, ...], own: str | None) -> Histories:
    """The versions of these fields, newest first, where they are tracked; nothing at all where the org keeps no history of the object.

    The value with which a record began has no entry of its own: it is what the first change took the place of, since the record was made, where that is told.
    Lookups are named without their `Id` there, and have a row with the id and one with the name. Old and new value cannot be filtered, the field's name can
    (Object Reference, StandardObjectNameHistory).
    """
    source = OBJECTS[kind]
    parent = f"{source}Id"
    spoken = {_spoken(field).lower(): field for field in fields}
    if not spoken:
        return {}
    also = next(lists("Field", [*(_spoken(field) for field in fields), _BIRTH], 8_000))
    found: dict[str, dict[str, list[FieldChange]]] = {}
    births: dict[str, Row] = {}
    rows: list[Row] = []
    for query in selects((*_FIELDS, parent), f"{source}History", parent, ids, also):
        part = client.open_rows(query, ("Id", "Field", "CreatedDate", parent))
        if part is None:
            return {}
        rows += part
    for row in sorted(rows, key=_age, reverse=True):
        if row["Field"] == _BIRTH:
            births[id15(row[parent])] = row
        field = spoken.get(str(row["Field"]).lower())
        if field is not None and (row.get("DataType") == "EntityId" or field == _spoken(field)):
            found.setdefault(id15(row[parent]), {}).setdefault(field, []).append(_change(row, own))
    for id, birth in births.items():
        for versions in found.get(id, {}).values():
            versions.append(FieldChange(versions[-1].before, stamp_ms(birth["CreatedDate"]), _actor(birth, own)))
    return found


def _spoken(field: str) -> str:
    return field.removesuffix("Id")


def _age(row: Row) -> tuple[int, str]:
    """Rows of one second are told apart by their ids, which ascend as they are made."""
    return stamp_ms(row["CreatedDate"]), str(row["Id"])


def _change(row: Row, own: str | None) -> FieldChange:
    value: Native = row.get("NewValue")
    before: Native = row.get("OldValue")
    return FieldChange(None if value == "" else value, stamp_ms(row["CreatedDate"]), _actor(row, own), None if before == "" else before)


def _actor(row: Row, own: str | None) -> Actor:
    author = row.get("CreatedById")
    ours = own is not None and author is not None and id15(author) == id15(own)
    return Actor("integration" if ours else "user", author, ours)
