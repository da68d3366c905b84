"""Takes in what many posts bring at once: one thread writes whatever has queued up in one transaction, and every post waits for the commit of its own.

A commit costs the same for one event and for a hundred, so a burst is as quick as a single post, and nothing is acknowledged that is not on the disk.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from ..model.errors import StateError
from .inbox import Arrival, put
from .store import Store

_TOGETHER = 500
_QUEUE = 2_000

_Post = tuple[Sequence[Arrival], "Future[list[bool]]"]


class Intake:
    """The way into one inbox. It may be used from several threads; `close` waits for what was put before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._posts: queue.Queue[_Post | None] = queue.Queue(_QUEUE)
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._writer.start()

    def put(self, arrivals: Sequence[Arrival]) -> Future[list[bool]]:
        """Keep the events of one post: whether each was new, once it is committed. The future raises `StateError` where nothing was kept."""
        future: Future[list[bool]] = Future()
        try:
            self._posts.put_nowait((arrivals, future))
        except queue.Full:
            future.set_exception(StateError("more posts wait for the inbox than it can write", where=self._store.where, next_step="check the disk"))
        return future

    def _write(self) -> None:
        while (post := self._posts.get()) is not None:
            posts = [post]
            while len(posts) < _TOGETHER:
                try:
                    more = self._posts.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._posts.put(None)  # written first, then seen again by the loop
                    break
                posts.append(more)
            self._keep([(arrivals, future) for arrivals, future in posts if future.set_running_or_notify_cancel()])

    def _keep(self, posts: Sequence[_Post]) -> None:
        """One commit for all of them."""
        try:
            with self._store.write() as tx:
                kept = iter(put(tx, [arrival for arrivals, _ in posts for arrival in arrivals]))
        except Exception as error:  # noqa: BLE001 - whatever it is, every post that waits must be told, and the next ones written
            for _, future in posts:
                future.set_exception(error)
            return
        for arrivals, future in posts:
            future.set_result([next(kept) for _ in arrivals])

    def close(self) -> None:
        """Write what was put before, and end."""
        self._posts.put(None)
        self._writer.join()
