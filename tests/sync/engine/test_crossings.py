"""Where two things of the lifecycle cross: merges, conversions, clears and changed configurations while questions are open, clocks run and rules speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from office import Office
from questions import answer, groups

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.policy import Policy
from stagesync.lifecycle.presets import default_funnel
from stagesync.lifecycle.rules.rulebook import read_rulebook
from stagesync.lifecycle.sla import read_sla
from stagesync.state import clocks, entries, people
from stagesync.state.entries import EntryRow
from stagesync.sync import engine
from stagesync.sync.people.answers import resolve

ANNA = "anna@a.example"
MQL = "marketingqualifiedlead"
FITS = {"name": "fits", "stage": "mql", "when": "job_title == 'CEO'", "mode": "apply"}
SOON: dict[str, Any] = {"from": ["mql"], "to": "sal", "hours": 2, "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "open": "00:00", "close": "24:00"}
SALES_ONLY = Authority(systems={"crm": "marketing", "hub": "sales"})


def policy(*rules: dict[str, Any], sla: dict[str, Any] | None = None, authority: Authority | None = None) -> Policy:
    """What is asked for, of the default funnel."""
    mistakes: list[str] = []
    funnel = default_funnel()

    def tell(path: str, what: str, _: str = "") -> None:
        mistakes.append(f"{path}: {what}")

    book = read_rulebook({"qualify": list(rules)}, funnel, ["job_title", "city", "email"], str, tell) if rules else None
    clock = read_sla({"sla": {**SOON, **sla}}, funnel, tell) if sla is not None else None
    assert not mistakes, mistakes
    return Policy(authority, book, clock)


def under(office: Office, policy: Policy) -> Office:
    """The same office under a policy."""
    office.session = replace(office.session, desk=replace(office.session.desk, policy=policy))
    return office


def stage(office: Office, who: str = ANNA) -> Any:
    """The stage in HubSpot."""
    return office.contact(who)["lifecyclestage"]


def ticking(office: Office) -> tuple[int, int | None, int]:
    """The clocks that run, when the first of them is due, and those that are overdue without a word."""
    with office.session.store.read() as tx:
        return clocks.ticking(tx, office.session.workspace, office.session.clock.now_ms())


def stays(office: Office, person: int = 1) -> Sequence[EntryRow]:
    """The person's ledger."""
    with office.session.store.read() as tx:
        return entries.of_people(tx, [person]).get(person, [])


def places(office: Office, person: int = 1) -> list[tuple[str | None, str | None, int]]:
    """The places of the ledger: stage, side state, pass."""
    return [(stay.stage, stay.side, stay.pass_no) for stay in stays(office, person)]


def met(tmp_path: Path, rules: Policy, hub_stage: str = "lead", **values: str) -> tuple[Office, str]:
    """An office in which Anna is known to both systems, and her contact's id."""
    office = under(Office(tmp_path), rules)
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": hub_stage, **values})
    office.quiet()
    office.later()
    return office, contact


def test_a_merge_leaves_an_open_proposal_with_whoever_is_left(tmp_path: Path) -> None:
    """Anna's second contact is merged into hers while a rule asks about her: it still asks, once, and a yes moves her."""
    office, contact = met(tmp_path, policy({**FITS, "mode": "hold"}), jobtitle="CEO")
    other = office.hub.create({"email": "ash@private.example", "lastname": "Ash", "lifecyclestage": "lead"})
    office.quiet()
    (group,) = groups(office)
    office.hub.merge(contact, other)
    office.quiet()
    assert [(each.question, each.count) for each in groups(office) if each.about == "proposal"] == [(group.question, 1)]
    (group,) = [each for each in groups(office) if each.about == "proposal"]
    resolve(office.session.store, office.session.workspace, group.id, "fits", None, office.session.clock.now_ms())
    office.quiet()
    assert stage(office) == MQL
    assert places(office) == [("lead", None, 1), ("mql", None, 1)]


def test_a_merge_of_two_people_who_are_both_asked_about(tmp_path: Path) -> None:
    """Two people of whom a rule asks become one contact: nobody is moved by it, and the ledgers stay whole."""
    office, contact = met(tmp_path, policy({**FITS, "mode": "hold"}), jobtitle="CEO")
    other = office.hub.create({"email": "bob@b.example", "lastname": "Birch", "lifecyclestage": "lead", "jobtitle": "CEO"})
    office.quiet()
    office.hub.merge(contact, other)
    office.quiet()
    for person in (1, 2):
        assert places(office, person) == [("lead", None, 1)]
    assert office.run().new_holds == 0


