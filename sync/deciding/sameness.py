"""What somebody said about records of one system, as matching uses it: these are one human's, those are two humans'. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Said(Protocol):
    """Two links about which something was said; `state.sameness.SameRow` is one."""

    @property
    def one(self) -> int:
        """The smaller number."""
        ...

    @property
    def other(self) -> int:
        """The other one."""
        ...

    @property
    def survivor(self) -> int | None:
        """The one that is written; None: they are two humans."""
        ...


@dataclass(frozen=True, slots=True)
class Sameness:
    """`ways`: link -> those to which it gives way, being the same human. `apart`: pairs of links that are two humans, the smaller number first."""

    ways: Mapping[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])
    apart: frozenset[tuple[int, int]] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[Said]) -> Sameness:
        """From what was said, in any order."""
        ways: dict[int, set[int]] = {}
        apart: set[tuple[int, int]] = set()
        for row in rows:
            if row.survivor is None:
                apart.add((row.one, row.other))
            else:
                ways.setdefault(row.other if row.survivor == row.one else row.one, set()).add(row.survivor)
        return cls({link: frozenset(to) for link, to in ways.items()}, frozenset(apart))

    @property
    def ties(self) -> list[tuple[int, int]]:
        """Pairs that are one human, whatever they share."""
        return sorted((link, to) for link, found in self.ways.items() for to in found)

    def differ(self, one: int, other: int) -> bool:
        """They are two humans."""
        return (min(one, other), max(one, other)) in self.apart

    def gives_way(self, link: int, among: Collection[int]) -> bool:
        """One of these is written in its place."""
        return any(to in among for to in self.ways.get(link, ()))

    def ends(self, link: int) -> frozenset[int]:
        """The link and all to which it gives way, directly or by others."""
        met: set[int] = set()
        asked = {link}
        while asked:
            met |= asked
            asked = {to for each in asked for to in self.ways.get(each, ())} - met
        return frozenset(met)

    def without_strangers(self, pairs: Iterable[tuple[int, int]], persons: Mapping[int, int | None]) -> list[tuple[int, int]]:
        """The pairs without those that somebody told apart: two such records, or a record and any record of the person that the other is linked to.

        `persons`: link -> its person, of all links in question.
        """
        shut: dict[int, set[int]] = {}
        for pair in self.apart:
            for mine, theirs in (pair, pair[::-1]):
                if (person := persons.get(theirs)) is not None:
                    shut.setdefault(mine, set()).add(person)

        def kept(one: int, other: int) -> bool:
            return not self.differ(one, other) and persons.get(other) not in shut.get(one, ()) and persons.get(one) not in shut.get(other, ())

        return [pair for pair in pairs if kept(*pair)]

    def torn(self, links: Sequence[int]) -> bool:
        """Two of these links are two humans."""
        there = set(links)
        return any(one in there and other in there for one, other in self.apart)


NOTHING_SAID = Sameness()
