"""How a file is laid out: its columns, which of them tell rows apart, and what stands before the first row. It is remembered with the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from ...model.errors import ConfigurationError
from ...model.formulas import bared, guarded
from ...model.records import Native
from .amounts import Mark
from .cells import SHORTENED, Column, column, moment
from .forms import LONGEST_CELL, Cells, Form, form_of, spoilt
from .settings import ColumnType, CsvSettings
from .sniff import Dialect, fresh

_IDS = ("Record ID", "Record ID - Contact", "Contact ID", "Lead ID", "Lead/Contact ID", "hs_object_id", "Id", "ID", "id")
_ADDRESSES = ("Email", "email", "Email Address", "E-mail")
_NUMBERS = ("Annual Revenue", "annualrevenue", "AnnualRevenue", "Number of Employees", "Employees", "No. of Employees", "numemployees", "NumberOfEmployees")
_MODIFIED = ("Last Modified Date", "LastModifiedDate", "lastmodifieddate", "SystemModstamp")


@dataclass(frozen=True, slots=True)
class Layout:
    """One file's layout. `before`: its bytes up to and with the header, without the mark. `decimals`: column of numbers -> what stands before the decimals."""

    dialect: Dialect
    columns: tuple[str, ...]
    before: bytes
    key: tuple[str, ...]
    decimals: Mapping[str, Mark] = field(default_factory=dict[str, Mark])

    def to_json(self) -> dict[str, Any]:
        """As it is remembered."""
        return {**asdict(self), "before": self.before.hex(), "dialect": {**asdict(self.dialect), "mark": self.dialect.mark.hex()}}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Layout:
        """As it was remembered."""
        dialect = replace(Dialect(**stored["dialect"]), mark=bytes.fromhex(stored["dialect"]["mark"]))
        return Layout(dialect, tuple(stored["columns"]), bytes.fromhex(stored["before"]), tuple(stored["key"]), stored.get("decimals", {}))

    def form(self) -> Form:
        """Takes its rows apart."""
        return form_of(self.dialect, self.columns)

    def is_like(self, other: Layout) -> bool:
        """The same bytes mean the same row in both: of objects whatever their names, which stand in each of them."""
        return self.dialect == other.dialect and (self.dialect.lines or self.columns == other.columns)

    def encode(self, raw: str) -> bytes:
        """As it stands in the file. Raises `UnicodeEncodeError` for what the file's encoding does not have."""
        return raw.encode(self.dialect.encoding, self.dialect.errors)

    def decode(self, raw: bytes) -> str:
        """As text."""
        return raw.decode(self.dialect.encoding, self.dialect.errors)


def made(settings: CsvSettings) -> Layout:
    """The layout of a file that does not exist yet."""
    dialect = fresh(settings)
    layout = Layout(dialect, settings.columns, b"", choose_key(settings, settings.columns, ()))
    header = "" if dialect.lines else form_of(dialect, settings.columns).changed("", {name: name for name in settings.columns})
    return replace(layout, before=layout.encode(header))


