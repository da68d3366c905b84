"""What of an export's file is understood, and what is compared before it is believed."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import pairwise
from zipfile import ZipFile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stagesync.connectors.hubspot.cursor import Cursor, parse
from stagesync.connectors.hubspot.export import sheet as sheets
from stagesync.connectors.hubspot.export.cells import ASIDE, BLANK, Cell, day, flag, moment, number, reader, text, word
from stagesync.connectors.hubspot.export.layout import Contact, laid_out
from stagesync.connectors.hubspot.export.sheet import Sheet
from stagesync.connectors.hubspot.export.trial import EACH, MOST, Picks
from stagesync.connectors.hubspot.export.ways import Unusable, by_export, is_time_to_count
from stagesync.connectors.hubspot.rows import instant_ms
from stagesync.sandbox.hubspot.instants import calendar_date, instant

MOMENTS = st.integers(-2_000_000_000_000, 4_000_000_000_000)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
PRINTED = {"type": "string"}


@given(MOMENTS)
@example(0)
@example(1_790_000_000_000)
def test_a_moment_is_the_same_however_it_is_written(ms: int) -> None:
    """As ISO text with or without its milliseconds, or as a number: what the other answers tell, letter by letter."""
    told = instant(ms)
    assert moment(told).value == told
    assert moment(str(ms)).value == told
    assert instant_ms(told) == ms
    assert moment(told if "." in told else f"{told[:-1]}.000Z").value == told


@given(MOMENTS.map(lambda ms: ms // 86_400_000 * 86_400_000))
def test_a_date_is_the_same_however_it_is_written(ms: int) -> None:
    """As ISO text, or as the milliseconds of its midnight."""
    told = calendar_date(str(ms))
    assert (day(told).value, day(str(ms)).value) == (told, told)


@pytest.mark.parametrize("cell", ["2026-11-30 09:15", "30/11/2026", "2026-11-30T09:15:00+01:00", "2026-13-45T00:00:00Z", "2026-11-30T09:15Z", "9" * 15, "٣"])
def test_a_moment_that_is_not_told_exactly_is_none(cell: str) -> None:
    """To the minute, in somebody's zone, or no moment at all."""
    assert moment(cell) == Cell(None, ASIDE)


@pytest.mark.parametrize(
    ("read", "cell"), [(number, "1,500"), (number, "1.0E7"), (number, "٣"), (flag, "Yes"), (flag, "TRUE"), (day, "30.11.2026"), (day, "1790000000000")]
)
def test_a_cell_of_another_type_is_set_aside(read: object, cell: str) -> None:
    """It is read by its id, whatever it may mean."""
    assert callable(read)
    assert read(cell) == Cell(None, ASIDE)


@given(TEXTS)
@example("=1+1")
@example("'=1+1")
@example("@home")
@example(" led by one")
@example("ends with one\u00a0")
@example("line\nbreak")
@example('say "no"')
@example("null\x00")
@example("lost \ufffd")
@example("x" * 5_001)
def test_a_text_is_taken_as_it_is_or_not_at_all(cell: str) -> None:
    """What a writer of files may have changed is set aside; all else is the value."""
    for read in (word, text):
        found = read(cell)
        if found.form == ASIDE:
            assert found.value is None
        else:
            assert found.value == (cell or None)
            assert not set(cell) & set('"\r\n\t\x00\ufffd')
            assert cell == cell.strip()
            assert not cell.startswith(("=", "@", "'"))
            assert len(cell) <= 5_000


def test_forms_tell_apart_what_may_be_written_differently() -> None:
    """Leading zeros and signs, letters beyond ASCII, lists of choices, blanks that may have been line breaks, blank cells."""
    cells = ["0042", "+49", "-", "+é", "Müller", "a;b", "Anna", "Anna Maria", "東 京", ""]
    assert [text(cell).form for cell in cells] == [
        "digits",
        "signed",
        "signed",
        "signed, beyond ASCII",
        "beyond ASCII",
        "several",
        "plain",
        "plain, with blanks",
        "beyond ASCII, with blanks",
        BLANK,
    ]
    assert word("Anna Maria").form == "plain"
    types = ("string", "enumeration", "date", "datetime", "number", "bool")
    assert [reader({"type": type})("2026-11-30").form == ASIDE for type in types] == [False, False, False, True, True, True]


FORMS = st.lists(st.lists(st.sampled_from(["plain", "digits", BLANK, ASIDE]), min_size=3, max_size=3), max_size=400)


