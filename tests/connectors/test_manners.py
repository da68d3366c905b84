"""The manners on the line: what is repeated, how long, what is counted, and what is never said."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence

import httpx
import pytest
import requests
import urllib3.exceptions as pool
from hypothesis import given
from hypothesis import strategies as st
from salesforce_org import Hand, NoLimits, Watch

from stagesync.connectors.manners import (
    Answer,
    Line,
    MaybeDone,
    NotDone,
    Patience,
    checked_url,
    collect,
    http_date_ms,
    is_loopback,
    lost,
    parsed,
    plain,
    retry_after,
)
from stagesync.model.errors import Busy, ConfigurationError, QuotaSpent, Unreachable
from stagesync.model.ports import Rate

GOOD = Answer(200, {}, b'{"ok":true}')
Reply = Answer | Exception


def line(clock: Hand, daily_share: float = 1.0) -> Line:
    """A line on a clock that is moved by hand."""
    return Line("crm", clock, NoLimits(), Patience(attempts=4, total_s=60.0), daily_share)


def replies(*given: Reply) -> Callable[[], Answer]:
    """A vendor that answers with these, one after another."""
    left = list(given)

    def send() -> Answer:
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return send


def no_judge(answer: Answer) -> None:
    """Every answer is fine."""


@pytest.mark.parametrize(
    ("trouble", "repeatable", "repeated"),
    [(NotDone, True, True), (NotDone, False, True), (MaybeDone, True, True), (MaybeDone, False, False), (Unreachable, True, False)],
)
def test_only_what_does_no_harm_is_repeated(trouble: type[Unreachable], repeatable: bool, repeated: bool) -> None:
    """Not done: always. Maybe done: reads only. Hopeless: never."""
    clock = Hand()
    asking = line(clock)
    if repeated:
        assert asking.ask(replies(trouble("x"), GOOD), no_judge, repeatable=repeatable).data == {"ok": True}
    else:
        with pytest.raises(trouble):
            asking.ask(replies(trouble("x"), GOOD), no_judge, repeatable=repeatable)
    assert asking.meter.calls == (2 if repeated else 1)


@given(troubles=st.lists(st.sampled_from([NotDone, MaybeDone]), max_size=6), asked=st.floats(0, 80), repeatable=st.booleans())
def test_patience_ends(troubles: Sequence[type[NotDone] | type[MaybeDone]], asked: float, repeatable: bool) -> None:
    """Never more than the attempts, never longer than the total; and a call that was maybe done is the last one of a write."""
    clock = Hand()
    asking = line(clock)
    given = [trouble("x", retry_after=asked) for trouble in troubles]
    try:
        asking.ask(replies(*given, GOOD), no_judge, repeatable=repeatable)
        ended = False
    except (NotDone, MaybeDone):
        ended = True
    assert asking.meter.calls <= 4
    assert sum(clock.slept) <= 60
    if not repeatable and MaybeDone in troubles:
        assert ended
        assert asking.meter.calls <= troubles.index(MaybeDone) + 1


def test_pauses_grow_where_none_is_asked_for() -> None:
    """A quarter of a second, doubled each time."""
    clock = Hand()
    line(clock).ask(replies(NotDone("x"), NotDone("x"), NotDone("x"), GOOD), no_judge, repeatable=True)
    assert clock.slept == [0.25, 0.5, 1.0]


def test_the_judge_decides_and_every_try_is_paced() -> None:
    """An answer that the connector calls trouble is asked for again; each try takes its place in all buckets."""
    taken: list[str] = []

    class Noting:
        def take(self, bucket: str, rate: Rate) -> None:
            taken.append(bucket)

    def judge(answer: Answer) -> None:
        if answer.status == 429:
            raise NotDone("slow down")

    asking = Line("crm", Hand(), Noting())
    assert asking.ask(replies(Answer(429, {}, b""), GOOD), judge, repeatable=False, pace=(("a", Rate(1, 1)), ("b", Rate(1, 1)))).ok
    assert taken == ["a", "b", "a", "b"]


def test_a_run_that_was_superseded_repeats_nothing() -> None:
    """Each try of a call that changes something is preceded by the question whether the run is still in force; a read asks nobody."""
    watch = Watch()
    asking = Line("crm", Hand(), NoLimits(), sending=watch.sending)
    asking.ask(replies(NotDone("busy"), GOOD), no_judge, repeatable=True)
    assert watch.asked == 0
    asking.ask(replies(NotDone("busy"), NotDone("busy"), GOOD), no_judge, repeatable=False, changes=True)
    assert watch.asked == 3
    watch.passes = 4
    with pytest.raises(Busy):
        asking.ask(replies(NotDone("busy"), GOOD), no_judge, repeatable=False, changes=True)
    assert (watch.asked, asking.meter.calls) == (5, 6)


def test_seconds_at_the_vendor_are_measured() -> None:
    """The time between sending and answer, failed tries included, pauses not."""
    clock = Hand()

    def slow() -> Answer:
        clock.at += 2.0
        if clock.at < 1_790_000_003:
            raise NotDone("x", retry_after=5.0)
        return GOOD

    asking = line(clock)
    asking.ask(slow, no_judge, repeatable=True)
    assert (asking.meter.usage().calls, asking.meter.usage().vendor_s) == (2, 4.0)


@pytest.mark.parametrize(("used", "stops"), [(0, False), (899, False), (900, True), (1000, True)])
def test_our_share_of_the_daily_quota(used: int, stops: bool) -> None:
    """At the share nothing more is sent; without a known limit nothing is stopped."""
    asking = line(Hand(), daily_share=0.9)
    asking.meter.daily_used = used
    assert asking.ask(replies(GOOD), no_judge, repeatable=True).ok
    asking.meter.daily_limit = 1000
    if stops:
        with pytest.raises(QuotaSpent, match=f"{used} of 1000"):
            asking.ask(replies(GOOD), no_judge, repeatable=True)
    else:
        assert asking.ask(replies(GOOD), no_judge, repeatable=True).ok


@pytest.mark.parametrize(
    ("body", "words"), [(b"<html>", "HTML page"), (b"  \n<!doctype", "HTML page"), (b"", "empty answer"), (b'{"a":', "broken JSON"), (b"ok", "broken JSON")]
)
def test_what_is_no_json_is_not_taken_for_an_answer(body: bytes, words: str) -> None:
    """A good status with a page of some gateway tells nothing: for a write it is unknown what was done."""
    with pytest.raises(MaybeDone, match=words):
        parsed(Answer(200, {}, body), where="crm")
    assert parsed(Answer(204, {}, b""), where="crm").data is None
    assert parsed(Answer(502, {}, body), where="crm").data is None
    assert parsed(Answer(200, {}, body), where="crm", required=False).body == body


def test_an_answer_has_a_limit() -> None:
    """An endless body is cut off and no memory filled."""
    assert collect([b"ab", b"c"], where="crm", limit=3) == b"abc"
    with pytest.raises(Unreachable, match="larger"):
        collect((b"x" * 100 for _ in range(10**9)), where="crm", limit=1000)


UNBORN = pool.NewConnectionError(None, "refused")  # pyright: ignore[reportArgumentType]  # no connection to name here
LOST = [
    (UNBORN, NotDone),
    (pool.MaxRetryError(None, "/x", UNBORN), NotDone),  # pyright: ignore[reportArgumentType]  # as above
    (requests.ConnectionError(pool.MaxRetryError(None, "/x", UNBORN)), NotDone),  # pyright: ignore[reportArgumentType]  # as above
    (requests.exceptions.ConnectTimeout(), NotDone),
    (httpx.ConnectError("refused"), NotDone),
    (httpx.ConnectTimeout("slow"), NotDone),
    (requests.exceptions.ReadTimeout(), MaybeDone),
    (httpx.ReadTimeout("slow"), MaybeDone),
    (pool.ProtocolError("aborted"), MaybeDone),
    (requests.ConnectionError(pool.ProtocolError("aborted")), MaybeDone),
    (requests.exceptions.ChunkedEncodingError("cut"), MaybeDone),
    (httpx.RemoteProtocolError("cut"), MaybeDone),
    (pool.SSLError("bad certificate"), Unreachable),
    (requests.exceptions.SSLError("bad certificate"), Unreachable),
]


@pytest.mark.parametrize(("error", "meaning"), LOST)
def test_a_broken_connection_is_told_by_whether_anything_was_sent(error: Exception, meaning: type[Unreachable]) -> None:
    """The three clients wrap the same events differently; only whether the call can have arrived matters."""
    found = lost(error, where="crm")
    assert type(found) is meaning
    assert found.where == "crm"


def test_a_failed_handshake_of_httpx_is_no_passing_trouble() -> None:
    """A certificate that is refused will be refused again."""
    error = httpx.ConnectError("handshake")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert type(lost(error, where="crm")) is Unreachable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
    ],
)
def test_retry_after_in_both_forms(text: str, seconds: float | None) -> None:
    """Seconds, or a date by the given clock; nonsense is as good as nothing."""
    assert retry_after({"retry-after": text}, now_ms=10_000) == seconds


def test_the_date_header_is_a_clock() -> None:
    """An HTTP date in milliseconds, None for anything else."""
    assert http_date_ms("Sat, 21 Nov 2026 21:00:00 GMT") == 1_795_294_800_000
    assert http_date_ms("yesterday") is None


@pytest.mark.parametrize("url", ["https://api.hubapi.com/", "http://127.0.0.1:8041", "http://localhost:1", "http://[::1]:80", "http://127.8.8.8"])
def test_addresses_that_may_be_used(url: str) -> None:
    """https anywhere; http on this machine."""
    assert checked_url(url, where="x") == url.rstrip("/")
    assert is_loopback(url) == url.startswith("http:")


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "https://", "https://u:p@h", "https://h#f", "file:///x", ""]
)
def test_addresses_that_may_not(url: str) -> None:
    """Refused with the key's place and a remedy."""
    with pytest.raises(ConfigurationError) as caught:
        checked_url(url, where="systems.crm.base_url")
    assert caught.value.where == "systems.crm.base_url"
    assert caught.value.next_step


@given(name=st.from_regex(r"[a-z0-9._+-]{1,20}", fullmatch=True), digits=st.from_regex(r"\+?[0-9]{9,15}", fullmatch=True))
def test_no_address_number_or_token_gets_through(name: str, digits: str) -> None:
    """A vendor's sentence loses what is personal or secret, and keeps the rest."""
    text = plain(f'"{name}@mail.example", {digits} refused for Bearer abc.def-{name} and 00D5g000004XYZA!AQ.{name}')
    assert f"{name}@" not in text
    assert digits not in text
    assert "abc.def" not in text
    assert "!AQ" not in text
    assert "refused for" in text


def test_long_sentences_are_cut() -> None:
    """A vendor's page is not a message."""
    assert len(plain("x " * 1000)) == 300
