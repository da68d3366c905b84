"""The ledger of stages: what a committed decision enters into it, and the clock that runs until sales answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.stages import StageReading
from ..state import entries, people
from ..state.actions import ActionRow
from ..state.entries import EntryRow, NewEntry
from ..state.store import Tx
from .session import Session

CHUNK = 2_000


def enter(tx: Tx, session: Session, rows: Sequence[ActionRow], now: int) -> None:
    """Write down everybody whose stage these decisions changed. `now`: when we observed it (ms)."""
    moved = [row for row in rows if row.payload.get("stay") is not None]
    if not moved:
        return
    running = entries.running(tx, session.workspace, [row.person or 0 for row in moved if not row.payload["new"]]) if session.desk.policy.sla else {}
    entries.enter(tx, session.workspace, [_entry(session, row, now, clock=(row.person or 0) not in running) for row in moved])
    _answer(tx, session, moved, running, now)


def _entry(session: Session, row: ActionRow, now: int, *, clock: bool) -> NewEntry:
    stage, side, reason, pass_no, _ = row.payload["stage"]
    at, system, actor, evidence, source, owner = row.payload["stay"]
    first, sla = bool(row.payload["new"]), session.desk.policy.sla
    starts = sla is not None and clock and not first and sla.starts_at(StageReading(stage, side, reason))
    return NewEntry(
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
        origin="first" if first else "run",
        due_at=sla.due(now if at is None else at) if sla is not None and starts else None,
    )


def _answer(tx: Tx, session: Session, moved: Sequence[ActionRow], running: dict[int, EntryRow], now: int) -> None:
    """Sales accepted or refused: the clock stops, by the vendor's time where it is known."""
    sla, settled = session.desk.policy.sla, list[tuple[int, int]]()
    for row in moved:
        clock = running.get(row.person or 0)
        stage, side, reason, pass_no, _ = row.payload["stage"]
        if sla is None or clock is None:
            continue
        if pass_no != clock.pass_no or sla.answered(session.desk.funnel, StageReading(stage, side, reason)):
            at: Any = row.payload["stay"][0]
            settled.append((clock.id, int((now if at is None else at) <= (clock.due_at or 0))))
    entries.settle_clock(tx, settled)


def breaches(session: Session) -> int:
    """Clocks that ran out since the last look; each is told once. Where the agreement says so, their people are looked at again, to propose something."""
    sla, now, count = session.desk.policy.sla, session.clock.now_ms(), 0
    while sla is not None:
        with session.store.write() as tx:
            late = entries.overdue(tx, session.workspace, now, CHUNK)
            if not late:
                break
            entries.settle_clock(tx, [(clock.id, 0) for clock in late])
            count += len(late)
            if sla.breach == "propose":
                people.mark_due(tx, session.workspace, sorted({clock.person for clock in late}), now)
    return count
