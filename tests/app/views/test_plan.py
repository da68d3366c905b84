"""What somebody reads of a plan: on the screen, and in the three kinds of files."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import Office

from stagesync.app.views.plan import plan_json, plan_text
from stagesync.app.views.plan_files import cell, write_plan
from stagesync.model.errors import ConfigurationError, StateError
from stagesync.state import actions

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A day's work in both systems after a first sync: every kind of change is waiting."""
    office = Office(tmp_path)
    people = {
        name: office.hub.create({"email": f"{name}@a.example", "firstname": name.title(), "lastname": "Ash", "lifecyclestage": "lead", "city": "Bonn"})
        for name in ("anna", "bert", "cleo", "dora", "emil", "fritz")
    }
    office.hub.edit(people["dora"], {"lifecyclestage": "salesqualifiedlead"})
    office.run()
    office.later()
    office.run()
    office.later()
    leads = {name: office.person(f"{name}@a.example")["Id"] for name in people}
    office.hub.edit(people["anna"], {"jobtitle": "CEO", "city": "Ulm"})
    office.crm.edit(leads["anna"], {"City": "Berlin"})
    office.crm.edit(leads["bert"], {"Status": "Marketing Qualified"})
    office.hub.edit(people["cleo"], {"city": ""})
    office.crm.edit(leads["dora"], {"Status": "Open - Not Contacted"})
    office.crm.delete(leads["emil"])
    office.crm.edit(leads["fritz"], {"Status": "Waiting for Godot"})
    office.hub.create({"email": "gerd@a.example", "firstname": "=cmd()", "lastname": "<script>alert(1)</script>"})
    office.hub.create({"firstname": "Nobody", "lastname": "Knows"})
    office.later()
    return office


def test_plan_on_the_screen(office: Office) -> None:
    """The whole plan reads as it was agreed that it should read."""
    report = office.plan()
    text = "\n".join(plan_text(office.session, report)).replace(report.digest, "DIGEST") + "\n"
    text = re.sub(r"as before, \d+ fields", "as before, N fields", text)
    assert text == (GOLDEN / "plan.txt").read_text(encoding="utf-8")


def test_plan_as_json_object(office: Office) -> None:
    """The object counts what the text counts."""
    told = plan_json(office.session, office.plan())
    assert told["writes"] == {"crm": {"clears": 1, "creates": 1, "updates": 1}, "hub": {"lowerings": 1, "updates": 2}}
    assert told["unmapped"] == [{"system": "crm", "value": "Status=Waiting for Godot", "people": 1}]
    assert {"system": "hub", "from": "sql", "to": "lead", "count": 1} in told["stage_moves"]
    assert [question["question"] for question in told["questions"]] == [
        "1 person was deleted in crm: does that hold everywhere (crm), or is the record made again (hub)?"
    ]
    assert orjson.loads(orjson.dumps(told)) == told


def test_json_file_loses_nothing(office: Office, tmp_path: Path) -> None:
    """Every stored row is in the file, with the values that would be sent and those that stand there now."""
    report = office.plan()
    written = write_plan(office.session, report, tmp_path / "plan.json")
    told = orjson.loads((tmp_path / "plan.json").read_bytes())
    with office.session.store.read() as tx:
        rows = actions.of_run(tx, report.run, ("planned", "held"), 0, 1_000)
    assert written == len(told["actions"]) == len(rows)
    for row, shown in zip(rows, told["actions"], strict=True):
        assert (shown["action"], shown["person"], shown["op"], shown["reason"]) == (row.id, row.person, row.op, row.reason)
        assert {name: list(change.values()) for name, change in shown["fields"].items()} == row.fields
        if row.op in ("create", "update"):
            assert shown["native"] == row.payload
    assert told["digest"] == report.digest


def test_csv_file(office: Office, tmp_path: Path) -> None:
    """Every cell is quoted, and no value of somebody's is run as a formula."""
    write_plan(office.session, office.plan(), tmp_path / "plan.csv")
    text = (tmp_path / "plan.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert all(line.startswith('"') and line.endswith('"') for line in text.split("\r\n")[:-1])
    assert {row["after"] for row in rows if row["field"] == "first_name"} == {"'=cmd()"}
    assert {row["kind"] for row in rows} == {"create", "change", "fill", "clear", "lower", "overruled", "held"}
    cleared = next(row for row in rows if row["kind"] == "clear")
    assert (cleared["email"], cleared["system"], cleared["field"], cleared["before"], cleared["after"]) == ("cleo@a.example", "crm", "city", "Bonn", "")


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.text()))
def test_cells_are_never_formulas(value: Any) -> None:
    """Whatever the value, the cell begins with nothing that a spreadsheet runs, and text is kept but for one apostrophe."""
    shown = cell(value)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    if isinstance(value, str):
        assert shown in (value, f"'{value}")


class _Page(HTMLParser):
    """Collects tags and attributes, and sees to it that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_page(office: Office, tmp_path: Path) -> None:
    """The page is whole, needs nothing from outside, runs nothing, shows names as text, and only its owner may read it."""
    write_plan(office.session, office.plan(), tmp_path / "plan.html")
    assert (tmp_path / "plan.html").stat().st_mode & 0o077 == 0
    text = (tmp_path / "plan.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert {"script", "img", "link", "iframe", "a"}.isdisjoint(page.tags)
    assert {name for name, _ in page.attributes}.isdisjoint({"src", "href", "style", "onclick"})
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    style = text.split("<style>")[1].split("</style>")[0]
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"'sha256-{allowed}'" in policy
    assert page.tags.count("tr") > 8


def test_files_that_cannot_be_written(office: Office, tmp_path: Path) -> None:
    """Another ending, or a folder that is not there, is refused in one sentence, and nothing half-written is left."""
    report = office.plan()
    with pytest.raises(ConfigurationError, match=r"cannot be written as \.xlsx"):
        write_plan(office.session, report, tmp_path / "plan.xlsx")
    with pytest.raises(StateError, match="cannot be written"):
        write_plan(office.session, report, tmp_path / "nowhere" / "plan.csv")
    assert not list(tmp_path.glob("*plan*"))
