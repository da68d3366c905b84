"""Writes of which nobody knows what became of them: looked at, settled, and nothing forgotten meanwhile."""

from __future__ import annotations

from pathlib import Path

from annas_lab import ANNA, PATCH, anna, lead
from questions import questions

from stagesync.sandbox.faults import Fault


def test_unknown_outcomes_of_both_kinds_are_settled(tmp_path: Path) -> None:
    """A Lead and a Contact whose answers were lost together are looked at each by its own fields."""
    lab, contact = anna(tmp_path)
    other = lab.hub.create({"email": "bob@b.example", "lastname": "Birch"})
    lab.run()
    lab.later()
    lab.crm.convert(lab.person("bob@b.example")["Id"])
    lab.quiet()
    lab.later()
    for each in (contact, other):
        lab.hub.edit(each, {"city": "Ulm"})
    lab.crm.faults.add(Fault("lost_after", PATCH, times=2))
    lab.run()
    lab.quiet()
    assert (lab.person(ANNA)["City"], lab.person("bob@b.example", "Contact")["MailingCity"]) == ("Ulm", "Ulm")
    assert questions(lab) == []


def test_an_edit_in_the_moment_of_settling_is_not_forgotten(tmp_path: Path) -> None:
    """Somebody edits another field of the record while we find out what became of our write: it travels in the next run."""
    lab, contact = anna(tmp_path)
    lab.hub.edit(contact, {"city": "Ulm"})
    lab.crm.faults.add(Fault("lost_after", PATCH))
    lab.after = ("crm", PATCH, lambda: lab.crm.edit(lead(lab), {"Title": "CEO"}))
    lab.run()
    lab.run()
    assert (lab.contact(ANNA)["jobtitle"], lab.person(ANNA)["City"]) == ("CEO", "Ulm")
