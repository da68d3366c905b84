"""Which decisions of a stored plan still stand: those of which nothing has changed that they were made of. The others are left to the next plan.

Time passes between a plan and its application: records are read again, come and go, questions are answered. Whoever decides about all of that is the next
plan; here is only found out whom it concerns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...state import actions, changes, keys, links, people, sameness
from ...state.actions import ActionRow
from ...state.runs import RunRow
from ...state.store import Tx

HORIZON = "horizon"
"""Under this name the counts of a plan say how far it saw: the last link and the last change that there were by then."""


class Touched(NamedTuple):
    """What happened since a plan was made. `records`: those that changed or came, or about which somebody said something, and whoever shares a key with them.

    `people`: about whom somebody answered a question; `at`: when the plan was made (ms).
    """

    records: set[int]
    people: set[int]
    at: int


def horizon(tx: Tx) -> list[int]:
    """How far a plan sees that is made now."""
    return [links.last(tx), changes.last(tx)]


def touched(tx: Tx, ws: int, plan: RunRow) -> Touched:
    """What happened since that plan was made."""
    at = plan.finished_at or plan.started_at
    last_link, last_change = plan.counts.get(HORIZON) or horizon(tx)
    moved = links.after(tx, ws, last_link) | changes.after(tx, ws, last_change)
    said = {link for row in sameness.since(tx, ws, at) for link in row[:2]}
    answered = actions.answered_since(tx, ws, at)
    asked = {row.link for row in answered if row.link is not None}
    return Touched(moved | keys.sharing(tx, ws, moved) | said | asked, {row.person for row in answered if row.person is not None}, at)


def drifted_of(tx: Tx, ws: int, rows: Sequence[ActionRow], since: Touched) -> set[int]:
    """The decisions that do not stand any more."""
    now = links.standings(tx, [link for row in rows for link, *_ in row.payload["links"]])
    due = people.due_since(tx, ws, [row.person for row in rows if row.person is not None and not row.payload["new"]], since.at)
    return {row.id for row in rows if row.person in due or row.person in since.people or not _stands(row, now, since)}


def _stands(row: ActionRow, now: dict[int, tuple[int | None, str, int]], since: Touched) -> bool:
    """All records are as the plan saw them, and nobody else's."""
    if not since.records.isdisjoint(row.payload["duplicates"]):
        return False
    mine = (None,) if row.payload["new"] else (None, row.person)
    for link, stamp, *_ in row.payload["links"]:
        person, state, at = now.get(link, (None, "gone", stamp))
        if link in since.records or at != stamp or person not in mine or state not in ("new", "linked"):
            return False
    return True
