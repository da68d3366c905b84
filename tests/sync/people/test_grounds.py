"""Questions whose ground goes away by somebody's doing in a system: the next run shows them with today's values, or asks them no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from office import Office
from questions import answer, groups
from seconds import ANNA, LEAD, leads, records
from undoing import undo

from stagesync.sync.deciding.desk import Settings
from stagesync.sync.looking.verify import verify


def choices(office: Office) -> dict[str, Any]:
    """What the only question shows of its only case."""
    (group,) = groups(office)
    assert group.count == 1
    return dict(group.examples[0].payload["choices"])


def archive(office: Office, id: str) -> None:
    """Somebody deletes a contact, and HubSpot tells so."""
    assert office.ears is not None
    office.hub.archive(id)
    office.ears.hear()


def linked(office: Office, ref: str) -> bool:
    """Whether the record in Salesforce is the person's own."""
    return records(office)[ref].state == "linked"


@pytest.fixture
def doubted(tmp_path: Path) -> tuple[Office, str, str]:
    """Anna's Lead that is written, and an older one with another title: (office, the one, the other)."""
    office = Office(tmp_path)
    newer, older = leads(office, Title="CEO")
    office.run()
    office.later()
    return office, newer, older


def test_an_edit_of_the_second_record_is_shown(doubted: tuple[Office, str, str]) -> None:
    """By the next plan already, in the question that was asked before: nothing new is asked, and a name that differs by now is named too."""
    office, newer, older = doubted
    (before,) = groups(office)
    office.crm.edit(older, {"Title": "CTO", "LastName": "Birch"})
    assert office.plan().tally.new_holds == 0
    assert choices(office) == {f"crm lead {newer}": "last name Ash, job title blank", f"crm lead {older}": "last name Birch, job title CTO"}
    report = office.run()
    (after,) = groups(office)
    assert (report.new_holds, report.exit_code(again=True), after.examples[0].id) == (0, 0, before.examples[0].id)


@pytest.mark.parametrize("whose", ["second", "own"])
def test_two_that_became_copies_are_not_asked_about(doubted: tuple[Office, str, str], whose: str) -> None:
    """Whichever of the two was edited."""
    office, newer, older = doubted
    office.crm.edit(older if whose == "second" else newer, {"Title": None if whose == "second" else "CEO"})
    office.quiet()
    assert groups(office) == []
    assert linked(office, newer)


def test_what_we_write_ourselves_is_shown(doubted: tuple[Office, str, str]) -> None:
    """An edit in HubSpot is written to the person's own record: the question shows it, and is asked no more once they say the same."""
    office, newer, older = doubted
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.quiet()
    assert choices(office) == {f"crm lead {newer}": "job title blank, city Ulm", f"crm lead {older}": "job title CEO, city blank"}
    office.later()
    office.crm.edit(older, {"City": "Ulm"})
    office.hub.edit(office.contact(ANNA)["id"], {"jobtitle": "CEO"})
    office.quiet()
    assert groups(office) == []


def test_a_third_record_joins_the_question(doubted: tuple[Office, str, str]) -> None:
    """One question for one person, which counts as new, since of the third nobody was asked yet; it leaves the question when it goes."""
    office, newer, older = doubted
    third = office.crm.create("Lead", {**LEAD, "City": "Ulm"})
    assert office.run().new_holds == 1
    told = {f"crm lead {newer}": "job title blank, city blank", f"crm lead {older}": "job title CEO", f"crm lead {third}": "city Ulm"}
    assert choices(office) == told
    office.later()
    office.crm.delete(third)
    assert office.run().new_holds == 0
    assert choices(office) == {f"crm lead {newer}": "job title blank", f"crm lead {older}": "job title CEO"}


@pytest.mark.parametrize("deletes", ["hold", "archive"])
@pytest.mark.parametrize("copy", [True, False])
def test_a_second_record_takes_the_place_of_the_one_that_is_deleted(tmp_path: Path, deletes: Any, copy: bool) -> None:
    """Nobody is asked whether the deletion holds everywhere, and nobody is archived, while a record of theirs is left there; it is synced from then on."""
    office = Office(tmp_path, settings=Settings(dict.fromkeys(("name", "contact details", "company", "other"), "hub"), {"hub": 0, "crm": 1}, deletes=deletes))
    newer, older = leads(office, **({} if copy else {"Title": "CEO"}))
    office.run()
    office.later()
    office.crm.delete(newer)
    office.quiet()
    assert groups(office) == []
    assert linked(office, older)
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.quiet()
    assert office.person(ANNA)["City"] == "Ulm"


