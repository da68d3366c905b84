"""Looks for duplicates among any number of records in flat memory: what is compared with what is worked out in a database of its own, gone with the search."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, islice
from typing import Literal

import orjson

from ...model.records import Ref
from .grouping import Group, group
from .profile import Profile, blocks
from .score import PROPOSED, Pair, compare

LARGEST_BLOCK = 50
"""A switchboard's number or a name that more records than this share says nothing: nobody is compared because of it."""
_CHUNK = 5_000
_REMEMBERED = 20_000

Decided = Callable[[Ref, Ref], Literal["same", "different"] | None]
"""What somebody has decided about two records; None where nobody has. What is decided is not proposed again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. `records`: how many were looked at. `groups`: the likeliest first.

    `cut`: sort of block -> how many blocks were too large to compare by, and the size of the largest.
    """

    records: int
    groups: list[Group]
    cut: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])


def undecided(one: Ref, other: Ref) -> None:
    """Nobody has decided about anything."""


def find_duplicates(profiles: Iterable[Profile], at_least: int = PROPOSED, decided: Decided = undecided) -> Found:
    """The groups of records that may be one human's, of which every needed pair has `at_least` so many points.

    Profiles are read once and may be a stream; each `ref` comes once. Memory grows with the duplicates that are found, not with the records.
    """
    with closing(sqlite3.connect("")) as db:  # a file of the database's own, deleted when it is closed
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536", "temp_store = FILE"):
            db.execute(f"PRAGMA {setting}")
        search = _Search(db)
        records = search.fill(profiles)
        cut = search.cut()
        pairs = [pair for pair in search.pairs() if pair.score >= at_least and decided(pair.one, pair.other) is None]

        def score(one: Ref, other: Ref) -> int:
            return 0 if decided(one, other) == "different" else search.score(one, other)

        return Found(records, group(pairs, score), cut)


class _Search:
    """One search: the profiles, and which block each stands in."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._large: set[str] = set()
        self.profile = lru_cache(_REMEMBERED)(self._read)
        db.execute("CREATE TABLE record (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, told BLOB)")
        db.execute("CREATE TABLE block (name TEXT, number INTEGER)")

    def fill(self, profiles: Iterable[Profile]) -> int:
        """Take the records in, and sort them into blocks."""
        number, stream = 0, iter(profiles)
        while chunk := list(islice(stream, _CHUNK)):
            rows = list(enumerate(chunk, number + 1))
            self._db.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", ((at, *each.ref, _told(each)) for at, each in rows))
            self._db.executemany("INSERT INTO block VALUES (?, ?)", ((name, at) for at, each in rows for name in blocks(each)))
            number += len(chunk)
        self._db.execute("CREATE INDEX block_name ON block (name, number)")
        self._db.execute("CREATE INDEX record_ref ON record (kind, id)")
        return number

    def cut(self) -> dict[str, tuple[int, int]]:
        """Sort -> how many of its blocks are too large, and the size of the largest."""
        large = self._db.execute("SELECT name, count(*) FROM block GROUP BY name HAVING count(*) > ? ORDER BY name", (LARGEST_BLOCK,)).fetchall()
        self._large = {name for name, _ in large}
        sizes: dict[str, list[int]] = {}
        for name, size in large:
            sizes.setdefault(name.partition(":")[0], []).append(size)
        return {sort: (len(found), max(found)) for sort, found in sizes.items()}

    def pairs(self) -> Iterator[Pair]:
        """Every two records that share a block, compared once: in the first of the blocks that they share."""
        found = self._db.execute(
            "SELECT name, group_concat(number) FROM block GROUP BY name HAVING count(*) BETWEEN 2 AND ? ORDER BY name",
            (LARGEST_BLOCK,),
        )
        for name, numbers in found:
            members = [self.profile(int(number)) for number in numbers.split(",")]
            for (one, mine), (other, theirs) in combinations(members, 2):
                if name == min(each for each in mine & theirs if each not in self._large):
                    yield compare(one, other)

    def score(self, one: Ref, other: Ref) -> int:
        """The score of any two records."""
        first, second = (self._db.execute("SELECT number FROM record WHERE kind = ? AND id = ?", ref).fetchone()[0] for ref in (one, other))
        return compare(self.profile(first)[0], self.profile(second)[0]).score

    def _read(self, number: int) -> tuple[Profile, frozenset[str]]:
        kind, ref, told = self._db.execute("SELECT kind, id, told FROM record WHERE number = ?", (number,)).fetchone()
        first, last, company, addresses, phones = orjson.loads(told)
        profile = Profile(Ref(kind, ref), first, last, company, tuple(addresses), tuple(phones))
        return profile, frozenset(blocks(profile))


def _told(profile: Profile) -> bytes:
    return orjson.dumps((profile.first_name, profile.last_name, profile.company, profile.addresses, profile.phones))
