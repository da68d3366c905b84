"""The two skins carry a world's answers, and its troubles, to real clients in the same way."""

from __future__ import annotations

import json
import re
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from typing import Any

import pytest
import requests
import urllib3
from house import ROOT
from hubspot.crm.contacts import ApiClient, Configuration
from simple_salesforce.api import Salesforce

from stagesync.sandbox.base import BaseWorld, json_response
from stagesync.sandbox.clients import WorldAdapter, WorldPool
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import Habits as HubSpotHabits
from stagesync.sandbox.salesforce import Habits as SalesforceHabits
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response
from stagesync.sandbox.worlds import build


class EchoWorld(BaseWorld):
    """Answers with what it was asked, and remembers every call."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Request] = []

    def template(self, request: Request) -> str:
        """Counted by their own path."""
        return request.path

    def route(self, request: Request) -> Response:
        """Nothing, something long, or the call itself."""
        self.seen.append(request)
        if request.path.endswith("/empty"):
            return Response(204)
        if request.path.endswith("/long"):
            return json_response({"results": ["é" * 50] * 100})
        return json_response({"method": request.method, "path": request.path, "query": request.query, "body": request.body.decode()})


@dataclass(frozen=True)
class Clients:
    """Both libraries, already pointed at the same world."""

    url: str
    session: requests.Session
    pool: urllib3.PoolManager


@contextmanager
def over_sockets(world: BaseWorld) -> Iterator[Clients]:
    """Real connections on loopback."""
    with serve(world) as url, requests.Session() as session, urllib3.PoolManager() as pool:
        yield Clients(url, session, pool)


@contextmanager
def without_sockets(world: BaseWorld) -> Iterator[Clients]:
    """The doubles."""
    with requests.Session() as session, WorldPool(world) as pool:
        session.mount("https://", WorldAdapter(world))
        yield Clients("https://vendor.example", session, pool)


Skin = Callable[[BaseWorld], AbstractContextManager[Clients]]
SKINS = pytest.mark.parametrize("skin", [over_sockets, without_sockets])


@SKINS
def test_a_call_arrives_whole(skin: Skin) -> None:
    """Method, decoded path, raw query, body and lower-case header names reach the world through both libraries."""
    world = EchoWorld()
    with skin(world) as clients:
        answer = clients.session.post(f"{clients.url}/a%20b?q=%C3%A9", data="ü".encode(), headers={"X-Sent": "Yes"}, timeout=5)
        again = clients.pool.request("PATCH", f"{clients.url}/a%20b?q=%C3%A9", body="ü".encode(), headers={"X-Sent": "Yes"})
    assert answer.json() == {"method": "POST", "path": "/a b", "query": "q=%C3%A9", "body": "ü"}
    assert again.json() == {**answer.json(), "method": "PATCH"}
    assert [request.headers["x-sent"] for request in world.seen] == ["Yes", "Yes"]
    assert world.calls == {"POST /a b": 1, "PATCH /a b": 1}


@SKINS
def test_the_date_header_follows_the_worlds_clock(skin: Skin) -> None:
    """A clock moved by hand shows in the Date header, and the hand's call is not counted."""
    world = EchoWorld()
    with skin(world) as clients:
        moved = clients.session.post(f"{clients.url}/_sandbox/clock", json={"advance_s": 86_400 * 400}, timeout=5)
        before = world.clock.http_date()
        answer = clients.session.get(f"{clients.url}/x", timeout=5)
        after = world.clock.http_date()  # a second may pass between the two
        calls = clients.session.get(f"{clients.url}/_sandbox/calls", timeout=5)
    assert answer.headers["Date"] in {before, after}
    assert moved.json()["now_ms"] > (time.time() + 86_400 * 399) * 1000
    assert calls.json() == {"GET /x": 1}


@SKINS
def test_an_empty_answer_has_no_body(skin: Skin) -> None:
    """A 204 comes through both libraries with nothing in it and leaves the connection usable."""
    with skin(EchoWorld()) as clients:
        assert clients.session.delete(f"{clients.url}/empty", timeout=5).content == b""
        assert clients.pool.request("DELETE", f"{clients.url}/empty").status == 204
        assert clients.session.get(f"{clients.url}/x", timeout=5).status_code == 200


