"""What a shadow would have written and what became of it, and what others wrote besides (see `model.shadow`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from ..model.shadow import OPEN, ShadowRow
from .schema import shadow, word
from .sql import Bulk, Statement, among, decode, encode
from .store import Tx

_c = shadow.c
_ROW = tuple(_c[name] for name in ShadowRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_INSERT = Bulk(shadow, ("workspace", *ShadowRow._fields[1:]))
_CLOSE = Bulk(shadow, ("verdict", "theirs", "author", "written_in", "at", "brought"), ("id",))
_OPEN = Statement(select(*_ROW).where(_WORKSPACE, among(_c.person, "persons"), _c.verdict == word(OPEN)).order_by(_c.id))
_EACH = Statement(select(*_ROW).where(_WORKSPACE, _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("limit")))
_PAGE = 5_000
_FLAGS = ("lowers", "backlog", "brought")


def _row(*row: Any) -> ShadowRow:
    found = ShadowRow._make(row)
    before, wanted, theirs = (None if text is None else decode(text) for text in (found.before, found.wanted, found.theirs))
    flags = {name: bool(getattr(found, name)) for name in _FLAGS}
    return found._replace(before=before, wanted=wanted, theirs=theirs, **flags)


def _flat(row: ShadowRow) -> tuple[Any, ...]:
    flags = {name: int(getattr(row, name)) for name in _FLAGS}
    return row._replace(before=_text(row.before), wanted=_text(row.wanted), theirs=_text(row.theirs), **flags)[1:]


def _text(value: Any) -> str | None:
    return None if value is None else encode(value)


def insert(tx: Tx, ws: int, rows: Sequence[ShadowRow]) -> None:
    """Write new rows; their ids are given by the database."""
    tx.many(_INSERT, [(ws, *_flat(row)) for row in rows])


def close(tx: Tx, rows: Sequence[ShadowRow]) -> None:
    """Write what became of rows. Ids are distinct."""
    tx.many(_CLOSE, [(row.verdict, _text(row.theirs), row.author, row.written_in, row.at, int(row.brought), row.id) for row in rows])


def open_of(tx: Tx, ws: int, persons: Iterable[int]) -> dict[int, list[ShadowRow]]:
    """Person -> what would have been written and nobody has written yet."""
    found: dict[int, list[ShadowRow]] = defaultdict(list)
    for row in tx.rows(_OPEN, {"ws": ws, "persons": tx.listed(persons)}):
        found[row[1]].append(_row(*row))
    return dict(found)


def each(tx: Tx, ws: int) -> Iterator[ShadowRow]:
    """All of it, in the order in which it was seen."""
    after = 0
    while rows := tx.rows(_EACH, {"ws": ws, "after": after, "limit": _PAGE}):
        after = rows[-1][0]
        yield from (_row(*row) for row in rows)
