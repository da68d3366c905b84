"""Decisions about stages, values, runs and the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from acquainted import ANNA, known
from office import Office
from questions import questions

from stagesync.model.errors import Busy
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.state import leases
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Settings

# -- stages


def test_the_opportunity_of_a_conversion_is_evidence(tmp_path: Path) -> None:
    """A Lead converted with an opportunity is an opportunity, one without is qualified by sales."""
    office = Office(tmp_path)
    for name in ("a", "b"):
        office.crm.create("Lead", {"Email": f"{name}@a.example", "LastName": "Ash", "Company": "Inc"})
    office.run()
    office.later()
    office.crm.convert(office.person("a@a.example")["Id"])
    office.crm.convert(office.person("b@a.example")["Id"], opportunity=False)
    office.quiet()
    assert office.contact("a@a.example")["lifecyclestage"] == "opportunity"
    assert office.contact("b@a.example")["lifecyclestage"] == "salesqualifiedlead"


def test_going_backward_in_hubspot(tmp_path: Path) -> None:
    """HubSpot ignores a stage that goes back: it is cleared first, then set, in the portal's own order."""
    office, _ = known(tmp_path)
    lead = office.person(ANNA)["Id"]
    office.crm.edit(lead, {"Status": "Sales Qualified"})
    office.run()
    office.later()
    assert office.contact(ANNA)["lifecyclestage"] == "salesqualifiedlead"
    office.crm.edit(lead, {"Status": "Open - Not Contacted"})
    office.quiet()
    assert office.contact(ANNA)["lifecyclestage"] == "lead"


def test_other_and_unmapped_claim_nothing(tmp_path: Path) -> None:
    """HubSpot's `other` and a value that nobody mapped are no claim: they move nobody, and they are left alone."""
    office, contact = known(tmp_path)
    office.hub.edit(contact, {"lifecyclestage": "other"})
    office.quiet()
    assert office.person(ANNA)["Status"] == "Marketing Qualified"


def test_a_cleared_stage_comes_back_after_a_cycle(tmp_path: Path) -> None:
    """A stage that somebody cleared says nothing, so the hub's is written again, but only after one cycle."""
    office, contact = known(tmp_path)
    office.hub.edit(contact, {"lifecyclestage": ""})
    assert office.run().writes == 0
    office.later()
    assert office.run().writes == 1
    assert office.contact(ANNA)["lifecyclestage"] == "marketingqualifiedlead"
    assert office.person(ANNA)["Status"] == "Marketing Qualified"


# -- rights, choices, types


def test_a_hidden_field_cannot_be_carried(tmp_path: Path) -> None:
    """A field that the credential may not see is left out, told once, and held for nobody."""
    office = Office(tmp_path, crm_habits=Habits(duplicate_rules="off", hidden_fields=frozenset({"Lead.City"})))
    office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    office.run()
    assert office.run().writes == 0
    assert questions(office) == []
    assert any("City" in note and "crm" in note for note in office.session.desk.maps.notes)


def test_a_choice_without_its_option(tmp_path: Path) -> None:
    """That field of that person is held, the rest goes on."""
    office = Office(tmp_path)
    office.crm.define("Lead", "Tier__c", type="picklist", options=("Gold", "Silver"), restricted=True)
    office.hub.define("tier", "Tier", "enumeration", "select", (("gold", "Gold"), ("platinum", "Platinum")))
    office.fields = {"tier": {"type": "choice", "group": "other", "hub": "tier", "crm": {"lead": "Tier__c", "contact": False}}}
    office.session = office.reopened()
    office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn", "tier": "platinum"})
    office.hub.create({"email": "bob@b.example", "lastname": "Birch", "tier": "gold"})
    office.run()
    assert office.person("bob@b.example")["Tier__c"] == "Gold"
    assert office.person(ANNA)["City"] == "Bonn"
    assert office.person(ANNA).get("Tier__c") is None
    assert [question.partition(":")[2] for question in questions(office)] == ["tier:crm"]
    assert office.run().new_holds == 0


