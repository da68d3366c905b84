"""Another sync tool at work between the two worlds, with rules of its own: what a company has running before it tries this program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.contacts import Author
from stagesync.sandbox.salesforce.world import SalesforceWorld

BY_TOOL = Author("SALESFORCE", "25200", None)
"""As HubSpot's own integration signs in the history of a property."""
FIELDS = {"phone": "Phone", "jobtitle": "Title", "company": "Company"}
STAGES = {
    "Open - Not Contacted": "lead",
    "Marketing Qualified": "marketingqualifiedlead",
    "Working - Contacted": "lead",
    "Sales Qualified": "salesqualifiedlead",
}
"""Salesforce's status -> HubSpot's stage. It knows no other way, and has no word of its own for an accepted lead."""


@dataclass
class SecondTool:
    """Copies every quarter of an hour. Of a field that differs, whichever side was edited since the last copy goes over; of two, Salesforce's.

    The stage goes from Salesforce to HubSpot only, whatever anybody did in HubSpot. It does not know the city, and makes no records.
    """

    hub: HubSpotWorld
    crm: SalesforceWorld
    copies: int = 0
    known: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @property
    def user(self) -> str:
        """Whose name its writes bear in Salesforce."""
        return self.crm.org.admin

    def copy(self) -> None:
        """One round."""
        leads = {str(row["Email"]).lower(): row for row in self.crm.rows("Lead") if row.get("Email") and not row.get("IsConverted")}
        for each in list(self.hub.contacts()):
            lead = leads.get(each["properties"].get("email", ""))
            if lead is not None:
                self._pair(each["id"], each["properties"], lead)

    def _pair(self, id: str, contact: Mapping[str, Any], lead: Mapping[str, Any]) -> None:
        known = self.known.setdefault(id, {})
        for there, here in FIELDS.items():
            mine, theirs = contact.get(there) or None, lead.get(here) or None
            if mine != theirs:
                if theirs != known.get(there, theirs) or mine == known.get(there, mine):
                    self.to_hubspot(id, {there: theirs or ""})
                    mine = theirs
                else:
                    self.to_salesforce(lead["Id"], {here: mine})
            known[there] = mine
        stage = STAGES.get(str(lead.get("Status")))
        if stage is not None and contact.get("lifecyclestage") != stage:
            self.to_hubspot(id, {"lifecyclestage": stage})

    def to_hubspot(self, id: str, values: Mapping[str, str]) -> None:
        """A write of its own there."""
        portal = self.hub.portal
        contact = portal.store.find(int(id))
        assert contact is not None
        portal.store.change(contact, dict(values), portal.now(), BY_TOOL, {}, lag=False)
        self.copies += 1

    def to_salesforce(self, id: str, values: Mapping[str, Any]) -> None:
        """A write of its own there."""
        self.crm.edit(id, values, by=self.user)
        self.copies += 1
