"""Reading Salesforce: everything once, then every change, whatever breaks off and however late it shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_org import FIELDS, LEAD, Org, Pulled, pulled

from stagesync.model.errors import ConfigurationError
from stagesync.model.records import Gone, Query, Ref
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.salesforce.errors import Refused
from stagesync.sandbox.salesforce.habits import Habits


def test_everything_comes_once_contacts_first() -> None:
    """A first pull reads every Contact, then every Lead, with just the fields that were asked for."""
    org = Org()
    account = org.world.create("Account", {"Name": "Acme"})
    ids = {org.contact("Aalto", AccountId=account), org.lead("Berg", Email="berg@acme.example")}
    found = pulled(org.connector)
    assert set(found.records) == ids
    assert found.kinds == ["contact", "lead"]
    assert [dict(record.values) for record in found.records.values()] == [
        {"FirstName": None, "LastName": "Aalto", "Email": None, "Account.Name": "Acme"},
        {"FirstName": None, "LastName": "Berg", "Email": "berg@acme.example", "Company": "Acme", "Status": "Open - Not Contacted"},
    ]
    assert {record.author for record in found.records.values()} == {org.world.org.somebody}
    assert {record.stamp for record in found.records.values()} == {org.clock.now_ms()}


def test_a_quiet_run_is_one_call_per_object() -> None:
    """With nothing changed and no window open, a pull is two queries, whatever the number of people, and an empty page still moves the cursor."""
    org = Org()
    for number in range(30):
        org.lead(f"Lead {number}")
    org.clock.at += 700
    first = pulled(org.connector)
    org.clock.at += 3600
    org.calls()
    second = pulled(org.connector, first.cursor)
    assert org.calls() == {"GET queryAll": 2}
    assert (second.records, second.pages) == ({}, 2)
    assert second.cursor != first.cursor


def test_a_contact_without_an_account_has_a_blank_company() -> None:
    """A path over an empty lookup is blank, not absent."""
    org = Org()
    id = org.contact("Solo")
    assert pulled(org.connector).records[id].values["Account.Name"] is None


@pytest.mark.parametrize("from_the_beginning", [True, False])
def test_a_converted_lead_moves_to_its_contact(from_the_beginning: bool) -> None:
    """In a full scan and in a delta a converted Lead is no record but a move, with what tells the stage."""
    org = Org()
    lead = org.lead("Curie", Email="curie@acme.example")
    cursor = None if from_the_beginning else pulled(org.connector).cursor
    made = org.world.convert(lead)
    found = pulled(org.connector, cursor, {**FIELDS, "lead": ("LastName",)})
    assert lead not in found.records
    assert made.contact in found.records
    moved = found.moved[lead]
    assert (moved.to, moved.why) == (Ref("contact", made.contact), "converted")
    assert moved.record is not None
    told = {"IsConverted": True, "Status": "Closed - Converted", "ConvertedOpportunityId": made.opportunity, "LastName": "Curie"}
    assert told.items() <= moved.record.values.items()


def test_deleted_merged_and_restored_records_are_told() -> None:
    """A deletion is Gone, a merge is a move to the winner, and a restored record is a record again."""
    org = Org()
    winner, loser, deleted = org.contact("Winner"), org.contact("Loser"), org.lead("Deleted")
    first = pulled(org.connector)
    org.clock.at += 60
    org.world.merge(winner, [loser])
    org.world.delete(deleted)
    second = pulled(org.connector, first.cursor)
    assert second.gone == {deleted: Gone(Ref("lead", deleted), org.clock.now_ms())}
    assert (second.moved[loser].to, second.moved[loser].why) == (Ref("contact", winner), "merged")
    assert not {loser, deleted} & set(second.records)
    org.clock.at += 60
    org.world.undelete(deleted)
    assert deleted in pulled(org.connector, second.cursor).records


def test_the_window_reaches_back_behind_the_last_pull() -> None:
    """What is committed after a pull with a stamp from before it is read by the next one."""
    org = Org(Habits(duplicate_rules="off", commit_lag_s=500))
    late = org.lead("Late")
    org.clock.at += 400
    first = pulled(org.connector)
    assert late not in first.records
    org.clock.at += 110
    assert late in pulled(org.connector, first.cursor).records


def test_the_cursor_keeps_the_vendors_time() -> None:
    """A machine whose clock is wrong loses nothing: windows are bounded by the vendor's Date header."""
    org = Org()
    org.world.clock.advance(-86_400)
    first = pulled(org.connector)
    org.clock.at += 60
    changed = org.lead("Changed")
    assert changed in pulled(org.connector, first.cursor).records


