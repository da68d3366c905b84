"""Moments as somebody types them: a day, a minute or a second, in UTC unless an offset is given."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ...model.errors import ConfigurationError

_FORM = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?\s?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def end_of(text: str, option: str, now: int) -> int:
    """The last millisecond of the day, minute or second that is named, but never later than `now` (ms since 1970).

    So `2026-11-29` means how things stood when that day ended, and a time copied from our own output means what had happened by then.
    Raises `ConfigurationError` for what is no moment, and for one that is still to come.
    """
    found = _FORM.fullmatch(text.strip())
    try:
        begin = None if found is None else datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}{found[3] or ''}{found[4] or '+00:00'}")
    except ValueError:
        begin = None
    if found is None or begin is None:
        told = "2026-11-29, 2026-11-29T14:30 or 2026-11-29T14:30:00+01:00 (UTC unless an offset is given)"
        raise ConfigurationError(f"{text!r} is no day and no time", where=option, next_step=f"write it like {told}")
    named = timedelta(days=1) if found[2] is None else timedelta(minutes=1) if found[3] is None else timedelta(seconds=1)
    exact = found[3] is not None and "." in found[3]
    first, last = _ms(begin), _ms(begin) if exact else _ms(begin + named) - 1
    if first > now:
        raise ConfigurationError(
            f"{text} is still to come", where=option, next_step="name a day or a time that has been, or leave it out to see how things stand now"
        )
    return min(last, now)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
