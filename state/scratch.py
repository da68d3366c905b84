"""Room to work in that is larger than memory: what is told of records, and the blocks in which they stand, in a database that is gone when it is closed.

It has nothing to do with the state: nothing in it is ever needed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from .sql import decode, encode

_SETUP = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -32768",
    "PRAGMA temp_store = FILE",
    "CREATE TABLE record (number INTEGER PRIMARY KEY, key TEXT NOT NULL, told TEXT NOT NULL)",
    "CREATE TABLE block (name TEXT NOT NULL, number INTEGER NOT NULL)",
    "CREATE TABLE pair (one INTEGER NOT NULL, other INTEGER NOT NULL, score INTEGER NOT NULL, reason TEXT NOT NULL)",
)
_INDEXES = ("CREATE INDEX block_name ON block (name, number)", "CREATE INDEX record_key ON record (key)")
_RECORD = "INSERT INTO record VALUES (?, ?, ?)"
_BLOCK = "INSERT INTO block VALUES (?, ?)"
_LARGE = "SELECT name, count(*) FROM block GROUP BY name HAVING count(*) > ? ORDER BY name"
_SHARED = "SELECT name, group_concat(number) FROM block GROUP BY name HAVING count(*) BETWEEN 2 AND ? ORDER BY name"
_PAIR = "INSERT INTO pair VALUES (?, ?, ?, ?)"
_PAIRS = """
    SELECT mine.key, theirs.key, score, reason FROM pair
    JOIN record AS mine ON mine.number = one JOIN record AS theirs ON theirs.number = other ORDER BY score DESC, mine.key, theirs.key
"""
_TOLD = "SELECT told FROM record WHERE number = ?"
_NUMBER = "SELECT number FROM record WHERE key = ?"


class Scratch:
    """Records by number, from 1, with a key of the caller's, what is told of them (anything that JSON can say), and the names of their blocks."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # a file of SQLite's own, which it deletes
        self._count = 0
        for statement in _SETUP:
            self._db.execute(statement)

    def add(self, rows: Sequence[tuple[str, object, Sequence[str]]]) -> None:
        """Take in (key, what is told, blocks) of more records."""
        numbered = list(enumerate(rows, self._count + 1))
        self._db.executemany(_RECORD, [(number, key, encode(told)) for number, (key, told, _) in numbered])
        self._db.executemany(_BLOCK, [(name, number) for number, (_, _, blocks) in numbered for name in blocks])
        self._count += len(rows)

    def close_in(self) -> int:
        """All records are there; how many."""
        for statement in _INDEXES:
            self._db.execute(statement)
        return self._count

    def large(self, most: int) -> list[tuple[str, int]]:
        """(name, size) of the blocks with more records than that."""
        return self._db.execute(_LARGE, (most,)).fetchall()

    def shared(self, most: int) -> Iterator[tuple[str, list[int]]]:
        """(name, records) of the blocks in which several stand, but not more than that."""
        for name, numbers in self._db.execute(_SHARED, (most,)):
            yield name, [int(number) for number in numbers.split(",")]

    def keep(self, pairs: Iterable[tuple[int, int, int, str]]) -> None:
        """Take in (record, record, score, reason) of pairs."""
        self._db.executemany(_PAIR, pairs)

    def kept(self) -> Iterator[tuple[str, str, int, str]]:
        """(key, key, score, reason) of the pairs, the highest score first, then by their keys."""
        yield from self._db.execute(_PAIRS)

    def told(self, number: int) -> object:
        """What is told of a record."""
        return decode(self._db.execute(_TOLD, (number,)).fetchone()[0])

    def number(self, key: str) -> int:
        """The record with that key."""
        return self._db.execute(_NUMBER, (key,)).fetchone()[0]

    def close(self) -> None:
        """It is gone."""
        self._db.close()
