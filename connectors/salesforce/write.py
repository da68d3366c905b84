"""Writing: sObject Collections of 200, one call each, with an outcome per row; many rows go by a job (`bulk`).

An answer of HTTP 200 says nothing: every row tells its own success (REST API Developer Guide, sObject Collections). What a lost answer leaves open is
`Unknown`, because a repeated create makes a second record; only a create by external id is repeated, which then finds its own record. A call that is refused
as a whole wrote nothing: it is sent again without the rows at fault, or in halves (`connectors.splitting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson

from ...model.errors import StagesyncError
from ...model.records import Gone, Moved
from ...model.writes import Deferred, Outcome, Rejected, Step, Unknown
from ..manners import Answer, MaybeDone, NotDone
from ..splitting import Outcomes, Refusal, in_turn
from . import bulk
from .client import Client, Method
from .errors import UNPARSED, done, holds, is_elsewhere, outcome, refusal, whole_refusal
from .fetch import whereabouts
from .rows import OBJECTS, id15
from .settings import SalesforceSettings

SIZE = 200
"""Rows of one collection."""

KEY_LENGTH = 50
"""Characters that `key_of` may need."""

_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Request:
    """One collection as it is sent."""

    method: Method
    path: str
    body: Any
    repeatable: bool


def batch(step: Step) -> tuple[str, int]:
    """Steps of one operation on one object travel together."""
    return f"{step.operation}:{OBJECTS[step.kind]}", SIZE


def key_of(step: Step) -> str:
    """The external id of the record that a create makes: the same for the same step and for no other, even where a new state counts its actions from one."""
    content = orjson.dumps([step.kind, dict(step.values)], option=orjson.OPT_SORT_KEYS)
    return f"stagesync-{step.id}-{blake2b(content, digest_size=10).hexdigest()}"


def headers(settings: SalesforceSettings) -> Mapping[str, str]:
    """Without these, the org's active assignment rules would give an updated Lead to somebody else (REST API Developer Guide, Assignment Rule Header)."""
    chosen = {"Sforce-Auto-Assign": "TRUE" if settings.auto_assign else "FALSE"}
    return {**chosen, "Sforce-Duplicate-Rule-Header": "allowSave=true"} if settings.save_duplicates else chosen


def write(client: Client, steps: Sequence[Step], settings: SalesforceSettings, *, upsert: bool, converted: frozenset[str], job: bool) -> list[Outcome]:
    """Send the steps in one call, and again only where it was refused as a whole; one outcome each, in their order.

    `job`: by a job, as far as they fit into one. `upsert`: the object has the external id field. `converted`: the lead statuses that mean converted;
    setting one converts nothing, so it is refused here.
    Never sent either: a second step for the same record, of which the vendor would process only some.
    """
    found: dict[int, Outcome] = {}
    sent: list[tuple[int, Step]] = []
    taken: set[str] = set()
    for place, step in enumerate(steps):
        refused = _refused(step, taken, converted)
        if refused is not None:
            found[place] = refused
            continue
        sent.append((place, _own(step)))
        if step.ref is not None:
            taken.add(id15(step.ref.id))
    if sent:
        found |= _delivered(client, dict(sent), settings, settings.external_id_field if upsert else None, job=job)
    return [found[place] for place in range(len(steps))]


def _own(step: Step) -> Step:
    """Without what stands on a related record: it is read through the link to that, and changes with it."""
    if not any("." in name for name in step.values):
        return step
    return replace(step, values={name: value for name, value in step.values.items() if "." not in name})


def _delivered(client: Client, going: Mapping[int, Step], settings: SalesforceSettings, external_id: str | None, *, job: bool) -> Outcomes:
    """By a job what fits into one, the rest in collections. What stops everything is raised only where surely nothing was done."""
    found: Outcomes = {}
    if job:
        keys = {place: key_of(step) for place, step in going.items()} if external_id is not None else {}
        found = bulk.deliver(client, going, keys, external_id)
        found |= dict(zip(found, _looked_up(client, [going[place] for place in found], list(found.values())), strict=True)) if found else {}

    def send(places: Sequence[int]) -> Outcomes | Refusal:
        some = [going[place] for place in places]
        told = _send(client, _request(some, external_id), some, settings)
        return dict(zip(places, told, strict=True)) if isinstance(told, list) else _refusal(places, some, told)

    return found | in_turn([place for place in going if place not in found], SIZE, send, begun=bool(found))


