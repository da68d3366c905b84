"""`verify`: every way in which records can differ from what was agreed is found, counted once, and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import Office

from stagesync.app.views.verify import verify_json, verify_text
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.looking.verify import Verification, verify


def _office(folder: Path, **options: object) -> Office:
    office = Office(folder, **options)  # pyright: ignore[reportArgumentType] - the office's own keywords
    for name in ("anna", "bert"):
        office.hub.create({"email": f"{name}@a.example", "firstname": name.title(), "lastname": "Ash", "city": "Bonn", "lifecyclestage": "lead"})
    office.run()
    office.later()
    return office


def test_all_agree(tmp_path: Path) -> None:
    """After a run every record is in sync, which is proved, and the text says so."""
    found = verify(_office(tmp_path).session)
    assert (found.in_sync, found.drifted, found.orphans, found.proved) == (4, 0, 0, True)
    assert verify_text(found)[-1] == "All systems agree."


def test_drift_is_found(tmp_path: Path) -> None:
    """A field and a stage that were changed since are named with both values, and reading changes nothing."""
    office = _office(tmp_path)
    office.crm.edit(office.person("anna@a.example")["Id"], {"City": "Ulm", "Status": "Sales Qualified"})
    found = verify(office.session)
    assert (found.in_sync, found.drifted, found.proved) == (3, 1, False)
    assert [field[:3] for field in found.drifts[0].fields] == [("city", "Ulm", "Bonn"), ("stage", "Status=Sales Qualified", "lead")]
    text = verify_text(found)
    assert '    city: "Ulm" there, "Bonn" agreed' in text
    assert text[-1].startswith("The systems do not agree")
    assert verify_json(found)["drifts"][0]["fields"][0] == {"field": "city", "there": "Ulm", "agreed": "Bonn", "refused": False, "rule": None}
    assert office.contact("anna@a.example")["city"] == "Bonn"


def test_of_a_system_that_is_only_read_its_own_edits_count(tmp_path: Path) -> None:
    """An edit there is drift, of the stage too, whether a plan has seen it or not; what it is owed and never gets cannot be proved, and is no drift."""
    office = _office(tmp_path, directions={"hub": "read"})
    office.crm.edit(office.person("bert@a.example")["Id"], {"City": "Ulm"})
    office.run()
    assert (verify(office.session).drifted, verify(office.session).unprovable["hub", "city"]) == (0, 1)
    office.later()
    (anna,) = (each["id"] for each in office.hub.contacts() if each["properties"]["email"] == "anna@a.example")
    office.hub.edit(anna, {"city": "Kiel", "lifecyclestage": "customer"})
    for _ in range(2):
        (drift,) = verify(office.session).drifts
        assert [(drift.system, *field[:3]) for field in drift.fields] == [("hub", "city", "Kiel", "Bonn"), ("hub", "stage", "lifecyclestage=customer", "lead")]
        engine.plan(office.session)


def test_orphans_are_found(tmp_path: Path) -> None:
    """A record that no run has read and a link without its record are orphans, each with its reason."""
    office = _office(tmp_path)
    office.hub.create({"email": "cleo@a.example", "lastname": "Cedar"})
    office.crm.delete(office.person("bert@a.example")["Id"])
    found = verify(office.session)
    assert sorted((orphan.system, orphan.why) for orphan in found.lost) == [
        ("crm", "linked, but no longer there"),
        ("hub", "a record that no run has read yet"),
    ]
    assert (found.orphans, found.proved) == (2, False)
    assert sum(line.startswith("orphan: ") for line in verify_text(found)) == 2


def test_what_is_held_is_not_drift(tmp_path: Path) -> None:
    """Differences that wait for an answer are counted as held, and do not break the proof."""
    office = Office(tmp_path, settings=Settings({}, {"hub": 0, "crm": 1}))
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "city": "Ulm"})
    office.crm.create("Lead", {"Email": "anna@a.example", "LastName": "Ash", "Company": "A", "City": "Bonn"})
    office.run()
    found = verify(office.session)
    assert (found.held, found.drifted, found.proved) == (2, 0, True)


def test_duplicates_and_ambiguous_records(tmp_path: Path) -> None:
    """A copy of a person's record is a duplicate; what says something else, and what nobody can tell apart, is ambiguous; neither is drift."""
    office = _office(tmp_path)
    mine = office.person("anna@a.example")
    office.crm.create("Lead", {name: mine[name] for name in ("Email", "FirstName", "LastName", "Company", "City", "Status")})
    office.crm.create("Lead", {"Email": "bert@a.example", "LastName": "Ash", "Company": "Elsewhere"})
    office.crm.create("Lead", {"Email": "info@a.example", "LastName": "Oak", "Company": "A"})
    office.crm.create("Lead", {"Email": "info@a.example", "LastName": "Elm", "Company": "A"})
    office.run()
    found = verify(office.session)
    assert (found.duplicates, found.ambiguous, found.drifted, found.orphans) == (1, 3, 0, 0)


@pytest.mark.parametrize(("national", "same"), [("089 99998089", True), ("(0 89) 99998-089", True), ("089 99998000", False), ("8089", False)])
def test_numbers_without_a_readable_country(tmp_path: Path, national: str, same: bool) -> None:
    """A national number in a record whose country nobody can read is the agreed one if its digits are."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "phone": "+498999998089", "country": "Elbonia"})
    office.run()
    office.later()
    office.crm.edit(office.person("anna@a.example")["Id"], {"Phone": national})
    found = verify(office.session)
    assert (found.in_sync, found.drifted) == ((2, 0) if same else (1, 1))


def test_more_than_is_shown(tmp_path: Path) -> None:
    """What is not listed is still counted, in the text too."""
    office = _office(tmp_path)
    for name in ("anna", "bert"):
        office.crm.edit(office.person(f"{name}@a.example")["Id"], {"City": "Ulm"})
    found = verify(office.session)
    assert "... and 1 more" in verify_text(found, shown=1)


def test_each_count_has_a_meaning() -> None:
    """Every count of a verification is in the object that scripts read."""
    told = verify_json(Verification())
    assert {"in_sync", "drifted", "held", "frozen", "orphans", "ambiguous", "duplicates", "unprovable", "proved"} <= set(told)
