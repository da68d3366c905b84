"""Erases what is personal: whole rows, but for the ledger, of which stages and times stay, so that what was counted stays true."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam, delete

from .schema import action, change, link, match_key, person, sameness, shadow, signal, stage_entry
from .sql import Statement, among
from .store import Store, Tx

_OF_LINKS = tuple(
    (table.name, Statement(delete(table).where(among(table.c.link, "links"), table.c.workspace == bindparam("ws")))) for table in (match_key, change)
)
_SAMENESS = Statement(delete(sameness).where(sa.or_(among(sameness.c.one, "links"), among(sameness.c.other, "links")), sameness.c.workspace == bindparam("ws")))
_ACTIONS = Statement(delete(action).where(among(action.c.id, "ids")))
_SIGNALS = Statement(delete(signal).where(among(signal.c.id, "ids")))
_LINKS = Statement(delete(link).where(among(link.c.id, "links"), link.c.workspace == bindparam("ws")))
_LOOSEN = Statement(sa.update(change).where(among(change.c.person, "persons"), change.c.workspace == bindparam("ws")).values(person=None))
_LEDGER = Statement(
    sa.update(stage_entry)
    .where(among(stage_entry.c.person, "persons"), stage_entry.c.workspace == bindparam("ws"))
    .values(reason=None, actor=None, owner=None, evidence="")
)
_SHADOW = Statement(delete(shadow).where(among(shadow.c.person, "persons"), shadow.c.workspace == bindparam("ws")))
_PERSONS = Statement(delete(person).where(among(person.c.id, "persons"), person.c.workspace == bindparam("ws")))
_SECURE = Statement(sa.text("PRAGMA secure_delete = ON"))


def erase(tx: Tx, ws: int, persons: Sequence[int], links: Sequence[int], actions: Sequence[int], signals: Sequence[int]) -> dict[str, int]:
    """Erase people, their records, and what stands about them in rows of these numbers; how many rows of each table."""
    if tx.sqlite:
        tx.rows(_SECURE, {})  # what is freed is written over with zeros
    bound = {"ws": ws, "persons": tx.listed(persons), "links": tx.listed(links)}
    found = {"action": tx.run(_ACTIONS, {"ids": tx.listed(actions)}), "signal": tx.run(_SIGNALS, {"ids": tx.listed(signals)})}
    found |= {name: tx.run(statement, bound) for name, statement in _OF_LINKS}
    tx.run(_SAMENESS, bound)
    tx.run(_LOOSEN, bound)
    found["link"] = tx.run(_LINKS, bound)
    found["stage_entry"] = tx.run(_LEDGER, bound)
    found["shadow"] = tx.run(_SHADOW, bound)
    found["person"] = tx.run(_PERSONS, bound)
    return {name: count for name, count in sorted(found.items()) if count}


_ERASED_FROM = (action, signal, match_key, change, sameness, link, stage_entry, shadow, person)


def scrub(store: Store, tables: Sequence[sa.Table] = _ERASED_FROM) -> bool:
    """Let nothing be left of erased rows in the database's own files; False where another program that reads keeps something in them.

    SQLite: the file is written anew and its -wal emptied. PostgreSQL: the tables are vacuumed; its write-ahead log and its backups are the server's own.
    """
    with store.alone() as run:
        if store.path is None:
            for table in tables:
                run(f"VACUUM {table.name}")
            return True
        run("VACUUM")
        return not any(busy for busy, _, _ in run("PRAGMA wal_checkpoint(TRUNCATE)"))
