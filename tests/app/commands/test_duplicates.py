"""The review of duplicates on the real command line: written, decided, read back, acted on by the next sync; and every way in which it may be wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from cli_box import Box, box, cli
from typer.testing import Result

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

Rows = list[dict[str, str]]

PEOPLE = (
    {"email": "anna.ash@acme.example", "firstname": "Anna", "lastname": "Ash", "company": "Acme GmbH", "phone": "+4930123456", "jobtitle": "CEO"},
    {"email": "anna.ash@home.example", "firstname": "Anna", "lastname": "Ash", "company": "=Acme", "phone": "+4930123456"},
    {"email": "ben@birch.example", "firstname": "Ben", "lastname": "Birch", "company": "Birch Ltd", "phone": "+4930777777"},
    {"email": "benjamin.b@birch.example", "firstname": "Ben", "lastname": "Birch", "company": "Birch", "phone": "+4930777777"},
    {"email": "cleo@cedar.example", "firstname": "Cleo", "lastname": "Cedar", "company": "Cedar"},
)


@contextmanager
def met(folder: Path) -> Iterator[Box]:
    """Five contacts in HubSpot, of whom two are Anna and two may be Ben; read, and written nowhere yet."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    for each in PEOPLE:
        worlds.hubspot.by_hand.create({**each, "lifecyclestage": "lead"})
    with box(folder, worlds=worlds) as made:
        made.run("plan")
        yield made


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """A world of its own."""
    with met(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One world for all who change nothing."""
    with met(tmp_path_factory.mktemp("still")) as made:
        yield made


def duplicates(acme: Box, command: str, *words: str) -> Result:
    """`stagesync duplicates` over this configuration."""
    return cli("duplicates", command, *words, "--config", str(acme.config))


def find(acme: Box, *words: str) -> Path:
    """The review as the command writes it."""
    out = acme.config.with_name("review.csv")
    told = duplicates(acme, "find", "hubspot", "--out", str(out), *words)
    assert told.exit_code == 0, told.output
    return out


def read(file: Path) -> Rows:
    """Its lines."""
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))


def write(file: Path, rows: Rows, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """The file as somebody's spreadsheet saves it."""
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    table.writeheader()
    table.writerows(rows)
    file.write_bytes(out.getvalue().encode(encoding, "replace"))
    return file


def decided(file: Path, decisions: Mapping[str, str]) -> Path:
    """The file with these decisions, by e-mail."""
    return write(file, [{**row, "decision": decisions.get(row["emails"], "")} for row in read(file)])


def leads(acme: Box) -> list[str]:
    """The addresses of Salesforce's people."""
    return sorted(row["Email"] for row in acme.worlds.salesforce.rows("Lead"))


def test_what_is_decided_is_one_person_and_what_is_not_stays_two(acme: Box) -> None:
    """Anna's second contact gives way; Ben's two, about whom nobody decided, are two people; and the decided pair is not proposed again."""
    file = find(acme)
    rows = read(file)
    assert [(row["name"], row["score"], row["survivor"]) for row in rows] == [
        *(("Anna Ash", "100", "yes"), ("Anna Ash", "100", "")),
        *(("Ben Birch", "90", "yes"), ("Ben Birch", "90", "")),
    ]
    survivor, other = (row["emails"] for row in rows[:2])
    told = duplicates(acme, "apply", str(decided(file, {other: "same"})))
    assert told.stdout.splitlines()[0] == "1 record gives way to another; 0 pairs are told apart."
    assert "1 group has no decision yet" in told.stdout
    assert acme.run("sync", "--yes").exit_code == 0
    assert leads(acme) == sorted([survivor, "ben@birch.example", "benjamin.b@birch.example", "cleo@cedar.example"])
    acme.later(3600)
    assert acme.json("sync")["created"] == 0
    assert {row["name"] for row in read(find(acme))} == {"Ben Birch"}
    assert acme.run("verify").exit_code == 0


def test_whoever_was_told_apart_is_never_asked_about_again(acme: Box) -> None:
    """Two humans: both are written, and the pair is gone from the next review."""
    file = find(acme)
    told = duplicates(acme, "apply", str(decided(file, dict.fromkeys(("ben@birch.example", "benjamin.b@birch.example"), "different"))))
    assert "1 pair is told apart" in told.stdout
    acme.run("sync", "--yes")
    assert {"ben@birch.example", "benjamin.b@birch.example"} < set(leads(acme))
    assert {row["name"] for row in read(find(acme))} == {"Anna Ash"}


def test_two_people_become_one_after_the_first_sync(acme: Box) -> None:
    """Both had been met: the survivor's person stays, the other's records go with it, and nothing is written or deleted by that."""
    acme.run("sync", "--yes")
    assert len(leads(acme)) == 5
    acme.later(3600)
    file = find(acme)
    other = next(row["emails"] for row in read(file) if row["name"] == "Anna Ash" and not row["survivor"])
    duplicates(acme, "apply", str(decided(file, {other: "same"})))
    acme.reset()
    assert acme.run("sync", "--yes").exit_code == 0
    assert acme.written() == []
    assert acme.json("status")["people"] == 4
    assert acme.run("verify").exit_code == 0
    acme.later(3600)
    acme.worlds.hubspot.by_hand.edit(
        next(each["id"] for each in acme.worlds.hubspot.by_hand.contacts() if each["properties"]["email"] == other), {"city": "Ulm"}
    )
    assert acme.json("sync")["updated"] == 0


def test_a_spreadsheet_may_save_it_in_its_own_way(acme: Box) -> None:
    """Semicolons, another encoding, no mark, blank lines, words in capitals: read all the same, and a cell that looks like a formula is text."""
    file = find(acme)
    rows = read(file)
    assert "'=Acme" in file.read_text("utf-8-sig")
    rows[1]["decision"] = " Same "
    write(file, [*rows, dict.fromkeys(rows[0], "")], ";", "cp1252")
    assert orjson.loads(duplicates(acme, "apply", str(file), "--json").stdout) == {"joined": 1, "told_apart": 0, "undecided": 1}


def test_the_same_file_twice_is_the_same(acme: Box) -> None:
    """Decisions round trip: applied again, changed and applied again, the last word counts."""
    file = find(acme)
    other = read(file)[1]["emails"]
    for word, expected in (("same", 4), ("same", 4), ("different", 5)):
        assert duplicates(acme, "apply", str(decided(file, {other: word}))).exit_code == 0
        acme.run("sync", "--yes")
        acme.later(3600)
        assert len(leads(acme)) == expected


def _unknown(rows: Rows) -> Rows:
    return [{**row, "group": "0123456789"} for row in rows]


def _cut(rows: Rows) -> Rows:
    return [{**rows[0], "decision": "different"}, *rows[2:]]


def _no_survivor(rows: Rows) -> Rows:
    return [{**row, "decision": "same", "survivor": ""} for row in rows]


def _survivor_apart(rows: Rows) -> Rows:
    return [{**rows[0], "decision": "different"}, {**rows[1], "decision": "same"}, *rows[2:]]


def _word(rows: Rows) -> Rows:
    return [{**rows[0], "decision": "maybe"}, *rows[1:]]


def _alone(rows: Rows) -> Rows:
    return [{**rows[0], "decision": "same"}, *rows[1:]]


def _twice(rows: Rows) -> Rows:
    return [rows[0], *rows]


def _columns(rows: Rows) -> Rows:
    return [{"name": row["name"]} for row in rows]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_unknown, "lines 2, 3, 4, 5: group 0123456789 is not the one that was written"),
        (_cut, "is not the one that was written: its lines were changed, added or removed"),
        (_no_survivor, "line 2, 3: group"),
        (_survivor_apart, "line 2: the survivor of group"),
        (_word, "line 2: the decision 'maybe' is neither same, different nor blank"),
        (_alone, "line 2: the survivor of group"),
        (_twice, "line 3: contact"),
        (_columns, "this is no review: it has no column group"),
    ],
)
def test_a_file_that_is_wrong_is_refused_whole(still: Box, spoil: Callable[[Rows], Rows], said: str) -> None:
    """Exit 2, the line by number, and nothing of it is taken."""
    file = find(still)
    good = read(file)
    told = duplicates(still, "apply", str(write(file, spoil(good))))
    assert (told.exit_code, said.replace("line 2, 3", "lines 2, 3") in told.stderr) == (2, True), told.stderr
    assert read(find(still)) == good


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "this is no review: it has no column group, decision"),
        (b"PK\x03\x04\x00\x01", "this is no review"),
        (b"\xff\xfe\x00", "this is no review"),
        (b"group,decision,survivor,system,kind,id\n" + b"x" * 200_000, "cannot be read: field larger than field limit"),
        (b'group,decision,survivor,system,kind,id\na,"same,yes,hubspot,contact,1\n', "is neither same, different nor blank"),
        (b"group,decision,survivor,system,kind,id\na,same,yes\x00,hubspot,contact,1\n", "is neither yes nor blank"),
        (b"group,decision,survivor,system,kind,id\na,same\n", "line 2: it does not say of which system"),
        (b"group,decision,survivor,system,kind,id\na,same,yes,hubspot,contact,1\n", "is not the one that was written"),
        (b"group,decision,survivor,system,kind,id\n", "the review has no lines"),
    ],
)
def test_a_garbled_file_is_one_clear_error(still: Box, raw: bytes, said: str) -> None:
    """Cut off, another file altogether, a quote that nobody closed: exit 2, what is wrong, and no trace of a program that stumbled."""
    file = still.config.with_name("garbled.csv")
    file.write_bytes(raw)
    told = duplicates(still, "apply", str(file))
    assert (told.exit_code, said in told.stderr, "Traceback" in told.stderr) == (2, True, False), told.stderr


