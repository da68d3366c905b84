"""What both worlds share: counting calls, faults, the clock, and the hands under `/_sandbox/`."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .clock import WorldClock
from .faults import Fault, FaultPlan
from .wire import ReplyLost, Request, Response

Hand = Callable[[Mapping[str, Any]], Any]
"""Somebody's hand in the vendor's own screens: takes the JSON that was posted, gives what is answered as JSON."""


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer in UTF-8."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, {"Content-Type": "application/json;charset=utf-8", **(headers or {})}, body)


class BaseWorld:
    """One vendor in memory.

    A vendor overrides `route` (its API), `template` (the name under which a call is counted) and registers `hands`.
    Everything under one lock: a world behaves as if calls came one after another.
    """

    def __init__(self, clock: WorldClock | None = None, latency_s: float = 0.0) -> None:
        self.clock = clock or WorldClock()
        self.latency_s = latency_s
        self.faults = FaultPlan()
        self.calls: Counter[str] = Counter()
        self.lock = threading.RLock()
        self.hands: dict[str, Hand] = {"calls/reset": self._reset_calls, "clock": self._move_clock, "faults": self._plan_fault, "faults/clear": self._clear_faults}

    def route(self, request: Request) -> Response:
        """The vendor's API: overridden by each world."""
        raise NotImplementedError

    def template(self, request: Request) -> str:
        """The call's name for counting: the path with its ids replaced (`/crm/v3/objects/contacts/{id}`)."""
        raise NotImplementedError

    def handle(self, request: Request) -> Response:
        """Answer one request, or raise `ReplyLost`. Calls under `/_sandbox/` are never counted and meet no faults."""
        if request.path.startswith("/_sandbox/"):
            return self._touch(request)
        if self.latency_s:
            time.sleep(self.latency_s)
        with self.lock:
            self.calls[f"{request.method} {self.template(request)}"] += 1
        fault = self.faults.hit(f"{request.method} {request.path}")
        if fault is not None and fault.kind != "lost_after" and fault.kind != "truncated":
            early = self._strike(fault)
            if early is not None:
                return self._dated(early)
        with self.lock:
            response = self.route(request)
        if fault is not None and fault.kind == "lost_after":
            raise ReplyLost
        if fault is not None and fault.kind == "truncated":
            response = replace(response, body=response.body[: len(response.body) // 2])
        return self._dated(response)

    def _strike(self, fault: Fault) -> Response | None:
        if fault.kind == "lost_before":
            raise ReplyLost
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return None
        return Response(fault.status, {"Content-Type": fault.content_type, **dict(fault.headers)}, fault.body.encode())

    def _dated(self, response: Response) -> Response:
        return replace(response, headers={"Date": self.clock.http_date(), **response.headers})

    def _touch(self, request: Request) -> Response:
        name = request.path.removeprefix("/_sandbox/").strip("/")
        if request.method == "GET" and name == "calls":
            with self.lock:
                return self._dated(json_response(dict(self.calls)))
        hand = self.hands.get(name)
        if hand is None or request.method != "POST":
            known = ["GET calls", *(f"POST {hand}" for hand in sorted(self.hands))]
            return self._dated(json_response({"error": f"no such hand: {request.method} {name}", "known": known}, 404))
        try:
            posted = json.loads(request.body or b"{}")
            with self.lock:
                return self._dated(json_response(hand(posted)))
        except (KeyError, TypeError, ValueError, LookupError) as error:
            return self._dated(json_response({"error": f"{name}: {error!r}"}, 400))

    def _reset_calls(self, posted: Mapping[str, Any]) -> Any:
        self.calls.clear()
        return {}

    def _move_clock(self, posted: Mapping[str, Any]) -> Any:
        self.clock.advance(float(posted["advance_s"]))
        return {"now_ms": self.clock.now_ms()}

    def _plan_fault(self, posted: Mapping[str, Any]) -> Any:
        headers = tuple((str(name), str(value)) for name, value in dict(posted.get("headers", {})).items())
        self.faults.add(Fault(**{**posted, "headers": headers}))
        return {}

    def _clear_faults(self, posted: Mapping[str, Any]) -> Any:
        self.faults.clear()
        return {}
