"""The SOQL of the Salesforce world: it answers what it understands exactly, and refuses the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagesync.sandbox.salesforce import Habits, SalesforceWorld
from stagesync.sandbox.wire import Request, Response

AUTH = {"authorization": "Bearer 00D-sandbox-session"}
STEADY = Habits(vary_order=False)


def ask(world: SalesforceWorld, soql: str, path: str = "query", **headers: str) -> Response:
    """Run one query over the wire."""
    return world.handle(Request("GET", f"/services/data/v59.0/{path}/", f"q={quote(soql)}", {**AUTH, **headers}))


def records(world: SalesforceWorld, soql: str, path: str = "query") -> list[dict[str, Any]]:
    """The records of a query that must succeed."""
    response = ask(world, soql, path)
    assert response.status == 200, response.body
    return json.loads(response.body)["records"]


def names(world: SalesforceWorld, where: str) -> list[str]:
    """Last names of the Leads that match, in order."""
    return [one["LastName"] for one in records(world, f"SELECT LastName FROM Lead WHERE {where} ORDER BY LastName")]


def refusal(world: SalesforceWorld, soql: str) -> tuple[str, str]:
    """Code and message of a query that must be refused."""
    response = ask(world, soql)
    assert response.status == 400, response.body
    (error,) = json.loads(response.body)
    return error["errorCode"], error["message"]


@pytest.fixture
def world() -> SalesforceWorld:
    """Five Leads of different make."""
    made = SalesforceWorld(habits=STEADY)
    made.define("Lead", "Interests__c", "Interests", "multipicklist", options=("A", "B", "C"))
    made.load(
        "Lead",
        [
            {
                "LastName": "Adams",
                "Company": "Acme",
                "Email": "ADA@x.com",
                "NumberOfEmployees": 10,
                "CreatedDate": "2026-01-01T00:00:00Z",
                "Interests__c": "A;B",
            },
            {"LastName": "Brown", "Company": "O'Neil", "Email": "b@x.com", "NumberOfEmployees": 20, "CreatedDate": "2026-01-02T00:00:00Z", "Interests__c": "C"},
            {"LastName": "Cole", "Company": "100% Ltd", "NumberOfEmployees": 30, "CreatedDate": "2026-01-03T00:00:00Z"},
            {"LastName": "Diaz", "Company": "a_b", "DoNotCall": True, "Rating": "Hot", "CreatedDate": "2026-01-04T00:00:00Z"},
            {"LastName": "Evans", "Company": "axb", "Rating": "Cold", "IsDeleted": True, "CreatedDate": "2026-01-05T00:00:00Z"},
        ],
    )
    return made


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("LastName = 'adams'", ["Adams"]),
        ("Email = 'ada@X.COM'", ["Adams"]),
        ("Email IN ('b@x.com', 'ada@x.com', 'nobody@x.com')", ["Adams", "Brown"]),
        ("Email != 'b@x.com'", ["Adams", "Cole", "Diaz"]),
        ("Email NOT IN ('b@x.com')", ["Adams", "Cole", "Diaz"]),
        ("Email = null", ["Cole", "Diaz"]),
        ("Email = ''", ["Cole", "Diaz"]),
        ("Email != NULL", ["Adams", "Brown"]),
        ("Company = 'O\\'Neil'", ["Brown"]),
        ("Company LIKE '100\\%%'", ["Cole"]),
        ("Company LIKE 'A\\_b'", ["Diaz"]),
        ("Company LIKE '%n_il'", ["Brown"]),
        ("(NOT Company LIKE 'a%') AND NumberOfEmployees > 10", ["Brown", "Cole"]),
        ("NumberOfEmployees >= 20 AND NumberOfEmployees < 30", ["Brown"]),
        ("NumberOfEmployees < 1000", ["Adams", "Brown", "Cole"]),
        ("DoNotCall = true", ["Diaz"]),
        ("DoNotCall != TRUE AND Rating = null", ["Adams", "Brown", "Cole"]),
        ("CreatedDate > 2026-01-02T00:00:00Z", ["Cole", "Diaz"]),
        ("CreatedDate >= 2026-01-02T01:00:00+01:00 AND SystemModstamp < 2026-01-03T00:00:00.000Z", ["Brown"]),
        ("Rating = 'Hot' OR (NumberOfEmployees = 10 AND LastName LIKE 'a%')", ["Adams", "Diaz"]),
        ("Interests__c INCLUDES ('B;A', 'C')", ["Adams", "Brown"]),
        ("Interests__c INCLUDES ('A;C')", []),
        ("Interests__c EXCLUDES ('A')", ["Brown", "Cole", "Diaz"]),
        ("Interests__c = 'B;A'", ["Adams"]),
        ("OwnerId IN (SELECT Id FROM User WHERE Email = 'riley@sandbox.example') AND Owner.Name = 'Riley Rep' AND LastName > 'b'", ["Brown", "Cole", "Diaz"]),
    ],
)
def test_conditions(world: SalesforceWorld, where: str, expected: list[str]) -> None:
    """Each condition finds exactly the live rows that SOQL's rules say."""
    assert names(world, where) == expected


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Lead WHERE LastName = 'a' AND LastName = 'b' OR LastName = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Rating = 'Hot' AND NOT LastName = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY"),
        ("SELECT COUNT(Id) FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE CreatedDate = TODAY", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'a\\q'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT 5 WHERE Id != null", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Lead", "MALFORMED_QUERY"),
        ("SELECT * FROM Lead", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE " + "(" * 3000, "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Leads", "INVALID_TYPE"),
        ("SELECT Nope FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Nope__c = 1", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER BY Nope", "INVALID_FIELD"),
        ("SELECT Account.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Description LIKE 'x%'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees LIKE '1%'", "INVALID_FIELD"),
    ],
)
def test_refusals(world: SalesforceWorld, soql: str, code: str) -> None:
    """What the evaluator does not know, or Salesforce would not take, is refused by the right code, never answered somehow."""
    assert refusal(world, soql)[0] == code


def test_unknown_column_names_column_and_entity(world: SalesforceWorld) -> None:
    """The message says which column of which object, in the words that clients look for."""
    code, message = refusal(world, "SELECT Id, Stage__c FROM Lead")
    assert code == "INVALID_FIELD"
    assert "No such column 'Stage__c' on entity 'Lead'" in message
    assert "ERROR at Row:1:Column:12" in message


def test_order_by_several_keys_and_nulls(world: SalesforceWorld) -> None:
    """Nulls come first unless told otherwise, and later keys decide between equals."""
    found = records(world, "SELECT LastName FROM Lead ORDER BY Rating DESC NULLS LAST, NumberOfEmployees DESC")
    assert [one["LastName"] for one in found] == ["Diaz", "Cole", "Brown", "Adams"]
    found = records(world, "SELECT LastName FROM Lead ORDER BY NumberOfEmployees")
    assert [one["LastName"] for one in found] == ["Diaz", "Adams", "Brown", "Cole"]


def test_limit_offset_and_count(world: SalesforceWorld) -> None:
    """LIMIT bounds totalSize too; COUNT() gives a number without records."""
    body = json.loads(ask(world, "SELECT LastName FROM Lead ORDER BY LastName LIMIT 2 OFFSET 1").body)
    assert [one["LastName"] for one in body["records"]] == ["Brown", "Cole"]
    assert body["totalSize"] == 2
    assert json.loads(ask(world, "SELECT COUNT() FROM Lead WHERE Rating = null").body) == {"totalSize": 3, "done": True, "records": []}


def test_records_name_their_parents(world: SalesforceWorld) -> None:
    """Fields behind relationships come nested, with attributes; a missing parent is null."""
    account = world.create("Account", {"Name": "Acme"})
    world.create("Contact", {"LastName": "One", "AccountId": account})
    world.create("Contact", {"LastName": "Two"})
    found = records(world, "SELECT Id, LastName, Account.Name, Account.Owner.Email, LastModifiedBy.Name FROM Contact ORDER BY LastName")
    assert found[0]["attributes"] == {"type": "Contact", "url": f"/services/data/v59.0/sobjects/Contact/{found[0]['Id']}"}
    assert found[0]["Account"]["Name"] == "Acme"
    assert found[0]["Account"]["Owner"]["Email"] == "riley@sandbox.example"
    assert found[0]["LastModifiedBy"]["Name"] == "Riley Rep"
    assert found[1]["Account"] is None


def test_a_queue_has_a_name_and_no_email(world: SalesforceWorld) -> None:
    """Lead.Owner can be a queue; its attributes say Group."""
    (lead,) = records(world, "SELECT Id FROM Lead WHERE LastName = 'Adams'")
    world.edit(lead["Id"], {"OwnerId": world.org.queue})
    (found,) = records(world, "SELECT Owner.Name, Owner.Email FROM Lead WHERE Owner.Name = 'Inbound Leads'")
    assert found["Owner"]["attributes"]["type"] == "Group"
    assert found["Owner"]["Email"] is None


def test_query_all_also_finds_deleted_rows(world: SalesforceWorld) -> None:
    """Only queryAll shows what is in the bin."""
    assert names(world, "IsDeleted = true") == []
    assert [one["LastName"] for one in records(world, "SELECT LastName FROM Lead WHERE IsDeleted = true", "queryAll")] == ["Evans"]


def test_fifteen_character_ids_mean_the_same_record(world: SalesforceWorld) -> None:
    """An id may be given in its short form; in answers it is always long. Changed case is an error."""
    (lead,) = records(world, "SELECT Id FROM Lead WHERE LastName = 'Cole'")
    assert len(lead["Id"]) == 18
    assert records(world, f"SELECT Id FROM Lead WHERE Id = '{lead['Id'][:15]}'")[0]["Id"] == lead["Id"]
    assert refusal(world, f"SELECT Id FROM Lead WHERE Id = '{lead['Id'].swapcase()}'")[0] == "INVALID_QUERY_FILTER_OPERATOR"


def test_without_order_by_the_order_is_not_to_be_relied_on() -> None:
    """The same query comes in another order the next time, unless it is sorted down to the id."""
    world = SalesforceWorld()
    world.load("Lead", [{"LastName": f"L{number}", "CreatedDate": "2026-01-01T00:00:00Z"} for number in range(5)])
    first, second = (records(world, "SELECT Id FROM Lead") for _ in range(2))
    assert first != second
    first, second = (records(world, "SELECT Id FROM Lead ORDER BY SystemModstamp, Id") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("order", ["capitals first", "small letters first"])
def test_keyset_paging_meets_every_row_once(order: Any) -> None:
    """Pages by (SystemModstamp, Id) lose and repeat nothing among many equal stamps, whichever way the server sorts ids."""
    world = SalesforceWorld(habits=Habits(ids_sort=order))
    ids = world.load("Lead", [{"LastName": f"L{number}", "CreatedDate": f"2026-01-0{1 + number // 400}T00:00:00Z"} for number in range(1000)])
    seen: list[str] = []
    where = ""
    while page := records(world, f"SELECT Id, SystemModstamp FROM Lead {where} ORDER BY SystemModstamp, Id LIMIT 97"):
        seen += [one["Id"] for one in page]
        stamp = page[-1]["SystemModstamp"].replace(".000+0000", "Z")
        where = f"WHERE (SystemModstamp = {stamp} AND Id > '{page[-1]['Id']}') OR SystemModstamp > {stamp}"
    assert len(seen) == len(ids)
    assert set(seen) == set(ids)


def pages(world: SalesforceWorld, soql: str) -> Iterator[dict[str, Any]]:
    """Every page of a query."""
    body = json.loads(ask(world, soql, **{"sforce-query-options": "batchSize=200"}).body)
    yield body
    while not body["done"]:
        body = json.loads(world.handle(Request("GET", body["nextRecordsUrl"], "", AUTH)).body)
        yield body


def test_a_cursor_is_a_snapshot() -> None:
    """Pages go by nextRecordsUrl, at least 200 rows each, and show the rows as they were when the query ran."""
    world = SalesforceWorld(habits=STEADY)
    ids = world.load("Lead", [{"LastName": f"L{number:03d}"} for number in range(450)])
    walk = pages(world, "SELECT Id, LastName FROM Lead ORDER BY LastName")
    first = next(walk)
    world.edit(ids[300], {"LastName": "Changed"})
    world.delete(ids[301])
    rest = list(walk)
    assert [len(page["records"]) for page in (first, *rest)] == [200, 200, 50]
    assert {page["totalSize"] for page in (first, *rest)} == {450}
    assert rest[0]["records"][100]["LastName"] == "L300"


def test_a_cursor_dies_after_two_days() -> None:
    """A locator that is unknown or too old is INVALID_QUERY_LOCATOR."""
    world = SalesforceWorld()
    world.load("Lead", [{"LastName": f"L{number}"} for number in range(201)])
    url = next(pages(world, "SELECT Id FROM Lead"))["nextRecordsUrl"]
    world.clock.advance(2 * 86_400 + 60)
    for path in (url, "/services/data/v59.0/query/01g000000000000AAA-200"):
        response = world.handle(Request("GET", path, "", AUTH))
        assert (response.status, json.loads(response.body)[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


VALUES = st.sampled_from([None, "a", "B", "b", "c"])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(VALUES, st.integers(0, 3), st.booleans()), max_size=12),
    wanted=st.sampled_from(["a", "B", "x"]),
    day=st.integers(0, 3),
    joint=st.sampled_from(["AND", "OR"]),
    bound=st.sampled_from(["<", "<=", ">", ">=", "="]),
)
def test_indexed_and_plain_answers_agree(rows: list[tuple[str | None, int, bool]], wanted: str, day: int, joint: str, bound: str) -> None:
    """Whatever index serves a condition, the rows are those that a plain reading of the condition gives."""
    world = SalesforceWorld()
    world.load(
        "Lead",
        [{"LastName": str(at), "Email": email, "CreatedDate": f"2026-01-0{1 + d}T00:00:00Z", "IsDeleted": gone} for at, (email, d, gone) in enumerate(rows)],
    )
    compare = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "=": int.__eq__}[bound]

    def holds(email: str | None, at: int) -> bool:
        parts = ((email or "").lower() == wanted.lower(), compare(at, day))
        return all(parts) if joint == "AND" else any(parts)

    expected = {str(at) for at, (email, d, gone) in enumerate(rows) if not gone and holds(email, d)}
    found = records(world, f"SELECT LastName FROM Lead WHERE Email = '{wanted}' {joint} SystemModstamp {bound} 2026-01-0{1 + day}T00:00:00Z")
    assert {one["LastName"] for one in found} == expected


PARTS = [
    "SELECT",
    "Id",
    "Nope",
    "FROM",
    "Lead",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    "IN",
    "LIKE",
    "=",
    ">",
    ",",
    "'a\\'b'",
    "'x",
    "5",
    "null",
    "true",
    "2026-01-01",
    "ORDER BY",
    "LIMIT",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=8), st.lists(st.sampled_from(PARTS), max_size=10))
def test_nonsense_is_refused_not_answered_by_accident(head: list[str], tail: list[str]) -> None:
    """Any heap of tokens is either a query that was understood, or a refusal with a code."""
    world = SalesforceWorld()
    for soql in (" ".join(head), " ".join(["SELECT Id FROM Lead WHERE", *tail])):
        response = ask(world, soql)
        assert response.status == 200 or json.loads(response.body)[0]["errorCode"]
