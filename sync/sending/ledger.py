"""The ledger of stages: what a committed decision enters into it, and the clock that runs until sales answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...model.stages import StageReading
from ...state import accounts, entries, people
from ...state.actions import ActionRow
from ...state.entries import EntryRow, NewEntry
from ...state.store import Tx
from ..session import Session

CHUNK = 2_000


def enter(tx: Tx, session: Session, rows: Sequence[ActionRow], now: int) -> None:
    """Write down everybody whose stage these decisions changed. `now`: when we observed it (ms)."""
    moved = [row for row in rows if row.payload.get("stays")]
    if not moved:
        return
    running = entries.running(tx, session.workspace, [row.person or 0 for row in moved if not row.payload["new"]]) if session.desk.policy.sla else {}
    before = accounts.workspace(tx, session.name)
    recent = before.synced and before.mapping == session.desk.maps.digest
    found = [entry for row in moved for entry in _entries(session, row, now, ticking=(row.person or 0) in running, recent=recent)]
    entries.enter(tx, session.workspace, found)
    _answer(tx, session, moved, running, now)


def _entries(session: Session, row: ActionRow, now: int, *, ticking: bool, recent: bool) -> Iterator[NewEntry]:
    """One for each place that was entered, in order. `ticking`: a clock runs for the person already. `recent`: whoever is met now has come since the last
    run, so that the clock starts for them too; whom a first sync meets may stand there for years.
    """
    sla, funnel, first = session.desk.policy.sla, session.desk.funnel, bool(row.payload["new"])
    for number, (stage, side, reason, pass_no, _, at, system, actor, evidence, source, owner) in enumerate(row.payload["stays"]):
        met = first and not number
        place, due = StageReading(stage, side, reason), None
        last = number == len(row.payload["stays"]) - 1
        if sla is not None and last and (recent or not met) and not ticking and sla.starts_at(place) and not sla.answered(funnel, place):
            due = sla.due(now if at is None else at)
        yield NewEntry(
            person=row.person or 0,
            pass_no=pass_no,
            stage=stage,
            side=side,
            reason=reason,
            entered_at=at,
            entered_seen=now,
            system=system,
            actor=actor,
            evidence=evidence,
            source=source,
            owner=owner,
            run=row.run,
            origin="first" if met else "run",
            due_at=due,
        )


def _answer(tx: Tx, session: Session, moved: Sequence[ActionRow], running: dict[int, EntryRow], now: int) -> None:
    """Sales accepted or refused: the clock stops, by the vendor's time where it is known."""
    sla, settled = session.desk.policy.sla, list[tuple[int, int]]()
    for row in moved:
        clock = running.get(row.person or 0)
        if sla is None or clock is None:
            continue
        for stage, side, reason, pass_no, _, at, *_ in row.payload["stays"]:
            if pass_no != clock.pass_no or sla.answered(session.desk.funnel, StageReading(stage, side, reason)):
                settled.append((clock.id, int((now if at is None else at) <= (clock.due_at or 0))))
                break
    entries.settle_clock(tx, settled)


def breaches(session: Session) -> list[int]:
    """Whose clocks ran out since the last look; each is told once. Where the agreement says so, their people are looked at again, to propose something."""
    sla, now, found = session.desk.policy.sla, session.clock.now_ms(), list[int]()
    while sla is not None:
        with session.store.write() as tx:
            late = entries.overdue(tx, session.workspace, now, CHUNK)
            if not late:
                break
            entries.settle_clock(tx, [(clock.id, 0) for clock in late])
            found += [clock.person for clock in late]
            if sla.breach == "propose":
                people.mark_due(tx, session.workspace, sorted({clock.person for clock in late}), now)
    return found
