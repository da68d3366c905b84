"""The worlds' worst days: pages cut short, rows and fields passed over in silence, rights that are lost, values that come out changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import orjson
import pytest

from stagesync.sandbox.alter import altered
from stagesync.sandbox.base import BaseWorld
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.wire import ReplyLost, Request, Response

CONTACTS = "/crm/v3/objects/contacts"
DATA = "/services/data/v66.0"


def asked(world: BaseWorld, method: str, path: str, body: object = None, query: str = "") -> Response:
    """The answer to one call."""
    token = "pat-sandbox-token" if isinstance(world, HubSpotWorld) else "00D-sandbox-session"
    sent = b"" if body is None else orjson.dumps(body)
    return world.handle(Request(method, path, query, {"authorization": f"Bearer {token}"}, sent))


def data(world: BaseWorld, method: str, path: str, body: object = None, query: str = "") -> Any:
    """What a call that succeeds answers."""
    answer = asked(world, method, path, body, query)
    assert answer.status < 300, answer.body
    return orjson.loads(answer.body)


def soql(world: SalesforceWorld, query: str, which: str = "query") -> dict[str, Any]:
    """The first page of a query."""
    return data(world, "GET", f"{DATA}/{which}", query=f"q={quote_plus(query)}")


@pytest.fixture
def portal() -> HubSpotWorld:
    """Five contacts."""
    world = HubSpotWorld()
    for number in range(5):
        world.create({"email": f"p{number}@x.example", "jobtitle": "CEO", "lastname": "L"})
    return world


@pytest.fixture
def org() -> SalesforceWorld:
    """Five Leads."""
    world = SalesforceWorld()
    for number in range(5):
        world.create("Lead", {"LastName": f"L{number}", "Company": "C", "Title": "CEO"})
    return world


@pytest.mark.parametrize("world", [HubSpotWorld(), SalesforceWorld()])
def test_every_trouble_has_its_name(world: BaseWorld) -> None:
    """Each is planned over HTTP by its name and strikes the call that it is meant for; a name that is none is answered with those that are."""
    for name, fault in world.troubles.items():
        planned = world.handle(Request("POST", "/_sandbox/faults", body=orjson.dumps({"trouble": name, "match": "GET /x", "skip": 1})))
        assert planned.status == 200
        assert (world.faults.hit("GET /other"), world.faults.hit("GET /x")) == (None, None)
        struck = world.faults.hit("GET /x")
        assert struck is not None
        assert (struck.kind, struck.status, struck.body) == (fault.kind, fault.status, fault.body)
    refused = world.handle(Request("POST", "/_sandbox/faults", body=b'{"trouble": "boredom"}'))
    assert refused.status == 400
    assert b"limit of the day" in refused.body


def test_refusals_are_worded_as_the_vendor_words_them(portal: HubSpotWorld, org: SalesforceWorld) -> None:
    """HubSpot's three 429s and Salesforce's own limit; a proxy's page in the place of JSON, at 200 too."""
    for name, policy in (("limit of the day", "DAILY"), ("limit of ten seconds", "TEN_SECONDLY_ROLLING"), ("limit of searches", None)):
        portal.faults.add(portal.troubles[name])
        answer = asked(portal, "GET", CONTACTS)
        assert (answer.status, orjson.loads(answer.body).get("policyName")) == (429, policy)
    org.faults.add(org.troubles["limit of the day"])
    answer = asked(org, "GET", f"{DATA}/limits")
    assert (answer.status, orjson.loads(answer.body)[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    org.faults.add(org.troubles["page 200"])
    answer = asked(org, "GET", f"{DATA}/limits")
    assert (answer.status, answer.headers["Content-Type"], answer.body[:5]) == (200, "text/html", b"<!DOC")
    org.faults.add(org.troubles["lost after"])
    with pytest.raises(ReplyLost):
        asked(org, "GET", f"{DATA}/limits")


def test_a_short_page_loses_nothing(portal: HubSpotWorld, org: SalesforceWorld) -> None:
    """List, search and query: fewer rows than were asked for, and the link behind them leads to the rest; the page after it is whole again."""
    short = Fault("short_page", rows=2)
    portal.faults.add(short)
    first = data(portal, "GET", CONTACTS, query="limit=100")
    rest = data(portal, "GET", CONTACTS, query=f"limit=100&after={first['paging']['next']['after']}")
    assert (len(first["results"]), len(rest["results"]), "paging" in rest) == (2, 3, False)
    portal.faults.add(short)
    first = data(portal, "POST", f"{CONTACTS}/search", {"limit": 100})
    rest = data(portal, "POST", f"{CONTACTS}/search", {"limit": 100, "after": first["paging"]["next"]["after"]})
    assert (len(first["results"]), len(rest["results"]), first["total"]) == (2, 3, 5)
    org.faults.add(short)
    page = soql(org, "SELECT Id FROM Lead ORDER BY Id")
    following = data(org, "GET", page["nextRecordsUrl"])
    assert (len(page["records"]), page["done"], len(following["records"]), following["done"]) == (2, False, 3, True)


def test_rows_that_are_passed_over_in_silence(portal: HubSpotWorld, org: SalesforceWorld) -> None:
    """Reads by id and writes answer with success and fewer rows than were asked for; what was written is written all the same."""
    ids = [each["id"] for each in portal.contacts()]
    portal.faults.add(Fault("missing_rows", rows=2))
    answer = data(portal, "POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": id} for id in ids]})
    assert ([row["id"] for row in answer["results"]], "errors" in answer) == (ids[:3], False)
    portal.faults.add(Fault("missing_rows"))
    answer = data(portal, "POST", f"{CONTACTS}/batch/update", {"inputs": [{"id": id, "properties": {"city": "Rome"}} for id in ids]})
    assert len(answer["results"]) == 4
    assert {each["properties"]["city"] for each in portal.contacts()} == {"Rome"}
    leads = [row["Id"] for row in org.rows("Lead")]
    org.faults.add(Fault("missing_rows"))
    assert len(data(org, "POST", f"{DATA}/composite/sobjects/Lead", {"ids": leads, "fields": ["Id"]})) == 4
    org.faults.add(Fault("missing_rows"))
    rows = [{"attributes": {"type": "Lead"}, "id": id, "City": "Rome"} for id in leads]
    assert len(data(org, "PATCH", f"{DATA}/composite/sobjects", {"records": rows})) == 4
    org.faults.add(Fault("missing_rows"))
    assert asked(org, "POST", f"{DATA}/composite/sobjects/Lead", {"ids": ["x"], "fields": ["Id"]}).status == 400


