"""The store: every record of the org, found by id, by stamp, or by an indexed value, and what must be put back when a call is rolled back."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator

from .fields import Row, SObject
from .ids import mint

Place = tuple[str, str]
"""A place in the order of (stamp, id)."""

BEFORE_ALL, AFTER_ALL = "", "\x7f"
"""Sort before and after every id."""


class Table:
    """The records of one object, deleted ones included. Rows are replaced, never changed in place, so that whoever holds one holds a snapshot."""

    def __init__(self, sobject: SObject, id_key: Callable[[str], str]) -> None:
        self.sobject = sobject
        self.rows: dict[str, Row] = {}
        self.deleted = 0
        self._id_key = id_key
        self._stamps: list[tuple[str, str]] = []
        self._in_order = True
        self._ids: list[str] | None = None
        self._indexes: dict[str, dict[str, dict[str, None]]] = {}

    def put(self, row: Row) -> Row | None:
        """Insert or replace; gives the row that was there before."""
        id = row["Id"]
        old = self.rows.get(id)
        self.rows[id] = row
        self.deleted += bool(row.get("IsDeleted")) - bool(old and old.get("IsDeleted"))
        self._sort()
        if old is not None:
            self._drop_stamp(old)
        else:
            self._ids = None
        insort(self._stamps, self._entry(row))
        for field, index in self._indexes.items():
            self._reindex(index, field, old, row)
        return old

    def load(self, rows: Iterable[Row]) -> None:
        """Insert many new rows at once."""
        for row in rows:
            self.rows[row["Id"]] = row
            self.deleted += bool(row.get("IsDeleted"))
            self._stamps.append(self._entry(row))
        self._in_order = False
        self._ids = None
        self._indexes.clear()

    def remove(self, id: str) -> None:
        """Take a row away altogether."""
        old = self.rows.pop(id)
        self._ids = None
        self.deleted -= bool(old.get("IsDeleted"))
        self._sort()
        self._drop_stamp(old)
        for field, index in self._indexes.items():
            self._reindex(index, field, old, None)

    def find(self, field: str, values: Iterable[str]) -> list[Row]:
        """Rows whose text or reference field equals one of the values, ignoring case except for ids. The index is built when first asked for."""
        if field == "Id":
            return [self.rows[value] for value in dict.fromkeys(values) if value in self.rows]
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for row in self.rows.values():
                self._reindex(index, field, None, row)
        keys = dict.fromkeys(self._key(field, value) for value in values)
        return [self.rows[id] for key in keys for id in index.get(key, ())]

    def span(self, low: Place | None, high: Place | None) -> list[Row]:
        """Rows in the order of (stamp, id): those after `low`, up to and including `high`."""
        self._sort()
        start = bisect_right(self._stamps, low) if low else 0
        stop = bisect_right(self._stamps, high) if high else len(self._stamps)
        rows, key = self.rows, self._id_key
        return [rows[key(id)] for _, id in self._stamps[start:stop]]

    def walk(self, low: Place | None, high: Place | None) -> Iterator[Row]:
        """As `span`, one at a time, for whoever stops early."""
        self._sort()
        start = bisect_right(self._stamps, low) if low else 0
        stop = bisect_right(self._stamps, high) if high else len(self._stamps)
        rows, key, stamps = self.rows, self._id_key, self._stamps
        return (rows[key(stamps[at][1])] for at in range(start, stop))

    def walk_ids(self, above: str | None) -> Iterator[Row]:
        """Rows in the order of their ids, those above one of them."""
        if self._ids is None:
            self._ids = sorted(map(self._id_key, self.rows))
        rows, key, ids = self.rows, self._id_key, self._ids
        start = bisect_right(ids, key(above)) if above else 0
        return (rows[key(ids[at])] for at in range(start, len(ids)))

    def reorder(self, id_key: Callable[[str], str]) -> None:
        """Sort ids by another rule from now on; the rule is its own inverse."""
        self._id_key = id_key
        self._stamps = sorted(self._entry(row) for row in self.rows.values())
        self._ids = None

    def _entry(self, row: Row) -> tuple[str, str]:
        return (row[self.sobject.stamp], self._id_key(row["Id"]))

    def _sort(self) -> None:
        if not self._in_order:
            self._stamps.sort()
            self._in_order = True

    def _drop_stamp(self, row: Row) -> None:
        del self._stamps[bisect_left(self._stamps, self._entry(row))]

    def _key(self, field: str, value: str) -> str:
        return value if self.sobject.fields[field].type in {"reference", "id"} else value.lower()

    def _reindex(self, index: dict[str, dict[str, None]], field: str, old: Row | None, new: Row | None) -> None:
        before = old.get(field) if old else None
        after = new.get(field) if new else None
        if before == after:
            return
        if old is not None and before is not None:
            del index[self._key(field, before)][old["Id"]]
        if new is not None and after is not None:
            index.setdefault(self._key(field, after), {})[new["Id"]] = None


class Store:
    """Every table, and the ids given out so far."""

    def __init__(self, objects: Iterable[SObject], id_key: Callable[[str], str]) -> None:
        self.tables = {one.name: Table(one, id_key) for one in objects}
        self._numbers: dict[str, int] = {}
        self._undo: list[tuple[Table, str, Row | None]] | None = None

    def mint(self, kind: str) -> str:
        """A new id for this object, other than those of records that were loaded with their own."""
        table = self.tables[kind]
        prefix = table.sobject.prefix
        while True:
            number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
            id = mint(prefix, number)
            if id not in table.rows:
                return id

    def mint_as(self, prefix: str) -> str:
        """A new id for something that is no record, such as a cursor or a job."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return mint(prefix, number)

    def put(self, kind: str, row: Row) -> None:
        """Insert or replace a row."""
        table = self.tables[kind]
        old = table.put(row)
        if self._undo is not None:
            self._undo.append((table, row["Id"], old))

    def remove(self, kind: str, id: str) -> None:
        """Take a row away altogether."""
        table = self.tables[kind]
        old = table.rows[id]
        table.remove(id)
        if self._undo is not None:
            self._undo.append((table, id, old))

    def begin(self) -> None:
        """From now on remember what changes, until `keep` or `roll_back`."""
        self._undo = []

    def keep(self) -> None:
        """Leave everything as it has become."""
        self._undo = None

    def roll_back(self) -> None:
        """Put everything back as it was at `begin`."""
        undo, self._undo = self._undo or [], None
        for table, id, old in reversed(undo):
            if old is None:
                table.remove(id)
            else:
                table.put(old)

    def reorder(self, id_key: Callable[[str], str]) -> None:
        """Sort ids by another rule from now on."""
        for table in self.tables.values():
            table.reorder(id_key)
