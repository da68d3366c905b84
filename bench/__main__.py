"""`python -m bench [first] [quiet] [calls] [help] [reading] [decision] [rules] [report] [pace] [inbox] [live] [files] [migration]`: measure, print one table.

Exit 1 where a bound is missed.

`python -m bench why` fills a state with a million people, which takes minutes and some gigabytes, and so runs only where it is named. So does
`python -m bench duplicates`, which needs labelled data beside: `make labelled` installs it.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .jobs import JOBS, LARGE, measured
from .table import Line, printed


def main(wanted: list[str]) -> int:
    """Run these jobs, or all, each in a process of its own: the peak of a program's memory is never told as less than that of whoever started it."""
    unknown = [name for name in wanted if name not in {**JOBS, **LARGE}]
    if unknown:
        print(f"there is no {', '.join(unknown)}; there are {', '.join([*JOBS, *LARGE])}", file=sys.stderr)
        return 2
    lines: list[Line] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for name in wanted or JOBS:
            print(f"measuring: {name} ...", file=sys.stderr)
            lines.extend(fresh.submit(measured, name).result())
    print(printed(lines))
    return 1 if any(line.passed is False for line in lines) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