def test_a_spreadsheet_may_save_it_as_unicode_text(acme: Box) -> None:
    """UTF-16 with tabs, as Excel calls it."""
    file = find(acme)
    rows = read(file)
    rows[1]["decision"] = "same"
    write(file, rows, "\t", "utf-16")
    assert orjson.loads(duplicates(acme, "apply", str(file), "--json").stdout)["joined"] == 1


def test_a_record_that_was_deleted_since_is_named_with_its_line(acme: Box) -> None:
    """Nothing of the file is taken, not even what is still true."""
    acme.run("sync", "--yes")
    file = acme.config.with_name("review.csv")
    assert duplicates(acme, "find", "salesforce", "--out", str(file)).exit_code == 0
    rows = [{**row, "decision": "" if row["survivor"] else "same"} for row in read(file)]
    number, gone = next((number, row) for number, row in enumerate(rows, 2) if row["name"] == "Ben Birch")
    acme.worlds.salesforce.delete(gone["id"])
    acme.later(3600)
    acme.run("plan")
    told = duplicates(acme, "apply", str(write(file, rows)))
    said = f"line {number}: salesforce lead {gone['id']} is not there any more: deleted"
    assert (told.exit_code, said in told.stderr) == (2, True), told.stderr
    assert read(file) == rows
    assert duplicates(acme, "apply", str(write(file, [row for row in rows if row["group"] != gone["group"]]))).exit_code == 0


