"""Readers and writers by canonical type, each writer the inverse of its reader.

For every value x that can be read: `read(write(read(x))) == read(x)`, unless the native field holds less (`lossy`): then writing what was read
back changes nothing any more. Equal after reading = equal; nobody's spelling is rewritten for its own sake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ..model.companies import By
from ..model.records import Native, Value, Values
from .choices import Translation, choice_reader, choice_writer, multichoice_reader, multichoice_writer
from .companies import company_writer
from .countries import country_code, country_name, read_country
from .fields import FieldType, Unmappable
from .maps import Reader, Writer
from .numbers import digits, read_boolean, read_integer, read_number, scaled
from .owners import Owners, owner_reader, owner_writer
from .phones import phone_reader
from .text import as_text, read_email, read_text, read_url
from .times import day_in, instant, noon, read_date, read_datetime, whole_seconds

NATIVE_TYPES: Mapping[FieldType, frozenset[str]] = {
    "text": frozenset({"text", "email", "phone", "choice", "number"}),
    "email": frozenset({"email", "text"}),
    "phone": frozenset({"phone", "text"}),
    "country": frozenset({"text", "choice"}),
    "number": frozenset({"number", "text"}),
    "integer": frozenset({"number", "text"}),
    "boolean": frozenset({"boolean", "text", "choice"}),
    "date": frozenset({"date", "datetime", "text"}),
    "datetime": frozenset({"datetime", "date", "text"}),
    "choice": frozenset({"choice", "text"}),
    "multichoice": frozenset({"multichoice", "choice", "text"}),
    "url": frozenset({"text"}),
    "owner": frozenset({"reference", "text", "email"}),
    "company": frozenset({"reference", "number", "text"}),
}
"""Which native types can hold a canonical type. Native `other` and unknown types are let through."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one native field can hold, and what its reader needs to know around it.

    `strings`: numbers and booleans are carried as text. `seconds`: moments are stored to the second. `unblank`: blank is read as false, because some
    system cannot hold blank. `country`: the native field with the record's country; `region`: the country where that is blank.
    `by`: what a company is known by.
    """

    type: str
    zone: ZoneInfo
    length: int | None = None
    scale: int | None = None
    strings: bool = False
    seconds: bool = False
    unblank: bool = False
    country: str | None = None
    region: str | None = None
    countries: Mapping[str, str] | None = None
    translation: Translation | None = None
    owners: Owners = field(default_factory=Owners)
    by: By = "domain"


_PLAIN_READERS: Mapping[FieldType, Reader] = {
    "text": read_text,
    "email": read_email,
    "country": read_country,
    "number": read_number,
    "integer": read_integer,
    "url": read_url,
}
_NO_TRANSLATION = Translation({}, {}, {}, restricted=False)


def make_reader(kind: FieldType, shape: Shape) -> Reader:
    """The reader of a canonical type from a native field of this shape."""
    match kind:
        case "phone":
            return phone_reader(shape.country, shape.region)
        case "boolean":
            return _read_unblank if shape.unblank else read_boolean
        case "date":
            return read_date(shape.zone if shape.type == "datetime" else None)
        case "datetime":
            return read_datetime(shape.zone)
        case "choice":
            return choice_reader(shape.translation or _NO_TRANSLATION)
        case "multichoice":
            return multichoice_reader(shape.translation or _NO_TRANSLATION)
        case "owner":
            return owner_reader(shape.owners)
        case "company":
            return _read_id
        case _:
            return _PLAIN_READERS[kind]


def _read_id(native: Native, _record: Values) -> Value:
    return native


def _read_unblank(native: Native, record: Values) -> Value:
    return False if native is None else read_boolean(native, record) or False


def make_writer(kind: FieldType, shape: Shape) -> tuple[Writer, bool]:
    """The writer of a canonical type into a native field of this shape, and whether it loses something."""
    match kind:
        case "text" | "url":
            return _text_writer(shape.length), shape.length is not None
        case "email" | "phone":
            return _whole_writer(shape.length), False
        case "country":
            return _country_writer(shape), False
        case "number" | "integer":
            return _number_writer(shape), kind == "number" and shape.scale is not None
        case "boolean":
            return _boolean_writer(shape), False
        case "date":
            return _date_writer(shape), False
        case "datetime":
            return _datetime_writer(shape), shape.type == "date" or shape.seconds
        case "choice":
            return choice_writer(shape.translation or _NO_TRANSLATION), False
        case "multichoice":
            return multichoice_writer(shape.translation or _NO_TRANSLATION), False
        case "owner":
            return owner_writer(shape.owners), shape.owners.fallback is not None
        case "company":
            return company_writer(shape.by), False


def _same(value: Value) -> Native:
    return value


def _text_writer(length: int | None) -> Writer:
    if length is None:
        return _same

    def write(value: Value) -> Native:
        if value is None:
            return None
        text = as_text(value)
        return text if len(text) <= length else text[:length].rstrip()

    return write


def _whole_writer(length: int | None) -> Writer:
    """A part of an address or of a number is another one: refuse rather than shorten."""
    if length is None:
        return _same

    def write(value: Value) -> Native:
        if value is not None and len(as_text(value)) > length:
            raise Unmappable(f"is longer than the {length} characters there")
        return value

    return write


def _country_writer(shape: Shape) -> Writer:
    by_code = shape.countries or {}
    text = _text_writer(shape.length)

    def write(value: Value) -> Native:
        if value is None:
            return None
        name = as_text(value)
        if name in by_code:
            return by_code[name]
        if by_code:
            raise Unmappable(f"has no option {name!r} there")
        return name if shape.length == 2 and country_code(name) == name else text(country_name(name))

    return write


def _number_writer(shape: Shape) -> Writer:
    as_string = shape.strings or shape.type == "text"

    def write(value: Value) -> Native:
        if value is None or isinstance(value, str):
            return value
        number = value if shape.scale is None else scaled(value, shape.scale)
        return digits(number) if as_string else number

    return write


def _boolean_writer(shape: Shape) -> Writer:
    as_string = shape.strings or shape.type in {"text", "choice"}
    blank: Native = False if shape.unblank and shape.type == "boolean" and not shape.strings else None

    def write(value: Value) -> Native:
        if value is None:
            return blank
        return ("true" if value else "false") if as_string else bool(value)

    return write


def _date_writer(shape: Shape) -> Writer:
    if shape.type != "datetime":
        return _same

    def write(value: Value) -> Native:
        return None if value is None else instant(noon(as_text(value), shape.zone))

    return write


def _datetime_writer(shape: Shape) -> Writer:
    def write(value: Value) -> Native:
        if value is None:
            return None
        if shape.type == "date":
            return day_in(as_text(value), shape.zone)
        return whole_seconds(as_text(value)) if shape.seconds else value

    return write
