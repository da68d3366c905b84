"""What `stagesync probe` found out about an account lets a connector do with fewer calls, or with nobody left without a stage; a wrong answer loses nothing."""

from __future__ import annotations

from contextlib import closing

import pytest
from hubspot_portal import Portal
from salesforce_org import NoLimits, Org

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.connectors.salesforce.connector import open_org
from stagesync.model.records import Present, Ref
from stagesync.model.writes import Write
from stagesync.sandbox.clients import WorldAdapter, WorldPool
from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits

STAGE = "lifecyclestage"


def hubspot(portal: Portal, **answers: str) -> HubSpot:
    """A connector that knows these answers."""
    ports = Ports(portal.clock, NoLimits(), portal.drawer, portal.watch.sending, answers=answers)
    return open_account("hubspot", portal.settings, ports, WorldPool(portal.world))


@pytest.mark.parametrize(
    ("answers", "sent"), [({}, [None, "lead"]), ({"backward_stage_v3": "applied"}, ["lead"]), ({"backward_stage_2026_09": "applied"}, [None, "lead"])]
)
def test_a_stage_goes_back_in_one_request_where_the_portal_applies_it(answers: dict[str, str], sent: list[str | None]) -> None:
    """Of the version that is in use, and of no other; the contact then stands where it should."""
    portal = Portal(HubSpotHabits(backward_stage="applied"))
    id = portal.contact(1, lifecyclestage="customer")
    with closing(hubspot(portal, **answers)) as connector:
        steps = connector.expand(Write(1, "update", "contact", Ref("contact", id), {STAGE: "lead"}, {STAGE: "customer"}))
        assert [step.values[STAGE] for step in steps] == sent
        for step in steps:
            connector.write([step])
    assert portal.stored(id)[STAGE] == "lead"


@pytest.mark.parametrize(("answer", "gives", "calls"), [("no", True, 2), ("yes", True, 1), ("yes", False, 3)])
def test_contacts_are_read_by_collection_where_it_gives_their_accounts(answer: str, gives: bool, calls: int) -> None:
    """One call for 2,000 in the place of a query for as many ids as fit into a URL; an org that refuses it after all is asked by queries."""
    org = Org(SalesforceHabits(duplicate_rules="off", reads_parents=gives))
    account = org.world.create("Account", {"Name": "Acme"})
    ids = org.world.load("Contact", [{"LastName": f"Lee{number}", "AccountId": account} for number in range(800)])
    ports = Ports(org.clock, NoLimits(), org.drawer, org.watch.sending, answers={"parents_in_collections": answer})
    with closing(open_org("crm", org.settings, ports, WorldAdapter(org.world))) as connector:
        seen = connector.fetch([Ref("contact", id) for id in ids], {"contact": ("LastName", "Account.Name")})
    assert [each.record.values for each in seen if isinstance(each, Present)] == [{"LastName": f"Lee{number}", "Account.Name": "Acme"} for number in range(800)]
    assert sum(org.calls().values()) == calls
