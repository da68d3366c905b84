"""What both worlds share: counting calls, faults, the clock, and the hands under `/_sandbox/`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import orjson

from .clock import WorldClock
from .faults import TROUBLES, Fault, FaultKind, FaultPlan
from .spoiled import without_fields, without_rows
from .wire import ReplyLost, Request, Response

HANDS = "/_sandbox/"
"""Where somebody's hands and the counters live; never counted, never hit by faults."""

Hand = Callable[[Mapping[str, Any]], Any]
"""Somebody's hand in the vendor's own screens: takes the JSON that was posted, gives what is answered as JSON."""

View = Callable[[Request], Any]
"""Something that can be looked at under `/_sandbox/`: takes the GET request, gives what is answered as JSON."""


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer in UTF-8."""
    return Response(status, {"Content-Type": "application/json;charset=utf-8", **(headers or {})}, orjson.dumps(value))


class BaseWorld:
    """One vendor in memory.

    A vendor overrides `route` (its API), `template` (the name under which a call is counted) and registers `hands` and `views`.
    A call goes through three steps: `arrive` (counted, its fault chosen), a pause of `pause_s`, `answer`. `handle` does all
    three; a skin over sockets waits in its own way, so that one slow call does not hold up the others.
    Everything under one lock: a world behaves as if calls came one after another.
    """

    def __init__(self, clock: WorldClock | None = None, latency_s: float = 0.0) -> None:
        self.clock = clock or WorldClock()
        self.latency_s = latency_s
        self.faults = FaultPlan()
        self.troubles: Mapping[str, Fault] = TROUBLES
        self.calls: Counter[str] = Counter()
        self.lock = threading.RLock()
        self.views: dict[str, View] = {"calls": lambda request: dict(self.calls)}
        self.hands: dict[str, Hand] = {
            "calls/reset": self._reset_calls,
            "clock": self._move_clock,
            "faults": self._plan_fault,
            "faults/clear": self._clear_faults,
        }

    def route(self, request: Request) -> Response:
        """The vendor's API: overridden by each world."""
        raise NotImplementedError

    def short_page(self, request: Request, rows: int) -> Response:
        """The answer to a call that lists, with so many rows on its page: overridden by each world that has pages."""
        return self.route(request)

    def template(self, request: Request) -> str:
        """The call's name for counting: the path with its ids replaced (`/crm/v3/objects/contacts/{id}`)."""
        raise NotImplementedError

    def handle(self, request: Request) -> Response:
        """Answer one request, or raise `ReplyLost`. Calls under `/_sandbox/` are never counted and meet no faults."""
        fault = self.arrive(request)
        self.wait(self.pause_s(request, fault))
        return self.answer(request, fault)

    def wait(self, seconds: float) -> None:
        """Let real time pass."""
        if seconds:
            time.sleep(seconds)

    def arrive(self, request: Request) -> Fault | None:
        """Count the call and use up the fault that strikes it, if any."""
        if request.path.startswith(HANDS):
            return None
        name = f"{request.method} {self.template(request)}"
        with self.lock:
            self.calls[name] += 1
        return self.faults.hit(f"{request.method} {request.path}")

    def pause_s(self, request: Request, fault: Fault | None) -> float:
        """How long the call takes on the way, in seconds."""
        latency = 0.0 if request.path.startswith(HANDS) else self.latency_s
        return latency + (fault.seconds if fault is not None and fault.kind == "delay" else 0.0)

    def answer(self, request: Request, fault: Fault | None = None) -> Response:
        """Carry the call out, as far as its fault lets it."""
        if request.path.startswith(HANDS):
            return self._dated(self._touch(request))
        kind = fault.kind if fault is not None else None
        if kind == "lost_before":
            raise ReplyLost
        if fault is not None and kind == "status":
            return self._dated(Response(fault.status, {"Content-Type": fault.content_type, **dict(fault.headers)}, fault.body.encode()))
        with self.lock:
            response = self._carried_out(request, fault)
        if kind == "lost_after" or (kind == "truncated" and not response.body):
            raise ReplyLost
        return self._dated(replace(response, truncated=True) if kind == "truncated" else response)

    def _carried_out(self, request: Request, fault: Fault | None) -> Response:
        """The vendor's answer, or what the fault leaves of it."""
        match fault:
            case Fault(kind="short_page", rows=rows):
                return self.short_page(request, rows)
            case Fault(kind="missing_rows", rows=rows):
                return without_rows(self.route(request), rows)
            case Fault(kind="missing_fields", fields=names):
                return without_fields(self.route(request), names)
            case _:
                return self.route(request)

    def _dated(self, response: Response) -> Response:
        return replace(response, headers={"Date": self.clock.http_date(), **response.headers})

    def _touch(self, request: Request) -> Response:
        name = request.path.removeprefix(HANDS).strip("/")
        view = self.views.get(name) if request.method == "GET" else None
        hand = self.hands.get(name) if request.method == "POST" else None
        if view is None and hand is None:
            known = [*(f"GET {name}" for name in sorted(self.views)), *(f"POST {name}" for name in sorted(self.hands))]
            return json_response({"error": f"no such hand: {request.method} {name}", "known": known}, 404)
        try:
            with self.lock:
                if view is not None:
                    return json_response(view(request))
                assert hand is not None
                return json_response(hand(orjson.loads(request.body or b"{}")))
        except (TypeError, ValueError, LookupError) as error:
            reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
            return json_response({"error": f"{name}: {reason}"}, 400)

    def _reset_calls(self, posted: Mapping[str, Any]) -> Any:
        self.calls.clear()
        return {}

    def _move_clock(self, posted: Mapping[str, Any]) -> Any:
        self.clock.advance(float(posted["advance_s"]))
        return {"now_ms": self.clock.now_ms()}

    def _plan_fault(self, posted: Mapping[str, Any]) -> Any:
        planned = dict(posted)
        if "headers" in planned:
            planned["headers"] = tuple((str(name), str(value)) for name, value in dict(planned["headers"]).items())
        if "fields" in planned:
            planned["fields"] = tuple(str(name) for name in planned["fields"])
        if "trouble" in planned:
            self.faults.add(replace(self._trouble(planned.pop("trouble")), **planned))
            return {}
        if planned.get("kind") not in get_args(FaultKind):
            raise ValueError(f"kind is one of {', '.join(get_args(FaultKind))}")
        self.faults.add(Fault(**planned))
        return {}

    def _trouble(self, name: str) -> Fault:
        if name not in self.troubles:
            raise ValueError(f"trouble is one of {', '.join(self.troubles)}")
        return self.troubles[name]

    def _clear_faults(self, posted: Mapping[str, Any]) -> Any:
        self.faults.clear()
        return {}
