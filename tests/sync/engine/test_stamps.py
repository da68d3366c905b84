"""Fields that the lifecycle fills, end to end over the sandbox: set when somebody moves, told to new records, put back where somebody types over them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from office import Office

from stagesync.app.views.verify import verify_text
from stagesync.app.views.why import why_json, why_text
from stagesync.state import leases
from stagesync.sync.looking.verify import verify
from stagesync.sync.past.seeding import seed

FIELDS: dict[str, Any] = {
    "mql_date": {"type": "datetime", "stage": "mql", "hub": "mql_date", "crm": {"lead": "MQL_Date__c"}},
    "disqualified_on": {"type": "date", "side": "disqualified", "crm": {"lead": "Disqualified_On__c"}},
    "disqualified_reason": {"side": "disqualified", "what": "reason", "hub": "disqualified_reason", "crm": {"lead": "Disqualified_Reason__c"}},
}


class Dated(Office):
    """An office with room for dates and reasons in both worlds."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, **more)
        self.hub.by_hand.define("mql_date", "MQL date", "datetime", "date")
        self.hub.by_hand.define("disqualified_reason", "Disqualified reason")
        self.crm.define("Lead", "MQL_Date__c", "MQL date", "datetime")
        self.crm.define("Lead", "Disqualified_On__c", "Disqualified on", "date")
        self.crm.define("Lead", "Disqualified_Reason__c", "Disqualified reason", length=255)
        self.fields = FIELDS
        self.session = self.reopened()

    def moment(self, email: str) -> str | None:
        """The MQL date in HubSpot, which is the one in Salesforce to the second."""
        there, here = self.contact(email).get("mql_date"), self.person(email).get("MQL_Date__c")
        if there is None or here is None:
            assert there is here
            return None
        seconds = datetime.fromisoformat(there).astimezone(UTC).isoformat(timespec="seconds")
        assert datetime.fromisoformat(here).astimezone(UTC).isoformat(timespec="seconds") == seconds
        return seconds


def now(office: Office) -> str:
    """The world's present moment."""
    return datetime.fromtimestamp(office.clock.at, UTC).isoformat(timespec="seconds")


def lead_of(office: Office, stage: str = "lead", email: str = "anna@a.example") -> tuple[str, str]:
    """Somebody at a stage, in both systems: (contact, Lead)."""
    contact = office.hub.create({"email": email, "firstname": "Anna", "lastname": "Ash", "lifecyclestage": stage})
    office.quiet()
    return contact, office.person(email)["Id"]


def test_a_move_is_dated_everywhere(tmp_path: Path) -> None:
    """Whoever becomes an MQL has the moment of the move in both systems after one run, and the next run writes nothing."""
    office = Dated(tmp_path)
    contact, _ = lead_of(office)
    assert office.moment("anna@a.example") is None
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    moved = now(office)
    office.later(600)
    office.run()
    assert office.moment("anna@a.example") == moved
    assert office.run().writes == 0
    assert verify(office.session).proved


def test_a_moment_is_proved_where_a_system_keeps_whole_seconds(tmp_path: Path) -> None:
    """HubSpot keeps the milliseconds of a move and Salesforce does not: that is no drift, and nothing is written again."""
    office = Dated(tmp_path)
    contact, _ = lead_of(office)
    office.later(60.345)
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    office.later(600)
    office.run()
    assert str(office.contact("anna@a.example")["mql_date"]).endswith(".345Z")
    assert verify(office.session).proved
    assert office.run().writes == 0


