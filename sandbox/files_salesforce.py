"""Salesforce's exports as records of a world: reports (labels, the locale's dates), Data Loader and Data Export files (API names, ISO dates).

A file may hold Leads, Contacts, or both: the rows are told apart by a column "Lead/Contact" or by the ids (00Q, 003), else by the columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from .csv_files import ExportError, Line, Loaded, Table, column_labels, read_table
from .moments import calendar_date, day_first, moment, number, truth
from .people import ascii_form
from .salesforce import SalesforceWorld
from .salesforce.fields import Field, SObject
from .salesforce.ids import normalise

_KIND_COLUMNS = ("lead/contact", "member type", "lead or contact", "object", "object type", "sobject", "type", "attributes.type")
_PREFIXES = {"00Q": "Lead", "003": "Contact"}
_SIGNS = {"Lead": ("Status", "Company", "IsConverted"), "Contact": ("AccountId", "Account.Name", "MailingStreet", "MailingCity", "Department")}
_KEPT_REFERENCES = ("AccountId", "ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId")
"""Other references (owners, record types) name records that the file does not hold: they are left out."""

_OTHER = {"Lead": "Contact", "Contact": "Lead"}
_CONVERTED = "Closed - Converted"


@dataclass
class _Plan:
    """One kind of record in the file. `names`: column -> API name, "" for columns that are left out or not of this kind."""

    kind: str
    sobject: SObject
    other: SObject
    account: SObject
    lines: list[Line] = field(default_factory=list[Line])
    names: dict[str, str] = field(default_factory=dict[str, str])
    custom: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    accounts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Beside each row: what it says about its account."""


def load_salesforce(world: SalesforceWorld, path: str | Path, zone: tzinfo = UTC) -> Loaded:
    """Put the Leads and Contacts of a Salesforce export into a world. `zone`: of the user who ran the report. Raises ExportError; nothing is loaded then."""
    table = read_table(path)
    objects = world.org.schema.objects
    plans = [_Plan(kind, objects[kind], objects[_OTHER[kind]], objects["Account"]) for kind in ("Contact", "Lead")]
    ignored: set[str] = set()
    for plan in plans:
        ignored |= _name(table, plan)
    _sort_lines(table, plans)
    try:
        days = day_first(line.cells.get(column, "") for plan in plans for column, name in plan.names.items() if _is_dated(plan, name) for line in plan.lines)
    except ValueError as error:
        raise ExportError(table.file, str(error)) from error
    for plan in plans:
        if plan.lines:
            _define_custom(world, table, plan)
            _read_rows(table, plan, zone, days)
    return _loaded(world, plans, ignored)


def _name(table: Table, plan: _Plan) -> set[str]:
    """Give every column its field; the columns that are left out on purpose are returned."""
    ignored: set[str] = set()
    labels = column_labels(plan.kind)
    by_label = {known.label.lower(): name for name, known in plan.sobject.fields.items()}
    others = {*column_labels(_OTHER[plan.kind]), *(each for known in plan.other.fields.values() for each in (known.name.lower(), known.label.lower()))}
    for column in table.columns:
        key = re.sub(r"\s+", " ", column.lower())
        name = plan.sobject.by_lower.get(key) or labels.get(key) or by_label.get(key)
        known = plan.sobject.fields.get(name or "")
        if key in _KIND_COLUMNS or (known is not None and known.type == "reference" and known.name not in _KEPT_REFERENCES):
            ignored.add(column)
            name = ""
        elif (name is None and key in others) or name in plan.names.values():
            name = ""
        plan.names[column] = column if name is None else name
    return ignored


