"""What can be measured, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain

from . import calls, decision, duplicates, files, first, inbox, live, migration, pace, quiet, reading, report, rules, start, why
from .table import Line

FULL = os.environ.get("FULL") == "1"

JOBS: dict[str, Callable[[], Iterator[Line]]] = {
    "help": start.measure,
    "first": lambda: chain.from_iterable(first.measure(people_each) for people_each in ((20_000, 200_000) if FULL else (20_000,))),
    "decision": lambda: decision.measure(5_000),
    "rules": lambda: rules.measure(100_000),
    "reading": lambda: reading.measure(20_000),
    "calls": lambda: calls.measure(10_000, 2_500),
    "pace": lambda: pace.measure(20_000, (0.0, 0.05, 0.15)),
    "report": lambda: report.measure(1_000_000),
    "inbox": lambda: inbox.measure(1_000, 100_000),
    "files": lambda: files.measure((10_000, 1_000_000 if FULL else 100_000)),
    "live": lambda: live.measure(20, 200),
    "migration": lambda: migration.measure((10_000, 1_000_000) if FULL else (2_000, 20_000)),
    "quiet": lambda: quiet.measure((1_000, 100_000)),
}

LARGE: dict[str, Callable[[], Iterator[Line]]] = {
    "why": lambda: why.measure(1_000_000),
    "duplicates": lambda: duplicates.measure(*((100_000, 1_000_000) if FULL else (100_000,))),
}
"""Only where they are named."""


def measured(name: str) -> list[Line]:
    """The lines of one job."""
    return list({**JOBS, **LARGE}[name]())
