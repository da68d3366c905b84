"""Where a pull stands: an opaque text for everybody else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from ...model.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Cursor:
    """`start`: the vendor's time at which the pull began, in milliseconds; the next one looks from there on, minus the overlap.

    `part`: `scan` (every contact), `delta` (what changed since `since`), `bin` (the recycle bin), or `done`. `after`: the place inside
    the part (a list's `after`, the last id of a delta). `sweep`: the recycle bin is still to come. `since`: the delta's lower bound.
    """

    start: int = 0
    part: str = "scan"
    after: str = ""
    since: int = 0
    sweep: bool = False

    def text(self) -> str:
        """The cursor as it is stored."""
        return orjson.dumps(asdict(self)).decode()

    def at(self, after: str) -> Cursor:
        """Further on in the same part."""
        return replace(self, after=after)


def parse(text: str, *, where: str) -> Cursor:
    """A stored cursor. Raises `ConfigurationError` for one that is not ours."""
    try:
        found: dict[str, Any] = orjson.loads(text)
        return Cursor(int(found["start"]), str(found["part"]), str(found["after"]), int(found["since"]), bool(found["sweep"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ConfigurationError(
            "the stored cursor is not one of the HubSpot connector", where=where, next_step="was the system's connector changed?"
        ) from None
