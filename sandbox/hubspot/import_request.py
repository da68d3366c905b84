"""What an import was asked for: a form of two parts, taken apart and checked.

`importRequest` is JSON, `files` a CSV whose columns it maps to properties (HubSpot docs, Imports guide).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from .call import Call
from .errors import Refused, invalid
from .portal import Portal

CONTACT = "0-1"
OPERATIONS = ("CREATE", "UPDATE", "UPSERT")
DATES = ("MONTH_DAY_YEAR", "DAY_MONTH_YEAR", "YEAR_MONTH_DAY")
IDS = ("HUBSPOT_OBJECT_ID", "HUBSPOT_ALTERNATE_ID")
MOST_ROWS = 1_048_576
MOST_BYTES = 512 * 1024**2
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_FIELD = re.compile(rb'(?i)content-disposition:[^\r\n]*\bname="([^"]*)"')
_FILE = re.compile(rb'(?i)content-disposition:[^\r\n]*\bfilename="([^"]*)"')


@dataclass(frozen=True)
class Mapped:
    """A column of the file. `property`: None where it is left out; `key`: whether rows are known by it, and how."""

    name: str
    property: str | None
    key: str


@dataclass(frozen=True)
class ImportRequest:
    """One file of contacts. `marketing`: whether those whom it makes are marketing contacts, where it says so; `rows`: without the header.

    `asked`: the JSON as it was posted.
    """

    name: str
    operation: str
    marketing: bool | None
    dates: str
    file: str
    columns: Sequence[Mapped]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    version: str
    asked: Mapping[str, Any]


def checked(portal: Portal, call: Call) -> ImportRequest:
    """The posted import. Raises Refused (400, 415) for what is missing, unknown, or not to be had from this portal."""
    parts = _parts(call)
    name, content = parts.get("files", ("", b""))
    asked = _json(parts.get("importRequest", ("", b""))[1])
    if len(content) > MOST_BYTES:
        raise invalid("The file is larger than 512 MB.")
    told = asked.get("files")
    if not isinstance(told, list) or len(told) != 1 or not isinstance(told[0], dict):
        raise invalid("files must describe one file: the sandbox imports one at a time.")
    if told[0].get("fileName") != name:
        raise invalid(f"No file was found for fileName {told[0].get('fileName')}.")
    if str(told[0].get("fileFormat")) != "CSV":
        raise invalid("fileFormat is not supported: the sandbox reads CSV only.")
    page = told[0].get("fileImportPage")
    page = page if isinstance(page, dict) else {}
    lines = list(_lines(content))
    header, rows = (lines[0] if lines else []), lines[1:]
    if len(rows) > MOST_ROWS:
        raise invalid(f"The file has more than {MOST_ROWS} rows.")
    return ImportRequest(
        _named(asked),
        _operation(asked),
        _marketing(asked),
        _dates(asked),
        name,
        _columns(portal, page, header),
        header,
        rows if page.get("hasHeader") else lines,
        call.version,
        asked,
    )


def _named(asked: Mapping[str, Any]) -> str:
    name = asked.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("Some required fields were not set: [name]")
    return name


def _operation(asked: Mapping[str, Any]) -> str:
    told = asked.get("importOperations") or {}
    if not isinstance(told, dict) or told.keys() - {CONTACT}:
        raise invalid(f"importOperations names objects that the sandbox does not import: {told}")
    found = told.get(CONTACT, "UPSERT")
    if found not in OPERATIONS:
        raise invalid(f"importOperations are {', '.join(OPERATIONS)}, not {found}.")
    return str(found)


def _marketing(asked: Mapping[str, Any]) -> bool | None:
    found = asked.get("marketableContactImport")
    if found is not None and not isinstance(found, bool):
        raise invalid(f"marketableContactImport is true or false, not {found}.")
    return found


def _dates(asked: Mapping[str, Any]) -> str:
    found = asked.get("dateFormat") or DATES[0]
    if found not in DATES:
        raise invalid(f"dateFormat is one of {', '.join(DATES)}, not {found}.")
    return str(found)


def _columns(portal: Portal, page: Mapping[str, Any], header: Sequence[str]) -> Sequence[Mapped]:
    """One for each column of the file, in its order. What is mapped to a property that cannot be written is refused before anything is done."""
    told = page.get("columnMappings")
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise invalid("Some required fields were not set: [fileImportPage.columnMappings]")
    found = [_column(portal, each) for each in told]
    if page.get("hasHeader") and [each.name for each in found] != list(header):
        raise invalid("The columns of the file are not those of columnMappings.", [{"message": "columns differ", "code": "INVALID_COLUMN_CONFIGURATION"}])
    return found


def _column(portal: Portal, told: Mapping[str, Any]) -> Mapped:
    if told.get("columnObjectTypeId") != CONTACT:
        raise invalid("columnObjectTypeId is not supported: the sandbox imports contacts (0-1) only.")
    key, name = str(told.get("columnType") or ""), told.get("propertyName")
    if key and key not in IDS:
        raise invalid(f"columnType {key} is not supported: the sandbox knows {', '.join(IDS)}.")
    if name is not None and key != "HUBSPOT_OBJECT_ID":
        definition = portal.catalogue.by_name.get(str(name))
        if definition is None or definition.read_only or not portal.seen([str(name)]) or name in portal.habits.locked_properties:
            raise invalid(f"Property {name} does not exist or cannot be written.", [{"message": str(name), "code": "PROPERTY_DEFINITION_NOT_FOUND"}])
    return Mapped(str(told.get("columnName") or ""), None if name is None else str(name), key)


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise invalid(f"Invalid importRequest JSON: {error}") from None
    if not isinstance(found, dict):
        raise invalid("Invalid importRequest JSON: an object is expected")
    return found


def _lines(content: bytes) -> Iterator[Sequence[str]]:
    try:
        yield from (line for line in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise invalid(f"The file cannot be read: {error}") from None


def _parts(call: Call) -> dict[str, tuple[str, bytes]]:
    """Field -> the name of its file, and its content (RFC 7578)."""
    content_type = call.request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        raise Refused(415, "HTTP 415 Unsupported Media Type")
    found: dict[str, tuple[str, bytes]] = {}
    for part in (b"\r\n" + call.request.body).split(b"\r\n--" + boundary.group(1).encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        field, file = _FIELD.search(head), _FILE.search(head)
        if field is not None:
            found[field.group(1).decode()] = (file.group(1).decode() if file is not None else "", content)
    return found
