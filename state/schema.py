"""The tables: what is remembered between runs.

One row per record ever seen (`link`) and one per person, with what varies as JSON in TEXT columns: rows per person *and
field* would cost ten times as much. All but `account`, `limit` and `counter` carry the workspace. Times are milliseconds since 1970.

The SQL of a fresh database comes from here; `migrations/` brings an older one to the same shape (a test compares them).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, literal_column
from sqlalchemy.sql.elements import ColumnElement

REVISION = "0011"
"""The revision of the schema that this program speaks; zero-padded, so that later means greater."""

ID = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER makes SQLite's primary key the row id itself

NAMING = {"uq": "uq_%(table_name)s_%(column_0_N_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}

metadata = MetaData(naming_convention=NAMING)


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one database of ours: the state's, or the inbox's beside it. `what`: its word in messages. `migrations`: the folder of its older forms."""

    what: str
    metadata: MetaData
    version: Table
    revision: str
    migrations: str


def version_table(name: str) -> Table:
    """The table with the one row that says which revision a database has, in the form that Alembic keeps."""
    return Table(name, MetaData(), Column("version_num", String(32), primary_key=True))


STATE = Schema("state", metadata, version_table("stagesync_version"), REVISION, "migrations")


def word(text: str) -> ColumnElement[str]:
    """A constant spelled out in the SQL: a partial index is only used where the condition is not a parameter."""
    return literal_column(f"'{text}'", Text)


workspace = Table(
    "workspace",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("mapping", Text),
    Column("synced", Integer, nullable=False),
    Column("seeded", BigInteger),
    Column("salt", Text),
    Column("shadow", Integer, nullable=False, server_default="0"),
)

