"""The standard objects and fields of the sandbox org, as far as lead lifecycles touch them (Salesforce Object Reference)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from .fields import Field, SObject, fixed, flag, long_text, lookup, number, picklist, plain, sobject, text

SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
INDUSTRIES = (
    *("Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction", "Consulting", "Education", "Electronics", "Energy"),
    *("Engineering", "Entertainment", "Environmental", "Finance", "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery"),
    *(
        "Manufacturing",
        "Media",
        "Not For Profit",
        "Recreation",
        "Retail",
        "Shipping",
        "Technology",
        "Telecommunications",
        "Transportation",
        "Utilities",
        "Other",
    ),
)


def _id() -> Field:
    return Field("Id", "Record ID", "id", 18, nillable=False, defaulted=True, creatable=False, updatable=False, id_lookup=True)


def _created() -> list[Field]:
    return [
        fixed(plain("CreatedDate", "datetime", nillable=False, defaulted=True)),
        fixed(lookup("CreatedById", "User", label="Created By ID", nillable=False, defaulted=True)),
    ]


def _system(*, deletes: bool = True) -> list[Field]:
    return [
        _id(),
        *([fixed(flag("IsDeleted", "Deleted"))] if deletes else []),
        *_created(),
        fixed(plain("LastModifiedDate", "datetime", nillable=False, defaulted=True)),
        fixed(lookup("LastModifiedById", "User", label="Last Modified By ID", nillable=False, defaulted=True)),
        fixed(plain("SystemModstamp", "datetime", "System Modstamp", nillable=False, defaulted=True)),
    ]


def _address(prefix: str) -> list[Field]:
    spoken = f"{prefix} " if prefix else ""
    return [
        plain(f"{prefix}Street", "textarea", f"{spoken}Street", 255),
        text(f"{prefix}City", 40, f"{spoken}City"),
        text(f"{prefix}State", 80, f"{spoken}State/Province"),
        text(f"{prefix}PostalCode", 20, f"{spoken}Zip/Postal Code"),
        text(f"{prefix}Country", 80, f"{spoken}Country"),
    ]


def _person(kind: str) -> list[Field]:
    return [
        fixed(lookup("MasterRecordId", kind, label="Master Record ID")),
        text("LastName", 80, nillable=False),
        text("FirstName", 40),
        picklist("Salutation", *SALUTATIONS, length=40),
        fixed(text("Name", 203, "Full Name", nillable=False)),
        text("Title", 128),
        plain("Phone", "phone", length=40),
        plain("MobilePhone", "phone", length=40),
        plain("Fax", "phone", length=40),
        plain("Email", "email", length=80, id_lookup=True),
        long_text("Description"),
        picklist("LeadSource", *SOURCES),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("HasOptedOutOfFax", "Fax Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        fixed(plain("LastActivityDate", "date", "Last Activity")),
        plain("EmailBouncedDate", "datetime", creatable=kind == "Contact", updatable=kind == "Contact"),
        text("EmailBouncedReason", 255, creatable=kind == "Contact", updatable=kind == "Contact"),
    ]


def lead() -> SObject:
    """Lead: a person before conversion."""
    own = [
        text("Company", 255, nillable=False),
        plain("Website", "url", length=255),
        *_address(""),
        picklist("Industry", *INDUSTRIES),
        picklist("Rating", *RATINGS),
        number("AnnualRevenue", "currency"),
        number("NumberOfEmployees", "int", 8, label="Employees"),
        picklist("Status", nillable=False, defaulted=True),
        lookup("OwnerId", "Group", "User", label="Owner ID", nillable=False, defaulted=True),
        fixed(flag("IsConverted", "Converted")),
        fixed(plain("ConvertedDate", "date")),
        fixed(lookup("ConvertedAccountId", "Account", label="Converted Account ID")),
        fixed(lookup("ConvertedContactId", "Contact", label="Converted Contact ID")),
        fixed(lookup("ConvertedOpportunityId", "Opportunity", label="Converted Opportunity ID")),
        flag("IsUnreadByOwner", "Unread By Owner", default=True),
    ]
    return sobject("Lead", "00Q", [*_system(), *_person("Lead"), *own], mergeable=True)


def contact() -> SObject:
    """Contact: a person at an account."""
    own = [
        lookup("AccountId", "Account", label="Account ID"),
        *_address("Mailing"),
        *_address("Other"),
        plain("HomePhone", "phone", length=40),
        plain("OtherPhone", "phone", length=40),
        plain("AssistantPhone", "phone", "Asst. Phone", 40),
        text("AssistantName", 40),
        lookup("ReportsToId", "Contact", label="Reports To ID"),
        text("Department", 80),
        plain("Birthdate", "date"),
        lookup("OwnerId", "User", label="Owner ID", nillable=False, defaulted=True),
        fixed(flag("IsEmailBounced")),
    ]
    return sobject("Contact", "003", [*_system(), *_person("Contact"), *own], mergeable=True)


def account() -> SObject:
    """Account: the company behind a Contact."""
    own = [
        fixed(lookup("MasterRecordId", "Account", label="Master Record ID")),
        text("Name", 255, "Account Name", nillable=False),
        picklist(
            "Type", "Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller", "Installation Partner", "Technology Partner", "Other"
        ),
        lookup("ParentId", "Account", label="Parent Account ID"),
        *_address("Billing"),
        *_address("Shipping"),
        plain("Phone", "phone", length=40),
        plain("Fax", "phone", length=40),
        text("AccountNumber", 40),
        plain("Website", "url", length=255),
        picklist("Industry", *INDUSTRIES),
        picklist("Rating", *RATINGS, label="Account Rating"),
        number("AnnualRevenue", "currency"),
        number("NumberOfEmployees", "int", 8, label="Employees"),
        long_text("Description"),
        picklist("AccountSource", *SOURCES),
        lookup("OwnerId", "User", label="Owner ID", nillable=False, defaulted=True),
    ]
    return sobject("Account", "001", [*_system(), *own], mergeable=True)


def opportunity() -> SObject:
    """Opportunity: a deal that might be won."""
    own = [
        lookup("AccountId", "Account", label="Account ID"),
        text("Name", 120, nillable=False),
        long_text("Description"),
        picklist("StageName", label="Stage", nillable=False),
        number("Amount", "currency", 18, 2),
        number("Probability", "percent", 3, label="Probability (%)", defaulted=True),
        plain("CloseDate", "date", nillable=False),
        picklist(
            "Type", "Existing Customer - Upgrade", "Existing Customer - Replacement", "Existing Customer - Downgrade", "New Customer", label="Opportunity Type"
        ),
        text("NextStep", 255),
        picklist("LeadSource", *SOURCES),
        fixed(flag("IsClosed", "Closed")),
        fixed(flag("IsWon", "Won")),
        fixed(picklist("ForecastCategory", "Omitted", "Pipeline", "BestCase", "Forecast", "Closed")),
        lookup("OwnerId", "User", label="Owner ID", nillable=False, defaulted=True),
        fixed(lookup("ContactId", "Contact", label="Contact ID")),
        fixed(plain("LastStageChangeDate", "datetime")),
    ]
    return sobject("Opportunity", "006", [*_system(), *own], plural="Opportunities")


def contact_role() -> SObject:
    """OpportunityContactRole: a person's part in a deal. Deleted outright; in the bin only together with its opportunity."""
    own = [
        lookup("OpportunityId", "Opportunity", label="Opportunity ID", nillable=False, updatable=False),
        lookup("ContactId", "Contact", label="Contact ID", nillable=False),
        picklist(
            "Role",
            "Business User",
            "Decision Maker",
            "Economic Buyer",
            "Economic Decision Maker",
            "Evaluator",
            "Executive Sponsor",
            "Influencer",
            "Technical Buyer",
            "Other",
        ),
        flag("IsPrimary", "Primary"),
    ]
    return sobject("OpportunityContactRole", "00K", [*_system(), *own], label="Opportunity Contact Role", soft_deletes=False)


