"""When a workspace last began to change something at a vendor: what a run that broke off has sent may still arrive."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column: nothing that was there is touched."""
    op.add_column("lease", sa.Column("sent", sa.BigInteger()))
