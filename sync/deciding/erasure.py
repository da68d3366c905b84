"""What it means for a person that a system erased their record for good, for privacy (HubSpot docs, "Permanently delete contacts (GDPR)"). Pure.

Whatever `[delete] policy` says, nobody is made again there by our doing. Somebody is asked: shall they be erased everywhere? With `archive` their
other records go as after any deletion, and only what is kept here waits for somebody's word.
"""

from __future__ import annotations

from collections.abc import Sequence

from .decision import Decision, Hold
from .desk import Asked, Desk, Link, View

ERASED = "erased"
"""The note of a link whose record was erased: True, or `STANDS` once somebody said that this holds everywhere."""
STANDS = "stands"


def decide_erasure(desk: Desk, decision: Decision, gone: Sequence[Link], live: Sequence[View], asked: Asked | None, name: str) -> bool:
    """Whether one of these lost records was erased, and all that follows is decided here. `name`: under which the question is held.

    An answer that names the system of the erasure makes it hold everywhere: the other records are archived, and when none is left the person is forgotten.
    """
    erased = [link for link in gone if (link.claim or {}).get(ERASED)]
    if not erased:
        return False
    where = sorted({desk.systems[link.account].name for link in erased})
    if any((link.claim or {}).get(ERASED) == STANDS for link in erased) or (asked is not None and asked.answer in where):
        theirs = [view for view in live if view.system.writes]
        decision.archives.extend(view for view in theirs if not view.holds_back(name, view.row.stamp))
        decision.erased.extend(link.id for link in erased)
        decision.forget = not theirs
        decision.again = bool(theirs)
        return True
    if desk.settings.deletes == "archive" and live:
        return False
    names = "+".join(where)
    choices = dict.fromkeys(where, "erased for good") | {view.system.name: "still there" for view in live}
    decision.holds.append(Hold(f"erased:{names}", name, choices, f"erased for good in {names}"))
    return True
