"""A large HubSpot account is read by an export: the same records as by the list, or by the list after all, and nobody is lost or comes twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
from export_stand import FILE, LIST, PEOPLE, START, STATUS, Read, Stand, stand
from hubspot_portal import TOKEN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagesync.connectors.hubspot.cursor import parse
from stagesync.connectors.hubspot.export.harvest import GOES_ON
from stagesync.model.errors import QuotaSpent
from stagesync.model.ports import Secret
from stagesync.sandbox.faults import TROUBLES, Fault
from stagesync.sandbox.hubspot.exports import Exports

BY_EXPORT = "everybody is read by an export: by pages it would take about 25 calls, and 24 are left today"


@pytest.fixture
def large() -> Iterator[Stand]:
    """An account of 25 pages, with 24 calls left."""
    with stand() as made:
        yield made


@pytest.mark.parametrize(
    "habits",
    [
        {},
        {"export_moments": "epoch", "export_order": "any"},
        {"export_id_column": "label", "export_bom": True},
        {"export_id_column": "asked"},
        {"export_rows_per_file": 700},
        {"export_zip_from": 1},
        {"export_takes_s": 60.0},
        {"export_reads_index": True, "search_lag_s": 30.0},
    ],
    ids=str,
)
def test_an_export_gives_what_the_list_gives(habits: dict[str, Any]) -> None:
    """However cells, columns and parts are written: the same people, values and revisions, each once, for a handful of calls."""
    with stand(**habits) as large:
        large.world.merge(*[each["id"] for each in list(large.world.contacts())[:2]])
        large.clock.sleep(3_600)
        read = large.read()
        calls = large.calls()
        assert (calls[LIST], calls[START], calls[FILE]) == (1, 1, 1)
        assert sum(calls.values()) - calls[STATUS] < 20
        assert read.notes == [BY_EXPORT]
        listed = large.listed()
        assert read.records == listed.records
        assert (len(read.records), read.moved, read.doubles) == (PEOPLE - 1, listed.moved, 100)  # the list's first page told that it is too long
        assert {type(value) for record in read.records.values() for value in record.values.values()} == {str, type(None)}


def test_a_dated_version_has_exports_too(large: Stand) -> None:
    """At its own place, and asked for in its own words."""
    assert large.read(api_version="2026-09").notes == [BY_EXPORT]
    assert large.calls()["POST /crm/exports/2026-09/export/async"] == 1


def test_an_account_that_the_calls_suffice_for_is_listed() -> None:
    """With one call more the list is the way: it costs a search to know that, and a small account not even this."""
    with stand(left=25) as large:
        assert large.read().notes == []
        assert large.calls().keys() == {LIST, "POST /crm/v3/objects/contacts/search"}
    with stand(left=2_400) as large:
        assert large.read().notes == []
        assert large.calls()["POST /crm/v3/objects/contacts/search"] == 1
    with stand(left=2_600) as large:
        assert large.read().notes == []
        assert large.calls().keys() == {LIST}


def test_an_account_that_does_not_tell_its_figures_is_listed(large: Stand) -> None:
    """OAuth apps are told no daily figures."""
    read = large.read(client_id="sandbox-client", client_secret=Secret("sandbox-secret"), refresh_token=Secret("sandbox-refresh"))
    assert len(read.records) == PEOPLE
    assert large.calls().keys() == {LIST, "POST /oauth/2026-09/token"}


# ---- where an export cannot be used


NOT_BEGUN = "HubSpot does not begin it"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no right": ({"scopes": ("crm.objects.contacts.read", "crm.schemas.contacts.read")}, f"{NOT_BEGUN}: the HubSpot app lacks a scope: crm.export"),
    "the day's exports are used up": ({"exports_per_day": 0}, NOT_BEGUN),
    "it never ends": ({"export_takes_s": 90_000.0}, "it has not come to its end in 2 hours"),
    "moments to the minute": ({"export_moments": "minutes"}, "moments in its file are not told to the millisecond"),
    "other numbers": ({"export_numbers": "double"}, "seats is not the same in its file as everywhere else"),
    "line breaks become blanks": ({"export_line_breaks": "blanks"}, "most of its contacts would have to be read one by one all the same"),
    "the address is no good": ({"export_link_s": 0.0}, "its file cannot be fetched"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_where_no_export_is_to_be_had_the_list_goes_on(case: str) -> None:
    """Over as many days as it takes, from where it was left, and whoever plans reads why."""
    habits, why = REFUSED[case]
    with stand(**habits) as large:
        read = large.read_for_days()
        assert [note for note in read.notes[:-1] if note != GOES_ON] == ([] if why.startswith(NOT_BEGUN) else [BY_EXPORT])
        assert f"an export would spare calls, but cannot be used, because {why}" in read.notes[-1]
        assert (read.records, read.doubles) == (large.listed().records, 0)
        assert large.calls().get(START) in (1, 6)


def other(text: str, old: str, new: str) -> str:
    """The text with one thing changed in it."""
    if old not in text:
        raise LookupError(old)
    return text.replace(old, new, 1)


SPOILT: dict[str, tuple[Callable[[str], str], str]] = {
    "no file of contacts": (lambda text: "<html></html>", "its file is none of contacts"),
    "a column less": (lambda text: other(text, "firstname", "first name"), "HubSpot leaves firstname out of it"),
    "a column more": (lambda text: other(text, "\r\n", ",more\r\n"), "its file has other columns than were asked for"),
    "a cell more": (lambda text: text + "1,2\r\n", "a row of its file has not as many cells as the header"),
    "no id": (lambda text: other(text, "\r\n22001,", "\r\nnobody,"), "a row of its file does not say whose it is"),
    "somebody twice": (lambda text: other(text, "\r\n22001,", "\r\n21951,"), "its file has a contact twice"),
    "somebody less": (lambda text: "\r\n".join(line for line in text.split("\r\n") if not line.startswith("22001,")), "its file lacks contacts, 1 or more"),
    "broken quotes": (lambda text: other(text, "\r\n22001,", '\r\n22000"",'), "a row of its file does not say whose it is"),
    "an end within quotes": (lambda text: text + '"', "its file cannot be read"),
    "another text": (lambda text: other(text, "c1@crowd", "c1@cloud"), "email is not the same in its file as everywhere else"),
    "a stamp without its milliseconds": (lambda text: text.replace(".001Z", ".000Z"), "lastmodifieddate is not the same in its file as everywhere else"),
    "nothing in a column": (
        lambda text: text.replace("customer", "").replace(",lead,", ",,"),
        "its file has nothing in hs_merged_object_ids or lifecyclestage, and some contacts have",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_file_that_is_not_right_is_not_believed(case: str, large: Stand) -> None:
    """At the first thing that is not as it should be the list goes on."""
    large.world.spoil, why = SPOILT[case]
    if "stamp" in case:
        large.world.clock.advance(0.001)
        for each in [*large.world.contacts()]:
            large.world.edit(each["id"], {"firstname": "Anew"})
        large.clock.sleep(3_600)
    read = large.read_for_days()
    assert read.notes[-1].startswith(f"an export would spare calls, but cannot be used, because {why}")
    assert (read.records, read.doubles) == (large.listed().records, 0)


def test_a_column_without_values_is_believed_only_where_nobody_has_one(large: Stand) -> None:
    """One contact of thousands has a message, and the file none: no comparison need come upon that contact, a search does."""
    read = large.read(fields=("email", "company"))
    assert (read.notes, large.calls()[FILE]) == ([BY_EXPORT], 1)
    large.world.edit("22001", {"company": "Acme"})
    large.clock.sleep(3_600)
    large.world.limits.today = 1
    large.world.spoil = lambda text: other(text, "Acme", "")
    read = large.read_for_days(fields=("email", "company"))
    assert "its file has nothing in hs_merged_object_ids or company, and some contacts have" in read.notes[-1]
    assert read.records["22001"].values["company"] == "Acme"


def test_texts_whose_line_breaks_may_be_lost_are_read_by_their_ids() -> None:
    """A file that shows no line break proves nothing of a text with blanks."""
    with stand(export_line_breaks="blanks") as large:
        fields = ("email", "firstname", "message")
        read = large.read(fields=fields)
        assert read.notes == [BY_EXPORT]
        assert read.records["20351"].values["message"] == "one\ntwo"
        assert read.records == large.listed(fields=fields).records


@pytest.mark.parametrize("hand", ["cancel_export", "fail_export"])
def test_an_export_that_somebody_ends_is_given_up(hand: str) -> None:
    """In HubSpot's screens, or by HubSpot itself."""
    with stand(export_takes_s=60.0) as large:
        large.world.meanwhile = [lambda: None, lambda: getattr(large.world, hand)("478000001")]
        read = large.read_for_days()
        assert "because HubSpot has not carried it out" in read.notes[-1]
        assert read.records == large.listed().records


