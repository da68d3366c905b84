"""Where a pull stands, per kind, as an opaque text.

The times in it are the vendor's own. `since`: everything that was visible then has been read. While a reading is under way, `start` is the time when it began
and `stamp`, `after` the place of the last row read; once it ends, `start` becomes `since`. `job`, `locator`: what lies behind `after` is read by that query
job, from that page on. `apart`: the org wants to be asked in several small queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """One kind's place. Nothing set: never read."""

    since: int | None = None
    start: int | None = None
    stamp: int | None = None
    after: str | None = None
    apart: bool | None = None
    job: str | None = None
    locator: str | None = None


def written(positions: Mapping[str, Position]) -> str:
    """The cursor."""
    kinds = {kind: {name: value for name, value in asdict(position).items() if value is not None} for kind, position in positions.items()}
    return orjson.dumps({"v": VERSION, "kinds": kinds}).decode()


def read(cursor: str | None) -> dict[str, Position]:
    """The positions in a cursor. One that is not ours, or of another version, is the same as none: reading everything is always right."""
    try:
        found: Any = orjson.loads(cursor or "null")
        if found["v"] == VERSION:
            return {str(kind): Position(**position) for kind, position in found["kinds"].items()}
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        pass
    return {}