def test_a_record_that_went_since_is_named_with_its_line(acme: Box) -> None:
    """Merged in HubSpot between review and decision: nothing is applied, the line says so."""
    file = find(acme)
    rows = read(file)
    acme.worlds.hubspot.by_hand.merge(rows[0]["id"], rows[1]["id"])
    acme.later(3600)
    acme.run("plan")
    told = duplicates(acme, "apply", str(decided(file, {rows[1]["emails"]: "same"})))
    assert (told.exit_code, f"line 3: hubspot contact {rows[1]['id']} is not there any more: merged" in told.stderr) == (2, True), told.stderr


def test_the_links_follow_a_merge_in_the_vendor_s_system(acme: Box) -> None:
    """Decided here, then merged there, whichever of the two wins: still one person, nothing is asked and nothing made anew."""
    file = find(acme)
    rows = read(file)
    duplicates(acme, "apply", str(decided(file, {rows[1]["emails"]: "same"})))
    acme.run("sync", "--yes")
    acme.later(3600)
    acme.worlds.hubspot.by_hand.merge(rows[1]["id"], rows[0]["id"])
    acme.later(3600)
    told = acme.json("sync", "--yes")
    assert (told["created"], acme.json("status")["people"], acme.json("holds")["groups"]) == (0, 4, [])
    assert acme.run("verify").exit_code == 0


def test_the_page_stands_alone(acme: Box) -> None:
    """Cards with what differs marked and a link to the record; no script, nothing from outside; a name cannot become a tag."""
    acme.worlds.hubspot.by_hand.create({"email": "b@birch.example", "firstname": "Ben<b>", "lastname": "Birch", "company": "Birch", "phone": "+4930777777"})
    acme.run("plan")
    out = acme.config.with_name("review.html")
    told = duplicates(acme, "find", "hubspot", "--out", str(out))
    page = out.read_text("utf-8")
    assert "Decisions go into a .csv" in told.stdout
    assert "<mark>anna.ash@" in page
    assert "Ben&lt;b&gt;" in page
    assert "/record/0-1/" in page
    assert not any(word in page for word in ("<script", "src=", "Ben<b>"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("find", "pipedrive", "--out", "x.csv"), "there is no system 'pipedrive'"),
        (("find", "hubspot", "--out", "x.txt"), "a review is a .csv, or an .html to look at"),
        (("find", "salesforce", "--out", "x.csv"), "no record of salesforce was read yet"),
        (("apply", "nowhere.csv"), "the file cannot be read"),
    ],
)
def test_mistakes_are_told(still: Box, words: tuple[str, ...], said: str) -> None:
    """What, and what to do; exit 2, and no file is left."""
    told = duplicates(still, *words)
    assert (told.exit_code, said in told.stderr, Path("x.csv").exists()) == (2, True, False), told.stderr
