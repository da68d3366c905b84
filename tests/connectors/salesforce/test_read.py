"""Looking at certain records, at the account and at its fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salesforce_org import Org

from stagesync.connectors.contract import Option
from stagesync.connectors.salesforce import errors
from stagesync.connectors.salesforce.rows import id18, shape, stamp_ms
from stagesync.model.errors import ConfigurationError, CredentialError, QuotaSpent, StagesyncError, Unreachable
from stagesync.model.records import Actor, FieldChange, Gone, Moved, Present, Ref, Unreadable
from stagesync.model.writes import Step
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.salesforce.ids import normalise

NAMES = {"lead": ("LastName",), "contact": ("LastName",)}


def test_each_ref_is_answered_by_what_became_of_it() -> None:
    """Present, deleted, merged, converted, erased, unknown and nonsense, mixed and repeated, in the order asked."""
    org = Org()
    there, deleted, lead = org.contact("There"), org.contact("Deleted"), org.lead("Lead")
    winner, loser, erased = org.contact("Winner"), org.contact("Loser"), org.contact("Erased")
    org.world.merge(winner, [loser])
    org.world.delete(deleted)
    org.world.delete(erased)
    org.world.purge(erased)
    made = org.world.convert(lead)
    ids = [there, deleted, loser, erased, there[:15], "0030000000000zz", "nonsense"]
    refs = [*(Ref("contact", id) for id in ids), Ref("lead", lead), Ref("company", there)]
    seen = list(org.connector.fetch(refs, NAMES))
    assert [type(each) for each in seen] == [Present, Gone, Moved, Unreadable, Present, Unreadable, Unreadable, Moved, Unreadable]
    assert seen[0] == seen[4]
    merged, converted = seen[2], seen[7]
    assert isinstance(merged, Moved)
    assert isinstance(converted, Moved)
    assert (merged.to, merged.why) == (Ref("contact", winner), "merged")
    assert (converted.to, converted.why) == (Ref("contact", made.contact), "converted")
    assert converted.record is not None
    assert converted.record.values["LastName"] == "Lead"


def test_many_records_are_read_in_few_calls() -> None:
    """2,000 records cost one call; with a field of a related record they cost queries, each fit for a URL."""
    org = Org()
    ids = org.world.load("Contact", [{"LastName": f"C{number}"} for number in range(2_001)])
    refs = [Ref("contact", id) for id in ids]
    org.calls()
    assert all(isinstance(each, Present) for each in org.connector.fetch(refs, NAMES))
    assert org.calls() == {"POST composite/sobjects/Contact": 2}
    seen = org.connector.fetch(refs, {"contact": ("LastName", "Account.Name")})
    assert [each.record.values["LastName"] for each in seen if isinstance(each, Present)] == [f"C{number}" for number in range(2_001)]
    assert 0 < org.calls()["GET query"] < 10


def test_a_collection_that_lost_rows_is_no_answer() -> None:
    """A read that gives another number of rows than asked is not matched by guessing."""
    org = Org()
    org.world.faults.add(Fault("status", match="POST", status=200, body="[]"))
    with pytest.raises(Unreachable, match="another number"):
        org.connector.fetch([Ref("lead", org.lead("Lost"))], NAMES)


def test_a_hidden_field_is_named_in_a_fetch() -> None:
    """The collection refuses the whole call, and the field is named."""
    org = Org(Habits(hidden_fields=frozenset({"Lead.Title"})))
    with pytest.raises(ConfigurationError, match="`Title`"):
        org.connector.fetch([Ref("lead", org.lead("Lead"))], {"lead": ("Title",)})


def test_find_knows_no_case_and_no_dead_leads() -> None:
    """E-mails are found whatever their case, converted and deleted Leads are not, and all twins are."""
    org = Org()
    alive, twin, dead, deleted = (org.lead(last, Email="Anna@Acme.example") for last in ("Alive", "Twin", "Dead", "Deleted"))
    org.world.convert(dead)
    org.world.delete(deleted)
    found = org.connector.find("lead", "Email", ["ANNA@acme.example", "anna@acme.example", ""], ("LastName", "Email"))
    assert {record.ref.id for record in found} == {alive, twin}
    assert all(record.values["Email"] == "Anna@Acme.example" for record in found)
    assert org.connector.find("contact", "Email", ["anna@acme.example"], ("Account.Name",))[0].values == {"Account.Name": "Acme"}


def test_find_takes_any_text() -> None:
    """Quotes, backslashes and newlines in an address neither break the query nor find anybody else."""
    org = Org()
    odd = "o'brien\\@acme.example"
    id = org.world.load("Lead", [{"LastName": "O'Brien", "Company": "Acme", "Email": odd}, {"LastName": "X", "Company": "Acme", "Email": "x@acme.example"}])[0]
    found = org.connector.find("lead", "Email", [odd, "') OR (Id != '", "a\nb@acme.example", "日本@acme.example"], ("Email",))
    assert [record.ref.id for record in found] == [id]


def test_many_keys_are_found_in_parts() -> None:
    """A thousand addresses are asked in a few queries that fit into URLs, and nobody is left out."""
    org = Org()
    org.world.load("Lead", [{"LastName": f"L{number}", "Company": "Acme", "Email": f"person.number.{number}@acme.example"} for number in range(1000)])
    org.calls()
    found = org.connector.find("lead", "Email", [f"person.number.{number}@acme.example" for number in range(1500)], ("LastName",))
    assert {record.values["LastName"] for record in found} == {f"L{number}" for number in range(1000)}
    assert 1 < org.calls()["GET query"] < 12


def test_more_columns_than_a_url_holds_are_found_and_fetched() -> None:
    """Four hundred long names come by a second call, and the records are whole."""
    org = Org()
    names = [f"A_Very_Long_Name_Of_A_Field_{number:03}__c" for number in range(400)]
    for name in names:
        org.world.define("Contact", name)
    id = org.contact("Wide", Email="wide@acme.example", **{names[0]: "first", names[-1]: "last"})
    wanted = ("LastName", "Account.Name", *names)
    (found,) = org.connector.find("contact", "Email", ["wide@acme.example"], wanted)
    (seen,) = org.connector.fetch([Ref("contact", id)], {"contact": wanted})
    assert found.values == {"LastName": "Wide", "Account.Name": None, **dict.fromkeys(names), names[0]: "first", names[-1]: "last"}
    assert seen == Present(found)


def test_history_tells_who_and_when() -> None:
    """Tracked fields have their versions, newest first, from the value with which the record was made, and our own are marked."""
    org = Org(Habits(duplicate_rules="off", tracked_fields=frozenset({"Lead.Status", "Lead.OwnerId"})))
    id, other = org.lead("Tracked"), org.lead("Untouched")
    made = org.clock.now_ms()
    org.clock.at += 60
    org.world.edit(id, {"Status": "Marketing Qualified", "Title": "CTO"})
    early = org.clock.now_ms()
    org.clock.at += 60
    org.connector.write([Step(1, 1, "update", "lead", Ref("lead", id), {"Status": "Sales Qualified", "OwnerId": org.world.org.admin})])
    late = org.clock.now_ms()
    seen, untouched = org.connector.fetch([Ref("lead", id), Ref("lead", other)], NAMES, ("Status", "Title", "OwnerId"))
    ours, somebody = Actor("integration", org.world.org.integration, own=True), Actor("user", org.world.org.somebody)
    assert isinstance(seen, Present)
    assert isinstance(untouched, Present)
    assert seen.history == {
        "Status": [
            FieldChange("Sales Qualified", late, ours, "Marketing Qualified"),
            FieldChange("Marketing Qualified", early, somebody, "Open - Not Contacted"),
            FieldChange("Open - Not Contacted", made, somebody),
        ],
        "OwnerId": [FieldChange(org.world.org.admin, late, ours, org.world.org.somebody), FieldChange(org.world.org.somebody, made, somebody)],
    }
    assert untouched.history == {}


def test_an_org_without_history_is_no_error() -> None:
    """Where the object has no history, records come without versions."""
    org = Org()
    org.connector.identity()
    refusal = '[{"errorCode":"INVALID_TYPE","message":"sObject type \'LeadHistory\' is not supported."}]'
    org.world.faults.add(Fault("status", match="GET /services/data/v66.0/query", status=400, body=refusal))
    (seen,) = org.connector.fetch([Ref("lead", org.lead("Lead"))], NAMES, ("Status",))
    assert isinstance(seen, Present)
    assert seen.history == {}


def test_the_account_is_known_even_where_organization_is_closed() -> None:
    """Name and zone are lost then, the id is not: userinfo has it."""
    org = Org()
    refusal = '[{"errorCode":"INVALID_TYPE","message":"sObject type \'Organization\' is not supported."}]'
    org.world.faults.add(Fault("status", match="GET /services/data/v66.0/query", status=400, body=refusal))
    found = org.connector.identity()
    assert (found.id, found.name, found.zone, found.own_actor) == (org.world.org.org_id, "", "UTC", org.world.org.integration)


def test_the_account_is_known_even_where_userinfo_is_closed() -> None:
    """Our own user is not known then, and nothing fails."""
    org = Org()
    org.world.faults.add(Fault("status", match="GET /services/oauth2/userinfo", status=403, body="Bad_OAuth_Token", content_type="text/html"))
    found = org.connector.identity()
    assert (found.id, found.name, found.own_actor) == (org.world.org.org_id, "Sandbox Org", None)


def test_an_org_that_hides_its_id_is_known_by_its_address() -> None:
    """The address of an org is its own; that it had to stand in for the id is a finding with a remedy."""
    org = Org()
    org.world.faults.add(Fault("status", match="GET /services/data/v66.0/query", status=400, body='[{"errorCode":"INVALID_TYPE","message":"x"}]', times=2))
    org.world.faults.add(Fault("status", match="GET /services/oauth2/userinfo", status=403, body="Missing_OAuth_Token", content_type="text/html"))
    assert org.connector.identity().id in org.settings.instance_url
    assert any("does not tell its id" in finding for finding in org.connector.describe().findings)


def test_statuses_come_in_their_order_with_what_they_mean() -> None:
    """The options of Status are the org's list; only the converted one is done."""
    status = Org().connector.describe().kinds["lead"].fields["Status"]
    assert [option.value for option in status.options] == [
        *("Open - Not Contacted", "Marketing Qualified", "Working - Contacted", "Sales Qualified", "Closed - Converted", "Closed - Not Converted")
    ]
    assert [option.value for option in status.options if option.done] == ["Closed - Converted"]
    assert [option.order for option in status.options] == list(range(6))


