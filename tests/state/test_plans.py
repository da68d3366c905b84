"""How the database finds what a run asks for: by an index, so that people who are quiet cost nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine, event

from stagesync.model.records import Ref
from stagesync.state import accounts, actions, changes, entries, keys, links, people, presence, runs, sameness, signals, thinning
from stagesync.state.store import Tx, open_store

ASKED: dict[str, Callable[[Tx], Any]] = {
    "links.by_refs": lambda tx: links.by_refs(tx, 1, 1, [Ref("contact", "7")]),
    "links.by_ids": lambda tx: links.by_ids(tx, [1]),
    "links.of_people": lambda tx: links.of_people(tx, [1]),
    "links.unmatched": lambda tx: links.unmatched(tx, 1, 0, 10),
    "links.counts": lambda tx: links.counts(tx, 1),
    "links.each": lambda tx: links.each(tx, 1, 1, 0, 10),
    "links.standings": lambda tx: links.standings(tx, [1]),
    "links.last": links.last,
    "links.after": lambda tx: links.after(tx, 1, 5),
    "changes.last": changes.last,
    "changes.after": lambda tx: changes.after(tx, 1, 5),
    "keys.sharing": lambda tx: keys.sharing(tx, 1, [1]),
    "people.due_since": lambda tx: people.due_since(tx, 1, [1], 5),
    "sameness.since": lambda tx: sameness.since(tx, 1, 5),
    "actions.answered_since": lambda tx: actions.answered_since(tx, 1, 5),
    "actions.of_people": lambda tx: actions.of_people(tx, 1, [1]),
    "links.in_account": lambda tx: links.in_account(tx, [1], 1),
    "links.places": lambda tx: links.places(tx, 1, 1, 0, 10),
    "links.there": lambda tx: links.there(tx, [1], 1),
    "keys.neighbours": lambda tx: keys.neighbours(tx, 1, 1, 9),
    "keys.find": lambda tx: keys.find(tx, 1, "email", ["a"]),
    "keys.replace": lambda tx: keys.replace(tx, 1, [1], []),
    "people.due": lambda tx: people.due(tx, 1, 0, 10),
    "people.due_ids": lambda tx: people.due_ids(tx, 1),
    "people.known": lambda tx: people.known(tx, 1, [1]),
    "people.by_ids": lambda tx: people.by_ids(tx, [1]),
    "people.mark_due": lambda tx: people.mark_due(tx, 1, [1], 5),
    "people.clear_due": lambda tx: people.clear_due(tx, 1, [1]),
    "people.count": lambda tx: people.count(tx, 1),
    "people.by_stage": lambda tx: people.by_stage(tx, 1),
    "people.each": lambda tx: people.each(tx, 1, 0, 10),
    "people.mark_reviews_due": lambda tx: people.mark_reviews_due(tx, 1, 5),
    "links.with_notes": lambda tx: links.with_notes(tx, 1, 0, 10),
    "links.unmapped": lambda tx: links.unmapped(tx, 1),
    "signals.attach": lambda tx: signals.attach(tx, 1),
    "signals.of_people": lambda tx: signals.of_people(tx, [1]),
    "signals.of_links": lambda tx: signals.of_links(tx, [1]),
    "signals.counts": lambda tx: signals.counts(tx, 1),
    "entries.enter": lambda tx: entries.enter(tx, accounts.workspace(tx, "main").id, [entries.NewEntry(1, 1, "mql", None, None, None, 5)]),
    "entries.replace": lambda tx: entries.replace(tx, 1, {1: []}),
    "entries.of_people": lambda tx: entries.of_people(tx, [1]),
    "entries.each": lambda tx: entries.each(tx, 1, 0, 10),
    "entries.running": lambda tx: entries.running(tx, 1, [1]),
    "entries.overdue": lambda tx: entries.overdue(tx, 1, 5, 10),
    "presence.follow": lambda tx: presence.follow(tx, 1, {1: presence.Cause()}, 5),
    "changes.of_links": lambda tx: changes.of_links(tx, [1]),
    "actions.of_run": lambda tx: actions.of_run(tx, 1, ["planned"], 0, 10),
    "actions.set_state": lambda tx: actions.set_state(tx, [1], "sent"),
    "actions.set_state_range": lambda tx: actions.set_state_range(tx, 1, 1, 9, "planned", "sent"),
    "actions.open_intents": lambda tx: actions.open_intents(tx, 1),
    "actions.holds": lambda tx: actions.holds(tx, 1),
    "actions.holds of a question": lambda tx: actions.holds(tx, 1, "why?"),
    "actions.hold_groups": lambda tx: actions.hold_groups(tx, 1),
    "actions.held": lambda tx: actions.held(tx, 1),
    "actions.holds_of_people": lambda tx: actions.holds_of_people(tx, 1, [1]),
    "actions.holds_of_links": lambda tx: actions.holds_of_links(tx, 1, [1]),
    "actions.of_person": lambda tx: actions.of_person(tx, 1, 1),
    "actions.tally": lambda tx: actions.tally(tx, 1),
    "actions.discard": lambda tx: actions.discard(tx, 1),
    "thinning.thin": lambda tx: thinning.thin(tx, 1, 1),
    "runs.recent": lambda tx: runs.recent(tx, 1, 5),
    "runs.by_ids": lambda tx: runs.by_ids(tx, [1, 2]),
}
PARTIAL = {
    "links.unmatched": "ix_link_new",
    "people.due": "ix_person_due",
    "people.due_ids": "ix_person_due",
    "actions.open_intents": "ix_action_intent",
    "actions.answered_since": "ix_action_hold",
    "actions.of_people": "ix_action_person",
    "actions.holds": "ix_action_hold",
    "actions.holds of a question": "ix_action_hold",
    "actions.hold_groups": "ix_action_hold",
    "actions.held": "ix_action_hold",
    "actions.holds_of_people": "ix_action_hold_person",
    "actions.holds_of_links": "ix_action_hold_link",
    "people.mark_reviews_due": "ix_person_review",
    "links.with_notes": "ix_link_claim",
    "links.unmapped": "ix_link_claim",
    "signals.attach": "ix_signal_nobodys",
    "signals.of_people": "ix_signal_person",
    "signals.of_links": "ix_signal_link",
    "entries.overdue": "ix_stage_entry_due",
    "links.counts": "COVERING INDEX ix_link_workspace_account_state",
    "people.by_stage": "COVERING INDEX ix_person_workspace_stage",
}


@pytest.mark.parametrize("name", ASKED)
def test_no_question_reads_a_whole_table(sqlite_url: str, name: str) -> None:
    """SQLite's own account of what it does: a search by index in each table, and only the list that was given is read through."""
    sent: list[str] = []

    def listen(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(sent.append)

    event.listen(Engine, "connect", listen)
    try:
        with closing(open_store(sqlite_url)) as store, store.write() as tx:
            sent.clear()
            ASKED[name](tx)
            questions = list(sent)
    finally:
        event.remove(Engine, "connect", listen)
    assert questions
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        steps = [row[3] for sql in questions for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert [step for step in steps if step.startswith("SCAN") and "json_each" not in step] == []
    assert any(PARTIAL.get(name, "") in step for step in steps), steps
