"""The search of the HubSpot world: filters, limits, paging, and an index that lags behind."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hubspot_wire import CONTACTS, STAGE, T0, Portal, flt
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.hubspot import Habits


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (flt("city", "EQ", "BONN"), "a"),
        (flt("city", "NEQ", "bonn"), "b"),
        (flt("city", "IN", values=["bonn", "ulm"]), "ab"),
        (flt("city", "IN", values=["Bonn"]), ""),
        (flt("city", "NOT_IN", values=["bonn"]), "b"),
        (flt("city", "HAS_PROPERTY"), "ab"),
        (flt("city", "NOT_HAS_PROPERTY"), "c"),
        (flt("hs_lead_status", "EQ", "NEW"), "a"),
        (flt("hs_lead_status", "EQ", "new"), ""),
        (flt("company", "CONTAINS_TOKEN", "acm*"), "ab"),
        (flt("company", "CONTAINS_TOKEN", "cme"), ""),
        (flt("company", "NOT_CONTAINS_TOKEN", "works"), "b"),
        (flt("associatedcompanyid", "GT", "9"), "b"),
        (flt("associatedcompanyid", "LTE", "9"), "a"),
        (flt("lastmodifieddate", "GTE", "2000"), "bc"),
        (flt("lastmodifieddate", "LT", "2000"), "a"),
        (flt("lastmodifieddate", "BETWEEN", "1000", highValue="2000"), "ab"),
        (flt("lastmodifieddate", "GT", "1970-01-01T00:00:02Z"), "c"),
        (flt("email", "EQ", "A@example.com"), "a"),
    ],
)
def test_filters(portal: Portal, asked: dict[str, Any], expected: str) -> None:
    """Each operator as documented: text in lower case, options exact, numbers as numbers, times as moments."""
    rows: list[dict[str, str]] = [
        {"city": "Bonn", "company": "Acme Works", "hs_lead_status": "NEW", "associatedcompanyid": "9", "lastmodifieddate": "1000"},
        {"city": "Ulm", "company": "ACME", "hs_lead_status": "OPEN", "associatedcompanyid": "10", "lastmodifieddate": "2000"},
        {"lastmodifieddate": "3000"},
    ]
    ids = portal.world.load([{"email": f"{name}@example.com", **row} for name, row in zip("abc", rows, strict=True)])
    assert portal.found(asked) == [ids["abc".index(name)] for name in expected]


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [flt("email", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [flt("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [flt("email", "HAS_PROPERTY")] * 5}] * 4},
        {"limit": 201},
        {"after": "10000"},
        {"after": "x"},
        {"sorts": ["email", "city"]},
        {"filterGroups": [{"filters": [flt("nothing_such", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [flt("email", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [flt("lastmodifieddate", "GT", "soon")]}]},
        {"properties": ["x" * 3000]},
    ],
)
def test_search_limits(portal: Portal, body: dict[str, Any]) -> None:
    """Five groups of six filters, 18 in all, 200 rows, 10,000 results, one sort, 3,000 characters: past that 400."""
    answer = portal.call("POST", f"{CONTACTS}/search", body)
    assert (answer.status, answer.json["category"]) == (400, "VALIDATION_ERROR")


def test_search_stops_at_ten_thousand(portal: Portal) -> None:
    """The total is honest and the last offset is offered, but asking for it is refused; a keyset on ids gets past."""
    ids = portal.world.load([{"email": f"p{i}@example.com", "lastmodifieddate": "5000"} for i in range(10_050)])
    window = flt("lastmodifieddate", "EQ", "5000")
    by_id = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    page = portal.search(window, limit=200, after=9_800, sorts=by_id).json
    assert (page["total"], len(page["results"]), page["paging"]["next"]["after"]) == (10_050, 200, "10000")
    assert portal.search(window, limit=200, after="10000", sorts=by_id).status == 400
    seen: list[str] = []
    while found := portal.found(window, flt("hs_object_id", "GT", seen[-1] if seen else "0"), limit=200, sorts=by_id):
        seen += found
    assert seen == ids


@pytest.mark.parametrize("descending", [False, True])
def test_search_sorts_and_pages(portal: Portal, descending: bool) -> None:
    """One sort, both ways, by a value or by id, with offsets that meet."""
    ids = portal.world.load([{"email": f"p{i}@example.com", "city": f"C{9 - i}", "lastmodifieddate": str(1000 * i)} for i in range(1, 8)])
    direction = "DESCENDING" if descending else "ASCENDING"
    for name, expected in (("city", ids[::-1]), ("hs_object_id", ids), ("lastmodifieddate", ids)):
        expected = expected[::-1] if descending else expected
        first = portal.search(limit=3, sorts=[{"propertyName": name, "direction": direction}]).json
        rest = portal.found(limit=9, after=first["paging"]["next"]["after"], sorts=[{"propertyName": name, "direction": direction}])
        assert [row["id"] for row in first["results"]] + rest == expected


def test_search_lags_behind_writes() -> None:
    """Filters use the old index while the fields shown are fresh; new contacts are missing; the world's clock ends the lag."""
    portal = Portal(Habits(search_lag_s=2.0))
    number = portal.world.load([{"email": "a@example.com", "city": "Bonn"}])[0]
    made = portal.call("POST", CONTACTS, {"properties": {"email": "b@example.com", "city": "Ulm"}}).json["id"]
    portal.patch(number, city="Ulm")
    old = portal.search(flt("city", "EQ", "Bonn"), properties=["city"]).json["results"]
    assert [(row["id"], row["properties"]["city"]) for row in old] == [(number, "Ulm")]
    assert portal.found(flt("city", "EQ", "Ulm")) == []
    assert portal.get("b@example.com", "idProperty=email").json["id"] == made
    portal.world.clock.advance(3)
    assert portal.found(flt("city", "EQ", "Bonn")) == []
    assert portal.found(flt("city", "EQ", "Ulm")) == [number, made]


