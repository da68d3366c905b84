"""Contacts and companies joined from either side at the HubSpot world, over sockets, as public clients do it; refusals as in public recordings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.server import serve

PRIMARY = {"THERE": {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}, "BACK": {"category": "HUBSPOT_DEFINED", "typeId": 2, "label": "Primary"}}
PLAIN = {"THERE": {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}, "BACK": {"category": "HUBSPOT_DEFINED", "typeId": 280, "label": None}}


class Desk(NamedTuple):
    """Somebody with a token, at a portal that has two contacts and two companies."""

    web: httpx.Client
    contacts: list[str]
    companies: list[str]

    def shown(self, contact: str) -> str | None:
        """The company that a contact shows."""
        return self.web.get(f"/crm/v3/objects/contacts/{contact}?properties=associatedcompanyid").json()["properties"]["associatedcompanyid"]


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A portal over a socket."""
    world = HubSpotWorld()
    contacts = world.load([{"email": f"{name}@x.example"} for name in "ab"])
    companies = [world.create_company(name) for name in ("Acme", "Other")]
    with serve(world) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer pat-sandbox-token"}) as web:
        yield Desk(web, contacts, companies)


@pytest.mark.parametrize("where", ["/crm/v4/objects", "/crm/objects/2026-09"])
def test_one_pair_at_a_time(desk: Desk, where: str) -> None:
    """Joined by the default type or by types of one's own, told from both sides, and parted."""
    (ann, _), (acme, other) = desk.contacts, desk.companies
    made = desk.web.put(f"{where}/contacts/{ann}/associations/default/companies/{acme}")
    assert (made.status_code, made.json()["results"][0]["associationSpec"]["associationTypeId"]) == (200, 279)
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}]
    joined = desk.web.put(f"{where}/companies/{other}/associations/contacts/{ann}", json=types)
    assert joined.status_code == 201
    assert joined.json() == {"fromObjectTypeId": "0-2", "fromObjectId": other, "toObjectTypeId": "0-1", "toObjectId": ann, "labels": []}
    assert desk.shown(ann) == other
    told = desk.web.get(f"{where}/contacts/{ann}/associations/companies").json()["results"]
    assert told == [
        {"toObjectId": other, "associationTypes": [PRIMARY["THERE"], PLAIN["THERE"]]},
        {"toObjectId": acme, "associationTypes": [PLAIN["THERE"]]},
    ]
    back = desk.web.get(f"{where}/companies/{other}/associations/contacts").json()["results"]
    assert back == [{"toObjectId": ann, "associationTypes": [PRIMARY["BACK"], PLAIN["BACK"]]}]
    assert desk.web.delete(f"{where}/companies/{other}/associations/contacts/{ann}").status_code == 204
    assert desk.shown(ann) == acme


def test_many_from_the_companies_side(desk: Desk) -> None:
    """Kinds in capitals and ids as numbers, as older clients write them."""
    acme = int(desk.companies[0])
    path = "/crm/v4/associations/Company/CONTACT/batch"
    rows: list[dict[str, Any]] = [
        {"from": {"id": acme}, "to": {"id": int(each)}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}]} for each in desk.contacts
    ]
    assert desk.web.post(f"{path}/create", json={"inputs": rows}).status_code == 201
    assert [desk.shown(each) for each in desk.contacts] == [str(acme)] * 2
    read = desk.web.post(f"{path}/read", json={"inputs": [{"id": str(acme)}]}).json()["results"]
    assert [each["toObjectId"] for each in read[0]["to"]] == desk.contacts
    v3 = desk.web.get(f"/crm/v3/objects/companies/{acme}/associations/contacts").json()["results"]
    assert [each["type"] for each in v3] == ["company_to_contact", "company_to_contact_unlabeled"] * 2
    parted = desk.web.post(f"{path}/archive", json={"inputs": [{"from": {"id": acme}, "to": [{"id": int(each)} for each in desk.contacts]}]})
    assert parted.status_code == 204
    assert [desk.shown(each) for each in desk.contacts] == [None] * 2


def test_a_pair_of_which_one_is_not_there(desk: Desk) -> None:
    """In a batch the error names it in its sentence only; alone the call is refused."""
    row = {"from": {"id": desk.contacts[0]}, "to": {"id": "1234"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}
    answer = desk.web.post("/crm/v4/associations/contacts/companies/batch/create", json={"inputs": [row]})
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "COMPANY=1234 is not valid"}
    assert answer.status_code == 207
    assert (answer.json()["numErrors"], answer.json()["errors"], answer.json()["results"]) == (1, [error], [])
    alone = desk.web.put(f"/crm/v4/objects/contacts/1234/associations/default/companies/{desk.companies[0]}")
    assert (alone.status_code, alone.json()["message"]) == (400, "CONTACT=1234 is not valid")


def test_labels_and_what_is_not_there(desk: Desk) -> None:
    """Each way has two types of HubSpot's own; other kinds, other calls and a company that is none are not found."""
    for start, end, way in (("contacts", "companies", "THERE"), ("companies", "contacts", "BACK")):
        labels = desk.web.get(f"/crm/v4/associations/{start}/{end}/labels").json()
        assert labels == {"results": [PRIMARY[way], PLAIN[way]]}
    missing = [
        "/crm/v4/objects/contacts/1/associations/deals",
        "/crm/v4/objects/companies/1/associations/contacts",
        "/crm/v4/objects/contacts/x/associations/companies",
        "/crm/v4/objects/contacts/1/associations",
        "/crm/v4/associations/contacts/deals/labels",
        "/crm/v4/associations/contacts",
    ]
    assert {desk.web.get(path).status_code for path in missing} == {404}


@pytest.mark.parametrize("kind", ["CONTACT", "Contacts", "0-1"])
def test_kinds_in_capitals(desk: Desk, kind: str) -> None:
    """HubSpot takes a kind's name in any case."""
    found = desk.web.post(f"/crm/v3/objects/{kind}/search", json={"filterGroups": [], "properties": ["email"], "limit": 5, "after": "0", "sorts": []})
    assert found.json()["total"] == 2
    assert desk.web.get(f"/crm/v3/properties/{kind}/email").status_code == 200
