"""HubSpot's pull misses nothing: caps, lag, equal stamps, merges, archives, and pulls that break off."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hubspot_portal import FIELDS, Portal
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stagesync.connectors.hubspot.cursor import Cursor, parse
from stagesync.model.errors import ConfigurationError
from stagesync.model.records import Query, Record
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits

FROM_THE_BEGINNING = Cursor(start=1, part="done").text()
"""A cursor that makes the next pull a delta over everything."""


def test_a_scan_lists_hundred_a_page() -> None:
    """250 contacts come in three list calls, with the asked properties and None for blank ones; a fourth one looked whether there are more ahead."""
    portal = Portal()
    ids = portal.crowd(250)
    found = portal.pulled()
    assert list(found.records) == ids
    assert found.records[ids[0]].values == {"email": "c0@crowd.example", "firstname": "F0", "lastname": None, "lifecyclestage": None}
    assert portal.calls() == {"GET ": 4}


def test_a_quiet_delta_is_one_call() -> None:
    """With nothing changed since the overlap, the pull is a single search."""
    portal = Portal()
    portal.crowd(250)
    portal.clock.sleep(301)
    cursor = portal.pulled().cursor
    portal.calls()
    assert portal.pulled(cursor).records == {}
    assert portal.calls() == {"POST /search": 1}


@pytest.mark.parametrize("as_text", [False, True])
def test_more_equal_stamps_than_search_gives_in_one_query(as_text: bool) -> None:
    """10,450 contacts with one and the same stamp all come, whether the portal compares ids as numbers or as text."""
    portal = Portal(Habits(ids_compare_as_text=as_text))
    rows = [{"hs_object_id": str(number), "firstname": "F", "lastmodifieddate": "1790000000000"} for number in range(5, 10_455)]
    ids = portal.world.load(rows)
    assert portal.pulled(FROM_THE_BEGINNING).records.keys() == set(ids)
    assert portal.calls() == {"POST /search": 53}


def test_a_page_in_no_order_makes_the_pull_list_everybody() -> None:
    """Where the last id of a page says nothing about the next one, the pull starts over as a scan, which needs no filter."""
    portal = Portal()
    ids = portal.crowd(120)
    rows = '[{"id":"9","properties":{"lastmodifieddate":"2026-01-01T00:00:00Z"}},{"id":"7","properties":{"lastmodifieddate":"2026-01-01T00:00:00Z"}}]'
    body = f'{{"total":900,"results":{rows},"paging":{{"next":{{"after":"200"}}}}}}'
    portal.world.faults.add(Fault("status", match="POST /crm/v3/objects/contacts/search", status=200, body=body))
    assert portal.pulled(FROM_THE_BEGINNING).records.keys() == set(ids)


def test_an_empty_page_before_the_end_is_not_the_end() -> None:
    """As long as there is a next page, an empty one is passed over."""
    portal = Portal()
    ids = portal.crowd(3)
    body = '{"total":3,"results":[],"paging":{"next":{"after":"0"}}}'
    portal.world.faults.add(Fault("status", match="POST /crm/v3/objects/contacts/search", status=200, body=body))
    assert portal.pulled(FROM_THE_BEGINNING).records.keys() == set(ids)


def test_what_the_index_shows_late_comes_with_the_overlap() -> None:
    """An edit just before a pull is not in the index yet; the next pull looks back far enough."""
    portal = Portal(Habits(search_lag_s=30))
    id = portal.contact(1)
    portal.clock.sleep(600)
    cursor = portal.pulled().cursor
    portal.world.edit(id, {"firstname": "Late"})
    portal.clock.sleep(5)
    first = portal.pulled(cursor)
    assert first.records == {}
    portal.clock.sleep(40)
    assert portal.pulled(first.cursor).records[id].values["firstname"] == "Late"


@pytest.mark.parametrize("keeps_primary", [False, True])
def test_a_merge_tells_the_old_ids(keeps_primary: bool) -> None:
    """The record that lives on comes with a move for every id that went into it."""
    portal = Portal(Habits(merge_preserves_primary_id=keeps_primary))
    one, two = portal.contact(1), portal.contact(2)
    cursor = portal.pulled().cursor
    merged = portal.world.merge(one, two)
    found = portal.pulled(cursor)
    assert found.moved == {old: merged for old in (one, two) if old != merged}
    assert merged in found.records


def test_only_a_sweep_reads_the_recycle_bin() -> None:
    """Archived contacts are told when asked for, by one list call per hundred and a look ahead, and not otherwise."""
    portal = Portal()
    ids = portal.crowd(130)
    cursor = portal.pulled().cursor
    for id in ids[:120]:
        portal.world.archive(id)
    assert portal.pulled(cursor).gone == set()
    portal.calls()
    assert portal.pulled(cursor, sweep=True).gone == set(ids[:120])
    assert portal.calls()["GET "] == 3


def test_a_sweep_that_broke_off_goes_on_and_is_not_repeated() -> None:
    """The cursor inside the recycle bin leads to its rest, and then to what changed meanwhile."""
    portal = Portal()
    for id in portal.crowd(250):
        portal.world.archive(id)
    first = portal.pulled(sweep=True, pages=3)  # the scan's only page, and two of the bin
    late = portal.contact(1)
    portal.calls()
    rest = portal.pulled(first.cursor, sweep=True)
    assert (len(first.gone), len(rest.gone)) == (200, 50)
    assert late in rest.records
    assert portal.calls() == {"GET ": 1, "POST /search": 1}


@pytest.mark.parametrize("mapped", [130, 700])
def test_more_properties_than_a_call_can_name(mapped: int) -> None:
    """Where names fill a search body or a URL, ids are asked for and batch reads bring the values: nothing is missing."""
    portal = Portal()
    names = [f"custom_property_number_{number}" for number in range(mapped)]
    for name in names:
        portal.world.define(name, name)
    ids = portal.world.load([{"email": f"c{number}@crowd.example", names[0]: "first", names[-1]: "last"} for number in range(130)])
    for found in (portal.pulled(fields=(*FIELDS, *names)), portal.pulled(FROM_THE_BEGINNING, fields=(*FIELDS, *names))):
        assert found.records.keys() == set(ids)
        assert all((record.values[names[0]], record.values[names[-1]]) == ("first", "last") for record in found.records.values())
        assert all(len(record.values) == mapped + 4 for record in found.records.values())


def test_hits_that_are_gone_when_they_are_read_are_told_as_such() -> None:
    """Between the search and the batch read for its values a contact may be archived or merged: neither is dropped nor taken for a record."""
    portal = Portal()
    there, binned, one, two = (portal.contact(number) for number in range(4))
    portal.world.archive(binned)
    merged = portal.world.merge(one, two)
    stamp = '"properties":{"lastmodifieddate":"2026-01-01T00:00:00Z"}'
    rows = ",".join(f'{{"id":"{id}",{stamp}}}' for id in (there, binned, one))
    portal.world.faults.add(Fault("status", match="POST /crm/v3/objects/contacts/search", status=200, body=f'{{"total":3,"results":[{rows}]}}'))
    found = portal.pulled(FROM_THE_BEGINNING, fields=("email", *(f"custom_property_number_{number}" for number in range(130))))
    assert (set(found.records), found.gone, found.moved) == ({there}, {binned}, {one: merged})


def test_an_unknown_property_is_absent() -> None:
    """A property that the portal has not is neither blank nor an error."""
    portal = Portal()
    id = portal.contact(1)
    assert portal.pulled(fields=("email", "no_such_property")).records[id].values == {"email": "p1@people.example"}


def test_the_window_starts_by_the_vendors_clock() -> None:
    """A wrong clock on our side does not move the window."""
    portal = Portal()
    portal.world.clock.advance(86_400)
    id = portal.contact(1)
    cursor = portal.pulled().cursor
    assert abs(parse(cursor, where="").start - portal.world.clock.now_ms()) < 1000
    portal.clock.sleep(600)
    portal.world.edit(id, {"firstname": "Anna"})
    assert portal.pulled(cursor).records[id].values["firstname"] == "Anna"


@pytest.mark.parametrize("text", ["", "{}", "null", '{"start":"x","part":"scan","after":"","since":0,"sweep":false}', "2026-01-01"])
def test_a_strange_cursor_is_refused(text: str) -> None:
    """A cursor that is not ours stops with a remedy, instead of reading everything again."""
    with pytest.raises(ConfigurationError, match="cursor"):
        Portal().pulled(text)


Deed = tuple[str, int]
DEEDS = st.tuples(st.sampled_from(["edit", "edit all", "create", "merge", "archive", "wait", "wait long", "pull", "break off"]), st.integers(0, 10_000))


class Reader:
    """Somebody who only knows what the pages tell: newer stamps replace older ones."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.known: dict[str, Record] = {}
        self.cursor: str | None = None

    def pull(self, *, pages: int | None = None, meanwhile: Sequence[Deed] = (), sweep: bool = False) -> None:
        """One pull; what happens `meanwhile` happens after its first page. It may break off after `pages`."""
        for seen, page in enumerate(self.portal.connector.pull(Query({"contact": FIELDS}, self.cursor, sweep)), start=1):
            for record in page.records:
                old = self.known.get(record.ref.id)
                if old is None or record.stamp >= old.stamp:
                    self.known[record.ref.id] = record
            for gone in (*page.gone, *page.moved):
                self.known.pop(gone.ref.id, None)
            self.cursor = page.cursor
            if seen == pages:
                return
            for deed in meanwhile if seen == 1 else ():
                do(self.portal, self, deed)


