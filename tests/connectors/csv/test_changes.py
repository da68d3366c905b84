"""What changed in a file since it was last read: rows that come, go and come back, and files that are missing or change meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from clerk import Clerk
from sheets import opened, pulled

from stagesync.model.errors import StateError, Unreachable
from stagesync.model.records import Gone, Present, Ref


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
