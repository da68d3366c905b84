"""What somebody edited since a stored plan was made, found by looking at the records that it would change. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...model.records import Present
from ...state import actions, links
from ...state.actions import ActionRow
from ..session import Connected, Session
from .apply import MAX_BLOCK, undrifted
from .outcome import fields_of


def count_drifted(session: Session, run: int) -> int:
    """How many records of the plan are no longer as it saw them. New records are not looked up here: that is done before each is made."""
    return sum(_of_system(session, run, connected) for connected in session.systems.values() if connected.system.writes and connected.system.looks)


def _of_system(session: Session, run: int, connected: Connected) -> int:
    return sum(_of_block(session, connected, rows) for rows in _blocks(session, run, connected))


def _blocks(session: Session, run: int, connected: Connected) -> Iterator[list[ActionRow]]:
    size = max(1, min(connected.connector.capabilities.reread, MAX_BLOCK))
    for op in ("update", "archive"):
        for rows in actions.pages(session.store, run, ("planned",), size, op, connected.system.account):
            yield [row for row in rows if row.step == 1]


def _of_block(session: Session, connected: Connected, rows: Sequence[ActionRow]) -> int:
    with session.store.read() as tx:
        known = links.by_ids(tx, [row.link for row in rows if row.link is not None])
    asked = [row for row in rows if row.link in known]
    refs = [known[row.link or 0].address for row in asked]
    fields = fields_of((row.payload["kind"], {**row.payload["values"], **row.payload.get("before", {})}) for row in asked)
    answers = connected.connector.fetch(refs, fields) if refs else ()
    still = sum(isinstance(answer, Present) and undrifted(row, answer.record) for row, answer in zip(asked, answers, strict=True))
    return len(rows) - still
