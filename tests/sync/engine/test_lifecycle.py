"""The lifecycle in the engine: what the ledger keeps, who may move whom, the clock until sales answers, and maps that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from office import Office
from questions import answer, groups

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.policy import Policy
from stagesync.lifecycle.presets import default_funnel
from stagesync.lifecycle.sla import read_sla
from stagesync.state import entries, people
from stagesync.state.entries import EntryRow

ANNA = "anna@a.example"
MQL, SAL = "marketingqualifiedlead", "Working - Contacted"
HANDS_OFF = Authority(systems={"crm": "marketing", "hub": "sales"})
SOON: dict[str, Any] = {"from": ["mql"], "to": "sal", "hours": 2, "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "open": "00:00", "close": "24:00"}


def under(office: Office, policy: Policy) -> Office:
    """The same office under a policy."""
    office.session = replace(office.session, desk=replace(office.session.desk, policy=policy))
    return office


def sla(**changed: Any) -> Policy:
    """A policy with an agreement on acceptance."""
    mistakes: list[str] = []
    found = read_sla({"sla": {**SOON, **changed}}, default_funnel(), lambda path, what, _: mistakes.append(f"{path}: {what}"))
    assert found is not None and not mistakes
    return Policy(sla=found)


def stays(office: Office, person: int = 1) -> Sequence[EntryRow]:
    """The person's ledger."""
    with office.session.store.read() as tx:
        return entries.of_people(tx, [person]).get(person, [])


def places(office: Office) -> list[tuple[str | None, str | None, int]]:
    """The places of the ledger: stage, side state, pass."""
    return [(stay.stage, stay.side, stay.pass_no) for stay in stays(office)]


def question(office: Office) -> str:
    """The one open question in words."""
    (group,) = groups(office)
    return group.title


def test_a_move_is_entered_with_both_clocks(store_url: str) -> None:
    """The first meeting knows no time of its own; a move has the vendor's time, when we saw it, and who did it."""
    office = Office(store_url)
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    office.later()
    moved = office.clock.now_ms()
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.later()
    office.run()
    first, second = stays(office)
    assert (first.stage, first.origin, first.entered_at, first.left_at) == ("lead", "first", None, second.entered_at)
    assert (second.stage, second.origin, second.system, second.left_seen) == ("mql", "run", "hub", None)
    assert second.entered_at is not None and abs(second.entered_at - moved) < 1000
    assert second.entered_seen - second.entered_at >= 3_000_000
    assert second.actor is not None and second.actor.startswith("user")
    assert second.evidence == "hub moved: lead -> mql"


def test_whoever_comes_back_begins_a_second_pass(store_url: str) -> None:
    """Recycled, then qualified again: the second pass has rows and dates of its own, and the first keeps its own."""
    office = Office(store_url)
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": MQL})
    office.run()
    lead = office.person(ANNA)["Id"]
    for status in ("Recycled", "Marketing Qualified"):
        office.later()
        office.crm.edit(lead, {"Status": status})
        office.run()
    assert places(office) == [("mql", None, 1), ("mql", "recycled", 1), ("mql", None, 2)]
    times = [stay.entered_at for stay in stays(office)[1:]]
    assert None not in times and times == sorted(times, key=lambda at: at or 0)
    assert office.run().writes == 0


def too_far(store_url: str, authority: Authority = HANDS_OFF) -> Office:
    """Marketing, which works in Salesforce here, has made an SQL of an MQL: that is for sales to decide."""
    office = under(Office(store_url), Policy(authority=authority))
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": MQL})
    office.run()
    office.later()
    office.crm.edit(office.person(ANNA)["Id"], {"Status": "Sales Qualified"})
    return office


def test_a_team_that_may_not_is_held(store_url: str) -> None:
    """Nothing moves until somebody says what stands, and where the move does not, the record is put back."""
    office = too_far(store_url)
    report = office.run()
    assert (report.new_holds, report.writes, office.contact(ANNA)["lifecyclestage"]) == (1, 0, MQL)
    assert "sales owns sql" in question(office)
    assert office.run().new_holds == 0
    answer(office, "hub")
    office.run()
    assert (office.person(ANNA)["Status"], office.run().writes) == ("Marketing Qualified", 0)


def test_a_held_move_that_is_agreed_to_stands(store_url: str) -> None:
    """Somebody answers that the move stands: it counts although its team may not make it."""
    office = too_far(store_url)
    office.run()
    answer(office, "crm")
    office.run()
    assert (office.contact(ANNA)["lifecyclestage"], office.run().writes) == ("salesqualifiedlead", 0)


