"""Saving records: create, change, delete and restore one row, with everything that an org does beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .duplicates import check_duplicates
from .errors import refused_row
from .fields import Row, SObject
from .history import track
from .org import Flow, Moment, Org
from .validate import cleaned


@dataclass(frozen=True)
class Manners:
    """How a change is to be made. `assign`: TRUE, FALSE or a rule's id, as `Sforce-Auto-Assign` has it; `allow_save`: pass duplicate rules that only alert."""

    by_hand: bool = False
    assign: str = "FALSE"
    allow_save: bool = False


BY_HAND = Manners(by_hand=True)


def create(org: Org, kind: str, values: Mapping[str, Any], moment: Moment, manners: Manners, id: str | None = None) -> str:
    """Save a new row and give its id. Raises Refused."""
    sobject = org.schema.objects[kind]
    if not sobject.creatable:
        raise refused_row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {kind} does not support create")
    org.strike(kind, None)
    given = {name: value for name, value in cleaned(org, sobject, values, creating=True, by_hand=manners.by_hand).items() if value is not None}
    row: Row = {**sobject.defaults, **_defaults(org, kind, moment), **given}
    row |= _assigned(org, kind, manners)
    row |= {"CreatedDate": given.get("CreatedDate", moment.stamp), "CreatedById": moment.user, **stamped(moment)}
    row["Id"] = "" if id is None else id
    row = _finished(org, kind, row, None, moment)
    check_unique(org, sobject, row)
    if not manners.by_hand:
        check_duplicates(org, kind, row, allow_save=manners.allow_save)
    row["Id"] = id or org.store.mint(kind)
    org.store.put(kind, row)
    track(org, kind, None, row, moment)
    _touch_person(org, kind, row, moment)
    _start_flows(org, kind, row["Id"])
    if kind == "Campaign":
        list_statuses(org, row["Id"], moment)
    return row["Id"]


