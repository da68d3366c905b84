"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Create all tables and indexes of this revision."""
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text()),
        sa.Column("metadata_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("vendor", "ref", name=op.f("uq_account_vendor_ref")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "limit",
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("next", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_limit")),
    )
    op.create_table(
        "workspace",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text()),
        sa.Column("synced", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
        sa.UniqueConstraint("name", name=op.f("uq_workspace_name")),
    )
    op.create_table(
        "binding",
        sa.Column("workspace", ID, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("account", ID, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace", "system", name=op.f("pk_binding")),
    )
    op.create_table(
        "cursor",
        sa.Column("workspace", ID, nullable=False),
        sa.Column("account", ID, nullable=False),
        sa.Column("cursor", sa.Text()),
        sa.Column("swept_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace", "account", name=op.f("pk_cursor")),
    )
    op.create_table(
        "lease",
        sa.Column("workspace", ID, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("since", sa.BigInteger()),
        sa.Column("until", sa.BigInteger()),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace", name=op.f("pk_lease")),
    )
    op.create_table(
        "link",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("account", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("person", sa.BigInteger()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("agreed", sa.Text(), nullable=False),
        sa.Column("carried", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text()),
        sa.Column("author", sa.Text()),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("workspace", "account", "kind", "ref", name=op.f("uq_link_workspace_account_kind_ref")),
    )
    op.create_index("ix_link_new", "link", ["workspace", "id"], **where("state = 'new'"))
    op.create_index("ix_link_person", "link", ["person"], **where("person IS NOT NULL"))
    op.create_index("ix_link_workspace_account_state", "link", ["workspace", "account", "state"])
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("side", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("pass_no", sa.Integer(), nullable=False),
        sa.Column("stage_version", sa.Integer(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_due", "person", ["workspace", "id"], **where("due IS NOT NULL"))
    op.create_index("ix_person_workspace_stage", "person", ["workspace", "stage"])
    op.create_table(
        "run",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text()),
        sa.Column("digest", sa.Text()),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_workspace", "run", ["workspace", "id"])
    op.create_table(
        "action",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("person", sa.BigInteger()),
        sa.Column("link", ID),
        sa.Column("account", ID),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("question", sa.Text()),
        sa.Column("field", sa.Text()),
        sa.Column("answer", sa.Text()),
        sa.Column("result", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.ForeignKeyConstraint(["link"], ["link.id"]),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    op.create_index("ix_action_hold", "action", ["workspace", "question", "id"], **where("state = 'held'"))
    op.create_index("ix_action_hold_link", "action", ["workspace", "link"], **where("state = 'held'"))
    op.create_index("ix_action_hold_person", "action", ["workspace", "person"], **where("state = 'held'"))
    op.create_index("ix_action_intent", "action", ["workspace", "id"], **where("state IN ('sent', 'unknown')"))
    op.create_index("ix_action_person", "action", ["person"], **where("person IS NOT NULL"))
    op.create_index("ix_action_run", "action", ["run", "id"])
    op.create_table(
        "change",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace", ID, nullable=False),
        sa.Column("link", ID, nullable=False),
        sa.Column("person", ID),
        sa.Column("at", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("run", ID),
        sa.Column("author", sa.Text()),
        sa.Column("values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["link"], ["link.id"]),
        sa.ForeignKeyConstraint(["person"], ["person.id"]),
        sa.ForeignKeyConstraint(["run"], ["run.id"]),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index("ix_change_link", "change", ["link"])
    op.create_table(
        "match_key",
        sa.Column("workspace", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("link", ID, nullable=False),
        sa.ForeignKeyConstraint(["link"], ["link.id"]),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"]),
        sa.PrimaryKeyConstraint("workspace", "key", "value", "link", name=op.f("pk_match_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_match_key_link", "match_key", ["link"])
