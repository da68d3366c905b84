"""The inbox as a connector sees it: one workspace's, opened when it is first looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..model.events import Told
from . import inbox
from .store import Store


class StateInbox:
    """One workspace's inbox as its connectors see it, opened at the first look."""

    def __init__(self, state_url: str, workspace: str) -> None:
        self._url, self._workspace = state_url, workspace
        self._opened: Store | None = None

    @property
    def _store(self) -> Store:
        if self._opened is None:
            self._opened = inbox.open_inbox(self._url)
        return self._opened

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

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
