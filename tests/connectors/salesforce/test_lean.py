"""The Salesforce connector against a server that has only what the documentation promises, or less."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import orjson
import pytest
from lean_world import LeanWorld
from salesforce_org import Drawer, Hand, NoLimits, settings

from stagesync.connectors.contract import Ports
from stagesync.connectors.salesforce.connector import SalesforceConnector, open_org
from stagesync.connectors.salesforce.evidence import CHANGED, CREATED, FIELDS, STAGE, STATE
from stagesync.model.records import Present, Query, Ref
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response

V66 = "/services/data/v66.0"
NOT_FOUND = json_response([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
LEAD = "00Q5g000000H0B1EAK"
NAMES = ("Id", "IsDeleted", "SystemModstamp", "LastName", "Email", "IsConverted")
STAMP = "2026-03-05T13:45:00.000+0000"


def field(name: str) -> dict[str, Any]:
    """A field of a describe with no more than its type and rights."""
    return {"name": name, "label": name, "type": "string", "createable": True, "updateable": True}


def refused(code: str, message: str) -> Response:
    """An error as Salesforce writes it."""
    return json_response([{"errorCode": code, "message": message}], 400)


def query(request: Request) -> Response:
    """One Lead, no Contact, no other object, and no field beyond NAMES."""
    found = re.match(r"SELECT (\S+) FROM (\w+)", request.arg("q"))
    assert found is not None
    names, source = found.group(1).split(","), found.group(2)
    if source not in ("Lead", "Contact"):
        return refused("MALFORMED_QUERY", f"{source} is not known here")
    if unknown := [name for name in names if name not in NAMES]:
        return refused("INVALID_FIELD", f"No such column '{unknown[0]}' on entity '{source}'.")
    row = {
        "attributes": {"type": "Lead"},
        **{name: {"Id": LEAD, "SystemModstamp": STAMP, "IsDeleted": False, "IsConverted": False}.get(name) for name in names},
    }
    return json_response({"totalSize": 1, "done": True, "records": [row] if source == "Lead" else []})


def collection(request: Request) -> Response:
    """The same by id."""
    names = orjson.loads(request.body)["fields"]
    if unknown := [name for name in names if name not in NAMES]:
        return refused("INVALID_FIELD", f"No such column '{unknown[0]}' on entity 'Lead'.")
    values = {"Id": LEAD, "SystemModstamp": STAMP, "IsConverted": False, "LastName": "Berg"}
    return json_response([{"attributes": {"type": "Lead"}, **{name: values.get(name) for name in names}}])


DESCRIBED = {"createable": True, "updateable": True, "fields": [field(name) for name in (*NAMES, "Status")]}
LEAN: dict[str, Any] = {
    f"GET {V66}/query/": query,
    f"GET {V66}/queryAll/": query,
    f"POST {V66}/composite/sobjects/Lead": collection,
    f"GET {V66}/sobjects/Lead/describe": DESCRIBED,
    f"GET {V66}/sobjects/Contact/describe": DESCRIBED,
}


def opened(answers: dict[str, Any], missing: Response = NOT_FOUND, **given: Any) -> SalesforceConnector:
    """The connector to a server that has these answers."""
    return open_org("crm", settings(**given), Ports(Hand(), NoLimits(), Drawer()), WorldAdapter(LeanWorld(answers, missing)))


def ids(connector: SalesforceConnector) -> list[str]:
    """The Leads that a first pull gives."""
    return [record.ref.id for page in connector.pull(Query({"lead": ("LastName",)})) for record in page.records]


def test_an_org_that_tells_nothing_of_itself_is_described() -> None:
    """Organization, users, LeadStatus, Account and who we are stay closed, however they are refused: findings, no errors."""
    connector = opened(LEAN)
    assert connector.identity().id == "org.my.salesforce.com"
    described = connector.describe()
    assert set(described.kinds["lead"].fields) == {*NAMES, "Status"}
    assert not any(each.required for each in described.kinds["lead"].fields.values())
    assert any("does not tell its id" in finding for finding in described.findings)
    assert any("LeadStatus cannot be read" in finding for finding in described.findings)


def test_an_organization_with_nothing_but_its_id_is_enough() -> None:
    """Where name and time zone are not known, the id alone is asked for."""

    def organization(request: Request) -> Response:
        if request.arg("q") != "SELECT Id FROM Organization":
            return refused("INVALID_FIELD", "No such column 'TimeZoneSidKey' on entity 'Organization'.")
        return json_response({"totalSize": 1, "done": True, "records": [{"attributes": {"type": "Organization"}, "Id": "00D5g000004XYZA"}]})

    found = opened({f"GET {V66}/query/": organization}).identity()
    assert (found.id, found.name, found.zone) == ("00D5g000004XYZAEA4", "", "UTC")


def test_columns_of_our_bookkeeping_are_left_out_where_they_are_hidden() -> None:
    """Who wrote last, merges and conversions are then not known; the records are read all the same, in pages and by id."""
    connector = opened(LEAN)
    assert ids(connector) == [LEAD]
    seen = connector.fetch([Ref("lead", LEAD)], {"lead": ("LastName",)}, history=("LastName",))[0]
    assert isinstance(seen, Present)
    assert seen.record.values == {"LastName": "Berg"}
    assert seen.history == {}


@pytest.mark.parametrize("missing", [NOT_FOUND, Response(404, {"Content-Type": "text/plain"}, b"Not Found"), Response(307, {"Location": f"{V66}/query"})])
def test_queries_are_found_with_and_without_the_slash(missing: Response) -> None:
    """The reference writes `query?q=`, the official clients send `query/?q=`."""
    assert ids(opened({f"GET {V66}/query": query}, missing)) == [LEAD]


CONTACT, DEAL = "0035g000000H0C1EAK", "0065g000000H0D1EAK"
OPEN = {"IsWon": False, "IsClosed": False, "StageName": "Prospecting", "LastStageChangeDate": None, "CreatedDate": STAMP}
ROWS = {
    "Contact": {"Id": CONTACT, "SystemModstamp": STAMP, "IsDeleted": False, "LastName": "Berg"},
    "Opportunity": {"Id": DEAL, "SystemModstamp": STAMP, **OPEN},
    "OpportunityContactRole": {"Id": "00K5g000000H0E1EAK", "ContactId": CONTACT, "SystemModstamp": STAMP, "Opportunity": OPEN},
}
SIMPLE = re.compile(r"SELECT (\S+) FROM (\w+)(?: WHERE (\w+) (?:>=? \S+|IN \(\S+\)|= \S+))?(?: ORDER BY [\w, ]+)?(?: LIMIT 1)?")


def simple(request: Request) -> Response:
    """Contacts, opportunities and roles, one row of each: one condition is understood, and no `OR`."""
    found = SIMPLE.fullmatch(request.arg("q"))
    if found is None or found.group(2) not in ROWS:
        return refused("MALFORMED_QUERY", "unexpected token")
    names = [name.partition(".")[0] for name in found.group(1).split(",")]
    return json_response({"done": True, "records": [{name: ROWS[found.group(2)].get(name) for name in names}]})


def test_an_org_that_understands_one_condition_tells_what_its_opportunities_say() -> None:
    """Roles are described, a query with `OR` is refused, campaigns are not known: the contact and its deal come, at first and when either changes."""
    described = {"fields": [field(name) for name in ("Id", "LastName")]}
    connector = opened({**LEAN, f"GET {V66}/query/": simple, f"GET {V66}/queryAll/": simple, f"GET {V66}/sobjects/Contact/describe": described})
    asked = {"contact": ("LastName", *FIELDS)}
    assert connector.describe().kinds["contact"].fields.keys() >= set(FIELDS)
    cursor = None
    for _ in range(2):
        pages = list(connector.pull(Query(asked, cursor, signals=True)))
        cursor = pages[-1].cursor
        values = [record.values for page in pages for record in page.records]
        assert values[0] == {"LastName": "Berg", STATE: "open", STAGE: "Prospecting", CHANGED: None, CREATED: STAMP}
        assert [finding for page in pages for finding in page.findings] == ["responses to campaigns cannot be read: MALFORMED_QUERY: unexpected token"]


def test_an_older_version_is_taken_where_ours_is_not_served() -> None:
    """The newest listed one below ours; one that somebody asked for by name is never replaced."""
    old = {path.replace("v66.0", "v59.0"): answer for path, answer in LEAN.items()}
    listed = {"GET /services/data": [{"version": version} for version in ("58.0", "59.0", "99.0")]}
    assert ids(opened({**old, **listed})) == [LEAD]
    with pytest.raises(Exception, match="NOT_FOUND"):
        ids(opened({**old, **listed}, api_version="66.0"))


@pytest.mark.parametrize("missing", [NOT_FOUND, Response(404, {"Content-Type": "text/plain"}, b"404 page not found")])
def test_an_org_without_collections_is_read_by_queries(missing: Response) -> None:
    """Who emulates an org often leaves reads of many records out: over a socket, a record by its id comes by a query, with what was asked for."""
    without = {path: answer for path, answer in LEAN.items() if "composite" not in path}
    with serve(LeanWorld(without, missing)) as url, closing(open_org("crm", settings(instance_url=url), Ports(Hand(), NoLimits(), Drawer()))) as connector:
        (seen,) = connector.fetch([Ref("lead", LEAD)], {"lead": ("LastName",)})
    assert isinstance(seen, Present)
    assert seen.record.values == {"LastName": None}
