"""An account that is too large for the calls that are left today: what `plan` and `migrate survey` say of how it was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cli_box import Box, box
from moving import WAY, Move

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits as OrgHabits
from stagesync.sandbox.worlds import Worlds

PEOPLE = 2_000
CALLS = 28
"""The account's calls of a day, of which a part is ours."""


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Box]:
    """A portal of twenty pages and an empty org."""
    worlds = Worlds(HubSpotWorld(habits=Habits(daily_max=CALLS)), SalesforceWorld(habits=OrgHabits(duplicate_rules="off")))
    worlds.hubspot.load([{"email": f"p{number}@acme.example", "lastname": "Lee", "lifecyclestage": "lead"} for number in range(PEOPLE)])
    with box(tmp_path, worlds=worlds) as made:
        made.later(3_600)
        yield made


def test_a_plan_says_that_and_why_an_export_was_used(large: Box, tmp_path: Path) -> None:
    """At once while it reads, and in the plan, as text, JSON and page; it is no warning."""
    result = large.run("plan", "--json", "--out", str(tmp_path / "plan.html"))
    (told,) = orjson.loads(result.stdout)["reading"]
    assert told["note"].startswith("everybody is read by an export: by pages it would take about 20 calls, and ")
    line = f"{told['system']}: {told['note']}"
    assert line in result.stderr
    page = (tmp_path / "plan.html").read_text("utf-8")
    assert page.index("How it was read") < page.index(line) < page.index("What would be written")
    assert result.exit_code == 0


def test_a_survey_says_so_too_and_reckons_the_proof_by_pages(large: Box, tmp_path: Path) -> None:
    """As text, JSON and page. The next reading may find more calls left, so that the cost of the proof is that of the pages."""
    text = Move(large).phase("survey", *WAY, "--html", str(tmp_path / "survey.html"))
    said = "hubspot: everybody is read by an export: by pages it would take about 20 calls, and "
    (line,) = [line for line in text.stdout.splitlines() if line.startswith(said)]
    assert line in (tmp_path / "survey.html").read_text("utf-8")
    assert large.worlds.hubspot.limits.today < 28
    large.worlds.hubspot.limits.today = 0
    again = Move(large).json("survey", *WAY)
    assert again["reading"] == []  # a second survey reads what has changed
    (cost,) = [each for each in again["costs"] if each["system"] == "hubspot"]
    assert 20 <= cost["calls"]["verify"] < 50
