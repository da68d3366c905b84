"""The file of an export: a header, a row for each contact, in one CSV file or zipped.

A sheet of a million rows never stands in memory as a whole: it is written to files that go as soon as nobody holds them.
"""

from __future__ import annotations

import csv
import io
import shutil
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from .contacts import Contact
from .derived import getter
from .export_request import ExportRequest
from .instants import calendar_date, instant_ms
from .portal import Portal
from .properties import Definition

RECORD_ID = "hs_object_id"
_IN_MEMORY = 1 << 20
"""Bytes of a file up to which it needs no place on the disk."""

Cell = Callable[[str], str]
"""How a stored value is spelled."""
Scratch = Any
"""A temporary file (`SpooledTemporaryFile[bytes]`, which is no `BinaryIO` to the type checker)."""


@dataclass(frozen=True)
class Column:
    """A column's header and what stands below it."""

    header: str
    read: Callable[[Contact], str]


@dataclass(frozen=True)
class Sheet:
    """A finished file; `name` has its ending."""

    name: str
    content_type: str
    rows: int
    _file: Scratch = field(repr=False)

    def __post_init__(self) -> None:
        weakref.finalize(self, self._file.close)

    def content(self) -> bytes:
        """The whole file."""
        self._file.seek(0)
        return self._file.read()


def write(portal: Portal, asked: ExportRequest, contacts: Sequence[Contact]) -> Sheet:
    """The file of these contacts, as the portal stands now."""
    columns, most = columns_of(portal, asked), portal.habits.export_rows_per_file
    starts = range(0, len(contacts), most) or (0,)
    parts = [_part(columns, contacts[start : start + most], bom=portal.habits.export_bom) for start in starts]
    now = datetime.fromtimestamp(portal.now() / 1000, UTC)
    name = f"hubspot-crm-exports-{_slug(asked.name)}-{now:%Y-%m-%d}"
    if len(parts) == 1 and parts[0].tell() < portal.habits.export_zip_from:
        return Sheet(f"{name}.csv", "text/csv; charset=utf-8", len(contacts), parts[0])
    members = [f"{name}-{number}.csv" for number in range(1, len(parts) + 1)] if len(parts) > 1 else [f"{name}.csv"]
    return Sheet(f"{name}.zip", "application/zip", len(contacts), _zipped(zip(members, parts, strict=True), now))


def columns_of(portal: Portal, asked: ExportRequest) -> list[Column]:
    """The columns of the properties that the credential sees, the record's id among them or ahead of them."""
    habits, definitions = portal.habits, portal.catalogue.by_name
    names = portal.seen(asked.properties)
    if habits.export_id_column != "asked":
        names = [RECORD_ID, *(name for name in names if name != RECORD_ID)]
    found = [_column(portal, asked, definitions[name]) for name in names]
    if habits.export_id_column == "label":
        found[0] = Column(definitions[RECORD_ID].label, found[0].read)
    return found


def _column(portal: Portal, asked: ExportRequest, definition: Definition) -> Column:
    name, spelled, calculated = definition.name, _spelling(portal, asked, definition), getter(definition.name)
    header = name if asked.names else definition.label

    def read(contact: Contact) -> str:
        value = calculated(contact) if calculated is not None else contact.props.get(name)
        return spelled(value) if value else ""

    return Column(header, read)


def _spelling(portal: Portal, asked: ExportRequest, definition: Definition) -> Cell:
    habits = portal.habits
    match definition.type:
        case "datetime" | "date" as kind:
            return _timed(portal, "minutes" if not asked.values else habits.export_moments, kind)
        case "enumeration" | "bool":
            return str if asked.values else _labelled(_labels(portal, definition), several=definition.field_type == "checkbox")
        case "number" if habits.export_numbers == "double" and definition.name != RECORD_ID:
            return _unless_bad(lambda value: str(float(value)))
        case "string" if habits.export_line_breaks == "blanks":
            return lambda value: " ".join(value.splitlines())
        case _:
            return str


def _timed(portal: Portal, spelling: str, kind: str) -> Cell:
    if spelling == "epoch":
        return _unless_bad(lambda value: str(instant_ms(value)))
    if kind == "date":
        return _unless_bad(calendar_date)
    if spelling == "iso":
        return str
    zone = portal.zone
    return _unless_bad(lambda value: f"{datetime.fromtimestamp(instant_ms(value) / 1000, zone):%Y-%m-%d %H:%M}")


def _unless_bad(spelled: Cell) -> Cell:
    """A value that was loaded past the rules stands as it is."""

    def read(value: str) -> str:
        try:
            return spelled(value)
        except (ValueError, OverflowError, OSError):
            return value

    return read


def _labels(portal: Portal, definition: Definition) -> Mapping[str, str]:
    if definition.name == "hubspot_owner_id":
        return {owner.id: f"{owner.first_name} {owner.last_name}".strip() or owner.email for owner in portal.owners}
    return {option.value: option.label for option in definition.options}


def _labelled(labels: Mapping[str, str], *, several: bool) -> Cell:
    if several:
        return lambda value: ";".join(labels.get(part, part) for part in value.split(";"))
    return lambda value: labels.get(value, value)


def _part(columns: Sequence[Column], contacts: Iterable[Contact], *, bom: bool) -> Scratch:
    scratch = _scratch()
    text = io.TextIOWrapper(scratch, encoding="utf-8-sig" if bom else "utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.header for column in columns])
    reads = [column.read for column in columns]
    writer.writerows([read(contact) for read in reads] for contact in contacts)
    text.detach()
    return scratch


def _zipped(members: Iterable[tuple[str, Scratch]], now: datetime) -> Scratch:
    whole = _scratch()
    with ZipFile(whole, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, part in members:
            with part, archive.open(_member(name, now), "w", force_zip64=True) as member:
                part.seek(0)
                shutil.copyfileobj(part, member)
    return whole


def _member(name: str, now: datetime) -> ZipInfo:
    member = ZipInfo(name, (now.year, now.month, now.day, now.hour, now.minute, now.second))
    member.compress_type = ZIP_DEFLATED
    return member


def _scratch() -> Scratch:
    return SpooledTemporaryFile(max_size=_IN_MEMORY)


def _slug(name: str) -> str:
    return "-".join("".join(each if each.isalnum() and each.isascii() else " " for each in name.lower()).split()) or "export"
