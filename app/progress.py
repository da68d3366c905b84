"""Shows on a terminal what is being done. Anywhere else it says nothing. It writes to stderr: stdout belongs to results."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..sync.session import Progress, quiet


@contextmanager
def shown() -> Iterator[Progress]:
    """A progress display for the length of the block."""
    if not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        lock = threading.Lock()

        def show(what: str, count: int) -> None:
            with lock:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=None)
            bars.update(tasks[what], completed=count)

        yield show
