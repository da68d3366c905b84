"""Inbox and outbox as a connector sees them: one workspace's, opened when they are first looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..model.events import Letter, Pending, Told
from . import inbox, outbox
from .store import Store


class _Beside:
    """The database beside the state, opened at the first look."""

    def __init__(self, state_url: str, workspace: str) -> None:
        self._url, self._workspace = state_url, workspace
        self._opened: Store | None = None

    @property
    def _store(self) -> Store:
        if self._opened is None:
            self._opened = inbox.open_inbox(self._url)
        return self._opened

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class StateInbox(_Beside):
    """What one workspace was told."""

    def mark(self) -> str | None:
        """What tells this inbox from another one; None while it is empty."""
        with self._store.read() as tx:
            return inbox.mark(tx)

    def take(self, system: str, after: int, n: int) -> Sequence[Told]:
        """The next events of the system after this number, at most `n`, in their order."""
        with self._store.read() as tx:
            return inbox.take(tx, self._workspace, system, after, n)

    def finish(self, system: str, upto: int, now: int) -> None:
        """What came up to this number was taken into the state; what is old goes."""
        with self._store.write() as tx:
            inbox.finish(tx, self._workspace, system, upto)
            inbox.clean(tx, now)

    def times(self, system: str, refs: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
        """Record -> field -> when what was told of it last had happened (ms)."""
        with self._store.read() as tx:
            return inbox.times(tx, self._workspace, system, refs)

    def note(self, system: str, found: Mapping[str, Mapping[str, int]], parked: Mapping[int, str]) -> None:
        """Keep these times, and set these events aside: number -> code."""
        with self._store.write() as tx:
            inbox.set_times(tx, self._workspace, system, found)
            inbox.park(tx, parked)


class StateOutbox(_Beside):
    """What one workspace has to tell."""

    def mark(self) -> str:
        """What tells this outbox from another one."""
        with self._store.write() as tx:
            inbox.reserve(tx, 0)
            return inbox.mark(tx) or ""

    def post(self, system: str, letters: Sequence[Letter], now: int) -> None:
        """Keep letters to be sent; what was given up long ago goes."""
        with self._store.write() as tx:
            outbox.post(tx, self._workspace, system, letters, now)
            outbox.clean(tx, self._workspace, now)

    def waiting(self, system: str, after: int, n: int) -> Sequence[Pending]:
        """The next letters that are not delivered yet, in their order."""
        with self._store.read() as tx:
            rows = outbox.waiting(tx, self._workspace, system, after, n)
        return [Pending(row.id, Letter(row.ref, row.key, row.body), row.attempts, row.due) for row in rows]

    def delivered(self, id: int) -> None:
        """This one arrived."""
        with self._store.write() as tx:
            outbox.delivered(tx, self._workspace, [id])

    def failed(self, id: int, attempts: int, due: int | None, code: str) -> None:
        """This one did not."""
        with self._store.write() as tx:
            outbox.failed(tx, id, attempts, due, code)

    def standing(self, system: str) -> tuple[int, int]:
        """How often in a row the endpoint has failed, and until when it is left alone (ms)."""
        with self._store.read() as tx:
            return outbox.standing(tx, self._workspace, system)

    def set_standing(self, system: str, failures: int, until: int) -> None:
        """Remember it."""
        with self._store.write() as tx:
            outbox.set_standing(tx, self._workspace, system, failures, until)

    def name(self, system: str, ours: str, theirs: str) -> None:
        """The receiver calls this record by an id of its own."""
        with self._store.write() as tx:
            outbox.name(tx, self._workspace, system, ours, theirs)

    def ours(self, system: str, refs: Iterable[str]) -> Mapping[str, str]:
        """The receiver's id -> ours."""
        with self._store.read() as tx:
            return outbox.ours(tx, self._workspace, system, refs)

    def theirs(self, system: str, refs: Iterable[str]) -> Mapping[str, str]:
        """Our id -> the receiver's."""
        with self._store.read() as tx:
            return outbox.theirs(tx, self._workspace, system, refs)
