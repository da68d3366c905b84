"""All stories: each does on purpose, at every call or on either side, the one thing that a certain mistake would not survive."""

from __future__ import annotations

from pathlib import Path

from stories_of_records import (
    ambiguous,
    deleted,
    deleted_unseen,
    first_sync,
    indexed_late,
    merged,
    met,
    moved_stages,
    opted_out_and_merged,
    opted_out_beside,
    read_stale,
    reread_in_part,
    second,
    unshown,
)
from stories_of_writes import (
    altered_and_typed_back,
    conflicts,
    edited_again,
    gone_on,
    hidden,
    landed_late,
    made_twice,
    refused,
    saved_late,
    swapped_and_gone_on,
    taken_back,
    typed_back,
)
from story import Case, wrong

FAMILIES = (
    edited_again,
    typed_back,
    taken_back,
    made_twice,
    landed_late,
    deleted,
    ambiguous,
    second,
    conflicts,
    first_sync,
    met,
    indexed_late,
    read_stale,
    unshown,
    reread_in_part,
    refused,
    moved_stages,
    merged,
    gone_on,
    swapped_and_gone_on,
    saved_late,
    opted_out_beside,
    deleted_unseen,
    altered_and_typed_back,
    hidden,
    opted_out_and_merged,
)


def cases() -> list[Case]:
    """All of them, in a fixed order."""
    return [case for family in FAMILIES for case in family()]


def told(number: int, folder: Path) -> tuple[list[str], list[str]]:
    """The story of that number: what is wrong in the end, and all that happened."""
    return wrong(cases()[number], folder)
