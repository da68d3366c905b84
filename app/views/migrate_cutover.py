"""`stagesync migrate cutover`: what was brought over, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..migrating.cutover import CutOver
from . import words
from .migrate_fates import DONE, asked_text, fates_json, fates_text
from .run import run_json

_DIRECTIONS = {"both": "is read and written", "read": "is only read", "write": "is only written"}


def cut_over_text(found: CutOver) -> Iterator[str]:
    """What changed, the sum, and what rules from now on, as lines."""
    count = found.report.systems[found.target]
    told = [f"{number:,} {name}" for name in ("created", "updated", "archived", "rejected", "skipped", "unknown") if (number := getattr(count, name))]
    yield f"{found.target}: {', '.join(told) or '0 writes: nothing had changed'}"
    yield f"What became of the records of {found.source}"
    yield from fates_text(found.fates, DONE)
    yield from asked_text(found.report.new_holds)
    if not found.whole:
        yield "Nothing is cut over yet. Next: `stagesync migrate cutover`, which goes on where it was"
        return
    yield ""
    yield "From now on the directions of your configuration count again, with the same state:"
    yield from words.table([(name, _DIRECTIONS[direction]) for name, direction in found.directions.items()])
    yield from _onward(found)


def _onward(found: CutOver) -> Iterator[str]:
    if not found.both_ways:
        yield f"So `stagesync sync` brings over from {found.source} to {found.target} what changes, and nothing back."
    elif found.opened is not None:
        records = words.count(found.opened, "record")
        yield f"So `stagesync sync` goes both ways. {records} of {found.target} with something that {found.source} never had: from now on it counts,"
        yield "as at a first meeting. `stagesync plan` shows what that will write; `stagesync sync --yes` does it."
    else:
        yield f"So `stagesync sync` goes both ways for whatever is edited from now on. What only {found.target} knew before stays there:"
        yield "`stagesync migrate cutover --two-way` lets it count."
    yield f'To leave {found.source} behind instead, write direction = "read" under [systems.{found.source}], or remove the table when you are done.'
    yield "Next: `stagesync migrate verify`"


def cut_over_json(found: CutOver) -> dict[str, Any]:
    """The same as one object."""
    return {
        **run_json(found.report),
        "from": found.source,
        "to": found.target,
        "fates": fates_json(found.fates),
        "directions": found.directions,
        "opened": found.opened,
    }
