"""Every guard, on the real command line: nothing is written, exit 3, and the message says why and how to go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_box import Box, box

PEOPLE = 4
TIGHT = "\n[guard]\n" + "\n".join(f"{kind} = {{ count = 1, share = 0.0 }}" for kind in ("creates", "fills", "updates", "clears", "archives", "lowerings"))
TIGHT += "\npeople = { count = 100, share = 1.0 }\n"
WIDE = TIGHT.replace("count = 1,", "count = 100,")


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[Box]:
    """A few people in agreement, who are MQL."""
    with box(tmp_path, 0) as made:
        for each in range(PEOPLE):
            values = {"email": f"p{each}@acme.example", "lastname": "Lee", "jobtitle": "Head", "lifecyclestage": "marketingqualifiedlead"}
            made.worlds.hubspot.by_hand.create(values)
        assert made.run("sync", "--yes").exit_code == 0
        made.later(3600)
        yield made


def edit_contacts(made: Box, **values: str) -> None:
    """Somebody types this into every contact."""
    for contact in list(made.worlds.hubspot.contacts()):
        made.worlds.hubspot.by_hand.edit(contact["id"], values)


def creates(made: Box) -> None:
    """Two strangers come in."""
    for each in range(2):
        made.worlds.hubspot.by_hand.create({"email": f"q{each}@acme.example", "lastname": "Lee"})


def fills(made: Box) -> None:
    """What was blank everywhere is filled."""
    edit_contacts(made, city="Ulm")


def updates(made: Box) -> None:
    """What was filled is changed."""
    edit_contacts(made, jobtitle="Boss")


def clears(made: Box) -> None:
    """What was filled is emptied."""
    edit_contacts(made, jobtitle="")


def archives(made: Box) -> None:
    """Records are deleted, and that shall hold everywhere."""
    made.add('\n[delete]\npolicy = "archive"\n')
    made.run("sync", "--yes")
    for row in list(made.worlds.salesforce.rows("Lead"))[:2]:
        made.worlds.salesforce.delete(str(row["Id"]))


def lowerings(made: Box) -> None:
    """Somebody moves everybody back."""
    for row in list(made.worlds.salesforce.rows("Lead")):
        made.worlds.salesforce.edit(str(row["Id"]), {"Status": "Open - Not Contacted"})


def stops(made: Box, *, by_yes: bool) -> str:
    """The run stops with exit 3 before any write, shows how to go on, and goes on that way; gives what it said."""
    made.reset()
    stopped = made.run("sync", *(() if by_yes else ("--yes",)))
    assert stopped.exit_code == 3, stopped.stdout + stopped.stderr
    assert made.written() == []
    assert "stopped before the first write" in stopped.stderr
    assert ("`stagesync sync --yes`" in stopped.stderr) is by_yes
    digest = re.search(r"stagesync apply --approve (\w+)", stopped.stderr)
    assert digest is not None
    went = made.run("sync", "--yes") if by_yes else made.run("apply", "--approve", digest.group(1))
    assert went.exit_code in (0, 1), went.stdout + went.stderr  # 1: it asks what the deletions mean
    assert made.run("sync").exit_code == 0
    return stopped.stderr


@pytest.mark.parametrize(("happens", "by_yes"), [(creates, True), (fills, True), (updates, True), (clears, False), (archives, False), (lowerings, False)])
def test_each_kind_of_change_stops_above_its_limit(synced: Box, happens: Callable[[Box], None], by_yes: bool) -> None:
    """Two where one is allowed: the kind and the system are named; what only adds is lifted by `--yes`, what takes away only by the plan's digest."""
    happens(synced)
    synced.add(TIGHT)
    said = stops(synced, by_yes=by_yes)
    assert re.search(rf"\d {happens.__name__} in (hubspot|salesforce): more than 1 and 0%", said)


def test_a_large_share_of_all_people_stops(synced: Box) -> None:
    """Each kind of change is within its limit, but most people would be written."""
    updates(synced)
    synced.add(WIDE.replace("people = { count = 100, share = 1.0 }", "people = { count = 1, share = 0.5 }"))
    assert "4 people would be written: more than 1 and 50% of the 4 that are known" in stops(synced, by_yes=True)


def test_an_emptied_system_stops_until_somebody_approves(synced: Box) -> None:
    """All Leads are gone: that is asked about in every run, whatever `--yes` says, until the plan is approved."""
    for row in list(synced.worlds.salesforce.rows("Lead")):
        synced.worlds.salesforce.delete(str(row["Id"]))
    assert synced.run("sync", "--yes").exit_code == 3
    assert "salesforce had 4 records and now shows none: is it the right account" in stops(synced, by_yes=False)
    assert len(list(synced.worlds.hubspot.contacts())) == PEOPLE
