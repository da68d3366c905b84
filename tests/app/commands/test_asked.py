"""Questions about second records on the real command line: what is asked of many, and how one person, one record or all of them are answered."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_box import Box, box, cli

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds

PEOPLE = ("anna", "ben", "cleo", "dora")


@contextmanager
def beside(folder: Path) -> Iterator[Box]:
    """Four people who have a Contact, and a Lead with another title beside it; Anna has two, the second of which has another city too."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))
    org = worlds.salesforce
    for name in PEOPLE:
        org.create("Contact", {"FirstName": name, "LastName": "Ash", "Email": f"{name}@a.example"})
        org.create("Lead", {"FirstName": name, "LastName": "Ash", "Email": f"{name}@a.example", "Company": "A", "Title": "CEO"})
    org.create("Lead", {"FirstName": "anna", "LastName": "Ash", "Email": "anna@a.example", "Company": "A", "City": "Ulm"})
    with box(folder, worlds=worlds) as made:
        yield made


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Box]:
    """A world of its own."""
    with beside(tmp_path) as made:
        yield made


def group(org: Box) -> str:
    """The id of the one group."""
    (found,) = org.json("holds")["groups"]
    return str(found["id"])


def lead(org: Box, email: str, city: str | None = None) -> str:
    """The id of somebody's Lead with that city."""
    found = [row["Id"] for row in org.worlds.salesforce.rows("Lead") if row["Email"] == email and row.get("City") == city]
    assert len(found) == 1
    return str(found[0])


def names(org: Box) -> set[str]:
    """Whom it is still asked about."""
    told = org.run("holds", group(org)).stdout
    return {name for name in PEOPLE if f"{name}@a.example" in told}


def test_a_large_group_says_what_is_asked_and_what_each_answer_does(org: Box) -> None:
    """How many people and records, what becomes of them meanwhile, in what they differ, all cases, each answer, and how to answer a part."""
    org.run("plan")
    id = group(org)
    text = org.run("holds").stdout
    assert f"{id}  4 people have more than one record in salesforce, which do not say the same: one human, or several?" in text
    for shown in (text, org.run("plan").stdout):
        assert "They are synced by the best record of theirs, also while nobody answers; 5 other records are left alone meanwhile." in shown
        assert "What is said otherwise: job title 4, company 4, lifecycle stage 4, city 1" in shown
    assert "company blank, stage blank  (is written)" in text
    assert f"... and 1 more: `stagesync holds {id}` names all" in text
    for use in ("same", "different", "skip"):
        assert f"stagesync resolve {id} --use {use} " in text
    assert "`--only salesforce:ID`" in text and "stagesync duplicates find salesforce --out review.csv" in text
    whole = org.run("holds", id).stdout
    assert all(f"{name}@a.example" in whole for name in PEOPLE) and "... and" not in whole
    assert id in org.run("plan").stdout
    refused = org.run("holds", "zzz")
    assert (refused.exit_code, "there is no open group zzz" in refused.stderr) == (2, True)


@pytest.mark.parametrize("planned", [True, False])
def test_one_person_is_answered_alone(org: Box, planned: bool) -> None:
    """By address, before the first sync or after it; the others are still asked about, and `same` is told in `why`."""
    org.run("plan") if planned else org.run("sync", "--yes")
    told = org.run("resolve", group(org), "--use", "same", "--only", "ben@a.example")
    assert (told.exit_code, "1 case answered with same" in told.stdout) == (0, True), told.stdout + told.stderr
    org.run("sync", "--yes")
    assert names(org) == {"anna", "cleo", "dora"}
    why = org.run("why", "ben@a.example").stdout
    assert "are one human's: contact" in why and f"lead {lead(org, 'ben@a.example')} is left alone, and but for an opt-out nothing of it is heard" in why


