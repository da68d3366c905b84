"""What somebody decided about two records of one system: that they are one human's, and which of them is written, or that they are not.

Kept by link, so that it goes with a record that lives on under another ref.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, or_, select

from ..model.records import Ref
from .schema import link, sameness
from .sql import Bulk, Statement, among
from .store import Tx


class SameRow(NamedTuple):
    """Two links, the smaller number first. `survivor`: which of the two is written; None: they are two humans. `at`: when that was decided (ms)."""

    one: int
    other: int
    survivor: int | None
    at: int

    @property
    def same(self) -> bool:
        """They are one human's."""
        return self.survivor is not None


_c = sameness.c
_WORKSPACE = _c.workspace == bindparam("ws")
_ROW = tuple(_c[name] for name in SameRow._fields)
_mine, _theirs = link.alias("mine"), link.alias("theirs")

_INSERT = Bulk(sameness, ("workspace", *SameRow._fields))
_TAKE_BACK = Statement(delete(sameness).where(_WORKSPACE, _c.one == bindparam("one"), _c.other == bindparam("other")))
_ANY = Statement(select(func.count()).where(_WORKSPACE))
_OF_LINKS = Statement(select(*_ROW).where(_WORKSPACE, or_(among(_c.one, "links"), among(_c.other, "links"))).order_by(_c.one, _c.other))
_SINCE = Statement(select(*_ROW).where(_WORKSPACE, _c.at > bindparam("at")))
_ABOUT = Statement(select(*_ROW).where(or_(among(_c.one, "links"), among(_c.other, "links"))).order_by(_c.one, _c.other))
_OF_ACCOUNT = Statement(
    select(_mine.c.kind, _mine.c.ref, _theirs.c.kind, _theirs.c.ref, _c.survivor == _c.one)
    .select_from(sameness)
    .join(_mine, _mine.c.id == _c.one)
    .join(_theirs, _theirs.c.id == _c.other)
    .where(_WORKSPACE, _mine.c.account == bindparam("account"))
)


def any_of(tx: Tx, ws: int) -> bool:
    """Somebody decided something."""
    return bool(tx.rows(_ANY, {"ws": ws})[0][0])


def decide(tx: Tx, ws: int, rows: Sequence[SameRow]) -> None:
    """Keep decisions; what was decided about the same two records before gives way."""
    for row in rows:
        tx.run(_TAKE_BACK, {"ws": ws, "one": row.one, "other": row.other})
    tx.many(_INSERT, [(ws, *row) for row in rows])


def about(tx: Tx, links: Iterable[int]) -> list[SameRow]:
    """What was decided about these very links."""
    return [SameRow._make(row) for row in tx.rows(_ABOUT, {"links": tx.listed(links)})]


def since(tx: Tx, ws: int, at: int) -> list[SameRow]:
    """What was decided after that moment (ms)."""
    return [SameRow._make(row) for row in tx.rows(_SINCE, {"ws": ws, "at": at})]


def around(tx: Tx, ws: int, links: Iterable[int]) -> set[SameRow]:
    """All that was decided about these links, and about those that are the same human as they."""
    rows: set[SameRow] = set()
    met: set[int] = set()
    asked = set(links)
    while asked:
        found = [SameRow._make(row) for row in tx.rows(_OF_LINKS, {"ws": ws, "links": tx.listed(asked)})]
        rows.update(found)
        met |= asked
        asked = {link for row in found if row.same for link in row[:2]} - met
    return rows


def of_account(tx: Tx, ws: int, account: int) -> dict[tuple[Ref, Ref], Ref | None]:
    """Two records of an account, in the order of their refs -> which of them is written; None: they are two humans."""
    found: dict[tuple[Ref, Ref], Ref | None] = {}
    for kind, ref, other_kind, other, one_survives in tx.rows(_OF_ACCOUNT, {"ws": ws, "account": account}):
        mine, theirs = Ref(kind, ref), Ref(other_kind, other)
        first, second = sorted((mine, theirs))
        found[first, second] = None if one_survives is None else mine if one_survives else theirs
    return found
