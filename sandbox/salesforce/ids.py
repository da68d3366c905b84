"""Record ids as Salesforce makes them: 15 case-sensitive characters, and 3 more that say which of the 15 are capitals."""

from __future__ import annotations

import re

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
POD = "5g"
"""Two characters that tell the instance; the same for every record of an org."""

FIRST = 62**3 * 17 + 62 * 11
"""Where numbering starts: far enough in that neighbours differ in the case of letters."""

_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_BITS = {digit: digit.isascii() and digit.isupper() for digit in DIGITS}
_PAIRS = [(first + second, _BITS[first] | _BITS[second] << 1) for first in DIGITS for second in DIGITS]


def checksum(body: str) -> str:
    """The last three characters of an 18-character id, from its first 15."""
    return "".join(CHECK[sum(_BITS[char] << place for place, char in enumerate(body[start : start + 5]))] for start in (0, 5, 10))


def mint(prefix: str, number: int) -> str:
    """The 18-character id number `number` of the object whose ids start with `prefix`; ids of one object ascend with their number."""
    rest, low = divmod(FIRST + number, 62**3)
    high, low = divmod(low, 62)
    if rest >= 62**2:
        raise ValueError(f"no more ids for {prefix}")
    (first, first_bits), (second, second_bits), third = _PAIRS[rest], _PAIRS[high], DIGITS[low]
    head = prefix + POD
    tail = CHECK[first_bits | second_bits << 2 | _BITS[third] << 4]
    return f"{head}00000{first}{second}{third}{_head_check(head)}A{tail}"


_heads: dict[str, str] = {}


def _head_check(head: str) -> str:
    found = _heads.get(head)
    if found is None:
        found = _heads[head] = checksum(head + "0" * 10)[0]
    return found


def normalise(given: str) -> str | None:
    """The 18-character form, or None for what is no id: wrong length or characters, or letters whose case was changed."""
    if not _SHAPE.fullmatch(given):
        return None
    whole = given[:15] + checksum(given[:15])
    return whole if len(given) == 15 or given == whole else None
