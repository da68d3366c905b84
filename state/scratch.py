"""Room to work in that is larger than memory: what is told of records, and the blocks in which they stand, in a database that is gone when it is closed.

It has nothing to do with the state: nothing in it is ever needed again.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from .sql import decode, encode

_SETUP = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -32768",
    "PRAGMA temp_store = FILE",
    "CREATE TABLE record (number INTEGER PRIMARY KEY, key TEXT NOT NULL, told TEXT NOT NULL)",
    "CREATE TABLE block (name TEXT NOT NULL, number INTEGER NOT NULL)",
    "CREATE TABLE pair (one INTEGER NOT NULL, other INTEGER NOT NULL, score INTEGER NOT NULL, reason TEXT NOT NULL)",
    "CREATE TABLE cluster (number INTEGER PRIMARY KEY, first INTEGER NOT NULL)",
)
_INDEXES = ("CREATE INDEX block_name ON block (name, number)", "CREATE INDEX record_key ON record (key)")
_RECORD = "INSERT INTO record VALUES (?, ?, ?)"
_BLOCK = "INSERT INTO block VALUES (?, ?)"
_LARGE = "SELECT name, count(*) FROM block GROUP BY name HAVING count(*) > ? ORDER BY name"
_SHARED = "SELECT name, group_concat(number) FROM block GROUP BY name HAVING count(*) BETWEEN 2 AND ? ORDER BY name"
_PAIR = "INSERT INTO pair VALUES (?, ?, ?, ?)"
_ENDS = "SELECT one, other FROM pair"
_PAIRED = "SELECT one FROM pair UNION SELECT other FROM pair"
_CLUSTER = "INSERT INTO cluster VALUES (?, ?)"
_PAIRS = """
    SELECT first, mine.key, theirs.key, score, reason FROM pair JOIN cluster ON cluster.number = one
    JOIN record AS mine ON mine.number = one JOIN record AS theirs ON theirs.number = other ORDER BY first, score DESC, mine.key, theirs.key
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
        """Take in (record, record, score, reason) of all pairs."""
        self._db.executemany(_PAIR, pairs)
        self._db.executemany(_CLUSTER, self._clusters())

    def clusters(self) -> Iterator[Iterator[tuple[str, str, int, str]]]:
        """For the records that pairs hang together by, one cluster after the other: (key, key, score, reason), the highest score first, then by their keys."""
        for _, rows in groupby(self._db.execute(_PAIRS), key=itemgetter(0)):
            yield (row[1:] for row in rows)

    def _clusters(self) -> Iterator[tuple[int, int]]:
        """(record, the smallest number in its cluster) of every record that has a pair. Eight bytes a record, whatever is found."""
        leads = array("q", range(self._count + 1))

        def first(number: int) -> int:
            while leads[number] != number:
                leads[number] = number = leads[leads[number]]
            return number

        for one, other in self._db.execute(_ENDS):
            low, high = sorted((first(one), first(other)))
            leads[high] = low
        for (number,) in self._db.execute(_PAIRED):
            yield number, first(number)

    def told(self, number: int) -> object:
        """What is told of a record."""
        return decode(self._db.execute(_TOLD, (number,)).fetchone()[0])

    def number(self, key: str) -> int:
        """The record with that key."""
        return self._db.execute(_NUMBER, (key,)).fetchone()[0]

    def close(self) -> None:
        """It is gone."""
        self._db.close()
