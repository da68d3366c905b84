"""What systems that take events are to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add three tables: nothing that was there is touched."""
    op.create_table(
        "letter",
        sa.Column("id", ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("workspace", "system", "ref", "key", "body")),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("workspace", "system", "key", name=op.f("uq_letter_workspace_system_key")),
    )
    op.create_index(op.f("ix_letter_state"), "letter", ["workspace", "system", "state", "id"])
    op.create_table(
        "endpoint",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "system", name=op.f("pk_endpoint")),
    )
    op.create_table(
        "alias",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("workspace", "system", "theirs", "ours")),
        sa.PrimaryKeyConstraint("workspace", "system", "theirs", name=op.f("pk_alias")),
        sqlite_with_rowid=False,
    )
