"""The Salesforce world: saving records, their errors, conversion, merge, the bin, sessions and limits, as the vendor has them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.salesforce import ConnectedApp, Habits, SalesforceWorld
from stagesync.sandbox.salesforce.ids import mint, normalise
from stagesync.sandbox.wire import Request, Response

BASE = "/services/data/v59.0"
CALM = Habits(assignment_rules=False, duplicate_rules="off")
LEAD = {"LastName": "Ada", "Company": "Acme"}


class Client:
    """The fewest lines that can call a world."""

    def __init__(self, world: SalesforceWorld) -> None:
        self.world = world
        self.token = "00D-sandbox-session"

    def call(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None, **headers: str) -> Response:
        """One call, headers with underscores for dashes."""
        named = {"authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = path if path.startswith("/services") else BASE + path
        return self.world.handle(Request(method, url, urlencode(query or {}), named, b"" if body is None else json.dumps(body).encode()))

    def ok(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None, **headers: str) -> Any:
        """The JSON of a call that must succeed."""
        response = self.call(method, path, body, query, **headers)
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def refused(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
        """Status, code and message of a call that must be refused."""
        response = self.call(method, path, body, query, **headers)
        assert response.status >= 300, response.body
        (error,) = json.loads(response.body)
        return response.status, error["errorCode"], error["message"]

    def soql(self, query: str, path: str = "/queryAll/") -> list[dict[str, Any]]:
        """All records of a query, without their attributes."""
        found = self.ok("GET", path, query={"q": query})["records"]
        return [{name: value for name, value in one.items() if name != "attributes"} for one in found]

    def save(self, kind: str, *rows: Mapping[str, Any], method: str = "POST", all_or_none: bool = False, **headers: str) -> list[dict[str, Any]]:
        """Results of one collections call."""
        records = [{"attributes": {"type": kind}, **row} for row in rows]
        return self.ok(method, "/composite/sobjects", {"allOrNone": all_or_none, "records": records}, None, **headers)


@pytest.fixture
def client() -> Client:
    """A client of an org without assignment and duplicate rules."""
    return Client(SalesforceWorld(habits=CALM))


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    """The first error code of each row, None where it was saved."""
    return [None if one["success"] else one["errors"][0]["statusCode"] for one in results]


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


# ---- rules of the org


def test_assignment_rules_take_the_lead_unless_told_not_to() -> None:
    """Without Sforce-Auto-Assign: FALSE every saved Lead goes to the queue, an updated one too."""
    client = Client(SalesforceWorld())
    queue, owner = client.world.org.queue, client.world.org.integration
    left, taken = client.save("Lead", LEAD, sforce_auto_assign="FALSE")[0]["id"], client.save("Lead", LEAD)[0]["id"]
    assert {row["Id"]: row["OwnerId"] for row in client.soql("SELECT Id, OwnerId FROM Lead")} == {left: owner, taken: queue}
    client.save("Lead", {"id": left, "Title": "x"}, method="PATCH")
    assert client.soql(f"SELECT OwnerId FROM Lead WHERE Id = '{left}'") == [{"OwnerId": queue}]


def test_duplicate_rules() -> None:
    """A duplicate is refused: with its matches on a single call, without any id in a collection; allowSave passes an alert, not a block."""
    client = Client(SalesforceWorld())
    ada = {**LEAD, "Email": "ada@x.com"}
    existing = client.save("Lead", ada)[0]["id"]
    (result,) = client.save("Lead", ada)
    assert result == {"success": False, "errors": [{"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}]}
    (error,) = json.loads(client.call("POST", "/sobjects/Lead/", ada).body)
    assert error["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]["Id"] == existing
    assert codes(client.save("Lead", {**ada, "LastName": "Other"})) == [None]
    assert codes(client.save("Lead", ada, sforce_duplicate_rule_header="allowSave=true")) == [None]
    client.world.org.change_habits({"duplicate_rules": "block"})
    assert codes(client.save("Lead", ada, sforce_duplicate_rule_header="allowSave=true")) == ["DUPLICATES_DETECTED"]


def test_workflows_change_what_was_written(client: Client) -> None:
    """The org's own automation has the last word on a saved row."""
    client.world.org.workflows.append(lambda kind, row: {"Rating": "Hot"} if kind == "Lead" and row.get("Title") == "CEO" else {})
    id = client.save("Lead", {**LEAD, "Title": "CEO", "Rating": "Cold"})[0]["id"]
    assert client.soql(f"SELECT Rating FROM Lead WHERE Id = '{id}'") == [{"Rating": "Hot"}]


