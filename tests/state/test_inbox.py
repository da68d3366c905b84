"""The inbox: what was acknowledged is there, once, in order, and goes when it was worked off, is old, or shall be forgotten."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.model.errors import StateError
from stagesync.model.events import Event
from stagesync.state import inbox
from stagesync.state.inbox import Arrival, inbox_of, open_inbox
from stagesync.state.intake import Intake
from stagesync.state.store import Store, open_store

DAY = 86_400_000


@pytest.fixture
def box(store_url: str) -> Iterator[Store]:
    """An open, empty inbox, once per kind of database; beside the state where that is PostgreSQL."""
    open_store(store_url).close()
    with closing(open_inbox(store_url)) as opened:
        yield opened


@pytest.fixture(scope="module")
def file_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One inbox for all examples of a property test."""
    with closing(open_inbox(f"sqlite:///{tmp_path_factory.mktemp('inbox') / 'stagesync.db'}")) as opened:
        yield opened


def told(key: str, body: object = None, *, system: str = "product", workspace: str = "acme", at: int = 1_000) -> Arrival:
    """An event on its way in."""
    return Arrival(workspace, system, Event(key, body), at)


def put(box: Store, *arrivals: Arrival) -> list[bool]:
    """Keep them, in one commit."""
    with box.write() as tx:
        return inbox.put(tx, arrivals)


def keys(box: Store, after: int = 0, n: int = 1_000, *, system: str = "product", workspace: str = "acme") -> list[str]:
    """The keys of what is new."""
    with box.read() as tx:
        return [each.event.key for each in inbox.take(tx, workspace, system, after, n)]


def test_events_come_back_in_order_and_whole(box: Store) -> None:
    """As they were put, with any JSON in them, page by page from a place on."""
    bodies = [{"a": [1, None, "é\u0000", {"b": True}]}, "text", 3.5]
    put(box, *(told(f"e{number}", body, at=number) for number, body in enumerate(bodies)))
    with box.read() as tx:
        taken = inbox.take(tx, "acme", "product", 0, 2)
        rest = inbox.take(tx, "acme", "product", taken[-1].id, 2)
    assert [each.event for each in (*taken, *rest)] == [Event(f"e{number}", body) for number, body in enumerate(bodies)]
    assert [each.received for each in (*taken, *rest)] == [0, 1, 2]


def test_an_event_is_kept_once(box: Store) -> None:
    """Told again in the same post, in a later one, or after it was worked off: it is known. Another system or workspace has keys of its own."""
    assert put(box, told("a"), told("b"), told("a")) == [True, True, False]
    with box.write() as tx:
        inbox.finish(tx, "acme", "product", 1)
    assert put(box, told("b"), told("a"), told("c")) == [False, False, True]
    assert put(box, told("a", system="other"), told("a", workspace="beta")) == [True, True]
    assert keys(box) == ["a", "b", "c"]
    assert keys(box, workspace="beta") == ["a"]


def test_what_a_cursor_has_passed_is_done(box: Store) -> None:
    """Up to the number and no further, and only of that system."""
    put(box, told("a"), told("b"), told("x", system="other"), told("c"))
    with box.write() as tx:
        second = inbox.take(tx, "acme", "product", 0, 2)[1]
        inbox.finish(tx, "acme", "product", second.id)
        assert inbox.waiting(tx, "acme") == [("other", "new", 1, 1_000), ("product", "done", 2, 1_000), ("product", "new", 1, 1_000)]
    assert keys(box, second.id) == ["c"]
    assert keys(box) == ["a", "b", "c"]


def test_what_is_parked_comes_again_behind_all_others(box: Store) -> None:
    """It is out of the way with its code, and tried again it stands after every cursor."""
    put(box, told("bad", {"x": 1}), told("good"))
    with box.write() as tx:
        bad, good = inbox.take(tx, "acme", "product", 0, 2)
        inbox.park(tx, {bad.id: "NO_REF"})
    assert keys(box) == ["good"]
    with box.write() as tx:
        row = inbox.parked(tx, "acme")[0]
        assert (row.key, row.body, row.state, row.attempts, row.code) == ("bad", {"x": 1}, "parked", 0, "NO_REF")
        assert inbox.again(tx, [row.id]) == 1
        assert inbox.again(tx, [row.id]) == 0
        assert inbox.parked(tx, "acme") == []
    assert keys(box, good.id) == ["bad"]


def test_times_are_kept_by_record(box: Store) -> None:
    """New ones take the place of those before; a record of which nothing was told is left out."""
    with box.write() as tx:
        inbox.set_times(tx, "acme", "product", {"a": {"phone": 1}, "b": {}})
        inbox.set_times(tx, "acme", "product", {"a": {"phone": 2, "stage": 3}})
        assert inbox.times(tx, "acme", "product", ["a", "b", "c"]) == {"a": {"phone": 2, "stage": 3}, "b": {}}
        assert inbox.times(tx, "beta", "product", ["a"]) == {}


def test_old_events_go(box: Store) -> None:
    """Done ones after a week, parked ones after a month, new ones never by themselves."""
    now = 100 * DAY
    with box.write() as tx:
        last = 0
        for state in ("done", "parked", "new"):
            inbox.put(tx, [told(f"{state}{days}", at=now - days * DAY) for days in (40, 8, 6)])
            taken = inbox.take(tx, "acme", "product", last, 9)
            last = taken[-1].id
            if state == "done":
                inbox.finish(tx, "acme", "product", taken[-1].id)
            elif state == "parked":
                inbox.park(tx, {each.id: "NO_REF" for each in taken})
        assert inbox.clean(tx, now) == 3
        assert sorted(row.key for row in inbox.naming(tx, "acme", [""], [])) == ["done6", "new40", "new6", "new8", "parked6", "parked8"]


