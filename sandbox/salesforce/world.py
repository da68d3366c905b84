"""The Salesforce-like world: which call goes where, who may call, and how often."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..clock import WorldClock
from ..wire import Request, Response, unpacked
from . import soap
from .batches import Batches
from .bulk import Jobs
from .call import Call, listed
from .composite import batch, composite
from .errors import Refused, json_answer, not_found, refused_body
from .habits import Habits
from .hands import Hands
from .many import route_many, upsert_many
from .oauth import ConnectedApp, Sessions
from .org import LEAD_STATUSES, Org
from .queries import Cursors
from .records import changed_ids, deleted_ids, read_rows, route_record
from .troubles import TROUBLES, limit_exceeded

ORG_ID = "00D5g000004XYZAEA4"
TOKEN = "00D-sandbox-session"
OLDEST, NEWEST = 31, 67
"""API versions that answer; older ones are retired."""

MAX_URI = 16_384
"""Bytes of a request's URI, and of its URI and headers together."""

_DATA = re.compile(r"/services/data/v(\d+)\.0(?:/(.*))?")
_LOCATOR = re.compile(r"(/query(?:All)?)/[^/]+$")
_JOB = re.compile(r"(/jobs/(?:ingest|query))/[^/]+")
_OLD_JOB = re.compile(r"/75[012]\w{12,15}(?=/|$)")
_RECORD = re.compile(r"(/sobjects/\w+)/(?!describe$|updated$|deleted$)([^/]+)((?:/.+)?)$")


