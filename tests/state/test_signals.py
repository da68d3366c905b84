"""Signals: kept once, given to the person whom they are about as soon as that person is known, and found again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stagesync.model.records import Signal
from stagesync.state import accounts, keys, links, people, runs, signals
from stagesync.state.links import LinkRow
from stagesync.state.people import PersonRow
from stagesync.state.signals import NewSignal, SignalRow
from stagesync.state.store import Store, Tx

ANNA = "email:anna@acme.example"


def home(tx: Tx, name: str = "main") -> int:
    """A workspace."""
    return accounts.workspace(tx, name).id


def person(tx: Tx, ws: int) -> int:
    """A new person of whom nothing is known."""
    number = people.reserve(tx, 1)
    people.insert(tx, ws, [PersonRow(number, None, None, None, 1, 0, {}, None)])
    return number


def record(tx: Tx, ws: int, owner: int | None, address: str = "", **more: Any) -> int:
    """A new record, of that person, with that e-mail."""
    number = links.reserve(tx, 1)
    row = LinkRow(number, accounts.account(tx, "hubspot", "1", ""), "contact", f"r{number}", owner, "linked" if owner else "new", 1, {}, {}, {}, None, None)
    links.insert(tx, ws, [row._replace(**more)])
    if address:
        keys.insert(tx, ws, [("email", address, number)])
    return number


def told(key: str, at: int = 5, kind: str = "form", source: str = "hubspot", **attributes: Any) -> Signal:
    """A signal."""
    return Signal(kind, at, source, key, attributes)


def about(somebody: int | None, signal: Signal, *, link: int | None = None, who: str | None = None) -> NewSignal:
    """The signal, and whom it is about."""
    return NewSignal(somebody, link, who, signal)


def test_a_signal_comes_back_as_it_was_told(store: Store) -> None:
    """With all that is known of it, the newest first, and nothing for people of whom nothing was told."""
    with store.write() as tx:
        ws = home(tx)
        anna, other = person(tx, ws), person(tx, ws)
        run = runs.start(tx, ws, "sync", 1, None)
        old, new = told("1", 5, asked="the product", n=2, yes=True, none=None), told("2", 9, "visit")
        assert signals.add(tx, ws, [about(anna, new), about(anna, old, link=7, who=ANNA)], 10, run) == [anna]
        assert signals.of_people(tx, [anna, other]) == {
            anna: [
                SignalRow(1, anna, None, None, "visit", 9, 10, "hubspot", "2", {}, run),
                SignalRow(2, anna, 7, ANNA, "form", 5, 10, "hubspot", "1", {"asked": "the product", "n": 2, "yes": True, "none": None}, run),
            ]
        }


def test_what_is_told_again_wakes_nobody(store: Store) -> None:
    """The first telling stays as it is, also when both come at once; another source or workspace is another event."""
    with store.write() as tx:
        ws, far = home(tx), home(tx, "far")
        anna, ben, cem = person(tx, ws), person(tx, ws), person(tx, far)
        assert signals.add(tx, ws, [about(anna, told("1", 5)), about(anna, told("1", 6))], 10, None) == [anna]
        assert signals.add(tx, ws, [about(anna, told("1", 7)), about(ben, told("2"))], 11, None) == [ben]
        assert signals.add(tx, ws, [about(ben, told("1", source="salesforce"))], 11, None) == [ben]
        assert signals.add(tx, far, [about(cem, told("1"))], 11, None) == [cem]
        assert signals.add(tx, ws, [], 12, None) == []
        found = signals.of_people(tx, [anna, ben])
        assert [(row.at, row.seen_at) for row in found[anna]] == [(5, 10)]
        assert len(found[ben]) == 2


def test_a_signal_of_a_record_waits_for_the_records_person(store: Store) -> None:
    """Until the record is matched its signals are found by the record; then they are the person's, once."""
    with store.write() as tx:
        ws = home(tx)
        link, other = record(tx, ws, None), record(tx, ws, None)
        run = runs.start(tx, ws, "sync", 10, None)
        assert signals.add(tx, ws, [about(None, told("1"), link=link), about(None, told("2", 8), link=link)], 10, run) == []
        assert signals.attach(tx, ws) == []
        assert [row.key for row in signals.of_links(tx, [link, other])[link]] == ["2", "1"]
        anna = person(tx, ws)
        links.rewrite(tx, [row._replace(person=anna, state="linked") for row in links.by_ids(tx, [link]).values()])
        assert signals.attach(tx, ws) == []
        assert signals.attach(tx, ws) == []
        assert signals.of_links(tx, [link]) == {}
        assert len(signals.of_people(tx, [anna])[anna]) == 2


