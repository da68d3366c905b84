"""Files as systems, read: whatever spreadsheets, CRMs and people make of them, a row comes as it is or is told by its line, and never shifted."""

from __future__ import annotations

import codecs
import csv
import io
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from clerk import Clerk
from house import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from salesforce_org import Hand

from stagesync.connectors.csv import plugin
from stagesync.connectors.csv.amounts import plain, shown
from stagesync.connectors.csv.connector import FileConnector
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.catalogue import shipped
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import SystemInput, read_all
from stagesync.model.errors import ConfigurationError, StagesyncError, StateError, Unreachable
from stagesync.model.formulas import bared, guarded
from stagesync.model.records import Gone, Present, Query, Record, Ref

EXAMPLES = ROOT / "examples"
ENCODINGS = {
    "utf-8": b"",
    "utf-8 with mark": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
}


def opened(path: Path, **given: Any) -> FileConnector:
    """The connector of a file."""
    return FileConnector("list", CsvSettings(path=path, **given), Hand(), lambda: None)


def pulled(connector: FileConnector, *fields: str, cursor: str | None = None) -> tuple[list[Record], list[Gone], tuple[str, ...], str]:
    """Records, what is gone, findings and the last cursor."""
    pages = list(connector.pull(Query({"contact": fields}, cursor)))
    return [record for page in pages for record in page.records], [gone for page in pages for gone in page.gone], tuple(pages[-1].findings), pages[-1].cursor


def told(path: Path, given: bytes, **settings: Any) -> tuple[dict[str, Mapping[str, Any]], tuple[str, ...]]:
    """What a file with these bytes tells of the columns A and B, by its key K, and its problems. Reading it changes nothing in it."""
    path.write_bytes(given)
    connector = opened(path, **{"key": "K", **settings})
    records, _, findings, _ = pulled(connector, "A", "B")
    connector.close()
    assert path.read_bytes() == given
    return {record.ref.id: record.values for record in records}, findings


# -- what stands in a file comes out of it

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ROW = st.tuples(CELL, CELL)


