"""The tables of the inbox: what the systems told us by themselves, kept before it is acknowledged and until it was worked off; and what they are to be told.

They stand in a file of their own beside an SQLite state, so that a long write of the engine delays nobody's post; with PostgreSQL beside the state's
tables. `inbox_migrations/` brings an older inbox to the same shape. The workspace stands here by its name: whoever takes posts in need not open the state.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

from .schema import ID, NAMING, Schema, version_table, word

metadata = MetaData(naming_convention=NAMING)
INBOX = Schema("inbox", metadata, version_table("stagesync_inbox_version"), "0002", "inbox_migrations")

event = Table(
    "event",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", Text),
    UniqueConstraint("workspace", "system", "key"),
)
_new, _parked, _done = (event.c.state == word(state) for state in ("new", "parked", "done"))
Index("ix_event_place", event.c.workspace, event.c.system, event.c.id)
Index("ix_event_new", event.c.workspace, event.c.system, event.c.id, sqlite_where=_new, postgresql_where=_new)
Index("ix_event_parked", event.c.workspace, event.c.id, sqlite_where=_parked, postgresql_where=_parked)
Index("ix_event_done", event.c.received, sqlite_where=_done, postgresql_where=_done)

# How new what a system told of a record is, field by field: systems tell a part of a record at a time, and not always in the order in which it happened.
told = Table(
    "told",
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("times", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What is to be told to a system that takes events: in the order of the ids, each person's one after the other. A letter that was delivered is gone.
letter = Table(
    "letter",
    metadata,
    Column("id", ID, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("code", Text),
    UniqueConstraint("workspace", "system", "key"),
)
Index("ix_letter_state", letter.c.workspace, letter.c.system, letter.c.state, letter.c.id)

# How often in a row an endpoint has failed, and until when it is left alone.
endpoint = Table(
    "endpoint",
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
)

# The receiver's own id of a record that we told it of, where it said so later than with the first answer.
alias = Table(
    "alias",
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("theirs", Text, primary_key=True),
    Column("ours", Text, nullable=False),
    sqlite_with_rowid=False,
)

# One row. `next`: the number of the next event; whoever takes one holds the row until the commit, so that a lower number is never seen after a higher one.
# `mark` tells this inbox from another at the same place, in which the numbers begin anew.
box = Table("box", metadata, Column("name", Text, primary_key=True), Column("mark", Text, nullable=False), Column("next", BigInteger, nullable=False))
