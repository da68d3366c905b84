"""Endpoints for up to 100 contacts at a time, with the ways in which an answer hides what became of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..wire import Response
from .call import Call
from .contacts import Contact
from .errors import Refused, answer, invalid, no_such_contact
from .instants import instant
from .portal import Portal
from .render import shower, written
from .single import archive, find_by, non_unique
from .writing import Claims, checked_create, checked_update, create, update

MOST = 100
MOST_WITH_HISTORY = 50

Row = Mapping[str, Any]
Shown = dict[str, Any]
Deed = Callable[[], Shown]
"""A row that was found acceptable, waiting to be carried out."""


def inputs_of(call: Call, most: int = MOST) -> list[Row]:
    """The rows of a batch; what is no proper row is dropped without a word. Raises Refused (400) when they are too many."""
    given = call.body.get("inputs")
    rows: list[Row] = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    if len(rows) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}. Received {len(rows)}.")
    return rows


def _answer(portal: Portal, results: Sequence[Shown], errors: Sequence[Shown] = (), status: int = 200) -> Response:
    now = instant(portal.now())
    body: Shown = {"status": "COMPLETE", "results": list(results), "startedAt": now, "completedAt": now}
    if errors:
        body["numErrors"] = len(errors)
        body["errors"] = list(errors)
    return answer(body, 207 if errors else status)


def read(portal: Portal, call: Call) -> Response:
    """Rows by id or by one `idProperty` for all; all missing ones are told in one error. Raises Refused (400)."""
    history = call.posted_names("propertiesWithHistory")
    rows = inputs_of(call, MOST_WITH_HISTORY if history else MOST)
    by = str(call.body.get("idProperty") or "")
    show = shower(portal, call.posted_names("properties"), history)
    found: dict[int, Contact] = {}
    missing: list[str] = []
    for row in rows:
        given = str(row.get("id", ""))
        contact = _find_to_read(portal, given, by, archived=call.flag("archived"))
        if contact is None:
            missing.append(given)
        else:
            found[contact.number] = contact
    errors = [_missing_row(missing)] if missing else []
    return _answer(portal, [show(contact) for contact in found.values()], errors)


def _find_to_read(portal: Portal, given: str, by: str, *, archived: bool) -> Contact | None:
    if by and by != "hs_object_id":
        return find_by(portal, by, given)
    if not given.isdecimal():
        return None
    number = int(given)
    if archived:
        return portal.store.bin.get(number)
    return portal.store.find(number) if portal.habits.batch_read_follows_merges else portal.store.live.get(number)


def _missing_row(ids: Sequence[str]) -> Shown:
    return Refused(207, "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.", "OBJECT_NOT_FOUND").row({"ids": ids})


def traced(rows: Sequence[Row]) -> bool:
    """Whether every row can be told apart by a trace id of its own."""
    traces = [row.get("objectWriteTraceId") for row in rows]
    return all(isinstance(trace, str) and trace for trace in traces) and len(set(traces)) == len(traces)


def _context(row: Row) -> dict[str, list[str]]:
    context: dict[str, list[str]] = {}
    if row.get("objectWriteTraceId"):
        context["objectWriteTraceId"] = [str(row["objectWriteTraceId"])]
    if row.get("id") is not None:
        context["ids"] = [str(row["id"])]
    return context


def _with_trace(shown: Shown, row: Row) -> Shown:
    if row.get("objectWriteTraceId"):
        shown["objectWriteTraceId"] = row["objectWriteTraceId"]
    return shown


def _carry_out(rows: Sequence[Row], check: Callable[[Row, Claims | None], Deed | None], *, partial: bool) -> tuple[list[Shown], list[Shown]]:
    """Partial: row after row, each on its own. Else everything is checked first and the first bad row fails the whole call (Refused).

    A row whose check gives None is lost: neither among the results nor among the errors.
    """
    results: list[Shown] = []
    errors: list[Shown] = []
    if not partial:
        claims: Claims = {}
        deeds = [(row, check(row, claims)) for row in rows]
        return [_with_trace(deed(), row) for row, deed in deeds if deed is not None], []
    for row in rows:
        try:
            deed = check(row, None)
            if deed is not None:
                results.append(_with_trace(deed(), row))
        except Refused as refused:
            errors.append(refused.row(_context(row)))
    return results, errors


def _properties(row: Row) -> Mapping[str, object]:
    given = row.get("properties")
    return given if isinstance(given, dict) else {}


def create_many(portal: Portal, call: Call) -> Response:
    """201 when all are created, 207 when some are and every row has its trace id; else one bad row fails all. Raises Refused (400, 409)."""
    rows = inputs_of(call)

    def check(row: Row, claims: Claims | None) -> Deed:
        given = _properties(row)
        brought = portal.companies.brought(row.get("associations"))
        values = checked_create(portal, given, call.version, claims)
        return lambda: _created(portal, values, given, brought)

    results, errors = _carry_out(rows, check, partial=traced(rows))
    return _answer(portal, results, errors, 201)


def _created(portal: Portal, values: Mapping[str, str], given: Mapping[str, object], brought: Any) -> Shown:
    contact = create(portal, values, portal.integration)
    portal.companies.adopt(contact, brought)
    return written(portal, contact, given, {})


def update_many(portal: Portal, call: Call) -> Response:
    """200 or 207. Ids that are no numbers are dropped, and ids from before a merge are lost, both without a word. Raises Refused (400, 409)."""
    rows = [row for row in inputs_of(call) if row.get("idProperty") or str(row.get("id", "")).isdecimal()]
    for row in rows:
        if row.get("idProperty") and str(row["idProperty"]) not in portal.store.by_unique:
            raise non_unique(str(row["idProperty"]))
    rows = _once_each(portal, rows)
    partial = traced(rows)
    found: list[Row] = []
    missing: list[Row] = []
    for row in rows:
        contact = _find_to_update(portal, row)
        if contact is not None:
            found.append(row)
        elif not _is_lost(portal, row):
            missing.append(row)

    def check(row: Row, claims: Claims | None) -> Deed | None:
        contact = _find_to_update(portal, row)
        if contact is None:
            return None
        given = _properties(row)
        values = checked_update(portal, contact, given, call.version, claims)
        return lambda: _updated(portal, contact, given, values)

    results, errors = _carry_out(found, check, partial=partial)
    return _answer(portal, results, errors + _missing_updates(missing, partial=partial))


def _once_each(portal: Portal, rows: list[Row]) -> list[Row]:
    """Rows for the same id are refused, or carried out in no order that was asked for (here: the last comes first)."""
    ids = [str(row.get("id")) for row in rows]
    if len(set(ids)) == len(ids):
        return rows
    if portal.habits.batch_repeats == "refused":
        raise invalid("Duplicate IDs found in batch input. IDs must be unique.")
    return rows[::-1]


def _find_to_update(portal: Portal, row: Row) -> Contact | None:
    if row.get("idProperty"):
        return find_by(portal, str(row["idProperty"]), str(row["id"]))
    return portal.store.live.get(int(row["id"]))


def _is_lost(portal: Portal, row: Row) -> bool:
    merged = not row.get("idProperty") and int(row["id"]) in portal.store.moved
    return merged and portal.habits.batch_update_loses_merged_ids


def _missing_updates(rows: Sequence[Row], *, partial: bool) -> list[Shown]:
    if not rows:
        return []
    if not partial:
        return [_missing_row([str(row["id"]) for row in rows])]
    return [Refused(207, "Could not get some CONTACT objects, they may be deleted or not exist.", "OBJECT_NOT_FOUND").row(_context(row)) for row in rows]


def _updated(portal: Portal, contact: Contact, given: Mapping[str, object], values: Mapping[str, str]) -> Shown:
    update(portal, contact, values, portal.integration)
    return written(portal, contact, given, values)


def upsert_many(portal: Portal, call: Call) -> Response:
    """Update what is found by each row's `idProperty`, create the rest; every result says `new`. Raises Refused (400, 404, 409)."""
    rows = [row for row in inputs_of(call) if row.get("id") is not None]
    by_email = any(row.get("idProperty") == "email" for row in rows)

    def check(row: Row, claims: Claims | None) -> Deed:
        by, value = str(row.get("idProperty") or "hs_object_id"), str(row["id"])
        if by == "hs_object_id":
            contact = portal.store.live.get(int(value)) if value.isdecimal() else None
            if contact is None:
                raise no_such_contact(value)
        else:
            contact = find_by(portal, by, value)
        given = _properties(row)
        if contact is not None:
            changes = checked_update(portal, contact, given, call.version, claims)
            return lambda: {**_updated(portal, contact, given, changes), "new": False}
        given = {by: value, **given}
        values = checked_create(portal, given, call.version, claims)
        return lambda: {**written(portal, create(portal, values, portal.integration), given, {}), "new": True}

    partial = traced(rows) and (portal.habits.upsert_by_email_is_partial or not by_email)
    results, errors = _carry_out(rows, check, partial=partial)
    return _answer(portal, results, errors)


def archive_many(portal: Portal, call: Call) -> Response:
    """To the bin; unknown ids answer just the same. Raises Refused (400)."""
    for row in inputs_of(call):
        contact = portal.store.live.get(int(row["id"])) if str(row.get("id", "")).isdecimal() else None
        if contact is not None:
            archive(portal, contact, portal.integration)
    return Response(204)


DEEDS: dict[str, Callable[[Portal, Call], Response]] = {
    "read": read,
    "create": create_many,
    "update": update_many,
    "upsert": upsert_many,
    "archive": archive_many,
}