@given(
    rows=st.lists(ROW, max_size=6),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\r\n", "\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    open_end=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_table_is_read_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, rows: Sequence[tuple[str, str]], encoding: str, delimiter: str, newline: str, quoting: Any, open_end: bool
) -> None:
    """Whatever the cells, encoding, separator, quotes and line ends, which nobody declares; but for the apostrophe that makes text of a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n" if quoting == csv.QUOTE_MINIMAL else newline)
    writer.writerows([("K", "A", "B"), *((f"k{number}", *row) for number, row in enumerate(rows))])
    whole = text.getvalue().removesuffix("\n").removesuffix("\r") if open_end else text.getvalue()
    path = tmp_path_factory.mktemp("any") / "people.csv"
    found, problems = told(path, ENCODINGS[encoding] + whole.encode(encoding.removesuffix(" with mark")))
    assert problems == ()
    assert found == {f"k{number}": {"A": bared(a) or None, "B": bared(b) or None} for number, (a, b) in enumerate(rows)}


@given(st.text())
def test_a_formula_is_text_in_the_file_and_itself_again_behind_it(text: str) -> None:
    """What goes in comes out, whatever stands before it; and nothing but a number or a telephone number begins as a formula."""
    cell = guarded(text)
    assert bared(cell) == text
    assert cell in (text, f"'{text}")
    if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        assert set(cell[1:]) <= set("0123456789 ().,/-\u00a0")


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-2+3+cmd|' /C calc'!A0", "+49 151 x", "\tx", "\uff1dA1", "'=A1", "+HYPERLINK(1)", "+", "-"])
def test_what_might_run_is_made_text(text: str) -> None:
    """An apostrophe stands in front."""
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+49 (151) 23-45.6", "-12.50", "+1,000", "'tis", "a=b", ""])
def test_numbers_and_telephone_numbers_stay_as_they_are(text: str) -> None:
    """Nothing in them runs, and whoever imports the file wants no apostrophe there."""
    assert guarded(text) == text


# -- spoiled files

SPOILED: Mapping[str, tuple[bytes, dict[str, tuple[str | None, str | None]], tuple[str, ...]]] = {
    "short row": (b"K,A,B\n1,x,y\n2,x\n3,x,y\n", {"1": ("x", "y"), "3": ("x", "y")}, ("line 3 has 2 cells where the header has 3",)),
    "long row": (b"K,A,B\n1,x,y\n2,x,y,z\n3,x,y\n", {"1": ("x", "y"), "3": ("x", "y")}, ("line 3 has 4 cells where the header has 3",)),
    "blank cells too many": (b"K,A,B\n1,x,y,,\n", {"1": ("x", "y")}, ()),
    "blank rows": (b"\n\nK,A,B\n\n1,x,y\n,,\n\n2,x,\n", {"1": ("x", "y"), "2": ("x", None)}, ()),
    "break in a cell": (b'K,A,B\n1,"x\nx",y\n2,x\n3,x,y\n', {"1": ("x\nx", "y"), "3": ("x", "y")}, ("line 4 has 2 cells where the header has 3",)),
    "quote that nobody closed": (b'K,A,B\n1,"x,y\n2,x,y\n3,"x",y\n', {"2": ("x", "y"), "3": ("x", "y")}, ("line 2 has broken quoting",)),
    "quote at the end": (b'K,A,B\n1,x,y\n2,x,"y\n', {"1": ("x", "y")}, ("line 3 has broken quoting",)),
    "text behind a quote": (b'K,A,B\n1,"x" z,y\n2,x,y\n', {"2": ("x", "y")}, ("line 2 has broken quoting",)),
    "quote inside": (b'K,A,B\n1,6" pipe,y\n', {"1": ('6" pipe', "y")}, ()),
    "NUL": (b"K,A,B\n1,x\0,y\n2,x,y\n", {"2": ("x", "y")}, ("line 2 holds a NUL byte",)),
    "one byte that is no UTF-8": (
        "K,A,B\n1,é,ü\n2,ö,ß\n".encode() + b"3,\xe9,y\n4,x,y\n",
        {"1": ("é", "ü"), "2": ("ö", "ß"), "4": ("x", "y")},
        ("line 4 holds bytes that are no text in the file's encoding",),
    ),
    "Windows-1252": ("K,A,B\n1,Müller,5 €\n".encode("cp1252"), {"1": ("Müller", "5 €")}, ("it is no UTF-8 and was read as cp1252, first in line 2:",)),
    "Latin-1 with its controls": (b"K,A,B\n1,M\xfcller,\x81\n", {"1": ("Müller", "\x81")}, ("it is no UTF-8 and was read as iso8859-1, first in line 2:",)),
    "endless cell": (b"K,A,B\n1," + b"x" * 200_000 + b",y\n2,x,y\n", {"2": ("x", "y")}, ("line 2 has a cell of more than 131,072",)),
    "UTF-16 without a mark": ("K,A,B\r\n1,Müller,y\r\n".encode("utf-16-le"), {"1": ("Müller", "y")}, ()),
    "sep line": (b"sep=;\r\nK;A;B\r\n1;a,b;y\r\n", {"1": ("a,b", "y")}, ()),
    "semicolons, and commas in the header": (b"K;A;B;Name, first\n1;x;y;z\n2;x;y;z\n", {"1": ("x", "y"), "2": ("x", "y")}, ()),
    "key twice": (b"K,A,B\n1,x,y\n2,x,y\n1,a,b\n", {"1": ("x", "y"), "2": ("x", "y")}, ("line 4 has the same K as line 2",)),
    "no key": (b"K,A,B\n,x,y\n 2 ,x,y\n", {"2": ("x", "y")}, ("line 2 has nothing in the column K",)),
    "key as Excel shows it": (b"K,A,B\n4.91514E+12,x,y\n2,x,y\n", {"2": ("x", "y")}, ("line 2 shows K as Excel shortens long numbers",)),
    "number as Excel shows it": (b'K,A,B\n1,"4,91514E+12",y\n2,x,y\n', {"2": ("x", "y")}, ("line 2 shows A as Excel shortens long numbers",)),
    "apostrophes": (b"K,A,B\n'+1,'=x,'tis\n", {"+1": ("=x", "'tis")}, ()),
    "footer of a report": (
        b'"K","A","B"\n"1","x","y"\n\n\n"Test report"\n"Copyright (c) 2000-2026 salesforce.com, inc."\n"Confidential Information"\n',
        {"1": ("x", "y")},
        (),
    ),
    "headers twice and blank": (b"K,A,,A,B\n1,x,q,r,y\n", {"1": ("x", "y")}, ()),
}


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_files_are_read_as_far_as_they_can_be(tmp_path: Path, name: str) -> None:
    """Each bad row is told once, by its line and what is wrong; all others come; the file stays as it is."""
    given, rows, problems = SPOILED[name]
    found, said = told(tmp_path / "people.csv", given)
    assert {key: (values["A"], values["B"]) for key, values in found.items()} == rows
    assert len(said) == len(problems)
    assert all(one.startswith(other) for one, other in zip(said, problems, strict=True))


def test_the_first_line_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    """So that somebody can look there whether its letters are right; the header is line 1, and an encoding that somebody gave is no guess."""
    rows = [*(f"{number},plain,row" for number in range(2, 5_000)), "5000,Müller,x", "5001,Möller,x"]
    given = "\n".join(["K,A,B", *rows, ""]).encode("cp1252")
    assert told(tmp_path / "late.csv", given)[1][0].startswith("it is no UTF-8 and was read as cp1252, first in line 5000: look")
    assert told(tmp_path / "head.csv", "K,A,B,Straße\n1,x,y,z\n".encode("cp1252"))[1][0].startswith(
        "it is no UTF-8 and was read as cp1252, first in line 1: look"
    )
    assert told(tmp_path / "said.csv", given, encoding="cp1252")[1] == ()


NUMBERS = {
    "comma": (("1.234,56", "12,5", "1.234", "-7", "1.200 €", "EUR 856.000"), ("1234.56", "12.5", "1234", "-7", "1200", "856000")),
    "point": (("1,234.56", "12.5", "1,234", "0.125", "$1,200", "USD 856,000"), ("1234.56", "12.5", "1234", "0.125", "1200", "856000")),
    "groups of commas": (("1,234,567", "1,234"), ("1234567", "1234")),
    "groups of points": (("1.234.567", "1.234"), ("1234567", "1234")),
    "zero before it": (("0,125", "1,250"), ("0.125", "1.250")),
    "spaces": (("1 234,5", "2.000"), ("1234.5", "2000")),
    "whole": (("1234", "7", ""), ("1234", "7", None)),
    "no number": (("12,5", "about 3", "1,2,3"), ("12.5", "about 3", "1,2,3")),
}


def numbers(*cells: str) -> bytes:
    """A file with these numbers in its column A."""
    return "\n".join(["K;A;B", *(f"{number};{cell};x" for number, cell in enumerate(cells)), ""]).encode()


@pytest.mark.parametrize("name", NUMBERS)
def test_a_column_of_numbers_shows_how_it_is_written(tmp_path: Path, name: str) -> None:
    """One number that can be read in one way alone tells how all others of its column are read."""
    cells, expected = NUMBERS[name]
    found, said = told(tmp_path / "people.csv", numbers(*cells), types={"A": "number"})
    assert (tuple(found[str(number)]["A"] for number in range(len(cells))), said) == (expected, ())


@pytest.mark.parametrize("cell", ["1.234", "1,234"])
def test_what_may_be_thousands_or_decimals_is_not_guessed(tmp_path: Path, cell: str) -> None:
    """One error with the line, the column and what to write, exit 2; said, it is read; where nobody writes decimals it is thousands."""
    with pytest.raises(ConfigurationError, match=r"line 3 has a number in the column A that may be thousands.*(?s:.)*decimal = "):
        told(tmp_path / "people.csv", numbers("17", cell), types={"A": "number"})
    for decimal, expected in ((",", {"1.234": "1234", "1,234": "1.234"}), (".", {"1.234": "1.234", "1,234": "1234"})):
        found, _ = told(tmp_path / f"{ord(decimal)}.csv", numbers("17", cell), types={"A": "number"}, decimal=decimal)
        assert found["1"]["A"] == expected[cell]
    path = tmp_path / "employees.csv"
    path.write_bytes(numbers("17", cell).replace(b"K;A", b"K;Employees"))
    connector = opened(path, key="K")
    records, *_ = pulled(connector, "Employees")
    connector.close()
    assert [record.values["Employees"] for record in records] == ["17", "1234"]


def test_two_ways_of_writing_numbers_in_one_column_stop_the_run(tmp_path: Path) -> None:
    """Both lines are named. What a column showed once holds for its next version too, in which nothing else may show it."""
    with pytest.raises(ConfigurationError, match="line 2 has a decimal comma in the column A, and line 4 has a decimal point"):
        told(tmp_path / "people.csv", numbers("12,5", "3", "1.5"), types={"A": "number"})
    path = tmp_path / "again.csv"
    told(path, numbers("12,5", "1.234"), types={"A": "number"})
    found, _ = told(path, numbers("12", "1.234"), types={"A": "number"})
    assert found["1"]["A"] == "1234"


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=6), st.sampled_from([",", "."]))
def test_numbers_are_read_as_they_were_written(given_: list[Any], mark: Any) -> None:
    """With two decimals and thousands set apart, in either way, none is ever taken for another."""
    other = "." if mark == "," else ","
    for number in given_:
        cell = f"{number:,.2f}".replace(",", "x").replace(".", mark).replace("x", other)
        assert shown(cell) == mark
        assert float(plain(cell, mark)) == float(f"{number:.2f}")


def test_spoiled_lines_of_json_are_told(tmp_path: Path) -> None:
    """What is no object, or holds what no text can hold; values keep their meaning as text."""
    given = b'{"K": "1", "A": true, "B": 12345678901234567890123}\n\n[1]\nnonsense\n{"K": "2", "A": "\\ud800"}\n{"K": 3, "A": ["x", "y"], "B": {"z": 1}}\n'
    found, said = told(tmp_path / "people.jsonl", given)
    assert found == {"1": {"A": "true", "B": "12345678901234567890123"}, "3": {"A": "x;y", "B": '{"z": 1}'}}
    assert said == ("line 3 is no JSON object", "line 4 is no JSON object", "line 5 holds bytes that are no text in the file's encoding")


def test_many_problems_are_counted(tmp_path: Path) -> None:
    """The first of them one by one, the rest as a number; `check` tells more."""
    (tmp_path / "people.csv").write_text("K,A\n" + "x\n" * 300)
    connector = opened(tmp_path / "people.csv", key="K")
    _, _, findings, _ = pulled(connector, "A")
    assert findings[:20] == tuple(f"line {number} has 1 cells where the header has 2" for number in range(2, 22))
    assert findings[20:] == ("280 more rows cannot be read",)
    assert connector.describe().findings[-1] == "100 more rows cannot be read"
    connector.close()


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("people.csv", b"PK\x03\x04", "workbook"),
        ("people.csv", b"<html><table>", "HTML"),
        ("people.csv", b'"K,A\n1,2\n', "broken quoting"),
        ("people.csv", b"", "empty"),
        ("people.csv", b"A,B\n1,2\n", "no column 'K'"),
        ("people.csv", b"\xff\xfeK\x00,", "encoding"),
        ("people.jsonl", b"", "empty"),
        ("nobody.csv", None, "no such file"),
    ],
)
def test_a_file_that_is_none_says_so(tmp_path: Path, name: str, given: bytes | None, said: str) -> None:
    """Where nothing can be read, the configuration or the file is to be mended."""
    if given is not None:
        (tmp_path / name).write_bytes(given)
    connector = opened(tmp_path / name, key=() if said in ("empty", "encoding") else "K")
    with pytest.raises(ConfigurationError, match=said):
        connector.describe()
    connector.close()


# -- what changed since


def test_a_file_that_did_not_change_tells_nothing(tmp_path: Path) -> None:
    """A second pull has no record; an edit brings the edited row alone, with a later stamp, and a new row."""
    clerk = Clerk(tmp_path)
    clerk.save([{"Record ID": str(number), "Email": f"p{number}@x.example"} for number in range(5)])
    pages = clerk.pull()
    first, cursor = {record.ref.id: record for page in pages for record in page.records}, pages[-1].cursor
    assert clerk.records(cursor) == {}
    clerk.edit(Ref("contact", "3"), {"Job Title": "Boss"})
    made = clerk.create({"Email": "new@x.example"})
    news = clerk.records(cursor)
    assert news.keys() == {"3", made.id}
    assert news["3"].stamp > first["3"].stamp
    assert news["3"].values["Job Title"] == "Boss"


def test_another_order_or_spelling_of_the_file_is_no_change(tmp_path: Path) -> None:
    """Rows in another order, other line ends, quotes, encoding and order of columns: nobody was edited."""
    path = tmp_path / "people.csv"
    path.write_text("K,A,B\n1,Müller,y\n2,x,\n", encoding="utf-8")
    connector = opened(path, key="K")
    before, _, _, cursor = pulled(connector, "A", "B")
    path.write_bytes('"B";"K";"A"\r\n"";"2";"x"\r\n"y";"1";"Müller"\r\n'.encode("utf-16"))
    assert pulled(connector, "A", "B", cursor=cursor)[0] == []
    again = pulled(connector, "A", "B")[0]
    assert sorted(again, key=lambda record: record.ref) == before
    connector.close()


def test_what_the_file_no_longer_has_says_nothing_unless_it_is_complete(tmp_path: Path) -> None:
    """By default it stays as it was told last; with `complete` it is gone, if all rows could be read."""
    for complete in (False, True):
        clerk = Clerk(tmp_path, complete=complete, mirror=tmp_path / f"mirror-{complete}")
        clerk.save([{"Record ID": str(number), "Email": f"p{number}@x.example"} for number in range(3)])
        cursor = clerk.pull()[-1].cursor
        clerk.delete(Ref("contact", "1"))
        (seen,) = clerk.connector.fetch([Ref("contact", "1")], {"contact": ("Email",)})
        assert isinstance(seen, Gone if complete else Present)
        gone = [each.ref.id for page in clerk.pull(cursor) for each in page.gone]
        assert gone == (["1"] if complete else [])
        clerk.path.write_text(clerk.path.read_text().replace("2,p2@x.example,", "2,"))
        assert [each.ref.id for page in clerk.pull(cursor) for each in page.gone] == gone
        clerk.connector.close()


def test_a_row_that_comes_back_is_there_again(tmp_path: Path) -> None:
    """Gone, then in the file again: it is told as a record with a later stamp."""
    clerk = Clerk(tmp_path, complete=True)
    row = {"Record ID": "1", "Email": "p@x.example"}
    clerk.save([row])
    stamp = clerk.records()["1"].stamp
    clerk.save([])
    cursor = clerk.pull()[-1].cursor
    clerk.save([row])
    assert clerk.records(cursor)["1"].stamp > stamp


def test_a_file_that_is_missing_is_nobodys_deletion(tmp_path: Path) -> None:
    """It was there and is not: the run stops, and goes on when it is back."""
    clerk = Clerk(tmp_path, complete=True)
    clerk.save([{"Record ID": "1", "Email": "p@x.example"}])
    cursor = clerk.pull()[-1].cursor
    clerk.path.rename(tmp_path / "elsewhere")
    with pytest.raises(Unreachable, match="not there any more"):
        clerk.pull(cursor)
    (tmp_path / "elsewhere").rename(clerk.path)
    assert clerk.records(cursor) == {}


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    """Somebody still writes: nothing of it is kept, and the run says so."""
    clerk = Clerk(tmp_path)
    clerk.save([{"Record ID": str(number), "Email": f"p{number}@x.example"} for number in range(2_000)])
    done = threading.Event()

    def write_on() -> None:
        with clerk.path.open("a") as file:
            while not done.wait(0.0005):
                file.write("\n")
                file.flush()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        with pytest.raises(Unreachable, match="changed while it was read"):
            clerk.pull()
    finally:
        done.set()
        writer.join()
    assert len(clerk.records()) == 2_000


def test_the_mirror_can_be_thrown_away(tmp_path: Path) -> None:
    """The file is read anew, and an old cursor means everything. Only its owner may read it, as it holds what the file holds."""
    clerk = Clerk(tmp_path)
    clerk.save([{"Record ID": "1", "Email": "p@x.example"}])
    cursor = clerk.pull()[-1].cursor
    clerk.connector.close()
    mirror = tmp_path / "people.csv.stagesync"
    assert mirror.stat().st_mode & 0o777 == 0o600
    mirror.unlink()
    assert clerk.records(cursor).keys() == {"1"}
    clerk.connector.close()
    mirror.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    with pytest.raises(StateError, match="spoilt"):
        clerk.pull()


# -- what cells mean


def test_dates_and_choices_are_read_as_they_are_declared(tmp_path: Path) -> None:
    """Into the forms that all systems share; a cell in another form is shown as it is."""
    path = tmp_path / "people.csv"
    path.write_text("K;D;T;M\n1;24.12.2025;24.12.2025 18:30;a|b\n2;soon;2025;\n")
    connector = opened(
        path, key="K", types={"D": "date", "T": "datetime", "M": "multichoice"}, dates="%d.%m.%Y", times="%d.%m.%Y %H:%M", zone="Europe/Berlin", separator="|"
    )
    values = [record.values for record in pulled(connector, "D", "T", "M")[0]]
    assert values == [{"D": "2025-12-24", "T": "2025-12-24T17:30:00Z", "M": "a;b"}, {"D": "soon", "T": "2025", "M": None}]
    connector.close()


@pytest.mark.parametrize(
    ("name", "kind", "missing"),
    [("hubspot-contacts.csv", "contact", {"lead_source"}), ("salesforce-leads-contacts.csv", "lead", set[str]())],
)
def test_the_vendors_own_exports_need_no_mapping(tmp_path: Path, name: str, kind: Any, missing: set[str]) -> None:
    """Every field of the catalogue that the export has is found, but for owners (nobody knows them here) and companies; every value says what it means."""
    (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    connector = opened(tmp_path / name, kind=kind)
    funnel = default_funnel()
    maps = compile_maps({}, {"list": SystemInput(plugin.defaults(), connector.describe(), region="US")}, stages=funnel.positions, sides=funnel.sides)
    found = maps.systems["list"].kinds[kind]
    assert found.fields.keys() == shipped().keys() - {"owner", "company_record"} - missing
    assert found.stage is not None
    failed, stages = Counter[str](), Counter[str | None]()
    for page in connector.pull(Query({kind: found.asks})):
        for record in page.records:
            failed.update(read_all(found, record.values)[1].keys())
            reading = found.stage.read(record.values)
            stages[reading.stage if reading is not None else None] += 1
    connector.close()
    assert failed == Counter()
    assert len(stages) >= 4


@pytest.mark.parametrize(("name", "people", "findings"), [("hubspot-contacts.csv", 2_400, 0), ("salesforce-leads-contacts.csv", 2_691, 1)])
def test_the_vendors_own_exports_are_read_without_a_word(tmp_path: Path, name: str, people: int, findings: int) -> None:
    """Rows, their own times where they are written in ISO 8601, and a hint where they are not."""
    (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    connector = opened(tmp_path / name)
    said = connector.describe().findings
    records, _, problems, _ = pulled(connector, "Email", "Last Modified Date")
    assert (len(records), len(problems), len(said)) == (people, 0, findings)
    if not findings:
        assert len({record.stamp for record in records}) > people / 2
    else:
        assert "times" in said[0]
    connector.close()


def test_keys_of_several_columns_and_of_addresses(tmp_path: Path) -> None:
    """Several words make one ref that nothing else makes; an address is the same in any case."""
    path = tmp_path / "people.csv"
    path.write_text("Email,A,B\nAnna@X.example ,x|,y\nbob@x.example,x,|y\n")
    for key, refs in (((), ["anna@x.example", "bob@x.example"]), (("A", "B"), ["x\\||y", "x|\\|y"])):
        connector = opened(path, key=key)
        assert [record.ref.id for record in pulled(connector, "A")[0]] == refs
        connector.close()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("encoding", "no such"),
        ("delimiter", ",,"),
        ("delimiter", '"'),
        ("dates", "%d"),
        ("times", "nonsense"),
        ("zone", "Mars/Base"),
        ("columns", ["a", "a"]),
        ("types", {"A": "money"}),
    ],
)
def test_settings_are_checked_before_anything_is_read(tmp_path: Path, key: str, value: Any) -> None:
    """What cannot be meant is refused."""
    with pytest.raises(ValidationError):
        CsvSettings(path=tmp_path / "people.csv", **{key: value})


def test_what_cannot_be_read_is_the_states_fault(tmp_path: Path) -> None:
    """A folder in the file's place, or one that nobody may write the mirror into."""
    (tmp_path / "people.csv").mkdir()
    for connector in (opened(tmp_path / "people.csv"), opened(tmp_path / "people.csv", mirror=tmp_path / "nowhere" / "mirror")):
        with pytest.raises(StagesyncError) as raised:
            connector.describe()
        assert raised.value.exit_code == 5
        connector.close()
