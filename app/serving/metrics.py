"""What the service tells Prometheus. `docs/service.md` says what each number means and when to be alarmed.

Counters count what this program did since it started; gauges of the state are read when they are asked for, so that they are right
whichever program changed it. Everything is in a registry of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...model.errors import StagesyncError
from ...state import accounts, clocks, runs, schedule
from ...state.store import Tx
from ...sync.sending import failures
from .. import wiring
from ..configuration.config import Config
from ..standing.queues import Queue, queues
from .course import Ended
from .files import Found

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """All of them. `ended` and `received` may be called from any thread."""

    def __init__(self, found: Found) -> None:
        self.registry = CollectorRegistry()
        self._runs = self._counter("stagesync_runs", "Runs by how they ended", "workspace", "outcome")
        self._seconds = Histogram("stagesync_run_seconds", "How long runs took", ("workspace",), buckets=_SECONDS, registry=self.registry)
        self._people = self._counter("stagesync_people", "People who had something to settle", "workspace")
        self._writes = self._counter("stagesync_writes", "Records written", "workspace", "system", "kind")
        self._rejected = self._counter("stagesync_rejected", "Writes that a system refused for good", "workspace", "system")
        self._calls = self._counter("stagesync_calls", "API calls of runs that came to their end", "workspace", "system")
        self._holds = self._counter("stagesync_holds", "New questions to somebody", "workspace")
        self._stops = self._counter("stagesync_guard_stops", "Runs that a guard stopped before the first write", "workspace", "guard")
        self._breaches = self._counter("stagesync_sla_breaches", "People whom nobody answered in the agreed time", "workspace")
        self._events = self._counter("stagesync_webhook_events", "Events that were posted, by what became of them", "system", "what")
        self.registry.register(_State(found))

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def ended(self, config: Config, ended: Ended, took_s: float) -> None:
        """A run has ended."""
        name = config.workspace
        self._runs.labels(name, ended.outcome).inc()
        self._seconds.labels(name).observe(took_s)
        if ended.plan is not None:
            self._breaches.labels(name).inc(ended.plan.breached)
            for stop in ended.plan.stops:
                self._stops.labels(name, stop.kind).inc()
        if ended.report is None:
            return
        report = ended.report
        self._people.labels(name).inc(report.people)
        self._holds.labels(name).inc(report.new_holds)
        for system, count in report.systems.items():
            for kind, number in (("created", count.created), ("updated", count.updated), ("archived", count.archived)):
                self._writes.labels(name, system, kind).inc(number)
            self._rejected.labels(name, system).inc(count.rejected)
        for system, calls in report.calls.items():
            self._calls.labels(name, system).inc(calls)

    def received(self, system: str, what: str, number: int) -> None:
        """Events were posted and stored, known already, or refused."""
        self._events.labels(system, what).inc(number)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _State(Collector):
    """Gauges that are read from each workspace's state when they are asked for."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._lock = threading.Lock()
        self._parked: dict[str, tuple[tuple[int, int | None], int]] = {}

    def collect(self) -> Iterable[Metric]:
        """Every gauge with the samples of all workspaces."""
        gauges = _Gauges()
        gauges.add("stagesync_configurations_broken", "Configuration files that cannot be used", [], len(self._found.broken))
        for config in self._found.configs:
            try:
                with wiring.opened(config) as place, place.store.read() as tx:
                    self._workspace(tx, place, gauges)
                there = 1
            except StagesyncError:
                there = 0
            gauges.add("stagesync_state_up", "The state can be read", [config.workspace], there)
        return gauges.families.values()

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when this is registered."""
        return []

    def _workspace(self, tx: Tx, place: wiring.Place, gauges: _Gauges) -> None:
        name, now = place.config.workspace, place.clock.now_ms()
        read = accounts.read_at(tx, place.id)
        for system, account in accounts.bound(tx, place.id).items():
            if system in place.config.systems and (at := read.get(account)) is not None:
                gauges.add("stagesync_lag_seconds", "Since a system was last read to its end", [name, system], max(now - at, 0) / 1000)
        row, last = schedule.get(tx, place.id), runs.last_applied(tx, place.id)
        if row is not None:
            gauges.add("stagesync_next_run_timestamp_seconds", "When the next run is due", [name], row.due_at / 1000)
            gauges.add("stagesync_failures_in_a_row", "Runs that failed since the last one that did not", [name], row.failures)
        if last is not None:
            gauges.add("stagesync_holds_open", "Questions that wait for an answer, as of the last run", [name], last.counts.get("open_holds", 0))
            for system, (used, limit) in last.counts.get("quota", {}).items():
                gauges.add("stagesync_quota_left", "API calls of today that the account has left, as of the last run", [name, system], limit - used)
                gauges.add("stagesync_quota_limit", "API calls a day that the account has", [name, system], limit)
        for queue in queues(tx, place):
            _queue(queue, name, now, gauges)
        gauges.add("stagesync_errors_parked", "Refused writes that wait until something changes", [name], self._errors(tx, place))
        waiting, _, overdue = clocks.ticking(tx, place.id, now)
        gauges.add("stagesync_acceptance_waiting", "People to be accepted, in time", [name], waiting)
        gauges.add("stagesync_acceptance_overdue", "People to be accepted whose time ran out since the last run", [name], overdue)

    def _errors(self, tx: Tx, place: wiring.Place) -> int:
        """Counted anew only after a run: each is looked at for that."""
        row = runs.last(tx, place.id)
        mark = (row.id, row.finished_at) if row is not None else (0, None)
        with self._lock:
            known = self._parked.get(place.config.workspace)
        if known is None or known[0] != mark:
            known = mark, failures.count(tx, place.id)
            with self._lock:
                self._parked[place.config.workspace] = known
        return known[1]


def _queue(queue: Queue, workspace: str, now: int, gauges: _Gauges) -> None:
    labels = [workspace, queue.system]
    for box, whose, number, since in (("inbox", "of the system", queue.told, queue.told_since), ("outbox", "for the system", queue.ours, queue.ours_since)):
        gauges.add(f"stagesync_{box}_waiting", f"Events {whose} that wait", labels, number)
        gauges.add(
            f"stagesync_{box}_oldest_seconds", f"Since the first of the events {whose} that wait", labels, 0 if since is None else max(now - since, 0) / 1000
        )
    gauges.add("stagesync_inbox_parked", "Events of the system that could not be understood", labels, queue.parked)
    gauges.add("stagesync_outbox_dead", "Events for the system that were given up", labels, queue.dead)


class _Gauges:
    """Samples, gathered into their families."""

    def __init__(self) -> None:
        self.families: dict[str, GaugeMetricFamily] = {}

    def add(self, name: str, told: str, labels: Sequence[str], value: float) -> None:
        """One sample; labels are the workspace and the system, as far as they are given."""
        family = self.families.get(name)
        if family is None:
            family = self.families[name] = GaugeMetricFamily(name, told, labels=("workspace", "system")[: len(labels)])
        family.add_metric(list(labels), value)
