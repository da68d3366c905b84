"""What the state knows of people beside their records, read for a chunk of them at once: signals, when they came where they are, and overdue answers."""

from __future__ import annotations

from collections.abc import Sequence

from ...model.records import Signal
from ...state import entries, signals
from ...state.entries import EntryRow
from ...state.signals import SignalRow
from ...state.store import Tx
from ..deciding.desk import Known
from ..session import Session
from .cases import Case


def knowledge(session: Session, cases: Sequence[Case]) -> list[Known]:
    """For each case what is known. What no rule, clock or ledger could use is not read."""
    policy, now = session.desk.policy, session.clock.now_ms()
    numbers = [case.row.id for case in cases if case.row is not None]
    told: dict[int, list[SignalRow]] = {}
    unlinked: dict[int, list[SignalRow]] = {}
    stays: dict[int, list[EntryRow]] = {}
    with session.store.read() as tx:
        if session.signals:
            told, unlinked = signals.of_people(tx, numbers), _of_new_records(tx, cases)
        if policy.rules is not None or policy.sla is not None:
            stays = entries.of_people(tx, numbers)
    found: list[Known] = []
    for case in cases:
        number = case.row.id if case.row is not None else 0
        events = [*told.get(number, ()), *(event for row in case.links for event in unlinked.get(row.id, ()))]
        mine = stays.get(number, [])
        notes = (case.row.notes if case.row is not None else None) or {}
        found.append(Known(_newest_first(events), notes, entries.entered(mine, side=False), entries.entered(mine, side=True), _overdue(mine), now))
    return found


def _of_new_records(tx: Tx, cases: Sequence[Case]) -> dict[int, list[SignalRow]]:
    fresh = [row.id for case in cases for row in case.links if row.person is None]
    return signals.of_links(tx, fresh) if fresh else {}


def _newest_first(rows: Sequence[SignalRow]) -> list[Signal]:
    return [row.signal for row in sorted(rows, key=lambda row: (-row.at, -row.id))]


def _overdue(stays: Sequence[EntryRow]) -> bool:
    """The answer that was asked for last, in the present pass, did not come in the agreed time."""
    last = next((stay for stay in reversed(stays) if stay.due_at is not None), None)
    return last is not None and last.met == 0 and last.pass_no == stays[-1].pass_no
