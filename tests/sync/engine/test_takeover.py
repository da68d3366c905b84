"""One run at a time: what becomes of a run that fell asleep, and of what a dead one has sent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from cli_box import QuickClock
from hubspot_portal import Portal
from kills import CREATE_LEADS, Stand, stand
from programs import Program
from salesforce_org import Org

from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.model.errors import Busy, StateError
from stagesync.model.records import Present, Ref
from stagesync.model.writes import Step
from stagesync.sandbox.faults import Fault
from stagesync.state import accounts, leases
from stagesync.state import store as stores
from stagesync.state.sql import Statement
from stagesync.state.store import Store, open_store
from stagesync.sync import engine
from stagesync.sync.engine import RunReport

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs are stopped in another way there")

POINTS = (
    ("POST /crm/v3/objects/contacts/batch/read", "salesforce"),
    ("POST /services/data/v66.0/composite/sobjects/Lead", "hubspot"),
    (CREATE_LEADS, "hubspot"),
    ("PATCH /services/data/v66.0/composite/sobjects", "hubspot"),
    ("POST /crm/v3/objects/contacts/batch/create", "salesforce"),
    ("POST /crm/v3/objects/contacts/batch/update", "salesforce"),
)
"""Where a first run may fall asleep: while it reads a system again, and in a request of each kind that changes something.

