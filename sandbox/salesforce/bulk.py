"""Bulk API 2.0: jobs that take rows as CSV, and jobs that answer a query as CSV. A job is done as soon as its upload is complete."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..wire import Response
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
CSV = {"Content-Type": "text/csv"}


@dataclass
class Job:
    """One job; `successful` and `failed` are CSV rows with their heads."""

    id: str
    asked: Mapping[str, Any]
    created: str
    state: str
    version: int
    error: str = ""
    upload: bytes = b""
    processed: int = 0
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

    def route(self, call: Call, rest: Sequence[str]) -> Response:
        """Answer a call under `/jobs/`."""
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
                job = self._job(id)
                return Response(200, dict(CSV), _written(job, getattr(job, RESULTS[which.lower()])))
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
        job = Job(call.org.store.mint_as(PREFIX), asked, call.org.now(), "Open" if kind == "ingest" else "JobComplete", call.version)
        if kind == "query":
            _answered(call, job)
        self._jobs[job.id] = job
        return call.answer({**_told(call, job), "state": "Open" if kind == "ingest" else "UploadComplete"})

    def _move(self, call: Call, job: Job) -> Response:
        state = call.posted().get("state")
        if job.state != "Open" or state not in {"UploadComplete", "Aborted"}:
            raise Refused("INVALIDJOBSTATE", f"Closing already {job.state} job not allowed" if job.state != "Open" else f"Invalid job state: {state}")
        if state == "Aborted":
            job.state = "Aborted"
            return call.answer(_told(call, job))
        _run(call, job)
        return call.answer({**_told(call, job), "state": "UploadComplete"})


def _told(call: Call, job: Job) -> dict[str, Any]:
    common = {
        "id": job.id,
        "operation": job.asked["operation"],
        "object": job.asked.get("object"),
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
        return told
    own = {"contentUrl": f"{call.base.lstrip('/')}/jobs/ingest/{job.id}/batches", "externalIdFieldName": job.asked.get("externalIdFieldName")}
    return {**told, **own, "jobType": "V2Ingest", "numberRecordsFailed": max(0, len(job.failed) - 1), **({"errorMessage": job.error} if job.error else {})}


def _uploaded(call: Call, job: Job) -> Response:
    if job.state != "Open" or job.upload:
        raise Refused("INVALIDJOBSTATE", "Data was already uploaded, or the job is not open")
    job.upload = call.request.body
    return Response(201)


def _written(job: Job, rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=job.delimiter, lineterminator=job.line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _run(call: Call, job: Job) -> None:
    """Do every row of an ingest job. Results come in another order than the upload; a bad header fails the job before its first row."""
    try:
        rows = list(csv.reader(io.StringIO(job.upload.decode("utf-8-sig"), newline=""), delimiter=job.delimiter))
    except (UnicodeDecodeError, csv.Error) as error:
        job.state, job.error = "Failed", f"InvalidBatch : {error}"
        return
    head, body = (rows[0], rows[1:]) if rows else ([], [])
    sobject = call.org.schema.object(str(job.asked["object"]))
    try:
        check_names(call.org, sobject, dict.fromkeys(head))
    except Refused as error:
        job.state, job.error, job.unprocessed = "Failed", f"InvalidBatch : Field name not found : {error.message}", [head, *body]
        return
    job.state, job.processed = "JobComplete", len(body)
    job.successful, job.failed, job.unprocessed = [["sf__Id", "sf__Created", *head]], [["sf__Id", "sf__Error", *head]], [head]
    for cells in reversed(body):
        values = {name: None if cell == NULL else cell for name, cell in zip(head, cells, strict=False) if cell != ""}
        try:
            id, created = _done(call, job, sobject, _typed(sobject, values))
            job.successful.append([id, str(created).lower(), *cells])
        except Refused as error:
            job.failed.append([str(values.get("Id") or ""), f"{error.code}:{error.message}:{','.join(error.fields or ())} --", *cells])


def _typed(sobject: SObject, values: Mapping[str, Any]) -> dict[str, Any]:
    """CSV knows text only: booleans are read from it, numbers and dates are read where they are checked."""
    words: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
    return {
        name: words.get(str(value).lower(), value) if sobject.fields[sobject.by_lower[name.lower()]].type == "boolean" else value
        for name, value in values.items()
    }


def _done(call: Call, job: Job, sobject: SObject, values: dict[str, Any]) -> tuple[str, bool]:
    """One row; gives its id and whether it was created."""
    operation, moment, manners = job.asked["operation"], call.org.moment(), call.manners
    if operation == "insert":
        return create(call.org, sobject.name, values, moment, manners), True
    if operation == "upsert":
        return saved_by_key(call, sobject, sobject.fields[sobject.by_lower[str(job.asked["externalIdFieldName"]).lower()]], values)
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
    columns: list[tuple[str, Column]] = [(path, call.org.runner.column(call.org.schema.objects[found.kind], path)) for path in found.fields]
    job.successful = [[path for path, _ in columns], *([_cell(column.get(row)) for _, column in columns] for row in found.rows)]
    job.processed = len(found.rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _page(call: Call, job: Job) -> Response:
    """One page of a query job's rows; a page can be read again."""
    if call.version != job.version:
        raise Refused("INVALID_OPERATION", "results must be read with the API version that the job was created with", status=409)
    start, size = call.request.arg("locator", "0"), call.request.arg("maxRecords", str(MOST_ROWS))
    if not start.isdigit() or not size.isdigit() or int(size) == 0:
        raise Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
    first, stop = int(start) + 1, int(start) + 1 + min(int(size), MOST_ROWS)
    rows = job.successful[first:stop]
    headers = {**CSV, "Sforce-NumberOfRecords": str(len(rows)), "Sforce-Locator": str(stop - 1) if stop < len(job.successful) else "null"}
    return Response(200, headers, _written(job, [job.successful[0], *rows]))
