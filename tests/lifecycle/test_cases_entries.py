"""The example cases of `docs/cases.md`, second half: funnels with more than one way in, a group that is counted like a stage, and the buyer's mind."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_office import DAY, HOUR, Company, company

from stagesync.lifecycle.presets import crosswalk, default_funnel, preset

ANNA = "anna@acme.example"
NAME = {"firstname": "Anna", "lastname": "Ash"}


# ---------------------------------------------------------------- hubspot


def test_an_offer_makes_an_mql(tmp_path: Path) -> None:
    """Somebody filled in a landing page's form for an offer: MQL."""
    with company(tmp_path, "hubspot", new_contacts="lead") as acme:
        acme.hub.submit_form(ANNA, "Landing page: spring offer", NAME, "PAID_SEARCH", "spring")
        acme.settle()
        assert acme.shown(ANNA) == ("Marketing Qualified Lead", "Marketing Qualified")
        assert acme.passed(ANNA) == ["lead", "mql"]
        assert acme.stays(ANNA)[0].source == "PAID_SEARCH"


def test_a_question_about_the_product_makes_an_sql(tmp_path: Path) -> None:
    """Somebody filled in a form to ask about the product: SQL at once, never MQL."""
    with company(tmp_path, "hubspot", new_contacts="lead") as acme:
        acme.hub.submit_form(ANNA, "Product inquiry", NAME, "DIRECT_TRAFFIC")
        acme.settle()
        assert acme.shown(ANNA) == ("Sales Qualified Lead", "Sales Qualified")
        assert acme.passed(ANNA) == ["lead", "sql"]


def test_a_free_user_who_asks_for_a_paid_feature_is_a_pql(tmp_path: Path) -> None:
    """Somebody uses the free version and asks about features that only the paid plan has: PQL, as the product's webhook tells, without passing MQL."""
    with company(tmp_path, "hubspot", new_contacts="lead") as acme:
        acme.hub.create({"email": ANNA, **NAME})
        acme.settle()
        acme.tell(ANNA, "feature_question", "product", plan="free", feature="Import", paid_only=False)
        acme.settle()
        assert acme.passed(ANNA) == ["lead"]  # a question about a feature that everybody has
        acme.tell(ANNA, "feature_question", "product", plan="free", feature="Single sign-on", paid_only=True)
        acme.settle()
        assert acme.shown(ANNA) == ("Product Qualified Lead", "Product Qualified")
        assert acme.passed(ANNA) == ["lead", "pql"]
        assert acme.stays(ANNA)[-1].actor == "rule wants a paid feature"


def test_a_customer_who_wants_more_is_service_qualified(tmp_path: Path) -> None:
    """An existing customer tells the service representative that they want to upgrade: Service qualified, in a pass of its own, and sales is to answer."""
    with company(tmp_path, "hubspot", new_contacts="lead") as acme:
        buy(acme, ANNA)
        assert acme.contact(ANNA)["lifecyclestage"] == "customer"
        bought = acme.passed(ANNA)
        acme.clock.at += 200 * DAY
        acme.tell(ANNA, "service_remark", "service desk", text="They want to upgrade to the large plan")
        acme.settle()
        assert acme.contact(ANNA)["lifecyclestage"] == acme.stage_values["service_qualified"]
        assert acme.lead(ANNA, "Contact")["Lifecycle_Stage__c"] == "Service Qualified"
        assert acme.passed(ANNA) == [*bought, "2: service_qualified"]
        assert acme.stays(ANNA)[-1].due_at is not None and acme.stays(ANNA)[-1].met is None  # sales is to answer
        client = acme.lead(ANNA, "Contact")["Id"]
        acme.crm.edit(client, {"Lifecycle_Stage__c": "Sales Accepted"})
        acme.settle()
        assert acme.contact(ANNA)["lifecyclestage"] == acme.stage_values["sal"]
        assert [stay.met for stay in acme.stays(ANNA)[-2:]] == [1, None]
        deal = acme.crm.open_opportunity(client)
        acme.clock.at += 10 * DAY
        acme.crm.set_stage(deal, "Closed Won")
        won = acme.clock.now_ms()
        acme.settle()
        assert acme.contact(ANNA)["lifecyclestage"] == "customer"
        assert acme.passed(ANNA) == [*bought, "2: service_qualified", "2: sal", "2: customer"]
        assert abs((acme.stays(ANNA)[-1].entered_at or 0) - won) <= 1000
        acme.tell(ANNA, "service_remark", "service desk", text="They wish to upgrade once more")  # the old remark is answered, the new one is heard
        acme.settle()
        assert acme.passed(ANNA)[-2:] == ["2: customer", "3: service_qualified"]


def buy(acme: Company, email: str) -> None:
    """A Lead is converted, and the deal is won."""
    acme.hub.create({"email": email, **NAME})
    acme.settle()
    deal = acme.sell(email)
    acme.settle()
    acme.crm.set_stage(deal, "Closed Won")
    acme.settle()


# ---------------------------------------------------------------- siriusdecisions


