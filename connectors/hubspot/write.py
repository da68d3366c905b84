"""Writing contacts: batch calls, several under way at once, and every row of their answers accounted for.

A 2xx of HubSpot can hide rows that were not written, so inputs = results + errors, or else the rows left over are looked at (updates)
or unknown (creates). Rows are recognised by the trace id that we send with them, or by their record id, never by their place.
A call that is refused as a whole wrote nothing: it is sent again without the rows at fault, or in halves (`connectors.splitting`).

An update by an id that was merged away is lost without a word: the look finds the new id, and the row is refused with `moved`.
What is raised here was surely not done; once anything may have been done, every row gets an outcome.

A stage that is set by an update is never believed from the answer (`stored` is None): HubSpot ignores a stage going backward and may
show the value that it did not take.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from ...model.errors import StagesyncError
from ...model.records import Gone, Moved, Present, Record, Ref
from ...model.writes import Applied, Deferred, Outcome, Rejected, Step, Unknown
from ..manners import Answer, MaybeDone, NotDone
from ..splitting import Outcomes, Refusal, at_once
from . import consent
from .client import Client
from .companies import LINK
from .errors import KIND, bad_values, body, named, objects, rejection
from .imports.passage import Passage
from .links import associations
from .read import BATCH, fetch
from .rows import is_stamped, record_of, sent_values

STAGE = "lifecyclestage"

_SOON_S = 5.0


def write(client: Client, steps: Sequence[Step], fields: Collection[str] = (), passage: Passage | None = None) -> list[Outcome]:
    """Send the steps, all of one operation, and give one outcome each, in their order. `passage`: new contacts go by imports, as far as they can.

    What is told as stored is what the step wrote and, as far as the answer shows them, `fields`: not HubSpot's own bookkeeping.
    """
    places, done = _distinct(steps)
    imported = passage.deliver({place: steps[place] for place in places}, fields) if passage is not None else {}
    places = [place for place in places if place not in imported]
    try:
        done |= imported | _by_batches(client, steps, places)
    except StagesyncError as stop:
        if not imported:
            raise
        done |= imported | dict.fromkeys(places, Deferred(stop.what, _SOON_S))
    return [_trimmed(steps[place], done[place], fields) for place in range(len(steps))]


def _by_batches(client: Client, steps: Sequence[Step], places: Sequence[int]) -> Outcomes:
    done = _opted_out_first(client, steps, places)
    places = [place for place in places if place not in done]
    return done | (at_once(places, BATCH, lambda some: _send(client, steps, some), client.abreast) if places else {})


def _trimmed(step: Step, outcome: Outcome, fields: Collection[str]) -> Outcome:
    if not isinstance(outcome, Applied) or outcome.stored is None:
        return outcome
    stored = outcome.stored
    values = {name: value for name, value in stored.values.items() if name in step.values or name in fields}
    return Applied(outcome.ref, Record(stored.ref, stored.stamp, values))


def _distinct(steps: Sequence[Step]) -> tuple[list[int], Outcomes]:
    """The steps that may travel together: HubSpot does not apply two rows for one record in their order, so the second one waits."""
    seen: set[Ref] = set()
    places: list[int] = []
    waiting: Outcomes = {}
    for place, step in enumerate(steps):
        if step.ref is not None and step.ref in seen:
            waiting[place] = Deferred("another change of the same record travels in this batch", 0.0)
            continue
        if step.ref is not None:
            seen.add(step.ref)
        places.append(place)
    return places, waiting


def _opted_out_first(client: Client, steps: Sequence[Step], places: Sequence[int]) -> Outcomes:
    """A new contact that has opted out must not be mailable for a moment: its address goes first. What came of those where that failed."""
    created = [place for place in places if steps[place].operation == "create" and steps[place].values.get(consent.OPT_OUT)]
    outcomes = client.abreast([partial(consent.first, client, steps[place]) for place in created]) if created else []
    return {place: outcome for place, outcome in zip(created, outcomes, strict=True) if outcome is not None}


def _send(client: Client, steps: Sequence[Step], places: Sequence[int]) -> Outcomes | Refusal:
    """One call for these steps."""
    operation = steps[places[0]].operation
    path, rows = f"{client.paths.contacts}/batch/{operation}", {"inputs": [_input(steps[place]) for place in places]}
    try:
        answer = client.call("POST", path, body=rows, repeatable=False, changes=True, silent=operation == "archive")
    except NotDone as trouble:
        return dict.fromkeys(places, Deferred(trouble.what, trouble.retry_after if trouble.retry_after is not None else _SOON_S))
    except MaybeDone as trouble:
        return dict.fromkeys(places, Unknown(trouble.what))
    if not answer.ok:
        return _refusal(client, steps, places, answer)
    if operation == "archive":  # an empty answer; an id that is unknown is no error either
        return {place: Applied(_ref(steps[place])) for place in places}
    return _reconciled(client, steps, places, body(answer))


def _refusal(client: Client, steps: Sequence[Step], places: Sequence[int], answer: Answer) -> Refusal:
    """The whole call was refused (400, 404, 409). HubSpot names the property, and the value where that is at fault."""
    error = body(answer)

    def verdict(place: int) -> Outcome:
        if len(places) > 1:
            return rejection(error, steps[place].values)
        return _named_rejection(client, steps[place], error, absent=answer.status == 404)

    guilty = {place for place in places if _is_guilty(steps[place], error)}
    return Refusal(guilty, verdict, of_all=bool(guilty) and _concerns_all(error))


def _input(step: Step) -> dict[str, Any]:
    if step.operation == "archive":
        return {"id": _ref(step).id}
    if step.operation == "create":
        apart = (consent.OPT_OUT, LINK)  # said by the address already, and what is no property to write
        given = {name: value for name, value in step.values.items() if value is not None and name not in apart}
        return {"objectWriteTraceId": str(step.id), "properties": sent_values(given), "associations": associations(step.values.get(LINK))}
    return {"id": _ref(step).id, "objectWriteTraceId": str(step.id), "properties": sent_values(step.values)}


def _ref(step: Step) -> Ref:
    if step.ref is None:
        raise ValueError(f"step {step.id} changes a record and names none")
    return step.ref


def _is_guilty(step: Step, error: Mapping[str, Any]) -> bool:
    """The row has a property that is named as bad, with that value where the value is told."""
    sent = sent_values(step.values)
    return any(bad.name in sent and bad.value in (None, sent[bad.name]) for bad in bad_values(error))


def _concerns_all(error: Mapping[str, Any]) -> bool:
    """The fault lies in the property itself, whatever its value."""
    return any(bad.code in ("PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE") for bad in bad_values(error))


def _reconciled(client: Client, steps: Sequence[Step], places: Sequence[int], told: Mapping[str, Any]) -> Outcomes:
    """Results and errors matched to the steps; what is in neither is looked at, or unknown."""
    by_trace = {str(steps[place].id): place for place in places}
    by_ref = {step.ref.id: place for place in places if (step := steps[place]).ref is not None}
    found: Outcomes = {}
    for row in _whole(told):
        place = by_trace.get(str(row.get("objectWriteTraceId") or ""), by_ref.get(str(row.get("id"))))
        place = place if place is not None else _by_address(steps, places, row)
        if place is not None:
            found[place] = _applied(steps[place], row)
    nameless: list[Mapping[str, Any]] = []
    for error in objects(told, "errors"):
        traces, ids = named(error, "objectWriteTraceId"), [*named(error, "ids"), *named(error, "id")]
        meant = {by_trace[each] for each in traces if each in by_trace} | {by_ref[each] for each in ids if each in by_ref}
        for place in meant:
            found.setdefault(place, _named_rejection(client, steps[place], error))
        nameless += [] if meant else [error]
    left = [place for place in places if place not in found]
    if len(left) == len(nameless) == 1:
        return found | {left[0]: _named_rejection(client, steps[left[0]], nameless[0])}
    return found | _looked_at(client, steps, left) if left else found


def _whole(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that can be read; one that cannot counts as not mentioned."""
    return [row for row in objects(told, "results") if "id" in row and isinstance(row.get("properties"), dict)]


