"""Reading from the HubSpot world: times, pages, batches, versions of the API, and how calls are counted."""

from __future__ import annotations

import pytest
from hubspot_wire import CONTACTS, T0, Portal
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.hubspot.instants import calendar_date, instant, instant_ms


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_instants_come_back(ms: int) -> None:
    """Every moment survives being written, and milliseconds show only when there are some."""
    assert instant_ms(instant(ms)) == ms
    assert ("." in instant(ms)) == bool(ms % 1000)


def test_dates_are_days() -> None:
    """A date is an ISO day or midnight UTC in milliseconds, nothing in between."""
    assert calendar_date("1735689600000") == calendar_date("2025-01-01") == "2025-01-01"
    with pytest.raises(ValueError, match="midnight"):
        calendar_date("1735689600001")


def test_list_walks_by_next_id(portal: Portal) -> None:
    """`after` is the next record's id, the last page has no paging, and archived records are on their own list."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(5)])
    portal.world.archive(ids[1])
    first = portal.call("GET", CONTACTS, query="limit=2").json
    assert [row["id"] for row in first["results"]] == [ids[0], ids[2]]
    assert first["paging"]["next"]["after"] == ids[3]
    last = portal.call("GET", CONTACTS, query=f"limit=2&after={ids[3]}").json
    assert [row["id"] for row in last["results"]] == ids[3:] and "paging" not in last
    archived = portal.call("GET", CONTACTS, query="archived=true").json["results"]
    assert [row["id"] for row in archived] == [ids[1]] and archived[0]["archived"] and archived[0]["archivedAt"]


@pytest.mark.parametrize("query", ["limit=101", "limit=51&propertiesWithHistory=email", "limit=x", "after=x"])
def test_list_refuses_bad_paging(portal: Portal, query: str) -> None:
    """Pages above 100, or 50 with history, are refused."""
    answer = portal.call("GET", CONTACTS, query=query)
    assert (answer.status, answer.json["category"]) == (400, "VALIDATION_ERROR")


def test_long_url_is_html(portal: Portal) -> None:
    """A list of properties that is too long for a URL answers 414, and not in JSON."""
    answer = portal.call("GET", CONTACTS, query="properties=" + "x" * 9000)
    assert (answer.status, answer.json, answer.headers["Content-Type"]) == (414, None, "text/html")


def test_properties_are_text_null_or_absent(portal: Portal) -> None:
    """Undefined properties are silently absent, empty ones null; commas and repeated keys are both lists."""
    number = portal.world.load([{"email": "a@example.com", "createdate": "2026-01-01T00:00:00Z"}])[0]
    shown = portal.get(number, "properties=email,phone&properties=nothing_such").json["properties"]
    assert shown == {
        "email": "a@example.com",
        "phone": None,
        "createdate": "2026-01-01T00:00:00Z",
        "lastmodifieddate": instant(int(T0 * 1000)),
        "hs_object_id": number,
    }
    assert set(portal.get(number).json["properties"]) == {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}


def test_unknown_ids(portal: Portal) -> None:
    """An unknown number has no category, another text has one and its id; deleting either answers as if it had been there."""
    unknown, text = portal.get("77"), portal.get("abc")
    assert unknown.status == 404 and unknown.json["message"] == "resource not found" and "category" not in unknown.json
    assert (text.status, text.json["category"], text.json["context"]) == (404, "OBJECT_NOT_FOUND", {"id": ["abc"]})
    assert portal.call("DELETE", f"{CONTACTS}/77").status == 204


def test_batch_read_tells_all_missing_in_one_error(portal: Portal) -> None:
    """207 with one entry for all missing ids, whatever the key; at most 100, or 50 with history."""
    ids = portal.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    answer = portal.batch("read", {"id": ids[0]}, {"id": "5"}, {"id": "6"}, properties=["email"])
    assert answer.status == 207 and [row["id"] for row in answer.json["results"]] == [ids[0]]
    assert (answer.json["numErrors"], answer.json["errors"][0]["context"]) == (1, {"ids": ["5", "6"]})
    assert answer.json["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    by_email = portal.batch("read", {"id": "B@example.com"}, idProperty="email")
    assert (by_email.status, by_email.json["results"][0]["id"]) == (200, ids[1])
    assert portal.batch("read", *[{"id": "1"}] * 101).status == 400
    assert portal.batch("read", *[{"id": "1"}] * 51, propertiesWithHistory=["email"]).status == 400


def test_versions_lie_in_either_place(portal: Portal) -> None:
    """Numeric and date-based versions serve the same records, under `contacts` and `0-1`."""
    number = portal.world.load([{"email": "a@example.com"}])[0]
    assert portal.call("GET", f"/crm/objects/2026-09/0-1/{number}").json == portal.get(number).json
    assert portal.call("GET", f"/crm/objects/2026-03/contacts/{number}").status == 200
    assert portal.call("GET", "/crm/properties/2026-09/contacts/email").json["name"] == "email"
    assert portal.call("GET", "/account-info/2026-09/details").json["portalId"] == 4_710_017
    assert portal.call("GET", "/account-info/v3/details").json["timeZone"]
    assert portal.call("GET", "/crm/v3/objects/nothing").status == 404


def test_calls_are_counted_by_template(portal: Portal) -> None:
    """Ids, names and addresses are no part of a call's name."""
    portal.get("5")
    portal.call("GET", "/crm/objects/2026-09/0-1/5")
    portal.batch("read")
    portal.search()
    portal.call("GET", CONTACTS + "/")
    portal.call("GET", "/crm/v3/properties/contacts/email")
    portal.call("GET", "/crm/v3/owners/12")
    portal.call("GET", "/communication-preferences/v4/statuses/a@example.com/unsubscribe-all")
    assert portal.call("GET", "/_sandbox/calls").json == {
        "GET /crm/v3/objects/contacts/{id}": 1,
        "GET /crm/objects/2026-09/0-1/{id}": 1,
        "POST /crm/v3/objects/contacts/batch/read": 1,
        "POST /crm/v3/objects/contacts/search": 1,
        "GET /crm/v3/objects/contacts": 1,
        "GET /crm/v3/properties/contacts/{name}": 1,
        "GET /crm/v3/owners/{id}": 1,
        "GET /communication-preferences/v4/statuses/{email}/unsubscribe-all": 1,
    }
