"""Which contacts an import can carry, and in which cells.

How HubSpot reads a cell is documented for people (HubSpot Knowledge Base, Set up import files), so each has a *form*, as in exports (`export.cells`), and only
forms that were seen to arrive as they were sent travel by thousands. Never by an import goes a contact without an address, by which its outcome is known; one
that has opted out or is linked to a company, which are calls of their own; and one with a cell that may be read as something else. An owner travels as the
address by which imports know one (HubSpot Knowledge Base, as above).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....model.writes import Step
from .. import consent
from ..companies import LINK
from ..export.cells import ASIDE, BLANK, Cell, Read, reader
from ..owners import OWNER
from ..rows import EMAIL, sent_values

_BLANK = Cell(None, BLANK)
_OTHERWISE = Cell(None, ASIDE)

Form = tuple[str, str]
"""A property and a form of its cells."""


class Row(NamedTuple):
    """A contact to be made. `place`: of its step; `address`: in small letters; `cells`: by property, those that are filled; `owner`: by the address."""

    place: int
    address: str
    cells: Mapping[str, Cell]
    owner: str = ""

    def forms(self) -> set[Form]:
        """The form in each property."""
        return {(name, cell.form) for name, cell in self.cells.items()}

    def arrived(self, values: Mapping[str, Any]) -> bool:
        """These are the values that were sent, to the letter; an address may come back in small letters."""
        return all(as_sent(name, cell, values.get(name)) for name, cell in self.cells.items())


def as_sent(name: str, cell: Cell, value: Any) -> bool:
    """The cell arrived as it was sent."""
    return str(value or "").lower() == str(cell.value).lower() if name == EMAIL else value == cell.value


def readers(told: Sequence[Mapping[str, Any]]) -> dict[str, Read]:
    """How the values of each property are spelled, by the definitions of all."""
    return {str(each["name"]): _choice(each) if each.get("options") else reader(each) for each in told}


def _choice(told: Mapping[str, Any]) -> Read:
    """A file may have the label of a choice in place of its value: one that is another's label is never sent."""
    read = reader(told)
    options: Sequence[Mapping[str, Any]] = told.get("options") or ()
    labels = {str(each.get("label") or "").lower(): str(each.get("value")) for each in options}

    def value(cell: str) -> Cell:
        strays = any(labels.get(part.lower(), part) != part for part in cell.split(";"))
        return _OTHERWISE if strays else read(cell)

    return value


def rows_of(steps: Mapping[int, Step], known: Mapping[str, Read], owners: Mapping[str, str]) -> list[Row]:
    """Those of the steps that an import can carry, an address once. `owners`: id -> address."""
    found: dict[str, Row] = {}
    for place, step in steps.items():
        row = _row(place, step, known, owners)
        if row is not None:
            found.setdefault(row.address, row)
    return list(found.values())


def _row(place: int, step: Step, known: Mapping[str, Read], owners: Mapping[str, str]) -> Row | None:
    given = {name: value for name, value in step.values.items() if value is not None and name != consent.OPT_OUT}
    texts = {name: text for name, text in sent_values(given).items() if text}
    if not texts.get(EMAIL) or step.values.get(consent.OPT_OUT) or LINK in texts or texts.keys() - known.keys():
        return None
    cells = {name: known[name](text) for name, text in texts.items()}
    owner = owners.get(texts.get(OWNER, ""), "")
    if any(cell.value != texts[name] for name, cell in cells.items()) or (OWNER in texts and not owner):
        return None
    return Row(place, texts[EMAIL].lower(), cells, owner)


def columns_of(rows: Sequence[Row]) -> list[str]:
    """The properties that any of them has."""
    return [*dict.fromkeys(name for row in rows for name in row.cells)]


def content(rows: Sequence[Row]) -> bytes:
    """The file: a header and a row for each; a blank cell says nothing."""
    names = columns_of(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([row.owner if name == OWNER else row.cells.get(name, _BLANK).value or "" for name in names] for row in rows)
    return text.getvalue().encode()
