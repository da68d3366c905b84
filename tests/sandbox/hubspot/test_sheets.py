"""The files that the HubSpot world exports: who and what stands in them, how they are written, zipped and split."""

from __future__ import annotations

import io
from zipfile import ZipFile

from exporter import T0, TOKEN, Desk, Rows, rows_of
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.hubspot.export_request import ExportRequest
from stagesync.sandbox.hubspot.sheet import write


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
