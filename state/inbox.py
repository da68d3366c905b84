"""The inbox: events that systems told by themselves, in the order in which they came, each once.

An event is *new* until a run has taken it into the state, then *done*; one that could not be understood is *parked* with a code. A run reads from its
cursor on, and what lies before a cursor that was committed is done: so nothing is lost between the two databases, and what is read twice is known again.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.engine import make_url

from ..model.events import Event, Told
from .inbox_schema import INBOX, box, event, told
from .schema import word
from .sql import Bulk, Statement, among, decode, encode
from .store import Store, Tx, open_store

DONE_FOR_MS = 7 * 86_400_000
"""So long an event is known again, and can be read again by a state that was put back from a backup."""
PARKED_FOR_MS = 30 * 86_400_000


class Arrival(NamedTuple):
    """An event on its way in. `received`: by our clock (ms)."""

    workspace: str
    system: str
    event: Event
    received: int


class EventRow(NamedTuple):
    """One event with its bookkeeping. `attempts`: how often it was tried again. `code`: why it is parked."""

    id: int
    system: str
    received: int
    key: str
    body: Any
    state: str
    attempts: int
    code: str | None


class Waiting(NamedTuple):
    """How many events of a system are in a state, and when the first of them came (ms)."""

    system: str
    state: str
    events: int
    since: int


_c, _t = event.c, told.c
_WORKSPACE = _c.workspace == bindparam("ws")
_SYSTEM = _c.system == bindparam("system")
_NEW, _DONE, _PARKED = (_c.state == word(state) for state in ("new", "done", "parked"))
_ROW = tuple(_c[name] for name in EventRow._fields)

_NUMBERS = Statement(update(box).values(next=box.c.next + bindparam("n")).returning(box.c.next - bindparam("n")))
_FIRST = Bulk(box, ("name", "mark", "next"), ignore=True)
_MARK = Statement(select(box.c.mark))
_KNOWN = Statement(select(_c.key).where(_WORKSPACE, _SYSTEM, among(_c.key, "keys")))
_PUT = Bulk(event, ("id", "workspace", "system", "received", "key", "body", "state", "attempts"))
_TAKE = Statement(
    select(_c.id, _c.received, _c.key, _c.body)
    .where(_WORKSPACE, _SYSTEM, _c.state != word("parked"), _c.id > bindparam("after"))
    .order_by(_c.id)
    .limit(bindparam("n"))
)
_FINISH = Statement(update(event).where(_WORKSPACE, _SYSTEM, _NEW, _c.id <= bindparam("upto")).values(state=word("done")))
_PARK = Bulk(event, ("state", "code"), ("id",))
_LIST_PARKED = Statement(select(*_ROW).where(_WORKSPACE, _PARKED).order_by(_c.id))
_AGAIN = Statement(update(event).where(_c.id == bindparam("old"), _PARKED).values(id=bindparam("new"), state=word("new"), attempts=_c.attempts + 1, code=None))
_WAITING = Statement(select(_c.system, _c.state, func.count(), func.min(_c.received)).where(_WORKSPACE).group_by(_c.system, _c.state))
_COUNT_NEW = Statement(select(func.count(), func.min(_c.received)).where(_WORKSPACE, _SYSTEM, _NEW, _c.id > bindparam("after")))
_COUNT_PARKED = Statement(select(_c.system, func.count()).where(_WORKSPACE, _PARKED).group_by(_c.system))
_CLEAN = tuple(Statement(delete(event).where(which, _c.received < bindparam(name))) for which, name in ((_DONE, "done"), (_PARKED, "parked")))
_EACH = Statement(select(*_ROW).where(_WORKSPACE).order_by(_c.id))
_ERASE = Statement(delete(event).where(_WORKSPACE, among(_c.id, "ids")))
_FORGET = Statement(delete(told).where(_t.workspace == bindparam("ws"), _t.system == bindparam("system"), _t.ref == bindparam("ref")))
_TIMES = Statement(select(_t.ref, _t.times).where(_t.workspace == bindparam("ws"), _t.system == bindparam("system"), among(_t.ref, "refs")))
_NEW_TIMES = Bulk(told, ("workspace", "system", "ref", "times"), ignore=True)
_SET_TIMES = Bulk(told, ("times",), ("workspace", "system", "ref"))
_SECURE = Statement(sa.text("PRAGMA secure_delete = ON"))


def inbox_path(state: Path) -> Path:
    """The file of the inbox that belongs to a state's file: `stagesync.inbox.db` beside `stagesync.db`."""
    return state.with_name(f"{state.stem}.inbox{state.suffix}")


def inbox_url(state_url: str) -> str:
    """Where the inbox of a state is: a file of its own beside SQLite's, the same database with PostgreSQL."""
    url = make_url(state_url)
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(inbox_path(Path(url.database))))
    return url.render_as_string(hide_password=False)


def open_inbox(state_url: str) -> Store:
    """Open the inbox of a state, creating it or bringing it to our schema. Raises as `open_store` does."""
    return open_store(inbox_url(state_url), INBOX)


@contextmanager
def inbox_of(state_url: str) -> Iterator[Store | None]:
    """The inbox of a state for a moment; None where it has none, which is left so."""
    url = make_url(inbox_url(state_url))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield None
        return
    with closing(open_inbox(state_url)) as store:
        yield store


