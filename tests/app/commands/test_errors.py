"""`errors`, `retry` and `sync --canary` on the real command line."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_box import Box, box, cli
from house import ROOT
from typer.main import get_command

from stagesync.app.main import app
from stagesync.app.standing.remedies import UNKNOWN, is_known, remedy
from stagesync.app.views.plan_files import cell

ANNA = "anna@acme.example"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Box]:
    """Two empty worlds and their configuration."""
    with box(tmp_path, 0) as made:
        yield made


def contacts(made: Box, number: int) -> None:
    """So many people in HubSpot."""
    for each in range(number):
        made.worlds.hubspot.by_hand.create({"email": f"p{each}@acme.example", "lastname": "Lee"})


def refused(made: Box, code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION", message: str = "no town Neustadt") -> None:
    """Anna, whose Lead Salesforce refused."""
    made.worlds.hubspot.by_hand.create({"email": ANNA, "lastname": "Ash", "city": "Neustadt"})
    made.worlds.salesforce.fail_rows(code, message, kind="Lead")
    assert made.run("sync", "--yes").exit_code == 1


def test_nothing_is_parked(small: Box) -> None:
    """It says so, and there is nothing to try again."""
    assert small.run("errors").stdout == "Nothing is parked: no system refuses a write.\n"
    assert small.json("errors") == {"groups": [], "events": []}
    assert small.run("retry").stdout == "Nothing of that is parked.\n"
    assert "Refused" not in small.run("status").stdout


def test_a_refusal_is_told_with_its_remedy_and_tried_again(small: Box) -> None:
    """Cause, count, remedy, the vendor's words without values, the person by number; `status` counts it; `retry` makes the next sync write it."""
    refused(small)
    shown = small.run("errors").stdout
    assert "salesforce refuses 1 new record of 1 person: FIELD_CUSTOM_VALIDATION_EXCEPTION" in shown
    assert "A validation rule of the org says no" in shown
    assert 'salesforce says: "no town <value>"' in shown
    assert "p1: no record could be made" in shown
    assert "Neustadt" not in shown + str(small.json("errors"))
    assert "Refused and parked: 1 write (`stagesync errors`)" in small.run("status").stdout
    assert small.json("status")["refused"] == 1
    (group,) = small.json("errors")["groups"]
    assert (group["operations"], group["count"], group["examples"]) == (["create"], 1, [{"person": 1, "operation": "create", "record": None}])
    small.later(3600)
    assert small.json("sync")["created"] == 0
    assert small.json("retry", group["id"]) == {"retried": 1, "events": 0}
    assert small.json("sync")["created"] == 1
    assert small.json("errors") == {"groups": [], "events": []}


@pytest.mark.parametrize("who", ["p1", ANNA])
def test_people_may_be_named(small: Box, who: str) -> None:
    """`retry` takes whoever is meant, and nobody else."""
    contacts(small, 1)
    small.worlds.hubspot.by_hand.create({"email": ANNA, "lastname": "Ash"})
    small.worlds.salesforce.fail_rows("STRING_TOO_LONG", "too long", times=2, kind="Lead")
    small.run("sync", "--yes")
    assert small.json("retry", who) == {"retried": 1, "events": 0}
    assert small.json("status")["refused"] == 1


def test_a_name_that_nobody_has(small: Box) -> None:
    """Neither a group nor a person: exit 2."""
    refused(small)
    wrong = small.run("retry", "ffffff")
    assert (wrong.exit_code, "nobody is known as 'ffffff'" in wrong.stderr) == (2, True)


def test_a_code_that_nobody_knows_is_shown_with_the_vendors_words(small: Box) -> None:
    """The remedy then is the sentence itself."""
    refused(small, "MOON_IN_WRONG_PHASE", "=HYPERLINK no writes under this moon")
    shown = small.run("errors").stdout
    assert UNKNOWN[1:] in shown
    assert "no writes under this moon" in shown
    assert remedy("pipedrive", "X", "crm") == UNKNOWN


