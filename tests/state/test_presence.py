"""Whoever has no record left is in no place any more, in the ledger as in the report, until one comes back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from rows import Home, link, linked, new_people

from stagesync.state import accounts, changes, clocks, dissolving, entries, links, presence
from stagesync.state.entries import EntryRow, NewEntry
from stagesync.state.presence import Cause
from stagesync.state.schema import REVISION
from stagesync.state.sql import Statement
from stagesync.state.store import Store, Tx, open_store

ANNA, BEN, CLEO, DORA = 1, 2, 3, 4
DELETED = Cause("deleted in hub", "hub", 25)


def stand(tx: Tx, ws: int, *persons: int) -> None:
    """These people came as leads, became MQLs, and have a record each."""
    linked(tx, ws, *persons)
    entries.enter(tx, ws, [NewEntry(person, 1, "lead", None, None, None, 10, origin="first", owner="o@acme.example") for person in persons])
    entries.enter(tx, ws, [NewEntry(person, 1, "mql", "nurture", "later", 18, 20, source="Web", owner="o@acme.example", due_at=500) for person in persons])


def lose(tx: Tx, person: int, state: str = "gone") -> None:
    """Their records are not theirs any more, or are again."""
    links.rewrite(tx, [row._replace(state=state) for row in links.of_people(tx, [person])[person]])


def ledger(tx: Tx, person: int) -> list[EntryRow]:
    """A person's rows."""
    return entries.of_people(tx, [person]).get(person, [])


def told(rows: Sequence[EntryRow]) -> list[tuple[Any, ...]]:
    """Place, times and origin of each row."""
    return [(row.stage, row.side, row.entered_at, row.entered_seen, row.left_at, row.left_seen, row.origin) for row in rows]


def test_who_loses_the_last_record_leaves_for_nowhere_and_comes_back_to_where_they_were(store: Store) -> None:
    """Each is one row, with the vendor's time where it told one, and looking again changes nothing. Whose they were stays told, and no clock begins."""
    with store.write() as tx:
        ws = accounts.workspace(tx, "main").id
        stand(tx, ws, ANNA, BEN)
        for _ in range(2):
            presence.follow(tx, ws, {ANNA: DELETED, BEN: DELETED}, 30, 7)
        assert len(ledger(tx, ANNA)) == 2
        lose(tx, ANNA)
        for _ in range(2):
            presence.follow(tx, ws, {ANNA: DELETED, BEN: DELETED, 99: DELETED}, 30, 7)
        gone = ledger(tx, ANNA)[-1]
        assert told(ledger(tx, ANNA)[1:]) == [("mql", "nurture", 18, 20, 25, 30, "run"), (None, None, 25, 30, None, None, "gone")]
        assert (gone.pass_no, gone.reason, gone.system, gone.evidence, gone.run, gone.source, gone.owner) == (
            1,
            None,
            "hub",
            "deleted in hub",
            7,
            "Web",
            "o@acme.example",
        )
        assert (gone.due_at, gone.actor) == (None, None)
        lose(tx, ANNA, "linked")
        for _ in range(2):
            presence.follow(tx, ws, {ANNA: Cause(system="crm")}, 40)
        assert told(ledger(tx, ANNA)[2:]) == [(None, None, 25, 30, None, 40, "gone"), ("mql", "nurture", None, 40, None, None, "back")]
        assert ledger(tx, ANNA)[-1].reason == "later"
        assert len(ledger(tx, BEN)) == 2
        assert ledger(tx, 99) == []


def test_time_in_a_stage_goes_on_for_whoever_comes_back(store: Store) -> None:
    """As for a clock of acceptance: rules that count days count from when they came there, also while nobody has a record of them."""
    with store.write() as tx:
        ws = accounts.workspace(tx, "main").id
        stand(tx, ws, ANNA)
        for state in ("gone", "linked"):
            lose(tx, ANNA, state)
            presence.follow(tx, ws, {ANNA: DELETED}, 40)
            assert (entries.entered(ledger(tx, ANNA), side=False), entries.entered(ledger(tx, ANNA), side=True)) == (18, 18)


def test_who_comes_back_unanswered_is_still_waited_for(store: Store) -> None:
    """An answer that was late before they went is missing again; one that another pass or another stage waited for is not."""
    with store.write() as tx:
        ws = accounts.workspace(tx, "main").id
        linked(tx, ws, ANNA, BEN)
        entries.enter(tx, ws, [NewEntry(person, 1, "mql", None, None, 10, 10, due_at=20) for person in (ANNA, BEN)])
        entries.enter(tx, ws, [NewEntry(BEN, 1, "sal", None, None, 30, 30)])
        for state, waiting in (("gone", []), ("linked", [ANNA])):
            for person in (ANNA, BEN):
                lose(tx, person, state)
            presence.follow(tx, ws, {ANNA: DELETED, BEN: DELETED}, 40)
            assert [row.person for row in clocks.unanswered(tx, ws, 50, 9)] == waiting


