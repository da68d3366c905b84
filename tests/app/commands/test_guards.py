"""Every guard, on the real command line: nothing is written, exit 3, and the message says why and how to go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_box import Box, box

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

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


@pytest.mark.parametrize(("happens", "number"), [(creates, 2), (fills, PEOPLE), (updates, PEOPLE), (clears, PEOPLE), (archives, 2), (lowerings, PEOPLE)])
def test_each_kind_of_change_goes_through_up_to_its_limit(synced: Box, happens: Callable[[Box], None], number: int) -> None:
    """Exactly as many as are allowed are written without a question; with one less allowed nothing is."""
    happens(synced)
    limited = f"{happens.__name__} = {{ count = 1,"
    synced.add(WIDE.replace(limited.replace("1,", "100,"), f"{happens.__name__} = {{ count = {number - 1},"))
    synced.reset()
    assert synced.run("sync", "--yes" if happens in (clears, archives, lowerings) else "--json").exit_code == 3
    assert synced.written() == []
    synced.replace(f"{happens.__name__} = {{ count = {number - 1},", f"{happens.__name__} = {{ count = {number},")
    assert synced.run("sync").exit_code in (0, 1)
    assert synced.written() != []


def test_an_approval_is_of_one_plan_alone(synced: Box) -> None:
    """A digest whose plan gave way to a newer one, or was carried out, or was made under another mapping, opens nothing."""
    clears(synced)
    synced.add(TIGHT)
    digests: list[str] = []
    for title in ("", "Boss"):
        edit_contacts(synced, jobtitle=title, city="Ulm" if title else "")
        synced.later(60)
        digests += re.findall(r"--approve (\w+)", synced.run("sync").stderr)
    synced.reset()
    old = synced.run("apply", "--approve", digests[0])
    assert (old.exit_code, "that plan is superseded" in old.stderr, synced.written()) == (2, True, [])
    assert synced.run("apply", "--approve", digests[-1]).exit_code == 0
    again = synced.run("apply", "--approve", digests[-1])
    assert (again.exit_code, "that plan is applied" in again.stderr) == (2, True)
    edit_contacts(synced, city="Kiel")
    synced.later(60)
    (stale,) = re.findall(r"--approve (\w+)", synced.run("sync").stderr)
    synced.add('\n[fields.city]\npolicy = "always hubspot"\n')
    synced.reset()
    changed = synced.run("apply", "--approve", stale)
    assert (changed.exit_code, "the mapping changed since this plan was made" in changed.stderr, synced.written()) == (2, True, [])


@pytest.mark.parametrize("system", ["hubspot", "salesforce"])
def test_another_account_is_never_written(system: str, tmp_path: Path) -> None:
    """The credential leads into another portal or org: exit 3 that names both, whatever `--yes` says, and not one call that changes anything there."""
    with box(tmp_path, 0) as first:
        first.worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee"})
        assert first.run("sync", "--yes").exit_code == 0
    other = (
        Worlds(HubSpotWorld(portal_id=99), SalesforceWorld()) if system == "hubspot" else Worlds(HubSpotWorld(), SalesforceWorld(org_id="00D5g00000OTHERAAA"))
    )
    other.hubspot.by_hand.create({"email": "bob@acme.example", "lastname": "Elm"})
    with box(tmp_path, worlds=other) as second:
        for words in (("--yes",), (), ("--canary", "1", "--yes")):
            stopped = second.run("sync", *words)
            assert (stopped.exit_code, f"{system} is another account now" in stopped.stderr) == (3, True), stopped.stderr
        assert second.written() == []


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
