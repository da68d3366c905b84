"""How much speaks for two records being one human's: points, and the reason in words. Pure.

What speaks for it adds points, what speaks against it takes some off; the sum is kept between 0 and 100. It ranks what somebody is to look at, and is no
probability. Names are compared by rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz.distance import JaroWinkler

from ...mapping.names import ALIKE, UNLIKE, folded, likeness
from ...model.records import Ref
from ..match import ROLES
from .profile import Profile, firm, line, mailbox

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


def compare(one: Profile, other: Profile) -> Pair:
    """The score of two records, whichever of them comes first."""
    found = [*_addresses(one, other), *_phones(one, other), *_names(one, other), *_companies(one, other)]
    score = round(min(100.0, max(0.0, sum(each.points for each in found))))
    reason = ", ".join(each.what for each in found)
    first, second = sorted((one.ref, other.ref))
    return Pair(first, second, score, reason)


def _addresses(one: Profile, other: Profile) -> Iterator[Evidence]:
    if not one.addresses or not other.addresses:
        return
    shared = set(one.addresses).intersection(other.addresses)
    if any(address.partition("@")[0] not in ROLES for address in shared):
        yield Evidence(55, "same e-mail")
    elif shared:
        yield Evidence(20, "same e-mail, which belongs to a role")
    elif not _mailboxes(one).isdisjoint(_mailboxes(other)):
        yield Evidence(25, "e-mails alike before the @")
    else:
        yield Evidence(-5, "different e-mails")


def _mailboxes(profile: Profile) -> set[str]:
    return {local for address in profile.addresses if (local := mailbox(address)) is not None}


def _phones(one: Profile, other: Profile) -> Iterator[Evidence]:
    if one.phones and other.phones:
        shared = {line(number) for number in one.phones} & {line(number) for number in other.phones}
        yield Evidence(35, "same phone") if shared else Evidence(-5, "different phones")


def _companies(one: Profile, other: Profile) -> Iterator[Evidence]:
    mine, theirs = firm(one.company), firm(other.company)
    if not mine or not theirs:
        return
    alike = JaroWinkler.similarity(mine, theirs)
    if mine == theirs:
        yield Evidence(15, "same company")
    elif alike >= ALIKE:
        yield Evidence(10, f"companies {alike:.0%} alike")
    else:
        yield Evidence(-10, "different companies")


def _names(one: Profile, other: Profile) -> Iterator[Evidence]:
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


def _parts(one: Profile, other: Profile) -> tuple[float | None, float | None]:
    """How much alike first and last names are, each None where a side has none. Swapped, they are the same name."""
    mine, theirs = (folded(one.first_name), folded(one.last_name)), (folded(other.first_name), folded(other.last_name))
    straight = (likeness(mine[0], theirs[0]), likeness(mine[1], theirs[1]))
    swapped = (likeness(mine[0], theirs[1]), likeness(mine[1], theirs[0]))
    return max(straight, swapped, key=_sum) if all((*mine, *theirs)) else straight


def _sum(parts: tuple[float | None, float | None]) -> float:
    return sum(part or 0.0 for part in parts)


def _which(first: float | None, last: float | None) -> str:
    if last is None or (last >= ALIKE and first is not None):
        return "first names"
    return "last names" if first is None or first >= ALIKE else "names"
