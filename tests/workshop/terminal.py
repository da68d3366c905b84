"""What a program shows at a terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

RUN = (sys.executable, "-c", "from stagesync.app.main import run; run()")


@contextmanager
def at_terminal(*words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A command of `stagesync` whose questions and answers go by a terminal: its process, and our end of the terminal. It has ended when the block has."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen([*RUN, *words], stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True)
    os.close(theirs)
    try:
        yield process, ours
        read_until(ours, None)
    finally:
        os.close(ours)
    process.communicate(timeout=30)


def read_until(terminal: int, mark: bytes | None) -> bytes:
    """What the terminal shows, up to the mark or to the end."""
    shown = b""
    while (mark is None or mark not in shown) and select.select([terminal], [], [], 20)[0]:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        shown += more
    return shown
