"""A migration into HubSpot on a day with fewer calls than batches of new contacts take: by an import, killed while that goes on, or by batches after all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import pytest
from kills import TIMEOUT_S, Stand
from moving import Move, approval, move
from programs import Program

PEOPLE = 6_500
"""More would be quicker by an import, and fewer would not be worth one: sixty calls must be left, and not be enough."""
LEFT = 64
OF_A_SURVEY = 7
"""Calls, of an account that is empty."""
WHY = "6,500 by 1 bulk job, since by calls like any other they would take about 65, and 64 are left today"
POSTED, BATCH = "POST /crm/v3/imports", "POST /crm/v3/objects/contacts/batch/create"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs are killed in another way there")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[tuple[Move, Stand]]:
    """An org full of people, and a portal with nobody in it and few calls left."""
    with move(tmp_path) as made:
        made.crm.load("Lead", [{"Email": f"p{number}@acme.example", "LastName": f"Lee{number}", "Company": "Acme"} for number in range(PEOPLE)])
        made.box.worlds.hubspot.switch(daily_max=1_000)
        made.box.worlds.hubspot.limits.today = 900 - LEFT - OF_A_SURVEY
        yield made, Stand(made.box, None, TIMEOUT_S)


def surveyed(made: Move) -> str:
    """The approval of a survey that says which way everybody would go, and why."""
    told = made.phase("survey", "--from", "salesforce", "--to", "hubspot").stdout
    assert WHY in told
    return approval(told)


def everybody_is_there(made: Move) -> None:
    """Once, as they are in the source."""
    found = Counter((each["properties"]["email"], each["properties"]["lastname"]) for each in made.box.worlds.hubspot.contacts())
    assert found == Counter((row["Email"], row["LastName"]) for row in made.crm.rows("Lead"))
    assert made.json("verify")["proved"]


def test_a_load_that_is_killed_while_an_import_goes_on_doubles_nobody(ours: tuple[Move, Stand]) -> None:
    """HubSpot carries on with the file: whoever comes next, on another day for want of calls, waits for its end, and everybody is there."""
    made, place = ours
    made.box.worlds.hubspot.switch(import_takes_s=3.0)
    digest, met = surveyed(made), list[Program]()

    def kill() -> None:
        met[0].signal(SIGKILL)

    place.at_call(POSTED, lambda: place.at_call(POSTED, kill))  # the first one is a trial
    met.append(place.start("migrate", "load", "--approve", digest))
    assert met[0].ended() == -SIGKILL, met[0].err
    made.box.worlds.hubspot.switch(daily_max=1_000_000)
    again = place.start("migrate", "load", "--approve", digest)
    assert again.ended() == 0, again.err
    assert (made.box.calls()[POSTED], made.box.calls().get(BATCH, 0)) == (2, 0)
    everybody_is_there(made)


def test_a_load_without_the_right_to_import_says_so(ours: tuple[Move, Stand]) -> None:
    """It goes by batches, as far as the calls of the day suffice."""
    made, place = ours
    hubspot = made.box.worlds.hubspot
    hubspot.switch(scopes=[scope for scope in hubspot.habits.scopes if scope != "crm.import"])
    load = place.start("migrate", "load", "--approve", surveyed(made))
    assert load.ended() == 0, load.err
    assert "hubspot: imports would spare calls, but cannot be used, because the HubSpot app lacks a scope: crm.import" in load.err
    assert (made.box.calls()[BATCH], POSTED in made.box.calls()) == (65, False)
    hubspot.switch(daily_max=1_000_000)
    everybody_is_there(made)
