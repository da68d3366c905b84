"""How long the help takes to come."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .table import Line

WITHIN_S = 0.4
_TIMES = 5


def measure() -> Iterator[Line]:
    """Lines about `stagesync --help`: the quickest of five, since other programs only add to it."""
    walls: list[float] = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(_TIMES):
        began = time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("stagesync"), "--help"], check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / _TIMES
    wall = min(walls)
    yield Line("stagesync --help", f"{wall:.2f} s, CPU {cpu:.2f} s", f"< {WITHIN_S} s", wall < WITHIN_S)
