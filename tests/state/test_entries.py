"""The ledger of stages: who was where, from when until when, on two clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rows import linked

from stagesync.state import accounts, entries
from stagesync.state.entries import EntryRow, NewEntry
from stagesync.state.store import Store, Tx

ANNA, BEN = 7, 8


def home(tx: Tx, name: str = "main") -> int:
    """A workspace."""
    return accounts.workspace(tx, name).id


def stay(person: int, stage: str, seen: int, at: int | None = None, **more: Any) -> NewEntry:
    """A stay that begins."""
    return NewEntry(person, 1, stage, None, None, at, seen)._replace(**more)


def read(tx: Tx, person: int) -> list[EntryRow]:
    """A person's ledger."""
    return entries.of_people(tx, [person]).get(person, [])


def places(tx: Tx, person: int) -> list[tuple[str | None, str]]:
    """(stage, origin) of a person's stays."""
    return [(row.stage, row.origin) for row in read(tx, person)]


def test_a_row_is_a_new_stay_with_its_number() -> None:
    """One is made from the other by position."""
    assert ("id", *NewEntry._fields) == EntryRow._fields


def test_a_stay_comes_back_as_it_was_written(store: Store) -> None:
    """With all that is known of it."""
    whole = NewEntry(
        ANNA, 2, "mql", "recycled", "No budget", 5, 9, 6, 10, "hubspot", "user 4711", "hubspot moved it", "ORGANIC_SEARCH", "o@acme.example", 3, "first", 11, 1
    )
    with store.write() as tx:
        entries.enter(tx, home(tx), [whole])
        [row] = read(tx, ANNA)
        assert row == (row.id, *whole)
        assert row.new == whole


def test_who_enters_a_place_leaves_the_one_before(store: Store) -> None:
    """On both clocks; other people stay where they are, and a vendor's time that is not known leaves none."""
    with store.write() as tx:
        ws = home(tx)
        entries.enter(tx, ws, [stay(ANNA, "lead", 10), stay(BEN, "lead", 10, 4)])
        entries.enter(tx, ws, [stay(ANNA, "mql", 20, 15)])
        entries.enter(tx, ws, [stay(ANNA, "sal", 30)])
        entries.enter(tx, ws, [])
        assert [(row.stage, row.entered_at, row.entered_seen, row.left_at, row.left_seen) for row in read(tx, ANNA)] == [
            ("lead", None, 10, 15, 20),
            ("mql", 15, 20, None, 30),
            ("sal", None, 30, None, None),
        ]
        assert [(row.left_at, row.left_seen) for row in read(tx, BEN)] == [(None, None)]
        assert set(entries.of_people(tx, [ANNA, BEN, 99])) == {ANNA, BEN}


def test_nobody_enters_a_place_before_the_one_they_leave(store: Store) -> None:
    """A vendor's earlier time gives way to a known one, in one portion and in the next; where nobody knows when the place before began it stands."""
    with store.write() as tx:
        ws = home(tx)
        entries.enter(tx, ws, [stay(ANNA, "lead", 10), stay(BEN, "lead", 10, 4)])
        entries.enter(tx, ws, [stay(ANNA, "mql", 20, 3), stay(BEN, "mql", 20, 2), stay(BEN, "sal", 20, 1)])
        assert [(row.entered_at, row.left_at) for row in read(tx, ANNA)] == [(None, 3), (3, None)]
        assert [(row.entered_at, row.left_at) for row in read(tx, BEN)] == [(4, 4), (4, 4), (4, None)]


MOVES = st.lists(st.lists(st.tuples(st.sampled_from([ANNA, BEN, 9]), st.sampled_from(["lead", "mql", "sal"])), max_size=5), max_size=5)


