"""Single records: `/sobjects/X/`, by id or by an external id, with the conditions that headers can set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ..wire import Response
from . import stamps
from .call import Call, malformed_id
from .errors import JSON, Refused, not_found
from .fields import Field, Row, SObject
from .ids import normalise
from .soql_run import unknown_column
from .validate import check_names
from .writes import create, delete, update

FILE_LIKE = re.compile(r"\.inc$", re.IGNORECASE)
"""An e-mail address at the end of a path that looks like a file name's extension is not found (REST API, Upsert by External ID)."""

UPSERT_ANSWERS_FROM = 46


def route_record(call: Call, sobject: SObject, rest: tuple[str, ...]) -> Response:
    """Answer a call to `/sobjects/X/...`."""
    match call.request.method, rest:
        case "POST", ():
            return _create(call, sobject)
        case "GET", ():
            return call.answer({"objectDescribe": call.org.schema.summary(sobject, call.base), "recentItems": []})
        case "GET", ("describe",):
            return _describe(call, sobject)
        case "GET", (id,):
            return _read(call, sobject, _row(call, sobject, id))
        case "PATCH", (id,):
            return _update(call, sobject, id)
        case "DELETE", (id,):
            row = _row(call, sobject, id)
            delete(call.org, sobject.name, row["Id"], call.org.moment())
            return Response(204)
        case "GET" | "PATCH" | "DELETE", (field, *value):
            return _by_key(call, sobject, field, "/".join(value))
        case _:
            raise Refused("METHOD_NOT_ALLOWED", f"HTTP Method '{call.request.method}' not allowed. Allowed are HEAD,GET,POST,PATCH,DELETE", status=405)


def _describe(call: Call, sobject: SObject) -> Response:
    since = _since(call, "if-modified-since")
    if since is not None and call.org.metadata_changed <= since:
        return Response(304, dict(JSON))
    return call.answer(call.org.schema.describe(sobject, call.base))


def _create(call: Call, sobject: SObject) -> Response:
    values = call.posted()
    check_names(call.org, sobject, values)
    id = create(call.org, sobject.name, values, call.org.moment(), call.manners)
    answer = call.answer({"id": id, "success": True, "errors": []}, 201)
    return Response(201, {**answer.headers, "Location": f"{call.base}/sobjects/{sobject.name}/{id}"}, answer.body)


def _row(call: Call, sobject: SObject, given: str) -> Row:
    """The live row of an id in a path. Raises NOT_FOUND or ENTITY_IS_DELETED, both 404."""
    id = normalise(given)
    if id is None:
        raise Refused("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + given, status=404)
    row = call.org.store.tables[sobject.name].rows.get(id)
    if row is None or id in call.org.habits.hidden_records:
        raise not_found()
    if row.get("IsDeleted"):
        raise Refused("ENTITY_IS_DELETED", "entity is deleted", [], 404)
    return row


def _read(call: Call, sobject: SObject, row: Row) -> Response:
    if _unchanged_since(call, row, "if-modified-since"):
        return Response(304, dict(JSON))
    _unmodified(call, row)
    asked = call.request.arg("fields")
    names = asked.split(",") if asked else [name for name in sobject.fields if call.org.schema.visible(sobject, name)]
    return call.answer(call.org.runner.emitter(sobject.name, call.org.runner.shape(sobject, names), call.base)(row))


def _update(call: Call, sobject: SObject, given: str) -> Response:
    row = _row(call, sobject, given)
    _unmodified(call, row)
    values = call.posted()
    check_names(call.org, sobject, values)
    update(call.org, sobject.name, row["Id"], values, call.org.moment(), call.manners)
    return Response(204)


def _since(call: Call, header: str) -> str | None:
    given = call.request.headers.get(header)
    if given is None:
        return None
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        raise Refused("INVALID_HEADER", f"invalid date in header {header}: {given}") from None
    return stamps.of_ms(int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))


def _unchanged_since(call: Call, row: Row, header: str) -> bool:
    since = _since(call, header)
    return since is not None and row[call.org.habits.condition_compares] <= since


def _unmodified(call: Call, row: Row) -> None:
    """Raise the 412 of `If-Unmodified-Since`. Stamps are whole seconds: a change in the same second slips through."""
    if call.request.headers.get("if-unmodified-since") is not None and not _unchanged_since(call, row, "if-unmodified-since"):
        raise Refused("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", "entity failed if-last-modified-on-update check", status=412)


def key_field(call: Call, sobject: SObject, name: str, *, external_only: bool = False) -> Field:
    """The field that records can be looked up by. Raises NOT_FOUND."""
    one = call.org.schema.visible(sobject, name)
    if one is None or not (one.external_id or (one.id_lookup and not external_only)):
        raise Refused("NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}", status=404)
    return one


