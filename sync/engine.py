"""The run: settle, pull, plan, guard; then, approved, commit and send; and what it amounted to.

The caller holds the workspace's lease. A run may be stopped at any instruction and started again.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..model.errors import ConfigurationError, SafetyStop
from ..state import accounts, actions, closing, links, people, runs, signals, thinning
from .deciding.guard import Situation, Stop, weigh
from .looking.pulling import Pulled, pull_all
from .people.who import Scope, find_scope
from .planning.plan import Tally
from .planning.planner import Planner
from .sending import ledger
from .sending.apply import Sender
from .sending.canary import canary
from .sending.commit import commit_decisions
from .sending.companies import Named
from .sending.outcome import Count
from .sending.settle import settle
from .sending.standing import HORIZON, horizon, touched
from .session import Session


@dataclass(frozen=True, slots=True)
class PlanReport:
    """A stored plan. `run` and `digest` name it; `stops` are the guards that stand before its application. `late`: whose clocks ran out unanswered.

    `companies`: system -> to which companies people would be linked there, where that was looked up for somebody who looks at the plan.
    """

    run: int
    digest: str
    tally: Tally
    stops: tuple[Stop, ...]
    pulled: Mapping[str, Pulled] = field(default_factory=dict[str, Pulled])
    settled: int = 0
    late: Sequence[int] = ()
    own_s: float = 0.0
    companies: Mapping[str, Named] = field(default_factory=dict[str, Named])

    @property
    def breached(self) -> int:
        """How many clocks ran out unanswered."""
        return len(self.late)

    @property
    def empty(self) -> bool:
        """Nothing would be written."""
        return self.tally.records == 0


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did. `systems`: name -> what was written there; `held`: all open holds; `drifted`: people left to the next run.

    `breached`: clocks that ran out unanswered. `promoted`: (qualification rule, its mode) -> for how many people it speaks.
    `unread`: (system, what it did not tell although it was asked): the run went on without. `ahead`: people who were written and read back before the others.
    `quota`: system -> calls of its account used today, by anybody, and how many it has; where the vendor tells.
    """

    run: int
    systems: Mapping[str, Count]
    calls: Mapping[str, int]
    vendor_s: float
    own_s: float
    people: int
    held: int
    new_holds: int
    overruled: int
    drifted: int = 0
    breached: int = 0
    promoted: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    unread: Sequence[tuple[str, str]] = ()
    ahead: int = 0
    quota: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    error: Exception | None = None

    @property
    def writes(self) -> int:
        """Records written in all systems."""
        return sum(count.writes for count in self.systems.values())

    @property
    def rejected(self) -> int:
        """Records that a system refused."""
        return sum(count.rejected for count in self.systems.values())

    @property
    def unknown(self) -> int:
        """Writes of which nobody could say at the end what came of them."""
        return sum(count.unknown for count in self.systems.values())

    @property
    def left(self) -> bool:
        """Not all that was to be done is known to be done: somebody edited meanwhile, a system put it off, or nobody knows what came of a write."""
        return bool(self.drifted or self.unknown or any(count.skipped for count in self.systems.values()))

    def exit_code(self, *, again: bool) -> int:
        """0 clean; 1 where this run made new holds or rejections, or nobody knows what came of a write.

        `again`: the same goes on with the next run by itself. Where nobody comes again, 1 also if anything was left.
        """
        return int(bool(self.new_holds or self.rejected or self.unknown or (self.left and not again)))


