"""Bulk API 1.0 in the forms that public clients write and read, over sockets: jobs in XML or JSON, rows in CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.server import serve

SPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
JOB = "/services/async/59.0/job"
XML, SHEET, JSON = ({"Content-Type": kind} for kind in ("application/xml; charset=UTF-8", "text/csv", "application/json"))


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    """An org over a socket, and somebody with a session."""
    with serve(SalesforceWorld()) as url, httpx.Client(base_url=url, headers={"X-SFDC-Session": "00D-sandbox-session"}) as client:
        yield client


def job(**asked: str) -> str:
    """A job as XML clients ask for it, or a change of one."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in asked.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{SPACE.strip("{}")}">{inner}</jobInfo>'


def told(answer: httpx.Response, *path: str) -> str:
    """What an answer in XML says at this place."""
    found = ElementTree.fromstring(answer.content)
    return found.findtext("/".join(f"{SPACE}{name}" for name in path)) or ""


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of an answer in CSV."""
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_job_in_xml_with_rows_in_csv(web: httpx.Client) -> None:
    """Made, filled, closed and told in XML; what came of each row in CSV, in the rows' order. An empty cell leaves alone, `#N/A` clears."""
    made = web.post(JOB, headers=XML, content=job(operation="insert", object="Lead", contentType="CSV"))
    assert (made.status_code, made.headers["Content-Type"], told(made, "state"), told(made, "contentType")) == (201, "application/xml", "Open", "CSV")
    id = told(made, "id")
    sheet = 'LastName,Company,Title,HasOptedOutOfEmail\r\nRay,"Acme, Ltd.",Boss,true\r\n,Acme,,\r\n'
    batch = told(web.post(f"{JOB}/{id}/batch", headers=SHEET, content=sheet), "id")
    assert told(web.post(f"{JOB}/{id}", headers=XML, content=job(state="Closed")), "state") == "Closed"
    assert told(web.get(f"{JOB}/{id}/batch/{batch}"), "numberRecordsFailed") == "1"
    assert told(web.get(f"{JOB}/{id}/batch"), "batchInfo", "id") == batch
    done, refused = rows(web.get(f"{JOB}/{id}/batch/{batch}/result"))
    assert (done["Success"], done["Created"], done["Error"]) == ("true", "true", "")
    assert refused == {"Id": "", "Success": "false", "Created": "false", "Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"}
    lead = f"/services/data/v59.0/sobjects/Lead/{done['Id']}"
    web.headers["Authorization"] = "Bearer 00D-sandbox-session"
    assert web.get(lead).json()["HasOptedOutOfEmail"] is True
    id = told(web.post(JOB, headers=XML, content=job(operation="update", object="Lead", contentType="CSV")), "id")
    web.post(f"{JOB}/{id}/batch", headers=SHEET, content=f"Id,Title,Company\n{done['Id']},#N/A,\n")
    assert (web.get(lead).json()["Title"], web.get(lead).json()["Company"]) == (None, "Acme, Ltd.")


def test_a_query_in_csv_whose_job_was_made_in_json(web: httpx.Client) -> None:
    """What is posted in JSON is answered in JSON; what is asked for of a job in CSV comes in XML, and its rows in CSV, whatever the call's own content type."""
    made = web.post(JOB, json={"operation": "queryAll", "object": "User", "contentType": "CSV"})
    assert made.headers["Content-Type"] == "application/json"
    id = made.json()["id"]
    batch = told(web.post(f"{JOB}/{id}/batch", headers=SHEET, content="SELECT Id,Username,CreatedDate FROM User ORDER BY Username"), "id")
    assert told(web.get(f"{JOB}/{id}/batch/{batch}", headers=JSON), "state") == "Completed"
    result = told(web.get(f"{JOB}/{id}/batch/{batch}/result", headers=JSON), "result")
    found = web.get(f"{JOB}/{id}/batch/{batch}/result/{result}")
    assert found.text.startswith('"Id","Username","CreatedDate"\n')
    assert [row["Username"].partition("@")[0] for row in rows(found)] == ["admin", "integration", "riley"]
    assert rows(found)[0]["CreatedDate"].endswith("Z")


def test_a_query_without_rows(web: httpx.Client) -> None:
    """CSV has a sentence for it, JSON an empty list."""
    for kind, nothing in (("CSV", "Records not found for this query"), ("JSON", "[]")):
        id = told(web.post(JOB, headers=XML, content=job(operation="query", object="Lead", contentType=kind)), "id")
        batch = web.post(f"{JOB}/{id}/batch", headers=XML, content="SELECT Id FROM Lead")
        where = f"{JOB}/{id}/batch/{told(batch, 'id')}/result"
        answer = web.get(where)
        result = told(answer, "result") if kind == "CSV" else answer.json()[0]
        assert web.get(f"{where}/{result}").text == nothing


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        (XML, job(operation="insert", object="Nothing", contentType="CSV"), "InvalidEntity"),
        (XML, job(operation="insert", object="Lead", contentType="XML"), "InvalidJob"),
        (XML, job(operation="insert", object="Lead"), "InvalidJob"),
        (XML, "no xml", "InvalidXML"),
        (XML, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "InvalidXML"),
        (JSON, "[]", "ClientInputError"),
        (JSON, "{", "ClientInputError"),
        ({**XML, "X-SFDC-Session": "none"}, job(operation="insert", object="Lead", contentType="CSV"), "InvalidSessionId"),
    ],
)
def test_refusals_in_the_callers_form(web: httpx.Client, headers: dict[str, str], body: str, code: str) -> None:
    """A 400 with the code in XML, or in JSON to whoever sent that."""
    answer = web.post(JOB, headers=headers, content=body)
    assert answer.status_code == 400
    assert (answer.json()["exceptionCode"] if headers == JSON else told(answer, "exceptionCode")) == code


@pytest.mark.parametrize(
    ("sheet", "why"), [("Nothing,LastName\n1,Ray\n", "InvalidBatch : INVALID_FIELD"), ("a" + chr(0xD8), ""), ("LastName\n" + "Ray\n" * 10_001, "at most")]
)
def test_a_batch_that_is_none(web: httpx.Client, sheet: str, why: str) -> None:
    """It fails as a whole and says why; its results cannot be had."""
    id = told(web.post(JOB, headers=XML, content=job(operation="insert", object="Lead", contentType="CSV")), "id")
    batch = told(web.post(f"{JOB}/{id}/batch", headers=SHEET, content=sheet.encode("latin-1")), "id")
    answer = web.get(f"{JOB}/{id}/batch/{batch}")
    assert told(answer, "state") == "Failed"
    assert why in told(answer, "stateMessage")
    assert web.get(f"{JOB}/{id}/batch/{batch}/result").status_code == 400