def test_the_file_is_safe_for_a_spreadsheet(small: Box, tmp_path: Path) -> None:
    """One line a refused write, every cell quoted, and what would run as a formula is text."""
    refused(small, "MOON_IN_WRONG_PHASE", '=HYPERLINK("http://evil.example")')
    out = tmp_path / "refused.csv"
    assert small.run("errors", "--csv", str(out)).exit_code == 0
    text = out.read_text("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["sentence"].startswith("'=HYPERLINK")
    assert (row["system"], row["code"], row["operation"], row["person"]) == ("salesforce", "MOON_IN_WRONG_PHASE", "create", "p1")
    assert ANNA not in text
    assert oct(out.stat().st_mode & 0o777) == "0o600"
    nowhere = small.run("errors", "--csv", str(tmp_path / "none" / "x.csv"))
    assert nowhere.exit_code == 5


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_begins_as_a_formula(start: str) -> None:
    """Whatever a vendor or a person typed is shown as text."""
    assert cell(f"{start}1+1").startswith("'")


def test_many_refusals_are_a_fault_of_the_set_up(small: Box) -> None:
    """Exit 2 that says what, where and what next, without anybody's data; what was written is on record, and the next run goes on."""
    contacts(small, 30)
    small.worlds.salesforce.fail_rows("REQUIRED_FIELD_MISSING", "Required fields are missing: [Region__c]", times=5, kind="Lead")
    stopped = small.run("sync", "--yes")
    assert stopped.exit_code == 2
    assert "salesforce refused 5 of 30 writes (REQUIRED_FIELD_MISSING 5): that is no bad row but a fault of the set-up" in stopped.stderr
    assert "systems.salesforce" in stopped.stderr
    assert "`stagesync errors`" in stopped.stderr
    assert "acme.example" not in stopped.stderr
    assert "5 refused" in stopped.stdout
    assert small.json("errors")["groups"][0]["count"] == 5
    small.run("retry")
    assert small.json("sync", "--yes")["created"] == 5
    assert len(list(small.worlds.salesforce.rows("Lead"))) == 30


def test_a_canary_flies_first(small: Box) -> None:
    """`--canary N` says that the first ones landed, and goes on; where one is refused it stops with exit 3, and the others are not written."""
    contacts(small, 8)
    small.worlds.salesforce.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", kind="Lead")
    stopped = small.run("sync", "--yes", "--canary", "3")
    assert stopped.exit_code == 3
    assert "of the first 3 people not all landed as wanted, and nobody else was written" in stopped.stderr
    assert "refused with FIELD_CUSTOM_VALIDATION_EXCEPTION" in stopped.stderr
    assert len(list(small.worlds.salesforce.rows("Lead"))) == 2
    flown = small.run("sync", "--yes", "--canary", "3")
    assert flown.exit_code == 0, flown.stderr
    assert "The first 3 people were written and read back before the others: all landed as wanted." in flown.stdout
    assert len(list(small.worlds.salesforce.rows("Lead"))) == 7


@pytest.mark.parametrize("other", [("--limit", "2"), ("--dry-run",)])
def test_a_canary_has_the_rest_behind_it(small: Box, other: tuple[str, ...]) -> None:
    """What would write less than everything does not go with it: exit 2, and no system is called."""
    small.reset()
    assert small.run("sync", "--canary", "1", *other).exit_code == 2
    assert small.calls() == {}


def test_help_is_plain() -> None:
    """Each command says what it does, with an example."""
    assert "read them back" in " ".join(cli("sync", "--help").stdout.split())
    for command in ("errors", "retry"):
        assert "Example: stagesync" in cli(command, "--help").stdout
    broken = [name for name, said in _helps(get_command(app), "stagesync") for each in said.strip().split("\n\n") if "\n" in each]
    assert broken == [], "a line that ends where the source's line ends is cut off at a terminal"


def _helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for below, each in getattr(command, "commands", {}).items():
        yield from _helps(each, f"{name} {below}")


def test_every_refusal_of_a_file_has_a_remedy() -> None:
    """Whatever code the connector refuses a row with, `errors` says what helps."""
    tree = ast.parse((ROOT / "connectors" / "csv" / "writing.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rejected"]
    codes = {node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)}
    assert len(calls) == len(codes) == 8
    assert all(is_known("csv", str(code)) for code in codes)
    assert "`key` under [systems.list]" in remedy("csv", "NO_KEY", "list")


def test_remedies_are_sentences() -> None:
    """Known codes have their own, with the system's name in it."""
    assert is_known("hubspot", "INVALID_OPTION")
    assert "[systems.crm.create]" in remedy("salesforce", "REQUIRED_FIELD_MISSING", "crm")
    assert not is_known("hubspot", "STRING_TOO_LONG")
