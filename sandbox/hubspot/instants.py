"""Moments as HubSpot writes and reads them: milliseconds inside, ISO text in Java's Instant style outside."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_DAY_MS = 86_400_000
_MILLIS = re.compile(r"-?\d+")


@lru_cache(maxsize=65_536)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def instant(ms: int) -> str:
    """`2026-11-21T10:00:00Z` when there are no milliseconds, else `2026-11-21T10:00:00.384Z`."""
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z" if rest else f"{_second(seconds)}Z"


def instant_ms(text: str) -> int:
    """Milliseconds of a moment given as epoch milliseconds or ISO text (a date counts as midnight UTC). Raises ValueError."""
    text = text.strip()
    return int(text) if _MILLIS.fullmatch(text) else _iso_ms(text)


@lru_cache(maxsize=65_536)
def _iso_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def calendar_date(text: str) -> str:
    """The date `YYYY-MM-DD` of an ISO date or of milliseconds at midnight UTC. Raises ValueError for anything else."""
    text = text.strip()
    if _MILLIS.fullmatch(text):
        days, rest = divmod(int(text), _DAY_MS)
        if rest:
            raise ValueError(f"{text} is not midnight UTC")
        return date.fromordinal(date(1970, 1, 1).toordinal() + days).isoformat()
    return date.fromisoformat(text).isoformat()
