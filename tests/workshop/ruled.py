"""An office under qualification rules, and Anna, a lead whom they may move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from office import Office

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.policy import Policy
from stagesync.lifecycle.presets import default_funnel
from stagesync.lifecycle.rules.rulebook import read_rulebook

ANNA = "anna@a.example"
FITS = {"name": "fits", "stage": "mql", "when": "job_title == 'CEO'", "else_reason": "not an executive", "mode": "apply"}


def ruled(store_url: str, *rules: dict[str, Any], authority: Authority | None = None) -> Office:
    """An office under these rules."""
    mistakes: list[str] = []
    book = read_rulebook(
        {"qualify": list(rules)}, default_funnel(), ["job_title", "city", "email"], str, lambda path, what, _: mistakes.append(f"{path}: {what}")
    )
    assert book is not None and not mistakes
    office = Office(store_url)
    office.session = replace(office.session, desk=replace(office.session.desk, policy=Policy(authority=authority, rules=book)))
    return office


def lead(office: Office, **values: str) -> str:
    """A lead in HubSpot who is in Salesforce too; gives the contact's id."""
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead", **values})
    office.run()
    office.later()
    return contact


def stage(office: Office) -> Any:
    """The stage in HubSpot."""
    return office.contact(ANNA)["lifecyclestage"]
