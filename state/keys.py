"""Match keys: what a record can be recognised by (its e-mails, configured key fields), normalised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, func, select

from .schema import link, match_key, word
from .sql import Bulk, Statement, among
from .store import Tx

_c = match_key.c
_other, _mine, _theirs = match_key.alias("other"), link.alias("mine"), link.alias("theirs")
_LIVE = (word("new"), word("linked"), word("parked"))

_INSERT = Bulk(match_key, ("workspace", "key", "value", "link"), ignore=True)
_DELETE = Statement(delete(match_key).where(among(_c.link, "links"), _c.workspace == bindparam("ws")))
_NEIGHBOURS = Statement(
    select(_c.link, _other.c.link)
    .distinct()
    .select_from(_mine)
    .join(match_key, _c.link == _mine.c.id)
    .join(_other, (_other.c.workspace == _c.workspace) & (_other.c.key == _c.key) & (_other.c.value == _c.value) & (_other.c.link != _c.link))
    .join(_theirs, _theirs.c.id == _other.c.link)
    .where(
        _mine.c.workspace == bindparam("ws"),
        _mine.c.state == word("new"),
        _mine.c.id.between(bindparam("first"), bindparam("last")),
        _theirs.c.state.in_(_LIVE),
    )
    .order_by(_c.link, _other.c.link)
)
_FIND = Statement(
    select(_c.value, _c.link)
    .join(link, link.c.id == _c.link)
    .where(_c.workspace == bindparam("ws"), _c.key == bindparam("key"), among(_c.value, "values"), link.c.state.in_(_LIVE))
    .order_by(_c.value, _c.link)
)
_SHARING = Statement(
    select(_other.c.link)
    .distinct()
    .select_from(match_key)
    .join(_other, (_other.c.workspace == _c.workspace) & (_other.c.key == _c.key) & (_other.c.value == _c.value))
    .where(among(_c.link, "links"), _c.workspace == bindparam("ws"))
)
_SHARED = Statement(
    select(_c.value, func.count())
    .join(link, link.c.id == _c.link)
    .where(_c.workspace == bindparam("ws"), _c.key == bindparam("key"), link.c.state.in_(_LIVE))
    .group_by(_c.value)
    .having(func.count() > 1)
    .order_by(func.count().desc(), _c.value)
    .limit(bindparam("limit"))
)


def insert(tx: Tx, ws: int, rows: Iterable[tuple[str, str, int]]) -> None:
    """Add (key, value, link). One that is there already is left alone."""
    tx.many(_INSERT, sorted((ws, key, value, link) for key, value, link in rows))  # sorted: the tree is written from left to right


def replace(tx: Tx, ws: int, link_ids: Sequence[int], rows: Iterable[tuple[str, str, int]]) -> None:
    """Let these links have exactly these keys."""
    tx.run(_DELETE, {"ws": ws, "links": tx.listed(link_ids)})
    insert(tx, ws, rows)


def neighbours(tx: Tx, ws: int, first_id: int, last_id: int) -> list[tuple[int, int]]:
    """For the new links with ids from first to last: (link, other live link that shares a key), each pair once, in order."""
    return [(link, other) for link, other in tx.rows(_NEIGHBOURS, {"ws": ws, "first": first_id, "last": last_id})]


def find(tx: Tx, ws: int, key: str, values: Iterable[str]) -> list[tuple[str, int]]:
    """(value, live link) for each of the values that somebody has."""
    return [(value, link) for value, link in tx.rows(_FIND, {"ws": ws, "key": key, "values": tx.listed(values)})]


def sharing(tx: Tx, ws: int, link_ids: Iterable[int]) -> set[int]:
    """All links that share a key with one of these, and these themselves as far as they have any."""
    return {row[0] for row in tx.rows(_SHARING, {"ws": ws, "links": tx.listed(link_ids)})}


def shared(tx: Tx, ws: int, key: str, limit: int) -> list[tuple[str, int]]:
    """(value, number of live links) of the values that more than one has, the most shared first. Reads all keys of that name."""
    return [(value, number) for value, number in tx.rows(_SHARED, {"ws": ws, "key": key, "limit": limit})]
