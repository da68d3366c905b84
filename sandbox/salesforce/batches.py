"""Bulk API 1.0, which clients still speak: a job's rows come in batches, as JSON or CSV, and each is carried out as it comes (Bulk API Developer Guide).

Its session travels in a header of its own, its errors are objects with `exceptionCode`, and what it tells of moments in JSON are milliseconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..wire import Request, Response
from . import stamps
from .batch_forms import NOTHING_FOUND, heard, result_ids, rows_in, sheet, speaks_json, told
from .bulk import CSV, OPERATIONS, PREFIX, carried_out, cell, typed, unmannered
from .call import Call
from .errors import Refused, row_error
from .org import Org
from .soap import Door
from .soql_run import Found
from .validate import check_names

PATH = re.compile(r"/services/async/(\d+)\.0/job(?:/(.*))?")
BATCH_PREFIX, RESULT_PREFIX = "751", "752"
QUERIES = ("query", "queryAll")
MOST_ROWS = 10_000
"""Of one batch (Bulk API Limits)."""


@dataclass
class Batch:
    """One batch: what was sent, and what came of it. `found`: of a query; `result`: under which id its rows are to be had."""

    id: str
    request: bytes
    created: str
    state: str = "Completed"
    message: str | None = None
    results: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    found: Found | None = None
    result: str = ""


@dataclass
class OldJob:
    """One job."""

    id: str
    asked: Mapping[str, Any]
    object: str
    created: str
    state: str = "Open"
    batches: dict[str, Batch] = field(default_factory=dict[str, Batch])

    @property
    def in_json(self) -> bool:
        """Its rows come and go as JSON, else as CSV."""
        return self.asked["contentType"] == "JSON"


class Batches:
    """The org's jobs of the old kind."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._jobs: dict[str, OldJob] = {}

    def answer(self, request: Request, door: Door) -> Response:
        """Answer one call below `/services/async/`."""
        where = PATH.fullmatch(request.path.rstrip("/"))
        try:
            door.admit(request.headers.get("x-sfdc-session", ""))
            if where is None:
                raise Refused("InvalidUrl", "Unable to parse the URL")
            if not self._org.habits.bulk_enabled:
                raise Refused("FeatureNotEnabled", "Async API is not enabled for this organization or user")
            return self._route(Call(self._org, request, int(where.group(1)), ()), (where.group(2) or "").split("/") if where.group(2) else [])
        except Refused as refused:
            code, message = ("InvalidSessionId", "Invalid session id") if refused.code == "INVALID_SESSION_ID" else (refused.code, refused.message)
            return told("error", {"exceptionCode": code, "exceptionMessage": message}, json=speaks_json(request), status=400)

    def _route(self, call: Call, rest: Sequence[str]) -> Response:
        match call.request.method, rest:
            case "POST", []:
                return self._open(call)
            case "GET", [job]:
                found = self._job(job)
                return told("jobInfo", _told(call, found), json=found.in_json)
            case "POST", [job]:
                return self._move(call, self._job(job))
            case "POST", [job, "batch"]:
                return self._add(call, self._job(job))
            case "GET", [job, "batch"]:
                found = self._job(job)
                return told("batchInfoList", {"batchInfo": [_batch_told(found, batch) for batch in found.batches.values()]}, json=found.in_json)
            case "GET", [job, "batch", batch]:
                found = self._job(job)
                return told("batchInfo", _batch_told(found, self._batch(job, batch)), json=found.in_json)
            case "GET", [job, "batch", batch, "request"]:
                return Response(200, {"Content-Type": "application/json" if self._job(job).in_json else "text/csv"}, self._batch(job, batch).request)
            case "GET", [job, "batch", batch, "result", *which]:
                return _result(call, self._job(job), self._batch(job, batch), which)
            case _:
                raise Refused("InvalidUrl", "Unable to parse the URL")

    def _job(self, id: str) -> OldJob:
        found = self._jobs.get(id)
        if found is None:
            raise Refused("InvalidJob", "Unable to find job with this id")
        return found

    def _batch(self, job: str, id: str) -> Batch:
        found = self._job(job).batches.get(id)
        if found is None:
            raise Refused("InvalidBatch", "Unable to find batch with this id")
        return found

    def _open(self, call: Call) -> Response:
        asked = heard(call.request)
        operation, content = asked.get("operation"), asked.get("contentType", "XML")
        if operation not in (*OPERATIONS, *QUERIES) or content not in ("JSON", "CSV"):
            raise Refused("InvalidJob", f"Invalid job: operation {operation!r}, contentType {content!r}")
        try:
            sobject = call.org.schema.object(str(asked.get("object", "")), f"Unable to find object: {asked.get('object')}")
            if operation == "upsert" and call.org.schema.visible(sobject, str(asked.get("externalIdFieldName", ""))) is None:
                raise Refused("InvalidJob", "External ID field is not valid")
        except Refused as refused:
            raise Refused("InvalidEntity" if refused.code == "INVALID_TYPE" else refused.code, refused.message) from None
        job = OldJob(call.org.store.mint_as(PREFIX), asked, sobject.name, call.org.now())
        self._jobs[job.id] = job
        return told("jobInfo", _told(call, job), json=speaks_json(call.request), status=201)

    def _move(self, call: Call, job: OldJob) -> Response:
        state = heard(call.request).get("state")
        if state not in ("Closed", "Aborted") or job.state == "Aborted":
            raise Refused("InvalidJobState", f"Unable to change a job that is {job.state} to {state}")
        job.state = str(state)
        return told("jobInfo", _told(call, job), json=speaks_json(call.request))

    def _add(self, call: Call, job: OldJob) -> Response:
        if job.state != "Open":
            raise Refused("InvalidJobState", "Cannot create new batch in closed job")
        batch = Batch(call.org.store.mint_as(BATCH_PREFIX), call.request.body, call.org.now())
        try:
            if job.asked["operation"] in QUERIES:
                batch.found = call.org.runner.run(call.request.body.decode("utf-8", "replace"), everything=job.asked["operation"] == "queryAll")
                batch.result = call.org.store.mint_as(RESULT_PREFIX)
            else:
                batch.results = _carried_out(call, job)
        except Refused as refused:
            batch.state, batch.message = "Failed", f"InvalidBatch : {refused.code}: {refused.message}"
        job.batches[batch.id] = batch
        return told("batchInfo", {**_batch_told(job, batch), "state": "Queued"}, json=speaks_json(call.request), status=201)


