"""Writing to Salesforce: every row has its own outcome, nothing is doubled, and nobody's side effects are set off."""

from __future__ import annotations

from typing import Any

import pytest
from salesforce_org import CLIENT, FIELDS, Org, served

from stagesync.model.errors import ConfigurationError, CredentialError, QuotaSpent
from stagesync.model.records import Native, Present, Ref
from stagesync.model.writes import Applied, Deferred, Operation, Outcome, Rejected, Step, Unknown, Write
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.salesforce.world import TOKEN

PATH = "/services/data/v66.0/composite/sobjects"


def step(operation: Operation, id: str | None = None, kind: str = "lead", number: int = 1, **values: Native) -> Step:
    """One step for one record."""
    return Step(number, 1, operation, kind, None if id is None else Ref(kind, id), values)


def new(last: str, number: int = 1, **values: Native) -> Step:
    """A Lead to create."""
    return Step(number, 1, "create", "lead", None, {"LastName": last, "Company": "Acme", **values})


def rejected(outcome: Outcome) -> Rejected:
    """The outcome, which must be a refusal."""
    assert isinstance(outcome, Rejected)
    return outcome


def test_rows_of_one_call_have_their_own_outcomes() -> None:
    """Good and bad rows travel together: one call, an outcome for each, in their order."""
    org = Org()
    org.calls()
    outcomes = org.connector.write([new("Good"), step("create", Company="Acme"), new("Long", Title="x" * 129), new("Better")])
    assert [type(outcome) for outcome in outcomes] == [Applied, Rejected, Rejected, Applied]
    assert (rejected(outcomes[1]).code, rejected(outcomes[1]).field) == ("REQUIRED_FIELD_MISSING", "LastName")
    assert (rejected(outcomes[2]).code, rejected(outcomes[2]).field) == ("STRING_TOO_LONG", "Title")
    assert {row["LastName"] for row in org.world.rows("Lead")} == {"Good", "Better"}
    assert org.calls() == {"POST composite/sobjects": 1}


def test_updates_and_clears_arrive() -> None:
    """A value is set and None clears, and the author of the change is our own user."""
    org = Org()
    id = org.lead("Old", Title="CTO", Email="old@acme.example")
    (outcome,) = org.connector.write([step("update", id, LastName="New", Title=None)])
    assert outcome == Applied(Ref("lead", id))
    (seen,) = org.connector.fetch([Ref("lead", id)], {"lead": ("LastName", "Title", "Email")})
    assert isinstance(seen, Present)
    assert dict(seen.record.values) == {"LastName": "New", "Title": None, "Email": "old@acme.example"}
    assert seen.record.author == org.connector.identity().own_actor


def test_archived_records_are_in_the_bin() -> None:
    """An archive deletes, and one that somebody deleted before is told as gone."""
    org = Org()
    one, other = org.contact("One"), org.contact("Other")
    org.world.delete(other)
    outcomes = org.connector.write([step("archive", one, "contact"), step("archive", other, "contact")])
    assert outcomes[0] == Applied(Ref("contact", one))
    assert rejected(outcomes[1]).gone
    assert list(org.world.rows("Contact")) == []


def test_a_write_sets_off_no_assignment_rule() -> None:
    """Leads stay with their owner on our writes, unless the rules are asked for."""
    quiet, asked = Org(), Org(auto_assign=True)
    for org in (quiet, asked):
        org.connector.write([new("Owned")])
    assert [row["OwnerId"] for row in quiet.world.rows("Lead")] == [quiet.world.org.integration]
    assert [row["OwnerId"] for row in asked.world.rows("Lead")] == [asked.world.org.queue]


def test_duplicate_rules_are_kept_or_overridden_as_configured() -> None:
    """An alerting duplicate rule refuses the row by default and gives way where that is configured."""
    for save, kind in ((False, Rejected), (True, Applied)):
        org = Org(Habits(duplicate_rules="alert"), save_duplicates=save)
        org.lead("Twin", Email="twin@acme.example")
        (outcome,) = org.connector.write([new("Twin", Email="twin@acme.example")])
        assert isinstance(outcome, kind)
        assert save or rejected(outcome).code == "DUPLICATES_DETECTED"