@SKINS
@pytest.mark.parametrize(("kind", "arrivals"), [("lost_before", 0), ("lost_after", 1)])
def test_a_lost_reply_is_the_librarys_own_connection_error(skin: Skin, kind: str, arrivals: int) -> None:
    """The connection breaks; only the fault's kind says whether the world carried the write out."""
    world = EchoWorld()
    with skin(world) as clients:
        clients.session.post(f"{clients.url}/_sandbox/faults", json={"kind": kind, "match": "POST /w", "times": 2}, timeout=5)
        with pytest.raises(requests.ConnectionError):
            clients.session.post(f"{clients.url}/w", data=b"1", timeout=5)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            clients.pool.request("POST", f"{clients.url}/w", body=b"1")
        assert len(world.seen) == 2 * arrivals
        assert clients.session.post(f"{clients.url}/w", data=b"1", timeout=5).status_code == 200


@SKINS
def test_urllib3_repeats_a_lost_read_by_itself(skin: Skin) -> None:
    """A read whose reply is lost is asked again by urllib3's default, in the double as on the wire."""
    world = EchoWorld()
    with skin(world) as clients:
        world.faults.add(Fault("lost_after"))
        assert clients.pool.request("GET", f"{clients.url}/x").status == 200
    assert world.calls == {"GET /x": 2}


@SKINS
@pytest.mark.parametrize("path", ["/x", "/long"])
def test_a_truncated_answer_is_a_broken_read(skin: Skin, path: str) -> None:
    """Half a body never looks like a whole one, compressed or not."""
    world = EchoWorld()
    with skin(world) as clients:
        world.faults.add(Fault("truncated", times=3))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            clients.session.get(f"{clients.url}{path}", timeout=5)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            clients.pool.request("POST", f"{clients.url}{path}", body=b"1")
        streamed = clients.pool.request("POST", f"{clients.url}{path}", body=b"1", preload_content=False)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            streamed.read()
        assert clients.session.get(f"{clients.url}{path}", timeout=5).status_code == 200


@SKINS
def test_a_truncated_empty_answer_is_a_lost_one(skin: Skin) -> None:
    """Where there is no body to cut, the whole answer is missing."""
    world = EchoWorld()
    with skin(world) as clients:
        world.faults.add(Fault("truncated"))
        with pytest.raises(requests.ConnectionError):
            clients.session.post(f"{clients.url}/empty", timeout=5)


@SKINS
def test_a_status_fault_answers_in_the_vendors_place(skin: Skin) -> None:
    """HTML where JSON was expected, with its own headers; the world is not asked."""
    world = EchoWorld()
    with skin(world) as clients:
        fault = {"kind": "status", "skip": 1, "status": 503, "body": "<h1>down</h1>", "content_type": "text/html", "headers": {"Retry-After": "7"}}
        clients.session.post(f"{clients.url}/_sandbox/faults", json=fault, timeout=5)
        first, second = (clients.session.get(f"{clients.url}/x", timeout=5) for _ in range(2))
    assert (first.status_code, second.status_code, second.text, second.headers["Retry-After"]) == (200, 503, "<h1>down</h1>", "7")
    assert len(world.seen) == 1


@SKINS
def test_a_slow_call_meets_the_clients_patience(skin: Skin) -> None:
    """A delay beyond the read timeout is the library's own timeout, and the world carries the call out all the same."""
    world = EchoWorld()
    with skin(world) as clients:
        world.faults.add(Fault("delay", seconds=0.08))
        with pytest.raises(requests.ReadTimeout):
            clients.session.post(f"{clients.url}/w", timeout=(5, 0.02))
        deadline = time.monotonic() + 5
        while not world.seen and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [request.path for request in world.seen] == ["/w"]


def test_long_answers_are_compressed_for_those_who_ask() -> None:
    """Above 1 KB gzip is used if the client accepts it, and never otherwise."""
    with over_sockets(EchoWorld()) as clients:
        packed = clients.session.get(f"{clients.url}/long", timeout=5)
        plain = clients.session.get(f"{clients.url}/long", headers={"Accept-Encoding": "identity"}, timeout=5)
        short = clients.session.get(f"{clients.url}/x", timeout=5)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content)
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in short.headers


def test_one_slow_call_does_not_hold_up_the_others() -> None:
    """Eight clients wait out the latency side by side, on connections that stay open."""
    world = EchoWorld()
    world.latency_s = 0.05
    with serve(world) as url, ThreadPoolExecutor(8) as threads:
        started = time.monotonic()
        statuses = list(threads.map(lambda number: requests.get(f"{url}/{number}", timeout=5).status_code, range(8)))
        took = time.monotonic() - started
    assert statuses == [200] * 8
    assert took < 0.05 * 8
    assert sum(world.calls.values()) == 8


