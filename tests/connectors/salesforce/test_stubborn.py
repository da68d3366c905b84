"""Orgs that refuse what is asked beside the people: the people come all the same, nothing is made up, and nothing is lost once the org relents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deals import ACTS, work
from hypothesis import given, settings
from hypothesis import strategies as st
from office import Office
from salesforce_org import Org
from stubborn import SHAPES, Stubborn

from stagesync.app.views.plan import plan_text
from stagesync.app.views.run import run_text
from stagesync.connectors.contract import Ports
from stagesync.connectors.salesforce.connector import SalesforceConnector, open_org
from stagesync.connectors.salesforce.cursor import read
from stagesync.connectors.salesforce.evidence import CHANGED, STAGE, STATE
from stagesync.model.errors import CredentialError
from stagesync.model.records import Page, Present, Query, Ref
from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.salesforce.habits import Habits

ASKED = {"contact": ("LastName", "Title", "Account.Name", STATE, STAGE, CHANGED)}
ANNA = "anna@a.example"
CODES = [("MALFORMED_QUERY", 400), ("INVALID_FIELD", 400), ("INVALID_TYPE", 400), ("OPERATION_TOO_LARGE", 400), ("QUERY_TIMEOUT", 400), ("NOT_FOUND", 404)]


class Asked(Org):
    """An org behind somebody stubborn, and what was told of each contact so far."""

    def reopened(self) -> SalesforceConnector:
        """A connector that meets the stubborn one."""
        self.door = Stubborn(self.world)
        self.cursor: str | None = None
        self.told: dict[str, Any] = {}
        passing: Any = self.door
        return open_org("crm", self.settings, Ports(self.clock, _Free(), self.drawer), WorldAdapter(passing))

    def refuse(self, *shapes: str, code: str = "MALFORMED_QUERY", status: int = 400) -> None:
        """From now on such queries are refused, and no others."""
        self.door.refuses, self.door.code, self.door.status = frozenset(shapes), code, status

    def pull(self) -> list[Page]:
        """What is new, an hour later."""
        self.clock.at += 3600
        pages = list(self.connector.pull(Query(ASKED, self.cursor)))
        self.cursor = pages[-1].cursor
        for record in (record for page in pages for record in page.records):
            if STATE in record.values:
                self.told[str(record.values["LastName"])] = record.values[STATE]
        return pages

    def shown(self, contacts: Sequence[str]) -> dict[str, Any]:
        """What reading these contacts now shows."""
        seen = [each.record.values for each in self.connector.fetch([Ref("contact", id) for id in contacts], ASKED) if isinstance(each, Present)]
        return {str(values["LastName"]): values.get(STATE) for values in seen}


class _Free:
    def take(self, bucket: str, rate: Any) -> None:
        """No limits."""


def findings(pages: Sequence[Page]) -> list[str]:
    """What these pages say that they do not say."""
    return [finding for page in pages for finding in page.findings]


@pytest.mark.parametrize(("code", "status"), CODES)
def test_an_org_that_refuses_the_one_query_is_asked_in_several(code: str, status: int) -> None:
    """Roles by their own stamps, by their opportunities, and by their contacts: what is told is the same, and the refused query is not tried again."""
    org = Asked()
    one, two, other = org.contact("One"), org.contact("Two"), org.contact("Other")
    deal = org.world.open_opportunity(one)
    org.pull()
    org.refuse("related", code=code, status=status)
    org.world.set_stage(deal, "Closed Won")
    org.world.edit(other, {"Title": "CEO"})
    assert findings(org.pull()) == []
    assert org.told == {"One": "won", "Two": None, "Other": None}
    org.world.add_role(deal, two)
    org.door.asked.clear()
    assert findings(org.pull()) == []
    assert org.told == {"One": "won", "Two": "won", "Other": None}
    assert not any(SHAPES["related"](query) for query in org.door.asked)
    org.world.bin_opportunity(deal)
    org.pull()
    assert org.told == {"One": None, "Two": None, "Other": None}


@pytest.mark.parametrize(("code", "status"), CODES)
def test_an_org_too_large_to_list_its_roles_is_read_contact_by_contact(code: str, status: int) -> None:
    """The first pull looks the roles of each page of contacts up by their ids; later ones go on from there."""
    org = Asked()
    one = org.contact("One")
    org.contact("None")
    org.world.open_opportunity(one, "Closed Won")
    org.refuse("all roles", code=code, status=status)
    assert findings(org.pull()) == []
    assert org.told == {"One": "won", "None": None}
    org.world.open_opportunity(org.contact("New"))
    org.pull()
    assert org.told == {"One": "won", "None": None, "New": "open"}


@pytest.mark.parametrize(("code", "status"), CODES)
def test_an_org_that_tells_nothing_of_roles_tells_its_people(code: str, status: int) -> None:
    """Contacts come without those fields, one sentence says why, the place in that feed stays; what changed meanwhile is told once it relents."""
    org = Asked()
    one, two = org.contact("One"), org.contact("Two")
    deal = org.world.open_opportunity(one)
    org.pull()
    before = read(org.cursor)
    org.refuse("roles", code=code, status=status)
    org.world.set_stage(deal, "Closed Won")
    org.world.edit(two, {"Title": "CEO"})
    pages = org.pull()
    assert {record.values["LastName"]: STATE in record.values for page in pages for record in page.records} == {"Two": False}
    assert [finding.partition(":")[0] for finding in findings(pages)] == ["what opportunities say about contacts cannot be read"]
    after = read(org.cursor)
    assert after["opportunity"] == before["opportunity"]
    assert (after["contact"].since or 0) > (before["contact"].since or 0)
    assert org.told == {"One": "open", "Two": None}
    org.refuse()
    assert findings(org.pull()) == []
    assert org.told == {"One": "won", "Two": None}


def test_a_first_pull_without_roles_is_made_up_for() -> None:
    """Nothing was known: once the org relents all roles are read, of contacts that have not changed too."""
    org = Asked()
    one = org.contact("One")
    org.world.open_opportunity(one)
    org.refuse("roles")
    pages = org.pull()
    assert (org.told, len(findings(pages)), [record.ref.id for page in pages for record in page.records]) == ({}, 1, [one])
    org.refuse("all roles")
    org.pull()
    org.refuse()
    org.pull()
    assert org.told == {"One": "open"}


def test_a_credential_that_fails_still_ends_the_pull() -> None:
    """Only what the org does not answer is gone without: a lost session is no answer of that kind."""
    org = Asked()
    org.contact("One")
    org.pull()
    org.refuse("roles", code="INVALID_SESSION_ID", status=401)
    with pytest.raises(CredentialError):
        org.pull()


@pytest.mark.parametrize(("code", "status"), CODES)
def test_campaigns_that_are_refused_take_nothing_else_with_them(code: str, status: int) -> None:
    """People come; where the org has no campaigns nothing is said, where it has and will not tell, one sentence."""
    org = Asked()
    lead = org.lead("Lead")
    org.refuse("members", code=code, status=status)
    pages = list(org.connector.pull(Query({"lead": ("LastName",)}, None, signals=True)))
    assert [record.ref.id for page in pages for record in page.records] == [lead]
    assert len(findings(pages)) == (code not in ("INVALID_TYPE", "INVALID_FIELD"))
    org.refuse()
    org.world.add_campaign_member(lead, "Webinar")
    assert sum(len(page.signals) for page in org.connector.pull(Query({"lead": ("LastName",)}, pages[-1].cursor, signals=True))) == 1


DEEDS = st.lists(st.tuples(st.sampled_from((*ACTS, "pull", "pull", "mood")), st.integers(0, 3), st.integers(0, 2)), max_size=16)
MOODS: Sequence[tuple[str, ...]] = ((), ("related",), ("roles",), ("lookup", "all roles"), ("related", "deals"), ("related", "lookup"))


@settings(max_examples=60, deadline=None)
@given(DEEDS, st.lists(st.sampled_from(MOODS), min_size=1, max_size=4), st.booleans())
def test_whatever_an_org_refuses_the_truth_is_told_in_the_end(acts: list[tuple[str, int, int]], moods: list[tuple[str, ...]], person_moves: bool) -> None:
    """Roles and deals change in any order while the org's moods change: once it answers again, what was told last is what reading each contact shows."""
    org = Asked(Habits(duplicate_rules="off", child_moves_person=person_moves))
    contacts = [org.contact(f"Number {number}") for number in range(3)]
    deals = [org.world.open_opportunity(contacts[0]) for _ in range(4)]
    for act, deal, choice in [*acts, ("relent", 0, 0)]:
        org.clock.at += 1
        match act:
            case "mood":
                org.refuse(*moods[choice % len(moods)])
            case "pull" | "relent":
                org.refuse(*(() if act == "relent" else org.door.refuses))
                org.pull()
            case _:
                work(org.world, act, deals[deal], contacts, choice)
    shown = org.shown(contacts)
    assert {name: org.told.get(name) for name in shown} == shown


