"""Answers that the documents allow and the sandbox never gives: an honest org or emulator may give them, and nobody's data is the worse for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from lean_org import CONTACT, ONE, OTHER, STAMP, TWO, USER, V66, opened, page, row

from stagesync.connectors.salesforce.connector import SalesforceConnector
from stagesync.connectors.salesforce.evidence import STATE
from stagesync.model.errors import ConfigurationError, Unreachable
from stagesync.model.records import Gone, Moved, Present, Query, Record, Ref, Unreadable
from stagesync.sandbox.base import json_response
from stagesync.sandbox.wire import Request, Response


def pulled(connector: SalesforceConnector, kind: str = "lead", fields: tuple[str, ...] = ("LastName",), cursor: str | None = None) -> list[Record]:
    """What a pull gives."""
    return [record for each in connector.pull(Query({kind: fields}, cursor)) for record in each.records]


# ---- pages


@pytest.mark.parametrize(
    "following",
    [
        f"{V66}/query/01g5g00000ABC-2000",
        f"https://org.my.salesforce.com{V66}/query/01g5g00000ABC-2000",
        f"https://another.my.salesforce.com{V66}/query/01g5g00000ABC-2000",
        f"{V66}/query/0r8xx3d3RFxFFqMAGl-200?of=a%2Bb",
        "/services/data/v67.0/query/01g5g00000ABC-2000",
    ],
)
def test_the_next_page_is_found_wherever_its_address_points(following: str) -> None:
    """A path, a whole address, another version, a locator of any shape; the call goes to our own org, since it carries our token."""
    path = following.removeprefix("https://org.my.salesforce.com").removeprefix("https://another.my.salesforce.com").partition("?")[0]
    first = page(row(ONE), done=False, nextRecordsUrl=following)
    assert [record.ref.id for record in pulled(opened({f"GET {V66}/query/": first, f"GET {path}": page(row(TWO), nextRecordsUrl="")}))] == [ONE, TWO]


@pytest.mark.parametrize("more", [{"done": False}, {"done": False, "nextRecordsUrl": None}, {"done": False, "nextRecordsUrl": "elsewhere"}])
def test_a_page_that_is_not_the_last_and_leads_nowhere_ends_no_reading(more: dict[str, Any]) -> None:
    """`done` says that there is more: what is not read is not taken for read, and the cursor stays."""
    with pytest.raises(Unreachable, match="lead nowhere"):
        pulled(opened({f"GET {V66}/query/": page(row(ONE), **more)}))


def test_a_list_of_jobs_is_followed_by_whole_addresses() -> None:
    """An org with more than a thousand jobs tells the rest elsewhere; its own jobs are waited for all the same."""
    job = {"id": "7505g000000H0B1AAK", "createdById": USER, "object": "Lead", "state": "InProgress"}
    asked: list[str] = []

    def jobs(request: Request) -> Response:
        if request.arg("queryLocator"):
            return json_response({"done": True, "records": [job]})
        return json_response({"done": False, "records": [], "nextRecordsUrl": f"https://org.my.salesforce.com{V66}/jobs/ingest?queryLocator=01g-1000"})

    def told(request: Request) -> Response:
        asked.append(request.path)
        return json_response({**job, "state": "JobComplete", "numberRecordsProcessed": 1})

    answers = {f"GET {V66}/jobs/ingest": jobs, f"GET {V66}/jobs/ingest/{job['id']}": told, "GET /services/oauth2/userinfo": {"user_id": USER}}
    assert opened(answers).landed()
    assert len(asked) == 1


# ---- rows


def test_what_a_row_does_not_hold_is_neither_blank_nor_cleared() -> None:
    """Somebody who leaves nulls or fields of related records out tells nothing of them."""
    bare = {"Id": CONTACT, "SystemModstamp": STAMP}
    (record,) = pulled(opened({f"GET {V66}/query/": page(bare)}), "contact", ("LastName", "Account.Name"))
    assert record.values == {}
    (record,) = pulled(opened({f"GET {V66}/query/": page({**bare, "Account": None, "LastName": None})}), "contact", ("LastName", "Account.Name"))
    assert record.values == {"LastName": None, "Account.Name": None}


@pytest.mark.parametrize("beside", [(), (STATE,)])
def test_what_was_not_asked_for_is_not_kept(beside: tuple[str, ...]) -> None:
    """Somebody who tells whole records tells more than we may keep; what stands beside them on other objects stays."""
    more = {"Email": "anna@acme.example", "Birthdate": "1970-01-01", "Owner": {"Name": "Riley"}, "Account": {"Name": "Acme", "Phone": "1"}}
    person = {**row(CONTACT, LastName="Ash", **more), "attributes": {"type": "Contact", "url": "/", "extra": 1}}

    def query(request: Request) -> Response:
        return json_response(page(*([] if "FROM OpportunityContactRole" in request.arg("q") else [person])))

    answers = {f"GET {V66}/query/": query, f"POST {V66}/composite/sobjects/Contact": [person]}
    wanted = ("LastName", "Account.Name", *beside)
    (record,) = pulled(opened(answers), "contact", wanted)
    (seen,) = opened(answers).fetch([Ref("contact", CONTACT)], {"contact": ("LastName", "Email")})
    (found,) = opened(answers).find("contact", "Email", ["anna@acme.example"], wanted)
    assert isinstance(seen, Present)
    assert record.values == found.values == {"LastName": "Ash", "Account.Name": "Acme", **dict.fromkeys(beside)}
    assert seen.record.values == {"LastName": "Ash", "Email": "anna@acme.example"}


def test_short_ids_are_the_same_records() -> None:
    """Records, winners and who wrote them are known by 18 characters, however many an answer has."""
    binned = row(TWO[:15], IsDeleted=True, MasterRecordId=OTHER[:15])
    connector = opened({f"GET {V66}/query/": page(row(ONE[:15], LastModifiedById=USER[:15]), binned)})
    (page_,) = list(connector.pull(Query({"lead": ("LastName",)})))
    assert [(record.ref.id, record.author) for record in page_.records] == [(ONE, USER)]
    assert page_.moved == [Moved(Ref("lead", TWO), Ref("lead", OTHER), "merged", Record(Ref("lead", TWO), page_.records[0].stamp, {}))]
    identity = opened({"GET /services/oauth2/userinfo": {"user_id": USER[:15], "organization_id": "00D5g000004XYZA"}}).identity()
    assert (identity.own_actor, identity.id) == (USER, "00D5g000004XYZAEA4")


def test_a_converted_lead_whose_contact_is_hidden_is_not_gone() -> None:
    """The person lives on where our user cannot look: nothing is deleted elsewhere for that. Where there is no Contact any more, it is."""
    hidden, lost = row(ONE, IsConverted=True), row(TWO, IsConverted=True, ConvertedContactId=None)
    connector = opened({f"GET {V66}/query/": page(hidden, lost), f"POST {V66}/composite/sobjects/Lead": [hidden, lost]})
    (told,) = list(connector.pull(Query({"lead": ("LastName",)})))
    assert ([gone.ref.id for gone in told.gone], list(told.records), list(told.moved)) == ([TWO], [], [])
    seen = connector.fetch([Ref("lead", ONE), Ref("lead", TWO)], {"lead": ("LastName",)})
    assert [type(each) for each in seen] == [Unreadable, Gone]


@pytest.mark.parametrize("stamp", ["2026-03-05T13:45:00", "yesterday", ""])
def test_a_stamp_that_is_none_is_said(stamp: Any) -> None:
    """Without a moment nobody knows what is newer: one sentence, no stack."""
    with pytest.raises(Unreachable, match="no moment"):
        pulled(opened({f"GET {V66}/query/": page(row(ONE) | {"SystemModstamp": stamp})}))


def test_a_server_without_a_clock_is_not_read_by_ours() -> None:
    """Without `Date` the newest stamp that was seen bounds what is read next, so that a machine whose clock is ahead misses nothing."""
    asked: list[str] = []

    def query(request: Request) -> Response:
        asked.append(request.arg("q"))
        return json_response(page(row(ONE)))

    connector = opened({f"GET {V66}/query/": query, f"GET {V66}/queryAll/": query})
    (first,) = list(connector.pull(Query({"lead": ("LastName",)})))
    list(connector.pull(Query({"lead": ("LastName",)}, first.cursor)))
    assert "SystemModstamp >= 2026-03-05T13:35:00Z" in asked[-1]


def test_an_org_that_has_moved_says_where_to() -> None:
    """Somebody who reads of a redirect learns the host that the settings need, and the token is not sent there."""
    moved = Response(301, {"Location": f"https://new.my.salesforce.com{V66}/query/?q=SELECT"}, b"")
    with pytest.raises(ConfigurationError, match=r"new\.my\.salesforce\.com"):
        opened({f"GET {V66}/query/": moved, f"GET {V66}/query": moved}).find("lead", "Email", ["a@b.example"], ("Email",))


def test_person_accounts_are_a_finding() -> None:
    """The name of their account is the person's own: whoever maps it to the company should know."""
    plain = {"fields": [{"name": name, "type": "string", "createable": True, "updateable": True} for name in ("LastName", "Email", "HasOptedOutOfEmail")]}
    with_people = {"fields": [*plain["fields"], {"name": "IsPersonAccount", "type": "boolean"}]}
    findings = opened({f"GET {V66}/sobjects/Lead/describe": plain, f"GET {V66}/sobjects/Contact/describe": with_people}).describe().findings
    assert sum("person accounts" in finding for finding in findings) == 1


