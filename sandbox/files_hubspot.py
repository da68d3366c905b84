"""HubSpot's contact export as contacts of a world: columns by label or internal name, values by label or internal value.

The labels are those that the export shows ("Record ID", "Create Date", "Unsubscribed from all email"); dates are in the
account's time zone, `2024-03-05 13:45` (HubSpot Knowledge Base, Export your records).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo
from pathlib import Path

from .csv_files import ExportError, Line, Loaded, Table, column_labels, read_table
from .hubspot import HubSpotWorld
from .hubspot.properties import Definition, Option
from .moments import calendar_date, day_first, moment, number, truth
from .people import ascii_form

_KNOWN_BY = ("email", "firstname", "lastname", "hs_object_id")
"""A contact export has at least one of these."""

_DERIVED = ("hs_merged_object_ids", "hs_calculated_merged_vids", "hs_all_contact_vids")
"""Trails of merges: they name records that the file does not hold."""


Reader = Callable[[str], str]
"""One cell as the property's value; ValueError says what is wrong with it."""


def load_hubspot(world: HubSpotWorld, path: str | Path, zone: tzinfo = UTC) -> Loaded:
    """Put the contacts of a HubSpot export into a world. `zone`: the account's time zone. Raises ExportError; nothing is loaded then."""
    table = read_table(path)
    names = _named(table, world)
    _check_unique(table, names)
    custom = _define_custom(world, table, names)
    _define_options(world, table, names)
    readers = _readers(world, table, names, zone)
    rows = [_properties(table, line, names, readers) for line in table.lines]
    ignored = tuple(column for column in table.columns if names[column] in _DERIVED)
    return Loaded(tuple(world.load(rows)), custom, ignored)


def _named(table: Table, world: HubSpotWorld) -> dict[str, str]:
    """Column -> property name, "" if there is no such property yet. The first column of a property counts."""
    definitions = world.portal.catalogue.by_name
    by_label = {definition.label.lower(): name for name, definition in definitions.items()}
    also = column_labels()
    found: dict[str, str] = {}
    for column in table.columns:
        key = re.sub(r"\s+", " ", column.lower())
        name = by_label.get(key) or also.get(key) or (key if key in definitions else "")
        found[column] = name if name not in found.values() else ""
    if not set(_KNOWN_BY) & set(found.values()):
        raise ExportError(
            table.file,
            f"no column of a HubSpot contact export (Email, First Name, Last Name, Record ID) among {', '.join(table.columns[:8])}; is it the other file?",
        )
    return found


def _define_custom(world: HubSpotWorld, table: Table, names: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """A text property for every column that is none, and its name into `names`."""
    made: list[tuple[str, str]] = []
    taken = set(world.portal.catalogue.by_name)
    for index, column in enumerate(table.columns):
        if names[column]:
            continue
        stem = re.sub(r"[^a-z0-9]+", "_", ascii_form(column.replace(" ", "-"))).strip("_")
        stem = stem if stem[:1].isalpha() and len(stem) > 1 else f"column_{index + 1}"
        name, again = stem, 1
        while name in taken:
            again += 1
            name = f"{stem}_{again}"
        taken.add(name)
        world.define(name, column)
        names[column] = name
        made.append((column, name))
    return tuple(made)


def _define_options(world: HubSpotWorld, table: Table, names: Mapping[str, str]) -> None:
    """Every value of a choice that the world does not know becomes an option of its own: a portal's custom stages, for one."""
    for column, name in names.items():
        definition = world.portal.catalogue.by_name[name]
        if definition.type != "enumeration" or definition.external or not definition.options:
            continue
        known = {each.lower() for option in definition.options for each in (option.value, option.label)}
        parts = dict.fromkeys(part for line in table.lines for part in _parts(definition, line.cells.get(column, "")) if part.lower() not in known)
        if parts:
            shown = [(option.value, option.label) for option in sorted(definition.options, key=lambda each: each.order)]
            world.define(name, definition.label, definition.type, definition.field_type, [*shown, *((part, part) for part in parts)])


def _parts(definition: Definition, cell: str) -> list[str]:
    if definition.field_type != "checkbox":
        return [cell] if cell else []
    return [part.strip() for part in cell.split(";") if part.strip()]


def _readers(world: HubSpotWorld, table: Table, names: Mapping[str, str], zone: tzinfo) -> dict[str, Reader]:
    definitions = world.portal.catalogue.by_name
    dated = [column for column, name in names.items() if definitions[name].type in ("date", "datetime")]
    try:
        days = day_first(line.cells.get(column, "") for column in dated for line in table.lines)
    except ValueError as error:
        raise ExportError(table.file, str(error)) from error
    return {column: _reader(world, definitions[name], zone, days) for column, name in names.items() if name not in _DERIVED}


def _reader(world: HubSpotWorld, definition: Definition, zone: tzinfo, days: bool) -> Reader:
    if definition.name == "hs_object_id":
        return _record_id
    if definition.name == "hs_additional_emails":
        return lambda cell: ";".join(part.lower() for part in re.split(r"[;,\s]+", cell) if part)
    if definition.name == "hubspot_owner_id":
        return _owners(world)
    match definition.type:
        case "datetime":
            return lambda cell: str(int(moment(cell, zone, day_first=days).timestamp() * 1000))
        case "date":
            return lambda cell: calendar_date(cell, day_first=days).isoformat()
        case "number":
            return lambda cell: str(number(cell))
        case "bool":
            return lambda cell: "true" if truth(cell) else "false"
        case "enumeration":
            values = _values(definition.options)
            return lambda cell: ";".join(values.get(part.lower(), part) for part in _parts(definition, cell))
        case _:
            return str


def _values(options: Iterable[Option]) -> dict[str, str]:
    return {each.lower(): option.value for option in options for each in (option.label, option.value)}


def _record_id(cell: str) -> str:
    if not cell.isdecimal():
        raise ValueError(f"{cell!r} is no record id; ids are whole numbers (a spreadsheet may have turned it into 1.2E+10)")
    return cell


def _owners(world: HubSpotWorld) -> Reader:
    """Owners stand in the file by name or address; who is not known becomes a user."""
    known = {each: owner.id for owner in world.portal.owners for each in (owner.id, owner.email.lower(), f"{owner.first_name} {owner.last_name}".lower())}

    def read(cell: str) -> str:
        found = known.get(cell.lower())
        if found is None:
            first, _, last = cell.partition(" ")
            email = cell.lower() if "@" in cell else f"{ascii_form(cell.replace(' ', '-'))}@owners.example"
            found = known[cell.lower()] = world.add_owner(email, first, last)
        return found

    return read


def _properties(table: Table, line: Line, names: Mapping[str, str], readers: Mapping[str, Reader]) -> dict[str, str | None]:
    row: dict[str, str | None] = {}
    for column, cell in line.cells.items():
        read = readers.get(column)
        if read is None:
            continue
        try:
            row[names[column]] = read(cell)
        except ValueError as error:
            raise ExportError(table.file, str(error), line.number, column) from error
    return row


def _check_unique(table: Table, names: Mapping[str, str]) -> None:
    """HubSpot keeps ids and addresses unique, so a file that does not was put together by hand."""
    for column, name in names.items():
        if name not in ("hs_object_id", "email"):
            continue
        seen: dict[str, int] = {}
        for line in table.lines:
            cell = line.cells.get(column, "").lower()
            if cell and cell in seen:
                raise ExportError(
                    table.file, f"{cell!r} stands in line {seen[cell]} too, and HubSpot has it once only; remove one of the two", line.number, column
                )
            seen[cell] = line.number
