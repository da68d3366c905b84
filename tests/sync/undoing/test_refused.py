"""What an undo leaves as it is, and refuses by name: edits since, records in use, addresses that are taken, consent, and what a vendor did itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import Office
from undoing import ANNA, both, reasons, undo

from stagesync.app.views.undo import refused
from stagesync.model.records import Ref
from stagesync.state import leases, links
from stagesync.sync.duplicates.deciding import decide
from stagesync.sync.duplicates.rulings import Ruling


def test_what_somebody_edited_since_is_refused_by_name_and_the_rest_goes_back(tmp_path: Path) -> None:
    """A field that was typed over after the run stays as it is, in both systems; the other fields of the same write go back."""
    office = Office(tmp_path)
    contact, lead = both(office)
    office.hub.edit(contact, {"city": "Mainz", "firstname": "Anne"})
    done = office.run()
    office.crm.edit(lead, {"City": "Trier"})
    made, _ = undo(office, done.run)
    assert reasons(made.refusals) == {("crm", "city", "somebody edited it since")}
    assert (office.person(ANNA)["FirstName"], office.person(ANNA)["City"]) == ("Anna", "Trier")
    office.quiet()
    assert (office.contact(ANNA)["firstname"], office.contact(ANNA)["city"]) == ("Anne", "Trier")


def test_a_created_record_that_somebody_uses_stays(tmp_path: Path) -> None:
    """Whoever typed something into the new record, or made a contact of it, keeps it."""
    office = Office(tmp_path)
    office.quiet()
    for name in ("anna", "bea"):
        office.hub.create({"email": f"{name}@a.example", "lastname": name})
    done = office.run().run
    office.crm.edit(office.person(ANNA)["Id"], {"Title": "Head"})
    office.crm.convert(office.person("bea@a.example")["Id"])
    made, report = undo(office, done)
    assert report.writes == 0 and len(made.refusals) == 2
    assert {why for _, _, why in reasons(made.refusals)} == {
        "the record that the run made stays: somebody else was the last to modify it",
        "the record that the run made stays: it was merged, converted or taken from this person since",
    }


def test_an_address_that_somebody_else_has_by_now_is_refused(tmp_path: Path) -> None:
    """The old address went to a new human since: it does not go back."""
    office = Office(tmp_path)
    _, lead = both(office)
    office.crm.edit(lead, {"Email": "berg@a.example"})
    done = office.run().run
    office.later()
    office.hub.create({"email": ANNA, "lastname": "Another"})
    made, _ = undo(office, done)
    assert reasons(made.refusals) == {("", "email", "another person has that address now")}
    assert office.contact("berg@a.example")["lastname"] == "Berg"


def test_consent_is_never_undone(tmp_path: Path) -> None:
    """An opt-out that was carried over stays, by name."""
    office = Office(tmp_path)
    contact, _ = both(office)
    office.hub.edit(contact, {"hs_email_optout": "true", "city": "Mainz"})
    done = office.run().run
    assert office.person(ANNA)["HasOptedOutOfEmail"] is True
    made, _ = undo(office, done)
    why = "consent is never undone: whoever opted out stays so until somebody decides"
    assert reasons(made.refusals) == {("", "email_opt_out", why)}
    assert (office.person(ANNA)["HasOptedOutOfEmail"], office.person(ANNA)["City"]) == (True, "Bonn")


@pytest.mark.parametrize("how", ["merged", "converted", "deleted"])
def test_what_a_vendor_did_to_the_record_cannot_be_undone(how: str, tmp_path: Path) -> None:
    """The record that the run wrote was merged, converted or deleted since: its field stays everywhere, by name, and nothing is written."""
    office = Office(tmp_path)
    contact, lead = both(office)
    office.hub.edit(contact, {"city": "Mainz"})
    done = office.run().run
    office.later()
    match how:
        case "merged":
            other = office.crm.create("Lead", {"Email": "b@a.example", "LastName": "Berg", "Company": "A"})
            office.crm.merge(other, [lead], {"Email": ANNA})
        case "converted":
            office.crm.convert(lead)
        case _:
            office.crm.delete(lead)
    made, report = undo(office, done)
    assert reasons(made.refusals) == {
        ("crm", "city", "the record was deleted or erased since" if how == "deleted" else "the record was merged, converted or taken from this person since")
    }
    assert report.writes == 0
    assert office.contact(ANNA)["city"] == "Mainz"


def test_whom_somebody_joined_to_another_since_is_refused_by_name(tmp_path: Path) -> None:
    """Each of two people got a Lead, and they were said to be one human since: that of the one who stays goes, of the other one it is said that it stays."""
    office = Office(tmp_path)
    mine, other = (office.hub.create({"email": email, "firstname": "Anna", "lastname": "Berg"}) for email in (ANNA, "berg@home.example"))
    done = office.run().run
    office.later()
    session = office.session
    account = next(each.system.account for each in session.systems.values() if each.name == "hub")
    with leases.acquire(session.store, session.workspace, "test"), session.store.write() as tx:
        one, two = sorted((Ref("contact", mine), Ref("contact", other)))
        known = links.by_refs(tx, session.workspace, account, {one, two})
        gone = known[Ref("contact", other)].person
        decide(tx, session.workspace, [Ruling(one, two, Ref("contact", mine))], known, session.clock.now_ms())
    made, _ = undo(office, done)
    (refusal,) = made.refusals
    assert (refusal.person, refusal.field) == (gone, "record")
    assert refusal.why == f"somebody said since that they are one human with p{known[Ref('contact', mine)].person}: what the run wrote into their records stays"
    assert [row["Email"] for row in office.crm.rows("Lead")] == ["berg@home.example"]
    assert f"p{gone}" in "\n".join(refused(made.refusals))
    again, _ = undo(office, made.plan.run)
    assert reasons(again.refusals) == {("crm", "record", "a second record of theirs is there, which is left alone")}
