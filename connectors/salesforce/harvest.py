"""Reading a large object by a query job: a call for ten thousand rows, where a query gives two thousand.

The rows are those of the moment in which the job ran, in no certain order. The place in them is a locator that can be read again for as long as the job is
kept (seven days), so that a pull that breaks off is taken up there; where the job is gone, or does not tell all that was asked for in a way that can be
understood, everything behind the place where it was begun is read again, which is always right (Bulk API 2.0 Developer Guide, Get Results for a Query Job).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ...model.records import Native
from ..manners import Answer
from . import jobs
from .client import Client
from .cursor import Position
from .errors import NOT_FOR_US
from .rows import Row
from .soql import select, text

ROWS = 10_000
"""Rows of one page: with a hundred fields some megabytes, of what an answer may have at most (`manners.REPLY_LIMIT`)."""

CHUNK = 2_000
"""Rows that are handed on at once, as a query's page would."""

Convert = Callable[[str], Native]

_WORDS = {"true": True, "false": False}


def _moment(cell: str) -> str:
    """As REST words it. Raises `ValueError` for what has no offset."""
    text = f"{cell[:-1]}+0000" if cell.endswith("Z") else cell
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError
    return text


_TYPES: Mapping[str, Convert] = {
    "boolean": lambda cell: _WORDS[cell.lower()],
    "int": int,
    "long": int,
    "double": float,
    "currency": float,
    "percent": float,
    "datetime": _moment,
}
"""How a cell becomes what REST would have told, by the field's type (DescribeFieldResult); all others are texts. A cell that is none of its type raises
`ValueError` or `KeyError`."""


def begun(client: Client, source: str, columns: Sequence[str], position: Position) -> Position | None:
    """A job for all that lies behind the position; None where the org does not begin one, and its rows are to be had as ever."""
    query = select(columns, source, f"Id > {text(position.after)}" if position.after else "")
    try:
        id = jobs.make(client, "query", {"operation": "query", "query": client.spared(query)})
    except NOT_FOR_US:
        return None
    return None if id is None else replace(position, job=id, locator="")


def harvested(client: Client, source: str, columns: Sequence[str], position: Position) -> Generator[tuple[list[Row], Position], None, Position]:
    """The rows from the position's locator on, with the place after them. Returns the last place: behind the last row, or without the job where it is lost.

    Behind the last page the locator is the word `null`. Where none is told at all, somebody in between may have taken it away.
    """
    lost = replace(position, job=None, locator=None)
    id = position.job or ""
    if not _is_complete(client, id):
        return lost
    form = _form(client, source, client.spared_of(source, columns))
    while form is not None:
        answer = client.call("GET", _path(id, position.locator), repeatable=True, headers={"Accept": "text/csv"}, json=False)
        rows = form.rows(answer) if answer.ok else None
        following = answer.headers.get("sforce-locator")
        if rows is None or following is None or following == position.locator:
            return lost
        after = Position(since=position.start) if following in ("null", "") else replace(position, locator=following)
        for start in range(0, max(1, len(rows)), CHUNK):
            yield rows[start : start + CHUNK], after if start + CHUNK >= len(rows) else position
        position = after
        if position.job is None:
            return position
    return lost


def _is_complete(client: Client, id: str) -> bool:
    """Wait for it. One that does not come to its end is aborted, so that it costs no more."""
    try:
        told = jobs.ended(client, "query", id)
        if told.state in jobs.RUNNING:
            jobs.abort(client, "query", id)
    except NOT_FOR_US:  # no longer kept
        return False
    return told.state == "JobComplete"


def _path(id: str, locator: str | None) -> str:
    page = f"&locator={quote(locator, safe='')}" if locator else ""
    return f"jobs/query/{id}/results?maxRecords={ROWS}{page}"


def _form(client: Client, source: str, columns: Sequence[str]) -> _Form | None:
    """None where the org does not tell the type of one of the object's own columns: as a text, `false` would be true."""
    types = _Types(client)
    told = {column: types.of(source, column.split(".")) for column in columns}
    if any(type is None and "." not in column for column, type in told.items()):
        return None
    return _Form([(column, _TYPES.get(type or "")) for column, type in told.items()])


class _Form:
    """How the cells of one object become a row as REST tells it: typed, blank as None, related records nested."""

    def __init__(self, columns: Sequence[tuple[str, Convert | None]]) -> None:
        self._flat = columns
        self._head = [column.lower() for column, _ in columns]
        self._nested = [column.split(".") for column, _ in columns if "." in column]

    def rows(self, answer: Answer) -> list[Row] | None:
        """The rows of a page; None for one that is not whole, or not of these columns."""
        try:
            lines = csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""), strict=True)
            if [name.lower() for name in next(lines, [])] != self._head:
                return None
            found = [self._row(cells) for cells in lines]
        except (ValueError, KeyError, csv.Error):
            return None
        return found if answer.headers.get("sforce-numberofrecords", str(len(found))) == str(len(found)) else None

    def _row(self, cells: Sequence[str]) -> Row:
        row: Row = {name: (cell if convert is None else convert(cell)) if cell else None for (name, convert), cell in zip(self._flat, cells, strict=True)}
        for path in self._nested:
            _nest(row, path, row.pop(".".join(path)))
        return row


def _nest(row: Row, path: Sequence[str], value: Native) -> None:
    for head in path[:-1]:
        row = row.setdefault(head, {})
    row[path[-1]] = value


class _Types:
    """The type of a column, which may be a path over related records; None where the org does not tell it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, source: str, path: Sequence[str]) -> str | None:
        """The type as `describe` has it."""
        field = self._fields(source).get(path[0].lower(), {})
        if len(path) == 1:
            return field.get("type")
        parents: Sequence[str] = field.get("referenceTo") or ()
        return self.of(parents[-1], path[1:]) if parents else None

    def _fields(self, source: str) -> Mapping[str, Any]:
        """The object's fields by name, and those that lead to other records by the name of the way."""
        if source not in self._known:
            try:
                told = self._client.description(source)["fields"]
            except NOT_FOR_US:
                told = []
            self._known[source] = {str(each[key]).lower(): each for key in ("relationshipName", "name") for each in told if each.get(key)}
        return self._known[source]