def plan(session: Session, only: Sequence[str] = (), *, keep: int = closing.NONE) -> PlanReport:
    """Settle what is open, read what is new, and store a plan. Writes nothing anywhere but in the state.

    `only`: the people to whom it is limited, as somebody names them. `keep`: the run whose stored plan goes on lying there; all others give way to this one.
    Raises `ConfigurationError` for a name that nobody has.
    """
    clock = time.process_time()
    run, before, first, changed = _begin(session, keep)
    session.begun(run)
    settled = settle(session, run)
    pulled = pull_all(session, run)
    late = ledger.breaches(session)
    _look_again(session, session.clock.now_ms())
    session = replace(session, desk=replace(session.desk, remapped=changed, begun=not first))
    planner = Planner(session, run, _scope(session, only))
    digest = planner.make()
    tally = planner.tally
    situation = _situation(session, tally, before, first=first, changed=changed)
    stops = weigh(situation, session.limits)
    if tally.records == 0:
        stops = [stop for stop in stops if not stop.by_yes]
    with session.store.write() as tx:
        counts = {**_plan_counts(tally, stops), "breached": len(late), "unread": _unread(pulled), "limited": bool(only), "live": situation.live}
        counts[HORIZON] = horizon(tx)
        runs.finish(tx, run, session.clock.now_ms(), "planned", counts, digest)
    return PlanReport(run, digest, tally, tuple(stops), pulled, settled, late, time.process_time() - clock)


def take_up(session: Session, row: runs.RunRow) -> PlanReport:
    """Before a stored plan of an earlier day is carried out: settle what is open, read what is new, and weigh it once more, with all who came since.

    What no longer stands of it is found out by `apply`, when it is told that the plan is a `stored` one. Writes nothing anywhere but in the state.
    """
    clock = time.process_time()
    with session.store.write() as tx:
        closing.recover(tx, session.workspace, session.clock.now_ms())
        before, workspace = links.counts(tx, session.workspace), accounts.workspace(tx, session.name)
    session.begun(row.id)
    settled = settle(session, row.id)
    pulled = pull_all(session, row.id)
    _look_again(session, session.clock.now_ms())
    tally = Tally(people=int(row.counts["people"]), writes=Counter({(system, kind): count for system, kind, count in row.counts["writes"]}))
    _count_newcomers(session, row.counts.get("live", {}), tally)
    tally.records = tally.written = sum(count for (_, kind), count in tally.writes.items() if kind != "lowerings")
    stops = weigh(_situation(session, tally, before, first=not workspace.synced, changed=workspace.mapping not in (None, row.mapping)), session.limits)
    return PlanReport(row.id, row.digest or "", tally, tuple(stops), pulled, settled, own_s=time.process_time() - clock)


def _count_newcomers(session: Session, seen: Mapping[str, int], tally: Tally) -> None:
    """Each record more than a plan saw (`seen`: system -> records) may become one more in every other system."""
    with session.store.read() as tx:
        now = links.counts(tx, session.workspace)
    more = {each.name: max(0, now[account].live - seen.get(each.name, 0)) for account, each in session.systems.items() if account in now and each.system.reads}
    for each in session.systems.values():
        if each.system.writes and each.system.creates:
            tally.writes[each.name, "creates"] += sum(count for name, count in more.items() if name != each.name)


def _look_again(session: Session, now: int) -> None:
    """Time alone calls for a look at some, and for some a signal has found its person."""
    with session.store.write() as tx:
        people.mark_reviews_due(tx, session.workspace, now)
        people.mark_due(tx, session.workspace, signals.attach(tx, session.workspace), now)


def _scope(session: Session, only: Sequence[str]) -> Scope | None:
    if not only:
        return None
    with session.store.read() as tx:
        return find_scope(tx, session.workspace, {connected.name: account for account, connected in session.systems.items()}, only)


def _begin(session: Session, keep: int) -> tuple[int, Mapping[int, links.Counts], bool, bool]:
    now = session.clock.now_ms()
    with session.store.write() as tx:
        closing.recover(tx, session.workspace, now)
        closing.supersede(tx, session.workspace, keep)
        workspace = accounts.workspace(tx, session.name)
        changed = workspace.mapping is not None and workspace.mapping != session.desk.maps.digest
        if changed:
            closing.mark_everybody_due(tx, session.workspace, now)
        run = runs.start(tx, session.workspace, "sync", now, session.desk.maps.digest)
        return run, links.counts(tx, session.workspace), not workspace.synced, changed


