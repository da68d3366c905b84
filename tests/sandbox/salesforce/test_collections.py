"""Many records in one call to the Salesforce world: collections, external ids, composites and batches."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salesforce_wire import BASE, CALM, LEAD, Client, codes

from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.ids import mint

# ---- collections


def test_results_come_in_order_in_http_200(client: Client) -> None:
    """A collection answers each row in its place, even when every one fails."""
    results = client.save("Lead", LEAD, {"LastName": "No company"}, LEAD)
    assert codes(results) == [None, "REQUIRED_FIELD_MISSING", None]
    changed = client.save(
        "Lead",
        {"id": results[0]["id"], "Title": "x"},
        {"id": mint("00Q", 10**6), "Title": "x"},
        {"id": "003nonsense", "Title": "x"},
        {"Title": "x"},
        method="PATCH",
    )
    assert codes(changed) == [None, "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "MISSING_ARGUMENT"]
    assert changed[0] == {"id": results[0]["id"], "success": True, "errors": []}
    gone = client.ok("DELETE", "/composite/sobjects", query={"ids": f"{results[0]['id']},{results[0]['id']}"})
    assert codes(gone) == [None, "ENTITY_IS_DELETED"]


def test_all_or_none_leaves_nothing(client: Client) -> None:
    """With allOrNone one bad row undoes the others, and they are told so."""
    kept = client.save("Lead", LEAD)[0]["id"]
    assert codes(client.save("Lead", LEAD, {"LastName": "x"}, all_or_none=True)) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert (
        codes(client.save("Lead", {"id": kept, "Title": "x"}, {"id": kept, "Email": "bad"}, method="PATCH", all_or_none=True))[0]
        == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    )
    assert client.soql("SELECT Id, Title FROM Lead") == [{"Id": kept, "Title": None}]
    assert client.soql("SELECT Id FROM Lead WHERE SystemModstamp > 2020-01-01T00:00:00Z") == [{"Id": kept}]


def test_limits_of_a_collection(client: Client) -> None:
    """At most 200 rows, 10 runs of types, 12 times the same id, and each row names its type."""
    assert client.refused("POST", "/composite/sobjects", {"records": [{"attributes": {"type": "Lead"}, **LEAD}] * 201})[:2] == (400, "EXCEEDED_ID_LIMIT")
    mixed = [{"attributes": {"type": "Lead"}, **LEAD}, {"attributes": {"type": "Contact"}, "LastName": "x"}] * 6
    assert client.refused("POST", "/composite/sobjects", {"records": mixed})[0] == 400
    assert client.refused("POST", "/composite/sobjects", {"records": [LEAD]})[0] == 400
    assert client.refused("POST", "/composite/sobjects", {"rows": []})[:2] == (400, "JSON_PARSER_ERROR")
    id = client.save("Lead", LEAD)[0]["id"]
    assert codes(client.save("Lead", *[{"id": id, "Title": "x"}] * 13, method="PATCH")) == [*[None] * 12, "DUPLICATE_VALUE"]


def test_reading_many_gives_null_for_what_is_not_there(client: Client) -> None:
    """The read collection answers in the order of the ids, null for unknown and deleted ones, by POST and by GET."""
    ids = client.world.load("Lead", [LEAD, {**LEAD, "IsDeleted": True}])
    body = {"ids": [mint("00Q", 10**6), ids[1], ids[0][:15]], "fields": ["Id", "LastName"]}
    found = client.ok("POST", "/composite/sobjects/Lead", body)
    assert [one and one["Id"] for one in found] == [None, None, ids[0]]
    assert client.ok("GET", "/composite/sobjects/Lead", query={"ids": ids[0], "fields": "LastName"})[0]["LastName"] == "Ada"
    assert client.refused("POST", "/composite/sobjects/Lead", {"ids": ids, "fields": ["Owner.Name"]})[:2] == (400, "INVALID_FIELD")
    client.world.org.change_habits({"reads_parents": True})
    assert client.ok("POST", "/composite/sobjects/Lead", {"ids": ids[:1], "fields": ["Owner.Name"]})[0]["Owner"]["Name"] == "Riley Rep"


def test_planned_row_failures(client: Client) -> None:
    """Trouble of single rows, such as a lock, strikes as often as planned and then is over."""
    client.world.fail_rows("UNABLE_TO_LOCK_ROW", times=2)
    assert codes(client.save("Lead", LEAD, LEAD, LEAD)) == ["UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW", None]


# ---- external ids


def test_upsert_by_external_id(client: Client) -> None:
    """A unique external id finds its record whatever its case; 201 when created, 200 when changed, no duplicates ever."""
    client.world.define("Lead", "HubSpot_Id__c", unique=True, external_id=True)
    path = "/sobjects/Lead/HubSpot_Id__c/" + quote("Ab1")
    response = client.call("PATCH", path, LEAD)
    made = json.loads(response.body)
    assert (response.status, made["created"]) == (201, True)
    assert client.ok("PATCH", path.lower().replace("lead", "Lead"), {"Title": "x"}) == {"id": made["id"], "success": True, "errors": [], "created": False}
    assert client.refused("PATCH", path, {**LEAD, "HubSpot_Id__c": "Ab1"})[:2] == (400, "INVALID_FIELD")
    assert client.refused("PATCH", "/sobjects/Lead/HubSpot_Id__c/none", LEAD, {"updateOnly": "true"})[0] == 404
    assert client.refused("PATCH", "/sobjects/Lead/Title/x", LEAD)[0] == 404
    (status, code, message) = client.refused("POST", "/sobjects/Lead/", {**LEAD, "HubSpot_Id__c": "AB1"})
    assert (status, code) == (400, "DUPLICATE_VALUE")
    assert made["id"][:15] in message


def test_upsert_of_a_collection(client: Client) -> None:
    """A collection upsert says per row whether it created; the same key twice is an error on both rows."""
    client.world.define("Lead", "HubSpot_Id__c", unique=True, external_id=True)
    records = [{"attributes": {"type": "Lead"}, **LEAD, "HubSpot_Id__c": key} for key in ("1", "2", "2", "")]
    results = client.ok("PATCH", "/composite/sobjects/Lead/HubSpot_Id__c", {"records": records})
    assert codes(results) == [None, "DUPLICATE_VALUE", "DUPLICATE_VALUE", "MISSING_ARGUMENT"]
    assert results[0]["created"] is True
    assert client.ok("PATCH", "/composite/sobjects/Lead/HubSpot_Id__c", {"records": records[:1]})[0]["created"] is False


def test_a_key_that_several_records_have(client: Client) -> None:
    """By a key that is not unique, several matches are HTTP 300 with their addresses."""
    ids = client.world.load("Lead", [{**LEAD, "Email": "a@x.com"}, {**LEAD, "Email": "A@x.com"}])
    response = client.call("PATCH", "/sobjects/Lead/Email/a@x.com", {"Title": "x"})
    assert (response.status, json.loads(response.body)) == (300, [f"{BASE}/sobjects/Lead/{id}" for id in ids])
    client.world.load("Lead", [{**LEAD, "Email": "b@company.inc"}])
    assert client.call("GET", "/sobjects/Lead/Email/b@company.inc").status == 404


# ---- composite


def test_composite_carries_conditions_per_subrequest(client: Client) -> None:
    """25 calls in one, each with headers of its own; a later one can use what an earlier one answered."""
    id = client.world.load("Lead", [{**LEAD, "CreatedDate": "2026-01-01T12:00:00Z"}])[0]
    change = {
        "method": "PATCH",
        "url": f"{BASE}/sobjects/Lead/{id}",
        "body": {"Title": "x"},
        "referenceId": "late",
        "httpHeaders": {"If-Unmodified-Since": "Thu, 01 Jan 2026 11:00:00 GMT"},
    }
    make = {"method": "POST", "url": f"{BASE}/sobjects/Account", "body": {"Name": "Acme"}, "referenceId": "acme"}
    use = {"method": "POST", "url": f"{BASE}/sobjects/Contact", "body": {"LastName": "x", "AccountId": "@{acme.id}"}, "referenceId": "person"}
    answers = client.ok("POST", "/composite", {"compositeRequest": [change, make, use]})["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [412, 201, 201]
    assert client.soql("SELECT Account.Name FROM Contact")[0]["Account"]["Name"] == "Acme"
    assert client.world.used == 2
    answers = client.ok("POST", "/composite", {"allOrNone": True, "compositeRequest": [make, change]})["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [400, 412]
    assert len(client.soql("SELECT Id FROM Account")) == 1


@pytest.mark.parametrize("body", [[], {}, {"compositeRequest": [1]}, {"compositeRequest": [{"method": "GET"}]}, {"compositeRequest": 5}])
def test_malformed_composites(client: Client, body: Any) -> None:
    """A body that is no composite is refused as one call."""
    assert client.refused("POST", "/composite", body)[:2] == (400, "JSON_PARSER_ERROR")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(
    st.dictionaries(st.sampled_from(["LastName", "Company", "Email", "Status", "DoNotCall", "AnnualRevenue", "OwnerId", "EmailBouncedDate", "id"]), JSON_VALUES)
)
def test_whatever_is_sent_is_answered(values: dict[str, Any]) -> None:
    """Any JSON in any field is saved or refused row by row, never an accident; what was saved can be read back."""
    client = Client(SalesforceWorld(habits=CALM))
    (result,) = client.save("Lead", values)
    assert result["success"] or result["errors"][0]["statusCode"]
    assert len(client.soql("SELECT Id, Status, AnnualRevenue FROM Lead")) == result["success"]


def test_a_batch_costs_a_call_per_subrequest(client: Client) -> None:
    """composite/batch answers each subrequest and counts each."""
    ask = {"method": "GET", "url": "v59.0/query?q=SELECT+COUNT()+FROM+Lead"}
    answer = client.ok("POST", "/composite/batch", {"batchRequests": [ask, {"method": "GET", "url": "v59.0/sobjects/Nope"}]})
    assert (answer["hasErrors"], [one["statusCode"] for one in answer["results"]]) == (True, [200, 404])
    assert client.world.used == 2