def test_a_record_that_comes_back_finds_its_place_taken(doubted: tuple[Office, str, str]) -> None:
    """A person has one record that is written in a system; whichever came back is asked about like any second record."""
    office, newer, older = doubted
    office.crm.delete(newer)
    office.quiet()
    office.later()
    office.crm.undelete(newer)
    office.quiet()
    assert (linked(office, older), linked(office, newer)) == (True, False)
    assert choices(office) == {f"crm lead {older}": "job title CEO", f"crm lead {newer}": "job title blank"}
    office.later()
    office.crm.delete(newer)
    office.quiet()
    assert groups(office) == []
    office.later()
    office.crm.undelete(newer)
    office.quiet()
    assert (linked(office, older), linked(office, newer)) == (True, False)
    assert len(choices(office)) == 2


def test_where_both_come_back_the_one_that_was_written_is_so_again(doubted: tuple[Office, str, str]) -> None:
    """Both were deleted, and are brought back at once."""
    office, newer, older = doubted
    for each in (older, newer):
        office.crm.delete(each)
    office.quiet()
    office.later()
    for each in (older, newer):
        office.crm.undelete(each)
    office.quiet()
    assert (linked(office, newer), linked(office, older)) == (True, False)
    assert choices(office) == {f"crm lead {newer}": "job title blank", f"crm lead {older}": "job title CEO"}


def test_a_record_of_which_nobody_knows_whose_it_is_brings_nobody_back(tmp_path: Path) -> None:
    """Where all of the person's own records are gone, the one beside them stays what it was, and nothing is asked or made."""
    office = Office(tmp_path, hints=True)
    newer, older = leads(office, Title="CEO")
    office.quiet()
    office.later()
    archive(office, office.contact(ANNA)["id"])
    office.quiet()
    assert [group.kind for group in groups(office)] == ["deleted", "second"]
    office.later()
    office.crm.delete(newer)
    office.quiet()
    assert (groups(office), linked(office, older), list(office.hub.contacts())) == ([], False, [])


def test_one_that_became_somebody_elses_contact_is_not_asked_about(doubted: tuple[Office, str, str]) -> None:
    """A salesperson converted the second Lead into a Contact of another person: neither is it a second record any more, nor were two people merged."""
    office, newer, older = doubted
    contact = office.crm.create("Contact", {"LastName": "Birch", "Email": "ben@a.example"})
    office.quiet()
    office.later()
    office.crm.convert(older, contact=contact)
    office.quiet()
    assert groups(office) == []
    assert linked(office, newer)


def test_left_open_it_stays_so_until_there_is_nothing_to_ask(doubted: tuple[Office, str, str]) -> None:
    """An edit does not ask anew; where a third record comes in, nobody has said anything about that."""
    office, _, older = doubted
    answer(office, "skip")
    office.crm.edit(older, {"Title": "CTO"})
    office.quiet()
    assert groups(office) == []
    office.later()
    office.crm.create("Lead", {**LEAD, "City": "Ulm"})
    assert office.run().new_holds == 1
    assert len(choices(office)) == 3


# -- who could not be told apart


@pytest.fixture
def family(tmp_path: Path) -> tuple[Office, str, str]:
    """Two Leads at one address with different last names, whom nobody linked: (office, Ash's, Birch's)."""
    office = Office(tmp_path)
    ash = office.crm.create("Lead", dict(LEAD))
    birch = office.crm.create("Lead", {**LEAD, "FirstName": "Ben", "LastName": "Birch"})
    office.run()
    assert set(choices(office)) == {f"crm lead {ash}", f"crm lead {birch}"}
    office.later()
    return office, ash, birch


@pytest.mark.parametrize("whose", [0, 1])
@pytest.mark.parametrize("how", ["another address", "deleted", "one name", "merged"])
def test_records_that_can_be_told_apart_now_are_linked(family: tuple[Office, str, str], whose: int, how: str) -> None:
    """Whichever of them was changed, the other one is looked at again too; nothing is asked any more, and nobody is left aside."""
    office, *both = family
    this, other = both[whose], both[1 - whose]
    match how:
        case "another address":
            office.crm.edit(this, {"Email": "ben@a.example"})
        case "deleted":
            office.crm.delete(this)
        case "one name":
            office.crm.edit(this, {name: LEAD[name] if whose else {"FirstName": "Ben", "LastName": "Birch"}[name] for name in ("FirstName", "LastName")})
        case _:
            office.crm.merge(other, [this])
    office.quiet()
    assert groups(office) == []
    assert office.contact(ANNA)["email"] == ANNA
    assert len(list(office.hub.contacts())) == (2 if how == "another address" else 1)
    assert verify(office.session).proved


def test_a_name_that_changes_among_them_is_shown(family: tuple[Office, str, str]) -> None:
    """The question stays one, is not new, and shows today's names."""
    office, ash, birch = family
    office.crm.edit(birch, {"LastName": "Cedar"})
    assert office.run().new_holds == 0
    assert choices(office) == {f"crm lead {ash}": "Ash", f"crm lead {birch}": "Cedar"}


