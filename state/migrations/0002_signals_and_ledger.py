"""Signals, the ledger of stages, what qualification says of a person, and how far the ledger is seeded."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Add columns to three tables, and two tables: nothing that was there is touched."""
    op.add_column("workspace", sa.Column("seeded", sa.BigInteger()))
    op.add_column("person", sa.Column("notes", sa.Text()))
    op.add_column("person", sa.Column("review_at", sa.BigInteger()))
    op.create_index("ix_person_review", "person", ["workspace", "review_at"], **where("review_at IS NOT NULL"))
    op.create_index("ix_link_claim", "link", ["workspace", "id"], **where("claim IS NOT NULL"))
    op.create_table(
        "signal",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("person", sa.BigInteger()),
        sa.Column("link", sa.BigInteger()),
        sa.Column("who", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("run", sa.BigInteger()),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
        sa.UniqueConstraint("workspace", "source", "key", name=op.f("uq_signal_workspace_source_key")),
    )
    op.create_index("ix_signal_person", "signal", ["person"], **where("person IS NOT NULL"))
    op.create_index("ix_signal_nobodys", "signal", ["workspace", "id"], **where("person IS NULL"))
    op.create_index("ix_signal_link", "signal", ["link"], **where("person IS NULL AND link IS NOT NULL"))
    op.create_table(
        "stage_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("pass_no", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("side", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("entered_at", sa.BigInteger()),
        sa.Column("entered_seen", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger()),
        sa.Column("left_seen", sa.BigInteger()),
        sa.Column("system", sa.Text()),
        sa.Column("actor", sa.Text()),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("run", sa.BigInteger()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("met", sa.Integer()),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_entry")),
    )
    op.create_index("ix_stage_entry_person", "stage_entry", ["person"])
    op.create_index("ix_stage_entry_open", "stage_entry", ["person"], **where("left_seen IS NULL"))
    op.create_index("ix_stage_entry_due", "stage_entry", ["workspace", "due_at"], **where("due_at IS NOT NULL AND met IS NULL"))
