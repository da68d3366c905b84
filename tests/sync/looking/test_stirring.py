"""Who is looked at again when another record got a new name or key."""

from __future__ import annotations

from rows import Home, new_actions, new_links

from stagesync.state import keys, links
from stagesync.state.store import Store
from stagesync.sync.deciding.match import AMBIGUOUS
from stagesync.sync.looking.stirring import stir


def test_all_whom_a_question_names_are_matched_again(store: Store) -> None:
    """Four records hang together by three addresses: the last one's name says something of the first, with whom it shares none. No other question does."""
    with store.write() as tx:
        home = Home(tx)
        first, *_ = ids = [row.id for row in new_links(tx, home, 6, state="parked")]
        shared = {"a": (0, 1), "b": (1, 2), "c": (2, 3), "z": (4, 5)}
        keys.insert(tx, home.ws, [("email", value, first + number) for value, pair in shared.items() for number in pair])
        for named in (ids[:4], ids[4:]):
            new_actions(tx, home, {"op": "hold", "link": named[0], "payload": {"park": named}, "state": "held", "question": AMBIGUOUS})
        stir(tx, home.ws, {ids[3]}, 9)
        states = [row.state for row in links.by_ids(tx, ids).values()]
    assert states == ["new"] * 4 + ["parked"] * 2
