"""The imports of the HubSpot world: posted by the official client, carried out in their own time, and told by what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from exporter import T0, TOKEN
from hubspot import HubSpot
from hubspot.crm.imports import ApiException
from urllib3 import Retry

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.server import serve

HEADER = ("email", "firstname", "lifecyclestage")


@dataclass
class Importer:
    """Somebody with the official client and files, at a portal whose clock only moves when it is told to."""

    world: HubSpotWorld
    url: str
    client: Any
    folder: Path

    def asked(self, operation: str | None = "CREATE", header: tuple[str, ...] = HEADER, **more: Any) -> dict[str, Any]:
        """An import of the file `people.csv`."""
        columns = [{"columnObjectTypeId": "0-1", "columnName": name, "propertyName": name} for name in header]
        files = [{"fileName": "people.csv", "fileFormat": "CSV", "fileImportPage": {"hasHeader": True, "columnMappings": columns}}]
        return {"name": "People", "files": files, **({"importOperations": {"0-1": operation}} if operation else {}), **more}

    def start(self, *rows: str, header: tuple[str, ...] = HEADER, asked: dict[str, Any] | None = None, **more: Any) -> str:
        """Post one; gives its id."""
        file = self.folder / "people.csv"
        file.write_text("\r\n".join([",".join(header), *rows, ""]), encoding="utf-8")
        posted = self.asked(header=header, **more) if asked is None else asked
        return self.client.core_api.create(import_request=json.dumps(posted), files=str(file)).id

    def refused(self, *rows: str, **more: Any) -> tuple[int, str]:
        """Status and message of one that is refused."""
        with pytest.raises(ApiException) as refusal:
            self.start(*rows, **more)
        return refusal.value.status or 0, json.loads(str(refusal.value.body))["message"]

    def state(self, id: str) -> str:
        """How far it is."""
        return self.client.core_api.get_by_id(id).state

    def errors(self, id: str) -> list[tuple[int, str]]:
        """Line and code of what went wrong."""
        return [(each.source_data.line_number, each.error_type) for each in self.client.public_imports_api.get_errors(id).results]

    def people(self) -> list[tuple[Any, ...]]:
        """Everybody in the portal."""
        return [tuple(each["properties"].get(name) for name in HEADER) for each in self.world.contacts()]


@pytest.fixture
def importer(tmp_path: Path) -> Iterator[Importer]:
    """An importer at a portal with nobody in it."""
    world = HubSpotWorld(clock=WorldClock(lambda: T0))
    with serve(world) as url:
        client = HubSpot(access_token=TOKEN, host=url, retry=Retry(total=0)).crm.imports
        held = _Held(client.core_api, client.public_imports_api)
        yield Importer(world, url, held, tmp_path)
        for api in (held.core_api, held.public_imports_api):
            api.api_client.rest_client.pool_manager.clear()


@dataclass
class _Held:
    """The client's two parts, each with one connection that is kept."""

    core_api: Any
    public_imports_api: Any


def test_a_create_makes_and_never_changes(importer: Importer) -> None:
    """Who is there is left alone and told as an error of that line; values are spelled as by the API, labels of choices are understood."""
    importer.world.load([{"email": "there@example.com", "firstname": "Old"}])
    id = importer.start("New@Example.com,Ann,Customer", "there@example.com,Other,lead", "new2@example.com,,")
    told = importer.client.core_api.get_by_id(id)
    assert (told.state, told.import_name, told.metadata.counters["CREATED_OBJECTS"]) == ("DONE", "People", 2)
    assert importer.errors(id) == [(3, "CREATE_ONLY_IMPORT")]
    assert importer.people() == [("there@example.com", "Old", None), ("new@example.com", "Ann", "customer"), ("new2@example.com", None, "lead")]
    assert [each.id for each in importer.client.core_api.get_page(limit=5).results] == [id]


def test_an_upsert_is_what_is_done_where_nothing_is_said(importer: Importer) -> None:
    """Without an operation who is there is written over; an update makes nobody."""
    importer.world.load([{"email": "there@example.com", "firstname": "Old"}])
    importer.state(importer.start("there@example.com,Mid,", "new@example.com,Ann,", operation=None))
    update = importer.start("there@example.com,Last,", "nobody@example.com,Ann,", operation="UPDATE")
    assert (importer.state(update), importer.errors(update)) == ("DONE", [(3, "UPDATE_ONLY_IMPORT")])
    assert [row[:2] for row in importer.people()] == [("there@example.com", "Last"), ("new@example.com", "Ann")]


def test_whom_it_makes_are_marketing_contacts_where_it_says_so(importer: Importer) -> None:
    """And are not where it says that; where it says nothing, nothing is set. Anything but yes or no is refused."""
    for place, said in enumerate((None, True, False)):
        asked = importer.asked() if said is None else importer.asked(marketableContactImport=said)
        importer.state(importer.start(f"p{place}@example.com,Ann,lead", asked=asked))
    assert [each["properties"].get("hs_marketable_status") for each in importer.world.contacts()] == [None, "true", "false"]
    assert importer.refused("a@example.com,Ann,lead", marketableContactImport="yes")[0] == 400


