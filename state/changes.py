"""Changes: what later readings of a record showed to be different. Only added to; the first sight is the link itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from ..model.records import Native
from .schema import change
from .sql import Bulk, Statement, among, decode, encode
from .store import Tx

RECORD = ""
"""The name under which a change tells of the record itself: [where it was, where it is], each `there`, `deleted` or `erased`.

Of one that moved to another ref: [its address, the new one], an address being `KIND ID`; with the values that it had, where its row lives on under the new ref.
"""
THERE, DELETED, ERASED = "there", "deleted", "erased"


class ChangeRow(NamedTuple):
    """One difference. `at`: the vendor's time; `seen_at`: when we read it; `values`: native field (or `RECORD`) -> [before, after]."""

    id: int
    link: int
    person: int | None
    at: int | None
    seen_at: int
    run: int | None
    author: str | None
    values: dict[str, list[Native]]


_c = change.c
_INSERT = Bulk(change, ("workspace", "link", "person", "at", "seen_at", "run", "author", "values"))
_ALONG = _c.workspace + 0 == bindparam("ws")
_LAST = Statement(select(func.max(_c.id)))
_AFTER = Statement(select(_c.link).where(_ALONG, _c.id > bindparam("after")))
_OF_LINKS = Statement(select(*(_c[name] for name in ChangeRow._fields)).where(among(_c.link, "ids")).order_by(_c.id))


def insert(tx: Tx, ws: int, rows: Iterable[tuple[int, int | None, int | None, int, int | None, str | None, dict[str, Any]]]) -> None:
    """Add (link, person, at, seen_at, run, author, values)."""
    tx.many(_INSERT, [(ws, link, person, at, seen_at, run, author, encode(values)) for link, person, at, seen_at, run, author, values in rows])


def of_links(tx: Tx, link_ids: Iterable[int]) -> dict[int, list[ChangeRow]]:
    """Link -> its changes, the oldest first."""
    found: dict[int, list[ChangeRow]] = defaultdict(list)
    for row in tx.rows(_OF_LINKS, {"ids": tx.listed(link_ids)}):
        found[row[1]].append(ChangeRow._make((*row[:-1], decode(row[-1]))))
    return dict(found)


def last(tx: Tx) -> int:
    """The highest number of a change, whosever it is; 0 where there is none. The end of an index."""
    return tx.rows(_LAST, {})[0][0] or 0


def after(tx: Tx, ws: int, after_id: int) -> set[int]:
    """The links of the changes with higher numbers."""
    return {row[0] for row in tx.rows(_AFTER, {"ws": ws, "after": after_id})}
