"""Carries letters to an endpoint: at least once, each person's in order, the same id however often, with patience of a day.

The waits between attempts are those that Standard Webhooks recommends (its spec, "Retries"). An endpoint that fails several times in a row is left alone for a
while, and then one letter tries; so is one that asks for it, as long as it asks. What was not taken in a day is given up, so that what comes after it may go;
somebody can have it sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import orjson

from ...model.events import Pending
from ...model.ports import Clock, Outbox
from ..contract import unwatched
from .line import Delivered, Failed

WAITS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""After so many seconds an attempt that failed is made again; after the last of them it is given up."""
FAILURES = 5
ALONE_MS = 60_000
ASKED_MS = 3_600_000
"""Nobody is left alone for longer than that because of one answer: it may be a mistake, and letters are given up after a day."""
AT_ONCE = 500


class Way(Protocol):
    """What a letter goes over."""

    def send(self, key: str, body: bytes, now: int) -> Delivered | Failed:
        """One attempt."""
        ...


class Courier:
    """The letters of one system. `sending` is called before each attempt, and raises `Busy` where another run has taken over."""

    def __init__(self, system: str, outbox: Outbox, way: Way, clock: Clock, sending: Callable[[], None] = unwatched) -> None:
        self._system, self._outbox, self._way, self._clock, self._sending = system, outbox, way, clock, sending
        self.attempts = 0

    def deliver(self) -> dict[str, str]:
        """Try all that is due; our id -> the receiver's own, where an answer told it."""
        failures, until = self._outbox.standing(self._system)
        named: dict[str, str] = {}
        held: set[str] = set()
        after = 0
        if until > self._clock.now_ms():
            return named
        while pending := self._outbox.waiting(self._system, after, AT_ONCE):
            after = pending[-1].id
            for each in pending:
                if each.letter.ref in held:
                    continue
                if each.due > self._clock.now_ms():
                    held.add(each.letter.ref)
                    continue
                match self._attempt(each):
                    case Delivered(id=id_):
                        if failures:
                            failures = 0
                            self._outbox.set_standing(self._system, 0, 0)
                        if id_ is not None and id_ != each.letter.ref:
                            named[each.letter.ref] = id_
                    case Failed() as failed:
                        held.add(each.letter.ref)
                        failures += 1
                        alone = self._alone(failed, failures)
                        self._postpone(each, failed.code, alone)
                        self._outbox.set_standing(self._system, failures, alone)
                        if alone:
                            return named
        return named

    def _attempt(self, pending: Pending) -> Delivered | Failed:
        self.attempts += 1
        letter = pending.letter
        self._sending()
        found = self._way.send(letter.key, orjson.dumps(letter.body), self._clock.now_ms())
        if isinstance(found, Delivered):
            self._outbox.delivered(pending.id)
        return found

    def _alone(self, failed: Failed, failures: int) -> int:
        """Until when the endpoint is left alone (ms); 0: it is not."""
        alone = max(int(min(failed.after_s * 1_000, ASKED_MS)), ALONE_MS if failures >= FAILURES else 0)
        return self._clock.now_ms() + alone if alone else 0

    def _postpone(self, pending: Pending, code: str, alone: int) -> None:
        left = WAITS_S[pending.attempts :]
        due = max(self._clock.now_ms() + left[0] * 1_000, alone) if left else None
        self._outbox.failed(pending.id, pending.attempts + 1, due, code)
