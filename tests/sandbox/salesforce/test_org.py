"""What the Salesforce world tells of its org: descriptions, statuses, versions, ids, sizes, and the use of its limits."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from salesforce_wire import BASE, LEAD, Client, codes

from stagesync.sandbox.salesforce import Habits, SalesforceWorld
from stagesync.sandbox.salesforce.ids import mint, normalise
from stagesync.sandbox.wire import Request


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


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=20, unique=True))
def test_ids_are_what_they_look_like(numbers: list[int]) -> None:
    """Ids ascend with their number, and their last three characters tell a changed case."""
    ids = [mint("00Q", number) for number in sorted(numbers)]
    assert ids == sorted(set(ids))
    for id in ids:
        assert normalise(id[:15]) == id == normalise(id)
        assert normalise(id.swapcase()) is None


def test_many_people_load_and_page_quickly() -> None:
    """Loading is a matter of seconds, and a change query does not walk through everybody."""
    client = Client(SalesforceWorld())
    began = time.process_time()
    ids = client.world.load(
        "Lead", ({"LastName": f"L{number}", "Company": "Acme", "Email": f"p{number}@x.com", "CreatedDate": number * 1000} for number in range(50_000))
    )
    loaded = time.process_time() - began
    client.soql("SELECT Id FROM Lead ORDER BY SystemModstamp, Id LIMIT 1")
    client.soql("SELECT Id FROM Lead WHERE Email = 'p1@x.com'")
    client.world.edit(ids[7], {"Title": "x"})
    began = time.process_time()
    keyset = f"SystemModstamp > 2026-01-01T00:00:00Z OR (SystemModstamp = 2026-01-01T00:00:00Z AND Id > '{ids[0]}')"
    for number in range(100):
        client.soql(f"SELECT Id, LastName FROM Lead WHERE {keyset} ORDER BY SystemModstamp, Id")
        client.soql(f"SELECT Id FROM Lead WHERE Email IN ('p{number}@x.com', 'P{number + 1}@x.com')")
    asked = time.process_time() - began
    assert loaded < 5
    assert asked < 2