def test_fields_that_are_not_in_an_answer(portal: HubSpotWorld, org: SalesforceWorld) -> None:
    """For one call; the next one has them again."""
    portal.faults.add(Fault("missing_fields", fields=("jobtitle",)))
    seen = [data(portal, "GET", CONTACTS, query="properties=jobtitle,email")["results"][0]["properties"] for _ in range(2)]
    assert ("jobtitle" in seen[0], "email" in seen[0], seen[1]["jobtitle"]) == (False, True, "CEO")
    org.faults.add(Fault("missing_fields", fields=("Title",)))
    rows = [soql(org, "SELECT Id, Title FROM Lead")["records"][0] for _ in range(2)]
    assert ("Title" in rows[0], "Id" in rows[0], rows[1]["Title"]) == (False, True, "CEO")


def test_hubspots_lost_rights_are_silent(portal: HubSpotWorld) -> None:
    """A hidden property is absent everywhere, and refused where it is named in a filter or written; a locked one is shown. Hands see both."""
    id = next(each["id"] for each in portal.contacts())
    portal.switch(hidden_properties=["jobtitle"], locked_properties=["city"])
    described = {each["name"]: each for each in data(portal, "GET", "/crm/v3/properties/contacts")["results"]}
    assert ("jobtitle" in described, described["city"]["modificationMetadata"]["readOnlyValue"]) == (False, True)
    assert asked(portal, "GET", "/crm/v3/properties/contacts/jobtitle").status == 404
    assert "jobtitle" not in data(portal, "GET", f"{CONTACTS}/{id}", query="properties=jobtitle,city")["properties"]
    filters = {"filters": [{"propertyName": "jobtitle", "operator": "EQ", "value": "CEO"}]}
    assert asked(portal, "POST", f"{CONTACTS}/search", filters).status == 400
    for name, code in (("jobtitle", b"PROPERTY_DOESNT_EXIST"), ("city", b"READ_ONLY_VALUE")):
        refused = asked(portal, "PATCH", f"{CONTACTS}/{id}", {"properties": {name: "x"}})
        assert (refused.status, code in refused.body) == (400, True)
    portal.edit(id, {"jobtitle": "CTO", "city": "Rome"})
    portal.switch(hidden_properties=[])
    assert data(portal, "GET", f"{CONTACTS}/{id}", query="properties=jobtitle")["properties"]["jobtitle"] == "CTO"


