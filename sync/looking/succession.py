"""Who is a person's own record in a system, when the one that was is gone: one that was set aside beside them. And who is, when it comes back; and how
whoever has none left anywhere lost it.

So a person has one linked record in a system at most, and a deletion is asked about only where none of theirs is left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from ...state import actions, links
from ...state.changes import RECORD, THERE
from ...state.links import LinkRow
from ...state.presence import Cause
from ...state.store import Tx
from ..deciding.match import APART, rank


def heirs(tx: Tx, ws: int, account: int, bereft: Iterable[int], now: Callable[[LinkRow], LinkRow]) -> Iterator[LinkRow]:
    """The records that take the place of those that these people have lost in the account, linked, to meet anew. `now`: how a link is left by what was seen."""
    theirs = {person: [now(row) for row in rows] for person, rows in links.of_people(tx, bereft).items()}
    held = actions.holds_of_links(tx, ws, [row.id for rows in theirs.values() for row in rows if row.state == "parked"])
    undone = {link for link, holds in held.items() if any(hold.kind == APART for hold in holds)}
    for person, rows in theirs.items():
        found = _heir(rows, account, undone)
        if found is not None:
            yield found._replace(state="linked", person=person, carried={}, agreed={})


def _heir(theirs: Sequence[LinkRow], account: int, undone: Collection[int]) -> LinkRow | None:
    """None where the place is not empty, or nothing of the person is left anywhere else: nobody is made again by what was only set aside.

    `undone`: links that an undo took from their person.
    """
    here = [row for row in theirs if row.account == account]
    if any(row.state == "linked" for row in here) or not any(row.state == "linked" for row in theirs):
        return None
    spare = [row for row in here if row.state == "parked" and row.id not in undone and not (row.claim or {}).get("collided")]
    return min(spare, key=rank, default=None)


def returning(tx: Tx, account: int, back: Iterable[LinkRow]) -> set[int]:
    """Of these links, whose records are there again, those that are their person's own as before: those whose place nobody has taken.

    Of several of one person, the one that was written before.
    """
    rows = [row for row in back if row.person is not None]
    if not rows:
        return set()
    taken = {row.person for row in links.in_account(tx, {row.person for row in rows if row.person is not None}, account) if row.state == "linked"}
    first: dict[int | None, LinkRow] = {}
    for row in sorted(rows, key=lambda row: (not row.carried, row.id)):
        if row.person not in taken:
            first.setdefault(row.person, row)
    return {row.id for row in first.values()}


def causes(system: str, rows: Iterable[LinkRow], changes: Iterable[tuple[Any, ...]]) -> dict[int, Cause]:
    """The people of these records, with what happened last to one of theirs, where it came or went. `changes`: as `state.changes.insert` takes them."""
    found = {row.person: Cause(system=system) for row in rows if row.person is not None}
    for _, person, at, _, _, _, values in changes:
        if person in found and RECORD in values:
            before, after, *_ = values[RECORD]
            how = after if before == THERE else "merged into somebody else's"
            found[person] = Cause(f"no record is left: {how} in {system}", system, at)
    return found
