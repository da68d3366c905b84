"""The HubSpot world: shapes, limits and habits, checked call by call on the wire format itself."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.hubspot.instants import calendar_date, instant, instant_ms
from stagesync.sandbox.hubspot.limits import Limits
from stagesync.sandbox.wire import Request

T0 = 1_790_000_000.0
CONTACTS = "/crm/v3/objects/contacts"
STAGE = "lifecyclestage"


class Answer(NamedTuple):
    """One answer: the status, the JSON and the headers."""

    status: int
    json: Any
    headers: dict[str, str]


class Portal:
    """A world on a clock that stands still, and a way to call it."""

    def __init__(self, habits: Habits | None = None) -> None:
        self.world = HubSpotWorld(clock=WorldClock(lambda: T0), habits=habits)
        self.token = "pat-sandbox-token"

    def call(self, method: str, path: str, body: Any = None, query: str = "") -> Answer:
        """Any call; `body` is sent as JSON unless it is bytes."""
        sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        response = self.world.handle(Request(method, path, query, {"authorization": f"Bearer {self.token}"}, sent))
        decoded = orjson.loads(response.body) if response.body and "json" in response.headers.get("Content-Type", "") else None
        return Answer(response.status, decoded, dict(response.headers))

    def get(self, number: str, query: str = "") -> Answer:
        """One contact."""
        return self.call("GET", f"{CONTACTS}/{number}", query=query)

    def patch(self, number: str, **properties: Any) -> Answer:
        """Change one contact."""
        return self.call("PATCH", f"{CONTACTS}/{number}", {"properties": properties})

    def batch(self, deed: str, *inputs: Any, **body: Any) -> Answer:
        """One batch call with these rows."""
        return self.call("POST", f"{CONTACTS}/batch/{deed}", {"inputs": list(inputs), **body})

    def search(self, *filters: Any, **body: Any) -> Answer:
        """A search with one group of filters."""
        return self.call("POST", f"{CONTACTS}/search", {"filterGroups": [{"filters": list(filters)}], **body})

    def found(self, *filters: Any, **body: Any) -> list[str]:
        """The ids that such a search gives."""
        return [row["id"] for row in self.search(*filters, **body).json["results"]]

    def stage(self, number: str) -> str | None:
        """The stage of a contact now."""
        return self.get(number, f"properties={STAGE}").json["properties"][STAGE]

    def history(self, number: str, name: str) -> list[dict[str, Any]]:
        """The versions of one property, newest first."""
        return self.get(number, f"propertiesWithHistory={name}").json["propertiesWithHistory"][name]


@pytest.fixture
def portal() -> Portal:
    """A portal with the default habits."""
    return Portal()


def flt(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """One filter of a search."""
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}


# ---- times


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


# ---- reading


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


# ---- writing


def test_create_trims_defaults_and_answers(portal: Portal) -> None:
    """A create trims, lower-cases the address, gets the account's default stage unasked, and tells what it made."""
    answer = portal.call("POST", CONTACTS, {"properties": {"email": " A@Example.COM ", "lastname": " Berg "}})
    shown = answer.json["properties"]
    assert answer.status == 201 and not answer.json["archived"]
    assert (shown["email"], shown["lastname"], shown[STAGE]) == ("a@example.com", "Berg", "lead")
    assert shown["hs_lifecyclestage_lead_date"] == instant(int(T0 * 1000))


@pytest.mark.parametrize("default", ["", "51439524"])
def test_default_stage_is_a_setting(default: str) -> None:
    """An account without a default stage, or with one that was deleted since, leaves the stage empty."""
    portal = Portal(Habits(default_stage=default))
    made = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}}).json
    assert portal.stage(made["id"]) is None


def test_addresses_are_unique_secondary_ones_too(portal: Portal) -> None:
    """A taken address answers 409 with the id in prose only; so does a secondary address, and a PATCH."""
    ids = portal.world.load([{"email": "a@example.com", "hs_additional_emails": "old@example.com"}, {"email": "b@example.com"}])
    for address in ("A@example.com", "old@example.com"):
        answer = portal.call("POST", CONTACTS, {"properties": {"email": address}})
        assert (answer.status, answer.json["category"]) == (409, "CONFLICT")
        assert answer.json["message"] == f"Contact already exists. Existing ID: {ids[0]}"
    assert portal.patch(ids[1], email="a@example.com").status == 409
    assert portal.patch(ids[0], email="a@example.com").status == 200


def test_own_secondary_address_trades_places(portal: Portal) -> None:
    """A contact may make its own secondary address the primary one, and keeps the other."""
    number = portal.world.load([{"email": "a@example.com", "hs_additional_emails": "old@example.com"}])[0]
    assert portal.patch(number, email="old@example.com").status == 200
    assert portal.get(number, "properties=hs_additional_emails").json["properties"]["hs_additional_emails"] == "a@example.com"
    assert portal.get("a@example.com", "idProperty=email").json["id"] == number


