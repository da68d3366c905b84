"""The receiver: what proves itself is kept once and then acknowledged; all else gets the right status and leaves nothing behind."""

from __future__ import annotations

import socket
import sqlite3
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import orjson
import pytest
from hook_stand import OTHER, SECRET, Stand, hex_of, settings, signed, stand
from structlog.testing import capture_logs

from stagesync.app.web.receiver import BODY_LIMIT

CANARY = "anna.canary@acme.example"
BODY = orjson.dumps({"id": "u1", "email": CANARY})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """A receiver with one system, `product`, by the Standard Webhooks scheme."""
    with stand(tmp_path) as made:
        yield made


def test_a_signed_post_is_kept_and_acknowledged(here: Stand) -> None:
    """Its body lies in the inbox under the id of its header, and whoever runs the workspace is told."""
    answer = here.post("/hooks/product", BODY, signed(BODY))
    assert (answer.status_code, answer.content) == (204, b"")
    assert [(row.system, row.key, row.body) for row in here.kept()] == [("product", "msg_1", {"id": "u1", "email": CANARY})]
    assert here.counted == {("product", "stored"): 1}
    assert here.woken == ["acme"]


def test_a_replay_is_acknowledged_and_kept_once(here: Stand) -> None:
    """The same id again, signed anew: 2xx, or the sender would never stop."""
    assert here.tell({"id": "u1"}, at=int(time.time()) - 60) == 204
    assert here.tell({"id": "u1"}) == 204
    assert len(here.kept()) == 1
    assert here.counted == {("product", "stored"): 1, ("product", "known"): 1}
    assert here.woken == ["acme"]


def test_one_of_several_secrets_is_enough(tmp_path: Path) -> None:
    """While a secret is replaced, both are good; signatures of unknown versions are passed over, broken ones too."""
    with stand(tmp_path, {"product": settings(SECRET, OTHER)}) as made:
        assert made.tell({"id": 1}, secret=OTHER, id="a") == 204
        headers = signed(BODY, SECRET, id="b")
        headers["webhook-signature"] = f"v2,xx v1a,yy v1,a v1, v1,!!! {headers['webhook-signature']}"
        assert made.post("/hooks/product", BODY, headers).status_code == 204
        assert [row.key for row in made.kept()] == ["a", "b"]


def refused() -> dict[str, tuple[int, bytes, dict[str, str]]]:
    """What is wrong -> (status, body, headers), signed now: a signature is good for some minutes only."""
    now = int(time.time())
    return {
        "no headers": (401, BODY, {"content-type": "application/json"}),
        "another secret": (401, BODY, signed(BODY, OTHER)),
        "another body": (401, BODY + b" ", signed(BODY)),
        "another id": (401, BODY, {**signed(BODY), "webhook-id": "msg_2"}),
        "another time": (401, BODY, {**signed(BODY, at=now), "webhook-timestamp": str(now + 1)}),
        "stale": (401, BODY, signed(BODY, at=now - 400)),
        "future": (401, BODY, signed(BODY, at=now + 4_000)),
        "no number": (401, BODY, {**signed(BODY), "webhook-timestamp": "nan"}),
        "a huge time": (401, BODY, {**signed(BODY), "webhook-timestamp": "9" * 30}),
        "broken base64": (401, BODY, {**signed(BODY), "webhook-signature": "v1,a"}),
        "no version": (401, BODY, {**signed(BODY), "webhook-signature": "c2lnbmF0dXJl"}),
        "many commas": (401, BODY, {**signed(BODY), "webhook-signature": "v1,a,b"}),
        "empty signature": (401, BODY, {**signed(BODY), "webhook-signature": "v1,"}),
        "form": (415, b"id=1", {**signed(b"id=1"), "content-type": "application/x-www-form-urlencoded"}),
        "no type": (415, BODY, {name: value for name, value in signed(BODY).items() if name != "content-type"}),
        "no UTF-8": (400, b'{"id": "\xff"}', signed(BODY)),
        "no JSON": (400, b"{", signed(b"{")),
        "not a number": (400, b"[NaN]", signed(b"[NaN]")),
        "deep": (400, b"[" * 500 + b"]" * 500, signed(b"[" * 500 + b"]" * 500)),
        "deeper": (400, b"[" * 100_000, signed(b"[" * 100_000)),
        "too large": (413, b'"' + b"x" * BODY_LIMIT + b'"', signed(BODY)),
    }