# ---- reading by id


def test_a_second_call_for_more_columns_gives_them_to_the_right_people() -> None:
    """Columns that no URL holds come by id; rows in another order, or one that is missing, are not given to somebody else."""
    names = tuple(f"Field_{'x' * 30}_{number}__c" for number in range(400))

    def more(request: Request) -> Response:
        asked = orjson.loads(request.body)
        rows = [{"Id": id, **{name: f"{name} of {id}" for name in asked["fields"] if name != "Id"}} for id in reversed(asked["ids"])]
        return json_response([rows[0], None, rows[2]])

    connector = opened({f"GET {V66}/query/": page(row(ONE), row(TWO), row(OTHER)), f"POST {V66}/composite/sobjects/Lead": more})
    told = {record.ref.id: record.values for record in pulled(connector, fields=names)}
    assert set(told) == {ONE, TWO, OTHER}
    for id, values in told.items():
        assert bool(values) == (id != TWO)
        assert all(value == f"{name} of {id}" for name, value in values.items())


def test_deleted_records_that_are_read_by_id_are_gone() -> None:
    """Somebody may answer a read of many ids with what is in the bin: it is told as gone or merged, as where null stands."""
    connector = opened({f"POST {V66}/composite/sobjects/Lead": [row(ONE, IsDeleted=True), row(TWO, IsDeleted=True, MasterRecordId=OTHER), row(OTHER)]})
    gone, moved, there = connector.fetch([Ref("lead", id) for id in (ONE, TWO, OTHER)], {"lead": ("LastName",)})
    assert (type(gone), type(moved), type(there)) == (Gone, Moved, Present)


