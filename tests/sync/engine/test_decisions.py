"""What was decided once, so that nobody has to guess: each decision by name, with the tests that prove it or the part of the program that brings it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from office import FALLBACK, NEWEST, Office

from stagesync.model.errors import Busy
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.state import leases
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.people.holds import groups, resolve

TESTS = ROOT / "tests"
ANNA = "anna@a.example"

DECISIONS: Mapping[str, tuple[str, ...]] = {
    "two candidates for a match": (
        "test_duplicates_only_the_best_is_written",
        "test_different_last_names_are_ambiguous",
        "test_a_role_address_is_ambiguous",
        "test_dots_and_plus_signs_are_not_folded",
    ),
    "a changed e-mail": ("test_a_changed_address_is_an_edit", "test_a_taken_address_is_held", "test_a_swap_of_addresses"),
    "blank e-mail": ("test_without_an_address_nobody_is_made_or_matched",),
    "first meeting, both sides filled and different": ("test_first_meeting_is_one_question_for_a_field", "test_first_meeting_of_stages"),
    "somebody deletes a record": (
        "test_a_deletion_is_held",
        "test_a_deletion_archives_if_configured",
        "test_a_restore_lifts_the_tombstone",
        "sync/engine/test_records.py",
    ),
    "evidence on other objects": ("sync/engine/test_evidence.py", "test_the_opportunity_of_a_conversion_is_evidence"),
    "who may assert a stage": ("sync/engine/test_authority.py", "lifecycle/test_authority.py"),
    "going backward in HubSpot": ("test_going_backward_in_hubspot",),
    "blank stage, HubSpot other, unmapped value": ("test_other_and_unmapped_claim_nothing", "test_a_cleared_stage_comes_back_after_a_cycle"),
    "links that collide": ("test_a_merge_of_two_linked_people", "sync/engine/test_records.py"),
    "excluded, then included again": ("test_excluded_then_included",),
    "rights": ("test_a_hidden_field_cannot_be_carried",),
    "a choice without its option": ("test_a_choice_without_its_option",),
    "owners": ("sync/engine/test_owners.py", "sync/deciding/test_owners.py"),
    "equality and types": ("test_equality_and_types",),
    "opt-out": ("test_an_opt_out_stays", "sync/engine/test_consent.py", "sync/undoing/test_undo.py"),
    "second writers": ("sync/engine/test_loops.py", "connectors/hubspot/test_door.py"),
    "drift between plan and apply": ("test_drift_is_left_to_the_next_plan",),
    "run lock": ("test_one_run_at_a_time",),
    "rotating refresh tokens": ("connectors/salesforce/test_auth.py", "app/commands/test_credentials.py"),
    "configuration changes": ("test_a_removed_system_is_frozen", "test_a_new_field_follows_the_first_meeting", "test_a_changed_map_stops_for_a_look"),
}


def test_every_decision_is_proved_or_promised() -> None:
    """Each row names tests that exist, or the part of the program that it comes with; and no test here proves nothing."""
    tree = ast.parse(Path(__file__).read_text())
    mine = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    named = {proof for proofs in DECISIONS.values() for proof in proofs}
    for proof in named:
        assert proof in mine or proof.startswith("comes with: ") or (proof.endswith(".py") and (TESTS / proof).is_file()), proof
    assert all(DECISIONS.values())
    assert mine - named == {"test_every_decision_is_proved_or_promised"}


def known(folder: Path, **options: Any) -> tuple[Office, str]:
    """An office in which Anna is known to both systems; her id in HubSpot."""
    office = Office(folder, **options)
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn", "lifecyclestage": "marketingqualifiedlead"})
    office.run()
    office.later()
    return office, contact


def questions(office: Office) -> list[str]:
    """What is asked now."""
    with office.session.store.read() as tx:
        return [group.question for group in groups(tx, office.session.workspace)]


def answer(office: Office, use: str) -> None:
    """Somebody answers the only open question."""
    with office.session.store.read() as tx:
        (group,) = groups(tx, office.session.workspace)
    resolve(office.session.store, office.session.workspace, group.id, use, None, office.clock.now_ms())


def leads(office: Office) -> list[dict[str, Any]]:
    """All live Leads that are not converted."""
    return [dict(row) for row in office.crm.rows("Lead") if not row.get("IsConverted")]


# -- two candidates for a match


def test_duplicates_only_the_best_is_written(tmp_path: Path) -> None:
    """Same address and same or blank last name: the Contact before the Leads, and only it is ever written."""
    office = Office(tmp_path)
    older = office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "Inc"})
    person = office.crm.create("Contact", {"Email": ANNA.upper(), "LastName": "ash"})
    office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    office.run()
    assert office.run().writes == 0
    rows = {row["Id"]: row for kind in ("Lead", "Contact") for row in office.crm.rows(kind)}
    assert rows[person]["MailingCity"] == "Bonn"
    assert rows[older].get("City") is None
    assert len(rows) == 2
    assert questions(office) == ["second:crm"]  # the Lead has a company and a stage: whether it is hers, nobody has said


def test_different_last_names_are_ambiguous(tmp_path: Path) -> None:
    """One address, two last names: nobody is linked, both are named, and nothing is made of them."""
    office = Office(tmp_path)
    for name in ("Ash", "Birch"):
        office.crm.create("Lead", {"Email": ANNA, "LastName": name, "Company": "Inc"})
    office.run()
    with office.session.store.read() as tx:
        (group,) = groups(tx, office.session.workspace)
    assert group.question == "ambiguous"
    assert sorted(group.examples[0].payload["choices"].values()) == ["Ash", "Birch"]
    assert list(office.hub.contacts()) == []
    assert office.run().new_holds == 0


def test_a_role_address_is_ambiguous(tmp_path: Path) -> None:
    """`info@` with two last names is two humans, also across systems."""
    office = Office(tmp_path)
    office.crm.create("Lead", {"Email": "info@a.example", "LastName": "Ash", "Company": "Inc"})
    office.hub.create({"email": "info@a.example", "lastname": "Birch"})
    assert office.run().writes == 0
    assert questions(office) == ["ambiguous"]


def test_dots_and_plus_signs_are_not_folded(tmp_path: Path) -> None:
    """`anna.ash@` and `annaash+x@` are other addresses, so other people."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna.ash@a.example", "lastname": "Ash"})
    office.crm.create("Lead", {"Email": "annaash+x@a.example", "LastName": "Ash", "Company": "Inc"})
    office.run()
    assert len(list(office.hub.contacts())) == len(leads(office)) == 2


