"""The process that is measured: `python -m bench.measured sync|decide|read|plain|drain|why CONFIG` does one thing and prints what it cost as JSON.

`sync`: one whole run, approved, whatever the guards say. `decide`: a plan, with the decisions on a clock. `read`: our connectors read everything and it is
thrown away. `plain`: the same fields read by httpx and orjson with nothing around them. `drain`: what lies in the inbox goes into the state. `why`: the
story of each person that is named, twice.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from stagesync.app.running import Running


def cpu_s() -> float:
    """User + system time of this process with all its threads, so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(what: str, config: Path, whos: list[str]) -> None:
    """Do it, and tell."""
    jobs: dict[str, Callable[[Path], dict[str, Any]]] = {
        "sync": sync,
        "decide": decide,
        "read": read,
        "plain": plain,
        "drain": drain,
        "why": lambda config: why(config, whos),
    }
    told = jobs[what](config)
    told |= {"cpu_s": cpu_s(), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    print(orjson.dumps(told).decode())


def _running(config: Path) -> AbstractContextManager[Running]:
    from stagesync.app.configuration.loading import load
    from stagesync.app.running import running

    return running("bench", load(config))


def sync(config: Path) -> dict[str, Any]:
    """Plan and apply, as `stagesync sync` does."""
    from stagesync.sync import engine
    from stagesync.sync.sending.apply import Sender

    from .state_time import StateTime

    state, sending = StateTime(), dict[str, dict[str, float]]()
    send = Sender.send

    def timed(self: Sender) -> None:
        connected = self.connected
        began, calls = time.perf_counter(), connected.connector.usage().calls
        send(self)
        sending[connected.name] = {"seconds": time.perf_counter() - began, "calls": connected.connector.usage().calls - calls}

    Sender.send = timed
    with _running(config) as run:
        state.watch()
        before = cpu_s()
        planned = engine.plan(run.session)
        report = engine.apply(run.session, planned.run, planned=planned)
        engine_s = cpu_s() - before
    if report.error is not None:
        raise report.error
    created = sum(count.created for count in report.systems.values())
    told = {"people": report.people, "writes": report.writes, "created": created, "held": report.held, "rejected": report.rejected, "drifted": report.drifted}
    return {**told, "sending": sending, "engine_cpu_s": engine_s, "plan_own_s": planned.own_s, "state_cpu_s": state.total_s}


def decide(config: Path) -> dict[str, Any]:
    """A plan, and after it another one over the same people unchanged: what the fields and what the stage took of each person."""
    from stagesync.sync import engine
    from stagesync.sync.deciding import reconcile
    from stagesync.sync.planning import planner

    clocks = {"all": 0.0, "stage": 0.0}
    calls = {"all": 0, "stage": 0}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            before = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                clocks[name] += time.thread_time() - before
                calls[name] += 1

        return run

    planner.__dict__["reconcile"] = timed("all", planner.reconcile)
    reconcile.__dict__["decide_stage"] = timed("stage", reconcile.decide_stage)
    with _running(config) as run:
        planned = engine.plan(run.session)
        people, stage, total = planned.tally.people, clocks["stage"], clocks["all"]
        engine.apply(run.session, planned.run, planned=planned)
        engine.apply(run.session, (again := engine.plan(run.session)).run, planned=again)
        before = calls["stage"]
        engine.plan(run.session)
    return {"people": people, "stage_us": stage / people * 1e6, "merge_us": (total - stage) / people * 1e6, "unchanged": calls["stage"] - before}


def read(config: Path) -> dict[str, Any]:
    """Both systems read to the end through our connectors, one after the other."""
    from stagesync.model.records import Query

    found: dict[str, Any] = {}
    with _running(config) as run:
        for account, connected in run.session.systems.items():
            before, began = time.process_time(), time.perf_counter()
            records = sum(len(page.records) for page in connected.connector.pull(Query(run.session.asks(account))))
            found[connected.name] = {"records": records, "us": (time.process_time() - before) / records * 1e6, "seconds": time.perf_counter() - began}
    return {"systems": found}


def plain(config: Path) -> dict[str, Any]:
    """The floor."""

    from .plain_reader import hubspot_rows, salesforce_rows

    with _running(config) as run:
        asks = {connected.name: run.session.asks(account) for account, connected in run.session.systems.items()}
    found: dict[str, Any] = {}
    for name, rows in (("hubspot", hubspot_rows(config, asks["hubspot"]["contact"])), ("salesforce", salesforce_rows(config, asks["salesforce"]["lead"]))):
        before = time.process_time()
        records = sum(len(page) for page in rows)
        found[name] = {"records": records, "us": (time.process_time() - before) / records * 1e6}
    return {"systems": found}


def drain(config: Path) -> dict[str, Any]:
    """The pull of a run, of which the inbox is all but everything: how many events, the seconds of the clock, and those of CPU."""
    from stagesync.state import inbox, runs
    from stagesync.sync.looking.pulling import pull_all

    with _running(config) as run:
        with inbox.inbox_of(run.place.config.state_url) as store:
            assert store is not None
            with store.read() as tx:
                events = sum(each.events for each in inbox.waiting(tx, run.place.config.workspace) if each.state == "new")
        with run.session.store.write() as tx:
            number = runs.start(tx, run.session.workspace, "sync", run.session.clock.now_ms(), "")
        before, own = time.perf_counter(), cpu_s()
        pull_all(run.session, number)
        return {"events": events, "seconds": time.perf_counter() - before, "own_s": cpu_s() - own}


def why(config: Path, whos: list[str]) -> dict[str, Any]:
    """Who is meant, and their whole story in words, in milliseconds of the clock: the first time and the second time for each. Asks no system."""
    from stagesync.app import wiring
    from stagesync.app.configuration.loading import load
    from stagesync.app.courses import people
    from stagesync.app.views.why import why_text

    found: dict[str, list[float]] = {"cold_ms": [], "warm_ms": []}
    with wiring.opened(load(config)) as place, wiring.connected(place, any_age=True) as session:
        for who in whos:
            for times in found.values():
                before = time.perf_counter()
                person = min(people.chosen(place.store, place.id, place.bound(), [who]) or ())
                with place.store.read() as tx:
                    why_text(tx, session, person)
                times.append((time.perf_counter() - before) * 1000)
    return found


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
