"""Whose record is this: groups by shared keys, ranks of duplicates, and what is left to somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.state.links import LinkRow
from stagesync.state.sameness import SameRow
from stagesync.sync.deciding.match import ROLES, Identity, Match, components, match
from stagesync.sync.deciding.sameness import Sameness

HUB, CRM = 1, 2


def all_copies(best: LinkRow, other: LinkRow) -> bool:
    """No record of these says anything else than another."""
    return best.account == other.account


def none_copies(best: LinkRow, other: LinkRow) -> bool:
    """Every one does."""
    return best.account != other.account


def row(id: int, account: int, kind: str = "lead", person: int | None = None, stamp: int = 0, state: str | None = None) -> LinkRow:
    """A record; linked where it has a person."""
    return LinkRow(id, account, kind, f"r{id}", person, state or ("linked" if person else "new"), stamp, {}, {}, {}, None, None)


def matched(rows: Sequence[LinkRow], names: Mapping[int, str | None] | None = None, address: str = "anna@a.example", answer: str | None = None) -> Match:
    """The decision where the records have these last names (else Ash) and that address."""
    return match(rows, lambda each: Identity((names or {}).get(each.id, "Ash"), (address,)), all_copies, answer)


def ids(rows: Sequence[LinkRow]) -> list[int]:
    """In order."""
    return sorted(each.id for each in rows)


def test_two_new_records_of_two_systems_are_one_person() -> None:
    """They share an address, so they belong together; the person is new."""
    found = matched([row(1, HUB, "contact"), row(2, CRM)])
    assert (found.person, ids(found.members), found.duplicates, found.ambiguous) == (None, [1, 2], [], [])


def test_a_new_record_joins_a_known_person() -> None:
    """One of the group is linked already: the others join."""
    found = matched([row(1, HUB, "contact", person=7), row(2, CRM)])
    assert (found.person, ids(found.members)) == (7, [2])


def test_duplicates_are_ranked() -> None:
    """Linked before unlinked, Contact before Lead, then the newest."""
    assert ids(matched([row(1, CRM, stamp=1), row(2, CRM, stamp=9)]).members) == [2]
    assert ids(matched([row(1, CRM, "contact", stamp=1), row(2, CRM, stamp=9)]).members) == [1]
    linked = matched([row(1, CRM, person=7), row(2, CRM, "contact", stamp=9)])
    assert (linked.person, linked.members, ids(linked.duplicates)) == (7, [], [2])


def test_a_blank_last_name_contradicts_nobody() -> None:
    """Blank is not another name."""
    found = matched([row(1, CRM), row(2, CRM, stamp=3)], {1: None})
    assert (ids(found.members), ids(found.duplicates)) == ([2], [1])


@pytest.mark.parametrize("other", ["ASH", "\uff21sh ", "\u00c4sh", "Ash-"])
def test_names_are_compared_without_case_width_accents_and_punctuation(other: str) -> None:
    """The same last name, however it is spelled."""
    assert matched([row(1, CRM), row(2, CRM)], {2: other}).ambiguous == []


def test_a_swapped_name_is_the_same() -> None:
    """Ash Anna is Anna Ash; Ash Ben is not."""
    names = {1: ("Anna", "Ash"), 2: ("Ash", "ANNA"), 3: ("Ash", "Ben")}
    for other, asked in ((2, []), (3, [1, 3])):
        found = match([row(1, CRM), row(other, CRM)], lambda each: Identity(names[each.id][1], ("ash@a.example",), names[each.id][0]), all_copies)
        assert ids(found.ambiguous) == asked


def test_a_second_record_that_is_no_copy_is_a_question() -> None:
    """It is set aside all the same, as is a copy beside it; of both is asked whether they are the best one's human. Of a copy alone nobody asks."""
    rows = [row(1, CRM, stamp=1), row(2, CRM, stamp=2), row(3, CRM, stamp=9), row(4, HUB, "contact")]
    found = match(rows, lambda each: Identity("Ash", ()), lambda best, other: (best.id, other.id) != (3, 1))
    assert (ids(found.members), ids(found.duplicates)) == ([3, 4], [1, 2])
    assert [(doubt.best.id, ids(doubt.others)) for doubt in found.doubts] == [(3, [1, 2])]
    assert match(rows, lambda each: Identity("Ash", ()), all_copies).doubts == []


