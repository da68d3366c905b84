"""The clock of a world: it runs with real time and can be moved forward by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime


class WorldClock:
    """Milliseconds since 1970 as the vendor sees them. Stamps and the `Date` header follow it; rate limits and token ages do not."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._advanced_ms = 0

    def now_ms(self) -> int:
        """The present moment in this world, in milliseconds."""
        return int(self._source() * 1000) + self._advanced_ms

    def advance(self, seconds: float) -> None:
        """Move this world's time forward (or back, with a negative number)."""
        self._advanced_ms += int(seconds * 1000)

    def http_date(self) -> str:
        """The `Date` header, in seconds as HTTP has it."""
        return format_datetime(datetime.fromtimestamp(self.now_ms() / 1000, UTC), usegmt=True)
