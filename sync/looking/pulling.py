"""Reads all systems side by side, with one writer of the state."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ...model.records import Page, Query, Ref
from ...state import accounts, links
from ...state.store import Tx
from ..beside import End
from ..session import Connected, Session
from .observe import Absorbed, Seen, absorb

COMMIT_EVERY = 5_000
LACKING = 1_000
"""So many records that came without a field are read again one by one in the runs that follow; where there are more, everything is."""
_LOOK_THROUGH = 5_000


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one system showed in this run, and what it did not show although it was asked (`findings`).

    `forgotten`: records of people who were forgotten, of which nothing was kept. `notes`: how it was read, where somebody may want to know.
    """

    records: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    forgotten: int = 0
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def plus(self, records: int, absorbed: Absorbed) -> Pulled:
        """With one more batch."""
        new, changed, gone = self.new + absorbed.new, self.changed + absorbed.changed, self.gone + absorbed.gone
        return replace(self, records=self.records + records, new=new, changed=changed, gone=gone, forgotten=self.forgotten + absorbed.forgotten)


@dataclass(slots=True)
class _Incoming:
    """One system's part: what came and is not committed yet."""

    connected: Connected
    asks: str
    seen: Seen = field(default_factory=Seen)
    cursor: str | None = None
    swept: bool = False
    anew: bool = False
    lacking: dict[Ref, None] = field(default_factory=dict[Ref, None])
    total: Pulled = field(default_factory=Pulled)
    unknown: list[Ref] = field(default_factory=list[Ref])


def pull_all(session: Session, run: int) -> dict[str, Pulled]:
    """Read what is new from every system; returns what each showed. Raises the first system's error after the others stopped."""
    incoming: dict[int, _Incoming] = {}
    for account, connected in session.systems.items():
        incoming[account] = _Incoming(connected, _digest(session.asks(account), signals=session.signals))
    pages = session.beside.merge({account: part.connected.connector.pull(_query(session, part)) for account, part in incoming.items()})
    with closing(pages):
        for account, page in pages:
            _take(session, run, incoming[account], page)
    for part in incoming.values():
        _read_unknown(session, run, part)
        _read_lacking(session, run, part)
        if part.swept:
            _sweep(session, run, part)
    return {part.connected.name: part.total for part in incoming.values()}


def cursor_of(tx: Tx, workspace: int, account: int) -> str | None:
    """The connector's own cursor, as it was committed last."""
    stored = accounts.cursor(tx, workspace, account)
    return orjson.loads(stored).get("cursor") if stored else None


def _query(session: Session, part: _Incoming) -> Query:
    """Where this system's pull goes on. Where other fields are asked for than last time, it begins anew."""
    account = part.connected.system.account
    now = session.clock.now_ms()
    with session.store.read() as tx:
        stored = accounts.cursor(tx, session.workspace, account)
        swept = accounts.swept_at(tx, session.workspace, account)
    known: dict[str, Any] = orjson.loads(stored) if stored else {}
    cursor = known.get("cursor") if known.get("asks") == part.asks else None
    part.swept = swept is None or not 0 <= now - swept < session.sweep_every_ms  # a sweep of tomorrow was noted by a clock that was wrong
    part.anew = cursor is None
    part.lacking = {} if part.anew else {Ref(*each): None for each in known.get("lacking", ())}
    return Query(session.asks(account), cursor, sweep=part.swept and not part.anew, signals=session.signals)


def _take(session: Session, run: int, part: _Incoming, page: Page | End) -> None:
    """One more page, or the end of all. Raises what broke the reading off, after what had come is kept."""
    if isinstance(page, End):
        _commit(session, run, part, whole=page.error is None)
        if page.error is not None:
            raise page.error
        return
    part.seen.records.extend(page.records)
    part.seen.gone.extend(page.gone)
    part.seen.moved.extend(page.moved)
    part.seen.signals.extend(page.signals)
    part.cursor = page.cursor
    findings = tuple(dict.fromkeys((*part.total.findings, *page.findings)))
    part.total = replace(part.total, findings=findings, notes=tuple(dict.fromkeys((*part.total.notes, *page.notes))))
    for note in page.notes:
        session.tell(f"{part.connected.name}: {note}")
    if page.keep or len(part.seen.records) + len(part.seen.signals) >= COMMIT_EVERY:
        _commit(session, run, part)