And the system that is only read then, so that nobody falls asleep inside a transaction of the other's: a server needs a minute to end that.
"""


class Landing(QuickClock):
    """Time that passes at once, and in which something arrives while somebody waits."""

    def __init__(self, arrives: Callable[[], object]) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._arrives = arrives

    def sleep(self, seconds: float) -> None:
        """It arrives in the last moment."""
        super().sleep(seconds)
        self.waited.append(seconds)
        self._arrives()


@pytest.fixture
def met(tmp_path: Path) -> Iterator[Stand]:
    """A contact whom nobody in Salesforce knows."""
    with stand(tmp_path / "stand", 0, people=0, timeout_s=600) as made:
        made.box.worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee"})
        yield made


def run_here(made: Stand, clock: QuickClock) -> RunReport:
    """A whole run in this process, on that clock."""
    with wiring.opened(load(made.box.config), clock) as place, wiring.held(place, "sync"), wiring.connected(place) as session:
        planned = engine.plan(session)
        return engine.apply(session, planned.run, planned=planned)


def leads(made: Stand) -> int:
    """How many there are in Salesforce."""
    return len(list(made.box.worlds.salesforce.rows("Lead")))


def test_what_a_killed_run_sent_may_land_before_anybody_looks(met: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    """The create is still under way when the run is started again: it is waited for, in so many words, found, and not made a second time."""
    program = met.start()
    under_way = met.at_call(CREATE_LEADS, lambda: program.signal(SIGKILL), before=True)
    assert program.ended() < 0
    assert leads(met) == 0
    clock = Landing(under_way.carry_out)
    report = run_here(met, clock)
    assert leads(met) == 1
    assert report.writes == 0
    assert 600 < sum(clock.waited) <= 610
    assert "a run that broke off had just written to salesforce, and that may still arrive there" in capsys.readouterr().err
    assert met.box.run("sync").exit_code == 0
    assert leads(met) == 1


def test_what_fills_a_blank_of_the_vendor_is_not_carried_back_after_a_kill(met: Stand) -> None:
    """A Lead cannot be without a company, a contact can: the stand-in stays where it is, also where the answer to the create was lost."""
    program = met.start()
    met.at_call(CREATE_LEADS, lambda: program.signal(SIGKILL))
    assert program.ended() < 0
    assert run_here(met, Landing(lambda: None)).writes == 0
    assert [row["Company"] for row in met.box.worlds.salesforce.rows("Lead")] == ["[not provided]"]
    assert [each["properties"].get("company") for each in met.box.worlds.hubspot.contacts()] == [None]
    assert met.box.run("sync").exit_code == 0


def test_a_record_whose_answer_was_lost_is_found_by_an_undo(met: Stand) -> None:
    """It was looked up and is ours: what the run made, its undo takes away."""
    met.box.worlds.salesforce.faults.add(Fault("lost_after", CREATE_LEADS))
    assert met.box.run("sync", "--yes").exit_code == 0
    assert leads(met) == 1
    undone = met.box.run("undo", "1", "--yes")
    assert undone.exit_code == 0, undone.stderr
    assert leads(met) == 0


def test_nobody_waits_for_what_can_no_longer_land(met: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    """Once the time of a request is over, the next run looks at once."""
    program = met.start()
    met.at_call(CREATE_LEADS, lambda: program.signal(SIGKILL), before=True)
    assert program.ended() < 0
    with closing(open_store(f"sqlite:///{met.box.config.with_name('stagesync.db')}")) as store:
        sql(store, "UPDATE lease SET sent = sent - 610000")
    clock = Landing(lambda: None)
    assert run_here(met, clock).writes == 1
    assert clock.waited == []
    assert "waiting" not in capsys.readouterr().err


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(met: Stand) -> None:
    """The dead run seems to have sent in the future: the wait is that of one request, not of the hour between."""
    program = met.start()
    met.at_call(CREATE_LEADS, lambda: program.signal(SIGKILL), before=True)
    assert program.ended() < 0
    with closing(open_store(f"sqlite:///{met.box.config.with_name('stagesync.db')}")) as store:
        sql(store, "UPDATE lease SET sent = sent + 3600000")
    clock = Landing(lambda: None)
    assert run_here(met, clock).writes == 1
    assert clock.waited == [610]


@pytest.mark.parametrize(("point", "read"), POINTS)
def test_a_run_that_fell_asleep_and_was_superseded_does_nothing_more(point: str, read: str, tmp_path: Path, postgres_url: str) -> None:
    """Another run does its work; when it wakes, it commits nothing, changes nothing at a vendor, and says who holds the workspace: exit 3."""
    with stand(tmp_path / "stand", 1, postgres_url, people=12) as made, asleep(made, point, read) as program:
        a_minute_passes(postgres_url)
        made.finish()
        after, remembered = made.records(), dump(postgres_url)
        made.box.reset()
        program.signal(SIGCONT)
        assert program.ended() == 3, program.err
        assert "is held by another run" in program.err
        assert made.box.written() == []
        assert made.records() == after
        assert dump(postgres_url) == remembered
        assert list(made.complete())[-1].startswith("people=")
        assert made.box.run("verify").exit_code == 0


@pytest.mark.parametrize(("point", "read"), POINTS[1:3])
def test_a_run_that_fell_asleep_keeps_a_file_and_goes_on(point: str, read: str, tmp_path: Path) -> None:
    """On SQLite its lock lives as long as the process: a second run is told so, and the first ends as if nothing had been."""
    with stand(tmp_path / "stand", 1, people=12) as made, asleep(made, point, read) as program:
        second = made.box.run("sync", "--yes")
        held = second.exit_code == 3 and "is held by stagesync sync on" in second.stderr
        assert held or (second.exit_code == 5 and "locked by another program" in second.stderr), second.stderr  # it sleeps inside a transaction
        program.signal(SIGCONT)
        assert program.ended() in (0, 1), program.err
        assert made.box.run("sync").exit_code == 0


@contextmanager
def asleep(made: Stand, call: str, read: str) -> Iterator[Program]:
    """A run that is stopped when it makes that call; the call is carried out. `read`: the system that is only read."""
    made.box.replace(f'connector = "{read}"\n', f'connector = "{read}"\ndirection = "read"\n')
    there = threading.Event()
    program = made.start()

    def stop() -> None:
        program.signal(SIGSTOP)
        there.set()

    made.at_call(call, stop)
    try:
        assert there.wait(60), program.err
        yield program
    finally:
        program.signal(SIGKILL)


def a_minute_passes(url: str) -> None:
    """For the lease of whoever cannot renew it."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE lease SET until = 0")


def dump(url: str) -> dict[str, list[Any]]:
    """All that is remembered, but for pacing and numbers taken in advance."""
    engine_ = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine_.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            rows = {table: [tuple(row) for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))] for table in sorted(tables)}
    finally:
        engine_.dispose()
    return {table: sorted(found, key=str) for table, found in rows.items() if table not in ("limit", "counter")}


# -- a connector of a run that was superseded


