"""What is kept of accounts, records and people: what each function of the state writes and reads, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rows import Home, link, new_links, new_people

from stagesync.model.records import Ref
from stagesync.state import accounts, keys, links, people
from stagesync.state.links import Counts, Observed, Remembered
from stagesync.state.sql import decode, encode
from stagesync.state.store import Store

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
@example(-9_223_372_036_854_775_809)
def test_every_json_value_comes_back(value: object) -> None:
    """Half surrogates and integers of any size are legal in a vendor's JSON, so one of them must not stop a chunk of 5,000."""
    assert decode(encode(value)) == value


def test_a_workspace_is_created_once_and_remembers(store: Store) -> None:
    """What was applied last outlives the transaction, and None leaves it as it is; a shadow stays one, and nothing else becomes one."""
    with store.write() as tx:
        first = accounts.workspace(tx, "main")
        accounts.set_workspace(tx, first.id, mapping="digest")
        accounts.set_workspace(tx, first.id, synced=True)
    with store.write() as tx:
        assert accounts.workspace(tx, "main") == (first.id, "main", "digest", True, False)
        assert accounts.workspace(tx, "other", shadow=True).id != first.id
        assert (accounts.workspace(tx, "other").shadow, accounts.workspace(tx, "main", shadow=True).shadow) == (True, False)


def test_an_account_is_known_by_the_vendors_id(store: Store) -> None:
    """A portal that is renamed is the same portal, and its description and name are kept."""
    with store.write() as tx:
        account = accounts.account(tx, "hubspot", "4710017", "Old name")
        assert accounts.account(tx, "hubspot", "4710017", "New name") == account
        assert accounts.by_id(tx, account) == (account, "hubspot", "4710017", "New name")
        assert accounts.account(tx, "salesforce", "4710017", "") != account
        assert accounts.metadata(tx, account) is None
        accounts.set_metadata(tx, account, {"kinds": ["contact"]}, 7)
        assert accounts.metadata(tx, account) == ({"kinds": ["contact"]}, 7)


def test_binding_a_name_to_another_account_tells_the_one_before(store: Store) -> None:
    """A token of another portal under an old name must be seen before anything is written to it; a caller who refuses rolls back."""
    with store.write() as tx:
        home = Home(tx)
        other = accounts.account(tx, "hubspot", "2", "")
        assert accounts.bind(tx, home.ws, "hubspot", home.account) is None
        assert accounts.bind(tx, home.ws, "hubspot", home.account) is None
    with pytest.raises(LookupError), store.write() as tx:
        assert accounts.bind(tx, home.ws, "hubspot", other) == home.account
        raise LookupError
    with store.read() as tx:
        assert accounts.bound(tx, home.ws) == {"hubspot": home.account}


def test_cursors_and_sweeps_belong_to_a_workspace_and_an_account(store: Store) -> None:
    """Two workspaces read one account at their own pace."""
    with store.write() as tx:
        one, two = Home(tx), Home(tx, "second")
        assert (accounts.cursor(tx, one.ws, one.account), accounts.swept_at(tx, one.ws, one.account)) == (None, None)
        accounts.set_swept(tx, one.ws, one.account, 9)
        accounts.set_cursor(tx, one.ws, one.account, "c1")
        accounts.set_cursor(tx, one.ws, one.account, "c2")
        accounts.set_cursor(tx, two.ws, one.account, "c9")
        assert (accounts.cursor(tx, one.ws, one.account), accounts.swept_at(tx, one.ws, one.account)) == ("c2", 9)


def test_a_link_comes_back_as_it_was_written(store: Store) -> None:
    """All columns survive, in whichever way the link is looked up."""
    with store.write() as tx:
        home = Home(tx)
        [person] = new_people(tx, home, 1)
        first = links.reserve(tx, 1)
        row = link(first, home.account, person=person.id, state="linked", agreed={"phone": None}, carried={"email": 3}, claim={"stage": "mql"}, author="005")
        row = row._replace(seen={"email": "ä@firm.example", "phone": None, "n": 1.5, "yes": True})
        links.insert(tx, home.ws, [row])
        assert links.by_refs(tx, home.ws, home.account, [Ref("contact", row.ref), Ref("lead", row.ref), Ref("contact", "x")]) == {row.address: row}
        assert links.by_ids(tx, [first, first + 1]) == {first: row}
        assert links.of_people(tx, [person.id, person.id + 1]) == {person.id: [row]}
        assert links.each(tx, home.ws, home.account, 0, 10) == [row]


