"""Events of ours: to checked addresses only, signed, at least once, each person's in order, with patience, and given up in the end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest
import respx
from hook_stand import SECRET, settings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from salesforce_org import Hand
from taker import taker

from stagesync.connectors.webhook.courier import ALONE_MS, ASKED_MS, FAILURES, WAITS_S, Courier
from stagesync.connectors.webhook.line import CheckedTransport, Delivered, Failed, Line, is_public
from stagesync.model.events import Letter
from stagesync.state import outbox
from stagesync.state.inbox import open_inbox
from stagesync.state.inbox_reader import StateOutbox
from stagesync.state.store import Store

URL = "https://endpoint.example/take"
PRIVATE = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "ff02::1", "2001:db8::1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "::127.0.0.1", "::10.0.0.1"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_none_of_the_internets(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, and IPv4 in the dress of IPv6."""
    assert not is_public(address)


def test_a_public_address_is_reached() -> None:
    """Of both families."""
    assert all(map(is_public, ("93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8")))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_every_spelling_of_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """What a name means is judged after it was resolved, so no spelling gets past it; nothing is even tried."""
    reached: list[object] = []

    def resolve(name: str, port: int, **_: object) -> Sequence[object]:
        """As the C library does, which takes every old spelling of an IPv4 address."""
        address = "127.0.0.1" if name == "localhost" else name if ":" in name else socket.inet_ntoa(socket.inet_aton(name))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", lambda *given, **_: reached.append(given))
    with closing(Line(f"http://{host}:1/take", SECRET, ())) as line:
        assert line.send("msg_1", b"{}", 1_000) == Failed("PRIVATE_ADDRESS")
    assert reached == []


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means something else at the second question (re-binding) is asked once only."""
    answers = iter(["8.8.8.8", "127.0.0.1"])
    asked: list[str] = []
    reached: list[object] = []

    def resolve(host: str, port: int, **_: object) -> Sequence[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: object, *_: object, **__: object) -> socket.socket:
        reached.append(address)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with closing(Line("https://rebinding.example/take", SECRET, ())) as line:
        assert line.send("msg_1", b"{}", 1_000) == Failed("NO_CONNECTION")
    assert (asked, reached) == (["rebinding.example"], [("8.8.8.8", 443)])


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows which of them a client would take."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with closing(Line(URL, SECRET, ())) as line:
        assert line.send("msg_1", b"{}", 1_000) == Failed("PRIVATE_ADDRESS")


def test_an_address_that_does_not_answer_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several that were checked the next one is tried: a machine may be told of addresses to which it has no way."""
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *given: object, **more: object) -> Sequence[object]:
        two = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
        return two if host == "two.example" else real(host, port, *given, **more)  # pyright: ignore[reportArgumentType]  # handed on as it came

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with taker() as there, closing(Line(there.url.replace("127.0.0.1", "two.example"), SECRET, ("two.example",))) as line:
        assert line.send("msg_1", b"{}", _now()) == Delivered(None)


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name itself, past every check."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with taker() as there, closing(Line(there.url, SECRET, ("127.0.0.1",))) as line:
        assert line.send("msg_1", b"{}", _now()) == Delivered(None)


def test_no_redirect_is_followed() -> None:
    """It could lead anywhere."""
    with taker() as there, closing(Line(there.url, SECRET, ("127.0.0.1",))) as line:
        there.answer, there.headers = lambda _: (307, {}), {"location": there.url}
        assert line.send("msg_1", b"{}", _now()) == Failed("HTTP_307")
        assert len(there.came) == 1


@pytest.mark.parametrize(
    ("told", "id"),
    [({"id": "u1"}, "u1"), ({"id": 5}, "5"), *((told, None) for told in ({"id": ""}, {"id": True}, {"id": "x" * 201}, {"id": "a\nb"}, [], "id"))],
)
@respx.mock
def test_the_receivers_own_id_is_taken_from_its_answer(told: object, id: str | None) -> None:
    """If it is one; whatever else is answered says nothing."""
    respx.post(URL).mock(return_value=httpx.Response(200, json=told))
    with closing(Line(URL, SECRET, ())) as line:
        assert line.send("msg_1", b"{}", 1_000) == Delivered(id)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (httpx.Response(500), "HTTP_500"),
        (httpx.Response(400), "HTTP_400"),
        (httpx.ReadTimeout("anna@acme.example"), "TIMEOUT"),
        (httpx.ConnectError("x"), "NO_CONNECTION"),
        (httpx.RemoteProtocolError("x"), "BROKEN_ANSWER"),
    ],
)
@respx.mock
def test_trouble_has_a_code(trouble: httpx.Response | Exception, code: str) -> None:
    """And nothing of what came."""
    route = respx.post(URL)
    route.side_effect = trouble if isinstance(trouble, Exception) else None
    if isinstance(trouble, httpx.Response):
        route.return_value = trouble
    with closing(Line(URL, SECRET, ())) as line:
        assert line.send("msg_1", b"{}", 1_000) == Failed(code)


