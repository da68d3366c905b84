"""What rows of a write say of themselves, in every form that the documents allow, and a whole day in an org whose answers have other forms."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from lean_org import ACCOUNT, CONTACT, ONE, TWO, V66, opened
from salesforce_org import NoLimits, Org
from stubborn import Stubborn

from stagesync.connectors.contract import Ports
from stagesync.connectors.salesforce.connector import SalesforceConnector, open_org
from stagesync.connectors.salesforce.evidence import STATE
from stagesync.model.records import Query, Ref
from stagesync.model.writes import Applied, Deferred, Outcome, Rejected, Step, Unknown
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.wire import Request, Response


def create() -> Step:
    """A Lead to create."""
    return Step(1, 1, "create", "lead", None, {"LastName": "Ash", "Company": "Acme"})


def update(id: str = ONE) -> Step:
    """A Lead to change."""
    return Step(1, 1, "update", "lead", Ref("lead", id), {"LastName": "Ash"})


def written(answer: Response, step: Step) -> Outcome:
    """What came of one step."""
    method = "POST" if step.operation == "create" else "PATCH"
    (found,) = opened({f"{method} {V66}/composite/sobjects": answer}).write([step])
    return found


def test_a_short_id_is_the_record_that_was_made() -> None:
    """The link to it has the whole one."""
    assert written(json_response([{"id": ONE[:15], "success": True, "errors": []}]), create()) == Applied(Ref("lead", ONE))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response(204), Unknown),
        (json_response([{"id": ONE, "success": True, "errors": []}], 201), Applied),
        (json_response([{"success": True}]), Applied),
        (json_response([{"id": None, "success": True, "errors": None, "created": False, "extra": {"x": 1}}]), Applied),
        (json_response([{"id": TWO, "success": True, "errors": []}]), Unknown),
        (json_response([]), Unknown),
        (json_response({"hasErrors": True, "results": []}), Unknown),
        (json_response([{"success": False, "errors": []}]), Rejected),
        (json_response([{"success": False, "errors": [{"errorCode": "STRING_TOO_LONG", "message": "too long", "fields": None}]}]), Rejected),
    ],
)
def test_whatever_a_row_says_of_itself_is_read_with_care(answer: Response, expected: type[Outcome]) -> None:
    """No result, less than the documented one, more than it, or another record's: only what is surely ours counts as done."""
    found = written(answer, update())
    assert type(found) is expected
    assert not isinstance(found, Applied) or found.ref == Ref("lead", ONE)