def _situation(session: Session, tally: Tally, before: Mapping[int, links.Counts], *, first: bool, changed: bool) -> Situation:
    with session.store.read() as tx:
        now, applied = links.counts(tx, session.workspace), runs.last_written(tx, session.workspace)
        known = people.count(tx, session.workspace) if tally.written else 0  # everybody is counted only where a share of them is asked for
    names = {account: connected.name for account, connected in session.systems.items()}
    noted = {name: count for name, count in (applied.counts.get("live", {}) if applied else {}).items() if name in names.values()}
    return Situation(
        writes=dict(tally.writes),
        linked={name: now[account].linked if account in now else 0 for account, name in names.items()},
        live={name: now[account].live if account in now else 0 for account, name in names.items()},
        before={**{names[account]: count.live for account, count in before.items() if account in names and count.linked}, **noted},
        first_run=first,
        mapping_changed=changed,
        written=tally.written,
        people=known,
    )


def _plan_counts(tally: Tally, stops: Sequence[Stop]) -> dict[str, Any]:
    return {
        "people": tally.people,
        "writes": [[system, kind, count] for (system, kind), count in sorted(tally.writes.items())],
        "held": sum(tally.holds.values()),
        "new_holds": tally.new_holds,
        "overruled": tally.overruled,
        "excluded": [[system, reason, count] for (system, reason), count in sorted(tally.excluded.items())],
        "unmapped": [[system, value, count] for (system, value), count in sorted(tally.unmapped.items())],
        "promoted": [[rule, mode, count] for (rule, mode), count in sorted(tally.promoted.items())],
        "stops": [[stop.kind, stop.sentence] for stop in stops],
    }


def _unread(pulled: Mapping[str, Pulled]) -> list[list[str]]:
    return [[system, finding] for system, each in pulled.items() for finding in each.findings]


def load_plan(session: Session, digest: str) -> runs.RunRow:
    """The stored plan of that digest. Raises `ConfigurationError` where there is none that can still be applied."""
    with session.store.read() as tx:
        found = runs.by_digest(tx, session.workspace, digest)
    if found is None or found.state != "planned":
        state = "there is no such plan" if found is None else f"that plan is {found.state}"
        raise ConfigurationError(f"{state}: {digest}", where="--approve", next_step="run `stagesync plan` and approve the digest that it shows")
    if found.mapping != session.desk.maps.digest:
        raise ConfigurationError("the mapping changed since this plan was made", where="--approve", next_step="run `stagesync plan` again")
    return found