def _commit(session: Session, run: int, part: _Incoming, *, whole: bool = False) -> None:
    """Observations and the cursor that covers them, together. `whole`: with them, everything is read."""
    seen, part.seen = part.seen, Seen()
    now = session.clock.now_ms()
    if not whole and part.cursor is None and not (seen.records or seen.gone or seen.moved or seen.signals):
        return
    with session.store.write() as tx:
        absorbed = absorb(tx, session.workspace, part.connected.system, seen, run, now)
        part.lacking.update(dict.fromkeys(absorbed.lacking))
        if whole:
            accounts.set_read(tx, session.workspace, part.connected.system.account, now)
        _keep_place(tx, session, part)
    part.total = part.total.plus(len(seen.records), absorbed)
    part.unknown.extend(absorbed.unknown)
    session.progress(f"{part.connected.name}: reading", part.total.records)


def _keep_place(tx: Tx, session: Session, part: _Incoming) -> None:
    """The cursor, and who is to be read again. Where they are too many, everything is to be read anew; where that was just done, it has to do."""
    if part.cursor is None:
        return
    known: dict[str, Any] = {"asks": part.asks, "cursor": part.cursor}
    if len(part.lacking) <= LACKING:
        known["lacking"] = [[ref.kind, ref.id] for ref in part.lacking]
    elif not part.anew:
        known["asks"] = None
    accounts.set_cursor(tx, session.workspace, part.connected.system.account, orjson.dumps(known).decode())


def _read_lacking(session: Session, run: int, part: _Incoming) -> None:
    """Whoever came without a field is read again, in every run until the field is told: else an edit of it would never be seen.

    Where it is not told now either, the account may have changed: it is asked again what it looks like.
    """
    if not part.lacking:
        return
    asked = list(part.lacking) if len(part.lacking) <= LACKING else []
    still = read_refs(session, run, part.connected, asked) if asked else tuple(part.lacking)
    part.lacking = dict.fromkeys(still)
    with session.store.write() as tx:
        _keep_place(tx, session, part)
        if still:
            accounts.doubt(tx, part.connected.system.account)


def _read_unknown(session: Session, run: int, part: _Incoming) -> None:
    """Records to which a link moved, or that a signal is about, and that no page has brought."""
    if part.unknown and part.connected.system.looks:
        read_refs(session, run, part.connected, list(dict.fromkeys(part.unknown)))


def _sweep(session: Session, run: int, part: _Incoming) -> None:
    """What no feed tells of is read anew where a record has it, unless all were just read; then the sweep is done."""
    account = part.connected.system.account
    asked = frozenset(native for natives in session.asks(account).values() for native in natives)
    unfed = part.connected.connector.capabilities.unfed & asked
    for rows in links.pages(session.store, session.workspace, account, _LOOK_THROUGH) if unfed and not part.anew else ():
        there = [row for row in rows if row.state not in ("gone", "moved")]
        stale = [row.address for row in there if any(row.seen.get(native) is not None for native in unfed)]
        if stale:
            read_refs(session, run, part.connected, stale)
    with session.store.write() as tx:
        accounts.set_swept(tx, session.workspace, account, session.clock.now_ms())


def read_refs(session: Session, run: int, connected: Connected, refs: Sequence[Ref]) -> tuple[Ref, ...]:
    """Read these records now and put what is seen into the state; gives those that still lack a field."""
    seen = Seen()
    for answer in connected.connector.fetch(refs, session.asks(connected.system.account)):
        seen.take(answer)
    with session.store.write() as tx:
        return absorb(tx, session.workspace, connected.system, seen, run, session.clock.now_ms()).lacking


def _digest(asks: dict[str, tuple[str, ...]], *, signals: bool) -> str:
    told = orjson.dumps({**asks, "signals": ()} if signals else asks, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()[:16]