def campaigns() -> list[SObject]:
    """Campaign, CampaignMember (a person's response to marketing) and CampaignMemberStatus: each campaign's own list of what members may say."""
    campaign = [
        text("Name", 80, nillable=False),
        picklist("Type", "Conference", "Webinar", "Trade Show", "Email", "Advertisement", "Other"),
        picklist("Status", "Planned", "In Progress", "Completed", "Aborted"),
        plain("StartDate", "date"),
        plain("EndDate", "date"),
        flag("IsActive", "Active"),
        lookup("OwnerId", "User", label="Owner ID", nillable=False, defaulted=True),
    ]
    member = [
        lookup("CampaignId", "Campaign", label="Campaign ID", nillable=False, updatable=False),
        lookup("LeadId", "Lead", label="Lead ID", updatable=False),
        lookup("ContactId", "Contact", label="Contact ID", updatable=False),
        fixed(lookup("LeadOrContactId", "Contact", "Lead", label="Related Record ID", relationship=None)),
        picklist("Status", "Sent", "Responded"),
        fixed(flag("HasResponded", "Responded")),
        fixed(plain("FirstRespondedDate", "date")),
    ]
    status = [
        lookup("CampaignId", "Campaign", label="Campaign ID", nillable=False, updatable=False),
        text("Label", 255, nillable=False),
        flag("HasResponded", "Responded"),
        flag("IsDefault"),
        number("SortOrder", "int", 9),
    ]
    return [
        sobject("Campaign", "701", [*_system(), *campaign]),
        sobject("CampaignMemberStatus", "01Y", [*_system(), *status], label="Campaign Member Status", plural="Campaign Member Statuses", soft_deletes=False),
        sobject("CampaignMember", "00v", [*_system(), *member], label="Campaign Member", soft_deletes=False),
    ]


