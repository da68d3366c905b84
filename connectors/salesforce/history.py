"""Field history: who set a field, when and to what, as far as the org tracks it (LeadHistory, ContactHistory)."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.records import Actor, FieldChange, Native
from .client import Client
from .fetch import Histories
from .rows import OBJECTS, Row, id15, stamp_ms
from .soql import lists, selects

_FIELDS = ("Id", "Field", "DataType", "NewValue", "CreatedById", "CreatedDate")


def histories(client: Client, kind: str, ids: Iterable[str], fields: tuple[str, ...], own: str | None) -> Histories:
    """The versions of these fields, newest first, where they are tracked; nothing at all where the org keeps no history of the object.

    Lookups are named without their `Id` there, and have a row with the id and one with the name. Old and new value cannot be filtered, the field's name can
    (Object Reference, StandardObjectNameHistory).
    """
    source = OBJECTS[kind]
    parent = f"{source}Id"
    spoken = {_spoken(field).lower(): field for field in fields}
    if not spoken:
        return {}
    also = next(lists("Field", [_spoken(field) for field in fields], 8_000))
    found: dict[str, dict[str, list[FieldChange]]] = {}
    rows: list[Row] = []
    for query in selects((*_FIELDS, parent), f"{source}History", parent, ids, also):
        part = client.open_rows(query)
        if part is None:
            return {}
        rows += part
    for row in sorted(rows, key=_age, reverse=True):
        field = spoken.get(str(row["Field"]).lower())
        if field is not None and (row["DataType"] == "EntityId" or field == _spoken(field)):
            found.setdefault(id15(row[parent]), {}).setdefault(field, []).append(_change(row, own))
    return found


def _spoken(field: str) -> str:
    return field.removesuffix("Id")


def _age(row: Row) -> tuple[int, str]:
    """Rows of one second are told apart by their ids, which ascend as they are made."""
    return stamp_ms(row["CreatedDate"]), str(row["Id"])


def _change(row: Row, own: str | None) -> FieldChange:
    author = row["CreatedById"]
    ours = own is not None and author is not None and id15(author) == id15(own)
    value: Native = row["NewValue"]
    return FieldChange(None if value == "" else value, stamp_ms(row["CreatedDate"]), Actor("integration" if ours else "user", author, ours))