def test_hubspot_is_sent_nothing_more() -> None:
    """Another run takes over after a batch was refused as a whole: neither half goes again, and no other batch leaves."""
    portal = Portal()
    steps = [Step(number, 1, "create", "contact", None, {"email": f"p{number}@acme.example", "lastname": "Lee"}) for number in (1, 2)]
    portal.world.faults.add(Fault("status", "POST /crm/v3/objects/contacts/batch/create", status=400, body="{}"))
    portal.watch.passes = 1
    for calls in ({"POST /batch/create": 1}, {}):
        with pytest.raises(Busy):
            portal.connector.write(steps)
        assert portal.calls() == calls
    assert list(portal.world.contacts()) == []
    ref = Ref("contact", portal.contact(1))
    with pytest.raises(Busy):
        portal.connector.write([Step(3, 1, "update", "contact", ref, {"hs_email_optout": "true"}, "p1@people.example")])
    assert portal.calls() == {}


@pytest.mark.parametrize("operation", ["create", "update", "archive"])
def test_salesforce_is_sent_nothing_more(operation: Any) -> None:
    """No request that changes something leaves, of whatever kind; what is only read still is."""
    org = Org()
    ref = Ref("lead", org.lead("Lee"))
    org.watch.passes = 0
    with pytest.raises(Busy):
        org.connector.write([Step(1, 1, operation, "lead", None if operation == "create" else ref, {"LastName": "Wu", "Company": "Acme"})])
    assert org.calls() == {}
    assert [type(each) for each in org.connector.fetch([ref], {"lead": ("LastName",)})] == [Present]


# -- the lease itself


def workspace(store: Store) -> int:
    """The id of `main`."""
    with store.write() as tx:
        return accounts.workspace(tx, "main").id


def sql(store: Store, text: str) -> list[tuple[Any, ...]]:
    """Do something to the database behind the lease's back."""
    with store.unguarded() as tx:
        if text.startswith("SELECT"):
            return tx.rows(Statement(sa.text(text)), {})
        tx.run(Statement(sa.text(text)), {})
        return []


def test_a_lease_is_renewed_without_a_write(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of two minutes, or a long thought, costs nobody the right to run."""
    monkeypatch.setattr(leases, "SECONDS", 0.2)
    with closing(open_store(postgres_url)) as store:
        ws = workspace(store)
        with leases.acquire(store, ws, "me"):
            seen = {sql(store, "SELECT until FROM lease")[0][0]}
            deadline = threading.Event()
            for _ in range(200):
                deadline.wait(0.02)
                seen |= {sql(store, "SELECT until FROM lease")[0][0]}
                if len(seen) > 3:
                    break
            assert len(seen) > 3
        assert sql(store, "SELECT until FROM lease") == [(None,)]


def test_whoever_was_superseded_sends_nothing(store: Store) -> None:
    """Each request that changes something is noted, and refused once another run has taken over."""
    ws = workspace(store)
    leases.sending(store, ws)  # nobody holds a lease: nobody can be superseded
    with leases.acquire(store, ws, "me"):
        assert leases.silent_s(store) is None
        leases.sending(store, ws)
        sql(store, "UPDATE lease SET epoch = epoch + 1, until = 0, holder = 'the next one'")
        with pytest.raises(Busy, match="the next one"):
            leases.sending(store, ws)
    with leases.acquire(store, ws, "me again"):
        silent_s = leases.silent_s(store)
        assert silent_s is not None
        assert 0 <= silent_s < 60


def test_a_server_ends_the_transaction_of_a_sleeper(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fell asleep inside a transaction holds its locks: without this the next run would wait for ever, and without a word."""
    monkeypatch.setattr(stores, "ASLEEP_S", 1)
    with closing(open_store(postgres_url)) as sleeper, closing(open_store(postgres_url)) as next_one:
        ws = workspace(sleeper)
        with leases.acquire(sleeper, ws, "me"), pytest.raises(StateError, match="asleep in the middle of a transaction") as told, sleeper.write() as tx:
            with next_one.unguarded():
                pass
            threading.Event().wait(1.5)
            accounts.workspace(tx, "too late")
        assert told.value.exit_code == 5
        sql(next_one, "UPDATE lease SET until = 0")
        with leases.acquire(next_one, ws, "you") as lease:
            assert lease.epoch == 2
