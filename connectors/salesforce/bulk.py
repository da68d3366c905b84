"""Writing many rows as jobs of the Bulk API 2.0: each row's outcome from the job's results, known by a column of our own and never by its place.

What travels is CSV: an empty cell leaves a field alone, `#N/A` clears it (Bulk API 2.0 Developer Guide, Prepare CSV Files). A job that fails or is aborted
keeps what it has done; what it did not come to was not done; a row that no result tells of is `Unknown` and is looked up.
What does not fit into a job goes by collections: a text that would be read as a clear, a field beyond a job's limit, rows without a column that tells them
apart, and everything where the org has no jobs or refuses the sheet as a whole, so that a collection says which row or field is at fault.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from ...model.errors import StagesyncError
from ...model.records import Native
from ...model.writes import Deferred, Outcome, Step, Unknown
from ..manners import MaybeDone, Trouble
from ..splitting import Outcomes
from . import jobs
from .client import Client
from .errors import Refusal, done, outcome
from .rows import OBJECTS, id15

MOST = 4_000
"""Rows of one job: so many are held in memory at once, and a crash leaves so many to be looked up. The vendor cuts a job into chunks of 200 itself."""

CALLS = 10
"""About so many for a job: making it, its rows, setting it going, three results, and looking how far it is."""

JOB_BYTES = 40 * 2**20
"""An upload may have 100 MB; but the results repeat it, and an answer may have no more than 64 (`manners.REPLY_LIMIT`)."""

FIELD_CHARS = 131_072
"""Characters of one field (Bulk API 2.0 Limits)."""

NULL = "#N/A"

_OPERATIONS = {"update": "update", "archive": "delete"}
_TRIES = 3
_SOON_S = 5.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows as they are uploaded. `key`: the column that tells them apart; `places`: its value -> the step's place."""

    key: str
    content: bytes
    places: Mapping[str, int]


def deliver(client: Client, going: Mapping[int, Step], keys: Mapping[int, str], external_id: str | None) -> Outcomes:
    """Send the steps, all of one operation on one object, by jobs. Those of which nothing is told here were not sent.

    `keys`: the external ids of creates, where the object has the field `external_id`. Raises what stops everything as long as surely nothing was done.
    """
    found: Outcomes = {}
    asked = _asked(next(iter(going.values())), external_id)
    for sheet in _sheets(going, keys, external_id):
        try:
            told = _carried_out(client, sheet, asked, going)
        except Trouble as trouble:
            told = dict.fromkeys(sheet.places.values(), Deferred(trouble.what, trouble.retry_after or _SOON_S))
        except StagesyncError as stop:
            if not found:
                raise
            told = dict.fromkeys(sheet.places.values(), Deferred(stop.what, _SOON_S))
        if told is None:
            break
        found |= told
    return found


def _asked(step: Step, external_id: str | None) -> dict[str, str]:
    kind = {"object": OBJECTS[step.kind]}
    if step.operation != "create":
        return {**kind, "operation": _OPERATIONS[step.operation]}
    return {**kind, "operation": "insert"} if external_id is None else {**kind, "operation": "upsert", "externalIdFieldName": external_id}


# -- the upload


def _sheets(going: Mapping[int, Step], keys: Mapping[int, str], external_id: str | None) -> Iterator[Sheet]:
    """The steps that can go by a job, in as many sheets as their size needs."""
    fit = {place: step for place, step in going.items() if all(_fits(value) for value in step.values.values())}
    if not fit:
        return
    fields = tuple(dict.fromkeys(chain.from_iterable(step.values for step in fit.values())))
    key, known = _told_apart(fit, keys, external_id, fields)
    columns = fields if key in fields else (key, *fields)
    head, rows = _line(columns), list[bytes]()
    size, places = 0, dict[str, int]()
    for place, own in known.items():
        mark = _plain(key, own)
        if mark in places:
            continue  # two of one key in a job are both refused, and nobody could tell them apart
        row = _line([own if name == key else _cell(fit[place], name) for name in columns])
        if rows and size + len(row) > JOB_BYTES:
            yield Sheet(key, head + b"".join(rows), places)
            size, rows, places = 0, [], {}
        size += len(row)
        rows.append(row)
        places[mark] = place
    if rows:
        yield Sheet(key, head + b"".join(rows), places)


