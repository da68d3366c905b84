"""Reading everything, or what changed: Contacts, then Leads, and what other objects say about them. Each feed has its own place in the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...model.records import Gone, Moved, Page, Query, Record
from . import campaigns, evidence
from .client import Client
from .cursor import Position, read, written
from .fetch import COLLECTION, complete, read_by_id
from .paging import Part, parts
from .rows import OBJECTS, Shape, bookkeeping, fate, shape
from .soql import fitting


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read of one kind: `queried` in the query itself, `rest` by a second call for the rows of each page, where a URL cannot hold them all.

    Of the fields that were `asked` for, those `beside` stand on other objects.
    """

    kind: str
    asked: tuple[str, ...]
    queried: tuple[str, ...]
    rest: tuple[str, ...]
    beside: tuple[str, ...]
    shape: Shape


def columns(kind: str, fields: tuple[str, ...]) -> Columns:
    """The columns for these fields."""
    fixed = bookkeeping(kind, fate=True)
    own, beside = evidence.split(fields)
    inside, outside = fitting(own, fixed, OBJECTS[kind])
    return Columns(kind, fields, (*fixed, *inside), tuple(outside), beside, shape(kind, own, beside))


def pull(client: Client, query: Query, overlap_s: int, zone: Callable[[], str], many: int | None = None) -> Iterator[Page]:
    """The pages of a pull: all of Contact, then all of Lead, then events. What the cursor does not know is read from the beginning. `zone`: the org's.

    `many`: from so many records on, a job reads them.
    """
    positions = read(query.cursor)
    for kind in OBJECTS:
        if kind in query.fields:
            wanted = columns(kind, query.fields[kind])
            told = _parts(client, wanted, positions, overlap_s, many)
            yield from _with_evidence(client, wanted, positions, overlap_s, told) if wanted.beside else _plain(wanted, positions, told)
    if query.signals:
        for part in campaigns.members(client, positions.get(campaigns.POSITION), overlap_s):
            if isinstance(part, str):
                yield Page([], written(positions), client.clock.now_ms(), findings=(part,))
                return
            positions[campaigns.POSITION] = part.position
            yield Page([], written(positions), part.server_time, signals=campaigns.sightings(part.rows, client.system, zone()))


def _parts(client: Client, wanted: Columns, positions: dict[str, Position], overlap_s: int, many: int | None) -> Iterator[Part]:
    for part in parts(client, OBJECTS[wanted.kind], wanted.queried, positions.get(wanted.kind, Position()), overlap_s, many):
        positions[wanted.kind] = part.position
        # What changed since the query ran is read again by the next pull: its stamp is newer than this one.
        complete(client, wanted.kind, [row for row in part.rows if not row.get("IsDeleted")], wanted.rest)
        yield part


def _plain(wanted: Columns, positions: dict[str, Position], told: Iterator[Part]) -> Iterator[Page]:
    for part in told:
        yield _page(wanted.shape, part, written(positions))


def _with_evidence(client: Client, wanted: Columns, positions: dict[str, Position], overlap_s: int, rows: Iterator[Part]) -> Iterator[Page]:
    """The same with what other objects say: it is added to the rows as they come, and whoever is concerned and did not come is read in the end.

    The evidence is read once the query for the rows has been answered, so that it knows all of them. Where all records are read, so is all evidence; a reading
    that goes on after a break tells what changed meanwhile in the next pull, from the old place on. Evidence that the org refuses to tell stays as it was:
    its place in the cursor does not move, and where everything was to be read it is forgotten, so that the next pull reads all of it.
    """
    before = positions.get(wanted.kind, Position()).since
    told: evidence.Told | None = None
    server_time = 0
    for part in rows:
        if told is None:
            told = evidence.changes(client, positions.get(evidence.POSITION), before, overlap_s, part.server_time)
            if before is None:
                positions.setdefault(evidence.POSITION, told.position)
        told.fill(client, part.rows, wanted.beside)
        if told.refused is not None and before is None:
            positions.pop(evidence.POSITION, None)
        server_time = part.server_time
        yield _page(wanted.shape, part, written(positions))
    if told is None:
        return
    if before is not None and not told.findings:
        yield from _concerned(client, wanted, told, written(positions), server_time)
        if not told.findings:
            positions[evidence.POSITION] = told.position
    if before is not None or told.findings:
        yield Page([], written(positions), server_time, findings=told.findings)


def _concerned(client: Client, wanted: Columns, told: evidence.Told, cursor: str, server_time: int) -> Iterator[Page]:
    """Whoever is concerned and did not come."""
    ids = told.rest()
    for start in range(0, len(ids), COLLECTION):
        rows = read_by_id(client, wanted.kind, ids[start : start + COLLECTION], wanted.asked)
        if any(name not in row for row in rows for name in wanted.beside):
            told.refused = "the roles of single contacts are not told"
        yield Page([wanted.shape.record(row) for row in rows if not row.get("IsDeleted")], cursor, server_time)


def _page(shape: Shape, part: Part, cursor: str) -> Page:
    records: list[Record] = []
    gone: list[Gone] = []
    moved: list[Moved] = []
    for row in part.rows:
        if not row.get("IsDeleted") and not row.get("IsConverted"):
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
