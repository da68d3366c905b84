"""Files as systems, written: what is acknowledged reaches the file as it is, what cannot be written is refused by itself, and nothing else in it changes."""

from __future__ import annotations

import codecs
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from clerk import Clerk
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import opened, table, values_of, write

from stagesync.model.formulas import bared
from stagesync.model.records import Native, Present, Query, Ref
from stagesync.model.writes import Applied, Rejected, Step

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).filter(lambda text: "E+" not in text)
FILES: Mapping[str, tuple[str, bytes, str, str]] = {
    "plain": ("utf-8", b"", ",", "\n"),
    "excel": ("utf-8", codecs.BOM_UTF8, ";", "\r\n"),
    "utf-16": ("utf-16-le", codecs.BOM_UTF16_LE, "\t", "\r\n"),
    "old mac": ("utf-8", b"", "|", "\r"),
}


@given(first=st.tuples(TEXT, TEXT), second=st.tuples(TEXT, TEXT), form=st.sampled_from(sorted(FILES)), open_end=st.booleans())
@settings(max_examples=20, deadline=None)
def test_any_text_is_written_and_read_again(
    tmp_path_factory: pytest.TempPathFactory, first: tuple[str, str], second: tuple[str, str], form: str, open_end: bool
) -> None:
    """A row that is made and one that is changed; the rows beside them, the header, encoding, separator and line ends stay to the byte."""
    encoding, mark, delimiter, newline = FILES[form]
    path = tmp_path_factory.mktemp("any") / "people.csv"
    lines = [delimiter.join(line) for line in (("K", "A", "Q", "B"), ("1", "x", "'q'", "y"), ("2", '"a"', "", ""), ("3", "old", '"kept, too"', "old"))]
    before = newline.join(lines) + ("" if open_end else newline)
    path.write_bytes(mark + before.encode(encoding))
    connector = opened(path, key="K")
    made = write(connector, "create", None, {"A": first[0] or None, "B": first[1] or None})
    assert isinstance(made, Applied)
    assert isinstance(write(connector, "update", "3", {"A": second[0] or None, "B": second[1] or None}), Applied)
    seen = connector.fetch([made.ref], {"contact": ("A", "B")})[0]
    assert isinstance(seen, Present)
    assert seen.record.values == {"A": first[0] or None, "B": first[1] or None}
    connector.close()
    kept = newline.join(lines[:3]) + newline
    assert path.read_bytes().startswith(mark + kept.encode(encoding))
    rows = table(path, "utf-8-sig" if encoding == "utf-8" else "utf-16", delimiter)
    assert [bared(cell) for cell in rows[3]] == ["3", second[0], "kept, too", second[1]]
    assert [bared(cell) for cell in rows[4]] == [made.ref.id, first[0], "", first[1]]
    found = values_of(path, "A", "B", key="K")
    assert found["3"] == {"A": second[0] or None, "B": second[1] or None}
    assert found[made.ref.id] == {"A": first[0] or None, "B": first[1] or None}


@pytest.mark.parametrize(("ending", "mark", "text"), [("csv", codecs.BOM_UTF8, "K,A\r\n1,=x\r\n"), ("tsv", codecs.BOM_UTF8, "K\tA\r\n1\t=x\r\n")])
def test_a_file_that_is_not_there_is_made_with_its_columns(tmp_path: Path, ending: str, mark: bytes, text: str) -> None:
    """As spreadsheets want it, readable for its owner only; until something is written there is none."""
    path = tmp_path / f"people.{ending}"
    connector = opened(path, key="K", columns=["K", "A"])
    assert connector.describe().kinds["contact"].fields.keys() == {"K", "A"}
    assert list(connector.pull(Query({"contact": ("A",)})))[-1].records == []
    connector.close()
    assert not path.exists()
    write(connector, "create", None, {"K": "1", "A": "=x"})
    connector.close()
    assert path.read_bytes() == mark + text.replace("=", "'=").encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in sorted(tmp_path.iterdir())] == [path.name, f"{path.name}.stagesync"]


def test_objects_keep_their_types_and_what_nobody_mapped(tmp_path: Path) -> None:
    """A number stays a number, a list a list; a blank is null; a new object has what it was given."""
    path = tmp_path / "people.jsonl"
    path.write_text('{"K":"1","N":12345678901234567890,"T":true,"L":["a"],"X":{"y":[1.50]}}\n{"K": "2", "é": "\\u00e9"}\n')
    connector = opened(path, key="K", columns=["A"])
    write(connector, "update", "1", {"N": "7", "T": "false", "L": "b;c"})
    write(connector, "create", None, {"K": "3", "N": None, "A": "=x"})
    connector.close()
    assert path.read_text().splitlines() == [
        '{"K":"1","N":7,"T":false,"L":["b","c"],"X":{"y":[1.5]}}',
        '{"K": "2", "é": "\\u00e9"}',
        '{"K": "3", "A": "=x"}',
    ]


def test_rights_and_links_of_the_file_stay(tmp_path: Path) -> None:
    """The file behind a link is written, not the link, and whoever could read it can."""
    real = tmp_path / "real.csv"
    real.write_text("K,A\n1,x\n")
    real.chmod(0o640)
    (tmp_path / "people.csv").symlink_to(real)
    connector = opened(tmp_path / "people.csv", key="K")
    write(connector, "update", "1", {"A": "y"})
    connector.close()
    assert (tmp_path / "people.csv").is_symlink()
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == ("K,A\n1,y\n", 0o640)


