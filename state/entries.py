"""The ledger: one row per stay of a person in a place (a stage, with its side state), in the order in which they came through them.

Two clocks: `*_at` is the vendor's time, None where nobody told it; `*_seen` is when we observed it. Milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import dropwhile, starmap
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, select

from . import ids as _ids
from .schema import link, stage_entry, word
from .sql import Bulk, Statement, among
from .store import Tx

FIRST, RUN, HISTORY, GONE, BACK = "first", "run", "history", "gone", "back"
BEGUN = (FIRST, HISTORY)
"""How a person's ledger begins; all else was seen in runs."""


class NewEntry(NamedTuple):
    """A stay that begins. Who told it: `system`, `actor` ("user 4711", "rule fits"), `evidence` (the cause in words).

    `source`: where the person came from, `owner`: the address of whoever owned them then. `origin`: `first` (met there), `run` (seen to move), `history`
    (read in the vendor's history), `gone` (in no place: no record is left), `back` (there again, where they were before). `due_at`: until when the person
    is to be accepted; `met`: 1, 0, or None while that runs, or where nothing is due.
    """

    person: int
    pass_no: int
    stage: str | None
    side: str | None
    reason: str | None
    entered_at: int | None
    entered_seen: int
    left_at: int | None = None
    left_seen: int | None = None
    system: str | None = None
    actor: str | None = None
    evidence: str = ""
    source: str | None = None
    owner: str | None = None
    run: int | None = None
    origin: str = RUN
    due_at: int | None = None
    met: int | None = None


class EntryRow(NamedTuple):
    """One row of the ledger: a `NewEntry` with its number. A stay that lasts has no `left_seen`."""

    id: int
    person: int
    pass_no: int
    stage: str | None
    side: str | None
    reason: str | None
    entered_at: int | None
    entered_seen: int
    left_at: int | None
    left_seen: int | None
    system: str | None
    actor: str | None
    evidence: str
    source: str | None
    owner: str | None
    run: int | None
    origin: str
    due_at: int | None
    met: int | None

    @property
    def new(self) -> NewEntry:
        """The stay without its number."""
        return NewEntry._make(self[1:])


