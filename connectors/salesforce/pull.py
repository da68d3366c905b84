"""Reading everything, or what changed: by keyset, so that a crash costs a page and rows with equal stamps are never skipped.

Everything is read in the order of Ids. Changes are read in the order of (SystemModstamp, Id) from a window's beginning on, which lies `overlap_s` before the
vendor's time of the last reading: a record is stamped before it is committed, up to ten minutes for one transaction, and so becomes visible behind whoever
reads by stamps.
Ids are compared by Salesforce only: its order is not that of our strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...model.records import Gone, Moved, Page, Query, Record
from ..manners import Answer
from .client import Client
from .cursor import Position, read, written
from .fetch import complete
from .rows import OBJECTS, Row, Shape, bookkeeping, fate, records_of, shape, stamp_ms
from .soql import fitting, moment, select, text


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read of one kind: `queried` in the query itself, `rest` by a second call for the rows of each page, where a URL cannot hold them all."""

    kind: str
    queried: tuple[str, ...]
    rest: tuple[str, ...]
    shape: Shape


def columns(kind: str, fields: tuple[str, ...]) -> Columns:
    """The columns for these fields."""
    fixed = bookkeeping(kind, fate=True)
    inside, outside = fitting(fields, fixed, OBJECTS[kind])
    return Columns(kind, (*fixed, *inside), tuple(outside), shape(kind, fields))


def pull(client: Client, query: Query, overlap_s: int) -> Iterator[Page]:
    """The pages of a pull: all of Contact, then all of Lead. A kind that the cursor does not know is read from the beginning."""
    positions = read(query.cursor)
    for kind in OBJECTS:
        if kind not in query.fields:
            continue
        wanted = columns(kind, query.fields[kind])
        for part in _parts(client, wanted, positions.get(kind, Position()), overlap_s):
            positions[kind] = part.position
            yield _page(wanted.shape, part, written(positions))


@dataclass(frozen=True, slots=True)
class _Part:
    """One page of one kind: its rows, the place after it, and the vendor's time."""

    rows: list[Row]
    position: Position
    server_time: int


def _parts(client: Client, wanted: Columns, position: Position, overlap_s: int) -> Iterator[_Part]:
    """Follow the pages of the query; where its cursor is lost on the way, go on by keyset with a new query."""
    answer: Answer | None = None
    following: str | None = None
    while True:
        asked = client.clock.monotonic()
        answer = client.following(following) if following is not None else None
        if answer is None:
            answer = client.query(_question(wanted, position, overlap_s), everything=position.since is not None)
        server_time = client.server_ms(answer)
        rows = records_of(answer.data, client.system)
        following = answer.data.get("nextRecordsUrl")
        if position.start is None:
            # The query saw what was there when it began, at the latest when it was sent.
            position = replace(position, start=server_time - int((client.clock.monotonic() - asked) * 1000))
        if following is None:
            position = Position(since=position.start)
        elif rows:
            position = replace(position, stamp=stamp_ms(rows[-1]["SystemModstamp"]), after=rows[-1]["Id"])
        # What changed since the query ran is read again by the next pull: its stamp is newer than this one.
        complete(client, wanted.kind, [row for row in rows if not row["IsDeleted"]], wanted.rest)
        yield _Part(rows, position, server_time)
        if following is None:
            return


def _question(wanted: Columns, at: Position, overlap_s: int) -> str:
    source = OBJECTS[wanted.kind]
    if at.since is None:
        return select(wanted.queried, source, f"Id > {text(at.after)}" if at.after else "", "Id")
    if at.stamp is not None and at.after is not None:
        stamp = moment(at.stamp)
        where = f"(SystemModstamp = {stamp} AND Id > {text(at.after)}) OR SystemModstamp > {stamp}"
    else:
        where = f"SystemModstamp >= {moment((at.since - overlap_s * 1000) // 1000 * 1000)}"
    return select(wanted.queried, source, where, "SystemModstamp, Id")


def _page(shape: Shape, part: _Part, cursor: str) -> Page:
    records: list[Record] = []
    gone: list[Gone] = []
    moved: list[Moved] = []
    for row in part.rows:
        if not row["IsDeleted"] and not row.get("IsConverted"):
            records.append(shape.record(row))
            continue
        match fate(shape, row):
            case Gone() as found:
                gone.append(found)
            case Moved() as found:
                moved.append(found)
            case None:
                pass
    return Page(records, cursor, part.server_time, gone, moved)