def test_lookup_by_secondary_address_is_a_habit() -> None:
    """Whether a GET by address finds a secondary one is not documented, so it can be switched."""
    for finds, status in ((True, 200), (False, 404)):
        portal = Portal(Habits(email_lookup_finds_secondary=finds))
        portal.world.load([{"email": "a@example.com", "hs_additional_emails": "old@example.com"}])
        assert portal.get("old@example.com", "idProperty=email").status == status


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("nothing_such", "x", "PROPERTY_DOESNT_EXIST"),
        ("email", "no address", "INVALID_EMAIL"),
        ("hs_lead_status", "new", "INVALID_OPTION"),
        ("hubspot_owner_id", "1", "INVALID_OPTION"),
        ("associatedcompanyid", "many", "INVALID_LONG"),
        ("closedate", "soon", "INVALID_DATE"),
        ("hs_email_optout", "true", "READ_ONLY_VALUE"),
        ("num_conversion_events", "3", "READ_ONLY_VALUE"),
    ],
)
def test_bad_values_fail_the_whole_request(portal: Portal, name: str, value: str, error: str) -> None:
    """One bad value refuses the good ones beside it; it is named in `errors` and as JSON at the end of the message."""
    number = portal.world.load([{"email": "a@example.com"}])[0]
    answer = portal.patch(number, city="Bonn", **{name: value})
    assert (answer.status, answer.json["category"]) == (400, "VALIDATION_ERROR")
    assert (answer.json["errors"][0]["code"], answer.json["errors"][0]["context"]) == (error, {"propertyName": [name]})
    told = orjson.loads(answer.json["message"].partition(": ")[2])
    assert [(each["name"], each["error"]) for each in told] == [(name, error)]
    assert portal.get(number, "properties=city").json["properties"]["city"] is None


def test_values_take_their_stored_form(portal: Portal) -> None:
    """Multi-choices append with a leading semicolon, times become instants, "" clears, and every write moves the stamp."""
    number = portal.world.load([{"email": "a@example.com", "hs_buying_role": "CHAMPION", "lastmodifieddate": "1000"}])[0]
    shown = portal.patch(number, hs_buying_role=";OTHER", closedate="1735689600000", city="", associatedcompanyid=12).json["properties"]
    assert (shown["hs_buying_role"], shown["closedate"]) == ("CHAMPION;OTHER", "2025-01-01T00:00:00Z")
    assert (shown["city"], shown["associatedcompanyid"]) == (None, "12")
    portal.world.clock.advance(5)
    stamp = portal.patch(number, closedate="2025-01-01T00:00:00Z").json["properties"]["lastmodifieddate"]
    assert stamp == instant(int(T0 * 1000) + 5000)


def test_account_rules_bind_from_2026_09() -> None:
    """What the account requires binds writes of version 2026-09 and passes on v3."""
    portal = Portal(Habits(required_properties=("company",), conditional_properties=(("hs_lead_status", "UNQUALIFIED", "message"),)))
    new = "/crm/objects/2026-09/contacts"
    refused = portal.call("POST", new, {"properties": {"email": "a@example.com"}})
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "MISSING_REQUIRED_PROPERTY")
    made = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}})
    unqualified = {"properties": {"hs_lead_status": "UNQUALIFIED"}}
    refused = portal.call("PATCH", f"{new}/{made.json['id']}", unqualified)
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "MISSING_CONDITIONAL_REQUIRED_PROPERTY")
    assert portal.call("PATCH", f"{CONTACTS}/{made.json['id']}", unqualified).status == 200


# ---- the stage


def test_backward_stage_is_success_without_change(portal: Portal) -> None:
    """A backward write answers 200, keeps the stage and moves the stamp; cleared first, the lower stage lands."""
    number = portal.world.load([{"email": "a@example.com", STAGE: "customer"}])[0]
    portal.world.clock.advance(1)
    answer = portal.patch(number, lifecyclestage="lead")
    assert (answer.status, answer.json["properties"][STAGE]) == (200, "customer")
    assert answer.json["updatedAt"] == instant(int(T0 * 1000) + 1000)
    assert portal.patch(number, lifecyclestage="").json["properties"][STAGE] is None
    assert portal.patch(number, lifecyclestage="lead").json["properties"][STAGE] == "lead"


