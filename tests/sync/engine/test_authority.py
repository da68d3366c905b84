"""Who may move whom, from the hand in a vendor's record through history and teams to a question or a value that is put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_box import Box, box

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds

TEAMS = """
[teams.sales]
users = ["lea.roth@example.com"]
systems = ["salesforce"]
[teams.marketing]
users = ["ann.berg@example.com"]
automations = ["hubspot"]
[authority]
unauthorised = "{way}"
"""
MQL, SQL = ("marketingqualifiedlead", "Marketing Qualified"), ("salesqualifiedlead", "Sales Qualified")


class Case:
    """One person whom both systems know as an MQL, and hands in both."""

    def __init__(self, made: Box, way: str, stage: str = MQL[0]) -> None:
        self.made, self.portal, self.org = made, made.worlds.hubspot, made.worlds.salesforce
        made.add(TEAMS.format(way=way))
        self.contact = self.portal.by_hand.create({"email": "p@acme.example", "lastname": "Lee", "company": "Acme", "lifecyclestage": stage})
        self.sync()

    def sync(self) -> int:
        """Let everything settle; gives the exit code."""
        self.made.later(3600)
        return self.made.run("sync", "--yes").exit_code

    def ann(self, stage: str) -> None:
        """The marketer moves the contact by hand."""
        self.portal.edit(self.contact, {"lifecyclestage": stage})

    def sam(self, status: str) -> None:
        """Somebody in Salesforce moves the Lead."""
        (row,) = self.org.rows("Lead")
        self.org.edit(row["Id"], {"Status": status})

    def stages(self) -> tuple[str, str]:
        """What both records say."""
        (contact,), (lead,) = self.portal.contacts(), self.org.rows("Lead")
        return contact["properties"]["lifecyclestage"], lead["Status"]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Box]:
    """Both worlds, empty."""
    with box(tmp_path, worlds=Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))) as found:
        yield found


def test_a_move_of_anothers_right_waits_for_an_answer(made: Box) -> None:
    """Marketing makes an SQL: neither system is written, the question names the owner, and whoever lets it stand moves the person everywhere."""
    case = Case(made, "hold")
    case.ann(SQL[0])
    assert case.sync() == 1
    assert case.stages() == (SQL[0], MQL[1])
    (group,) = made.json("holds")["groups"]
    assert "sales owns sql: marketing may not move mql -> sql" in str(group)
    assert made.run("resolve", group["id"], "--use", "hubspot").exit_code == 0
    assert case.sync() == 0
    assert case.stages() == SQL
    assert "hubspot moved: mql -> sql, as somebody answered" in made.run("why", "p@acme.example", "stage").stdout


def test_an_answer_that_nothing_changes_is_told_where_it_is_written_back(made: Box) -> None:
    """Marketing makes an SQL and the answer is no: the contact is written back, and `why` says by whose word."""
    case = Case(made, "hold")
    case.ann(SQL[0])
    case.sync()
    (group,) = made.json("holds")["groups"]
    assert made.run("resolve", group["id"], "--use", "hub").exit_code == 0
    assert case.sync() == 0
    assert case.stages() == MQL
    assert "stays mql: somebody answered hub" in made.run("why", "p@acme.example", "stage").stdout


def test_a_move_of_anothers_right_may_be_put_back(made: Box) -> None:
    """Marketing pulls an SQL back: the contact is written back, the next run writes nothing, and `why` names the rule."""
    case = Case(made, "put back", SQL[0])
    case.ann(MQL[0])
    assert case.sync() == 0
    assert case.stages() == SQL
    made.reset()
    assert (case.sync(), made.written()) == (0, [])
    assert "sales owns sql: marketing may not move sql -> mql" in made.run("why", "p@acme.example").stdout


def test_a_question_ends_when_the_owner_moves_the_person(made: Box) -> None:
    """While marketing's opportunity waits for an answer, sales makes an SQL of the person: that counts at once, and nothing is left to answer."""
    case = Case(made, "hold")
    case.ann("opportunity")
    assert case.sync() == 1
    case.sam(SQL[1])
    assert case.sync() == 0
    assert case.stages() == SQL
    assert made.json("holds")["groups"] == []
    assert "sales owns opportunity: marketing may not move mql -> opportunity" in made.run("why", "p@acme.example").stdout


def test_whoever_has_people_may_send_them_back(made: Box) -> None:
    """Sales sends an SQL back to MQL in its own system, and the other follows."""
    case = Case(made, "hold", SQL[0])
    case.sam(MQL[1])
    assert case.sync() == 0
    assert case.stages() == MQL
