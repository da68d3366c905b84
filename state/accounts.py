"""Workspaces, the accounts behind the systems' names, and how far each account has been read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam, func, select, update

from . import schema
from .sql import Bulk, Statement, decode, encode
from .store import Tx


class Workspace(NamedTuple):
    """One synchronisation of its own. `mapping`: digest of the maps that were applied last; `synced`: a first sync was applied.

    `shadow`: what was decided here was never written anywhere.
    """

    id: int
    name: str
    mapping: str | None
    synced: bool
    shadow: bool = False


class Account(NamedTuple):
    """A portal or an org, shared by all workspaces. `ref` is the vendor's id of it."""

    id: int
    vendor: str
    ref: str
    name: str


_workspace, _account, _binding, _cursor = schema.workspace.c, schema.account.c, schema.binding.c, schema.cursor.c

_WORKSPACE_ROW = (_workspace.id, _workspace.name, _workspace.mapping, _workspace.synced, _workspace.shadow)
_WORKSPACE = Statement(select(*_WORKSPACE_ROW).where(_workspace.name == bindparam("name")))
_WORKSPACES = Statement(select(*_WORKSPACE_ROW).order_by(_workspace.id))
_NEW_WORKSPACE = Bulk(schema.workspace, ("name", "synced", "shadow"), ignore=True)
_SET_WORKSPACE = Statement(
    update(schema.workspace)
    .where(_workspace.id == bindparam("ws"))
    .values(
        mapping=func.coalesce(bindparam("mapping", type_=_workspace.mapping.type), _workspace.mapping),
        synced=func.coalesce(bindparam("synced", type_=Integer()), _workspace.synced),
    )
)
_SEEDED = Statement(select(_workspace.seeded).where(_workspace.id == bindparam("ws")))
_SET_SEEDED = Bulk(schema.workspace, ("seeded",), ("id",))
_ACCOUNT = Statement(select(_account.id, _account.name).where(_account.vendor == bindparam("vendor"), _account.ref == bindparam("ref")))
_ACCOUNT_BY_ID = Statement(select(_account.id, _account.vendor, _account.ref, _account.name).where(_account.id == bindparam("account")))
_NEW_ACCOUNT = Bulk(schema.account, ("vendor", "ref", "name"), ignore=True)
_RENAME = Bulk(schema.account, ("name",), ("id",))
_BOUND = Statement(select(_binding.system, _binding.account).where(_binding.workspace == bindparam("ws")))
_BIND = Bulk(schema.binding, ("workspace", "system", "account"), ignore=True)
_REBIND = Bulk(schema.binding, ("account",), ("workspace", "system"))
_METADATA = Statement(select(_account.metadata, _account.metadata_at).where(_account.id == bindparam("account")))
_SET_METADATA = Bulk(schema.account, ("metadata", "metadata_at"), ("id",))
_CURSOR = Statement(select(_cursor.cursor, _cursor.swept_at).where(_cursor.workspace == bindparam("ws"), _cursor.account == bindparam("account")))
_NEW_CURSOR = Bulk(schema.cursor, ("workspace", "account"), ignore=True)
_SET_CURSOR = Bulk(schema.cursor, ("cursor",), ("workspace", "account"))
_SET_SWEPT = Bulk(schema.cursor, ("swept_at",), ("workspace", "account"))
_SET_READ = Bulk(schema.cursor, ("read_at",), ("workspace", "account"))
_READ = Statement(select(_cursor.account, _cursor.read_at).where(_cursor.workspace == bindparam("ws"), _cursor.read_at.is_not(None)))


def workspace(tx: Tx, name: str, *, shadow: bool = False) -> Workspace:
    """The workspace of this name, created where it is new: as a shadow, if that is asked for. One that is there already stays what it is."""
    found = tx.rows(_WORKSPACE, {"name": name})
    if not found:
        tx.many(_NEW_WORKSPACE, [(name, 0, int(shadow))])
        found = tx.rows(_WORKSPACE, {"name": name})
    return _known(*found[0])


def _known(id_: int, name: str, mapping: str | None, synced: int, shadow: int) -> Workspace:
    return Workspace(id_, name, mapping, bool(synced), bool(shadow))