def apply(
    session: Session, run: int, *, stored: bool = False, limit: int | None = None, planned: PlanReport | None = None, first: int | None = None
) -> RunReport:
    """Carry out a plan: its decisions become the state's, its writes are sent, several systems side by side.

    `stored`: time has passed since it was made, so whoever something happened to meanwhile is left to the next plan. `first`: so many people are
    written and read back before all others, who follow only where those landed as wanted.
    """
    clock = time.process_time()
    started = session.clock.now_ms()
    session.begun(run)
    with session.store.write() as tx:
        row = runs.by_id(tx, run)
        since = touched(tx, session.workspace, row) if stored and row is not None else None
        counts = {**(row.counts if row else {}), runs.APPLIED_AT: started, **({"approved": True} if stored else {})}
        runs.finish(tx, run, started, "applying", counts)
    halt = threading.Event()
    halting = replace(session, stop=lambda: session.stop() or halt.is_set())
    senders = [Sender(halting, connected, run, started, limit) for connected in session.systems.values() if connected.system.writes]
    ledgers = {sender.connected.system.account: sender.ledger for sender in senders}
    ahead, drifted, error = 0, 0, None

    def send_ahead(send: Callable[[Sender], None]) -> Exception | None:
        failed = _side_by_side(session, senders, send, halt)
        settle(session, run, started, ledgers)
        return failed

    if first is not None:
        ahead, error = canary(session, run, first, started, send_ahead, since)
    if error is None:
        drifted = commit_decisions(session, run, started, since, everybody=not counts.get("limited"))
        _look_again(session, started + 1)
        error = _side_by_side(session, senders, Sender.send, halt)
    settle(session, run, started, ledgers)
    _remark(session)
    with session.store.write() as tx:
        closing.settle_due(tx, session.workspace, run, started)
        actions.discard(tx, run)
        if limit is None and not counts.get("limited") and not isinstance(error, SafetyStop):  # a run for some people is no first run
            accounts.set_workspace(tx, session.workspace, mapping=session.desk.maps.digest, synced=True)
        held = actions.held(tx, session.workspace)
        still = Counter(row.account for row in actions.open_intents(tx, session.workspace))
        for account, ledger in ledgers.items():
            ledger.count.unknown = still[account]
        report = RunReport(
            run=run,
            systems={ledger.connected.name: ledger.count for ledger in ledgers.values()},
            calls={connected.name: connected.connector.usage().calls for connected in session.systems.values()},
            vendor_s=sum(connected.connector.usage().vendor_s for connected in session.systems.values()),
            own_s=time.process_time() - clock + (planned.own_s if planned else 0.0),
            people=int(counts.get("people", 0)),
            held=held,
            new_holds=int(counts.get("new_holds", 0)),
            overruled=int(counts.get("overruled", 0)),
            drifted=drifted,
            breached=int(counts.get("breached", 0)),
            promoted={(rule, mode): count for rule, mode, count in counts.get("promoted", ())},
            unread=[(system, finding) for system, finding in counts.get("unread", ())],
            ahead=ahead,
            quota=quota(session),
            error=error,
        )
        thinning.thin(tx, session.workspace, started)
        runs.finish(tx, run, session.clock.now_ms(), "stopped" if error or session.stop() else "applied", {**counts, **_run_counts(report, counts)})
    return report


def somebody_waits(session: Session) -> bool:
    """Whether a plan would look at anybody now, even if no system had anything new: somebody is due, or a record is nobody's yet."""
    with session.store.read() as tx:
        return bool(people.due(tx, session.workspace, 0, 1) or links.unmatched(tx, session.workspace, 0, 1))


def _remark(session: Session) -> None:
    for connected in session.systems.values():
        for remark in connected.connector.usage().remarks:
            session.tell(f"{connected.name}: {remark}")


def quota(session: Session) -> dict[str, tuple[int, int]]:
    """System -> calls of its account used today and how many it has, where the vendor has told."""
    usages = {connected.name: connected.connector.usage() for connected in session.systems.values()}
    return {name: (usage.daily_used, usage.daily_limit) for name, usage in usages.items() if usage.daily_used is not None and usage.daily_limit}


def _side_by_side(session: Session, senders: Sequence[Sender], send: Callable[[Sender], None], halt: threading.Event) -> Exception | None:
    """Every system's writes beside the others'; the first error, after all have ended. A fault of the configuration halts the others too."""
    errors: list[Exception] = []

    def work(sender: Sender) -> None:
        try:
            send(sender)
        except Exception as error:  # noqa: BLE001 - one system's trouble must not cut off the other's; it is raised by the caller
            errors.append(error)
            if isinstance(error, ConfigurationError):
                halt.set()

    session.beside.run([partial(work, sender) for sender in senders])
    return errors[0] if errors else None


def _run_counts(report: RunReport, planned: Mapping[str, Any]) -> dict[str, Any]:
    """`live`: the records that each system has now, by which a later run knows that one was emptied."""
    live: Mapping[str, int] = planned.get("live", {})
    return {
        "live": {name: count + done.created - done.archived if (done := report.systems.get(name)) else count for name, count in live.items()},
        "created": sum(count.created for count in report.systems.values()),
        "updated": sum(count.updated for count in report.systems.values()),
        "archived": sum(count.archived for count in report.systems.values()),
        "rejected": report.rejected,
        "open_holds": report.held,
        "calls": dict(report.calls),
        "drifted": report.drifted,
        "quota": report.quota,
    }
