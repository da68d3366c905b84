"""What somebody decided about two records of one system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table: nothing that was there is touched."""
    op.create_table(
        "sameness",
        sa.Column("workspace", ID, nullable=False),
        sa.Column("one", sa.BigInteger(), nullable=False),
        sa.Column("other", sa.BigInteger(), nullable=False),
        sa.Column("survivor", sa.BigInteger()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace", "one", "other", name=op.f("pk_sameness")),
    )
    op.create_index("ix_sameness_other", "sameness", ["workspace", "other"])
