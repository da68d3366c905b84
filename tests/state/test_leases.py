"""One run at a time in a workspace, whatever becomes of the program that holds it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from stagesync.model.errors import Busy, StateError
from stagesync.state import accounts, leases
from stagesync.state.sql import Statement
from stagesync.state.store import Store, open_store

HOLD = """
import sys
from stagesync.state import accounts, leases, store
opened = store.open_store(sys.argv[1])
with opened.write() as tx:
    ws = accounts.workspace(tx, "main").id
with leases.acquire(opened, ws, "the other one"):
    print("held", flush=True)
    sys.stdin.read()
"""


def other_program(url: str) -> subprocess.Popen[str]:
    """Another process that holds workspace `main` until its input ends."""
    program = subprocess.Popen([sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout
    assert program.stdout.readline() == "held\n"
    return program


def workspace(store: Store, name: str = "main") -> int:
    """Its id."""
    with store.write() as tx:
        return accounts.workspace(tx, name).id


def sql(store: Store, text: str) -> None:
    """Do something to the database behind the lease's back."""
    with store.unguarded() as tx:
        tx.run(Statement(sa.text(text)), {})


def test_a_second_program_is_told_who_holds_the_workspace_and_since_when(store_url: str) -> None:
    """It does not wait: the scheduler comes again. When the first has ended, the second may."""
    with other_program(store_url) as program, closing(open_store(store_url)) as store:
        ws = workspace(store)
        with pytest.raises(Busy, match=r"'main' is held by the other one since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC") as caught, leases.acquire(store, ws, "me"):
            pass
        assert caught.value.exit_code == 3
        assert "wait until it has ended" in caught.value.next_step
        program.communicate()
        with leases.acquire(store, ws, "me") as lease:
            assert lease.epoch == 2


def test_a_killed_holder_frees_the_file_at_once(sqlite_url: str) -> None:
    """The operating system's lock dies with its process, so nobody has to delete a lock file by hand."""
    with other_program(sqlite_url) as program, closing(open_store(sqlite_url)) as store:
        program.kill()
        program.wait()
        with leases.acquire(store, workspace(store), "me") as lease:
            assert lease.epoch == 2


def test_the_lock_file_is_beside_the_database_and_ours_alone(sqlite_url: str) -> None:
    """It names the workspace, so that somebody who looks into the folder knows what it is."""
    with closing(open_store(sqlite_url)) as store, leases.acquire(store, workspace(store), "me"):
        lock = Path(sqlite_url.removeprefix("sqlite:///")).with_name("stagesync.db.main.lock")
        assert lock.stat().st_mode & 0o777 == 0o600


def test_a_killed_holder_keeps_a_server_until_its_time_is_over(postgres_url: str) -> None:
    """There is no process to ask: the lease counts as free when it was not renewed in time."""
    with other_program(postgres_url) as program, closing(open_store(postgres_url)) as store:
        program.kill()
        program.wait()
        ws = workspace(store)
        with pytest.raises(Busy, match="the other one"), leases.acquire(store, ws, "me"):
            pass
        sql(store, "UPDATE lease SET until = until - 60000")
        with leases.acquire(store, ws, "me") as lease:
            assert lease.epoch == 2


def test_whoever_was_superseded_cannot_commit(store: Store) -> None:
    """A laptop that slept through its lease wakes up with a plan of yesterday."""
    ws = workspace(store)
    with pytest.raises(Busy), leases.acquire(store, ws, "me"):
        with store.write() as tx:
            accounts.workspace(tx, "in time")
        sql(store, "UPDATE lease SET epoch = epoch + 1, holder = 'the next one'")
        with store.write() as tx:
            accounts.workspace(tx, "too late")
    with store.read() as tx:
        assert tx.rows(Statement(sa.text("SELECT name FROM workspace WHERE name LIKE '%t%'")), {}) == [("in time",)]
        assert tx.rows(Statement(sa.text("SELECT holder FROM lease")), {}) == [("the next one",)]


def test_a_lease_ends_with_its_block_and_the_next_epoch_begins(store: Store) -> None:
    """Also where the block ends in an error; and afterwards the store writes without one."""
    ws = workspace(store)
    with pytest.raises(LookupError), leases.acquire(store, ws, "me"):
        raise LookupError
    with leases.acquire(store, ws, "me again") as lease:
        assert lease == leases.Lease(ws, 2)
    workspace(store, "later")


def test_workspaces_of_one_database_run_side_by_side(store_url: str) -> None:
    """Each has a lease of its own, even where its name is no name for a file; both write, and neither is anybody else's meanwhile."""
    with closing(open_store(store_url)) as one, closing(open_store(store_url)) as two, closing(open_store(store_url)) as three:
        held = workspace(one), workspace(one, "Größe/../2")
        with leases.acquire(one, held[0], "me"), leases.acquire(two, held[1], "you"):
            assert workspace(one, "a") != workspace(two, "b")
            for ws, holder in zip(held, ("me", "you"), strict=True):
                with pytest.raises(Busy, match=f"is held by {holder} since"), leases.acquire(three, ws, "them"):
                    pass


def test_a_writer_in_time_holds_off_the_next_holder(postgres_url: str) -> None:
    """The epoch is checked under a lock: a taker waits for the open transaction, so nothing of it can land after the takeover."""
    with closing(open_store(postgres_url)) as mine, closing(open_store(f"{postgres_url}%20-c%20lock_timeout%3D50")) as theirs:
        ws = workspace(mine)
        with leases.acquire(mine, ws, "me"):
            sql(mine, "UPDATE lease SET until = 0")
            with mine.write(), pytest.raises(StateError, match="locked"), leases.acquire(theirs, ws, "you"):
                pass
