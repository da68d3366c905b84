"""Time as the machine tells it."""

from __future__ import annotations

import time


class SystemClock:
    """The `Clock` port over the machine's own clock."""

    def now_ms(self) -> int:
        """The present moment in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
