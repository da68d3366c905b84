"""`stagesync export people`, `ledger` and `links`: what the state holds as tables, in files that only their owner may read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_box import Box, box, cli
from typer.testing import Result

from stagesync.app.clock import SystemClock
from stagesync.connectors.csv.connector import FileConnector
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.model.records import Query
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Three people in both systems; Anna went from MQL to SQL, and Bob has odd names."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    with box(tmp_path_factory.mktemp("export"), worlds=worlds) as made:
        anna = worlds.hubspot.by_hand.create(
            {"email": "anna@acme.example", "lastname": "Zweig", "phone": "+49 30 7654321", "lifecyclestage": "marketingqualifiedlead"}
        )
        worlds.hubspot.by_hand.create({"email": "bob@acme.example", "firstname": "=cmd()", "lastname": 'Y"ule, jun.', "hs_email_optout": "true"})
        worlds.hubspot.by_hand.create({"email": "cleo@acme.example", "lastname": "Müller", "hs_lead_status": "UNQUALIFIED", "lifecyclestage": "lead"})
        made.run("sync", "--yes")
        made.later(3600)
        worlds.hubspot.by_hand.edit(anna, {"lifecyclestage": "salesqualifiedlead"})
        made.run("sync", "--yes")
        yield made


def export(acme: Box, what: str, *words: str) -> Result:
    """One export."""
    return cli("export", what, "--config", str(acme.config), *words)


def table(acme: Box, what: str) -> list[dict[str, str]]:
    """As CSV on stdout."""
    done = export(acme, what)
    assert done.exit_code == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout, newline="")))


def test_people_with_their_stage_fields_and_records(acme: Box) -> None:
    """One row a person: number, place, pass, canonical values, and the records in each system."""
    rows = {row["email"]: row for row in table(acme, "people")}
    anna, bob, cleo = (rows[f"{name}@acme.example"] for name in ("anna", "bob", "cleo"))
    assert list(anna)[:6] == ["person", "stage", "side", "reason", "pass", "since"]
    assert list(anna)[-2:] == ["hubspot", "salesforce"]
    assert (anna["stage"], anna["pass"], anna["phone"]) == ("sql", "1", "+49307654321")
    assert anna["person"].startswith("p")
    assert anna["since"].endswith("Z")
    assert anna["hubspot"].startswith("contact/")
    assert anna["salesforce"].startswith("lead/")
    assert (bob["first_name"], bob["last_name"], bob["email_opt_out"]) == ("'=cmd()", 'Y"ule, jun.', "true")
    assert (cleo["stage"], cleo["side"]) == ("lead", "disqualified")


def test_the_ledger_with_its_own_dates_and_evidence(acme: Box) -> None:
    """Each stay with both clocks, who told it and why; no name and no address of a person."""
    number = {row["email"]: row["person"] for row in table(acme, "people")}
    stays = [row for row in table(acme, "ledger") if row["person"] == number["anna@acme.example"]]
    assert [(row["stage"], row["pass"], bool(row["left_seen"])) for row in stays] == [("mql", "1", True), ("sql", "1", False)]
    assert all(stays[1][name].endswith("Z") for name in ("entered", "entered_seen"))
    assert stays[0]["left_seen"] == stays[1]["entered_seen"]
    assert stays[1]["system"] == "hubspot"
    assert stays[1]["evidence"]
    assert "acme.example" not in export(acme, "ledger").stdout
    assert "Zweig" not in export(acme, "ledger").stdout


def test_links_name_records_and_nobody(acme: Box) -> None:
    """One row a record, by person, system, kind, ref and state."""
    rows = table(acme, "links")
    assert {(row["system"], row["kind"], row["state"]) for row in rows} == {("hubspot", "contact", "linked"), ("salesforce", "lead", "linked")}
    assert len({row["person"] for row in rows}) == 3
    assert len(rows) == 6
    assert list(rows[0]) == ["person", "system", "kind", "ref", "state"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_the_files_ending_says_the_form(acme: Box, tmp_path: Path, ending: str) -> None:
    """The same rows in each; only the owner may read them."""
    out = tmp_path / f"people.{ending}"
    done = export(acme, "people", "--out", str(out))
    assert done.exit_code == 0, done.stderr
    assert f"3 rows in {out}" in done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    rows: list[dict[str, Any]]
    if ending == "jsonl":
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        bob = next(row for row in rows if row["email"] == "bob@acme.example")
        assert (bob["first_name"], bob["email_opt_out"], bob["pass"], bob["phone"]) == ("=cmd()", True, 1, None)
        assert isinstance(bob["hubspot"], list)
    else:
        rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"), newline=""), delimiter="\t" if ending == "tsv" else ","))
        assert {row["first_name"] for row in rows if row["email"] == "bob@acme.example"} == {"'=cmd()"}
    assert {row["last_name"] for row in rows} == {"Zweig", 'Y"ule, jun.', "Müller"}


def test_an_export_can_stand_in_for_a_system(acme: Box, tmp_path: Path) -> None:
    """The connector for files reads it without a mapping, and every value comes back as it was."""
    out = tmp_path / "people.csv"
    export(acme, "people", "--out", str(out))
    connector = FileConnector("old", CsvSettings(path=out, key=("person",)), SystemClock(), lambda: None)
    values = [record.values for page in connector.pull(Query({"contact": ("email", "first_name", "phone", "stage")})) for record in page.records]
    connector.close()
    assert {(each["email"], each["first_name"], each["phone"], each["stage"]) for each in values} == {
        ("anna@acme.example", None, "+49307654321", "sql"),
        ("bob@acme.example", "=cmd()", None, "lead"),
        ("cleo@acme.example", None, None, "lead"),
    }


def test_a_file_that_cannot_be_written_is_told_before_anything_is_read(acme: Box, tmp_path: Path) -> None:
    """Another ending, a folder that is not there and one that has the name are mistakes of the call; `--format` makes any ending good."""
    assert export(acme, "links", "--out", str(tmp_path / "links.xlsx")).exit_code == 2
    assert export(acme, "links", "--out", str(tmp_path / "no" / "links.csv")).exit_code == 2
    assert export(acme, "links", "--format", "parquet").exit_code == 2
    assert export(acme, "links", "--format", "csv", "--out", str(tmp_path / "links.txt")).exit_code == 0
    (tmp_path / "full.csv").mkdir()
    assert export(acme, "links", "--out", str(tmp_path / "full.csv")).exit_code == 2
