"""The exports of the HubSpot world: asked for, waited for, limited and refused over real sockets, by the official client and by hand."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
import pytest
import requests
from exporter import DATED, INTERNAL, T0, TOKEN, V3, VIEW, Desk, rows_of
from hubspot.crm.exports import ApiException, PublicExportViewRequest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.wire import Request


def test_the_clients_own_models_are_taken(desk: Desk) -> None:
    """The request that the client builds and checks itself is understood, and what comes back passes its checks."""
    desk.world.load([{"email": f"p{i}@example.com"} for i in range(3)])
    view = {"query": "", "filters": [{"propertyName": "email", "operator": "NEQ", "value": "p1@example.com"}], "sorts": ["-email"]}
    asked: dict[str, Any] = {
        "export_name": "x",
        "format": "CSV",
        "object_properties": ["email"],
        "object_type": "0-1",
        "language": "DE",
        "export_internal_values_options": INTERNAL,
        "associated_object_type": "",
        "override_associated_objects_per_definition_per_row_limit": False,
        "public_crm_search_request": view,
    }
    located = desk.api.start(PublicExportViewRequest(**asked))
    assert located.links["status"] == f"{desk.url}{V3}/async/tasks/{located.id}/status"
    assert [row["email"] for row in rows_of(desk.downloaded(located.id).content)] == ["p2@example.com", "p0@example.com"]


def test_an_export_takes_its_time_and_tells_its_moment(desk: Desk) -> None:
    """It waits, is worked on, and is done; its rows are those of the moment in which it was worked on, and `completedAt` is no sign of the end."""
    desk.world.switch(export_takes_s=60)
    early, late = desk.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    id = desk.start("email")
    desk.world.edit(early, {"email": "before@example.com"})
    seen: list[tuple[str, str, bool]] = []
    for _ in range(3):
        told = desk.call("GET", f"{V3}/async/tasks/{id}/status").json
        seen.append((told["status"], desk.state(id), "result" in told))
        assert {"requestedAt", "startedAt", "completedAt"} <= told.keys()
        desk.world.clock.advance(31)
        if len(seen) == 2:
            desk.world.edit(late, {"email": "after@example.com"})
    assert seen == [("PENDING", "ENQUEUED", False), ("PROCESSING", "PROCESSING", False), ("COMPLETE", "DONE", True)]
    assert [row["email"] for row in rows_of(desk.downloaded(id).content)] == ["before@example.com", "b@example.com"]


def test_the_dated_api_tells_more(desk: Desk) -> None:
    """The dated path starts the same export, its links stay with the version, and its detail tells the state and the count of records."""
    desk.world.load([{"email": f"p{i}@example.com"} for i in range(3)])
    started = desk.call("POST", f"{DATED}/async", {**VIEW, "objectProperties": ["email"], "exportInternalValuesOptions": [], "associatedObjectType": []})
    id = started.json["id"]
    assert (started.status, started.json["links"]["status"]) == (202, f"{desk.url}{DATED}/async/tasks/{id}/status")
    detail = desk.call("GET", f"{DATED}/{id}").json
    assert detail.items() >= {"id": id, "exportName": "All contacts", "exportType": "VIEW", "exportState": "DONE", "recordCount": 3}.items()
    assert (detail["objectType"], detail["objectProperties"]) == ("CONTACT", ["email"]) and {"createdAt", "updatedAt"} <= detail.keys()


def test_one_at_a_time(desk: Desk) -> None:
    """A second export waits until the first is done and then takes its own time; or it is refused: both are habits."""
    desk.world.switch(export_takes_s=60)
    first, second = desk.start("email"), desk.start("email")
    assert (desk.state(first), desk.state(second), desk.status(second)) == ("ENQUEUED", "DEFERRED", "PENDING")
    desk.world.clock.advance(61)
    assert (desk.state(first), desk.state(second)) == ("DONE", "ENQUEUED")
    desk.world.clock.advance(58)
    assert desk.status(second) == "PROCESSING"
    desk.world.clock.advance(1)
    assert desk.status(second) == "COMPLETE"
    desk.world.switch(second_export="refused")
    desk.start("email")
    refusal = desk.refused("email")
    assert (refusal.status, "RATE_LIMITS" in str(refusal.body)) == (429, True)
    desk.world.clock.advance(60)
    desk.start("email")


def test_so_many_a_day(desk: Desk) -> None:
    """Thirty in rolling 24 hours of the world's clock: the next one is refused until the first of them is a day old."""
    desk.start("email")
    desk.world.clock.advance(3600)
    for _ in range(29):
        desk.start("email")
    refusal = desk.refused("email")
    assert (refusal.status, "30 exports" in str(refusal.body), "Retry-After" in (refusal.headers or {})) == (429, True, False)
    desk.world.clock.advance(23 * 3600)
    desk.start("email")
    assert desk.refused("email").status == 429


