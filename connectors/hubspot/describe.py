"""What the account looks like: its properties, its own stages in their order, and who else writes there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...model.errors import ConfigurationError, CredentialError
from ..contract import AccountId, FieldDescription, KindDescription, Option, SystemDescription
from . import consent
from .client import Client
from .companies import LINK
from .errors import KIND, Forbidden, strange
from .history import HISTORY_PAGE, NATIVE_CONNECTOR, sources_of
from .owners import OWNER, listed
from .rows import keyed
from .write import STAGE

_NATIVE_PROPERTIES = ("salesforcecontactid", "salesforceleadid")
"""HubSpot's own integration with Salesforce adds these properties when it is installed."""
_TYPES = {
    "string": "text",
    "phone_number": "phone",
    "number": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
    "enumeration": "choice",
}


_NAMELESS = "nameless-"


def identity(client: Client, app_id: str | None) -> AccountId:
    """The portal behind the credential. One that does not tell its id is known by address and credential."""
    told = account(client)
    portal = str(told["portalId"]) if told else client.portal or _NAMELESS + client.mark
    kind = str(told.get("accountType") or "")
    name = portal if kind in ("", "STANDARD") else f"{portal} ({kind.lower().replace('_', ' ')})"
    return AccountId("hubspot", portal, name, str(told.get("timeZone") or "UTC"), app_id)


def is_nameless(account: AccountId) -> bool:
    """The portal did not tell its id."""
    return account.id.startswith(_NAMELESS)


def account(client: Client) -> Mapping[str, Any]:
    """What the portal tells of itself; nothing where neither path is served. A wrong address shows itself with the first call that is needed."""
    for path in client.paths.accounts:
        try:
            answer = client.get(path)
        except (ConfigurationError, Forbidden):  # a page of a server that does not know the path; or the scope `oauth` is missing, which a key may not get
            continue
        if answer.status == 404:
            continue
        told = client.expected(answer)
        if "portalId" not in told:
            raise strange(where=client.system)
        return told
    return {}


def describe(client: Client) -> SystemDescription:
    """All properties of contacts, the owners as options of theirs, and findings. Five calls, more where owners fill several pages."""
    told = client.expected(client.get(client.paths.properties))
    fields = {str(each["name"]): field_of(each) for each in keyed(told.get("results"), "name", where=client.system) if not each.get("archived")}
    findings, users = _findings(client, fields), dict[str, str]()
    if OWNER in fields:
        try:
            everybody = [(each, archived) for archived in (False, True) for each in listed(client, archived=archived)]
        except (CredentialError, ConfigurationError) as error:
            findings.append(f"owners cannot be kept the same: {error.what}")
        else:
            fields[OWNER] = replace(fields[OWNER], options=_owners(everybody))
            users = _users(each for each, _ in everybody)
    if consent.OPT_OUT in fields:
        trouble = consent.trouble(client)
        fields[consent.OPT_OUT] = replace(fields[consent.OPT_OUT], writable=trouble is None, creatable=trouble is None)
        findings += [trouble] if trouble is not None else []
    if LINK in fields:
        fields[LINK] = replace(fields[LINK], writable=True, creatable=True)
    return SystemDescription({KIND: KindDescription(KIND, fields)}, tuple(findings), users)


def _owners(listed: Iterable[tuple[Mapping[str, Any], bool]]) -> tuple[Option, ...]:
    """Everybody who can own contacts, and behind them who no longer can: the id is the value, the e-mail address the label."""
    return tuple(
        Option(str(each["id"]), str(each.get("email") or ""), order, active=not archived, name=_called(each)) for order, (each, archived) in enumerate(listed)
    )


def _called(owner: Mapping[str, Any]) -> str:
    return " ".join(str(part) for part in (owner.get("firstName"), owner.get("lastName")) if part)


def _users(listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """An owner's id is not the user's, and histories name the user; one who is gone has it under the second name only (HubSpot docs, Owners)."""
    ids = ((each.get("userId") or each.get("userIdIncludingInactive"), each.get("email")) for each in listed)
    return {str(user): str(address) for user, address in ids if user and address}


def stage_order(client: Client) -> Mapping[str, int]:
    """Lifecycle stage -> its place in the portal's own order."""
    told = client.expected(client.get(f"{client.paths.properties}/{STAGE}"))
    return {option.value: option.order for option in options_of(told)}


def field_of(told: Mapping[str, Any]) -> FieldDescription:
    """One property's definition."""
    name, kind, shown = str(told["name"]), str(told.get("type") or ""), str(told.get("fieldType") or "")
    limits = told.get("modificationMetadata") or {}
    writable = not (limits.get("readOnlyValue") or told.get("calculated"))
    return FieldDescription(
        name=name,
        label=str(told.get("label") or name),
        type=_type(name, kind, shown),
        writable=writable,
        creatable=writable,
        options=options_of(told),
        restricted=kind == "enumeration" and not told.get("externalOptions"),
        unique=name == "email" or bool(told.get("hasUniqueValue")),
    )


def _type(name: str, kind: str, shown: str) -> str:
    if name == "email":
        return "email"
    if name == OWNER:
        return "reference"
    if shown == "phonenumber":
        return "phone"
    if kind == "enumeration" and shown in ("checkbox", "booleancheckbox"):
        return "multichoice" if shown == "checkbox" else "boolean"
    return _TYPES.get(kind, "other")


def options_of(told: Mapping[str, Any]) -> tuple[Option, ...]:
    """The choices in the account's order. An order of -1 means: behind all others (HubSpot docs, Properties)."""
    listed = [each for each in told.get("options") or () if each.get("value") is not None]
    ordered = sorted(enumerate(listed), key=lambda pair: (_place(pair[1]), pair[0]))
    return tuple(
        Option(str(each["value"]), str(each.get("label") or each["value"]), order, active=not each.get("hidden")) for order, (_, each) in enumerate(ordered)
    )


def _place(option: Mapping[str, Any]) -> float:
    place = option.get("displayOrder")
    return float(place) if isinstance(place, int) and place >= 0 else float("inf")


def _findings(client: Client, fields: Mapping[str, FieldDescription]) -> list[str]:
    """A second writer of the same fields: HubSpot's own integration with Salesforce, by its properties or by what it left in the history."""
    found: list[str] = []
    if any(name in fields for name in _NATIVE_PROPERTIES):
        found.append("HubSpot's own Salesforce integration is or was connected: it writes the same fields. Pause it, or exclude the fields that it syncs.")
    query = [("limit", str(HISTORY_PAGE)), ("propertiesWithHistory", STAGE)]
    answer = client.get(client.paths.contacts, query)
    rows = (client.expected(answer).get("results") or []) if answer.ok else []  # good to know, not needed
    if any(NATIVE_CONNECTOR in sources_of(row) for row in rows):
        found.append("HubSpot's own Salesforce integration has set lifecycle stages here: while it runs, both write the stage.")
    return found