def matches(call: Call, sobject: SObject, one: Field, value: str) -> list[Row]:
    """Live rows with this key; case counts unless the field is unique and ignores it."""
    hidden = call.org.habits.hidden_records
    found = [row for row in call.org.store.tables[sobject.name].find(one.name, [value]) if not row.get("IsDeleted") and row["Id"] not in hidden]
    return [row for row in found if row[one.name] == value] if one.external_id and not (one.unique and not one.case_sensitive) else found


def _by_key(call: Call, sobject: SObject, name: str, value: str) -> Response:
    one = key_field(call, sobject, name)
    if one.type == "email" and FILE_LIKE.search(value):
        raise not_found()
    if one.name == "Id":
        if call.request.method == "PATCH" and not value:
            return _create(call, sobject)
        return route_record(call, sobject, (value,))
    rows = matches(call, sobject, one, value)
    if len(rows) > 1:
        return call.answer([f"{call.base}/sobjects/{sobject.name}/{row['Id']}" for row in rows], 300)
    if call.request.method == "PATCH":
        return _upsert(call, sobject, one, value, rows)
    if not rows:
        raise not_found()
    return route_record(call, sobject, (rows[0]["Id"],))


def _upsert(call: Call, sobject: SObject, one: Field, value: str, rows: list[Row]) -> Response:
    values = call.posted()
    check_names(call.org, sobject, values)
    if any(name.lower() == one.name.lower() for name in values):
        raise Refused("INVALID_FIELD", f"The {one.name} field should not be specified in the sobject data.")
    if rows:
        _unmodified(call, rows[0])
        update(call.org, sobject.name, rows[0]["Id"], values, call.org.moment(), call.manners)
        if call.version < UPSERT_ANSWERS_FROM:
            return Response(204)
        return call.answer({"id": rows[0]["Id"], "success": True, "errors": [], "created": False})
    if call.request.arg("updateOnly").lower() == "true":
        raise not_found()
    id = create(call.org, sobject.name, {**values, one.name: value}, call.org.moment(), call.manners)
    return call.answer({"id": id, "success": True, "errors": [], "created": True}, 201)


def changed_ids(call: Call, sobject: SObject) -> Response:
    """`/sobjects/X/updated`: ids of live rows changed in a span of at most 30 days; seconds are cut off."""
    start, end = _span(call, days=30, least_s=0)
    rows = call.org.store.tables[sobject.name].span((start, ""), (end, "\x7f"))
    ids = [row["Id"] for row in rows if not row.get("IsDeleted") and row["Id"] not in call.org.habits.hidden_records]
    return call.answer({"ids": ids, "latestDateCovered": call.org.now()})


def deleted_ids(call: Call, sobject: SObject) -> Response:
    """`/sobjects/X/deleted`: ids of rows deleted in a span of at most 15 days."""
    start, end = _span(call, days=15, least_s=61)
    rows = call.org.store.tables[sobject.name].span((start, ""), (end, "\x7f"))
    gone = [row for row in rows if row.get("IsDeleted") and row["Id"] not in call.org.habits.hidden_records]
    found = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in gone]
    earliest = stamps.of_ms(call.org.clock.now_ms() - 15 * 86_400_000)
    return call.answer({"deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": call.org.now()})


def _span(call: Call, days: int, least_s: int) -> tuple[str, str]:
    try:
        start, end = (stamps.parse(call.request.arg(name).replace(" ", "+")) for name in ("start", "end"))
    except ValueError as error:
        raise Refused("INVALID_REPLICATION_DATE", str(error)) from None
    start, end = (moment[:17] + "00" + moment[19:] for moment in (start, end))
    if stamps.to_ms(end) - stamps.to_ms(start) < least_s * 1000 or end < start:
        raise Refused("INVALID_REPLICATION_DATE", "startDate before endDate by more than a minute is required")
    if stamps.to_ms(start) < call.org.clock.now_ms() - days * 86_400_000:
        raise Refused("INVALID_REPLICATION_DATE", f"startDate is more than {days} days ago")
    return start, end


def read_rows(call: Call, sobject: SObject, ids: list[Any], names: list[str]) -> Response:
    """Read many rows by id, in the order of the ids; null for what is unknown or deleted."""
    if len(ids) > 2000:
        raise Refused("EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 2000 records into this call")
    if not call.org.habits.reads_parents and (dotted := next((name for name in names if "." in name), None)):
        raise unknown_column(dotted, sobject)
    emit = call.org.runner.emitter(sobject.name, call.org.runner.shape(sobject, names), call.base)
    rows: Mapping[str, Row] = call.org.store.tables[sobject.name].rows
    found: list[dict[str, Any] | None] = []
    for given in ids:
        id = normalise(given) if isinstance(given, str) else None
        if id is None:
            raise malformed_id(given)
        row = rows.get(id)
        found.append(emit(row) if row is not None and not row.get("IsDeleted") and id not in call.org.habits.hidden_records else None)
    return call.answer(found)