DUPLICATES = {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
MATCHES = {"duplicateResult": {"allowSave": True, "duplicateRule": "Standard_Lead", "matchResults": [{"matchRecords": [{"record": {"Id": TWO}}]}]}}


@pytest.mark.parametrize(
    ("error", "code", "field"),
    [
        (DUPLICATES, "DUPLICATES_DETECTED", None),
        ({**DUPLICATES, **MATCHES}, "DUPLICATES_DETECTED", None),
        ({"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?"}, "DUPLICATES_DETECTED", None),
        (
            {"statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "There's a problem with this state", "fields": ["State"]},
            "FIELD_INTEGRITY_EXCEPTION",
            "State",
        ),
        (
            {"statusCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "message": "bad value", "fields": ["Industry"], "extendedErrorDetails": []},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Industry",
        ),
    ],
)
def test_refused_rows_are_told_by_their_code(error: dict[str, Any], code: str, field: str | None) -> None:
    """With or without what a duplicate rule has found, state lists, restricted lists, details that no document tells."""
    found = written(json_response([{"success": False, "errors": [error]}]), create())
    assert isinstance(found, Rejected)
    assert (found.code, found.field, found.existing) == (code, field, None)


@pytest.mark.parametrize("sentence", ["duplicate value found: Key__c duplicates value on record with id: {}", "Doppelter Wert: im Datensatz mit der ID {}"])
@pytest.mark.parametrize(("id", "kind"), [(TWO[:15], "lead"), (TWO, "lead"), (CONTACT, "contact"), (ACCOUNT, None)])
def test_who_has_a_unique_value_already_is_known_in_any_language(sentence: str, id: str, kind: str | None) -> None:
    """Salesforce words its sentences in the language of our user; the id in it is what counts."""
    error = {"statusCode": "DUPLICATE_VALUE", "message": sentence.format(id), "fields": []}
    found = written(json_response([{"success": False, "errors": [error]}]), create())
    assert isinstance(found, Rejected)
    assert found.existing == (None if kind is None else Ref(kind, {TWO[:15]: TWO}.get(id, id)))


LOCKED = "The flow tried to update these records: 00Q. This error occurred: UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record"


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"])
def test_a_lock_passes_whatever_is_wrapped_around_it(code: str) -> None:
    """A trigger or a flow that ran into a locked record fails by its own name: the row is tried again, not parked."""
    assert isinstance(written(json_response([{"success": False, "errors": [{"statusCode": code, "message": LOCKED, "fields": []}]}]), update()), Deferred)
    refused = [{"errorCode": code, "message": LOCKED}]
    assert isinstance(written(json_response(refused, 400), update()), Deferred)


@pytest.mark.parametrize("code", ["QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"])
@pytest.mark.parametrize("status", [400, 503])
def test_a_write_that_took_too_long_may_have_been_done(code: str, status: int) -> None:
    """Both are what a call of ten minutes ends in: nobody says how far it came."""
    assert isinstance(written(json_response([{"errorCode": code, "message": "Your request was running for too long."}], status), create()), Unknown)


def test_a_row_that_took_too_long_may_have_been_done() -> None:
    """The same as the result of a single row."""
    refused = {"statusCode": "REQUEST_RUNNING_TOO_LONG", "message": "Your request was running for too long.", "fields": []}
    assert isinstance(written(json_response([{"success": False, "errors": [refused]}]), create()), Unknown)


def test_an_error_without_its_list_is_still_read() -> None:
    """One object where a list is documented: the code counts all the same."""
    found = written(json_response({"errorCode": "STRING_TOO_LONG", "message": "too long", "fields": ["LastName"]}, 400), update())
    assert isinstance(found, Rejected)
    assert (found.code, found.field) == ("STRING_TOO_LONG", "LastName")


# ---- everything at once


class Stranger(Stubborn):
    """An org whose every answer has another form, within what is documented. `ways`: which."""

    ways: frozenset[str] = frozenset()

    def answer(self, request: Request, fault: Any = None) -> Response:
        """The world's answer in that form."""
        told = super().answer(request, fault)
        body, headers = told.body, dict(told.headers)
        if headers.get("Content-Type", "").startswith("application/json") and body and self.ways & {"more", "short", "whole", "bare"}:
            body = orjson.dumps(self._otherwise(orjson.loads(body)))
        if "unseen" in self.ways:
            headers = {name: value for name, value in headers.items() if name.lower() not in ("date", "sforce-limit-info")}
        if "small" in self.ways:
            headers = {name.lower(): value for name, value in headers.items()}
        if "packed" in self.ways and body:
            headers, body = {**headers, "Content-Encoding": "gzip"}, gzip.compress(body)
        return Response(told.status, headers, body, told.truncated)

    def _otherwise(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._otherwise(each) for each in value]
        if not isinstance(value, dict):
            return value
        found: dict[str, Any] = {name: each if name == "fields" else self._otherwise(each) for name, each in value.items()}
        if "bare" in self.ways:
            found = {name: each for name, each in found.items() if each is not None}
        if "more" in self.ways:
            found = {**found, "Surprise__c": "x", "extended": {"more": [1]}}
        if "short" in self.ways:
            found = {name: each[:15] if name in _IDS and isinstance(each, str) else each for name, each in found.items()}
        if "whole" in self.ways and found.get("nextRecordsUrl"):
            found["nextRecordsUrl"] = f"https://na1.salesforce.com{found['nextRecordsUrl']}"
        return found


_IDS = frozenset({"Id", "id", "LastModifiedById", "MasterRecordId", "ContactId", "LeadId"})
"""What names records; ids that are values of fields are the vendor's 18 characters."""

WAYS = ("more", "short", "whole", "unseen", "small", "packed")


class Plain(Org):
    """An org behind a stranger, who has no ways yet."""

    def reopened(self) -> SalesforceConnector:
        """A connector that meets the stranger."""
        self.door = Stranger(self.world)
        passing: Any = self.door
        return open_org("crm", self.settings, Ports(self.clock, NoLimits(), self.drawer), WorldAdapter(passing))


def lived(ways: Iterable[str]) -> list[Any]:
    """What a connector told and did in an org with these ways: a first reading, writes, what changed by other hands, and a second reading."""
    org = Plain(Habits(duplicate_rules="off", page_rows=2), external_id_field=None)
    org.door.ways = frozenset(ways)
    leads = [org.lead(f"L{number}", Email=f"l{number}@acme.example", Title="x" if number % 2 else None) for number in range(5)]
    contacts = [org.contact(f"C{number}", AccountId=org.world.create("Account", {"Name": "Acme"}) if number else None) for number in range(3)]
    org.world.open_opportunity(contacts[0])
    org.world.add_campaign_member(leads[1], "Webinar")
    org.world.edit(leads[0], {"Status": "Working - Contacted"})
    fields = {"lead": ("LastName", "Title", "Status"), "contact": ("LastName", "Account.Name", STATE)}
    said: list[Any] = [org.connector.identity(), {name: sorted(kind.fields) for name, kind in org.connector.describe().kinds.items()}]
    first = list(org.connector.pull(Query(fields, signals=True)))
    said += org.connector.write([Step(1, 1, "update", "lead", Ref("lead", leads[0]), {"Title": "CEO"}), replace(update(leads[1]), values={"Title": "y" * 200})])
    said += org.connector.write([create()])
    org.clock.at += 3_600
    org.world.convert(leads[2])
    org.world.merge(leads[3], [leads[4]])
    org.world.delete(contacts[1])
    org.world.edit(contacts[2], {"LastName": "Changed"})
    said += org.connector.write([update(leads[2]), update(leads[4])])
    second = list(org.connector.pull(Query(fields, first[-1].cursor)))
    refs = [Ref("lead", id) for id in leads] + [Ref("contact", id) for id in contacts]
    said += [
        org.connector.fetch(refs, fields, history=("Status",)),
        org.connector.find("lead", "Email", [f"L{number}@ACME.example" for number in range(5)], fields["lead"]),
    ]
    for pages in (first, second):
        said += sorted(((record.ref, record) for page in pages for record in page.records), key=lambda pair: pair[0])
        said += [
            [each.signal for page in pages for each in page.signals],
            {gone.ref for page in pages for gone in page.gone},
            {(moved.ref, moved.to, moved.why) for page in pages for moved in page.moved},
        ]
    return said


@cache
def as_ever() -> list[Any]:
    """The same where the answers have the sandbox's form."""
    return lived(())


@settings_of_hypothesis(max_examples=12, deadline=None)
@given(st.sets(st.sampled_from(WAYS), min_size=1))
def test_the_same_is_told_and_done_whatever_form_the_answers_have(ways: set[str]) -> None:
    """More keys, ids of 15 characters, whole addresses, no clock and no count of calls, small letters, packed bodies: nothing comes of them."""
    assert lived(ways) == as_ever()


def test_nulls_that_are_left_out_break_nothing() -> None:
    """Somebody who writes no key for what is blank is read all the same; a blank that nobody tells is no blank."""
    told = lived(("bare",))
    assert len(told) == len(as_ever())
    assert told[0] == as_ever()[0]
