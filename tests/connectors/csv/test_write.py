"""Files as systems, written: what is acknowledged reaches the file whole, whoever kills, fills or edits what meanwhile; and nothing else in it changes."""

from __future__ import annotations

import codecs
import csv
import gc
import io
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from clerk import Clerk
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_org import Hand

from stagesync.connectors.csv.connector import FileConnector
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.model.errors import Busy, ConfigurationError, SafetyStop, StateError, Unreachable
from stagesync.model.formulas import bared
from stagesync.model.records import Native, Present, Query, Ref
from stagesync.model.writes import Applied, Outcome, Rejected, Step


class Killed(BaseException):
    """Nobody catches it: the program is no more."""


def opened(path: Path, sending: Callable[[], None] = lambda: None, **given: Any) -> FileConnector:
    """The connector of a file."""
    return FileConnector("list", CsvSettings(path=path, **given), Hand(), sending)


def write(connector: FileConnector, operation: Any, ref: str | None, values: Mapping[str, Native]) -> Outcome:
    """One step."""
    (outcome,) = connector.write([Step(1, 1, operation, "contact", None if ref is None else Ref("contact", ref), values)])
    return outcome


def table(path: Path, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[list[str]]:
    """The cells of a file, header included."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline=""), delimiter=delimiter))


def values_of(path: Path, *fields: str, **given: Any) -> dict[str, Mapping[str, Native]]:
    """What a connector that knows nothing of the file yet reads in it."""
    connector = opened(path, mirror=path.with_suffix(".again"), **given)
    records = {record.ref.id: record.values for page in connector.pull(Query({"contact": fields})) for record in page.records}
    connector.close()
    path.with_suffix(".again").unlink()
    return records


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


# -- refusals


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


# -- crashes


def waiting(path: Path, sending: Callable[[], None] = lambda: None) -> FileConnector:
    """A connector that acknowledged an edit, a new row and a deletion."""
    path.write_text("K,A,B\n1,x,x\n2,x,x\n3,x,x\n")
    connector = opened(path, sending, key="K", complete=True)
    steps = [
        Step(1, 1, "update", "contact", Ref("contact", "1"), {"A": "ours"}),
        Step(2, 1, "create", "contact", None, {"K": "4", "A": "ours"}),
        Step(3, 1, "archive", "contact", Ref("contact", "2"), {}),
    ]
    assert all(isinstance(outcome, Applied) for outcome in connector.write(steps))
    return connector


WRITTEN = "K,A,B\n1,ours,x\n3,x,x\n4,ours,\n"


def test_what_was_acknowledged_survives_a_kill_before_the_file_is_written(tmp_path: Path) -> None:
    """The next connector sees it at once, and puts it into the file when it has read."""
    path = tmp_path / "people.csv"
    waiting(path)
    gc.collect()  # no more is heard of it, and its lock is gone with it
    after = opened(path, key="K", complete=True)
    assert isinstance(after.fetch([Ref("contact", "4")], {"contact": ("A",)})[0], Present)
    assert path.read_text().startswith("K,A,B\n1,x")
    list(after.pull(Query({"contact": ("A",)})))
    after.close()
    assert path.read_text() == WRITTEN


def test_a_kill_while_the_new_file_takes_its_name_is_harmless(tmp_path: Path) -> None:
    """Before the name is taken the old file is whole, behind it the new one; what is known of it fits either, and no litter stays."""
    path, mirror, copy = tmp_path / "people.csv", tmp_path / "people.csv.stagesync", tmp_path / "copy"
    calls: list[str] = []

    def sending() -> None:
        calls.append("")
        if len(calls) == 2:  # the first was that of the write; this one comes just before the new file takes the name
            shutil.copy(mirror, copy)
            shutil.copy(next(tmp_path.glob(".people.csv.*.new")), tmp_path / ".people.csv.1.new")
            raise Killed

    connector = waiting(path, sending)
    before = path.read_text()
    with pytest.raises(Killed):
        connector.close()
    assert path.read_text() == before
    with sqlite3.connect(copy) as db:  # the copy's own name is what a killed run would have left
        db.execute("UPDATE meta SET value = ? WHERE name = 'fresh'", ('".people.csv.1.new"',))
    db.close()
    shutil.copy(copy, mirror)
    after = opened(path, key="K", complete=True)
    list(after.pull(Query({"contact": ("A",)})))
    after.close()
    assert path.read_text() == WRITTEN
    assert {entry.name for entry in tmp_path.iterdir()} == {"people.csv", "people.csv.stagesync", "copy"}


CHILD = """
import sys
from pathlib import Path
from stagesync.connectors.csv.connector import FileConnector
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.model.records import Ref
from stagesync.model.writes import Step
from stagesync.app.clock import SystemClock
connector = FileConnector("list", CsvSettings(path=Path(sys.argv[1]), key="K"), SystemClock(), lambda: None)
connector.write([Step(n, 1, "update", "contact", Ref("contact", str(n)), {"A": "ours"}) for n in range(2_000)])
connector.close()
"""


def _begun(folder: Path) -> int:
    """How much of the new file is written; 0 where there is none."""
    with suppress(FileNotFoundError):
        return sum(fresh.stat().st_size for fresh in folder.glob(".people.csv.*.new"))
    return 0


def test_a_real_kill_while_the_file_is_written_leaves_it_whole(tmp_path: Path) -> None:
    """SIGKILL as soon as the first of the new file's bytes are on their way: the file is the old one or the new one, never half; the next run ends the work."""
    path = tmp_path / "people.csv"
    rest = "".join(f"{number},x,{'y' * 80}\n" for number in range(2_000, 15_000))
    old, new = ("".join(["K,A,B\n", *(f"{number},{word},b\n" for number in range(2_000)), rest]) for word in ("x", "ours"))
    half = 0
    for _ in range(10):  # until it was not quicker than we
        path.write_text(old)
        Path(f"{path}.stagesync").unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", CHILD, str(path)]) as child:
            while child.poll() is None and not _begun(tmp_path):
                pass
            child.kill()
        assert path.read_text() in (old, new)
        if (half := _begun(tmp_path)) and child.returncode == -signal.SIGKILL:
            break
    assert 0 < half < len(new)
    after = opened(path, key="K")
    list(after.pull(Query({"contact": ("A",)})))
    after.close()
    assert path.read_text() == new
    assert {entry.name for entry in tmp_path.iterdir()} == {"people.csv", "people.csv.stagesync"}


def test_a_kill_behind_the_new_name_makes_nothing_twice(tmp_path: Path) -> None:
    """The mirror does not know yet that the file is written: it recognises it, and a row that somebody deletes then stays deleted."""
    path, mirror, copy = tmp_path / "people.csv", tmp_path / "people.csv.stagesync", tmp_path / "copy"
    calls: list[str] = []

    def sending() -> None:
        calls.append("")
        if len(calls) == 2:
            shutil.copy(mirror, copy)

    waiting(path, sending).close()
    assert path.read_text() == WRITTEN
    shutil.copy(copy, mirror)
    after = opened(path, key="K", complete=True)
    cursor = list(after.pull(Query({"contact": ("A",)})))[-1].cursor
    assert path.read_text() == WRITTEN
    path.write_text("K,A,B\n1,ours,x\n3,x,x\n")
    assert [gone.ref.id for page in after.pull(Query({"contact": ("A",)}, cursor)) for gone in page.gone] == ["4"]
    after.close()
    assert path.read_text() == "K,A,B\n1,ours,x\n3,x,x\n"


def test_what_somebody_edits_meanwhile_is_in_the_file_too(tmp_path: Path) -> None:
    """Cell by cell both hold, and theirs where both wrote; what they deleted stays deleted, what they edited of what we deleted is there."""
    path = tmp_path / "people.csv"
    connector = waiting(path)
    path.write_text("K,B,A\n0,x,new\n1,theirs,x\n2,theirs,x\n3,x,x\n")
    connector.close()
    assert path.read_text() == "K,B,A\n0,x,new\n1,theirs,ours\n2,theirs,x\n3,x,x\n4,,ours\n"
    connector = opened(path, key="K", complete=True)
    write(connector, "update", "1", {"A": "again", "B": "again"})
    write(connector, "update", "3", {"A": "again"})
    path.write_text("K,B,A\n1,theirs,theirs too\n4,,ours\n")
    connector.close()
    assert path.read_text() == "K,B,A\n1,again,theirs too\n4,,ours\n"


def test_two_runs_at_once_do_not_meet_in_one_file(tmp_path: Path) -> None:
    """The second is told to wait; when the first is done, it goes on from what that left."""
    path = tmp_path / "people.csv"
    first, second = waiting(path), opened(path, key="K", complete=True)
    with pytest.raises(Busy, match="another run"):
        second.describe()
    first.close()
    assert isinstance(second.fetch([Ref("contact", "4")], {"contact": ("A",)})[0], Present)
    second.close()


def test_somebody_else_took_over(tmp_path: Path) -> None:
    """Who was superseded writes nothing into the file; what was acknowledged is left to the other."""
    path = tmp_path / "people.csv"
    calls: list[str] = []

    def sending() -> None:
        calls.append("")
        if len(calls) > 1:
            raise Busy("another run")

    waiting(path, sending).close()
    assert path.read_text().startswith("K,A,B\n1,x")
    after = opened(path, key="K", complete=True)
    list(after.pull(Query({"contact": ("A",)})))
    after.close()
    assert path.read_text() == WRITTEN


def test_a_shadow_that_may_not_write_leaves_what_waits(tmp_path: Path) -> None:
    """It reads what an earlier run was told is written, and puts nothing into the file."""
    path = tmp_path / "people.csv"
    waiting(path)
    gc.collect()

    def refuse() -> None:
        raise SafetyStop("a shadow writes to no system")

    shadow = opened(path, refuse, key="K", complete=True)
    found = [record.ref.id for page in shadow.pull(Query({"contact": ("A",)})) for record in page.records]
    shadow.close()
    assert sorted(found) == ["1", "3", "4"]
    assert path.read_text().startswith("K,A,B\n1,x")


def test_a_folder_that_nobody_may_write_into_loses_nothing(tmp_path: Path) -> None:
    """The file cannot take its name: exit 5 with what helps, the old one whole, and all of it in the file when that is mended."""
    path = tmp_path / "lists" / "people.csv"
    path.parent.mkdir()
    path.write_text("K,A\n1,x\n")
    connector = opened(path, key="K", mirror=tmp_path / "mirror")
    write(connector, "update", "1", {"A": "y"})
    moved = tmp_path / "moved"
    path.parent.rename(moved)
    path.parent.write_text("")  # also root cannot write into this
    with pytest.raises(StateError) as raised:
        connector.close()
    assert raised.value.exit_code == 5
    path.parent.unlink()
    moved.rename(path.parent)
    connector.write([])
    connector.close()
    assert path.read_text() == "K,A\n1,y\n"


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may become larger than this: what is beyond is refused as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """While the new file is written, and while a write is kept: exit 5, the old file whole, no litter; with room again all of it is written."""
    path = tmp_path / "people.csv"
    path.write_text("K,A\n" + "".join(f"{number},{'x' * 60}\n" for number in range(4_000)))
    before = path.read_bytes()
    connector = opened(path, key="K")
    write(connector, "update", "1", {"A": "ours"})
    with small_disk(100_000), pytest.raises(StateError, match="cannot be written") as raised:
        connector.close()
    assert raised.value.exit_code == 5
    with small_disk((tmp_path / "people.csv.stagesync").stat().st_size), pytest.raises(StateError, match="cannot be kept") as raised:
        connector.write([Step(number, 1, "create", "contact", None, {"A": "y" * 500}) for number in range(500)])
    assert raised.value.exit_code == 5
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".new")] == []
    connector.write([])
    connector.close()
    assert path.read_bytes() == before.replace(b"\n1," + b"x" * 60, b"\n1,ours")


def test_settings_cannot_change_under_what_waits(tmp_path: Path) -> None:
    """Another key would mean other rows: first what waits is written."""
    path = tmp_path / "people.csv"
    waiting(path)
    gc.collect()
    after = opened(path, key="A")
    with pytest.raises(ConfigurationError, match="still waits"):
        after.describe()
    after.close()


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


def test_what_somebody_changes_between_two_looks_is_not_overwritten_unseen(tmp_path: Path) -> None:
    """The file is put down only in place of the version that was read: a change in the last moment stops the writing."""
    path = tmp_path / "people.csv"
    calls: list[str] = []

    def sending() -> None:
        calls.append("")
        if len(calls) == 2:
            path.write_text("K,A,B\n1,x,x\n2,x,x\n3,theirs,x\n")

    connector = waiting(path, sending)
    with pytest.raises(Unreachable, match="somebody changed the file"):
        connector.close()
    connector.write([])
    connector.close()
    assert path.read_text() == "K,A,B\n1,ours,x\n3,theirs,x\n4,ours,\n"