def test_backward_habits() -> None:
    """Whether a backward write is ignored, applied or refused, and what its answer shows, can be switched."""
    for habits, status, shown, kept in (
        (Habits(backward_stage="applied"), 200, "lead", "lead"),
        (Habits(answer_echoes_ignored_stage=True), 200, "lead", "customer"),
        (Habits(backward_stage="refused"), 400, None, "customer"),
    ):
        portal = Portal(habits)
        number = portal.world.load([{"email": "a@example.com", STAGE: "customer"}])[0]
        answer = portal.patch(number, lifecyclestage="lead")
        assert answer.status == status and answer.json.get("properties", {}).get(STAGE) == shown
        assert portal.stage(number) == kept


def test_order_of_custom_stages_counts(portal: Portal) -> None:
    """Forward is decided by displayOrder, custom numeric stages included, and their dates exist."""
    options = [("lead", "Lead"), ("51439524", "Accepted"), ("customer", "Customer")]
    portal.world.define(STAGE, "Lifecycle Stage", "enumeration", "radio", options)
    number = portal.world.load([{"email": "a@example.com", STAGE: "lead"}])[0]
    assert portal.patch(number, lifecyclestage="51439524").json["properties"][STAGE] == "51439524"
    assert portal.patch(number, lifecyclestage="lead").json["properties"][STAGE] == "51439524"
    assert portal.get(number, "properties=hs_v2_date_entered_51439524").json["properties"]["hs_v2_date_entered_51439524"]
    shown = portal.call("GET", "/crm/v3/properties/contacts/lifecyclestage").json
    assert [(option["value"], option["displayOrder"]) for option in shown["options"]] == [("lead", 0), ("51439524", 1), ("customer", 2)]
    assert shown["modificationMetadata"]["readOnlyOptions"]


def test_stage_dates_follow_moves(portal: Portal) -> None:
    """Entry, exit and time in a stage are kept; the older form's dates of later stages go when an earlier one is set."""
    number = portal.world.load([{"email": "a@example.com", STAGE: "customer", "createdate": str(int(T0 * 1000) - 9000)}])[0]
    portal.world.edit(number, {STAGE: "lead"})
    names = "hs_v2_date_entered_customer,hs_v2_date_exited_customer,hs_v2_latest_time_in_customer,hs_v2_date_entered_current_stage"
    names += ",hs_lifecyclestage_customer_date,hs_lifecyclestage_lead_date"
    shown = portal.get(number, f"properties={names}").json["properties"]
    now = instant(int(T0 * 1000))
    assert shown["hs_v2_date_entered_customer"] == instant(int(T0 * 1000) - 9000)
    assert (shown["hs_v2_date_exited_customer"], shown["hs_v2_latest_time_in_customer"]) == (now, "9000")
    assert shown["hs_v2_date_entered_current_stage"] == shown["hs_lifecyclestage_lead_date"] == now
    assert shown["hs_lifecyclestage_customer_date"] is None


def test_history_names_its_authors(portal: Portal) -> None:
    """Newest first; own writes carry the app's id, a user's hand the user's, and loaded values are as old as their stage's entry."""
    entered = "2026-03-01T10:00:00Z"
    number = portal.world.load([{"email": "a@example.com", STAGE: "lead", "hs_v2_date_entered_lead": entered}])[0]
    portal.patch(number, lifecyclestage="opportunity")
    portal.world.clock.advance(60)
    portal.world.edit(number, {STAGE: "marketingqualifiedlead"})
    hand, own, first = portal.history(number, STAGE)
    assert (hand["value"], hand["sourceType"], hand["sourceId"], hand["updatedByUserId"]) == ("marketingqualifiedlead", "CRM_UI", "userId:9001", 9001)
    assert (own["value"], own["sourceType"], own["sourceId"]) == ("opportunity", "INTEGRATION", "1234567") and "updatedByUserId" not in own
    assert (first["value"], first["timestamp"]) == ("lead", entered)
    listed = portal.call("GET", CONTACTS, query=f"limit=50&propertiesWithHistory={STAGE}").json["results"][0]
    read = portal.batch("read", {"id": number}, propertiesWithHistory=[STAGE], properties=[]).json["results"][0]
    assert listed["propertiesWithHistory"] == read["propertiesWithHistory"] == {STAGE: [hand, own, first]}


# ---- batches


def test_create_fails_as_a_whole_without_trace_ids(portal: Portal) -> None:
    """One duplicate fails all with a 409 that names the first clash; with unique trace ids the others are created."""
    taken = portal.world.load([{"email": "a@example.com"}])[0]
    rows = [{"properties": {"email": "new@example.com"}}, {"properties": {"email": "a@example.com"}}]
    whole = portal.batch("create", *rows)
    assert whole.status == 409 and taken in whole.json["message"]
    assert len(list(portal.world.contacts())) == 1
    same = portal.batch("create", *[{**row, "objectWriteTraceId": "t"} for row in rows])
    assert same.status == 409
    partial = portal.batch("create", *[{**row, "objectWriteTraceId": f"t{i}"} for i, row in enumerate(rows)])
    assert partial.status == 207 and partial.json["results"][0]["objectWriteTraceId"] == "t0"
    assert (partial.json["errors"][0]["category"], partial.json["errors"][0]["context"]) == ("CONFLICT", {"objectWriteTraceId": ["t1"]})
    assert portal.batch("create", {"properties": {"email": "c@example.com"}}).status == 201


