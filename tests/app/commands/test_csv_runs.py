"""A file beside HubSpot, kept the same in both directions through whole runs of the command line, over real sockets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cli_box import Box, box

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

HEADER = "Record ID;First Name;Last Name;Email;Phone Number;Job Title;Lifecycle Stage;Unsubscribed from all email;Own notes"
ROWS = (
    "1;Anna;Zweig;anna@acme.example;+49 30 7654321;Boss;Marketing Qualified Lead;;'=für später",
    '2;Bob;Yule;bob@acme.example;;"Sales; East";Lead;;',
    "3;Cleo;Xu;cleo@acme.example;;;;true;",
    "4;Dora;Wolf",
)
SYSTEM = """
[systems.list]
connector = "csv"
path = "people.csv"
key = "Record ID"
encoding = "cp1252"

[first_meeting]
default = "newest"
"""


class Desk(Box):
    """A box whose second system is a file."""

    @property
    def file(self) -> Path:
        """The file."""
        return self.config.parent / "people.csv"

    def rows(self) -> dict[str, Mapping[str, str]]:
        """What stands in it, by address."""
        text = self.file.read_bytes().decode("cp1252").removeprefix("sep=;\r\n")
        return {row["Email"]: row for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";") if row["Email"]}

    def contacts(self) -> dict[str, Mapping[str, str]]:
        """What HubSpot holds, by address."""
        return {each["properties"]["email"]: each["properties"] for each in self.worlds.hubspot.contacts()}

    def sync(self, code: int = 0) -> None:
        """One run, and an hour."""
        done = self.run("sync", "--yes")
        assert done.exit_code == code, done.stdout + done.stderr
        self.later(3600)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Four rows, of which one is broken, and Anna and Eve in HubSpot; one run."""
    with box(tmp_path, worlds=Worlds(HubSpotWorld(), SalesforceWorld())) as made:
        text = made.config.read_text("utf-8")
        made.config.write_text(text[: text.index("[systems.salesforce]")] + SYSTEM, "utf-8")
        desk = Desk(made.worlds, made.config, made.hubspot_url, made.salesforce_url)
        desk.file.write_bytes("\r\n".join(("sep=;", HEADER, *ROWS, "")).encode("cp1252"))
        made.worlds.hubspot.by_hand.create({"email": "anna@acme.example", "lastname": "Zweig", "jobtitle": "CEO", "lifecyclestage": "lead"})
        made.worlds.hubspot.by_hand.create({"email": "eve@acme.example", "firstname": "Eve", "lastname": "Müller", "lifecyclestage": "opportunity"})
        desk.sync()
        yield desk


def test_everybody_is_in_both_and_a_second_run_is_quiet(desk: Desk) -> None:
    """People, stages and opt-outs both ways; the broken row is told and stays; what nobody mapped stays; then nothing is left to do."""
    rows, contacts = desk.rows(), desk.contacts()
    assert rows.keys() == contacts.keys() == {"anna@acme.example", "bob@acme.example", "cleo@acme.example", "eve@acme.example"}
    assert contacts["bob@acme.example"]["jobtitle"] == "Sales; East"
    assert contacts["anna@acme.example"]["lifecyclestage"] == "marketingqualifiedlead"
    assert contacts["cleo@acme.example"]["hs_email_optout"] == "true"
    assert (rows["eve@acme.example"]["Last Name"], rows["eve@acme.example"]["Lifecycle Stage"]) == ("Müller", "Opportunity")
    assert rows["anna@acme.example"]["Own notes"] == "'=für später"
    before = desk.file.read_bytes()
    assert before.startswith(f"sep=;\r\n{HEADER}\r\n".encode("cp1252"))
    assert ROWS[3].encode() in before
    desk.reset()
    told = desk.json("sync", "--yes")
    assert (told["created"], told["updated"]) == (0, 0)
    assert desk.written() == []
    assert desk.file.read_bytes() == before
    assert desk.json("plan")["unread"] == [{"system": "list", "finding": "line 6 has 3 cells where the header has 9"}]


def test_edits_on_either_side_reach_the_other(desk: Desk) -> None:
    """A cell, a property, a stage forward, a blank; then `verify` proves that both agree."""
    text = desk.file.read_bytes().decode("cp1252")
    desk.file.write_bytes(text.replace("Sales; East", "=Head").replace("+49 30 7654321", "+49 30 7654322").encode("cp1252"))
    hub = desk.worlds.hubspot
    ids = {each["properties"]["email"]: each["id"] for each in hub.contacts()}
    hub.by_hand.edit(ids["eve@acme.example"], {"jobtitle": "@home", "lifecyclestage": "customer"})
    hub.by_hand.edit(ids["cleo@acme.example"], {"firstname": "Cleopatra"})
    desk.sync()
    rows, contacts = desk.rows(), desk.contacts()
    assert contacts["bob@acme.example"]["jobtitle"] == "=Head"
    assert contacts["anna@acme.example"]["phone"] == "+49307654322"
    assert (rows["eve@acme.example"]["Job Title"], rows["eve@acme.example"]["Lifecycle Stage"]) == ("'@home", "Customer")
    assert rows["cleo@acme.example"]["First Name"] == "Cleopatra"
    proved = desk.run("verify")
    assert proved.exit_code == 0, proved.stdout + proved.stderr
    desk.reset()
    desk.sync()
    assert desk.written() == []


def test_a_row_that_somebody_deletes_says_nothing_and_does_not_come_back(desk: Desk) -> None:
    """Nobody is archived in HubSpot; an edit there is refused by the file once, told, and not tried for ever."""
    text = desk.file.read_bytes().decode("cp1252")
    desk.file.write_bytes(text.replace(ROWS[1] + "\r\n", "").encode("cp1252"))
    desk.sync()
    assert "bob@acme.example" in desk.contacts()
    ids = {each["properties"]["email"]: each["id"] for each in desk.worlds.hubspot.contacts()}
    desk.worlds.hubspot.by_hand.edit(ids["bob@acme.example"], {"firstname": "Robert"})
    desk.sync(1)
    assert "bob@acme.example" not in desk.rows()
    assert "does not stand in the file any more" in desk.run("errors").stdout
    desk.sync()


def test_a_file_that_is_gone_or_broken_stops_the_run(desk: Desk) -> None:
    """Exit 4 where it is missing, 2 where it is no table; nothing is written anywhere."""
    moved = desk.file.rename(desk.file.with_name("elsewhere"))
    desk.reset()
    assert desk.run("sync", "--yes").exit_code == 4
    desk.file.write_bytes(b"PK\x03\x04")
    assert desk.run("sync", "--yes").exit_code == 2
    assert desk.written() == []
    moved.rename(desk.file)
    desk.sync()
