"""Files as systems, and trouble while they are written: kills, full disks, other hands and other runs lose nothing of what was acknowledged."""

from __future__ import annotations

import gc
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sheets import opened, write

from stagesync.connectors.csv.connector import FileConnector
from stagesync.model.errors import Busy, ConfigurationError, SafetyStop, StateError, Unreachable
from stagesync.model.records import Present, Query, Ref
from stagesync.model.writes import Applied, Step


class Killed(BaseException):
    """Nobody catches it: the program is no more."""


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
