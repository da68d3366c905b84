"""What is remembered of a file, in a small SQLite database beside it: each row as it stands there, what waits to be written into it, what changed when.

It serves as index (a row is looked at without reading the file), as journal (what is acknowledged is in it, on the disk) and as change feed (`seq`).
Rows are kept as the file's own bytes. It can be removed when nothing waits in it: the file is then read anew.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ...model.errors import Busy, ConfigurationError, StateError

_FORMAT = "1"
_PATIENCE_S = 1.0
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE row (
  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, ref TEXT, state TEXT NOT NULL, stamp INTEGER NOT NULL, seq INTEGER NOT NULL,
  raw BLOB NOT NULL, base BLOB, problem TEXT
);
CREATE UNIQUE INDEX row_ref ON row (ref) WHERE ref IS NOT NULL;
CREATE INDEX row_seq ON row (seq) WHERE ref IS NOT NULL;
CREATE INDEX row_number ON row (number);
CREATE INDEX row_waits ON row (id) WHERE base IS NOT NULL;
CREATE INDEX row_problem ON row (number) WHERE problem IS NOT NULL;
CREATE TABLE word (name TEXT, value TEXT, id INTEGER, PRIMARY KEY (name, value, id)) WITHOUT ROWID;
CREATE INDEX word_id ON word (id);
"""


class Row(NamedTuple):
    """One row of the file. `number`: its place. `stamp`: when it changed last (ms); `seq`: the number of that change. `raw`: its bytes.

    `state`: `there`, `absent` (the file no longer has it, which says nothing), `gone`, or `other` (no row: a problem, a blank line). `base`: what the file
    holds instead as long as `raw` waits to be written there; empty for a row that it has not yet.
    """

    id: int
    number: int
    ref: str | None
    state: str
    stamp: int
    seq: int
    raw: bytes
    base: bytes | None


_COLUMNS = "id, number, ref, state, stamp, seq, raw, base"