def test_an_address_opens_for_anybody_and_not_for_long(desk: Desk) -> None:
    """Every look gives another address; each needs no token, lasts five minutes, and then answers in XML."""
    desk.world.load([{"email": "a@example.com"}])
    id = desk.start("email")
    first = desk.api.get_status(id).result
    desk.world.clock.advance(200)
    second = desk.api.get_status(id).result
    assert first != second and urlsplit(first).netloc == urlsplit(desk.url).netloc
    assert desk.file(first).content == desk.file(second).content
    desk.world.clock.advance(101)
    late = desk.file(first)
    assert (late.status_code, late.headers["Content-Type"]) == (403, "application/xml")
    guess = f"{desk.url}/export-files/v1/guess/x.csv"
    assert [desk.file(each).status_code for each in (second, guess)] == [200, 403]
    assert requests.delete(second, timeout=10).status_code == 403


def test_downloads_are_free_and_the_rest_is_counted(desk: Desk) -> None:
    """Starting and looking count against the limits like any call; a download does not."""
    desk.world.load([{"email": "a@example.com"}])
    desk.world.switch(rate_limit=True, ten_secondly_max=2)
    id = desk.start("email")
    address = desk.api.get_status(id).result
    assert [desk.file(address).status_code for _ in range(3)] == [200, 200, 200]
    with pytest.raises(ApiException) as limited:
        desk.api.get_status(id)
    assert limited.value.status == 429 and "TEN_SECONDLY_ROLLING" in str(limited.value.body)
    assert desk.world.limits.today == 2
    assert desk.world.calls == {f"POST {V3}/async": 1, f"GET {V3}/async/tasks/{{id}}/status": 2, "GET /export-files/v1/{file}": 3}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"objectProperties": ["email", "nonsense"]}, "PROPERTY_DOESNT_EXIST"),
        ({"objectProperties": []}, "objectProperties"),
        ({"objectProperties": "email"}, "objectProperties"),
        ({"exportType": "EVERYTHING"}, "EVERYTHING"),
        ({"exportType": "LIST", "listId": "12"}, "List 12"),
        ({"format": "XLSX"}, "CSV only"),
        ({"format": "PDF"}, "PDF"),
        ({"format": None}, "format"),
        ({"exportName": ""}, "exportName"),
        ({"objectType": "DEAL"}, "DEAL"),
        ({"associatedObjectType": ["DEAL"]}, "associatedObjectType"),
        ({"exportInternalValuesOptions": ["LABELS"]}, "LABELS"),
        ({"publicCrmSearchRequest": {"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": "x"}]}}, "nonsense"),
        ({"publicCrmSearchRequest": {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}]}] * 4}}, "filterGroups"),
        ({"publicCrmSearchRequest": {"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 4}}, "more than 3"),
        ({"publicCrmSearchRequest": {"sorts": ["nonsense"]}}, "nonsense"),
        ({"publicCrmSearchRequest": {"sorts": 7}}, "sort"),
        ({"publicCrmSearchRequest": []}, ""),
        ({"publicCrmSearchRequest": [1]}, "publicCrmSearchRequest"),
    ],
)
def test_what_cannot_be_exported_is_refused_at_once(desk: Desk, change: dict[str, Any], told: str) -> None:
    """Each mistake is a 400 that names it, and uses up none of the day's exports."""
    refused = desk.call("POST", f"{V3}/async", {**VIEW, "objectProperties": ["email"], **change})
    if not told:
        assert refused.status == 202
        return
    assert (refused.status, refused.json["category"]) == (400, "VALIDATION_ERROR")
    assert told in refused.json["message"]
    desk.world.switch(exports_per_day=1)
    desk.start("email")


def test_a_portal_may_want_every_field(desk: Desk) -> None:
    """Where each field that the reference requires must be there, the client's own model passes on v3, and a dated call needs three fields more."""
    desk.world.switch(export_requires_all=True)
    short = desk.call("POST", f"{V3}/async", {**VIEW, "objectProperties": ["email"]})
    assert (short.status, "exportInternalValuesOptions" in short.json["message"]) == (400, True)
    v3 = {**VIEW, "objectProperties": ["email"], "exportInternalValuesOptions": [], "overrideAssociatedObjectsPerDefinitionPerRowLimit": False}
    assert desk.call("POST", f"{V3}/async", v3).status == 202
    dated = {**v3, "associatedObjectType": [], "includeLabeledAssociations": False, "includePrimaryDisplayPropertyForAssociatedObjects": False}
    assert [desk.call("POST", f"{DATED}/async", body).status for body in (v3, dated)] == [400, 202]
    view = {"filters": [], "sorts": []}
    answers = [desk.call("POST", f"{DATED}/async", {**dated, "publicCrmSearchRequest": each}) for each in (view, {**view, "filterGroups": []})]
    assert [each.status for each in answers] == [400, 202]
    assert "publicCrmSearchRequest.filterGroups" in answers[0].json["message"]


def test_rights(desk: Desk) -> None:
    """Without the scope nothing is exported; what the credential does not see is silently missing; foreign ids are forbidden, not unknown."""
    desk.world.load([{"email": "a@example.com", "jobtitle": "CEO"}])
    desk.world.switch(hidden_properties=("jobtitle",))
    assert list(desk.rows("email", "jobtitle")[0]) == ["hs_object_id", "email"]
    foreign = desk.call("GET", f"{V3}/async/tasks/12/status")
    assert (foreign.status, "exportId 12" in foreign.json["message"]) == (403, True)
    assert desk.call("GET", f"{V3}/async/tasks/mine/status").status == 404
    desk.world.switch(scopes=("crm.objects.contacts.read",))
    refusal = desk.refused("email")
    assert (refusal.status, "MISSING_SCOPES" in str(refusal.body), "crm.export" in str(refusal.body)) == (403, True, True)


def test_an_export_may_end_without_a_file(desk: Desk) -> None:
    """Somebody cancels it, or it fails: the status knows one word for both, the dated detail two; the next one goes on."""
    desk.world.switch(export_takes_s=60)
    cancelled, failed, next_one = (desk.start("email") for _ in range(3))
    desk.world.cancel_export(cancelled)
    assert desk.call("POST", "/_sandbox/hands/fail-export", {"id": failed}).status == 200
    assert [(desk.status(each), desk.state(each)) for each in (cancelled, failed)] == [("CANCELED", "CANCELED"), ("CANCELED", "FAILED")]
    assert (desk.api.get_status(failed).num_errors, desk.api.get_status(failed).result) == (1, None)
    assert desk.state(next_one) == "ENQUEUED"
    with pytest.raises(ValueError, match="has ended"):
        desk.world.cancel_export(cancelled)
    assert desk.call("POST", "/_sandbox/hands/cancel-export", {"id": "7"}).status == 400
    desk.world.clock.advance(61)
    with pytest.raises(ValueError, match="DONE"):  # though nobody has looked since
        desk.world.cancel_export(next_one)


def test_faults_reach_downloads_too(desk: Desk) -> None:
    """A download can break off half way or be refused by a proxy; a fault that takes rows out of JSON leaves it alone."""
    desk.world.load([{"email": "a@example.com"}])
    address = desk.api.get_status(desk.start("email")).result
    for planned in ({"kind": "truncated"}, {"kind": "missing_rows"}, {"kind": "status", "status": 502}):
        desk.call("POST", "/_sandbox/faults", {**planned, "match": "GET /export-files/"})
    with pytest.raises(requests.exceptions.RequestException):
        desk.file(address)
    assert len(rows_of(desk.file(address).content)) == 1
    assert desk.file(address).status_code == 502


_DEEDS = st.lists(st.one_of(st.just("ask"), st.integers(1, 90), st.tuples(st.sampled_from(["CANCELED", "FAILED"]), st.integers(0, 5))), max_size=20)
_ENDED = ("DONE", "CANCELED", "FAILED")


@given(_DEEDS)
def test_the_queue(deeds: list[str | int | tuple[Literal["CANCELED", "FAILED"], int]]) -> None:
    """However exports are asked for, cancelled and looked at: one at most is at work, ahead of it all have ended, behind it all wait, and an end is final."""
    at = [T0]
    world = HubSpotWorld(clock=WorldClock(lambda: at[0]), habits=Habits(export_takes_s=60))
    body = orjson.dumps({**VIEW, "objectProperties": ["email"]})
    ids, before = list[str](), list[str]()

    def called(method: str, path: str) -> Any:
        return orjson.loads(world.handle(Request(method, path, "", {"authorization": f"Bearer {TOKEN}"}, body)).body)

    for deed in deeds:
        match deed:
            case str():
                ids.append(called("POST", f"{V3}/async")["id"])
            case int():
                at[0] += deed
            case (state, place):
                with suppress(ValueError, LookupError):
                    world.exports.end(ids[place], state)
        states = [called("GET", f"{DATED}/{id}")["exportState"] for id in ids]
        working = [place for place, state in enumerate(states) if state in ("ENQUEUED", "PROCESSING")]
        first = next((place for place, state in enumerate(states) if state not in _ENDED), len(states))
        assert working == ([first] if first < len(states) else [])
        assert all(state in (*_ENDED, "DEFERRED") for state in states[first + 1 :])
        assert all(now == was for now, was in zip(states, before, strict=False) if was in _ENDED)
        before = states