class SalesforceWorld(Hands):
    """One Salesforce org in memory: REST, Collections, composite, SOQL, OAuth, login, merge and conversion by SOAP, with the habits that bite its clients."""

    def __init__(
        self,
        org_id: str = ORG_ID,
        token: str = TOKEN,
        clock: WorldClock | None = None,
        latency_s: float = 0.0,
        *,
        habits: Habits | None = None,
        lead_statuses: Sequence[tuple[str, bool]] = LEAD_STATUSES,
        app: ConnectedApp | None = None,
    ) -> None:
        super().__init__(clock, latency_s)
        self.org = Org(org_id, self.clock, habits or Habits(), lead_statuses)
        self.sessions = Sessions(self.org, app or ConnectedApp(), token)
        self.used = 0
        self.troubles = TROUBLES
        self._cursors = Cursors()
        self.jobs = Jobs()
        self.batches = Batches(self.org)
        self.views["records"] = self.records
        self.hands |= self.over_http()
        self.hands["hands/expire-sessions"] = self._expire
        self.hands["hands/api-usage"] = self._set_usage

    def short_page(self, request: Request, rows: int) -> Response:
        """Answer a query with fewer rows than its page has room for."""
        before = self.org.habits
        self.org.habits = replace(before, page_rows=rows)
        try:
            return self.route(request)
        finally:
            self.org.habits = before

    def template(self, request: Request) -> str:
        path = request.path.rstrip("/")
        if path.startswith("/services/async/"):
            return _OLD_JOB.sub("/{id}", path)
        path = _JOB.sub(r"\1/{id}", path) if "/jobs/" in path else _LOCATOR.sub(r"\1/{locator}", path)
        return _RECORD.sub(lambda match: f"{match.group(1)}/{match.group(2)}/{{value}}" if match.group(3) else f"{match.group(1)}/{{id}}", path)

    def route(self, request: Request) -> Response:
        self.org.commit_due()
        self.jobs.go_on()
        request = unpacked(request)
        if request.path.startswith("/services/oauth2/"):
            return self.sessions.route(request)
        if request.path.startswith("/id/"):
            return self.sessions.identity(request)
        if len(request.path) + len(request.query) > MAX_URI:
            return Response(414, {"Content-Type": "text/html;charset=UTF-8"}, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
        if sum(len(name) + len(value) for name, value in request.headers.items()) > MAX_URI:
            return Response(431, {"Content-Type": "text/html;charset=UTF-8"}, b"<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")
        if request.path.rstrip("/") == "/services/data":
            return json_answer([{"label": f"API {one}", "url": f"/services/data/v{one}.0", "version": f"{one}.0"} for one in range(OLDEST, NEWEST + 1)])
        response = self._authorised(request)
        limit = f"api-usage={self.used}/{self.org.habits.daily_calls}"
        return Response(response.status, {**response.headers, "Sforce-Limit-Info": limit}, response.body)

    def _authorised(self, request: Request) -> Response:
        if request.path.startswith("/services/Soap/"):
            return soap.answer(self.org, request, self)
        if request.path.startswith("/services/async/"):
            return self.batches.answer(request, self)
        try:
            self._count(lambda: self.sessions.check(request))
        except Refused as error:
            return json_answer(refused_body(error), error.status)
        return self.serve(request)

    def admit(self, token: str) -> None:
        """Count a call with this session. Raises Refused for one that is none."""
        self._count(lambda: self.sessions.admit(token))

    def login(self, username: str, password: str) -> str:
        """A session by SOAP. Raises Refused."""
        return self.sessions.login(username, password)

    def _count(self, check: Callable[[], None]) -> None:
        """Let a call in and count it. Raises Refused."""
        check()
        if self.used >= self.org.habits.daily_calls:
            raise limit_exceeded()
        self.used += 1

    def serve(self, request: Request) -> Response:
        """Answer one call that is allowed, a subrequest too."""
        try:
            call = self._call(request)
            return self._answer(call)
        except Refused as error:
            return json_answer(refused_body(error), error.status, pretty=request.headers.get("x-prettyprint") == "1")

    def _call(self, request: Request) -> Call:
        match = _DATA.fullmatch(request.path.rstrip("/"))
        if match is None or int(match.group(1)) > NEWEST:
            raise not_found()
        version = int(match.group(1))
        if version < OLDEST:
            raise Refused("UNSUPPORTED_API_VERSION", "API version has been retired", status=410)
        return Call(self.org, request, version, tuple((match.group(2) or "").split("/")) if match.group(2) else ())

    def _answer(self, call: Call) -> Response:
        schema = self.org.schema
        match call.request.method, call.parts:
            case "GET", ():
                names = ("sobjects", "query", "queryAll", "composite", "jobs", "limits")
                return call.answer({**{name: f"{call.base}/{name}" for name in names}, "identity": self.sessions.identity_url(call.request)})
            case "GET", ("limits",):
                return call.answer(self._limits())
            case "GET", ("sobjects",):
                return call.answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [schema.summary(one, call.base) for one in schema.shown()]})
            case "GET", ("sobjects", name, "updated"):
                return changed_ids(call, schema.object(name))
            case "GET", ("sobjects", name, "deleted"):
                return deleted_ids(call, schema.object(name))
            case _, ("sobjects", name, *rest):
                return route_record(call, schema.object(name), tuple(rest))
            case "GET", ("query" | "queryAll" as which,):
                return self._cursors.query(call, everything=which == "queryAll")
            case "GET", ("query" | "queryAll", locator):
                return self._cursors.more(call, locator)
            case _, ("jobs", *rest):
                return self.jobs.route(call, rest)
            case _, ("composite", *rest):
                return self._composite(call, rest)
            case _:
                raise not_found()

    def _composite(self, call: Call, rest: Sequence[str]) -> Response:
        schema = self.org.schema
        match call.request.method, rest:
            case "POST", []:
                return composite(call, self.serve)
            case "POST", ["batch"]:
                answer = batch(call, self.serve)
                self.used += max(0, len(call.posted()["batchRequests"]) - 1)
                return answer
            case _, ["sobjects"]:
                return route_many(call)
            case "POST", ["sobjects", name]:
                posted = call.posted()
                return read_rows(call, schema.object(name), list(listed(posted, "ids")), [str(one) for one in listed(posted, "fields")])
            case "GET", ["sobjects", name]:
                return read_rows(call, schema.object(name), call.request.arg("ids").split(","), call.request.arg("fields").split(","))
            case "PATCH", ["sobjects", name, field]:
                return upsert_many(call, schema.object(name), field)
            case _:
                raise not_found()

    def _limits(self) -> dict[str, Any]:
        left = self.org.habits.daily_calls - self.used
        other = {"DailyBulkApiBatches": 15_000, "DailyBulkV2QueryJobs": 10_000, "DailyBulkV2QueryFileStorageMB": 976_562, "DataStorageMB": 1_024}
        return {
            "DailyApiRequests": {"Max": self.org.habits.daily_calls, "Remaining": max(0, left)},
            **{name: {"Max": most, "Remaining": most} for name, most in other.items()},
        }

    def _expire(self, posted: Mapping[str, Any]) -> Any:
        self.sessions.expire()
        return {}

    def _set_usage(self, posted: Mapping[str, Any]) -> Any:
        self.used = int(posted["used"])
        return {"used": self.used}
