"""Which planned writes go before the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add a column: nothing that was there is touched."""
    op.add_column("action", sa.Column("urgent", sa.Integer(), nullable=False, server_default="0"))
