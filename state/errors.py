"""What a database's own errors mean to somebody: one sentence, the place, and what to do next.

The driver's words are not passed on, since they may hold values of a row (PostgreSQL's DETAIL does).
SQLite's result codes: sqlite.org, "Result and Error Codes". PostgreSQL's: its manual, appendix "Error Codes".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..model.errors import StateError

_SQLITE = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space and run again; nothing was half-written"),
    sqlite3.SQLITE_BUSY: ("the database is locked by another program", "close what else has it open (a database browser, a backup, another run) and run again"),
    sqlite3.SQLITE_LOCKED: ("the database is locked by another program", "close what else has it open and run again"),
    sqlite3.SQLITE_NOTADB: ("the file is not an SQLite database", "give `[state] url` another path, or move the file away"),
    sqlite3.SQLITE_CORRUPT: (
        "the database is damaged",
        "restore it from a backup (also look for *.bak beside it); an older state is safe, the next run catches up",
    ),
    sqlite3.SQLITE_READONLY: ("the database may not be written", "give this user the right to write the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("the database cannot be opened", "check that the path is a file and that this user may read and write it and its folder"),
    sqlite3.SQLITE_PERM: ("the database may not be opened", "give this user the right to read and write the file and its folder"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "check the disk (and that the database is not on a network share), then run again"),
}
_POSTGRES = {
    "08": ("the connection to the database server broke", "run again when it is up"),
    "25P03": ("the program was asleep in the middle of a transaction, so the database server ended it", "run again"),
    "40": ("the database gave way to another program at the same rows", "run again"),
    "42501": ("the database user lacks a right", "let the user create and change tables in this database"),
    "53": ("the database server is out of disk, memory or connections", "make room there and run again; nothing was half-written"),
    "55": ("the database is locked by another program", "close what else works in it and run again"),
    "57": ("the database server broke off", "run again when it is up"),
}


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Let database errors leave as `StateError`, without the driver's text and its chain."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise  # our own mistake, which has no remedy for a reader
    except (DBAPIError, sqlite3.Error) as error:
        raise explain(error, where) from None
    except PoolTimeout:
        raise StateError("too many parts wait for the database", where=where, next_step="run again; if it comes back, report it") from None
    except Exception as error:
        if not type(error).__module__.startswith("psycopg"):
            raise
        raise explain(error, where) from None


def explain(error: BaseException, where: str) -> StateError:
    """The `StateError` for a driver's error, or for SQLAlchemy's wrapper of one."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    what, next_step = _sqlite(cause) if isinstance(cause, sqlite3.Error) else _postgres(cause)
    return StateError(what, where=where, next_step=next_step)


def _sqlite(cause: sqlite3.Error) -> tuple[str, str]:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _SQLITE:
        return _SQLITE[code & 0xFF]
    return f"the database refused a statement ({getattr(cause, 'sqlite_errorname', type(cause).__name__)})", "report this together with the version"


def _postgres(cause: BaseException) -> tuple[str, str]:
    state = getattr(cause, "sqlstate", None)
    if not state and type(cause).__name__ == "OperationalError":  # libpq gives no code for a connection that does not come about
        return "the database server cannot be reached, or refuses us", "check that it runs, and host, port, database, user and password in `[state] url`"
    if not state:
        return f"the database driver failed ({type(cause).__name__})", "report this together with the version"
    if found := _POSTGRES.get(state) or _POSTGRES.get(state[:2]):
        return found
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return f"the database refused a statement ({state}{f', {constraint}' if constraint else ''})", "report this together with the version"