def test_a_converted_lead_is_told_with_its_contact() -> None:
    """A Lead that was converted meanwhile is refused and says where it lives on; the other rows are written."""
    org = Org()
    lead, other = org.lead("Converted"), org.lead("Other")
    contact = org.world.convert(lead).contact
    outcomes = org.connector.write([step("update", lead, Title="CEO"), step("update", other, Title="CEO")])
    assert (rejected(outcomes[0]).code, rejected(outcomes[0]).moved) == ("CANNOT_UPDATE_CONVERTED_LEAD", Ref("contact", contact))
    assert outcomes[1] == Applied(Ref("lead", other))


def test_deleted_merged_and_erased_records_are_told_apart() -> None:
    """In the bin: gone. Merged: moved to the winner. Out of the bin: refused, and nothing is claimed that cannot be known."""
    org = Org()
    winner, loser, deleted, erased = (org.contact(last) for last in ("Winner", "Loser", "Deleted", "Erased"))
    org.world.merge(winner, [loser])
    org.world.delete(deleted)
    org.world.delete(erased)
    org.world.purge(erased)
    found = [rejected(outcome) for outcome in org.connector.write([step("update", id, "contact", Title="X") for id in (loser, deleted, erased)])]
    assert [(each.moved, each.gone) for each in found] == [(Ref("contact", winner), False), (None, True), (None, False)]


def test_a_field_that_points_at_a_deleted_record_does_not_make_ours_gone() -> None:
    """ENTITY_IS_DELETED about the account of a Contact says nothing about the Contact."""
    org = Org()
    account, contact = org.world.create("Account", {"Name": "Acme"}), org.contact("Alive")
    org.world.delete(account)
    (outcome,) = org.connector.write([step("update", contact, "contact", AccountId=account)])
    assert (rejected(outcome).code, rejected(outcome).gone, rejected(outcome).field) == ("ENTITY_IS_DELETED", False, "AccountId")


def test_a_failed_look_takes_nothing_from_the_outcomes() -> None:
    """Where the org does not answer the look for a deleted record, the answer to the write still counts."""
    org = Org()
    deleted, other = org.lead("Deleted"), org.lead("Other")
    org.world.delete(deleted)
    org.world.faults.add(Fault("lost_before", match="GET /services/data/v66.0/queryAll", times=99))
    outcomes = org.connector.write([step("update", deleted, Title="X"), step("update", other, Title="X")])
    assert rejected(outcomes[0]).gone
    assert outcomes[1] == Applied(Ref("lead", other))


@pytest.mark.parametrize("habit", ["call", "row"])
def test_an_unknown_field_rejects_its_rows_only(habit: Any) -> None:
    """Whether Salesforce refuses the row or the whole call: rows with the field are rejected by its name, the others land."""
    org = Org(Habits(duplicate_rules="off", unknown_field_fails=habit))
    outcomes = list(org.connector.write([new("Fine"), new("Odd", Nonsense__c="x"), new("Good")]))
    assert (rejected(outcomes[1]).code, rejected(outcomes[1]).field) == ("INVALID_FIELD", "Nonsense__c")
    assert [type(each) for each in outcomes] == [Applied, Rejected, Applied]
    assert [row["LastName"] for row in org.world.rows("Lead")] == ["Fine", "Good"]


def test_a_second_step_for_one_record_waits() -> None:
    """Salesforce works off only some rows with the same id in one call, so the second is not sent."""
    org = Org()
    id = org.lead("Twice")
    outcomes = org.connector.write([step("update", id, Title="First"), step("update", id[:15], Title="Second")])
    assert [type(outcome) for outcome in outcomes] == [Applied, Deferred]
    assert [row["Title"] for row in org.world.rows("Lead")] == ["First"]


