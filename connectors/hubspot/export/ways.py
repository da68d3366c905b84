"""By which way everybody is read: the list of contacts, a hundred a call, or an export, a handful of calls for a file with all of them.

The list is the way as long as the calls that are left today allow it: what it gives is exact at once, and it needs no right of its own. Pure, without calls.
"""

from __future__ import annotations

from math import ceil

from ..listing import PAGE

_PART = 100


class Unusable(Exception):
    """Everybody cannot be read by this export. `why`: words that go on after "an export cannot be used, because". `lost`: it is no longer kept, and another
    one may do."""

    def __init__(self, why: str, *, lost: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.lost = lost


def is_time_to_count(calls: int, left: int | None) -> bool:
    """So many calls of the list are a good part (one of a hundred) of those that are left: how long the list is matters now, and a search can tell.

    A small account is read to its end before, and is never asked. `left`: None where the day's figures are not told.
    """
    return left is not None and calls * _PART >= left


def by_export(contacts: int, calls_a_page: int, left: int) -> str | None:
    """Why so many contacts are read by an export, as a sentence; None: by the list."""
    calls = ceil(contacts / PAGE) * calls_a_page
    if calls <= left:
        return None
    return f"everybody is read by an export: by pages it would take about {calls:,} calls, and {max(left, 0):,} are left today"