@pytest.mark.parametrize(("habit", "used"), [("deferred", True), ("refused", False)])
def test_somebody_elses_export_goes_first(habit: str, used: bool) -> None:
    """HubSpot lets ours wait, or refuses it."""
    with stand(second_export=habit, export_takes_s=240.0 if habit == "refused" else 20.0) as large:
        ask = {"exportType": "VIEW", "format": "CSV", "exportName": "x", "objectType": "CONTACT", "objectProperties": ["email"]}
        requests.post(f"{large.url}/crm/v3/exports/export/async", json=ask, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).raise_for_status()
        read = large.read_for_days()
        assert ("is read by an export" in read.notes[0]) is used
        assert read.records == large.listed().records


# ---- stopped and taken up


@pytest.mark.parametrize("pages", [2, 3, 4])
def test_a_reading_that_broke_off_goes_on_in_the_same_export(pages: int, large: Stand) -> None:
    """Behind the rows that were given, without another export, and nobody comes twice."""
    first = large.read(pages=pages)
    place = parse(first.cursor or "", where="")
    assert (place.export, place.rows) == ("478000001", 1_000 * (pages - 2))
    rest = large.read_for_days(first)
    assert rest.notes == [BY_EXPORT, GOES_ON]
    assert (rest.records, rest.doubles, large.calls()[START]) == (large.listed().records, 100, 1)