def test_a_bad_cell_is_left_out_or_costs_its_row(importer: Importer) -> None:
    """By the portal's habit; a bad address costs it always. Errors come in pages and show the row to whoever asks for it."""
    rows = ("a@example.com,Ann,no stage", "no address,Ann,lead", "b@example.com,Bob,lead")
    first = importer.start(*rows)
    assert importer.state(first) == "DONE"
    assert [row[0] for row in importer.people()] == ["a@example.com", "b@example.com"]
    assert importer.errors(first) == [(2, "INVALID_ENUMERATION_OPTION"), (3, "INVALID_EMAIL")]
    page = importer.client.public_imports_api.get_errors(first, limit=1, include_row_data=True, include_error_message=True)
    assert (page.results[0].source_data.row_data, page.results[0].invalid_value, page.paging.next.after) == (rows[0].split(","), "no stage", "1")
    importer.world.switch(import_bad_cell="row")
    second = importer.start("c@example.com,Cid,no stage")
    assert (importer.state(second), importer.errors(second)) == ("DONE", [(2, "INVALID_ENUMERATION_OPTION")])
    assert len(importer.people()) == 2


def test_dates_are_read_in_the_order_that_was_named(importer: Importer) -> None:
    """Moments and dates as numbers always; in words only as the request and the portal have it."""
    importer.world.define("born", "Born", "date", "date")
    importer.world.define("met", "Met", "datetime", "date")
    header = ("email", "born", "met")
    rows = ("a@example.com,2026-03-05,2026-03-05T10:00:00Z", "b@example.com,1772668800000,1772704800000")
    importer.state(importer.start(*rows, header=header, dateFormat="YEAR_MONTH_DAY"))
    stored = [(each["properties"].get("born"), each["properties"].get("met")) for each in importer.world.contacts()]
    assert stored == [("2026-03-05", "2026-03-05T10:00:00Z")] * 2
    importer.world.switch(import_moments="epoch")
    id = importer.start("c@example.com,2026-03-05,2026-03-05T10:00:00Z", header=header)
    assert (importer.state(id), importer.errors(id)) == ("DONE", [(2, "COULD_NOT_PARSE_DATE")] * 2)


def test_imports_take_their_time_and_three_go_on_at_once(importer: Importer) -> None:
    """The first half it waits, in the second its rows come one by one; the fourth waits for one of those before it to end."""
    importer.world.switch(import_takes_s=100)
    rows = [f"p{number}@example.com,P,lead" for number in range(4)]
    ids = [importer.start(*rows if number == 0 else rows[:1]) for number in range(4)]
    assert [importer.state(id) for id in ids] == ["STARTED"] * 3 + ["DEFERRED"]
    importer.world.clock.advance(75)
    assert (importer.state(ids[0]), len(importer.people())) == ("PROCESSING", 2)
    importer.world.clock.advance(25)
    assert (importer.state(ids[0]), len(importer.people())) == ("DONE", 4)
    assert importer.state(ids[3]) == "STARTED"


def test_what_was_carried_out_stays_so(importer: Importer) -> None:
    """One that is cancelled, or breaks off, keeps what it has made, and makes no more."""
    importer.world.switch(import_takes_s=100)
    rows = [f"p{number}@example.com,P,lead" for number in range(4)]
    first, second = importer.start(*rows[:2]), importer.start(*rows[2:])
    importer.world.clock.advance(75)
    assert importer.client.core_api.cancel(first).status == "COMPLETE"
    importer.world.fail_import(second)
    importer.world.clock.advance(100)
    assert [importer.state(id) for id in (first, second)] == ["CANCELED", "FAILED"]
    assert [row[0] for row in importer.people()] == ["p0@example.com", "p2@example.com"]
    with pytest.raises(ApiException):
        importer.client.core_api.cancel(first)
    with pytest.raises(ValueError, match="has ended"):
        importer.world.cancel_import(first)


def test_what_cannot_be_done_is_refused_before_anything_is(importer: Importer) -> None:
    """Columns, properties, operations and files that do not fit, a missing right, and another address than the one for forms."""
    row = "a@example.com,Ann,lead"
    asked = importer.asked()
    assert importer.refused(row, asked={**asked, "name": ""})[0] == 400
    assert "Property nope" in importer.refused("a@example.com,x", header=("email", "nope"))[1]
    assert "Property createdate" in importer.refused("a@example.com,x", header=("email", "createdate"))[1]
    assert "columns" in importer.refused(row, asked=importer.asked(header=("email", "firstname")))[1]
    assert "importOperations" in importer.refused(row, operation="MERGE")[1]
    assert "dateFormat" in importer.refused(row, dateFormat="YEAR")[1]
    assert "No file" in importer.refused(row, asked={**asked, "files": [{**asked["files"][0], "fileName": "other.csv"}]})[1]
    answer = requests.post(f"{importer.url}/crm/imports/2026-09", json=asked, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert answer.status_code == 415
    importer.world.switch(scopes=["crm.objects.contacts.write"])
    assert importer.refused(row)[0] == 403
    assert importer.people() == []


def test_the_dated_api_binds_required_properties(importer: Importer) -> None:
    """At its own place; what the account requires is asked for there."""
    importer.world.switch(required_properties=["lastname"])
    files = {"files": ("people.csv", "email,firstname\r\na@example.com,Ann\r\n", "text/csv")}
    form = {"importRequest": json.dumps(importer.asked(header=("email", "firstname")))}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    id = requests.post(f"{importer.url}/crm/imports/2026-09", data=form, files=files, headers=headers, timeout=10).json()["id"]
    told = requests.get(f"{importer.url}/crm/imports/2026-09/{id}/errors", headers=headers, timeout=10).json()
    assert [each["errorType"] for each in told["results"]] == ["MISSING_REQUIRED_PROPERTY"]
    assert importer.people() == []
