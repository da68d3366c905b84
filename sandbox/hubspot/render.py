"""Contacts as the API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .contacts import Contact, history_json
from .derived import Getter, getter
from .instants import instant
from .portal import Portal

DEFAULTS = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")

Show = Callable[[Contact], dict[str, Any]]


def shower(portal: Portal, properties: Iterable[str], history: Sequence[str] = ()) -> Show:
    """A function that shows contacts with these properties: the undefined ones are silently absent, the empty ones null."""
    names = portal.seen([*(properties or DEFAULTS), *ALWAYS])
    told = portal.seen(history)
    special: list[tuple[str, Getter]] = []
    for name in names:
        read = getter(name)
        if read is not None and name not in ALWAYS:
            special.append((name, read))

    def show(contact: Contact) -> dict[str, Any]:
        get = contact.props.get
        created, updated = instant(contact.created_ms), instant(contact.updated_ms)
        values: dict[str, str | None] = {name: get(name) for name in names}
        for name, read in special:
            values[name] = read(contact)
        values["createdate"], values["lastmodifieddate"], values["hs_object_id"] = created, updated, contact.id
        shown: dict[str, Any] = {"id": contact.id, "properties": values}
        if history:
            shown["propertiesWithHistory"] = {name: history_json(contact.versions(name)) for name in told}
        shown["createdAt"], shown["updatedAt"], shown["archived"] = created, updated, contact.archived_ms is not None
        if contact.archived_ms is not None:
            shown["archivedAt"] = instant(contact.archived_ms)
        return shown

    return show


def written(portal: Portal, contact: Contact, given: Mapping[str, object], values: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a write: what was written, and what HubSpot made of it."""
    names = [*given, "email", "lifecyclestage", "hs_lifecyclestage_lead_date"]
    shown = shower(portal, [name for name in names if name in given or name in contact.props])(contact)
    if portal.habits.answer_echoes_ignored_stage and values.get("lifecyclestage"):
        shown["properties"]["lifecyclestage"] = values["lifecyclestage"]
    return shown
