"""Linking contacts to companies: the primary association of each.

`POST /crm/v4/associations/contacts/companies/batch/create` (dated versions: `/crm/associations/DATE/...`), with type 1, contact to primary company; a former
primary company stays associated, no longer as the primary one (HubSpot docs, Associations; default association types). The same pair twice is one. A new
contact brings its company along in the create. What is read of it is the property `associatedcompanyid`; whether that follows at once on a live account is not
documented: what lags is taken for a link that somebody took away, and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...model.records import Record, Ref
from ...model.writes import Applied, Deferred, Outcome, Rejected, Step, Unknown
from ..manners import MaybeDone, NotDone
from .client import Client
from .companies import LINK
from .errors import Forbidden, body, named, objects, rejection
from .read import BATCH, batch_read

PRIMARY: Mapping[str, Any] = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
_SOON_S = 5.0


def is_link(step: Step) -> bool:
    """The step links a contact that is there, or takes the link away; it writes nothing else."""
    return step.operation == "update" and LINK in step.values


def associations(company: object) -> list[dict[str, Any]]:
    """What a new contact brings along: its company, where it has one."""
    return [] if company is None else [{"to": {"id": str(company)}, "types": [PRIMARY]}]


def write(client: Client, steps: Sequence[Step]) -> list[Outcome]:
    """One outcome for each step, in their order."""
    parts = [steps[start : start + BATCH] for start in range(0, len(steps), BATCH)]
    return [outcome for part in client.abreast([partial(_written, client, part) for part in parts]) for outcome in part]


def _written(client: Client, steps: Sequence[Step]) -> list[Outcome]:
    linked = [step for step in steps if step.values[LINK] is not None]
    found: dict[int, Outcome] = {}
    try:
        found |= _sent(client, linked, "create", {step.id: _pair(step, str(step.values[LINK])) | {"types": [PRIMARY]} for step in linked})
        parted = [step for step in steps if step.values[LINK] is None]
        found |= _parted(client, parted) if parted else {}
    except Forbidden as error:
        found |= {step.id: Rejected("MISSING_SCOPES", error.what, LINK) for step in steps if step.id not in found}
    return [found[step.id] for step in steps]


def _parted(client: Client, steps: Sequence[Step]) -> dict[int, Outcome]:
    """To take a link away, one must name the company: it is looked up just before."""
    rows = batch_read(client, [_ref(step).id for step in steps], (LINK,))
    now = {row["id"]: row["properties"].get(LINK) for row in rows}
    there = {step.id: {"from": {"id": _ref(step).id}, "to": [{"id": str(now[_ref(step).id])}]} for step in steps if now.get(_ref(step).id)}
    alone = [step for step in steps if step.id not in there]
    return _sent(client, [step for step in steps if step.id in there], "archive", there) | {step.id: _applied(step) for step in alone}


def _sent(client: Client, steps: Sequence[Step], deed: str, inputs: Mapping[int, Mapping[str, Any]]) -> dict[int, Outcome]:
    if not steps:
        return {}
    try:
        rows = {"inputs": list(inputs.values())}
        path = f"{client.paths.associations}/contacts/companies/batch/{deed}"
        answer = client.call("POST", path, body=rows, repeatable=False, changes=True, silent=deed == "archive")
    except NotDone as trouble:
        return {step.id: Deferred(trouble.what, trouble.retry_after or _SOON_S) for step in steps}
    except MaybeDone as trouble:
        return {step.id: Unknown(trouble.what) for step in steps}
    if not answer.ok:
        return {step.id: _refused(body(answer)) for step in steps}
    return _told(steps, body(answer))


def _told(steps: Sequence[Step], told: Mapping[str, Any]) -> dict[int, Outcome]:
    """What came of each. HubSpot names what it did, and what it refused in prose only (`CONTACT=1234 is not valid`, in a public recording): of several rows
    that are left nobody can say which it means, and the next look tells."""
    errors = objects(told, "errors")
    if not errors:
        return {step.id: _applied(step) for step in steps}
    refused = {id: _refused(error) for error in errors for id in (*named(error, "fromObjectId"), *named(error, "ids"))}
    done = {(str(row.get("fromObjectId")), str(row.get("toObjectId"))) for row in objects(told, "results")}
    found: dict[int, Outcome] = {step.id: refused[_ref(step).id] for step in steps if _ref(step).id in refused}
    found |= {step.id: _applied(step) for step in steps if step.id not in found and (_ref(step).id, str(step.values[LINK])) in done}
    left = [step for step in steps if step.id not in found]
    if len(left) == len(errors) == 1:
        return found | {left[0].id: _refused(errors[0])}
    return found | {step.id: Unknown("HubSpot refused some of the links without naming them") for step in left}


def _refused(error: Mapping[str, Any]) -> Rejected:
    """Whichever of the two is not there, the contact is looked at by the next read."""
    found = rejection(error)
    return Rejected(found.code, found.reason, LINK)


def _applied(step: Step) -> Applied:
    return Applied(_ref(step), Record(_ref(step), 0, {LINK: step.values[LINK]}))


def _pair(step: Step, company: str) -> dict[str, Any]:
    return {"from": {"id": _ref(step).id}, "to": {"id": company}}


def _ref(step: Step) -> Ref:
    if step.ref is None:
        raise ValueError(f"step {step.id} links a record and names none")
    return step.ref