def statuses() -> list[SObject]:
    """LeadStatus and OpportunityStage: the lists that an administrator keeps in Setup; read-only through the API."""
    shared = [text("MasterLabel", 255, nillable=False), text("ApiName", 255, id_lookup=True), number("SortOrder", "int", 9)]
    status = [*_system(deletes=False), *shared, flag("IsDefault"), flag("IsConverted")]
    stage = [
        *_system(deletes=False),
        *shared,
        flag("IsActive"),
        flag("IsClosed"),
        flag("IsWon"),
        number("DefaultProbability", "percent", 3),
        picklist("ForecastCategory", "Omitted", "Pipeline", "BestCase", "Forecast", "Closed"),
        text("ForecastCategoryName", 255),
    ]
    setup: dict[str, Any] = {"creatable": False, "updatable": False, "deletable": False, "replicable": False, "soft_deletes": False}
    return [
        sobject("LeadStatus", "01J", [fixed(one) for one in status], label="Lead Status Value", **setup),
        sobject("OpportunityStage", "01J", [fixed(one) for one in stage], label="Opportunity Stage", **setup),
    ]


def people() -> list[SObject]:
    """User, Group (queues own Leads) and Organization; read-only here."""
    user = [
        *_system(deletes=False),
        text("Username", 80, nillable=False),
        text("LastName", 80, nillable=False),
        text("FirstName", 40),
        text("Name", 121, "Full Name"),
        plain("Email", "email", length=128, id_lookup=True),
        text("Alias", 8),
        text("Title", 80),
        flag("IsActive", "Active", default=True),
        picklist("UserType", "Standard", "AutomatedProcess"),
    ]
    group = [
        *_system(deletes=False),
        text("Name", 40),
        text("DeveloperName", 80),
        plain("Email", "email", length=255),
        picklist("Type", "Queue", "Regular", "Role"),
    ]
    organization = [
        *_system(deletes=False),
        text("Name", 80),
        text("InstanceName", 5),
        flag("IsSandbox", "Is Sandbox"),
        picklist("OrganizationType", "Developer Edition", "Enterprise Edition", "Unlimited Edition"),
        text("DefaultLocaleSidKey", 40),
        text("TimeZoneSidKey", 40),
        text("LanguageLocaleKey", 40),
        text("NamespacePrefix", 15),
    ]
    setup: dict[str, Any] = {"creatable": False, "updatable": False, "deletable": False, "soft_deletes": False}
    return [
        sobject("User", "005", [fixed(one) for one in user], **setup),
        sobject("Group", "00G", [fixed(one) for one in group], **setup),
        sobject("Organization", "00D", [fixed(one) for one in organization], **setup),
    ]


def histories() -> list[SObject]:
    """LeadHistory, ContactHistory and OpportunityFieldHistory: who changed a tracked field, when, from what to what. Old and new value cannot be filtered."""
    setup: dict[str, Any] = {"creatable": False, "updatable": False, "deletable": False, "soft_deletes": False, "stamp": "CreatedDate"}
    found: list[SObject] = []
    for name, parent, prefix in (("LeadHistory", "Lead", "018"), ("ContactHistory", "Contact", "02c"), ("OpportunityFieldHistory", "Opportunity", "017")):
        own = [
            lookup(f"{parent}Id", parent, label=f"{parent} ID"),
            picklist("Field", label="Changed Field"),
            picklist("DataType"),
            Field("OldValue", "Old Value", "anyType"),
            Field("NewValue", "New Value", "anyType"),
        ]
        fields = [_id(), fixed(flag("IsDeleted", "Deleted")), *_created(), *(fixed(one) for one in own)]
        found.append(sobject(name, prefix, fields, plural=name, **setup))
    return found


def standard_objects() -> list[SObject]:
    """Every object of a fresh org, which may then get fields of its own."""
    return [
        replace(one, fields=dict(one.fields), defaults=dict(one.defaults), by_lower=dict(one.by_lower), relationships=dict(one.relationships))
        for one in _delivered()
    ]


@cache
def _delivered() -> list[SObject]:
    return [lead(), contact(), account(), opportunity(), contact_role(), *campaigns(), *statuses(), *people(), *histories()]