account = Table(
    "account",
    metadata,
    Column("id", ID, primary_key=True),
    Column("vendor", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("metadata", Text),
    Column("metadata_at", BigInteger),
    UniqueConstraint("vendor", "ref"),
)

binding = Table(
    "binding",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("account", ForeignKey("account.id"), nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("account", ForeignKey("account.id"), primary_key=True),
    Column("cursor", Text),
    Column("swept_at", BigInteger),
    Column("read_at", BigInteger),
)

person = Table(
    "person",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("stage", Text),
    Column("side", Text),
    Column("reason", Text),
    Column("pass_no", Integer, nullable=False),
    Column("stage_version", Integer, nullable=False),
    Column("canonical", Text, nullable=False),
    Column("due", BigInteger),
    Column("notes", Text),
    Column("review_at", BigInteger),
)
Index("ix_person_due", person.c.workspace, person.c.id, sqlite_where=person.c.due.is_not(None), postgresql_where=person.c.due.is_not(None))
Index("ix_person_workspace_stage", person.c.workspace, person.c.stage)
Index(
    "ix_person_review", person.c.workspace, person.c.review_at, sqlite_where=person.c.review_at.is_not(None), postgresql_where=person.c.review_at.is_not(None)
)

link = Table(
    "link",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("account", ForeignKey("account.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    # No foreign key here: for an update of a column that has one, SQLite journals each touched page once more, which doubles the cost of `links.remember`.
    Column("person", BigInteger),
    Column("state", Text, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    Column("seen", Text, nullable=False),
    Column("agreed", Text, nullable=False),
    Column("carried", Text, nullable=False),
    Column("claim", Text),
    Column("author", Text),
    UniqueConstraint("workspace", "account", "kind", "ref"),
)
Index("ix_link_new", link.c.workspace, link.c.id, sqlite_where=link.c.state == word("new"), postgresql_where=link.c.state == word("new"))
Index("ix_link_person", link.c.person, sqlite_where=link.c.person.is_not(None), postgresql_where=link.c.person.is_not(None))
Index("ix_link_claim", link.c.workspace, link.c.id, sqlite_where=link.c.claim.is_not(None), postgresql_where=link.c.claim.is_not(None))
Index("ix_link_workspace_account_state", link.c.workspace, link.c.account, link.c.state)  # counts without reading the rows

match_key = Table(
    "match_key",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("link", ForeignKey("link.id"), primary_key=True),
    sqlite_with_rowid=False,  # the row is its key: one tree instead of two
)
Index("ix_match_key_link", match_key.c.link)

run = Table(
    "run",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("mapping", Text),
    Column("digest", Text),
    Column("counts", Text, nullable=False),
)
Index("ix_run_workspace", run.c.workspace, run.c.id)

change = Table(
    "change",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("link", ForeignKey("link.id"), nullable=False),
    Column("person", ForeignKey("person.id")),
    Column("at", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
    Column("run", ForeignKey("run.id")),
    Column("author", Text),
    Column("values", Text, nullable=False),
)
Index("ix_change_link", change.c.link)
Index("ix_change_run", change.c.run)

action = Table(
    "action",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("person", BigInteger),  # a planned person is not in the state before its plan is applied
    Column("link", ForeignKey("link.id")),
    Column("account", ForeignKey("account.id")),
    Column("step", Integer, nullable=False),
    Column("op", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("question", Text),
    Column("field", Text),
    Column("answer", Text),
    Column("result", Text),
    Column("attempts", Integer, nullable=False),
    Column("urgent", Integer, nullable=False, server_default="0"),
)
_intent = action.c.state.in_([word("sent"), word("unknown")])
_hold = action.c.state == word("held")
Index("ix_action_run", action.c.run, action.c.id)
Index("ix_action_person", action.c.person, sqlite_where=action.c.person.is_not(None), postgresql_where=action.c.person.is_not(None))
Index("ix_action_intent", action.c.workspace, action.c.id, sqlite_where=_intent, postgresql_where=_intent)
Index("ix_action_hold", action.c.workspace, action.c.question, action.c.id, sqlite_where=_hold, postgresql_where=_hold)
Index("ix_action_hold_person", action.c.workspace, action.c.person, sqlite_where=_hold, postgresql_where=_hold)
Index("ix_action_hold_link", action.c.workspace, action.c.link, sqlite_where=_hold, postgresql_where=_hold)

signal = Table(
    "signal",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("person", BigInteger),  # no foreign keys to rows that are there in any case: each would cost a look-up per row
    Column("link", BigInteger),
    Column("who", Text),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("run", BigInteger),
    UniqueConstraint("workspace", "source", "key"),
)
_nobodys = signal.c.person.is_(None)
_of_a_record = _nobodys & signal.c.link.is_not(None)
Index("ix_signal_run", signal.c.run)
Index("ix_signal_person", signal.c.person, sqlite_where=signal.c.person.is_not(None), postgresql_where=signal.c.person.is_not(None))
Index("ix_signal_nobodys", signal.c.workspace, signal.c.id, sqlite_where=_nobodys, postgresql_where=_nobodys)
Index("ix_signal_link", signal.c.link, sqlite_where=_of_a_record, postgresql_where=_of_a_record)

stage_entry = Table(
    "stage_entry",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("pass_no", Integer, nullable=False),
    Column("stage", Text),
    Column("side", Text),
    Column("reason", Text),
    Column("entered_at", BigInteger),
    Column("entered_seen", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    Column("left_seen", BigInteger),
    Column("system", Text),
    Column("actor", Text),
    Column("evidence", Text, nullable=False),
    Column("source", Text),
    Column("owner", Text),
    Column("run", BigInteger),
    Column("origin", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("met", Integer),
)
_open = stage_entry.c.left_seen.is_(None)
_ticking = stage_entry.c.due_at.is_not(None) & stage_entry.c.met.is_(None)
Index("ix_stage_entry_person", stage_entry.c.person)
Index("ix_stage_entry_open", stage_entry.c.person, sqlite_where=_open, postgresql_where=_open)
Index("ix_stage_entry_due", stage_entry.c.workspace, stage_entry.c.due_at, sqlite_where=_ticking, postgresql_where=_ticking)

# Whoever was forgotten, as keyed hashes of what their records are recognised by; those of one person share a `file`.
forgotten = Table(
    "forgotten",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("file", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# What somebody decided about two records of one system. `one` is the smaller number; `survivor` is that of the two which is written, where they are the same.
sameness = Table(
    "sameness",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("one", BigInteger, primary_key=True),
    Column("other", BigInteger, primary_key=True),
    Column("survivor", BigInteger),
    Column("at", BigInteger, nullable=False),
)
Index("ix_sameness_other", sameness.c.workspace, sameness.c.other)

lease = Table(
    "lease",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text),
    Column("since", BigInteger),
    Column("until", BigInteger),
    Column("sent", BigInteger),
)

schedule = Table(
    "schedule",
    metadata,
    Column("workspace", ForeignKey("workspace.id"), primary_key=True),
    Column("spec", Text, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("began_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("holder", Text),
    Column("outcome", Text),
    Column("reason", Text),
    Column("failures", Integer, nullable=False),
)

# A move of everybody from one system to another, and how far it has come.
migration = Table(
    "migration",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("first_run", BigInteger, nullable=False),
    Column("phases", Text, nullable=False),
    UniqueConstraint("workspace", "source", "target"),
)

# What a shadow would have written and what others wrote, one row per record and field at a time; empty in every other state.
shadow = Table(
    "shadow",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", ForeignKey("workspace.id"), nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("account", ForeignKey("account.id"), nullable=False),
    Column("link", BigInteger),
    Column("op", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("before", Text),
    Column("wanted", Text),
    Column("version", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lowers", Integer, nullable=False),
    Column("backlog", Integer, nullable=False),
    Column("edited_at", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("theirs", Text),
    Column("author", Text),
    Column("written_in", BigInteger),
    Column("at", BigInteger),
    Column("brought", Integer, nullable=False),
)
Index("ix_shadow_workspace_person", shadow.c.workspace, shadow.c.person)

limit = Table("limit", metadata, Column("bucket", Text, primary_key=True), Column("next", Float(53), nullable=False))

counter = Table("counter", metadata, Column("name", Text, primary_key=True), Column("next", BigInteger, nullable=False))
