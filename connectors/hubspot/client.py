"""Calls to HubSpot over the official client's raw path: one held connection, our own patience, plain JSON.

The client's generated models cost about fifteen times the CPU of the raw answer, know only numbered versions, and its default
retries sleep unseen: so one `ApiClient` is held, without retries, and bodies are read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urljoin

from ...model.ports import Rate
from ..contract import Ports
from ..manners import CONNECT_S, Answer, Line, MaybeDone, Pace, Patience, checked_url, collect, http_date_ms, lost
from .auth import credential, fingerprint
from .errors import judge, strange, unexpected
from .paths import Paths
from .settings import HubSpotSettings

IN_FLIGHT = 10
"""Calls that are under way at once: at 19 a second, as many as half a second of latency holds."""

_CHUNK = 262_144
_OLDER_LIMIT = 100
"""Rows on a page of a search by HubSpot's older documentation; by today's there may be 200."""
_MOVED = frozenset({301, 302, 303, 307, 308})
Result = TypeVar("Result")
Form = Sequence[tuple[str, str | tuple[str, bytes, str]]]
"""The fields of a form: a text, or a file with its name and type (RFC 7578)."""
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip"}


class Client:
    """One account's calls. `pool` replaces urllib3's pool manager (a world without sockets, a proxy of one's own)."""

    def __init__(self, system: str, settings: HubSpotSettings, ports: Ports, pool: Any = None) -> None:
        self.system = system
        self.settings = settings
        self.paths = Paths(settings.api_version)
        self.clock = ports.clock
        self.answers = ports.answers
        patience = Patience(connect_s=min(CONNECT_S, settings.timeout_s), read_s=settings.timeout_s)
        self.line = Line(system, ports.clock, ports.limiter, patience, settings.daily_share, sending=ports.sending)
        self.server_time = 0
        """The vendor's clock at the last answer, in milliseconds."""
        base_url = checked_url(settings.base_url, where=f"systems.{system}.base_url")
        self._base_url = base_url
        self._credential = credential(settings, base_url, self.line, ports.tokens)
        self._pool = pool
        self._api: Any = None
        self._abreast, self._flow = ports.abreast, ports.flow
        secret = settings.token or settings.refresh_token
        self.mark = fingerprint(f"{base_url} {secret.reveal() if secret is not None else ''}")
        """Of address and credential."""
        bucket = "hubspot:" + self.mark
        self.pace = Rate(settings.calls_per_10s, 10.0)
        self._app_pace: Pace = (f"{bucket}:app", self.pace)
        self._search_pace: Pace = (f"{bucket}:search", Rate(settings.searches_per_s, 1.0))

    @property
    def portal(self) -> str | None:
        """The portal as the credential itself tells it."""
        return self._credential.portal

    def rotates(self) -> bool | None:
        """Renew the access token now: whether the refresh token changed with it. None for a credential that has none."""
        return self._credential.rotates()

    def abreast(self, works: Sequence[Callable[[], Result]]) -> list[Result]:
        """Do these with several calls under way at once; see `Abreast` in the contract."""
        self._held()
        return self._abreast(works, IN_FLIGHT)

    def flow(self, more: Callable[[], Callable[[], Result] | None]) -> Iterator[Result]:
        """Do what `more` gives with several calls under way at once; see `Flow` in the contract."""
        self._held()
        return self._flow(more, IN_FLIGHT)

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        """Read. Refusals (400, 404, 409) come back as answers."""
        return self.call("GET", path, query=query, repeatable=True)

    def read(self, path: str, body: Mapping[str, Any], query: Sequence[tuple[str, str]] = ()) -> Answer:
        """A read that HubSpot wants as a POST: `batch/read`."""
        return self.call("POST", path, body=body, query=query, repeatable=True)

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A page of a search: paced by its own limit, not by the ten-second one (HubSpot docs, Search the CRM)."""
        return self._searched(self.paths.contacts, body)

    def search_companies(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The same for companies."""
        return self._searched(self.paths.companies, body)

    def _searched(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.call("POST", f"{path}/search", body=body, repeatable=True, pace=self._search_pace)
        if answer.status == 400 and body["limit"] > _OLDER_LIMIT:
            answer = self.call("POST", f"{path}/search", body={**body, "limit": _OLDER_LIMIT}, repeatable=True, pace=self._search_pace)
        return self.expected(answer)

    def expected(self, answer: Answer) -> dict[str, Any]:
        """The JSON object of a read that has no business being refused."""
        if not answer.ok:
            raise unexpected(answer, where=self.system)
        if not isinstance(answer.data, dict):
            raise strange(where=self.system)
        return answer.data

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        form: Form = (),
        query: Sequence[tuple[str, str]] = (),
        repeatable: bool,
        changes: bool = False,
        silent: bool = False,
        pace: Pace | None = None,
    ) -> Answer:
        """One call; `form`: what is sent in place of a body. `changes`: something at HubSpot. `silent`: there may be nothing to say, so that an empty
        answer with success is one.

        A refused OAuth token is renewed once: the first call was surely not carried out.
        """

        def attempt() -> Answer:
            bearer = self._credential.bearer()

            def judged(answer: Answer) -> None:
                self._note(answer)
                if silent and answer.ok and answer.data is None and answer.body.strip():
                    raise MaybeDone("what came in place of HubSpot's answer is not HubSpot's", where=self.system, next_step="check `base_url` and any proxy")
                if answer.status != 401:
                    judge(answer, where=self.system, now_ms=self.clock.now_ms())

            return self.line.ask(
                lambda: self._sent(method, path, query, body, form, bearer),
                judged,
                repeatable=repeatable,
                changes=changes,
                pace=(pace or self._app_pace,),
                json=not silent,
            )

        answer = attempt()
        if answer.status == 401 and self._credential.renew():
            answer = attempt()
        judge(answer, where=self.system, now_ms=self.clock.now_ms())
        return answer

    def close(self) -> None:
        """Give back the connection."""
        if self._api is not None:
            self._api.rest_client.pool_manager.clear()
            self._api.close()
            self._api = None

    def _note(self, answer: Answer) -> None:
        """Keep what the headers tell of the vendor's clock and the daily quota (not sent to OAuth apps)."""
        self.server_time = http_date_ms(answer.headers.get("date", "")) or self.clock.now_ms()
        limit, left = answer.headers.get("x-hubspot-ratelimit-daily", ""), answer.headers.get("x-hubspot-ratelimit-daily-remaining", "")
        if limit.isdigit() and left.isdigit():
            self.line.meter.daily_limit = int(limit)
            self.line.meter.daily_used = int(limit) - int(left)

    def _sent(self, method: str, path: str, query: Sequence[tuple[str, str]], body: Mapping[str, Any] | None, form: Form, bearer: str) -> Answer:
        """A read is sent on to where the same server says that it lies now, such as behind a slash; the token goes to no other."""
        answer = self._send(method, path, query, body, form, bearer)
        there = urljoin(self._base_url + path, answer.headers.get("location", "")).removeprefix(self._base_url)
        return self._send(method, there, (), body, form, bearer) if method == "GET" and answer.status in _MOVED and there.startswith("/") else answer

    def _send(self, method: str, path: str, query: Sequence[tuple[str, str]], body: Mapping[str, Any] | None, form: Form, bearer: str) -> Answer:
        from urllib3.exceptions import HTTPError

        headers = {**_HEADERS, "Authorization": f"Bearer {bearer}", **({"Content-Type": "multipart/form-data"} if form else {})}
        patience = self.line.patience
        try:
            got = self._held().call_api(
                path,
                method,
                query_params=list(query),
                header_params=headers,
                body=body,
                post_params=list(form),
                _preload_content=False,
                _request_timeout=(patience.connect_s, patience.read_s),
            )
            return _whole(got, self.system)
        except HTTPError as error:
            raise lost(error, where=self.system) from None
        except _NoSuccess as found:
            return found.answer

    def _held(self) -> Any:
        if self._api is None:
            from hubspot.crm.contacts import ApiClient, Configuration
            from urllib3.util import Retry

            configuration: Any = Configuration(host=self._base_url)
            configuration.retries = Retry(total=0, redirect=False)
            configuration.connection_pool_maxsize = IN_FLIGHT
            self._api = ApiClient(configuration)
            self._api.user_agent = "stagesync"
            self._api.sanitize_for_serialization = _as_it_is
            pool = self._api.rest_client.pool_manager
            if self._pool is not None:
                pool = self._pool
                pool.connection_pool_kw["retries"] = configuration.retries
            self._api.rest_client.pool_manager = _Doorkeeper(pool, self.system)
        return self._api


class _NoSuccess(Exception):
    """An answer that is no 2xx, on its way past the official client."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class _Doorkeeper:
    """Stands between the official client and urllib3: the client would read the body of an error to its end, however long that is, and as UTF-8."""

    def __init__(self, pool: Any, system: str) -> None:
        self._pool, self._system = pool, system

    def request(self, *given: Any, **options: Any) -> Any:
        """An answer with success, unread. Raises `_NoSuccess` for any other."""
        found = self._pool.request(*given, **options)
        if 200 <= found.status < 300:
            return found
        raise _NoSuccess(_whole(found, self._system))

    def clear(self) -> None:
        """Give back the connections."""
        self._pool.clear()


def _whole(got: Any, where: str) -> Answer:
    """The answer with its body: read to the end, the connection goes back to the pool; else it is closed."""
    try:
        return Answer(got.status, _lower(got.headers), collect(got.stream(_CHUNK), where=where))
    except BaseException:
        got.close()
        raise


def _as_it_is(value: Any) -> Any:
    """What we send is plain JSON; the client's own walk through every value would be a third of a create's cost."""
    return value


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
