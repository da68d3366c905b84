"""The rules of the merge in exact words, one by one, through the real engine over the worlds of both vendors."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from annas_lab import ANNA, PATCH, anna, cities, lead, overruled
from lab import Lab
from office import NEWEST
from questions import answer, questions
from weather import FAIR

from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Settings

HELD = Settings(NEWEST, None)


def test_rule_1_contenders_not_one_row_after_another(tmp_path: Path) -> None:
    """Two systems changed while a third is owed an older version: all contend at once, and the third is not written while the field is held."""
    lab, contact = anna(tmp_path, second=True, settings=HELD)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.faults.add(Fault("lost_before", PATCH))
    lab.run()
    assert lab.contact(ANNA, "hub2")["city"] == "Ulm"
    lab.hub.edit(contact, {"city": "Kiel"})
    lab.worlds()["hub2"].edit(lab.contact(ANNA, "hub2")["id"], {"city": "Jena"})
    lab.run()
    assert (lab.contact(ANNA)["city"], lab.contact(ANNA, "hub2")["city"], lab.person(ANNA)["City"]) == ("Kiel", "Jena", "Bonn")
    assert questions(lab) == ["conflict:city:hub+hub2"]
    answer(lab, "hub2")
    lab.quiet()
    assert cities(lab) == {"Jena"}


def test_rule_1_whatever_the_order_of_systems(tmp_path: Path) -> None:
    """The same life ends the same way in whatever order the systems are named in the configuration."""
    ranks = {"hub": 0, "crm": 1, "hub2": 2}
    ends: set[str] = set()
    for number, order in enumerate(permutations(ranks)):
        folder = tmp_path / str(number)
        folder.mkdir()
        lab, contact = anna(folder, second=True, order=order, settings=Settings(NEWEST, ranks))
        lab.crm.edit(lead(lab), {"City": "Kiel"})
        lab.worlds()["hub2"].edit(lab.contact(ANNA, "hub2")["id"], {"city": "Jena"})
        lab.hub.edit(contact, {"jobtitle": "CEO"})
        lab.quiet()
        ends.add(f"{sorted(cities(lab))} {lab.person(ANNA)['Title']}")
        lab.store.close()
    assert ends == {"['Kiel'] CEO"}


def test_rule_2_a_loser_is_owed_a_write(tmp_path: Path) -> None:
    """What is overruled is on record, and its system is written, even if the first write is lost."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.edit(lead(lab), {"City": "Kiel"})
    lab.crm.faults.add(Fault("lost_before", PATCH))
    lab.run()
    assert overruled(lab, "Kiel")
    lab.quiet()
    assert cities(lab) == {"Ulm"}


def test_rule_2_a_replaced_value_that_nobody_saw_go_is_on_record(tmp_path: Path) -> None:
    """A canonical value that loses to somebody who had not seen it is overruled too, also where one system always wins."""
    lab, contact = anna(tmp_path, fields={"city": {"policy": "always crm"}}, second=True)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.run()
    assert overruled(lab, "Ulm")
    lab.crm.edit(lead(lab), {"City": "Kiel"})
    lab.quiet()
    assert cities(lab) == {"Kiel"}


def test_rule_3_somebody_else_s_value_at_the_read_back(tmp_path: Path) -> None:
    """A value typed between our write and our look at it is an ordinary edit on top of ours."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.after = ("crm", PATCH, lambda: lab.crm.edit(lead(lab), {"City": "Kiel"}))
    lab.run()
    lab.quiet()
    assert cities(lab) == {"Kiel"}
    assert not overruled(lab, "Kiel")


def test_rule_4_our_own_value_in_another_form_is_no_edit(tmp_path: Path) -> None:
    """What the vendor makes of our value is read back and agreed: it does not come back as somebody's edit."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.after = ("crm", PATCH, lambda: lab.crm.recalculate(lead(lab), {"City": "ULM"}))
    lab.run()
    lab.later()
    assert lab.run().writes == 0
    assert (lab.contact(ANNA)["city"], lab.person(ANNA)["City"]) == ("Ulm", "ULM")


@pytest.mark.parametrize(("use", "city"), [("crm", "Kiel"), ("hub", "Ulm")])
def test_rule_5_an_unknown_outcome_under_a_third_value(tmp_path: Path, use: str, city: str) -> None:
    """The answer is lost, a third value stands there, no history tells who came last: held with both, and an answer ends it."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.faults.add(Fault("lost_after", PATCH))
    lab.after = ("crm", PATCH, lambda: lab.crm.edit(lead(lab), {"City": "Kiel"}))
    lab.run()
    assert lab.run().writes == 0
    assert questions(lab) == ["undecided:city:crm"]
    assert (lab.contact(ANNA)["city"], lab.person(ANNA)["City"]) == ("Ulm", "Kiel")
    answer(lab, use)
    lab.quiet()
    assert cities(lab) == {city}
    assert questions(lab) == []


def test_rule_5_a_new_edit_ends_it_too(tmp_path: Path) -> None:
    """Somebody types into that field again: that is an edit, and nothing is left to ask."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.faults.add(Fault("lost_after", PATCH))
    lab.after = ("crm", PATCH, lambda: lab.crm.edit(lead(lab), {"City": "Kiel"}))
    lab.run()
    lab.run()
    lab.later()
    lab.crm.edit(lead(lab), {"City": "Jena"})
    lab.quiet()
    assert questions(lab) == []
    assert len(cities(lab)) == 1


