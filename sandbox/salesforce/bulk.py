"""Bulk API 2.0: jobs that take rows as CSV, and jobs that answer a query as CSV.

A job goes on by itself once its upload is complete, whoever is still there to see it: chunk after chunk, each its own transaction, so that what is done stays
done when the job fails or is aborted. Its pace and its accidents are habits of the org.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..wire import Request, Response
from .call import Call
from .errors import Refused, not_found
from .fields import SObject
from .ids import normalise
from .many import saved_by_key
from .soql_run import Column
from .validate import check_names
from .writes import create, delete, update

PREFIX = "750"
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
NULL = "#N/A"
"""A cell that clears its field; an empty cell leaves it alone (Bulk API 2.0, Prepare CSV Files)."""

RESULTS = {"successfulresults": "successful", "failedresults": "failed", "unprocessedrecords": "unprocessed"}
MOST_ROWS = 50_000
MOST_BYTES = 100_000_000
"""Of one upload (Bulk API 2.0 Limits: 150 MB once it is encoded in base64)."""
CSV = {"Content-Type": "text/csv"}
RUNNING = frozenset({"UploadComplete", "InProgress"})


@dataclass
class Job:
    """One job; `successful`, `failed` and `unprocessed` are CSV rows with their heads.

    `call`: the one that set it going, `begun_ms`: when; `waiting`: the rows that are still to be done, `chunks`: how many chunks of them were.
    """

    id: str
    asked: Mapping[str, Any]
    object: str
    created: str
    state: str
    version: int
    error: str = ""
    upload: bytes = b""
    processed: int = 0
    call: Call | None = None
    begun_ms: int = 0
    waiting: list[list[str]] = field(default_factory=list[list[str]])
    chunks: int = 0
    successful: list[list[str]] = field(default_factory=list[list[str]])
    failed: list[list[str]] = field(default_factory=list[list[str]])
    unprocessed: list[list[str]] = field(default_factory=list[list[str]])

    @property
    def delimiter(self) -> str:
        return DELIMITERS[self.asked.get("columnDelimiter", "COMMA")]

    @property
    def line_end(self) -> str:
        return "\r\n" if self.asked.get("lineEnding") == "CRLF" else "\n"


class Jobs:
    """The org's bulk jobs by id."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    @property
    def unfinished(self) -> bool:
        """Some job has not come to its end."""
        return any(job.state in {"Open", *RUNNING} for job in self._jobs.values())

    def forget(self) -> None:
        """Seven days have passed: no job is kept."""
        self._jobs.clear()

    def go_on(self) -> None:
        """Let every job that runs come as far as it has by now."""
        for job in self._jobs.values():
            if job.state in RUNNING and job.call is not None:
                _go_on(job, job.call)

    def route(self, call: Call, rest: Sequence[str]) -> Response:
        """Answer a call under `/jobs/`."""
        if not call.org.habits.bulk_enabled:
            raise Refused("FUNCTIONALITY_NOT_ENABLED", "Bulk API is not enabled for this organization or user", status=403)
        match call.request.method, rest:
            case "POST", ["ingest" | "query" as kind]:
                return self._open(call, kind)
            case "GET", ["ingest" | "query" as kind]:
                return call.answer(
                    {
                        "done": True,
                        "nextRecordsUrl": None,
                        "records": [_told(call, job) for job in self._jobs.values() if ("query" in job.asked) == (kind == "query")],
                    }
                )
            case "GET", ["ingest" | "query", id]:
                return call.answer(_told(call, self._job(id)))
            case "PATCH", ["ingest" | "query", id]:
                return self._move(call, self._job(id))
            case "DELETE", ["ingest" | "query", id]:
                self._job(id)
                del self._jobs[id]
                return Response(204)
            case "PUT", ["ingest", id, "batches"]:
                return _uploaded(call, self._job(id))
            case "GET", ["query", id, "results"]:
                return _page(call, self._job(id))
            case "GET", ["ingest", id, which] if which.lower() in RESULTS:
                return _results(self._job(id), RESULTS[which.lower()])
            case _:
                raise not_found()

    def _job(self, id: str) -> Job:
        found = self._jobs.get(id)
        if found is None:
            raise not_found()
        return found

    def _open(self, call: Call, kind: str) -> Response:
        asked = call.posted()
        operations = ("query", "queryAll") if kind == "query" else OPERATIONS
        if asked.get("operation") not in operations or str(asked.get("columnDelimiter", "COMMA")) not in DELIMITERS:
            raise Refused("INVALIDJOB", f"Invalid job: operation {asked.get('operation')!r}, columnDelimiter {asked.get('columnDelimiter', 'COMMA')!r}")
        if kind == "ingest":
            sobject = call.org.schema.object(str(asked.get("object", "")), f"sObject type '{asked.get('object')}' is not supported.")
            if asked["operation"] == "upsert" and call.org.schema.visible(sobject, str(asked.get("externalIdFieldName", ""))) is None:
                raise Refused("INVALIDJOB", "InvalidJob : externalIdFieldName is required for upsert")
        job = Job(call.org.store.mint_as(PREFIX), asked, str(asked.get("object", "")), call.org.now(), "Open", call.version)
        if kind == "query":
            _answered(call, job)
            _begin(job, call)
        self._jobs[job.id] = job
        return call.answer({**_told(call, job), "state": "Open" if kind == "ingest" else "UploadComplete"})

    def _move(self, call: Call, job: Job) -> Response:
        match call.posted().get("state"), job.state:
            case "Aborted", "Open" | "UploadComplete" | "InProgress":
                _end(job, "Aborted")
                return call.answer(_told(call, job))
            case "UploadComplete", "Open" if "query" not in job.asked:
                _close(call, job)
                return call.answer({**_told(call, job), "state": "UploadComplete"})
            case "UploadComplete" | "Aborted", state:
                raise Refused("INVALIDJOBSTATE", f"Closing already {state} job not allowed")
            case state, _:
                raise Refused("INVALIDJOBSTATE", f"Invalid job state: {state}")