def test_a_lead_whose_move_is_held_is_converted(tmp_path: Path) -> None:
    """Marketing's SQL is for sales to decide; somebody converts the Lead meanwhile. The question ends with an answer, and nothing is asked twice."""
    office, _ = met(tmp_path, policy(authority=SALES_ONLY), MQL)
    lead = office.person(ANNA)["Id"]
    office.crm.edit(lead, {"Status": "Sales Qualified"})
    assert office.run().new_holds == 1
    office.later()
    office.crm.convert(lead, opportunity=False)
    office.quiet()
    assert stage(office) in (MQL, "salesqualifiedlead")
    open_ones = groups(office)
    if open_ones:
        answer(office, "crm")
        office.quiet()
    assert stage(office) == "salesqualifiedlead"
    assert groups(office) == []
    assert places(office)[-1] == ("sql", None, 1)


def test_a_held_lead_is_converted_with_a_deal_and_declined(tmp_path: Path) -> None:
    """What the Contact's deal says is evidence of its own, and a no to the move below it is no no to the deal."""
    office, _ = met(tmp_path, policy(authority=SALES_ONLY), MQL)
    lead = office.person(ANNA)["Id"]
    office.crm.edit(lead, {"Status": "Sales Qualified"})
    office.run()
    answer(office, "hub")
    office.later()
    office.crm.convert(lead)
    office.quiet()
    while groups(office):
        answer(office, "hub")
        office.quiet()
    assert len(places(office)) == 1 or places(office)[-1] == ("opportunity", None, 1)


def test_recycled_by_a_rule_and_then_converted(tmp_path: Path) -> None:
    """A rule puts her aside; sales converts her Lead all the same: she comes back in, both systems say so, and the ledger has every step."""
    aside = {"name": "later", "stage": "recycled", "from": ["mql"], "when": "job_title == 'Student'", "reason": "still studies", "mode": "apply"}
    office, contact = met(tmp_path, policy(aside), MQL)
    office.hub.edit(contact, {"jobtitle": "Student"})
    office.quiet()
    assert places(office) == [("mql", None, 1), ("mql", "recycled", 1)]
    assert (stays(office)[-1].actor, stays(office)[-1].reason) == ("rule later", "still studies")
    office.later()
    office.crm.convert(office.person(ANNA)["Id"])
    office.quiet()
    assert (stage(office), office.contact(ANNA).get("hs_lead_status")) == ("opportunity", None)
    assert places(office) == [("mql", None, 1), ("mql", "recycled", 1), ("opportunity", None, 2)]
    assert groups(office) == []


def test_a_cleared_stage_leaves_the_clock_running(tmp_path: Path) -> None:
    """Somebody empties the stage in HubSpot: that moves nobody, it is filled again after a quiet cycle, and the clock goes on to its own time."""
    office, contact = met(tmp_path, policy(sla={}))
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.run()
    due = stays(office)[-1].due_at
    assert due is not None
    office.later(600)
    office.hub.edit(contact, {"lifecyclestage": ""})
    office.run()
    office.quiet()
    assert (stage(office), [stay.due_at for stay in stays(office)]) == (MQL, [None, due])
    office.later(3 * 3600)
    assert office.run().breached == 1
    assert office.run().breached == 0


def test_a_late_answer_that_is_taken_back_gives_new_time(tmp_path: Path) -> None:
    """Sales accepted too late and hands her back: she waits anew from then on, and only when that has passed is it proposed to set her aside."""
    office, contact = met(tmp_path, policy(sla={"breach": "propose", "proposal": "recycled"}))
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.run()
    office.later(3 * 3600)
    assert office.run().held == 1
    lead = office.person(ANNA)["Id"]
    office.crm.edit(lead, {"Status": "Working - Contacted"})
    office.quiet()
    assert (groups(office), places(office)[-1]) == ([], ("sal", None, 1))
    office.later()
    office.crm.edit(lead, {"Status": "Marketing Qualified"})
    office.quiet()
    assert (groups(office), places(office)[-1], [stay.met for stay in stays(office)]) == ([], ("mql", None, 1), [None, 0, None, None])
    office.later(3 * 3600)
    report = office.run()
    assert (report.breached, report.held) == (1, 1)


