"""The example cases of `docs/cases.md`, first half: three funnels in which rules move people, each case told once and played through both systems.

Evidence is what the vendors keep: forms, e-mails, visits and sources of HubSpot, fields of a Lead, and events by webhook.
"""

from __future__ import annotations

from pathlib import Path

from case_office import DAY, Company, changed, company, example

ANNA, FREE = "anna@acme.example", "anna@gmail.com"
FITTING = {"firstname": "Anna", "lastname": "Ash", "country": "Germany", "industry": "Machinery"}


def show_interest(acme: Company, email: str, **given: str) -> None:
    """Newsletter, e-book, three opened e-mails and two visits, with runs in between, as it goes in life."""
    contact = acme.hub.submit_form(email, "Newsletter subscription", {"firstname": "Anna", "lastname": "Ash", **given}, "ORGANIC_SEARCH", "lead handover")
    acme.settle()
    acme.hub.submit_form(email, "E-book: handing leads over")
    acme.settle()
    for deed in range(3):
        acme.clock.at += DAY
        acme.hub.on_email(contact, "open")
        if deed:
            acme.hub.visit(contact, "EMAIL_MARKETING", "March newsletter", pages=3)
    acme.settle()


def accept(acme: Company, email: str) -> None:
    """Interest, and the yes of business development to it."""
    show_interest(acme, email, **FITTING)
    acme.answer(email, "fits")
    acme.settle()


# ---------------------------------------------------------------- handoff


def test_interest_makes_an_mql(tmp_path: Path) -> None:
    """Somebody subscribed to the newsletter, downloaded an e-book, opens e-mails often and comes back to the site: MQL."""
    with company(tmp_path, "handoff", new_contacts="lead") as acme:
        acme.hub.submit_form(ANNA, "Newsletter subscription", {"firstname": "Anna", "lastname": "Ash"})
        acme.settle()
        assert acme.shown(ANNA) == ("Lead", "Open - Not Contacted")
        assert acme.said(ANNA, "interested") == ("no", "not interested enough yet")
        show_interest(acme, ANNA)
        assert acme.shown(ANNA) == ("Marketing Qualified Lead", "Marketing Qualified")
        assert acme.passed(ANNA) == ["lead", "mql"]
        assert (acme.stays(ANNA)[-1].actor, acme.stays(ANNA)[-1].source) == ("rule interested", "ORGANIC_SEARCH")


def test_a_stranger_to_the_target_is_not_accepted(tmp_path: Path) -> None:
    """That person has a free e-mail address and lives in a region that is not targeted: stays MQL, and the reason is recorded."""
    with company(tmp_path, "handoff", new_contacts="lead") as acme:
        show_interest(acme, FREE, country="Brazil", industry="Machinery")
        acme.settle()
        assert acme.shown(FREE) == ("Marketing Qualified Lead", "Marketing Qualified")
        assert acme.said(FREE, "fits") == ("no", "outside the target")
        assert acme.passed(FREE) == ["lead", "mql"]
        assert acme.questions() == []


def test_somebody_of_the_target_may_become_sal(tmp_path: Path) -> None:
    """That person has a company's domain, and industry and region are targeted: business development is asked, says yes, and has a SAL."""
    with company(tmp_path, "handoff", new_contacts="lead") as acme:
        show_interest(acme, ANNA, **FITTING)
        assert acme.shown(ANNA) == ("Marketing Qualified Lead", "Marketing Qualified")
        acme.answer(ANNA, "fits")
        acme.settle()
        assert acme.shown(ANNA) == ("Sales Accepted Lead", "Accepted")
        assert acme.passed(ANNA) == ["lead", "mql", "sal"]


def test_an_intern_cannot_buy(tmp_path: Path) -> None:
    """The SAL turns out to be an intern on a research project, without authority, need or budget: not SQL but disqualified, with the reason."""
    with company(tmp_path, "handoff", new_contacts="lead") as acme:
        accept(acme, ANNA)
        acme.tell(ANNA, "social_post", "listening", text="Looking for studies on lead handover")
        acme.move_lead(ANNA, Title="Intern, research project")
        acme.settle()
        assert acme.shown(ANNA) == ("Sales Accepted Lead", "Closed - Not Converted")
        assert acme.contact(ANNA)["hs_lead_status"] == "UNQUALIFIED"
        told = (acme.contact(ANNA)["disqualified_reason"], acme.lead(ANNA)["Status_Reason__c"], acme.person(ANNA).reason)
        assert told == ("No authority, need or budget",) * 3
        assert acme.passed(ANNA) == ["lead", "mql", "sal", "sal, disqualified"]
        assert acme.stays(ANNA)[-1].reason == "No authority, need or budget"


