"""What opportunities say about a contact's stage, end to end over the sandbox, with and without a stage field of the company's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from office import Office

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.policy import Policy
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.state import entries, people
from stagesync.state.entries import EntryRow

ANNA = "anna@a.example"
LOST = {"crm": {"stages": {"contact": {"rules": [{"when": {"Opportunity.State": "lost"}, "side": "recycled"}]}}}}
STAGES = {
    "lead": "Lead",
    "mql": "MQL",
    "sal": "SAL",
    "sql": "SQL",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "disqualified": "Disqualified",
}
PICKLIST = "Lifecycle_Stage__c"


def stage(office: Office) -> str | None:
    """Anna's lifecycle stage in HubSpot."""
    return office.contact(ANNA).get("lifecyclestage")


def met(tmp_path: Path, hub_stage: str = "marketingqualifiedlead", **given: Any) -> tuple[Office, str]:
    """An office in which Anna, a Contact in the org, is known to HubSpot; and her Contact's id."""
    office = Office(tmp_path, **given)
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": hub_stage})
    contact = office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash"})
    office.later()
    office.quiet()
    office.later()
    return office, contact


def test_a_deal_makes_an_opportunity_and_then_a_customer(tmp_path: Path, store_url: str) -> None:
    """Opened, won: HubSpot's contact follows, though nothing on the Contact itself has changed; afterwards all is quiet."""
    office, contact = met(tmp_path, url=store_url)
    assert stage(office) == "marketingqualifiedlead"
    deal = office.crm.open_opportunity(contact)
    office.run()
    assert stage(office) == "opportunity"
    office.later()
    office.crm.set_stage(deal, "Closed Won")
    office.run()
    assert stage(office) == "customer"
    assert office.run().writes == 0
    office.later()
    assert office.run().writes == 0


@pytest.mark.parametrize("moves", [True, False])
def test_the_persons_stamp_makes_no_difference(tmp_path: Path, moves: bool) -> None:
    """Whether a new role moves the Contact's stamp or not, the outcome is the same."""
    office, contact = met(tmp_path, crm_habits=Habits(duplicate_rules="off", child_moves_person=moves))
    office.crm.open_opportunity(contact, "Closed Won")
    office.quiet()
    assert stage(office) == "customer"


def test_nothing_is_lowered_by_evidence_that_goes(tmp_path: Path) -> None:
    """A role that is deleted, a deal that goes into the bin or is lost, a new open one beside the won one: a customer stays one."""
    office, contact = met(tmp_path)
    won = office.crm.open_opportunity(contact, "Closed Won")
    office.quiet()
    assert stage(office) == "customer"
    office.later()
    office.crm.open_opportunity(contact)
    office.crm.drop_role(won, contact)
    office.later(2 * 86_400)
    office.quiet()
    assert stage(office) == "customer"
    other = office.crm.open_opportunity(contact, "Closed Won")
    office.later()
    office.quiet()
    office.crm.bin_opportunity(other)
    office.later()
    office.quiet()
    assert stage(office) == "customer"


@pytest.mark.parametrize(
    ("order", "side"),
    [(["deal", "no"], "disqualified"), (["no", "deal"], "disqualified"), (["deal", None, "no"], "disqualified"), (["no", None, "deal"], None)],
)
def test_whoever_bought_is_a_customer_whatever_else_is_said(tmp_path: Path, order: list[str | None], side: str | None) -> None:
    """A deal that is won and a no, in one look or two (None: a run): the purchase is never lost, and a later one takes the no back."""
    office, contact = met(tmp_path)
    for deed in order:
        if deed == "deal":
            office.crm.open_opportunity(contact, "Closed Won")
        elif deed == "no":
            office.hub.edit(office.contact(ANNA)["id"], {"hs_lead_status": "UNQUALIFIED"})
        else:
            office.quiet()
            office.later()
    office.quiet()
    assert (stage(office), office.contact(ANNA).get("hs_lead_status")) == ("customer", side and "UNQUALIFIED")
    with office.session.store.read() as tx:
        (anna,) = people.each(tx, office.session.workspace, 0, 10)
    assert (anna.stage, anna.side) == ("customer", side)
    office.later()
    assert office.run().writes == 0


def test_a_look_once_a_day_finds_a_deleted_role(tmp_path: Path) -> None:
    """No feed tells it; the daily look does, and forgets the evidence without lowering anybody."""
    office, contact = met(tmp_path)
    deal = office.crm.open_opportunity(contact)
    office.quiet()
    office.later()
    office.crm.drop_role(deal, contact)
    office.later(2 * 86_400)
    office.quiet()
    assert stage(office) == "opportunity"
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    assert stage(office) == "marketingqualifiedlead"
    office.later()
    office.crm.edit(contact, {"Title": "CEO"})
    office.quiet()
    assert stage(office) == "marketingqualifiedlead"