def _told(call: Call, job: Job) -> dict[str, Any]:
    common = {
        "id": job.id,
        "operation": job.asked["operation"],
        "object": job.object,
        "createdById": call.org.integration,
        "createdDate": job.created,
    }
    form = {
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "lineEnding": job.asked.get("lineEnding", "LF"),
        "columnDelimiter": job.asked.get("columnDelimiter", "COMMA"),
    }
    told = {
        **common,
        **form,
        "systemModstamp": job.created,
        "state": job.state,
        "concurrencyMode": "Parallel",
        "numberRecordsProcessed": job.processed,
        "retries": 0,
    }
    if "query" in job.asked:
        return {**told, "jobType": "V2Query", "totalProcessingTime": 0}
    own = {"contentUrl": f"{call.base.lstrip('/')}/jobs/ingest/{job.id}/batches", "externalIdFieldName": job.asked.get("externalIdFieldName")}
    return {**told, **own, "jobType": "V2Ingest", "numberRecordsFailed": max(0, len(job.failed) - 1), **({"errorMessage": job.error} if job.error else {})}


def _uploaded(call: Call, job: Job) -> Response:
    if job.state != "Open":
        raise Refused("INVALIDJOBSTATE", "the job is not open")
    if job.upload:
        raise Refused("BULK_API_ERROR", f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job", status=409)
    if len(call.request.body) > MOST_BYTES:
        raise Refused("BULK_API_ERROR", f"the upload has more than {MOST_BYTES} bytes", status=413)
    job.upload = call.request.body
    return Response(201)


def _written(job: Job, rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=job.delimiter, lineterminator=job.line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _results(job: Job, which: str) -> Response:
    """The results come in another order than the upload, and not before the job has ended."""
    if job.state not in {"JobComplete", "Failed", "Aborted"}:
        raise Refused("INVALIDJOBSTATE", f"the job is {job.state}")
    found: list[list[str]] = getattr(job, which)
    return Response(200, dict(CSV), _written(job, [*found[:1], *reversed(found[1:])]))


def _close(call: Call, job: Job) -> None:
    """Begin with an ingest job; a bad header fails it before its first row."""
    try:
        rows = list(csv.reader(io.StringIO(job.upload.decode("utf-8-sig"), newline=""), delimiter=job.delimiter))
    except (UnicodeDecodeError, csv.Error) as error:
        job.state, job.error = "Failed", f"InvalidBatch : {error}"
        return
    head, job.waiting = (rows[0], rows[1:]) if rows else ([], [])
    job.successful, job.failed, job.unprocessed = [["sf__Id", "sf__Created", *head]], [["sf__Id", "sf__Error", *head]], [head]
    sobject = call.org.schema.object(str(job.asked["object"]))
    try:
        check_names(call.org, sobject, dict.fromkeys(head))
    except Refused as error:
        _end(job, "Failed", f"InvalidBatch : Field name not found : {error.message}")
        return
    _begin(job, call)


def _begin(job: Job, call: Call) -> None:
    job.state, job.call, job.begun_ms = "UploadComplete", unmannered(call, job.asked), call.org.clock.now_ms()
    _go_on(job, job.call)


def unmannered(call: Call, asked: Mapping[str, Any]) -> Call:
    """Headers of single calls mean nothing to a job: assignment rules run by `assignmentRuleId` only, and no alert of a duplicate rule is overridden."""
    return replace(call, request=Request("PATCH", call.request.path, "", {"sforce-auto-assign": str(asked.get("assignmentRuleId") or "FALSE")}))


def _go_on(job: Job, call: Call) -> None:
    """Do the chunks that are due. A job that fails midway, as for too many locks, leaves the rest unprocessed."""
    habits = call.org.habits
    passed_s = (call.org.clock.now_ms() - job.begun_ms) / 1000
    due = int(passed_s / habits.bulk_chunk_s) if habits.bulk_chunk_s else len(job.waiting) + 1
    if due:
        job.state = "InProgress"
    while job.chunks < due and job.waiting:
        if job.chunks == habits.bulk_fails_after:
            _end(job, "Failed", "TooManyLockFailure : too many batches failed because records were locked")
            return
        for cells in job.waiting[: habits.bulk_chunk_rows]:
            _do(call, job, cells)
        del job.waiting[: habits.bulk_chunk_rows]
        job.chunks += 1
    if due and not job.waiting:
        _end(job, "JobComplete")


def _end(job: Job, state: str, error: str = "") -> None:
    job.state, job.error = state, error
    job.unprocessed, job.waiting = [*job.unprocessed, *job.waiting], []


def _do(call: Call, job: Job, cells: Sequence[str]) -> None:
    """One row. Every `bulk_forgets`-th is told in no result."""
    head = job.unprocessed[0]
    sobject = call.org.schema.object(str(job.asked["object"]))
    values = {name: None if cell == NULL else cell for name, cell in zip(head, cells, strict=False) if cell != ""}
    job.processed += 1
    told = not call.org.habits.bulk_forgets or job.processed % call.org.habits.bulk_forgets
    try:
        id, created = carried_out(call, job.asked, sobject, typed(sobject, values))
        result, into = [id, str(created).lower(), *cells], job.successful
    except Refused as error:
        result, into = [str(values.get("Id") or ""), f"{error.code}:{error.message}:{','.join(error.fields or ())} --", *cells], job.failed
    if told:
        into.append(result)


def typed(sobject: SObject, values: Mapping[str, Any]) -> dict[str, Any]:
    """CSV knows text only: booleans are read from it, numbers and dates are read where they are checked."""
    words: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
    return {
        name: words.get(str(value).lower(), value) if sobject.fields[sobject.by_lower[name.lower()]].type == "boolean" else value
        for name, value in values.items()
    }


def carried_out(call: Call, asked: Mapping[str, Any], sobject: SObject, values: Mapping[str, Any]) -> tuple[str, bool]:
    """One row of a job; gives its id and whether it was created. Raises Refused."""
    operation, moment, manners = asked["operation"], call.org.moment(), call.manners
    if operation == "insert":
        return create(call.org, sobject.name, values, moment, manners), True
    if operation == "upsert":
        return saved_by_key(call, sobject, sobject.fields[sobject.by_lower[str(asked["externalIdFieldName"]).lower()]], values)
    given = next((value for name, value in values.items() if name.lower() == "id"), None)
    id = normalise(str(given))
    if id is None:
        raise Refused("MALFORMED_ID" if given else "MISSING_ARGUMENT", f"malformed id {given}" if given else "Id not specified")
    if operation == "update":
        update(call.org, sobject.name, id, {name: value for name, value in values.items() if name.lower() != "id"}, moment, manners)
    else:
        call.org.check_shared(id)
        delete(call.org, sobject.name, id, moment)
        if operation == "hardDelete" and sobject.soft_deletes:
            call.org.store.remove(sobject.name, id)
    return id, False


def _answered(call: Call, job: Job) -> None:
    """Run a query job at once. Its rows are what they were then."""
    found = call.org.runner.run(str(job.asked["query"]), everything=job.asked["operation"] == "queryAll")
    if found.shape is None:
        raise Refused("FUNCTIONALITY_NOT_ENABLED", "aggregate queries are not supported by Bulk API 2.0 query jobs")
    job.object = found.kind
    columns: list[tuple[str, Column]] = [(path, call.org.runner.column(call.org.schema.objects[found.kind], path)) for path in found.fields]
    job.successful = [[path for path, _ in columns], *([cell(column.get(row)) for _, column in columns] for row in found.rows)]
    job.processed = len(found.rows)


_UTC = re.compile(r"(?<=\d\d:\d\d:\d\d\.\d\d\d)\+0000$")
"""REST tells a dateTime with an offset, a job with a Z."""


def cell(value: Any) -> str:
    """A value as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _UTC.sub("Z", str(value))


def _page(call: Call, job: Job) -> Response:
    """One page of a query job's rows; a page can be read again."""
    if job.state != "JobComplete":
        raise Refused("INVALIDJOBSTATE", f"the job is {job.state}")
    if call.version != job.version:
        raise Refused("INVALID_OPERATION", "results must be read with the API version that the job was created with", status=409)
    start, size = call.request.arg("locator", "0"), call.request.arg("maxRecords", str(MOST_ROWS))
    if not start.isdigit() or not size.isdigit() or int(size) == 0:
        raise Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
    first, stop = int(start) + 1, int(start) + 1 + min(int(size), MOST_ROWS)
    rows = job.successful[first:stop]
    headers = {**CSV, "Sforce-NumberOfRecords": str(len(rows)), "Sforce-Locator": str(stop - 1) if stop < len(job.successful) else "null"}
    return Response(200, headers, _written(job, [job.successful[0], *rows]))
