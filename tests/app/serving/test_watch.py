"""One workspace of a service: due or not, one run at a time, every slot once, and whatever broke off made up for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cli_box import Box, QuickClock, box

from stagesync.app import wiring
from stagesync.app.configuration.config import Config
from stagesync.app.configuration.loading import load
from stagesync.app.serving.course import Ended
from stagesync.app.serving.watch import BUSY_MS, GAP_MS, LONGEST_MS, WAKE_MS, Watch
from stagesync.state import schedule
from stagesync.state.schedule import ScheduleRow

HOUR_S = 3600.0


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """A few people, synced once by hand, and a timetable."""
    with box(tmp_path, people=3) as made:
        made.add('\n[schedule]\nevery = "1h"\n')
        assert made.run("sync", "--yes").exit_code in (0, 1)
        yield made


@dataclass
class Watched:
    """A watch whose clock is set by the test, and what it asked for and told."""

    config: Config
    clock: QuickClock = field(default_factory=QuickClock)
    stop: threading.Event = field(default_factory=threading.Event)
    asked: list[int] = field(default_factory=list[int])
    ended: list[Ended] = field(default_factory=list[Ended])
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.config, self.stop, self.asked.append, lambda _config, ended, _took: self.ended.append(ended), self.clock)

    def look(self) -> list[str]:
        """Look once; how all runs so far ended."""
        self.watch.look()
        return [each.outcome for each in self.ended]

    def row(self) -> ScheduleRow:
        """What the state keeps."""
        with wiring.opened(self.config) as place, place.store.read() as tx:
            found = schedule.get(tx, place.id)
        assert found is not None
        return found

    def next_s(self) -> float:
        """How long until the next look."""
        return (self.asked[-1] - self.clock.now_ms()) / 1000


def test_a_slot_is_run_once_and_the_next_look_is_soon_enough(acme: Box) -> None:
    """The first look runs, the second has nothing to do, and an hour later there is one more run."""
    watched = Watched(load(acme.config))
    assert watched.look() == ["done"]
    assert watched.next_s() <= LONGEST_MS / 1000
    assert watched.look() == ["done"]
    watched.clock.sleep(HOUR_S)
    assert watched.look() == ["done", "done"]
    assert watched.row().ended_at is not None


def test_runs_that_were_missed_are_one_run(acme: Box) -> None:
    """After two and a half days without a service there is one run, and the next slot lies on the old grid."""
    watched = Watched(load(acme.config))
    watched.look()
    first = watched.row().slot
    watched.clock.sleep(60 * HOUR_S + 1800)
    watched.look()
    assert watched.look() == ["done", "done"]
    assert (watched.row().slot - first) % 3_600_000 == 0
    assert 0 < watched.row().slot - watched.clock.now_ms() <= 3_600_000


def test_a_new_timetable_takes_the_place_of_the_old(acme: Box) -> None:
    """The row follows the configuration; a cron expression waits for its time."""
    watched = Watched(load(acme.config))
    watched.look()
    acme.replace('every = "1h"', 'cron = "0 6 * * *"')
    other = Watched(load(acme.config))
    assert other.look() == []
    assert other.row().spec == "0 6 * * * (UTC)"


@pytest.mark.parametrize("state", ["sqlite", "postgresql"])
def test_two_services_on_one_state_run_each_slot_once(tmp_path: Path, state: str, request: pytest.FixtureRequest) -> None:
    """Both look at the same moment, slot after slot: each is run by one of them, and no run fails for the other's sake."""
    with box(tmp_path, people=3) as made:
        made.add('\n[schedule]\nevery = "1h"\n')
        if state == "postgresql":
            made.add(f'[state]\nurl = "{request.getfixturevalue("postgres_url")}"\n')
        assert made.run("sync", "--yes").exit_code in (0, 1)
        one, other = Watched(load(made.config)), Watched(load(made.config))
        for slot in range(1, 7):
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(one.watch.look), pool.submit(other.watch.look)]:
                    done.result()
            assert len(one.ended) + len(other.ended) == slot
            one.clock.sleep(HOUR_S)
            other.clock.sleep(HOUR_S)
        assert {each.outcome for each in [*one.ended, *other.ended]} == {"done"}


def test_a_run_by_hand_makes_the_service_wait(acme: Box) -> None:
    """While somebody holds the workspace nothing is run; a few seconds later the slot is run all the same."""
    watched = Watched(load(acme.config))
    with wiring.opened(watched.config) as place, wiring.held(place, "sync"):
        assert watched.look() == []
        assert watched.next_s() == pytest.approx(BUSY_MS / 1000, abs=0.5)
        watched.watch.wake()
        assert watched.look() == []
    assert watched.look() == ["done"]


def test_what_a_wake_wanted_is_not_lost_while_the_workspace_is_busy(acme: Box) -> None:
    """Events came in while somebody ran by hand: the next look runs although no slot is due."""
    watched = Watched(load(acme.config))
    watched.look()
    watched.watch.wake()
    with wiring.opened(watched.config) as place, wiring.held(place, "sync"):
        assert len(watched.look()) == 1
    assert len(watched.look()) == 2
    assert len(watched.look()) == 2