def test_a_lost_deal_recycles_where_a_rule_says_so(tmp_path: Path) -> None:
    """By itself a lost deal says nothing; with a rule of the company's own it sets the person aside."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for folder, overrides, status in (("one", {}, None), ("two", LOST, "recycled")):
        office, contact = met(tmp_path / folder, overrides=overrides)
        deal = office.crm.open_opportunity(contact)
        office.quiet()
        office.later()
        office.crm.set_stage(deal, "Closed Lost")
        office.quiet()
        assert stage(office) == "opportunity"
        with office.session.store.read() as tx:
            (person,) = people.each(tx, office.session.workspace, 0, 10)
        assert (person.stage, person.side) == ("opportunity", status)


def stays(office: Office) -> list[EntryRow]:
    """Anna's ledger."""
    with office.session.store.read() as tx:
        return entries.of_people(tx, [1])[1]


def test_the_ledger_has_the_deals_own_times(tmp_path: Path, store_url: str) -> None:
    """An opportunity since the deal was opened, a customer since it was won, however late we hear of it."""
    office, contact = met(tmp_path, url=store_url)
    opened = office.clock.now_ms()
    deal = office.crm.open_opportunity(contact)
    office.later()
    office.quiet()
    office.later()
    won = office.clock.now_ms()
    office.crm.set_stage(deal, "Closed Won")
    office.later()
    office.quiet()
    ledger = stays(office)
    assert [stay.stage for stay in ledger] == ["mql", "opportunity", "customer"]
    assert [abs((stay.entered_at or 0) - at) < 1000 for stay, at in zip(ledger[1:], (opened, won), strict=True)] == [True, True]
    assert ledger[0].left_at == ledger[1].entered_at


def test_nobody_is_dated_before_the_place_they_leave(tmp_path: Path) -> None:
    """Anna joins a deal that was opened before she was an MQL: she is an opportunity since she was one at the earliest."""
    office, contact = met(tmp_path, "lead")
    other = office.crm.create("Contact", {"Email": "bob@b.example", "LastName": "Birch"})
    deal = office.crm.open_opportunity(other)
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    office.later()
    office.crm.add_role(deal, contact)
    office.quiet()
    first, mql, deal_stay = stays(office)
    assert (first.stage, mql.stage, deal_stay.stage) == ("lead", "mql", "opportunity")
    assert mql.entered_at is not None and mql.entered_at == mql.left_at == deal_stay.entered_at


def test_a_converted_lead_and_its_deal_say_the_same(tmp_path: Path) -> None:
    """Conversion makes a role in a deal: the Lead's last word and the deal agree, and winning the deal goes on from there."""
    office = Office(tmp_path)
    lead = office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", "Status": "Sales Qualified"})
    office.quiet()
    office.later()
    made = office.crm.convert(lead)
    office.quiet()
    assert stage(office) == "opportunity"
    office.later()
    assert made.opportunity is not None
    office.crm.set_stage(made.opportunity, "Closed Won")
    office.quiet()
    assert stage(office) == "customer"


def test_a_lead_converted_without_a_deal_keeps_its_word(tmp_path: Path) -> None:
    """The conversion alone is evidence for a qualified lead, also where a Contact's deals would be evidence."""
    office = Office(tmp_path)
    lead = office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A"})
    office.quiet()
    office.later()
    made = office.crm.convert(lead, opportunity=False)
    office.quiet()
    assert stage(office) == "salesqualifiedlead"
    office.later()
    office.crm.open_opportunity(made.contact)
    office.quiet()
    assert stage(office) == "opportunity"


def test_whoever_edited_the_contact_last_did_not_move_the_deal(tmp_path: Path) -> None:
    """A deal is sales' word by the system that it stands in, also where somebody of marketing was the last to edit the Contact."""
    office, contact = met(tmp_path)
    marketing = Authority(users={f"crm:{office.crm.org.somebody}": "marketing"}, systems={"crm": "sales", "hub": "marketing"})
    office.session = replace(office.session, desk=replace(office.session.desk, policy=Policy(authority=marketing)))
    assert office.person(ANNA, "Contact")["LastModifiedById"] == office.crm.org.somebody
    office.crm.open_opportunity(contact)
    office.hub.edit(office.contact(ANNA)["id"], {"lifecyclestage": "lead"})
    report = office.run()
    assert report.new_holds == 0
    assert stage(office) == "opportunity"


