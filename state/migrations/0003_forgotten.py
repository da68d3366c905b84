"""Hashes of the people who were forgotten, and the secret of each workspace that they are keyed with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column and a table: nothing that was there is touched."""
    op.add_column("workspace", sa.Column("salt", sa.Text()))
    op.create_table(
        "forgotten",
        sa.Column("workspace", ID, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace", "hash", name=op.f("pk_forgotten")),
    )
