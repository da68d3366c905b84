"""Whose record is this? Records that share a key become links of one person, or a question. Pure.

Within one system, several records with one e-mail and the same (or a blank) last name are duplicates: the best one is the person's
link, the others are set aside and never written. Different last names, clearly different first names (a family at one address), or a role
address with different names, are ambiguous: nothing is linked, all are named. Dots and plus signs in addresses are never folded. What somebody
said about two records goes before all of this.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ...mapping.names import differ
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


@dataclass(frozen=True, slots=True)
class Identity:
    """What matching needs of a record: its names (None: blank) and its addresses, normalised."""

    last_name: str | None
    addresses: tuple[str, ...]
    first_name: str | None = None


@dataclass(slots=True)
class Match:
    """One group of records that belong together. `person` is the person they join, None for a new one.

    `members`: one link per system. `duplicates`: set aside. `ambiguous`: the records that cannot be told apart, and why.
    """

    person: int | None = None
    members: list[Link] = field(default_factory=list[Link])
    duplicates: list[Link] = field(default_factory=list[Link])
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


def match(rows: Sequence[Link], identify: Callable[[Link], Identity], answer: str | None = None, said: Sameness = NOTHING_SAID) -> Match:
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
        found.duplicates.extend(row for row in others if row in fresh and not said.differ(best.id, row.id))
    return found


def _by_account(rows: Sequence[Link]) -> Mapping[int, list[Link]]:
    groups: dict[int, list[Link]] = {}
    for row in rows:
        groups.setdefault(row.account, []).append(row)
    return groups


def _ambiguity(rows: Sequence[Link], known: Mapping[int, Identity]) -> str | None:
    for candidates in _by_account(rows).values():
        if len(candidates) > 1 and len(_last_names(known[row.id] for row in candidates)) > 1:
            return "several records of one system share an address but not a last name"
        if any(differ(known[one.id].first_name, known[other.id].first_name) for one, other in combinations(candidates, 2)):
            return "several records of one system share an address but not a first name"
    addresses = {address for identity in known.values() for address in identity.addresses}
    if len(_last_names(known.values())) > 1 and any(address.partition("@")[0] in ROLES for address in addresses):
        return "a role address with different last names"
    return None


def _last_names(identities: Iterable[Identity]) -> set[str]:
    return {unicodedata.normalize("NFKC", identity.last_name).casefold().strip() for identity in identities if identity.last_name}


def rank(row: Link) -> tuple[bool, bool, int, str]:
    """Linked before unlinked, Contact before Lead, then the newest."""
    return (row.state != "linked", row.kind != "contact", -row.stamp, row.ref)
