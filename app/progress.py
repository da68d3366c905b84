"""Shows on a terminal what is being done. Anywhere else it says nothing. It writes to stderr: stdout belongs to results."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Display:
    """The `Progress` callback of a session. It appears with the first word and goes when it is hidden; it may be used from several threads."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, count: int) -> None:
        """So many of these are done."""
        if not self._on:
            return
        with self._lock:
            if self._bars is None:
                self._bars = _bars()
                self._bars.start()
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=None)
            self._bars.update(self._tasks[what], completed=count)

    def hide(self) -> None:
        """Make room on the screen: for a question, or for the result."""
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
            self._bars, self._tasks = None, {}


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def shown() -> Iterator[Display]:
    """A display for the length of the block."""
    display = Display()
    try:
        yield display
    finally:
        display.hide()
