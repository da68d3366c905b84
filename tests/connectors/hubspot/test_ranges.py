"""Several chains of a list's pages side by side: nobody is missed, whatever the ids are like and in whichever order the pages come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hubspot_portal import FIELDS, Portal
from hypothesis import example, given
from hypothesis import strategies as st
from office import Office
from salesforce_org import NoLimits

from stagesync.app.crew import as_they_end
from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import open_account
from stagesync.connectors.hubspot.cursor import parse
from stagesync.connectors.hubspot.listing import ALONE
from stagesync.connectors.hubspot.ranges import Ask, Chain, Ranges, Strange
from stagesync.model.records import Page, Query
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits

PAGE = 4
MOST = 5
Answer = tuple[list[int], int | None]
List = Callable[[list[int], int], Answer]


def inclusive(ids: list[int], after: int) -> Answer:
    """`after` is the next contact's id, as HubSpot's documents have it."""
    start = bisect_left(ids, after)
    return ids[start : start + PAGE], ids[start + PAGE] if start + PAGE < len(ids) else None


def exclusive(ids: list[int], after: int) -> Answer:
    """`after` is the last contact's id."""
    start = bisect_right(ids, after)
    shown = ids[start : start + PAGE]
    return shown, shown[-1] if start + PAGE < len(ids) else None


def by_position(ids: list[int], after: int) -> Answer:
    """`after` counts contacts."""
    return ids[after : after + PAGE], after + PAGE if after + PAGE < len(ids) else None


class Reading:
    """Somebody who reads a list by chains. `random` says which page comes next of those that are under way."""

    def __init__(self, ids: list[int], answer: List, random: Random) -> None:
        self.ids = ids
        self.answer = answer
        self.random = random
        self.calls = 0
        self.shown: list[int] = []
        self.left: list[tuple[int, int | None]] = [(0, None)]

    def go(self, pages: int | None = None) -> None:
        """Read on from what is left; it breaks off after so many pages."""
        ranges = Ranges([Chain(*each) for each in self.left], MOST)
        under_way: list[tuple[Ask, Answer]] = []
        while pages != 0:
            while len(under_way) < MOST and (ask := ranges.more()) is not None:
                under_way.append((ask, self.answer(self.ids, ask.after)))
                self.calls += 1
            if not under_way:
                break
            ask, (ids, after) = under_way.pop(self.random.randrange(len(under_way)))
            self.shown += ids[: ranges.take(ask, ids, after)]
            self.left = ranges.left()
            assert all(end is not None and after <= end <= later for (after, end), (later, _) in pairwise(self.left))
            pages = None if pages is None else pages - 1


ids = st.one_of(
    st.integers(0, 300).map(lambda count: list(range(51, 51 + 50 * count, 50))),
    st.lists(st.integers(1, 1_000), unique=True, max_size=300).map(sorted),
    st.lists(st.integers(0, 44).flatmap(lambda power: st.integers(2**power, 2 ** (power + 1))), unique=True, max_size=200).map(sorted),
)


@given(ids=ids, answer=st.sampled_from([inclusive, exclusive]), seed=st.integers(0, 1_000), breaks=st.lists(st.integers(0, 20), max_size=3))
@example(ids=[*range(1, 200), *range(10**11, 10**11 + 100)], answer=inclusive, seed=1, breaks=[])
@example(ids=[1, 2, 9, 13, 22, 31, 50, 101, 551], answer=exclusive, seed=13, breaks=[])
def test_everybody_is_shown_once(ids: list[int], answer: List, seed: int, breaks: list[int]) -> None:
    """Dense or sparse, whether a page begins with the id that it is asked from or behind it, in any order, and however often the reading breaks off."""
    reading = Reading(ids, answer, Random(seed))
    for pages in breaks:
        reading.go(pages)
    reading.go()
    assert sorted(reading.shown) == ids
    assert reading.left == []


@given(ids=ids, seed=st.integers(0, 1_000))
def test_a_list_by_positions_is_seen_to_be_strange(ids: list[int], seed: int) -> None:
    """Where `after` is no id, either the chains meet all the same, or it is seen; what was shown by then has no gap below the place that is left."""
    reading = Reading(ids, by_position, Random(seed))
    try:
        reading.go()
    except Strange:
        assert {each for each in ids if each < reading.left[0][0]} <= {*reading.shown}
    else:
        assert {*reading.shown} == {*ids}


@given(ids=ids, seed=st.integers(0, 1_000), deeds=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 10_000)), max_size=6))
def test_whoever_stays_is_shown_while_others_come_and_go(ids: list[int], seed: int, deeds: list[tuple[int, int]]) -> None:
    """Contacts that are deleted or created meanwhile hide nobody else; where two chains do not meet any more, that is seen, and the place left is right."""
    there, stay, waiting = [*ids], {*ids}, sorted(deeds)
    calls = 0

    def living(_: list[int], after: int) -> Answer:
        nonlocal calls
        calls += 1
        while waiting and waiting[0][0] <= calls and there:
            number = waiting.pop(0)[1]
            gone = there.pop(number % len(there))
            stay.discard(gone)
            there.append(max(there, default=gone) + 1 + number % 50)
        return inclusive(there, after)

    reading = Reading(ids, living, Random(seed))
    try:
        reading.go()
    except Strange:
        stay = {each for each in stay if each < reading.left[0][0]}
    assert stay <= {*reading.shown}