def workspaces(tx: Tx) -> dict[str, Workspace]:
    """All that there are, by name."""
    return {row[1]: _known(*row) for row in tx.rows(_WORKSPACES, {})}


def set_workspace(tx: Tx, ws: int, *, mapping: str | None = None, synced: bool | None = None) -> None:
    """Remember what was applied. None leaves a value as it is."""
    tx.run(_SET_WORKSPACE, {"ws": ws, "mapping": mapping, "synced": None if synced is None else int(synced)})


def seeded(tx: Tx, ws: int) -> int | None:
    """The last person whose ledger was seeded from the vendors' histories; None: the pass has not begun, -1: it is done."""
    return tx.rows(_SEEDED, {"ws": ws})[0][0]


def set_seeded(tx: Tx, ws: int, person: int | None) -> None:
    """Move the seeding pass on: in the transaction that holds what it wrote."""
    tx.many(_SET_SEEDED, [(person, ws)])


def account(tx: Tx, vendor: str, ref: str, name: str) -> int:
    """The id of the account, created where it is new; its display name follows the vendor's."""
    key = {"vendor": vendor, "ref": ref}
    found = tx.rows(_ACCOUNT, key)
    if not found:
        tx.many(_NEW_ACCOUNT, [(vendor, ref, name)])
        found = tx.rows(_ACCOUNT, key)
    id_, known = found[0]
    if name and known != name:
        tx.many(_RENAME, [(name, id_)])
    return id_


def by_id(tx: Tx, account: int) -> Account:
    """The account behind an id."""
    return Account(*tx.rows(_ACCOUNT_BY_ID, {"account": account})[0])


def bound(tx: Tx, ws: int) -> dict[str, int]:
    """System name -> account."""
    return dict(tx.rows(_BOUND, {"ws": ws}))


def bind(tx: Tx, ws: int, system: str, account: int) -> int | None:
    """Let the name stand for the account. The account for which it stood before, if that was another: a caller who refuses raises, and all is rolled back."""
    before = bound(tx, ws).get(system)
    if before is None:
        tx.many(_BIND, [(ws, system, account)])
        return None
    if before == account:
        return None
    tx.many(_REBIND, [(account, ws, system)])
    return before


def metadata(tx: Tx, account: int) -> tuple[dict[str, Any], int] | None:
    """The description of the account as it was read last, and when; None where it never was."""
    for value, at in tx.rows(_METADATA, {"account": account}):
        if value is not None:
            return decode(value), at
    return None


def set_metadata(tx: Tx, account: int, value: Mapping[str, Any], at: int) -> None:
    """Keep the description of the account."""
    tx.many(_SET_METADATA, [(encode(value), at, account)])


def doubt(tx: Tx, account: int) -> None:
    """What is known of the account may not be true any more: the next run asks again."""
    stored = metadata(tx, account)
    if stored is not None:
        set_metadata(tx, account, stored[0], 0)


def cursor(tx: Tx, ws: int, account: int) -> str | None:
    """How far this workspace has read the account; None: not at all."""
    return next((cursor for cursor, _ in tx.rows(_CURSOR, {"ws": ws, "account": account})), None)


def set_cursor(tx: Tx, ws: int, account: int, cursor: str | None) -> None:
    """Move the cursor: in the transaction that holds the observations which it covers."""
    tx.many(_NEW_CURSOR, [(ws, account)])
    tx.many(_SET_CURSOR, [(cursor, ws, account)])


def swept_at(tx: Tx, ws: int, account: int) -> int | None:
    """When the account was last swept for what no change feed tells."""
    return next((at for _, at in tx.rows(_CURSOR, {"ws": ws, "account": account})), None)


def set_swept(tx: Tx, ws: int, account: int, at: int) -> None:
    """Remember a sweep."""
    tx.many(_NEW_CURSOR, [(ws, account)])
    tx.many(_SET_SWEPT, [(at, ws, account)])


def set_read(tx: Tx, ws: int, account: int, at: int) -> None:
    """Remember that a pull came to its end: in the transaction that holds the last of what it brought."""
    tx.many(_NEW_CURSOR, [(ws, account)])
    tx.many(_SET_READ, [(at, ws, account)])


def read_at(tx: Tx, ws: int) -> dict[int, int]:
    """Account -> when it was last read to its end."""
    return dict(tx.rows(_READ, {"ws": ws}))