def test_a_converted_status_is_never_written() -> None:
    """A status that means converted converts nothing, so it is refused before it is sent; other rows go."""
    org = Org()
    one, other = org.lead("One"), org.lead("Other")
    outcomes = org.connector.write([step("update", one, Status="Closed - Converted"), step("update", other, Status="Sales Qualified")])
    assert (rejected(outcomes[0]).code, rejected(outcomes[0]).field) == ("CONVERTED_STATUS", "Status")
    assert outcomes[1] == Applied(Ref("lead", other))
    assert {row["Status"] for row in org.world.rows("Lead")} == {"Open - Not Contacted", "Sales Qualified"}


def test_a_unique_value_that_is_taken_names_its_owner() -> None:
    """DUPLICATE_VALUE becomes the record that stands in the way, with its whole id."""
    org = Org()
    org.world.define("Lead", "Badge__c", unique=True)
    owner = org.lead("Owner", Badge__c="7")
    (outcome,) = org.connector.write([new("Second", Badge__c="7")])
    assert (rejected(outcome).code, rejected(outcome).existing) == ("DUPLICATE_VALUE", Ref("lead", owner))


LOCK = "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record"


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("UNABLE_TO_LOCK_ROW", "", Deferred),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"rollup: execution of AfterUpdate caused by: {LOCK}", Deferred),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: System.NullPointerException", Rejected),
        ("ENTITY_IS_LOCKED", "the record is in an approval process", Deferred),
        ("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", Deferred),
        ("SERVER_UNAVAILABLE", "", Deferred),
        ("UNKNOWN_EXCEPTION", "An unexpected error occurred", Deferred),
        ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "", Deferred),
        ("PROCESSING_HALTED", "", Deferred),
        *(
            (code, "no", Rejected)
            for code in (
                *("DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "FIELD_INTEGRITY_EXCEPTION"),
                *("FIELD_FILTER_VALIDATION_EXCEPTION", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "STRING_TOO_LONG", "REQUIRED_FIELD_MISSING"),
                *("INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_EMAIL_ADDRESS", "INVALID_TYPE_ON_FIELD_IN_RECORD", "MALFORMED_ID", "TOO_MANY_ENUM_VALUE"),
                *("NUMBER_OUTSIDE_VALID_RANGE", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "TRANSFER_REQUIRES_READ"),
                *("INACTIVE_OWNER_OR_USER", "STORAGE_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "TXN_SECURITY_NO_ACCESS"),
            )
        ),
    ],
)
def test_each_row_error_is_met_as_what_it_is(code: str, message: str, expected: type[Outcome]) -> None:
    """What passes by itself is deferred, what stays is rejected with the vendor's code, and nothing else is touched by it."""
    org = Org()
    id = org.lead("Struck")
    org.world.fail_rows(code, message, ids=[id])
    outcomes = org.connector.write([step("update", id, Title="X"), step("update", org.lead("Fine"), Title="X")])
    assert isinstance(outcomes[0], expected)
    assert isinstance(outcomes[0], Deferred) or rejected(outcomes[0]).code == code
    assert isinstance(outcomes[1], Applied)


@pytest.mark.parametrize("operation", ["create", "update", "archive"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("lost_before"),
        Fault("lost_after"),
        Fault("truncated"),
        Fault("status", status=500, body='[{"errorCode":"UNKNOWN_EXCEPTION","message":"x"}]'),
        Fault("status", status=503, body="<html>down</html>", content_type="text/html"),
        Fault("status", status=502),
        Fault("status", status=420),
        Fault("status", status=200, body="<html>a proxy's page</html>", content_type="text/html"),
        Fault("status", status=200, body="[]"),
        Fault("status", status=200, body="{}"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status} {fault.body[:6]}",
)
def test_a_write_without_a_whole_answer_is_unknown(operation: Operation, fault: Fault) -> None:
    """Whether it was carried out nobody knows, so it is not sent again and not called a failure: one call, Unknown for each row."""
    org = Org()
    steps = [new("A", 1), new("B", 2)] if operation == "create" else [step(operation, org.lead(last), Title="X") for last in ("A", "B")]
    org.world.faults.add(fault)
    org.calls()
    outcomes = org.connector.write(steps)
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]
    assert sum(org.calls().values()) == 1


