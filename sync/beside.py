"""Work on several systems side by side: a thread each, because the vendors' clients block.

The engine asks for it through the session, so that a test can have the same work done in one thread, in an order that it can repeat.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

Item = TypeVar("Item")
_WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class End:
    """A source has no more items: it came to its end, or `error` broke it off."""

    error: Exception | None = None


class Beside(Protocol):
    """How the work on several systems is done at once."""

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of them, and come back when all have ended. None of them may raise."""
        ...

    def start(self, work: Callable[[], Item]) -> Callable[[], Item]:
        """Do this beside what comes next. What is given back waits for its end, and gives or raises what it gave or raised, as often as it is asked."""
        ...

    def merge(self, sources: Mapping[int, Iterable[Item]]) -> Generator[tuple[int, Item | End], None, None]:
        """Hand out what the sources yield, as it comes: (whose, item), and (whose, End) where one has ended.

        Memory is bounded: a source waits while nobody takes its items. Once it is closed, no source is asked for more.
        """
        ...


class Threads:
    """A thread for each system."""

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """As `Beside.run`."""
        threads = [_thread(work, daemon=False) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def start(self, work: Callable[[], Item]) -> Callable[[], Item]:
        """As `Beside.start`."""
        future: Future[Item] = Future()
        _thread(partial(_fulfil, future, work), daemon=False).start()
        return future.result

    def merge(self, sources: Mapping[int, Iterable[Item]]) -> Generator[tuple[int, Item | End], None, None]:
        """As `Beside.merge`."""
        came: queue.Queue[tuple[int, Item | End]] = queue.Queue(maxsize=2 * len(sources) + 2)
        stop = threading.Event()
        threads = [_thread(partial(_read, whose, source, came, stop), daemon=True) for whose, source in sources.items()]
        for thread in threads:
            thread.start()
        try:
            yield from _taken(came, len(threads))
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def _thread(work: Callable[[], None], *, daemon: bool) -> threading.Thread:
    """A thread in the context of the one that starts it: what it logs is of the same run."""
    return threading.Thread(target=copy_context().run, args=(work,), daemon=daemon)


def _fulfil(future: Future[Item], work: Callable[[], Item]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - raised where the result is asked for
        future.set_exception(error)


def _taken(came: queue.Queue[tuple[int, Item | End]], left: int) -> Iterator[tuple[int, Item | End]]:
    while left:
        whose, item = came.get()
        left -= isinstance(item, End)
        yield whose, item


def _read(whose: int, source: Iterable[Item], came: queue.Queue[tuple[int, Item | End]], stop: threading.Event) -> None:
    end = End()
    try:
        for item in source:
            if not _hand_over(came, (whose, item), stop):
                return
    except Exception as error:  # noqa: BLE001 - carried over to the thread that runs the sync, and raised there
        end = End(error)
    _hand_over(came, (whose, end), stop)


def _hand_over(came: queue.Queue[tuple[int, Item | End]], item: tuple[int, Item | End], stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            came.put(item, timeout=_WAIT_S)
        except queue.Full:
            continue
        return True
    return False


THREADS = Threads()