def _sort_lines(table: Table, plans: list[_Plan]) -> None:
    """Give each line to its kind, each id once: a report repeats a person for every campaign or deal."""
    by_kind = {plan.kind: plan for plan in plans}
    default = _default_kind(plans)
    seen: dict[str, Line] = {}
    for line in table.lines:
        kind = _kind(line, by_kind) or default
        if kind is None:
            raise ExportError(
                table.file, "neither Lead nor Contact: add the column Lead ID or Contact ID, Lead Status or Account Name to the export", line.number
            )
        plan = by_kind[kind]
        id = next((line.cells[column] for column, name in plan.names.items() if name == "Id" and column in line.cells), None)
        if id is not None and id[:15] in seen:
            before = seen[id[:15]]
            if before.cells != line.cells:
                cure = "export people without their campaigns or deals, so that each stands in one line"
                raise ExportError(table.file, f"the id {id} stands in line {before.number} too, with other values; {cure}", line.number)
            continue
        if id is not None:
            seen[id[:15]] = line
        plan.lines.append(line)


def _kind(line: Line, plans: Mapping[str, _Plan]) -> str | None:
    for column, cell in line.cells.items():
        if column.lower() in _KIND_COLUMNS and cell.capitalize() in plans:
            return cell.capitalize()
    for plan in plans.values():
        for column, name in plan.names.items():
            found = _PREFIXES.get(line.cells.get(column, "")[:3].upper()) if name == "Id" else None
            if found is not None:
                return found
    return None


def _default_kind(plans: list[_Plan]) -> str | None:
    """What a line without id or kind is: the kind of which the columns show more signs."""
    signs = {plan.kind: sum(name in _SIGNS[plan.kind] for name in plan.names.values()) for plan in plans}
    # "Company / Account" is a sign of both: it says nothing.
    return None if signs["Lead"] == signs["Contact"] else max(signs, key=lambda kind: signs[kind])


def _is_dated(plan: _Plan, name: str) -> bool:
    known = plan.sobject.fields.get(name)
    return known is not None and known.type in ("date", "datetime")


def _define_custom(world: SalesforceWorld, table: Table, plan: _Plan) -> None:
    """A text field for every column that is none, if this kind has values there; its name into `names`."""
    taken = {name.lower() for name in plan.sobject.fields}
    for index, column in enumerate(table.columns):
        name = plan.names[column]
        if not name or name in plan.sobject.fields or name.startswith("Account."):
            continue
        longest = max(len(line.cells.get(column, "")) for line in plan.lines)
        if not longest:
            plan.names[column] = ""
            continue
        api_name = _custom_name(column, index, taken)
        taken.add(api_name.lower())
        world.define(plan.kind, api_name, column, "textarea" if longest > 255 else "string")
        plan.names[column] = api_name
        plan.custom.append((column, f"{plan.kind}.{api_name}"))
    plan.sobject = world.org.schema.objects[plan.kind]


def _custom_name(column: str, index: int, taken: set[str]) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", re.sub("__c$", "", column, flags=re.IGNORECASE)).strip("_")
    stem = words if words[:1].isalpha() and ascii_form(words) != "x" else f"Column_{index + 1}"
    name, again = f"{stem[:38]}__c", 1
    while name.lower() in taken:
        again += 1
        name = f"{stem[:36]}_{again}__c"
    return name


def _read_rows(table: Table, plan: _Plan, zone: tzinfo, days: bool) -> None:
    readers = {column: _reader(_field(plan, name), zone, days) for column, name in plan.names.items() if name}
    for line in plan.lines:
        row: dict[str, Any] = {}
        account: dict[str, Any] = {}
        for column, cell in line.cells.items():
            if column not in readers:
                continue
            try:
                value = readers[column](cell)
            except ValueError as error:
                raise ExportError(table.file, str(error), line.number, column) from error
            name = plan.names[column]
            if name.startswith("Account."):
                account[name.removeprefix("Account.")] = value
            else:
                row[name] = value
        plan.rows.append(_finished(table, plan.kind, line, row))
        plan.accounts.append(account)


def _field(plan: _Plan, name: str) -> Field | None:
    own = plan.sobject if not name.startswith("Account.") else plan.account
    return own.fields.get(name.removeprefix("Account."))


