"""Whoever has no record left is in no place any more: a row of the ledger for each who was counted where they were last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_NAMES = ("workspace", "person", "pass_no", "source", "owner")
_entry = sa.table("stage_entry", *map(sa.column, ("id", *_NAMES, "entered_at", "entered_seen", "left_at", "left_seen", "evidence", "origin")))
_link = sa.table("link", *map(sa.column, ("id", "person", "state")))
_change = sa.table("change", *map(sa.column, ("id", "link", "at", "seen_at", "values")))
_counter = sa.table("counter", *map(sa.column, ("name", "next")))
_later = _entry.alias()
_last = ~sa.exists(sa.select(_later.c.id).where(_later.c.person == _entry.c.person, _later.c.id > _entry.c.id))
_alone = ~sa.exists(sa.select(_link.c.id).where(_link.c.person == _entry.c.person, _link.c.state == "linked"))
_its = sa.select(_link.c.id).where(_link.c.person == sa.bindparam("person"))
_WENT = sa.select(_change.c.at, _change.c.seen_at).where(_change.c.link.in_(_its), _change.c["values"].like('%"":[%')).order_by(_change.c.id.desc()).limit(1)


def upgrade() -> None:
    """Add rows, behind those of people who stand where nothing is left of them, and of those who became another person. All others are not touched."""
    connection = op.get_bind()
    rows = [*_lost(connection), *_dissolved(connection)]
    if not rows:
        return
    first = connection.execute(sa.select(_counter.c.next).where(_counter.c.name == "stage_entry")).scalar_one()
    connection.execute(sa.insert(_entry), [{"id": first + number, **row} for number, row in enumerate(rows)])
    connection.execute(sa.update(_counter).where(_counter.c.name == "stage_entry").values(next=first + len(rows)))
    ends = [{"whose": row["person"], "at": row["entered_at"], "seen": row["entered_seen"]} for row in rows]
    stands = sa.update(_entry).where(_entry.c.person == sa.bindparam("whose"), _entry.c.left_seen.is_(None), _entry.c.origin != "gone")
    connection.execute(stands.values(left_at=sa.bindparam("at"), left_seen=sa.bindparam("seen")), ends)


def _lost(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """Who has no record left, since when the last one went, as far as that is on record; of whoever was forgotten, or whose record we archived, since now."""
    now = time.time_ns() // 1_000_000
    for row in connection.execute(sa.select(_entry).where(_entry.c.left_seen.is_(None), _alone).order_by(_entry.c.id)).mappings().all():
        went = connection.execute(_WENT, {"person": row["person"]}).first()
        at, seen = (None, now) if went is None else went
        if at is not None and at < (row["entered_at"] or 0):
            at = row["entered_at"]
        yield _gone(row, at, max(seen, row["entered_seen"]))


def _dissolved(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """Who became another person has left already, but for nowhere."""
    for row in connection.execute(sa.select(_entry).where(_entry.c.left_seen.is_not(None), _last).order_by(_entry.c.id)).mappings().all():
        yield _gone(row, row["left_at"], row["left_seen"])


def _gone(row: sa.RowMapping, at: int | None, seen: int) -> dict[str, Any]:
    return {**{name: row[name] for name in _NAMES}, "entered_at": at, "entered_seen": seen, "evidence": "no record is left", "origin": "gone"}
