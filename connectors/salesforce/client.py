"""Calls to one org: simple-salesforce holds address, version and session; what is sent and what comes back is ours.

Its own methods decode with a slower parser, have no timeouts in places, lose the headers of an answer, and after a 401 drop the headers of the call.
So the session that it holds is used directly, for any path below its base address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import orjson
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from ...model.errors import ConfigurationError, CredentialError, Unreachable
from ...model.ports import Secret
from ..contract import Ports
from ..manners import CONNECT_S, Answer, Line, Patience, Trouble, collect, is_loopback, lost
from .auth import Session
from .errors import Expired, Refused, judge, locator_gone, refusals, stopped
from .rows import Row, next_url, records_of
from .settings import SalesforceSettings
from .soql import encoded
from .spared import Spared

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Judge = Callable[[Answer, str, int], None]
"""Raises for an answer that is trouble: takes the answer, the system's name and the moment."""

_CHUNK = 1 << 18
_USAGE = re.compile(r"(?:^|[;, ])(?:per-app-)?api-usage=(\d+)/(\d+)")


class Client:
    """One org, one thread. `adapter` takes the place of the network (tests)."""

    def __init__(self, system: str, settings: SalesforceSettings, ports: Ports, adapter: HTTPAdapter | None = None) -> None:
        self.system = system
        self.clock = ports.clock
        self.answers = ports.answers
        patience = Patience(total_s=max(90.0, 2 * settings.timeout_s), connect_s=min(CONNECT_S, settings.timeout_s), read_s=settings.timeout_s)
        self.line = Line(system, ports.clock, ports.limiter, patience, settings.daily_share, sending=ports.sending)
        self.session = Session(settings, self.line, ports.tokens)
        self._settings = settings
        self._http = _http(settings, adapter)
        self._door: tuple[Secret, Salesforce] | None = None
        self._spared = Spared()
        self._version = settings.api_version
        self._slash, self._way_known = "/", False

    @cached_property
    def _environment(self) -> Mapping[str, Any]:
        """Proxies and certificates as the environment has them, for the one host that is called: requests would look them up at every call."""
        return self._http.merge_environment_settings(self._settings.instance_url, {}, stream=True, verify=None, cert=None)

    @property
    def version(self) -> str:
        """The version of the API, such as 66.0."""
        return self._version

    @property
    def host(self) -> str:
        """The org's own address, without scheme."""
        return self._settings.instance_url.partition("://")[2]

    def call(
        self,
        method: Method,
        path: str,
        body: object = None,
        *,
        repeatable: bool,
        changes: bool = False,
        headers: Mapping[str, str] | None = None,
        json: bool = True,
    ) -> Answer:
        """One call below `/services/data/vNN.0/`, or at the root for a path that begins with a slash. A body of bytes travels as it is.

        Gives refusals back as they are. Raises `NotDone`, `MaybeDone` and everything that stops a run. A token that is not accepted is renewed once:
        the call was not carried out, so it may go again with all its headers.
        """
        payload = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        return self._renewing(lambda token: self._ask(token, method, path, payload, headers, judge, repeatable=repeatable, changes=changes, json=json))

    def tell(self, path: str, said: Callable[[Secret], bytes], headers: Mapping[str, str], judge: Judge) -> Answer:
        """A call of another API than REST that changes something: its text holds the token itself, and its answers are judged in their own way."""
        return self._renewing(lambda token: self._ask(token, "POST", path, said(token), headers, judge, repeatable=False, changes=True, json=False))

    def _renewing(self, ask: Callable[[Secret], Answer]) -> Answer:
        token = self.session.token()
        try:
            return ask(token)
        except Expired:
            token = self.session.renew(token)
        try:
            return ask(token)
        except Expired:
            raise CredentialError("a fresh access token is not accepted", where=self.system, next_step="check the app's rights and session policies") from None

    def read(self, method: Method, path: str, body: object = None) -> Any:
        """The data of a call that changes nothing. Raises where it is refused."""
        answer = self.call(method, path, body, repeatable=True)
        if not answer.ok:
            raise stopped(answer, self.system)
        return answer.data

    def description(self, source: str) -> dict[str, Any]:
        """What `describe` tells of an object, with its `fields`. Raises where it is refused, and `Unreachable` for JSON that is no description."""
        return _described(self.read("GET", f"sobjects/{source}/describe"), source, self.system)

    def open_description(self, source: str) -> dict[str, Any] | None:
        """The same, or None where it is not open to this user. For what is good to know and not needed."""
        found = self.allowed(f"sobjects/{source}/describe")
        return None if found is None else _described(found, source, self.system)

    def rows(self, query: str, needed: Sequence[str], *, everything: bool = False) -> list[Row]:
        """All rows of a query, over all its pages. `needed`: what each of them tells (`rows.whole`). `everything`: deleted and merged ones too."""
        answer = self.query(query, everything=everything)
        found = records_of(answer.data, self.system, needed)
        before = None
        while following := next_url(answer.data, before, self.system):
            answer, before = self.call("GET", following, repeatable=True), following
            if not answer.ok:
                raise stopped(answer, self.system)
            found += records_of(answer.data, self.system, needed)
        return found

    def query(self, query: str, *, everything: bool = False) -> Answer:
        """The first page of a query. Raises where it is refused; a column of which only our bookkeeping would know is left out where it is hidden."""
        while True:
            answer = self._asked(self._spared.query(query), everything=everything)
            if answer.ok:
                return answer
            if not self._spared.learns(query, refusals(answer.data)):
                raise stopped(answer, self.system)

    def spared(self, query: str) -> str:
        """The query without the columns that are hidden from this user, as far as is known."""
        return self._spared.query(query)

    def spared_of(self, source: str, columns: Sequence[str]) -> list[str]:
        """The columns that are left of these."""
        return self._spared.of(source, columns)

    def open_rows(self, query: str, needed: Sequence[str] = ()) -> list[Row] | None:
        """All rows of a query, or None where it is refused or tells not what is `needed`. For what is good to know. Raises for trouble and a bad credential."""
        try:
            answer = self._asked(query)
            found = records_of(answer.data, self.system, needed) if answer.ok else None
            before = None
            while found is not None and (following := next_url(answer.data, before, self.system)):
                answer, before = self.call("GET", following, repeatable=True), following
                found = found + records_of(answer.data, self.system, needed) if answer.ok else None
        except Trouble:
            raise
        except Unreachable:
            return None
        return found

    def collection(self, source: str, ids: Sequence[str], names: Sequence[str]) -> Any:
        """Many records of one object by id, in one call."""
        while True:
            body = {"ids": ids, "fields": self._spared.of(source, names)}
            answer = self.call("POST", f"composite/sobjects/{source}", body, repeatable=True)
            if answer.ok:
                return answer.data
            if not self._spared.learns_of(source, refusals(answer.data)):
                raise stopped(answer, self.system)

    def _asked(self, query: str, *, everything: bool = False) -> Answer:
        """The reference writes `query?q=`, the official clients send `query/?q=`, and what stands in between may know one of the two only."""

        def ask() -> Answer:
            return self.call("GET", f"{'queryAll' if everything else 'query'}{self._slash}?q={encoded(query)}", repeatable=True)

        if not self._way_known:
            for mend in (self._take_a_served_version, self._drop_the_slash):
                answer = _answered(ask)
                if answer is not None:
                    self._way_known = True
                    return answer
                mend()
            self._way_known = True
        return ask()

    def _take_a_served_version(self) -> None:
        """The newest version below our own that is listed, where ours is not and nobody asked for it by name (REST API Developer Guide, Versions)."""
        if "api_version" in self._settings.model_fields_set:
            return
        answer = _answered(lambda: self.call("GET", "/services/data", repeatable=True))
        listed = answer.data if answer is not None and answer.ok and isinstance(answer.data, list) else []
        versions = {str(each["version"]) for each in listed if isinstance(each, dict) and re.fullmatch(r"\d\d\.0", str(each.get("version", "")))}
        older = [version for version in versions if version < self._version]
        if older and self._version not in versions:
            self._version, self._door = max(older), None

    def _drop_the_slash(self) -> None:
        self._slash = ""

    def allowed(self, path: str) -> Mapping[str, Any] | None:
        """The object at a path, or None where it is not there or not open to this user or app. For what is good to know and not needed."""
        try:
            answer = self.call("GET", path, repeatable=True)
        except (CredentialError, Unreachable):
            return None
        return answer.data if answer.ok and isinstance(answer.data, dict) else None

    def following(self, url: str) -> Answer | None:
        """The next page of a query; None where its cursor is gone (after two days)."""
        answer = self.call("GET", url, repeatable=True)
        if answer.ok:
            return answer
        if locator_gone(answer):
            return None
        raise stopped(answer, self.system)

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def _ask(
        self,
        token: Secret,
        method: Method,
        path: str,
        payload: bytes | None,
        headers: Mapping[str, str] | None,
        judge: Judge,
        *,
        repeatable: bool,
        changes: bool,
        json: bool = True,
    ) -> Answer:
        door = self._opened(token)
        url = f"https://{door.sf_instance}{path}" if path.startswith("/") else door.base_url + path
        sent = {**door.headers, "X-PrettyPrint": "0", **(headers or {})}

        def send() -> Answer:
            return self._sent(method, url, payload, sent)

        return self.line.ask(send, lambda answer: judge(answer, self.system, self.clock.now_ms()), repeatable=repeatable, changes=changes, json=json)

    def _opened(self, token: Secret) -> Salesforce:
        if self._door is None or self._door[0] != token:
            settings = self._settings
            door = Salesforce(session_id=token.reveal(), instance_url=settings.instance_url, version=self._version, session=self._http)
            self._door = (token, door)
        return self._door[1]

    def _sent(self, method: Method, url: str, payload: bytes | None, headers: Mapping[str, str]) -> Answer:
        timeout = (self.line.patience.connect_s, self.line.patience.read_s)
        request = self._http.prepare_request(requests.Request(method, url.partition("?")[0], data=payload, headers=headers))
        request.url = url  # whole and as it is: requests would look at each character of a long query several times
        try:
            with self._http.send(request, timeout=timeout, allow_redirects=False, **self._environment) as found:
                body = collect(found.iter_content(_CHUNK), where=self.system)
        except requests.RequestException as error:
            raise lost(error, where=self.system) from error
        self._count(found.headers.get("Sforce-Limit-Info", ""))
        return Answer(found.status_code, {name.lower(): value for name, value in found.headers.items()}, body)

    def _count(self, info: str) -> None:
        """Note the calls of the last 24 hours; where the app has a share of its own, the fuller of the two (REST API Developer Guide, Limit Info Header)."""
        known = [(int(used), int(limit)) for used, limit in _USAGE.findall(info) if int(limit)]
        if known:
            self.line.meter.daily_used, self.line.meter.daily_limit = max(known, key=lambda pair: pair[0] / pair[1])


