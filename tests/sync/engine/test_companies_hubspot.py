"""Contacts in HubSpot are associated with their companies: found by domain or name though search lags, made where allowed, and never taken from another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicAssociationMultiArchive, BatchInputPublicAssociationMultiPost
from hubspot_portal import settings
from lab import Lab
from office import NoLimits, Office
from salesforce_org import Drawer, Hand
from urllib3 import Retry

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import open_account
from stagesync.model.companies import Company, Linked
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sync import engine
from stagesync.sync.sending import failures
from stagesync.sync.undoing.undo import plan_undo

ANNA = "anna@ash.example"
LAG = 5.0


def linking(**companies: str) -> dict[str, Any]:
    """What an office is told so that its portal's contacts are linked."""
    return {"overrides": {"hub": {"companies": companies}}, "hub_habits": Habits(search_lag_s=LAG)}


def lead(office: Office, email: str, last: str, company: str) -> str:
    """Somebody's Lead in the org."""
    return office.crm.create("Lead", {"Email": email, "LastName": last, "Company": company})


def company_of(office: Office, email: str) -> str | None:
    """The name of the contact's primary company."""
    id = office.contact(email).get("associatedcompanyid") or None
    return next((each["name"] for each in office.hub.companies() if each["id"] == id), None)


def names(office: Office) -> list[str]:
    """The portal's companies."""
    return sorted(each["name"] for each in office.hub.companies())


def test_new_contacts_come_with_their_company(tmp_path: Path) -> None:
    """One that is there is found by its domain, one is made for two people, and a link that somebody set stays, whatever the company says."""
    office = Office(tmp_path, **linking(by="domain"))
    there, other = office.hub.create_company("BELL Group", "bell.example"), office.hub.create_company("Other", "other.example")
    office.hub.associate(office.hub.create({"email": "ed@ash.example", "lastname": "Eden"}), other)
    office.later()
    for email, last, company in (
        (ANNA, "Ash", "Ash Ltd"),
        ("al@ash.example", "Alder", "Ash"),
        ("bo@bell.example", "Bell", "Bell"),
        ("ed@ash.example", "Eden", "Ash"),
    ):
        lead(office, email, last, company)
    office.quiet()
    assert {email: company_of(office, email) for email in (ANNA, "al@ash.example", "bo@bell.example", "ed@ash.example")} == {
        ANNA: "Ash Ltd",
        "al@ash.example": "Ash Ltd",
        "bo@bell.example": "BELL Group",
        "ed@ash.example": "Other",
    }
    assert (names(office), there != other) == (["Ash Ltd", "BELL Group", "Other"], True)
    assert office.person(ANNA)["Company"] == "Ash Ltd"


@pytest.mark.parametrize("moves", [True, False])
def test_a_link_of_ours_follows_and_one_of_somebodys_stays(tmp_path: Path, moves: bool) -> None:
    """Whoever changes company gets another primary one and stays with the first besides; whom somebody has linked is left alone, seen or not."""
    office = Office(tmp_path, **linking(by="name"))
    office.hub.switch(association_moves_stamp=moves)
    id = lead(office, ANNA, "Ash", "Acme")
    office.quiet()
    office.later()
    office.crm.edit(id, {"Company": "Bell"})
    office.quiet()
    contact = office.contact(ANNA)
    assert (company_of(office, ANNA), len(office.hub.firms.members[int(contact["id"])])) == ("Bell", 2)
    office.later()
    office.hub.associate(contact["id"], office.hub.create_company("Chosen"))
    office.crm.edit(id, {"Company": "Dole"})
    office.quiet()
    assert (company_of(office, ANNA), names(office)) == ("Chosen", ["Acme", "Bell", "Chosen"])


def test_a_link_that_is_undone_is_not_set_again(tmp_path: Path) -> None:
    """A contact that was there is taken out of the company again, and stays so."""
    office = Office(tmp_path, **linking(by="name"))
    office.hub.create({"email": ANNA, "lastname": "Ash", "company": "Acme"})
    lead(office, ANNA, "Ash", "Acme")
    run = office.run().run
    assert company_of(office, ANNA) == "Acme"
    made = plan_undo(office.session, run)
    engine.apply(office.session, made.plan.run, planned=made.plan)
    office.quiet()
    assert (company_of(office, ANNA), made.companies) == (None, {"hub"})


def test_without_the_scopes_people_are_written_all_the_same(tmp_path: Path) -> None:
    """Companies are refused by name, however many they are; nobody waits for them, and the run is not stopped by them."""
    office = Office(tmp_path, **linking(by="name"))
    for number in range(25):
        office.hub.create({"email": f"p{number}@x.example", "lastname": f"P{number}", "company": "Xylo"})
    office.hub.switch(scopes=tuple(scope for scope in office.hub.habits.scopes if "companies" not in scope))
    lead(office, ANNA, "Ash", "Acme")
    office.quiet()
    assert (office.contact(ANNA)["company"], company_of(office, ANNA)) == ("Acme", None)
    with office.session.store.read() as tx:
        (cause,) = failures.causes(tx, office.session.workspace)
    assert (cause.code, cause.count, "crm.objects.companies" in cause.sentence) == ("MISSING_SCOPES", 26, True)


class Companies(Lab):
    """Four people of three companies, one of which is there already, before their first run. `planned`: calls before its first write."""

    planned = 0

    def _ask(self, planned: engine.PlanReport) -> None:
        self.planned = self.calls["hub"]
        super()._ask(planned)