def test_a_status_outside_the_list_stays_as_inactive() -> None:
    """A value that the API once took is still an option, behind the others and not active."""
    org = Org()
    org.world.edit(org.lead("Odd"), {"Status": "Open - Not Contacted"})
    org.connector.write([_status(org.lead("Odd too"), "Made up")])
    status = org.connector.describe().kinds["lead"].fields["Status"]
    assert status.options[-1] == Option("Made up", "Made up", 6, active=False)


def _status(id: str, value: str) -> Step:
    return Step(1, 1, "update", "lead", Ref("lead", id), {"Status": value})


def test_fields_are_described_as_they_are() -> None:
    """Types, lengths, scales, rights and what a create needs; compound fields are left out, fields of the account can be read only."""
    org = Org(Habits(locked_fields=frozenset({"Contact.Phone"})))
    org.world.define("Lead", "Tags__c", type="multipicklist", options=["A", "B"], restricted=True)
    found = org.connector.describe()
    lead, contact = found.kinds["lead"].fields, found.kinds["contact"].fields
    assert {
        name: lead[name].type for name in ("Email", "Phone", "Website", "Industry", "Tags__c", "AnnualRevenue", "HasOptedOutOfEmail", "OwnerId", "CreatedDate")
    } == {
        "Email": "email",
        "Phone": "phone",
        "Website": "text",
        "Industry": "choice",
        "Tags__c": "multichoice",
        "AnnualRevenue": "number",
        "HasOptedOutOfEmail": "boolean",
        "OwnerId": "reference",
        "CreatedDate": "datetime",
    }
    assert {name for name, field in lead.items() if field.required} == {"LastName", "Company"}
    assert {name for name, field in contact.items() if field.required} == {"LastName"}
    assert (lead["LastName"].length, lead["NumberOfEmployees"].scale, lead["NumberOfEmployees"].length) == (80, 0, None)
    assert (lead["Tags__c"].restricted, [option.value for option in lead["Tags__c"].options]) == (True, ["A", "B"])
    assert (lead["Name"].writable, lead["IsConverted"].writable, contact["Phone"].writable, contact["Phone"].creatable) == (False, False, False, False)
    assert (contact["Account.Name"].type, contact["Account.Name"].writable, contact["Account.Name"].creatable) == ("text", False, False)
    assert "Account.Name" not in lead
    assert (lead["Owner.Email"].type, lead["Owner.Email"].writable) == ("email", False)
    emails = {option.value: option.label for option in lead["OwnerId"].options}
    assert emails[org.world.org.somebody] == "riley@sandbox.example"


