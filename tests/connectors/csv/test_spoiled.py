"""Files as spreadsheets, CRMs and people spoil them: read as far as they can be, each bad row told by its line and never shifted, and nothing guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sheets import opened, pulled, told

from stagesync.connectors.csv.amounts import plain, shown
from stagesync.model.errors import ConfigurationError

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
