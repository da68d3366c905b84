"""Who is there. Whoever has no record left in any system is in no place any more, and where one comes back they are where they were.

Both stand in the ledger, so that it tells for any moment who was there: `gone` is a row without a place, `back` one with the place of before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import and_, or_, select

from .entries import BACK, GONE, HAS_RECORD, EntryRow, NewEntry, enter, lived, of_people
from .schema import stage_entry
from .sql import Statement, among
from .store import Tx


class Cause(NamedTuple):
    """Why somebody's records may have come or gone. `words`: how the last one went; `at`: when, by the vendor's clock (ms); `system`: where."""

    words: str = "no record is left"
    system: str | None = None
    at: int | None = None


_c = stage_entry.c
_ROW = tuple(_c[name] for name in EntryRow._fields)
_OTHERWISE = or_(and_(_c.origin != GONE, ~HAS_RECORD), and_(_c.origin == GONE, HAS_RECORD))
_MOVED = Statement(select(*_ROW).where(among(_c.person, "ids"), _c.left_seen.is_(None), _OTHERWISE).order_by(_c.id))


def follow(tx: Tx, ws: int, whom: Mapping[int, Cause], now: int, run: int | None = None) -> None:
    """Let these people's ledgers say whether they have a record left, as the links now do. `now`: when we saw it (ms). Who has no ledger gets none."""
    moved = [EntryRow._make(row) for row in tx.rows(_MOVED, {"ids": tx.listed(whom)})] if whom else []
    if moved:
        enter(tx, ws, [stay._replace(entered_seen=now, run=run) for stay in _turns(tx, moved, whom)])


def _turns(tx: Tx, moved: list[EntryRow], whom: Mapping[int, Cause]) -> Iterator[NewEntry]:
    before = of_people(tx, [row.person for row in moved if row.origin == GONE])
    for row in moved:
        cause = whom[row.person]
        last = (lived(before[row.person])[-1] if row.origin == GONE else row).new
        turned = last._replace(entered_at=None, left_at=None, left_seen=None, system=cause.system, actor=None, due_at=None, met=None)
        if row.origin == GONE:
            yield turned._replace(evidence="a record is there again", origin=BACK)
        else:
            yield turned._replace(stage=None, side=None, reason=None, entered_at=cause.at, evidence=cause.words, origin=GONE)
