"""Records that go, come back, are merged, converted, or trade addresses: each sentence of the design, in two and three systems."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest
from office import NEWEST, Office
from questions import answer, questions

from stagesync.sync.deciding.desk import Settings

ANNA, BERT, CLEO = "anna@a.example", "bert@b.example", "cleo@c.example"
NAMES = {ANNA: "Ash", BERT: "Birch", CLEO: "Cedar"}
IGNORE = Settings(NEWEST, {"hub": 0, "crm": 1, "hub2": 2}, deletes="ignore")


def met(office: Office, *emails: str) -> None:
    """These people are in every system."""
    for email in emails:
        office.hub.create({"email": email, "lastname": NAMES[email], "lifecyclestage": "lead"})
    office.quiet()
    office.later()


def humans(office: Office) -> dict[str, dict[str, str]]:
    """System -> last name -> address."""
    found = {"crm": {row["LastName"]: row["Email"] for row in office.crm.rows("Lead")}}
    for name, world in (("hub", office.hub), ("hub2", office.hub2)):
        if world is not None:
            found[name] = {each["properties"]["lastname"]: each["properties"]["email"] for each in world.contacts()}
    return found


def everywhere(people: dict[str, str]) -> dict[str, dict[str, str]]:
    """These people in all three systems."""
    return {"crm": people, "hub": people, "hub2": people}


def edit(office: Office, system: str, email: str, address: str) -> None:
    """Somebody gives another address to whoever has this one."""
    world = {"hub": office.hub, "hub2": office.hub2}.get(system)
    if world is None:
        office.crm.edit(office.person(email)["Id"], {"Email": address})
    else:
        world.edit(office.contact(email, system)["id"], {"email": address})


# -- somebody deletes a record


def test_a_deletion_that_is_ignored(tmp_path: Path) -> None:
    """`ignore`: nobody is asked, nothing else is deleted, the others go on, and the record is not made again."""
    office = Office(tmp_path, second=True, settings=IGNORE)
    met(office, ANNA)
    office.crm.delete(office.person(ANNA)["Id"])
    office.quiet()
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.quiet()
    assert questions(office) == []
    assert list(office.crm.rows("Lead")) == []
    assert office.contact(ANNA, "hub2")["city"] == "Ulm"


@pytest.mark.parametrize("settings", [None, IGNORE])
def test_a_new_record_lifts_the_tombstone(tmp_path: Path, settings: Settings | None) -> None:
    """Somebody makes the deleted person anew: that record is the person's, with what the others say, and the question is gone."""
    office = Office(tmp_path, settings=settings)
    met(office, ANNA)
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.quiet()
    office.crm.delete(office.person(ANNA)["Id"])
    office.quiet()
    office.later()
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A"})
    office.quiet()
    assert questions(office) == []
    assert office.person(ANNA)["City"] == "Ulm"
    office.hub.edit(office.contact(ANNA)["id"], {"jobtitle": "CEO"})
    office.quiet()
    assert office.person(ANNA)["Title"] == "CEO"


def test_what_we_read_ourselves_lifts_nothing(tmp_path: Path) -> None:
    """Read from the beginning, deletions included, everything is as it was: nobody comes back by our doing."""
    office = Office(tmp_path)
    met(office, ANNA, BERT)
    office.crm.delete(office.person(ANNA)["Id"])
    office.hub.archive(office.contact(BERT)["id"])
    office.later(2 * 86_400)
    office.quiet()
    assert questions(office) == ["deleted:crm", "deleted:hub"]
    with closing(sqlite3.connect(tmp_path / "state.db")) as state:
        state.execute("DELETE FROM cursor")
        state.commit()
    office.later(2 * 86_400)
    assert office.run().writes == 0
    assert questions(office) == ["deleted:crm", "deleted:hub"]


def test_a_contact_in_the_bin_is_found_by_a_write(tmp_path: Path) -> None:
    """HubSpot tells of no deletion: the record is missing when it is to be written, which is a deletion like any other."""
    office = Office(tmp_path)
    met(office, ANNA)
    office.hub.archive(office.contact(ANNA)["id"])
    office.crm.edit(office.person(ANNA)["Id"], {"Title": "CEO"})
    assert [office.run().writes, office.run().writes] == [0, 0]
    assert questions(office) == ["deleted:hub"]
    assert list(office.hub.contacts()) == []


@pytest.mark.parametrize("use", ["crm+hub2", "hub"])
def test_a_deletion_in_two_of_three_systems(tmp_path: Path, use: str) -> None:
    """One question names both; the answer holds everywhere, or both records are made again."""
    office = Office(tmp_path, second=True)
    met(office, ANNA)
    office.crm.delete(office.person(ANNA)["Id"])
    assert office.hub2 is not None
    office.hub2.archive(office.contact(ANNA, "hub2")["id"])
    office.later(2 * 86_400)
    office.quiet()
    assert questions(office) == ["deleted:crm+hub2"]
    answer(office, "crm" if use != "hub" else "hub")
    office.quiet()
    office.later()
    office.quiet()
    assert {name: len(found) for name, found in humans(office).items()} == dict.fromkeys(("crm", "hub", "hub2"), int(use == "hub"))
    assert questions(office) == []