@given(MOVES)
def test_every_stay_is_left_when_the_next_begins(sqlite_store: Store, moves: Sequence[Sequence[tuple[int, str]]]) -> None:
    """In whichever portions they are written: each person is in one place, and no time between two places is lost."""
    wanted: dict[int, list[str]] = {}
    with sqlite_store.write() as tx:
        ws = home(tx)
        entries.replace(tx, ws, {person: [] for person in (ANNA, BEN, 9)})
        assert entries.of_people(tx, [ANNA, BEN, 9]) == {}
        clock = 0
        for portion in moves:
            rows: list[NewEntry] = []
            for person, stage in portion:
                clock += 1
                rows.append(stay(person, stage, clock, clock - 1, origin="first"))
                wanted.setdefault(person, []).append(stage)
            entries.enter(tx, ws, rows)
        found = entries.of_people(tx, [ANNA, BEN, 9])
    assert {person: [row.stage for row in rows] for person, rows in found.items()} == wanted
    for stays in found.values():
        ends = [(row.left_at, row.left_seen) for row in stays]
        assert ends == [(row.entered_at, row.entered_seen) for row in stays[1:]] + [(None, None)]


def test_the_ledger_is_read_page_by_page(store: Store) -> None:
    """Of one workspace, in the order of the rows."""
    with store.write() as tx:
        ws, far = home(tx), home(tx, "far")
        entries.enter(tx, ws, [stay(ANNA, "lead", 1), stay(BEN, "lead", 1)])
        entries.enter(tx, far, [stay(70, "lead", 1)])
        entries.enter(tx, ws, [stay(ANNA, "mql", 2)])
        one, two = entries.each(tx, ws, 0, 2)
        [three] = entries.each(tx, ws, two.id, 2)
        assert [one.person, two.person, three.person] == [ANNA, BEN, ANNA]
        assert entries.each(tx, ws, three.id, 2) == []


def test_a_clock_runs_until_it_is_settled(store: Store) -> None:
    """Only then is nobody asked about it again; the longest overdue come first, and stays without a clock never."""
    with store.write() as tx:
        ws, far = home(tx), home(tx, "far")
        linked(tx, ws, ANNA, BEN, 9, 10)
        entries.enter(tx, ws, [stay(ANNA, "mql", 1, due_at=20), stay(BEN, "mql", 1, due_at=10), stay(9, "mql", 1, due_at=99), stay(10, "lead", 1)])
        entries.enter(tx, far, [stay(70, "mql", 1, due_at=5)])
        entries.enter(tx, ws, [stay(ANNA, "sal", 2)])
        assert {person: row.stage for person, row in entries.running(tx, ws, [ANNA, BEN, 10, 70]).items()} == {ANNA: "mql", BEN: "mql"}
        late = entries.overdue(tx, ws, 20, 9)
        assert [row.person for row in late] == [BEN, ANNA]
        assert entries.overdue(tx, ws, 20, 1) == late[:1]
        entries.settle_clock(tx, [(late[0].id, 0), (late[1].id, 1)])
        assert entries.overdue(tx, ws, 20, 9) == []
        assert entries.running(tx, ws, [ANNA, BEN]) == {}
        assert [(row.stage, row.met) for row in read(tx, ANNA)] == [("mql", 1), ("sal", None)]


def test_a_history_takes_the_place_of_how_a_ledger_began(store: Store) -> None:
    """What was seen in runs follows it as it was, and is left untouched when the same is done again; other people's ledgers are none of its business."""
    with store.write() as tx:
        ws = home(tx)
        linked(tx, ws, ANNA)
        entries.enter(tx, ws, [stay(ANNA, "mql", 10, origin="first"), stay(BEN, "mql", 10, origin="first")])
        entries.enter(tx, ws, [stay(ANNA, "sal", 20, 18, due_at=50)])
        history = [stay(ANNA, "lead", 15, 1, origin="history"), stay(ANNA, "mql", 15, 5, origin="history")]
        for _ in range(2):
            entries.replace(tx, ws, {ANNA: history})
            assert places(tx, ANNA) == [("lead", "history"), ("mql", "history"), ("sal", "run")]
            assert [(row.entered_at, row.left_at, row.left_seen) for row in read(tx, ANNA)] == [(1, 5, 15), (5, 18, 20), (18, None, None)]
        assert places(tx, BEN) == [("mql", "first")]
        entries.replace(tx, ws, {ANNA: history}, {ANNA: 2})
        assert [row.pass_no for row in read(tx, ANNA)] == [1, 1, 3]
        entries.enter(tx, ws, [stay(ANNA, "sql", 30, 29)])
        assert [row.left_at for row in read(tx, ANNA)] == [5, 18, 29, None]
        assert [row.person for row in entries.overdue(tx, ws, 50, 9)] == [ANNA]