def test_of_three_two_are_left(family: tuple[Office, str, str]) -> None:
    """The first of them goes: the two others are asked about, once."""
    office, ash, birch = family
    cedar = office.crm.create("Lead", {**LEAD, "FirstName": "Cleo", "LastName": "Cedar"})
    office.run()
    assert len(choices(office)) == 3
    office.later()
    office.crm.delete(ash)
    office.quiet()
    assert choices(office) == {f"crm lead {birch}": "Birch", f"crm lead {cedar}": "Cedar"}


def test_the_record_in_the_way_may_be_a_known_persons(tmp_path: Path) -> None:
    """A Lead was not linked to whoever has the role address, and another name; now the name is the same, by an edit in HubSpot and our write of it."""
    office = Office(tmp_path)
    office.hub.create({"email": "info@a.example", "firstname": "Ben", "lastname": "Birch"})
    office.run()
    office.later()
    lead = office.crm.create("Lead", {**LEAD, "Email": "info@a.example"})
    office.quiet()
    assert len(groups(office)) == 1
    office.later()
    office.hub.edit(office.contact("info@a.example")["id"], {"firstname": "Anna", "lastname": "Ash"})
    office.quiet()
    assert [group.kind for group in groups(office)] == ["second"]
    assert records(office)[lead].person is not None


def test_whoever_was_to_be_left_alone_is_so_while_nothing_changes(family: tuple[Office, str, str]) -> None:
    """Skipped, another field of one of them is edited: no question comes back, and nobody is linked."""
    office, ash, _ = family
    answer(office, "skip")
    office.crm.edit(ash, {"City": "Ulm"})
    office.quiet()
    assert groups(office) == []
    assert {row.state for row in records(office).values()} == {"parked"}


def test_a_run_for_somebody_else_does_not_pass_over_them(family: tuple[Office, str, str]) -> None:
    """What changed is looked at by the next run for everybody."""
    office, _, birch = family
    office.hub.create({"email": "zoe@z.example", "lastname": "Zahn"})
    office.crm.edit(birch, {"Email": "ben@a.example"})
    office.run(only=["zoe@z.example"])
    office.quiet()
    assert groups(office) == []
    assert {each["properties"]["email"] for each in office.hub.contacts()} == {"zoe@z.example", ANNA, "ben@a.example"}


# -- an address that somebody else has, what an undo took, and what a merge left over


@pytest.mark.parametrize("how", ["another address", "deleted everywhere"])
def test_an_address_that_is_free_now_is_written(tmp_path: Path, how: str) -> None:
    """Ben's new address was held since Anna had it: she got another one, or is gone."""
    office = Office(tmp_path, hints=True)
    office.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Ash"})
    office.hub.create({"email": "ben@a.example", "firstname": "Ben", "lastname": "Ash"})
    office.run()
    office.later()
    ben = office.person("ben@a.example")["Id"]
    office.crm.edit(ben, {"Email": ANNA})
    office.quiet()
    assert [group.kind for group in groups(office)] == ["taken"]
    office.later()
    anna = office.contact(ANNA)["id"]
    if how == "deleted everywhere":
        archive(office, anna)
        office.crm.delete(next(row["Id"] for row in office.crm.rows("Lead") if row["FirstName"] == "Anna"))
    else:
        office.hub.edit(anna, {"email": "anna@b.example"})
    office.quiet()
    assert groups(office) == []
    assert office.contact(ANNA)["firstname"] == "Ben"


def test_nothing_is_left_over_of_two_who_were_merged_everywhere(tmp_path: Path) -> None:
    """Two linked people were merged in Salesforce, and later in HubSpot too: what was left over is gone, and nothing is asked."""
    office = Office(tmp_path)
    for name in ("anna", "ben"):
        office.hub.create({"email": f"{name}@a.example", "firstname": name, "lastname": "Ash"})
    office.run()
    office.later()
    anna, ben = (office.person(f"{name}@a.example")["Id"] for name in ("anna", "ben"))
    office.crm.merge(anna, [ben])
    office.quiet()
    assert [group.kind for group in groups(office)] == ["merged"]
    office.later()
    office.hub.merge(office.contact("anna@a.example")["id"], office.contact("ben@a.example")["id"])
    office.quiet()
    assert groups(office) == []


def test_a_record_that_an_undo_took_is_asked_about_while_it_is_there(tmp_path: Path) -> None:
    """An undo took a Lead from the contact that it had been linked to; then somebody deletes the Lead: what is asked is whether that holds for the contact."""
    office = Office(tmp_path)
    office.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Ash"})
    lead = office.crm.create("Lead", dict(LEAD))
    run = office.run().run
    office.later()
    undo(office, run)
    assert [group.kind for group in groups(office)] == ["apart"]
    office.later()
    office.crm.delete(lead)
    office.quiet()
    assert [group.kind for group in groups(office)] == ["deleted"]