def test_more_equal_stamps_than_a_page_holds_are_all_read() -> None:
    """2,500 records stamped in one second come whole, and a pull that breaks off among them goes on behind the last one."""
    org = Org()
    before = pulled(org.connector)
    org.clock.at += 3600
    ids = set(org.world.load("Lead", [{"LastName": f"L{number}", "Company": "Acme"} for number in range(2_500)]))
    broken = pulled(org.connector, before.cursor, pages=2)
    org.calls()
    rest = pulled(org.reopened(), broken.cursor)
    assert set(broken.records) | set(rest.records) >= ids
    assert len(broken.records) == 2000
    assert len(rest.records) == 500
    assert org.calls() == {"GET queryAll": 2}


def test_a_broken_scan_goes_on_where_it_was() -> None:
    """A crash in a full scan costs no second reading of what was committed, and changes since its beginning are not lost."""
    org = Org(Habits(page_rows=10))
    ids = [org.lead(f"Lead {number:02}") for number in range(25)]
    broken = pulled(org.connector, pages=2)
    assert len(broken.records) == 10
    org.clock.at += 3600
    org.world.edit(ids[0], {"Title": "Changed meanwhile"})
    rest = pulled(org.reopened(), broken.cursor, {**FIELDS, "lead": (*LEAD, "Title")})
    assert set(broken.records) | set(rest.records) == set(ids)
    assert len(rest.records) == 15
    assert ids[0] in pulled(org.connector, rest.cursor).records


def test_a_lost_query_cursor_is_taken_up_by_keyset() -> None:
    """A locator that is gone on the second page ends nothing: a new query goes on behind the last row."""
    org = Org(Habits(page_rows=10))
    ids = {org.lead(f"Lead {number:02}") for number in range(25)}
    pages = org.connector.pull(Query({"lead": LEAD, "contact": ("LastName",)}))
    got = [record.ref.id for _ in range(2) for record in next(pages).records]
    org.clock.at += 3 * 86_400
    got += [record.ref.id for page in pages for record in page.records]
    assert set(got) == ids
    assert len(got) == 25


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 4))
def test_a_pull_that_breaks_off_after_each_page_reads_every_row_once(hours: list[int], page: int) -> None:
    """Equal stamps or not: with a restart behind every single page, no row is skipped and none comes twice."""
    org = Org(Habits(page_rows=page))
    cursor = pulled(org.connector).cursor
    stamps = [f"{datetime.fromtimestamp(org.clock.at + 3600 * hour, UTC):%Y-%m-%dT%H:%M:%S}.000+0000" for hour in hours]
    ids = org.world.load("Lead", [{"LastName": "L", "Company": "Acme", "SystemModstamp": stamp} for stamp in stamps])
    org.clock.at += 86_400
    seen: list[str] = []
    for _ in range(2 * len(ids) + 2):
        found = pulled(org.reopened(), cursor, {"lead": LEAD}, pages=1)
        seen += found.records
        if found.cursor == cursor or len(seen) == len(ids):
            break
        cursor = found.cursor
    assert sorted(seen) == sorted(ids)


def test_an_edit_during_a_long_pull_is_read_by_the_next() -> None:
    """What is changed behind a reading under way belongs to the next window, however long the reading took."""
    org = Org(Habits(page_rows=10))
    ids = [org.lead(f"Lead {number:02}") for number in range(15)]
    first = pulled(org.connector)
    pages = org.connector.pull(Query({"lead": LEAD}, first.cursor))
    next(pages)
    org.world.edit(ids[0], {"FirstName": "Changed"})
    org.clock.at += 3600
    *_, last = pages
    org.clock.at += 60
    assert pulled(org.connector, last.cursor).records[ids[0]].values["FirstName"] == "Changed"


def test_a_new_kind_is_read_from_the_beginning() -> None:
    """A cursor that knows nothing of Contacts still stands for Leads."""
    org = Org()
    org.lead("Old")
    contact = org.contact("Never read")
    org.clock.at += 700
    first = pulled(org.connector, fields={"lead": LEAD})
    org.clock.at += 3600
    assert set(pulled(org.connector, first.cursor).records) == {contact}


@pytest.mark.parametrize("cursor", ["", "{}", "nonsense", '{"v": 99, "kinds": {}}', '{"v": 1, "kinds": {"lead": {"since": 1, "colour": 2}}}', "[]"])
def test_a_cursor_that_is_not_ours_means_everything(cursor: str) -> None:
    """Reading everything again is always right, so a strange cursor is no error."""
    org = Org()
    id = org.lead("Found")
    org.clock.at += 86_400
    assert set(pulled(org.connector, cursor).records) == {id}


