"""Which column of an export holds what, and a row as the contact that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..rows import MERGED, STAMP, instant_ms, is_id
from .cells import Cell, Read, reader, word
from .ways import Unusable

ID = "hs_object_id"
CREATED = "createdate"
NEEDED = (ID, STAMP, CREATED, MERGED)
"""What an export is asked for besides the mapped properties: who it is, which revision, since when there, and who went into it."""

_REPEATED = 1_024
"""So many different cells of a column are remembered: stages, countries and blanks come again and again."""
_RECORD_ID = "record id"
"""What the first column may be called, whatever names are asked for."""


Seen = tuple[int, str]
"""A column and a form of its cells."""


class Contact(NamedTuple):
    """One row: the id, and a cell for each of the layout's names."""

    id: str
    cells: Sequence[Cell]

    def seen(self) -> list[Seen]:
        """The form in each column."""
        return [(column, cell[1]) for column, cell in enumerate(self.cells)]


@dataclass(frozen=True, slots=True)
class Layout:
    """`ids`: the columns with the record's id. `names`: the properties, with the column and the way to read it of each."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    columns: tuple[tuple[int, Read], ...]

    def contact(self, row: Sequence[str]) -> Contact:
        """The row's contact. Raises `Unusable` for one without an id."""
        id = row[self.ids[0]]
        if not is_id(id) or len(id) > 18 or any(row[column] != id for column in self.ids):
            raise Unusable("a row of its file does not say whose it is")
        return Contact(id, [read(row[column]) for column, read in self.columns])

    def place(self, name: str) -> int:
        """Where in a contact's cells a property is."""
        return self.names.index(name)


def laid_out(header: Sequence[str], asked: Mapping[str, Mapping[str, Any]]) -> Layout:
    """The layout of a file with this header. `asked`: the properties that it should have, with their definitions. Raises `Unusable` for other ones."""
    ids = tuple(column for column, name in enumerate(header) if name == ID or (column == 0 and name.strip().lower() == _RECORD_ID))
    found = {name: column for column, name in enumerate(header) if column not in ids}
    if not ids:
        raise Unusable("its file is none of contacts")
    missing = sorted(asked.keys() - found.keys() - {ID})
    if missing:
        raise Unusable(f"HubSpot leaves {', '.join(missing)} out of it")
    if len(found) + len(ids) != len(header) or found.keys() - asked.keys():
        raise Unusable("its file has other columns than were asked for")
    columns = {ID: (ids[0], word)} | {name: (found[name], lru_cache(_REPEATED)(reader(told))) for name, told in asked.items() if name != ID}
    return Layout(ids, tuple(columns), tuple(columns.values()))


def instant_of(cell: Cell) -> int:
    """A moment that each contact has, in milliseconds. Raises `Unusable` where it is not told exactly."""
    if cell.value is None:
        raise Unusable("moments in its file are not told to the millisecond")
    return instant_ms(cell.value)
