"""What becomes, or became, of the source's records, as a sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...sync.migrating.fates import FATES, SAYS_MORE, STAYS, Fate, Fates
from . import words

DONE: Mapping[Fate, str] = {
    "created": "new there",
    "matched": "there already, and up to date",
    "duplicate": "second record of somebody whose first one went",
    "excluded": "left out",
    "rejected": "refused there (`stagesync errors`)",
    "held": "waiting for an answer (`stagesync holds`)",
    "gone": "there once, and deleted there since",
    "open": "not moved yet",
}
"""What became of a record of the source."""
WILL: Mapping[Fate, str] = {
    **DONE,
    "matched": "there already, to be brought up to date",
    "duplicate": "second record of somebody whose first one goes",
    "open": "not looked at yet",
}
"""What would become of it."""
_TELLING: frozenset[Fate] = frozenset({"excluded", "held"})
"""Whose reasons say more than the fate itself."""


def why_of(fate: Fate, why: str) -> str:
    """The reason, where it says more."""
    if why == SAYS_MORE:
        return STAYS
    return why if fate in _TELLING else ""


def fates_text(found: Fates, said: Mapping[Fate, str]) -> Iterator[str]:
    """The counts with their reasons; they add up to all records, or it is told what is missing."""
    told = sorted(found.told.items(), key=lambda each: (FATES.index(each[0][0]), -each[1]))
    yield from words.table([(f"{count:,}", said[fate], why_of(fate, why)) for (fate, why), count in told])
    together = found.told.total()
    yield f"  {together:,} together" + ("" if together == found.records else f", of {found.records:,} that were read")


def asked_text(new_holds: int) -> Iterator[str]:
    """What a phase brought up for somebody to answer, of records that are there and of others."""
    if new_holds:
        yield f"{words.count(new_holds, 'new question waits', 'new questions wait')} for an answer (`stagesync holds`)."


def fates_json(found: Fates) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{"fate": fate, "why": why, "records": count} for (fate, why), count in sorted(found.told.items())]
