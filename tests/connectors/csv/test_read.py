"""Files as systems, read: whatever table somebody writes comes as it is, and its cells mean what they are declared to mean."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sheets import opened, pulled, told

from stagesync.connectors.csv import plugin
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.catalogue import shipped
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import SystemInput, read_all
from stagesync.model.errors import ConfigurationError
from stagesync.model.formulas import bared, guarded
from stagesync.model.records import Query

EXAMPLES = ROOT / "examples"
ENCODINGS = {
    "utf-8": b"",
    "utf-8 with mark": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
}


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


BEGINS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
FORMULAS = st.tuples(st.text("'", max_size=2), st.sampled_from(BEGINS), st.text() | st.text("0123456789 (),.-+=A")).map("".join)


@given(st.text() | FORMULAS)
def test_a_formula_is_text_in_the_file_and_itself_again_behind_it(text: str) -> None:
    """What goes in comes out, whatever stands before it; and nothing but a number or a telephone number begins as a formula."""
    cell = guarded(text)
    assert bared(cell) == text
    assert cell in (text, f"'{text}")
    if cell.startswith(tuple(BEGINS)):
        assert set(cell[1:]) <= set("0123456789 ().,/-\u00a0")


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-2+3+cmd|' /C calc'!A0", "+49 151 x", "\tx", "\uff1dA1", "'=A1", "+HYPERLINK(1)", "+", "-"])
def test_what_might_run_is_made_text(text: str) -> None:
    """An apostrophe stands in front."""
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+49 (151) 23-45.6", "-12.50", "+1,000", "'tis", "a=b", ""])
def test_numbers_and_telephone_numbers_stay_as_they_are(text: str) -> None:
    """Nothing in them runs, and whoever imports the file wants no apostrophe there."""
    assert guarded(text) == text


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


def test_a_path_that_cannot_be_meant_is_said(tmp_path: Path) -> None:
    """A folder in the file's place, a folder that does not exist, for the file or for its mirror: exit 2 with the place."""
    (tmp_path / "people.csv").mkdir()
    for connector, said in (
        (opened(tmp_path / "people.csv"), "that is a folder, not a file"),
        (opened(tmp_path / "nowhere" / "people.csv"), "the folder of the file does not exist"),
        (opened(tmp_path / "people.csv", mirror=tmp_path / "nowhere" / "mirror"), "the folder of the file does not exist"),
    ):
        with pytest.raises(ConfigurationError, match=said) as raised:
            connector.describe()
        assert str(tmp_path) in raised.value.where
        connector.close()
