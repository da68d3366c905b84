"""Between a cell and a native value: blank, dates as the file writes them, several choices in one cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ...model.records import Native
from .amounts import Mark, plain
from .settings import ColumnType, CsvSettings

SHORTENED = re.compile(r"-?\d(?:[.,]\d+)?E\+\d{2,3}")
"""How Excel shows a long number (an id, a telephone number) once it took it for one: the digits behind are lost."""


class Column(NamedTuple):
    """How one column is read and written: cell -> native, native -> cell. `read` gives None for blank and raises nothing."""

    type: str
    read: Callable[[str], Native]
    write: Callable[[Native], str]


def column(kind: ColumnType, settings: CsvSettings, mark: Mark | None = None) -> Column:
    """The column of this type in this file. `mark`: what stands before the decimals of its numbers; None: nothing shows it."""
    zone = ZoneInfo(settings.zone)
    match kind:
        case "number":
            return Column(kind, lambda cell: plain(cell, mark or ".") or None, lambda value: _text(value).replace(".", mark or "."))
        case "email":
            return Column(kind, lambda cell: cell.strip() or None, _text)
        case "date" if settings.dates is not None:
            return Column(kind, _date_reader(settings.dates), _date_writer(settings.dates))
        case "datetime":
            return Column(kind, _time_reader(settings.times, zone), _time_writer(settings.times, zone))
        case "multichoice":
            return Column(kind, lambda cell: cell.replace(settings.separator, ";") or None, lambda value: _text(value).replace(";", settings.separator))
        case _:
            return Column(kind, lambda cell: cell or None, _text)


def _text(value: Native) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _date_reader(form: str) -> Callable[[str], Native]:
    """A cell in another form stays as it is: the mapping says that it is no date."""

    def read(cell: str) -> Native:
        try:
            return datetime.strptime(cell.strip(), form).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            return cell or None

    return read


def _date_writer(form: str) -> Callable[[Native], str]:
    def write(value: Native) -> str:
        try:
            return date.fromisoformat(_text(value)).strftime(form)
        except ValueError:
            return _text(value)

    return write


def moment(cell: str, form: str | None, zone: ZoneInfo) -> datetime:
    """The moment in a cell; without an offset it is in the zone. Raises `ValueError`."""
    text = cell.strip()
    found = datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)  # noqa: DTZ007 - the next line gives it its zone
    return (found.replace(tzinfo=zone) if found.tzinfo is None else found).astimezone(UTC)


def _time_reader(form: str | None, zone: ZoneInfo) -> Callable[[str], Native]:
    def read(cell: str) -> Native:
        try:
            return moment(cell, form, zone).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError):
            return cell or None

    return read


def _time_writer(form: str | None, zone: ZoneInfo) -> Callable[[Native], str]:
    def write(value: Native) -> str:
        try:
            found = datetime.fromisoformat(_text(value)).astimezone(zone)
        except (ValueError, OverflowError):
            return _text(value)
        return found.strftime(form) if form is not None else _text(value)

    return write