def test_batch_without_inputs_is_complete_and_empty(portal: Portal) -> None:
    """A body without proper inputs answers 2xx and does nothing; more than 100 are refused."""
    for deed in ("create", "update", "upsert", "read"):
        for body in ({}, {"inputs": "x"}, {"inputs": ["x"]}):
            answer = portal.call("POST", f"{CONTACTS}/batch/{deed}", body)
            assert answer.status in (200, 201) and (answer.json["status"], answer.json["results"]) == ("COMPLETE", [])
    assert portal.batch("update", *[{"id": "1", "properties": {}}] * 101).status == 400


def test_batch_update_loses_rows_in_a_2xx(portal: Portal) -> None:
    """Ids from before a merge and addresses as ids are missing from results and errors; unknown ids are told."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(3)])
    portal.world.merge(ids[0], ids[1])
    rows = [{"id": each, "properties": {"city": "Bonn"}} for each in (ids[0], "p2@example.com", ids[2])]
    answer = portal.batch("update", *rows)
    assert (answer.status, [row["id"] for row in answer.json["results"]]) == (200, [ids[2]])
    missing = portal.batch("update", {"id": "5", "properties": {"city": "Bonn"}, "objectWriteTraceId": "t"}, rows[2])
    assert (missing.status, missing.json["errors"][0]["context"]) == (207, {"ids": ["5"]})
    traced = portal.batch("update", {"id": "5", "properties": {}, "objectWriteTraceId": "t"})
    assert traced.json["errors"][0]["context"] == {"objectWriteTraceId": ["t"], "ids": ["5"]}


def test_merged_ids_in_batches_are_a_habit() -> None:
    """Told as missing instead of lost, and not followed by batch read, when switched so."""
    portal = Portal(Habits(batch_update_loses_merged_ids=False, batch_read_follows_merges=False))
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(2)])
    portal.world.merge(*ids)
    assert portal.batch("update", {"id": ids[0], "properties": {"city": "Bonn"}}).json["errors"][0]["context"] == {"ids": [ids[0]]}
    assert portal.batch("read", {"id": ids[0]}).json["errors"][0]["context"] == {"ids": [ids[0]]}


@pytest.mark.parametrize("by", ["email", "hs_object_id"])
def test_batch_update_by_non_unique_property(portal: Portal, by: str) -> None:
    """An idProperty of email or hs_object_id refuses the whole call."""
    portal.world.load([{"email": "a@example.com"}])
    answer = portal.batch("update", {"id": "a@example.com", "idProperty": by, "properties": {}})
    assert answer.status == 400 and "non-unique 0-1 property" in answer.json["message"]


def test_batch_update_bad_values(portal: Portal) -> None:
    """A bad value refuses the whole call, and only its row when every row has a trace id."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(2)])
    rows = [{"id": ids[0], "properties": {"city": "Bonn"}}, {"id": ids[1], "properties": {"nothing_such": "x"}}]
    assert portal.batch("update", *rows).status == 400
    assert portal.get(ids[0], "properties=city").json["properties"]["city"] is None
    partial = portal.batch("update", *[{**row, "objectWriteTraceId": f"t{i}"} for i, row in enumerate(rows)])
    assert (partial.status, [row["id"] for row in partial.json["results"]]) == (207, [ids[0]])
    assert partial.json["errors"][0]["context"] == {"objectWriteTraceId": ["t1"], "ids": [ids[1]]}
    assert partial.json["errors"][0]["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


def test_repeats_in_a_batch_have_no_order(portal: Portal) -> None:
    """Clear and set in one batch do not add up: the rows are not applied in the order that was sent."""
    number = portal.world.load([{"email": "a@example.com", STAGE: "customer"}])[0]
    rows = [{"id": number, "properties": {STAGE: ""}}, {"id": number, "properties": {STAGE: "lead"}}]
    assert portal.batch("update", *rows).status == 200
    assert portal.stage(number) is None
    portal.world.switch(batch_repeats="refused")
    assert portal.batch("update", *rows).status == 400


def test_upsert_says_what_is_new(portal: Portal) -> None:
    """Rows are found by address or by a property with unique values, and each result says whether it was created."""
    portal.world.define("stagesync_id", "Our id", unique=True)
    ids = portal.world.load([{"email": "a@example.com", "stagesync_id": "K1"}])
    by_email = portal.batch("upsert", *[{"id": f"{name}@example.com", "idProperty": "email", "properties": {"city": "Bonn"}} for name in "ab"])
    assert [(row["properties"]["email"], row["new"]) for row in by_email.json["results"]] == [("a@example.com", False), ("b@example.com", True)]
    by_key = portal.batch("upsert", {"id": "k1", "idProperty": "stagesync_id", "properties": {"city": "Ulm"}, "objectWriteTraceId": "t"})
    assert [(row["id"], row["new"], row["objectWriteTraceId"]) for row in by_key.json["results"]] == [(ids[0], False, "t")]
    taken = portal.call("POST", CONTACTS, {"properties": {"firstname": "x", "stagesync_id": "K1"}})
    assert (taken.status, taken.json["errors"][0]["code"]) == (400, "CONFLICTING_UNIQUE_VALUE")


def test_partial_upsert_by_email_is_a_habit() -> None:
    """With trace ids one bad row is told in a 207, or fails the whole call when switched so."""
    for partial, status in ((True, 207), (False, 400)):
        portal = Portal(Habits(upsert_by_email_is_partial=partial))
        rows = [{"id": f"p{i}@example.com", "idProperty": "email", "properties": {"phone": "1"}, "objectWriteTraceId": f"t{i}"} for i in range(2)]
        rows[1]["properties"] = {"nothing_such": "x"}
        assert portal.batch("upsert", *rows).status == status


def test_batch_archive(portal: Portal) -> None:
    """Archiving answers 204 and frees the address; the bin shows the record with its old stamp."""
    number = portal.world.load([{"email": "a@example.com", "lastmodifieddate": "2026-01-01T00:00:00Z"}])[0]
    assert portal.batch("archive", {"id": number}, {"id": "5"}).status == 204
    assert portal.get(number).status == 404 and portal.patch(number, city="Bonn").status == 404
    assert portal.get(number, "archived=true").json["updatedAt"] == "2026-01-01T00:00:00Z"
    assert portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}}).status == 201
    with pytest.raises(ValueError, match="belongs to another contact"):
        portal.world.restore(number)