def put(tx: Tx, arrivals: Sequence[Arrival]) -> list[bool]:
    """Keep events, each once; whether each was new."""
    fresh: dict[tuple[str, str, str], int] = {}
    for place, each in enumerate(arrivals):
        fresh.setdefault((each.workspace, each.system, each.event.key), place)
    first = reserve(tx, len(fresh))  # before the look at what is known: whoever has the numbers is alone
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for workspace, system, key in fresh:
        asked[workspace, system].append(key)
    for (workspace, system), keys in asked.items():
        for (key,) in tx.rows(_KNOWN, {"ws": workspace, "system": system, "keys": tx.listed(keys)}):
            del fresh[workspace, system, key]
    places = sorted(fresh.values())
    rows = [(first + number, arrivals[place]) for number, place in enumerate(places)]
    tx.many(_PUT, [(id_, ws, system, received, told.key, encode(told.body), "new", 0) for id_, (ws, system, told, received) in rows])
    stored = set(places)
    return [place in stored for place in range(len(arrivals))]


def reserve(tx: Tx, n: int) -> int:
    """The first of `n` consecutive numbers, greater than all that were ever committed."""
    taken = tx.rows(_NUMBERS, {"n": n})
    if not taken:
        tx.many(_FIRST, [("inbox", secrets.token_hex(8), 1)])
        taken = tx.rows(_NUMBERS, {"n": n})
    return taken[0][0]


def mark(tx: Tx) -> str | None:
    """What tells this inbox from another one; None while it is empty."""
    return next((mark for (mark,) in tx.rows(_MARK, {})), None)


def take(tx: Tx, ws: str, system: str, after: int, n: int) -> list[Told]:
    """The next events after this number, at most `n`, in their order; also those that are done, for a state that was put back, or that reads all anew."""
    rows = tx.rows(_TAKE, {"ws": ws, "system": system, "after": after, "n": n})
    return [Told(id_, received, Event(key, decode(body))) for id_, received, key, body in rows]


def finish(tx: Tx, ws: str, system: str, upto: int) -> None:
    """What is new up to this number was taken into the state."""
    tx.run(_FINISH, {"ws": ws, "system": system, "upto": upto})


def park(tx: Tx, codes: Mapping[int, str]) -> None:
    """Set events aside that could not be understood: number -> why."""
    tx.many(_PARK, [("parked", code, id_) for id_, code in codes.items()])


def parked(tx: Tx, ws: str) -> list[EventRow]:
    """All that are set aside."""
    return [_row(row) for row in tx.rows(_LIST_PARKED, {"ws": ws})]


def again(tx: Tx, ids: Sequence[int]) -> int:
    """Let parked events come again, behind all others; how many."""
    first = reserve(tx, len(ids))
    return sum(tx.run(_AGAIN, {"old": old, "new": first + number}) for number, old in enumerate(ids))


def waiting(tx: Tx, ws: str) -> list[Waiting]:
    """How many events there are, by system and state."""
    return [Waiting(*row) for row in tx.rows(_WAITING, {"ws": ws})]


def count_new(tx: Tx, ws: str, system: str, after: int) -> tuple[int, int | None]:
    """How many events after this number no run has taken in yet, and when the first of them came (ms)."""
    return tx.rows(_COUNT_NEW, {"ws": ws, "system": system, "after": after})[0]


def count_parked(tx: Tx, ws: str) -> dict[str, int]:
    """System -> how many of its events are set aside."""
    return dict(tx.rows(_COUNT_PARKED, {"ws": ws}))


def clean(tx: Tx, now: int) -> int:
    """Let go of what was worked off long ago, and of what nobody mended; how many events."""
    bounds = {"done": now - DONE_FOR_MS, "parked": now - PARKED_FOR_MS}
    return sum(tx.run(statement, {name: bounds[name]}) for statement, name in zip(_CLEAN, bounds, strict=True))


def naming(tx: Tx, ws: str, addresses: Iterable[str], refs: Iterable[tuple[str, str]]) -> list[EventRow]:
    """All events in which one of these e-mail addresses stands, or one of these ids of its own system: (system, id). Every event is read for it."""
    wanted = [address.lower() for address in addresses]
    ids: dict[str, set[str]] = defaultdict(set)
    for system, ref in refs:
        ids[system].add(ref.lower())
    found = map(_row, tx.each(_EACH, {"ws": ws}))
    return [row for row in found if any(text in ids[row.system] or any(each in text for each in wanted) for text in texts_of(row.body))]


def texts_of(body: Any) -> Iterator[str]:
    """Every name and value in it, in lower case."""
    todo = [body]
    while todo:
        match todo.pop():
            case dict() as table:
                todo += [*table.keys(), *table.values()]
            case list() as listed:
                todo += listed
            case value:
                yield str(value).lower()


def erase(tx: Tx, ws: str, ids: Iterable[int], refs: Iterable[tuple[str, str]]) -> int:
    """Erase these events, whatever their state, and what is known of these records: (system, id); how many events."""
    if tx.sqlite:
        tx.rows(_SECURE, {})  # what is freed is written over with zeros
    for system, ref in refs:
        tx.run(_FORGET, {"ws": ws, "system": system, "ref": ref})
    return tx.run(_ERASE, {"ws": ws, "ids": tx.listed(ids)})


def times(tx: Tx, ws: str, system: str, refs: Iterable[str]) -> dict[str, dict[str, int]]:
    """Of each of these records, when what was told of its fields last had happened: ref -> field -> ms."""
    return {ref: decode(found) for ref, found in tx.rows(_TIMES, {"ws": ws, "system": system, "refs": tx.listed(refs)})}


def set_times(tx: Tx, ws: str, system: str, found: Mapping[str, Mapping[str, int]]) -> None:
    """Keep them for these records, in the place of those that were kept before."""
    tx.many(_NEW_TIMES, [(ws, system, ref, "{}") for ref in found])
    tx.many(_SET_TIMES, [(encode(dict(each)), ws, system, ref) for ref, each in found.items()])


def _row(row: tuple[Any, ...]) -> EventRow:
    return EventRow._make((*row[:4], decode(row[4]), *row[5:]))