def test_a_person_is_found_by_address_and_by_id(box: Store) -> None:
    """In any value, in any spelling of the address; an id only as a whole value and only of its own system."""
    put(
        box,
        told("1", {"user": {"email": " Änna@Acme.example "}}),
        told("2", {"text": "write to änna@acme.example now"}),
        told("3", {"id": 17}),
        told("4", {"id": "178"}),
        told("5", {"id": "17"}, system="other"),
        told("6", {"id": "17"}, workspace="beta"),
    )
    with box.write() as tx:
        found = inbox.naming(tx, "acme", ["änna@acme.example"], [("product", "17")])
        assert [row.key for row in found] == ["1", "2", "3"]
        inbox.set_times(tx, "acme", "product", {"17": {"phone": 5}, "18": {}})
        assert inbox.erase(tx, "acme", [row.id for row in found], [("product", "17")]) == 3
        assert inbox.times(tx, "acme", "product", ["17", "18"]) == {"18": {}}
        assert inbox.naming(tx, "acme", ["änna@acme.example"], [("product", "17")]) == []


def test_an_inbox_tells_itself_from_another(tmp_path: Path) -> None:
    """The numbers of a new file begin anew, so a cursor into the old one must not be used there."""
    marks = set[str | None]()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with closing(open_inbox(f"sqlite:///{tmp_path / name / 'stagesync.db'}")) as box:
            with box.read() as tx:
                assert inbox.mark(tx) is None
            put(box, told("a"))
            with box.read() as tx:
                marks.add(inbox.mark(tx))
    assert len(marks) == 2
    assert (tmp_path / "one" / "stagesync.inbox.db").stat().st_mode & 0o777 == 0o600


def test_to_look_at_an_inbox_makes_none(tmp_path: Path) -> None:
    """Whoever has no webhooks gets no file."""
    with inbox_of(f"sqlite:///{tmp_path / 'stagesync.db'}") as box:
        assert box is None
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=6))
def test_every_post_hears_what_became_of_its_own_events(file_box: Store, posts: list[list[str]]) -> None:
    """Of all that say a key, exactly one is told that it was new, and everything is there."""
    space = os.urandom(6).hex()
    with closing(Intake(file_box)) as intake:
        answers = [intake.put([told(key, workspace=space) for key in post]).result(10) for post in posts]
    assert [len(answer) for answer in answers] == [len(post) for post in posts]
    new = [key for post, answer in zip(posts, answers, strict=True) for key, stored in zip(post, answer, strict=True) if stored]
    assert sorted(new) == sorted({key for post in posts for key in post})
    assert keys(file_box, workspace=space) == new


def test_many_posts_at_once_are_each_kept(box: Store) -> None:
    """Threads put side by side, through two ways in, as two programs would."""
    with closing(Intake(box)) as one, closing(Intake(box)) as two:
        waiting = [intake.put([told(f"{name}{number}")]) for number in range(200) for name, intake in (("a", one), ("b", two))]
        assert all(future.result(30) == [True] for future in waiting)
    assert len(keys(box)) == 400


def test_numbers_are_seen_in_their_order(box: Store) -> None:
    """A reader that follows never meets an event with a lower number than it has seen: two writers do not overtake each other."""
    seen: list[int] = []
    writers = [threading.Thread(target=lambda name=name: [put(box, told(f"{name}{number}")) for number in range(40)]) for name in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        with box.read() as tx:
            seen += [each.id for each in inbox.take(tx, "acme", "product", seen[-1] if seen else 0, 10)]
    with box.read() as tx:
        rest = inbox.take(tx, "acme", "product", seen[-1] if seen else 0, 100)
    assert len(seen) + len(rest) == 80


def test_a_post_that_could_not_be_kept_is_told_so(tmp_path: Path) -> None:
    """A file that somebody else has locked for good: an error for those who waited, and the next ones are kept."""
    with closing(open_inbox(f"sqlite:///{tmp_path / 'stagesync.db'}?timeout=0.05")) as box, closing(Intake(box)) as intake:
        intake.put([told("a")]).result(10)
        with closing(sqlite3.connect(tmp_path / "stagesync.inbox.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            error = intake.put([told("b")]).exception(10)
        assert isinstance(error, StateError)
        assert intake.put([told("b")]).result(10) == [True]


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """The program dies in the middle of a burst: every event that was acknowledged is there."""
    url = f"sqlite:///{tmp_path / 'stagesync.db'}"
    code = """
        import os, sys
        from stagesync.model.events import Event
        from stagesync.state.inbox import Arrival, open_inbox
        from stagesync.state.intake import Intake
        intake = Intake(open_inbox(sys.argv[1]))
        for number in range(100_000):
            intake.put([Arrival("acme", "product", Event(str(number), {"n": number}), 1)]).add_done_callback(
                lambda future, number=number: os.write(1, f"{number}\\n".encode()) if future.result() == [True] else None
            )
            if number % 50 == 0:
                intake.put([]).result()
    """
    program = subprocess.Popen([sys.executable, "-c", "if 1:" + code, url], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    acknowledged = {program.stdout.readline().strip() for _ in range(300)}
    program.send_signal(signal.SIGKILL)
    acknowledged |= {line.strip() for line in program.stdout if line.endswith("\n")}
    program.wait()
    program.stdout.close()
    with closing(open_inbox(url)) as box:
        assert acknowledged <= set(keys(box, n=100_000))