def _by_address(steps: Sequence[Step], places: Sequence[int], row: Mapping[str, Any]) -> int | None:
    """A created row without its trace id: its address is unique."""
    address = str(row["properties"].get("email") or "").strip().lower()
    if not address:
        return None
    return next((place for place in places if steps[place].ref is None and str(steps[place].values.get("email") or "").strip().lower() == address), None)


def _applied(step: Step, row: Mapping[str, Any]) -> Outcome:
    ref = Ref(KIND, str(row["id"]))
    if step.ref is not None and ref != step.ref:
        return Rejected("MERGED", "the contact was merged into another", moved=ref)
    unsure = not is_stamped(row) or (step.operation == "update" and step.values.get(STAGE) is not None)
    return Applied(ref, None if unsure else record_of(row, tuple(row["properties"])))


def _named_rejection(client: Client, step: Step, error: Mapping[str, Any], *, absent: bool = False) -> Outcome:
    """A refusal; a record that is not found (`absent`: by the answer's status) may live on under another id, which only a look can tell."""
    refused = rejection(error, step.values)
    if not (refused.gone or absent) or step.ref is None:
        return refused
    return _looked_at(client, [step], [0])[0]


def _looked_at(client: Client, steps: Sequence[Step], places: Sequence[int]) -> Outcomes:
    """What became of rows that an answer passes over in silence."""
    found: Outcomes = {place: Unknown("HubSpot's answer does not mention this row") for place in places}
    known = [place for place in places if steps[place].ref is not None]
    refs = [_ref(steps[place]) for place in known]
    names = sorted({name for place in known for name in steps[place].values})
    try:
        answers = fetch(client, refs, names, (), None)
    except StagesyncError:  # the write itself may have been done, and that must not be forgotten
        return found
    for place, seen in zip(known, answers, strict=True):
        match seen:
            case Moved(to=to):
                found[place] = Rejected("MERGED", "the contact was merged into another", moved=to)
            case Gone():
                found[place] = Rejected("OBJECT_NOT_FOUND", "the contact is no longer there", gone=True)
            case Present(record=record) if _stands(record, sent_values(steps[place].values)):
                found[place] = Applied(record.ref, record)
            case _:
                continue
    return found


def _stands(record: Record, sent: Mapping[str, str]) -> bool:
    """All of it stands there. What is hidden from us is not blank: it shows nothing."""
    return {name: value or None for name, value in sent.items()}.items() <= record.values.items()
