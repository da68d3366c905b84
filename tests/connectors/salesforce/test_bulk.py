"""Many rows to Salesforce by a job: every row has the outcome that became of it, whatever fails and wherever, and nothing is doubled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from salesforce_org import Org

from stagesync.connectors.contract import Lasting
from stagesync.model.errors import Busy, QuotaSpent, StagesyncError
from stagesync.model.records import Native, Ref
from stagesync.model.writes import Applied, Deferred, Operation, Outcome, Rejected, Step, Unknown
from stagesync.sandbox.faults import TROUBLES, Fault
from stagesync.sandbox.salesforce.habits import Habits

JOBS = "/services/data/v66.0/jobs/ingest"
CALLS = {
    "seen": f"GET {JOBS}",
    "made": f"POST {JOBS}",
    "uploaded": f"PUT {JOBS}/",
    "set going": f"PATCH {JOBS}/",
    "waited for": f"GET {JOBS}/",
}
"""The calls of a job, by the beginning of their method and path."""


def org(bulk_from: int = 2, **habits: Any) -> Org:
    """An org that takes so many rows by a job."""
    return Org(Habits(duplicate_rules="off", **habits), bulk_from=bulk_from)


def new(number: int, **values: Native) -> Step:
    """A Lead to create."""
    return Step(number, 1, "create", "lead", None, {"LastName": f"L{number}", "Company": "Acme", "Email": f"l{number}@acme.example", **values})


def step(operation: Operation, id: str, number: int = 1, **values: Native) -> Step:
    """One step for one Lead."""
    return Step(number, 1, operation, "lead", Ref("lead", id), values)


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """What became of the rows, in a word each."""
    return [type(outcome).__name__ for outcome in outcomes]


def names(org: Org) -> list[str]:
    """The last names of all Leads, as often as they are there."""
    return sorted(row["LastName"] for row in org.world.rows("Lead"))


def test_rows_of_a_job_have_their_own_outcomes() -> None:
    """The results come in another order than the rows, good and bad apart; each is known by a column of its own, and what a job costs is few calls."""
    crm = org()
    outcomes = crm.connector.write([new(1), new(2, Title="x" * 129), new(3), new(4, LastName=None)])
    assert kinds(outcomes) == ["Applied", "Rejected", "Applied", "Rejected"]
    ids = {row["LastName"]: row["Id"] for row in crm.world.rows("Lead")}
    assert [outcome.ref.id for outcome in outcomes if isinstance(outcome, Applied)] == [ids["L1"], ids["L3"]]
    long, nameless = (outcome for outcome in outcomes if isinstance(outcome, Rejected))
    assert (long.code, long.field) == ("STRING_TOO_LONG", "Title")
    assert (nameless.code, nameless.field) == ("REQUIRED_FIELD_MISSING", "LastName")
    made = {"GET jobs/ingest": 1, "POST jobs/ingest": 1, "PUT jobs/ingest/{id}/batches": 1, "PATCH jobs/ingest/{id}": 1, "GET jobs/ingest/{id}": 1}
    results = dict.fromkeys((f"GET jobs/ingest/{{id}}/{which}" for which in ("successfulResults", "failedResults", "unprocessedrecords")), 1)
    calls = crm.calls()
    assert {name: calls[name] for name in made | results} == made | results
    assert isinstance(crm.connector, Lasting)


@pytest.mark.parametrize("text", ["Zeile eins\nZeile zwei\r\n", 'Say "hi", Müller; 株式会社', " ends with a blank ", "a\u2028b\u0085c", "=1+1"])
def test_any_text_arrives_as_it_is(text: str) -> None:
    """Line breaks, quotes, commas and letters of any script are what they were; the API trims, as it does in any other call."""
    crm, other = org(), Org()
    for each in (crm, other):
        assert set(kinds(each.connector.write([new(1, Street=text), new(2, Street=text)]))) == {"Applied"}
    assert [row["Street"] for row in crm.world.rows("Lead")] == [row["Street"] for row in other.world.rows("Lead")]


def test_a_clear_and_what_is_left_alone_are_told_apart() -> None:
    """None clears, what a step does not name stays, and a text that reads like a clear does not travel by a job."""
    crm = org()
    one, two, odd = (crm.lead(last, Title="CTO", City="Ulm", DoNotCall=True) for last in ("One", "Two", "Odd"))
    steps = [step("update", one, 1, Title=None), step("update", two, 2, City="Bonn", DoNotCall=False), step("update", odd, 3, City="#N/A")]
    assert kinds(crm.connector.write(steps)) == ["Applied"] * 3
    rows = {row["LastName"]: (row.get("Title"), row.get("City"), row["DoNotCall"]) for row in crm.world.rows("Lead")}
    assert rows == {"One": (None, "Ulm", True), "Two": ("CTO", "Bonn", False), "Odd": ("CTO", "#N/A", True)}


def test_records_are_archived_and_moved_ones_found() -> None:
    """An archive deletes; a Lead that was converted meanwhile says where it lives on, one that was deleted is gone."""
    crm = org()
    one, two, converted, gone = (crm.lead(last) for last in ("One", "Two", "Converted", "Gone"))
    contact = crm.world.convert(converted).contact
    crm.world.delete(gone)
    assert kinds(crm.connector.write([step("archive", one, 1), step("archive", two, 2)])) == ["Applied", "Applied"]
    outcomes = crm.connector.write([step("update", converted, 1, Title="CEO"), step("update", gone, 2, Title="CEO")])
    assert [(outcome.moved, outcome.gone) for outcome in outcomes if isinstance(outcome, Rejected)] == [(Ref("contact", contact), False), (None, True)]


def test_two_rows_for_one_record_do_not_meet_in_a_job() -> None:
    """The second of one id waits for the next batch; the second of one address goes by a collection, as does one without any."""
    crm = org()
    id, other = crm.lead("One"), crm.lead("Other")
    assert kinds(crm.connector.write([step("update", id, 1, City="Ulm"), step("update", id, 2, City="Bonn"), step("update", other, 3)])) == [
        "Applied",
        "Deferred",
        "Applied",
    ]
    assert kinds(crm.connector.write([new(1), new(2, LastName="L1", Email="L1@acme.example"), new(3), new(4, LastName="L1", Email=None)])) == ["Applied"] * 4
    assert crm.calls()["POST composite/sobjects"] == 1


def test_a_job_that_breaks_off_keeps_what_it_has_done() -> None:
    """What it did not come to was surely not done, and can be tried again."""
    crm = org(bulk_fails_after=1, bulk_chunk_rows=2)
    assert kinds(crm.connector.write([new(number) for number in range(5)])) == ["Applied", "Applied", "Deferred", "Deferred", "Deferred"]
    assert names(crm) == ["L0", "L1"]


def test_a_row_that_no_result_tells_of_is_unknown() -> None:
    """It may have been done or not: it must be looked up."""
    outcomes = org(bulk_forgets=2).connector.write([new(number) for number in range(4)])
    assert kinds(outcomes) == ["Applied", "Unknown", "Applied", "Unknown"]


def test_a_locked_row_is_tried_again_later() -> None:
    """The vendor itself gives up on a row that stays locked: it was not done."""
    crm = org()
    crm.world.fail_rows("UNABLE_TO_LOCK_ROW", times=1)
    assert sorted(kinds(crm.connector.write([new(1), new(2)]))) == ["Applied", "Deferred"]
    assert len(names(crm)) == 1


def test_a_sheet_that_is_refused_as_a_whole_goes_by_collections() -> None:
    """A column that is not there fails the job before its first row; the collection tells which rows have it, and writes the others."""
    crm = org()
    outcomes = crm.connector.write([new(1), new(2, Nope__c="x"), new(3)])
    assert kinds(outcomes) == ["Applied", "Rejected", "Applied"]
    assert [outcome.field for outcome in outcomes if isinstance(outcome, Rejected)] == ["Nope__c"]
    assert names(crm) == ["L1", "L3"]


def test_an_org_without_jobs_gets_collections() -> None:
    """Found out by one call, not by configuration; more than a collection holds goes in several."""
    crm = org(bulk_enabled=False)
    outcomes = crm.connector.write([new(number) for number in range(401)])
    assert set(kinds(outcomes)) == {"Applied"}
    calls = crm.calls()
    assert (calls["GET jobs/ingest"], calls["POST composite/sobjects"]) == (1, 3)


def test_what_a_job_cannot_be_told_does_not_go_by_one() -> None:
    """Assignment rules and alerts of duplicate rules are overridden by headers, which a job does not have."""
    assert Org(auto_assign=True).connector.capabilities.bulk is None
    assert Org(save_duplicates=True).connector.capabilities.bulk is None


def test_a_keyed_create_finds_its_own_record() -> None:
    """With an external id field a job upserts by it: the same steps sent once more make nothing."""
    crm = Org(Habits(duplicate_rules="off"), bulk_from=2, external_id_field="Key__c")
    crm.world.define("Lead", "Key__c", "Key", external_id=True, unique=True)
    first = crm.connector.write([new(1), new(2)])
    assert kinds(first) == ["Applied", "Applied"]
    assert crm.connector.write([new(1), new(2)]) == first
    assert names(crm) == ["L1", "L2"]


def test_a_job_that_takes_too_long_is_aborted() -> None:
    """An hour is enough: what it has not come to by then is tried again later."""
    crm = org(bulk_chunk_s=2_000, bulk_chunk_rows=2)
    assert kinds(crm.connector.write([new(number) for number in range(6)])) == ["Applied", "Applied", "Deferred", "Deferred", "Deferred", "Deferred"]
    crm.clock.at += 90_000
    assert crm.connector.landed()
    assert names(crm) == ["L0", "L1"]


TROUBLE = {name: TROUBLES[name] for name in ("lost before", "lost after", "truncated", "page 200", "page 503")}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("times", [1, 30])
def test_trouble_at_any_call_of_a_job_doubles_nothing(call: str, trouble: str, times: int) -> None:
    """Applied is there once, deferred is not there and does not come later, unknown may be either; sent again, everybody is there once."""
    crm = org(bulk_chunk_s=3, bulk_chunk_rows=2)
    steps = [new(number) for number in range(5)]
    crm.world.faults.add(replace(TROUBLE[trouble], match=CALLS[call], times=times, skip=0))
    try:
        outcomes = crm.connector.write(steps)
    except StagesyncError:
        outcomes = [Deferred("surely not done", 0)] * 5
    crm.world.faults.clear()
    crm.clock.at += 90_000
    assert crm.connector.landed()
    there = names(crm)
    for each, outcome in zip(steps, outcomes, strict=True):
        match outcome:
            case Applied():
                assert there.count(str(each.values["LastName"])) == 1
            case Deferred():
                assert str(each.values["LastName"]) not in there
            case _:
                assert isinstance(outcome, Unknown)
                assert there.count(str(each.values["LastName"])) <= 1


@pytest.mark.parametrize("which", ["successfulResults", "failedResults", "unprocessedrecords"])
@pytest.mark.parametrize("trouble", TROUBLE)
def test_results_that_cannot_be_read_leave_rows_unknown(which: str, trouble: str) -> None:
    """Rows that were set going are never told as not done because nobody could read what became of them."""
    crm = org()
    order = ("state", "unprocessedrecords", "failedResults", "successfulResults")
    crm.world.faults.add(replace(TROUBLE[trouble], match=f"GET {JOBS}/", skip=order.index(which), times=30))
    outcomes = crm.connector.write([new(1), new(2)])
    assert names(crm) == ["L1", "L2"]
    assert not any(isinstance(outcome, Deferred | Rejected) for outcome in outcomes)


def test_a_spent_quota_is_raised_before_and_never_after_the_job_runs() -> None:
    """Before the job is set going nothing was done; after that nobody may say so."""
    for call in ("made", "uploaded", "set going"):
        crm = org()
        crm.world.faults.add(replace(crm.world.troubles["limit of the day"], match=CALLS[call]))
        with pytest.raises(QuotaSpent):
            crm.connector.write([new(1), new(2)])
        assert names(crm) == []
    crm = org()
    crm.world.faults.add(replace(crm.world.troubles["limit of the day"], match=CALLS["waited for"], times=9))
    assert kinds(crm.connector.write([new(1), new(2)])) == ["Unknown", "Unknown"]
    assert names(crm) == ["L1", "L2"]


@pytest.mark.parametrize("passes", [0, 1, 2])
def test_a_run_that_was_taken_over_sets_nothing_going(passes: int) -> None:
    """It may have made a job or uploaded its rows: they lie there, and nothing comes of them."""
    crm = org()
    crm.watch.passes = passes
    with pytest.raises(Busy):
        crm.connector.write([new(1), new(2)])
    crm.clock.at += 90_000
    assert crm.reopened().landed()
    assert names(crm) == []


def test_another_program_waits_for_the_jobs_of_a_dead_one() -> None:
    """A job that goes on is found by whoever comes next, and waited for; one that takes too long is told as not landed."""
    crm = org(bulk_chunk_s=100, bulk_chunk_rows=2)
    crm.world.faults.add(Fault("status", match=CALLS["waited for"], times=99, status=404, body="[]"))
    assert set(kinds(crm.connector.write([new(number) for number in range(6)]))) == {"Unknown"}
    crm.world.faults.clear()
    crm.world.org.change_habits({"bulk_chunk_s": 500})
    assert not crm.reopened().landed()
    crm.world.org.change_habits({"bulk_chunk_s": 100})
    assert crm.reopened().landed()
    assert len(names(crm)) == 6
