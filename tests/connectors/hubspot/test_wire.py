"""What the HubSpot connector puts on the wire, and what it takes from it: other honest servers than the sandbox behave within the documentation too."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hubspot_portal import FIELDS, create, settings, update
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.model.companies import Company, Linked
from stagesync.model.records import Query, Ref
from stagesync.model.writes import Applied, Step
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.wire import Request, Response

NEEDED: dict[str, set[str]] = {
    "search": {"after", "filterGroups", "limit", "properties", "sorts"},
    "batch/read": {"inputs", "properties", "propertiesWithHistory"},
    "batch/create": {"inputs"},
    "batch/update": {"inputs"},
    "batch/archive": {"inputs"},
}
"""The end of a path -> what its body must have (HubSpot docs, API reference: required body parameters)."""
ROWS: dict[str, set[str]] = {
    "objects/contacts/batch/create": {"associations", "properties"},
    "objects/companies/batch/create": {"associations", "properties"},
    "associations/contacts/companies/batch/create": {"from", "to", "types"},
    "associations/contacts/companies/batch/archive": {"from", "to"},
    "batch/update": {"id", "properties"},
    "batch/read": {"id"},
}
"""The same for each of `inputs`."""


class PickyWorld(HubSpotWorld):
    """A portal that refuses a body without everything that the reference calls required."""

    def route(self, request: Request) -> Response:
        """The answer, or 400."""
        if request.method == "POST" and request.path.startswith("/crm/"):
            told: dict[str, Any] = orjson.loads(request.body)
            lacking = _of(NEEDED, request.path) - set(told)
            for row in told.get("inputs", ()):
                lacking |= _of(ROWS, request.path) - set(row)
            if lacking:
                message = f"Invalid input JSON: some of required attributes are not set {sorted(lacking)}"
                return json_response({"status": "error", "message": message, "category": "VALIDATION_ERROR"}, 400)
        return super().route(request)


def _of(needed: dict[str, set[str]], path: str) -> set[str]:
    return set[str]().union(*(names for end, names in needed.items() if path.endswith(end)))


def opened(world: HubSpotWorld, **given: Any) -> HubSpot:
    """The connector to this world."""
    return open_account("hubspot", settings(**given), Ports(Hand(), NoLimits(), Drawer()), WorldPool(world))


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_bodies_have_all_that_the_reference_requires(version: str) -> None:
    """A server that checks its requests by HubSpot's own reference takes every call."""
    world = PickyWorld()
    ids = world.load([{"email": f"p{number}@x.example", "lastname": "L"} for number in range(3)])
    connector = opened(world, api_version=version)
    cursor = list(connector.pull(Query({"contact": FIELDS})))[-1].cursor
    world.edit(ids[0], {"city": "Bonn"})
    assert [record.ref.id for page in connector.pull(Query({"contact": FIELDS}, cursor)) for record in page.records] == ids
    assert len(connector.fetch([Ref("contact", id) for id in ids], {"contact": FIELDS}, ("lifecyclestage",))) == 3
    assert [record.ref.id for record in connector.find("contact", "email", ["p1@x.example"], FIELDS)] == [ids[1]]
    (found,) = connector.companies([Company("Acme", "acme.example")], "domain", make=True)
    assert isinstance(found, Linked)
    link = dict(found.values)
    steps: list[list[Step]] = [
        [create(1, email="new@x.example"), create(2, email="newer@x.example", **link)],
        [update(3, ids[0], lastname="Other")],
        [update(4, ids[1], **link)],
        [update(5, ids[1], **dict.fromkeys(link))],
        [Step(6, 1, "archive", "contact", Ref("contact", ids[2]), {})],
    ]
    for some in steps:
        assert [type(outcome) for outcome in connector.write(some)] == [Applied] * len(some)
