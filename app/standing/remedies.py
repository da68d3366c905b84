"""What helps against a vendor's refusal of a record, in words, by the vendor's own code.

The codes: those of files are the connector's own (`connectors.csv.writing`); Salesforce's SOAP API Developer Guide, StatusCode; HubSpot's docs, Error
handling, and the errors of single properties in its CRM API's answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...model.companies import NONE_FOUND, SEVERAL_FOUND
from ...sync.sending.outcome import NOT_TAKEN

_SALESFORCE: Mapping[str, str] = {
    "CANNOT_EXECUTE_FLOW_TRIGGER": "a flow of the org failed on this record: its owner sees why in the flow's error e-mail; mend the flow",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "a trigger of the org failed on this record: the sentence names it; have its developer look at it",
    "CANNOT_UPDATE_CONVERTED_LEAD": "the Lead was converted: the next run goes on with its Contact, once the user may see that",
    "CONVERTED_STATUS": "only a conversion in Salesforce may set this status: convert the Lead there, or map the stage to another status",
    "DELETE_FAILED": "other records need this one: delete or move those in Salesforce first",
    "DUPLICATES_DETECTED": "a duplicate rule found somebody like this: merge or correct the records, or set `save_duplicates = true` under [systems.{system}]",
    "DUPLICATE_VALUE": "another record has this value, and the field takes it only once: correct or merge one of the two",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule of the org says no, in the words below: correct the values, or let the rule pass this user",
    "FIELD_FILTER_VALIDATION_EXCEPTION": "a lookup filter does not allow this value: choose one that the filter lets through, or change the filter",
    "FIELD_INTEGRITY_EXCEPTION": "the value does not go with the record's other fields (a state without its country, say): correct those, or map both",
    "INACTIVE_OWNER_OR_USER": "the owner is not active any more: give the record to somebody who is, or set a fallback under [owners]",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "the integration user may not use the record that this one points at: share that, or map another field",
    "INSUFFICIENT_ACCESS_OR_READONLY": "the integration user may not edit this record: widen its profile, permission set or sharing",
    "INVALID_CROSS_REFERENCE_KEY": "the record that this one points at is not there, or the integration user may not see it",
    "INVALID_EMAIL_ADDRESS": "Salesforce does not take this as an e-mail address: correct it in the system from which it comes",
    "INVALID_FIELD": "the field is not there for the integration user: give access to it (field-level security), or take it out of the map",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "the integration user may not write this field: give access to it (field-level security), or map it as read only",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "the picklist is restricted and lacks the value: add it in Setup, or map the value to one that is there",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "the field has another type than the value: map it to a field of the same type",
    "LIMIT_EXCEEDED": "a limit of the org is reached: the sentence names it; make room there, or have it raised",
    "NUMBER_OUTSIDE_VALID_RANGE": "the number is too large or too small for the field: correct it, or widen the field in Setup",
    "REQUIRED_FIELD_MISSING": "Salesforce wants a value there: fill it, or name one that stands in under `fallback` in [systems.{system}.create]",
    "STORAGE_LIMIT_EXCEEDED": "the org has no storage left: delete what is not needed, or buy more",
    "STRING_TOO_LONG": "the value is longer than the field: shorten it, or lengthen the field in Setup",
    "TRANSFER_REQUIRES_READ": "the new owner may not see such records: widen that user's rights, or choose another owner",
    "UNKNOWN": "Salesforce gives no reason: try to make the same change there by hand, which shows what stands in the way",
}
_HUBSPOT: Mapping[str, str] = {
    "CONFLICT": "another contact has this address already: the next run links it if it can see it; else merge the two in HubSpot, or correct the address "
    "(whose records you told apart: give each an address of its own)",
    "INVALID_DATE": "HubSpot does not take this as a date: map it to a field of another type, or correct the value",
    "INVALID_EMAIL": "HubSpot does not take this as an e-mail address: correct it in the system from which it comes",
    "INVALID_INTEGER": "the property holds whole numbers: correct the value, or map it to a property of another type",
    "INVALID_LONG": "the property holds whole numbers: correct the value, or map it to a property of another type",
    "INVALID_OPTION": "the property has no such option: add it in HubSpot's property settings, or map the value to one that is there",
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY": "one of the values makes another property required: fill that too, or loosen the rule in HubSpot",
    "MISSING_REQUIRED_PROPERTY": "HubSpot requires a property: fill it, or name a value that stands in under `fallback` in [systems.{system}.create]",
    "PROPERTY_DOESNT_EXIST": "the portal has no such property: create it, or take it out of the map",
    "READ_ONLY_VALUE": "HubSpot keeps this property itself: map it as read only, or map another one",
}
_FILE: Mapping[str, str] = {
    "EXISTS": "a row with this key came into the file meanwhile: the next run links it if it can see whose it is; else correct one of the keys",
    "GONE": "the row was taken out of the file: `stagesync holds` asks what that means",
    "KEY": "a row keeps its key: give the person a new row there, or choose another column as `key` under [systems.{system}]",
    "NOT_IN_FILE": "the row was taken out of the file: put it back there, or archive the record elsewhere; with `complete = true` that is a deletion",
    "NOT_WRITABLE": "the file cannot hold this value: save it as UTF-8, or correct the value in the system from which it comes",
    "NO_KEY": "fill the key in the system from which the person comes, or choose as `key` under [systems.{system}] a column that everybody has",
    "NO_SUCH_COLUMN": "add the column to the file's header, or take the field out of the map of {system}",
    "NO_SUCH_KIND": "set `kind` under [systems.{system}] to what the file holds",
}
_BY_VENDOR: Mapping[str, Mapping[str, str]] = {"salesforce": _SALESFORCE, "hubspot": _HUBSPOT, "csv": _FILE}
_OURS: Mapping[str, str] = {
    NONE_FOUND: 'there is no record of this company there: make one, or set `missing = "make"` under [systems.{system}.companies]',
    SEVERAL_FOUND: "nobody can tell which of several records the company's is: merge those, or link the person to one of them there",
    NOT_TAKEN: "the system acknowledged this stage and shows another: something there sets it back (a workflow, a calculated stage): switch that off",
}
UNKNOWN = "the code is not known here: the sentence is the vendor's own; mend what it names, then have it tried again"


def remedy(vendor: str, code: str, system: str) -> str:
    """What to do about a refusal with this code, as a sentence without its full stop. `system`: the name in the configuration."""
    return (_OURS.get(code) or _BY_VENDOR.get(vendor, {}).get(code) or UNKNOWN).replace("{system}", system)


def is_known(vendor: str, code: str) -> bool:
    """Whether the code has its own remedy."""
    return code in _OURS or code in _BY_VENDOR.get(vendor, {})
