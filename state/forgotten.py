"""People who were forgotten: nothing is kept of them but hashes, by which their records are known again and left alone.

A *mark* is what a record is recognised by: ("email", "anna@acme.example"), another match key, or ("record", its address). It is hashed with a secret
of the workspace, so that nobody can find out from the hashes alone, by trying addresses, who was forgotten.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable

from sqlalchemy import bindparam, delete, func, select

from ..model.records import Ref
from .schema import forgotten, workspace
from .sql import Bulk, Statement, among
from .store import Tx

Mark = tuple[str, str]

_c = forgotten.c
_WORKSPACE = _c.workspace == bindparam("ws")
_SALT = Statement(select(workspace.c.salt).where(workspace.c.id == bindparam("ws")))
_SET_SALT = Bulk(workspace, ("salt",), ("id",))
_ADD = Bulk(forgotten, ("workspace", "hash", "file", "at"), ignore=True)
_FOUND = Statement(select(_c.hash).where(_WORKSPACE, among(_c.hash, "hashes")))
_FILES = select(_c.file).where(_WORKSPACE, among(_c.hash, "hashes")).scalar_subquery()
_LIFT = Statement(delete(forgotten).where(_WORKSPACE, _c.file.in_(_FILES)))
_COUNT = Statement(select(func.count(_c.file.distinct())).where(_WORKSPACE))


def mark_of(account: int, ref: Ref) -> Mark:
    """The mark of a record itself."""
    return "record", f"{account}/{ref.kind}/{ref.id}"


def remember(tx: Tx, ws: int, marks: Iterable[Mark], at: int) -> None:
    """Know these marks of one person again. The first time, the workspace gets its secret."""
    salt = _salt(tx, ws)
    if salt is None:
        salt = secrets.token_hex(32)
        tx.many(_SET_SALT, [(salt, ws)])
    file = secrets.token_hex(8)
    tx.many(_ADD, sorted((ws, _hash(salt, mark), file, at) for mark in set(marks)))


def any_of(tx: Tx, ws: int) -> bool:
    """Somebody was forgotten here at some time."""
    return _salt(tx, ws) is not None


def covered(tx: Tx, ws: int, marks: Iterable[Mark]) -> set[Mark]:
    """Those of the marks that are a forgotten person's."""
    salt = _salt(tx, ws)
    if salt is None:
        return set()
    asked = {_hash(salt, mark): mark for mark in marks}
    return {asked[found] for (found,) in tx.rows(_FOUND, {"ws": ws, "hashes": tx.listed(asked)})} if asked else set()


def lift(tx: Tx, ws: int, mark: Mark) -> bool:
    """Let the person of this mark come in again; whether there was one."""
    salt = _salt(tx, ws)
    return salt is not None and tx.run(_LIFT, {"ws": ws, "hashes": tx.listed([_hash(salt, mark)])}) > 0


def count(tx: Tx, ws: int) -> int:
    """How many people were forgotten."""
    return tx.rows(_COUNT, {"ws": ws})[0][0]


def _salt(tx: Tx, ws: int) -> str | None:
    return tx.rows(_SALT, {"ws": ws})[0][0]


def _hash(salt: str, mark: Mark) -> str:
    return hmac.digest(bytes.fromhex(salt), "\0".join(mark).encode("utf-8", "surrogatepass"), "sha256").hex()
