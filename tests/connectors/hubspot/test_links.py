"""Links to companies of which HubSpot takes only some: what it did is known by its results, and a refusal that can mean one row only is that row's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hubspot_portal import settings, update
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.model.writes import Applied, Rejected, Unknown
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.server import serve

LINK = "associatedcompanyid"


@pytest.fixture
def portal() -> Iterator[tuple[HubSpotWorld, HubSpot]]:
    """A portal with three contacts, over a socket."""
    world = HubSpotWorld()
    world.load([{"email": f"{name}@x.example"} for name in "abc"])
    with serve(world) as url, closing(open_account("hubspot", settings(base_url=url), Ports(Hand(), NoLimits(), Drawer()))) as connector:
        yield world, connector


def test_one_refused_link_is_known(portal: tuple[HubSpotWorld, HubSpot]) -> None:
    """A company that is gone: the others are linked, and this one is refused with HubSpot's own sentence."""
    world, connector = portal
    company, ids = world.create_company("Acme"), [each["id"] for each in world.contacts()]
    first, second, third = connector.write([update(1, ids[0], **{LINK: company}), update(2, ids[1], **{LINK: "1234"}), update(3, ids[2], **{LINK: company})])
    assert isinstance(first, Applied)
    assert isinstance(third, Applied)
    assert second == Rejected("VALIDATION_ERROR", "COMPANY=1234 is not valid", LINK)


def test_of_several_refused_links_nobody_knows_which_is_meant(portal: tuple[HubSpotWorld, HubSpot]) -> None:
    """The sentences are prose: the next look tells. What was done is known all the same."""
    world, connector = portal
    company, ids = world.create_company("Acme"), [each["id"] for each in world.contacts()]
    first, *rest = connector.write([update(1, ids[0], **{LINK: company}), update(2, ids[1], **{LINK: "1234"}), update(3, ids[2], **{LINK: "1235"})])
    assert isinstance(first, Applied)
    assert [type(each) for each in rest] == [Unknown, Unknown]
