"""The outbox on both databases: what is to be told is there in order, once, until it was delivered, given up long ago, or is to be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from stagesync.model.events import Letter
from stagesync.state import outbox
from stagesync.state.inbox import open_inbox
from stagesync.state.store import Store, open_store


@pytest.fixture
def box(store_url: str) -> Iterator[Store]:
    """An open, empty outbox, once per kind of database."""
    open_store(store_url).close()
    with closing(open_inbox(store_url)) as opened:
        yield opened


def test_letters_wait_until_they_are_delivered_or_given_up(box: Store) -> None:
    """In order, each once by its key; what failed keeps its place, what is dead waits for somebody and goes after a month."""
    with box.write() as tx:
        outbox.post(tx, "acme", "crm", [Letter("a", "1", {"é": None}), Letter("b", "2", {}), Letter("a", "1", {})], 1_000)
        outbox.post(tx, "acme", "crm", [Letter("b", "2", {})], 2_000)
        one, two = outbox.waiting(tx, "acme", "crm", 0, 9)
        assert (one.key, one.body, one.made, one.attempts, two.key) == ("1", {"é": None}, 1_000, 0, "2")
        assert outbox.counts(tx, "acme") == {"crm": (2, 1_000, 0)}
        outbox.failed(tx, one.id, 1, 5_000, "HTTP_500")
        assert [(row.id, row.due, row.code) for row in outbox.waiting(tx, "acme", "crm", 0, 1)] == [(one.id, 5_000, "HTTP_500")]
        outbox.delivered(tx, "acme", [two.id])
        outbox.failed(tx, one.id, 8, None, "HTTP_400")
        assert outbox.waiting(tx, "acme", "crm", 0, 9) == []
        assert [(row.key, row.code) for row in outbox.dead(tx, "acme")] == [("1", "HTTP_400")]
        assert outbox.counts(tx, "acme") == {"crm": (0, None, 1)}
        assert outbox.again(tx, "acme", [one.id]) == 1
        assert [row.attempts for row in outbox.waiting(tx, "acme", "crm", 0, 9)] == [0]
        outbox.failed(tx, one.id, 8, None, "HTTP_400")
        outbox.clean(tx, "acme", 1_000 + outbox.KEPT_FOR_MS)
        assert len(outbox.dead(tx, "acme")) == 1
        outbox.clean(tx, "acme", 1_001 + outbox.KEPT_FOR_MS)
        assert outbox.dead(tx, "acme") == []


def test_an_endpoints_standing_and_its_names_are_kept(box: Store) -> None:
    """By system; a name that is told twice is kept once."""
    with box.write() as tx:
        assert outbox.standing(tx, "acme", "crm") == (0, 0)
        outbox.set_standing(tx, "acme", "crm", 3, 9_000)
        outbox.set_standing(tx, "acme", "crm", 5, 10_000)
        assert outbox.standing(tx, "acme", "crm") == (5, 10_000)
        assert outbox.standing(tx, "acme", "other") == (0, 0)
        outbox.name(tx, "acme", "crm", "ours-1", "u1")
        outbox.name(tx, "acme", "crm", "ours-1", "u1")
        assert outbox.ours(tx, "acme", "crm", ["u1", "u2"]) == {"u1": "ours-1"}
        assert outbox.theirs(tx, "acme", "crm", ["ours-1"]) == {"ours-1": "u1"}


def test_letters_about_a_person_are_found_and_erased(box: Store) -> None:
    """By the record that they are about, or an address in them; others stay, and so does another system's record of that id."""
    with box.write() as tx:
        outbox.post(tx, "acme", "crm", [Letter("a", "1", {}), Letter("b", "2", {"to": "Anna@acme.example"}), Letter("c", "3", {})], 1)
        outbox.post(tx, "acme", "other", [Letter("a", "4", {})], 1)
        outbox.name(tx, "acme", "crm", "a", "u1")
        found = outbox.naming(tx, "acme", ["anna@acme.example"], [("crm", "a")])
        assert [row.key for row in found] == ["1", "2"]
        assert outbox.erase(tx, "acme", [row.id for row in found], [("crm", "a")]) == 2
        assert outbox.ours(tx, "acme", "crm", ["u1"]) == {}
        assert [row.key for system in ("crm", "other") for row in outbox.waiting(tx, "acme", system, 0, 9)] == ["3", "4"]
