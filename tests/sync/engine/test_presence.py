"""Who is there: whoever has no record left in any system is nowhere in the ledger, whichever way the last one went, until one comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from office import NEWEST, Office
from questions import questions
from ruled import ANNA, ruled

from stagesync.state import entries, people
from stagesync.sync.deciding.desk import Settings

BERT = "bert@b.example"
ARCHIVE = Settings(NEWEST, {"hub": 0, "crm": 1, "hub2": 2}, deletes="archive")
STALE = {"name": "stale", "stage": "nurture", "from": ["mql"], "when": "days_in_stage >= 30", "mode": "apply"}


def met(office: Office, *emails: str) -> None:
    """These people are MQLs in both systems."""
    for email in emails:
        office.hub.create({"email": email, "lastname": email.partition("@")[0], "lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    office.later()


def ledger(office: Office, person: int = 1) -> list[tuple[str | None, str | None, str]]:
    """Stage, side state and origin of a person's rows; without a gap in between."""
    with office.session.store.read() as tx:
        rows = entries.of_people(tx, [person])[person]
    assert [(row.left_at, row.left_seen) for row in rows] == [*((row.entered_at, row.entered_seen) for row in rows[1:]), (None, None)]
    return [(row.stage, row.side, row.origin) for row in rows]


def last(office: Office, person: int = 1) -> Any:
    """A person's last row."""
    with office.session.store.read() as tx:
        return entries.of_people(tx, [person])[person][-1]


def test_deleted_in_one_system_is_not_gone(store_url: str) -> None:
    """The last record decides, and when it went by the vendor's clock; whoever is restored is where they were, and quiet stays quiet."""
    office = Office(store_url)
    met(office, ANNA)
    lead, contact = office.person(ANNA)["Id"], office.contact(ANNA)["id"]
    office.hub.archive(contact)
    office.later(90_000)
    office.quiet()
    assert ledger(office) == [("mql", None, "first")]
    deleted = office.clock.now_ms()
    office.crm.delete(lead)
    office.later()
    office.quiet()
    assert ledger(office) == [("mql", None, "first"), (None, None, "gone")]
    gone = last(office)
    assert (gone.system, gone.evidence, gone.run is not None) == ("crm", "no record is left: deleted in crm", True)
    assert abs(gone.entered_at - deleted) < 1_000 < gone.entered_seen - gone.entered_at
    office.crm.undelete(lead)
    office.later()
    office.quiet()
    assert ledger(office) == [("mql", None, "first"), (None, None, "gone"), ("mql", None, "back")]
    assert last(office).evidence == "a record is there again"


def test_a_deletion_that_we_carry_out_everywhere_is_one(tmp_path: Path) -> None:
    """By configuration the last record is archived by us: nobody needs to look again."""
    office = Office(tmp_path, settings=ARCHIVE)
    met(office, ANNA)
    office.crm.delete(office.person(ANNA)["Id"])
    assert office.run().writes == 1
    assert ledger(office) == [("mql", None, "first"), (None, None, "gone")]
    assert (last(office).system, last(office).evidence) == ("hub", "no record is left: archived in hub")


def test_whoever_is_made_anew_is_somebody_new(tmp_path: Path) -> None:
    """Nobody knows whose a record is of whom nothing was left: they are met where they stand, and who was gone stays so."""
    office = Office(tmp_path, settings=ARCHIVE)
    met(office, ANNA)
    office.crm.delete(office.person(ANNA)["Id"])
    office.quiet()
    office.later()
    office.crm.create("Lead", {"Email": ANNA, "LastName": "anna", "Company": "A"})
    office.quiet()
    with office.session.store.read() as tx:
        assert people.count(tx, office.session.workspace) == 2
    assert [ledger(office, person)[-1][2] for person in (1, 2)] == ["gone", "first"]


def test_whose_only_record_was_merged_into_another_persons_is_gone(tmp_path: Path) -> None:
    """The survivor's person is where they were."""
    office = Office(tmp_path)
    met(office, ANNA, BERT)
    for lead in (office.person(ANNA)["Id"], office.person(BERT)["Id"]):
        office.crm.delete(lead)
    office.quiet()
    office.later()
    office.hub.merge(office.contact(ANNA)["id"], office.contact(BERT)["id"])
    office.later(90_000)
    office.quiet()
    assert [ledger(office, person)[-1][2] for person in (1, 2)] == ["first", "gone"]
    assert last(office, 2).evidence == "no record is left: merged into somebody else's in hub"


def test_nobody_is_asked_about_whoever_is_gone(store_url: str) -> None:
    """A rule that counts days speaks of them once they are back, and then of all the days since they came there; the question goes with them again."""
    office = ruled(store_url, STALE)
    met(office, ANNA)
    lead, contact = office.person(ANNA)["Id"], office.contact(ANNA)["id"]
    office.hub.archive(contact)
    office.crm.delete(lead)
    for days in (1, 40, 40):
        office.later(days * 86_400)
        office.quiet()
        assert (ledger(office), questions(office)) == ([("mql", None, "first"), (None, None, "gone")], [])
    for turn, asked in ((office.crm.undelete, True), (office.crm.delete, False)):
        turn(lead)
        office.later()
        office.quiet()
        assert ("rule:stale" in questions(office)) == asked
    assert ledger(office)[2:] == [("mql", None, "back"), (None, None, "gone")]
