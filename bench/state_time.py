"""How much CPU the state takes of a run: every public function of its rooms, and the beginning and end of each transaction, on a clock."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

from stagesync.state import accounts, actions, changes, closing, entries, keys, links, people, runs, signals
from stagesync.state.store import Store, Tx

_ROOMS = (accounts, actions, changes, closing, entries, keys, links, people, runs, signals)


class StateTime:
    """The clock. `total_s`: CPU seconds of all threads within the state, calls within calls counted once."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._lock = threading.Lock()
        self._inside = threading.local()

    def watch(self) -> None:
        """From now on, for the rest of the process."""
        for room in _ROOMS:
            for name, function in _functions(room):
                setattr(room, name, self._timed(function))
        for name in ("write", "read"):
            setattr(Store, name, self._around(getattr(Store, name)))

    def _add(self, seconds: float) -> None:
        with self._lock:
            self.total_s += seconds

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._inside, "state", False):
                return function(*args, **kwargs)
            self._inside.state = True
            before = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._add(time.thread_time() - before)
                self._inside.state = False

        return timed

    def _around(self, transaction: Callable[[Store], Any]) -> Callable[[Store], Any]:
        """Only what happens before and after the block is the state's."""

        @contextmanager
        def timed(store: Store) -> Iterator[Tx]:
            before = time.thread_time()
            with transaction(store) as tx:
                self._add(time.thread_time() - before)
                try:
                    yield tx
                finally:
                    before = time.thread_time()
            self._add(time.thread_time() - before)

        return timed


def _functions(room: ModuleType) -> list[tuple[str, FunctionType]]:
    found = [(name, each) for name, each in vars(room).items() if isinstance(each, FunctionType) and each.__module__ == room.__name__]
    return [(name, each) for name, each in found if not name.startswith("_")]
