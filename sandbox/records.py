"""A person as each vendor's record would hold them, clean and complete: the dirt comes in `population`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from .people import Company, Person

HubSpotRow = dict[str, str | None]
"""Property -> value."""

SalesforceRow = dict[str, Any]
"""API name -> value: text, number, boolean or None."""

HUBSPOT_STAGES: dict[str, tuple[str, str | None]] = {
    "subscriber": ("subscriber", None),
    "lead": ("lead", "NEW"),
    "mql": ("marketingqualifiedlead", None),
    "sal": ("marketingqualifiedlead", "IN_PROGRESS"),
    "sql": ("salesqualifiedlead", "CONNECTED"),
    "opportunity": ("opportunity", "OPEN_DEAL"),
    "customer": ("customer", None),
    "evangelist": ("evangelist", None),
    "disqualified": ("marketingqualifiedlead", "UNQUALIFIED"),
    "nurture": ("lead", "BAD_TIMING"),
}
"""Stage -> (lifecyclestage, hs_lead_status)."""

LEAD_STATUSES: dict[str, tuple[str, ...]] = {
    "subscriber": ("Open - Not Contacted",),
    "lead": ("Open - Not Contacted",),
    "mql": ("Marketing Qualified", "MQL", "Open - Not Contacted"),
    "sal": ("Working - Contacted",),
    "sql": ("Sales Qualified", "SQL", "Working - Contacted"),
    "opportunity": ("Closed - Converted",),
    "customer": ("Closed - Converted",),
    "evangelist": ("Closed - Converted",),
    "disqualified": ("Closed - Not Converted",),
    "nurture": ("Nurturing", "Open - Not Contacted"),
}
"""Stage -> the Lead.Status that says so, the best first: the first that the org has is used."""

_FORECAST_MS = 90 * 86_400_000


class Statuses(NamedTuple):
    """The org's own status for each stage."""

    of_stage: dict[str, str]

    @classmethod
    def in_org(cls, values: Iterable[str]) -> Statuses:
        """Choose among the values that the org has. Raises ValueError if it has none for a stage."""
        known = set(values)
        chosen = {stage: next((each for each in wanted if each in known), "") for stage, wanted in LEAD_STATUSES.items()}
        missing = sorted(stage for stage, status in chosen.items() if not status)
        if missing:
            raise ValueError(f"the org's Lead.Status has no value for {', '.join(missing)}; it has {', '.join(sorted(known))}")
        return cls(chosen)


@cache
def _hour(hours: int) -> str:
    return datetime.fromtimestamp(hours * 3600, UTC).strftime("%Y-%m-%dT%H:00:00.000+0000")


