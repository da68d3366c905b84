"""Somebody takes back what a run wrote, and looks at what it is like then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from office import Office

from stagesync.state import leases
from stagesync.sync import engine
from stagesync.sync.engine import RunReport
from stagesync.sync.undoing.inverse import Refusal
from stagesync.sync.undoing.undo import UndoPlan, plan_undo

ANNA = "anna@a.example"
OWN = ("SystemModstamp", "LastModifiedDate", "LastModifiedById", "CreatedDate", "lastmodifieddate", "hs_lastmodifieddate", "createdate")


def planned(office: Office, run: int, only: Sequence[str] = ()) -> UndoPlan:
    """The inverse plan, a second later."""
    office.clock.at += 1
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        return plan_undo(office.session, run, only)


def undo(office: Office, run: int, only: Sequence[str] = ()) -> tuple[UndoPlan, RunReport]:
    """Undo a run, whatever guards say."""
    made = planned(office, run, only)
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        report = engine.apply(office.session, made.plan.run, planned=made.plan)
    assert report.error is None
    office.later()
    return made, report


def worlds(office: Office) -> dict[str, dict[str, Any]]:
    """All that somebody can see in the live records."""
    found = {f"hub {each['id']}": _shown(each["properties"]) for each in office.hub.contacts()}
    for kind in ("Lead", "Contact"):
        found |= {f"crm {row['Id']}": _shown(row) for row in office.crm.rows(kind)}
    return found


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "") and name not in OWN and not name.startswith("hs_")}


def reasons(refusals: Sequence[Refusal]) -> set[tuple[str, str, str]]:
    """System, field and reason."""
    return {(each.system, each.field, each.why) for each in refusals}


def both(office: Office, **more: str) -> tuple[str, str]:
    """One human in both systems, met and agreed."""
    contact = office.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Berg", "city": "Bonn", "lifecyclestage": "lead", **more})
    lead = office.crm.create("Lead", {"Email": ANNA, "FirstName": "Anna", "LastName": "Berg", "City": "Bonn", "Company": "A", "Status": "Open - Not Contacted"})
    office.quiet()
    office.later()
    return contact, lead
