"""Runs in which nothing happened are let go after a day: a service that looks every minute would leave half a million rows a year that nobody asks for.

What a run did stands in other tables, under its number: a run of which anything is kept there stays, and so does one that made, changed, asked or refused
anything, that did not come to its end, or that was none of a sync.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, bindparam, delete, exists, select

from .schema import action, change, run, signal, word
from .sql import Statement, among, decode
from .store import Tx

KEPT_MS = 86_400_000
KEPT = 100
"""So many of the newest runs stay in any case, however old they are: of them `runs`, the forecast of `schedule` and the health page tell."""
_AT_ONCE = 200
"""So many of those that are old enough are looked at with each run, the youngest first: every run comes to that age once, and few do between two runs."""
_EVENTS = ("created", "updated", "archived", "rejected", "new_holds", "overruled", "drifted", "breached", "stops", "promoted", "approved")

_c = run.c
_mine = _c.workspace == bindparam("ws")
_others = run.alias().c
_last_kept = select(_others.id).where(_others.workspace == bindparam("ws")).order_by(_others.id.desc()).limit(1).offset(bindparam("before_it", type_=Integer()))
_OLD = Statement(
    select(_c.id, _c.counts)
    .where(
        _mine,
        _c.id < _last_kept.scalar_subquery(),
        _c.started_at < bindparam("before"),
        _c.kind == word("sync"),
        _c.state == word("applied"),
    )
    .order_by(_c.id.desc())
    .limit(bindparam("limit", type_=Integer()))
)
_DROP = Statement(
    delete(run).where(
        among(_c.id, "ids"),
        *(~exists(select(1).where(of.c.run == _c.id)) for of in (action, change, signal)),
    )
)


def thin(tx: Tx, ws: int, now: int) -> int:
    """Let go of runs in which nothing happened and that have come to their day; how many."""
    rows = tx.rows(_OLD, {"ws": ws, "before_it": KEPT - 1, "before": now - KEPT_MS, "limit": _AT_ONCE})
    quiet = [id_ for id_, counts in rows if is_quiet(decode(counts))]
    return tx.run(_DROP, {"ids": tx.listed(quiet)})


def is_quiet(counts: Mapping[str, Any]) -> bool:
    """By its counts, a sync that came to its end had nothing to do and nothing to say."""
    return not any(counts.get(name) for name in _EVENTS)