# ---- in a run


class Refusing(Office):
    """An office whose org has a will of its own."""

    def way_to(self, world: Any) -> Any:
        """Salesforce's calls meet the stubborn one."""
        if world is not self.crm:
            return world
        self.door = Stubborn(world)
        return self.door


def test_a_run_goes_on_without_and_says_so_once(tmp_path: Path) -> None:
    """Titles and stages sync, the deal's evidence stays as it was and is heard as soon as it is told, and somebody reads why."""
    office = Refusing(tmp_path)
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "marketingqualifiedlead"})
    contact = office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash"})
    office.quiet()
    deal = office.crm.open_opportunity(contact)
    office.later()
    office.quiet()
    assert office.contact(ANNA)["lifecyclestage"] == "opportunity"
    office.door.refuses = frozenset({"roles", "lookup"})
    office.later(2 * 86_400)
    office.crm.edit(contact, {"Title": "CEO"})
    office.crm.set_stage(deal, "Closed Won")
    planned = office.plan()
    assert sum("cannot be read" in line for line in plan_text(office.session, planned)) == 1
    report = office.run()
    assert [system for system, _ in report.unread] == ["crm"]
    assert sum("cannot be read" in line for line in run_text(report)) == 1
    anna = office.contact(ANNA)
    assert (anna["jobtitle"], anna["lifecyclestage"]) == ("CEO", "opportunity")
    assert office.run().writes == 0
    office.door.refuses = frozenset()
    report = office.run()
    assert (office.contact(ANNA)["lifecyclestage"], report.unread) == ("customer", [])
    assert office.run().writes == 0


