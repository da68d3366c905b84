"""Looks after one workspace: whether it is due, one run at a time, and when to look again.

Whoever runs holds the workspace's lease, and moves the row of the schedule on before the run begins. So of several services on one database each slot
is run by one of them; a run by hand makes the service wait; and a run whose program was killed is made up for by whoever gets the lease next.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ...model.errors import Busy, StagesyncError
from ...model.ports import Clock
from ...state import schedule
from ...state.schedule import ScheduleRow
from ...state.store import Tx
from .. import wiring
from ..clock import SystemClock
from ..configuration.config import Config
from ..terminal import logs
from ..terminal.shell import INTERRUPTED
from ..views import words
from ..wiring import Place
from .course import Ended, course

LONGEST_MS = 60_000
"""A workspace is looked at so often at least, whatever its timetable: a clock may be set, and another service's run may break off."""
BUSY_MS = 5_000
WAKE_MS = 200
"""So long after the first event a run begins, with whatever else has come in meanwhile."""
GAP_MS = 1_000
"""Woken runs begin so far apart at least, so that a stream of events does not become a stream of runs."""

log = structlog.get_logger("stagesync.service")


@dataclass(slots=True)
class Watch:
    """One workspace. `again(at)`: have `look` called at that moment, instead of any other that was asked for. `ended`: told of every run."""

    config: Config
    stop: threading.Event
    again: Callable[[int], None]
    ended: Callable[[Config, Ended, float], None]
    clock: Clock = field(default_factory=SystemClock)
    idle: threading.Event = field(default_factory=threading.Event)
    """No look is under way."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wanted: bool = False
    _woken: int = 0
    _began: int = 0
    _said: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        self.idle.set()

    def start(self) -> None:
        """Look for the first time."""
        with self._lock:
            self.again(self.clock.now_ms())

    def wake(self) -> None:
        """Something has come in: look soon, whatever the timetable says."""
        with self._lock:
            if self._wanted:  # a look is coming; to put it off with every event would be never to run while they stream in
                return
            self._wanted, self._woken = True, self.clock.now_ms()
            if self.idle.is_set():
                self.again(self._soon())

    def look(self) -> None:
        """Run the workspace if it is due or was woken, and settle when to look again."""
        with self._lock:
            if self.stop.is_set() or not self.idle.is_set():
                return
            self.idle.clear()
            wanted, self._wanted = self._wanted, False
        at, still_wanted = self.clock.now_ms() + LONGEST_MS, False
        try:
            at = min(at, self._look(wanted))
        except Busy:
            at, still_wanted = self.clock.now_ms() + BUSY_MS, wanted
        except StagesyncError as error:
            self._tell(Ended(error.exit_code, str(error)), None, 0)
            at, still_wanted = self.clock.now_ms() + BUSY_MS, wanted
        finally:
            with self._lock:
                at = self._soon() if self._wanted else at
                self._wanted = self._wanted or still_wanted
                self.again(at)
                self.idle.set()

    def _soon(self) -> int:
        return max(self._woken + WAKE_MS, self._began + GAP_MS)

    def _look(self, wanted: bool) -> int:
        """When to look again. Raises `Busy`, `StateError`."""
        with wiring.opened(self.config, self.clock) as place:
            row = self._row(place)
            if not (wanted or _due(row, self.clock.now_ms())):
                return row.due_at
            with wiring.held(place, "serve"):
                begun = self._begin(place, wanted)
                if begun is not None:
                    self._run(place, begun)
            return self._row(place).due_at

    def _row(self, place: Place) -> ScheduleRow:
        """The workspace's row, made or moved where the timetable is new."""
        spec, now = str(self.config.timetable), self.clock.now_ms()
        with place.store.read() as tx:
            row = schedule.get(tx, place.id)
        if row is None or row.spec != spec:
            with place.store.unguarded() as tx:
                self._move(tx, place.id, self.config.timetable.following(now))
                row = schedule.get(tx, place.id)
        assert row is not None
        return row

    def _move(self, tx: Tx, ws: int, slot: int) -> None:
        schedule.set_next(tx, ws, str(self.config.timetable), slot, self.config.timetable.due(self.config.workspace, slot))

    def _begin(self, place: Place, wanted: bool) -> ScheduleRow | None:
        """Take the slot; the row as it was. None where another service has run it while we waited for the lease. All slots that were missed are this one."""
        with place.store.write() as tx:
            now, row = self.clock.now_ms(), schedule.get(tx, place.id)
            assert row is not None
            if not (wanted or _due(row, now)):
                return None
            if row.due_at <= now:
                self._move(tx, place.id, self.config.timetable.following(now, row.slot))
            schedule.begin(tx, place.id, now, f"stagesync serve on {socket.gethostname()}, pid {os.getpid()}")
        return row

    def _run(self, place: Place, row: ScheduleRow) -> None:
        """A run that was asked to stop is not ended: it is made up for as soon as a service starts."""
        self._began, started = self.clock.now_ms(), self.clock.monotonic()
        with logs.about(self.config.workspace):
            ended = course(place, self.stop)
        if ended.code != INTERRUPTED:
            with place.store.write() as tx:
                schedule.end(tx, place.id, self.clock.now_ms(), ended.outcome, ended.reason, row.failures + 1 if ended.failed else 0)
        self._tell(ended, row.slot if row.due_at <= self._began else None, self.clock.monotonic() - started)

    def _tell(self, ended: Ended, slot: int | None, took_s: float) -> None:
        """One line of the log. What is said again and again is said once as a warning. `slot`: of the timetable; None where events called for the run."""
        news = (ended.outcome, ended.reason)
        level = "info" if ended.code in (0, 1) or news == self._said else "warning"
        self._said = news
        told = {"workspace": self.config.workspace, "run": ended.run, "outcome": ended.outcome, "slot": words.stamp(slot), "took_s": round(took_s, 3)}
        if ended.report is not None:
            report = ended.report
            told |= {"people": report.people, "writes": report.writes, "rejected": report.rejected, "held": report.held, "new_holds": report.new_holds}
        if ended.reason:
            told["reason"] = ended.reason
        getattr(log, level)("run ended", **told)
        self.ended(self.config, ended, took_s)


def _due(row: ScheduleRow, now: int) -> bool:
    return row.due_at <= now or row.broken_off
