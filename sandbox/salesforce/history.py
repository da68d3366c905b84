"""Field history: who changed a tracked field, when, from what to what."""

from __future__ import annotations

from .fields import Row
from .org import Moment, Org

HISTORIES = {"Lead": "LeadHistory", "Contact": "ContactHistory", "Opportunity": "OpportunityFieldHistory"}
SPOKEN = {"OwnerId": "Owner", "AccountId": "Account"}
"""Lookups are named without their Id in history."""

DATA_TYPES = {
    "string": "Text",
    "picklist": "DynamicEnum",
    "boolean": "Boolean",
    "email": "Email",
    "phone": "Phone",
    "datetime": "DateTime",
    "date": "DateOnly",
    "reference": "EntityId",
}


def track(org: Org, kind: str, old: Row | None, new: Row, moment: Moment) -> None:
    """Write the history rows of one change; nothing unless the org tracks a field of this object."""
    history = HISTORIES.get(kind)
    tracked = sorted(name.partition(".")[2] for name in org.habits.tracked_fields if name.startswith(f"{kind}."))
    if history is None or not tracked:
        return
    if old is None:
        note(org, kind, new["Id"], "created", moment)
        return
    for field in tracked:
        before, after = old.get(field), new.get(field)
        if before != after:
            type = org.schema.objects[kind].fields[field].type
            values = {"OldValue": before, "NewValue": after, "DataType": DATA_TYPES.get(type, "Text")}
            note(org, kind, new["Id"], SPOKEN.get(field, field), moment, values)


def note(org: Org, kind: str, id: str, field: str, moment: Moment, values: Row | None = None) -> None:
    """Write one history row, such as `created` or `leadConverted`."""
    history = HISTORIES[kind]
    row = {
        "Id": org.store.mint(history),
        "IsDeleted": False,
        f"{kind}Id": id,
        "Field": field,
        "DataType": "Text",
        "CreatedById": moment.user,
        "CreatedDate": moment.stamp,
    }
    org.store.put(history, {**row, **(values or {})})
