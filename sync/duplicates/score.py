"""How much speaks for two records being one human's: points, and the reason in words. Pure.

What speaks for it adds points, what speaks against it takes some off; the sum is kept between 0 and 100. It ranks what somebody is to look at, and is no
probability. Names are compared by rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz.distance import JaroWinkler

from ...mapping.names import ALIKE, UNLIKE, likeness
from ...model.records import Ref
from ..deciding.match import ROLES
from .profile import Marks

PROPOSED = 50
"""From so many points on a pair is proposed, where nobody says otherwise."""


class Evidence(NamedTuple):
    """One thing that speaks for it, or against it, in so many points."""

    points: float
    what: str


class Pair(NamedTuple):
    """Two records that may be one human's. `score`: 0 to 100."""

    one: Ref
    other: Ref
    score: int
    reason: str


def compare(one: Marks, other: Marks) -> Pair:
    """The score of two records, whichever of them comes first."""
    one, other = sorted((one, other), key=lambda profile: profile.ref)  # whose first name is held against whose last name shows in the words
    found = [*_addresses(one, other), *_phones(one, other), *_names(one, other), *_companies(one, other)]
    score = round(min(100.0, max(0.0, sum(each.points for each in found))))
    return Pair(one.ref, other.ref, score, ", ".join(each.what for each in found))


def _addresses(one: Marks, other: Marks) -> Iterator[Evidence]:
    if not one.addresses or not other.addresses:
        return
    shared = one.addresses & other.addresses
    if any(address.partition("@")[0] not in ROLES for address in shared):
        yield Evidence(55, "same e-mail")
    elif shared:
        yield Evidence(20, "same e-mail, which belongs to a role")
    elif not one.mailboxes.isdisjoint(other.mailboxes):
        yield Evidence(25, "e-mails alike before the @")
    else:
        yield Evidence(-5, "different e-mails")


def _phones(one: Marks, other: Marks) -> Iterator[Evidence]:
    if one.lines and other.lines:
        yield Evidence(-5, "different phones") if one.lines.isdisjoint(other.lines) else Evidence(35, "same phone")


def _companies(one: Marks, other: Marks) -> Iterator[Evidence]:
    mine, theirs = one.company, other.company
    if not mine or not theirs:
        return
    alike = JaroWinkler.similarity(mine, theirs)
    if mine == theirs:
        yield Evidence(15, "same company")
    elif alike >= ALIKE:
        yield Evidence(10, f"companies {alike:.0%} alike")
    else:
        yield Evidence(-10, "different companies")


def _names(one: Marks, other: Marks) -> Iterator[Evidence]:
    """A name of which one side lacks a part says half as much."""
    first, last = _parts(one, other)
    both = [alike for alike in (first, last) if alike is not None]
    if not both:
        return
    weight, alike = len(both) / 2, sum(both) / len(both)
    if min(both) < UNLIKE:
        yield Evidence(-30 * weight, f"{_which(first, last)} differ")
    elif alike == 1.0:
        yield Evidence(45 * weight, "same name" if len(both) == 2 else "same name as far as both have one")
    else:
        yield Evidence(max(0.0, 45 - (1 - alike) * 150) * weight, f"names {alike:.0%} alike")


def _parts(one: Marks, other: Marks) -> tuple[float | None, float | None]:
    """How much alike first and last names are, each None where a side has none. Swapped, they are the same name."""
    straight = (likeness(one.first, other.first), likeness(one.last, other.last))
    if None in straight or (one.first == other.first and one.last == other.last):
        return straight
    swapped = (likeness(one.first, other.last), likeness(one.last, other.first))
    return max(straight, swapped, key=_sum)


def _sum(parts: tuple[float | None, float | None]) -> float:
    return sum(part or 0.0 for part in parts)


def _which(first: float | None, last: float | None) -> str:
    if last is None or (last >= ALIKE and first is not None):
        return "first names"
    return "last names" if first is None or first >= ALIKE else "names"