@pytest.mark.parametrize("row", ['{"id":"x"}', "null", '{"success":true}', '{"success":true,"id":7}'])
def test_a_row_result_that_cannot_be_read_is_unknown(row: str) -> None:
    """A result without its parts says nothing about its row."""
    org = Org()
    org.world.faults.add(Fault("status", status=200, body=f"[{row}]"))
    assert [type(outcome) for outcome in org.connector.write([new("A")])] == [Unknown]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", times=99, status=429, body="[]"),
        Fault(
            "status",
            times=99,
            status=403,
            body='[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]',
        ),
        Fault("status", times=99, status=400, body='[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access"}]'),
    ],
    ids=["429", "concurrent", "lock"],
)
def test_a_write_that_was_surely_not_done_is_deferred(fault: Fault) -> None:
    """Limits that pass are waited for, and then the rows are handed back as not done."""
    org = Org()
    org.world.faults.add(fault)
    (outcome,) = org.connector.write([new("Later")])
    assert isinstance(outcome, Deferred)
    assert outcome.retry_after > 0
    org.world.faults.clear()
    assert isinstance(org.connector.write([new("Later")])[0], Applied)


def test_a_busy_org_is_asked_again_by_itself() -> None:
    """One refusal for too many concurrent calls costs a pause, and the row is written once."""
    org = Org()
    org.world.faults.add(Fault("status", status=403, body='[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentPerOrgLongTxn Limit exceeded."}]'))
    assert isinstance(org.connector.write([new("Once")])[0], Applied)
    assert len(list(org.world.rows("Lead"))) == 1
    assert org.clock.slept


def test_the_daily_limit_stops_everything() -> None:
    """`TotalRequests Limit exceeded.` is no row's fault: the run ends, and nothing was written."""
    org = Org(Habits(daily_calls=0))
    with pytest.raises(QuotaSpent, match="used up"):
        org.connector.write([new("Never")])
    assert list(org.world.rows("Lead")) == []


def test_our_share_of_the_day_is_kept() -> None:
    """At the configured share of the org's calls we stop before the next one, and the calls made so far count."""
    org = Org(Habits(duplicate_rules="off", daily_calls=10), daily_share=0.5)
    with pytest.raises(QuotaSpent, match="5 of 10") as caught:
        for number in range(10):
            org.connector.write([new(f"L{number}", number)])
    assert "daily_share" in caught.value.next_step
    assert len(list(org.world.rows("Lead"))) == 5
    assert (org.connector.usage().calls, org.connector.usage().daily_used, org.connector.usage().daily_limit) == (5, 5, 10)


def test_an_org_that_is_closed_to_apis_is_said() -> None:
    """API_DISABLED_FOR_ORG and the like are about the credential's rights."""
    org = Org()
    org.world.faults.add(Fault("status", status=403, body='[{"errorCode":"API_DISABLED_FOR_ORG","message":"API is not enabled"}]'))
    with pytest.raises(CredentialError, match="no API access"):
        org.connector.write([new("Never")])


def test_an_expired_session_is_renewed_and_the_call_keeps_its_headers() -> None:
    """After the renewal the same call goes again, still without assignment rules."""
    with served(**CLIENT) as org:
        org.world.sessions.expire()
        assert isinstance(org.connector.write([new("Kept")])[0], Applied)
        org.world.sessions.expire()
        assert isinstance(org.connector.write([new("Kept too")])[0], Applied)
        assert {row["OwnerId"] for row in org.world.rows("Lead")} == {org.world.org.integration}


