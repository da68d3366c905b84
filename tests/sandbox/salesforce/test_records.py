"""One record in the Salesforce world: saved, refused, changed under a condition, and told by its stamps."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from salesforce_wire import BASE, LEAD, Client, codes

from stagesync.sandbox.salesforce import Habits, SalesforceWorld

# ---- one record


def test_create_read_change_delete(client: Client) -> None:
    """A record's life by single calls, with the shapes and statuses of the vendor."""
    response = client.call("POST", "/sobjects/Lead/", {**LEAD, "FirstName": " Grace  "})
    made = json.loads(response.body)
    assert (response.status, made["success"], made["errors"], len(made["id"])) == (201, True, [], 18)
    assert response.headers["Location"] == f"{BASE}/sobjects/Lead/{made['id']}"
    path = f"/sobjects/Lead/{made['id']}"
    read = client.ok("GET", path)
    assert (read["Name"], read["FirstName"], read["Status"], read["HasOptedOutOfEmail"]) == ("Grace Ada", "Grace", "Open - Not Contacted", False)
    assert read["LastModifiedById"] == client.world.org.integration
    assert read["SystemModstamp"].endswith(".000+0000")
    assert client.call("PATCH", path, {"Title": "CTO", "FirstName": ""}).status == 204
    read = client.ok("GET", path, query={"fields": "Title,FirstName,Name"})
    assert (read["Title"], read["FirstName"], read["Name"]) == ("CTO", None, "Ada")
    assert client.call("DELETE", path).status == 204
    assert client.refused("GET", path)[:2] == (404, "ENTITY_IS_DELETED")
    assert client.refused("PATCH", path, {"Title": "x"})[:2] == (404, "ENTITY_IS_DELETED")
    assert client.refused("GET", "/sobjects/Lead/00Q000000000000AAA")[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({"FirstName": "x"}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"]),
        ({**LEAD, "LastName": None}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({**LEAD, "FirstName": "x" * 41}, "STRING_TOO_LONG", ["FirstName"]),
        ({**LEAD, "Email": "not an address"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({**LEAD, "NumberOfEmployees": 10**9}, "NUMBER_OUTSIDE_VALID_RANGE", ["NumberOfEmployees"]),
        ({**LEAD, "NumberOfEmployees": "many"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["NumberOfEmployees"]),
        ({**LEAD, "DoNotCall": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["DoNotCall"]),
        ({**LEAD, "Since__c": "2026-13-01"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["Since__c"]),
        ({**LEAD, "Tier__c": "Z"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Tier__c"]),
        ({**LEAD, "Tags__c": ";".join(map(str, range(101)))}, "TOO_MANY_ENUM_VALUE", ["Tags__c"]),
        ({**LEAD, "OwnerId": "nonsense"}, "MALFORMED_ID", ["OwnerId"]),
        ({**LEAD, "OwnerId": "005000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({**LEAD, "IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsConverted"]),
        ({**LEAD, "Locked__c": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Locked__c"]),
    ],
)
def test_rows_that_cannot_be_saved(values: dict[str, Any], code: str, fields: list[str]) -> None:
    """Each mistake has its code and names its fields: alone in HTTP 400, in a collection per row in HTTP 200."""
    client = Client(SalesforceWorld(habits=Habits(assignment_rules=False, duplicate_rules="off", locked_fields=frozenset({"Lead.Locked__c"}))))
    client.world.define("Lead", "Since__c", type="date")
    client.world.define("Lead", "Tier__c", type="picklist", options=("A", "B"), restricted=True)
    client.world.define("Lead", "Tags__c", type="multipicklist", options=("A",))
    client.world.define("Lead", "Locked__c")
    response = client.call("POST", "/sobjects/Lead/", values)
    (error,) = json.loads(response.body)
    assert (response.status, error["errorCode"], error["fields"]) == (400, code, fields)
    bad, good = client.save("Lead", values, LEAD)
    assert bad == {"success": False, "errors": [{"statusCode": code, "message": error["message"], "fields": fields}]}
    assert good["success"]


def test_values_are_changed_as_they_are_stored(client: Client) -> None:
    """Text is trimmed, digits beyond the scale are cut, choices take the list's own spelling, unknown ones are let in as inactive."""
    client.world.define("Lead", "Score__c", type="double", precision=5, scale=2)
    client.world.define("Lead", "Tags__c", type="multipicklist", options=("Red", "Blue"))
    values = {
        **LEAD,
        "Title": "  CTO\t",
        "Score__c": 12.349,
        "Tags__c": "blue;Red",
        "Status": "working - CONTACTED",
        "Rating": "Lukewarm",
        "EmailBouncedReason": None,
    }
    del values["EmailBouncedReason"]
    (made,) = client.save("Lead", values)
    (row,) = client.soql(f"SELECT Title, Score__c, Tags__c, Status, Rating FROM Lead WHERE Id = '{made['id']}'")
    assert row == {"Title": "CTO", "Score__c": 12.34, "Tags__c": "Red;Blue", "Status": "Working - Contacted", "Rating": "Lukewarm"}
    rating = next(one for one in client.ok("GET", "/sobjects/Lead/describe")["fields"] if one["name"] == "Rating")
    assert [(one["value"], one["active"]) for one in rating["picklistValues"]][-1] == ("Lukewarm", False)


def test_unknown_and_hidden_fields_are_the_same() -> None:
    """A field hidden from the integration user is absent in describe, and an error everywhere else, as if it did not exist."""
    client = Client(SalesforceWorld(habits=Habits(hidden_fields=frozenset({"Lead.HasOptedOutOfEmail"}))))
    assert "HasOptedOutOfEmail" not in {one["name"] for one in client.ok("GET", "/sobjects/Lead/describe")["fields"]}
    for name in ("HasOptedOutOfEmail", "Nope__c"):
        assert client.refused("POST", "/sobjects/Lead/", {**LEAD, name: True})[:2] == (400, "INVALID_FIELD")
        assert client.refused("GET", "/query/", query={"q": f"SELECT {name} FROM Lead"})[:2] == (400, "INVALID_FIELD")
        assert client.refused("POST", "/composite/sobjects", {"records": [{"attributes": {"type": "Lead"}, **LEAD, name: True}]})[:2] == (400, "INVALID_FIELD")
        assert client.refused("POST", "/composite/sobjects/Lead", {"ids": [], "fields": ["Id", name]})[:2] == (400, "INVALID_FIELD")


def test_an_unknown_field_can_fail_its_row_only() -> None:
    """Whether an unknown field refuses a whole collection is not documented: it can be had both ways."""
    client = Client(SalesforceWorld(habits=Habits(unknown_field_fails="row", duplicate_rules="off")))
    assert codes(client.save("Lead", {**LEAD, "Nope__c": 1}, LEAD)) == ["INVALID_FIELD", None]


# ---- conditions and stamps


def test_conditional_change(client: Client) -> None:
    """If-Unmodified-Since refuses with 412 once somebody changed the record in a later second."""
    id = client.world.load("Lead", [{**LEAD, "CreatedDate": "2026-01-01T12:00:00Z"}])[0]
    path = f"/sobjects/Lead/{id}"
    assert client.call("GET", path, if_modified_since="Thu, 01 Jan 2026 12:00:00 GMT").status == 304
    assert client.refused("PATCH", path, {"Title": "x"}, if_unmodified_since="Thu, 01 Jan 2026 11:59:59 GMT")[:2] == (
        412,
        "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE",
    )
    assert client.refused("PATCH", path, {"Title": "x"}, if_unmodified_since="soon")[0] == 400
    assert client.call("PATCH", path, {"Title": "x"}, if_unmodified_since="Thu, 01 Jan 2026 12:00:00 GMT").status == 204


def test_own_and_other_writes_can_be_told_apart(client: Client) -> None:
    """API writes carry the integration user, hands somebody else; automation moves SystemModstamp alone."""
    id = client.save("Lead", LEAD)[0]["id"]
    client.world.clock.advance(10)
    client.world.edit(id, {"Title": "CEO"})
    (row,) = client.soql(f"SELECT LastModifiedById, LastModifiedDate, SystemModstamp FROM Lead WHERE Id = '{id}'")
    assert row["LastModifiedById"] == client.world.org.somebody
    assert row["LastModifiedDate"] == row["SystemModstamp"]
    client.world.clock.advance(10)
    client.world.touch([id])
    (later,) = client.soql(f"SELECT LastModifiedById, LastModifiedDate, SystemModstamp FROM Lead WHERE Id = '{id}'")
    assert later["LastModifiedDate"] == row["LastModifiedDate"] < later["SystemModstamp"]


@pytest.mark.parametrize("moves", [True, False])
def test_the_same_values_again(moves: bool) -> None:
    """Whether a change to the same values moves the stamps is a habit; by default it does."""
    client = Client(SalesforceWorld(habits=Habits(same_values_move_stamps=moves, assignment_rules=False)))
    id = client.world.load("Lead", [{**LEAD, "CreatedDate": "2026-01-01T12:00:00Z"}])[0]
    assert client.call("PATCH", f"/sobjects/Lead/{id}", LEAD).status == 204
    (row,) = client.soql(f"SELECT SystemModstamp FROM Lead WHERE Id = '{id}'")
    assert (row["SystemModstamp"] > "2026-01-02") is moves


def test_late_commits_appear_behind_the_watermark(client: Client) -> None:
    """With a commit lag somebody's change is invisible at first, and then there with a stamp older than what was read meanwhile."""
    client.world.org.change_habits({"commit_lag_s": 60})
    first = client.world.load("Lead", [LEAD])[0]
    client.world.clock.advance(10)
    client.world.edit(first, {"Title": "late"})
    late = client.world.create("Lead", {**LEAD, "LastName": "Late"})
    client.world.clock.advance(10)
    ours = client.save("Lead", {**LEAD, "LastName": "Ours"})[0]["id"]
    assert {row["Id"] for row in client.soql("SELECT Id FROM Lead WHERE Title = null")} == {first, ours}
    client.world.clock.advance(60)
    rows = {row["Id"]: row for row in client.soql("SELECT Id, Title, SystemModstamp FROM Lead")}
    assert rows[first]["Title"] == "late"
    assert rows[late]["SystemModstamp"] == rows[first]["SystemModstamp"] < rows[ours]["SystemModstamp"]


def test_updated_and_deleted_since(client: Client) -> None:
    """The replication calls give ids of changed and of deleted rows within their spans."""
    ids = client.world.load("Lead", [LEAD, LEAD])
    client.world.delete(ids[1])
    now = time.time()
    span = {
        "start": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - 3600)),
        "end": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now + 3600)),
    }
    assert client.ok("GET", "/sobjects/Lead/updated/", query=span)["ids"] == [ids[0]]
    assert [one["id"] for one in client.ok("GET", "/sobjects/Lead/deleted/", query=span)["deletedRecords"]] == [ids[1]]
    old = {"start": "2020-01-01T00:00:00+00:00", "end": "2020-02-01T00:00:00+00:00"}
    assert client.refused("GET", "/sobjects/Lead/deleted/", query=old)[:2] == (400, "INVALID_REPLICATION_DATE")
