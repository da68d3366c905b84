"""`python -m bench [first] [quiet] [calls] [help] [reading] [decision] [rules] [report] [pace] [inbox] [live] [files] [migration]`: measure, print one table.

Exit 1 where a bound is missed.

`python -m bench why` fills a state with a million people, which takes minutes and some gigabytes, and so runs only where it is named. So does
`python -m bench duplicates`, which needs labelled data beside: `make labelled` installs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import chain

from . import calls, decision, duplicates, files, first, inbox, live, migration, pace, quiet, reading, report, rules, start, why
from .table import Line, printed

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


def main(wanted: list[str]) -> int:
    """Run these jobs, or all."""
    known = {**JOBS, **LARGE}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"there is no {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    lines: list[Line] = []
    for name in wanted or JOBS:
        print(f"measuring: {name} ...", file=sys.stderr)
        lines.extend(known[name]())
    print(printed(lines))
    return 1 if any(line.passed is False for line in lines) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
