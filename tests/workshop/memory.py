"""Files of tests lie in memory where there is plenty of it: SQLite waits for the disk at each commit, which is most of what many tests take.

No test is about a machine that loses its power: a program that is killed loses nothing that it has handed to the system.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_SHARED = Path("/dev/shm")
_ROOM = 12 * 2**30
"""All tests of one run leave some 4 GB, which are looked through at its end; the tests themselves want some, too."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""What a container may have, whatever its machine has (Linux documentation, cgroup v2 and v1)."""


def prefer_memory() -> None:
    """Let temporary files of this program, and of those that it starts, lie in memory, unless somebody has named a place for them."""
    if "TMPDIR" not in os.environ and os.access(_SHARED, os.W_OK) and min(shutil.disk_usage(_SHARED).free, _memory()) > _ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_SHARED)


def _memory() -> int:
    """How much there is for us, in bytes; 0 where nobody tells."""
    told = re.search(r"^MemAvailable: +(\d+) kB$", _text("/proc/meminfo"), re.MULTILINE)
    limits = [int(text) for text in map(_text, _LIMITS) if text.strip().isdecimal()]
    return min([int(told[1]) * 1024, *limits]) if told else 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
