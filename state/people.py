"""People: the canonical values, the stage, and who is due for a look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from . import ids as _ids
from .schema import person
from .sql import Bulk, Statement, among, decode, encode
from .store import Tx


class PersonRow(NamedTuple):
    """One person. `canonical`: field -> [value, version, source, at]. `due`: since when there is something to do (ms); None: nothing.

    `notes`: what qualification last said of the person and what was declined. `review_at`: when to look again although nothing changed (ms).
    """

    id: int
    stage: str | None
    side: str | None
    reason: str | None
    pass_no: int
    stage_version: int
    canonical: dict[str, list[Any]]
    due: int | None
    notes: dict[str, Any] | None = None
    review_at: int | None = None

    @property
    def values(self) -> dict[str, Any]:
        """Field -> value."""
        return {name: entry[0] for name, entry in self.canonical.items()}


_c = person.c
_WORKSPACE = _c.workspace == bindparam("ws")
_ROW = tuple(_c[name] for name in PersonRow._fields)

_INSERT = Bulk(person, ("id", "workspace", *PersonRow._fields[1:]))
_UPDATE = Bulk(person, PersonRow._fields[1:], ("id", "workspace"))
_DUE = Statement(select(*_ROW).where(_WORKSPACE, _c.due.is_not(None), _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("limit")))
_BY_IDS = Statement(select(*_ROW).where(among(_c.id, "ids")).order_by(_c.id))
_MARK = Statement(sa.update(person).where(among(_c.id, "ids"), _WORKSPACE).values(due=bindparam("at")))
_CLEAR = Statement(sa.update(person).where(among(_c.id, "ids"), _WORKSPACE).values(due=None))
_ALONG = _c.workspace + 0 == bindparam("ws")
"""The same, along the ids: SQLite would take the workspace's index, and sort everybody for each page."""
_EACH = Statement(select(*_ROW).where(_ALONG, _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("limit")))
_REVIEWS = Statement(
    sa.update(person).where(_WORKSPACE, _c.review_at.is_not(None), _c.review_at <= bindparam("now")).values(due=bindparam("now"), review_at=None)
)
_KNOWN = Statement(select(_c.id).where(among(_c.id, "ids"), _WORKSPACE))
_DUE_SINCE = Statement(select(_c.id).where(among(_c.id, "ids"), _WORKSPACE, _c.due > bindparam("at")))
_DUE_IDS = Statement(select(_c.id).where(_WORKSPACE, _c.due.is_not(None)))
_COUNT = Statement(select(func.count()).where(_WORKSPACE, _c.id > bindparam("after")))
_BY_STAGE = Statement(select(_c.stage, func.count()).where(_WORKSPACE).group_by(_c.stage))


def _row(
    id_: int,
    stage: str | None,
    side: str | None,
    reason: str | None,
    pass_no: int,
    stage_version: int,
    canonical: str,
    due: int | None,
    notes: str | None,
    review_at: int | None,
) -> PersonRow:
    return PersonRow(id_, stage, side, reason, pass_no, stage_version, decode(canonical), due, None if notes is None else decode(notes), review_at)


def _written(row: PersonRow) -> tuple[Any, ...]:
    _, stage, side, reason, pass_no, version, canonical, due, notes, review_at = row
    return stage, side, reason, pass_no, version, encode(canonical), due, None if notes is None else encode(notes), review_at


def reserve(tx: Tx, n: int) -> int:
    """The first of `n` consecutive ids for new people."""
    return _ids.reserve(tx, "person", n)


def insert(tx: Tx, ws: int, rows: Sequence[PersonRow]) -> None:
    """Write new people, with ids from `reserve`."""
    tx.many(_INSERT, [(row[0], ws, *_written(row)) for row in rows])


def update(tx: Tx, ws: int, rows: Sequence[PersonRow]) -> None:
    """Write whole people over what is there. Ids are distinct."""
    tx.many(_UPDATE, [(*_written(row), row[0], ws) for row in rows])


def by_ids(tx: Tx, ids: Iterable[int]) -> dict[int, PersonRow]:
    """Id -> person."""
    return {row[0]: _row(*row) for row in tx.rows(_BY_IDS, {"ids": tx.listed(ids)})}


def due(tx: Tx, ws: int, after_id: int, limit: int) -> list[PersonRow]:
    """People who are due, after this id, in order: an index range, so that quiet people cost nothing."""
    return list(starmap(_row, tx.rows(_DUE, {"ws": ws, "after": after_id, "limit": limit})))


def known(tx: Tx, ws: int, ids: Iterable[int]) -> set[int]:
    """Those of these numbers whose people are there: a plan speaks of some who come only with its application."""
    return {row[0] for row in tx.rows(_KNOWN, {"ws": ws, "ids": tx.listed(ids)})}


def due_since(tx: Tx, ws: int, ids: Iterable[int], at: int) -> set[int]:
    """Those of these people who became due after that moment (ms)."""
    return {row[0] for row in tx.rows(_DUE_SINCE, {"ws": ws, "ids": tx.listed(found), "at": at})} if (found := list(ids)) else set()


def due_ids(tx: Tx, ws: int) -> set[int]:
    """The numbers of all who are due: an index alone."""
    return {row[0] for row in tx.rows(_DUE_IDS, {"ws": ws})}


def each(tx: Tx, ws: int, after_id: int, limit: int) -> list[PersonRow]:
    """All people after this id, page by page, in order."""
    return list(starmap(_row, tx.rows(_EACH, {"ws": ws, "after": after_id, "limit": limit})))


def mark_reviews_due(tx: Tx, ws: int, now: int) -> int:
    """Let the next look take up everybody whose time for a review has come; how many. An index range: those whose time has not come cost nothing."""
    return tx.run(_REVIEWS, {"ws": ws, "now": now})


def mark_due(tx: Tx, ws: int, ids: Iterable[int], at: int) -> None:
    """Let the next look take up these people."""
    if found := list(ids):
        tx.run(_MARK, {"ws": ws, "ids": tx.listed(found), "at": at})


def clear_due(tx: Tx, ws: int, ids: Iterable[int]) -> None:
    """Nothing is to do for these people."""
    if found := list(ids):
        tx.run(_CLEAR, {"ws": ws, "ids": tx.listed(found)})


def count(tx: Tx, ws: int, after_id: int = 0) -> int:
    """How many people there are, after this id if one is given."""
    return tx.rows(_COUNT, {"ws": ws, "after": after_id})[0][0]


def by_stage(tx: Tx, ws: int) -> dict[str | None, int]:
    """Stage -> how many people are in it; None: no stage known."""
    return dict(tx.rows(_BY_STAGE, {"ws": ws}))
