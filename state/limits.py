"""Pacing that all programs on one database share: one row per bucket, a generic cell rate algorithm (GCRA).

The row holds the time of the next free slot. Slots lie `interval` apart; a program takes some of them at once, so that few
calls need the database. A slot whose time has passed by up to the *burst* may still be used: after a pause the first calls need not wait.
A fifteenth of the rate is burst and the interval is stretched for it, so that no window of `seconds` ever sees more than `calls`.
"""

from __future__ import annotations

import threading
from collections import deque

from sqlalchemy import BindParameter, Float, bindparam, case, update

from ..model.ports import Clock, Rate
from .schema import limit
from .sql import Bulk, Statement
from .store import Store

_BLOCK = 10
_AHEAD_MS = 60_000  # nobody queues this far: such a row was written before a clock was set back

_c = limit.c
_FIRST = Bulk(limit, ("bucket", "next"), ignore=True)


def _number(name: str) -> BindParameter[float]:
    return bindparam(name, type_=Float(53))


_START = case((_c.next < _number("earliest"), _number("earliest")), (_c.next > _number("latest"), _number("earliest")), else_=_c.next)
_TAKE = Statement(update(limit).where(_c.bucket == bindparam("name")).values(next=_START + _number("span")).returning(_c.next - _number("span")))


class StoreLimiter:
    """The `Limiter` port over a store. It may be used from several threads; not inside a write transaction of the same store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._slots: dict[str, deque[float]] = {}

    def take(self, bucket: str, rate: Rate) -> None:
        """Wait until one more call may be made."""
        burst = max(1, rate.calls // 15)
        interval = rate.seconds * 1000 / (rate.calls - burst + 1)
        with self._lock:
            now = self._clock.now_ms()
            slots = self._slots.setdefault(bucket, deque())
            while slots and slots[0] < now - (burst - 1) * interval:  # left over from before a pause: using it would exceed the rate
                slots.popleft()
            if not slots:
                slots.extend(self._reserve(bucket, now, burst, interval, min(_BLOCK, max(1, rate.calls // 10))))
            slot = slots.popleft()
        if slot > now:
            self._clock.sleep((slot - now) / 1000)

    def _reserve(self, bucket: str, now: int, burst: int, interval: float, n: int) -> list[float]:
        asked = {"name": bucket, "earliest": now - (burst - 1) * interval, "latest": now + _AHEAD_MS + n * interval, "span": n * interval}
        with self._store.unguarded() as tx:
            taken = tx.rows(_TAKE, asked)
            if not taken:
                tx.many(_FIRST, [(bucket, asked["earliest"])])
                taken = tx.rows(_TAKE, asked)
        return [taken[0][0] + i * interval for i in range(n)]
