"""A person who turned out to be another one: what is known of them goes to the one who stays.

The ledger keeps the stays of both under their own numbers, so that what was counted stays true; the one who goes has no record left, and is nowhere any more.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import bindparam, delete

from .presence import Cause, follow
from .schema import change, person, signal
from .sql import Statement
from .store import Tx

_THEIRS = bindparam("gone")
_MOVE = tuple(Statement(sa.update(table).where(table.c.person == _THEIRS).values(person=bindparam("to"))) for table in (change, signal))
_GO = Statement(delete(person).where(person.c.id == _THEIRS, person.c.workspace == bindparam("ws")))


def dissolve(tx: Tx, ws: int, gone: int, to: int, now: int) -> None:
    """Let one person go, and the other one have their signals and changes. Their links were moved before."""
    for statement in _MOVE:
        tx.run(statement, {"gone": gone, "to": to})
    follow(tx, ws, {gone: Cause(f"one human with p{to}", at=now)}, now)
    tx.run(_GO, {"gone": gone, "ws": ws})