def test_flows_run_after_the_save() -> None:
    """A flow rewrites a value a moment after whoever saved it, in the admin's name; what it saves is looked at again, later."""
    client = Client(SalesforceWorld(clock=WorldClock(lambda: 1_790_000_000.0), habits=CALM))  # a moment is a millisecond
    client.world.flow("Lead", "Title", {"CEO": "Chief Executive Officer", "Chief Executive Officer": "Boss"})
    id = client.save("Lead", {**LEAD, "Title": "CEO"})[0]["id"]
    query = f"SELECT Title, LastModifiedById FROM Lead WHERE Id = '{id}'"
    assert client.soql(query)[0]["Title"] == "CEO"
    for title in ("Chief Executive Officer", "Boss", "Boss"):
        client.world.clock.advance(1)
        assert client.soql(query) == [{"Title": title, "LastModifiedById": client.world.org.admin}]


def test_history_of_tracked_fields(client: Client) -> None:
    """Who changed a tracked field, from what to what; untracked fields leave no trace."""
    client.world.org.change_habits({"tracked_fields": ["Lead.Status", "Lead.OwnerId"]})
    id = client.save("Lead", LEAD)[0]["id"]
    client.world.edit(id, {"Status": "Working - Contacted", "Title": "x"})
    client.save("Lead", {"id": id, "OwnerId": client.world.org.queue}, method="PATCH")
    rows = client.soql(f"SELECT Field, OldValue, NewValue, CreatedById FROM LeadHistory WHERE LeadId = '{id}' ORDER BY CreatedDate, Id")
    assert rows == [
        {"Field": "created", "OldValue": None, "NewValue": None, "CreatedById": client.world.org.integration},
        {"Field": "Status", "OldValue": "Open - Not Contacted", "NewValue": "Working - Contacted", "CreatedById": client.world.org.somebody},
        {"Field": "Owner", "OldValue": client.world.org.integration, "NewValue": client.world.org.queue, "CreatedById": client.world.org.integration},
    ]
    assert client.refused("GET", "/query/", query={"q": "SELECT Id FROM LeadHistory WHERE OldValue = 'x'"})[1] == "INVALID_FIELD"


# ---- conversion, merge, the bin


def test_conversion_makes_four_records_in_one_moment(client: Client) -> None:
    """A converted Lead points at what it became, takes its fields along, and is read-only from then on."""
    client.world.define("Contact", "Stage__c")
    client.world.define("Lead", "Stage__c", converts_to="Contact.Stage__c")
    lead = client.world.load("Lead", [{**LEAD, "Email": "a@x.com", "City": "Rome", "Stage__c": "sql", "HasOptedOutOfEmail": True}])[0]
    made = client.world.convert(lead)
    (row,) = client.soql("SELECT IsConverted, ConvertedDate, ConvertedContactId, ConvertedAccountId, ConvertedOpportunityId, Status, SystemModstamp FROM Lead")
    assert (row["ConvertedContactId"], row["ConvertedAccountId"], row["ConvertedOpportunityId"]) == (made.contact, made.account, made.opportunity)
    assert (row["IsConverted"], row["Status"], len(row["ConvertedDate"])) == (True, "Closed - Converted", 10)
    (contact,) = client.soql(
        f"SELECT LastName, Email, MailingCity, Stage__c, HasOptedOutOfEmail, Account.Name, SystemModstamp FROM Contact WHERE Id = '{made.contact}'"
    )
    assert (contact["MailingCity"], contact["Stage__c"], contact["HasOptedOutOfEmail"], contact["Account"]["Name"]) == ("Rome", "sql", True, "Acme")
    assert contact["SystemModstamp"] == row["SystemModstamp"]
    (role,) = client.soql("SELECT ContactId, Opportunity.StageName, Opportunity.IsClosed, Contact.Email FROM OpportunityContactRole")
    assert (role["ContactId"], role["Opportunity"]["StageName"], role["Opportunity"]["IsClosed"]) == (made.contact, "Prospecting", False)
    assert codes(client.save("Lead", {"id": lead, "Title": "x"}, method="PATCH")) == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    assert client.refused("PATCH", f"/sobjects/Contact/{made.contact}", {"Account": {"Name": "x"}})[1] == "INVALID_FIELD"