@pytest.mark.parametrize("source", ["Sales Prospecting", "Partner Referral"])
def test_found_by_sales_is_sgl_then_sql(tmp_path: Path, source: str) -> None:
    """Somebody was found by a salesperson or through a referral: SGL, then SQL, never MQL, even when they ask for a demo in between."""
    with company(tmp_path, "siriusdecisions", new_contacts="lead") as acme:
        acme.crm.create("Lead", {"FirstName": "Anna", "LastName": "Ash", "Company": "Acme", "Email": ANNA, "LeadSource": source})
        acme.settle()
        assert acme.shown(ANNA) == ("Sales Generated Lead", "Sales Generated")
        acme.hub.submit_form(ANNA, "Ask for a demo")
        acme.settle()
        acme.move_lead(ANNA, "sql")
        acme.settle()
        assert acme.shown(ANNA) == ("Sales Qualified Lead", "Sales Qualified")
        assert acme.passed(ANNA) == ["inquiry", "sgl", "sql"]
        assert acme.stays(ANNA)[0].source == source


# ---------------------------------------------------------------- waterfall-2012


def test_from_70_points_over_the_phone_to_sql(tmp_path: Path) -> None:
    """Scored 70 by automation, taken by teleprospecting, confirmed by phone with budget, authority, need and time: TQL, counted in MQL, then SAL and SQL."""
    with company(tmp_path, "waterfall-2012", new_contacts="lead") as acme:
        contact = acme.hub.submit_form(ANNA, "Webinar registration", NAME, "EMAIL_MARKETING")
        acme.settle()
        assert (acme.passed(ANNA), acme.said(ANNA, "70 points")) == (["inquiry"], ("no", "fewer than 70 points"))
        acme.clock.at += HOUR
        acme.crm.respond(acme.crm.add_campaign_member(acme.lead(ANNA)["Id"], "Webinar"))
        acme.hub.submit_form(ANNA, "Webinar slides")
        for _ in range(3):
            acme.clock.at += HOUR
            acme.hub.on_email(contact, "click")
            acme.settle()
        assert acme.shown(ANNA) == ("Marketing Qualified Lead", "Automation Qualified")
        entered = acme.contact(ANNA)["mql_date"]  # AQL is in the group MQL
        acme.move_lead(ANNA, "teleprospecting_accepted")
        acme.settle()
        acme.move_lead(ANNA, Budget_Confirmed__c=True, Authority_Confirmed__c=True, Need_Confirmed__c=True)
        acme.settle()
        assert acme.shown(ANNA) == ("Teleprospecting Accepted", "Teleprospecting")
        acme.move_lead(ANNA, Time_Confirmed__c=True)
        acme.settle()
        assert acme.shown(ANNA) == ("Teleprospecting Qualified Lead", "Teleprospecting Qualified")
        (mql,) = [row for row in acme.report().whole.volume if row.id == "mql"]
        assert (mql.kind, mql.end) == ("group", 1)
        assert acme.contact(ANNA)["mql_date"] > entered  # teleprospecting had taken them out of the group: as a TQL they are in it again
        for stage in ("sal", "sql"):
            acme.move_lead(ANNA, stage)
            acme.settle()
        assert acme.shown(ANNA) == ("Sales Qualified Lead", "Sales Qualified")
        assert acme.passed(ANNA) == ["inquiry", "aql", "teleprospecting_accepted", "tql", "sal", "sql"]


# ---------------------------------------------------------------- mckinsey


def test_the_buyers_mind_and_the_way_to_the_default_funnel(tmp_path: Path) -> None:
    """Knows the product, likes it, considers it, bought it, stays loyal: the five stages in order, and each has its counterpart in the default funnel."""
    with company(tmp_path, "mckinsey") as acme:
        contact = acme.hub.create({"email": ANNA, **NAME})
        acme.hub.visit(contact, "PAID_SOCIAL", "autumn campaign")
        acme.settle()
        assert acme.shown(ANNA) == ("Subscriber", "Aware")
        acme.hub.submit_form(ANNA, "Newsletter")
        acme.settle()
        for _ in range(2):
            acme.clock.at += DAY
            acme.hub.on_email(contact, "open")
        acme.settle()
        assert acme.shown(ANNA) == ("Lead", "Familiar")
        acme.hub.submit_form(ANNA, "Ask for a price")
        acme.settle()
        assert acme.shown(ANNA) == ("Marketing Qualified Lead", "Considering")
        deal = acme.sell(ANNA)
        acme.settle()
        acme.crm.set_stage(deal, "Closed Won")
        acme.settle()
        assert acme.contact(ANNA)["lifecyclestage"] == "customer"
        acme.tell(ANNA, "survey", "survey", score=6)
        acme.settle()
        assert acme.person(ANNA).stage == "purchase"
        acme.tell(ANNA, "survey", "survey", score=9)
        acme.settle()
        assert acme.contact(ANNA)["lifecyclestage"] == "evangelist"
        passed = acme.passed(ANNA)
    assert passed == ["awareness", "familiarity", "consideration", "purchase", "loyalty"]
    way = crosswalk(preset("mckinsey"), default_funnel())
    assert [way.stages[stage] for stage in passed] == ["subscriber", "lead", "mql", "customer", "evangelist"]
    assert not way.lossy
