"""All workspaces of one service: APScheduler says when to look at which, the state says whether it is due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from ...model.ports import Clock
from ..clock import SystemClock
from ..configuration.config import Config
from .course import Ended
from .watch import Watch

AT_ONCE = 8
"""So many workspaces run side by side."""
_OFTEN_S = 0.1


class Service:
    """The scheduler and one watch per workspace. `ended`: told of every run, in the thread that made it."""

    def __init__(self, configs: Sequence[Config], ended: Callable[[Config, Ended, float], None], clock: Clock | None = None) -> None:
        self._stop = threading.Event()
        self._scheduler: Any = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(min(len(configs), AT_ONCE))},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )
        clock = clock or SystemClock()
        self._watches: dict[str, list[Watch]] = {}
        for config in configs:
            alarm = _Alarm(self._scheduler, self._stop)
            watch = Watch(config, self._stop, alarm.set, ended, clock)
            alarm.call = watch.look
            self._watches.setdefault(config.workspace, []).append(watch)

    def start(self) -> None:
        """Look at every workspace now, and from then on whenever it may be due."""
        self._scheduler.start()
        for watches in self._watches.values():
            for watch in watches:
                watch.start()

    def wake(self, workspace: str) -> None:
        """Events of this workspace came in: it is run soon, together with whatever else comes in meanwhile. May be called from any thread."""
        for watch in self._watches.get(workspace, ()):
            watch.wake()

    @property
    def running(self) -> bool:
        """Workspaces are looked at."""
        return bool(self._scheduler.running) and not self._stop.is_set()

    def drain(self) -> None:
        """Begin no run any more, let those that are under way finish the batch in hand, and wait for that."""
        self._stop.set()
        self._scheduler.shutdown(wait=False)  # it would wait with its locks held, which a look that ends also takes
        for watches in self._watches.values():
            for watch in watches:
                while not watch.idle.wait(_OFTEN_S):  # and not for ever: a second signal that another thread gets would wake nobody
                    pass


class _Alarm:
    """The next look at one workspace. Each is a job of its own: one that is set while the last look still ends is not lost to `max_instances`."""

    call: Callable[[], None]

    def __init__(self, scheduler: Any, stop: threading.Event) -> None:
        self._scheduler, self._stop = scheduler, stop
        self._job: Job | None = None

    def set(self, at: int) -> None:
        """Look at that moment, and not at the one that was set before."""
        if self._job is not None:
            with suppress(JobLookupError):  # it has fired
                self._scheduler.remove_job(self._job.id)
        self._job = None if self._stop.is_set() else self._scheduler.add_job(self.call, DateTrigger(datetime.fromtimestamp(at / 1000, UTC)))
