"""What a shadow would have written, and which workspaces are shadows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column and a table: nothing that was there is touched."""
    op.add_column("workspace", sa.Column("shadow", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "shadow",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("account", ID, nullable=False),
        sa.Column("link", sa.BigInteger()),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("wanted", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lowers", sa.Integer(), nullable=False),
        sa.Column("backlog", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text()),
        sa.Column("author", sa.Text()),
        sa.Column("written_in", sa.BigInteger()),
        sa.Column("at", sa.BigInteger()),
        sa.Column("brought", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow")),
    )
    op.create_index("ix_shadow_workspace_person", "shadow", ["workspace", "person"])