def do(portal: Portal, reader: Reader, deed: Deed) -> None:
    """Let one thing happen, and a second pass."""
    what, number = deed
    portal.clock.sleep(1)
    live = [each["id"] for each in portal.world.contacts()]
    match what:
        case "edit":
            portal.world.edit(live[number % len(live)], {"firstname": f"E{number}"})
        case "edit all":
            for id in live:
                portal.world.edit(id, {"lastname": f"A{number}"})
        case "create":
            portal.world.create({"firstname": f"N{number}"})
        case "merge" if len(live) > 2:
            portal.world.merge(live[number % len(live)], live[(number + 1) % len(live)])
        case "archive" if len(live) > 2:
            portal.world.archive(live[number % len(live)])
        case "wait":
            portal.clock.sleep(number % 40)
        case "wait long":
            portal.clock.sleep(1000)
        case "pull":
            reader.pull()
        case _:
            reader.pull(pages=1)


@settings(max_examples=40)
@given(
    deeds=st.lists(DEEDS, max_size=8),
    meanwhile=st.lists(DEEDS.filter(lambda deed: deed[0] not in ("pull", "break off")), max_size=3),
    lag=st.sampled_from([0, 30]),
    page_rows=st.sampled_from([15, 200]),
)
@example(
    deeds=[("pull", 0), ("wait long", 0), ("edit all", 1), ("break off", 0), ("edit", 3), ("archive", 5)],
    meanwhile=[("archive", 0), ("edit", 400)],
    lag=30,
    page_rows=200,
)
def test_nothing_is_missed(deeds: list[Deed], meanwhile: list[Deed], lag: int, page_rows: int) -> None:
    """Whatever happened between and during pulls, in the end the reader knows every live contact as it is, and no other."""
    portal = Portal(Habits(search_lag_s=lag, page_rows=page_rows))
    portal.crowd(410, lastmodifieddate=str(portal.clock.now_ms() - 1000))
    reader = Reader(portal)
    for deed in deeds:
        do(portal, reader, deed)
    portal.clock.sleep(1)
    reader.pull(meanwhile=meanwhile)
    portal.clock.sleep(lag + 1)
    reader.pull(sweep=True)
    live = {each["id"]: each["properties"] for each in portal.world.contacts()}
    assert reader.known.keys() == live.keys()
    for id, record in reader.known.items():
        assert record.values == {name: live[id].get(name) for name in FIELDS}
