"""Descriptions of a HubSpot portal and a Salesforce org, small enough to read, for tests of the mapping."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from house import ROOT

from stagesync.connectors.contract import FieldDescription, KindDescription, Option, SystemDescription
from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import KindMap, Maps, SystemInput

FUNNEL = default_funnel()
HOUSE = ROOT


def defaults(vendor: str) -> Mapping[str, Any]:
    """The default maps that the connector ships."""
    return tomllib.loads((HOUSE / "connectors" / vendor / "defaults.toml").read_text("utf-8"))


def options(*pairs: tuple[str, str], done: str = "") -> tuple[Option, ...]:
    """Options in this order from (value, label)."""
    return tuple(Option(value, label, order, done=value == done) for order, (value, label) in enumerate(pairs))


def field(name: str, type: str = "text", **more: Any) -> FieldDescription:
    """One field that may be written, unless said otherwise."""
    return FieldDescription(name=name, label=name, type=type, writable=more.pop("writable", True), creatable=more.pop("creatable", True), **more)


STAGES = options(
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("51439524", "Sales Accepted Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
    ("777", "Partner"),
)
LEAD_STATUSES = options(("NEW", "New"), ("OPEN", "Open"), ("UNQUALIFIED", "Unqualified"), ("BAD_TIMING", "Bad Timing"))
SOURCES = options(("WEB", "Web"), ("TRADE_SHOW", "Trade show"))


def portal(stages: tuple[Option, ...] = STAGES, hidden: str = "", extra: tuple[FieldDescription, ...] = ()) -> SystemDescription:
    """A HubSpot portal."""
    texts = ["firstname", "lastname", "jobtitle", "company", "website", "address", "city", "state", "zip", "country"]
    texts += ["industry", "numemployees", "annualrevenue", "fax", "hs_additional_emails"]
    fields = [
        *(field(name) for name in texts),
        field("email", "email", unique=True),
        field("phone", "phone"),
        field("mobilephone", "phone"),
        field("hs_email_optout", "boolean", writable=False, creatable=False),
        field("lifecyclestage", "choice", options=stages, restricted=True),
        field("hs_lead_status", "choice", options=LEAD_STATUSES, restricted=True),
        field("origin", "choice", options=SOURCES, restricted=True),
        field("birthday", "date"),
        field("last_seen", "datetime"),
        field("topics", "multichoice", options=options(("a", "Analytics"), ("b", "Billing")), restricted=True),
        *extra,
    ]
    return SystemDescription({"contact": KindDescription("contact", {each.name: each for each in fields if each.name != hidden})})


STATUSES = options(
    ("Open - Not Contacted", "Open - Not Contacted"),
    ("Working - Contacted", "Working - Contacted"),
    ("Qualified", "Qualified"),
    ("Nurturing", "Nurturing"),
    ("Closed - Converted", "Closed - Converted"),
    ("Closed - Not Converted", "Closed - Not Converted"),
    done="Closed - Converted",
)


def org(statuses: tuple[Option, ...] = STATUSES, hidden: str = "", extra: tuple[FieldDescription, ...] = ()) -> SystemDescription:
    """A Salesforce org."""
    both = [
        field("Email", "email", length=80),
        field("FirstName", length=40),
        field("LastName", length=80, required=True),
        field("Phone", "phone", length=40),
        field("MobilePhone", "phone", length=40),
        field("Title", length=128),
        field("HasOptedOutOfEmail", "boolean"),
        field("LeadSource", "choice", options=options(("Web", "Web"), ("Trade Show", "Trade Show"))),
        field("Birth__c", "datetime"),
        field("Topics__c", "multichoice", options=options(("Billing", "Billing"), ("Analytics", "Analytics")), restricted=True),
        *extra,
    ]
    lead = [
        *both,
        *(field(name, length=255) for name in ("Company", "Website", "Street", "City", "State", "PostalCode", "Country")),
        field("Industry", "choice", options=options(("Software", "Software"), ("Banking", "Banking"))),
        field("NumberOfEmployees", "number", scale=0),
        field("AnnualRevenue", "number", scale=0),
        field("Status", "choice", options=statuses),
        field("IsConverted", "boolean", writable=False, creatable=False),
        field("ConvertedOpportunityId", "reference", writable=False, creatable=False),
    ]
    contact = [
        *both,
        *(field(f"Mailing{name}", length=255) for name in ("Street", "City", "State", "PostalCode", "Country")),
        field("Account.Name", writable=False, creatable=False),
        field("Lifecycle_Stage__c", "choice", options=options(("MQL", "MQL"), ("SAL", "SAL"), ("SQL", "SQL")), restricted=True),
    ]
    kinds = {"lead": lead, "contact": contact}
    return SystemDescription({kind: KindDescription(kind, {each.name: each for each in listed if each.name != hidden}) for kind, listed in kinds.items()})


def maps(
    fields: Mapping[str, Any] | None = None,
    *,
    hubspot: Mapping[str, Any] | None = None,
    salesforce: Mapping[str, Any] | None = None,
    described: tuple[SystemDescription, SystemDescription] | None = None,
) -> Maps:
    """Compiled maps of both systems; `hubspot` and `salesforce` are the user's `[systems.*]` tables."""
    left, right = described or (portal(), org())
    systems = {
        "hubspot": SystemInput(defaults("hubspot"), left, hubspot or {}, zone="Europe/Berlin", region="US"),
        "salesforce": SystemInput(defaults("salesforce"), right, salesforce or {}, zone="America/New_York", region="US"),
    }
    return compile_maps(fields or {}, systems, stages=FUNNEL.positions, sides=FUNNEL.sides)


def kind(maps: Maps, system: str, name: str) -> KindMap:
    """One kind of one system."""
    return maps.systems[system].kinds[name]
