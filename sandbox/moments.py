"""Dates, times and numbers as people and vendors write them in files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

_LOCAL = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:,?\s+(\d{1,2})[:.](\d{2})(?::(\d{2}))?\s*([AaPp])?\.?[Mm]?\.?)?")
_EAST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_MILLIS = re.compile(r"-?\d{11,14}")
_NUMBER = re.compile(r"[-+]?[\d.,'\s\u00a0\u202f]*\d[\d.,'\s\u00a0\u202f]*")


def day_first(values: Iterable[str]) -> bool:
    """Whether dates such as 05/03/2024 put the day first: decided by all of them together.

    Dots always mean day first, AM or PM and undecided slashes month first (the form of en_US). Raises ValueError if both orders occur.
    """
    day: str | None = None
    month: str | None = None
    for value in values:
        found = _LOCAL.fullmatch(value.strip())
        if found is None:
            continue
        first, separator, second = int(found[1]), found[2], int(found[3])
        if first > 12 or (separator == "." and second <= 12):
            day = value
        elif second > 12 or found[8]:
            month = value
    if day and month:
        raise ValueError(f"{day!r} puts the day first and {month!r} the month; write all dates as 2024-03-05")
    return day is not None


def moment(text: str, zone: tzinfo, *, day_first: bool) -> datetime:
    """A moment, in UTC. Understood are ISO with or without offset, epoch milliseconds, and the forms of locales; without an offset it is in `zone`.

    Raises ValueError with an example of what is understood.
    """
    text = text.strip()
    try:
        if _MILLIS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        local = _LOCAL.fullmatch(text)
        east = _EAST.fullmatch(text)
        if local is not None:
            found = _of_locale(local, day_first=day_first)
        elif east is not None:
            found = _of_parts(*(int(part or 0) for part in east.groups()))
        else:
            found = datetime.fromisoformat(text.removesuffix(" UTC"))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date; write it as 2024-03-05 13:45, or leave it empty") from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def calendar_date(text: str, *, day_first: bool) -> date:
    """A date, wherever one is. Raises ValueError."""
    return moment(text, UTC, day_first=day_first).date()


def _of_locale(found: re.Match[str], *, day_first: bool) -> datetime:
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    day, month = (first, second) if day_first or found[2] == "." else (second, first)
    hour = int(found[5] or 0)
    if found[8]:
        hour = hour % 12 + (12 if found[8] in "Pp" else 0)
    return _of_parts(year + 2000 if year < 100 else year, month, day, hour, int(found[6] or 0), int(found[7] or 0))


def _of_parts(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # `moment` adds the zone


def number(text: str, *, whole: bool = False) -> Decimal:
    """A number with or without separators of thousands and a currency: "1,234.50", "1.234,50", "USD 1'200", "$1,200".

    One comma before three digits counts thousands; one dot is a decimal point, unless the number is to be `whole`. Raises ValueError.
    """
    found = _NUMBER.search(text)
    problem = f"{text!r} is not a number; write digits only, such as 1234.50"
    if found is None or len(re.findall(r"\d[\d.,'\s]*", text)) > 1:
        raise ValueError(problem)
    digits = re.sub(r"['\s\u00a0\u202f]", "", found[0])
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", digits):
        digits = digits.replace(",", "")
    elif re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d*|[-+]?\d{1,3}(\.\d{3}){2,}", digits) or (whole and re.fullmatch(r"[-+]?\d{1,3}\.\d{3}", digits)):
        digits = digits.replace(".", "").replace(",", ".")
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise ValueError(problem) from error


def truth(text: str) -> bool:
    """A tick box. Raises ValueError."""
    match text.strip().lower():
        case "1" | "true" | "yes" | "y" | "checked" | "x":
            return True
        case "" | "0" | "false" | "no" | "n" | "unchecked":
            return False
        case other:
            raise ValueError(f"{other!r} is neither true nor false; write 1 or 0")