@pytest.mark.parametrize("keeps", [True, False])
def test_conversion_into_an_existing_contact_fills_gaps_only(keeps: bool) -> None:
    """What the Contact has stays; a Lead's opt-out may be lost there, since false is not empty."""
    client = Client(SalesforceWorld(habits=Habits(conversion_keeps_opt_out=keeps)))
    contact = client.world.load("Contact", [{"LastName": "Ada", "Phone": "1"}])[0]
    lead = client.world.load("Lead", [{**LEAD, "Phone": "2", "Title": "CTO", "HasOptedOutOfEmail": True}])[0]
    made = client.world.convert(lead, contact=contact, opportunity=False)
    assert made.contact == contact
    assert made.opportunity is None
    assert client.soql("SELECT Phone, Title, HasOptedOutOfEmail FROM Contact") == [{"Phone": "1", "Title": "CTO", "HasOptedOutOfEmail": keeps}]


def test_a_leads_queue_cannot_own_what_it_becomes(client: Client) -> None:
    """A Lead of a queue, converted by hand, goes to whoever converts it."""
    lead = client.world.load("Lead", [{**LEAD, "OwnerId": client.world.org.queue}])[0]
    client.world.convert(lead)
    assert client.soql("SELECT OwnerId FROM Contact") == [{"OwnerId": client.world.org.somebody}]


def test_merge_leaves_losers_in_the_bin_with_their_master(client: Client) -> None:
    """Losers are deleted and name the winner; what pointed at them points at the winner. At most three records."""
    winner, loser, third, fourth = client.world.load("Contact", [{"LastName": f"L{number}"} for number in range(4)])
    deal = client.world.create("Opportunity", {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"})
    client.world.create("OpportunityContactRole", {"OpportunityId": deal, "ContactId": loser})
    with pytest.raises(ValueError, match="INVALID_MERGE_RECORD"):
        client.world.merge(winner, [loser, third, fourth])
    client.world.merge(winner, [loser], {"Title": "kept"})
    assert client.soql("SELECT Id, MasterRecordId FROM Contact WHERE MasterRecordId != null") == [{"Id": loser, "MasterRecordId": winner}]
    assert client.soql("SELECT ContactId FROM OpportunityContactRole") == [{"ContactId": winner}]
    assert client.soql("SELECT Id FROM Contact WHERE IsDeleted = false AND Title = 'kept'") == [{"Id": winner}]
    assert codes(client.save("Contact", {"id": loser, "Title": "x"}, method="PATCH")) == ["ENTITY_IS_DELETED"]


SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:p="urn:partner.soap.sforce.com" xmlns:o="urn:sobject.partner.soap.sforce.com">'
    "<s:Header><p:SessionHeader><p:sessionId>{token}</p:sessionId></p:SessionHeader></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
MERGE = (
    "<p:merge><p:request><p:masterRecord><o:type>Lead</o:type><o:Id>{0}</o:Id></p:masterRecord>"
    "<p:recordToMergeIds>{1}</p:recordToMergeIds></p:request></p:merge>"
)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (SOAP.format(token="00D-sandbox-session", body=MERGE.format("{0}", "{1}")), 200, b">true<"),
        (SOAP.format(token="00D-sandbox-session", body=MERGE.format("{0}", "{0}")), 200, b"INVALID_MERGE_RECORD"),
        (SOAP.format(token="00D-sandbox-session", body=MERGE.format("{0}", "nobody")), 200, b"MALFORMED_ID"),
        (SOAP.format(token="00D-sandbox-session", body="<p:logout/>"), 500, b"sf:UNKNOWN_EXCEPTION"),
        (SOAP.format(token="another", body=MERGE.format("{0}", "{1}")), 500, b"sf:INVALID_SESSION_ID"),
        ("<!DOCTYPE x><x/>", 500, b"sf:INVALID_SOAP_HEADER"),
        ("<x", 500, b"sf:UNKNOWN_EXCEPTION"),
    ],
)
def test_merge_by_soap(client: Client, text: str, status: int, said: bytes) -> None:
    """A refused row is a result in a 200; a session that is none, another call, and what is no SOAP are faults. Only a call that is let in is counted."""
    ids = client.world.load("Lead", [LEAD, LEAD])
    answer = client.world.handle(Request("POST", "/services/Soap/u/59.0", "", {"content-type": "text/xml"}, text.format(*ids).encode()))
    assert (answer.status, said in answer.body) == (status, True), answer.body
    assert len(client.soql("SELECT Id FROM Lead WHERE IsDeleted = false")) == (1 if said == b">true<" else 2)
    assert client.world.used == (2 if b"sessionId" in text.encode() and "another" not in text else 1)


