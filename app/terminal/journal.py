"""What a command that runs the engine leaves in a log: where stderr is no terminal, its notes and how it ended, as JSON like the service's lines.

On a terminal nothing of this is said: there are a display and sentences. What libraries warn of goes the same way on both, without anybody's data.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from ...model.errors import StagesyncError
from ...state import runs
from ..wiring import Place
from . import logs, output
from .shell import place_of

_COUNTS = {"people": ("people", max), "rejected": ("rejected", sum), "held": ("open_holds", max), "new_holds": ("new_holds", sum)}
"""As the service's lines name them -> as the run's row does, and what several runs of one command come to."""
log = structlog.get_logger("stagesync.command")


@dataclass(slots=True)
class Journal:
    """One command's. `runs`: those that it began or carried out; `told`: what its last line will say beside."""

    runs: list[int] = field(default_factory=list[int])
    told: dict[str, Any] = field(default_factory=dict[str, Any])

    def begun(self, run: int) -> None:
        """From here on every line bears the run."""
        self.runs.append(run)
        logs.run_begins(run)

    def tell(self, sentence: str) -> None:
        """Something that somebody should read at once."""
        if sys.stderr.isatty():
            output.tell(sentence)
        else:
            log.info("note", note=sentence)

    def count(self, place: Place) -> None:
        """What the runs came to, by their rows in the state, as far as that answers."""
        with suppress(StagesyncError), place.store.read() as tx:
            rows = [row for number in dict.fromkeys(self.runs) if (row := runs.by_id(tx, number)) is not None]
            if rows:
                counts = [row.counts for row in rows]
                writes = sum(each.get(kind, 0) for each in counts for kind in ("created", "updated", "archived"))
                told = {name: [each[kept] for each in counts if kept in each] for name, (kept, _) in _COUNTS.items()}
                self.told = {"state": rows[-1].state, "writes": writes, **{name: _COUNTS[name][1](found) for name, found in told.items() if found}}


@contextmanager
def journal(command: str, workspace: str) -> Iterator[Journal]:
    """The journal of a command, for the length of the block; its end is told whatever it is."""
    kept, started = Journal(), time.monotonic()
    with logs.speaking(), logs.about(workspace):
        try:
            yield kept
        except BaseException as error:
            reason = error.what if isinstance(error, StagesyncError) else place_of(error)  # what to do next is said in the sentence that follows
            log.error("command ended", command=command, **kept.told, took_s=round(time.monotonic() - started, 3), reason=reason)
            raise
        log.info("command ended", command=command, **kept.told, took_s=round(time.monotonic() - started, 3))