def test_a_changed_map_and_changed_rules_speak_together_and_come_to_rest(tmp_path: Path) -> None:
    """The words of Salesforce mean other stages and a rule is new: everybody is looked at once, guards count it, and it is quiet after two runs."""
    office, _ = met(tmp_path, policy(FITS), jobtitle="Clerk")
    for number in range(20):
        office.crm.create("Lead", {"Email": f"p{number}@a.example", "LastName": f"Person{number}", "Company": "A", "Status": "Marketing Qualified"})
    office.quiet()
    values = {"Status": {"sql": ["Marketing Qualified"], "mql": ["Sales Qualified"]}}
    office.overrides = {**office.overrides, "crm": {**office.overrides["crm"], "stages": {"lead": {"values": values}}}}
    office.session = office.reopened()
    under(office, policy({**FITS, "name": "clerks", "when": "job_title == 'Clerk'"}))
    planned = office.plan()
    assert any(stop.kind == "mapping" for stop in planned.stops)
    assert office.quiet() <= 2
    assert stage(office) == MQL
    assert {stage(office, f"p{number}@a.example") for number in range(20)} == {"salesqualifiedlead"}
    assert places(office) == [("lead", None, 1), ("mql", None, 1)]
    assert places(office, 2) == [("mql", None, 1), ("sql", None, 1)]


def left_behind(tmp_path: Path) -> Office:
    """Salesforce is only read, and its Lead has stayed an MQL where HubSpot has gone on to SQL."""
    office = Office(tmp_path, directions={"crm": "read"})
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", "Status": "Marketing Qualified"})
    office.run()
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"lifecyclestage": "salesqualifiedlead"})
    office.quiet()
    assert (stage(office), office.person(ANNA)["Status"]) == ("salesqualifiedlead", "Marketing Qualified")
    return office


def remapped(office: Office, values: dict[str, Any]) -> None:
    """The configuration says other things of Lead.Status."""
    office.overrides = {**office.overrides, "crm": {**office.overrides["crm"], "stages": {"lead": {"values": {"Status": values}}}}}
    office.session = office.reopened()
    office.quiet()


def test_a_record_that_is_only_read_is_not_heard_anew_because_the_maps_changed(tmp_path: Path) -> None:
    """Its old word was known: a change that does not touch it lowers nobody; one that gives it another meaning is heard."""
    office = left_behind(tmp_path)
    remapped(office, {"pql": ["Closed - Not Converted"]})
    assert (stage(office), [stay.stage for stay in stays(office)]) == ("salesqualifiedlead", ["mql", "sql"])
    remapped(office, {"opportunity": ["Marketing Qualified"]})
    assert stage(office) == "opportunity"
    office.hub.edit(office.contact(ANNA)["id"], {"lifecyclestage": "customer"})
    office.quiet()
    remapped(office, {"opportunity": ["Marketing Qualified"], "pql": ["Closed - Not Converted"]})
    assert [stay.stage for stay in stays(office)] == ["mql", "sql", "opportunity", "customer"]


def test_evidence_that_is_mapped_later_is_heard(tmp_path: Path) -> None:
    """A lost deal said nothing; once it is mapped, whoever lost one is set aside, although nothing can be written there."""
    office = Office(tmp_path)
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": MQL})
    office.crm.open_opportunity(office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash"}), "Closed Lost")
    office.quiet()
    assert places(office) == [("mql", None, 1)]
    lost = {"contact": {"rules": [{"when": {"Opportunity.State": "lost"}, "side": "recycled"}]}}
    office.overrides = {**office.overrides, "crm": {**office.overrides["crm"], "stages": lost}}
    office.session = office.reopened()
    office.quiet()
    assert places(office) == [("mql", None, 1), ("mql", "recycled", 1)]
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"hs_lead_status": ""})
    office.quiet()
    assert places(office)[-1] == ("mql", None, 2)
    office.overrides = {**office.overrides, "hub": {"stages": {"contact": {"values": {"hs_lead_status": {"nurture": ["OPEN_DEAL"]}}}}}}
    office.session = office.reopened()
    office.quiet()
    assert places(office)[-1] == ("mql", None, 2)


def test_a_first_meeting_under_rules_is_quiet_after_one_run_of_writes(tmp_path: Path) -> None:
    """Hundreds are met, judged and moved in one run: each record is written once, the ledger has both steps, and nothing is left for a second."""
    office = under(Office(tmp_path), policy(FITS, sla={}))
    for number in range(300):
        office.hub.create(
            {"email": f"p{number}@a.example", "lastname": f"Person{number}", "lifecyclestage": "lead", "jobtitle": "CEO" if number % 2 else "Clerk"}
        )
    office.hub.calls.clear()
    report = office.run()
    assert {name: (count.created, count.updated) for name, count in report.systems.items()} == {"hub": (0, 150), "crm": (300, 0)}
    assert office.run().writes == 0
    assert [len(stays(office, person)) for person in (1, 2)] == [1, 2]
    assert dict(report.promoted) == {("fits", "apply"): 150}


