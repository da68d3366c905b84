"""What the HubSpot connector puts on the wire, and what it takes from it: other honest servers than the sandbox behave within the documentation too."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hubspot_portal import FIELDS, Portal, create, settings, update
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.model.companies import Company, Linked
from stagesync.model.errors import ConfigurationError
from stagesync.model.ports import Secret
from stagesync.model.records import Query, Ref
from stagesync.model.writes import Applied, Rejected, Step, Unknown
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.server import serve
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


class Told(HubSpotWorld):
    """A portal that answers some calls in its own way. `says`: "METHOD /path" -> the answer, or a function from request and the portal's answer to it."""

    def __init__(self, says: dict[str, Any], habits: Habits | None = None) -> None:
        super().__init__(habits=habits)
        self.says = says

    def route(self, request: Request) -> Response:
        """The portal's answer, or its own."""
        own = self.says.get(f"{request.method} {request.path}")
        if own is None or isinstance(own, Response):
            return own or super().route(request)
        return own(request, super().route(request))


def without_body(_request: Request, answer: Response) -> Response:
    """Done, and nothing said."""
    return Response(200, answer.headers, b"") if 200 <= answer.status < 300 else answer


OPT_OUT = "POST /communication-preferences/v4/statuses/ann@x.example/unsubscribe-all"
ARCHIVE = "POST /crm/v3/objects/contacts/batch/archive"
UPDATE = "POST /crm/v3/objects/contacts/batch/update"
CREATE = "POST /crm/v3/objects/contacts/batch/create"
LIST = "GET /crm/v3/objects/contacts"
OWNERS = "/crm/v3/owners"
OAUTH = {"client_id": "sandbox-client", "client_secret": Secret("sandbox-secret"), "refresh_token": Secret("sandbox-refresh")}


@pytest.mark.parametrize("call", [OPT_OUT, ARCHIVE])
def test_what_has_nothing_to_say_may_say_nothing(call: str) -> None:
    """An opt-out answers empty unless `verbose` is asked for, and an archive has no body: neither is an answer that was lost."""
    world = Told({call: without_body})
    ref = Ref("contact", world.create({"email": "ann@x.example"}))
    step = Step(1, 1, "archive", "contact", ref, {})
    if call == OPT_OUT:
        step = Step(1, 1, "update", "contact", ref, {"hs_email_optout": True}, "ann@x.example")
    assert opened(world).write([step]) == [Applied(ref)]


