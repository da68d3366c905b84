"""Anna, who has two Leads in an office's org, and what the state knows of its records."""

from __future__ import annotations

from typing import Any

from office import Office

from stagesync.state import links
from stagesync.state.links import LinkRow

ANNA = "anna@a.example"
LEAD = {"Email": ANNA, "FirstName": "Anna", "LastName": "Ash", "Company": "Acme", "Phone": "+49 30 1234567"}


def leads(office: Office, **differs: Any) -> tuple[str, str]:
    """Two Leads with Anna's address, the older of which says something in another way. Gives the ids: (newer, older)."""
    older = office.crm.create("Lead", {**LEAD, **differs})
    office.later()
    return office.crm.create("Lead", dict(LEAD)), older


def records(office: Office) -> dict[str, LinkRow]:
    """What the state knows of Salesforce's records, by id."""
    session = office.session
    account = next(each.system.account for each in session.systems.values() if each.name == "crm")
    with session.store.read() as tx:
        return {row.ref: row for row in links.each(tx, session.workspace, account, 0, 100)}