def test_rows_that_wait_for_a_full_call_are_not_lost(large: Stand) -> None:
    """Contacts that are read by their ids wait in the cursor until there are a hundred of them, over a restart, too."""
    first = large.read(pages=3)
    waiting = parse(first.cursor or "", where="").aside
    assert 0 < len(waiting) < 100
    assert not first.records.keys() & {id for id in waiting if int(id) > 25_000}  # the list's first page gave some of them
    assert large.read_for_days(first).records == large.listed().records


def turned_round(text: str) -> str:
    """The same rows from the last one on."""
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    turned = io.StringIO(newline="")
    csv.writer(turned).writerows([header, *reversed(rows)])
    return turned.getvalue()


def test_another_file_is_read_from_its_first_row(large: Stand) -> None:
    """Where the file of the same export has other rows in front, nothing of it counts as given."""
    first = large.read(pages=3)
    large.world.spoil = turned_round
    rest = large.read_for_days(first)
    assert (rest.records, START in large.calls()) == (large.listed().records, True)
    assert rest.doubles > 1_000


def test_an_export_that_is_no_longer_kept_is_begun_anew(large: Stand) -> None:
    """The list goes on where it was left, until it is seen again that it is too long."""
    first = large.read(pages=3)
    large.world.exports = Exports(large.world.portal)
    large.calls()
    rest = large.read_for_days(first)
    assert [note for note in rest.notes if "no longer has it" in note]
    assert large.calls()[START] == 1
    assert rest.records == large.listed().records


# ---- what happens meanwhile


@pytest.mark.parametrize(
    "habits", [{}, {"merge_preserves_primary_id": True}, {"search_lag_s": 200.0}, {"export_reads_index": True, "search_lag_s": 200.0}], ids=str
)
def test_what_happens_while_the_export_is_made_comes_with_the_delta(habits: dict[str, Any]) -> None:
    """Before its rows are taken, after that, and while they are read: edits, new contacts, merges; a deletion is told as ever, by a sweep."""
    with stand(export_takes_s=120.0, **habits) as large:
        hand = large.world

        def busy(number: int) -> None:
            live = [each["id"] for each in hand.contacts()]
            for id in live[number::100]:
                hand.edit(id, {"firstname": f"Edited {number}", "seats": "7"})
            hand.create({"email": f"new{number}@crowd.example", "lastname": "New"})
            hand.merge(live[number], live[-number])
            hand.archive(live[50 * number])

        busy(1)
        hand.meanwhile = [lambda number=number: busy(number) for number in range(2, 9)]
        read = large.read()
        assert read.notes == [BY_EXPORT]
        busy(11)
        large.clock.sleep(400)
        large.switch(daily_max=1_000_000)
        cursor = parse(read.cursor or "", where="")
        assert cursor.start < large.world.clock.now_ms() - 500_000
        large.read(read, sweep=True)
        assert read.records == {id: record for id, record in large.listed().records.items() if id not in read.moved}


def test_a_contact_that_changed_after_the_file_was_made_proves_nothing() -> None:
    """Everybody is edited while the export is made: nothing is left to compare, so everybody is read by their ids, or by the list."""
    with stand(export_takes_s=60.0) as large:

        def all_anew() -> None:
            for each in [*large.world.contacts()]:
                large.world.edit(each["id"], {"firstname": "Anew"})

        large.world.meanwhile = [*[lambda: None] * 5, all_anew]
        read = large.read_for_days()
        assert read.records == large.listed().records


# ---- the address of the file


