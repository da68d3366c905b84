"""The right to run a workspace, held by one program at a time.

SQLite: a lock of the operating system on a file beside the database (`stagesync.db.WORKSPACE.lock`), which ends with the process
however it ends. PostgreSQL: a row that counts as free when its time is over; a thread renews it as long as the program is awake.
On both an *epoch* is counted up with each holder, and a write transaction of an earlier epoch is refused: somebody who was
asleep for too long cannot write over the work of whoever came after. So is a request that changes something at a vendor (`sending`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import BigInteger, Integer, bindparam, or_, select, update

from ..model.errors import Busy, StateError
from .schema import lease, workspace
from .sql import Bulk, Statement, now_ms
from .store import Store, Tx

SECONDS = 60
"""How long a lease on PostgreSQL lasts after its holder was last awake."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run `workspace`, valid as long as nobody counted up its epoch."""

    workspace: int
    epoch: int


_c = lease.c
_MINE = (_c.workspace == bindparam("ws"), _c.epoch == bindparam("epoch"))
_FREE = or_(bindparam("locked", type_=Integer()) == 1, _c.holder.is_(None), _c.until < now_ms())
_FIRST = Bulk(lease, ("workspace", "epoch"), ignore=True)
_TAKE = Statement(
    update(lease)
    .where(_c.workspace == bindparam("ws"), _FREE)
    .values(epoch=_c.epoch + 1, holder=bindparam("new_holder"), since=now_ms(), until=now_ms() + bindparam("ms", type_=BigInteger()))
    .returning(_c.epoch)
)
_HELD = Statement(select(_c.holder, _c.since).where(_c.workspace == bindparam("ws")))
_CHECK = Statement(select(_c.epoch).where(_c.workspace == bindparam("ws")).with_for_update(read=True))
_SENDING = Statement(update(lease).where(*_MINE).values(sent=now_ms()))
_SENT = Statement(select(_c.sent).where(_c.workspace == bindparam("ws")))
_NOW = Statement(select(now_ms()))
_RENEW = Statement(update(lease).where(*_MINE).values(until=now_ms() + bindparam("ms", type_=BigInteger())))
_RELEASE = Statement(update(lease).where(*_MINE).values(holder=None, until=None))
_NAME = Statement(select(workspace.c.name).where(workspace.c.id == bindparam("ws")))


@contextmanager
def acquire(store: Store, ws: int, holder: str) -> Iterator[Lease]:
    """Hold the workspace while the block runs; from now on each `store.write()` makes sure that it still does.

    `holder` says who we are to others (`stagesync sync on crm-box, pid 4711`). Raises `Busy` naming who holds it and since when.
    """
    if store.guard is not None:
        raise RuntimeError("this store holds a lease already: open another store for another run")
    with store.read() as tx:
        name = tx.rows(_NAME, {"ws": ws})[0][0]
    with ExitStack() as stack:
        if store.path is not None and not _lock(stack, store.path.with_name(f"{store.path.name}.{quote(name, safe='')}.lock")):
            raise _busy(store, ws, name)
        held, before = _take(store, ws, holder, name)
        stack.callback(_release, store, held)
        store.guard = _Guard(store, held, name, before)
        if store.path is None:
            stack.enter_context(_renewed(store, held))
        yield held


def sending(store: Store, ws: int) -> None:
    """To be called before each request that changes something at a vendor: notes the time, so that a successor knows what may still arrive.

    Raises `Busy` where the lease that this store holds was taken over: whoever was superseded sends nothing any more.
    """
    if isinstance(store.guard, _Guard):
        store.guard.sending(ws)


def silent_s(store: Store) -> float | None:
    """How many seconds ago an earlier holder last began a request that changes something, by the database's clock; None: never, or nobody holds the lease here.

    Below zero where that clock was set back.
    """
    if not isinstance(store.guard, _Guard) or store.guard.before is None:
        return None
    with store.read() as tx:
        return (tx.rows(_NOW, {})[0][0] - store.guard.before) / 1000


def _take(store: Store, ws: int, holder: str, name: str) -> tuple[Lease, int | None]:
    """The lease, and when one of its earlier holders last began a request that changes something."""
    with store.unguarded() as tx:
        tx.many(_FIRST, [(ws, 0)])
        taken = tx.rows(_TAKE, {"ws": ws, "new_holder": holder, "ms": SECONDS * 1000, "locked": int(tx.sqlite)})
        before = tx.rows(_SENT, {"ws": ws})
    if not taken:
        raise _busy(store, ws, name)
    return Lease(ws, taken[0][0]), before[0][0]


def _release(store: Store, held: Lease) -> None:
    store.guard = None
    with suppress(StateError), store.unguarded() as tx:  # whatever ended the run is the news; the lease ends by itself
        tx.run(_RELEASE, {"ws": held.workspace, "epoch": held.epoch})


@contextmanager
def _renewed(store: Store, held: Lease) -> Iterator[None]:
    """Renew a timed lease while the block runs: one call to a vendor, or one thought about many people, may take longer than the lease."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(SECONDS / 4):
            with suppress(StateError), store.unguarded() as tx:  # the database may be back at the next turn; if not, the next write tells
                if not tx.run(_RENEW, {"ws": held.workspace, "epoch": held.epoch, "ms": SECONDS * 1000}):
                    return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Guard:
    """Checks the epoch in each write transaction and before each request that changes something. `before`: when an earlier holder last began one, in ms."""

    def __init__(self, store: Store, held: Lease, name: str, before: int | None) -> None:
        self._store, self._held, self._name, self.before = store, held, name, before

    def __call__(self, tx: Tx) -> None:
        if tx.rows(_CHECK, {"ws": self._held.workspace}) != [(self._held.epoch,)]:
            raise self._superseded()

    def sending(self, ws: int) -> None:
        with self._store.unguarded() as tx:
            mine = ws == self._held.workspace and tx.run(_SENDING, {"ws": ws, "epoch": self._held.epoch})
        if not mine:
            raise self._superseded()

    def _superseded(self) -> Busy:
        return _busy(self._store, self._held.workspace, self._name)


def _busy(store: Store, ws: int, name: str) -> Busy:
    with store.read() as tx:
        found = tx.rows(_HELD, {"ws": ws})
    holder, since = found[0] if found else (None, None)
    when = datetime.fromtimestamp(since / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if since else "a moment ago"
    remedy = (
        "wait until it has ended" if store.path is not None else f"wait until it has ended; if it was killed, its right ends {SECONDS} seconds after its death"
    )
    return Busy(f"workspace {name!r} is held by {holder or 'another run'} since {when}", where=store.where, next_step=remedy)


def _lock(stack: ExitStack, path: Path) -> bool:
    """Take the file's lock until the stack ends. The file stays: removing it would let two holders lock two files of one name."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(
            f"the lock file cannot be opened: {error.strerror}", where=str(path), next_step="give this user the right to write the folder"
        ) from None
    stack.callback(os.close, file)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
