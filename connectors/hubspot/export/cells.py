"""What a cell of an export says, in the words of every other answer, and in which form it is written.

HubSpot documents no cell (HubSpot docs, Exports). So each has a *form*, such as `digits` or `with milliseconds`: what was seen to be exact in some cells of a
column is believed of those of the same form there, and of no others (module `trial`). A cell in which a writer of such files may change something (a line
break, a quote, a blank at an end, a sign that a spreadsheet would take for a formula) has the form `aside` and is never believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

ASIDE = "aside"
BLANK = "blank"
SPACED = ", with blanks"
"""How the form of a text ends in which a blank may be what became of a line break."""

_LONGEST = 5_000
_UNSAFE = re.compile(r"^[=@'\s]|[\x00-\x1f\"\x7f-\x9f\u2028\u2029\ufeff\ufffd]|\s$")
_SPACE = re.compile(r"\s")
_NUMBER = re.compile(r"(?P<whole>-?\d{1,15})|(?P<broken>-?\d{1,15}\.\d{1,12})", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,14}", re.ASCII)
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cell(NamedTuple):
    """The value as the API has it, None for blank, and the form. Of a cell that is `aside`, nothing is known."""

    value: str | None
    form: str


Read = Callable[[str], Cell]
_BLANK = Cell(None, BLANK)
_ASIDE = Cell(None, ASIDE)


def reader(told: Mapping[str, Any]) -> Read:
    """How the cells of a property are read, by its definition."""
    return _BY_TYPE.get(str(told.get("type") or ""), word)


def word(cell: str) -> Cell:
    """What has no line breaks: choices, ids, phone numbers."""
    if not cell:
        return _BLANK
    if _UNSAFE.search(cell) or len(cell) > _LONGEST:
        return _ASIDE
    if cell[0] in "+-":
        return Cell(cell, "signed" if cell.isascii() else "signed, beyond ASCII")
    if not cell.isascii():
        return Cell(cell, "beyond ASCII")
    return Cell(cell, "digits" if cell.isdigit() else "several" if ";" in cell else "plain")


def text(cell: str) -> Cell:
    """Any text."""
    found = word(cell)
    return Cell(found.value, found.form + SPACED) if found.value is not None and _SPACE.search(found.value) else found


def number(cell: str) -> Cell:
    """A number in plain digits."""
    if not cell:
        return _BLANK
    found = _NUMBER.fullmatch(cell)
    return Cell(cell, found.lastgroup or "") if found else _ASIDE


def flag(cell: str) -> Cell:
    """Yes or no."""
    if not cell:
        return _BLANK
    return Cell(cell, cell) if cell in ("true", "false") else _ASIDE


def moment(cell: str) -> Cell:
    """A moment to the millisecond; one that is told to the minute, or in an unknown zone, is none."""
    if not cell:
        return _BLANK
    try:
        if _MOMENT.fullmatch(cell):
            at = datetime.fromisoformat(cell)
            return Cell(_instant(at), "with milliseconds") if "." in cell else Cell(cell, "without milliseconds")
        if _MILLISECONDS.fullmatch(cell):
            return Cell(_instant(_EPOCH + timedelta(milliseconds=int(cell))), "number")
    except (ValueError, OverflowError):
        pass
    return _ASIDE


def day(cell: str) -> Cell:
    """A date, also as the milliseconds of its midnight in UTC."""
    if not cell:
        return _BLANK
    if _DAY.fullmatch(cell):
        return Cell(cell, "plain")
    if _MILLISECONDS.fullmatch(cell) and int(cell) % _DAY_MS == 0:
        try:
            return Cell((_EPOCH + timedelta(milliseconds=int(cell))).date().isoformat(), "number")
        except OverflowError:
            pass
    return _ASIDE


def _instant(at: datetime) -> str:
    """As HubSpot's other answers have it: without milliseconds where they are zero (see `rows.instant_ms`)."""
    found = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return found.replace("+00:00", "Z")


_BY_TYPE: Mapping[str, Read] = {"string": text, "number": number, "bool": flag, "datetime": moment, "date": day}
"""By the property's type (HubSpot docs, Properties); all others are words."""
