"""A job of the Bulk API 2.0, call by call: made, given its rows, set going, waited for, and its results read (Bulk API 2.0 Developer Guide).

Until a job is set going it does nothing, whatever became of the calls before. After that it goes on by itself, also where nobody is left to ask for it, and
what it has done stays done when it fails or is aborted. Each call counts against the org's limit, those that only ask how far it is too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...model.errors import StagesyncError, Unreachable
from .client import Client
from .errors import Refused, stopped
from .rows import OBJECTS, id15, next_url

Kind = Literal["ingest", "query"]

ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
RUNNING = frozenset({"UploadComplete", "InProgress"})
PATIENCE_S = 3_600.0
"""How long a job may take, most of which it waits for its turn."""

_ABORT_S = 60.0
_LONGEST_PAUSE_S = 20.0
_SHEET = "text/csv; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Told:
    """What a job says of itself. `processed`: rows that it has come to, well or not."""

    state: str
    processed: int


def are_open(client: Client) -> bool:
    """Whether this org lets us have jobs, and see how they stand once somebody else has to ask."""
    try:
        return client.call("GET", "jobs/ingest", repeatable=True).ok
    except Refused:
        return False


def make(client: Client, kind: Kind, asked: dict[str, Any]) -> str | None:
    """A new job's id; None where the org does not make it. Made twice because an answer was lost, it does nothing all the same."""
    try:
        answer = client.call("POST", f"jobs/{kind}", {**asked, "contentType": "CSV", "lineEnding": "CRLF"}, repeatable=True, changes=kind == "ingest")
    except Refused:
        return None
    id = answer.data.get("id") if answer.ok and isinstance(answer.data, dict) else None
    return id if isinstance(id, str) else None


def give(client: Client, id: str, content: bytes) -> bool:
    """Upload the rows; False where they are refused. A job takes one upload only, so that it is not repeated: raises `MaybeDone`."""
    headers = {"Content-Type": _SHEET}
    return client.call("PUT", f"jobs/ingest/{id}/batches", content, repeatable=False, changes=True, headers=headers, json=False).ok


def set_going(client: Client, id: str) -> None:
    """The upload is complete. Whether this was taken is seen in the job's state: raises `MaybeDone`."""
    client.call("PATCH", f"jobs/ingest/{id}", {"state": "UploadComplete"}, repeatable=False, changes=True)


def abort(client: Client, kind: Kind, id: str) -> None:
    """Let it do no more, as far as that can be had: its state tells."""
    try:
        client.call("PATCH", f"jobs/{kind}/{id}", {"state": "Aborted"}, repeatable=True, changes=kind == "ingest")
    except StagesyncError:
        return


def ended(client: Client, kind: Kind, id: str, patience_s: float = PATIENCE_S) -> Told:
    """Wait for its end, ever more seldom; what it says then, or when patience is over. One that was never set going is not waited for."""
    for pause in _pauses(patience_s):
        told = _look(client, kind, id)
        if told.state not in RUNNING:
            return told
        client.clock.sleep(pause)
    return _look(client, kind, id)


def forced(client: Client, kind: Kind, id: str) -> Told:
    """Bring it to an end that did not come by itself. Raises `Unreachable` where it goes on."""
    abort(client, kind, id)
    told = ended(client, kind, id, _ABORT_S)
    if told.state not in ENDED:
        raise Unreachable("a bulk job does not come to its end", where=client.system, next_step="look at Bulk Data Load Jobs in Setup, then run again")
    return told


def results(client: Client, id: str, which: str) -> Iterator[dict[str, str]]:
    """The rows of one of a job's results, column by column as they were sent, with `sf__Id` and the like, in no certain order."""
    answer = client.call("GET", f"jobs/ingest/{id}/{which}", repeatable=True, headers={"Accept": "text/csv"}, json=False)
    if not answer.ok:
        raise stopped(answer, client.system)
    return sheet(answer.body, client.system)


def sheet(body: bytes, where: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV answer, which is UTF-8 whatever its header says; cells may have line breaks. Raises `Unreachable` for what is none."""
    try:
        yield from csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreachable("the results of a bulk job cannot be read", where=where, next_step="run again: what was sent is looked up first") from error


def all_ended(client: Client, own: str | None, patience_s: float) -> bool:
    """Wait for the jobs that this user (None: anybody) has going on Leads and Contacts. False: one still goes on. Where none are to be had, none can."""
    going = [str(job["id"]) for job in _listed(client) if _is_ours(job, own)]
    until = client.clock.monotonic() + patience_s
    return all(ended(client, "ingest", id, max(1.0, until - client.clock.monotonic())).state not in RUNNING for id in going)


def _listed(client: Client) -> Iterator[dict[str, Any]]:
    path: str | None = "jobs/ingest"
    while path is not None:
        try:
            answer = client.call("GET", path, repeatable=True)
        except Refused:
            return
        if not answer.ok or not isinstance(answer.data, dict):
            return
        found: Sequence[Any] = answer.data.get("records") or []
        yield from (job for job in found if isinstance(job, dict) and "id" in job)
        path = next_url(answer.data, path, client.system)


def _is_ours(job: dict[str, Any], own: str | None) -> bool:
    mine = own is None or id15(str(job.get("createdById"))) == id15(own)
    return mine and job.get("state") in RUNNING and job.get("object") in OBJECTS.values()


def _look(client: Client, kind: Kind, id: str) -> Told:
    found = client.read("GET", f"jobs/{kind}/{id}")
    if not isinstance(found, dict):
        raise Unreachable("a bulk job does not tell its state", where=client.system, next_step="run again: what was sent is looked up first")
    processed = found.get("numberRecordsProcessed")
    return Told(str(found.get("state")), processed if isinstance(processed, int) else 0)


def _pauses(total_s: float) -> Iterator[float]:
    passed, pause = 0.0, 1.0
    while passed < total_s:
        yield pause
        passed += pause
        pause = min(2 * pause, _LONGEST_PAUSE_S)
