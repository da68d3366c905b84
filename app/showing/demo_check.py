"""The demo's own look at both worlds, from the outside: their records side by side, without asking the engine whether they agree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from unicodedata import normalize
from urllib.request import ProxyHandler, build_opener

import orjson

from ...mapping.countries import country_code

_FIELDS: tuple[tuple[str, str, str | None, str], ...] = (
    ("firstname", "FirstName", "FirstName", "text"),
    ("lastname", "LastName", "LastName", "text"),
    ("phone", "Phone", "Phone", "phone"),
    ("mobilephone", "MobilePhone", "MobilePhone", "phone"),
    ("jobtitle", "Title", "Title", "text"),
    ("company", "Company", None, "text"),
    ("website", "Website", None, "address"),
    ("address", "Street", "MailingStreet", "text"),
    ("city", "City", "MailingCity", "text"),
    ("state", "State", "MailingState", "text"),
    ("zip", "PostalCode", "MailingPostalCode", "text"),
    ("country", "Country", "MailingCountry", "country"),
    ("industry", "Industry", None, "text"),
    ("numemployees", "NumberOfEmployees", None, "number"),
    ("annualrevenue", "AnnualRevenue", None, "number"),
)
"""HubSpot's property, the Lead's field, the Contact's (None: a Contact has none of its own), and how to compare them."""
_STATUS: Mapping[str, frozenset[str]] = {
    "subscriber": frozenset({"Open - Not Contacted"}),
    "lead": frozenset({"Open - Not Contacted"}),
    "marketingqualifiedlead": frozenset({"Marketing Qualified", "Working - Contacted"}),
    "salesqualifiedlead": frozenset({"Sales Qualified"}),
    "opportunity": frozenset({"Sales Qualified"}),
    "customer": frozenset({"Sales Qualified"}),
    "evangelist": frozenset({"Sales Qualified"}),
}
"""Lifecycle stage -> the Lead's status that says the same, as far as a Lead can say it."""
_REJECTED = frozenset({"Closed - Not Converted"})
_FILLERS = frozenset({"[not provided]", "(unknown)"})
"""What the configuration gives where Salesforce demands a value and nobody has one."""


class Difference(NamedTuple):
    """Two records of one person that do not agree."""

    email: str
    field: str
    hubspot: Any
    salesforce: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """`people`: who stand in both worlds. `values`: pairs of values that were compared. `held`: addresses left out because a question is open."""

    people: int
    values: int
    held: int
    differences: tuple[Difference, ...]


def compare_worlds(hubspot: str, salesforce: str, held: Collection[tuple[str, str]]) -> Comparison:
    """Read every record of both worlds by their URLs and compare them. `held`: (address, canonical field), with field "record" for all of a person."""
    contacts = [each["properties"] for each in _get(f"{hubspot}/_sandbox/records")]
    leads = [row for row in _get(f"{salesforce}/_sandbox/records?kind=Lead") if not row.get("IsConverted")]
    rows: dict[str, list[tuple[bool, Mapping[str, Any]]]] = {}
    for is_lead, found in ((True, leads), (False, _get(f"{salesforce}/_sandbox/records?kind=Contact"))):
        for row in found:
            if row.get("Email"):
                rows.setdefault(str(row["Email"]).lower(), []).append((is_lead, row))
    return _compare(contacts, rows, held)


def _get(url: str) -> list[dict[str, Any]]:
    with build_opener(ProxyHandler({})).open(url, timeout=60) as answer:  # loopback: no proxy stands in between
        return orjson.loads(answer.read())


def _compare(
    contacts: Iterable[Mapping[str, Any]], rows: Mapping[str, Sequence[tuple[bool, Mapping[str, Any]]]], held: Collection[tuple[str, str]]
) -> Comparison:
    silent = {address for address, name in held if name == "record"}
    people = values = 0
    different: list[Difference] = []
    met: set[str] = set()
    for contact in contacts:
        address = str(contact.get("email", "")).lower()
        if not address or address in silent:
            continue
        met.add(address)
        candidates = rows.get(address, ())
        if not candidates:
            different.append(Difference(address, "record", "is there", "is missing"))
            continue
        # Duplicates in Salesforce are left alone: one of the records is the person's.
        compared, found = min((_differences(address, contact, row, held, is_lead=is_lead) for is_lead, row in candidates), key=lambda result: len(result[1]))
        people += 1
        values += compared
        different += found
    different += [Difference(address, "record", "is missing", "is there") for address in rows if address not in met and address not in silent]
    return Comparison(people, values, len(silent), tuple(different))


_CANONICAL = {
    "firstname": "first_name",
    "lastname": "last_name",
    "mobilephone": "mobile_phone",
    "jobtitle": "job_title",
    "address": "street",
    "state": "region",
    "zip": "postal_code",
    "numemployees": "employees",
    "annualrevenue": "annual_revenue",
}


def _differences(
    address: str, contact: Mapping[str, Any], row: Mapping[str, Any], held: Collection[tuple[str, str]], *, is_lead: bool
) -> tuple[int, list[Difference]]:
    compared, found = 0, list[Difference]()
    for name, lead_field, contact_field, sort in _FIELDS:
        native = lead_field if is_lead else contact_field
        if native is None or (address, _CANONICAL.get(name, name)) in held:
            continue
        one, other = contact.get(name), row.get(native)
        if other in _FILLERS and one is None:
            continue
        compared += 1
        if not _equal(sort, one, other):
            found.append(Difference(address, name, one, other))
    if is_lead and (address, "stage") not in held:
        compared += 1
        stage, status = contact.get("lifecyclestage"), row.get("Status")
        if not _same_stage(stage, contact.get("hs_lead_status"), status):
            found.append(Difference(address, "stage", stage, status))
    return compared, found


def _same_stage(stage: Any, lead_status: Any, status: Any) -> bool:
    if lead_status == "UNQUALIFIED" or status in _REJECTED:
        return lead_status == "UNQUALIFIED" and status in _REJECTED
    return stage is None or lead_status == "BAD_TIMING" or status in _STATUS.get(str(stage), ())


def _equal(sort: str, one: Any, other: Any) -> bool:
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    match sort:
        case "phone":
            return _same_number(str(one), str(other))
        case "country":
            return (country_code(one) or one) == (country_code(other) or other)
        case "number":
            return float(one) == float(other)
        case "address":
            return _plain_address(one) == _plain_address(other)
        case _:
            return _plain(one) == _plain(other)


def _plain(text: Any) -> str:
    return re.sub(r"\s+", " ", normalize("NFC", str(text))).strip()


def _plain_address(text: Any) -> str:
    return re.sub(r"^https?://", "", str(text).strip().lower()).rstrip("/")


def _same_number(one: str, other: str) -> bool:
    """The digits that do not depend on the country's prefix."""
    digits = [re.sub(r"\D", "", number.partition("x")[0]).lstrip("0") for number in (one, other)]
    longer, shorter = sorted(digits, key=len, reverse=True)
    return bool(shorter) and longer.endswith(shorter[-7:])