# ---- query jobs

JOB = "7505g000000H0B1AAK"
HEAD = "Id,SystemModstamp,LastModifiedById,IsDeleted,MasterRecordId,IsConverted,ConvertedContactId,ConvertedOpportunityId,Status,LastName"


def sheet(*ids: str, head: str = HEAD) -> bytes:
    """A page of a query job."""
    return "\r\n".join([head, *(f"{id},2026-03-05T13:45:00.000Z,{USER},false,,false,,,Open,Ash" for id in ids), ""]).encode()


def harvest(results: Callable[[Request], Response], described: Any = None) -> tuple[list[Record], list[Gone]]:
    """A pull of three Leads, of which the first comes by the query and the rest by a job, if the job can be had; else by a query too."""
    types = {"IsDeleted": "boolean", "IsConverted": "boolean", "SystemModstamp": "datetime"}
    fields = [{"name": name, "type": types.get(name, "string")} for name in HEAD.split(",")]

    def query(request: Request) -> Response:
        if " WHERE Id > " in request.arg("q"):
            return json_response(page(row(TWO), row(OTHER)))
        return json_response(page(row(ONE), done=False, totalSize=50, nextRecordsUrl=f"{V66}/query/01g-1"))

    answers: dict[str, Any] = {
        f"GET {V66}/query/": query,
        f"POST {V66}/jobs/query": {"id": JOB, "state": "UploadComplete"},
        f"GET {V66}/jobs/query/{JOB}": {"id": JOB, "state": "JobComplete", "numberRecordsProcessed": 2},
        f"GET {V66}/jobs/query/{JOB}/results": results,
        f"GET {V66}/sobjects/Lead/describe": {"fields": fields} if described is None else described,
    }
    pages = list(opened(answers, bulk_from=1).pull(Query({"lead": ("LastName",)})))
    return [record for each in pages for record in each.records], [gone for each in pages for gone in each.gone]


