"""Runs that write by jobs: killed at any call and any commit, started again while the job goes on, they end where an unbroken one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from lab import Lab
from weather import Weather

from stagesync.app.views.cost import Cost
from stagesync.app.views.plan import plan_json, plan_text
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits

PEOPLE = 4
PACES = {"at once": 0, "while a run waits": 40, "long after the next run has given up waiting": 400}
"""When a job ends: seconds for two of its rows."""

JOBS = "/services/data/v66.0/jobs/ingest"


@contextmanager
def lab(chunk_s: float, **habits: Any) -> Iterator[Lab]:
    """People in HubSpot, of whom nobody is in Salesforce yet; there everything is written by jobs."""
    crm = SalesforceHabits(duplicate_rules="off", bulk_chunk_s=chunk_s, bulk_chunk_rows=2, **habits)
    with TemporaryDirectory() as folder:
        made = Lab(Path(folder), weather=Weather(HubSpotHabits(), crm, None), random=Random(0), crm_settings={"bulk_from": 2})
        for number in range(PEOPLE):
            made.hub.by_hand.create({"email": f"p{number}@x.example", "lastname": f"P{number}", "city": "Ulm"})
        yield made
        made.store.close()


def end(made: Lab) -> None:
    """Runs until nothing is left to do; then everybody is there once, as they are in HubSpot, and nothing was lost or doubled."""
    made.come_to_rest()
    wanted = sorted((each["properties"]["email"], each["properties"]["city"]) for each in made.hub.contacts())
    found = sorted((row["Email"], row["City"]) for row in made.crm.rows("Lead"))
    assert found == wanted, "\n".join(made.story)
    assert made.watch.wrong == []


def second_edit(made: Lab) -> None:
    """Everybody is known on both sides; then each of them moves."""
    end(made)
    for each in made.hub.contacts():
        made.hub.by_hand.edit(each["id"], {"city": "Bonn"})
    made.clock.at += 4_000
    made.calls.clear()


def nothing_before(made: Lab) -> None:
    """The first run makes everybody."""


BEGINNINGS: dict[str, Callable[[Lab], None]] = {"creates": nothing_before, "updates": second_edit}


def places_of_a_job(begin: str, chunk_s: float) -> tuple[int, int, int, int]:
    """The numbers of the first and last call to Salesforce of a run in which a job has to do, and of the first and last commit."""
    first: list[int] = []
    with lab(chunk_s) as made:
        BEGINNINGS[begin](made)
        made.after = ("crm", f"POST {JOBS}", lambda: first.extend((made.calls["crm"], made.commits)))
        made.round()
        return first[0], made.calls["crm"], first[1], made.commits


def test_a_run_that_dies_at_any_commit_around_a_job_ends_as_an_unbroken_one() -> None:
    """On either side of the commits from the one that marks the rows as sent to the end of the run."""
    _, _, first, last = places_of_a_job("creates", 40)
    for number in range(first, last + 1):
        died_and_started_again("creates", 40, "commit" if number % 2 else "committed", number)


@pytest.mark.parametrize(("begin", "pace"), [("updates", "while a run waits"), ("creates", "long after the next run has given up waiting")])
def test_a_run_that_dies_before_any_call_of_a_job_ends_as_an_unbroken_one(begin: str, pace: str) -> None:
    """Making it, its rows, setting it going, the first looks at it; the last one, each of the results, reading the records back."""
    first, last, _, _ = places_of_a_job(begin, PACES[pace])
    assert last - first >= 7
    for number in sorted({*range(first, first + 5), *range(last - 4, last + 1)}):
        died_and_started_again(begin, PACES[pace], "crm", number)


def died_and_started_again(begin: str, chunk_s: float, place: str, number: int) -> None:
    """A run dies there, and others follow."""
    with lab(chunk_s) as made:
        BEGINNINGS[begin](made)
        made.dies_at = (place, number)
        made.round()
        assert "died, started again" in made.story[-1], f"not at {place} {number}"
        end(made)


@pytest.mark.parametrize("pace", ["at once", "long after the next run has given up waiting"])
@pytest.mark.parametrize("call", [f"POST {JOBS}", f"PUT {JOBS}", f"PATCH {JOBS}", f"GET {JOBS}/"])
def test_a_run_that_dies_once_a_call_was_carried_out_leaves_nothing_doubled(call: str, pace: str) -> None:
    """The job was made, has its rows, was set going or has ended, and nobody has heard of it."""
    with lab(PACES[pace]) as made:

        def die() -> None:
            made.dead = True

        made.after = ("crm", call, die)
        made.round()
        end(made)


@pytest.mark.parametrize("habits", [{"bulk_fails_after": 2}, {"bulk_forgets": 3}, {"bulk_enabled": False}])
def test_a_job_that_breaks_off_or_forgets_rows_is_made_up_for(habits: dict[str, Any]) -> None:
    """What was not done is done by the next run, what was done and not told is found."""
    with lab(0, **habits) as made:
        end(made)


def test_a_run_does_not_plan_for_people_whose_job_goes_on() -> None:
    """It stops and says so; a later one takes up what came of them."""
    with lab(4_000) as made:
        made.after = ("crm", f"PATCH {JOBS}", lambda: setattr(made, "dead", True))
        made.round()
        assert made.round() is None
        assert "still being carried out" in made.story[-1]
        end(made)


def test_a_run_whose_job_goes_on_does_not_say_that_all_is_well() -> None:
    """Nobody can say at its end what came of its writes: 1, and so until a later run has looked."""
    with lab(4_000) as made:
        made.crm.faults.add(Fault("status", f"GET {JOBS}/", status=200, body="[]"))  # what its state is, it does not say
        report = made.round()
        assert report is not None
        assert (report.writes, report.unknown, report.exit_code(again=True)) == (0, PEOPLE, 1)
        end(made)
        report = made.round()
        assert report is not None
        assert (report.unknown, report.exit_code(again=False)) == (0, 0)


def test_the_plan_tells_which_way_the_writes_go_and_what_it_costs() -> None:
    """Calls, jobs of the vendor's own and what goes by them; a handful goes by plain calls; where calls are paced, how long that lasts."""
    with lab(0) as made:
        planned = made.plan()
        assert f"crm: {PEOPLE} new records  (about 10 API calls; {PEOPLE} of the writes go by 1 bulk job)" in "\n".join(plan_text(made.session, planned))
        (cost,) = plan_json(made.session, planned)["cost"]
        assert cost == {"system": "crm", "calls": 10, "bulk": PEOPLE, "jobs": 1, "seconds": None, "companies": 0}
    assert Cost(400, rate=18.0).text() == "about 400 API calls, 23 s at 18 a second"
    assert Cost(10_000, rate=18.0).text() == "about 10,000 API calls, 9 min at 18 a second"
    assert Cost().text() == ""