def test_a_run_that_writes_nothing_leaves_the_file_alone(tmp_path: Path) -> None:
    """Also where what is to be written stands there already."""
    path = tmp_path / "people.csv"
    path.write_text("K,A\n1,x\n")
    before = path.stat()
    connector = opened(path, key="K")
    assert isinstance(write(connector, "update", "1", {"A": "x"}), Applied)
    connector.close()
    assert path.stat() == before


@pytest.mark.parametrize(
    ("operation", "ref", "values", "code", "field"),
    [
        ("update", "1", {"Nope": "x"}, "NO_SUCH_COLUMN", "Nope"),
        ("update", "1", {"A": "a\0"}, "NOT_WRITABLE", "A"),
        ("update", "1", {"A": "Łódź"}, "NOT_WRITABLE", "A"),
        ("update", "1", {"A": "x" * 200_000}, "NOT_WRITABLE", "A"),
        ("update", "1", {"A": "4.9E+12"}, "NOT_WRITABLE", "A"),
        ("update", "1", {"K": "2"}, "KEY", "K"),
        ("update", "7", {"A": "x"}, "GONE", None),
        ("archive", "7", {}, "GONE", None),
        ("create", None, {"K": "1", "A": "x"}, "EXISTS", "K"),
    ],
)
def test_a_row_that_cannot_be_written_is_refused_by_itself(
    tmp_path: Path, operation: str, ref: str | None, values: Mapping[str, Native], code: str, field: str | None
) -> None:
    """With a reason, and the column at fault; the row beside it is written."""
    path = tmp_path / "people.csv"
    path.write_bytes("K,A\n1,Müller\n2,x\n".encode("cp1252"))
    connector = opened(path, key="K")
    steps = [
        Step(1, 1, operation, "contact", None if ref is None else Ref("contact", ref), values),  # type: ignore[arg-type] - pytest passes plain texts
        Step(2, 1, "update", "contact", Ref("contact", "2"), {"A": "ü"}),
    ]
    refused, done = connector.write(steps)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.field, refused.gone) == (code, field, code == "GONE")
    assert isinstance(done, Applied)
    connector.close()
    assert path.read_bytes() == "K,A\n1,Müller\n2,ü\n".encode("cp1252")


def test_a_row_that_left_the_file_is_not_put_back(tmp_path: Path) -> None:
    """Where absence says nothing, somebody may still have deleted it: a write to it is refused by name."""
    clerk = Clerk(tmp_path)
    clerk.save([{"Record ID": "1", "Email": "a@x.example"}, {"Record ID": "2", "Email": "b@x.example"}])
    clerk.pull()
    clerk.delete(Ref("contact", "1"))
    outcome = write(clerk.connector, "update", "1", {"Notes": "x"})
    assert isinstance(outcome, Rejected)
    assert outcome.code == "NOT_IN_FILE"
    clerk.connector.close()
    assert [row["Record ID"] for row in clerk.rows()] == ["2"]


def test_a_row_known_by_its_address_needs_one(tmp_path: Path) -> None:
    """No address is made up; a key of several columns needs all of them."""
    path = tmp_path / "people.csv"
    path.write_text("Email,A,B\na@x.example,x,y\n")
    for key, values in (((), {"A": "x"}), (("A", "B"), {"A": "z"})):
        connector = opened(path, key=key, mirror=tmp_path / f"mirror{len(key)}")
        outcome = write(connector, "create", None, values)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "NO_KEY"
        connector.close()


def test_dates_and_choices_are_written_as_they_are_declared(tmp_path: Path) -> None:
    """In the file's own forms, and read back as they were sent."""
    path = tmp_path / "people.csv"
    path.write_text("K;D;T;M\n1;;;\n")
    types = {"D": "date", "T": "datetime", "M": "multichoice"}
    connector = opened(path, key="K", separator=" / ", types=types, dates="%d.%m.%Y", times="%d.%m.%Y %H:%M", zone="Europe/Berlin")
    sent = {"D": "2025-12-24", "T": "2025-12-24T17:30:00Z", "M": "a;b"}
    write(connector, "update", "1", sent)
    seen = connector.fetch([Ref("contact", "1")], {"contact": ("D", "T", "M")})[0]
    assert isinstance(seen, Present)
    assert seen.record.values == sent
    connector.close()
    assert path.read_text() == "K;D;T;M\n1;24.12.2025;24.12.2025 18:30;a / b\n"


def test_numbers_are_written_as_the_column_writes_them(tmp_path: Path) -> None:
    """With the decimal mark that the others have, and nothing between the thousands."""
    path = tmp_path / "people.csv"
    path.write_text("K;A\n1;12,5\n2;1.234\n")
    connector = opened(path, key="K", types={"A": "number"})
    connector.write([Step(1, 1, "update", "contact", Ref("contact", "2"), {"A": "2345.75"})])
    connector.close()
    assert path.read_text() == "K;A\n1;12,5\n2;2345,75\n"
