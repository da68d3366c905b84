"""A plan that lay for a while: what still stands of it is carried out, and whoever something happened to meanwhile is left to the next plan."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from histories import History
from lab import Lab
from moving import WAY, Move, move
from office import Office
from oracle import settled
from questions import answer
from weather import forecast

from stagesync.state import leases, links, runs, sameness
from stagesync.state.sameness import SameRow
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Settings

ANNA = "anna@a.example"


def apply(office: Office, planned: engine.PlanReport) -> engine.RunReport:
    """Carry out a plan of some time ago."""
    office.later(1)
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        return engine.apply(office.session, planned.run, stored=True)


@pytest.fixture
def apart(tmp_path: Path) -> Office:
    """Anna in both systems with two cities, and nobody has said which of them wins."""
    office = Office(tmp_path, settings=Settings({}, None))
    office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "Acme", "City": "Kiel"})
    return office


@pytest.mark.parametrize("met", [False, True])
def test_an_answer_is_heard_though_a_plan_was_made_before_it(apart: Office, *, met: bool) -> None:
    """Somebody who is met, or was met before: the plan knew nothing of the answer, and the next one acts on it."""
    if met:
        apart.run()
        apart.later()
        apart.hub.edit(apart.contact(ANNA)["id"], {"jobtitle": "Boss"})
    planned = apart.plan()
    apart.later(1)
    answer(apart, "crm")
    assert apply(apart, planned).drifted == 1
    apart.run()
    assert (apart.contact(ANNA)["city"], apart.person(ANNA).get("Title")) == ("Kiel", "Boss" if met else None)


def test_what_was_said_about_two_records_is_heard_too(tmp_path: Path) -> None:
    """Two contacts were to become two people; before the plan is carried out somebody says that they are one."""
    office = Office(tmp_path)
    one, other = (office.hub.create({"email": f"{name}@a.example", "lastname": "Ash", "firstname": name}) for name in ("anna", "ann"))
    planned = office.plan()
    office.later(1)
    with office.session.store.write() as tx:
        known = {row.ref: row.id for row in links.unmatched(tx, office.session.workspace, 0, 9)}
        first, second = sorted((known[one], known[other]))
        sameness.decide(tx, office.session.workspace, [SameRow(first, second, known[one], office.clock.now_ms())])
    assert apply(office, planned).drifted == 2
    office.quiet()
    assert [row["Email"] for row in office.crm.rows("Lead")] == ["anna@a.example"]


@pytest.fixture
def surveyed(tmp_path: Path) -> Any:
    """Ten contacts who were surveyed, the migration, and the digest."""
    with move(tmp_path) as made:
        made.people(10, jobtitle="Head")
        yield made, made.json("survey", *WAY)["digest"]


def test_a_load_carries_out_what_the_survey_planned(surveyed: tuple[Move, str]) -> None:
    """Nobody is planned anew where nothing happened, not even after a rehearsal: its people are left out of the survey's plan, and each is made once."""
    made, digest = surveyed
    assert made.json("rehearse", "--yes", "--people", "3")["created"] == 3
    told = made.json("load", "--approve", digest)
    assert (told["runs"], told["created"]) == ([1], 7)
    assert sorted(row["Email"] for row in made.crm.rows("Lead")) == sorted(f"p{number}@acme.example" for number in range(10))
    assert made.phase("verify").exit_code == 0


def test_whoever_changed_since_the_survey_is_planned_anew(surveyed: tuple[Move, str]) -> None:
    """Edited or added in the source, made in the target by somebody: each as it is now, in a second run; the others as they were surveyed."""
    made, digest = surveyed
    ids = {each["properties"]["email"]: each["id"] for each in made.hub.contacts()}
    made.hub.edit(ids["p0@acme.example"], {"jobtitle": "Chief"})
    lead = made.crm.create("Lead", {"Email": "p2@acme.example", "LastName": "Lee2", "Company": "Acme"})
    made.hub.create({"email": "late@acme.example", "lastname": "Late"})
    told = made.json("load", "--approve", digest)
    assert (told["runs"], told["created"], told["updated"]) == ([1, 2], 10, 1)
    assert sorted(row["Email"] for row in made.crm.rows("Lead")) == sorted(["late@acme.example", *(f"p{number}@acme.example" for number in range(10))])
    assert (made.lead("p0@acme.example")["Title"], made.lead("p2@acme.example")["Id"]) == ("Chief", lead)
    assert made.phase("verify").exit_code == 0


def test_another_ground_is_no_ground_for_the_surveys_plan(surveyed: tuple[Move, str]) -> None:
    """A setting that decides, or a field of the account, is not as it was: everybody is planned anew."""
    made, digest = surveyed
    made.box.add('\n[delete]\npolicy = "ignore"\n')
    told = made.json("load", "--approve", digest)
    assert (told["runs"], told["created"]) == ([2], 10)


def test_what_the_load_made_itself_it_may_fill_in(tmp_path: Path) -> None:
    """Dates that histories tell go to records that the load has just made: no guard counts them, however few fills it lets through."""
    with move(tmp_path) as made:
        made.box.add(
            '\n[guard]\nfills = {count = 0, share = 0.0}\n[fields.mql_date]\ntype = "datetime"\nstage = "mql"\nsalesforce = { lead = "MQL_Date__c" }\n'
        )
        made.crm.define("Lead", "MQL_Date__c", type="datetime")
        made.people(3, lifecyclestage="marketingqualifiedlead")
        assert made.load().exit_code == 0
        assert [bool(row["MQL_Date__c"]) for row in made.crm.rows("Lead")] == [True] * 3


class Patient(Lab):
    """A lab in which each plan lies for a while: somebody goes on working, and then it is carried out, mostly after a look at what is new.

    `life` None: nobody works any more, and plans are carried out at once.
    """

    life: History | None = None

    def carry_out(self, planned: engine.PlanReport) -> engine.RunReport:
        """What still stands of it."""
        if self.life is None:
            return super().carry_out(planned)
        dice = self.life.random
        for _ in range(dice.randint(0, 3)):
            self.life.deed()
        self.clock.at += dice.choice((1, 30, 4000))
        with self.session.store.read() as tx:
            row = runs.by_id(tx, planned.run)
        if row is not None and dice.random() < 0.7:
            engine.take_up(self.session, row)
        return engine.apply(self.session, planned.run, stored=True)


@pytest.mark.parametrize("seed", range(8))
def test_plans_that_lie_lose_nothing_and_make_nobody_twice(tmp_path: Path, seed: int) -> None:
    """Random lives, with faults and deaths, in which no plan is carried out at once: in the end all is as after any other life."""
    dice = Random(seed)
    lab = Patient(tmp_path, random=Random(seed), weather=forecast(dice), second=seed % 3 == 0)
    lab.approves = lambda: dice.random() < 0.5
    life = lab.life = History(lab, dice)
    try:
        life.live(dice.randint(2, 5))
        lab.life = None
        assert list(settled(lab)) == [], "\n".join(lab.story)
    finally:
        lab.store.close()