def test_what_is_reported_between_two_runs_calls_for_a_look(store: Store) -> None:
    """Whoever reports something of a record that is matched already wakes its person in the next run."""
    with store.write() as tx:
        ws = home(tx)
        anna = person(tx, ws)
        link = record(tx, ws, anna)
        assert signals.add(tx, ws, [about(None, told("1"), link=link)], 10, None) == []
        assert signals.attach(tx, ws) == [anna]
        assert signals.attach(tx, ws) == []


def test_signals_go_where_their_record_goes(store: Store) -> None:
    """What a record told is the other's that it went into, and its person's, whether it had a person or not."""
    with store.write() as tx:
        ws = home(tx)
        anna, ben = person(tx, ws), person(tx, ws)
        old, new, fresh = record(tx, ws, ben), record(tx, ws, anna), record(tx, ws, None)
        signals.add(tx, ws, [about(ben, told("1"), link=old), about(ben, told("2")), about(None, told("3"), link=fresh)], 10, None)
        signals.follow(tx, [(old, new, anna), (fresh, new, anna)])
        found = signals.of_people(tx, [anna, ben])
        assert sorted(row.key for row in found[anna]) == ["1", "3"]
        assert {row.link for row in found[anna]} == {new}
        assert [row.key for row in found[ben]] == ["2"]


def test_a_signal_of_an_address_waits_for_whoever_has_it(store: Store) -> None:
    """A product that knows e-mails only reports before we know the person; a record that is gone or of another workspace does not count."""
    with store.write() as tx:
        ws, far = home(tx), home(tx, "far")
        signals.add(
            tx, ws, [about(None, told("1"), who=ANNA), about(None, told("2"), who="email:nobody@acme.example"), about(None, told("3"), who="x")], 10, None
        )
        record(tx, ws, person(tx, ws), "anna@acme.example", state="gone")
        record(tx, far, person(tx, far), "anna@acme.example")
        record(tx, ws, None, "anna@acme.example")
        assert signals.attach(tx, ws) == []
        anna = person(tx, ws)
        record(tx, ws, anna, "anna@acme.example")
        record(tx, ws, anna, "anna@acme.example")
        assert signals.attach(tx, ws) == [anna]
        assert [row.key for row in signals.of_people(tx, [anna])[anna]] == ["1"]


def test_an_address_that_two_people_share_says_nothing_of_either(store: Store) -> None:
    """Evidence must not make the wrong one a lead: it stays nobody's until one of them has it alone."""
    with store.write() as tx:
        ws = home(tx)
        anna, ben = person(tx, ws), person(tx, ws)
        record(tx, ws, anna, "info@acme.example")
        shared = record(tx, ws, ben, "info@acme.example")
        signals.add(tx, ws, [about(None, told("1"), who="email:info@acme.example")], 10, None)
        assert signals.attach(tx, ws) == []
        keys.replace(tx, ws, [shared], [])
        assert signals.attach(tx, ws) == [anna]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["form", "visit"]), st.integers(0, 3), st.integers(0, 9)), max_size=12))
def test_counts_are_those_of_what_was_kept(sqlite_store: Store, events: Sequence[tuple[str, str, int, int]]) -> None:
    """However often an event is told and in whichever order, it counts once, as it was told first."""
    first: dict[tuple[str, str], tuple[str, int]] = {}
    with sqlite_store.write() as tx:
        ws = home(tx, f"counts {events}")
        for source, kind, key, at in events:
            signals.add(tx, ws, [about(None, told(str(key), at, kind, source))], 10, None)
            first.setdefault((source, str(key)), (kind, at))
        found = {(row.source, row.kind): (row.signals, row.last_at) for row in signals.counts(tx, ws)}
    wanted: dict[tuple[str, str], tuple[int, int]] = {}
    for (source, _), (kind, at) in first.items():
        number, last = wanted.get((source, kind), (0, at))
        wanted[source, kind] = (number + 1, max(last, at))
    assert found == wanted


def test_thousands_of_signals_are_attached_page_by_page(sqlite_store: Store) -> None:
    """More than one page of signals that are nobody's, by record and by address, in one call."""
    with sqlite_store.write() as tx:
        ws = home(tx, "many")
        anna, ben = person(tx, ws), person(tx, ws)
        link = record(tx, ws, anna)
        record(tx, ws, ben, "ben@acme.example")
        rows = [about(None, told(f"l{n}"), link=link) for n in range(5_001)] + [about(None, told(f"w{n}"), who="email:ben@acme.example") for n in range(5_001)]
        assert signals.add(tx, ws, rows, 10, None) == []
        assert signals.attach(tx, ws) == [anna, ben]
        assert [len(signals.of_people(tx, [each])[each]) for each in (anna, ben)] == [5_001, 5_001]
