"""Dates and moments in canonical form: `2026-03-01`, and `2026-03-01T09:30:00Z` (milliseconds only where there are any).

A date has no zone. Where a moment becomes a date, or a date a moment, the account's zone decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..model.records import Native, Value, Values
from .fields import Unmappable

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{9,15}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = time(12)


def read_date(zone: ZoneInfo | None) -> Callable[[Native, Values], Value]:
    """A reader of dates. `zone`: of moments, the date there (None: the native field is a date, whose milliseconds mean midnight UTC)."""

    def read(native: Native, _record: Values) -> Value:
        if native is None:
            return None
        text = str(native).strip()
        if not text:
            return None
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text).isoformat()
            moment = _moment(text)
            return moment.astimezone(zone or UTC).date().isoformat()
        except (ValueError, OverflowError) as error:
            raise Unmappable("is not a date") from error

    return read


def read_datetime(zone: ZoneInfo) -> Callable[[Native, Values], Value]:
    """A reader of moments; a bare date is noon of that day in the zone (noon exists on every day in every zone)."""

    def read(native: Native, _record: Values) -> Value:
        if native is None:
            return None
        text = str(native).strip()
        if not text:
            return None
        try:
            moment = noon(text, zone) if _DATE.fullmatch(text) else _moment(text)
            return instant(moment)
        except (ValueError, OverflowError) as error:
            raise Unmappable("is not a date with a time") from error

    return read


def _moment(text: str) -> datetime:
    """Milliseconds since 1970, or ISO 8601; without an offset it is UTC. Raises `ValueError`."""
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text))
    if len(text) < 14:  # `fromisoformat` also takes weeks, ordinals and bare dates, which are not what somebody meant by a moment
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def moment_ms(native: Native, zone: ZoneInfo) -> int | None:
    """A moment in milliseconds since 1970; a bare date is noon of that day in the zone. None for blank, and for what is no time."""
    text = "" if native is None else str(native).strip()
    try:
        moment = noon(text, zone) if _DATE.fullmatch(text) else _moment(text)
    except (ValueError, OverflowError):
        return None
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def noon(day: str, zone: ZoneInfo) -> datetime:
    """Noon of the day there, in UTC."""
    return datetime.combine(date.fromisoformat(day), _NOON, zone).astimezone(UTC)


def instant(moment: datetime) -> str:
    """The canonical form of a moment, to the millisecond."""
    milliseconds = moment.microsecond // 1000
    seconds = moment.replace(tzinfo=None, microsecond=0).isoformat()
    return f"{seconds}.{milliseconds:03d}Z" if milliseconds else f"{seconds}Z"


def whole_seconds(canonical: str) -> str:
    """The moment without its milliseconds, as Salesforce keeps it."""
    return canonical[:19] + "Z"


def day_in(canonical: str, zone: ZoneInfo) -> str:
    """The date of a canonical moment there."""
    return datetime.fromisoformat(canonical).astimezone(zone).date().isoformat()