# -- a changed e-mail


def test_a_changed_address_is_an_edit(tmp_path: Path) -> None:
    """The linked person keeps its records, and the address travels."""
    office, contact = known(tmp_path)
    office.hub.edit(contact, {"email": "ash@b.example"})
    office.quiet()
    assert [row["Email"] for row in leads(office)] == ["ash@b.example"]


def test_a_taken_address_is_held(tmp_path: Path) -> None:
    """Another person has it already: held, naming both, and nobody's record is touched."""
    office, _ = known(tmp_path)
    office.hub.create({"email": "bob@b.example", "lastname": "Birch"})
    office.run()
    office.later()
    anna = office.person(ANNA)["Id"]
    office.crm.edit(anna, {"Email": "bob@b.example"})
    office.quiet()
    assert questions(office) == ["taken:email:hub"]
    assert office.contact(ANNA)
    assert office.contact("bob@b.example")["lastname"] == "Birch"


def test_a_swap_of_addresses(tmp_path: Path) -> None:
    """Two people whose addresses were swapped in one system are swapped in the other, where no two may have the same: the value is freed first."""
    office, _ = known(tmp_path)
    office.hub.create({"email": "bob@b.example", "lastname": "Birch"})
    office.run()
    office.later()
    anna, bob = office.person(ANNA)["Id"], office.person("bob@b.example")["Id"]
    office.crm.edit(anna, {"Email": "bob@b.example"})
    office.crm.edit(bob, {"Email": ANNA})
    office.quiet()
    assert office.contact("bob@b.example")["lastname"] == "Ash"
    assert office.contact(ANNA)["lastname"] == "Birch"
    assert questions(office) == []


# -- blank e-mail


def test_without_an_address_nobody_is_made_or_matched(tmp_path: Path) -> None:
    """A record without an address could not be found again: it is counted, not carried over, and matched with nobody."""
    office = Office(tmp_path)
    office.crm.create("Lead", {"LastName": "Ash", "Company": "Inc"})
    office.hub.create({"lastname": "Ash"})
    planned = office.plan()
    assert planned.empty
    assert sum(planned.tally.excluded.values()) == 2


# -- first meeting