def answered(body: bytes, **headers: str) -> Response:
    """A page as it is sent."""
    return Response(200, {"Content-Type": "text/csv", **{name.replace("_", "-"): value for name, value in headers.items()}}, body)


LOCATOR = "MjAw+/MDA= &x"


def test_locators_of_any_shape_lead_on() -> None:
    """A locator is sent back as it came, whatever characters it has."""

    def results(request: Request) -> Response:
        if not request.arg("locator"):
            return answered(sheet(TWO), sforce_locator=LOCATOR, SFORCE_NUMBEROFRECORDS="1")
        assert request.arg("locator") == LOCATOR
        return answered(sheet(OTHER), sforce_locator="null")

    records, _ = harvest(results)
    assert sorted(record.ref.id for record in records) == [ONE, TWO, OTHER]


@pytest.mark.parametrize(
    "result",
    [
        answered(sheet(TWO), Sforce_NumberOfRecords="1"),
        answered(sheet(TWO), Sforce_NumberOfRecords="2", Sforce_Locator="null"),
        answered(sheet(TWO, head="Id,LastName"), Sforce_NumberOfRecords="1", Sforce_Locator="null"),
        answered(sheet(TWO).replace(b"false", b"no"), Sforce_Locator="null"),
        answered(sheet(TWO).replace(b".000Z", b""), Sforce_Locator="null"),
        answered(b"", Sforce_NumberOfRecords="0", Sforce_Locator="null"),
        answered(b"\xff\xfe", Sforce_Locator="null"),
        Response(204),
        json_response([{"errorCode": "JOB_NOT_COMPLETE", "message": "can only download query results of successfully completed jobs"}], 412),
    ],
)
def test_a_job_that_does_not_tell_all_is_made_up_for_by_queries(result: Response) -> None:
    """No locator, rows that are missing, other columns, cells of no type, no text, nothing at all: the rest is read as ever, and nobody is left out."""
    records, gone = harvest(lambda _: result)
    assert {record.ref.id for record in records} == {ONE, TWO, OTHER}
    assert gone == []


def test_a_yes_is_a_yes_in_capitals_too() -> None:
    """A flag that would be read as false may be somebody's opt-out."""
    records, gone = harvest(lambda _: answered(sheet(TWO, OTHER).replace(b"false,,false", b"TRUE,,FALSE"), Sforce_Locator="null"))
    assert ([record.ref.id for record in records], [each.ref.id for each in gone]) == ([ONE], [TWO, OTHER])


def test_nobody_is_gone_because_the_types_of_columns_are_not_told() -> None:
    """Without a description `false` is only a text: then the rest is read by queries."""
    records, gone = harvest(lambda _: answered(sheet(TWO, OTHER), Sforce_Locator="null"), json_response([{"errorCode": "INVALID_TYPE", "message": "no"}], 400))
    assert {record.ref.id for record in records} == {ONE, TWO, OTHER}
    assert gone == []
