"""The commands that show something: each as text and as one JSON object, with the right exit code, and none shows a credential."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cli_box import Box, box

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

CANARY = "pat-na1-canary-7d1f-secret"
COMMANDS = (
    ("check",),
    ("plan",),
    ("sync", "--dry-run"),
    ("sync", "--yes"),
    ("status",),
    ("runs",),
    ("report",),
    ("holds",),
    ("why", "ann@acme.example"),
    ("why", "ann@acme.example", "phone"),
    ("verify",),
)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Ann stands in both systems with two phone numbers, and nobody wins: one question. HubSpot's token comes from the environment."""
    monkeypatch.setenv("ACME_HUBSPOT", CANARY)
    worlds = Worlds(HubSpotWorld(token=CANARY), SalesforceWorld())
    with box(tmp_path, worlds=worlds) as made:
        made.replace('token = "pat-sandbox-token"', 'token = { env = "ACME_HUBSPOT" }')
        made.replace('"contact details" = "newest"\n', "")
        worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee", "phone": "+14155550101"})
        worlds.salesforce.create("Lead", {"Email": "ann@acme.example", "LastName": "Lee", "Company": "Acme", "Phone": "+14155550102"})
        yield made


def test_every_command_speaks_and_none_shows_a_credential(acme: Box) -> None:
    """Text is not empty, JSON is one object, and neither stream nor the state file holds the token."""
    acme.run("sync", "--yes")
    for words in COMMANDS:
        shown = acme.run(*words)
        assert shown.exit_code == 0, (words, shown.stderr)
        assert shown.stdout.strip(), words
        told = acme.run(*words, "--json")
        assert isinstance(orjson.loads(told.stdout), dict), words
        assert CANARY not in shown.stdout + shown.stderr + told.stdout + told.stderr, words
    left = b"".join(path.read_bytes() for path in acme.config.parent.iterdir())
    assert CANARY.encode() not in left


def test_a_question_is_asked_once_and_answered(acme: Box) -> None:
    """The run that makes it is exit 1, later ones 0; its group is listed; the answer is carried out by the next run; then nothing is open."""
    assert acme.run("sync", "--yes").exit_code == 1
    assert acme.run("sync").exit_code == 0
    groups = acme.json("holds")["groups"]
    assert [group["field"] for group in groups] == ["phone"]
    wrong = acme.run("resolve", groups[0]["id"], "--use", "pipedrive")
    assert (wrong.exit_code, "is no answer to" in wrong.stderr) == (2, True)
    assert acme.json("resolve", groups[0]["id"], "--use", "salesforce", "--only", "ann@acme.example")["answered"] == 1
    acme.run("sync", "--yes")
    assert acme.json("holds")["groups"] == []
    phones = {contact["properties"].get("phone") for contact in acme.worlds.hubspot.contacts()}
    assert phones == {"+14155550102"}


def test_verify_finds_what_drifted(acme: Box) -> None:
    """After an edit that no run has seen, `verify` is exit 1 and names the field; after a sync it is 0."""
    acme.run("sync", "--yes")
    acme.later(1000)
    lead = next(iter(acme.worlds.salesforce.rows("Lead")))
    acme.worlds.salesforce.edit(str(lead["Id"]), {"Title": "Boss"})
    drifted = acme.run("verify")
    assert drifted.exit_code == 1
    assert "job title" in drifted.stdout
    acme.run("sync", "--yes")
    assert acme.run("verify").exit_code == 0


def test_people_are_named_in_every_way(acme: Box) -> None:
    """An address, our number, a record's id with or without its system, and stdin all find the same person."""
    acme.run("sync", "--yes")
    person = acme.json("why", "ann@acme.example")["people"][0]["person"]
    lead = next(iter(acme.worlds.salesforce.rows("Lead")))["Id"]
    for who in (f"p{person}", f"salesforce:{lead}", str(lead), "ANN@ACME.EXAMPLE"):
        assert acme.json("why", who)["people"][0]["person"] == person, who
    piped = acme.run("why", "-", "stage", "--json", input="ann@acme.example\n")
    assert orjson.loads(piped.stdout)["people"][0]["person"] == person


def test_an_earlier_moment_is_shown_and_one_to_come_is_a_mistake(acme: Box) -> None:
    """Today is now, the day before the first run is before anybody was known; tomorrow and no moment at all are exit 2 that says what to write."""
    acme.run("sync", "--yes")
    today = datetime.now(UTC)
    acme.reset()
    now, before = (acme.json("why", "ann@acme.example", "stage", "--at", f"{day:%Y-%m-%d}")["people"][0] for day in (today, today - timedelta(days=1)))
    assert (now["known"], [field["field"] for field in now["fields"]]) == (True, ["stage"])
    assert (before["known"], before["fields"]) == (False, [])
    assert before["known_since"] == now["known_since"]
    for typed in (f"{today + timedelta(days=1):%Y-%m-%d}", "yesterday"):
        wrong = acme.run("why", "ann@acme.example", "--at", typed)
        assert (wrong.exit_code, "--at" in wrong.stderr, wrong.stdout) == (2, True, "")
    assert acme.calls() == {}


def test_the_state_alone_answers_without_a_call(acme: Box) -> None:
    """Status, runs, holds and why need no system: none is called."""
    acme.run("sync", "--yes")
    acme.reset()
    for words in (("status",), ("runs",), ("holds",), ("why", "ann@acme.example")):
        assert acme.run(*words).exit_code == 0
    assert acme.calls() == {}