def test_what_stood_there_before_is_left_alone_until_somebody_moves(tmp_path: Path) -> None:
    """A date of the time before stagesync stays where it is and travels nowhere; the next entry writes over it."""
    office = Dated(tmp_path)
    contact = office.hub.create({"email": "anna@a.example", "lastname": "Ash", "lifecyclestage": "marketingqualifiedlead", "mql_date": "1577836800000"})
    office.quiet()
    assert str(office.contact("anna@a.example")["mql_date"]).startswith("2020-01-01")
    assert office.person("anna@a.example").get("MQL_Date__c") is None
    assert verify(office.session).proved
    office.later()
    office.hub.edit(contact, {"mql_date": "1609459200000"})
    office.quiet()
    assert str(office.contact("anna@a.example")["mql_date"]).startswith("2021-01-01")
    assert office.person("anna@a.example").get("MQL_Date__c") is None
    office.later()
    office.crm.edit(office.person("anna@a.example")["Id"], {"Status": "Open - Not Contacted"})
    office.quiet()
    office.later()
    office.crm.edit(office.person("anna@a.example")["Id"], {"Status": "Marketing Qualified"})
    entered = now(office)
    office.later(60)
    office.quiet()
    assert (office.moment("anna@a.example") or "") >= entered


def test_a_newcomer_is_dated(tmp_path: Path) -> None:
    """Somebody who comes in as an MQL after the first sync has the date of the run that met them, in both systems."""
    office = Dated(tmp_path)
    lead_of(office)
    office.later()
    office.hub.create({"email": "bob@b.example", "lastname": "Birch", "lifecyclestage": "marketingqualifiedlead"})
    office.later(60)
    office.run()
    assert office.moment("bob@b.example") == now(office)
    assert office.moment("anna@a.example") is None
    assert office.run().writes == 0


def test_what_somebody_types_is_put_back(tmp_path: Path) -> None:
    """A date that somebody changes or clears comes back in the next run, is told as overruled, and never travels; `why` and `verify` name the lifecycle."""
    office = Dated(tmp_path)
    contact, lead = lead_of(office)
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    moved = office.moment("anna@a.example")
    for edit in ({"MQL_Date__c": "2030-01-01T00:00:00.000+0000"}, {"MQL_Date__c": None}):
        office.later()
        office.crm.edit(lead, edit)
        told = "\n".join(verify_text(verify(office.session)))
        assert "set by the lifecycle when the person entered mql" in told
        report = office.run()
        assert (report.overruled, report.systems["hub"].writes, report.systems["crm"].writes) == (1, 0, 1)
        assert office.moment("anna@a.example") == moved
        assert office.run().writes == 0
    with office.session.store.read() as tx:
        story = "\n".join(why_text(tx, office.session, 1, "mql_date"))
        told = why_json(tx, office.session, 1, "mql_date")
    assert "from stagesync (set by the lifecycle when the person entered mql)" in story
    assert "the lifecycle sets this field" in story
    assert told["fields"][0]["rule"] == "set by the lifecycle when the person entered mql"


def test_why_tells_that_an_edit_will_be_put_back(tmp_path: Path) -> None:
    """Where a run looked at an edit but not at the person, `why` says what the next one does with it."""
    office = Dated(tmp_path)
    lead_of(office, email="bob@b.example")
    contact, lead = lead_of(office)
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    office.later()
    office.crm.edit(lead, {"MQL_Date__c": None})
    office.run(only=["bob@b.example"])
    with office.session.store.read() as tx:
        story = why_text(tx, office.session, 2, "mql_date")
    assert story[-3] == "  What comes next: the next run puts back what was changed there: the lifecycle sets this field"


def test_a_rejection_has_its_day_and_its_reason(tmp_path: Path) -> None:
    """A disqualified Lead's day and reason are written, a person who enters again keeps them, and a second rejection has its own."""
    office = Dated(tmp_path)
    contact, lead = lead_of(office, "marketingqualifiedlead")
    office.later()
    office.crm.edit(lead, {"Status": "Closed - Not Converted"})
    office.later(60)
    office.quiet()
    first = office.person("anna@a.example")
    assert first["Disqualified_On__c"] == now(office)[:10]
    assert first["Disqualified_Reason__c"] == office.contact("anna@a.example")["disqualified_reason"] == "Closed - Not Converted"
    office.later(86_400 * 3)
    office.crm.edit(lead, {"Status": "Working - Contacted"})
    office.quiet()
    assert office.person("anna@a.example")["Disqualified_On__c"] == first["Disqualified_On__c"]
    office.later(86_400 * 3)
    office.hub.edit(contact, {"hs_lead_status": "UNQUALIFIED"})
    office.quiet()
    again = office.person("anna@a.example")
    assert again["Disqualified_On__c"] > first["Disqualified_On__c"]
    assert again["Disqualified_Reason__c"] == office.contact("anna@a.example")["disqualified_reason"] != "Closed - Not Converted"


