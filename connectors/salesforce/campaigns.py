"""Responses to campaigns: each CampaignMember is an event about a Lead or Contact, in a row of its own.

A member's change moves no stamp of the person's (Salesforce Object Reference, System Fields), so it has a feed of its own. On conversion members go over to
the Contact; they are the same events there, because an event is known by the member's id and its status.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from ...model.records import Ref, Sighting, Signal
from .client import Client
from .cursor import Position
from .errors import NOT_FOR_US, Closed, Hidden
from .paging import Part, parts
from .rows import Row, id18, stamp_ms, whole

POSITION = "campaign"
"""The name of this feed's place in the cursor."""

_MEMBERS = "CampaignMember"
_COLUMNS = (
    *("Id", "SystemModstamp", "IsDeleted", "LeadId", "ContactId", "Status", "HasResponded", "FirstRespondedDate", "CreatedDate"),
    *("Campaign.Name", "Campaign.Type"),
)


def members(client: Client, position: Position | None, overlap_s: int) -> Iterator[Part | str]:
    """The pages of members: all, or what changed. None where the org has no campaigns or this user may not see them: there are no such events then.

    Where it refuses the query for another reason, a sentence that says so takes the place of what is missing.
    """
    try:
        yield from parts(client, _MEMBERS, _COLUMNS, position or Position(), overlap_s)
    except (Closed, Hidden):
        return
    except NOT_FOR_US as refused:
        yield f"responses to campaigns cannot be read: {refused.what}"


def sightings(rows: list[Row], source: str, zone: str) -> list[Sighting]:
    """The events; a member that was taken out of its campaign says nothing more."""
    return [found for row in whole(rows, source, ("CreatedDate",)) if not row.get("IsDeleted") and (found := _sighting(row, source, zone)) is not None]


def _sighting(row: Row, source: str, zone: str) -> Sighting | None:
    """Given both, the Contact is whom the Lead became."""
    kind, id = ("contact", row["ContactId"]) if row.get("ContactId") else ("lead", row.get("LeadId"))
    if id is None:
        return None
    campaign = row.get("Campaign") or {}
    status = row.get("Status")
    attributes = {"campaign": campaign.get("Name"), "campaign_type": campaign.get("Type"), "status": status, "responded": bool(row.get("HasResponded"))}
    return Sighting(Ref(kind, id18(id)), Signal("campaign", _happened(row, zone), source, f"{id18(row['Id'])}:{status}", attributes))


def _happened(row: Row, zone: str) -> int:
    """When the person responded, or was made a member. The response has a day only, in the org's zone, and is never before the member was there."""
    made = stamp_ms(row["CreatedDate"])
    day = row.get("FirstRespondedDate")
    if not row.get("HasResponded") or not day:
        return made
    return max(made, int(datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone)).timestamp() * 1000))