def test_the_bin(client: Client) -> None:
    """A deleted account takes its contacts along and brings them back; a purged record is gone even for queryAll."""
    account = client.world.load("Account", [{"Name": "Acme"}])[0]
    contact = client.world.load("Contact", [{"LastName": "x", "AccountId": account}])[0]
    client.world.delete(account)
    assert client.soql("SELECT Id, IsDeleted FROM Contact") == [{"Id": contact, "IsDeleted": True}]
    client.world.undelete(account)
    assert client.soql("SELECT Id, IsDeleted FROM Contact") == [{"Id": contact, "IsDeleted": False}]
    client.world.delete(contact)
    client.world.purge(contact)
    assert client.soql("SELECT Id FROM Contact") == []


def test_opportunities_follow_their_stage(client: Client) -> None:
    """Closed, won and probability come from OpportunityStage; a role that is deleted leaves no trace in the bin."""
    deal = client.save("Opportunity", {"Name": "D", "StageName": "Qualification", "CloseDate": "2026-12-31"})[0]["id"]
    client.world.edit(deal, {"StageName": "Closed Won"})
    fields = "IsClosed, IsWon, Probability, LastStageChangeDate"
    (row,) = client.soql(f"SELECT {fields} FROM Opportunity")
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (True, True, 100.0)
    assert row["LastStageChangeDate"] is not None
    contact = client.world.load("Contact", [{"LastName": "x"}])[0]
    role = client.save("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})[0]["id"]
    assert client.call("DELETE", f"/sobjects/OpportunityContactRole/{role}").status == 204
    assert client.soql("SELECT Id FROM OpportunityContactRole") == []


# ---- the org


def test_describe_tells_what_check_needs(client: Client) -> None:
    """Lengths, required and read-only fields, picklists with their values, external ids."""
    client.world.define("Lead", "HubSpot_Id__c", "HubSpot Id", length=40, unique=True, external_id=True)
    described = client.ok("GET", "/sobjects/Lead/describe")
    assert (described["keyPrefix"], described["createable"], described["mergeable"], described["replicateable"]) == ("00Q", True, True, True)
    fields = {one["name"]: one for one in described["fields"]}
    required = {name for name, one in fields.items() if one["createable"] and not one["nillable"] and not one["defaultedOnCreate"]}
    assert required == {"LastName", "Company"}
    assert (fields["Name"]["updateable"], fields["Title"]["length"], fields["OwnerId"]["referenceTo"]) == (False, 128, ["Group", "User"])
    assert (fields["HubSpot_Id__c"]["unique"], fields["HubSpot_Id__c"]["externalId"], fields["HubSpot_Id__c"]["custom"]) == (True, True, True)
    assert [one["value"] for one in fields["Status"]["picklistValues"]][1:4] == ["Marketing Qualified", "Working - Contacted", "Sales Qualified"]
    assert fields["Status"]["picklistValues"][0]["defaultValue"] is True
    assert {"Lead", "Contact", "LeadStatus"} <= {one["name"] for one in client.ok("GET", "/sobjects")["sobjects"]}


def test_describe_can_be_cached(client: Client) -> None:
    """Unchanged metadata is 304 to whoever has it; a new field changes it."""
    client.world.clock.advance(60)
    since = client.world.clock.http_date()
    assert client.call("GET", "/sobjects/Lead/describe", if_modified_since=since).status == 304
    client.world.clock.advance(60)
    client.world.define("Lead", "New__c")
    assert client.call("GET", "/sobjects/Lead/describe", if_modified_since=since).status == 200


def test_formulas_change_without_a_signal(client: Client) -> None:
    """A formula field is read-only, and its new value moves no stamp."""
    client.world.define("Lead", "Score__c", type="double", calculated=True)
    id = client.world.load("Lead", [{**LEAD, "Score__c": 1.0}])[0]
    (before,) = client.soql("SELECT SystemModstamp FROM Lead")
    client.world.clock.advance(60)
    client.world.recalculate(id, {"Score__c": 2.0})
    assert client.soql("SELECT SystemModstamp, Score__c FROM Lead") == [{**before, "Score__c": 2.0}]
    assert codes(client.save("Lead", {"id": id, "Score__c": 3}, method="PATCH")) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


def test_an_org_can_have_other_statuses() -> None:
    """Lead statuses are data: the list given to the constructor is what LeadStatus and describe tell."""
    client = Client(SalesforceWorld(lead_statuses=(("New", False), ("Qualified", True))))
    rows = client.soql("SELECT ApiName, IsConverted, IsDefault FROM LeadStatus ORDER BY SortOrder")
    assert rows == [{"ApiName": "New", "IsConverted": False, "IsDefault": True}, {"ApiName": "Qualified", "IsConverted": True, "IsDefault": False}]


def test_versions_paths_and_sizes(client: Client) -> None:
    """Any supported version answers; a retired one is 410, a URI over 16 KB 414, nonsense 404 with the usual body."""
    assert client.ok("GET", "/services/data")[-1]["version"] == "67.0"
    assert client.call("GET", "/services/data/v62.0/sobjects/Lead/describe").status == 200
    assert client.refused("GET", "/services/data/v30.0/limits")[0] == 410
    assert client.refused("GET", "/services/data/v99.0/limits")[:2] == (404, "NOT_FOUND")
    assert client.refused("GET", "/sobjects/Nope/describe")[:2] == (404, "NOT_FOUND")
    assert client.refused("PUT", "/sobjects/Lead/", LEAD)[0] == 405
    assert client.call("GET", "/query/", query={"q": "x" * 17_000}).status == 414


def test_usage_is_told_and_limited() -> None:
    """Every answer tells the usage; at the limit there is nothing but REQUEST_LIMIT_EXCEEDED."""
    client = Client(SalesforceWorld(habits=Habits(daily_calls=2)))
    assert client.call("GET", "/limits/").headers["Sforce-Limit-Info"] == "api-usage=1/2"
    assert client.ok("GET", "/limits/")["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
    assert client.refused("GET", "/limits/") == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def test_calls_are_counted_by_template(client: Client) -> None:
    """Ids and locators do not split the count; hands and views are never counted."""
    id = client.world.load("Lead", [LEAD])[0]
    client.call("GET", f"/sobjects/Lead/{id}")
    client.call("GET", "/sobjects/Lead/describe")
    client.call("GET", "/query/", query={"q": "SELECT Id FROM Lead"})
    client.call("GET", "/query/01g000000000000AAA-2000")
    client.call("PATCH", "/sobjects/Lead/HubSpot_Id__c/5", LEAD)
    client.save("Lead", LEAD)
    client.call("POST", "/composite/sobjects/Lead", {"ids": [], "fields": ["Id"]})
    client.world.handle(Request("GET", "/_sandbox/records", "kind=Lead"))
    assert set(client.world.calls) == {
        f"GET {BASE}/sobjects/Lead/{{id}}",
        f"GET {BASE}/sobjects/Lead/describe",
        f"GET {BASE}/query",
        f"GET {BASE}/query/{{locator}}",
        f"PATCH {BASE}/sobjects/Lead/HubSpot_Id__c/{{value}}",
        f"POST {BASE}/composite/sobjects",
        f"POST {BASE}/composite/sobjects/Lead",
    }


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


# ---- sessions


def token(client: Client, **form: str) -> tuple[int, dict[str, Any]]:
    """Ask for a token."""
    response = client.world.handle(Request("POST", "/services/oauth2/token", "", {"host": "127.0.0.1:8041"}, urlencode(form).encode()))
    return response.status, json.loads(response.body)


APP = {"client_id": "sandbox-consumer-key", "client_secret": "sandbox-consumer-secret"}


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "client_credentials", **APP},
        {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token", **APP},
        {"grant_type": "password", "username": "integration@sandbox.example", "password": "sandbox-password" + "security-token", **APP},
    ],
)
def test_grants(client: Client, form: dict[str, str]) -> None:
    """Each grant gives a token that works after the old one has expired, without saying how long; a wrong secret is an OAuth error."""
    client.world.sessions.expire()
    assert client.refused("GET", "/limits/")[:2] == (401, "INVALID_SESSION_ID")
    status, body = token(client, **form)
    assert (status, body["instance_url"], "expires_in" in body) == (200, "http://127.0.0.1:8041", False)
    client.token = body["access_token"]
    assert client.call("GET", "/limits/").status == 200
    assert token(client, **{**form, "client_secret": "wrong"}) == (400, {"error": "invalid_client", "error_description": "invalid client credentials"})