# ---- merging and purging


def test_merge_mints_a_new_id(portal: Portal) -> None:
    """Both old ids lead to the new one, single writes by them work, and the trail tells of them."""
    ids = portal.world.load([{"email": "a@example.com", STAGE: "lead"}, {"email": "b@example.com", STAGE: "customer"}])
    merged = portal.call("POST", f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]})
    new = merged.json["id"]
    assert merged.status == 200 and new not in ids
    names = f"{STAGE},hs_merged_object_ids,hs_calculated_merged_vids,hs_additional_emails,email"
    by_old = [portal.get(old, f"properties={names}") for old in ids]
    assert [(answer.status, answer.json["id"]) for answer in by_old] == [(200, new)] * 2
    shown = by_old[0].json["properties"]
    assert (shown[STAGE], shown["email"], shown["hs_additional_emails"]) == ("customer", "a@example.com", "b@example.com")
    assert shown["hs_merged_object_ids"] == ";".join(ids)
    assert shown["hs_calculated_merged_vids"] == ";".join(f"{old}:{int(T0 * 1000)}" for old in ids)
    assert portal.patch(ids[1], city="Bonn").json["id"] == new
    assert [row["id"] for row in portal.call("GET", CONTACTS).json["results"]] == [new]


def test_merge_takes_the_most_recent_value(portal: Portal) -> None:
    """Later values win per property, and a later cleared one beats an older filled one."""
    ids = portal.world.load([{"email": "a@example.com", "city": "Bonn", "phone": "1"}, {"email": "b@example.com", "city": "Ulm", "zip": "5"}])
    portal.world.clock.advance(1)
    portal.patch(ids[1], city="Kiel")
    portal.patch(ids[0], phone="")
    portal.world.clock.advance(1)
    new = portal.world.merge(*ids)
    shown = portal.get(new, "properties=city,phone,zip").json["properties"]
    assert (shown["city"], shown["phone"], shown["zip"]) == ("Kiel", None, "5")
    assert [version["value"] for version in portal.history(new, "city")] == ["Kiel", "Bonn", "Ulm"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["city", "phone"]), st.sampled_from(["x", "y", ""])), max_size=12), st.booleans())
def test_merge_keeps_the_last_word(edits: list[tuple[bool, str, str]], lag: bool) -> None:
    """Whatever was written to the two before, each property of the merged contact has what was written last to either."""
    portal = Portal(Habits(search_lag_s=60.0 if lag else 0.0))
    ids = portal.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    expected: dict[str, str | None] = {"city": None, "phone": None}
    current: dict[tuple[bool, str], str] = {}
    for second, name, value in edits:
        portal.world.clock.advance(1)
        portal.patch(ids[second], **{name: value})
        if current.get((second, name), "") != value:
            current[second, name] = value
            expected[name] = value or None
    shown = portal.get(portal.world.merge(*ids), "properties=city,phone").json["properties"]
    assert {name: shown[name] for name in expected} == expected


