"""What HubSpot's answers mean, read one by one: every part of an error is optional, every moment has two forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.connectors.hubspot.errors import judge, rejection
from stagesync.connectors.hubspot.history import actor_of
from stagesync.connectors.hubspot.rows import instant_ms, moves_of, records_of, sent_values
from stagesync.connectors.manners import Answer, parsed
from stagesync.model.errors import StagesyncError
from stagesync.model.records import Actor, Moved, Ref
from stagesync.model.writes import Rejected

NAMES = [
    "status",
    "message",
    "category",
    "errors",
    "context",
    "code",
    "propertyName",
    "requiredGranularScopes",
    "policyName",
    "correlationId",
    "ids",
    "error",
    "name",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["Existing ID: 12", 'not valid: [{"name":1}]', "[{]", "DAILY"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@given(error=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
def test_any_error_of_a_row_is_a_refusal(error: dict[str, Any]) -> None:
    """Whatever is missing or strange in it, a row's error gives a reason and does not stop the run."""
    refused = rejection(error, ["x"])
    assert refused.reason
    assert refused.code


@given(status=st.sampled_from((400, 404, 409)) | st.integers(300, 599), error=JSON)
def test_any_error_of_a_call_is_one_of_ours(status: int, error: Any) -> None:
    """No answer of whatever shape becomes an exception of another kind."""
    answer = parsed(Answer(status, {}, json.dumps(error).encode()), where="hubspot")
    try:
        judge(answer, where="hubspot", now_ms=0)
        assert status in (400, 404, 409)
    except StagesyncError as stop:
        assert stop.where == "hubspot"
        assert stop.next_step


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (
            {"status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 123"},
            Rejected("CONFLICT", "Contact already exists. Existing ID: 123", field="email", existing=Ref("contact", "123")),
        ),
        (
            {
                "category": "VALIDATION_ERROR",
                "message": "no",
                "errors": [{"message": "Bad one", "code": "INVALID_EMAIL", "context": {"propertyName": ["email"]}}],
            },
            Rejected("INVALID_EMAIL", "Bad one", field="email"),
        ),
        (
            {
                "category": "VALIDATION_ERROR",
                "message": 'Property values were not valid: [{"isValid":false,"message":"Bad","error":"READ_ONLY_VALUE","name":"x"}]',
            },
            Rejected("READ_ONLY_VALUE", "Bad", field="x"),
        ),
        ({"message": "resource not found"}, Rejected("error", "resource not found", gone=True)),
        ({"category": "OBJECT_NOT_FOUND", "message": "gone"}, Rejected("OBJECT_NOT_FOUND", "gone", gone=True)),
        (
            {"category": "VALIDATION_ERROR", "message": "required", "errors": [{"code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY", "message": "x"}]},
            Rejected("MISSING_CONDITIONAL_REQUIRED_PROPERTY", "required"),
        ),
        ({}, Rejected("error", "HubSpot gives no reason")),
    ],
)
def test_each_known_refusal(error: dict[str, Any], refused: Rejected) -> None:
    """The shapes that HubSpot documents and those that were seen."""
    assert rejection(error) == refused


def test_of_several_bad_properties_the_rows_own_is_named() -> None:
    """One refusal of a whole call lists what is bad in any row; each row hears of its own."""
    errors = [{"message": name, "code": "BAD", "context": {"propertyName": [name]}} for name in ("a", "b")]
    assert rejection({"message": "no", "errors": errors}, ["b", "c"]).field == "b"


@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - strategies take naive bounds; the zone is set below
def test_a_moment_has_two_forms(moment: datetime) -> None:
    """With milliseconds, without them when they are zero, and as a number: all the same instant."""
    moment = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    ms = round(moment.timestamp() * 1000)
    whole = moment.replace(microsecond=0)
    assert instant_ms(moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z") == ms
    assert instant_ms(whole.strftime("%Y-%m-%dT%H:%M:%SZ")) == ms - ms % 1000
    assert instant_ms(str(ms)) == ms


def test_rows_that_differ_are_read_each_for_itself() -> None:
    """A property that one row has and another lacks is absent only there."""
    stamp = {"lastmodifieddate": "2026-01-01T00:00:00Z"}
    rows = [
        {"id": "1", "properties": {**stamp, "a": "x"}},
        {"id": "2", "properties": {**stamp}},
        {"id": "3", "updatedAt": "2026-01-01T00:00:00Z", "properties": {"a": ""}},
    ]
    found = records_of(rows, ("a", "b"))
    assert [dict(record.values) for record in found] == [{"a": "x"}, {}, {"a": None}]
    assert len({record.stamp for record in found}) == 1


def test_a_first_row_that_lacks_something_hides_it_in_no_other() -> None:
    """A server that leaves out what is empty shows it in the rows that have it."""
    stamp = {"lastmodifieddate": "2026-01-01T00:00:00Z"}
    rows = [{"id": "1", "properties": {**stamp, "a": "x"}}, {"id": "2", "properties": {**stamp, "a": "y", "b": "z"}}]
    assert [dict(record.values) for record in records_of(rows, ("a", "b"))] == [{"a": "x"}, {"a": "y", "b": "z"}]


def test_merged_ids_lead_here() -> None:
    """Each old id moves to this record; its own id is none of them."""
    row = {"id": "9", "properties": {"hs_merged_object_ids": "7;8;9;"}}
    assert moves_of(row) == [Moved(Ref("contact", old), Ref("contact", "9"), "merged") for old in ("7", "8")]
    assert moves_of({"id": "9", "properties": {}}) == []


def test_values_go_out_as_text() -> None:
    """Blank clears; truth and numbers are written as HubSpot shows them."""
    assert sent_values({"a": None, "b": True, "c": False, "d": 3, "e": 3.0, "f": 2.5, "g": "x"}) == {
        "a": "",
        "b": "true",
        "c": "false",
        "d": "3",
        "e": "3",
        "f": "2.5",
        "g": "x",
    }


@pytest.mark.parametrize(
    ("version", "actor"),
    [
        ({"sourceType": "INTEGRATION", "sourceId": "77"}, Actor("integration", "77", own=True)),
        ({"sourceType": "INTEGRATION", "sourceId": "78"}, Actor("integration", "78")),
        ({"sourceType": "SALESFORCE"}, Actor("integration", "SALESFORCE")),
        ({"sourceType": "CRM_UI", "sourceId": "userId:5"}, Actor("user", "5")),
        ({"sourceType": "CRM_UI", "sourceId": "userId:5", "updatedByUserId": 6}, Actor("user", "6")),
        (
            {"sourceType": "AUTOMATION_PLATFORM", "sourceId": "enrollmentId:1;actionExecutionIndex:0"},
            Actor("automation", "enrollmentId:1;actionExecutionIndex:0"),
        ),
        ({"sourceType": "IMPORT", "sourceId": "9"}, Actor("import", "9")),
        ({"sourceType": "SOMETHING_NEW"}, Actor("unknown", "SOMETHING_NEW")),
        ({}, Actor("unknown", None)),
    ],
)
def test_actors(version: dict[str, Any], actor: Actor) -> None:
    """HubSpot lists no source types, so new ones are unknown and nothing breaks; only our app's id is ours."""
    assert actor_of(version, "77") == actor
