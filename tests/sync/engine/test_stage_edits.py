"""What somebody's edit of a stage is taken for: whose move it is and since when, what it leaves as it was, and what moves nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from office import Office
from questions import answer, groups

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.policy import Policy
from stagesync.state import actions, entries
from stagesync.state.entries import EntryRow
from stagesync.sync.looking.verify import verify

ANNA = "anna@a.example"
MQL, SQL = "marketingqualifiedlead", "salesqualifiedlead"
REASONED: Mapping[str, Any] = {"crm": {"create": {"fallback": {"Company": "-"}}, "stages": {"lead": {"reason": "Why__c"}}}}


class Reasoned(Office):
    """An office whose org has a field for why a Lead was set aside."""

    def reopened(self) -> Any:
        """The administrator has added it before anybody looked."""
        if "Why__c" not in self.crm.org.schema.objects["Lead"].fields:
            self.crm.define("Lead", "Why__c", "Why", length=255)
        return super().reopened()


def known(office: Office, stage: str = MQL) -> str:
    """Anna is in both systems; her contact's id."""
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": stage})
    office.quiet()
    office.later()
    return contact


def stays(office: Office) -> Sequence[EntryRow]:
    """Anna's ledger."""
    with office.session.store.read() as tx:
        return entries.of_people(tx, [1])[1]


def places(office: Office) -> list[tuple[str | None, str | None, str | None]]:
    """The places of the ledger: stage, side state, reason."""
    return [(stay.stage, stay.side, stay.reason) for stay in stays(office)]


def test_a_field_that_says_nothing_makes_nobody_the_author(tmp_path: Path) -> None:
    """Sales makes an SQL, and half an hour later a workflow of marketing's sets a step that is no stage: the move stays sales', at its own time."""
    office = Office(tmp_path)
    contact = known(office)
    teams = Authority(automations={"hub": "marketing"}, systems={"crm": "sales", "hub": "sales"})
    office.session = replace(office.session, desk=replace(office.session.desk, policy=Policy(teams)))
    office.hub.workflow("hs_lead_status", {"NEW": "IN_PROGRESS"})
    moved = office.clock.now_ms()
    office.hub.edit(contact, {"lifecyclestage": SQL})
    office.later(1800)
    office.hub.edit(contact, {"hs_lead_status": "NEW"})
    office.later()
    report = office.run()
    assert (report.new_holds, office.contact(ANNA)["hs_lead_status"], office.person(ANNA)["Status"]) == (0, "IN_PROGRESS", "Sales Qualified")
    last = stays(office)[-1]
    assert last.actor is not None and last.actor.startswith("user")
    assert last.entered_at is not None and abs(last.entered_at - moved) < 1000


def test_of_two_who_make_the_same_move_the_ledger_has_ones_name_and_time(tmp_path: Path) -> None:
    """Both make an SQL of her between two runs: who is named did it at the time that is told, and is not the other."""
    office = Office(tmp_path)
    contact = known(office)
    office.crm.edit(office.person(ANNA)["Id"], {"Status": "Sales Qualified"})
    office.later(600)
    moved = office.clock.now_ms()
    office.hub.edit(contact, {"lifecyclestage": SQL})
    office.later()
    office.quiet()
    last = stays(office)[-1]
    assert (last.stage, last.system, last.actor) == ("sql", "crm and hub", "user 9001")
    assert last.entered_at is not None and abs(last.entered_at - moved) < 1000


def test_a_move_keeps_the_reason_that_another_system_gave(tmp_path: Path) -> None:
    """Sales disqualifies her for want of budget; HubSpot, which knows no reasons, raises her stage: the reason stays with her, and in the org."""
    office = Reasoned(tmp_path, overrides=REASONED)
    contact = known(office)
    office.crm.edit(office.person(ANNA)["Id"], {"Status": "Closed - Not Converted", "Why__c": "No budget"})
    office.quiet()
    office.later()
    office.hub.edit(contact, {"lifecyclestage": SQL})
    office.quiet()
    assert places(office) == [("mql", None, None), ("mql", "disqualified", "No budget"), ("sql", "disqualified", "No budget")]
    assert (office.person(ANNA)["Status"], office.person(ANNA)["Why__c"]) == ("Closed - Not Converted", "No budget")


def test_a_reason_that_is_given_later_is_heard(tmp_path: Path) -> None:
    """Set aside today, and why is typed tomorrow: nothing is put there meanwhile, it counts although the status has not moved, and the systems agree."""
    office = Reasoned(tmp_path, overrides=REASONED)
    known(office)
    lead = office.person(ANNA)["Id"]
    office.crm.edit(lead, {"Status": "Closed - Not Converted"})
    office.quiet()
    assert office.person(ANNA).get("Why__c") is None
    office.later()
    office.crm.edit(lead, {"Why__c": "No budget"})
    office.quiet()
    assert places(office)[-1] == ("mql", "disqualified", "No budget")
    assert office.person(ANNA)["Why__c"] == "No budget"
    assert verify(office.session).proved


def test_each_clearing_has_its_quiet_cycle(tmp_path: Path) -> None:
    """HubSpot lets a stage go back only once it is cleared. Who does so twice, with a look in between each time, is never written over meanwhile."""
    office = Office(tmp_path)
    contact = known(office, "opportunity")
    for stage in (SQL, MQL, "opportunity", "opportunity"):
        office.hub.edit(contact, {"lifecyclestage": ""})
        assert office.run().writes == 0
        office.later(60)
        office.hub.edit(contact, {"lifecyclestage": stage})
        office.quiet()
        assert office.contact(ANNA)["lifecyclestage"] == stage
        office.later()
    assert [stay.stage for stay in stays(office)] == ["opportunity", "sql", "mql", "opportunity"]


def test_a_cleared_stage_is_written_again_with_that_reason(tmp_path: Path) -> None:
    """The journal tells why a stage was written although nobody moved anybody."""
    office = Office(tmp_path)
    contact = known(office)
    office.hub.edit(contact, {"lifecyclestage": ""})
    office.run()
    planned = office.plan()
    with office.session.store.read() as tx:
        (row,) = [row for row in actions.of_people(tx, planned.run, [1]) if row.op == "update"]
    assert row.fields["stage"] == [None, "mql", 1, "no stage stands there any more, and that moves nobody"]


def test_an_answer_is_no_answer_to_what_was_said_since(tmp_path: Path) -> None:
    """Marketing's SQL is a question, and the answer is no. Before a run takes it in, sales moves her on, or marketing says something else: both are heard."""
    for name, system, values, expected in (
        ("on", "hub2", {"lifecyclestage": "opportunity"}, ("opportunity", None, None)),
        ("off", "crm", {"Status": "Closed - Not Converted"}, ("mql", "disqualified", "Closed - Not Converted")),
    ):
        (tmp_path / name).mkdir()
        office = Office(tmp_path / name, second=True)
        known(office)
        teams = Authority(systems={"crm": "marketing", "hub": "sales", "hub2": "sales"}, also={"disqualified": frozenset({"marketing"})})
        office.session = replace(office.session, desk=replace(office.session.desk, policy=Policy(teams)))
        lead, other = office.person(ANNA)["Id"], office.contact(ANNA, "hub2")["id"]
        office.crm.edit(lead, {"Status": "Sales Qualified"})
        assert office.run().new_holds == 1
        answer(office, "hub")
        office.later()
        if system == "crm":
            office.crm.edit(lead, values)
        elif office.hub2 is not None:
            office.hub2.edit(other, values)
        office.quiet()
        assert places(office)[-1] == expected
        assert groups(office) == []