def test_equality_and_types(tmp_path: Path) -> None:
    """Equal in our terms is equal: a phone in two spellings, a country by code and by name, an address in two cases, blank and false."""
    office = Office(tmp_path)
    office.hub.create({"email": ANNA, "lastname": "Ash", "phone": "+1 415-555-0132", "country": "United States"})
    office.crm.create("Lead", {"Email": ANNA.upper(), "LastName": "Ash", "Company": "Inc", "Phone": "(415) 555-0132", "Country": "US"})
    office.run()
    assert (office.person(ANNA)["Phone"], office.contact(ANNA)["phone"]) == ("(415) 555-0132", "+1 415-555-0132")
    assert (office.person(ANNA)["Country"], office.contact(ANNA)["country"]) == ("US", "United States")
    assert office.person(ANNA)["Email"] == ANNA.upper()


def test_an_opt_out_stays(tmp_path: Path) -> None:
    """Somebody who opted out is opted out wherever it can be written, and opting in again is a question."""
    office, contact = known(tmp_path)
    office.hub.edit(contact, {"hs_email_optout": "true"})
    office.run()
    office.later()
    assert office.person(ANNA)["HasOptedOutOfEmail"] is True
    office.crm.edit(office.person(ANNA)["Id"], {"HasOptedOutOfEmail": False})
    office.run()
    assert [question.partition(":")[0] for question in questions(office)] == ["consent"]
    assert office.run().writes == 0


# -- runs


def test_drift_is_left_to_the_next_plan(tmp_path: Path) -> None:
    """A stored plan skips whom somebody touched since it was made; whoever drifted on the way is left alone too."""
    office, contact = known(tmp_path)
    office.hub.edit(contact, {"city": "Ulm"})
    planned = office.plan()
    lead = office.person(ANNA)["Id"]
    office.crm.edit(lead, {"City": "Kiel"})
    report = engine.apply(office.session, planned.run, stored=True)
    assert report.writes == 0
    assert office.person(ANNA)["City"] == "Kiel"
    office.quiet()
    assert office.person(ANNA)["City"] == office.contact(ANNA)["city"]


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second program is told who runs the workspace, and does nothing."""
    office, _ = known(tmp_path)
    held = office.session.store
    office.session = office.reopened()
    with leases.acquire(held, office.session.workspace, "somebody else"), pytest.raises(Busy, match="somebody else"):
        office.run()


# -- configuration


def test_a_removed_system_is_frozen(tmp_path: Path) -> None:
    """Its records are neither read nor written, the others go on, and it is taken up again where it was left."""
    office = Office(tmp_path, second=True)
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    office.run()
    office.later()
    order, office.order = office.order, ("hub", "crm")
    office.session = office.reopened()
    office.hub.edit(contact, {"city": "Ulm"})
    office.quiet()
    assert (office.person(ANNA)["City"], office.contact(ANNA, "hub2")["city"]) == ("Ulm", "Bonn")
    office.order = order
    office.session = office.reopened()
    office.quiet()
    assert office.contact(ANNA, "hub2")["city"] == "Ulm"
    assert len([office.contact(ANNA, "hub2")]) == 1


def test_a_new_field_follows_the_first_meeting(tmp_path: Path) -> None:
    """A field that is mapped from now on meets as for the first time: blanks are filled, differences go by the group's winner."""
    office = Office(tmp_path, fields={"city": {"enabled": False}}, settings=Settings({"contact details": "crm"}, None))
    for name, here, there in (("a", "Bonn", None), ("b", "Bonn", "Ulm")):
        office.hub.create({"email": f"{name}@a.example", "lastname": "Ash", "city": here})
        office.crm.create("Lead", {"Email": f"{name}@a.example", "LastName": "Ash", "Company": "Inc", "City": there})
    office.run()
    office.later()
    office.fields = {}
    office.session = office.reopened()
    office.quiet()
    assert (office.person("a@a.example")["City"], office.contact("b@a.example")["city"]) == ("Bonn", "Ulm")


def test_a_changed_map_stops_for_a_look(tmp_path: Path) -> None:
    """The first run and the first after a changed mapping stand still until somebody saw the plan."""
    office = Office(tmp_path)
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    assert [stop.kind for stop in office.plan().stops] == ["first"]
    office.run()
    office.later()
    office.crm.edit(office.person(ANNA)["Id"], {"City": "Bonn"})
    office.fields = {"job_title": {"enabled": False}}
    office.session = office.reopened()
    assert [stop.kind for stop in office.plan().stops] == ["mapping"]
