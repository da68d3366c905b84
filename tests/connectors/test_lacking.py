"""Servers whose answers lack what the vendors always tell: each read ends in one sentence with the system, what is missing and a remedy; no stack, no guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import orjson
import pytest
from hubspot_portal import settings as hubspot_settings
from salesforce_org import FIELDS, Drawer, Hand, NoLimits
from salesforce_org import settings as salesforce_settings

from stagesync.connectors.contract import Companies, Connector, Ports
from stagesync.connectors.hubspot.connector import open_account
from stagesync.connectors.salesforce.connector import open_org
from stagesync.connectors.salesforce.evidence import STATE
from stagesync.model.companies import Company
from stagesync.model.errors import Unreachable
from stagesync.model.records import Present, Query, Record, Ref
from stagesync.model.writes import Applied, Step
from stagesync.sandbox.base import BaseWorld
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce.world import SalesforceWorld
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response

CONTACTS = {"contact": ("email", "lifecyclestage")}


class _Lacking(BaseWorld):
    """`lacks`: the path, and what of its answers is left out; a star stands for every entry of a list. `now`: what stands there instead, if anything."""

    lacks: tuple[str, str] = ("", "")
    now: tuple[Any, ...] = ()

    def route(self, request: Request) -> Response:
        """The answer without it."""
        answer = super().route(request)
        path, what = self.lacks
        if not path or path not in f"{request.path} {request.arg('q')}":
            return answer
        told = orjson.loads(answer.body)
        _leave_out(told, what.split("."), self.now)
        return Response(answer.status, answer.headers, orjson.dumps(told))


def _leave_out(told: Any, path: Sequence[str], now: tuple[Any, ...]) -> None:
    head, *rest = path
    if head == "*":
        for each in told:
            _leave_out(each, rest, now)
    elif isinstance(told, dict) and head in told:
        if rest:
            _leave_out(told[head], rest, now)
        elif now:
            told[head] = now[0]
        else:
            del told[head]


class Portal(_Lacking, HubSpotWorld):
    """A portal that leaves something out."""


class Org(_Lacking, SalesforceWorld):
    """An org that leaves something out."""


@contextmanager
def hubspot() -> Iterator[tuple[Portal, Connector]]:
    """A portal with two contacts, over a socket."""
    clock = Hand()
    world = Portal(clock=WorldClock(lambda: clock.at))
    world.load([{"email": f"p{number}@x.example", "lifecyclestage": "lead"} for number in range(2)])
    with serve(world) as url, closing(open_account("crm", hubspot_settings(base_url=url), Ports(clock, NoLimits(), Drawer()))) as connector:
        yield world, connector


@contextmanager
def salesforce() -> Iterator[tuple[Org, Connector]]:
    """An org with a Contact that has an opportunity and a campaign, and a Lead with a history, over a socket."""
    clock = Hand()
    world = Org(clock=WorldClock(lambda: clock.at))
    contact = world.create("Contact", {"LastName": "Lee", "Email": "lee@x.example", "AccountId": world.create("Account", {"Name": "Acme"})})
    world.edit(world.create("Lead", {"LastName": "Ray", "Company": "Acme"}), {"Status": "Working - Contacted"})
    world.open_opportunity(contact)
    world.add_campaign_member(contact, "Webinar", "Sent")
    with serve(world) as url, closing(open_org("crm", salesforce_settings(instance_url=url), Ports(clock, NoLimits(), Drawer()))) as connector:
        yield world, connector


def everything(connector: Connector, fields: Any) -> list[Record]:
    """All that a first pull tells."""
    return [record for page in connector.pull(Query(fields, signals=True)) for record in page.records]


WITH_DEALS = {**FIELDS, "contact": (*FIELDS["contact"], STATE)}
PULL = [
    ("FROM Contact", "records.*.Id", "`Id`"),
    ("FROM Contact", "records.*.SystemModstamp", "`SystemModstamp`"),
    ("FROM Lead", "records.*.Id", "`Id`"),
    ("FROM Lead", "records.*.SystemModstamp", "`SystemModstamp`"),
    ("FROM OpportunityContactRole", "records.*.Id", "`Id`"),
    ("FROM OpportunityContactRole", "records.*.Opportunity.IsWon", "`IsWon`"),
    ("FROM OpportunityContactRole", "records.*.Opportunity.IsClosed", "`IsClosed`"),
    ("FROM OpportunityContactRole", "records.*.Opportunity.StageName", "`StageName`"),
    ("FROM OpportunityContactRole", "records.*.Opportunity.CreatedDate", "`CreatedDate`"),
    ("FROM CampaignMember", "records.*.Id", "`Id`"),
    ("FROM CampaignMember", "records.*.CreatedDate", "`CreatedDate`"),
]


def stopped(ask: Callable[[], object], words: str) -> None:
    """What is asked ends in one error that says these words, where, and what to do."""
    with pytest.raises(Unreachable, match=words) as caught:
        ask()
    assert caught.value.where == "crm"
    assert caught.value.next_step


@pytest.mark.parametrize("now", [(), (None,)], ids=["absent", "null"])
@pytest.mark.parametrize(("path", "lacks", "words"), PULL)
def test_a_pull_of_salesforce(path: str, lacks: str, words: str, now: tuple[Any, ...]) -> None:
    """Id and stamps of people, roles and campaign members, and what an opportunity always tells."""
    with salesforce() as (world, connector):
        world.lacks, world.now = (path, lacks), now
        stopped(lambda: everything(connector, WITH_DEALS), words)
        world.lacks = ("", "")
        assert len(everything(connector, WITH_DEALS)) == 2


def test_a_record_that_is_none() -> None:
    """Somebody puts something else in the place of records."""
    with salesforce() as (world, connector):
        world.lacks, world.now = ("FROM Lead", "records"), ([None],)
        stopped(lambda: everything(connector, FIELDS), "something else than records")


@pytest.mark.parametrize("lacks", ["*.Id", "*.SystemModstamp"])
def test_records_of_salesforce_by_their_ids(lacks: str) -> None:
    """A read of many records, and one by a key."""
    with salesforce() as (world, connector):
        lead = next(record.ref for record in everything(connector, FIELDS) if record.ref.kind == "lead")
        world.lacks = ("/composite/sobjects/Lead", lacks)
        stopped(lambda: connector.fetch([lead], FIELDS), lacks.removeprefix("*."))
        world.lacks = ("FROM Contact", f"records.{lacks}")
        stopped(lambda: connector.find("contact", "Email", ["lee@x.example"], FIELDS["contact"]), lacks.removeprefix("*."))


@pytest.mark.parametrize("lacks", ["Field", "CreatedDate", "LeadId", "CreatedById"])
def test_a_history_of_salesforce_that_lacks_something(lacks: str) -> None:
    """Histories are good to know and not needed: without author, or untold altogether."""
    with salesforce() as (world, connector):
        lead = next(record.ref for record in everything(connector, FIELDS) if record.ref.kind == "lead")
        world.lacks = ("FROM LeadHistory", f"records.*.{lacks}")
        (seen,) = connector.fetch([lead], FIELDS, ("Status",))
        assert isinstance(seen, Present)
        assert bool(seen.history) is (lacks == "CreatedById")


@pytest.mark.parametrize("lacks", ["fields", "fields.*.name", "fields.*.type"])
@pytest.mark.parametrize("source", ["Lead", "Account"])
def test_a_description_of_salesforce(source: str, lacks: str) -> None:
    """Fields have a name and a type."""
    with salesforce() as (world, connector):
        world.lacks = (f"/sobjects/{source}/describe", lacks)
        stopped(connector.describe, f"description of {source}")


def test_an_option_without_a_value_is_none() -> None:
    """Nobody can choose it."""
    with salesforce() as (world, connector):
        world.lacks = ("/sobjects/Lead/describe", "fields.*.picklistValues.*.value")
        assert connector.describe().kinds["lead"].fields["LeadSource"].options == ()


@pytest.mark.parametrize("lacks", ["MasterLabel", "IsConverted"])
def test_statuses_that_do_not_tell_what_they_mean(lacks: str) -> None:
    """As where they cannot be read: a finding."""
    with salesforce() as (world, connector):
        world.lacks = ("FROM LeadStatus", f"records.*.{lacks}")
        assert any(finding.startswith("LeadStatus cannot be read") for finding in connector.describe().findings)


def test_an_account_without_an_id_is_nobodys() -> None:
    """Nothing is linked to it, and no second one is made."""
    with salesforce() as (world, connector):
        world.lacks = ("FROM Account", "records.*.Id")
        assert isinstance(connector, Companies)
        stopped(lambda: connector.companies([Company("Acme", None)], "name", make=True), "`Id`")


@pytest.mark.parametrize("now", [(), (None,)], ids=["absent", "null"])
@pytest.mark.parametrize(("lacks", "words"), [("results.*.id", "`id`"), ("results.*.properties", "`properties`"), ("results", "nothing")])
def test_contacts_of_hubspot(lacks: str, words: str, now: tuple[Any, ...]) -> None:
    """In a list and by their ids. An answer without `results` is an empty one."""
    with hubspot() as (world, connector):
        known = [record.ref for record in everything(connector, CONTACTS)]
        world.lacks, world.now = ("/objects/contacts", lacks), now
        if words == "nothing":
            assert everything(connector, CONTACTS) == []
            return
        stopped(lambda: everything(connector, CONTACTS), words)
        stopped(lambda: connector.fetch(known, CONTACTS), words)


class Stampless(Portal):
    """A portal whose contacts do not say when they were changed."""

    def route(self, request: Request) -> Response:
        """The answer without both places."""
        answer = super().route(request)
        told = orjson.loads(answer.body) if b"results" in answer.body else {}
        for what in ("results.*.updatedAt", "results.*.properties.lastmodifieddate") if told else ():
            _leave_out(told, what.split("."), ())
        return Response(answer.status, answer.headers, orjson.dumps(told)) if told else answer


def test_contacts_of_hubspot_without_a_moment() -> None:
    """Whoever does not say when a contact was changed is not believed to have changed it in 1970; what was written is written all the same."""
    clock = Hand()
    world = Stampless(clock=WorldClock(lambda: clock.at))
    (id,) = world.load([{"email": "p1@x.example"}])
    with serve(world) as url, closing(open_account("crm", hubspot_settings(base_url=url), Ports(clock, NoLimits(), Drawer()))) as connector:
        stopped(lambda: everything(connector, CONTACTS), "`updatedAt`")
        assert connector.write([Step(1, 1, "update", "contact", Ref("contact", id), {"email": "p2@x.example"})]) == [Applied(Ref("contact", id))]


@pytest.mark.parametrize(
    ("path", "lacks", "words"),
    [
        ("/properties/contacts", "results.*.name", "`name`"),
        ("/owners", "results.*.id", "`id`"),
        ("/account-info", "portalId", "shape"),
    ],
)
def test_what_hubspot_tells_of_an_account(path: str, lacks: str, words: str) -> None:
    """Properties, owners and the portal are known by something."""
    with hubspot() as (world, connector):
        world.add_owner("kim@x.example")
        world.lacks = (path, lacks)
        stopped(lambda: (connector.identity(), connector.describe()), words)


@pytest.mark.parametrize("now", [(), (None,)], ids=["absent", "null"])
def test_a_history_of_hubspot(now: tuple[Any, ...]) -> None:
    """A version without a moment cannot be placed; a property without versions has none."""
    with hubspot() as (world, connector):
        ref = everything(connector, CONTACTS)[0].ref
        world.lacks, world.now = ("/batch/read", "results.*.propertiesWithHistory.lifecyclestage.*.timestamp"), now
        stopped(lambda: connector.fetch([ref], CONTACTS, ("lifecyclestage",)), "`timestamp`")
        world.lacks = ("/objects/contacts", "results.*.propertiesWithHistory.lifecyclestage")
        (seen,) = connector.fetch([ref], CONTACTS, ("lifecyclestage",))
        assert isinstance(seen, Present)
        assert not seen.history.get("lifecyclestage")
        assert connector.describe().findings == ()


@pytest.mark.parametrize("now", [7, "x", [7], {"a": 1}, None])
@pytest.mark.parametrize("lacks", ["results", "errors"])
def test_writes_to_hubspot_whose_answers_say_nothing(lacks: str, now: Any) -> None:
    """What may have been done has an outcome, whatever stands in the answer: it is looked at, or left open."""
    with hubspot() as (world, connector):
        refs = [record.ref for record in everything(connector, CONTACTS)]
        world.lacks, world.now = ("/batch/", lacks), (now,)
        updates = [
            Step(1, 1, "update", "contact", refs[0], {"email": "new@x.example"}),
            Step(2, 1, "update", "contact", Ref("contact", "999"), {"email": "z@x.example"}),
        ]
        creates = [Step(number, 1, "create", "contact", None, {"email": f"{name}@x.example"}) for number, name in enumerate(("c", "p1"), 3)]
        links = [Step(5, 1, "update", "contact", refs[1], {"associatedcompanyid": "1234"})]
        for steps in (updates, creates, links):
            assert len(connector.write(steps)) == len(steps)
        assert isinstance(connector, Companies)
        assert len(connector.companies([Company("Acme", "acme.example")], "domain", make=True)) == 1
