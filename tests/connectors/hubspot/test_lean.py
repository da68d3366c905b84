"""The HubSpot connector against a server that has only what the documentation promises, or less."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hubspot_portal import settings
from lean_world import LeanWorld
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.model.errors import ConfigurationError
from stagesync.model.ports import Secret
from stagesync.model.records import Query, Record, Ref
from stagesync.model.writes import Applied, Step
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response

NOT_FOUND = json_response({"status": "error", "message": "resource not found"}, 404)
PAGE = Response(404, {"Content-Type": "text/html"}, b"<html>Not Found</html>")
CONTACTS = "/crm/v3/objects/contacts"
STAGES = [{"label": "Lead", "value": "lead", "displayOrder": 0}, {"label": "Customer", "value": "customer", "displayOrder": 1}]
PROPERTIES = {
    "results": [
        {"name": "email", "label": "Email", "type": "string", "fieldType": "text"},
        {"name": "lifecyclestage", "label": "Stage", "type": "enumeration", "fieldType": "radio", "options": STAGES},
        {"name": "hubspot_owner_id", "label": "Owner", "type": "enumeration", "fieldType": "select", "externalOptions": True},
    ]
}
LEAN: dict[str, Any] = {"GET /crm/v3/properties/contacts": PROPERTIES, f"GET {CONTACTS}": {"results": []}}


def opened(answers: dict[str, Any], missing: Response = NOT_FOUND, **given: Any) -> HubSpot:
    """The connector to a server that has these answers."""
    return open_account("hubspot", settings(**given), Ports(Hand(), NoLimits(), Drawer()), WorldPool(LeanWorld(answers, missing)))


def test_the_account_is_asked_at_the_other_version_too() -> None:
    """A server that knows its account details at one version only tells them all the same."""
    assert opened({"GET /account-info/2026-09/details": {"portalId": 7}}).identity().id == "7"
    assert opened({"GET /account-info/v3/details": {"portalId": 7}}, api_version="2026-09").identity().id == "7"


FORBIDDEN = json_response({"status": "error", "category": "MISSING_SCOPES", "message": "This app hasn't been granted all required scopes."}, 403)


@pytest.mark.parametrize("missing", [NOT_FOUND, PAGE, FORBIDDEN])
def test_a_portal_without_details_is_known_by_address_and_credential(missing: Response) -> None:
    """The id is the same each time, another token makes another one, and `check` is told."""
    connector = opened(LEAN, missing)
    found = connector.identity()
    assert found.id == opened(LEAN, missing).identity().id
    assert found.id != opened(LEAN, missing, token=Secret("another")).identity().id
    assert any("does not tell its id" in finding for finding in connector.describe().findings)


def test_a_wrong_address_is_still_said() -> None:
    """Where nothing at all is HubSpot's, describing the account fails with a remedy."""
    connector = opened({}, PAGE)
    connector.identity()
    with pytest.raises(ConfigurationError, match="base_url"):
        connector.describe()


def test_missing_owners_and_history_are_no_error() -> None:
    """The account is described without them; that owners cannot be kept the same is a finding."""
    refused = json_response({"status": "error", "message": "propertiesWithHistory is not supported"}, 400)
    described = opened({**LEAN, f"GET {CONTACTS}": lambda _request: refused}).describe()
    assert set(described.kinds["contact"].fields) == {"email", "lifecyclestage", "hubspot_owner_id"}
    assert any(finding.startswith("owners cannot be kept the same") for finding in described.findings)


@pytest.mark.parametrize("stamp", ["2026-03-05T13:45:00Z", "2026-03-05T13:45:00.000Z"])
@pytest.mark.parametrize("own", [{}, {"lastmodifieddate": None}])
def test_rows_without_a_stamp_of_their_own_have_that_of_the_record(own: dict[str, None], stamp: str) -> None:
    """`updatedAt` is the same moment, with or without milliseconds; no `archived`, no `paging`, no `Date` are needed."""
    row = {"id": "1", "properties": {"email": "a@x.example", **own}, "createdAt": stamp, "updatedAt": stamp}
    pages = list(opened({f"GET {CONTACTS}": {"results": [row]}}).pull(Query({"contact": ("email",)})))
    assert [record for page in pages for record in page.records] == [Record(Ref("contact", "1"), 1_772_718_300_000, {"email": "a@x.example"})]


def test_a_server_that_does_not_know_archived_deletes_nobody() -> None:
    """A list of the recycle bin that shows live contacts is none: gone is only who is shown as archived."""
    live = {"id": "1", "properties": {"email": "a@x.example"}, "updatedAt": "2026-03-05T13:45:00Z"}
    binned = {**live, "id": "2", "archivedAt": "2026-03-05T13:45:00Z"}
    pages = list(opened({f"GET {CONTACTS}": {"results": [live, binned]}}).pull(Query({"contact": ("email",)}, sweep=True)))
    assert [gone.ref.id for page in pages for gone in page.gone] == ["2"]


def test_the_portal_of_an_oauth_token_comes_with_it() -> None:
    """Without account details the token's own answer tells the portal, at no further call."""

    def token(_request: Request) -> Response:
        return json_response({"access_token": "t", "expires_in": 1800, "hub_id": 99, "refresh_token": "r"})

    world = LeanWorld({"POST /oauth/2026-09/token": token}, NOT_FOUND)
    with serve(world) as url:
        given = settings(base_url=url, client_id="c", client_secret=Secret("s"), refresh_token=Secret("r"))
        connector = open_account("hubspot", given, Ports(Hand(), NoLimits(), Drawer()))
        assert connector.identity().id == "99"
        connector.close()


def test_created_rows_are_known_by_their_address() -> None:
    """An answer that shows neither trace ids nor more than the address still tells which row is which."""

    def create(request: Request) -> Response:
        asked = [each["properties"]["email"] for each in orjson.loads(request.body)["inputs"]]
        rows = [{"id": str(100 + place), "properties": {"email": email}} for place, email in enumerate(asked)]
        return json_response({"status": "COMPLETE", "results": rows[::-1]}, 201)

    steps = [Step(number, 1, "create", "contact", None, {"email": f"p{number}@x.example", "lastname": "L"}) for number in range(3)]
    outcomes = opened({f"POST {CONTACTS}/batch/create": create}).write(steps)
    assert [each.ref.id for each in outcomes if isinstance(each, Applied)] == ["100", "101", "102"]
