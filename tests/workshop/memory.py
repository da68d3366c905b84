"""Files of tests lie in memory where there is plenty of it: SQLite waits for the disk at each commit, which is most of what many tests take.

No test is about a machine that loses its power: a program that is killed loses nothing that it has handed to the system.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_SHARED = Path("/dev/shm")
_ROOM = 6 * 2**30
"""All tests of one run leave some 4 GB, which are looked through at its end."""


def prefer_memory() -> None:
    """Let temporary files of this program, and of those that it starts, lie in memory, unless somebody has named a place for them."""
    if "TMPDIR" not in os.environ and os.access(_SHARED, os.W_OK) and shutil.disk_usage(_SHARED).free > _ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_SHARED)