def test_merge_may_keep_the_primary_id() -> None:
    """Accounts that opted in keep the primary's id; only the other leads on."""
    portal = Portal(Habits(merge_preserves_primary_id=True))
    ids = portal.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    assert portal.world.merge(*ids) == ids[0]
    assert portal.get(ids[1]).json["id"] == ids[0]
    assert portal.get(ids[0], "properties=hs_merged_object_ids").json["properties"]["hs_merged_object_ids"] == ids[1]


def test_merges_chain(portal: Portal) -> None:
    """An id leads through several merges to where the person lives today."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(3)])
    last = portal.world.merge(portal.world.merge(ids[0], ids[1]), ids[2])
    assert {portal.get(each).json["id"] for each in ids} == {last}
    assert portal.call("POST", f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}).status == 400


def test_privacy_delete_is_for_good(portal: Portal) -> None:
    """A purged contact is in no list; an unknown address is accepted too."""
    number = portal.world.load([{"email": "a@example.com"}])[0]
    assert portal.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": "a@example.com", "idProperty": "email"}).status == 204
    assert portal.get(number).status == portal.get(number, "archived=true").status == 404
    assert portal.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": "zz@example.com", "idProperty": "email"}).status == 204


# ---- search


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


# ---- who may, and how often


def test_wrong_token_and_missing_scope(portal: Portal) -> None:
    """401 INVALID_AUTHENTICATION and 403 MISSING_SCOPES, each with a correlation id in the body and the headers."""
    portal.world.switch(scopes=["crm.objects.contacts.read"])
    refused = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}})
    assert (refused.status, refused.json["category"]) == (403, "MISSING_SCOPES")
    assert refused.json["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
    assert portal.search().status == 200
    portal.token = "wrong"
    answer = portal.get("1")
    assert (answer.status, answer.json["category"]) == (401, "INVALID_AUTHENTICATION")
    assert answer.json["correlationId"] and answer.headers["x-hubspot-correlation-id"]


def test_oauth_tokens_age(portal: Portal) -> None:
    """A refresh token gives access tokens that expire; a wrong one is told as BAD_REFRESH_TOKEN; OAuth has no daily headers."""
    form = "client_id=sandbox-client&client_secret=sandbox-secret&grant_type=refresh_token&refresh_token="
    granted = portal.call("POST", "/oauth/2026-09/token", (form + "sandbox-refresh").encode())
    assert (granted.status, granted.json["expires_in"], granted.json["hub_id"]) == (200, 1800, 4_710_017)
    bad = portal.call("POST", "/oauth/v3/token", (form + "nonsense").encode())
    assert (bad.status, bad.json["status"], bad.json["error"]) == (400, "BAD_REFRESH_TOKEN", "invalid_grant")
    portal.token = granted.json["access_token"]
    listed = portal.call("GET", CONTACTS)
    assert listed.status == 200 and listed.headers["X-HubSpot-RateLimit-Max"] == "110" and "X-HubSpot-RateLimit-Daily" not in listed.headers
    assert portal.call("POST", "/_sandbox/hands/expire-tokens", {}).status == 200
    expired = portal.call("GET", CONTACTS)
    assert (expired.status, expired.json["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_rate_limits_in_three_shapes() -> None:
    """Ten-secondly, search and daily limits answer 429 each in its own shape, without Retry-After."""
    portal = Portal(Habits(rate_limit=True, ten_secondly_max=2, search_per_second=1, daily_max=4))
    first = portal.get("1")
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "1" and first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "3"
    portal.get("1")
    rolling = portal.get("1")
    assert (rolling.status, rolling.json["policyName"], rolling.json["errorType"]) == (429, "TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    assert "X-HubSpot-RateLimit-Max" not in portal.search().headers
    search = portal.search()
    assert (search.status, search.json["category"]) == (429, "RATE_LIMITS") and "policyName" not in search.json
    portal.world.switch(ten_secondly_max=10)
    portal.get("1")
    daily = portal.get("1")
    assert (daily.status, daily.json["policyName"], "Retry-After" in daily.headers) == (429, "DAILY", False)
    portal.world.switch(rate_limit=False)
    usage = portal.call("GET", "/account-info/v3/api-usage/daily/private-apps").json["results"][0]
    assert (usage["usageLimit"], usage["currentUsage"]) == (4, 5)


def test_rate_limits_roll_on_real_time() -> None:
    """Ten seconds later the next call passes, a day later the count begins anew."""
    now = [0.0]
    limits, habits = Limits(lambda: now[0]), Habits(rate_limit=True, ten_secondly_max=1, daily_max=2)
    for moment in (0.0, 10.1, 86_500.0):
        now[0] = moment
        assert limits.spend(habits, search=False, oauth=False)["X-HubSpot-RateLimit-Remaining"] == "0"


# ---- definitions, owners, consent


def test_property_definitions(portal: Portal) -> None:
    """Defined by API, patched options replace the list, names are unique, HubSpot's own are protected."""
    body = {"name": "grade", "label": "Grade", "type": "enumeration", "fieldType": "select", "groupName": "contactinformation"}
    path = "/crm/v3/properties/contacts"
    made = portal.call("POST", path, {**body, "options": [{"label": "A", "value": "a", "displayOrder": 0, "hidden": False}]})
    assert (made.status, made.json["options"][0]["value"]) == (201, "a")
    again = portal.call("POST", path, body)
    assert (again.status, again.json["category"], again.json["subCategory"]) == (409, "OBJECT_ALREADY_EXISTS", "Properties.PROPERTY_WITH_NAME_EXISTS")
    patched = portal.call("PATCH", f"{path}/grade", {"options": [{"label": "B", "value": "b", "displayOrder": 0, "hidden": False}]})
    assert [option["value"] for option in patched.json["options"]] == ["b"]
    assert portal.call("PATCH", f"{path}/lifecyclestage", {"options": []}).status == 400
    assert portal.call("GET", f"{path}/nothing_such").status == 404
    assert portal.call("DELETE", f"{path}/grade").status == 204 and portal.call("DELETE", f"{path}/email").status == 400
    listed = {each["name"]: each for each in portal.call("GET", path).json["results"]}
    assert listed["hs_email_optout"]["modificationMetadata"]["readOnlyValue"] and "grade" not in listed
    assert [option["value"] for option in listed[STAGE]["options"]][:3] == ["subscriber", "lead", "marketingqualifiedlead"]


