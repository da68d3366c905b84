"""Merge of up to three records of one object: the losers go into the bin and point at the winner (SOAP API, merge())."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import refused_row
from .history import track
from .org import Moment, Org
from .validate import cleaned
from .writes import bin_row, person_name, stamped

MOST_LOSERS = 2
LINKS = {
    "Contact": (("OpportunityContactRole", "ContactId"), ("CampaignMember", "ContactId"), ("Opportunity", "ContactId"), ("Lead", "ConvertedContactId")),
    "Lead": (("CampaignMember", "LeadId"),),
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Lead", "ConvertedAccountId")),
}
"""What points at a record and afterwards points at the winner."""


def merge(org: Org, winner: str, losers: Sequence[str], values: Mapping[str, Any], moment: Moment) -> None:
    """Merge the losers into the winner, which also gets `values`. Nothing has changed if it raises Refused."""
    kind, master = org.row(winner)
    sobject = org.schema.objects[kind]
    rows = [org.row(id) for id in losers]
    if not sobject.mergeable or not 1 <= len(losers) <= MOST_LOSERS or winner in losers or any(other != kind for other, _ in rows):
        raise refused_row("INVALID_MERGE_RECORD", f"merge takes one to {MOST_LOSERS} other records of one mergeable object")
    for row in (master, *(row for _, row in rows)):
        if row.get("IsDeleted"):
            raise refused_row("ENTITY_IS_DELETED", "entity is deleted")
        if row.get("IsConverted"):
            raise refused_row("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    chosen = cleaned(org, sobject, values, creating=False, by_hand=True)
    if org.habits.merge_keeps_opt_out and any(row.get("HasOptedOutOfEmail") for _, row in rows):
        chosen["HasOptedOutOfEmail"] = True
    merged = {**master, **chosen, **stamped(moment, master)}
    if kind != "Account":
        merged["Name"] = person_name(merged)
    for _, row in rows:
        bin_row(org, kind, row, moment, {"MasterRecordId": winner})
    org.store.put(kind, merged)
    track(org, kind, master, merged, moment)
    for child, link in LINKS[kind]:
        for row in org.store.tables[child].find(link, losers):
            still = child == "Lead" or (child == "OpportunityContactRole" and not org.habits.merge_moves_roles)
            moved = {**row, **({} if still else stamped(moment, row)), link: winner}
            org.store.put(child, {**moved, "LeadOrContactId": winner} if child == "CampaignMember" else moved)
