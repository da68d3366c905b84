"""`stagesync migrate survey`: everybody counted before anything moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cli_box import Box, box, cli
from moving import WAY, Move

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds
from stagesync.sync.migrating.fates import Evidence, Fates, fate


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A portal with somebody of every kind, and an org that knows a few of them."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))
    hub = worlds.hubspot.by_hand
    for number in range(6):
        hub.create({"email": f"p{number}@acme.example", "lastname": f"Lee{number}", "lifecyclestage": "lead"})
    hub.create({"email": "long@acme.example", "lastname": "Lee", "firstname": "é" * 60, "lifecyclestage": "customer"})
    hub.create({"lastname": "Nameless", "fax": "+49 30 1"})
    hub.create({"email": "low@acme.example", "lastname": "Low", "lifecyclestage": "subscriber", "fax": "+49 30 2"})
    for number in range(2):
        worlds.salesforce.create("Lead", {"Email": f"p{number}@acme.example", "LastName": f"Lee{number}", "Company": "Acme", "Title": "Boss"})
    worlds.salesforce.create("Lead", {"Email": "other@acme.example", "LastName": "Other", "Company": "Acme"})
    with box(tmp_path_factory.mktemp("survey"), worlds=worlds) as made:
        made.add('\n[systems.salesforce.include]\nmin_stage = "lead"\n')
        yield made


@pytest.fixture(scope="module")
def told(mixed: Box) -> dict[str, Any]:
    """The survey as JSON."""
    return Move(mixed).json("survey", *WAY)


def test_a_survey_writes_nothing(mixed: Box, told: dict[str, Any]) -> None:
    """Both systems are read, and not one call changes anything."""
    assert told["records"] == {"hubspot": 9, "salesforce": 3}
    assert mixed.written() == []


def test_every_record_is_counted_once_with_its_reason(told: dict[str, Any]) -> None:
    """Who is made, who is there already and who stays behind and why add up to all records of the source."""
    counts = {(each["fate"], each["why"].partition(":")[0]): each["records"] for each in told["fates"]}
    assert counts == {("created", ""): 5, ("matched", ""): 2, ("excluded", "no e-mail"): 1, ("excluded", "the stage is subscriber, below lead"): 1}
    assert told["adds_up"] is True
    assert told["writes"]["creates"] == 5


def test_what_would_not_arrive_as_it_is(told: dict[str, Any]) -> None:
    """Fields with how full they are, and a name that is longer than the field there."""
    fields = {each["field"]: each for each in told["fields"]}
    assert (fields["email"]["filled"], fields["email"]["records"]) == (8, 9)
    assert (fields["first_name"]["shortened"], fields["first_name"]["longest"]) == (1, 60)


def test_what_nobody_mapped_is_named(told: dict[str, Any]) -> None:
    """A field that people fill in and no map has: it would stay behind."""
    assert ("fax", 2, 9) in [(each["native"], each["filled"], each["of"]) for each in told["unmapped"]]


def test_the_two_funnels_stand_beside_each_other(told: dict[str, Any]) -> None:
    """What the source says, what it means, and what the target is given for it, with whether that is the same."""
    stages = {each["says"]: (each["means"], each["written"], each["exact"]) for each in told["stages"]}
    assert stages["lifecyclestage=lead"] == ("lead", "Status=Open - Not Contacted", True)
    assert stages["lifecyclestage=customer"] == ("customer", "Status=Sales Qualified", False)


def test_the_cost_is_told_by_edition(told: dict[str, Any]) -> None:
    """Calls by what they are for, and for each edition the minutes and the days of its quota."""
    costs = {each["system"]: each for each in told["costs"]}
    assert costs["salesforce"]["calls"]["writing"] >= 1
    assert [tier["tier"] for tier in costs["hubspot"]["tiers"]][:2] == ["Free or Starter", "Professional"]
    assert all(tier["days"] == 1 for each in costs.values() for tier in each["tiers"])


def test_the_text_says_what_comes_next(mixed: Box, told: dict[str, Any]) -> None:
    """A survey that is made again reads only what changed and tells the same, with the digest that approves the load; `migrate` alone shows where it stands."""
    again = Move(mixed).phase("survey")
    assert again.exit_code == 0, again.stderr
    assert f"stagesync migrate load --approve {told['digest']}" in again.stdout
    assert "9 together\n" in again.stdout
    standing = cli("migrate", *WAY, "--config", str(mixed.config))
    assert "Migration from hubspot to salesforce" in standing.stdout
    assert "Next: `stagesync migrate rehearse`" in standing.stdout
    other = cli("migrate", "--from", "salesforce", "--to", "hubspot", "--config", str(mixed.config))
    assert "Next: `stagesync migrate survey --from salesforce --to hubspot`" in other.stdout
    assert cli("migrate", "--json", "survey").exit_code == 2


def test_a_way_that_makes_no_sense_is_refused(mixed: Box) -> None:
    """One system alone, the same twice, or one that nobody configured: exit 2 with the next step."""
    for words, message in (
        (("--from", "hubspot"), "only one of the two systems is named"),
        (("--from", "hubspot", "--to", "hubspot"), "both are the same system"),
        (("--from", "hubspot", "--to", "salesfarce"), "no system is called 'salesfarce'"),
    ):
        result = Move(mixed).phase("survey", *words)
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_the_fate_of_a_record_follows_from_what_is_on_record() -> None:
    """Made and there, there already, left out, refused, asked about, deleted there, or not looked at yet."""
    nothing = Evidence(there=False, made=False, lost=False, why_not=None, refused=False, questions=())
    assert fate(nothing)[0] == "open"
    assert fate(nothing._replace(there=True))[0] == "matched"
    assert fate(nothing._replace(there=True, made=True))[0] == "created"
    assert fate(nothing._replace(why_not="stage below mql", refused=True)) == ("excluded", "stage below mql")
    assert fate(nothing._replace(refused=True))[0] == "rejected"
    assert fate(nothing._replace(questions={("required:Company:crm", "Company")}))[0] == "held"
    assert fate(nothing._replace(questions={("first:phone:a+b", "phone")}))[0] == "open"
    assert fate(nothing._replace(lost=True))[0] == "gone"
    assert fate(nothing._replace(lost=True, questions={("deleted:crm", "record")}))[0] == "held"


def test_a_sum_with_a_gap_does_not_add_up() -> None:
    """A record that nobody accounts for, or that a run has yet to look at, is no clean count."""
    found = Fates(records=2)
    found.told["created", ""] = 2
    assert found.adds_up
    found.records = 3
    assert not found.adds_up
    found.told["open", ""] = 1
    assert not found.adds_up
