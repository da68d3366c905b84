"""What is kept of plans, runs and what became of them: what each function of the state writes and reads, on SQLite and on PostgreSQL."""

from __future__ import annotations

from rows import Home, new_actions, new_links, new_people

from stagesync.state import accounts, actions, changes, closing, keys, links, people, runs, sameness
from stagesync.state.actions import HoldGroup
from stagesync.state.sameness import SameRow
from stagesync.state.store import Store


def test_what_happened_since_a_plan_is_found(store: Store) -> None:
    """Records that came or changed, whoever shares a key with one, what was said and answered; of this workspace, and after that moment alone."""
    with store.write() as tx:
        home, other = Home(tx), Home(tx, "second")
        assert (links.last(tx), changes.last(tx)) == (0, 0)
        person, *_ = new_people(tx, home, 2, due=7)
        one, two = new_links(tx, home, 1, person=person.id, state="linked") + new_links(tx, home, 1)
        changes.insert(tx, home.ws, [(one.id, None, 5, 5, home.run, None, {"phone": [None, "1"]})])
        seen, told = links.last(tx), changes.last(tx)
        [late], [foreign] = new_links(tx, home, 1), new_links(tx, other, 1)
        changes.insert(tx, home.ws, [(two.id, None, 5, 5, home.run, None, {"phone": [None, "1"]})] * 2)
        keys.insert(tx, home.ws, [("email", "a", one.id), ("email", "a", late.id), ("email", "b", two.id)])
        keys.insert(tx, other.ws, [("email", "a", foreign.id)])
        assert (links.after(tx, home.ws, seen), changes.after(tx, home.ws, told)) == ({late.id}, {two.id})
        assert keys.sharing(tx, home.ws, [late.id]) == {one.id, late.id}
        assert links.standings(tx, [one.id]) == {one.id: (person.id, "linked", 5)}
        assert (links.in_account(tx, [person.id], home.account), links.in_account(tx, [person.id], home.account + 1)) == ([one], [])
        assert links.there(tx, [person.id], home.account) == {person.id}
        assert links.places(tx, home.ws, home.account, one.id, 1) == [(two.id, None, "new")]
        assert (people.due_since(tx, home.ws, [person.id], 6), people.due_since(tx, home.ws, [person.id], 7)) == ({person.id}, set())
        sameness.decide(tx, home.ws, [SameRow(one.id, two.id, None, 9)])
        assert (len(sameness.since(tx, home.ws, 8)), sameness.since(tx, home.ws, 9)) == (1, [])
        open_, asked = new_actions(tx, home, {"op": "hold", "state": "held"}, {"op": "hold", "state": "held"})
        actions.answer(tx, [asked.id], "newest", 9)
        assert ([row.id for row in actions.answered_since(tx, home.ws, 8)], actions.answered_since(tx, home.ws, 9)) == ([asked.id], [])
        assert open_.id != asked.id


def test_a_plan_that_is_kept_outlives_the_next(store: Store) -> None:
    """All other plans that nobody applied give way."""
    with store.write() as tx:
        home = Home(tx)
        kept, given_up = (runs.start(tx, home.ws, "sync", 1, None) for _ in range(2))
        for run in (kept, given_up):
            new_actions(tx, home, {"run": run})
            runs.finish(tx, run, 2, "planned", {})
        closing.supersede(tx, home.ws, kept)
        assert {run: len(actions.of_run(tx, run, ("planned",), 0, 9)) for run in (kept, given_up)} == {kept: 1, given_up: 0}
        assert [run.state for run in runs.by_ids(tx, [kept, given_up]).values()] == ["planned", "superseded"]


def test_changes_are_kept_in_the_order_in_which_they_were_seen(store: Store) -> None:
    """What differs, when, by whom and in which run."""
    with store.write() as tx:
        home = Home(tx)
        one, two = new_links(tx, home, 2)
        changes.insert(tx, home.ws, [(one.id, None, 1, 2, home.run, "005", {"phone": ["1", None]}), (two.id, None, None, 2, None, None, {})])
        changes.insert(tx, home.ws, [(one.id, None, 3, 4, home.run, None, {"phone": [None, "2"]})])
        found = changes.of_links(tx, [one.id])
        assert [(row.at, row.seen_at, row.run, row.author, row.values) for row in found[one.id]] == [
            (1, 2, home.run, "005", {"phone": ["1", None]}),
            (3, 4, home.run, None, {"phone": [None, "2"]}),
        ]


def test_a_batch_of_actions_moves_in_one_step(store: Store) -> None:
    """Only the rows of the account that are in the state before; the exceptions get their own results."""
    with store.write() as tx:
        home = Home(tx)
        other = accounts.account(tx, "salesforce", "9", "")
        rows = new_actions(tx, home, {}, {"account": other}, {}, {"state": "skipped"}, {})
        ids = [row.id for row in rows]
        assert actions.set_state_range(tx, home.run, ids[0], ids[3], "planned", "sent", home.account) == 2
        assert [row.id for row in actions.open_intents(tx, home.ws)] == [ids[0], ids[2]]
        actions.set_results(tx, [(ids[2], "unknown", {"reason": "reply lost"}, 1), (ids[0], "applied", None, 2)])
        assert actions.open_intents(tx, home.ws) == [rows[2]._replace(state="unknown", result={"reason": "reply lost"}, attempts=1)]
        actions.set_payloads(tx, [rows[2]._replace(payload={"kind": "contact", "values": {"AccountId": "001"}})])
        assert actions.by_ids(tx, [ids[2]])[ids[2]].payload == {"kind": "contact", "values": {"AccountId": "001"}}
        assert actions.set_state_range(tx, home.run, ids[0], ids[4], "planned", "sent") == 2
        assert actions.tally(tx, home.run) == {
            (home.account, "update", "applied"): 1,
            (home.account, "update", "unknown"): 1,
            (home.account, "update", "skipped"): 1,
            (home.account, "update", "sent"): 1,
            (other, "update", "sent"): 1,
        }