def test_rule_6_lossy_storage(tmp_path: Path) -> None:
    """A name that Salesforce must shorten stays whole in HubSpot, and its short form is no edit."""
    lab, contact = anna(tmp_path)
    name = "Maria Antonia Josefa Johanna von Habsburg-Lothringen"
    lab.hub.edit(contact, {"firstname": name})
    lab.quiet()
    lab.later()
    assert lab.run().writes == 0
    assert (lab.contact(ANNA)["firstname"], lab.person(ANNA)["FirstName"]) == (name, name[:40].rstrip())
    lab.crm.edit(lead(lab), {"FirstName": "Marie"})
    lab.quiet()
    assert lab.contact(ANNA)["firstname"] == "Marie"


def test_rule_7_history_tells_that_our_write_landed(tmp_path: Path) -> None:
    """In HubSpot the field's own history shows our lost write below somebody's value: an edit, not a question."""
    lab, contact = anna(tmp_path)
    lab.crm.edit(lead(lab), {"City": "Ulm"})
    lab.hub.faults.add(Fault("lost_after", "POST /crm/v3/objects/contacts/batch/update"))

    def type_over() -> None:
        lab.clock.at += 1
        lab.hub.edit(contact, {"city": "Kiel"})

    lab.after = ("hub", "POST /crm/v3/objects/contacts/batch/update", type_over)
    lab.run()
    lab.quiet()
    assert questions(lab) == []
    assert cities(lab) == {"Kiel"}


def test_rule_7_an_older_write_of_ours_does_not_mislead(tmp_path: Path) -> None:
    """The value that we send was there once before: only what happened after the revision that the plan saw counts."""
    lab, contact = anna(tmp_path)
    for city in ("Ulm", "Kiel"):
        lab.crm.edit(lead(lab), {"City": city})
        lab.run()
        lab.later()
    lab.crm.edit(lead(lab), {"City": "Ulm"})
    lab.hub.faults.add(Fault("lost_before", "POST /crm/v3/objects/contacts/batch/update"))
    lab.run()
    lab.quiet()
    assert cities(lab) == {"Ulm"}
    assert lab.contact(ANNA)["id"] == contact


def test_rule_8_lagging_reads_are_ignored(tmp_path: Path) -> None:
    """An index that follows late shows what stood there before our write: that is no edit."""
    lab = Lab(tmp_path, weather=replace(FAIR, hub=Habits(search_lag_s=20)))
    lab.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    lab.run()
    lab.later()
    lab.crm.edit(lead(lab), {"City": "Ulm"})
    lab.run()
    assert [lab.run().writes for _ in range(3)] == [0, 0, 0]
    lab.later()
    assert lab.run().writes == 0
    assert cities(lab) == {"Ulm"}


def test_rule_9_seeding(tmp_path: Path) -> None:
    """All records of a new person meet at once, and a blank never beats a value, even under `always`."""
    lab = Lab(tmp_path, fields={"city": {"policy": "always crm"}}, second=True)
    lab.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    lab.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "Inc"})
    lab.run()
    assert cities(lab) == {"Bonn"}
    assert lab.run().writes == 0


def test_rule_10_rejected_is_parked(tmp_path: Path) -> None:
    """A refused write is not repeated until the value wanted or the value there changes."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no such town")
    assert lab.run().rejected == 1
    lab.crm.calls.clear()
    lab.hub.edit(contact, {"jobtitle": "CEO"})
    lab.later()
    lab.run()
    assert (lab.person(ANNA)["Title"], lab.person(ANNA)["City"]) == ("CEO", "Bonn")
    lab.hub.edit(contact, {"city": "Kiel"})
    lab.later()
    lab.run()
    assert cities(lab) == {"Kiel"}


def test_rule_10_a_parked_field_is_tried_again_when_the_record_changes(tmp_path: Path) -> None:
    """A later edit where it was refused is a conflict on an older version: decided, and both values kept."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no such town")
    lab.run()
    lab.later()
    lab.crm.edit(lead(lab), {"City": "Kiel"})
    lab.quiet()
    assert cities(lab) == {"Ulm"}
    assert overruled(lab, "Kiel")


def test_rule_10_only_the_refused_field_is_parked(tmp_path: Path) -> None:
    """Where the vendor names the field at fault, the others of that write arrive all the same."""
    lab, contact = anna(tmp_path)
    lab.crm.edit(lead(lab), {"Title": "CEO", "Email": "taken@a.example"})
    lab.after = ("hub", "POST /crm/v3/objects/contacts/batch/read", lambda: _drop(lab.hub.create({"email": "taken@a.example", "lastname": "Elm"})))
    lab.run()
    lab.run()
    assert lab.contact(ANNA)["jobtitle"] == "CEO"
    assert lab.contact(ANNA)["id"] == contact