def salesforce_stamp(ms: int) -> str:
    """A moment as Salesforce writes it, cut to the hour: there are few of those, so each is written out once."""
    return _hour(ms // 3_600_000)


def contact_properties(person: Person, style: int = 1) -> HubSpotRow:
    """A HubSpot contact; `style` is the way to write telephone numbers."""
    company = person.company
    stage, status = HUBSPOT_STAGES[person.stage]
    return {
        "email": person.email,
        "firstname": person.first,
        "lastname": person.last,
        "phone": person.phone.written(style),
        "mobilephone": person.mobile.written(style) if person.mobile else None,
        "jobtitle": person.title,
        "company": company.name,
        "website": company.website,
        "address": company.street,
        "city": company.city.name,
        "state": company.city.state_long or None,
        "zip": company.city.postal_code,
        "country": company.country.name,
        "industry": company.industry,
        "numemployees": str(company.employees),
        "annualrevenue": str(company.revenue),
        "lifecyclestage": stage,
        "hs_lead_status": status,
        "hs_email_optout": "true" if person.opted_out else None,
        "createdate": str(person.created_ms),
        "lastmodifieddate": str(person.modified_ms),
    }


def lead_fields(person: Person, statuses: Statuses, style: int = 1) -> SalesforceRow:
    """A Salesforce Lead that is not converted."""
    company = person.company
    return {
        "Email": person.email,
        "FirstName": person.first,
        "LastName": person.last,
        "Phone": person.phone.written(style),
        "MobilePhone": person.mobile.written(style) if person.mobile else None,
        "Title": person.title,
        "Company": company.name,
        "Website": company.website,
        "Street": company.street,
        "City": company.city.name,
        "State": company.city.state_long or None,
        "PostalCode": company.city.postal_code,
        "Country": company.country.name,
        "Industry": company.industry,
        "NumberOfEmployees": company.employees,
        "AnnualRevenue": company.revenue,
        "Status": statuses.of_stage[person.stage],
        "LeadSource": person.source,
        "HasOptedOutOfEmail": person.opted_out,
        **_stamps(person),
    }


def contact_fields(person: Person, account_id: str, style: int = 1) -> SalesforceRow:
    """A Salesforce Contact at an account."""
    company = person.company
    return {
        "AccountId": account_id,
        "Email": person.email,
        "FirstName": person.first,
        "LastName": person.last,
        "Phone": person.phone.written(style),
        "MobilePhone": person.mobile.written(style) if person.mobile else None,
        "Title": person.title,
        "Department": _department(person.title),
        "MailingStreet": company.street,
        "MailingCity": company.city.name,
        "MailingState": company.city.state_long or None,
        "MailingPostalCode": company.city.postal_code,
        "MailingCountry": company.country.name,
        "LeadSource": person.source,
        "HasOptedOutOfEmail": person.opted_out,
        **_stamps(person),
    }


def account_fields(company: Company, since_ms: int) -> SalesforceRow:
    """The account of a company."""
    city = company.city
    return {
        "Name": company.name,
        "Website": company.website,
        "Industry": company.industry,
        "NumberOfEmployees": company.employees,
        "AnnualRevenue": company.revenue,
        "BillingStreet": company.street,
        "BillingCity": city.name,
        "BillingState": city.state_long or None,
        "BillingPostalCode": city.postal_code,
        "BillingCountry": company.country.name,
        "CreatedDate": salesforce_stamp(since_ms),
        "LastModifiedDate": salesforce_stamp(since_ms),
        "SystemModstamp": salesforce_stamp(since_ms),
    }


def opportunity_fields(person: Person, account_id: str) -> SalesforceRow:
    """The deal that came out of a converted Lead: open, or won by customers."""
    won = person.stage in ("customer", "evangelist")
    return {
        "AccountId": account_id,
        "Name": f"{person.company.short_name} - new business"[:120],
        "StageName": "Closed Won" if won else "Qualification",
        "Amount": person.company.employees * 120,
        "CloseDate": salesforce_stamp(person.modified_ms + (0 if won else _FORECAST_MS))[:10],
        "LeadSource": person.source,
        **_stamps(person),
    }


def conversion_fields(person: Person, account_id: str, contact_id: str, opportunity_id: str | None) -> SalesforceRow:
    """What conversion leaves on the Lead."""
    return {
        "IsConverted": True,
        "ConvertedDate": salesforce_stamp(person.modified_ms)[:10],
        "ConvertedAccountId": account_id,
        "ConvertedContactId": contact_id,
        "ConvertedOpportunityId": opportunity_id,
    }


def _stamps(person: Person) -> SalesforceRow:
    modified = salesforce_stamp(person.modified_ms)
    return {"CreatedDate": salesforce_stamp(person.created_ms), "LastModifiedDate": modified, "SystemModstamp": modified}


_DEPARTMENTS = (
    ("Marketing", "Marketing"),
    ("Sales", "Sales"),
    ("IT", "IT"),
    ("Engineer", "Engineering"),
    ("Buyer", "Purchasing"),
    ("Procurement", "Purchasing"),
)


@cache
def _department(title: str) -> str | None:
    return next((department for word, department in _DEPARTMENTS if word in title), None)