@respx.mock
def test_an_answer_without_an_end_fills_no_memory() -> None:
    """It is 2xx, so the event arrived; its words are not read to the end."""
    endless = httpx.Response(200, stream=httpx.ByteStream(b"x" * 1_000_000))
    respx.post(URL).mock(return_value=endless)
    with closing(Line(URL, SECRET, ())) as line:
        assert line.send("msg_1", b"{}", 1_000) == Delivered(None)


def test_the_transport_is_httpxs_own_over_our_pool() -> None:
    """A new httpx that keeps its pool elsewhere would connect unchecked: then this fails, and the tests above."""
    with httpx.Client(transport=CheckedTransport(())) as client, pytest.raises(httpx.ConnectError):
        client.get("http://127.0.0.1:1")


def _now() -> int:
    return int(time.time() * 1000)


# -- the courier


@dataclass
class Way:
    """An endpoint that answers by a list, and then well. `sent`: the keys, in order."""

    answers: list[Delivered | Failed] = field(default_factory=list["Delivered | Failed"])
    sent: list[str] = field(default_factory=list[str])

    def send(self, key: str, body: bytes, now: int) -> Delivered | Failed:
        """One attempt."""
        self.sent.append(key)
        return self.answers.pop(0) if self.answers else Delivered(None)


@dataclass
class Post:
    """An outbox with its courier and clock."""

    box: Store
    outbox: StateOutbox
    way: Way
    clock: Hand
    courier: Courier

    def put(self, *letters: tuple[str, str]) -> None:
        """(ref, key) of each."""
        self.outbox.post("crm", [Letter(ref, key, {"n": key}) for ref, key in letters], self.clock.now_ms())

    def dead(self) -> list[str]:
        """The keys of those that were given up."""
        with self.box.read() as tx:
            return [row.key for row in outbox.dead(tx, "acme")]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """An empty outbox of the system `crm`."""
    url = f"sqlite:///{tmp_path / 'stagesync.db'}"
    kept, way, clock = StateOutbox(url, "acme"), Way(), Hand()
    with closing(open_inbox(url)) as box, closing(kept):
        yield Post(box, kept, way, clock, Courier("crm", kept, way, clock))


def test_letters_go_in_order_and_once(post: Post) -> None:
    """What arrived is gone; what is put again before it arrived is the same letter."""
    post.put(("a", "1"), ("b", "2"), ("a", "3"))
    post.put(("a", "1"))
    post.way.answers = [Delivered("u1"), Delivered(None), Delivered("u1")]
    assert post.courier.deliver() == {"a": "u1"}
    assert post.courier.deliver() == {}
    assert post.way.sent == ["1", "2", "3"]


def test_what_failed_holds_up_its_own_person_only(post: Post) -> None:
    """The next letter of the same record waits for it; all others go. It comes again under the same id when it is due."""
    post.put(("a", "1"), ("b", "2"), ("a", "3"))
    post.way.answers = [Failed("HTTP_500")]
    post.courier.deliver()
    post.courier.deliver()
    assert post.way.sent == ["1", "2"]
    post.clock.at += WAITS_S[0]
    post.courier.deliver()
    assert post.way.sent == ["1", "2", "1", "3"]


def test_after_a_day_a_letter_is_given_up_and_can_be_sent_again(post: Post) -> None:
    """Then what waited behind it goes; when somebody says so, it is tried as at first."""
    post.put(("a", "1"), ("a", "2"))
    post.way.answers = [Failed("HTTP_500")] * (len(WAITS_S) + 1)
    began = post.clock.at
    for wait in WAITS_S:
        post.courier.deliver()
        post.clock.at += max(wait, ALONE_MS / 1000)
    assert post.clock.at - began > 86_400
    post.courier.deliver()
    assert post.way.sent == ["1"] * (len(WAITS_S) + 1)
    assert post.dead() == ["1"]
    post.clock.at += ALONE_MS / 1000
    post.courier.deliver()
    assert post.way.sent[-1] == "2"
    with post.box.write() as tx:
        assert outbox.again(tx, "acme", [outbox.dead(tx, "acme")[0].id]) == 1
    post.courier.deliver()
    assert post.way.sent[-1] == "1"
    assert post.dead() == []