@pytest.mark.parametrize(
    ("habits", "fields", "finding"),
    [
        (Habits(hidden_fields=frozenset({"Lead.HasOptedOutOfEmail"})), (), "Lead.HasOptedOutOfEmail is hidden"),
        (Habits(hidden_fields=frozenset({"Lead.ConvertedContactId"})), (), "Lead.ConvertedContactId is hidden"),
        (Habits(locked_fields=frozenset({"Contact.Email"})), (), "Contact.Email cannot be edited"),
        (Habits(), ("HubSpot_Contact_ID__c",), "HubSpot's own Salesforce integration (HubSpot_Contact_ID__c)"),
    ],
)
def test_what_somebody_should_know_is_a_finding(habits: Habits, fields: tuple[str, ...], finding: str) -> None:
    """Hidden or locked fields and the traces of a second writer are told as sentences; a plain org has none."""
    org = Org(habits)
    for name in fields:
        org.world.define("Lead", name)
    findings = org.connector.describe().findings
    assert len(findings) == 1
    assert finding in findings[0]
    assert Org().connector.describe().findings == ()


def test_a_description_costs_few_calls() -> None:
    """Three descriptions, the lead statuses, the users, a look at the opportunities and their stages; the statuses need no second look for a write."""
    org = Org()
    id = org.lead("Lead")
    org.calls()
    org.connector.describe()
    assert sum(org.calls().values()) == 7
    org.connector.write([_status(id, "Sales Qualified")])
    assert sum(org.calls().values()) == 1