@pytest.mark.parametrize("hidden", [{"Opportunity"}, {"OpportunityContactRole"}])
def test_an_org_without_deals_syncs_all_the_same(tmp_path: Path, hidden: set[str]) -> None:
    """Nothing is asked that this user may not read, and nothing else is missing."""
    office, contact = met(tmp_path, crm_habits=Habits(duplicate_rules="off", hidden_objects=frozenset(hidden)))
    office.crm.edit(contact, {"Title": "CEO"})
    office.quiet()
    assert office.contact(ANNA)["jobtitle"] == "CEO"


class Own(Office):
    """An office whose org has a picklist of its own, of one name on Lead and Contact, mapped at conversion."""

    def reopened(self) -> Any:
        """The administrator has added it before anybody looked."""
        if PICKLIST not in self.crm.org.schema.objects["Lead"].fields:
            self.crm.define("Contact", PICKLIST, type="picklist", options=STAGES.values())
            self.crm.define("Lead", PICKLIST, type="picklist", options=STAGES.values(), converts_to=f"Contact.{PICKLIST}")
        return super().reopened()


def own(tmp_path: Path) -> Own:
    """The picklist stands for the stage on both kinds; Status is nobody's business any more."""
    mapped = {"values": {PICKLIST: STAGES}}
    return Own(
        tmp_path,
        overrides={
            "crm": {"create": {"fallback": {"Company": "-"}}, "stages": {"lead": {**mapped, "values": {PICKLIST: STAGES, "Status": False}}, "contact": mapped}}
        },
    )


def test_a_picklist_of_ones_own_carries_the_stage_through_conversion(tmp_path: Path) -> None:
    """Both ways on the Lead, both ways on the Contact, and no word is lost in between."""
    office = own(tmp_path)
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "marketingqualifiedlead"})
    office.quiet()
    lead = office.person(ANNA)
    assert lead[PICKLIST] == "MQL"
    office.later()
    office.crm.edit(lead["Id"], {PICKLIST: "SQL"})
    office.quiet()
    assert stage(office) == "salesqualifiedlead"
    office.later()
    office.crm.convert(lead["Id"], opportunity=False)
    office.quiet()
    contact = office.person(ANNA, "Contact")
    assert (stage(office), contact[PICKLIST]) == ("salesqualifiedlead", "SQL")
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"lifecyclestage": "customer"})
    office.quiet()
    assert office.person(ANNA, "Contact")[PICKLIST] == "Customer"
    office.later()
    office.crm.edit(contact["Id"], {PICKLIST: "SAL"})
    office.quiet()
    assert office.contact(ANNA)["lifecyclestage"] != "customer"


def test_a_conversion_counts_for_more_than_the_picklist_that_it_took_along(tmp_path: Path) -> None:
    """Converted without a deal as an MQL: she is qualified by sales, and the Contact's picklist is told; who was further stays so."""
    office = own(tmp_path)
    for name, status in ((ANNA, "marketingqualifiedlead"), ("bob@b.example", "customer")):
        office.hub.create({"email": name, "lastname": "Ash", "lifecyclestage": status})
    office.quiet()
    office.later()
    for name in (ANNA, "bob@b.example"):
        office.crm.convert(office.person(name)["Id"], opportunity=False)
    office.quiet()
    assert (stage(office), office.person(ANNA, "Contact")[PICKLIST]) == ("salesqualifiedlead", "SQL")
    assert (office.contact("bob@b.example")["lifecyclestage"], office.person("bob@b.example", "Contact")[PICKLIST]) == ("customer", "Customer")


def test_a_deal_raises_the_picklist_of_ones_own(tmp_path: Path) -> None:
    """An open deal says at least opportunity: HubSpot is told, the picklist too, and a customer by the picklist stays one."""
    office = own(tmp_path)
    contact = office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash", PICKLIST: "SAL"})
    office.quiet()
    office.later()
    office.crm.open_opportunity(contact)
    office.quiet()
    assert (stage(office), office.person(ANNA, "Contact")[PICKLIST]) == ("opportunity", "Opportunity")
    office.later()
    office.crm.edit(contact, {PICKLIST: "Customer"})
    office.quiet()
    assert stage(office) == "customer"
    office.later()
    office.crm.edit(contact, {"Title": "CEO"})
    office.quiet()
    assert (stage(office), office.person(ANNA, "Contact")[PICKLIST]) == ("customer", "Customer")
    office.later()
    office.crm.edit(contact, {PICKLIST: "SQL"})
    office.quiet()
    assert (stage(office), office.person(ANNA, "Contact")[PICKLIST]) == ("opportunity", "Opportunity")
