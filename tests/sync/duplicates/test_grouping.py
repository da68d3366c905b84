"""Records that may be one human's: what is compared, what speaks for and against it, and groups that hang together."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.model.records import Ref
from stagesync.model.spelling import firm, folded
from stagesync.sync.duplicates.grouping import AGAINST, LARGEST, Group, group
from stagesync.sync.duplicates.profile import Marks, Profile, line, mailbox
from stagesync.sync.duplicates.score import PROPOSED, Pair
from stagesync.sync.duplicates.score import compare as compare_marks
from stagesync.sync.duplicates.search import LARGEST_BLOCK, count_duplicates, find_duplicates

ANNA = ("Anna", "Ash", "Acme GmbH", "anna.ash@acme.example", "+4930123456")


def record(number: int, first: str | None, last: str | None, company: str | None = None, address: str | None = None, phone: str | None = None) -> Profile:
    """One record; blank is None."""
    return Profile(Ref("contact", str(number)), first, last, company, (address,) if address else (), (phone,) if phone else ())


def compare(one: Profile, other: Profile) -> Pair:
    """The pair of two records."""
    return compare_marks(Marks.of(one), Marks.of(other))


def scored(one: Sequence[str | None], other: Sequence[str | None]) -> Pair:
    """The pair of two records with these values."""
    return compare(record(1, *one), record(2, *other))


def found(*records: Profile) -> list[list[str]]:
    """The groups, as the ids of their members."""
    return [[ref.id for ref in each.members] for each in find_duplicates(records).groups]


def test_names_are_folded_and_companies_lose_their_form() -> None:
    """Case, accents, punctuation and legal forms say nothing; a company that is nothing but its form keeps it."""
    assert folded("  Łukasz O’Brién-Ash ") == "łukasz o brien ash"
    assert (firm("ACME GmbH & Co. KG"), firm("The Company"), firm(None)) == ("acme", "the company", "")


def test_a_number_without_its_country_goes_with_one_that_has_it() -> None:
    """The last digits count, an extension with them; a text without a digit stays as it is."""
    assert line("(415) 555-0100") == line("+14155550100") != line("+14155550100 ext. 12")
    assert line("ask Ann") == "ask Ann"


def test_a_mailbox_that_tells_nobody_apart_is_none() -> None:
    """A role and a short name are no reason to compare; a tag is cut off."""
    assert [mailbox(f"{local}@a.example") for local in ("support", "ann", "anna.ash", "anna.ash+news")] == [None, None, "anna.ash", "anna.ash"]


@pytest.mark.parametrize(
    ("other", "at_least", "at_most", "reason"),
    [
        (ANNA, 100, 100, "same e-mail, same phone, same name, same company"),
        (("Ana", "Ash", "Acme", "anna.ash@acme.example", None), 100, 100, "same e-mail, names 97% alike, same company"),
        (("A.", "Ash", None, "a.a@home.example", "030 / 123456"), 60, 80, "different e-mails, same phone, names 95% alike"),
        (("Ash", "Anna", "ACME", None, None), 60, 60, "same name, same company"),
        (("Anna", None, None, "anna.ash@home.example", None), PROPOSED - 5, PROPOSED, "e-mails alike before the @, same name as far as both have one"),
        (("Anna", "Ash", "Birch Ltd", "ash@birch.example", "+15550000001"), 0, 40, "different e-mails, different phones, same name, different companies"),
        (("Ben", "Ash", None, "ben@ash.example", "+4930123456"), 0, 10, "different e-mails, same phone, first names differ"),
        (("Ben", "Birch", "Acme", "b@acme.example", "+4930123456"), 0, 20, "different e-mails, same phone, names differ, same company"),
    ],
)
def test_what_speaks_for_it_and_against_it_is_told(other: Sequence[str | None], at_least: int, at_most: int, reason: str) -> None:
    """The points follow what is told, whichever record comes first."""
    pair = scored(ANNA, other)
    assert (pair.reason, at_least <= pair.score <= at_most) == (reason, True), pair
    assert compare(record(2, *other), record(1, *ANNA)) == pair


def test_a_role_address_says_little() -> None:
    """Two names at info@ are not proposed; one name is."""
    info = (*ANNA[:3], "info@acme.example", None)
    assert scored(info, ("Ben", "Birch", "Acme", "info@acme.example", None)).score < PROPOSED
    assert scored(info, info).reason == "same e-mail, which belongs to a role, same name, same company"


def test_nothing_in_common_is_nothing() -> None:
    """Two blank records have no points and no reason."""
    assert scored((None,) * 5, (None,) * 5)[2:] == (0, "")


def test_duplicates_are_found_by_any_of_their_traces() -> None:
    """An address, a number, a name at a company that is spelled in another way: each is enough to be compared."""
    by_address = [record(1, *ANNA), record(2, None, "Ash", None, "anna.ash@acme.example")]
    by_phone = [record(3, "Ben", "Birch", None, None, "+15550000001"), record(4, "Benn", "Birch", None, "b@b.example", "5550000001")]
    by_company = [record(5, "Cleo", "Cedar", "Cedarwood Inc."), record(6, "Cleo", "Cedarr", "Cedarwoods")]
    assert sorted(found(*by_address, *by_phone, *by_company, record(7, "Dan", "Dogwood", "Acme", "d@acme.example"))) == [["1", "2"], ["3", "4"], ["5", "6"]]


def test_a_family_with_one_phone_is_not_proposed() -> None:
    """Three first names, one last name, one number: nobody has to look at that."""
    assert found(*(record(number, first, "Ash", None, f"{first}@ash.example", ANNA[4]) for number, first in enumerate(("Anna", "Ben", "Cleo")))) == []


def test_a_chain_does_not_tie_two_humans_together() -> None:
    """A record without a first name is like Anna and like Ben: it stands in two groups, and Anna and Ben in none together."""
    nameless = Profile(Ref("contact", "3"), None, "Ash", None, ("anna@ash.example", "ben@ash.example"))
    groups = found(record(1, "Anna", "Ash", None, "anna@ash.example"), record(2, "Ben", "Ash", None, "ben@ash.example"), nameless)
    assert groups == [["1", "3"], ["2", "3"]]


def test_a_number_that_half_the_house_shares_compares_nobody() -> None:
    """A switchboard is cut, and that is said; whoever shares more with another is found all the same."""
    crowd = [record(number, f"First{number}", f"Last{number * 7919}", None, None, ANNA[4]) for number in range(LARGEST_BLOCK + 1)]
    search = find_duplicates([*crowd, record(900, *ANNA), record(901, *ANNA)])
    assert ([[ref.id for ref in each.members] for each in search.groups], search.cut) == ([["900", "901"]], {"phone": (1, LARGEST_BLOCK + 3)})
    assert search.records == LARGEST_BLOCK + 3


def test_what_is_decided_is_not_proposed_again() -> None:
    """Neither those who are one, nor those who are two; and two that are not one are in no group together, whoever is like both."""
    trio = [record(number, *ANNA) for number in (1, 2, 3)]
    decided = {(Ref("contact", "1"), Ref("contact", "2")): "different"}
    groups = find_duplicates(trio, decided=lambda one, other: "different" if (min(one, other), max(one, other)) in decided else None).groups
    assert [[ref.id for ref in each.members] for each in groups] == [["1", "3"], ["2", "3"]]
    assert find_duplicates(trio, decided=lambda one, other: "same").groups == []


_firsts, _lasts = st.sampled_from([None, "Anna", "Ana", "A", "Ben"]), st.sampled_from([None, "Ash", "Asch", "Birch"])
_companies, _phones = st.sampled_from([None, "Acme", "Acme Ltd", "Birch"]), st.sampled_from([None, "+4930123456", "+4930123457"])
_addresses = st.sampled_from([None, "anna.ash@a.example", "anna.ash@b.example", "info@a.example"])
_crowds = st.lists(st.tuples(_firsts, _lasts, _companies, _addresses, _phones), max_size=12).map(
    lambda rows: [record(number, *values) for number, values in enumerate(rows)]
)


@given(_crowds, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order(crowd: list[Profile], chance: random.Random) -> None:
    """The same records in another order are the same groups, for the same reasons."""
    other = list(crowd)
    chance.shuffle(other)
    assert find_duplicates(other).groups == find_duplicates(crowd).groups


@given(_crowds)
def test_what_is_only_counted_is_what_is_found(crowd: list[Profile]) -> None:
    """As many groups with as many records in them."""
    groups = find_duplicates(crowd).groups
    assert count_duplicates(crowd) == (len(groups), sum(len(each.members) for each in groups))


@given(_crowds)
def test_groups_hang_together_and_hide_nothing(crowd: list[Profile]) -> None:
    """No two members speak against each other, a group is as good as its weakest pair, and every likely pair is in one group or named between two."""
    groups, profiles = find_duplicates(crowd).groups, {each.ref: each for each in crowd}
    for each in groups:
        assert each.score == min(pair.score for pair in each.pairs) >= PROPOSED
        assert all(compare(profiles[one], profiles[other]).score >= AGAINST for one, other in combinations(each.members, 2))
    near = {ref: {member for each in groups if ref in each.members for member in each.members} for ref in profiles}
    for one, other in combinations(crowd, 2):
        if compare(one, other).score >= PROPOSED:
            assert other.ref in near[one.ref] or any(near[member] & near[other.ref] for member in near[one.ref])


def test_a_group_has_a_size_that_somebody_can_judge() -> None:
    """Where more records are alike than anybody can look at, they are in several groups."""
    refs = [Ref("contact", f"{number:03}") for number in range(LARGEST * 2)]
    groups: list[Group] = group([Pair(one, other, 90, "same name") for one, other in combinations(refs, 2)], lambda one, other: 90)
    assert max(len(each.members) for each in groups) == LARGEST
    assert {ref for each in groups for ref in each.members} == set(refs)
