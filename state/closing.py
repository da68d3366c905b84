"""The ends of runs: who stays due after one that ended, and what is cleaned up after one that did not."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import bindparam, delete, select

from .actions import WRITES
from .schema import action, person, run
from .sql import Statement
from .store import Tx

NONE = 0
"""No run has this number."""
_OPEN = ("planned", "sent", "unknown", "skipped")

_a_write = sa.or_(*(action.c.op == op for op in WRITES))
_is_open = sa.or_(*(action.c.state == state for state in _OPEN))
_theirs = select(action.c.person).where(action.c.run == bindparam("run"), _a_write)
_SETTLED = Statement(
    sa.update(person)
    .where(
        person.c.workspace == bindparam("ws"),
        person.c.due <= bindparam("started"),
        person.c.id.in_(_theirs.where(sa.not_(_is_open))),
        person.c.id.not_in(_theirs.where(_is_open, action.c.person.is_not(None))),
    )
    .values(due=None)
)
_of_that_state = run.c.workspace == bindparam("ws"), run.c.state == bindparam("state"), run.c.id != bindparam("keep")
_broken = select(run.c.id).where(*_of_that_state)
_REVIVE = Statement(
    sa.update(person)
    .where(
        person.c.workspace == bindparam("ws"),
        person.c.id.in_(select(action.c.person).where(action.c.run.in_(_broken), action.c.state == "planned", _a_write)),
    )
    .values(due=bindparam("at"))
)
_DROP = Statement(delete(action).where(action.c.run.in_(_broken), action.c.state == "planned"))
_CLOSE = Statement(sa.update(run).where(*_of_that_state).values(state=bindparam("now")))
_EVERYBODY = Statement(sa.update(person).where(person.c.workspace == bindparam("ws")).values(due=bindparam("at")))


def settle_due(tx: Tx, ws: int, run_id: int, started: int) -> None:
    """After an applied run: nothing more is to do for people all of whose writes are settled, unless they became due since it started."""
    tx.run(_SETTLED, {"ws": ws, "run": run_id, "started": started})


def recover(tx: Tx, ws: int, at: int) -> None:
    """After runs that broke off (`running`, `applying`): people whose writes were planned and never sent are due, and those rows go."""
    for state in ("running", "applying"):
        which = {"ws": ws, "state": state, "keep": NONE}
        tx.run(_REVIVE, {**which, "at": at})
        tx.run(_DROP, which)
        tx.run(_CLOSE, {**which, "now": "broken"})


def supersede(tx: Tx, ws: int, keep: int = NONE) -> None:
    """Plans that nobody applied give way to a new one; their people stayed due. `keep`: the run whose plan goes on lying there."""
    which = {"ws": ws, "state": "planned", "keep": keep}
    tx.run(_DROP, which)
    tx.run(_CLOSE, {**which, "now": "superseded"})


def mark_everybody_due(tx: Tx, ws: int, at: int) -> None:
    """A changed mapping: everybody is looked at again."""
    tx.run(_EVERYBODY, {"ws": ws, "at": at})