def test_a_new_record_gets_what_is_known(tmp_path: Path) -> None:
    """Somebody who is let into Salesforce only as an MQL is created there with the date of that same move."""
    office = Dated(tmp_path, overrides={"crm": {"include": {"min_stage": "mql"}, "create": {"fallback": {"Company": "-", "LastName": "-"}}}})
    contact = office.hub.create({"email": "anna@a.example", "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    assert list(office.crm.rows("Lead")) == []
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    moved = now(office)
    office.later(600)
    report = office.run()
    assert report.systems["crm"].created == 1
    assert office.moment("anna@a.example") == moved
    assert office.run().writes == 0


def test_a_second_pass_has_its_own_date(tmp_path: Path) -> None:
    """A recycled person keeps the date of the first pass until they are an MQL again."""
    office = Dated(tmp_path)
    contact, _ = lead_of(office)
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    first = office.moment("anna@a.example")
    office.later()
    office.hub.edit(contact, {"hs_lead_status": "BAD_TIMING"})
    office.quiet()
    assert office.moment("anna@a.example") == first
    office.later()
    office.hub.edit(contact, {"hs_lead_status": None})
    again = now(office)
    office.later(60)
    office.quiet()
    assert office.moment("anna@a.example") == again


def test_a_field_that_comes_later_starts_with_the_next_move(tmp_path: Path) -> None:
    """Fields that are added to a running configuration date nobody who stood there before, and everybody who moves from then on."""
    office = Dated(tmp_path)
    office.fields = {}
    office.session = office.reopened()
    contact, _ = lead_of(office, "marketingqualifiedlead")
    office.fields = FIELDS
    office.session = office.reopened()
    office.quiet()
    assert office.moment("anna@a.example") is None
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    office.quiet()
    assert office.moment("anna@a.example") is None
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    moved = now(office)
    office.later(60)
    office.quiet()
    assert office.moment("anna@a.example") == moved


def test_a_reason_is_told_to_a_field_that_comes_later(tmp_path: Path) -> None:
    """Whoever is disqualified when a field for the reason is added has it there after the next run, but no date; `why` tells nothing of blank to blank."""
    office = Dated(tmp_path)
    office.fields = {}
    office.session = office.reopened()
    _, lead = lead_of(office)
    office.later()
    office.crm.edit(lead, {"Status": "Closed - Not Converted"})
    office.quiet()
    office.fields = FIELDS
    office.session = office.reopened()
    office.quiet()
    assert office.contact("anna@a.example")["disqualified_reason"] == office.person("anna@a.example")["Disqualified_Reason__c"] == "Closed - Not Converted"
    assert office.person("anna@a.example").get("Disqualified_On__c") is None
    with office.session.store.read() as tx:
        assert "(blank) -> (blank)" not in "\n".join(why_text(tx, office.session, 1))


def test_history_fills_what_a_first_meeting_left_open(tmp_path: Path) -> None:
    """Once the ledger is seeded, people who were met as MQLs get the date that the portal's history tells; a date that is known already stays."""
    office = Dated(tmp_path)
    contact, entered = office.hub.create({"email": "anna@a.example", "lastname": "Ash", "lifecyclestage": "lead"}), ""
    office.later(86_400)
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    entered = now(office)
    office.later(86_400)
    mover, _ = lead_of(office, "lead", "bob@b.example")
    office.later(86_400)
    office.hub.edit(mover, {"lifecyclestage": "marketingqualifiedlead"})
    moved = now(office)
    office.quiet()
    assert (office.moment("anna@a.example"), office.moment("bob@b.example")) == (None, moved)
    office.later()
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        seed(office.session)
    office.quiet()
    assert (office.moment("anna@a.example"), office.moment("bob@b.example")) == (entered, moved)
    assert office.run().writes == 0
    assert verify(office.session).proved
