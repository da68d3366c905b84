"""Numbers and booleans in canonical form. HubSpot carries both as strings, Salesforce as JSON values."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from ..model.records import Native, Value, Values
from .fields import Unmappable

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([, '\u00a0\u202f\u2019])\d{3})(?:\1\d{3})*(?:\.\d+)?", re.ASCII)
_SEPARATORS = dict.fromkeys(map(ord, ", '\u00a0\u202f\u2019"))
_CURRENCY = "$€£¥"
_TRUE = frozenset({"true", "yes", "y", "1", "on", "ja", "oui", "sí", "si"})
_FALSE = frozenset({"false", "no", "n", "0", "off", "nein", "non"})
_EXACT = 2**53
"""Beyond this a JSON number is no longer exact in every vendor's parser."""


def read_number(native: Native, _record: Values) -> Value:
    """A canonical number: whole ones as int, others as float. Raises `Unmappable` for what is no number, or for one too large to be carried exactly."""
    if native is None:
        return None
    if native.__class__ is int:
        return _checked(native)  # pyright: ignore[reportArgumentType] - the class was just compared
    if isinstance(native, bool):
        return int(native)
    if isinstance(native, (int, float)):
        return _checked(native)
    return _from_text(native)


def _from_text(text: str) -> int | float | None:
    text = text.strip()
    if not text:
        return None
    if text.isdecimal() and text.isascii() and len(text) < 16:
        return int(text)
    text = text.strip(_CURRENCY).strip()
    if _GROUPED.fullmatch(text):
        text = text.translate(_SEPARATORS)
    if not _PLAIN.fullmatch(text):
        raise Unmappable("is not a number")
    try:
        exact = Decimal(text)
    except InvalidOperation as error:
        raise Unmappable("is not a number") from error
    if abs(exact) > _EXACT:
        raise Unmappable("is too large to be carried exactly")
    return int(exact) if exact == exact.to_integral_value() else _checked(float(exact))


def _checked(number: int | float) -> int | float:
    if not math.isfinite(number) or abs(number) > _EXACT:
        raise Unmappable("is too large to be carried exactly")
    if isinstance(number, float):
        return int(number) if number.is_integer() else number
    return number


def read_integer(native: Native, record: Values) -> Value:
    """A canonical whole number. Raises `Unmappable` for fractions."""
    number = read_number(native, record)
    if isinstance(number, float):
        raise Unmappable("is not a whole number")
    return number


def scaled(number: int | float, scale: int) -> int | float:
    """The number with at most `scale` digits after the point, halves away from zero. (Salesforce cuts off silently what is beyond the field's scale.)"""
    if isinstance(number, int):
        return number
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def digits(number: int | float) -> str:
    """The number in plain digits, without an exponent."""
    return str(number) if isinstance(number, int) else format(Decimal(repr(number)), "f")


def read_boolean(native: Native, _record: Values) -> Value:
    """A canonical boolean; blank stays blank. Raises `Unmappable` for any other word."""
    if native is None or native is True or native is False:
        return native
    word = str(native).strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if not word:
        return None
    raise Unmappable("is neither true nor false")