def keyed() -> Org:
    """An org with the external id field on both objects."""
    org = Org(external_id_field="Sync_Key__c")
    for kind in ("Lead", "Contact"):
        org.world.define(kind, "Sync_Key__c", unique=True, external_id=True)
    return org


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "truncated"])
def test_a_create_with_our_key_is_never_doubled(fault: Any) -> None:
    """By external id a lost answer is simply asked again: the record is there once, under one id."""
    org = keyed()
    org.world.faults.add(Fault(fault, match=f"PATCH {PATH}"))
    (outcome,) = org.connector.write([new("Once", 7)])
    (row,) = org.world.rows("Lead")
    assert outcome == Applied(Ref("lead", row["Id"]))
    assert org.connector.write([new("Once", 7)]) == [outcome]
    assert len(list(org.world.rows("Lead"))) == 1
    assert org.connector.capabilities.unique == {"Sync_Key__c"}


def test_keys_of_different_people_differ_even_in_a_new_state() -> None:
    """A state that begins again at action 1 makes another record for somebody else, and does not write over the first."""
    org = keyed()
    org.connector.write([new("First", 1), new("Second", 2)])
    org.connector.write([new("Third", 1)])
    assert sorted(row["LastName"] for row in org.world.rows("Lead")) == ["First", "Second", "Third"]


@pytest.mark.parametrize("field", [None, {"length": 30}, {"type": "email"}, {"unique": False}])
def test_without_a_fitting_field_in_the_org_creates_are_plain(field: dict[str, Any] | None) -> None:
    """A configured key field that the org does not have, or in which no key of ours finds room, is a finding, not a failure."""
    org = Org(external_id_field="Sync_Key__c")
    for kind in ("Lead", "Contact") if field is not None else ():
        flags: dict[str, Any] = {"unique": True, "external_id": True, **(field or {})}
        org.world.define(kind, "Sync_Key__c", **flags)
    assert isinstance(org.connector.write([new("Plain")])[0], Applied)
    assert sum("Sync_Key__c" in finding for finding in org.connector.describe().findings) == 2


def test_a_batch_is_one_operation_on_one_object() -> None:
    """200 rows travel together, of one operation and object."""
    batch = Org().connector.capabilities.batch
    keys = {batch(each) for each in (new("A"), new("B", 2), step("update", "00Q000000000001"), step("update", "003000000000001", "contact"))}
    assert keys == {("create:Lead", 200), ("update:Lead", 200), ("update:Contact", 200)}
    org = Org()
    outcomes = org.connector.write([new(f"L{number}", number) for number in range(200)])
    assert sum(isinstance(outcome, Applied) for outcome in outcomes) == 200


def test_a_write_is_one_step() -> None:
    """Salesforce takes all values of a record in one go."""
    wanted = Write(9, "update", "lead", Ref("lead", "00Q000000000001"), {"Title": "X"}, {"Title": None})
    assert Org().connector.expand(wanted) == (Step(9, 1, "update", "lead", wanted.ref, {"Title": "X"}),)


def test_nothing_to_write_makes_no_call() -> None:
    """An empty batch is no request."""
    org = Org()
    assert org.connector.write([]) == []
    assert org.calls() == {}


def test_a_token_is_never_shown() -> None:
    """Neither an error nor a setting tells the secret."""
    org = Org(instance_url="https://org.my.salesforce.com")
    org.world.sessions.expire()
    with pytest.raises(CredentialError) as caught:
        list(org.connector.fetch([Ref("lead", "00Q000000000001AAA")], FIELDS))
    assert TOKEN not in f"{caught.value}{caught.value.__cause__}{org.settings!r}"


def test_a_retired_api_version_is_said() -> None:
    """410 names the setting to change."""
    org = Org(api_version="30.0")
    with pytest.raises(ConfigurationError, match="retired") as caught:
        org.connector.find("lead", "Email", ["a@b.example"], ("Email",))
    assert "api_version" in caught.value.next_step
