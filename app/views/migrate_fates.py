"""What becomes, or became, of the source's records, as a sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...sync.migrating.fates import FATES, Fate, Fates
from . import words

DONE: Mapping[Fate, str] = {
    "created": "have a new record there",
    "matched": "were there already, and are up to date",
    "duplicate": "are a second record of somebody: their person went, they stayed",
    "excluded": "stayed behind",
    "rejected": "were refused there",
    "held": "wait for an answer (`stagesync holds`)",
    "gone": "were there, and were deleted there since",
    "open": "were not moved yet",
}
"""What became of records of the source."""


def fates_text(found: Fates, said: Mapping[Fate, str]) -> Iterator[str]:
    """The counts with their reasons; they add up to all records, or it is told what is missing."""
    told = sorted(found.told.items(), key=lambda each: (FATES.index(each[0][0]), -each[1]))
    yield from words.table([(f"{count:,}", said[fate], why) for (fate, why), count in told])
    together = found.told.total()
    yield f"  {together:,} together" + ("" if together == found.records else f", of {found.records:,} that were read")


def asked_text(new_holds: int) -> Iterator[str]:
    """What a phase brought up for somebody to answer, of records that are there and of others."""
    if new_holds:
        yield f"{words.count(new_holds, 'new question waits', 'new questions wait')} for an answer (`stagesync holds`)."


def fates_json(found: Fates) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{"fate": fate, "why": why, "records": count} for (fate, why), count in sorted(found.told.items())]