def test_salesforces_lost_rights_break_queries_and_hide_records(org: SalesforceWorld) -> None:
    """A hidden field is an INVALID_FIELD; a record that is not shared is in no answer, not even among the deleted, and can be changed by hand only."""
    lead, other = (row["Id"] for row in list(org.rows("Lead"))[:2])
    org.org.change_habits({"hidden_fields": ["Lead.Title"], "hidden_records": [lead, other]})
    assert b"INVALID_FIELD" in asked(org, "GET", f"{DATA}/query", query="q=SELECT+Title+FROM+Lead").body
    assert "Title" not in [each["name"] for each in data(org, "GET", f"{DATA}/sobjects/Lead/describe")["fields"]]
    org.edit(lead, {"Title": "CTO"})
    org.delete(other)
    assert len(soql(org, "SELECT Id FROM Lead ORDER BY Id", "queryAll")["records"]) == 3
    assert soql(org, f"SELECT Id FROM Lead WHERE Id = '{lead}'", "queryAll")["records"] == []
    assert data(org, "POST", f"{DATA}/composite/sobjects/Lead", {"ids": [lead], "fields": ["Id"]}) == [None]
    assert asked(org, "GET", f"{DATA}/sobjects/Lead/{lead}").status == 404
    rows = [{"attributes": {"type": "Lead"}, "id": lead, "City": "Rome"}]
    assert data(org, "PATCH", f"{DATA}/composite/sobjects", {"records": rows})[0]["errors"][0]["statusCode"].startswith("INSUFFICIENT_ACCESS")
    assert data(org, "DELETE", f"{DATA}/composite/sobjects", query=f"ids={lead}")[0]["success"] is False
    org.org.change_habits({"hidden_fields": [], "hidden_records": []})
    assert soql(org, f"SELECT Title FROM Lead WHERE Id = '{lead}'")["records"][0]["Title"] == "CTO"


ALTERED = {"upper": "ANN  BERG", "lower": "ann  berg", "squeeze": "Ann Berg", "cut:4": "Ann", "append:!": "Ann  Berg!"}


@pytest.mark.parametrize(("how", "stored"), ALTERED.items())
def test_vendors_store_something_else(how: str, stored: str) -> None:
    """Whoever saves a value, by API or by hand: what is stored is another one, and no description tells so."""
    portal, org = HubSpotWorld(), SalesforceWorld()
    portal.switch(alters={"jobtitle": how})
    org.org.change_habits({"alters": {"Lead.Title": how}})
    values: Mapping[str, str] = {"email": "a@x.example", "jobtitle": "Ann  Berg"}
    first, second = data(portal, "POST", CONTACTS, {"properties": values})["id"], portal.create({**values, "email": "b@x.example"})
    assert [each["properties"]["jobtitle"] for each in portal.contacts()] == [stored, stored]
    assert first != second
    fields = {"LastName": "L", "Company": "C", "Title": "Ann  Berg"}
    data(org, "POST", f"{DATA}/sobjects/Lead", fields)
    org.create("Lead", fields)
    assert [row["Title"] for row in org.rows("Lead")] == [stored, stored]


def test_what_is_altered_how() -> None:
    """Telephone numbers keep their plus and digits; nothing stays nothing; an unknown way is refused."""
    assert altered("+49 (30) 12-34", "phone") == "+49301234"
    assert altered("", "append:!") == ""
    with pytest.raises(ValueError, match="squeeze"):
        altered("x", "reverse")
