"""Contacts and their companies at the HubSpot world: what comes with a new contact, and what the versions answer."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_wire import CONTACTS, Answer, Portal

from stagesync.sandbox.hubspot import Habits

VERSIONS = [("/crm/v4/associations", 201, 204), ("/crm/associations/2026-03", 201, 200), ("/crm/associations/2026-09", 200, 200)]


def bringing(company: str) -> list[dict[str, Any]]:
    """What a new contact has with it, to belong to a company from the beginning."""
    return [{"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}]


@pytest.mark.parametrize("batch", [True, False])
def test_new_contacts_bring_their_company(portal: Portal, batch: bool) -> None:
    """Alone or in a batch; a company that is not there is refused before the contact is made."""
    company = portal.world.create_company("Acme")

    def make(email: str, associations: Any) -> Answer:
        row = {"properties": {"email": email}, "associations": associations}
        return portal.batch("create", {**row, "objectWriteTraceId": "1"}) if batch else portal.call("POST", CONTACTS, row)

    assert make("a@example.com", bringing(company)).status == 201
    assert make("b@example.com", bringing("1")).status == (207 if batch else 404)
    (number,) = [each["id"] for each in portal.world.contacts()]
    shown = portal.get(number, "properties=associatedcompanyid&associations=companies").json
    assert shown["properties"]["associatedcompanyid"] == company
    kinds = ["contact_to_company", "contact_to_company_unlabeled"]
    assert shown["associations"]["companies"]["results"] == [{"id": company, "type": kind} for kind in kinds]
    listed = portal.call("GET", CONTACTS, query="associations=companies").json["results"]
    assert listed[0]["associations"] == shown["associations"]


@pytest.mark.parametrize(("path", "made", "parted"), VERSIONS)
def test_statuses_of_associations_depend_on_the_version(portal: Portal, path: str, made: int, parted: int) -> None:
    """The numbered version parts with an empty 204, the dated ones with a 200 and a body; the newest one has that for what it makes, too."""
    number, company = portal.world.create({"email": "a@example.com"}), portal.world.create_company("Acme")
    link = {"from": {"id": number}, "to": {"id": company}, "types": bringing(company)[0]["types"]}
    assert portal.call("POST", f"{path}/contacts/companies/batch/create", {"inputs": [link]}).status == made
    answer = portal.call("POST", f"{path}/contacts/companies/batch/archive", {"inputs": [{**link, "to": [link["to"]]}]})
    assert (answer.status, answer.json is None) == (parted, parted == 204)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_merge_joins_the_companies(keeps: bool) -> None:
    """The contact that is left belongs to the companies of both, and the primary one is that which it shows."""
    portal = Portal(Habits(merge_preserves_primary_id=keeps))
    ids, firms = [portal.world.create({"email": f"{name}@example.com"}) for name in "ab"], [portal.world.create_company(name) for name in "xy"]
    for id, firm in zip(ids, firms, strict=True):
        portal.world.associate(id, firm)
    left = portal.world.merge(*ids)
    shown = portal.get(left, "properties=associatedcompanyid&associations=companies").json
    linked = shown["associations"]["companies"]["results"]
    assert linked[0]["id"] == shown["properties"]["associatedcompanyid"]
    assert {each["id"] for each in linked} == set(firms)