def _answered(ask: Callable[[], Answer]) -> Answer | None:
    """The answer; None where nothing is served at the path: a 404, a version that is retired, somebody's page, a redirect."""
    try:
        answer = ask()
    except Trouble:
        raise
    except (Unreachable, ConfigurationError):
        return None
    return None if answer.status in (404, 410) else answer


def _described(found: Any, source: str, where: str) -> dict[str, Any]:
    fields = found.get("fields") if isinstance(found, dict) else None
    if not isinstance(fields, list) or not all(isinstance(each, dict) and {"name", "type"} <= each.keys() for each in fields):
        raise Refused(
            f"the description of {source} has no fields with name and type", where=where, next_step="check `instance_url`: does Salesforce answer there?"
        )
    return found


def _http(settings: SalesforceSettings, adapter: HTTPAdapter | None) -> requests.Session:
    session = requests.Session()
    plain = settings.instance_url.startswith("http://")
    session.mount("https://", adapter or (_Plain() if plain else HTTPAdapter()))
    session.trust_env = not is_loopback(settings.instance_url)
    session.auth = _as_it_is
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from putting a password of ~/.netrc in the place of our token."""
    return request


class _Plain(HTTPAdapter):
    """simple-salesforce always writes https: on this machine a server may speak plain http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **options)
