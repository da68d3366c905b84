"""A large object is read by a query job: the same records as by queries, taken up where a pull broke off, and never fewer because a job is gone."""

from __future__ import annotations

from typing import Any

import pytest
from salesforce_org import Org, pulled

from stagesync.connectors.salesforce.cursor import read
from stagesync.model.errors import Unreachable
from stagesync.sandbox.faults import TROUBLES, Fault
from stagesync.sandbox.salesforce.habits import Habits

FIELDS = {
    "contact": ("LastName", "Email", "Account.Name", "HasOptedOutOfEmail"),
    "lead": ("LastName", "Description", "NumberOfEmployees", "AnnualRevenue", "DoNotCall", "CreatedDate", "Owner.Name"),
}
RESULTS = "GET /services/data/v66.0/jobs/query/"
PEOPLE = 40


def crowd(**given: Any) -> Org:
    """An org with so many people that its objects are read by jobs, in small pages."""
    org = Org(Habits(duplicate_rules="off", page_rows=5), bulk_from=1, **given)
    for number in range(PEOPLE):
        values: dict[str, Any] = {"NumberOfEmployees": number, "AnnualRevenue": number * 1.5} if number % 2 else {}
        org.lead(f"L{number}", Description=f'Line "{number}",\nand Müller', DoNotCall=number % 3 == 0, **values)
        org.contact(f"C{number}", Email=f"c{number}@acme.example" if number % 2 else None)
    org.calls()
    return org


def test_a_job_gives_what_queries_give() -> None:
    """Typed values, blanks, line breaks and fields of related records are the same, and nobody is missing."""
    org = crowd()
    org.clock.at += 3_600
    by_job = pulled(org.connector, fields=FIELDS)
    calls = org.calls()
    assert (calls["POST jobs/query"], calls["GET jobs/query/{id}/results"]) == (2, 2)
    plain = Org()
    plain.world = org.world
    by_queries = pulled(plain.reopened(), fields=FIELDS)
    assert org.calls().get("POST jobs/query") is None
    assert by_job.records == by_queries.records
    assert len(by_job.records) == 2 * PEOPLE
    assert {name: type(value) for name, value in next(iter(by_job.records.values())).values.items()}["HasOptedOutOfEmail"] is bool
    org.clock.at += 3_600
    org.world.edit(next(id for id in by_job.records if id.startswith("00Q")), {"LastName": "Later"})
    assert [record.values["LastName"] for record in pulled(org.connector, by_job.cursor, FIELDS).records.values()] == ["Later"]


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
@pytest.mark.parametrize("kept", [True, False])
def test_a_pull_that_breaks_off_is_taken_up_in_its_job(pages: int, kept: bool) -> None:
    """From its last page on; where the vendor has thrown the job away, from the place where it was begun."""
    org = crowd()
    first = pulled(org.connector, fields=FIELDS, pages=pages)
    if not kept:
        org.world.jobs.forget()
    rest = pulled(org.reopened(), first.cursor, FIELDS)
    assert len(first.records | rest.records) == 2 * PEOPLE
    assert read(rest.cursor)["lead"].job is None


@pytest.mark.parametrize("habits", [{"bulk_enabled": False}, {"bulk_chunk_s": 90_000}])
def test_an_org_whose_jobs_are_not_to_be_had_is_read_by_queries(habits: dict[str, Any]) -> None:
    """Refused, or without an end in an hour: the pages of the query go on."""
    org = crowd()
    org.world.org.change_habits(habits)
    assert len(pulled(org.connector, fields=FIELDS).records) == 2 * PEOPLE


@pytest.mark.parametrize("trouble", ["lost before", "truncated", "page 200", "page 503"])
@pytest.mark.parametrize("call", ["POST /services/data/v66.0/jobs/query", RESULTS])
def test_trouble_with_a_job_loses_nobody(trouble: str, call: str) -> None:
    """One bad answer is asked for again, or ends the pull with an error; then it is taken up, and everybody has come."""
    org = crowd()
    fault = TROUBLES[trouble]
    org.world.faults.add(Fault(fault.kind, call, status=fault.status, body=fault.body, content_type=fault.content_type))
    found = pulled(org.connector, fields=FIELDS, pages=1)
    try:
        again = pulled(org.connector, found.cursor, FIELDS)
    except Unreachable:
        again = pulled(org.connector, found.cursor, FIELDS)
    assert len(found.records | again.records) == 2 * PEOPLE


def test_a_page_that_lacks_rows_is_made_up_for() -> None:
    """The vendor tells how many rows a page has: where there are fewer, the rest is read by queries."""
    org = crowd()
    org.world.faults.add(Fault("status", RESULTS, skip=1, status=200, body="Id\n", content_type="text/csv"))
    assert len(pulled(org.connector, fields=FIELDS).records) == 2 * PEOPLE
