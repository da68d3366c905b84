"""What a spreadsheet might run, and how a cell is kept from it: an apostrophe in front, which it shows as text."""

from __future__ import annotations

import re

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so may be run as a formula by spreadsheets; the last four are the full-width forms, which some take for the same."""
_FORMULA = re.compile("'*[" + re.escape("".join(FORMULA)) + "]")
_NUMBER = re.compile(r"[+-]?[0-9(][0-9 ()./,\u00a0-]*")
"""A number or a telephone number: nothing in it runs, and whoever imports the file wants it as it is."""


def guarded(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet might run it; `bared` takes it off again."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def bared(cell: str) -> str:
    """The text that a cell means: what went into `guarded` comes out."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