class Mirror:
    """The open database, for one user at a time: the lock ends with its process. `mark` tells it from another one, in which the numbers begin anew.

    Raises `Busy` where somebody else has it open, `ConfigurationError` where it has no folder, `StateError`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
        except FileNotFoundError:
            raise ConfigurationError("the folder of the file does not exist", where=str(path.parent), next_step="create it, or give another path") from None
        except (OSError, sqlite3.Error) as error:
            raise self._trouble(error) from None
        with self._told():
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA cache_size = -8000")
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute("COMMIT")
            if not self._db.execute("SELECT 1 FROM sqlite_master").fetchall():
                self._begin()
        if self.get("format") != _FORMAT:
            raise StateError("was made by another version of stagesync", where=str(path), next_step="remove it; the file is then read anew")
        self.mark = str(self.get("mark"))

    def _begin(self) -> None:
        with self.changing():
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._first()

    def _first(self) -> None:
        self.mark = secrets.token_hex(4)
        for name, value in (("format", _FORMAT), ("mark", self.mark), ("seq", 0)):
            self.set(name, value)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """What happens in the block happens whole or not at all, and is on the disk behind it. Raises `StateError`."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._trouble(error) from None

    def _trouble(self, error: Exception) -> Busy | StateError:
        if "locked" in str(error):
            return Busy("another run reads or writes this file", where=str(self._path), next_step="wait until it has ended")
        if "not a database" in str(error):
            return StateError("what is remembered of the file is spoilt", where=str(self._path), next_step="remove it; the file is then read anew")
        why = error.strerror if isinstance(error, OSError) else str(error)
        return StateError(
            f"what is remembered of the file cannot be kept: {why}",
            where=str(self._path),
            next_step='make room, get the right to write there, or give mirror = "..."',
        )

    # -- what is known of the file as a whole

    def get(self, name: str) -> Any:
        """What was set under this name; None for nothing."""
        with self._told():
            found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if found is None else orjson.loads(found[0])

    def set(self, name: str, value: Any) -> None:
        """Remember it; None forgets."""
        if value is None:
            self._db.execute("DELETE FROM meta WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, orjson.dumps(value).decode()))

    # -- rows

    def by_refs(self, refs: Iterable[str]) -> dict[str, Row]:
        """Those that are known, by ref."""
        with self._told():
            found = self._db.execute(
                f"SELECT {_COLUMNS} FROM row WHERE ref IN (SELECT value FROM json_each(?))", (orjson.dumps(list(refs)).decode(),)
            ).fetchall()
        return {row[2]: Row(*row) for row in found}

    def since(self, seq: int, count: int) -> list[Row]:
        """The next rows in the order in which they changed."""
        with self._told():
            found = self._db.execute(f"SELECT {_COLUMNS} FROM row WHERE ref IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?", (seq, count)).fetchall()
        return [Row(*row) for row in found]

    def each(self, number: int, count: int) -> list[Row]:
        """The next rows in the order of the file, those that do not stand there left out."""
        with self._told():
            found = self._db.execute(
                f"SELECT {_COLUMNS} FROM row WHERE number > ? AND state IN ('there', 'other') ORDER BY number LIMIT ?", (number, count)
            ).fetchall()
        return [Row(*row) for row in found]

    def after(self, id: int, count: int) -> list[Row]:
        """The next rows that have a ref, in the order of their ids."""
        with self._told():
            found = self._db.execute(f"SELECT {_COLUMNS} FROM row WHERE id > ? AND ref IS NOT NULL ORDER BY id LIMIT ?", (id, count)).fetchall()
        return [Row(*row) for row in found]

    def waits(self) -> bool:
        """Something is written that the file does not hold yet."""
        with self._told():
            return self._db.execute("SELECT 1 FROM row WHERE base IS NOT NULL LIMIT 1").fetchone() is not None

    def last(self) -> tuple[int, int]:
        """The highest place and id."""
        with self._told():
            return self._db.execute("SELECT coalesce(max(number), 0), coalesce(max(id), 0) FROM row").fetchone()

    def problems(self, most: int) -> tuple[int, list[tuple[int, str]]]:
        """How many rows cannot be read, and the first of them: line, why."""
        with self._told():
            count = self._db.execute("SELECT count(*) FROM row WHERE problem IS NOT NULL").fetchone()[0]
            return count, self._db.execute("SELECT number, problem FROM row WHERE problem IS NOT NULL ORDER BY number LIMIT ?", (most,)).fetchall()

    # -- inside `changing`

    def put(self, rows: Sequence[Row]) -> None:
        """Insert rows."""
        self._db.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", rows)

    def change(self, rows: Sequence[Row]) -> None:
        """Put rows in the place of those with their ids and refs."""
        values = [(row.number, row.state, row.stamp, row.seq, row.raw, row.base, row.id) for row in rows]
        self._db.executemany("UPDATE row SET number = ?, state = ?, stamp = ?, seq = ?, raw = ?, base = ? WHERE id = ?", values)

    def put_others(self, rows: Sequence[tuple[int, bytes, str | None]]) -> None:
        """What is no row: number, bytes, problem."""
        self._db.executemany("INSERT INTO row (number, state, stamp, seq, raw, problem) VALUES (?, 'other', 0, 0, ?, ?)", rows)

    def move(self, places: Sequence[tuple[int, int]]) -> None:
        """Rows that stand in another place now: number, id."""
        self._db.executemany("UPDATE row SET number = ? WHERE id = ?", places)

    def drop_others(self) -> None:
        """Forget what is no row: it is read anew."""
        self._db.execute("DELETE FROM row WHERE ref IS NULL")

    def clear(self) -> None:
        """Forget everything that was read, and begin the numbers anew."""
        for table in ("row", "word", "meta"):
            self._db.execute(f"DELETE FROM {table}")
        self._first()

    def settle(self) -> None:
        """The file holds what waited."""
        self._db.execute("UPDATE row SET base = NULL WHERE base IS NOT NULL")

    # -- words by which rows are found

    def named(self) -> list[str]:
        """The columns whose words are kept."""
        return self.get("named") or []

    def keep_words(self, ids: Sequence[int], words: Iterable[tuple[str, str, int]]) -> None:
        """These rows have these words now (column, word, id), and no others."""
        self._db.executemany("DELETE FROM word WHERE id = ?", [(id,) for id in ids])
        self._db.executemany("INSERT OR IGNORE INTO word VALUES (?, ?, ?)", words)

    def forget_words(self) -> None:
        """No column's words are kept."""
        self._db.execute("DELETE FROM word")
        self.set("named", None)

    def add_words(self, words: Iterable[tuple[str, str, int]]) -> None:
        """Words of rows that had none in this column."""
        self._db.executemany("INSERT OR IGNORE INTO word VALUES (?, ?, ?)", words)

    def with_words(self, name: str, words: Sequence[str]) -> list[Row]:
        """The rows with one of these words in the column."""
        with self._told():
            found = self._db.execute(
                f"SELECT {_COLUMNS} FROM row WHERE id IN (SELECT id FROM word WHERE name = ? AND value IN (SELECT value FROM json_each(?))) ORDER BY id",
                (name, orjson.dumps(list(words)).decode()),
            ).fetchall()
        return [Row(*row) for row in found]

    def close(self) -> None:
        """Give the database back."""
        self._db.close()
