"""Decisions about who is who: candidates for a match, addresses, first meetings, deletions, and links that collide."""

from __future__ import annotations

from pathlib import Path

from acquainted import ANNA, known, leads
from office import FALLBACK, NEWEST, Office
from questions import answer, groups, questions

from stagesync.sync.deciding.desk import Settings

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
    (group,) = groups(office)
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
    (group,) = groups(office)
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