def test_time_alone_looks_at_nobody_before_their_day(tmp_path: Path) -> None:
    """A rule that counts days asks on the day on which they have passed, by the index: before, nobody is looked at."""
    waits = {"name": "waits", "stage": "nurture", "from": ["mql"], "when": "days_in_stage >= 3", "mode": "hold"}
    office = under(Office(tmp_path), policy(waits))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    office.hub.create({"email": "bob@b.example", "lastname": "Birch", "lifecyclestage": "customer"})
    office.quiet()
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.quiet()
    with office.session.store.read() as tx:
        found = people.by_ids(tx, [1, 2])
    began = stays(office)[-1].entered_at
    assert began is not None
    assert (found[1].review_at, found[2].review_at) == (began + 3 * 86_400_000, None)
    looked: list[int] = []
    for _ in range(4):
        office.later(86_400)
        report = office.run()
        looked.append(report.people)
    assert looked[:2] == [0, 0]
    assert sum(looked) == 1
    assert [group.question for group in groups(office)] == ["rule:waits"]
    assert office.run().people == 0


def test_days_in_a_stage_count_from_its_own_beginning(tmp_path: Path) -> None:
    """Anna has been a lead for a month; on the day on which she becomes an MQL she is none of long standing, whoever tells it."""
    waits = {"name": "waits", "stage": "nurture", "from": ["mql"], "when": "days_in_stage >= 3", "mode": "hold"}
    office, contact = met(tmp_path, policy(waits, FITS))
    office.later(30 * 86_400)
    office.hub.edit(contact, {"lifecyclestage": MQL})
    assert office.run().held == 0
    office.later(4 * 86_400)
    assert office.run().held == 1


def test_a_plan_that_nobody_applies_loses_no_review(tmp_path: Path) -> None:
    """Somebody only looks at the plan on the day: the next run still asks."""
    waits = {"name": "waits", "stage": "nurture", "from": ["mql"], "when": "days_in_stage >= 3", "mode": "apply"}
    office, _ = met(tmp_path, policy(waits), MQL)
    office.later(4 * 86_400)
    assert office.plan().tally.new_holds == 1
    assert dict(office.plan().tally.holds) == {"rule:waits": 1}
    assert office.run().held == 1
    answer(office, "waits")
    office.quiet()
    assert places(office)[-1] == ("mql", "nurture", 1)


def test_three_systems_and_two_teams(tmp_path: Path) -> None:
    """Marketing's two portals cannot make an SQL, sales' org can; where one portal may not and another record agrees, nobody is asked."""
    authority = Authority(systems={"hub": "marketing", "hub2": "marketing", "crm": "sales"})
    office = under(Office(tmp_path, second=True), policy(authority=authority))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": MQL})
    office.quiet()
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    assert office.run().new_holds == 1
    assert office.contact(ANNA, "hub2")["lifecyclestage"] == MQL
    office.later()
    office.crm.edit(office.person(ANNA)["Id"], {"Status": "Sales Qualified"})
    office.quiet()
    assert groups(office) == []
    assert {office.contact(ANNA, world)["lifecyclestage"] for world in ("hub", "hub2")} == {"salesqualifiedlead"}
    assert [stay.stage for stay in stays(office)] == ["mql", "sql"]


def test_a_stored_plan_keeps_what_rules_decided(tmp_path: Path) -> None:
    """Planned, looked at, and applied later as it was: the ledger has the day on which it was applied, and no clock starts twice."""
    office, contact = met(tmp_path, policy(FITS, sla={}))
    office.hub.edit(contact, {"jobtitle": "CEO"})
    planned = office.plan()
    assert stays(office)[-1].stage == "lead"
    office.later(600)
    report = engine.apply(office.session, planned.run, stored=True)
    assert (report.drifted, stage(office)) == (0, MQL)
    office.quiet()
    assert places(office) == [("lead", None, 1), ("mql", None, 1)]
    assert [stay.due_at is not None for stay in stays(office)] == [False, True]


def test_nobody_waits_for_whoever_was_deleted_everywhere(tmp_path: Path) -> None:
    """Her records are deleted while her clock runs: no breach is told and no clock counted, until one of them comes back."""
    office, contact = met(tmp_path, policy(sla={}))
    office.hub.edit(contact, {"lifecyclestage": MQL})
    office.quiet()
    lead = office.person(ANNA)["Id"]
    office.hub.archive(contact)
    office.crm.delete(lead)
    office.later(2 * 86400)
    assert (office.run().breached, ticking(office)) == (0, (0, None, 0))
    office.crm.undelete(lead)
    assert office.run().breached == 1