def test_what_was_decided_lately(store: Store) -> None:
    """Decisions, overruled values and answered questions of these people, since a time, with when their runs began; nothing that was only planned."""
    with store.write() as tx:
        home = Home(tx)
        mine = {"person": 7, "state": "applied"}
        (old,) = new_actions(tx, home, {**mine, "op": "decide"})
        home.run = runs.start(tx, home.ws, "sync", 500, None)
        rows = new_actions(
            tx,
            home,
            {**mine, "op": "decide"},
            {**mine, "op": "overrule", "state": "overruled"},
            {**mine, "op": "hold", "state": "skipped", "answer": "crm"},
            {**mine, "op": "hold", "state": "skipped"},
            {**mine, "op": "hold", "state": "held", "answer": "skip"},
            {**mine, "op": "decide", "state": "planned"},
            mine,
            {**mine, "op": "decide", "person": 8},
        )
        assert actions.lately(tx, home.ws, [7], 2) == {7: [(500, row) for row in rows[:3]]}
        assert actions.lately(tx, home.ws, [7, 8], 1) == {7: [(1, old), *((500, row) for row in rows[:3])], 8: [(500, rows[7])]}


def test_actions_of_a_run_are_filtered_and_paged(store: Store) -> None:
    """By state, operation and account; a discarded plan leaves what was more than planned."""
    with store.write() as tx:
        home = Home(tx)
        rows = new_actions(tx, home, {}, {"op": "create"}, {"account": None, "op": "decide"}, {"state": "held", "op": "hold"})
        assert actions.of_run(tx, home.run, ["planned", "held"], 0, 3) == rows[:3]
        assert actions.of_run(tx, home.run, ["planned", "held"], rows[2].id, 3) == rows[3:]
        assert actions.of_run(tx, home.run, ["planned"], 0, 9, op="create") == rows[1:2]
        assert actions.of_run(tx, home.run, ["planned"], 0, 9, account=home.account) == rows[:2]
        actions.discard(tx, home.run)
        assert actions.by_ids(tx, [row.id for row in rows]) == {rows[3].id: rows[3]}


def test_holds_are_grouped_by_their_question(store: Store) -> None:
    """One answer resolves a group, so it must say how many people it would touch; a hold may have a link only."""
    with store.write() as tx:
        home = Home(tx)
        one, two = new_people(tx, home, 2)
        [record] = new_links(tx, home, 1)
        hold = {"op": "hold", "state": "held", "account": None}
        phones = {**hold, "question": "phones differ", "field": "phone"}
        rows = new_actions(
            tx,
            home,
            {**phones, "person": one.id},
            {**phones, "person": two.id},
            {**hold, "question": "whose is it?", "link": record.id},
            {**phones, "state": "applied"},
        )
        assert actions.hold_groups(tx, home.ws) == [HoldGroup("phones differ", "phone", 2, 2, rows[0].id), HoldGroup("whose is it?", None, 1, 0, rows[2].id)]
        assert actions.holds(tx, home.ws, "phones differ", after_id=rows[0].id) == [rows[1]]
        assert actions.holds(tx, home.ws, limit=2) == rows[:2]
        assert actions.holds_of_people(tx, home.ws, [one.id]) == {one.id: [rows[0]]}
        assert actions.holds_of_links(tx, home.ws, [record.id]) == {record.id: [rows[2]]}
        actions.answer(tx, [rows[0].id], "hubspot", 7)
        assert actions.of_person(tx, home.ws, one.id) == [rows[0]._replace(answer="hubspot", result={"answered_at": 7})]
        assert actions.held(tx, home.ws) == 3
        actions.answer(tx, [rows[1].id], "skip", 8)
        assert actions.held(tx, home.ws) == 2
        actions.set_state(tx, [row.id for row in rows], "applied")
        assert actions.hold_groups(tx, home.ws) == []


def test_runs_are_remembered_by_number_kind_and_digest(store: Store) -> None:
    """A plan that is applied later is the same run, finished twice."""
    with store.write() as tx:
        home = Home(tx)
        plan = runs.start(tx, home.ws, "plan", 10, "maps")
        runs.finish(tx, plan, 11, "planned", {"creates": 2}, "d1")
        runs.finish(tx, plan, 12, "applied", {"creates": 3})
        assert runs.by_digest(tx, home.ws, "d1") == (plan, "plan", 10, 12, "applied", "maps", "d1", {"creates": 3})
        assert runs.by_digest(tx, home.ws, "d2") is None
        assert [row.id for row in runs.recent(tx, home.ws, 5)] == [plan, home.run]
        last = runs.last(tx, home.ws, "sync")
        assert (last and last.id, runs.last(tx, home.ws, "undo"), runs.by_id(tx, plan)) == (home.run, None, runs.last(tx, home.ws))


def test_five_thousand_ids_are_one_statement(store: Store) -> None:
    """Neither database may meet its limit of parameters."""
    with store.write() as tx:
        home = Home(tx)
        rows = new_people(tx, home, 5000)
        people.mark_due(tx, home.ws, [row.id for row in rows], 1)
        assert len(people.by_ids(tx, [row.id for row in rows])) == len(people.due(tx, home.ws, 0, 9999)) == 5000