def _told_apart(fit: Mapping[int, Step], keys: Mapping[int, str], external_id: str | None, fields: Sequence[str]) -> tuple[str, Mapping[int, str]]:
    """The column by which results are known, with its value for each place that has one: an id, our own external id, or, for creates without that, the text
    in which they differ most, which is their address.
    """
    if all(step.ref is not None for step in fit.values()):
        return "Id", {place: step.ref.id for place, step in fit.items() if step.ref is not None}
    if external_id is not None:
        return external_id, {place: keys[place] for place in fit}

    def texts(name: str) -> dict[int, str]:
        return {place: value for place, step in fit.items() if isinstance(value := step.values.get(name), str) and value.strip()}

    best = max(fields, key=lambda name: len({_plain(name, text) for text in texts(name).values()}), default="")
    return best, texts(best)


def _plain(key: str, value: str) -> str:
    return id15(value) if key == "Id" else value.strip().lower()


def _fits(value: Native) -> bool:
    return not isinstance(value, str) or (value != NULL and len(value) <= FIELD_CHARS)


def _cell(step: Step, name: str) -> str:
    """A create says nothing about what is blank: the org's defaults stand."""
    if name not in step.values:
        return ""
    value = step.values[name]
    if value is None or value == "":
        return "" if step.operation == "create" else NULL
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


# -- the job


def _carried_out(client: Client, sheet: Sheet, asked: dict[str, str], going: Mapping[int, Step]) -> Outcomes | None:
    """What came of a sheet; None where it was not taken. Raises as long as the job was surely not set going."""
    id = _prepared(client, sheet.content, asked)
    if id is None:
        return None
    with suppress(MaybeDone):  # its state tells
        jobs.set_going(client, id)
    try:
        return _told(client, id, sheet, going)
    except StagesyncError as lost:
        return dict.fromkeys(sheet.places.values(), Unknown(lost.what))


def _prepared(client: Client, content: bytes, asked: dict[str, str]) -> str | None:
    """A job that has its rows. Whether a lost upload arrived cannot be known: it is left lying, and does nothing."""
    for attempt in range(_TRIES):
        id = jobs.make(client, "ingest", dict(asked))
        if id is None:
            return None
        try:
            if jobs.give(client, id, content):
                return id
        except MaybeDone:
            jobs.abort(client, "ingest", id)
            if attempt == _TRIES - 1:
                raise
        else:
            jobs.abort(client, "ingest", id)
            return None
    return None


def _told(client: Client, id: str, sheet: Sheet, going: Mapping[int, Step]) -> Outcomes | None:
    """What the results say of each row. A job that failed before its first row (a column that is not there) is as good as not taken."""
    told = jobs.ended(client, "ingest", id)
    for _ in range(_TRIES):
        if told.state != "Open":
            break
        with suppress(MaybeDone):
            jobs.set_going(client, id)  # what was lost was this very call
        told = jobs.ended(client, "ingest", id)
    if told.state not in jobs.ENDED:
        told = jobs.forced(client, "ingest", id)
    found: Outcomes = dict.fromkeys(sheet.places.values(), Unknown("no result of the job tells of this row"))
    for place, _ in _rows(client, id, "unprocessedrecords", sheet):
        found[place] = Deferred("the job ended before it came to this row", _SOON_S)
    if told.state == "Failed" and told.processed == 0 and all(isinstance(each, Deferred) for each in found.values()):
        return None
    for place, row in _rows(client, id, "failedResults", sheet):
        found[place] = _refused(row.get("sf__Error") or "")
    for place, row in _rows(client, id, "successfulResults", sheet):
        found[place] = done(going[place].kind, going[place].ref, row.get("sf__Id"))
    return found


def _rows(client: Client, id: str, which: str, sheet: Sheet) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a result that are ours, with their places."""
    for row in jobs.results(client, id, which):
        place = sheet.places.get(_plain(sheet.key, row.get(sheet.key) or ""))
        if place is not None:
            yield place, row


def _refused(error: str) -> Outcome:
    """`CODE:message:fields --`, as failed results have it; the message may have colons of its own."""
    code, _, rest = error.removesuffix("--").strip().partition(":")
    message, _, fields = rest.rpartition(":")
    return outcome(Refusal(code or "UNKNOWN", message or fields, tuple(field.strip() for field in fields.split(",") if message and field.strip())))