def test_columns_that_no_url_holds_are_read_all_the_same() -> None:
    """With more mapped fields than fit into a query, the rest comes by a second call for each page and joins the same records."""
    org = Org()
    names = [f"A_Very_Long_Name_Of_A_Field_{number:03}__c" for number in range(400)]
    for name in names:
        org.world.define("Lead", name)
    id = org.lead("Wide", **{names[0]: "first", names[-1]: "last"})
    deleted = org.lead("Deleted")
    org.calls()
    found = pulled(org.connector, fields={"lead": ("LastName", *names)})
    assert org.calls() == {"GET query": 1, "POST composite/sobjects/Lead": 1}
    values = found.records[id].values
    assert (values[names[0]], values[names[-1]], values[names[200]], values["LastName"]) == ("first", "last", None, "Wide")
    assert set(values) == {"LastName", *names}
    org.world.delete(deleted)
    assert deleted in pulled(org.connector, found.cursor, {"lead": ("LastName", *names)}).gone


def test_a_hidden_field_is_named() -> None:
    """A mapped field that this user may not see is one clear sentence with the remedy, not a stack of vendor text."""
    org = Org(Habits(hidden_fields=frozenset({"Lead.Email"})))
    with pytest.raises(ConfigurationError, match="`Email` is not there, or this user may not see it") as caught:
        pulled(org.connector)
    assert "field-level security" in caught.value.next_step


def test_a_bad_page_is_asked_again() -> None:
    """Lost, broken and late answers to a read cost a pause and nothing else."""
    org = Org()
    id = org.lead("There")
    for fault in (Fault("lost_after"), Fault("truncated"), Fault("status", status=503, body="<html>", content_type="text/html"), Fault("status", status=420)):
        org.world.faults.add(fault)
        assert set(pulled(org.connector).records) == {id}
    assert len(org.clock.slept) == 4


# Histories: somebody works in the org while we pull; whatever they do, the pulls together know the truth in the end.


class Mirror:
    """What somebody believes who reads nothing but our pages."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.cursor: str | None = None
        self.known: dict[str, dict[str, Any]] = {}
        self.stamps: dict[str, int] = {}

    def pull(self, pages: int | None = None) -> None:
        """Take over what a pull tells; an older stamp than the one known is ignored."""
        found = pulled(self.org.reopened(), self.cursor, {"lead": ("LastName", "Title"), "contact": ("LastName", "Title")}, pages)
        self.cursor = found.cursor
        self._take(found)

    def _take(self, found: Pulled) -> None:
        for id, record in found.records.items():
            if record.stamp >= self.stamps.get(id, 0):
                self.known[id], self.stamps[id] = dict(record.values), record.stamp
        for id in (*found.gone, *found.moved):
            self.known.pop(id, None)


def truth(org: Org) -> dict[str, dict[str, Any]]:
    """All that a full look at the org would show."""
    org.world.org.commit_due()
    rows = [*org.world.rows("Contact"), *(row for row in org.world.rows("Lead") if not row.get("IsConverted"))]
    return {row["Id"]: {"LastName": row["LastName"], "Title": row.get("Title")} for row in rows}


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["create", "edit", "edit", "delete", "undelete", "convert", "merge", "wait", "wait long", "pull", "broken pull"]), st.integers(0, 50)
    ),
    min_size=3,
    max_size=40,
)


def do(org: Org, mirror: Mirror, made: list[str], deed: str, number: int) -> None:
    """One deed of the history; what the org refuses is nothing."""
    chosen = made[number % len(made)]
    match deed:
        case "create":
            made.append(org.lead(f"L{number}") if number % 2 else org.contact(f"C{number}"))
        case "edit":
            org.world.edit(chosen, {"Title": f"T{number}"})
        case "delete":
            org.world.delete(chosen)
        case "undelete":
            org.world.undelete(chosen)
        case "convert":
            made.append(org.world.convert(chosen).contact)
        case "merge":
            org.world.merge(chosen, [made[(number + 1) % len(made)]])
        case "wait":
            org.clock.at += number % 3
        case "wait long":
            org.clock.at += 700
        case "pull":
            mirror.pull()
        case _:
            mirror.pull(pages=1 + number % 3)


@settings(max_examples=60)
@given(deeds=DEEDS, lag=st.sampled_from([0.0, 2.0, 590.0]), page=st.integers(1, 4), order=st.sampled_from(["capitals first", "small letters first"]))
def test_no_change_is_missed_in_any_history(deeds: list[tuple[str, int]], lag: float, page: int, order: Any) -> None:
    """Edits in one second, late commits, merges, conversions and pulls that break off anywhere: after the last pull the mirror is the org."""
    org = Org(Habits(duplicate_rules="off", commit_lag_s=lag, page_rows=page, ids_sort=order))
    mirror = Mirror(org)
    made = [org.lead("First"), org.contact("Second")]
    for deed, number in deeds:
        try:
            do(org, mirror, made, deed, number)
        except Refused:
            continue
    org.clock.at += 600
    for _ in range(2):
        mirror.pull()
    assert mirror.known == truth(org)