PRIME_P = 2**521 - 1
PRIME_Q = 2**607 - 1


def signed(claims: Mapping[str, Any]) -> str:
    """A JWT signed with RS256 by a key made of two known primes."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    text = f"{part(json.dumps({'alg': 'RS256'}).encode())}.{part(json.dumps(claims).encode())}"
    modulus, size = PRIME_P * PRIME_Q, (521 + 607 + 7) // 8
    tail = bytes.fromhex("003031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    block = b"\x00\x01" + b"\xff" * (size - 2 - len(tail)) + tail
    secret = pow(65_537, -1, (PRIME_P - 1) * (PRIME_Q - 1))
    return f"{text}.{part(pow(int.from_bytes(block, 'big'), secret, modulus).to_bytes(size, 'big'))}"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, None),
        ({"aud": "https://test.salesforce.com"}, "audience is invalid"),
        ({"sub": "nobody"}, "user hasn't approved this consumer"),
        ({"exp": 1}, "assertion is expired"),
    ],
)
def test_jwt_bearer(changed: dict[str, Any], error: str | None) -> None:
    """A signed assertion is checked claim by claim."""
    client = Client(SalesforceWorld(app=ConnectedApp(public_key=(PRIME_P * PRIME_Q, 65_537))))
    claims = {"iss": APP["client_id"], "sub": "integration@sandbox.example", "aud": "https://login.salesforce.com", "exp": int(time.time()) + 180, **changed}
    status, body = token(client, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=signed(claims))
    assert (status, body.get("error_description")) == ((200, None) if error is None else (400, error))


def test_a_forged_assertion_is_refused() -> None:
    """With a public key given, a signature that does not fit gets no token."""
    client = Client(SalesforceWorld(app=ConnectedApp(public_key=(PRIME_P * PRIME_Q, 65_537))))
    claims = {"iss": APP["client_id"], "sub": "integration@sandbox.example", "aud": "https://login.salesforce.com", "exp": int(time.time()) + 180}
    head, _, signature = signed(claims).split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "x": 1}).encode()).decode().rstrip("=")
    assert token(client, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=f"{head}.{forged}.{signature}")[0] == 400


def test_sessions_rest_and_expire() -> None:
    """A session that has rested too long is over; introspect tells until when it lives, userinfo whose it is."""
    client = Client(SalesforceWorld(habits=Habits(session_s=0.0)))
    time.sleep(0.001)
    assert client.refused("GET", "/limits/")[:2] == (401, "INVALID_SESSION_ID")
    client.world.org.change_habits({"session_s": 7200.0})
    form = urlencode({**APP, "token": client.token}).encode()
    told = json.loads(client.world.handle(Request("POST", "/services/oauth2/introspect", "", {}, form)).body)
    assert told["active"] is True
    assert 0 < told["exp"] - time.time() <= 7200
    who = json.loads(client.call("GET", "/services/oauth2/userinfo").body)
    assert (who["organization_id"], who["user_id"]) == (client.world.org.org_id, client.world.org.integration)


# ---- hands over HTTP, ids, size


def hand(world: SalesforceWorld, named: str, /, **posted: Any) -> Any:
    """Use one hand over HTTP."""
    response = world.handle(Request("POST", f"/_sandbox/hands/{named}", "", {}, json.dumps(posted).encode()))
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_hands_over_http(client: Client) -> None:
    """Everything that somebody can do by hand can be done over HTTP, uncounted."""
    world = client.world
    hand(world, "define", kind="Lead", name="Tier__c", type="picklist", options=["A", "B"], restricted=True)
    first, second = hand(world, "load", kind="Lead", rows=[{**LEAD, "Tier__c": "A"}, LEAD])["ids"]
    third = hand(world, "create", kind="Lead", values=LEAD)["id"]
    hand(world, "edit", id=first, values={"Tier__c": "B"})
    hand(world, "merge", winner=first, losers=[second])
    made = hand(world, "convert", lead_id=first)
    assert normalise(made["contact"]) == made["contact"]
    hand(world, "delete", id=third)
    hand(world, "undelete", id=third)
    hand(world, "habits", tracked_fields=["Lead.Rating"], duplicate_rules="off")
    hand(world, "fail-rows", code="UNABLE_TO_LOCK_ROW")
    assert codes(client.save("Lead", LEAD)) == ["UNABLE_TO_LOCK_ROW"]
    hand(world, "expire-sessions")
    assert client.call("GET", "/limits/").status == 401
    records = json.loads(world.handle(Request("GET", "/_sandbox/records", "kind=Lead")).body)
    assert {one["Id"] for one in records} == {first, third}
    refused = world.handle(Request("POST", "/_sandbox/hands/edit", "", {}, json.dumps({"id": first, "values": {"Title": "x"}}).encode()))
    assert refused.status == 400
    assert b"CANNOT_UPDATE_CONVERTED_LEAD" in refused.body
    for name, posted in (
        ("habits", {"nope": 1}),
        ("edit", {"id": "nonsense", "values": {}}),
        ("load", {"kind": "Nope", "rows": []}),
        ("define", {"kind": "Lead"}),
    ):
        assert world.handle(Request("POST", f"/_sandbox/hands/{name}", "", {}, json.dumps(posted).encode())).status == 400


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=20, unique=True))
def test_ids_are_what_they_look_like(numbers: list[int]) -> None:
    """Ids ascend with their number, and their last three characters tell a changed case."""
    ids = [mint("00Q", number) for number in sorted(numbers)]
    assert ids == sorted(set(ids))
    for id in ids:
        assert normalise(id[:15]) == id == normalise(id)
        assert normalise(id.swapcase()) is None


def test_two_hundred_thousand_people_load_and_page_quickly() -> None:
    """Loading is a matter of seconds, and a change query does not walk through everybody."""
    client = Client(SalesforceWorld())
    began = time.perf_counter()
    ids = client.world.load(
        "Lead", ({"LastName": f"L{number}", "Company": "Acme", "Email": f"p{number}@x.com", "CreatedDate": number * 1000} for number in range(200_000))
    )
    loaded = time.perf_counter() - began
    client.soql("SELECT Id FROM Lead ORDER BY SystemModstamp, Id LIMIT 1")
    client.soql("SELECT Id FROM Lead WHERE Email = 'p1@x.com'")
    client.world.edit(ids[7], {"Title": "x"})
    began = time.perf_counter()
    keyset = f"SystemModstamp > 2026-01-01T00:00:00Z OR (SystemModstamp = 2026-01-01T00:00:00Z AND Id > '{ids[0]}')"
    for number in range(100):
        client.soql(f"SELECT Id, LastName FROM Lead WHERE {keyset} ORDER BY SystemModstamp, Id")
        client.soql(f"SELECT Id FROM Lead WHERE Email IN ('p{number}@x.com', 'P{number + 1}@x.com')")
    asked = time.perf_counter() - began
    assert loaded < 20
    assert asked < 2
