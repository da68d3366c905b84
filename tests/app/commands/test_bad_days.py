"""What stops a run from outside: signals, a full disk, a locked database, a state from an old backup. Then it goes on, and ends as an unbroken one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from signal import SIGINT, SIGTERM, Signals

import pytest
from kills import CREATE_LEADS, Stand, stand, work, wrong
from service import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of a process are other things there")

SEED = 3


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Stand]:
    """Whose first run is over, unbroken."""
    with stand(tmp_path / "twin", SEED) as made:
        list(made.complete())
        yield made


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Stand]:
    """The same people, before the first run."""
    with stand(tmp_path / "ours", SEED) as made:
        yield made


def goes_on(ours: Stand, twin: Stand) -> list[str]:
    """The next runs; what is wrong after them."""
    ours.finish()
    list(ours.complete())
    return list(wrong(ours, twin))


@pytest.mark.parametrize(("first", "second"), [(SIGINT, SIGTERM), (SIGTERM, SIGTERM)])
def test_a_second_signal_ends_a_run_at_once(tmp_path: Path, twin: Stand, first: Signals, second: Signals) -> None:
    """The first one is answered with what it does; the second does not wait for the vendor: exit 130, and nothing is lost or made twice."""
    with stand(tmp_path / "ours", SEED, timeout_s=2) as ours:
        _twice(ours, first, second)
        assert goes_on(ours, twin) == []


def _twice(ours: Stand, first: Signals, second: Signals) -> None:
    """A run that is told to stop while a request is under way, and once more."""
    program, over = ours.start(), threading.Event()

    def twice() -> None:
        program.signal(first)
        until(lambda: "stopping after the batch in hand (once more: at once)" in program.err)
        program.signal(second)
        over.wait(60)  # its request stays under way

    ours.at_call(CREATE_LEADS, twice)
    code = program.ended()
    over.set()
    assert code == 130, program.out + program.err
    assert "Traceback" not in program.err
    assert "people=" not in program.out


@pytest.mark.parametrize("part", [0.3, 0.5, 0.7, 0.9])
def test_a_disk_that_is_full_at_any_point_loses_nothing(ours: Stand, twin: Stand, part: float) -> None:
    """One clear error, exit 5, whatever was being written; with room again it goes on."""
    largest = max(each.stat().st_size for each in twin.state.parent.glob("stagesync.db*"))
    program = ours.start(room=int(largest * part))
    assert program.ended() == 5, program.out + program.err
    assert len([line for line in program.err.splitlines() if line.startswith("stagesync: ")]) == 1, program.err
    assert any(said in program.err for said in ("the disk is full", "the disk reports an error")), program.err
    assert "Traceback" not in program.err
    assert goes_on(ours, twin) == []


def test_a_database_that_is_locked_in_the_midst_of_a_run_loses_nothing(ours: Stand, twin: Stand) -> None:
    """Another program holds the file for longer than anybody waits, just when an answer is to be written down: exit 5 with what to close, and it goes on."""
    ours.box.add(f'\n[state]\nurl = "sqlite:///{ours.state}?timeout=0.05"\n')
    program = ours.start()
    with closing(sqlite3.connect(ours.state, isolation_level=None, check_same_thread=False, timeout=20)) as browser:
        ours.at_call(CREATE_LEADS, lambda: browser.execute("BEGIN IMMEDIATE"))
        assert program.ended() == 5, program.err
        browser.rollback()
    assert "the database is locked by another program" in program.err
    assert "close what else has it open" in program.err
    assert goes_on(ours, twin) == []


def test_a_state_from_an_old_backup_goes_on(ours: Stand, twin: Stand) -> None:
    """The file of three runs ago is put back by hand: nobody is made twice, and nothing goes back that was carried meanwhile."""
    list(ours.complete())
    kept = shutil.copy(ours.state, ours.state.with_suffix(".kept"))
    for number in (2, 3):
        for each in (ours, twin):
            each.box.later(3600)
            work(each.box, Random(number), number)
            for contact in each.box.worlds.hubspot.contacts():
                if not contact["properties"].get("company"):  # or a later first meeting would take Salesforce's stand-in for a value
                    each.box.worlds.hubspot.by_hand.edit(contact["id"], {"company": "Acme"})
            list(each.complete())
    for beside in ours.state.parent.glob("stagesync.db-*"):
        beside.unlink()
    shutil.copy(kept, ours.state)
    assert goes_on(ours, twin) == []