def choose_key(settings: CsvSettings, columns: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """The columns that tell rows apart: as configured, as `before`, an id, the address. Raises `ConfigurationError` where there are none."""
    where = str(settings.path)
    for name in settings.key:
        if name not in columns:
            listed = ", ".join(columns[:12])
            raise ConfigurationError(f"the file has no column {name!r}, by which its rows are told apart", where=where, next_step=f"it has: {listed}")
    found = settings.key or (tuple(before) if before and set(before) <= set(columns) else ())
    found = found or next(((name,) for name in (*_IDS, *_ADDRESSES) if name in columns), ())
    if not found:
        raise ConfigurationError("nothing says which column tells the rows of the file apart", where=where, next_step='write key = "..." in its table')
    return found


class Reader:
    """Takes rows apart in one layout: their refs, their times, their texts. `form` is the form that read or reads the file."""

    def __init__(self, settings: CsvSettings, layout: Layout, form: Form | None = None) -> None:
        self.layout, self.form = layout, form or layout.form()
        self._settings = settings
        self._zone = ZoneInfo(settings.zone)
        self._keys = [self.form.place(name) for name in layout.key]
        self._folds = all(self._type(name) == "email" for name in layout.key)
        wanted = (settings.modified,) if settings.modified is not None else _MODIFIED
        self.modified = next((name for name in wanted if name in self.form.columns), None)
        self._modified = None if self.modified is None else self.form.place(self.modified)

    def _type(self, name: str) -> ColumnType:
        return self._settings.types.get(name) or ("email" if name in _ADDRESSES else "number" if name in _NUMBERS else "text")

    def column(self, name: str) -> Column:
        """How the column is read and written."""
        return column(self._type(name), self._settings, self._settings.decimal or self.layout.decimals.get(name))

    @property
    def numbers(self) -> list[str]:
        """The columns of numbers of which the cells are to show how they are written."""
        return [name for name in self.form.columns if self._type(name) == "number"] if self.form.sheet and self._settings.decimal is None else []

    def whole(self, name: str) -> bool:
        """Nobody writes three decimals there: revenue, and how many work somewhere."""
        return name in _NUMBERS

    def getter(self, name: str) -> Callable[[Cells], Native]:
        """A function that gives a row's native value in the column."""
        place, (kind, read, _) = self.form.place(name), self.column(name)
        if not self.form.sheet:
            return lambda cells: read(cells[place])

        def get(cells: Cells) -> Native:
            cell = cells[place]
            return read(bared(cell) if cell[:1] == "'" else cell)

        def get_text(cells: Cells) -> Native:
            cell = cells[place]
            return (bared(cell) if cell[:1] == "'" else cell) or None

        return get_text if kind == "text" else get

    def cell(self, name: str, value: Native) -> str:
        """What is written into the column for this value."""
        text = self.column(name).write(value)
        return guarded(text) if self.form.sheet else text

    def ref(self, cells: Cells) -> str:
        """The row's key; "" where it has none. Of several columns the words are joined by `|`."""
        words = [bared(cells[place].strip()) if self.form.sheet else cells[place].strip() for place in self._keys]
        if not all(words):
            return ""
        text = words[0] if len(words) == 1 else "|".join(word.replace("\\", "\\\\").replace("|", "\\|") for word in words)
        return text.lower() if self._folds else text

    def words(self, names: Sequence[str], cells: Cells, id: int) -> list[tuple[str, str, int]]:
        """By what the row with this id is found: column, word, id."""
        found = ((name, str(self.getter(name)(cells) or "").strip().lower()) for name in names)
        return [(name, word, id) for name, word in found if word]

    def shortened(self, cells: Cells) -> str | None:
        """The column in which Excel has cut a long number short."""
        return next((name for name in self.form.columns if self._is_shortened(name, cells[self.form.place(name)])), None)

    def _is_shortened(self, name: str, cell: str) -> bool:
        return SHORTENED.fullmatch(cell.strip()) is not None and self._type(name) != "number"

    def time(self, cells: Cells) -> int | None:
        """When the row says that it was changed last, in ms."""
        if self._modified is None:
            return None
        try:
            return int(moment(cells[self._modified], self._settings.times, self._zone).timestamp() * 1000)
        except (ValueError, OverflowError):
            return None

    def texts(self, raw: bytes) -> dict[str, str]:
        """Column -> cell, blank ones left out."""
        cells = next(iter(self.form.parse([self.layout.decode(raw)])))
        found = zip(self.form.columns, cells, strict=False) if self.form.sheet else cells.items()
        return {name: cell for name, cell in found if cell}

    def different(self, raw: bytes, cells: Mapping[str, str]) -> dict[str, str]:
        """Those of the cells that the row has not."""
        there = next(iter(self.form.parse([self.layout.decode(raw)])))
        return {name: cell for name, cell in cells.items() if there[self.form.place(name)] != cell}

    def changed(self, raw: bytes, cells: Mapping[str, str]) -> bytes:
        """The row with these cells in place of its own; a new one where `raw` is empty. What the layout has no column for is left out."""
        return self.layout.encode(self.form.changed(self.layout.decode(raw), {name: cell for name, cell in cells.items() if self.form.has(name)}))

    def unfit(self, name: str, cell: str) -> str | None:
        """Why this cannot stand in the column, so that it could be read again."""
        if (why := spoilt(cell)) is not None:
            return why
        if len(cell) > LONGEST_CELL:
            return f"is longer than {LONGEST_CELL:,} characters"
        if self.form.sheet and "E+" in cell and self._is_shortened(name, cell):
            return "would be taken for a number that Excel has shortened"
        try:
            self.layout.encode(cell)
        except UnicodeEncodeError:
            return f"has letters that the file's encoding {self.layout.dialect.encoding} does not have"
        return None
