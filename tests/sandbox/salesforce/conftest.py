"""A client for the tests of this folder."""

from __future__ import annotations

import pytest
from salesforce_wire import CALM, Client

from stagesync.sandbox.salesforce import SalesforceWorld


@pytest.fixture
def client() -> Client:
    """A client of an org without assignment and duplicate rules."""
    return Client(SalesforceWorld(habits=CALM))
