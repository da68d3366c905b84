"""The sandbox as a stranger's client meets it: plain HTTP, written from the vendors' documentation alone."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx
import pytest

from stagesync.sandbox.server import serve
from stagesync.sandbox.worlds import Worlds, build


class Doors(NamedTuple):
    """A client for each world, with its static token."""

    hubspot: httpx.Client
    salesforce: httpx.Client


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    """A few hundred people, shared by all tests here: each looks only at what it made."""
    return build(250, 1)


@pytest.fixture(scope="module")
def doors(worlds: Worlds) -> Iterator[Doors]:
    """Both worlds over real sockets."""
    with (
        serve(worlds.hubspot) as hubspot,
        serve(worlds.salesforce) as salesforce,
        httpx.Client(base_url=hubspot, headers={"Authorization": "Bearer pat-sandbox-token"}) as one,
        httpx.Client(base_url=f"{salesforce}/services", headers={"Authorization": "Bearer 00D-sandbox-session"}) as other,
    ):
        yield Doors(one, other)


def test_lists_are_followed_by_their_links(doors: Doors) -> None:
    """Names by commas or repeated, with and without a slash; the link of each page leads to the next one, at the same host and with the same question."""
    first = doors.hubspot.get("/crm/v3/objects/contacts/", params=[("properties", "email"), ("properties", "phone"), ("limit", "90")]).json()
    same = doors.hubspot.get("/crm/v3/objects/contacts", params={"properties": "email,phone", "limit": 90}).json()
    assert first["results"] == same["results"]
    seen, page = [row["id"] for row in first["results"]], first
    while "paging" in page:
        page = doors.hubspot.get(page["paging"]["next"]["link"]).json()
        assert all("email" in row["properties"] for row in page["results"])
        seen += [row["id"] for row in page["results"]]
    assert len(seen) == len(set(seen)) > 180
    assert seen == sorted(seen, key=int)


def test_a_contact_by_address(doors: Doors) -> None:
    """Created, found and changed by e-mail as `idProperty`, and found by a search for text."""
    made = doors.hubspot.post("/crm/v3/objects/contacts", json={"properties": {"email": "zoe@stranger.example", "lastname": "Zett"}})
    assert made.status_code == 201
    by_address = {"idProperty": "email"}
    changed = doors.hubspot.patch("/crm/v3/objects/contacts/zoe@stranger.example", params=by_address, json={"properties": {"city": "Oslo"}})
    found = doors.hubspot.get("/crm/v3/objects/contacts/zoe@stranger.example", params={**by_address, "properties": "city"}).json()
    searched = doors.hubspot.post("/crm/v3/objects/contacts/search", json={"query": "zoe@stranger.example"}).json()
    assert changed.status_code == 200
    assert found["properties"]["city"] == "Oslo"
    assert [row["id"] for row in searched["results"]] == [made.json()["id"]]


def test_tokens_by_oauth(doors: Doors) -> None:
    """The credentials that the documentation of the sandbox names open both worlds."""
    form = {"grant_type": "refresh_token", "client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}
    token = doors.hubspot.post("/oauth/2026-09/token", data=form).json()["access_token"]
    assert doors.hubspot.get("/crm/v3/owners", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    form = {"grant_type": "client_credentials", "client_id": "sandbox-consumer-key", "client_secret": "sandbox-consumer-secret"}
    token = doors.salesforce.post("/oauth2/token", data=form).json()["access_token"]
    assert doors.salesforce.get("/data/v59.0/limits", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_an_export_by_its_links(doors: Doors) -> None:
    """Whoever follows the link to the status, and from there the address of the file, gets everybody, without a token at the end."""
    asked = {"exportType": "VIEW", "format": "csv", "exportName": "Backup", "objectType": "contacts", "objectProperties": ["email"], "language": "EN"}
    status = doors.hubspot.post("/crm/v3/exports/export/async", json=asked).json()["links"]["status"]
    file = httpx.get(doors.hubspot.get(status).json()["result"])
    lines = list(csv.reader(file.text.splitlines()))
    assert lines[0] == ["Record ID", "Email"]
    assert sorted(line[0] for line in lines[1:]) == sorted(record["id"] for record in doors.hubspot.get("/_sandbox/records").json())


def test_a_wrong_token(doors: Doors) -> None:
    """401 in each vendor's own shape."""
    wrong = {"Authorization": "Bearer wrong"}
    hubspot, salesforce = doors.hubspot.get("/crm/v3/objects/contacts", headers=wrong), doors.salesforce.get("/data/v66.0/limits", headers=wrong)
    assert (hubspot.status_code, hubspot.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert (salesforce.status_code, salesforce.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_queries_in_pages(doors: Doors) -> None:
    """`batchSize` bounds a page, `nextRecordsUrl` leads on, with and without a slash before the question mark."""
    asked, small = {"q": "SELECT Id FROM Contact"}, {"Sforce-Query-Options": "batchSize=200"}
    doors.salesforce.post("/data/v66.0/composite/sobjects", json={"records": [{"attributes": {"type": "Contact"}, "LastName": f"P{n}"} for n in range(200)]})
    page = doors.salesforce.get("/data/v66.0/query", params=asked, headers=small).json()
    total, seen = page["totalSize"], [row["Id"] for row in page["records"]]
    assert (len(seen), page["done"]) == (200, False)
    while not page["done"]:
        page = doors.salesforce.get(page["nextRecordsUrl"].removeprefix("/services")).json()
        seen += [row["Id"] for row in page["records"]]
    assert len(set(seen)) == total == doors.salesforce.get("/data/v66.0/queryAll/", params=asked).json()["totalSize"]


def test_one_record_and_its_condition(doors: Doors) -> None:
    """`fields` of a single record, 204 for a change, 412 for one that came too late, 404 for what is not there."""
    id = doors.salesforce.post("/data/v66.0/sobjects/Lead/", json={"LastName": "Zett", "Company": "Firm"}).json()["id"]
    path = f"/data/v59.0/sobjects/Lead/{id}"
    assert doors.salesforce.get(path, params={"fields": "Id,LastName"}).json()["LastName"] == "Zett"
    assert doors.salesforce.patch(path, json={"Title": "Boss"}).status_code == 204
    late = doors.salesforce.patch(path, json={"Title": "Late"}, headers={"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"})
    assert late.status_code == 412
    assert doors.salesforce.delete(path).status_code == 204
    assert doors.salesforce.get(path).status_code == 404
    assert doors.salesforce.get("/data/v59.0/sobjects/Nothing").json()[0]["errorCode"] == "NOT_FOUND"


def test_only_the_vendors_calls_are_counted(doors: Doors) -> None:
    """Calls by method and path with the ids replaced; a look at the counters is none, and the clock of one world is not the other's."""
    doors.hubspot.post("/_sandbox/calls/reset")
    doors.hubspot.get("/crm/v3/objects/contacts/1")
    doors.hubspot.get("/_sandbox/records")
    assert doors.hubspot.get("/_sandbox/calls").json() == {"GET /crm/v3/objects/contacts/{id}": 1}
    before = _year(doors.hubspot.get("/_sandbox/calls"))
    doors.hubspot.post("/_sandbox/clock", json={"advance_s": 3 * 366 * 86_400})
    assert _year(doors.hubspot.get("/crm/v3/owners")) >= before + 3
    assert _year(doors.salesforce.get("/data")) < before + 3


def _year(answer: httpx.Response) -> int:
    return parsedate_to_datetime(answer.headers["Date"]).year