def test_owners_page_and_lookups(portal: Portal) -> None:
    """Owners come in pages, by address, by owner id and by user id; an owner's id is not the user's."""
    number = portal.world.add_owner("zoe@example.com", "Zoe")
    page = portal.call("GET", "/crm/v3/owners/", query="limit=3").json
    assert len(page["results"]) == 3
    rest = portal.call("GET", "/crm/v3/owners", query=f"limit=3&after={page['paging']['next']['after']}").json
    assert [owner["id"] for owner in rest["results"]] == [number] and "paging" not in rest
    owner = portal.call("GET", "/crm/owners/2026-09", query="email=ZOE@example.com").json["results"][0]
    assert owner["id"] == number != str(owner["userId"])
    assert portal.call("GET", f"/crm/v3/owners/{owner['userId']}", query="idProperty=userId").json["id"] == number
    contact = portal.world.load([{"email": "a@example.com"}])[0]
    assert portal.patch(contact, hubspot_owner_id=number).status == 200


def test_opt_out_belongs_to_the_address(portal: Portal) -> None:
    """It can be set with no contact there, applies when one gets the address, and stays behind when the address changes."""
    path = "/communication-preferences/v4/statuses/a@example.com/unsubscribe-all"
    assert portal.call("GET", path).json["results"] == []
    verbose = portal.call("POST", path, query="channel=EMAIL&verbose=true").json["results"]
    assert {row["setStatusSuccessReason"] for row in verbose} == {"UNSUBSCRIBE_FROM_ALL_OCCURRED"}
    assert portal.call("GET", path).json["results"][0]["status"] == "UNSUBSCRIBED"
    number = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}}).json["id"]
    assert portal.get(number, "properties=hs_email_optout").json["properties"]["hs_email_optout"] == "true"
    portal.patch(number, email="b@example.com")
    assert portal.get(number, "properties=hs_email_optout").json["properties"]["hs_email_optout"] is None
    portal.patch(number, email="a@example.com")
    assert portal.get(number, "properties=hs_email_optout").json["properties"]["hs_email_optout"] == "true"


def test_opt_out_may_leave_the_stamp() -> None:
    """Whether an opt-out moves the last-modified stamp is not confirmed, so it can be switched."""
    for moves in (True, False):
        portal = Portal(Habits(optout_moves_stamp=moves))
        number = portal.world.load([{"email": "a@example.com", "lastmodifieddate": "1000"}])[0]
        portal.world.edit(number, {"hs_email_optout": "true"})
        shown = portal.get(number, "properties=hs_email_optout").json
        assert (shown["properties"]["hs_email_optout"], shown["updatedAt"] != "1970-01-01T00:00:01Z") == ("true", moves)


# ---- hands