@pytest.mark.parametrize("page", [([7, 9, 8], 12), ([2, 7], 9), ([7, 8], 7), ([], 4), ([7, 7], 9)])
def test_a_page_out_of_order_is_strange(page: Answer) -> None:
    """Ids that do not ascend, lie below what was asked for, or a place that leads back."""
    ranges = Ranges([Chain(5)], MOST)
    ask = ranges.more()
    assert ask is not None
    with pytest.raises(Strange):
        ranges.take(ask, *page)


@pytest.mark.parametrize("count", [1_000, 4_000, 20_000])
def test_few_pages_are_read_twice(count: int) -> None:
    """Side by side costs at most a tenth more calls than one page after the other."""
    reading = Reading([*range(51, 51 + 50 * count, 50)], inclusive, Random(1))
    reading.go()
    assert reading.calls <= 1.1 * count / PAGE


def pages_of(portal: Portal, cursor: str | None = None, *, sweep: bool = False, abreast: bool = False) -> list[Page]:
    """A whole pull, one call after the other or ten at once."""
    ports = Ports(portal.clock, NoLimits(), portal.drawer, flow=as_they_end) if abreast else Ports(portal.clock, NoLimits(), portal.drawer)
    connector = open_account("hubspot", portal.settings, ports, WorldPool(portal.world))
    return list(connector.pull(Query({"contact": FIELDS}, cursor, sweep)))


def ids_of(pages: list[Page]) -> list[str]:
    """The contacts on these pages, as they came."""
    return [record.ref.id for page in pages for record in page.records]


def test_several_pages_are_under_way_at_once() -> None:
    """The list and the recycle bin are read by chains in threads; each contact comes once, and no call more than a tenth is made twice."""
    portal = Portal(Habits(page_rows=20))
    everybody = portal.crowd(2_000)
    for id in everybody[::2]:
        portal.world.archive(id)
    pages = pages_of(portal, sweep=True, abreast=True)
    assert max(len(parse(page.cursor, where="").ranges) for page in pages) > 3
    assert sorted(ids_of(pages), key=int) == everybody[1::2]
    assert sorted((gone.ref.id for page in pages for gone in page.gone), key=int) == everybody[::2]
    assert portal.calls()["GET "] <= 110


def test_a_reading_by_chains_that_broke_off_goes_on_from_any_page() -> None:
    """Each page's cursor holds what is left of every chain: what came before it and what comes from there on are everybody."""
    portal = Portal(Habits(page_rows=10))
    everybody = portal.crowd(400)
    pages = pages_of(portal, abreast=True)
    for index in range(0, len(pages), 10):
        rest = pages_of(portal, pages[index].cursor, abreast=True)
        assert {*ids_of(pages[: index + 1]), *ids_of(rest)} == {*everybody}


@pytest.mark.parametrize("habit", ["refused", "ignored", "opaque"])
@pytest.mark.parametrize("abreast", [False, True])
def test_an_account_that_knows_no_chosen_ids_is_read_by_one_chain(habit: str, abreast: bool) -> None:
    """A refusal, a beginning anew, or a place that is no id: it is seen at the first look ahead, told once, and nobody is missed; a pull that is taken up
    again does not try once more."""
    portal = Portal(Habits(page_rows=10).switched({"list_after": habit}))
    everybody = portal.crowd(200)
    pages = pages_of(portal, abreast=abreast)
    assert {*ids_of(pages)} == {*everybody}
    assert [note for page in pages for note in page.notes] == [ALONE]
    assert portal.calls()["GET "] <= 20 + 4
    rest = pages_of(portal, pages[10].cursor, abreast=abreast)
    assert {*ids_of(pages[:11]), *ids_of(rest)} == {*everybody}
    assert [note for page in rest for note in page.notes] == []


def test_a_chain_that_is_refused_later_costs_no_contact() -> None:
    """What was read by then stays read below the lowest place; one chain goes on from there."""
    portal = Portal(Habits(page_rows=10))
    everybody = portal.crowd(300)
    portal.world.faults.add(Fault("status", match="GET /crm/v3/objects/contacts", skip=12, status=400, body='{"message": "no"}'))
    pages = pages_of(portal)
    assert {*ids_of(pages)} == {*everybody}
    assert [note for page in pages for note in page.notes] == [ALONE]


def test_the_user_hears_that_one_chain_reads(tmp_path: Path) -> None:
    """A run says once, by the system's name, that its account is read page by page."""
    office = Office(tmp_path, hub_habits=Habits(page_rows=2, list_after="refused"))
    for number in range(9):
        office.hub.create({"email": f"p{number}@a.example", "lastname": "Berg"})
    heard: list[str] = []
    office.session = replace(office.session, tell=heard.append)
    assert office.plan().pulled["hub"].records == 9
    assert heard == [f"hub: {ALONE}"]
