"""Moments as Salesforce stores and writes them: UTC, one second fine. Kept as text, which sorts as time does."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_STORED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.000\+0000")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})")
FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(4000, 12, 31)
"""The span of valid dates (Salesforce, Valid Date and DateTime Formats)."""


@lru_cache(maxsize=1024)
def _of_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def of_ms(ms: int) -> str:
    """Milliseconds since 1970 as a stored moment: `2013-05-08T21:20:00.000+0000`; the milliseconds are cut off."""
    return _of_second(ms // 1000)


def to_ms(stored: str) -> int:
    """The milliseconds since 1970 of a stored moment."""
    return int(datetime.fromisoformat(stored).timestamp() * 1000)


def parse(text: str) -> str:
    """A moment given with its offset, as a stored moment. Raises ValueError for anything else, and outside 1700 to 4000."""
    if _STORED.fullmatch(text):
        return text
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"not a dateTime with an offset: {text!r}")
    moment = datetime.fromisoformat(text).astimezone(UTC)
    parse_date(moment.date().isoformat())
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_date(text: str) -> str:
    """A date `2013-05-08`. Raises ValueError for anything else, and outside 1700 to 4000."""
    if not _DATE.fullmatch(text) or not FIRST_DAY <= date.fromisoformat(text) <= LAST_DAY:
        raise ValueError(f"not a date: {text!r}")
    return text
