"""From a url to an engine: what each database must be told before it is trusted with anything."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from ..model.errors import ConfigurationError, StateError

_BUSY_S = 10.0
_CACHE_KIB = 16_384
_PAGE = 16_384  # rows of one to two kilobytes: with the usual 4,096 each bulk write costs a fifth more
_CHECKPOINT_PAGES = 2_048


def connect(url: str, *, existing: bool = False) -> tuple[Engine, str, Path | None]:
    """The engine, its name in messages (never with a password), and the file where there is one. `existing`: no file is made."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("the url of the state cannot be understood", where="[state] url", next_step="write it like sqlite:///stagesync.db") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:" and not parsed.database.startswith("file:"):
            path = Path(parsed.database)
            if existing and not path.exists():
                raise no_state(str(path))
            return _sqlite(parsed, path), str(path), path
        case "postgresql":
            return _postgres(parsed), parsed.render_as_string(hide_password=True), None
        case _:
            raise ConfigurationError(
                "the state can be kept in an SQLite file or in PostgreSQL only",
                where="[state] url",
                next_step="write sqlite:///PATH or postgresql://USER@HOST/NAME",
            )


def no_state(where: str) -> StateError:
    """Nobody has synced here."""
    return StateError(
        "there is no state here yet", where=where, next_step="run `stagesync sync` first, or mend `[state] url` (a file is relative to the configuration)"
    )


def _sqlite(url: URL, path: Path) -> Engine:
    _claim(path)
    arguments: dict[str, Any] = {} if "timeout" in url.query else {"timeout": _BUSY_S}
    # The connection that was given back last is taken first: taken in turn, each would fill a cache of its own, and read pages that another one holds.
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), hide_parameters=True, connect_args=arguments, pool_use_lifo=True)
    event.listen(engine, "connect", _settle_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _claim(path: Path) -> None:
    """Make the file ours alone before SQLite touches it: its -wal and -shm files take over the mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        raise StateError("the folder of the state does not exist", where=str(path.parent), next_step="create it, or change `[state] url`") from None
    except IsADirectoryError:
        raise StateError("the state is a folder, not a file", where=str(path), next_step="change `[state] url`") from None
    except PermissionError:
        raise StateError(
            "the state may not be read and written", where=str(path), next_step="give this user the right to read and write the file and its folder"
        ) from None
    except OSError as error:
        raise StateError(f"the state cannot be opened: {error.strerror}", where=str(path), next_step="check the disk and the path in `[state] url`") from None


def _settle_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver shall not begin transactions by its own rules: see `_begin_sqlite`
    connection.execute(f"PRAGMA page_size = {_PAGE}").close()  # of a file that is new
    _keep_a_log(connection)
    for pragma in (
        "synchronous = FULL",  # NORMAL may lose the last commits in a power cut, and with them an intent: a duplicate
        "foreign_keys = ON",
        f"cache_size = -{_CACHE_KIB}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Write ahead, which is noted in the file. Programs that start together on a new one do so at once, and SQLite tells all but one of them at once that it is
    busy, where each holds what the other needs: its own patience is ours, then."""
    began, (patience_ms,) = time.monotonic(), connection.execute("PRAGMA busy_timeout").fetchone()
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() - began >= patience_ms / 1000:
                raise
            time.sleep(random.uniform(0.005, 0.05))  # of different lengths, or they would meet again


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the beginning: a transaction that upgrades later fails at once when another wrote in between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("stagesync_immediate") else "BEGIN")


def _postgres(url: URL) -> Engine:
    arguments: dict[str, Any] = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    try:
        return create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True, connect_args=arguments)
    except ImportError:
        raise StateError("PostgreSQL needs a driver that is not installed", where="[state] url", next_step='pip install "stagesync[postgres]"') from None
