"""Where a pull stands: an opaque text for everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from ...model.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Cursor:
    """`start`: the vendor's time at which the pull began, in milliseconds; the next one looks from there on, minus the overlap.

    `part`: `scan` (every contact), `delta` (what changed since `since`), `bin` (the recycle bin), or `done`. `after`: the place inside
    the part (a list's `after`, the last id of a delta). `sweep`: the recycle bin is still to come. `since`: the delta's lower bound.

    `ranges`: what is left of a list that is read by several chains side by side, from the lowest ids up: from where to where, None for its end. `after` is
    then the first of them, so that whoever knows nothing of ranges reads on from there and misses nobody. `alone`: this list is read by one chain.

    `export`: the rest is read by this export, and `after` and `ranges` say where the list would go on. `rows`: so many of its rows were given, and `mark` is a
    sum of their ids, by which the file is known again. `aside`: ids in these rows that are still to be read by themselves. `listed`: no export is to be had
    for this reading.
    """

    start: int = 0
    part: str = "scan"
    after: str = ""
    since: int = 0
    sweep: bool = False
    ranges: tuple[tuple[int, int | None], ...] = ()
    alone: bool = False
    export: str = ""
    rows: int = 0
    mark: int = 0
    aside: tuple[str, ...] = ()
    listed: bool = False

    def text(self) -> str:
        """The cursor as it is stored."""
        return orjson.dumps(asdict(self)).decode()

    def at(self, after: str) -> Cursor:
        """Further on in the same part."""
        return replace(self, after=after)

    def looks_from(self, overlap_s: int) -> int:
        """What was modified from then on (ms) comes with the next pull."""
        return max(0, self.start - overlap_s * 1000)

    def over(self) -> Cursor:
        """Behind the last page of the part: at the beginning of what follows."""
        follows = "bin" if self.sweep and self.part != "bin" else "done"
        return Cursor(start=self.start, part=follows, since=self.since, alone=self.alone)

    def split(self, ranges: Sequence[tuple[int, int | None]]) -> Cursor:
        """So much of the list is left."""
        return replace(self, after=str(ranges[0][0]), ranges=tuple(ranges)) if ranges else self.over()

    def serial(self) -> Cursor:
        """From the lowest place on, one page after the other."""
        return replace(self, ranges=(), alone=True)

    def exporting(self, export: str) -> Cursor:
        """Behind what the list has given, by this export from its first row on."""
        return replace(self, export=export, rows=0, mark=0, aside=())

    def given(self, rows: int, mark: int, aside: Sequence[str]) -> Cursor:
        """So many rows of the export further on."""
        return replace(self, rows=rows, mark=mark, aside=tuple(aside))

    def by_list(self, *, for_good: bool) -> Cursor:
        """Without the export, where the list would go on."""
        return replace(self.exporting(""), listed=for_good)


def parse(text: str, *, where: str) -> Cursor:
    """A stored cursor. Raises `ConfigurationError` for one that is not ours."""
    try:
        found: dict[str, Any] = orjson.loads(text)
        place = int(found["start"]), str(found["part"]), str(found["after"]), int(found["since"]), bool(found["sweep"])
        ranges = tuple((int(after), None if end is None else int(end)) for after, end in found.get("ranges", ()))
        export = str(found.get("export", "")), int(found.get("rows", 0)), int(found.get("mark", 0)), tuple(map(str, found.get("aside", ())))
        return Cursor(*place, ranges, bool(found.get("alone")), *export, bool(found.get("listed")))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ConfigurationError(
            "the stored cursor is not one of the HubSpot connector", where=where, next_step="was the system's connector changed?"
        ) from None