_c = stage_entry.c
_ROW = tuple(_c[name] for name in EntryRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_PERSONS = among(_c.person, "ids")
_RUNNING = (_c.due_at.is_not(None), _c.met.is_(None))
HAS_RECORD = exists(select(link.c.id).where(link.c.person == _c.person, link.c.state == word("linked")))
"""The person of a stay has a record left: nobody can answer for one who was deleted, or merged away, in all systems."""

_INSERT = Bulk(stage_entry, ("id", "workspace", *NewEntry._fields))
_CLOSE = Bulk(stage_entry, ("left_at", "left_seen"), ("id",))
_SETTLE = Bulk(stage_entry, ("met",), ("id",))
_OPEN = Statement(select(_c.id, _c.person, _c.entered_at).where(_PERSONS, _c.left_seen.is_(None)))
_OF_PEOPLE = Statement(select(*_ROW).where(_PERSONS).order_by(_c.id))
_TICKING = Statement(select(*_ROW).where(_WORKSPACE, _PERSONS, *_RUNNING).order_by(_c.id))
_OVERDUE = Statement(select(*_ROW).where(_WORKSPACE, *_RUNNING, _c.due_at <= bindparam("now"), HAS_RECORD).order_by(_c.due_at, _c.id).limit(bindparam("limit")))
_EACH = Statement(select(*_ROW).where(_WORKSPACE, _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("limit")))
_FORGET = Statement(delete(stage_entry).where(_PERSONS, _WORKSPACE))


def enter(tx: Tx, ws: int, rows: Sequence[NewEntry]) -> None:
    """Let people enter places, and so leave those where they were. Several of one person are in the order in which they came.

    Nobody enters a place before the one they leave, where it is known when that began: what a vendor dates earlier (a deal of long ago, in which somebody has
    a role only now) is dated so.
    """
    if not rows:
        return
    opened = tx.rows(_OPEN, {"ids": tx.listed({row.person for row in rows})})
    begun = {person: at for _, person, at in opened}
    written: list[NewEntry] = []
    first: dict[int, NewEntry] = {}
    for row in rows:
        begin, entry = begun.get(row.person), row
        if row.entered_at is not None and begin is not None and row.entered_at < begin:
            entry = row._replace(entered_at=begin)
        begun[row.person] = begin if entry.entered_at is None else entry.entered_at
        first.setdefault(row.person, entry)
        written.append(entry)
    tx.many(_CLOSE, [(first[person].entered_at, first[person].entered_seen, id_) for id_, person, _ in opened])
    _insert(tx, ws, written if len(first) == len(rows) else _chained(written))


def replace(tx: Tx, ws: int, stays: Mapping[int, Sequence[NewEntry]], passes: Mapping[int, int] | None = None) -> None:
    """Let these people's ledgers begin with these stays, in place of those with which they began so far. What was seen in runs follows as it was.

    `passes`: person -> so many passes more had gone before what was seen in runs.
    """
    seen = of_people(tx, stays)
    tx.run(_FORGET, {"ws": ws, "ids": tx.listed(stays)})
    written: list[NewEntry] = []
    for person, begun in stays.items():
        more = (passes or {}).get(person, 0)
        followed = dropwhile(lambda row: row.origin in BEGUN, seen.get(person, ()))
        written.extend(_chained([*begun, *(row.new._replace(pass_no=row.pass_no + more) for row in followed)]))
    _insert(tx, ws, written)


def _chained(rows: Sequence[NewEntry]) -> list[NewEntry]:
    """The same stays, each left when the person's next begins."""
    chained = list(rows)
    last: dict[int, int] = {}
    for i, row in enumerate(rows):
        if row.person in last:
            chained[last[row.person]] = chained[last[row.person]]._replace(left_at=row.entered_at, left_seen=row.entered_seen)
        last[row.person] = i
    return chained


def _insert(tx: Tx, ws: int, rows: Sequence[NewEntry]) -> None:
    first = _ids.reserve(tx, "stage_entry", len(rows)) if rows else 0
    tx.many(_INSERT, [(first + i, ws, *row) for i, row in enumerate(rows)])


def of_people(tx: Tx, ids: Iterable[int]) -> dict[int, list[EntryRow]]:
    """Person -> their stays, the oldest first; people without any are left out."""
    found: dict[int, list[EntryRow]] = defaultdict(list)
    for row in tx.rows(_OF_PEOPLE, {"ids": tx.listed(ids)}):
        found[row[1]].append(EntryRow._make(row))
    return dict(found)


def each(tx: Tx, ws: int, after_id: int, limit: int) -> list[EntryRow]:
    """The whole ledger after this row, page by page; a person's rows are in order, but other people's stand between them."""
    return list(starmap(EntryRow, tx.rows(_EACH, {"ws": ws, "after": after_id, "limit": limit})))


def running(tx: Tx, ws: int, persons: Iterable[int]) -> dict[int, EntryRow]:
    """Person -> the stay (the latest, if several) by which they are to be accepted, and of which it is open whether that was in time."""
    return {row[1]: EntryRow._make(row) for row in tx.rows(_TICKING, {"ws": ws, "ids": tx.listed(persons)})}


def settle_clock(tx: Tx, rows: Sequence[tuple[int, int]]) -> None:
    """Write (id, 1 or 0): accepted in time, or not. Ids are distinct."""
    tx.many(_SETTLE, [(met, id_) for id_, met in rows])


def overdue(tx: Tx, ws: int, now: int, limit: int) -> list[EntryRow]:
    """Stays whose time for acceptance is over, and of which nobody has said so yet: the longest overdue first. An index range. Whoever has no record left is
    not waited for; where one comes back, the clock has gone on."""
    return list(starmap(EntryRow, tx.rows(_OVERDUE, {"ws": ws, "now": now, "limit": limit})))


def lived(stays: Sequence[EntryRow]) -> list[EntryRow]:
    """Without the times in which the person had no record left."""
    return [stay for stay in stays if stay.origin != GONE]


def entered(stays: Sequence[EntryRow], *, side: bool) -> int | None:
    """When somebody entered the stage where they are, or the side state: the vendor's time where it is known, else when we saw it. None: no stay is known.

    A side state that was set and lifted at the stage does not begin it anew, nor does it to have had no record for a while.
    """
    since: int | None = None
    there = lived(stays)
    for stay in reversed(there):
        last = there[-1]
        if (stay.stage, stay.pass_no) != (last.stage, last.pass_no) or (side and stay.side != last.side):
            break
        since = stay.entered_at if stay.entered_at is not None else stay.entered_seen
    return since