def test_observed_remember_and_rewrite_change_their_columns_only(store: Store) -> None:
    """Reading anew leaves what was agreed on alone, and the other way round."""
    with store.write() as tx:
        home = Home(tx)
        one, two = new_links(tx, home, 2)
        [person] = new_people(tx, home, 1)
        links.observed(tx, [Observed(one.id, 6, {"email": "b"}, {"email": "a"}, "005", "new")])
        links.remember(tx, [Remembered(two.id, person.id, "linked", {"email": 1}, {}, {"stage": "lead"})])
        links.remember(tx, [])
        found = links.by_ids(tx, [one.id, two.id])
        assert found[one.id] == one._replace(stamp=6, seen={"email": "b"}, agreed={"email": "a"}, author="005")
        assert found[two.id] == two._replace(person=person.id, state="linked", carried={"email": 1}, claim={"stage": "lead"})
        moved = found[two.id]._replace(kind="lead", ref="elsewhere", stamp=9, claim=None)
        links.rewrite(tx, [moved])
        assert links.by_refs(tx, home.ws, home.account, [Ref("lead", "elsewhere")]) == {Ref("lead", "elsewhere"): moved}


def test_unmatched_links_come_in_order_and_page_by_page(store: Store) -> None:
    """Only state `new` of this workspace, each exactly once."""
    with store.write() as tx:
        home, other = Home(tx), Home(tx, "second")
        rows = new_links(tx, home, 5)
        new_links(tx, other, 2)
        links.remember(tx, [Remembered(rows[1].id, None, "parked", {}, {}, None)])
        assert links.unmatched(tx, home.ws, 0, 2) == [rows[0], rows[2]]
        assert links.unmatched(tx, home.ws, rows[2].id, 9) == rows[3:]


def test_counts_tell_what_is_there_and_what_is_linked(store: Store) -> None:
    """What is gone or has moved is not counted as live."""
    with store.write() as tx:
        home = Home(tx)
        for state in ("new", "linked", "linked", "parked", "excluded", "gone", "moved"):
            new_links(tx, home, 1, state=state)
        assert links.counts(tx, home.ws) == {home.account: Counts(live=5, linked=2)}


def test_the_same_ref_is_one_link_in_each_workspace(store: Store) -> None:
    """Workspaces that share an account do not see each other's links."""
    with store.write() as tx:
        one, two = Home(tx), Home(tx, "second")
        new_links(tx, one, 1, ref="7")
        [mine] = new_links(tx, two, 1, ref="7")
        assert links.by_refs(tx, two.ws, two.account, [Ref("contact", "7")]) == {mine.address: mine}


@given(
    data=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from(("new", "linked", "parked", "gone", "moved", "excluded"))),
        min_size=1,
        max_size=8,
    )
)
def test_neighbours_are_the_live_links_that_share_a_key(sqlite_store: Store, data: Sequence[tuple[str, str, str]]) -> None:
    """Checked against comparing every link with every other."""
    with sqlite_store.write() as tx:
        home = Home(tx, f"w{tx.sqlite}{links.reserve(tx, 1)}")
        first = links.reserve(tx, len(data))
        rows = [link(first + i, home.account, state=state) for i, (_, _, state) in enumerate(data)]
        links.insert(tx, home.ws, rows)
        keys.insert(tx, home.ws, [(key, value, row.id) for row, (key, value, _) in zip(rows, data, strict=True)])
        live = {"new", "linked", "parked"}
        pairs = product(zip(rows, data, strict=True), repeat=2)
        expected = sorted((a.id, b.id) for (a, x), (b, y) in pairs if a.id != b.id and x[:2] == y[:2] and a.state == "new" and b.state in live)
        assert keys.neighbours(tx, home.ws, first, first + len(data)) == expected
        assert keys.neighbours(tx, home.ws, first, first) == [pair for pair in expected if pair[0] == first]


def test_keys_are_found_shared_and_replaced(store: Store) -> None:
    """Several keys that two links share make one pair; the same row twice is one; other workspaces are not looked at."""
    with store.write() as tx:
        home, other = Home(tx), Home(tx, "second")
        one, two, three = new_links(tx, home, 3)
        [foreign] = new_links(tx, other, 1)
        keys.insert(
            tx,
            home.ws,
            [("email", "a", one.id), ("email", "a", one.id), ("email", "b", one.id), ("email", "a", two.id), ("email", "b", two.id), ("id", "a", three.id)],
        )
        keys.insert(tx, other.ws, [("email", "a", foreign.id)])
        assert keys.neighbours(tx, home.ws, one.id, three.id) == [(one.id, two.id), (two.id, one.id)]
        assert keys.find(tx, home.ws, "email", ["a", "c"]) == [("a", one.id), ("a", two.id)]
        assert keys.shared(tx, home.ws, "email", 1) == [("a", 2)]
        keys.replace(tx, home.ws, [one.id, two.id], [("email", "c", two.id)])
        assert keys.find(tx, home.ws, "email", ["a", "b", "c"]) == [("c", two.id)]


