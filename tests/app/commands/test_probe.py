"""`stagesync probe` as somebody uses it: asked twice, shown, kept, used where it helps, and none of its records in anybody's sync."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cli_box import Box, QuickClock, box
from terminal import at_terminal, read_until

from stagesync.app import accounts as app_accounts
from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.app.courses import probing
from stagesync.app.courses.probing import Wishes
from stagesync.app.showing.sandboxes import HUBSPOT_TOKEN
from stagesync.model.records import Ref
from stagesync.model.writes import Write
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.world import TOKEN
from stagesync.sandbox.worlds import Worlds
from stagesync.state import accounts
from stagesync.sync import engine

PRODUCT = """
[systems.product]
connector = "webhook"
direction = "read"
secrets = [{ env = "PRODUCT_SECRET" }]

[[systems.product.events]]
kind = "person"
email = "email"
"""
IDS = {"hubspot": "4710017", "salesforce": "00D5g000004XYZAEA4"}


@pytest.fixture
def clock() -> QuickClock:
    """Time that passes at once when somebody waits."""
    return QuickClock()


@pytest.fixture
def place(tmp_path: Path, clock: QuickClock) -> Iterator[Box]:
    """Two empty worlds that go by that clock."""
    time = WorldClock(lambda: clock.now_ms() / 1000)
    with box(tmp_path, people=0, worlds=Worlds(HubSpotWorld(clock=time), SalesforceWorld(clock=time))) as made:
        yield made


def left_in(place: Box) -> list[object]:
    """All records of both worlds."""
    crm = place.worlds.salesforce
    return [*place.worlds.hubspot.contacts(), *(row for kind in ("Lead", "Contact", "Campaign") for row in crm.rows(kind))]


def writes(place: Box, clock: QuickClock) -> int:
    """A sync by that clock; how much it wrote."""
    with wiring.opened(load(place.config), clock) as opened, wiring.held(opened, "sync"), wiring.connected(opened) as session:
        return engine.apply(session, engine.plan(session).run).writes


@pytest.mark.parametrize("system", list(IDS))
def test_the_matrix_is_shown_and_kept(place: Box, clock: QuickClock, capsys: pytest.CaptureFixture[str], system: str) -> None:
    """Every question has an answer or a reason, each answer is kept with the account and outlives a new look at it, and no record is left."""
    with wiring.opened(load(place.config), clock) as opened:
        assert probing.find_out(opened, system, Wishes(yes=True, account=IDS[system], json=True)) == 0
    said = capsys.readouterr()
    told = orjson.loads(said.out)
    assert [each for each in (HUBSPOT_TOKEN, TOKEN, "example.com") if each in said.out + said.err] == []
    assert (told["system"], told["account"]) == (system, IDS[system])
    assert [each["name"] for each in told["questions"] if (each["answer"] is None) != bool(each["why"]) or not each["handled"] or each["left"]] == []
    answers = {each["name"]: each["answer"] for each in told["questions"] if each["answer"] is not None}
    assert len(answers) >= 5
    assert left_in(place) == []
    with wiring.opened(load(place.config), clock) as opened:
        connector = wiring.open_connector(opened, opened.config.systems[system])
        known = app_accounts.ask(opened.store, opened.id, opened.config.systems[system], connector, clock.now_ms())
        connector.close()
        with opened.store.read() as tx:
            stored, _ = accounts.metadata(tx, known.account) or ({}, 0)
    assert {name: each["answer"] for name, each in stored["findings"].items()} == answers


def test_the_matrix_as_text_says_question_answer_and_what_is_done_either_way(place: Box, clock: QuickClock, capsys: pytest.CaptureFixture[str]) -> None:
    """People read question, answer here, what stagesync does, and the sandbox's switch; what cannot be found out says why."""
    place.worlds.salesforce.hands["hands/habits"]({"hidden_objects": ["Campaign"], "empty_text_is_null": False})
    with wiring.opened(load(place.config), clock) as opened:
        assert probing.find_out(opened, "salesforce", Wishes(yes=True, account=IDS["salesforce"])) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "salesforce: salesforce 00D5g000004XYZAEA4 (sandbox): 11 answers to 14 questions"
    at = lines.index("What is an empty text stored as?")
    assert lines[at + 1 : at + 4] == [
        "  here        an empty text",
        "  either way  An empty text and null both read as blank",
        "  sandbox     empty_text_is_null",
    ]
    assert any(line.startswith("  here        not found out: the org refuses what the experiment needs: ") for line in lines)