def begun(folder: Path) -> Companies:
    """A lab that is about to make its first run."""
    lab = Companies(folder, overrides={"hub": {"companies": {"by": "domain"}}})
    lab.hub.switch(search_lag_s=LAG)
    lab.hub.create_company("There", "there.example")
    lab.hub.create({"email": "cy@new.example", "lastname": "Cole"})
    lab.later()
    people = (("a@acme.example", "Ash", "Acme"), ("b@acme.example", "Bell", "Acme"), ("cy@new.example", "Cole", "New"), ("d@there.example", "Dole", "There"))
    for address, last, company in people:
        lead(lab, address, last, company)
    return lab


def ended(lab: Lab) -> Mapping[str, str | None]:
    """Address -> company, once nothing is left to do. Whoever takes over from a dead program waits first until its last request cannot land any more."""
    lab.calm()
    lab.later(next(each.connector.capabilities.lands_s for each in lab.session.systems.values() if each.name == "hub"))
    lab.quiet()
    assert names(lab) == ["Acme", "New", "There"]
    return {email: company_of(lab, email) for email in LINKED}


LINKED = {"a@acme.example": "Acme", "b@acme.example": "Acme", "cy@new.example": "New", "d@there.example": "There"}


def test_a_run_that_dies_before_any_call_makes_no_second_company(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Though search shows a company only after a while: one of each in the end, and everybody is linked."""
    whole = begun(tmp_path_factory.mktemp("state"))
    whole.round()
    first, last = whole.planned + 1, whole.calls["hub"]
    assert (ended(whole), last - first > 6) == (LINKED, True)
    for number in range(first, last + 1):
        lab = begun(tmp_path_factory.mktemp("state"))
        lab.dies_at = ("hub", number)
        lab.round()
        assert "-- died, started again" in lab.story, number
        assert ended(lab) == LINKED, (number, lab.story)
        lab.store.close()


@pytest.mark.parametrize("call", ["/crm/v3/objects/companies/batch/create", "/crm/v4/associations/contacts/companies/batch/create"])
def test_a_run_that_dies_once_a_call_was_carried_out_leaves_nothing_doubled(tmp_path: Path, call: str) -> None:
    """The companies are made, or the people linked, and nobody has heard of it."""
    lab = begun(tmp_path)

    def die() -> None:
        lab.dead = True

    lab.after = ("hub", f"POST {call}", die)
    lab.round()
    assert ended(lab) == LINKED


@pytest.mark.parametrize("call", ["/crm/v3/objects/companies/batch/create", "/crm/v4/associations/contacts/companies/batch/create"])
@pytest.mark.parametrize("way", ["lost_before", "lost_after"])
def test_an_answer_that_is_lost_leaves_nothing_doubled(tmp_path: Path, call: str, way: Any) -> None:
    """What became of it is looked up."""
    lab = begun(tmp_path)
    lab.hub.faults.add(Fault(way, match=f"POST {call}"))
    lab.round()
    assert ended(lab) == LINKED


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_companies_are_found_and_made_on_both_kinds_of_version(version: str) -> None:
    """A company is used once search shows it; many values go in several searches, and one of two with a domain is told by its name."""
    hand = Hand()
    world = HubSpotWorld(clock=WorldClock(lambda: hand.at), habits=Habits(search_lag_s=LAG))
    connector = open_account("hub", settings(api_version=version), Ports(hand, NoLimits(), Drawer()), WorldPool(world))
    one, _ = world.create_company("Acme Inc", "acme.example"), world.create_company("Old Acme", "acme.example")
    hand.at += 60
    before = hand.at
    wanted = [Company("ACME", "acme.example"), *(Company(f"Company {number}", f"number{number}.example") for number in range(150))]
    found = connector.companies(wanted, "domain", make=True)
    assert isinstance(found[0], Linked) and found[0].id == one
    assert all(isinstance(each, Linked) for each in found)
    assert (len(world.companies()), hand.at - before >= LAG) == (152, True)
    assert connector.companies(wanted, "domain", make=True) == found
    connector.close()


def test_the_official_client_makes_and_links_companies() -> None:
    """Company, contact with an association, another association, and none, as HubSpot's own client has them."""
    world = HubSpotWorld()
    client: Any = HubSpot(access_token="pat-sandbox-token", retry=Retry(total=0))

    def wired(api: Any) -> Any:
        api.api_client.rest_client.pool_manager = WorldPool(world)
        return api

    company = wired(client.crm.companies.basic_api).create({"properties": {"name": "Acme", "domain": "acme.example"}}).id
    link = {"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}
    made = wired(client.crm.contacts.batch_api).create({"inputs": [{"properties": {"email": ANNA}, "associations": [link]}]}).results[0].id
    basic = wired(client.crm.contacts.basic_api)
    assert basic.get_by_id(made, properties=["associatedcompanyid"]).properties["associatedcompanyid"] == company
    asked = {"filterGroups": [{"filters": [{"propertyName": "domain", "operator": "EQ", "value": "acme.example"}]}], "properties": ["name"], "limit": 5}
    assert [row.id for row in wired(client.crm.companies.search_api).do_search(asked).results] == [company]
    api = wired(client.crm.associations.v4.batch_api)
    pair = {"from": {"id": made}, "to": [{"id": company}]}
    api.archive("contacts", "companies", BatchInputPublicAssociationMultiArchive(inputs=[pair]))
    assert basic.get_by_id(made, properties=["associatedcompanyid"]).properties["associatedcompanyid"] is None
    joined = {"from": {"id": made}, "to": {"id": company}, "types": link["types"]}
    told = api.create("contacts", "companies", BatchInputPublicAssociationMultiPost(inputs=[joined]))
    assert (told.results[0].from_object_id, told.results[0].to_object_id) == (made, company)
    assert basic.get_by_id(made, properties=["associatedcompanyid"]).properties["associatedcompanyid"] == company