def test_of_what_somebody_said_nobody_asks_again() -> None:
    """Said directly, or by way of another record; or that the newest counts of all of them."""
    rows = [row(1, CRM, stamp=1), row(2, CRM, stamp=2), row(3, CRM, stamp=9)]
    by_way = match(rows, lambda each: Identity("Ash", ()), none_copies, None, said((1, 2, 2), (2, 3, 3)))
    assert (ids(by_way.duplicates), by_way.doubts) == ([1, 2], [])
    half = match(rows, lambda each: Identity("Ash", ()), none_copies, None, said((2, 3, 3)))
    assert [ids(doubt.others) for doubt in half.doubts] == [[1]]
    assert match(rows, lambda each: Identity("Ash", ()), none_copies, "newest").doubts == []


def test_different_last_names_in_one_system_are_ambiguous() -> None:
    """Nothing is linked, all that is new is named."""
    found = matched([row(1, CRM), row(2, CRM), row(3, HUB, "contact")], {2: "Birch"})
    assert (found.members, ids(found.ambiguous)) == ([], [1, 2, 3])


@pytest.mark.parametrize(("other", "asked"), [("Ben", True), ("Annabel", False), ("A.", False), ("Ana", False), (None, False), ("ANNA", False)])
def test_a_family_at_one_address_is_a_question(other: str | None, asked: bool) -> None:
    """Clearly different first names at one address are two humans as far as anybody knows; spellings, initials and blanks are not."""
    names = {1: "Anna", 2: other}
    found = match([row(1, CRM), row(2, CRM)], lambda each: Identity("Ash", ("ash@a.example",), names[each.id]), all_copies)
    assert bool(found.ambiguous) is asked
    across = match([row(1, CRM), row(2, HUB)], lambda each: Identity("Ash", ("ash@a.example",), names[each.id]), all_copies)
    assert across.ambiguous == []


def test_a_married_name_in_another_system_is_the_same_person() -> None:
    """Across systems an address is enough: last names may differ."""
    assert ids(matched([row(1, HUB, "contact"), row(2, CRM)], {2: "Birch"}).members) == [1, 2]


def test_role_addresses_need_one_name() -> None:
    """`info@` with two last names may be two humans, also across systems; with one name it is a person's."""
    for role in sorted(ROLES)[:5]:
        assert ids(matched([row(1, HUB), row(2, CRM)], {2: "Birch"}, f"{role}@a.example").ambiguous) == [1, 2]
    assert ids(matched([row(1, HUB), row(2, CRM)], {}, "info@a.example").members) == [1, 2]


def test_a_key_of_two_people_decides_nothing() -> None:
    """A new record between two known people is left to somebody."""
    found = matched([row(1, HUB, person=7), row(2, HUB, person=8), row(3, CRM)])
    assert (ids(found.ambiguous), found.members) == ([3], [])


def test_somebody_s_answer_links_the_newest() -> None:
    """Told that they are one human, the newest record counts and the others are set aside."""
    found = matched([row(1, CRM, stamp=1), row(2, CRM, stamp=5)], {2: "Birch"}, answer="newest")
    assert (ids(found.members), ids(found.duplicates)) == ([2], [1])


def test_records_set_aside_are_matched_again_without_a_person_only() -> None:
    """What was set aside for a person stays aside; what belongs to nobody may be linked."""
    assert ids(matched([row(1, CRM, state="parked"), row(2, HUB, "contact")]).members) == [1, 2]


PAIRS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20)