def test_the_credential_does_not_go_where_the_file_lies(large: Stand) -> None:
    """All calls of the API bear it; the one for the file does not."""
    large.read()
    bearing = {"authorization" in request.headers for request in large.world.asked if request.path.startswith("/crm/")}
    (fetched,) = [request for request in large.world.asked if request.path.startswith("/export-files/")]
    assert bearing == {True}
    assert fetched.headers.keys().isdisjoint({"authorization", "cookie"})
    assert TOKEN not in str(fetched.headers)


@pytest.mark.parametrize(
    "address", ["http://files.example.invalid/x.csv", "ftp://127.0.0.1/x", "file:///etc/passwd", "//127.0.0.1/x", "https://", "http://[::1", "no address"]
)
@pytest.mark.parametrize("redirected", [False, True])
def test_an_address_that_is_not_safe_is_not_asked(address: str, redirected: bool, large: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """In clear to another machine, or no address at all: the list goes on, and neither note nor log has the address."""
    if redirected:
        large.world.faults.add(Fault("status", "GET /export-files/", status=302, headers=(("Location", address),)))
    else:
        large.world.faults.add(Fault("status", f"GET {STATUS[4:].partition('{')[0]}", status=200, body=f'{{"status":"COMPLETE","result":"{address}"}}'))
    caplog.set_level("DEBUG", logger="stagesync")
    read = large.read_for_days()
    if not redirected or address.startswith(("http://files", "ftp", "file")):  # the others lead to another place of the same machine, or are none
        assert "its file does not lie at an address that is safe" in read.notes[-1]
    assert address not in str(read.notes) + caplog.text
    assert read.records == large.listed().records


@pytest.mark.parametrize("trouble", ["lost before", "truncated", "page 503"])
def test_a_file_that_breaks_off_is_fetched_from_another_address(trouble: str, large: Stand) -> None:
    """Each look at the export gives a new one."""
    fault = TROUBLES[trouble]
    large.world.faults.add(Fault(fault.kind, "GET /export-files/", status=fault.status, body=fault.body, content_type=fault.content_type))
    read = large.read()
    calls = large.calls()
    assert (read.notes, calls[FILE], calls[STATUS]) == ([BY_EXPORT], 2, 2)
    assert len({request.path for request in large.world.asked if request.path.startswith("/export-files/")}) == 2 - (trouble in ("lost before", "page 503"))
    assert read.records == large.listed().records


# ---- at random

HABITS = st.fixed_dictionaries(
    {
        "export_moments": st.sampled_from(["iso", "epoch"]),
        "export_order": st.sampled_from(["id", "any"]),
        "export_id_column": st.sampled_from(["named", "label", "asked"]),
        "export_rows_per_file": st.sampled_from([600, 1_000_000]),
        "export_takes_s": st.sampled_from([0.0, 10.0]),
        "export_reads_index": st.booleans(),
        "export_line_breaks": st.sampled_from(["kept", "kept", "blanks"]),
        "search_lag_s": st.sampled_from([0.0, 250.0]),
        "merge_preserves_primary_id": st.booleans(),
    }
)
DEEDS = st.lists(st.tuples(st.sampled_from(["edit", "create", "merge", "archive", "wait", "pull", "break off", "lose"]), st.integers(0, 10_000)), max_size=12)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1, max_size=8)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(HABITS, DEEDS, st.lists(TEXT, min_size=1, max_size=6))
def test_whatever_happens_the_store_is_as_by_the_list(habits: dict[str, Any], deeds: list[tuple[str, int]], texts: list[str]) -> None:
    """Edits, new contacts, merges, deletions, deaths and lost exports at any page, in accounts of any kind: in the end everything is known as it stands."""
    with stand(1_500, left=14, **habits) as large:
        for number, contact in enumerate([*large.world.contacts()][::40]):
            large.world.edit(contact["id"], {"lastname": texts[number % len(texts)]})
        large.clock.sleep(3_600)
        read = Read()
        for what, number in deeds:
            large.world.limits.today = 0
            live = [each["id"] for each in large.world.contacts()]
            id = live[number % len(live)]
            match what:
                case "edit":
                    large.world.edit(id, {"lastname": texts[number % len(texts)]})
                case "create":
                    large.world.create({"lastname": texts[number % len(texts)]})
                case "merge":
                    large.world.merge(id, live[(number + 1) % len(live)])
                case "archive":
                    large.world.archive(id)
                case "wait":
                    large.clock.sleep(number / 50)
                case "lose":
                    large.world.exports = Exports(large.world.portal)
                case _:
                    with suppress(QuotaSpent):
                        large.read(read, pages=1 + number % 4 if what == "break off" else None)
        large.clock.sleep(600)
        large.read_for_days(read)
        large.clock.sleep(600)
        large.switch(daily_max=1_000_000)
        large.read(read, sweep=True)
        assert read.records == {id: record for id, record in large.listed().records.items() if id not in read.moved}
