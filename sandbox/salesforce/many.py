"""sObject Collections: up to 200 records in one call, each with its own result, in HTTP 200 even when every one failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..wire import Response
from .call import Call, listed, malformed_id
from .errors import Refused, refused_row, row_error
from .fields import Field, SObject
from .ids import normalise
from .records import key_field, matches
from .validate import check_names
from .writes import create, delete, update

MOST = 200
MOST_RUNS = 10
REPEATS = 12
"""How often one id may stand in a call; further rows with it fail (SOAP API, update())."""

Job = Callable[[], dict[str, Any]]


def route_many(call: Call) -> Response:
    """Answer a call to `/composite/sobjects`."""
    match call.request.method:
        case "POST":
            records, all_or_none = _records(call)
            return _each(call, [lambda one=one: _create(call, one) for one in records], all_or_none)
        case "PATCH":
            records, all_or_none = _records(call)
            repeated = _repeated([str(_id_of(one)) for one in records])
            return _each(call, [lambda one=one, again=again: _update(call, one, again) for one, again in zip(records, repeated, strict=True)], all_or_none)
        case "DELETE":
            ids = [id for id in call.request.arg("ids").split(",") if id]
            _limit(ids)
            return _each(call, [lambda id=id: _delete(call, id) for id in ids], call.request.arg("allOrNone").lower() == "true")
        case _:
            raise Refused("METHOD_NOT_ALLOWED", f"HTTP Method '{call.request.method}' not allowed. Allowed are POST,PATCH,DELETE", status=405)


def upsert_many(call: Call, sobject: SObject, name: str) -> Response:
    """PATCH `/composite/sobjects/X/ExternalId__c`. Two rows with the same key are both errors."""
    one = key_field(call, sobject, name, external_only=True)
    records, all_or_none = _records(call)
    keys = [str(next((value for field, value in record.items() if field.lower() == one.name.lower()), None) or "").strip().lower() for record in records]
    counts = Counter(keys)

    def job(record: dict[str, Any], key: str) -> dict[str, Any]:
        if counts[key] > 1 and key:
            raise refused_row("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", [one.name])
        id, created = saved_by_key(call, sobject, one, record)
        return {"id": id, "success": True, "errors": [], "created": created}

    if any(_sobject(call, record).name != sobject.name for record in records):
        raise Refused("INVALID_TYPE", f"every record must be of type {sobject.name}")
    return _each(call, [lambda record=record, key=key: job(record, key) for record, key in zip(records, keys, strict=True)], all_or_none)


def saved_by_key(call: Call, sobject: SObject, one: Field, record: Mapping[str, Any]) -> tuple[str, bool]:
    """Upsert one row that carries its key; gives its id and whether it was created. Raises Refused."""
    key = str(next((value for name, value in record.items() if name.lower() == one.name.lower()), None) or "").strip()
    if not key:
        raise refused_row("MISSING_ARGUMENT", f"{one.name} not specified")
    found = matches(call, sobject, one, key)
    if len(found) > 1:
        raise refused_row("DUPLICATE_EXTERNAL_ID", f"{one.name}: more than one record found for external id field", [one.name])
    if not found:
        return create(call.org, sobject.name, record, call.org.moment(), call.manners), True
    values = {name: value for name, value in record.items() if name.lower() != one.name.lower()}
    update(call.org, sobject.name, found[0]["Id"], values, call.org.moment(), call.manners)
    return found[0]["Id"], False


def _limit(records: Sequence[Any]) -> None:
    if len(records) > MOST:
        raise Refused("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST} records into this call")


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    """The records of the body, each of a known type with known fields. Raises Refused for the whole call."""
    posted = call.posted()
    records = list(listed(posted, "records"))
    _limit(records)
    runs = 0
    last = ""
    for one in records:
        sobject = _sobject(call, one)
        if call.org.habits.unknown_field_fails == "call":
            check_names(call.org, sobject, {name: value for name, value in one.items() if name != "id"})
        runs += sobject.name != last
        last = sobject.name
    if runs > MOST_RUNS:
        raise Refused("INVALID_BATCH_SIZE", f"cannot have more than {MOST_RUNS} chunks of different types in a single operation")
    return records, posted.get("allOrNone") is True


def _sobject(call: Call, record: Any) -> SObject:
    if not isinstance(record, dict) or not isinstance(record.get("attributes"), dict) or "type" not in record["attributes"]:
        raise Refused("INVALID_INPUT", "attributes.type is required for every record")
    name = str(record["attributes"]["type"])
    return call.org.schema.object(name, f"sObject type '{name}' is not supported.")


def _each(call: Call, jobs: Iterable[Job], all_or_none: bool) -> Response:
    """Do every job; a refused one fails alone, or takes all others with it."""
    call.org.store.begin()
    results: list[dict[str, Any]] = []
    for job in jobs:
        try:
            results.append(job())
        except Refused as error:
            results.append({"success": False, "errors": [row_error(error)]})
    if all_or_none and not all(result["success"] for result in results):
        call.org.store.roll_back()
        undone = Refused(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid and the request was using AllOrNone header"
        )
        results = [result if not result["success"] else {"success": False, "errors": [row_error(undone)]} for result in results]
    else:
        call.org.store.keep()
    return call.answer(results)


def _create(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    sobject = _sobject(call, record)
    check_names(call.org, sobject, record)
    if _id_of(record) is not None:
        raise refused_row("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
    id = create(call.org, sobject.name, record, call.org.moment(), call.manners)
    return {"id": id, "success": True, "errors": []}


def _id_of(record: dict[str, Any]) -> Any:
    return next((value for name, value in record.items() if name.lower() == "id"), None)


def _repeated(ids: Sequence[str]) -> list[bool]:
    seen: Counter[str] = Counter()
    found: list[bool] = []
    for id in ids:
        seen[id[:15]] += 1
        found.append(seen[id[:15]] > REPEATS)
    return found


def _update(call: Call, record: dict[str, Any], repeated: bool) -> dict[str, Any]:
    sobject = _sobject(call, record)
    given = record.get("id")
    if given is None:
        raise refused_row("MISSING_ARGUMENT", "Id not specified in an update call")
    id = normalise(given) if isinstance(given, str) else None
    if id is None or not id.startswith(sobject.prefix):
        raise malformed_id(given)
    if repeated:
        raise refused_row("DUPLICATE_VALUE", f"duplicate id in list: {id}")
    values = {name: value for name, value in record.items() if name not in {"id", "attributes"}}
    check_names(call.org, sobject, values)
    update(call.org, sobject.name, id, values, call.org.moment(), call.manners)
    return {"id": id, "success": True, "errors": []}


def _delete(call: Call, given: str) -> dict[str, Any]:
    id = normalise(given)
    sobject = call.org.schema.of_id(id) if id else None
    if id is None or sobject is None:
        raise malformed_id(given)
    call.org.check_shared(id)
    delete(call.org, sobject.name, id, call.org.moment())
    return {"id": id, "success": True, "errors": []}
