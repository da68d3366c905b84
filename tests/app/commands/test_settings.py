"""What somebody configures is what happens: each setting, from the file to the records in both systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_box import Box, box

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds

OURS, THEIRS = "+14155550101", "+14155550102"


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """Ann stands in both systems with different numbers, Bob in HubSpot only, Cleo in Salesforce only."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))
    with box(tmp_path, worlds=worlds) as made:
        worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee", "phone": OURS})
        worlds.hubspot.by_hand.create({"email": "bob@acme.example", "lastname": "Ray", "company": "Ray Ltd", "lifecyclestage": "lead"})
        worlds.salesforce.create("Lead", {"Email": "ann@acme.example", "LastName": "Lee", "Company": "Acme", "Phone": THEIRS})
        worlds.salesforce.create("Lead", {"Email": "cleo@acme.example", "LastName": "Fox", "Company": "Acme"})
        yield made


def leads(made: Box) -> dict[str, Any]:
    """Salesforce's live Leads by address."""
    return {row["Email"]: row for row in made.worlds.salesforce.rows("Lead") if not row.get("IsDeleted")}


def contacts(made: Box) -> dict[str, Any]:
    """HubSpot's live contacts by address."""
    return {each["properties"]["email"]: each for each in made.worlds.hubspot.contacts()}


@pytest.mark.parametrize(("winner", "phone"), [("hubspot", OURS), ("salesforce", THEIRS)])
def test_the_winner_of_a_group_decides_the_first_meeting(acme: Box, winner: str, phone: str) -> None:
    """Both systems end with the number of whom the configuration names."""
    acme.replace('"contact details" = "newest"', f'"contact details" = "{winner}"')
    assert acme.run("sync", "--yes").exit_code == 0
    assert (contacts(acme)["ann@acme.example"]["properties"]["phone"], leads(acme)["ann@acme.example"]["Phone"]) == (phone, phone)


def test_a_system_that_is_only_read_is_never_written(acme: Box) -> None:
    """`direction = "read"`: HubSpot's people go to Salesforce, and nothing comes back."""
    acme.replace('connector = "hubspot"', 'connector = "hubspot"\ndirection = "read"')
    acme.run("sync", "--yes")
    assert leads(acme).keys() == {"ann@acme.example", "bob@acme.example", "cleo@acme.example"}
    assert contacts(acme).keys() == {"ann@acme.example", "bob@acme.example"}
    assert not any("batch/update" in call or "batch/create" in call for call in acme.written())


def test_a_system_without_creates_gets_no_new_people(acme: Box) -> None:
    """`creates = false`: known people are kept the same, nobody is added."""
    acme.replace('connector = "hubspot"', 'connector = "hubspot"\ncreates = false')
    acme.replace('connector = "salesforce"', 'connector = "salesforce"\ncreates = false')
    told = acme.json("sync", "--yes")
    assert told["created"] == 0
    assert told["updated"] > 0


def test_who_is_not_included_is_counted_and_not_created(acme: Box) -> None:
    """`include.min_stage`: who is below does not become a Lead, and the plan says why."""
    acme.add('\n[systems.salesforce.include]\nmin_stage = "mql"\n')
    plan = acme.json("plan")
    assert [(each["system"], each["people"]) for each in plan["excluded"]] == [("salesforce", 1)]
    acme.run("sync", "--yes")
    assert "bob@acme.example" not in leads(acme)


def test_a_guard_of_ones_own_stops_a_run(acme: Box) -> None:
    """`guard.creates` with a count of 1: two new people need a yes, one does not."""
    acme.add("\n[guard]\ncreates = { count = 1, share = 0.0 }\n")
    acme.run("sync", "--yes")
    acme.later(1000)
    acme.worlds.hubspot.by_hand.create({"email": "dan@acme.example", "lastname": "Poe"})
    assert acme.json("sync")["created"] == 1
    acme.later(1000)
    for name in ("eve", "fay"):
        acme.worlds.hubspot.by_hand.create({"email": f"{name}@acme.example", "lastname": "Poe"})
    stopped = acme.run("sync")
    assert stopped.exit_code == 3
    assert "2 creates in salesforce" in stopped.stderr
    assert acme.json("sync", "--yes")["created"] == 2


@pytest.mark.parametrize(("policy", "left"), [("hold", True), ("archive", False), ("ignore", True)])
def test_a_deletion_means_what_is_configured(acme: Box, policy: str, left: bool) -> None:
    """`delete.policy`: hold asks and leaves the other record, archive removes it, ignore leaves it; it never comes back by our doing."""
    acme.add(f'\n[delete]\npolicy = "{policy}"\n')
    acme.run("sync", "--yes")
    acme.later(1000)
    acme.worlds.salesforce.delete(str(leads(acme)["cleo@acme.example"]["Id"]))
    result = acme.run("sync", "--yes")
    assert result.exit_code == (1 if policy == "hold" else 0), result.stderr
    assert ("cleo@acme.example" in contacts(acme)) is left
    assert "cleo@acme.example" not in leads(acme)
    assert len(acme.json("holds")["groups"]) == (1 if policy == "hold" else 0)


def test_several_workspaces_share_one_state(acme: Box) -> None:
    """Another `[workspace] name` over the same file begins anew: it is a first run again, and nothing is doubled."""
    acme.run("sync", "--yes")
    acme.add('\n[workspace]\nname = "second"\n')
    stopped = acme.run("sync")
    assert acme.json("status")["workspace"] == "second"
    assert stopped.exit_code in (0, 3)
    told = acme.json("sync", "--yes")
    assert (told["created"], told["updated"]) == (0, 0)
