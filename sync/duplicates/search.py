"""Looks for duplicates among any number of records in flat memory: what is compared with what is worked out in a database of its own, gone with the search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, islice
from sys import intern
from typing import Any, Literal, cast

from ...model.records import Ref
from ...state.scratch import Scratch
from .grouping import Group, group, likeliest
from .profile import Marks, Profile
from .score import PROPOSED, Pair, compare

LARGEST_BLOCK = 50
"""A switchboard's number that more records than this share says nothing: nobody is compared because of it."""
_CHUNK = 1_000
_REMEMBERED = 5_000

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

    Profiles are read once and may be a stream; each `ref` comes once. Memory grows with the groups that are found, not with the records.
    """
    with closing(Scratch()) as scratch:
        search = _Search(scratch)
        records = search.fill(profiles)
        cut = search.cut()
        return Found(records, likeliest(search.groups(at_least, decided)), cut)


def count_duplicates(profiles: Iterable[Profile], decided: Decided = undecided) -> tuple[int, int]:
    """How many groups `find_duplicates` would find, and how many records stand in them, in flat memory."""
    with closing(Scratch()) as scratch:
        search = _Search(scratch)
        search.fill(profiles)
        search.cut()
        groups = members = 0
        for found in search.groups(PROPOSED, decided):
            groups += 1
            members += len(found.members)
        return groups, members


class _Search:
    """One search: what records are compared by, and which block each stands in."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._large: set[str] = set()
        self.marks = lru_cache(_REMEMBERED)(self._read)

    def fill(self, profiles: Iterable[Profile]) -> int:
        """Take the records in, and sort them into blocks."""
        stream = iter(profiles)
        while chunk := list(islice(stream, _CHUNK)):
            found = [(each, list(Marks.of(each).blocks())) for each in chunk]
            self._scratch.add([(_key(each.ref), _told(each), names) for each, names in found])
        return self._scratch.close_in()

    def cut(self) -> dict[str, tuple[int, int]]:
        """Sort -> how many of its blocks are too large, and the size of the largest."""
        sizes: dict[str, list[int]] = {}
        for name, size in self._scratch.large(LARGEST_BLOCK):
            self._large.add(name)
            sizes.setdefault(name.partition(":")[0], []).append(size)
        return {sort: (len(found), max(found)) for sort, found in sizes.items()}

    def pairs(self, at_least: int, decided: Decided) -> Iterator[tuple[int, int, int, str]]:
        """Every two records that share a block, compared once: in the first of the blocks that they share. The record with the smaller ref comes first."""
        for name, numbers in self._scratch.shared(LARGEST_BLOCK):
            members = [(number, *self.marks(number)) for number in numbers]
            for (first, one, mine), (second, other, theirs) in combinations(members, 2):
                shared = mine & theirs
                if len(shared) > 1 and name != min(shared - self._large):
                    continue
                pair = compare(one, other)
                if pair.score >= at_least and decided(pair.one, pair.other) is None:
                    yield (first, second, *pair[2:]) if pair.one == one.ref else (second, first, *pair[2:])

    def groups(self, at_least: int, decided: Decided) -> Iterator[Group]:
        """The groups, a cluster of pairs that hang together at a time, since clusters have nothing to do with each other."""
        self._scratch.keep(self.pairs(at_least, decided))

        def score(one: Ref, other: Ref) -> int:
            return 0 if decided(one, other) == "different" else self.score(one, other)

        for rows in self._scratch.clusters():
            yield from group((Pair(_ref(one), _ref(other), points, intern(reason)) for one, other, points, reason in rows), score)

    def score(self, one: Ref, other: Ref) -> int:
        """The score of any two records."""
        (mine, _), (theirs, _) = (self.marks(self._scratch.number(_key(ref))) for ref in (one, other))
        return compare(mine, theirs).score

    def _read(self, number: int) -> tuple[Marks, frozenset[str]]:
        ref, first, last, company, addresses, phones = cast("tuple[Any, ...]", self._scratch.told(number))
        marks = Marks.of(Profile(Ref(*ref), first, last, company, tuple(addresses), tuple(phones)))
        return marks, frozenset(marks.blocks())


def _told(profile: Profile) -> tuple[Any, ...]:
    return profile.ref, profile.first_name, profile.last_name, profile.company, profile.addresses, profile.phones


def _key(ref: Ref) -> str:
    return f"{ref.kind} {ref.id}"


def _ref(key: str) -> Ref:
    kind, _, ref = key.partition(" ")
    return Ref(intern(kind), ref)
