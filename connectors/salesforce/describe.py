"""What the org looks like: fields, options, rights, and what somebody should know about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..contract import FieldDescription, KindDescription, Option, SystemDescription
from . import evidence
from .client import Client
from .rows import OBJECTS
from .settings import SalesforceSettings
from .write import KEY_LENGTH

_TYPES = {
    **dict.fromkeys(("string", "textarea", "encryptedstring", "url", "id", "combobox"), "text"),
    **dict.fromkeys(("double", "currency", "percent", "int", "long"), "number"),
    **{same: same for same in ("email", "phone", "boolean", "date", "datetime", "reference")},
    "picklist": "choice",
    "multipicklist": "multichoice",
}
_COMPOUND = frozenset({"address", "location"})
"""Read-only wholes of fields that are there one by one; their values are no scalars."""

_OWNER_PATHS = {"Owner.Email": "email", "Owner.Name": "text"}
_HUBSPOT = "hubspot"
_NO_DEALS = "this user may not read Opportunity and OpportunityContactRole: an open or won opportunity is no evidence for a contact's stage"


def describe(client: Client, settings: SalesforceSettings) -> SystemDescription:
    """Lead and Contact as this user may see and write them. Fields of a Contact's account are there as `Account.X`, to be read only."""
    raw = {kind: client.description(name) for kind, name in OBJECTS.items()}
    kinds = {kind: _kind(kind, data) for kind, data in raw.items()}
    statuses = lead_statuses(client)
    kinds["lead"] = _with_statuses(kinds["lead"], statuses or ())
    if "AccountId" in kinds["contact"].fields:
        kinds["contact"] = _with_account(kinds["contact"], _account(client))
    deals = _deals(client)
    kinds["contact"] = replace(kinds["contact"], fields={**kinds["contact"].fields, **deals})
    owners = _owners(client)
    kinds = {kind: _with_owners(each, owners) for kind, each in kinds.items()}
    findings = [finding for kind, data in raw.items() for finding in _findings(OBJECTS[kind], data, settings)]
    if statuses is None:
        findings.append("LeadStatus cannot be read: which statuses of a Lead mean converted is not known, so map none of those")
    if not deals:
        findings.append(_NO_DEALS)
    return SystemDescription(kinds, tuple(findings), {owner.value: owner.label for owner in owners if owner.label})


def lead_statuses(client: Client) -> tuple[Option, ...] | None:
    """The statuses of a Lead in their order, as LeadStatus has them; `done`: it means converted (Object Reference, LeadStatus). None: not open to this user."""
    rows = client.open_rows("SELECT ApiName,MasterLabel,SortOrder,IsConverted FROM LeadStatus ORDER BY SortOrder", ("MasterLabel", "IsConverted"))
    if rows is None:
        return None
    return tuple(Option(row.get("ApiName") or row["MasterLabel"], row["MasterLabel"], order, done=bool(row["IsConverted"])) for order, row in enumerate(rows))


def _kind(kind: str, data: Mapping[str, Any]) -> KindDescription:
    fields = {field["name"]: _field(field) for field in data["fields"] if field["type"] not in _COMPOUND}
    return KindDescription(kind, fields, creatable=bool(data.get("createable", True)))


def _field(raw: Mapping[str, Any]) -> FieldDescription:
    """One field. Required is what may be given on create, cannot be empty, and has no default (SOAP API Developer Guide, DescribeSObjectResult)."""
    type = _TYPES.get(raw["type"], "other")
    return FieldDescription(
        name=raw["name"],
        label=raw.get("label") or raw["name"],
        type=type,
        writable=bool(raw.get("updateable")),
        creatable=bool(raw.get("createable")),
        required=bool(raw.get("createable")) and not raw.get("nillable", True) and not raw.get("defaultedOnCreate"),
        length=(raw.get("length") or None) if type not in ("number", "boolean", "date", "datetime") else None,
        scale=_scale(raw) if type == "number" else None,
        options=tuple(_options(raw.get("picklistValues") or ())),
        restricted=bool(raw.get("restrictedPicklist")),
        unique=bool(raw.get("unique")),
    )


def _scale(raw: Mapping[str, Any]) -> int:
    return 0 if raw["type"] in ("int", "long") else int(raw.get("scale") or 0)


def _options(values: Iterable[Mapping[str, Any]]) -> Iterable[Option]:
    for order, value in enumerate(each for each in values if each.get("value") is not None):
        yield Option(value["value"], value.get("label") or value["value"], order, active=bool(value.get("active", True)))


def _with_statuses(lead: KindDescription, statuses: tuple[Option, ...]) -> KindDescription:
    """Values that only old records have stay, as inactive ones, behind those of the org's list."""
    field = lead.fields.get("Status")
    if field is None or not statuses:
        return lead
    known = {option.value for option in statuses}
    others = [option for option in field.options if option.value not in known]
    rest = [replace(option, order=len(statuses) + place, active=False) for place, option in enumerate(others)]
    return replace(lead, fields={**lead.fields, "Status": replace(field, options=(*statuses, *rest))})