@pytest.mark.parametrize("wrong", refused())
def test_what_does_not_prove_itself_leaves_nothing(here: Stand, wrong: str) -> None:
    """The right status, nothing kept, counted once, logged without a word of what came."""
    status, body, headers = refused()[wrong]
    with capture_logs() as logged:
        answer = here.post("/hooks/product", body, headers)
    assert answer.status_code == status
    assert here.kept() == []
    assert here.woken == []
    assert sum(here.counted.values()) == 1
    assert [line["event"] for line in logged] == ["post refused"]
    assert not any(text in str(logged) + answer.text for text in (CANARY, "u1", SECRET))


def test_a_body_in_pieces_is_measured_too(here: Stand) -> None:
    """No length is declared, so it is refused when it has become too long."""
    pieces = (b"x" * 65_536 for _ in range(17))
    assert here.post("/hooks/product", pieces, signed(BODY)).status_code == 413
    assert here.kept() == []


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    """A sender that opens a post and waits holds nothing up for long."""
    with stand(tmp_path, within_s=0.05) as made:
        host, _, port = made.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"POST /hooks/product HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{")
            assert line.recv(100).startswith(b"HTTP/1.1 408")
        assert made.counted == {("product", "too_slow"): 1}


def test_an_unknown_system_is_not_there(here: Stand) -> None:
    """Counted and logged without its name, since anybody could make names up; nothing is kept; another method is not allowed."""
    with capture_logs() as logged:
        assert here.post("/hooks/nobody", BODY, signed(BODY)).status_code == 404
        assert here.post("/hooks/other/product", BODY, signed(BODY)).status_code == 404
    assert [(line["event"], line["system"]) for line in logged] == [("post refused", "")] * 2
    assert not any(text in str(logged) for text in (CANARY, "nobody", "other"))
    assert (here.kept(), here.woken) == ([], [])
    assert here.counted == {("", "unknown"): 2}
    assert httpx.get(f"{here.url}/hooks/product", trust_env=False).status_code == 405


def test_each_workspace_has_its_own_door(tmp_path: Path) -> None:
    """Where several are served, a post says for which it is; without that nobody can tell."""
    with stand(tmp_path, workspaces=("acme", "Beta & Co")) as made:
        assert made.post("/hooks/product", BODY, signed(BODY)).status_code == 404
        assert made.post("/hooks/Beta%20%26%20Co/product", BODY, signed(BODY)).status_code == 204
        assert made.post("/hooks/acme/product", BODY, signed(BODY)).status_code == 204
        assert made.woken == ["Beta & Co", "acme"]
        assert len(made.kept()) == 1


def timed(body: bytes, at: int, *secrets: str) -> str:
    """A signature of time and body, once by each secret."""
    text = b"%d." % at + body
    return ", ".join([f"t={at}", *(f"v1={hex_of(text, secret)}" for secret in secrets), "v0=00"])


def forms() -> dict[str, tuple[str, str]]:
    """(form, a header of it that proves the body), signed now."""
    return {
        "hex": ("hex", hex_of(BODY, "s3cret")),
        "capital hex": ("hex", hex_of(BODY, "s3cret").upper()),
        "sha256": ("sha256=", f"sha256={hex_of(BODY, 's3cret')}"),
        "base64": ("base64", b64encode(bytes.fromhex(hex_of(BODY, "s3cret"))).decode()),
        "time": ("t=,v1=", timed(BODY, int(time.time()), "old", "s3cret")),
    }