# Pure parts


def test_a_row_becomes_flat_values() -> None:
    """Empty text is None, nested records become paths, bookkeeping is dropped unless it was asked for, booleans stay."""
    row = {
        "attributes": {"type": "Contact"},
        "Id": "003A",
        "SystemModstamp": "2026-01-02T03:04:05.000+0000",
        "LastModifiedById": "005A",
        "IsDeleted": False,
        "MasterRecordId": None,
        "LastName": "",
        "HasOptedOutOfEmail": False,
        "Account": {"attributes": {}, "Name": "Acme", "Owner": None},
    }
    record = shape("contact", ("Id", "LastName", "HasOptedOutOfEmail", "Account.Name", "Account.Owner.Email")).record(row)
    assert (record.ref, record.author, record.stamp) == (Ref("contact", "003A"), "005A", 1_767_323_045_000)
    assert record.values == {"Id": "003A", "LastName": None, "HasOptedOutOfEmail": False, "Account.Name": "Acme", "Account.Owner.Email": None}


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2013-05-08T21:20:00.000+0000", 1_368_048_000_000),
        ("2013-05-08T21:20:00.007+0000", 1_368_048_000_007),
        ("2013-05-08T23:20:00.000+0200", 1_368_048_000_000),
    ],
)
def test_stamps_are_milliseconds(written: str, ms: int) -> None:
    """The vendor's form of a moment, exact to the millisecond."""
    assert stamp_ms(written) == ms


