"""Clocks of acceptance in the ledger: which run, which ran out while nobody answered, and how those of a period ended.

Nobody waits for somebody who has no record left in any system: such a clock counts only where it was answered, or found late, before.
"""

from __future__ import annotations

from itertools import starmap
from typing import NamedTuple

from sqlalchemy import bindparam, case, exists, func, literal_column, or_, select

from .entries import BACK, HAS_RECORD, EntryRow
from .schema import stage_entry, word
from .sql import Statement
from .store import Tx


class Counts(NamedTuple):
    """Clocks that started in a period. `missed`: answered too late, or overdue; `running`: still in time."""

    met: int
    missed: int
    running: int


_c = stage_entry.c
_ROW = tuple(_c[name] for name in EntryRow._fields)
_CLOCK = (_c.workspace == bindparam("ws"), _c.due_at.is_not(None))
_TICKS = (*_CLOCK, _c.met.is_(None), HAS_RECORD)
_LATE = or_(_c.met == 0, _c.due_at < bindparam("now"))
_now = stage_entry.alias().c
_same = (_now.person == _c.person, _now.pass_no == _c.pass_no, _now.stage == _c.stage, _now.side.is_(None))
_back = exists(select(_now.id).where(*_same, _now.left_seen.is_(None), _now.origin == word(BACK)))
_STANDS = or_(_c.left_seen.is_(None), _back)
"""They stand where the clock started, if with a time in between in which they had no record."""
_begun = case((_c.entered_at < _c.entered_seen, _c.entered_at), else_=_c.entered_seen)
_ended = case((_c.met == 1, "met"), (_LATE, "missed"), else_="running")

_RUNNING = Statement(select(*_ROW).where(*_TICKS, _c.due_at >= bindparam("now")).order_by(_c.due_at, _c.id).limit(bindparam("limit")))
_TICKING = Statement(select(func.count(), func.min(_c.due_at)).where(*_TICKS, _c.due_at >= bindparam("now")))
_OVERDUE = Statement(select(func.count()).where(*_TICKS, _c.due_at < bindparam("now")))
_UNANSWERED = Statement(
    select(*_ROW).where(*_CLOCK, _STANDS, or_(_c.met.is_(None), _c.met == 0), _LATE, HAS_RECORD).order_by(_c.due_at, _c.id).limit(bindparam("limit"))
)
_SINCE = Statement(
    select(_ended.label("ended"), func.count())
    .where(*_CLOCK, _begun >= bindparam("since"), or_(_c.met.is_not(None), HAS_RECORD))
    .group_by(literal_column("ended"))
)


def running(tx: Tx, ws: int, now: int, limit: int) -> list[EntryRow]:
    """Stays that are still to be answered in time, the most urgent first. An index range."""
    return list(starmap(EntryRow, tx.rows(_RUNNING, {"ws": ws, "now": now, "limit": limit})))


def unanswered(tx: Tx, ws: int, now: int, limit: int) -> list[EntryRow]:
    """Stays whose time is over and whose people still stand there, the longest overdue first."""
    return list(starmap(EntryRow, tx.rows(_UNANSWERED, {"ws": ws, "now": now, "limit": limit})))


def ticking(tx: Tx, ws: int, now: int) -> tuple[int, int | None, int]:
    """How many clocks run, when the first of them is due, and how many are overdue of which nothing was said yet. Index ranges."""
    count, first = tx.rows(_TICKING, {"ws": ws, "now": now})[0]
    return count, first, tx.rows(_OVERDUE, {"ws": ws, "now": now})[0][0]


def since(tx: Tx, ws: int, start: int, now: int) -> Counts:
    """How the clocks ended that started at or after a moment."""
    found = dict(tx.rows(_SINCE, {"ws": ws, "since": start, "now": now}))
    return Counts(found.get("met", 0), found.get("missed", 0), found.get("running", 0))
