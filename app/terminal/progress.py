"""Shows on stderr what is being done, since stdout belongs to results: at a terminal as it goes, elsewhere nothing, or a line now and then if asked."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(slots=True)
class _Part:
    """One thing that is being done. `began`: by a clock that only grows, with so many done before. `spoken`: when it was last told in a line."""

    began: float
    before: int
    spoken: float
    task: TaskID | None = None


class Display:
    """The `Progress` callback of a session. It appears with the first word and goes when it is hidden; it may be used from several threads."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._parts: dict[str, _Part] = {}
        self._totals: dict[str, int] = {}
        self._beside: Callable[[], str] = str
        self._every_s: float | None = None

    def expect(self, what: str, total: int) -> None:
        """There are so many of these to do: from now on it is told how many are left, and for how long."""
        self._totals[what] = total

    def speak(self, every_s: float, beside: Callable[[], str]) -> None:
        """Where there is no terminal, say a line every so many seconds. `beside`: what else is to be known, at a terminal too."""
        self._every_s, self._beside = every_s, beside

    def __call__(self, what: str, count: int) -> None:
        """So many of these are done."""
        if not self._on and self._every_s is None:
            return
        with self._lock:
            now = time.monotonic()
            part = self._parts.setdefault(what, _Part(now, count, now))
            total = self._totals.get(what)
            told = "; ".join(each for each in (pace(count, total, count - part.before, now - part.began), self._beside()) if each)
            if self._on:
                self._show(part, what, count, told)
            elif now - part.spoken >= (self._every_s or 0) or count == total:
                part.spoken = now
                print(f"{what} {told}", file=sys.stderr, flush=True)

    def _show(self, part: _Part, what: str, count: int, told: str) -> None:
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        if part.task is None:
            part.task = self._bars.add_task(what, total=None, told="")
        self._bars.update(part.task, completed=count, told=told)

    def hide(self) -> None:
        """Make room on the screen: for a question, or for the result."""
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
            self._bars, self._parts = None, {}


def pace(count: int, total: int | None, done: int, seconds: float) -> str:
    """How far it is: `1,200 of 5,000 (24 %), 85 a second, 45 s left`. `done`: so many in these seconds."""
    rate = done / seconds if seconds >= 1 else 0.0
    quick = [f"{rate:,.0f} a second"] if rate >= 1 else []
    if not total:
        return ", ".join([f"{count:,}", *quick])
    left = [f"{_span((total - count) / rate)} left"] if rate and count < total else []
    return ", ".join([f"{count:,} of {total:,} ({100 * count // total} %)", *quick, *left])


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    told = TextColumn("{task.fields[told]}", table_column=Column())  # may wrap: a narrow window cuts nothing off
    columns = (SpinnerColumn(), TextColumn("{task.description}"), told, TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def shown() -> Iterator[Display]:
    """A display for the length of the block."""
    display = Display()
    try:
        yield display
    finally:
        display.hide()