def broken() -> tuple[str, ...]:
    """Headers that prove nothing."""
    now = int(time.time())
    stale, future = timed(BODY, now - 1_000, "s3cret"), timed(BODY, now + 1_000, "s3cret")
    return ("", "zz", "sha256=", "t=1", stale, future, timed(BODY, now, "old"), "v1=00", f"t={now},{timed(BODY, now, 's3cret')}", "=,=")


@pytest.mark.parametrize("name", forms())
def test_signatures_in_a_header_of_ones_own(tmp_path: Path, name: str) -> None:
    """Each form proves the body it was made for, and no other; the event is known again by what it says."""
    form, header = forms()[name]
    with stand(tmp_path, {"product": settings("s3cret", scheme="hmac", header="X-Acme-Signature", signature=form)}) as made:

        def post(body: bytes, given: str) -> int:
            headers = {"content-type": "application/json; charset=utf-8", "x-acme-signature": given}
            return made.post("/hooks/product", body, headers).status_code

        assert post(BODY, header) == 204
        assert post(BODY + b" ", header) == 401
        assert {post(BODY, each) for each in broken()} == {401}
        assert post(BODY, header) == 204
        assert len(made.kept()) == 1


def test_a_token_is_enough_where_that_is_said(tmp_path: Path) -> None:
    """In `Authorization: Bearer`, each of several; nothing else opens."""
    with stand(tmp_path, {"product": settings("one", "two", scheme="bearer")}) as made:
        plain = {"content-type": "application/json"}
        for token, status in (("Bearer two", 204), ("bearer one", 204), ("Bearer three", 401), ("Basic one", 401), ("Bearer", 401), ("", 401)):
            assert made.post("/hooks/product", BODY, {**plain, "authorization": token}).status_code == status, token


def test_a_post_of_many_events(tmp_path: Path) -> None:
    """Each has its own id; one without is known by the post's and its place; a post without the list is not understood."""
    with stand(tmp_path, {"product": settings(split="events", id="id")}) as made:
        assert made.tell({"events": [{"id": "a"}, {"id": 7}, {"id": "a"}, {"x": 1}, {"id": "x" * 500}]}) == 204
        assert [row.key[:8] for row in made.kept()] == ["a", "7", "msg_1#3", made.kept()[3].key[:8]]
        assert made.kept()[3].key.startswith("#")
        assert made.tell({"events": []}, id="m2") == 204
        assert made.tell({"event": []}, id="m3") == 400
        assert made.counted == {("product", "stored"): 4, ("product", "known"): 1, ("product", "unreadable"): 1}


def test_an_expression_that_does_not_fit_a_post(tmp_path: Path) -> None:
    """Whatever it does to a body for which it was not written: without a list the post is not understood, without an id it is known by its header."""
    with stand(tmp_path, {"product": settings(split="events[?n > `1`]", id="contains(s, n) && s")}) as made:
        assert made.tell({"events": [{"n": "two"}, {"n": 2}]}) == 400
        assert made.tell({"events": [{"n": 2, "s": "text"}]}, id="m2") == 204
        assert [row.key for row in made.kept()] == ["m2"]
        assert made.counted == {("product", "unreadable"): 1, ("product", "stored"): 1}


def test_trouble_of_the_disk_is_no_acknowledgement(here: Stand, tmp_path: Path) -> None:
    """The sender hears 503 and will send it again; then it is kept."""
    with closing(sqlite3.connect(tmp_path / "stagesync.inbox.db")) as other:
        other.execute("ALTER TABLE event RENAME TO away")
        assert here.tell({"id": "u1"}) == 503
        other.execute("ALTER TABLE away RENAME TO event")
    assert here.tell({"id": "u1"}) == 204
    assert here.counted == {("product", "not_kept"): 1, ("product", "stored"): 1}
