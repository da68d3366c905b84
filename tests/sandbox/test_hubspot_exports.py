"""The exports of the HubSpot world: asked for, waited for and downloaded over real sockets, by the official client and by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from zipfile import ZipFile

import orjson
import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.exports import ApiException, PublicExportViewRequest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import Retry

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.hubspot.export_request import ExportRequest
from stagesync.sandbox.hubspot.sheet import write
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request

T0 = 1_790_000_000.0
TOKEN = "pat-sandbox-token"
V3, DATED = "/crm/v3/exports/export", "/crm/exports/2026-09/export"
INTERNAL = ["NAMES", "VALUES"]
VIEW: dict[str, Any] = {"exportType": "VIEW", "format": "CSV", "exportName": "All contacts", "objectType": "CONTACT", "language": "EN"}

Rows = list[dict[str, str]]


class Answer(NamedTuple):
    """The status and the JSON of one call."""

    status: int
    json: Any


@dataclass
class Desk:
    """A served world on a clock that only moves when it is told to, and whoever exports from it."""

    world: HubSpotWorld
    url: str
    api: Any
    browser: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One call of the API."""
        response = self.browser.request(method, f"{self.url}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        return Answer(response.status_code, response.json())

    def start(self, *properties: str, internal: list[str] | None = None, **more: Any) -> str:
        """Ask for an export by the official client; gives its id."""
        asked = {**VIEW, "objectProperties": list(properties), "exportInternalValuesOptions": INTERNAL if internal is None else internal, **more}
        return self.api.start(asked).id

    def refused(self, *properties: str, **more: Any) -> ApiException:
        """The client's exception for an export that is refused."""
        with pytest.raises(ApiException) as refusal:
            self.start(*properties, **more)
        return refusal.value

    def state(self, id: str) -> str:
        """How far the dated API says that an export is."""
        return self.call("GET", f"{DATED}/{id}").json["exportState"]

    def status(self, id: str) -> str:
        """How far the client is told that an export is."""
        return self.api.get_status(id).status

    def file(self, address: str) -> requests.Response:
        """What lies at an address, for whoever asks."""
        return requests.get(address, timeout=10)

    def downloaded(self, id: str) -> requests.Response:
        """The file of an export that is complete."""
        return self.file(self.api.get_status(id).result)

    def rows(self, *properties: str, internal: list[str] | None = None, **more: Any) -> Rows:
        """Export and read what comes."""
        return rows_of(self.downloaded(self.start(*properties, internal=internal, **more)).content)


def rows_of(content: bytes) -> Rows:
    """The rows of a CSV file by header."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk at a portal with the default habits."""
    world = HubSpotWorld(clock=WorldClock(lambda: T0))
    with serve(world) as url:
        api = HubSpot(access_token=TOKEN, host=url, retry=Retry(total=0)).crm.exports.public_exports_api
        with requests.Session() as browser:
            yield Desk(world, url, api, browser)
        api.api_client.rest_client.pool_manager.clear()


def test_labels_unless_internal_values_are_asked_for(desk: Desk) -> None:
    """Headers, choices, owners and moments are as people read them; with NAMES and VALUES as the API has them; the id comes first either way."""
    values = {"lifecyclestage": "salesqualifiedlead", "hs_buying_role": "CHAMPION;OTHER", "hubspot_owner_id": "70101", "closedate": "2026-03-05T13:45:10.123Z"}
    [id] = desk.world.load([{"email": "ann@example.com", **values}])
    desk.world.opt_out("ann@example.com")
    asked = ("email", *values, "hs_email_optout", "phone")
    assert desk.rows(*asked, internal=[]) == [
        {
            "Record ID": id,
            "Email": "ann@example.com",
            "Lifecycle Stage": "Sales Qualified Lead",
            "Buying Role": "Champion;Other",
            "Contact owner": "Ann Berg",
            "Close Date": "2026-03-05 13:45",
            "Unsubscribed from all email": "Yes",
            "Phone Number": "",
        }
    ]
    assert desk.rows(*asked) == [{"hs_object_id": id, "email": "ann@example.com", **values, "hs_email_optout": "true", "phone": ""}]
    desk.world.define("drink", "Drink", "enumeration", "select", [("tea;milk", "White tea")])
    desk.world.edit(id, {"drink": "tea;milk"})
    assert desk.rows("drink", internal=[])[0]["Drink"] == "White tea"
    assert list(desk.rows("hs_lead_status", internal=["NAMES"])[0]) == ["hs_object_id", "hs_lead_status"]
    assert desk.rows("hubspot_owner_id", internal=["VALUES"]) == [{"Record ID": id, "Contact owner": "70101"}]


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


def test_large_files_are_zipped_and_split(desk: Desk) -> None:
    """From a size on the file is zipped; beyond so many rows it is several files in one archive, each with the header."""
    desk.world.load([{"email": f"p{i}@example.com"} for i in range(5)])
    plain = desk.downloaded(desk.start("email"))
    assert (plain.headers["Content-Type"], ".csv" in plain.headers["Content-Disposition"]) == ("text/csv; charset=utf-8", True)
    desk.world.switch(export_zip_from=len(plain.content) + 1)
    assert desk.downloaded(desk.start("email")).content == plain.content
    desk.world.switch(export_zip_from=len(plain.content))
    zipped = desk.downloaded(desk.start("email"))
    assert (zipped.headers["Content-Type"], ".zip" in zipped.headers["Content-Disposition"]) == ("application/zip", True)
    with ZipFile(io.BytesIO(zipped.content)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [plain.content]
    desk.world.switch(export_rows_per_file=2, export_zip_from=2_000_000)
    with ZipFile(io.BytesIO(desk.downloaded(desk.start("email")).content)) as archive:
        assert archive.namelist() == [f"hubspot-crm-exports-all-contacts-2026-09-21-{number}.csv" for number in (1, 2, 3)]
        parts = [rows_of(archive.read(name)) for name in archive.namelist()]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [row for part in parts for row in part] == rows_of(plain.content)


def test_an_archive_is_not_packed_again(desk: Desk) -> None:
    """A large sheet travels in gzip as any answer does, an archive as it is."""
    desk.world.load([{"email": f"p{i}@example.com"} for i in range(1000)])
    sheet = desk.downloaded(desk.start("email"))
    desk.world.switch(export_zip_from=1)
    archive = desk.downloaded(desk.start("email"))
    assert [each.headers.get("Content-Encoding") for each in (sheet, archive)] == ["gzip", None]
    assert len(archive.content) > 1024


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


def test_only_who_is_there(desk: Desk) -> None:
    """Archived and merged contacts are in no export; who comes back is in it again."""
    ids = desk.world.load([{"email": f"p{i}@example.com"} for i in range(4)])
    desk.world.archive(ids[0])
    merged = desk.world.merge(ids[1], ids[2])
    assert [row["hs_object_id"] for row in desk.rows("email")] == [ids[3], merged]
    desk.world.restore(ids[0])
    assert [row["hs_object_id"] for row in desk.rows("email")] == [ids[0], ids[3], merged]


def test_a_view_filters_and_sorts(desk: Desk) -> None:
    """Filters within groups, words, and a sort in each of its spellings choose the rows and their order; the empty come last."""
    rows = [{"email": "a@example.com", "city": "Bonn"}, {"email": "b@example.com", "city": "Ulm"}, {"email": "c@example.com"}]
    desk.world.load(rows)
    named = [{"propertyName": "city", "operator": "EQ", "value": city} for city in ("Bonn", "Ulm")]
    for view, wanted in (
        ({"filters": [named[0]]}, "a"),
        ({"filterGroups": [{"filters": [each]} for each in named]}, "ab"),
        ({"query": "ulm"}, ""),
        ({"query": "b@example"}, "b"),
        ({"sorts": ["-city"]}, "bac"),
        ({"sorts": [{"propertyName": "city", "order": "DES"}]}, "bac"),
        ({"sorts": [{"propertyName": "city", "order": "ASC"}]}, "abc"),
    ):
        assert "".join(row["email"][0] for row in desk.rows("email", publicCrmSearchRequest=view)) == wanted


def test_what_the_search_index_does_not_know_yet(desk: Desk) -> None:
    """A portal may export what its search index knows: late by the lag in who is there, who matches, and what stands in the rows."""
    [old] = desk.world.load([{"email": "old@example.com", "city": "Bonn"}])
    desk.world.switch(search_lag_s=60, export_reads_index=True)
    desk.world.clock.advance(100)
    desk.world.create({"email": "new@example.com"})
    desk.world.edit(old, {"city": "Ulm"})
    bonn = {"filters": [{"propertyName": "city", "operator": "EQ", "value": "bonn"}]}
    assert [row["hs_object_id"] for row in desk.rows("city", publicCrmSearchRequest=bonn)] == [old]
    assert [(row["email"], row["city"]) for row in desk.rows("email", "city")] == [("old@example.com", "Bonn")]
    desk.world.clock.advance(61)
    assert [(row["email"], row["city"]) for row in desk.rows("email", "city")] == [("old@example.com", "Ulm"), ("new@example.com", "")]
    desk.world.switch(export_reads_index=False)
    desk.world.edit(old, {"city": "Kiel"})
    assert desk.rows("city")[0]["city"] == "Kiel"


def test_habits_of_the_sheet(desk: Desk) -> None:
    """How moments, numbers, line breaks, the mark at the file's beginning and the id's column are written can each be switched."""
    desk.world.define("born", "Born", "date", "date")
    desk.world.define("score", "Score", "number", "number")
    stored = {"message": "two\r\nlines", "score": "1500", "born": "2026-03-05", "closedate": "2026-03-05T23:45:10.123Z"}
    [id] = desk.world.load([stored])
    assert desk.rows(*stored) == [{"hs_object_id": id, **stored}]
    desk.world.switch(export_moments="epoch", export_numbers="double", export_line_breaks="blanks", export_id_column="label")
    assert desk.rows(*stored) == [{"Record ID": id, "message": "two lines", "score": "1500.0", "born": "1772668800000", "closedate": "1772754310123"}]
    desk.world.switch(export_moments="minutes", time_zone="Asia/Kolkata", export_id_column="asked")
    assert desk.rows("born", "closedate", "hs_object_id") == [{"born": "2026-03-05", "closedate": "2026-03-06 05:15", "hs_object_id": id}]
    assert desk.call("GET", "/account-info/2026-09/details").json.items() >= {"timeZone": "Asia/Kolkata", "utcOffset": "+05:30"}.items()
    assert list(desk.rows("born")[0]) == ["born"]
    desk.world.switch(export_bom=True)
    assert desk.downloaded(desk.start("born")).content.startswith(b"\xef\xbb\xbfborn\r\n")
    assert desk.call("POST", "/_sandbox/hands/habits", {"time_zone": "Asia/Nowhere"}).status == 400


def test_rows_in_any_order(desk: Desk) -> None:
    """Without a sort the order may be any; every row is there once."""
    ids = desk.world.load([{"email": f"p{i}@example.com"} for i in range(50)])
    desk.world.switch(export_order="any")
    found = [row["hs_object_id"] for row in desk.rows("email")]
    assert found != ids and sorted(found) == sorted(ids)


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


def test_a_property_that_goes_while_an_export_waits(desk: Desk) -> None:
    """A column whose property is gone by then is not in the file; a filter over it lets the export fail."""
    desk.world.define("own", "Own")
    desk.world.load([{"email": "a@example.com", "own": "x"}])
    desk.world.switch(export_takes_s=60)
    column, view = desk.start("email", "own"), {"filters": [{"propertyName": "own", "operator": "HAS_PROPERTY"}]}
    filtered = desk.start("email", publicCrmSearchRequest=view)
    desk.browser.delete(f"{desk.url}/crm/v3/properties/contacts/own", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    for _ in range(4):
        desk.world.clock.advance(31)
        desk.status(column)
    assert list(rows_of(desk.downloaded(column).content)[0]) == ["hs_object_id", "email"]
    assert (desk.state(filtered), desk.api.get_status(filtered).num_errors) == ("FAILED", 1)


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


_CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


@given(st.lists(st.tuples(_CELLS, _CELLS), max_size=6), st.integers(1, 3), st.booleans(), st.booleans())
def test_every_text_comes_through(texts: list[tuple[str, str]], per_file: int, bom: bool, zipped: bool) -> None:
    """Commas, quotes, line breaks, formulas and blanks read back as they are, however the file is cut and packed."""
    habits = Habits(export_rows_per_file=per_file, export_bom=bom, export_zip_from=0 if zipped else 2_000_000)
    world = HubSpotWorld(clock=WorldClock(lambda: T0), habits=habits)
    ids = world.load([{"firstname": first, "message": message} for first, message in texts])
    asked = ExportRequest("x", "CONTACT", ("firstname", "message"), True, True, (), "", "", False)
    sheet = write(world.portal, asked, [world.portal.store.live[int(id)] for id in ids])
    content, found = sheet.content(), Rows()
    if sheet.content_type == "application/zip":
        with ZipFile(io.BytesIO(content)) as archive:
            parts = [archive.read(name) for name in archive.namelist()]
    else:
        parts = [content]
    for part in parts:
        found += rows_of(part.removeprefix(b"\xef\xbb\xbf"))
    assert (sheet.rows, len(parts)) == (len(texts), max(1, -(-len(texts) // per_file)))
    assert found == [{"hs_object_id": id, "firstname": first, "message": message} for id, (first, message) in zip(ids, texts, strict=True)]