def test_workflows_run_after_the_save(portal: Portal) -> None:
    """A workflow rewrites a value a moment after whoever saved it, as automation; what it saves is looked at again, later."""
    portal.world.workflow("jobtitle", {"CEO": "Chief", "Chief": "Boss"})
    number = portal.world.create({"email": "a@example.com", "jobtitle": "CEO"})
    assert portal.get(number, "properties=jobtitle").json["properties"]["jobtitle"] == "CEO"
    for title in ("Chief", "Boss", "Boss"):
        portal.world.clock.advance(1)
        assert portal.get(number, "properties=jobtitle").json["properties"]["jobtitle"] == title
    assert portal.history(number, "jobtitle")[0]["sourceType"] == "AUTOMATION_PLATFORM"
    with pytest.raises(LookupError, match="no property nothing_such"):
        portal.world.workflow("nothing_such", {})


def test_hands_over_http(portal: Portal) -> None:
    """The same hands by HTTP: define, load, edit, create, merge, archive, restore, purge, habits, records."""

    def hand(called: str, /, **posted: Any) -> Any:
        answer = portal.call("POST", f"/_sandbox/hands/{called}", posted)
        assert answer.status == 200, answer.json
        return answer.json

    hand("define", name="score_x", label="Score", type="number", field_type="number")
    first, second = hand("load", kind="contact", rows=[{"email": "a@example.com", "score_x": "5"}, {"email": "b@example.com", STAGE: "customer"}])["ids"]
    hand("edit", id=second, values={STAGE: "lead", "num_conversion_events": "2"})
    assert portal.history(second, "num_conversion_events")[0]["sourceType"] == "CALCULATED"
    third = hand("create", values={"email": "c@example.com"})["id"]
    merged = hand("merge", primary=first, other=second)["id"]
    hand("archive", id=third)
    hand("restore", id=third)
    hand("gdpr-delete", id=third)
    hand("habits", search_lag_s=3)
    assert portal.world.habits.search_lag_s == 3
    records = portal.call("GET", "/_sandbox/records", query="kind=contact").json
    assert [record["id"] for record in records] == [merged] and records[0]["properties"]["score_x"] == "5"
    assert "POST hands" not in portal.call("GET", "/_sandbox/calls").json


@pytest.mark.parametrize(
    ("name", "posted"),
    [
        ("edit", {"id": "5", "values": {}}),
        ("create", {"values": {"nothing_such": "x"}}),
        ("habits", {"nothing_such": True}),
        ("habits", {"search_lag_s": "long"}),
        ("load", {"rows": [{"nothing_such": "x"}]}),
        ("load", {"rows": [{"hs_object_id": "7"}, {"hs_object_id": "7"}]}),
        ("restore", {"id": "7"}),
        ("define", {"name": "Bad Name", "label": "x"}),
    ],
)
def test_impossible_hands_are_told(portal: Portal, name: str, posted: dict[str, Any]) -> None:
    """A hand that cannot do what is asked says so with 400 and a reason."""
    answer = portal.call("POST", f"/_sandbox/hands/{name}", posted)
    assert answer.status == 400 and name in answer.json["error"]


_WORDS = st.sampled_from(["id", "email", "idProperty", "inputs", "properties", "filterGroups", "filters", "sorts", "value", "values", "operator", "EQ", "IN"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5) | _WORDS
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5), max_leaves=15)
_ROWS = st.lists(st.dictionaries(st.sampled_from(["id", "idProperty", "properties", "objectWriteTraceId"]), _JSON), max_size=3)
_FILTERS = st.lists(st.dictionaries(st.sampled_from(["propertyName", "operator", "value", "values", "highValue"]), _JSON), max_size=3)
_ENDPOINTS = ["", "/search", "/merge", "/gdpr-delete", *(f"/batch/{deed}" for deed in ("read", "create", "update", "upsert", "archive"))]


@given(st.sampled_from(_ENDPOINTS), st.dictionaries(_WORDS, _JSON) | _ROWS.map(lambda rows: {"inputs": rows}) | _FILTERS.map(lambda f: {"filters": f}))
def test_no_body_breaks_the_world(path: str, body: Any) -> None:
    """Whatever JSON is posted, the answer is HubSpot's, never a failure of the world itself."""
    portal = Portal()
    portal.world.load([{"email": "a@example.com", "hs_object_id": "1"}])
    try:
        sent = orjson.dumps(body)
    except TypeError:  # an integer beyond 64 bits
        return
    assert portal.call("POST", CONTACTS + path, sent).status < 500


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"properties": 5}'])
def test_malformed_bodies(portal: Portal, body: bytes) -> None:
    """Anything but a JSON object with properties is a 400 with a reason."""
    answer = portal.call("POST", CONTACTS, body)
    assert (answer.status, answer.json["category"]) == (400, "VALIDATION_ERROR")


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