@pytest.mark.parametrize("call", [OPT_OUT, ARCHIVE])
def test_a_proxys_page_is_no_silent_success(call: str) -> None:
    """A sign-in page with status 200 says nothing of what became of the call."""
    world = Told({call: Response(200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>")})
    ref = Ref("contact", world.create({"email": "ann@x.example"}))
    step = Step(1, 1, "archive", "contact", ref, {})
    if call == OPT_OUT:
        step = Step(1, 1, "update", "contact", ref, {"hs_email_optout": True}, "ann@x.example")
    assert isinstance(opened(world).write([step])[0], Unknown)


def test_a_gateway_that_waited_in_vain_knows_not_what_was_done() -> None:
    """522: the create may have reached HubSpot, so it is looked up before it is sent again."""
    (outcome,) = opened(Told({CREATE: Response(522, {}, b"")})).write([create(1, email="new@x.example")])
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(
    ("body", "waited"),
    [
        ('{"status":"error","message":"Too many requests","category":"RATE_LIMITS"}', 10.0),
        ("<h1>Slow down</h1>", 10.0),
        ('{"policyName":"SECONDLY","message":"You have reached your secondly limit."}', 1.0),
        ('{"policyName":"TEN_SECONDLY_ROLLING"}', 10.0),
    ],
)
def test_a_limit_that_does_not_say_which_is_waited_out(body: str, waited: float) -> None:
    """A limit of ten seconds is not over after one, and six tries in five seconds would end the run."""
    portal = Portal()
    portal.world.faults.add(Fault("status", status=429, body=body))
    before = portal.clock.monotonic()
    portal.connector.identity()
    assert portal.clock.monotonic() - before == waited


def test_a_lock_may_say_how_long_it_lasts() -> None:
    """423 with Retry-After: at least that, and never less than two seconds."""
    portal = Portal()
    portal.world.faults.add(Fault("status", status=423, headers=(("Retry-After", "9"),)))
    portal.world.faults.add(Fault("status", status=423, headers=(("Retry-After", "0"),)))
    before = portal.clock.monotonic()
    portal.connector.identity()
    assert portal.clock.monotonic() - before == 11.0


@pytest.mark.parametrize("names", [("id",), ()])
def test_an_error_that_can_mean_one_row_only_is_that_rows(names: tuple[str, ...]) -> None:
    """It names the record as `id`, or nobody, and all other rows are among the results."""

    def half(request: Request, _answer: Response) -> Response:
        first, second = orjson.loads(request.body)["inputs"]
        named = {name: [second["id"]] for name in names}
        error = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "context": named, "errors": [{"message": "no", "code": "INVALID_OPTION"}]}
        return json_response({"status": "COMPLETE", "results": [{"id": first["id"], "properties": first["properties"]}], "errors": [error]}, 207)

    world = Told({UPDATE: half})
    ids = [world.create({"email": f"p{number}@x.example"}) for number in range(2)]
    done, refused = opened(world).write([update(place, id, city="Bonn") for place, id in enumerate(ids)])
    assert isinstance(done, Applied)
    assert isinstance(refused, Rejected) and refused.code == "INVALID_OPTION"


@pytest.mark.parametrize("status", [200, 201, 202, 207])
def test_half_a_success_may_have_any_status_of_success(status: int) -> None:
    """Version 2026-09 lists no 207: what became of each row is told by the rows, whatever the status."""

    def told(_request: Request, answer: Response) -> Response:
        return Response(status, answer.headers, answer.body)

    world = Told({CREATE: told})
    there = world.create({"email": "there@x.example"})
    made, refused = opened(world).write([create(1, email="new@x.example"), create(2, email="there@x.example")])
    assert isinstance(made, Applied)
    assert isinstance(refused, Rejected) and refused.existing == Ref("contact", there)


def test_a_call_that_finds_nobody_is_looked_into() -> None:
    """A 404 for the whole call, in whatever words: who was merged away is found where they live now."""
    world = Told({UPDATE: json_response({"status": "error", "message": "no such object"}, 404)})
    ids = [world.create({"email": f"p{number}@x.example"}) for number in range(2)]
    now = world.merge(*ids)
    (outcome,) = opened(world).write([update(1, ids[1], city="Bonn")])
    assert isinstance(outcome, Rejected) and outcome.moved == Ref("contact", now)


def test_a_list_that_fails_over_a_place_of_ours_is_read_in_turn() -> None:
    """A server that answers 500 for an `after` that it has not named loses nobody, and stops nothing."""
    named = {""}

    def strict(request: Request, answer: Response) -> Response:
        if request.arg("after") not in named:
            return json_response({"status": "error", "message": "internal error"}, 500)
        named.add((orjson.loads(answer.body).get("paging") or {"next": {"after": ""}})["next"]["after"])
        return answer

    world = Told({LIST: strict})
    ids = world.load([{"email": f"p{number}@x.example"} for number in range(1_500)])
    pages = list(opened(world).pull(Query({"contact": FIELDS})))
    assert sorted(record.ref.id for page in pages for record in page.records) == sorted(ids)
    assert any(page.notes for page in pages)


def test_a_search_may_give_a_hundred_rows_only() -> None:
    """HubSpot's older documentation has that limit; a server that refuses more is asked for fewer."""

    def hundred(request: Request, answer: Response) -> Response:
        refused = json_response({"status": "error", "message": "limit must be at most 100", "category": "VALIDATION_ERROR"}, 400)
        return refused if orjson.loads(request.body)["limit"] > 100 else answer

    world = Told({"POST /crm/v3/objects/contacts/search": hundred})
    connector = opened(world)
    cursor = list(connector.pull(Query({"contact": FIELDS})))[-1].cursor
    ids = world.load([{"email": f"p{number}@x.example"} for number in range(250)])
    assert [record.ref.id for page in connector.pull(Query({"contact": FIELDS}, cursor)) for record in page.records] == ids


@pytest.mark.parametrize("location", ["{path}/?{query}", "{host}{path}/?{query}"])
def test_a_read_follows_to_the_same_server_only(location: str) -> None:
    """Owners that lie behind a slash are found there; a token is not carried to another host."""

    def moved(request: Request, _answer: Response) -> Response:
        host = f"http://{request.headers['host']}"
        return Response(307, {"Location": location.format(path=request.path, query=request.query, host=host)})

    world = Told({f"GET {OWNERS}": moved})
    with serve(world) as url, serve(HubSpotWorld()) as elsewhere:
        given = settings(base_url=url)
        connector = open_account("hubspot", given, Ports(Hand(), NoLimits(), Drawer()))
        assert connector.describe().kinds["contact"].fields["hubspot_owner_id"].options[0].label == "ann.berg@example.com"
        world.says[LIST] = Response(307, {"Location": f"{elsewhere}/crm/v3/objects/contacts"})
        with pytest.raises(ConfigurationError, match="307"):
            list(connector.pull(Query({"contact": FIELDS})))
        connector.close()


def test_what_a_server_has_not_is_a_finding() -> None:
    """501 for owners and for the subscription preferences: the account is described without them."""
    absent = json_response({"status": "error", "message": "not implemented"}, 501)
    found = opened(Told({f"GET {OWNERS}": absent, "GET /communication-preferences/v4/definitions": absent})).describe().findings
    assert len([each for each in found if each.startswith(("owners cannot", "opt-outs are read"))]) == 2


@pytest.mark.parametrize("served", ["/oauth/2026-09/token", "/oauth/v3/token", "/oauth/v1/token", None])
def test_a_token_is_had_at_the_version_that_is_served(served: str | None) -> None:
    """The dated version first, then the numbered ones; none of them is a matter of the address, not of the credential."""
    paths = {"/oauth/2026-09/token", "/oauth/v3/token", "/oauth/v1/token"} - {served}
    page = Response(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")
    with serve(Told({f"POST {path}": page for path in paths})) as url:
        connector = open_account("hubspot", settings(base_url=url, **OAUTH), Ports(Hand(), NoLimits(), Drawer()))
        if served is None:
            with pytest.raises(ConfigurationError, match="404"):
                list(connector.pull(Query({"contact": FIELDS})))
        else:
            assert connector.identity().id == "4710017"
        connector.close()
