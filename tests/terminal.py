"""What a program shows at a terminal."""

from __future__ import annotations

import os
import select


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
