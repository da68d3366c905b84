"""Conversion of a Lead: an Account, a Contact, an Opportunity and the Contact's role in it, all in one moment (SOAP API, convertLead())."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .errors import refused_row
from .fields import Row
from .history import note, track
from .org import Moment, Org
from .writes import BY_HAND, create, person_name, stamped

_PERSON = (
    "LastName",
    "FirstName",
    "Salutation",
    "Title",
    "Phone",
    "MobilePhone",
    "Fax",
    "Email",
    "Description",
    "LeadSource",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "DoNotCall",
)
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
TO_CONTACT = {**{name: name for name in _PERSON}, **{name: f"Mailing{name}" for name in _ADDRESS}}
TO_ACCOUNT = {
    "Company": "Name",
    **{name: name for name in ("Phone", "Fax", "Website", "Industry", "Rating", "AnnualRevenue", "NumberOfEmployees")},
    "LeadSource": "AccountSource",
    **{name: f"Billing{name}" for name in _ADDRESS},
}
TO_OPPORTUNITY = {"LeadSource": "LeadSource"}


@dataclass(frozen=True)
class Conversion:
    """How to convert. Ids of existing records merge the Lead into them; Without `status` and `owner`: the org's first converted status, the Lead's owner."""

    lead: str
    status: str | None = None
    account: str | None = None
    contact: str | None = None
    opportunity: bool = True
    opportunity_name: str | None = None
    owner: str | None = None
    overwrite_source: bool = False


@dataclass(frozen=True)
class Converted:
    """The ids that a conversion led to."""

    account: str
    contact: str
    opportunity: str | None


def convert(org: Org, asked: Conversion, moment: Moment) -> Converted:
    """Convert a Lead. Nothing has changed if it raises Refused."""
    kind, lead = org.row(asked.lead)
    _check(org, kind, lead, asked)
    status = asked.status or next(row["ApiName"] for row in org.store.tables["LeadStatus"].rows.values() if row["IsConverted"])
    owner = asked.owner or lead["OwnerId"]
    contact_row = org.store.tables["Contact"].rows.get(asked.contact or "")
    account = asked.account or (contact_row or {}).get("AccountId")
    values = {"OwnerId": owner}
    if account is None:
        account = create(org, "Account", {**_mapped(org, lead, "Account", TO_ACCOUNT), **values}, moment, BY_HAND)
    else:
        _fill(org, "Account", account, _mapped(org, lead, "Account", TO_ACCOUNT), asked, moment)
    if asked.contact is None:
        contact = create(org, "Contact", {**_mapped(org, lead, "Contact", TO_CONTACT), **values, "AccountId": account}, moment, BY_HAND)
    else:
        contact = asked.contact
        _fill(org, "Contact", contact, {**_mapped(org, lead, "Contact", TO_CONTACT), "AccountId": account}, asked, moment)
    opportunity = _opportunity(org, lead, asked, owner, account, contact, moment) if asked.opportunity else None
    _close(org, lead, status, Converted(account, contact, opportunity), moment)
    return Converted(account, contact, opportunity)


def _check(org: Org, kind: str, lead: Row, asked: Conversion) -> None:
    if kind != "Lead" or lead.get("IsDeleted"):
        raise refused_row("INVALID_ID_FIELD" if kind != "Lead" else "ENTITY_IS_DELETED", "only a live Lead can be converted")
    if lead.get("IsConverted"):
        raise refused_row("CANNOT_UPDATE_CONVERTED_LEAD", "lead already converted")
    if asked.status is not None and not any(row["ApiName"] == asked.status and row["IsConverted"] for row in org.store.tables["LeadStatus"].rows.values()):
        raise refused_row("INVALID_STATUS", f"invalid convertedStatus: {asked.status}")
    if not (asked.owner or lead["OwnerId"]).startswith("005"):
        raise refused_row("CANNOT_CONVERT_UNOWNED_LEAD", "a Lead of a queue needs an owner: accounts and contacts cannot belong to a queue")
    for kind, id in (("Account", asked.account), ("Contact", asked.contact)):
        found = org.store.tables[kind].rows.get(id) if id else None
        if id and (found is None or found.get("IsDeleted")):
            raise refused_row("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {id}")


def _mapped(org: Org, lead: Row, target: str, standard: Mapping[str, str]) -> Row:
    custom = {source: name for source, (kind, name) in org.schema.conversion.items() if kind == target}
    found = {name: lead.get(source) for source, name in {**standard, **custom}.items() if name in org.schema.objects[target].fields}
    return {name: value for name, value in found.items() if value is not None}


def _fill(org: Org, kind: str, id: str, values: Row, asked: Conversion, moment: Moment) -> None:
    """An existing record gets only what it lacks. A false opt-out is not empty, so the Lead's may be lost: a habit."""
    old = org.store.tables[kind].rows[id]
    fresh = {name: value for name, value in values.items() if old.get(name) is None and name != "LastName"}
    if asked.overwrite_source and "LeadSource" in values:
        fresh["LeadSource"] = values["LeadSource"]
    if org.habits.conversion_keeps_opt_out and values.get("HasOptedOutOfEmail"):
        fresh["HasOptedOutOfEmail"] = True
    row = {**old, **fresh, **stamped(moment, old)}
    if kind == "Contact":
        row["Name"] = person_name(row)
    org.store.put(kind, row)
    track(org, kind, old, row, moment)


def _opportunity(org: Org, lead: Row, asked: Conversion, owner: str, account: str, contact: str, moment: Moment) -> str:
    stage = next(choice.value for choice in org.stage_choices() if choice.active)
    name = (asked.opportunity_name or f"{lead.get('Company') or lead['Name']}-")[:120]
    values = {
        **_mapped(org, lead, "Opportunity", TO_OPPORTUNITY),
        "Name": name,
        "AccountId": account,
        "OwnerId": owner,
        "StageName": stage,
        "CloseDate": _quarter_end(moment),
    }
    opportunity = create(org, "Opportunity", values, moment, BY_HAND)
    org.store.put("Opportunity", {**org.store.tables["Opportunity"].rows[opportunity], "ContactId": contact})
    create(org, "OpportunityContactRole", {"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": True}, moment, BY_HAND)
    return opportunity


def _quarter_end(moment: Moment) -> str:
    today = date.fromisoformat(moment.stamp[:10])
    month = (today.month - 1) // 3 * 3 + 3
    return f"{today.year}-{month:02d}-{31 if month in {3, 12} else 30}"


def _close(org: Org, lead: Row, status: str, made: Converted, moment: Moment) -> None:
    ids = {"ConvertedAccountId": made.account, "ConvertedContactId": made.contact, "ConvertedOpportunityId": made.opportunity}
    row = {**lead, **stamped(moment, lead), **ids, "IsConverted": True, "ConvertedDate": moment.stamp[:10], "Status": status, "IsUnreadByOwner": False}
    org.store.put("Lead", row)
    track(org, "Lead", lead, row, moment)
    if any(name.startswith("Lead.") for name in org.habits.tracked_fields):
        note(org, "Lead", lead["Id"], "leadConverted", moment)
    for child, link in (("CampaignMember", "LeadId"),):
        for member in org.store.tables[child].find(link, [lead["Id"]]):
            stamps = stamped(moment, member) if org.habits.conversion_moves_members else {}
            org.store.put(child, {**member, **stamps, "ContactId": made.contact, "LeadOrContactId": made.contact})
