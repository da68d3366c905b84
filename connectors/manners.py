"""How every connector behaves on the line: paced, patient, metered, and careful with what it repeats and says.

A connector brings `send` (one attempt over its own client) and `judge` (what the vendor's answer means); `Line.ask` does the rest.
Trouble on the way is one of two errors, because only this matters for a write:

    NotDone     surely nothing was done: may always be repeated; a write becomes `Deferred`
    MaybeDone   nobody can say: only reads are repeated; a write becomes `Unknown`

Both are a `Trouble` and thereby `Unreachable`, so a read that ran out of patience stops the run with a message that a person understands.
Answers that are no trouble, refusals included, go back to the connector.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import orjson
from tenacity import RetryCallState, Retrying

from ..model.errors import ConfigurationError, QuotaSpent, Unreachable
from ..model.ports import Clock, Limiter, Rate
from .contract import Usage, unwatched

REPLY_LIMIT = 64 * 1024 * 1024
"""More bytes than this in one (decompressed) answer is no answer of an API."""


CONNECT_S = 10.0
"""How long a connection may take to come about; less where even an answer may not take as long."""


class Trouble(Unreachable):
    """A call failed on the way and may go better next time. `retry_after`: seconds that the vendor asks us to wait, where it says so."""

    def __init__(self, what: str, *, where: str = "", next_step: str = "", retry_after: float | None = None) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.retry_after = retry_after


class NotDone(Trouble):
    """Surely nothing was done."""


class MaybeDone(Trouble):
    """The call may have been carried out: the answer was lost, late, broken, or a server error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` with lower-case names, `data` the parsed JSON (None where there is none)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    data: Any = None

    @property
    def ok(self) -> bool:
        """A 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try. `total_s` bounds one call with all its repetitions and pauses; a longer pause asked by the vendor ends it at once."""

    attempts: int = 6
    total_s: float = 90.0
    connect_s: float = CONNECT_S
    read_s: float = 60.0

    @property
    def lands_s(self) -> float:
        """How long a request that was begun may be on its way, as far as we would wait for it ourselves."""
        return self.connect_s + self.read_s


@dataclass(slots=True)
class Meter:
    """What was used so far."""

    calls: int = 0
    vendor_s: float = 0.0
    daily_used: int | None = None
    daily_limit: int | None = None
    spared: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, seconds: float) -> None:
        """One more call, and how long its answer took: seconds of several that were under way at once add up."""
        with self._lock:
            self.calls += 1
            self.vendor_s += seconds

    def usage(self) -> Usage:
        """The counters as the contract shows them."""
        return Usage(self.calls, self.vendor_s, self.daily_used, self.daily_limit, self.spared)


Pace = tuple[str, Rate]
"""A limit that a call must keep: the bucket's name and its rate."""


@dataclass(slots=True)
class Line:
    """The line to one account. `system` is its name in messages; `daily_share` of the daily quota is ours, beyond it `QuotaSpent`."""

    system: str
    clock: Clock
    limiter: Limiter
    patience: Patience = Patience()
    daily_share: float = 0.9
    meter: Meter = field(default_factory=Meter)
    sending: Callable[[], None] = unwatched

    @property
    def left(self) -> int | None:
        """So many calls of today are left for us; None where the vendor does not tell its figures."""
        used, limit = self.meter.daily_used, self.meter.daily_limit
        return None if used is None or not limit else int(limit * self.daily_share) - used

    def ask(
        self,
        send: Callable[[], Answer],
        judge: Callable[[Answer], None],
        *,
        repeatable: bool,
        changes: bool = False,
        pace: Sequence[Pace] = (),
        json: bool = True,
    ) -> Answer:
        """Make one call, again where that is harmless, and give its answer with `data` parsed.

        `send` raises `NotDone` or `MaybeDone` where the connection fails (see `lost`); `judge` raises them, or an error that stops
        everything, for an answer that is trouble. `repeatable`: doing it twice is the same as doing it once. `changes`: it changes
        something, so that the run must still be in force at each attempt. `json`: a 2xx must be JSON.
        """

        def once() -> Answer:
            self._stop_at_our_share()
            for bucket, rate in pace:
                self.limiter.take(bucket, rate)
            if changes:
                self.sending()  # last of all: whatever lies between this and the request, a run may fall asleep in
            answer = parsed(self._timed(send), where=self.system, required=json)
            judge(answer)
            return answer

        started = self.clock.monotonic()
        policy = Retrying(
            retry=lambda state: _may_repeat(_failure(state), repeatable),
            wait=lambda state: _pause(_failure(state), state.attempt_number),
            stop=lambda state: (
                state.attempt_number >= self.patience.attempts or self.clock.monotonic() - started + state.upcoming_sleep > self.patience.total_s
            ),
            sleep=self.clock.sleep,
            reraise=True,
        )
        return policy(once)

    def _timed(self, send: Callable[[], Answer]) -> Answer:
        started = self.clock.monotonic()
        try:
            return send()
        finally:
            self.meter.add(self.clock.monotonic() - started)

    def _stop_at_our_share(self) -> None:
        used, limit = self.meter.daily_used, self.meter.daily_limit
        if used is None or not limit or used < limit * self.daily_share:
            return
        raise QuotaSpent(
            f"{used} of {limit} API calls of today are used, and stagesync stops at {self.daily_share:.0%}",
            where=self.system,
            next_step="run again tomorrow, or raise `daily_share` of this system",
        )


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _may_repeat(failure: BaseException | None, repeatable: bool) -> bool:
    return isinstance(failure, NotDone) or (repeatable and isinstance(failure, MaybeDone))


def _pause(failure: BaseException | None, attempt: int) -> float:
    """The vendor's own wish, or 0.25 s doubled each time up to 8 s. No jitter: the limiter already spreads the callers of one account."""
    asked = failure.retry_after if isinstance(failure, Trouble) else None
    return asked if asked is not None else min(8.0, 0.25 * 2 ** (attempt - 1))


def parsed(answer: Answer, *, where: str, required: bool = True) -> Answer:
    """The answer with its JSON. Raises `MaybeDone` for a 2xx that should be JSON and is a page of a gateway, empty or cut off.

    An error's body that is no JSON is no trouble by itself: gateways answer in HTML.
    """
    try:
        return Answer(answer.status, answer.headers, answer.body, orjson.loads(answer.body))
    except orjson.JSONDecodeError:
        if not required or not answer.ok or answer.status == 204:
            return answer
    looks = "an HTML page" if answer.body.lstrip()[:1] == b"<" else "broken JSON" if answer.body.strip() else "an empty answer"
    raise MaybeDone(f"{looks} came in place of JSON", where=where, next_step="check the address in `base_url` or `instance_url`, and any proxy in between")


def collect(chunks: Iterable[bytes], *, where: str, limit: int = REPLY_LIMIT) -> bytes:
    """The whole body of an answer. Raises `MaybeDone` beyond the limit, so that no answer can fill the memory."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise MaybeDone(f"an answer is larger than {limit // 2**20} MB", where=where, next_step="check the address and any proxy in between")
        parts.append(chunk)
    return b"".join(parts)


def post_form(url: str, form: Mapping[str, str], *, where: str, timeout_s: float) -> Answer:
    """Ask for a token: one attempt, which follows nobody to another address. Raises `NotDone` and `MaybeDone`."""
    import httpx

    timeout = httpx.Timeout(timeout_s, connect=min(10.0, timeout_s))
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=not is_loopback(url), follow_redirects=False) as client,
            client.stream("POST", url, data=form, headers={"Accept": "application/json"}) as found,
        ):
            body = collect(found.iter_bytes(), where=where)
    except httpx.HTTPError as error:
        raise lost(error, where=where) from None
    return Answer(found.status_code, {name.lower(): value for name, value in found.headers.items()}, body)


def lost(error: Exception, *, where: str) -> Unreachable:
    """What a client's connection error (urllib3, requests, httpx) means: not done where no connection came about, else maybe done."""
    import httpx
    import requests
    import urllib3.exceptions as pool

    chain = _causes(error)
    if any(isinstance(each, (pool.SSLError, requests.exceptions.SSLError)) or type(each).__name__ == "SSLCertVerificationError" for each in chain):
        return Unreachable("the encrypted connection was refused", where=where, next_step="check the address, the proxy and the certificates of this machine")
    unborn = (pool.NewConnectionError, pool.ConnectTimeoutError, requests.exceptions.ConnectTimeout, httpx.ConnectError, httpx.ConnectTimeout)
    if any(isinstance(each, unborn) for each in chain):
        return NotDone("no connection", where=where, next_step="check the address and the network, then run again")
    late = (pool.TimeoutError, requests.exceptions.Timeout, httpx.TimeoutException)
    what = "no answer in time" if any(isinstance(each, late) for each in chain) else "the connection broke before the answer was complete"
    return MaybeDone(what, where=where, next_step="run again: what was sent is looked up first")


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what lies beneath it: urllib3 keeps it in `reason`, requests in its first argument."""
    found: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        each = todo.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            todo += [getattr(each, "reason", None), each.__cause__, *each.args[:1]]
    return found


def retry_after(headers: Mapping[str, str], now_ms: int) -> float | None:
    """The seconds in a `Retry-After` header, which may also be a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        at = http_date_ms(text)
        return None if at is None else max(0.0, (at - now_ms) / 1000)


def http_date_ms(text: str) -> int | None:
    """An HTTP date in milliseconds since 1970; None where it is none. The vendor's own clock is its `Date` header."""
    try:
        moment = parsedate_to_datetime(text)
        return int(moment.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def checked_url(url: str, *, where: str) -> str:
    """The base address without a trailing slash. Raises `ConfigurationError`: `https` only, `http` for this machine alone."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("this is not the plain address of a server", where=where, next_step='write it as "https://host"')
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError("credentials would travel in clear", where=where, next_step="use https; http is for this machine only (127.0.0.1, localhost)")
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """The address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


_PERSONAL = (
    (re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+"), "<e-mail>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.+/=~-]+"), r"\1 ***"),
    (re.compile(r"\bpat-[a-z0-9]+-[\w-]+|\b00D\w{12,15}![\w.]+|\beyJ[\w-]+\.[\w.-]+"), "***"),
    (re.compile(r"\+?\d[\d\s()./-]{7,}\d"), "<number>"),
)


def plain(text: str, limit: int = 300) -> str:
    """A vendor's sentence fit for a raised error or a log: without addresses, long numbers and tokens, and not too long."""
    for pattern, stand_in in _PERSONAL:
        text = pattern.sub(stand_in, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