def _account(client: Client) -> Mapping[str, FieldDescription]:
    """The fields of Account, if this user may see any."""
    found = client.open_description("Account")
    return _kind("account", found).fields if found else {}


def _with_account(contact: KindDescription, account: Mapping[str, FieldDescription]) -> KindDescription:
    paths = {
        f"Account.{name}": replace(field, name=f"Account.{name}", label=f"Account: {field.label}", writable=False, creatable=False, required=False)
        for name, field in account.items()
    }
    return replace(contact, fields={**contact.fields, **paths})


def _deals(client: Client) -> Mapping[str, FieldDescription]:
    """What a contact's opportunities say, where this user may read them: as fields of the contact that nobody can write."""
    if client.open_rows(evidence.PROBE) is None:
        return {}
    rows = client.open_rows("SELECT ApiName,MasterLabel,SortOrder,IsActive FROM OpportunityStage ORDER BY SortOrder", ("MasterLabel", "IsActive")) or []
    stages = tuple(Option(row.get("ApiName") or row["MasterLabel"], row["MasterLabel"], order, bool(row["IsActive"])) for order, row in enumerate(rows))
    states = tuple(Option(state, state, order) for order, state in enumerate(reversed(evidence.STATES)))
    return {
        name: FieldDescription(name, label, type, writable=False, creatable=False, options=options)
        for name, label, type, options in (
            (evidence.STATE, "Opportunity: State", "choice", states),
            (evidence.STAGE, "Opportunity: Stage", "choice", stages),
            (evidence.CHANGED, "Opportunity: Last Stage Change Date", "datetime", ()),
            (evidence.CREATED, "Opportunity: Created Date", "datetime", ()),
        )
    }


def _owners(client: Client) -> tuple[Option, ...]:
    """Users as options of the owner: the id is the value, the e-mail address the label. None where this user may not see the others."""
    rows = client.open_rows("SELECT Id,Email,Name,IsActive FROM User WHERE UserType = 'Standard' ORDER BY Id", ("Id", "IsActive")) or []
    return tuple(Option(row["Id"], row.get("Email") or "", order, active=bool(row["IsActive"]), name=row.get("Name") or "") for order, row in enumerate(rows))


def _with_owners(kind: KindDescription, owners: tuple[Option, ...]) -> KindDescription:
    owner = kind.fields.get("OwnerId")
    if owner is None:
        return kind
    paths = {path: FieldDescription(path, path.replace(".", ": "), type, writable=False, creatable=False) for path, type in _OWNER_PATHS.items()}
    return replace(kind, fields={**kind.fields, **paths, "OwnerId": replace(owner, options=owners)})


def _findings(object: str, data: Mapping[str, Any], settings: SalesforceSettings) -> Iterable[str]:
    fields = {field["name"]: field for field in data["fields"]}
    if not data.get("createable", True):
        yield f"this user may not create a {object}: give it the right, or nothing new can be created there"
    if not data.get("updateable", True):
        yield f"this user may not edit a {object}: give it the right, or set the system to be read only"
    for name in ("Email", "HasOptedOutOfEmail"):
        if name not in fields:
            yield f"{object}.{name} is hidden from this user: it cannot be kept the same (field-level security)"
        elif not fields[name].get("updateable"):
            yield f"{object}.{name} cannot be edited by this user (field-level security)"
    if object == "Lead" and "ConvertedContactId" not in fields:
        yield "Lead.ConvertedContactId is hidden from this user: who is converted is lost sight of until their address is met (field-level security)"
    if "IsPersonAccount" in fields:
        yield "this org has person accounts: there Account.Name is the person's own name and no company's; if you use them, map `company` to another field"
    second = sorted(name for name in fields if name.lower().startswith(_HUBSPOT))
    if second:
        shown = ", ".join(second[:3])
        yield f"{object} has fields of HubSpot's own Salesforce integration ({shown}): if it still runs, two programs write the same records; switch one off"
    key = settings.external_id_field
    if key is not None and not usable_key(data, key):
        yield f"{object}.{key} is no unique External ID text of {KEY_LENGTH} characters that this user may fill: creates there are protected by a look-up only"


def usable_key(data: Mapping[str, Any], name: str) -> bool:
    """The object has this field, and a create can be keyed by it: an external id, unique, open to this user, and a text in which our keys find room (SOAP API
    Developer Guide, upsert)."""
    field = next((each for each in data["fields"] if each["name"] == name), None)
    if field is None or field.get("type") != "string" or (field.get("length") or 0) < KEY_LENGTH:
        return False
    return all(field.get(flag) for flag in ("externalId", "unique", "createable", "updateable"))