def _drop(id: str) -> None:
    """The id is not needed."""


def test_rule_11_a_held_field_is_written_nowhere(tmp_path: Path) -> None:
    """While it is held, no record gets it, and a new record is made without it; the other fields go on."""
    lab = Lab(tmp_path, second=True, settings=Settings())
    lab.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn", "jobtitle": "CEO"})
    lab.worlds()["hub2"].create({"email": ANNA, "lastname": "Ash", "city": "Ulm"})
    lab.run()
    assert lab.person(ANNA).get("City") is None
    assert lab.person(ANNA)["Title"] == lab.contact(ANNA, "hub2")["jobtitle"] == "CEO"
    assert (lab.contact(ANNA)["city"], lab.contact(ANNA, "hub2")["city"]) == ("Bonn", "Ulm")
    lab.quiet()
    assert questions(lab) == ["first:city:hub+hub2"]
    answer(lab, "hub2")
    lab.quiet()
    assert cities(lab) == {"Ulm"}


def test_rule_11_agreement_made_by_hand_lifts_the_hold(tmp_path: Path) -> None:
    """Somebody types the same into both: nothing is asked any more, and nothing is written."""
    lab, contact = anna(tmp_path, settings=HELD)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.edit(lead(lab), {"City": "Kiel"})
    lab.run()
    assert questions(lab) == ["conflict:city:crm+hub"]
    lab.later()
    lab.crm.edit(lead(lab), {"City": "Ulm"})
    assert lab.run().writes == 0
    assert questions(lab) == []
    assert cities(lab) == {"Ulm"}


def test_rule_12_a_create_is_looked_up_first(tmp_path: Path) -> None:
    """Somebody made the record between plan and write: it is left to matching, and there is no second one."""
    lab = Lab(tmp_path)
    lab.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    planned = engine.plan(lab.session)
    lab.crm.create("Lead", {"Email": ANNA.upper(), "LastName": "Ash", "Company": "Inc"})
    engine.apply(lab.session, planned.run, planned=planned)
    lab.quiet()
    assert lab.person(ANNA)["City"] == "Bonn"


@pytest.mark.parametrize("fault", ["lost_after", "lost_before", "truncated"])
@pytest.mark.parametrize("world", ["hub", "crm"])
def test_rule_12_an_unknown_create_makes_no_duplicate(tmp_path: Path, world: str, fault: Any) -> None:
    """Whether it was made or not, it is found again by its address: one record, linked, that hears of edits."""
    lab = Lab(tmp_path)
    if world == "crm":
        lab.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
        lab.crm.faults.add(Fault(fault, "POST /services/data/v66.0/composite/sobjects"))
    else:
        lab.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "Inc", "City": "Bonn"})
        lab.hub.faults.add(Fault(fault, "POST /crm/v3/objects/contacts/batch/create"))
    lab.run()
    lab.quiet()
    lab.later()
    lab.crm.edit(lead(lab), {"City": "Ulm"})
    lab.quiet()
    assert cities(lab) == {"Ulm"}


def test_rule_13_a_deletion_is_only_that_record_s(tmp_path: Path) -> None:
    """The deleted record stays away, the question is asked once, and the others go on."""
    lab, contact = anna(tmp_path, second=True)
    lab.crm.delete(lead(lab))
    lab.run()
    assert questions(lab) == ["deleted:crm"]
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.quiet()
    assert lab.contact(ANNA, "hub2")["city"] == "Ulm"
    assert [row for row in lab.crm.rows("Lead") if row.get("Email") == ANNA] == []


def test_rule_13_a_write_to_a_record_that_is_gone_is_moot(tmp_path: Path) -> None:
    """Deleted just before our write: not made again, not retried, asked."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    mine = lead(lab)
    lab.after = ("crm", "POST /services/data/v66.0/composite/sobjects/Lead", lambda: lab.crm.delete(mine))
    lab.run()
    lab.quiet()
    assert questions(lab) == ["deleted:crm"]


def test_rule_13_a_moved_link_meets_anew(tmp_path: Path) -> None:
    """Merged into a record that nobody knew, the person's link goes on there, with what that record says."""
    lab, contact = anna(tmp_path)
    other = lab.hub.create({"email": "ash@a.example", "lastname": "Ash", "jobtitle": "CEO"})
    lab.hub.merge(contact, other)
    lab.quiet()
    assert lab.person(ANNA)["Title"] == "CEO"
    assert len(list(lab.hub.contacts())) == len(list(lab.crm.rows("Lead"))) == 1


def test_rule_14_a_merge_in_the_vendor_may_bring_a_value_back(tmp_path: Path) -> None:
    """A clear that was carried over everywhere gives way to what the merged record brings, and that is on record."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": ""})
    lab.quiet()
    lab.later()
    other = lab.hub.create({"email": "ash@a.example", "lastname": "Ash", "city": "Kiel"})
    lab.hub.merge(contact, other)
    lab.quiet()
    assert cities(lab) == {"Kiel"}
    assert overruled(lab, None)
