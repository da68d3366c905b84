"""The demo: a story that is true, over real sockets, and the user's own files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from house import ROOT
from rich.console import Console

from stagesync.app.showing.demo import Tale, run_demo
from stagesync.app.showing.demo_check import compare_worlds
from stagesync.app.showing.demo_stand import standing
from stagesync.app.showing.sandboxes import serving
from stagesync.model.errors import ConfigurationError
from stagesync.sandbox.worlds import Worlds, build

EXAMPLES = ROOT / "examples"


def _console() -> Console:
    return Console(file=io.StringIO(), width=200)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_story_is_told_to_its_end() -> None:
    """Every chapter is there, both laws hold, and the exit code says so."""
    console = _console()
    assert run_demo(console, people=600) == 0
    text = _text(console)
    for words in (
        "The first sync",
        "A day of work",
        "is converted into a Contact",
        "stagesync plan",
        "To carry out exactly this plan",
        "stage moved back",
        "gave way to",
        "was deleted in salesforce",
        "Marketing qualified lead",
        "0 writes: ",
        "[yes] Quiescence",
        "[yes] Convergence",
    ):
        assert words in text
    assert "[NO]" not in text


def test_a_broken_law_is_told() -> None:
    """Where an edit stays unseen, the demo's own look at both worlds finds it, and the law counts as broken."""
    worlds = build(300, 1)
    console = _console()
    with standing(worlds, winners=True) as stand:
        stand.sync()
        stand.later()
        worlds.hubspot.switch(search_lag_s=10 * 24 * 3600)
        contact = next(each for each in worlds.hubspot.contacts() if each["properties"].get("jobtitle") and each["properties"].get("email"))
        worlds.hubspot.edit(contact["id"], {"jobtitle": "Nobody sees this"})
        held = Tale(console, stand).laws()
    assert not held
    assert "[yes] Quiescence" in _text(console)
    assert "[NO]  Convergence: 1 difference" in _text(console)
    assert "Nobody sees this" in _text(console)


def _pair() -> tuple[Worlds, str, str]:
    worlds = build(0, 1)
    contact = worlds.hubspot.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash", "phone": "+498999998089", "country": "Germany"})
    values = {"Email": "Anna@a.example", "FirstName": "Anna", "LastName": "Ash", "Company": "[not provided]", "Phone": "(089) 99998-089", "Country": "DE"}
    return worlds, contact, worlds.salesforce.create("Lead", {**values, "Status": "Open - Not Contacted"})


def test_equal_in_other_words() -> None:
    """Numbers, countries and stages that mean the same are no differences, nor is a filler in the place of nothing."""
    worlds, _, _ = _pair()
    with serving(worlds) as (hubspot, salesforce):
        found = compare_worlds(hubspot, salesforce, frozenset())
    assert (found.people, found.differences) == (1, ())
    assert found.values > 10


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"firstname": "Anne"}, "firstname"),
        ({"phone": "+498999998000"}, "phone"),
        ({"country": "France"}, "country"),
        ({"lifecyclestage": "customer"}, "stage"),
    ],
)
def test_every_difference_is_found(values: dict[str, str], field: str) -> None:
    """One value changed on one side is one difference, unless it is held."""
    worlds, contact, _ = _pair()
    worlds.hubspot.edit(contact, values)
    canonical = "first_name" if field == "firstname" else field
    with serving(worlds) as (hubspot, salesforce):
        assert [each.field for each in compare_worlds(hubspot, salesforce, frozenset()).differences] == [field]
        assert compare_worlds(hubspot, salesforce, {("anna@a.example", canonical)}).differences == ()


def test_missing_records_are_found() -> None:
    """Whoever stands in one world only is a difference, from either side."""
    worlds, _, _ = _pair()
    worlds.hubspot.create({"email": "bert@b.example", "lastname": "Birch"})
    worlds.salesforce.create("Contact", {"Email": "cleo@c.example", "LastName": "Cedar"})
    with serving(worlds) as (hubspot, salesforce):
        found = compare_worlds(hubspot, salesforce, frozenset())
    assert [(each.email, each.field) for each in found.differences] == [("bert@b.example", "record"), ("cleo@c.example", "record")]


def test_the_examples_in_the_demo(tmp_path: Path) -> None:
    """Both vendors' export files of 3,000 people are loaded and planned; the page holds every change, and nothing else is written."""
    console, page = _console(), tmp_path / "plan.html"
    code = run_demo(console, hubspot_csv=EXAMPLES / "hubspot-contacts.csv", salesforce_csv=EXAMPLES / "salesforce-leads-contacts.csv", out=page)
    text = _text(console)
    assert code == 0
    assert "would be linked" in text
    assert "phone numbers differ where the records meet for the first time" in text
    assert "Webinar attended" in text
    assert "apply --approve" not in text
    assert list(tmp_path.iterdir()) == [page]
    assert page.read_text(encoding="utf-8").count("<tr>") > 3_000


def test_files_that_do_not_work(tmp_path: Path) -> None:
    """One file alone, a file that is none, and a page that cannot be written each end in one message before anything is done."""
    good = EXAMPLES / "hubspot-contacts.csv"
    with pytest.raises(ConfigurationError, match="one export file alone"):
        run_demo(_console(), hubspot_csv=good)
    with pytest.raises(ConfigurationError, match="page cannot be written"):
        run_demo(_console(), hubspot_csv=good, salesforce_csv=good, out=tmp_path / "nowhere" / "plan.html")
    with pytest.raises(ConfigurationError, match=r"nothing\.csv"):
        run_demo(_console(), hubspot_csv=tmp_path / "nothing.csv", salesforce_csv=good, out=tmp_path / "plan.html")
    assert not list(tmp_path.iterdir())