def update(org: Org, kind: str, id: str, values: Mapping[str, Any], moment: Moment, manners: Manners) -> None:
    """Save changes to a row. Raises Refused."""
    sobject = org.schema.objects[kind]
    old = org.store.tables[kind].rows.get(id)
    if not sobject.updatable:
        raise refused_row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {kind} does not support update")
    if old is None:
        raise refused_row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
    if old.get("IsDeleted"):
        raise refused_row("ENTITY_IS_DELETED", "entity is deleted", status=404)
    if not manners.by_hand:
        org.check_shared(id)
    if old.get("IsConverted") and not org.habits.converted_leads_editable:
        raise refused_row("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    org.strike(kind, id)
    given = cleaned(org, sobject, values, creating=False, by_hand=manners.by_hand)
    changes = {**given, **_assigned(org, kind, manners)}
    if not org.habits.same_values_move_stamps and all(old.get(name) == value for name, value in changes.items()):
        return
    row = _finished(org, kind, {**old, **changes, **stamped(moment, old)}, old, moment)
    check_unique(org, sobject, row)
    org.store.put(kind, row)
    track(org, kind, old, row, moment)
    _start_flows(org, kind, id)


def delete(org: Org, kind: str, id: str, moment: Moment) -> None:
    """Put a row in the bin, with what hangs on it; objects without a bin lose it altogether. Raises Refused."""
    sobject = org.schema.objects[kind]
    old = org.store.tables[kind].rows.get(id)
    if not sobject.deletable:
        raise refused_row("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    if old is None:
        raise refused_row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
    if old.get("IsDeleted"):
        raise refused_row("ENTITY_IS_DELETED", "entity is deleted", status=404)
    org.strike(kind, id)
    if not sobject.soft_deletes:
        org.store.remove(kind, id)
        return
    bin_row(org, kind, old, moment)
    for child, link in CHILDREN.get(kind, ()):
        for row in org.store.tables[child].find(link, [id]):
            if not row.get("IsDeleted"):
                bin_row(org, child, row, moment)


def bin_row(org: Org, kind: str, row: Row, moment: Moment, changes: Mapping[str, Any] | None = None) -> None:
    """Mark one row as deleted."""
    org.store.put(kind, {**row, **stamped(moment, row), **(changes or {}), "IsDeleted": True})


def undelete(org: Org, kind: str, id: str, moment: Moment) -> None:
    """Take a row out of the bin, with what went there because of it. Raises Refused."""
    _, old = org.row(id)
    if not old.get("IsDeleted"):
        raise refused_row("UNDELETE_FAILED", "Entity is not in the recycle bin")
    stamp = old["SystemModstamp"]
    org.store.put(kind, {**old, **stamped(moment, old), "IsDeleted": False, "MasterRecordId": None})
    for child, link in CHILDREN.get(kind, ()):
        for row in org.store.tables[child].find(link, [id]):
            if row.get("IsDeleted") and row["SystemModstamp"] == stamp:
                org.store.put(child, {**row, **stamped(moment, row), "IsDeleted": False})


CHILDREN = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
    "Campaign": (("CampaignMember", "CampaignId"), ("CampaignMemberStatus", "CampaignId")),
}
"""What goes into the bin together with its parent."""


def stamped(moment: Moment, old: Row | None = None) -> Row:
    """The stamps of a change; never older than what the row already has, whenever it becomes visible."""
    before = old["SystemModstamp"] if old else ""
    return {"LastModifiedDate": max(moment.stamp, before), "LastModifiedById": moment.user, "SystemModstamp": max(moment.stamp, before)}


def check_unique(org: Org, sobject: SObject, row: Row) -> None:
    """Refuse a value that another live row has in a unique field. Raises DUPLICATE_VALUE."""
    for one in sobject.fields.values():
        value = row.get(one.name) if one.unique else None
        if value is None:
            continue
        for other in org.store.tables[sobject.name].find(one.name, [value]):
            if other["Id"] != row["Id"] and not other.get("IsDeleted") and (not one.case_sensitive or other[one.name] == value):
                raise refused_row("DUPLICATE_VALUE", f"duplicate value found: {one.name} duplicates value on record with id: {other['Id'][:15]}")


def _defaults(org: Org, kind: str, moment: Moment) -> Row:
    found: Row = {}
    for one in org.schema.objects[kind].fields.values():
        if one.name == "OwnerId":
            found["OwnerId"] = moment.user
        elif one.type == "picklist" and one.defaulted:
            found[one.name] = next((choice.value for choice in org.schema.values(org.schema.objects[kind], one) if choice.default), None)
        elif one.default is not None:
            found[one.name] = one.default
    return found


def _assigned(org: Org, kind: str, manners: Manners) -> Row:
    """Active assignment rules run on created and updated Leads unless the call says FALSE."""
    if kind != "Lead" or manners.by_hand or not org.habits.assignment_rules or manners.assign.upper() == "FALSE":
        return {}
    return {"OwnerId": org.queue}


def _start_flows(org: Org, kind: str, id: str) -> None:
    """Flows that run after the save, each in a transaction of its own, as the admin who switched them on."""
    for flow in org.flows:
        if flow.kind == kind:
            org.soon(partial(_run_flow, org, flow, id))


def _run_flow(org: Org, flow: Flow, id: str) -> None:
    row = org.store.tables[flow.kind].rows.get(id)
    if row is not None and not row.get("IsDeleted") and row.get(flow.field) in flow.rewrites:
        update(org, flow.kind, id, {flow.field: flow.rewrites[row[flow.field]]}, org.moment(org.admin), BY_HAND)


def _finished(org: Org, kind: str, row: Row, old: Row | None, moment: Moment) -> Row:
    """The row with what automation changes and what the platform derives."""
    for workflow in org.workflows:
        row = {**row, **workflow(kind, row)}
    derive = DERIVED.get(kind)
    return {**row, **derive(org, row, old, moment)} if derive else row


def person_name(row: Mapping[str, Any]) -> str:
    """The compound Name of a Lead, Contact or User."""
    return " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)


def _person(org: Org, row: Row, old: Row | None, moment: Moment) -> Row:
    return {"Name": person_name(row)}


def _opportunity(org: Org, row: Row, old: Row | None, moment: Moment) -> Row:
    if old is not None and old.get("StageName") == row.get("StageName"):
        return {}
    stage = next((one for one in org.store.tables["OpportunityStage"].rows.values() if one["ApiName"] == row.get("StageName")), None)
    moved: Row = {"LastStageChangeDate": moment.stamp} if old is not None else {}
    if stage is None:
        return moved
    given = row.get("Probability") if old is None or old.get("Probability") != row.get("Probability") else None
    probability = stage["DefaultProbability"] if given is None else given
    return {**moved, "IsClosed": stage["IsClosed"], "IsWon": stage["IsWon"], "ForecastCategory": stage["ForecastCategory"], "Probability": probability}


def _member(org: Org, row: Row, old: Row | None, moment: Moment) -> Row:
    """Given both a Lead and a Contact, only the Contact is kept. The campaign's list decides which statuses there are and which of them are responses;
    any other becomes the list's default (Salesforce Object Reference, CampaignMember)."""
    lead = None if row.get("ContactId") else row.get("LeadId")
    listed = {each["Label"]: each for each in org.store.tables["CampaignMemberStatus"].find("CampaignId", [str(row["CampaignId"])])}
    status = row.get("Status") if row.get("Status") in listed else next((label for label, each in listed.items() if each["IsDefault"]), "Sent")
    responded = status in listed and bool(listed[status]["HasResponded"])
    first = row.get("FirstRespondedDate") or (moment.stamp[:10] if responded else None)
    return {
        "LeadId": lead,
        "LeadOrContactId": row.get("ContactId") or lead,
        "Status": status,
        "HasResponded": responded,
        "FirstRespondedDate": first,
    }


def list_statuses(org: Org, campaign: str, moment: Moment) -> None:
    """A new campaign has two statuses to begin with."""
    for order, label in enumerate(("Sent", "Responded"), 1):
        answers = {"HasResponded": label == "Responded", "IsDefault": order == 1}
        create(org, "CampaignMemberStatus", {"CampaignId": campaign, "Label": label, "SortOrder": order, **answers}, moment, BY_HAND)


DERIVED = {"Lead": _person, "Contact": _person, "Opportunity": _opportunity, "CampaignMember": _member}


def _touch_person(org: Org, kind: str, row: Row, moment: Moment) -> None:
    """Whether a new child moves the person's SystemModstamp is not documented: a habit."""
    if not org.habits.child_moves_person or kind not in {"CampaignMember", "OpportunityContactRole"}:
        return
    id = row.get("ContactId") or row.get("LeadId")
    if id is not None:
        touch(org, id, moment)


def touch(org: Org, id: str, moment: Moment) -> None:
    """Internal automation moves SystemModstamp and nothing else."""
    kind, row = org.row(id)
    org.store.put(kind, {**row, "SystemModstamp": max(moment.stamp, row["SystemModstamp"])})