@given(FORMS)
def test_each_form_in_each_column_is_picked_several_times(rows: list[list[str]]) -> None:
    """As often as it is there, up to five times, and some from all over the file."""
    picks = Picks()
    for place, forms in enumerate(rows):
        picks.offer(Contact(str(place), [Cell(None, form) for form in forms]))
    found = picks.all().values()
    for column in range(3):
        for form in {forms[column] for forms in rows}:
            there = sum(forms[column] == form for forms in rows)
            assert sum(contact.cells[column].form == form for contact in found) >= min(EACH, there)
    assert len(found) <= MOST + 200
    ids = sorted(int(contact.id) for contact in picks.spread)
    assert all(after - before <= max(1, len(rows) // 50) for before, after in pairwise(ids))


def test_many_forms_do_not_make_a_long_list() -> None:
    """Five hundred contacts are picked, and those from all over the file: what is not among them is not believed."""
    picks = Picks()
    for place in range(20_000):
        picks.offer(Contact(str(place), [Cell("x", f"form {place}")]))
    assert len(picks.all()) <= MOST + 200


CURSORS = st.builds(
    Cursor,
    start=st.integers(0, 2**41),
    after=st.integers(0, 2**50).map(str),
    sweep=st.booleans(),
    ranges=st.lists(st.tuples(st.integers(0, 2**50), st.none() | st.integers(0, 2**50)), max_size=3).map(tuple),
    alone=st.booleans(),
    export=st.sampled_from(["", "478000001"]),
    rows=st.integers(0, 2**50),
    mark=st.integers(0, 2**32 - 1),
    aside=st.lists(st.integers(0).map(str), max_size=3).map(tuple),
    listed=st.booleans(),
)


@given(CURSORS)
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    """Whatever it holds; and what an older version has written says nothing of exports."""
    assert parse(cursor.text(), where="") == cursor
    old = parse('{"start":1,"part":"scan","after":"7","since":0,"sweep":false,"ranges":[[7,null]],"alone":false}', where="")
    assert (old.export, old.rows, old.aside, old.listed) == ("", 0, (), False)


@given(CURSORS)
def test_giving_up_an_export_goes_back_to_the_list(cursor: Cursor) -> None:
    """To the very place where it was left, whatever was read since; behind the last page nothing of the export is left."""
    later = cursor.exporting("478000002").given(5_000, 17, ["1"]).by_list(for_good=True)
    assert (later.after, later.ranges, later.start, later.sweep) == (cursor.after, cursor.ranges, cursor.start, cursor.sweep)
    assert (later.export, later.rows, later.mark, later.aside, later.listed) == ("", 0, 0, (), True)
    assert (cursor.over().export, cursor.over().aside, cursor.over().start) == ("", (), cursor.start)


@given(st.integers(0, 10**8), st.integers(1, 2), st.integers(-10, 10**6))
def test_an_export_is_chosen_where_the_list_takes_more_calls_than_are_left(contacts: int, calls_a_page: int, left: int) -> None:
    """And never otherwise; the reason names both figures."""
    why = by_export(contacts, calls_a_page, left)
    calls = -(-contacts // 100) * calls_a_page
    assert (why is not None) is (calls > left)
    assert why is None or f"about {calls:,} calls, and {max(0, left):,} are left" in why


def test_nobody_is_counted_before_that_can_matter() -> None:
    """A hundredth of what is left is spent first; where nothing is told of what is left, never."""
    assert [is_time_to_count(calls, 225_000) for calls in (1, 2_249, 2_250)] == [False, False, True]
    assert is_time_to_count(1, 0)
    assert not is_time_to_count(1_000_000, None)


# ---- the file


ROWS = st.lists(st.lists(TEXTS.filter(lambda cell: "\r" not in cell), min_size=2, max_size=2), max_size=8)


def written(rows: Sequence[Sequence[str]]) -> bytes:
    """As a CSV with CRLF."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


@given(ROWS, st.integers(0, 8), st.booleans())
def test_a_file_of_several_parts_is_read_like_one(rows: list[list[str]], cut: int, bom: bool) -> None:
    """Plain or zipped, with a byte order mark or without, as often as one likes."""
    header, mark = ["Record ID", "name"], b"\xef\xbb\xbf" if bom else b""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("x-1.csv", mark + written([header, *rows[:cut]]))
        archive.writestr("x-2.csv", mark + written([header, *rows[cut:]]))
    for file in (io.BytesIO(mark + written([header, *rows])), packed):
        sheet = Sheet(file)
        assert sheet.header == header
        assert [*sheet.rows()] == [*sheet.rows()] == rows


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe", "cannot be read"),
        (b"PK\x03\x04 and no more", "cannot be read"),
        (b'a,b\r\n"1,2', "cannot be read"),
        (b"a,b\r\n1\r\n", "not as many cells"),
        (b"a,b\r\n" + b"1," * 40_000 + b"\r\n", "without an end"),
        (b'a,b\r\n1,"' + b"x" * 200_000 + b'"\r\n', "cannot be read"),
    ],
)
def test_a_broken_file_is_said_to_be_so(content: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with it, in one exception without anything that stands in it."""
    monkeypatch.setattr(sheets, "LONGEST_LINE", 60_000 if why == "without an end" else 1_000_000)
    with pytest.raises(Unusable, match=why):
        list(Sheet(io.BytesIO(content)).rows())


def test_parts_with_other_columns_are_no_file() -> None:
    """Each part has the header of the first one."""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("1.csv", "a,b\r\n")
        archive.writestr("2.csv", "b,a\r\n")
    with pytest.raises(Unusable, match="different columns"):
        list(Sheet(packed).rows())


def test_an_empty_file_is_none_of_contacts() -> None:
    """No header, no columns."""
    for content in (b"", b"\r\n"):
        with pytest.raises(Unusable, match="none of contacts"):
            laid_out(Sheet(io.BytesIO(content)).header, {"email": PRINTED})


@pytest.mark.parametrize("header", [["Record ID", "email"], ["hs_object_id", "email"], ["email", "hs_object_id"], ["Record ID", "hs_object_id", "email"]])
def test_the_id_is_found_under_either_name(header: list[str]) -> None:
    """Under its label in front, under its name anywhere, or under both, where they must agree."""
    layout = laid_out(header, {"email": PRINTED, "hs_object_id": {"type": "number"}})
    row = ["7" if name != "email" else "a@b.example" for name in header]
    contact = layout.contact(row)
    assert (contact.id, [contact.cells[layout.place(name)].value for name in ("hs_object_id", "email")]) == ("7", ["7", "a@b.example"])
    with pytest.raises(Unusable, match="whose it is"):
        layout.contact(["8", *["x"] * (len(header) - 1)] if len(header) > 2 else ["x", "x"])