def test_due_people_come_in_order_and_page_by_page(store: Store) -> None:
    """Marking and clearing touch only the people that are named."""
    with store.write() as tx:
        home = Home(tx)
        rows = new_people(tx, home, 4)
        people.mark_due(tx, home.ws, [row.id for row in rows[:3]], 7)
        people.clear_due(tx, home.ws, [rows[1].id])
        assert people.due(tx, home.ws, 0, 1) == [rows[0]._replace(due=7)]
        assert people.due(tx, home.ws, rows[0].id, 9) == [rows[2]._replace(due=7)]
        assert people.due_ids(tx, home.ws) == {rows[0].id, rows[2].id}
        people.mark_due(tx, home.ws + 1, [rows[3].id], 7)
        assert people.by_ids(tx, [rows[3].id]) == {rows[3].id: rows[3]}


def test_people_are_written_and_counted(store: Store) -> None:
    """An update replaces the whole row."""
    with store.write() as tx:
        home = Home(tx)
        one, two, _ = new_people(tx, home, 3)
        moved = one._replace(stage="sal", side="nurture", reason="later", pass_no=2, stage_version=4, canonical={"email": ["ü", 2, "salesforce", 9]}, due=3)
        people.update(tx, home.ws, [moved, two._replace(stage=None)])
        assert people.by_ids(tx, [one.id]) == {one.id: moved}
        assert (people.count(tx, home.ws), people.by_stage(tx, home.ws)) == (3, {"sal": 1, None: 1, "mql": 1})
        assert people.known(tx, home.ws, [one.id, two.id, two.id + 9]) == {one.id, two.id}
        assert people.known(tx, home.ws + 1, [one.id]) == set()


def test_reviews_become_due_when_their_time_has_come(store: Store) -> None:
    """Once, for the workspace alone; whoever has none, or a later one, stays quiet."""
    with store.write() as tx:
        home, far = Home(tx), Home(tx, "far")
        early, later, never = new_people(tx, home, 3)
        [stranger] = new_people(tx, far, 1, review_at=5)
        people.update(tx, home.ws, [early._replace(review_at=5), later._replace(review_at=6)])
        assert people.mark_reviews_due(tx, home.ws, 5) == 1
        assert people.mark_reviews_due(tx, home.ws, 5) == 0
        assert people.each(tx, home.ws, 0, 9) == [early._replace(due=5), later._replace(review_at=6), never]
        assert people.each(tx, home.ws, early.id, 1) == [later._replace(review_at=6)]
        assert people.each(tx, far.ws, 0, 9) == [stranger]


def test_what_qualification_says_of_a_person_is_kept(store: Store) -> None:
    """As it was written, and gone when a row without it is written over it."""
    with store.write() as tx:
        home = Home(tx)
        notes = {"rules": {"fits": "yes"}, "declined": ["sql"]}
        [row] = new_people(tx, home, 1, notes=notes, review_at=9)
        assert people.by_ids(tx, [row.id]) == {row.id: row}
        people.update(tx, home.ws, [row._replace(notes=None, review_at=None)])
        assert people.by_ids(tx, [row.id])[row.id].notes is None


def test_values_that_nobody_mapped_are_counted(store: Store) -> None:
    """By account, kind and value, of records that are there; links without a note are not even read."""
    with store.write() as tx:
        home = Home(tx)
        other = accounts.account(tx, "salesforce", "2", "")
        odd = new_links(tx, home, 2, claim={"unmapped": "lifecyclestage=4711"})
        new_links(tx, home, 1)
        more = new_links(tx, home, 1, claim={"other": "note"}) + new_links(tx, home, 1, claim={"unmapped": "Status=Odd"}, state="gone")
        first = links.reserve(tx, 1)
        links.insert(tx, home.ws, [theirs := link(first, other, claim={"unmapped": "Status=Odd"})])
        assert links.unmapped(tx, home.ws) == {(home.account, odd[0].kind, "lifecyclestage=4711"): 2, (other, theirs.kind, "Status=Odd"): 1}
        assert links.with_notes(tx, home.ws, 0, 10) == [*odd, *more, theirs]
        assert links.with_notes(tx, home.ws, odd[0].id, 1) == [odd[1]]


def test_how_far_the_ledger_is_seeded_is_remembered(store: Store) -> None:
    """Not begun, up to a person, or done; each workspace its own."""
    with store.write() as tx:
        home, far = Home(tx), Home(tx, "far")
        assert accounts.seeded(tx, home.ws) is None
        accounts.set_seeded(tx, home.ws, 7)
        assert (accounts.seeded(tx, home.ws), accounts.seeded(tx, far.ws)) == (7, None)
        accounts.set_seeded(tx, home.ws, -1)
        assert accounts.seeded(tx, home.ws) == -1