def test_lag_shows_each_state_in_turn() -> None:
    """Two writes in a row reach the index one after the other, by stamp windows too."""
    portal = Portal(Habits(search_lag_s=10.0))
    start = int(T0 * 1000)
    number = portal.world.load([{"email": "a@example.com", "city": "A", "lastmodifieddate": str(start)}])[0]
    portal.world.clock.advance(1)
    portal.patch(number, city="B")
    portal.world.clock.advance(4)
    portal.patch(number, city="C")
    for advance, city, stamp in ((0, "A", 0), (6, "B", 1000), (4, "C", 5000)):
        portal.world.clock.advance(advance)
        assert [name for name in "ABC" if portal.found(flt("city", "EQ", name))] == [city]
        window = flt("lastmodifieddate", "BETWEEN", str(start + stamp), highValue=str(start + stamp))
        assert portal.found(window) == [number]


def test_archived_and_purged_are_never_found(portal: Portal) -> None:
    """A search that is asked again follows what was archived, restored, merged and changed meanwhile."""
    ids = portal.world.load([{"email": f"p{i}@example.com", "city": "Bonn"} for i in range(4)])
    bonn = flt("city", "EQ", "bonn")
    assert portal.found(bonn) == ids
    portal.world.archive(ids[0])
    portal.patch(ids[1], city="Ulm")
    assert portal.found(bonn) == ids[2:]
    portal.world.restore(ids[0])
    new = portal.world.merge(ids[2], ids[3])
    assert portal.found(bonn) == [ids[0], new]


def test_ids_may_compare_as_text() -> None:
    """Whether hs_object_id compares as a number is not confirmed, so it can be text."""
    portal = Portal(Habits(ids_compare_as_text=True))
    portal.world.load([{"email": f"p{i}@example.com", "hs_object_id": number} for i, number in enumerate(("9", "10", "200"))])
    assert portal.found(flt("hs_object_id", "GT", "1"), sorts=["hs_object_id"]) == ["10", "200", "9"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["Bonn", "Ulm", ""]), st.integers(0, 4)), max_size=25), st.integers(0, 8))
def test_kept_results_equal_fresh_ones(edits: list[tuple[str, str, int]], lag: int) -> None:
    """Results that are kept up to date equal those of a search that starts anew, whatever was written in between, with and without lag."""
    portal = Portal(Habits(search_lag_s=float(lag)))
    ids = dict(zip("abcd", portal.world.load([{"email": f"{name}@example.com", "city": "Bonn"} for name in "abcd"]), strict=True))
    asked = (flt("city", "EQ", "Bonn"), flt("lastmodifieddate", "GTE", str(int(T0 * 1000))))
    portal.found(*asked)
    for name, city, pause in edits:
        portal.patch(ids[name], city=city)
        portal.world.clock.advance(pause)
        kept = portal.found(*asked)
        portal.world.switch(search_lag_s=float(lag))
        assert kept == portal.found(*asked)


def test_large_portal_is_quick(portal: Portal) -> None:
    """30,000 contacts load within a second or so, and a keyset walk over them costs milliseconds per page at most."""
    begun = time.process_time()
    ids = portal.world.load([{"email": f"p{i}@example.com", "firstname": "A", "lastname": "B", STAGE: "lead"} for i in range(30_000)])
    seen = 0
    last = "0"
    while found := portal.found(flt("lastmodifieddate", "GTE", "0"), flt("hs_object_id", "GT", last), limit=200, sorts=["hs_object_id"]):
        seen += len(found)
        last = found[-1]
    assert seen == len(ids)
    assert time.process_time() - begun < 5
