"""By which way new contacts are made: batches, a hundred a call, or imports, some thirty calls for thousands.

Batches are the way as long as the calls that are left today allow it: their answers tell of every row at once, and they need no right of their own. An
import is a file, and what came of it is read from an export (HubSpot docs, Imports; Exports). Pure, without calls.
"""

from __future__ import annotations

from math import inf

from ...contract import Bulk
from ..read import BATCH

LEAST = 3_000
"""Below that an import takes as many calls as batches."""
MOST = 20_000
"""Rows of one import: so many are held in memory at once, and a crash leaves so many to be looked up. The vendor's own limit is a million."""
CALLS = 30
"""About so many for an import and the export that tells of it, most of which look how far they are."""


class Unfit(Exception):
    """Contacts cannot be made by imports now, and nothing was done. `why`: words that go on after "imports cannot be used, because"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def bulk(left: int | None) -> Bulk:
    """What imports offer where so many calls are `left` today; None: that is not told, and nobody can say that they are too few. The first import has another
    one before it, a trial: where not even those two can be had, batches take what there is."""
    scarce = left is not None and left >= 2 * CALLS
    return Bulk(LEAST, MOST, CALLS, frozenset({"create"}), left * BATCH if left is not None and scarce else inf, f"{left or 0:,} are left today")
