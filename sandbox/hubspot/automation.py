"""Workflows of the portal's own: they rewrite a property a moment after a contact was saved, by whomever, and are recorded as automation."""

from __future__ import annotations

from . import writing
from .contacts import Author
from .portal import Portal

BY_WORKFLOW = Author("AUTOMATION_PLATFORM", "enrollmentId:4711;actionExecutionIndex:0")


def run_due(portal: Portal) -> None:
    """Let the workflows run on the contacts that were saved before this moment. What they save themselves is looked at later, as in HubSpot."""
    if not portal.workflows:
        return
    now = portal.now()
    due = [number for at, number in portal.saved if at < now]
    portal.saved = [entry for entry in portal.saved if entry[0] >= now]
    for contact in [portal.store.live[number] for number in dict.fromkeys(due) if number in portal.store.live]:
        for workflow in portal.workflows:
            wanted = workflow.rewrites.get(contact.props.get(workflow.property, ""))
            if wanted is not None:
                writing.update(portal, contact, {workflow.property: wanted}, BY_WORKFLOW, by_api=False)
