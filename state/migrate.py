"""Bring a database to our schema: create it, migrate it after a backup, or refuse it.

A current schema is recognised by one row, without loading Alembic: that is what happens at every start.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text

from ..model.errors import NewerSchema, StateError
from .connect import no_state
from .schema import Schema

_LOCK = 7_301_115_001  # any number, the same for all: two programs must not create the tables at once


def prepare(schema: Schema, engine: Engine, where: str, path: Path | None) -> None:
    """Raises `NewerSchema` where a newer program wrote it, `StateError` where it is not ours."""
    with engine.connect() as connection, connection.begin():
        found = _revision(schema, connection)
    if found == schema.revision:
        return
    with engine.connect() as connection:
        connection = connection.execution_options(stagesync_immediate=True)
        if path is not None and found is not None and found < schema.revision:
            _backup(schema, connection, path)
        with nullcontext() if path is None else _free_of_keys(connection), connection.begin():
            if path is None:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            _change(schema, connection, _revision(schema, connection), where)


def expect(schema: Schema, engine: Engine, where: str) -> None:
    """Leave the database as it is. Raises `NewerSchema` and `StateError` where it is not of our schema."""
    with engine.connect() as connection, connection.begin():
        found = _revision(schema, connection)
    if found is None:
        raise no_state(where)
    if found < schema.revision:
        raise StateError(
            f"the {schema.what} was written by an older stagesync", where=where, next_step="run `stagesync status`, which brings it to the present form"
        )
    if found > schema.revision:
        raise _newer(schema, found, where)


@contextmanager
def _free_of_keys(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by building it anew, which foreign keys take for a deletion of all rows; they cannot be switched off inside a transaction."""
    driver = _driver(connection)
    driver.execute("PRAGMA foreign_keys = OFF").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON").close()


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _change(schema: Schema, connection: Connection, found: str | None, where: str) -> None:
    if found is None:
        _create(schema, connection, where)
    elif found > schema.revision:
        raise _newer(schema, found, where)
    elif found < schema.revision:
        upgrade(schema, connection)


def _newer(schema: Schema, found: str, where: str) -> NewerSchema:
    return NewerSchema(
        f"the {schema.what} was written by a newer stagesync (schema {found}, this program knows {schema.revision})",
        where=where,
        next_step=f"use the newer version, or restore the backup that it made beside the {schema.what} before it migrated",
    )


def _revision(schema: Schema, connection: Connection) -> str | None:
    """The revision in the version row: None in a database that never saw us, "" where the row is missing."""
    if not inspect(connection).has_table(schema.version.name):
        return None
    return connection.execute(select(schema.version.c.version_num)).scalar() or ""


def _create(schema: Schema, connection: Connection, where: str) -> None:
    strangers = set(inspect(connection).get_table_names()) & set(schema.metadata.tables)
    if strangers:
        raise StateError(
            f"the database has tables of these names that are not stagesync's: {', '.join(sorted(strangers))}",
            where=where,
            next_step="give `[state] url` a database (or, on PostgreSQL, a schema) of its own",
        )
    schema.metadata.create_all(connection, checkfirst=False)
    schema.version.create(connection)
    connection.execute(insert(schema.version).values(version_num=schema.revision))


def upgrade(schema: Schema, connection: Connection) -> None:
    """Run the missing migrations, all in the caller's transaction."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    folder = str(Path(__file__).parent / schema.migrations)
    script = ScriptDirectory(folder, version_locations=[folder])
    context = MigrationContext.configure(connection, opts={"version_table": schema.version.name})
    with Operations.context(context):
        for revision in reversed(list(script.iterate_revisions("head", context.get_current_revision() or "base"))):
            revision.module.upgrade()
        context.stamp(script, "head")


def _backup(schema: Schema, connection: Connection, path: Path) -> None:
    """A whole copy by SQLite's own backup, which also takes what is still in the -wal file; appears under its name only when complete."""
    target = path.with_name(f"{path.name}.before-{schema.revision}.bak")
    unfinished = target.with_name(target.name + ".part")
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    copy = sqlite3.connect(unfinished)
    try:
        _driver(connection).backup(copy)
    finally:
        copy.close()
    unfinished.replace(target)
