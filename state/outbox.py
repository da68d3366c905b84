"""The outbox: what systems that take events are to be told, each person's in order, until it was delivered or given up.

It lies beside the inbox. A letter is *new* until it was delivered, and then gone; one that was given up is *dead*, with a code, and can be sent again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, delete, func, select, update

from ..model.events import Letter
from .inbox import reserve, texts_of
from .inbox_schema import alias, endpoint, letter
from .schema import word
from .sql import Bulk, Statement, among, decode, encode
from .store import Tx

KEPT_FOR_MS = 30 * 86_400_000
"""So long a dead letter can be sent again."""


class LetterRow(NamedTuple):
    """One letter with its bookkeeping. Times in ms. `code`: why the last attempt failed."""

    id: int
    system: str
    ref: str
    key: str
    body: Any
    made: int
    state: str
    attempts: int
    due: int
    code: str | None


_c, _e, _a = letter.c, endpoint.c, alias.c
_ROW = tuple(_c[name] for name in LetterRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_SYSTEM = _c.system == bindparam("system")
_PUT = Bulk(letter, ("id", "workspace", "system", "ref", "key", "body", "made", "state", "attempts", "due"), ignore=True)
_WAITING = Statement(select(*_ROW).where(_WORKSPACE, _SYSTEM, _c.state == word("new"), _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("n")))
_DONE = Statement(delete(letter).where(_WORKSPACE, among(_c.id, "ids")))
_FAILED = Bulk(letter, ("state", "attempts", "due", "code"), ("id",))
_DEAD = Statement(select(*_ROW).where(_WORKSPACE, _c.state == word("dead")).order_by(_c.id))
_AGAIN = Statement(update(letter).where(_WORKSPACE, _c.state == word("dead"), among(_c.id, "ids")).values(state=word("new"), attempts=0, due=0))
_OLD = Statement(delete(letter).where(_WORKSPACE, _c.state == word("dead"), _c.made < bindparam("before")))
_EACH = Statement(select(*_ROW).where(_WORKSPACE).order_by(_c.id))
_COUNT = Statement(select(_c.system, _c.state, func.count(), func.min(_c.made)).where(_WORKSPACE).group_by(_c.system, _c.state))
_ENDPOINT = Statement(select(_e.failures, _e.until).where(_e.workspace == bindparam("ws"), _e.system == bindparam("system")))
_NEW_ENDPOINT = Bulk(endpoint, ("workspace", "system", "failures", "until"), ignore=True)
_SET_ENDPOINT = Bulk(endpoint, ("failures", "until"), ("workspace", "system"))
_NAME = Bulk(alias, ("workspace", "system", "theirs", "ours"), ignore=True)
_OURS = Statement(select(_a.theirs, _a.ours).where(_a.workspace == bindparam("ws"), _a.system == bindparam("system"), among(_a.theirs, "refs")))
_THEIRS = Statement(select(_a.ours, _a.theirs).where(_a.workspace == bindparam("ws"), _a.system == bindparam("system"), among(_a.ours, "refs")))
_FORGET = Statement(delete(alias).where(_a.workspace == bindparam("ws"), _a.system == bindparam("system"), _a.ours == bindparam("ref")))


def post(tx: Tx, ws: str, system: str, letters: Sequence[Letter], now: int) -> None:
    """Keep letters to be sent, each once."""
    first = reserve(tx, len(letters))
    rows = [(first + number, ws, system, each.ref, each.key, encode(each.body), now, "new", 0, 0) for number, each in enumerate(letters)]
    tx.many(_PUT, rows)


def waiting(tx: Tx, ws: str, system: str, after: int, n: int) -> list[LetterRow]:
    """The next letters that are not delivered yet, at most `n`, in their order; also those that are not due."""
    return [_row(row) for row in tx.rows(_WAITING, {"ws": ws, "system": system, "after": after, "n": n})]


def delivered(tx: Tx, ws: str, ids: Iterable[int]) -> None:
    """These need not be kept any longer."""
    tx.run(_DONE, {"ws": ws, "ids": tx.listed(ids)})


def failed(tx: Tx, id: int, attempts: int, due: int | None, code: str) -> None:
    """Try this one again when it is due; with None it is dead."""
    tx.many(_FAILED, [("dead" if due is None else "new", attempts, due or 0, code, id)])


def dead(tx: Tx, ws: str) -> list[LetterRow]:
    """All that were given up."""
    return [_row(row) for row in tx.rows(_DEAD, {"ws": ws})]


def again(tx: Tx, ws: str, ids: Iterable[int]) -> int:
    """Let dead letters be sent once more, in the place that they had; how many."""
    return tx.run(_AGAIN, {"ws": ws, "ids": tx.listed(ids)})


def clean(tx: Tx, ws: str, now: int) -> None:
    """Let go of what was given up long ago."""
    tx.run(_OLD, {"ws": ws, "before": now - KEPT_FOR_MS})


def counts(tx: Tx, ws: str) -> dict[str, tuple[int, int | None, int]]:
    """System -> how many letters wait, since when (ms), and how many are dead."""
    found: dict[str, tuple[int, int | None, int]] = {}
    for system, state, number, since in tx.rows(_COUNT, {"ws": ws}):
        waiting, first, dead = found.get(system, (0, None, 0))
        found[system] = (number, since, dead) if state == "new" else (waiting, first, number)
    return found


def standing(tx: Tx, ws: str, system: str) -> tuple[int, int]:
    """How often in a row the endpoint has failed, and until when it is left alone (ms)."""
    return next(((failures, until) for failures, until in tx.rows(_ENDPOINT, {"ws": ws, "system": system})), (0, 0))


def set_standing(tx: Tx, ws: str, system: str, failures: int, until: int) -> None:
    """Remember it."""
    tx.many(_NEW_ENDPOINT, [(ws, system, 0, 0)])
    tx.many(_SET_ENDPOINT, [(failures, until, ws, system)])


def name(tx: Tx, ws: str, system: str, ours: str, theirs: str) -> None:
    """The receiver calls this record by an id of its own."""
    tx.many(_NAME, [(ws, system, theirs, ours)])


def ours(tx: Tx, ws: str, system: str, refs: Iterable[str]) -> dict[str, str]:
    """The receiver's id -> ours, of those that it gave."""
    return dict(tx.rows(_OURS, {"ws": ws, "system": system, "refs": tx.listed(refs)}))


