"""Which changes and signals are of a run: so that a run of which there are none can go."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add indexes: nothing that was there is touched."""
    op.create_index("ix_change_run", "change", ["run"])
    op.create_index("ix_signal_run", "signal", ["run"])