def test_who_turned_out_to_be_somebody_else_is_nowhere_any_more(store: Store) -> None:
    """The one who stays is where they were."""
    with store.write() as tx:
        home = Home(tx)
        new_people(tx, home, 2)
        stand(tx, home.ws, ANNA, BEN)
        links.rewrite(tx, [row._replace(person=BEN) for row in links.of_people(tx, [ANNA])[ANNA]])
        dissolving.dissolve(tx, home.ws, ANNA, BEN, 60)
        assert told(ledger(tx, ANNA)[2:]) == [(None, None, 60, 60, None, None, "gone")]
        assert ledger(tx, ANNA)[-1].evidence == "one human with p2"
        assert len(ledger(tx, BEN)) == 2


def aged(store: Store) -> None:
    """Make the database one of the revision before: Ben was deleted, Cleo forgotten, Dora became Anna, and all still count."""
    with store.write() as tx:
        home = Home(tx)
        stand(tx, home.ws, ANNA, BEN, CLEO, DORA)
        (bens,) = links.of_people(tx, [BEN])[BEN]
        changes.insert(tx, home.ws, [(bens.id, None, 33, 35, None, None, {changes.RECORD: [changes.THERE, changes.DELETED]})])
        changes.insert(tx, home.ws, [(bens.id, None, 44, 45, None, None, {"city": ["Ulm", ""], "note": ['"":[', ""]})])
        links.insert(tx, home.ws, [link(links.reserve(tx, 1), home.account, ref="moved", state="moved", person=BEN)])
        for person in (BEN, CLEO, DORA):
            lose(tx, person)
        tx.run(Statement(sa.text("UPDATE stage_entry SET left_at = 50, left_seen = 51 WHERE person = 4 AND left_seen IS NULL")), {})
        tx.run(Statement(sa.text("UPDATE stagesync_version SET version_num = '0010'")), {})


def test_who_was_gone_already_is_gone_after_the_migration(store_url: str) -> None:
    """Since the deletion, where it is on record, since they became another, or since now; whoever is there stays, and ids go on."""
    with closing(open_store(store_url)) as store:
        aged(store)
    with closing(open_store(store_url)) as store, store.write() as tx:
        assert tx.rows(Statement(sa.text("SELECT version_num FROM stagesync_version")), {}) == [(REVISION,)]
        assert told(ledger(tx, ANNA))[-1] == ("mql", "nurture", 18, 20, None, None, "run")
        assert told(ledger(tx, BEN)[1:]) == [("mql", "nurture", 18, 20, 33, 35, "run"), (None, None, 33, 35, None, None, "gone")]
        stay, gone = ledger(tx, CLEO)[1:]
        assert (stay.left_at, gone.entered_at, stay.left_seen, gone.origin) == (None, None, gone.entered_seen, "gone")
        assert gone.entered_seen > 1_700_000_000_000
        assert told(ledger(tx, DORA)[1:]) == [("mql", "nurture", 18, 20, 50, 51, "run"), (None, None, 50, 51, None, None, "gone")]
        assert (gone.owner, gone.pass_no) == ("o@acme.example", 1)
        presence.follow(tx, 1, dict.fromkeys((ANNA, BEN, CLEO, DORA), DELETED), 90)
        lose(tx, BEN, "linked")
        presence.follow(tx, 1, {BEN: DELETED}, 99)
        ids = [row.id for row in entries.each(tx, 1, 0, 99)]
        assert [len(ledger(tx, person)) for person in (ANNA, BEN, CLEO, DORA)] == [2, 4, 3, 3]
        assert ids == sorted(set(ids))


@pytest.mark.parametrize("rows", [0, 1])
def test_a_ledger_in_which_nobody_is_gone_is_left_alone(store_url: str, rows: int) -> None:
    """Nor is one that is empty."""
    with closing(open_store(store_url)) as store, store.write() as tx:
        ws = accounts.workspace(tx, "main").id
        linked(tx, ws, ANNA)
        entries.enter(tx, ws, [NewEntry(ANNA, 1, "mql", None, None, None, 5)] * rows)
        tx.run(Statement(sa.text("UPDATE stagesync_version SET version_num = '0010'")), {})
    with closing(open_store(store_url)) as store, store.read() as tx:
        assert [row.left_seen for row in entries.each(tx, 1, 0, 9)] == [None] * rows