def test_an_endpoint_that_is_down_is_left_alone(post: Post) -> None:
    """After a few failures in a row nobody else is tried for a minute, also not by the next run; then one letter tries."""
    post.put(*((f"r{number}", str(number)) for number in range(20)))
    post.way.answers = [Failed("NO_CONNECTION")] * (FAILURES + 1)
    post.courier.deliver()
    Courier("crm", post.outbox, post.way, post.clock).deliver()
    assert len(post.way.sent) == FAILURES
    post.clock.at += ALONE_MS / 1000
    post.courier.deliver()
    assert len(post.way.sent) == FAILURES + 1
    post.clock.at += ALONE_MS / 1000 + WAITS_S[1]
    post.courier.deliver()
    assert len(set(post.way.sent)) == 20


@pytest.mark.parametrize(
    ("status", "header", "alone_s"),
    [
        (429, "120", 120),
        (503, "date", 90),
        (503, "999999", ASKED_MS // 1_000),
        (429, "inf", ASKED_MS // 1_000),
        (429, "soon", 0),
        (429, "Fri, 31 Dec 9999 23:59:59 -2300", 0),
        (500, "120", 0),
    ],
)
def test_an_endpoint_says_when_to_come_again(post: Post, status: int, header: str, alone_s: int) -> None:
    """In seconds or as a date; for so long nobody calls it, but never longer than an hour because of one answer. Others than 429 and 503 have no say."""
    post.put(("a", "1"), ("b", "2"))
    clock = Hand(at=int(time.time()))
    with taker() as there, closing(Line(there.url, SECRET, ("127.0.0.1",))) as line:
        there.answer = lambda _: (status, {})
        there.headers = {"retry-after": formatdate(clock.at + 90, usegmt=True) if header == "date" else header}
        Courier("crm", post.outbox, line, clock).deliver()
    assert [key for key, _ in there.came] == (["1"] if alone_s else ["1", "2"])
    later = Courier("crm", post.outbox, post.way, clock)
    for wait, sent in ((max(alone_s, WAITS_S[0]) - 1, []), (1, ["1", "2"])):
        clock.at += wait
        later.deliver()
        assert post.way.sent == sent


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12), st.lists(st.booleans(), max_size=30))
def test_whatever_fails_everything_arrives_in_order(tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, bool]], days: list[bool]) -> None:
    """Each person's letters arrive for the first time in the order in which they were posted, and none is lost, whatever the endpoint does on its way."""
    url = f"sqlite:///{tmp_path_factory.mktemp('out') / 'stagesync.db'}"
    way, clock = Way([Delivered(None) if good else Failed("HTTP_503") for good in days]), Hand()
    arrived: list[str] = []

    class Noted:
        def send(self, key: str, body: bytes, now: int) -> Delivered | Failed:
            found = way.send(key, body, now)
            if isinstance(found, Delivered):
                arrived.append(key)
            return found

    with closing(StateOutbox(url, "acme")) as kept:
        for number, (ref, run_between) in enumerate(told):
            kept.post("crm", [Letter(ref, f"{ref}{number}", {})], clock.now_ms())
            if run_between:
                Courier("crm", kept, Noted(), clock).deliver()
        for wait in WAITS_S:
            Courier("crm", kept, Noted(), clock).deliver()
            clock.at += wait + ALONE_MS / 1000
        Courier("crm", kept, Noted(), clock).deliver()
        dead = len(told) - len(arrived)
    for ref in "abc":
        mine = [key for key in arrived if key[0] == ref]
        assert mine == sorted(mine, key=lambda key: int(key[1:]))
    assert dead == 0 or sum(not good for good in days) > len(WAITS_S)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"endpoint_url": "ftp://x"}, "not an address"),
        ({"endpoint_url": "http://endpoint.example/take"}, "in clear"),
        ({"endpoint_url": "https://me:secret@endpoint.example"}, "not an address"),
        ({"endpoint_url": "https://endpoint.example"}, "`signing_secret`"),
        ({"secrets": ()}, "needs both"),
        ({"events": ()}, "needs both"),
        ({"secrets": (), "events": ()}, "nothing comes in and nothing goes out"),
    ],
)
def test_mistakes_of_an_endpoint_are_told(given: dict[str, object], says: str) -> None:
    """Before anything goes out."""
    with pytest.raises(ValidationError, match=says):
        settings(**given)