@given(st.text("0123456789ABCDEFabcdef", min_size=15, max_size=15))
def test_whole_ids_are_those_of_the_vendor(id: str) -> None:
    """The 15-character form is completed as Salesforce does it, and a whole one stays."""
    assert id18(id) == normalise(id)
    assert id18(id18(id)) == id18(id)


@pytest.mark.parametrize(
    ("status", "body", "expected", "words"),
    [
        (400, '[{"errorCode":"INVALID_FIELD","message":"No such column \'X__c\' on entity \'Lead\'."}]', ConfigurationError, "X__c"),
        (400, '[{"errorCode":"INVALID_TYPE","message":"sObject type \'Lead\' is not supported."}]', CredentialError, "INVALID_TYPE"),
        (400, '[{"errorCode":"MALFORMED_QUERY","message":"unexpected token"}]', Unreachable, "MALFORMED_QUERY"),
        (400, '[{"errorCode":"OPERATION_TOO_LARGE","message":"too many"}]', Unreachable, "OPERATION_TOO_LARGE"),
        (400, '[{"errorCode":"QUERY_TOO_COMPLICATED","message":"formula"}]', Unreachable, "QUERY_TOO_COMPLICATED"),
        (400, '[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]', Unreachable, "two minutes"),
        (403, '[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]', CredentialError, "INSUFFICIENT_ACCESS"),
        (403, '[{"errorCode":"API_CURRENTLY_DISABLED","message":"API is disabled for this User"}]', CredentialError, "no API access"),
        (403, '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]', QuotaSpent, "used up"),
        (403, "<html>blocked</html>", CredentialError, "HTTP 403"),
        (404, '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]', ConfigurationError, "NOT_FOUND"),
        (404, "<html>not here</html>", Unreachable, "HTTP 404"),
        (410, '[{"errorCode":"UNSUPPORTED_API_VERSION","message":"retired"}]', ConfigurationError, "retired"),
        (414, "<h1>URI Too Long</h1>", Unreachable, "HTTP 414"),
        (431, "<h1>Request Header Fields Too Large</h1>", Unreachable, "HTTP 431"),
        (302, "", ConfigurationError, "another address"),
        (420, "", Unreachable, "no way to the org"),
        (429, "[]", Unreachable, "too many requests"),
        (500, '[{"errorCode":"UNKNOWN_EXCEPTION","message":"oops"}]', Unreachable, "UNKNOWN_EXCEPTION"),
        (502, "", Unreachable, "HTTP 502"),
        (503, '[{"errorCode":"SERVER_UNAVAILABLE","message":"later"}]', Unreachable, "SERVER_UNAVAILABLE"),
        (503, "<html>maintenance</html>", Unreachable, "HTTP 503"),
        (200, "<html>sign in</html>", Unreachable, "HTML page"),
        (200, "", Unreachable, "empty answer"),
        (200, '{"done":', Unreachable, "broken JSON"),
        (200, "[]", Unreachable, "no records"),
        (200, '{"records":7}', Unreachable, "no records"),
    ],
)
def test_each_refusal_of_a_read_stops_with_its_own_class(status: int, body: str, expected: type[StagesyncError], words: str) -> None:
    """Whoever reads the message learns what to mend, and the class decides the exit code; e-mail addresses are not in it."""
    org = Org()
    org.world.faults.add(Fault("status", times=99, status=status, body=body, content_type="text/html" if body.startswith("<") else "application/json"))
    with pytest.raises(expected, match=words) as caught:
        org.connector.find("lead", "Email", ["anna@acme.example"], ("Email",))
    assert caught.value.next_step
    assert "anna@" not in str(caught.value)


def test_a_vendors_sentence_is_cleaned() -> None:
    """Validation rules may repeat what was sent: addresses do not get into reasons."""
    found = errors.outcome(errors.Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", "anna@acme.example is no customer"))
    assert "anna@acme.example" not in str(found)
