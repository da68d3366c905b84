"""A portal, and a desk that exports from one, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from exporter import T0, TOKEN, Desk
from hubspot import HubSpot
from hubspot_wire import Portal
from urllib3 import Retry

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.server import serve


@pytest.fixture
def portal() -> Portal:
    """A portal with the default habits."""
    return Portal()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk at a portal with the default habits."""
    world = HubSpotWorld(clock=WorldClock(lambda: T0))
    with serve(world) as url:
        api = HubSpot(access_token=TOKEN, host=url, retry=Retry(total=0)).crm.exports.public_exports_api
        with requests.Session() as browser:
            yield Desk(world, url, api, browser)
        api.api_client.rest_client.pool_manager.clear()
