"""What a shadow remembers, shared by whoever judges it and whoever keeps it.

Verdicts of what would have been written:

    open    nobody has written it yet
    same    the same was written there by others
    other   others wrote something else there
    again   the field was edited again elsewhere, or put back, before anybody had written it
    moot    the record went away, or the person was excluded or held since

and of what others wrote without that:

    first   they wrote it before our look; it would have been the same
    alone   nothing called for it, as far as stagesync knows
"""

from __future__ import annotations

from typing import Any, NamedTuple

OPEN, SAME, OTHER, AGAIN, MOOT, FIRST, ALONE = "open", "same", "other", "again", "moot", "first", "alone"


class ShadowRow(NamedTuple):
    """One field of one record (`field` "" for a whole one; `link` None for one that is to be made), once.

    `before` and `wanted`: in the record's own words, a stage in ours. `version`: of the canonical value. `lowers`: a stage goes back. `backlog`: a difference
    that stood when the shadow began. `edited_at`: when the value came to be where it comes from, `at`: when others wrote `theirs`, both by the vendors'
    clocks; `seen_at`: of our look, by ours. `author`: of `theirs`, in the ledger's words (`integration SALESFORCE`, `user 4711`), and `written_in` the account
    in which they wrote it. `brought`: another system had that value before.
    """

    id: int
    person: int
    account: int
    link: int | None
    op: str
    field: str
    before: Any
    wanted: Any
    version: int
    reason: str
    lowers: bool
    backlog: bool
    edited_at: int | None
    seen_at: int
    verdict: str = OPEN
    theirs: Any = None
    author: str | None = None
    written_in: int | None = None
    at: int | None = None
    brought: bool = False