def theirs(tx: Tx, ws: str, system: str, refs: Iterable[str]) -> dict[str, str]:
    """Our id -> the receiver's, of those that it gave."""
    return dict(tx.rows(_THEIRS, {"ws": ws, "system": system, "refs": tx.listed(refs)}))


def naming(tx: Tx, ws: str, addresses: Iterable[str], refs: Iterable[tuple[str, str]]) -> list[LetterRow]:
    """All letters about one of these records, (system, id), or in which one of the e-mail addresses stands. Every letter is read for it."""
    wanted = [address.lower() for address in addresses]
    ids: dict[str, set[str]] = defaultdict(set)
    for system, ref in refs:
        ids[system].add(ref)
    found = map(_row, tx.each(_EACH, {"ws": ws}))
    return [row for row in found if row.ref in ids[row.system] or any(each in text for text in texts_of(row.body) for each in wanted)]


def erase(tx: Tx, ws: str, ids: Iterable[int], refs: Iterable[tuple[str, str]]) -> int:
    """Erase these letters, undelivered ones too, and the other names of these records; how many letters."""
    if tx.sqlite:
        tx.rows(_SECURE, {})  # what is freed is written over with zeros
    for system, ref in refs:
        tx.run(_FORGET, {"ws": ws, "system": system, "ref": ref})
    return tx.run(_DONE, {"ws": ws, "ids": tx.listed(ids)})


_SECURE = Statement(sa.text("PRAGMA secure_delete = ON"))


def _row(row: tuple[Any, ...]) -> LetterRow:
    return LetterRow._make((*row[:4], decode(row[4]), *row[5:]))
