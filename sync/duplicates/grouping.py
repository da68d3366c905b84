"""From pairs to groups. Pure.

Two groups become one only where no record of the one speaks against a record of the other: without that, Anna and
Ben would end up in one group because a record without a first name is like both. What is left out so is a group of its own, so that nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...model.records import Ref
from .score import Pair

LARGEST = 20
"""A group with more records than this is nothing that somebody can judge: what is beyond is a group of its own."""
AGAINST = 25
"""Below so many points two records speak against each other."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records that may be one human's. `pairs`: those that hold it together; `score`: the weakest of them."""

    members: tuple[Ref, ...]
    pairs: tuple[Pair, ...]

    @property
    def score(self) -> int:
        """The group is as good as its weakest needed pair."""
        return min(pair.score for pair in self.pairs)

    def reason(self, member: Ref) -> str:
        """Why this record is in the group: the best of the pairs that hold it there."""
        return min((pair for pair in self.pairs if member in pair[:2]), key=_rank).reason


def group(pairs: Iterable[Pair], score: Callable[[Ref, Ref], int]) -> list[Group]:
    """The groups. Pairs come the likeliest first. `score`: that of any two records, also of two that nothing made a pair."""
    held: dict[Ref, list[Ref]] = {}
    needed: dict[int, list[Pair]] = {}
    refused: list[Pair] = []
    for pair in pairs:
        mine, theirs = held.setdefault(pair.one, [pair.one]), held.setdefault(pair.other, [pair.other])
        if mine is theirs:
            continue
        if len(mine) + len(theirs) > LARGEST or any(score(one, other) < AGAINST for one in mine for other in theirs):
            refused.append(pair)
            continue
        needed[id(mine)] = [*needed.pop(id(mine), []), *needed.pop(id(theirs), []), pair]
        mine.extend(theirs)
        for ref in theirs:
            held[ref] = mine
    whole = {id(members): members for members in held.values()}
    found = [Group(tuple(sorted(whole[key])), tuple(needs)) for key, needs in needed.items()]
    return [*found, *_apart(refused, held)]


def likeliest(groups: Iterable[Group]) -> list[Group]:
    """The likeliest first."""
    return sorted(groups, key=lambda each: (-each.score, each.members))


def _apart(refused: Iterable[Pair], held: dict[Ref, list[Ref]]) -> Iterable[Group]:
    """The likeliest pair between any two groups that were not joined."""
    seen: set[frozenset[int]] = set()
    for pair in refused:
        between = frozenset((id(held[pair.one]), id(held[pair.other])))
        if between not in seen:
            seen.add(between)
            yield Group((pair.one, pair.other), (pair,))


def _rank(pair: Pair) -> tuple[int, Ref, Ref]:
    return (-pair.score, pair.one, pair.other)
