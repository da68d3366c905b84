"""Whose record is this? Records that share a key become links of one person, or a question. Pure.

Within one system, several records with one e-mail and the same (or a blank) last name are duplicates as far as anybody can see: the best one is the
person's link, the others are set aside and never written. Unless they are copies of the best one, that is a question too. Different last names, clearly
different first names (a family at one address), or a role address with different names, are ambiguous: nothing is linked, all are named. Dots and plus signs
in addresses are never folded. What somebody said about two records goes before all of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from ...mapping.names import differ
from ...model.spelling import folded
from .desk import Link
from .sameness import NOTHING_SAID, Sameness

ROLES = frozenset(
    {
        "abuse",
        "accounting",
        "accounts",
        "admin",
        "administrator",
        "billing",
        "careers",
        "contact",
        "einkauf",
        "enquiries",
        "finance",
        "hello",
        "help",
        "hr",
        "info",
        "jobs",
        "kontakt",
        "mail",
        "marketing",
        "noreply",
        "no-reply",
        "office",
        "orders",
        "post",
        "postmaster",
        "press",
        "sales",
        "service",
        "support",
        "team",
        "vertrieb",
        "webmaster",
    }
)
"""Local parts that belong to a role and not to a human."""
AMBIGUOUS = "ambiguous"
"""The kind of question about records that share a key and cannot be told apart; they belong to nobody."""
APART = "apart"
"""The kind of question about a record that an undo took from its person; behind it stand the run and the system."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What matching needs of a record: its names (None: blank) and its addresses, normalised."""

    last_name: str | None
    addresses: tuple[str, ...]
    first_name: str | None = None


Copies = Callable[[Link, Link], bool]
"""(best, other) of one system -> the other one says nothing that the best one does not say."""


class Doubt(NamedTuple):
    """Second records of a system that are set aside beside its best one, and nobody has said that they are the same human."""

    best: Link
    others: tuple[Link, ...]


@dataclass(slots=True)
class Match:
    """One group of records that belong together. `person` is the person they join, None for a new one.

    `members`: one link per system. `duplicates`: set aside. `doubts`: of whom of them somebody must say whether they are the same human as the
    best of their system. `ambiguous`: the records that cannot be told apart, and why.
    """

    person: int | None = None
    members: list[Link] = field(default_factory=list[Link])
    duplicates: list[Link] = field(default_factory=list[Link])
    doubts: list[Doubt] = field(default_factory=list[Doubt])
    ambiguous: list[Link] = field(default_factory=list[Link])
    reason: str = ""


def components(ids: Iterable[int], pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The groups into which the pairs tie the ids, each sorted, in the order of their smallest id."""
    parent: dict[int, int] = {link: link for link in ids}

    def root(link: int) -> int:
        parent.setdefault(link, link)
        while parent[link] != link:
            parent[link] = parent[parent[link]]
            link = parent[link]
        return link

    for one, other in pairs:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    groups: dict[int, list[int]] = {}
    for link in sorted(parent):
        groups.setdefault(root(link), []).append(link)
    return list(groups.values())


def match(rows: Sequence[Link], identify: Callable[[Link], Identity], copies: Copies, answer: str | None = None, said: Sameness = NOTHING_SAID) -> Match:
    """Decide one group. `answer` "newest": somebody said that they are one human, and the newest record counts. `said`: about two records each.

    Of records that are one human's, only the one that survives speaks for them. One that somebody told apart from the best is left for the next look.
    """
    if len(rows) == 1 and rows[0].state == "new":
        return Match(members=list(rows))
    settled = [row for row in rows if row.state == "linked" and row.person is not None]
    fresh = [row for row in rows if row.state == "new" or (row.state == "parked" and row.person is None)]
    people = {row.person for row in settled}
    if not fresh:
        return Match(next(iter(people)) if len(people) == 1 else None)
    if len(people) > 1:
        return Match(ambiguous=fresh, reason="its key belongs to two people already")
    there = [row.id for row in rows]
    speaking = [row for row in rows if not said.gives_way(row.id, there)]
    if len(rows) > 1 and answer != "newest":
        reason = "somebody told two of them apart" if said.torn(there) else _ambiguity(speaking, {row.id: identify(row) for row in speaking})
        if reason is not None:
            return Match(ambiguous=fresh, reason=reason)
    found = Match(next(iter(people), None))
    for candidates in _by_account(rows).values():
        best, *others = sorted(candidates, key=lambda row: (row not in speaking, *rank(row)))
        if best in fresh:
            found.members.append(best)
        aside = [row for row in others if row in fresh and not said.differ(best.id, row.id)]
        found.duplicates.extend(aside)
        if answer != "newest":
            found.doubts.extend(doubts(best, aside, copies, said))
    return found


def doubts(best: Link, aside: Sequence[Link], copies: Copies, said: Sameness) -> Iterator[Doubt]:
    """Those set aside of whom nobody has said that they are the same human as the best one, unless all of them are its copies: where two humans share an
    address and a name, nobody knows whose copy one is."""
    unsaid = tuple(row for row in aside if best.id not in said.ends(row.id) and row.id not in said.ends(best.id))
    if any(not copies(best, row) for row in unsaid):
        yield Doubt(best, unsaid)


def _by_account(rows: Sequence[Link]) -> Mapping[int, list[Link]]:
    groups: dict[int, list[Link]] = {}
    for row in rows:
        groups.setdefault(row.account, []).append(row)
    return groups


def _ambiguity(rows: Sequence[Link], known: Mapping[int, Identity]) -> str | None:
    for candidates in _by_account(rows).values():
        pairs = [(known[one.id], known[other.id]) for one, other in combinations(candidates, 2)]
        clashing = [(one, other) for one, other in pairs if not _swapped(one, other)]
        if any(len(_last_names(pair)) > 1 for pair in clashing):
            return "several records of one system share an address but not a last name"
        if any(differ(one.first_name, other.first_name) for one, other in clashing):
            return "several records of one system share an address but not a first name"
    addresses = {address for identity in known.values() for address in identity.addresses}
    if len(_last_names(known.values())) > 1 and any(address.partition("@")[0] in ROLES for address in addresses):
        return "a role address with different last names"
    return None


def _swapped(one: Identity, other: Identity) -> bool:
    mine, theirs = (folded(one.first_name), folded(one.last_name)), (folded(other.last_name), folded(other.first_name))
    return all(mine) and mine == theirs


def _last_names(identities: Iterable[Identity]) -> set[str]:
    return {folded(identity.last_name) for identity in identities} - {""}


def rank(row: Link) -> tuple[bool, bool, int, str]:
    """Linked before unlinked, Contact before Lead, then the newest."""
    return (row.state != "linked", row.kind != "contact", -row.stamp, row.ref)
