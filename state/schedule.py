"""When a workspace is due next, and what became of the last run that a service made of it.

A slot is a moment of the timetable. Whoever takes it holds the workspace's lease and moves the row on to the next slot before the run begins,
so that of several programs on one database each slot is run by one. A run that began and did not end (its program was killed) is due again at once.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, select

from . import schema
from .sql import Bulk, Statement
from .store import Tx


class ScheduleRow(NamedTuple):
    """`spec`: the timetable in words; `slot`: the next one, which begins at `due_at`.

    The rest tells of the last run: by whom, how it ended (a word) and why, and how many failed in a row.
    """

    spec: str
    slot: int
    due_at: int
    began_at: int | None
    ended_at: int | None
    holder: str | None
    outcome: str | None
    reason: str | None
    failures: int

    @property
    def broken_off(self) -> bool:
        """A run began and did not end: it is under way, or its program was killed."""
        return self.began_at is not None and self.ended_at is None


_c = schema.schedule.c
_ROW = Statement(select(*(_c[name] for name in ScheduleRow._fields)).where(_c.workspace == bindparam("ws")))
_NEW = Bulk(schema.schedule, ("workspace", "spec", "slot", "due_at", "failures"), ignore=True)
_NEXT = Bulk(schema.schedule, ("spec", "slot", "due_at"), ("workspace",))
_BEGIN = Bulk(schema.schedule, ("began_at", "ended_at", "holder"), ("workspace",))
_END = Bulk(schema.schedule, ("ended_at", "outcome", "reason", "failures"), ("workspace",))


def get(tx: Tx, ws: int) -> ScheduleRow | None:
    """The workspace's row; None where no service has looked at it yet."""
    return next((ScheduleRow(*row) for row in tx.rows(_ROW, {"ws": ws})), None)


def set_next(tx: Tx, ws: int, spec: str, slot: int, due_at: int) -> None:
    """The next slot."""
    tx.many(_NEW, [(ws, spec, slot, due_at, 0)])
    tx.many(_NEXT, [(spec, slot, due_at, ws)])


def begin(tx: Tx, ws: int, at: int, holder: str) -> None:
    """A run begins."""
    tx.many(_BEGIN, [(at, None, holder, ws)])


def end(tx: Tx, ws: int, at: int, outcome: str, reason: str, failures: int) -> None:
    """It ended."""
    tx.many(_END, [(at, outcome, reason, failures, ws)])