def test_an_edit_against_a_deletion(tmp_path: Path) -> None:
    """Edited here and deleted there between two runs: somebody is asked, and the edit is neither lost nor a reason to make anything."""
    office = Office(tmp_path)
    met(office, ANNA)
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.crm.delete(office.person(ANNA)["Id"])
    assert office.run().writes == 0
    assert questions(office) == ["deleted:crm"]
    answer(office, "hub")
    office.quiet()
    assert office.person(ANNA)["City"] == office.contact(ANNA)["city"] == "Ulm"


# -- links that collide


def test_a_conversion_into_a_contact_of_somebody_else(tmp_path: Path) -> None:
    """The Contact's person stays; the Lead's person keeps their record in HubSpot, untouched, and somebody is asked."""
    office = Office(tmp_path)
    contact = office.crm.create("Contact", {"Email": BERT, "LastName": "Birch"})
    met(office, ANNA)
    before = office.contact(ANNA), office.contact(BERT)
    office.crm.convert(office.person(ANNA)["Id"], contact=contact, account=office.crm.org.row(contact)[1].get("AccountId"))
    office.quiet()
    assert questions(office) == ["merged:crm"]
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.hub.edit(office.contact(BERT)["id"], {"city": "Kiel"})
    office.quiet()
    assert office.person(BERT, "Contact")["MailingCity"] == "Kiel"
    assert office.contact(ANNA)["lastname"] == before[0]["lastname"] and office.contact(BERT)["lastname"] == before[1]["lastname"]
    assert len(list(office.crm.rows("Lead"))) == 1  # converted, and none made instead


def test_a_merge_of_two_linked_people_in_one_of_three_systems(tmp_path: Path) -> None:
    """HubSpot's merge of Anna and Bert: the one left over there is asked about, and nothing is deleted or made in the other two."""
    office = Office(tmp_path, second=True)
    met(office, ANNA, BERT)
    office.hub.merge(office.contact(ANNA)["id"], office.contact(BERT)["id"])
    office.later(2 * 86_400)
    office.quiet()
    assert questions(office) == ["merged:hub"]
    found = humans(office)
    assert found["crm"] == found["hub2"] == {"Ash": ANNA, "Birch": BERT}
    assert found["hub"] == {"Ash": ANNA}


# -- a swap frees the unique value first


@pytest.mark.parametrize("system", ["hub2", "crm"])
def test_a_swap_across_three_systems(tmp_path: Path, system: str) -> None:
    """Two addresses that trade places in one system do so in the others, where no two contacts may have one."""
    office = Office(tmp_path, second=True)
    met(office, ANNA, BERT)
    if system == "crm":
        anna, bert = office.person(ANNA)["Id"], office.person(BERT)["Id"]
        office.crm.edit(anna, {"Email": BERT})
        office.crm.edit(bert, {"Email": ANNA})
    else:
        edit(office, system, ANNA, CLEO)
        edit(office, system, BERT, ANNA)
        edit(office, system, CLEO, BERT)
    office.quiet()
    assert humans(office) == everywhere({"Ash": BERT, "Birch": ANNA})
    assert questions(office) == []


def test_half_a_swap_in_each_of_two_systems(tmp_path: Path) -> None:
    """Anna gets Bert's address in Salesforce, Bert gets hers in HubSpot, in any order of runs: in the end all agree."""
    office = Office(tmp_path, second=True)
    met(office, ANNA, BERT)
    edit(office, "crm", ANNA, BERT)
    office.hub.edit(office.contact(ANNA)["id"], {"email": CLEO})
    office.hub.edit(office.contact(BERT)["id"], {"email": ANNA})
    office.quiet()
    found = humans(office)
    assert found["crm"]["Birch"] == found["hub"]["Birch"] == found["hub2"]["Birch"] == ANNA
    assert questions(office) == [] or all(question.startswith(("conflict:email", "taken:email")) for question in questions(office))


@pytest.mark.parametrize("turned", list(permutations((ANNA, BERT, CLEO)))[3:5])
def test_three_addresses_in_a_circle(tmp_path: Path, turned: tuple[str, str, str]) -> None:
    """Three people hand their addresses on in a circle."""
    office = Office(tmp_path, second=True)
    met(office, ANNA, BERT, CLEO)
    ids = [office.person(email)["Id"] for email in (ANNA, BERT, CLEO)]
    for id, email in zip(ids, turned, strict=True):
        office.crm.edit(id, {"Email": email})
    office.quiet()
    assert humans(office) == everywhere(dict(zip(("Ash", "Birch", "Cedar"), turned, strict=True)))
    assert questions(office) == []


def test_an_address_that_is_handed_on(tmp_path: Path) -> None:
    """Anna gets a new address and Bert gets hers: hers is free by then, whoever is written first."""
    office = Office(tmp_path, second=True)
    met(office, ANNA, BERT)
    anna, bert = office.person(ANNA)["Id"], office.person(BERT)["Id"]
    office.crm.edit(anna, {"Email": CLEO})
    office.crm.edit(bert, {"Email": ANNA})
    office.quiet()
    assert humans(office) == everywhere({"Ash": CLEO, "Birch": ANNA})
    assert questions(office) == []