def test_an_executive_who_looks_is_an_sql(tmp_path: Path) -> None:
    """The SAL is an executive who decides, and posts show that they look for a solution: SQL, and sales takes over with a deal."""
    with company(tmp_path, "handoff", new_contacts="lead") as acme:
        accept(acme, ANNA)
        acme.move_lead(ANNA, Title="Chief Operating Officer", Decides__c=True)
        acme.settle()
        assert acme.said(ANNA, "decides and looks") == ("no", "nobody who decides is looking yet")
        acme.tell(ANNA, "social_post", "listening", text="We are looking for something that hands leads over")
        acme.settle()
        assert acme.shown(ANNA) == ("Sales Qualified Lead", "Sales Qualified")
        acme.sell(ANNA)
        acme.settle()
        assert acme.contact(ANNA)["lifecyclestage"] == "opportunity"
        assert acme.passed(ANNA) == ["lead", "mql", "sal", "sql", "deal"]


# ---------------------------------------------------------------- inbound-jp

YUKI = "yuki@seiko-kikai.example"
PERSON = {"firstname": "Yuki", "lastname": "Sato", "jobtitle": "Department Manager"}
INDICATORS = {**PERSON, "industry": "Machinery", "numemployees": "300", "budget": "3000000", "lead_time_months": "3"}


def test_indicators_and_the_wish_to_talk_make_an_mql(tmp_path: Path) -> None:
    """Industry, occupation, company size, budget and lead time pass, and the person asked for a free consultation: MQL."""
    with company(tmp_path, "inbound-jp", new_contacts="lead") as seiko:
        seiko.hub.submit_form(YUKI, "Free consultation", INDICATORS, "ORGANIC_SEARCH")
        seiko.settle()
        assert seiko.shown(YUKI) == ("Marketing Qualified Lead", "Marketing Qualified")
        assert seiko.passed(YUKI) == ["inquiry", "mql"]


def test_indicators_alone_make_no_mql(tmp_path: Path) -> None:
    """All indicators pass, but nothing was done that leads to a talk: an inquiry, until they ask for the consultation."""
    with company(tmp_path, "inbound-jp", new_contacts="lead") as seiko:
        seiko.hub.submit_form(YUKI, "White paper: servo motors", INDICATORS, "ORGANIC_SEARCH")
        seiko.settle()
        assert seiko.shown(YUKI) == ("Lead", "Inquiry")
        assert seiko.said(YUKI, "fits and wants to talk") == ("no", "an indicator is missing, or the wish to talk")
        seiko.hub.submit_form(YUKI, "Free consultation")
        seiko.settle()
        assert seiko.passed(YUKI) == ["inquiry", "mql"]


def test_for_a_cheap_tool_every_inquiry_counts(tmp_path: Path) -> None:
    """The product is a cheap tool for everybody, so one rule of the same file says less: every inquiry is an MQL."""
    cheap = changed(example("inbound-jp"), "fits and wants to talk", when='"true"', mode='"apply"')
    with company(tmp_path, "inbound-jp", text=cheap, new_contacts="lead") as seiko:
        seiko.hub.submit_form(FREE, "Question", {"lastname": "Ash"})
        seiko.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "Acme", "Status": "Inquiry"})
        seiko.settle()
        for email in (FREE, ANNA):
            assert seiko.shown(email) == ("Marketing Qualified Lead", "Marketing Qualified")
            assert seiko.passed(email) == ["inquiry", "mql"]


# ---------------------------------------------------------------- scored

PROFILE = {"firstname": "Mia", "lastname": "Moss", "industry": "Finance", "numemployees": "400", "country": "Austria"}
MIA = "mia@bank.example"


def test_a_name_is_a_suspect(tmp_path: Path) -> None:
    """Somebody gave a name and an e-mail address only and showed no interest yet: Suspect."""
    with company(tmp_path, "scored") as shop:
        shop.hub.create({"email": MIA, "firstname": "Mia", "lastname": "Moss"})
        shop.settle()
        assert shop.shown(MIA) == ("Subscriber", "Suspect")
        assert shop.passed(MIA) == ["suspect"]
        assert shop.said(MIA, "ideal customer") == ("no", "does not fit the ideal customer profile")


def test_the_ideal_customer_is_a_qualified_lead(tmp_path: Path) -> None:
    """Somebody fits the ideal customer profile: Qualified lead, and no MQL while they are not ready to buy."""
    with company(tmp_path, "scored") as shop:
        shop.hub.create({"email": MIA, **PROFILE})
        shop.hub.create({"email": FREE, **PROFILE})
        shop.settle()
        assert shop.shown(MIA) == ("Lead", "Qualified Lead")
        assert shop.said(MIA, "ready to buy") == ("no", "not ready to buy")
        assert shop.shown(FREE) == ("Subscriber", "Suspect")  # the same profile behind a free address scores less


def test_who_is_ready_to_buy_is_an_mql_without_moving(tmp_path: Path) -> None:
    """Somebody fits the profile and is ready to buy but has not moved by themselves: MQL all the same, and sales finds them in Salesforce to approach."""
    with company(tmp_path, "scored") as shop:
        shop.hub.create({"email": MIA, **PROFILE})
        shop.settle()
        shop.tell(MIA, "buying_signal", "intent data", topic="the contract with a competitor ends in May")
        shop.settle()
        assert shop.shown(MIA) == ("Marketing Qualified Lead", "Marketing Qualified")
        assert shop.passed(MIA) == ["suspect", "qualified_lead", "mql"]
        assert "num_conversion_events" not in shop.contact(MIA)