def _refused(step: Step, taken: set[str], converted: frozenset[str]) -> Outcome | None:
    if step.kind == "lead" and step.operation != "archive" and step.values.get("Status") in converted:
        return Rejected("CONVERTED_STATUS", "this status means converted: only a conversion in Salesforce may set it", "Status")
    if step.ref is not None and id15(step.ref.id) in taken:
        return Deferred("the record is in this batch already", 0.0)
    return None


def _request(steps: Sequence[Step], external_id: str | None) -> _Request:
    first = steps[0]
    kind = {"type": OBJECTS[first.kind]}
    match first.operation:
        case "create" if external_id is not None:
            rows = [{"attributes": kind, **_filled(step), external_id: key_of(step)} for step in steps]
            path = f"composite/sobjects/{OBJECTS[first.kind]}/{external_id}"
            return _Request("PATCH", path, {"allOrNone": False, "records": rows}, repeatable=True)
        case "create":
            rows = [{"attributes": kind, **_filled(step)} for step in steps]
            return _Request("POST", "composite/sobjects", {"allOrNone": False, "records": rows}, repeatable=False)
        case "update":
            rows = [{"attributes": kind, "id": step.ref.id if step.ref else None, **step.values} for step in steps]
            return _Request("PATCH", "composite/sobjects", {"allOrNone": False, "records": rows}, repeatable=False)
        case "archive":
            ids = ",".join(step.ref.id for step in steps if step.ref)
            return _Request("DELETE", f"composite/sobjects?ids={ids}&allOrNone=false", None, repeatable=False)


def _filled(step: Step) -> dict[str, Any]:
    """A create says nothing about what is blank: the org's defaults stand."""
    return {name: value for name, value in step.values.items() if value is not None}


def _send(client: Client, request: _Request, steps: Sequence[Step], settings: SalesforceSettings) -> list[Outcome] | Answer:
    """The outcomes, or the answer that refuses the whole call."""
    try:
        answer = client.call(request.method, request.path, request.body, repeatable=request.repeatable, changes=True, headers=headers(settings))
    except NotDone as trouble:
        return [Deferred(trouble.what, trouble.retry_after or _WAIT_S) for _ in steps]
    except MaybeDone as trouble:
        return [Unknown(trouble.what) for _ in steps]
    if not answer.ok:
        return answer
    return _looked_up(client, steps, _rows(answer, steps))


def _refusal(places: Sequence[int], steps: Sequence[Step], answer: Answer) -> Refusal:
    """Salesforce names a field that is not there. What it cannot parse it does not place, so that only halves find it; anything else concerns all rows."""
    refused = whole_refusal(answer)
    verdict = outcome(refused)
    holding = {place for place, step in zip(places, steps, strict=True) if holds(refused, step.values)}
    parsed = refused.code != UNPARSED or isinstance(verdict, Deferred)
    return Refusal(holding or (places if parsed else ()), lambda _: verdict, of_all=bool(holding) or parsed)


def _rows(answer: Answer, steps: Sequence[Step]) -> list[Outcome]:
    rows = answer.data
    if not isinstance(rows, list) or len(rows) != len(steps):
        return [Unknown("the answer does not have one result per row") for _ in steps]
    return [_outcome(step, row) for step, row in zip(steps, rows, strict=True)]


def _outcome(step: Step, row: Any) -> Outcome:
    if not isinstance(row, dict) or "success" not in row:
        return Unknown("the row's result cannot be read")
    if row["success"]:
        return done(step.kind, step.ref, row.get("id"))
    errors = row.get("errors")
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return Rejected("UNKNOWN", "refused without a reason")
    return outcome(refusal(errors[0]))


def _looked_up(client: Client, steps: Sequence[Step], found: list[Outcome]) -> list[Outcome]:
    """Tell of refused rows whose record is elsewhere where it is now. A failed look takes nothing from what the answer told."""
    asked = [step.ref.id for step, each in zip(steps, found, strict=True) if step.ref and is_elsewhere(each)]
    if not asked:
        return found
    try:
        seen = whereabouts(client, steps[0].kind, asked)
    except StagesyncError:
        seen = {}
    return [_placed(each, seen.get(id15(step.ref.id))) if step.ref and is_elsewhere(each) else each for step, each in zip(steps, found, strict=True)]


def _placed(refused: Rejected, seen: Gone | Moved | None) -> Rejected:
    match seen:
        case Moved():
            return replace(refused, moved=seen.to)
        case Gone():
            return replace(refused, gone=True)
        case None:
            return replace(refused, gone=refused.code == "ENTITY_IS_DELETED")
