"""`stagesync migrate cutover`: what changed since comes after, and a sync goes on with the same state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moving import WAY, Move, approval, fates, move


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Move]:
    """Four people who were moved, one of whom the org had already with a title of its own, beside somebody whom only the org knows."""
    with move(tmp_path) as made:
        made.people(4, lifecyclestage="lead", city="Ulm")
        made.crm.create("Lead", {"Email": "p0@acme.example", "LastName": "Lee0", "Company": "Acme", "Title": "Boss"})
        made.crm.create("Lead", {"Email": "only@acme.example", "LastName": "Only", "Company": "Acme", "Status": "Open - Not Contacted"})
        assert made.load().exit_code == 0
        yield made


def contact(made: Move, email: str) -> dict[str, str]:
    """The one contact with that address."""
    (found,) = (each["properties"] for each in made.hub.contacts() if each["properties"].get("email") == email)
    return found


def test_what_changed_since_is_brought_over(moved: Move) -> None:
    """Somebody new and an edit arrive, a deletion becomes a question at once, nothing goes back, and the proof holds; a second cutover writes nothing."""
    moved.hub.create({"email": "new@acme.example", "lastname": "New"})
    ids = {str(each["properties"].get("email")): each["id"] for each in moved.hub.contacts()}
    moved.hub.edit(ids["p1@acme.example"], {"jobtitle": "Chief"})
    moved.hub.archive(ids["p3@acme.example"])
    assert moved.phase("verify").exit_code == 1
    done = moved.phase("cutover")
    assert (done.exit_code, "1 created, 1 updated" in done.stdout) == (1, True), done.stderr
    assert "1 new question" in done.stdout and "was deleted in hubspot" in moved.box.run("holds").stdout
    assert moved.lead("p1@acme.example")["Title"] == "Chief"
    assert moved.phase("verify").exit_code == 0
    again = moved.json("cutover")
    assert (again["created"], again["updated"], fates(again)) == (0, 0, {"created": 3, "matched": 1})


def test_from_then_on_a_sync_goes_both_ways(moved: Move) -> None:
    """Before the cutover a sync that would write to the source is stopped. After it an edit in the target travels back; what only the target knew stays."""
    stopped = moved.box.run("sync", "--yes")
    assert (stopped.exit_code, "a migration from hubspot to salesforce is under way" in stopped.stderr) == (3, True)
    assert "both ways" in moved.phase("cutover").stdout
    moved.crm.edit(moved.lead("p2@acme.example")["Id"], {"Title": "Head"})
    assert moved.box.run("sync").exit_code == 0
    assert contact(moved, "p2@acme.example")["jobtitle"] == "Head"
    assert contact(moved, "p0@acme.example").get("jobtitle") in (None, "")
    assert len(list(moved.hub.contacts())) == 4


def test_a_stored_plan_writes_no_more_to_the_source_than_a_sync(moved: Move) -> None:
    """A plan that was made while a migration is under way and would write to the source is not applied, exit 3; one that writes to the target alone is."""
    moved.crm.edit(moved.lead("p2@acme.example")["Id"], {"Title": "Head"})
    both = moved.box.json("plan")
    assert list(both["writes"]) == ["hubspot"]
    moved.box.reset()
    stopped = moved.box.run("apply", "--approve", both["digest"])
    assert (stopped.exit_code, "this run would write to hubspot too" in stopped.stderr) == (3, True), stopped.stderr
    assert moved.box.written() == []
    moved.box.add("\n[guard]\nclears = { count = 0, share = 0.0 }\n")
    for each in list(moved.hub.contacts()):
        if each["properties"].get("email") == "p1@acme.example":
            moved.hub.edit(each["id"], {"city": ""})
    guarded = moved.phase("cutover", "--yes")
    assert guarded.exit_code == 3
    applied = moved.box.run("apply", "--approve", approval(guarded.stderr))
    assert (applied.exit_code, moved.lead("p1@acme.example")["City"]) == (0, None), applied.stderr
    assert moved.json("cutover")["updated"] == 0


def test_two_way_lets_count_what_only_the_target_knew(moved: Move) -> None:
    """A value and a person that the source never had are brought there by the next sync, all agree, and the run after that writes nothing."""
    told = moved.json("cutover", "--two-way")
    assert told["opened"] == 2
    synced = moved.box.run("sync", "--yes")
    assert synced.exit_code == 0, synced.stderr
    assert contact(moved, "p0@acme.example")["jobtitle"] == "Boss"
    assert contact(moved, "only@acme.example")["lifecyclestage"] == "lead"
    assert moved.box.run("verify").exit_code == 0
    moved.box.run("sync")
    moved.box.reset()
    assert moved.box.run("sync").exit_code == 0
    assert moved.box.written() == []


def test_a_system_that_is_only_read_is_never_cut_over_both_ways(moved: Move) -> None:
    """The configuration's own direction is the stronger word; and with it a sync need not wait for the cutover."""
    moved.box.replace('connector = "hubspot"\n', 'connector = "hubspot"\ndirection = "read"\n')
    refused = moved.phase("cutover", "--two-way")
    assert (refused.exit_code, "systems.hubspot.direction" in refused.stderr) == (2, True)
    assert moved.box.run("sync", "--yes").exit_code == 0
    assert "nothing back" in moved.phase("cutover").stdout


def test_the_guards_of_any_run_stand(moved: Move) -> None:
    """After the load nothing is approved any more: sixty new people want a yes."""
    for number in range(60):
        moved.hub.create({"email": f"late{number}@acme.example", "lastname": "Late"})
    stopped = moved.phase("cutover", *WAY)
    assert (stopped.exit_code, "stagesync migrate cutover --yes" in stopped.stderr) == (3, True)
    assert moved.json("cutover", "--yes")["created"] == 60
