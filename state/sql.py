"""Statements that are compiled once by SQLAlchemy Core and then run as plain SQL.

Compiling and processing each row in Core costs more than the database does; so a statement is written in Core, for both
databases at once, and its text is kept. Rows go in and come out as tuples.

`Bulk` writes many rows: on SQLite by the driver's executemany, on PostgreSQL by one statement over arrays (`unnest`),
since there each row of an executemany is a message of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ARRAY, BigInteger, ClauseElement, ColumnElement, Dialect, Table, bindparam, column, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NullType

SQLITE: Dialect = sqlite.dialect(paramstyle="named")
_SQLITE_ROWS: Dialect = sqlite.dialect(paramstyle="qmark")
POSTGRES: Dialect = psycopg.dialect(paramstyle="pyformat")


def encode(value: Any) -> str:
    """JSON text of a value. What orjson refuses (half a surrogate pair, integers over 64 bits) the standard library writes, behind a space that tells so."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return " " + json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Any:
    """The value behind a JSON text written by `encode`."""
    return json.loads(text) if text[0] == " " else orjson.loads(text)


class among(ColumnElement[Any]):  # noqa: N801 - reads as a word of SQL, like Core's own
    """`column` is one of the values of the list parameter `name`, however many they are."""

    inherit_cache = False
    type = NullType()  # as a Boolean, SQLite would get `IN (...) = 1`, which no index serves

    def __init__(self, target: ColumnElement[Any], name: str) -> None:
        self.target = target
        self.values = bindparam(name, type_=ARRAY(target.type))


def _binary(sql: str) -> str:
    """Let psycopg send arrays in binary form: quoting 5,000 JSON texts for the text form takes sixty times as long."""
    return sql.replace(")s::", ")b::")


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.target, **kw)} IN (SELECT value FROM json_each({compiler.process(element.values, **kw)}))"


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.target, **kw)} = ANY({_binary(compiler.process(element.values, **kw))})"


class now_ms(ColumnElement[int]):  # noqa: N801 - reads as a word of SQL
    """The database's clock in milliseconds: all programs that share a database share it, unlike their machines' clocks."""

    inherit_cache = False
    type = BigInteger()


@compiles(now_ms, "sqlite")
def _now_sqlite(element: now_ms, compiler: SQLCompiler, **kw: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(now_ms, "postgresql")
def _now_postgresql(element: now_ms, compiler: SQLCompiler, **kw: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


class Statement:
    """One statement with named parameters, compiled at its first use for each database."""

    __slots__ = ("_known", "_source")

    def __init__(self, source: ClauseElement) -> None:
        self._source = source
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}

    def bound(self, dialect: Dialect, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The SQL in the dialect's own spelling, and the parameters together with the constants that Core made parameters of."""
        known = self._known.get(dialect.name)
        if known is None:
            compiled = self._source.compile(dialect=dialect)
            assert isinstance(compiled, SQLCompiler)
            known = self._known[dialect.name] = str(compiled), {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        return known[0], {**known[1], **parameters}


class Bulk:
    """Insert many rows, or update many rows by `keys`. A row is a tuple of `columns`, then `keys`.

    `ignore`: a row that is already there is left as it is. Keys of an update must be distinct within one call.
    """

    __slots__ = ("_columns", "_ignore", "_keys", "_table", "_texts", "names")

    def __init__(self, table: Table, columns: Sequence[str], keys: Sequence[str] = (), *, ignore: bool = False) -> None:
        self._table, self._columns, self._keys, self._ignore = table, tuple(columns), tuple(keys), ignore
        self.names = tuple(f"p_{name}" for name in (*columns, *keys))
        self._texts: dict[str, str] = {}

    def text(self, dialect: Dialect) -> str:
        """The SQL: with `?` for SQLite, with one array per column for PostgreSQL."""
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = self._postgres() if dialect.name == "postgresql" else self._sqlite()
        return text

    def _sqlite(self) -> str:
        at = self._table.c
        if self._keys:
            source = update(self._table).ordered_values(*((at[name], bindparam(f"p_{name}")) for name in self._columns))
            source = source.where(*(at[name] == bindparam(f"p_{name}") for name in self._keys))
        else:
            source = sqlite.insert(self._table).values({at[name]: bindparam(f"p_{name}") for name in self._columns})
            source = source.on_conflict_do_nothing() if self._ignore else source
        compiled = source.compile(dialect=_SQLITE_ROWS)
        assert isinstance(compiled, SQLCompiler)
        if tuple(compiled.positiontup or ()) != self.names:
            raise AssertionError(f"columns of {self._table.name} must be listed in the order of the table: {compiled.positiontup}")
        return str(compiled)

    def _postgres(self) -> str:
        at, names = self._table.c, (*self._columns, *self._keys)
        arrays = (bindparam(f"p_{name}", type_=ARRAY(at[name].type)) for name in names)
        given = func.unnest(*arrays).table_valued(*(column(name, at[name].type) for name in names), name="given").render_derived()
        if self._keys:
            source = update(self._table).values({name: given.c[name] for name in self._columns})
            return _binary(str(source.where(*(at[name] == given.c[name] for name in self._keys)).compile(dialect=POSTGRES)))
        if self._ignore:
            filled = postgresql.insert(self._table).from_select(names, select(given)).on_conflict_do_nothing()
        else:
            filled = insert(self._table).from_select(names, select(given))
        return _binary(str(filled.compile(dialect=POSTGRES)))
