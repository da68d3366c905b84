"""Somebody is told what needs them: once, together, and with nobody's data in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box
from service import serving, until

from stagesync.app import wiring
from stagesync.app.configuration.config import Config
from stagesync.app.configuration.loading import load
from stagesync.app.serving.course import Ended, course
from stagesync.app.serving.notices import IN_A_ROW, Notices, Watcher, sender
from stagesync.app.serving.notify import KINDS, Notify
from stagesync.model.errors import ConfigurationError
from stagesync.model.ports import Secret
from stagesync.sync.engine import PlanReport, RunReport
from stagesync.sync.planning.plan import Tally

CANARY = "anna.canary@acme.example"
CLEAN = RunReport(1, {}, {}, 0, 0, people=0, held=0, new_holds=0, overruled=0)
STOPPED = Ended(3, "stopped before the first write: 60 updates in hubspot")
FAILED = Ended(4, "hubspot does not answer")
ASKING = Ended(1, report=replace(CLEAN, new_holds=2))


def breached(people: int) -> Ended:
    """A run in which so many clocks ran out."""
    return Ended(0, plan=PlanReport(1, "digest", Tally(), (), late=range(people)), report=CLEAN)


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver on loopback: its address as apprise writes it, and what it was sent."""
    got: list[dict[str, Any]] = []

    class Inbox(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(orjson.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Inbox)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/told", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_each_kind_of_news_is_told_once_while_it_goes_on() -> None:
    """A stop again and again is one piece of news, another one is another; failures are told at the third, and when they are over."""
    watcher = Watcher()
    assert watcher.sentences(Ended(0, report=CLEAN)) == {}
    assert watcher.sentences(ASKING) == {"holds": "2 new questions (`stagesync holds`)"}
    assert watcher.sentences(breached(1)) == {"breaches": "1 person was not answered in the agreed time (`stagesync sla`)"}
    assert watcher.sentences(STOPPED) == {"stops": STOPPED.reason}
    assert watcher.sentences(STOPPED) == {}
    assert watcher.sentences(Ended(3, "another reason")) == {"stops": "another reason"}
    told = [watcher.sentences(FAILED) for _ in range(IN_A_ROW + 2)]
    assert [bool(each) for each in told] == [False, False, True, False, False]
    assert "hubspot does not answer" in told[IN_A_ROW - 1]["failures"]
    assert watcher.sentences(Ended(0, report=CLEAN)) == {"failures": "runs work again"}


def test_nobodys_data_is_told() -> None:
    """What looks like an address or a number is replaced, wherever a reason has it from."""
    assert Watcher().sentences(Ended(3, "anna@acme.example, +49 30 1234567"))["stops"] == "<e-mail>, <number>"


def told_of(made: Box, *, people: bool) -> str:
    """What is told of a run that asks about somebody, and of somebody who was not answered."""
    sent: list[str] = []
    config = replace(load(made.config), notify=Notify((Secret("json://127.0.0.1"),), KINDS, 0, people))
    with wiring.opened(config) as place:
        with wiring.held(place, "test"):
            ended = course(place, threading.Event())
        assert ended.report is not None
        assert ended.plan is not None
        notices = Notices([config], lambda _notify, _title, text: not sent.append(text))
        notices.ended(config, replace(ended, plan=replace(ended.plan, late=[1])))
        notices.close()
    return "\n".join(sent)


@pytest.mark.parametrize("people", [False, True])
def test_people_are_named_only_where_somebody_asked_for_it(tmp_path: Path, people: bool) -> None:
    """By default nothing of anybody leaves: no name, no address, no value. If asked: who it is about, in signs that no chat program takes for a command."""
    with box(tmp_path, people=0) as made:
        made.replace('"contact details" = "newest"\n', "")
        made.worlds.hubspot.by_hand.create({"email": CANARY, "firstname": "Anna", "lastname": "<!channel> Canary"})
        made.run("sync", "--yes")
        for number in range(7):
            email = f"p{number}.canary@acme.example"
            made.worlds.hubspot.by_hand.create({"email": email, "firstname": "Canary", "lastname": f"N{number}", "phone": f"+49 30 765432{number}"})
            made.worlds.salesforce.create("Lead", {"Email": email, "LastName": f"N{number}", "Company": "A", "Phone": f"+49 30 111111{number}"})
        told = told_of(made, people=people)
    questions, late = told.splitlines()
    if not people:
        assert questions == "box: 7 new questions (`stagesync holds`)"
        assert not any(word in told.lower() for word in ("canary", "anna", "acme.example", "765432", "111111"))
    else:
        assert questions.startswith("box: 7 new questions (`stagesync holds`): Canary N0 (p0.canary@acme.example, p2), ")
        assert questions.endswith(", and 2 more")
        assert late.endswith(f": Anna channel  Canary ({CANARY}, p1)")
        assert not any(phone in told for phone in ("765432", "111111"))


@pytest.fixture
def acme(tmp_path: Path) -> Config:
    """A configuration that tells of everything, without a pause."""
    with box(tmp_path, people=0) as made:
        return replace(load(made.config), notify=Notify((Secret("json://127.0.0.1"),), KINDS, 0))


def test_what_is_not_wanted_is_not_told(acme: Config) -> None:
    """Only the kinds of `on` are told."""
    sent: list[str] = []
    config = replace(acme, notify=Notify((Secret("json://127.0.0.1"),), ("stops",), 0))
    notices = Notices([config], lambda _notify, _title, text: not sent.append(text))
    notices.ended(config, ASKING)
    notices.ended(config, STOPPED)
    notices.close()
    assert sent == [f"box: {STOPPED.reason}"]


def test_news_within_the_quiet_time_is_one_message(acme: Config) -> None:
    """The first goes at once, all that follows waits and goes together, at the end at the latest."""
    first = threading.Event()
    sent: list[str] = []

    def send(_notify: Notify, _title: str, text: str) -> bool:
        sent.append(text)
        first.set()
        return True

    config = replace(acme, notify=Notify((Secret("json://127.0.0.1"),), KINDS, 3_600_000))
    notices = Notices([config], send)
    notices.ended(config, ASKING)
    assert first.wait(10)
    notices.ended(config, STOPPED)
    notices.ended(config, breached(3))
    notices.close()
    assert len(sent) == 2
    assert sent[1].splitlines() == [f"box: {STOPPED.reason}", "box: 3 people were not answered in the agreed time (`stagesync sla`)"]


def test_a_message_that_was_not_delivered_goes_with_the_next(acme: Config) -> None:
    """Nothing that somebody should know is lost to a receiver that was away."""
    answers = iter((False, True))
    sent: list[str] = []
    done = threading.Event()

    def send(_notify: Notify, _title: str, text: str) -> bool:
        sent.append(text)
        good = next(answers)
        if good:
            done.set()
        return good

    notices = Notices([acme], send)
    notices.ended(acme, STOPPED)
    assert done.wait(10)
    notices.close()
    assert sent == [f"box: {STOPPED.reason}"] * 2


def test_an_address_that_is_none_is_said_without_showing_it(acme: Config) -> None:
    """It holds a credential, so only its place is told."""
    with pytest.raises(ConfigurationError, match="no address that apprise knows") as caught:
        sender([replace(acme, notify=Notify((Secret("nothing:secret-word"),)))])
    assert "notify.urls[0]" in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_a_real_service_tells_of_a_guard_that_stopped_it(tmp_path: Path) -> None:
    """One message, however often it stops, with the reason and what to do; the address is in no line of the log."""
    with listening() as (url, got), box(tmp_path, people=3) as made:
        secret = tmp_path / "url.txt"
        secret.write_text(f"{url}?+secret-header=abc")
        secret.chmod(0o600)
        made.run("sync", "--yes")
        _stop_by_guard(made)
        made.add('[schedule]\nevery = "1s"\n[serve]\nport = 0\n[notify]\nurls = [{ file = "url.txt" }]\n')
        with serving(tmp_path / "log", made.config) as service:
            until(lambda: got)
            until(lambda: len(service.runs("stopped")) >= 2)
            assert service.end() == 0
        assert len(got) == 1
        assert got[0]["title"] == "stagesync: 1 thing needs somebody"
        assert got[0]["message"].startswith("box: stopped before the first write:")
        assert "stagesync apply --approve" in got[0]["message"]
        assert b"json://" not in (tmp_path / "log").read_bytes()
        assert b"secret-header" not in (tmp_path / "log").read_bytes()


def _stop_by_guard(made: Box) -> None:
    made.add("[guard]\nupdates = { count = 0, share = 0 }\nfills = { count = 0, share = 0 }\n")
    made.later(600)
    made.worlds.hubspot.by_hand.edit(next(iter(made.worlds.hubspot.contacts()))["id"], {"city": "Kyoto"})
