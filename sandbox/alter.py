"""What vendors make of a value on its way in, without telling anybody: their automation, or the integration of somebody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_DEEDS: Mapping[str, Callable[[str, str], str]] = {
    "upper": lambda value, _: value.upper(),
    "lower": lambda value, _: value.lower(),
    "squeeze": lambda value, _: " ".join(value.split()),
    "cut": lambda value, count: value[: int(count)].rstrip(),
    "phone": lambda value, _: re.sub(r"(?!^\+)\D", "", value),
    "append": lambda value, tail: value + tail,
}


def altered(value: str, how: str) -> str:
    """The value as it is stored; an empty one stays empty. `how`: `upper`, `lower`, `squeeze` (blanks), `cut:20`, `phone` (digits only), `append:TEXT`.

    Raises ValueError for anything else.
    """
    name, _, detail = how.partition(":")
    if name not in _DEEDS:
        raise ValueError(f"a value is altered by one of {', '.join(_DEEDS)}, not by {how!r}")
    return _DEEDS[name](value, detail) if value else value
