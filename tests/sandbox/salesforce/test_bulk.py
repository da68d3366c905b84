"""The sandbox's bulk jobs are as unfriendly as the vendor's: they go on alone, break off midway, and tell their results in an order of their own."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.salesforce import Habits, SalesforceWorld
from stagesync.sandbox.salesforce.world import TOKEN
from stagesync.sandbox.wire import Request, Response

JOBS = "/services/data/v66.0/jobs"


class Desk:
    """Somebody who calls the world's API by hand, on a clock of their own."""

    def __init__(self, **habits: Any) -> None:
        self.at = 1_790_000_000.0
        self.world = SalesforceWorld(clock=WorldClock(lambda: self.at), habits=Habits(duplicate_rules="off", **habits))

    def call(self, method: str, path: str, body: object = None) -> Response:
        """One call; a text travels as it is."""
        sent = b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)
        return self.world.handle(Request(method, f"{JOBS}{path}", "", {"authorization": f"Bearer {TOKEN}"}, sent))

    def begun(self, content: str, operation: str = "insert") -> str:
        """An ingest job whose upload is complete; gives its id."""
        id = str(orjson.loads(self.call("POST", "/ingest", {"object": "Lead", "operation": operation}).body)["id"])
        assert self.call("PUT", f"/ingest/{id}/batches", content).status == 201
        assert self.call("PATCH", f"/ingest/{id}", {"state": "UploadComplete"}).status == 200
        return id

    def told(self, id: str) -> dict[str, Any]:
        """What the job says of itself."""
        return orjson.loads(self.call("GET", f"/ingest/{id}").body)

    def results(self, id: str, which: str) -> list[str]:
        """The last names in one of its results."""
        rows = csv.DictReader(io.StringIO(self.call("GET", f"/ingest/{id}/{which}").body.decode(), newline=""))
        return [row["LastName"] for row in rows]

    def names(self) -> list[str]:
        """The last names of all Leads."""
        return sorted(row["LastName"] for row in self.world.rows("Lead"))


def rows(n: int) -> str:
    """So many Leads as CSV."""
    return "LastName,Company\n" + "".join(f"L{number},Inc\n" for number in range(n))


def test_a_job_goes_on_by_itself_chunk_by_chunk() -> None:
    """Nobody has to ask: rows are done as time passes, results come once it has ended, in another order; its owner's jobs are listed."""
    desk = Desk(bulk_chunk_s=10, bulk_chunk_rows=2)
    id = desk.begun(rows(5))
    assert (desk.told(id)["state"], desk.names()) == ("UploadComplete", [])
    desk.at += 25
    assert (desk.told(id)["state"], desk.names()) == ("InProgress", ["L0", "L1", "L2", "L3"])
    assert desk.call("GET", f"/ingest/{id}/successfulResults").status == 400
    desk.at += 5
    assert [job["state"] for job in orjson.loads(desk.call("GET", "/ingest").body)["records"]] == ["JobComplete"]
    assert desk.results(id, "successfulResults") == ["L4", "L3", "L2", "L1", "L0"]


def test_what_a_failed_or_aborted_job_has_done_stays_done() -> None:
    """Rows already processed are not rolled back; the others are told as unprocessed."""
    failing = Desk(bulk_fails_after=1, bulk_chunk_rows=2)
    id = failing.begun(rows(5))
    assert (failing.told(id)["state"], failing.names()) == ("Failed", ["L0", "L1"])
    assert sorted(failing.results(id, "unprocessedrecords")) == ["L2", "L3", "L4"]
    aborted = Desk(bulk_chunk_s=10, bulk_chunk_rows=2)
    id = aborted.begun(rows(5))
    aborted.at += 10
    assert aborted.call("PATCH", f"/ingest/{id}", {"state": "Aborted"}).status == 200
    aborted.at += 100
    assert (aborted.told(id)["state"], aborted.names()) == ("Aborted", ["L0", "L1"])
    assert sorted(aborted.results(id, "unprocessedrecords")) == ["L2", "L3", "L4"]


def test_a_job_may_forget_to_tell_of_a_row() -> None:
    """The row is done, and stands in no result."""
    desk = Desk(bulk_forgets=3)
    id = desk.begun(rows(4))
    assert len(desk.names()) == 4
    assert desk.results(id, "successfulResults") == ["L3", "L1", "L0"]
    assert desk.results(id, "failedResults") == desk.results(id, "unprocessedRecords") == []


def test_an_upload_is_taken_once_and_a_job_is_closed_once() -> None:
    """A second upload and a second closing are refused; where the org has no bulk jobs, everything about them is."""
    desk = Desk()
    id = str(orjson.loads(desk.call("POST", "/ingest", {"object": "Lead", "operation": "insert"}).body)["id"])
    assert [desk.call("PUT", f"/ingest/{id}/batches", rows(1)).status for _ in range(2)] == [201, 409]
    assert [desk.call("PATCH", f"/ingest/{id}", {"state": "UploadComplete"}).status for _ in range(2)] == [200, 400]
    assert Desk(bulk_enabled=False).call("GET", "/ingest").status == 403


def test_a_query_job_takes_its_time_and_tells_moments_with_a_z() -> None:
    """Results come once it is complete; a dateTime is not written as REST writes it."""
    desk = Desk(bulk_chunk_s=10)
    desk.world.create("Lead", {"LastName": "Ada", "Company": "Inc"})
    id = str(orjson.loads(desk.call("POST", "/query", {"operation": "query", "query": "SELECT LastName, SystemModstamp FROM Lead"}).body)["id"])
    assert desk.call("GET", f"/query/{id}/results").status == 400
    desk.at += 10
    assert desk.call("GET", f"/query/{id}/results").body.decode().splitlines()[1].endswith('.000Z"')