def test_first_meeting_is_one_question_for_a_field(tmp_path: Path) -> None:
    """Without a winner the difference is held, grouped by field, and one answer resolves the group for all people."""
    office = Office(tmp_path, settings=Settings())
    for number in range(3):
        office.hub.create({"email": f"p{number}@a.example", "lastname": "Ash", "city": "Bonn"})
        office.crm.create("Lead", {"Email": f"p{number}@a.example", "LastName": "Ash", "Company": "Inc", "City": "Ulm"})
    office.run()
    with office.session.store.read() as tx:
        (group,) = groups(tx, office.session.workspace)
    assert (group.count, group.about) == (3, "city")
    answer(office, "crm")
    office.quiet()
    assert {each["properties"]["city"] for each in office.hub.contacts()} == {"Ulm"}


def test_first_meeting_of_stages(tmp_path: Path) -> None:
    """A rejection with a reason first, then the furthest, without reading any history."""
    office = Office(tmp_path)
    for name, stage, status in (("a", "salesqualifiedlead", "Marketing Qualified"), ("b", "marketingqualifiedlead", "Closed - Not Converted")):
        office.hub.create({"email": f"{name}@a.example", "lastname": "Ash", "lifecyclestage": stage})
        office.crm.create("Lead", {"Email": f"{name}@a.example", "LastName": "Ash", "Company": "Inc", "Status": status})
    office.run()
    assert office.person("a@a.example")["Status"] == "Sales Qualified"
    rejected = office.contact("b@a.example")
    assert (rejected["lifecyclestage"], rejected["hs_lead_status"]) == ("marketingqualifiedlead", "UNQUALIFIED")
    assert office.run().writes == 0


# -- deletions


def test_a_deletion_is_held(tmp_path: Path) -> None:
    """By default the other record stays, and somebody is asked once; the answer may make the record again."""
    office, contact = known(tmp_path)
    office.crm.delete(office.person(ANNA)["Id"])
    assert office.run().writes == 0
    assert questions(office) == ["deleted:crm"]
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    assert office.run().writes == 0
    assert leads(office) == []
    answer(office, "hub")
    office.quiet()
    assert office.person(ANNA)["City"] == "Ulm"


def test_a_deletion_archives_if_configured(tmp_path: Path) -> None:
    """`deletes = "archive"`: what is deleted in one system is archived in the others."""
    office, _ = known(tmp_path, settings=Settings(NEWEST, {"hub": 0, "crm": 1}, deletes="archive"))
    office.crm.delete(office.person(ANNA)["Id"])
    office.quiet()
    assert list(office.hub.contacts()) == []
    assert leads(office) == []


def test_a_restore_lifts_the_tombstone(tmp_path: Path) -> None:
    """Back from the bin, the record is the person's again, and nothing is asked any more."""
    office, contact = known(tmp_path)
    lead = office.person(ANNA)["Id"]
    office.crm.delete(lead)
    office.run()
    office.later()
    office.crm.undelete(lead)
    office.hub.edit(contact, {"city": "Ulm"})
    office.quiet()
    assert questions(office) == []
    assert office.person(ANNA)["City"] == "Ulm"


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


# -- links that collide, exclusion


def test_a_merge_of_two_linked_people(tmp_path: Path) -> None:
    """The survivor's person stays, the other person's record elsewhere is left alone, and somebody is asked."""
    office, _ = known(tmp_path)
    office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B"})
    office.run()
    office.later()
    office.crm.merge(office.person(ANNA)["Id"], [office.person("bob@b.example")["Id"]])
    office.quiet()
    assert questions(office) == ["merged:crm"]
    assert {office.contact(ANNA)["lastname"], office.contact("bob@b.example")["lastname"]} == {"Ash", "Birch"}
    assert [row["LastName"] for row in leads(office)] == ["Ash"]


def test_excluded_then_included(tmp_path: Path) -> None:
    """Below the stage that a system wants, its record is frozen; included again, it goes on from what it last carried."""
    office, contact = known(tmp_path, overrides={"crm": {"create": {"fallback": FALLBACK}, "include": {"min_stage": "mql"}}})
    office.hub.edit(contact, {"lifecyclestage": "lead"})
    office.run()
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    office.quiet()
    assert office.person(ANNA)["City"] == "Bonn"
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    office.quiet()
    assert (office.person(ANNA)["City"], office.person(ANNA)["Status"]) == ("Ulm", "Sales Qualified")


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
