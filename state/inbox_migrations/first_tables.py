"""The first form of the inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("workspace", "system", "key", name=op.f("uq_event_workspace_system_key")),
    )
    op.create_index(op.f("ix_event_place"), "event", ["workspace", "system", "id"])
    for name, columns, state in (
        ("ix_event_new", ["workspace", "system", "id"], "new"),
        ("ix_event_parked", ["workspace", "id"], "parked"),
        ("ix_event_done", ["received"], "done"),
    ):
        where = sa.text(f"state = '{state}'")
        op.create_index(op.f(name), "event", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "told",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("times", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "system", "ref", name=op.f("pk_told")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "box",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_box")),
    )