def test_a_team_that_may_not_is_put_back(store_url: str) -> None:
    """Where it is so configured, the record is put back at once, by a rule with a name."""
    office = too_far(store_url, replace(HANDS_OFF, unauthorised="put back"))
    report = office.run()
    assert (report.overruled, report.held, office.person(ANNA)["Status"]) == (1, 0, "Marketing Qualified")
    assert [stay.stage for stay in stays(office)] == ["mql"]
    assert office.run().writes == 0


def test_sales_answers_in_time(store_url: str) -> None:
    """The clock starts when somebody becomes an MQL before our eyes, and stops when sales accepts."""
    office = under(Office(store_url), sla())
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    assert stays(office)[0].due_at is None
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.run()
    clock = stays(office)[-1]
    assert clock.due_at is not None and clock.entered_at is not None and clock.due_at - clock.entered_at == 2 * 3_600_000
    office.later()
    office.crm.edit(office.person(ANNA)["Id"], {"Status": SAL})
    assert office.run().breached == 0
    assert [stay.met for stay in stays(office)] == [None, 1, None]


def test_the_clock_starts_for_a_newcomer(store_url: str) -> None:
    """Whoever comes in as an MQL after the first sync waits for an answer from then on; whom the first sync meets there may have waited for years."""
    office = under(Office(store_url), sla())
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": MQL})
    office.run()
    office.later()
    office.hub.create({"email": "bob@b.example", "lastname": "Birch", "lifecyclestage": MQL})
    office.run()
    assert [stay.due_at for stay in stays(office)] == [None]
    (came,) = stays(office, 2)
    assert (came.origin, came.due_at) == ("first", came.entered_seen + 2 * 3_600_000)


def test_nobody_answers_in_time(store_url: str) -> None:
    """The agreed time runs out: that is told once, moves nobody, and a late acceptance does not make it met."""
    office = under(Office(store_url), sla())
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.run()
    office.later(3 * 3600)
    report = office.run()
    assert (report.breached, report.writes, report.held) == (1, 0, 0)
    assert office.run().breached == 0
    office.crm.edit(office.person(ANNA)["Id"], {"Status": SAL})
    office.run()
    assert [stay.met for stay in stays(office)] == [None, 0, None]


def overdue(store_url: str) -> Office:
    """An MQL whom nobody answered in time, where that shall be proposed to be recycled."""
    office = under(Office(store_url), sla(breach="propose", proposal="recycled"))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.run()
    office.later(3 * 3600)
    assert office.run().new_holds == 1
    return office


def test_a_breach_proposes_and_somebody_agrees(store_url: str) -> None:
    """The clock itself moves nobody: it asks, and what somebody agrees to is done in both systems."""
    office = overdue(store_url)
    assert office.contact(ANNA)["lifecyclestage"] == MQL
    answer(office, "sla")
    office.run()
    assert places(office)[-1] == ("mql", "recycled", 1)
    assert office.contact(ANNA)["hs_lead_status"] == "BAD_TIMING"
    assert office.run().writes == 0


def test_a_breach_proposes_and_somebody_declines(store_url: str) -> None:
    """A no is remembered for as long as the person stays where they are."""
    office = overdue(store_url)
    answer(office, "hub")
    office.run()
    with office.session.store.write() as tx:
        people.mark_due(tx, office.session.workspace, [1], office.session.clock.now_ms())
    assert (office.run().held, places(office)[-1]) == (0, ("mql", None, 1))


def test_a_changed_map_is_heard(store_url: str) -> None:
    """A word that means another stage under new maps moves whoever has it, although nobody changed it."""
    office = Office(store_url)
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", "Status": "Marketing Qualified"})
    office.run()
    assert office.contact(ANNA)["lifecyclestage"] == MQL
    values = {"Status": {"sql": ["Marketing Qualified"], "mql": ["Sales Qualified"]}}
    office.overrides = {**office.overrides, "crm": {**office.overrides["crm"], "stages": {"lead": {"values": values}}}}
    office.session = office.reopened()
    office.run()
    assert (office.contact(ANNA)["lifecyclestage"], office.person(ANNA)["Status"]) == ("salesqualifiedlead", "Marketing Qualified")
    assert office.run().writes == 0


def test_a_default_of_the_vendors_is_no_claim_under_other_maps(store_url: str) -> None:
    """A Lead that we made for somebody without a stage has the org's first status: a changed map does not make a stage of that."""
    office = Office(store_url)
    office.hub.load([{"email": ANNA, "lastname": "Ash"}])
    office.run()
    assert office.person(ANNA)["Status"] == "Open - Not Contacted"
    office.overrides = {**office.overrides, "crm": {**office.overrides["crm"], "stages": {"lead": {"values": {"Status": {"mql": ["Sales Qualified"]}}}}}}
    office.session = office.reopened()
    assert (office.run().writes, office.contact(ANNA).get("lifecyclestage"), stays(office)) == (0, None, [])