def _reader(known: Field | None, zone: tzinfo, days: bool) -> Callable[[str], Any]:
    if known is None:
        return str
    match known.type:
        case "id" | "reference":
            return _id
        case "boolean":
            return truth
        case "int":
            return lambda cell: int(number(cell, whole=True))
        case "double" | "currency" | "percent":
            return lambda cell: float(number(cell))
        case "date":
            return lambda cell: calendar_date(cell, day_first=days).isoformat()
        case "datetime":
            return lambda cell: moment(cell, zone, day_first=days).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        case _:
            return str


def _id(cell: str) -> str:
    whole = normalise(cell)
    if whole is None:
        raise ValueError(f"{cell!r} is no record id: 15 or 18 letters and digits whose case counts (a spreadsheet may have changed it); export again")
    return whole


def _finished(table: Table, kind: str, line: Line, row: dict[str, Any]) -> dict[str, Any]:
    """Fill in what an org always has: a last name, and stamps that agree with each other."""
    if "LastName" not in row:
        first, _, last = row.get("Name", "").rpartition(" ")
        if not last:
            raise ExportError(table.file, f"a {kind} without a last name, which Salesforce always has; add Last Name to the export", line.number)
        row |= {"LastName": last, **({"FirstName": first} if first and "FirstName" not in row else {})}
    row.pop("Name", None)
    created = row.get("CreatedDate")
    modified = row.get("LastModifiedDate") or row.get("SystemModstamp") or created
    if modified:
        row |= {"CreatedDate": created or modified, "LastModifiedDate": modified, "SystemModstamp": row.get("SystemModstamp") or modified}
    if kind == "Lead" and row.get("IsConverted"):
        row.setdefault("Status", _CONVERTED)
    return row


def _loaded(world: SalesforceWorld, plans: list[_Plan], ignored: set[str]) -> Loaded:
    contacts, leads = plans
    _add_statuses(world, leads)
    account_ids = _load_accounts(world, contacts)
    contact_ids = world.load("Contact", contacts.rows)
    for row in leads.rows:
        _keep_known(row, "ConvertedContactId", contact_ids)
        _keep_known(row, "ConvertedAccountId", account_ids)
    lead_ids = world.load("Lead", leads.rows)
    return Loaded((*contact_ids, *lead_ids), (*contacts.custom, *leads.custom), tuple(sorted(ignored)))


def _keep_known(row: dict[str, Any], name: str, known: list[str]) -> None:
    """A reference to a record outside the file would lead nowhere."""
    if row.get(name) is not None and row[name] not in known:
        row[name] = None


def _load_accounts(world: SalesforceWorld, contacts: _Plan) -> list[str]:
    """One account for each id, or for each name where there are no ids; the Contacts get its id."""
    rows: dict[str, dict[str, Any]] = {}
    for row, told in zip(contacts.rows, contacts.accounts, strict=True):
        id = row.get("AccountId")
        key = id or str(told.get("Name", "")).lower()
        if key:
            account = rows.setdefault(key, {"Id": id, "Name": f"Account {id}"} if id else {})
            account |= {name: value for name, value in told.items() if name not in account or name == "Name"}
    ids = dict(zip(rows, world.load("Account", list(rows.values())), strict=True))
    for row, told in zip(contacts.rows, contacts.accounts, strict=True):
        key = row.get("AccountId") or str(told.get("Name", "")).lower()
        if key:
            row["AccountId"] = ids[key]
    return list(ids.values())


def _add_statuses(world: SalesforceWorld, leads: _Plan) -> None:
    """A status that the world does not have becomes one of the org's, converted if all its Leads are."""
    known = {row["ApiName"] for row in world.rows("LeadStatus")}
    found: dict[str, list[bool]] = {}
    for row in leads.rows:
        if row.get("Status") is not None:
            found.setdefault(row["Status"], []).append(bool(row.get("IsConverted")))
    new = [status for status in found if status not in known]
    added = [
        {"MasterLabel": status, "ApiName": status, "SortOrder": len(known) + order, "IsDefault": False, "IsConverted": all(found[status])}
        for order, status in enumerate(new, 1)
    ]
    if added:
        world.load("LeadStatus", added)