def test_a_deal_that_a_first_run_could_not_see_is_heard_later(tmp_path: Path) -> None:
    """Nobody knew of it when the person was met; once it is told it counts, and it raises nobody who was put further meanwhile."""
    office = Refusing(tmp_path)
    office.door.refuses = frozenset({"roles"})
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "marketingqualifiedlead"})
    office.crm.open_opportunity(office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash"}))
    office.hub.create({"email": "bob@b.example", "lastname": "Birch", "lifecyclestage": "customer"})
    office.crm.open_opportunity(office.crm.create("Contact", {"Email": "bob@b.example", "LastName": "Birch"}))
    office.quiet()
    assert office.contact(ANNA)["lifecyclestage"] == "marketingqualifiedlead"
    office.door.refuses = frozenset()
    office.later()
    office.quiet()
    assert office.contact(ANNA)["lifecyclestage"] == "opportunity"
    assert office.contact("bob@b.example")["lifecyclestage"] == "customer"


def test_campaigns_that_are_refused_leave_a_run_alone(tmp_path: Path) -> None:
    """Signals are asked for, the org has none to give: everybody is synced."""
    office = Refusing(tmp_path, signals=True)
    office.door.refuses = frozenset({"members"})
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A"})
    report = office.run()
    assert (office.contact(ANNA)["lastname"], [system for system, _ in report.unread]) == ("Ash", ["crm"])
    office.session = replace(office.session, signals=False)
    assert office.run().unread == []
