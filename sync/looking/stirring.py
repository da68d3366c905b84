"""Questions whose ground lies in other records than those they are about: when one of those changes, they are asked anew, or not any more.

Who could not be told apart may be plainly themselves once a third record has another name or address, or is gone; and an address that is held because somebody
else has it is free when that one gives it up.
"""

from __future__ import annotations

from collections.abc import Collection

from ...mapping.maps import KindMap
from ...model.records import Values
from ...state import actions, keys, links, people
from ...state.store import Tx
from ..deciding.match import AMBIGUOUS

TAKEN = "taken"
"""The kind of question about an address that somebody else has."""


def renamed(kind: KindMap, before: Values, after: Values) -> bool:
    """Another name: as with another key, the record may be taken for somebody else's now."""
    natives = [kind.fields[name].native for name in ("first_name", "last_name") if name in kind.fields]
    return any(before.get(native) != after.get(native) for native in natives)


def stir(tx: Tx, ws: int, changed: Collection[int], now: int) -> None:
    """Let whoever shares a key with these links be looked at again, where that is a question.

    `changed`: those with another key or name, or that came or went; the state still has the keys that they had before.
    """
    if not changed or not any(actions.holds(tx, ws, kind, limit=1) for kind in (AMBIGUOUS, TAKEN)):
        return
    around = keys.sharing(tx, ws, changed)
    links.meet_again(tx, ws, around | _asked_with(tx, ws, around))
    persons = {row.person for row in links.by_ids(tx, around).values() if row.person is not None}
    held = actions.holds_of_people(tx, ws, persons)
    waiting = [person for person, holds in held.items() if any(hold.kind == TAKEN for hold in holds)]
    people.mark_due(tx, ws, sorted(waiting), now)


def _asked_with(tx: Tx, ws: int, around: Collection[int]) -> set[int]:
    """Whom a question names beside these: it is asked anew about all of them, or the rest would be set aside without one.

    It stands with the first of them, to whom keys lead from each: to look through all questions would cost as much for one record as for all.
    """
    tied, further = set(around), set(around)
    while further:
        further = keys.sharing(tx, ws, further) - tied
        tied |= further
    found = actions.holds_of_links(tx, ws, tied).values()
    asked = (set(hold.payload["park"]) for holds in found for hold in holds if hold.kind == AMBIGUOUS)
    return set[int]().union(*(named for named in asked if not named.isdisjoint(around)))