def _carried_out(call: Call, job: OldJob) -> list[dict[str, Any]]:
    """What came of each row, in their order. Raises Refused for a batch that is none, or names a field that is not there."""
    rows = rows_in(call.request.body, json=job.in_json)
    if len(rows) > MOST_ROWS:
        raise Refused("ClientInputError", f"a batch has at most {MOST_ROWS} records")
    sobject, quiet = call.org.schema.object(job.object), unmannered(call, job.asked)
    for row in rows:
        check_names(call.org, sobject, row)
    found: list[dict[str, Any]] = []
    for row in rows:
        try:
            values = {name: value for name, value in row.items() if name != "attributes"}
            id, created = carried_out(quiet, job.asked, sobject, values if job.in_json else typed(sobject, values))
            found.append({"success": True, "created": created, "id": id, "errors": []})
        except Refused as refused:
            errors = [{**row_error(refused), "extendedErrorDetails": None}]
            found.append({"success": False, "created": False, "id": None, "errors": errors})
    return found


def _result(call: Call, job: OldJob, batch: Batch, which: Sequence[str]) -> Response:
    """Of rows: what came of each. Of a query: the ids of its results, and each result by its id."""
    if batch.state != "Completed":
        raise Refused("InvalidBatch", f"the batch is {batch.state}")
    if batch.found is None:
        return call.answer(batch.results) if job.in_json else sheet(("Id", "Success", "Created", "Error"), [_line(row) for row in batch.results])
    if not which:
        return result_ids([batch.result], json=job.in_json)
    if list(which) != [batch.result] or batch.found.shape is None:
        raise Refused("InvalidBatch", "Unable to find this result")
    if not job.in_json:
        return _sheet(call, batch.found)
    fields = call.org.schema.objects[batch.found.kind].fields
    emit = call.org.runner.emitter(batch.found.kind, batch.found.shape, call.base)
    moments = [name for name in batch.found.shape.names if fields[name].type == "datetime"]
    return call.answer([_in_ms(emit(row), moments) for row in batch.found.rows])


def _sheet(call: Call, found: Found) -> Response:
    """The rows of a query in CSV, whose columns are those that were asked for."""
    if not found.rows:
        return Response(200, dict(CSV), NOTHING_FOUND)
    columns = [call.org.runner.column(call.org.schema.objects[found.kind], path) for path in found.fields]
    return sheet(found.fields, [[cell(column.get(row)) for column in columns] for row in found.rows])


def _line(result: Mapping[str, Any]) -> list[str]:
    """What came of a row, in CSV."""
    said = [f"{each['statusCode']}:{each['message']}:{','.join(each['fields'])} --" for each in result["errors"]]
    return [result["id"] or "", str(result["success"]).lower(), str(result["created"]).lower(), *(said or [""])]


def _in_ms(row: dict[str, Any], moments: Sequence[str]) -> dict[str, Any]:
    return row | {name: stamps.to_ms(row[name]) for name in moments if row[name] is not None}


def _told(call: Call, job: OldJob) -> dict[str, Any]:
    done = [len(batch.results) for batch in job.batches.values()]
    failed = sum(not each["success"] for batch in job.batches.values() for each in batch.results)
    counts = {"numberBatchesQueued": 0, "numberBatchesInProgress": 0, "numberBatchesTotal": len(job.batches)}
    lost = sum(batch.state == "Failed" for batch in job.batches.values())
    return {
        **{name: job.asked.get(name) for name in ("operation", "externalIdFieldName", "assignmentRuleId")},
        "id": job.id,
        "object": job.object,
        "state": job.state,
        "contentType": job.asked["contentType"],
        "concurrencyMode": "Parallel",
        "apiVersion": float(call.version),
        "createdById": call.org.integration,
        "createdDate": job.created,
        "systemModstamp": job.created,
        **counts,
        "numberBatchesCompleted": len(job.batches) - lost,
        "numberBatchesFailed": lost,
        "numberRecordsProcessed": sum(done),
        "numberRecordsFailed": failed,
    }


def _batch_told(job: OldJob, batch: Batch) -> dict[str, Any]:
    failed = sum(not each["success"] for each in batch.results)
    processed = len(batch.results) if batch.found is None else len(batch.found.rows)
    times = {"createdDate": batch.created, "systemModstamp": batch.created, "totalProcessingTime": 0}
    counts = {"numberRecordsProcessed": processed, "numberRecordsFailed": failed}
    return {"id": batch.id, "jobId": job.id, "state": batch.state, "stateMessage": batch.message, **counts, **times}