def test_nothing_of_an_experiment_reaches_another_system(place: Box, clock: QuickClock) -> None:
    """A sync before and one after the experiments: neither makes anybody anywhere."""
    assert writes(place, clock) == 0
    for system, account in IDS.items():
        with wiring.opened(load(place.config), clock) as opened:
            assert probing.find_out(opened, system, Wishes(yes=True, account=account)) == 0
    assert writes(place, clock) == 0
    assert left_in(place) == []


def test_answers_are_used_for_the_account_that_gave_them(place: Box, clock: QuickClock) -> None:
    """Once the portal was seen to apply a stage that goes back, it is sent in one request; to whatever another credential leads, nothing is known of it."""
    place.worlds.hubspot.switch(backward_stage="applied")
    lower = Write(1, "update", "contact", Ref("contact", "1"), {"lifecyclestage": "lead"}, {"lifecyclestage": "customer"})
    steps: list[int] = []
    with wiring.opened(load(place.config), clock) as opened:
        for _ in range(2):
            with wiring.connected(opened) as session:
                steps.append(next(len(each.connector.expand(lower)) for each in session.systems.values() if each.name == "hubspot"))
            assert probing.find_out(opened, "hubspot", Wishes(yes=True, account=IDS["hubspot"])) == 0
    assert steps == [2, 1]
    place.config.write_text(place.config.read_text("utf-8").replace(HUBSPOT_TOKEN, "pat-another-token"), "utf-8")
    with wiring.opened(load(place.config), clock) as opened:
        assert app_accounts.answers(opened.store, opened.id, opened.config.systems["hubspot"]) == {}


@pytest.mark.parametrize("words", [(), ("--yes",), ("--account", IDS["hubspot"]), ("--yes", "--account", "4710018"), ("--json",)])
def test_without_two_answers_nothing_is_written(place: Box, words: tuple[str, ...]) -> None:
    """Away from a terminal both answers are needed, and the account named must be the one that is there."""
    result = place.run("probe", "hubspot", *words)
    assert result.exit_code == 3
    assert "nothing was written" in result.stderr
    assert place.written() == []


def test_production_is_refused_whatever_was_answered(place: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account with customers in it is not experimented on, even by somebody who says yes twice."""
    portal = place.worlds.hubspot.portal
    told = {**portal.details(), "accountType": "STANDARD"}
    monkeypatch.setattr(portal, "details", lambda: told)
    result = place.run("probe", "hubspot", "--yes", "--account", IDS["hubspot"])
    assert result.exit_code == 3
    assert "is of type STANDARD" in result.stderr
    assert place.written() == []


def test_a_system_without_open_questions_is_a_mistake(place: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is none, and a system that nothing can be asked of, are told with what to do."""
    monkeypatch.setenv("PRODUCT_SECRET", "whsec_" + "c2VjcmV0" * 8)
    place.add(PRODUCT)
    for name, said in (("hubspott", "hubspot"), ("product", "nothing to find out")):
        result = place.run("probe", name)
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


@pytest.mark.skipif(os.name != "posix", reason="terminals are other things there")
@pytest.mark.parametrize("answers", [("n",), ("y", "4710018")])
def test_on_a_terminal_it_asks_twice(place: Box, answers: tuple[str, ...]) -> None:
    """Somebody at a terminal sees what it costs and leaves, says yes, and types the account's id: a no or another id is exit 3, nothing written."""
    shown = b""
    with at_terminal("probe", "hubspot", "--config", str(place.config)) as (process, ours):
        for question, answer in zip((b"Make these experiments?", b"Type the account's id"), answers, strict=False):
            shown += read_until(ours, question)
            os.write(ours, answer.encode() + b"\n")
    assert process.returncode == 3
    assert b"API calls at most" in shown and b"opted out for good" in shown
    assert place.written() == []


def test_every_habit_that_an_experiment_names_is_one(place: Box) -> None:
    """Whoever reads the matrix can switch the sandbox to either answer."""
    from stagesync.connectors.hubspot import probe as of_hubspot
    from stagesync.connectors.salesforce import probe as of_salesforce

    habits = [(place.worlds.hubspot.habits, of_hubspot.EXPERIMENTS), (place.worlds.salesforce.org.habits, of_salesforce.EXPERIMENTS)]
    for known, experiments in habits:
        assert [each.habit for each in experiments if each.habit and not hasattr(known, each.habit)] == []