def test_wakes_come_soon_and_not_too_often(acme: Box) -> None:
    """The first asks for a look after the time in which events are gathered; right after a run, the gap between runs is kept. The slot stays."""
    watched = Watched(load(acme.config))
    watched.watch.wake()
    assert watched.next_s() == pytest.approx(WAKE_MS / 1000, abs=0.1)
    watched.look()
    slot = watched.row().slot
    began = watched.row().began_at
    assert began is not None
    watched.watch.wake()
    assert watched.asked[-1] >= began + GAP_MS
    watched.look()
    assert len(watched.ended) == 2
    assert watched.row().slot == slot


def test_a_stream_of_events_puts_no_run_off(acme: Box) -> None:
    """Events that come in one after another do not move the look for which the first one asked; what comes in during a run asks for the next."""
    watched = Watched(load(acme.config))
    watched.watch.wake()
    asked = watched.asked[:]
    for _ in range(10):
        watched.clock.sleep(0.1)
        watched.watch.wake()
    assert watched.asked == asked
    watched.look()
    watched.watch.wake()
    assert watched.asked[-1] > asked[-1]


def test_a_run_that_was_killed_is_made_up_for_at_once(acme: Box) -> None:
    """A row that began and did not end is due, long before its next slot."""
    watched = Watched(load(acme.config))
    watched.look()
    with wiring.opened(watched.config) as place, place.store.write() as tx:
        schedule.begin(tx, place.id, watched.clock.now_ms(), "stagesync serve on a machine that is gone")
    assert watched.look() == ["done", "done"]
    assert watched.look() == ["done", "done"]


class SecondThought(threading.Event):
    """Not set when it is looked at first, set from then on: somebody stops the service once a run is under way."""

    asked = 0

    def is_set(self) -> bool:
        """Whether the service is to end."""
        self.asked += 1
        return self.asked > 1


def test_a_run_that_was_asked_to_stop_goes_on_at_the_next_start(acme: Box) -> None:
    """It is neither a failure nor an end: the next service runs it at once."""
    acme.worlds.hubspot.by_hand.create({"email": "new@acme.example", "lastname": "New"})
    stopped = Watched(load(acme.config), stop=SecondThought())
    acme.reset()
    assert stopped.look() == ["interrupted"]
    assert acme.written() == []
    assert stopped.row().broken_off
    assert Watched(load(acme.config)).look() == ["done"]
    assert acme.run("verify").exit_code == 0


def test_a_workspace_that_was_never_synced_waits_for_somebody(tmp_path: Path) -> None:
    """Its first run is made by hand: no call is made, and that is said."""
    with box(tmp_path, people=3) as made:
        watched = Watched(load(made.config))
        assert watched.look() == ["stopped"]
        assert "the first run is made by hand" in watched.ended[0].reason
        assert made.calls() == {}


def test_a_guard_stops_the_service_until_somebody_approves(acme: Box) -> None:
    """Nothing is written, slot after slot, and it is no failure; once the plan is approved the service goes on."""
    acme.add("[guard]\nupdates = { count = 0, share = 0 }\nfills = { count = 0, share = 0 }\n")
    acme.later(600)
    acme.worlds.hubspot.by_hand.edit(next(iter(acme.worlds.hubspot.contacts()))["id"], {"city": "Kyoto"})
    watched = Watched(load(acme.config))
    acme.reset()
    watched.look()
    watched.clock.sleep(HOUR_S)
    assert watched.look() == ["stopped", "stopped"]
    assert acme.written() == []
    assert watched.row().failures == 0
    plan = watched.ended[-1].plan
    assert plan is not None
    assert f"stagesync apply --approve {plan.digest}" in watched.ended[-1].reason
    assert acme.run("apply", "--approve", plan.digest).exit_code == 0
    watched.clock.sleep(HOUR_S)
    assert watched.look()[-1] == "done"


def test_failures_are_counted_until_a_run_comes_to_its_end(acme: Box) -> None:
    """A refused credential fails each time, with its word and what to do; a run that works ends the row of failures."""
    acme.replace('access_token = "', 'access_token = "wrong-')
    watched = Watched(load(acme.config))
    watched.look()
    watched.clock.sleep(HOUR_S)
    assert watched.look() == ["configuration", "configuration"]
    assert watched.row().failures == 2
    assert watched.row().outcome == "configuration"
    acme.replace('access_token = "wrong-', 'access_token = "')
    mended = Watched(load(acme.config))
    mended.clock.sleep(2 * HOUR_S)
    assert mended.look() == ["done"]
    assert mended.row().failures == 0


def test_a_bug_ends_a_run_and_not_the_service(acme: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Type and place are told, the message is not: it may hold somebody's data."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise KeyError("anna@acme.example")

    monkeypatch.setattr("stagesync.sync.engine.plan", fail)
    watched = Watched(load(acme.config))
    assert watched.look() == ["bug"]
    assert "KeyError at " in watched.ended[0].reason
    assert "anna" not in watched.ended[0].reason
    assert watched.asked[-1] > watched.clock.now_ms()


def test_a_state_that_cannot_be_opened_is_tried_again(acme: Box) -> None:
    """The service lives on and looks again a few seconds later."""
    config = load(acme.config)
    state = acme.config.parent / "stagesync.db"
    state.rename(state.with_name("aside"))
    state.mkdir()
    watched = Watched(config)
    assert watched.look() == ["state"]
    assert watched.next_s() == pytest.approx(BUSY_MS / 1000, abs=0.5)
    state.rmdir()
    state.with_name("aside").rename(state)
    assert watched.look() == ["state", "done"]