def test_another_human_is_a_person_of_its_own(org: Box) -> None:
    """Told different, a Lead is synced as somebody, once it has an address of its own, and until then that is said; nobody is asked about them again."""
    org.run("sync", "--yes")
    id, ben = lead(org, "ben@a.example"), group(org)
    told = org.run("resolve", ben, "--use", "different", "--only", f"salesforce:{id}")
    assert (told.exit_code, "Until a record has an address of its own, HubSpot refuses a contact for it" in told.stdout) == (0, True)
    org.run("sync", "--yes")
    assert "whose records you told apart: give each an address of its own" in org.run("errors").stdout
    assert "hubspot refused to make the record (CONFLICT)" in org.run("why", f"salesforce:{id}").stdout
    org.worlds.salesforce.edit(id, {"Email": "benno@a.example"})
    org.run("sync", "--yes")
    assert "ben" not in names(org)
    assert {each["properties"]["email"] for each in org.worlds.hubspot.contacts()} >= {"ben@a.example", "benno@a.example"}
    assert "are two humans': each is a person of its own" in org.run("why", f"salesforce:{id}").stdout


def test_a_family_is_told_apart_in_a_review(tmp_path: Path) -> None:
    """To a question that nobody is linked by, different is no answer; what tells them apart is said with it, and does."""
    with box(tmp_path, people=0) as made:
        for name in ("Elm", "Oak"):
            made.worlds.salesforce.create("Lead", {"FirstName": name * 2, "LastName": name, "Email": "fam@a.example", "Company": "A"})
        assert made.run("sync", "--yes").exit_code == 1
        refused = made.run("resolve", group(made), "--use", "different")
        assert (refused.exit_code, f"`stagesync holds {group(made)}` says more" in refused.stderr) == (2, True)
        assert "stagesync duplicates find SYSTEM --at-least 10 --out review.csv" in made.run("holds").stdout
        review = tmp_path / "review.csv"
        cli("duplicates", "find", "salesforce", "--at-least", "10", "--out", str(review), "--config", str(made.config))
        rows = list(csv.DictReader(review.read_text("utf-8-sig").splitlines()))
        with review.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows({**row, "decision": "different"} for row in rows)
        assert cli("duplicates", "apply", str(review), "--config", str(made.config)).exit_code == 0
        made.run("sync", "--yes")
        assert made.json("holds")["groups"] == []
        assert len({made.json("why", f"salesforce:{row['id']}")["people"][0]["person"] for row in rows}) == 2


def test_one_of_several_records_is_answered_alone(org: Box) -> None:
    """Of Anna's two Leads one is hers, and the other one somebody else's: two answers, and the question is gone."""
    org.run("sync", "--yes")
    id, hers, other = group(org), lead(org, "anna@a.example"), lead(org, "anna@a.example", "Ulm")
    assert org.run("resolve", id, "--use", "same", "--only", f"salesforce:{hers}").exit_code == 0
    org.run("sync", "--yes")
    (anna,) = [each for each in org.json("holds", id)["groups"][0]["examples"] if "anna" in each["who"]]
    assert [name for name in anna["choices"] if "lead" in name] == [f"salesforce lead {other}"]
    assert org.run("resolve", id, "--use", "different", "--only", f"salesforce:{other}").exit_code == 0
    org.run("sync", "--yes")
    assert "anna" not in names(org)
    why = org.run("why", "anna@a.example").stdout
    assert f"lead {hers} is left alone" in why and "are two humans'" in why


def test_whom_nothing_is_asked_about_is_no_answer(org: Box) -> None:
    """It is refused, and says where the names are; so is a name that nobody has."""
    org.worlds.hubspot.by_hand.create({"email": "zoe@z.example", "lastname": "Zahn"})
    org.run("sync", "--yes")
    refused = org.run("resolve", group(org), "--use", "same", "--only", "zoe@z.example")
    assert (refused.exit_code, "it asks nothing about any of these" in refused.stderr) == (2, True), refused.stderr
    assert org.run("resolve", group(org), "--use", "same", "--only", "nobody@z.example").exit_code == 2


def test_the_rest_is_answered_at_once(org: Box) -> None:
    """After one person, all others; then nothing is asked any more."""
    org.run("sync", "--yes")
    id = group(org)
    org.run("resolve", id, "--use", "skip", "--only", "ben@a.example")
    assert "3 cases answered with same" in org.run("resolve", id, "--use", "same").stdout
    org.run("sync", "--yes")
    assert org.json("holds")["groups"] == []
    assert "different" in cli("resolve", "--help").stdout
