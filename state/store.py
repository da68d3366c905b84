"""The store: one database, opened, brought to our schema, and used in transactions.

    with store.write() as tx:
        people.mark_due(tx, workspace, ids, at)

Everything inside one `with` is committed together or not at all. Database errors leave it as `StateError`.
Do not talk to a vendor inside `write()`: the limiter writes too, and on SQLite there is one writer at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Engine

from ..model.errors import NewerSchema, StateError
from .errors import explained
from .schema import STATE, Schema
from .sql import POSTGRES, SQLITE, Bulk, Statement, encode

__all__ = ["NewerSchema", "StateError", "Store", "Tx", "open_store"]

_AT_ONCE = 5_000
ASLEEP_S = 60
"""Seconds without a statement after which a server ends a write transaction: whoever fell asleep inside one would keep all others out for ever."""


class Tx:
    """One open transaction: the first argument of every function of this room.

    On SQLite it talks to the driver's connection, elsewhere to SQLAlchemy's: SQLAlchemy's execution costs several times what SQLite takes for a statement.
    """

    __slots__ = ("_connection", "_dialect", "_own", "sqlite")

    def __init__(self, connection: Any, own: Callable[[], AbstractContextManager[Tx]], *, sqlite: bool) -> None:
        self._connection = connection
        self._own = own
        self.sqlite = sqlite
        self._dialect: Dialect = SQLITE if sqlite else POSTGRES

    def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it and fetch everything, as plain tuples straight from the driver's cursor."""
        text, values = statement.bound(self._dialect, parameters)
        if self.sqlite:
            return self._connection.execute(text, values).fetchall()
        result = self._connection.exec_driver_sql(text, values)
        found: list[tuple[Any, ...]] = result.cursor.fetchall()
        result.close()
        return found

    def each(self, statement: Statement, parameters: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """Run it and hand out one row after the other: for more rows than anybody should hold at once."""
        text, values = statement.bound(self._dialect, parameters)
        if self.sqlite:
            yield from self._connection.execute(text, values)
            return
        result = self._connection.exec_driver_sql(text, values, execution_options={"yield_per": _AT_ONCE})
        try:
            yield from result
        finally:
            result.close()

    def run(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Run a statement without rows; the number of rows that it touched."""
        text, values = statement.bound(self._dialect, parameters)
        return (self._connection.execute if self.sqlite else self._connection.exec_driver_sql)(text, values).rowcount

    def many(self, bulk: Bulk, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert or update all rows."""
        if not rows:
            return
        if self.sqlite:
            self._connection.executemany(bulk.text(SQLITE), rows)
        else:
            columns = dict(zip(bulk.names, map(list, zip(*rows, strict=True)), strict=True))
            self._connection.exec_driver_sql(bulk.text(POSTGRES), columns)

    def listed(self, values: Iterable[Any]) -> Any:
        """A parameter for `among`."""
        return encode(list(values)) if self.sqlite else list(values)

    def aside(self) -> AbstractContextManager[Tx]:
        """A transaction of its own on PostgreSQL, so that a counter's row is not locked until this one ends; on SQLite this one."""
        return nullcontext(self) if self.sqlite else self._own()


class Store:
    """One open database. It may be used from several threads; `path` is None where it is not a file."""

    def __init__(self, engine: Engine, where: str, path: Path | None) -> None:
        self._engine = engine
        self.where = where
        self.path = path
        self.guard: Callable[[Tx], None] | None = None  # set by a lease: stops a write transaction whose run was superseded
        self._turn = threading.Lock()  # SQLite has one writer; waiting here is fair and wakes at once, its busy handler polls
        self._writer: int | None = None

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """One write transaction. Raises `Busy` where the lease that this store holds was taken over, `StateError` where the database fails."""
        with self._transaction() as tx:
            if self.guard is not None:
                self.guard(tx)
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One read transaction: what it sees does not change on SQLite. Raises `StateError`."""
        with self._begun("BEGIN") as tx:
            yield tx

    @contextmanager
    def unguarded(self) -> Iterator[Tx]:
        """A write transaction beside the run: leases, limits and counters, which belong to no run."""
        with self._transaction() as tx:
            yield tx

    @contextmanager
    def alone(self) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
        """Outside of any transaction, for the database's own upkeep, which takes no parameters; each call gives the rows of the answer."""
        with self._my_turn(), explained(self.where), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection  # SQLAlchemy would begin a transaction first
            if self.path is None:
                driver.autocommit = True
            try:
                yield lambda statement: _all_rows(driver.execute(statement))
            finally:
                if self.path is None:
                    driver.autocommit = False

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        with self._my_turn(), self._begun("BEGIN IMMEDIATE", f"SET LOCAL idle_in_transaction_session_timeout = '{ASLEEP_S}s'") as tx:
            yield tx

    @contextmanager
    def _begun(self, on_sqlite: str, *on_server: str) -> Iterator[Tx]:
        """A transaction with what each database must be told at its beginning."""
        with explained(self.where):
            if self.path is None:
                with self._engine.begin() as connection:
                    for statement in on_server:
                        connection.exec_driver_sql(statement)
                    yield Tx(connection, self.unguarded, sqlite=False)
                return
            pooled = self._engine.raw_connection()
            try:
                driver: Any = pooled.driver_connection
                driver.execute(on_sqlite)
                yield Tx(driver, self.unguarded, sqlite=True)
                driver.commit()
            finally:
                pooled.close()  # rolls back what was not committed

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self.path is None:
            yield
            return
        if self._writer == threading.get_ident():
            raise RuntimeError("a write transaction inside a write transaction would wait for itself")
        with self._turn:
            self._writer = threading.get_ident()
            try:
                yield
            finally:
                self._writer = None

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


def _all_rows(cursor: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def open_store(url: str, schema: Schema = STATE) -> Store:
    """Open the database at `url`, creating it or bringing it to our schema (SQLite: after a backup beside it).

    `sqlite:///stagesync.db`, `sqlite:////absolute/path.db`, `postgresql://user@host/name`.
    Raises `StateError`, `NewerSchema`, and `ConfigurationError` where the url makes no sense.
    """
    from .connect import connect
    from .migrate import prepare

    engine, where, path = connect(url)
    return _opened(engine, where, path, lambda: prepare(schema, engine, where, path))


def reopen_store(url: str) -> Store:
    """Open a state that is there already, to look at it: nothing is made or migrated, and `write` raises `RuntimeError`.

    Raises `StateError` where there is none of our schema, `NewerSchema`, and `ConfigurationError` where the url makes no sense.
    """
    from .connect import connect
    from .migrate import expect

    engine, where, path = connect(url, existing=True)
    store = _opened(engine, where, path, lambda: expect(STATE, engine, where))
    store.guard = _refuse
    return store


def _opened(engine: Engine, where: str, path: Path | None, look: Callable[[], None]) -> Store:
    try:
        with explained(where):
            look()
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, where, path)


def _refuse(_tx: Tx) -> None:
    raise RuntimeError("this state was opened to be looked at")