@given(PAIRS)
def test_groups_do_not_depend_on_the_order_of_pairs(pairs: list[tuple[int, int]]) -> None:
    """Whatever order the keys are found in, the groups are the same, and each record is in one."""
    turned = [(other, one) for one, other in reversed(pairs)]
    groups = components(range(13), pairs)
    assert groups == components(range(13), turned)
    assert sorted(each for group in groups for each in group) == list(range(13))
    of = {each: number for number, group in enumerate(groups) for each in group}
    assert all(of[one] == of[other] for one, other in pairs)


@given(st.permutations([row(1, HUB, "contact", stamp=1), row(2, HUB, "contact", stamp=2), row(3, CRM, stamp=3), row(4, CRM, "contact", stamp=1)]))
def test_the_order_of_records_does_not_matter(rows: list[LinkRow]) -> None:
    """The same records are linked and set aside in whatever order they come."""
    found = matched(rows)
    assert (ids(found.members), ids(found.duplicates)) == ([2, 4], [1, 3])


def said(*told: tuple[int, int, int | None]) -> Sameness:
    """What somebody said: (one, other, who survives)."""
    return Sameness.of(SameRow(*each, 0) for each in told)


def test_of_one_human_s_records_the_survivor_is_linked() -> None:
    """Whatever their names, ranks and addresses say: the one that survives is the person's, the other is set aside."""
    rows = [row(1, CRM, stamp=1), row(2, CRM, "contact", stamp=9), row(3, HUB, "contact")]
    found = match(rows, lambda each: Identity({1: "Ash", 2: "Birch"}.get(each.id), ()), all_copies, None, said((1, 2, 1)))
    assert (ids(found.members), ids(found.duplicates), found.ambiguous) == ([1, 3], [2], [])


def test_a_record_joins_the_person_of_its_survivor() -> None:
    """The survivor is linked: the new one is set aside under the same person."""
    found = match([row(1, CRM, person=7), row(2, CRM)], lambda each: Identity(str(each.id), ()), none_copies, None, said((1, 2, 1)))
    assert (found.person, found.members, ids(found.duplicates)) == (7, [], [2])


def test_two_who_were_told_apart_are_a_question_where_a_third_has_a_key_of_both() -> None:
    """Nobody can say whose the third is; told that it is the newest's, the other one is left for the next look and never set aside."""
    rows = [row(1, CRM, stamp=1), row(2, CRM, stamp=9), row(3, HUB, "contact")]
    apart = said((1, 2, None))
    asked = match(rows, lambda each: Identity("Ash", ()), all_copies, None, apart)
    assert (ids(asked.ambiguous), asked.reason) == ([1, 2, 3], "somebody told two of them apart")
    found = match(rows, lambda each: Identity("Ash", ()), none_copies, "newest", apart)
    assert (ids(found.members), found.duplicates, found.ambiguous) == ([2, 3], [], [])


def test_what_somebody_told_apart_is_not_tied_by_a_key() -> None:
    """Neither to the other record nor to any record of the other one's person; what nobody spoke of is."""
    apart = said((1, 2, None))
    persons = {1: 7, 2: None, 3: 7, 4: None}
    assert apart.without_strangers([(1, 2), (2, 3), (2, 4), (3, 4)], persons) == [(2, 4), (3, 4)]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(5, 8), st.booleans()), max_size=6), st.permutations(range(1, 9)))
def test_nobody_is_set_aside_for_somebody_else(told: list[tuple[int, int, bool]], order: list[int]) -> None:
    """Whatever was said: no record that was told apart from another is set aside beside it, and the order says nothing."""
    words = said(*{(one, other): (one, other, one if same else None) for one, other, same in told}.values())
    rows = [row(number, CRM if number % 2 else HUB, stamp=number) for number in order]
    found = match(rows, lambda each: Identity("Ash", ()), none_copies, None, words)
    again = match(sorted(rows, key=lambda each: each.id), lambda each: Identity("Ash", ()), none_copies, None, words)
    assert (ids(found.members), ids(found.duplicates), ids(found.ambiguous)) == (ids(again.members), ids(again.duplicates), ids(again.ambiguous))
    linked = [*found.members, *found.duplicates]
    assert not any(words.differ(one.id, other.id) for one in linked for other in linked)
