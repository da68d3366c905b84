"""A few people go first: the rest follows only where their part landed as wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import Lab
from office import Office

from stagesync.model.errors import SafetyStop
from stagesync.sandbox.faults import Fault
from stagesync.state import leases, runs
from stagesync.sync import engine
from stagesync.sync.engine import RunReport


def flown(office: Office, first: int) -> RunReport:
    """One run in which so many people go first."""
    office.clock.at += 1
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        planned = engine.plan(office.session)
        return engine.apply(office.session, planned.run, planned=planned, first=first)


def staffed(tmp_path: Path, number: int = 12) -> tuple[Office, list[str]]:
    """An office whose people are in HubSpot only."""
    office = Office(tmp_path)
    return office, [office.hub.create({"email": f"p{each}@a.example", "lastname": "Ash", "city": "Bonn"}) for each in range(number)]


def cities(office: Office) -> list[Any]:
    """What Salesforce says, in order."""
    return sorted(str(row.get("City")) for row in office.crm.rows("Lead"))


def test_where_all_landed_the_rest_follows(tmp_path: Path) -> None:
    """Everything is written in the end, and nothing twice."""
    office, _ = staffed(tmp_path)
    report = flown(office, 3)
    assert (report.error, report.ahead, report.systems["crm"].created) == (None, 3, 12)
    assert len(cities(office)) == 12
    assert office.run().writes == 0


def test_a_refusal_among_the_first_stops_before_the_rest(tmp_path: Path) -> None:
    """Exit 3 that names person, system, code and field; the others were not touched, and a later run writes them."""
    office, _ = staffed(tmp_path)
    office.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")
    report = flown(office, 3)
    assert isinstance(report.error, SafetyStop)
    assert report.error.exit_code == 3
    assert "of the first 3 people not all landed as wanted, and nobody else was written: p" in str(report.error)
    assert "in crm: refused with FIELD_CUSTOM_VALIDATION_EXCEPTION" in str(report.error)
    assert len(cities(office)) == 2
    assert engine.plan(office.session).stops[0].kind == "first"
    assert office.run().systems["crm"].created == 9
    assert office.run().writes == 0


def test_a_value_that_reads_back_otherwise_stops_before_the_rest(tmp_path: Path) -> None:
    """The system takes the write, and something there changes it at once: the field is named, its value is not."""
    office = Lab(tmp_path)
    contacts = [office.hub.create({"email": f"p{each}@a.example", "lastname": "Ash", "city": "Bonn"}) for each in range(12)]
    office.run()
    office.later()
    for contact in contacts:
        office.hub.edit(contact, {"city": "Ulm"})
    office.after = ("crm", "PATCH /services/data/v66.0/composite/sobjects", lambda: retype(office, "Ulm", "Kiel"))
    report = flown(office, 2)
    assert isinstance(report.error, SafetyStop)
    assert "reads back otherwise in city" in str(report.error)
    assert "Kiel" not in str(report.error)
    assert cities(office) == ["Bonn"] * 10 + ["Kiel"] * 2
    with office.session.store.read() as tx:
        last = runs.last(tx, office.session.workspace)
    assert last is not None
    assert last.state == "stopped"
    office.quiet()
    assert {contact["properties"]["city"] for contact in office.hub.contacts()} == set(cities(office))


def test_the_first_are_of_every_kind(tmp_path: Path) -> None:
    """With few people, each kind of write in each system is tried before any is repeated."""
    office, contacts = staffed(tmp_path, 5)
    office.run()
    office.later()
    for contact in contacts:
        office.hub.edit(contact, {"city": "Ulm"})
    for each in range(5):
        office.crm.create("Lead", {"Email": f"q{each}@a.example", "LastName": "Elm", "Company": "E"})
    office.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")
    report = flown(office, 2)
    assert isinstance(report.error, SafetyStop)
    assert (report.systems["hub"].created, report.rejected) == (1, 1)


def test_a_lost_reply_among_the_first_is_looked_up(tmp_path: Path) -> None:
    """The records were made although nobody heard of it: they are found and read back before anything else, and nobody is made twice."""
    office, _ = staffed(tmp_path)
    office.crm.faults.add(Fault("lost_after", "POST /services/data/v66.0/composite/sobjects"))
    report = flown(office, 3)
    assert (report.error, report.ahead, report.systems["crm"].created, report.unknown) == (None, 3, 12, 0)
    office.quiet()
    assert len(cities(office)) == 12


def test_more_first_ones_than_people(tmp_path: Path) -> None:
    """Then all are looked at, and nothing is left."""
    office, _ = staffed(tmp_path, 2)
    report = flown(office, 50)
    assert (report.ahead, report.error, len(cities(office))) == (2, None, 2)
    assert flown(office, 50).writes == 0


def retype(office: Office, before: str, after: str) -> None:
    """Somebody changes the city of every Lead that lives there."""
    for row in list(office.crm.rows("Lead")):
        if row["City"] == before:
            office.crm.edit(row["Id"], {"City": after})