def test_a_connection_is_kept_open() -> None:
    """Two calls of one session travel on the same TCP connection."""
    with over_sockets(EchoWorld()) as clients:
        host = clients.pool.connection_from_url(clients.url)
        for _ in range(3):
            clients.pool.request("GET", f"{clients.url}/x")
    assert (host.num_connections, host.num_requests) == (1, 3)


def test_a_taken_port_is_said_at_once() -> None:
    """A port in use is an OSError before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"), serve(EchoWorld(), port=taken.getsockname()[1]):
        pass


def test_the_official_clients_take_the_doubles() -> None:
    """hubspot-api-client and simple-salesforce call a world through the doubles without noticing."""
    world = EchoWorld()
    api = ApiClient(Configuration())
    api.rest_client.pool_manager = WorldPool(world)
    answer: Any = api.call_api("/crm/v3/objects/contacts", "GET", query_params=[("limit", 5)], _preload_content=False, _return_http_data_only=True)
    with requests.Session() as session:
        session.mount("https://", WorldAdapter(world))
        found: Any = Salesforce(instance="org.example", session_id="s", session=session).restful("limits")
    assert json.loads(answer.read())["query"] == "limit=5"
    assert found["path"].endswith("/limits")


def test_an_unknown_hand_names_the_known_ones() -> None:
    """A mistyped hand answers 404 with the list of hands; a hand given nonsense answers 400."""
    with without_sockets(EchoWorld()) as clients:
        unknown = clients.session.post(f"{clients.url}/_sandbox/clok", json={}, timeout=5)
        wrong = clients.session.post(f"{clients.url}/_sandbox/clock", json={"forward": 1}, timeout=5)
        fault = clients.session.post(f"{clients.url}/_sandbox/faults", json={"kind": "explode"}, timeout=5)
    assert (unknown.status_code, wrong.status_code, fault.status_code) == (404, 400, 400)
    assert "lost_after" in fault.json()["error"]
    assert "POST clock" in unknown.json()["known"]
    assert "advance_s" in wrong.json()["error"]


DOCS = ROOT / "docs" / "sandbox.md"


Form = dict[str, tuple[str | None, str]]


def _documented_calls() -> list[tuple[str, str, str | None, dict[str, str], Form]]:
    """(method, URL, posted JSON, headers, fields of a form) of every curl line in the shell blocks of the sandbox's documentation."""
    found: list[tuple[str, str, str | None, dict[str, str], Form]] = []
    for block in re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            options = {name: words[index + 1] for index, name in enumerate(words) if name in ("-X", "-d", "-H")}
            (url,) = [word for word in words if word.startswith(("$HUBSPOT", "$SALESFORCE"))]
            name, _, value = options.get("-H", "").partition(": ")
            form = dict(_field(words[index + 1]) for index, word in enumerate(words) if word == "-F")
            found.append((options.get("-X", "POST" if form else "GET"), url, options.get("-d"), {name: value} if name else {}, form))
    return found


def _field(text: str) -> tuple[str, tuple[str | None, str]]:
    """A field of a form as curl takes it: its name, the name of its file, and its content."""
    name, _, value = text.partition("=")
    content, _, file = value.partition(";filename=")
    return name, (file or None, content)


def test_every_documented_call_works() -> None:
    """Each curl line of the documentation, one after another, is answered with success; together they use every hand."""
    worlds = build(500, seed=1)
    with serve(worlds.hubspot) as hubspot_url, serve(worlds.salesforce) as salesforce_url, requests.Session() as session:
        for method, url, posted, headers, form in _documented_calls():
            url = url.replace("$HUBSPOT", hubspot_url).replace("$SALESFORCE", salesforce_url)
            answer = session.request(method, url, data=posted, headers=headers, files=form or None, timeout=5)
            assert answer.status_code in {200, 202}, (url, posted, answer.text)
    documented = {(url.split("/")[0], url.split("/_sandbox/")[-1].split("?")[0]) for _, url, *_ in _documented_calls() if "/_sandbox/" in url}
    for name, world in (("$HUBSPOT", worlds.hubspot), ("$SALESFORCE", worlds.salesforce)):
        shared = {hand for _, hand in documented if not hand.startswith("hands/")}
        own = {hand for system, hand in documented if system == name} | {"hands/restore"}
        assert {*world.hands, *world.views} <= shared | own


@pytest.mark.parametrize("habits", [HubSpotHabits, SalesforceHabits])
def test_every_habit_is_documented(habits: type[HubSpotHabits] | type[SalesforceHabits]) -> None:
    """Whatever can be switched has its line in the documentation."""
    text = DOCS.read_text(encoding="utf-8")
    assert [each.name for each in fields(habits) if f"`{each.name}`" not in text] == []
