"""`stagesync funnel report` and `stagesync sla` from the command line, over a ledger that runs and clocks have filled."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from cli_box import cli
from house import ROOT
from rows import linked

from stagesync.app.views.report_data import COLUMNS
from stagesync.state import accounts, clocks, entries, links, people
from stagesync.state.entries import NewEntry
from stagesync.state.people import PersonRow
from stagesync.state.store import Store, open_store

DAY = 86_400_000
DOCUMENT = (ROOT / "docs" / "reports.md").read_text("utf-8")
CONFIG = """
[workspace]
name = "acme"
[systems.hubspot]
connector = "hubspot"
base_url = "http://127.0.0.1:1"
token = "t"
[funnel.stages]
sgl = { label = "営業が発掘した $リード$ <b>", team = "sales", entry = true, beside = "mql" }
[funnel.groups]
qualified = { label = "Any qualified", stages = ["mql", "pql", "sgl"] }
"""
SLA = """
[sla]
from = ["mql"]
to = "sal"
hours = 24
"""


def stay(person: int, stage: str, at: int, side: str | None = None, **more: Any) -> NewEntry:
    """A stay that the vendor dated; of somebody from a source that would like to be a formula."""
    return NewEntry(person, 1, stage, side, None, at, at, source="=HYPERLINK(1)", owner="rep@acme.example")._replace(**more)


def ledger(now: int) -> list[list[NewEntry]]:
    """A few people: one on time, one late, one sent away, one who waits, one whom we found."""
    start = now - 40 * DAY
    return [
        [stay(1, "lead", start), stay(1, "mql", start + 2 * DAY, due_at=start + 4 * DAY, met=1), stay(1, "sal", start + 3 * DAY)],
        [stay(2, "mql", start, due_at=start + DAY, met=0), stay(2, "sql", start + 5 * DAY)],
        [stay(3, "pql", start), stay(3, "pql", start + 8 * DAY, "disqualified")],
        [stay(4, "mql", now - DAY, due_at=now + 7 * DAY)],
        [stay(5, "sgl", now - 2 * DAY, origin="first", source=None)._replace(entered_at=None)],
        [stay(6, "mql", now - 9 * DAY, due_at=now - 4 * DAY, owner="late@acme.example")],
    ]


def fill(store: Store, histories: Sequence[Sequence[NewEntry]]) -> int:
    """Write people, a record of each, and their ledger into the workspace."""
    with store.write() as tx:
        ws = accounts.workspace(tx, "acme").id
        first = people.reserve(tx, len(histories))
        named = [{"email": [f"p{first + number}@firm.example", 1, "hubspot", None]} for number in range(len(histories))]
        people.insert(tx, ws, [PersonRow(first + number, "mql", None, None, 1, 1, values, None) for number, values in enumerate(named)])
        linked(tx, ws, *range(first, first + len(histories)))
        for step in range(max(len(history) for history in histories)):
            entries.enter(tx, ws, [history[step] for history in histories if len(history) > step])
    return ws


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose state knows some people."""
    path = tmp_path / "acme.toml"
    path.write_text(CONFIG + SLA, "utf-8")
    store = open_store(f"sqlite:///{tmp_path / 'stagesync.db'}")
    fill(store, ledger(time.time_ns() // 1_000_000))
    store.close()
    return path


def report(config: Path, *words: str) -> str:
    """What `funnel report` prints."""
    result = cli("funnel", "report", "--config", str(config), *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_text_tells_it_in_a_hundred_columns(config: Path) -> None:
    """Volume, conversion, refusals, acceptance and what is to be known of the numbers, for a terminal."""
    for words in ((), ("--by", "source"), ("--by", "cohort"), ("--by", "owner")):
        text = report(config, *words)
        assert max(map(len, text.splitlines())) <= 120
        assert all(len(line) <= 100 for line in text.splitlines() if line.startswith("  "))
        for told in ("Funnel hubspot, changed of acme, everything up to", "Of those who entered", "Accepted in the agreed time", "passes began"):
            assert told in text
    assert "Any qualified (group)" in text
    assert "Of 10 entries 1 have the time at which we saw them" in text
    assert "1 were met where they stood" in text


def test_the_json_adds_up(config: Path) -> None:
    """Every row of every group: start + in - out = end; the whole is the sum of its groups, and the period bounds it."""
    day = (datetime.now(UTC) - timedelta(days=20)).date()
    for words in ((), ("--since", str(day)), ("--until", str(day))):
        told = orjson.loads(report(config, "--json", "--by", "source", *words))
        groups = {group["group"] for group in told["groups"]}
        assert (told["workspace"], told["by"], groups) == ("acme", "source", {"=HYPERLINK(1)"} if "--until" in words else {"=HYPERLINK(1)", None})
        for part in (told["whole"], *told["groups"]):
            assert all(row["start"] + row["entered"] - row["left"] == row["end"] for row in part["volume"])
            assert all(row["entered"] == row["on"] + row["rejected"] + row["recycled"] + row["beside"] + row["waiting"] for row in part["conversion"])
        for column in ("start", "entered", "left", "end"):
            whole = sum(row[column] for row in told["whole"]["volume"] if row["kind"] == "stage")
            assert whole == sum(row[column] for group in told["groups"] for row in group["volume"] if row["kind"] == "stage")
    assert told["since"] is None
    assert told["until"] == f"{day}T00:00:00.000Z"


def test_what_is_known_of_these_people_is_told(config: Path) -> None:
    """The numbers of the people above, counted by hand."""
    whole = orjson.loads(report(config, "--json"))["whole"]
    mql = {name: next(row for row in whole[name] if row["id"] == "mql") for name in ("conversion", "velocity", "acceptance", "age")}
    assert (mql["conversion"]["entered"], mql["conversion"]["on"], mql["conversion"]["rate"]) == (4, 2, 0.5)
    assert (mql["velocity"]["count"], mql["velocity"]["median_days"], mql["velocity"]["ninety_days"]) == (2, 3.0, 5.0)
    assert (mql["acceptance"]["met"], mql["acceptance"]["missed"], mql["acceptance"]["running"]) == (1, 2, 1)
    assert (mql["age"]["count"], round(mql["age"]["median_days"], 1)) == (2, 5.0)
    assert whole["passes"] == {"begun": 6, "again": 0, "worked": 6, "rejected": 1, "recycled": 0}


def test_the_csv_has_a_line_for_each_place_and_no_formula(config: Path) -> None:
    """A spreadsheet reads one table; a source that begins like a formula stays text."""
    text = report(config, "--csv", "--by", "source")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert text.startswith("\ufeff")
    assert tuple(rows[0]) == COLUMNS
    assert {row["group"] for row in rows} == {"(all)", "'=HYPERLINK(1)", "(not known)"}
    mql = next(row for row in rows if row["id"] == "mql")
    assert (mql["kind"], mql["conversion_rate"], mql["velocity_median_days"], mql["acceptance_met"]) == ("stage", "0.5", "3.0", "1")
    assert sum(row["kind"] == "passes" for row in rows) == 3


def test_pictures_and_page_need_nothing_else(config: Path, tmp_path: Path) -> None:
    """The picture is an SVG document of text and shapes; the page has it inside, forbids all from outside, and names nobody."""
    svg, html = tmp_path / "r.svg", tmp_path / "r.html"
    assert report(config, "--svg", str(svg), "--html", str(html), "--by", "source") == ""
    picture, page = svg.read_text("utf-8"), html.read_text("utf-8")
    labels = [element.text for element in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert {"Marketing qualified lead", "acme: funnel hubspot, changed", "営業が発掘した $リード$ <b>"} <= set(labels)
    assert page.count("<svg") == 4
    assert "default-src 'none'" in unescape(page)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page.replace('<div class="card"><b>', "")
    for told in ("=HYPERLINK(1)", "accepted in the agreed time", "Share that went on, by source"):
        assert told in page
    assert "firm.example" not in picture + page


def test_the_same_numbers_make_the_same_picture(config: Path, tmp_path: Path) -> None:
    """A report under version control changes when its numbers do."""
    day, files = str(datetime.now(UTC).date()), [tmp_path / "a.svg", tmp_path / "b.svg"]
    for file in files:
        report(config, "--until", day, "--svg", str(file))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_empty_ledger_is_a_report_too(tmp_path: Path) -> None:
    """Before the first sync the text says how a ledger begins, and numbers and pictures are empty."""
    path = tmp_path / "acme.toml"
    path.write_text(CONFIG, "utf-8")
    assert "Nobody has been in any stage: the ledger begins with the first `stagesync sync`." in report(path, "--by", "owner")
    assert report(path, "--svg", str(tmp_path / "a.svg"), "--html", str(tmp_path / "a.html")) == ""
    assert orjson.loads(report(path, "--json"))["whole"]["passes"]["begun"] == 0


def test_without_the_library_numbers_come_and_pictures_are_refused(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matplotlib is not installed, --svg says what to install and nothing else misses it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = cli("funnel", "report", "--config", str(config), "--html", str(tmp_path / "r.html"))
    assert result.exit_code == 2
    assert 'pip install "stagesync[charts]"' in result.stderr
    assert not (tmp_path / "r.html").exists()
    assert "passes began" in report(config)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "2026-02-01", "--until", "2026-01-01"), "the period ends before it begins"),
        (("--since", "2999-01-01"), "the period ends before it begins"),
        (("--json", "--csv"), "one form at a time"),
        (("--svg", "nowhere/at/all.svg"), "the folder does not exist"),
        (("--since", "yesterday"), "'yesterday' is no day. Write it like 2026-10-01"),
        (("--until", "2026-13-01"), "'2026-13-01' is no day"),
        (("--by", "moon"), "Invalid value"),
    ],
)
def test_what_makes_no_report_is_said(config: Path, words: tuple[str, ...], said: str) -> None:
    """A mistake on the command line is one message and exit 2."""
    result = cli("funnel", "report", "--config", str(config), *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_sla_names_who_waits(config: Path) -> None:
    """Whoever is to be answered stands with the moment and the opening hours that are left; whoever was forgotten with those that are over."""
    result = cli("sla", "--config", str(config))
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "mql -> sal within 24 opening hours: mon-fri 09:00-17:00, UTC"
    waiting, late = (next(line for line in lines if who in line) for who in ("p4@firm.example", "p6@firm.example"))
    assert " left " in waiting
    assert " over " in late
    assert lines.index("Waiting, in time: 1 person") < lines.index(waiting) < lines.index("Waiting, nobody answered in time: 1 person") < lines.index(late)
    told = orjson.loads(cli("sla", "--config", str(config), "--json").stdout)
    assert (told["running"][0]["person"], told["unanswered"][0]["person"], told["unanswered"][0]["owner"]) == (4, 6, "late@acme.example")
    assert told["running"][0]["hours_left"] > 0 > told["unanswered"][0]["hours_left"]
    assert set(told["month"]) == {"since", "met", "missed", "running", "rate"}


def test_status_counts_the_clocks(config: Path) -> None:
    """`status` says how many wait and how many are overdue; without any, nothing."""
    assert "To be accepted: 1 person, the first until" in cli("status", "--config", str(config)).stdout
    told = orjson.loads(cli("status", "--config", str(config), "--json").stdout)["acceptance"]
    assert (told["running"], told["overdue"]) == (1, 1)


def test_the_report_on_health_counts_the_same_clocks(config: Path) -> None:
    """What `status` and `sla` say of acceptance, `report` says too; whoever was forgotten is something that waits for somebody."""
    status, sla, told = (orjson.loads(cli(command, "--config", str(config), "--json").stdout) for command in ("status", "sla", "report"))
    acceptance = told["acceptance"]
    assert {name: acceptance[name] for name in status["acceptance"]} == status["acceptance"]
    assert (acceptance["unanswered"], acceptance["month"]) == (len(sla["unanswered"]), {name: sla["month"][name] for name in acceptance["month"]})
    assert "1 person waited longer for acceptance than agreed, and still waits." in [need["what"] for need in told["needs"]]
    assert "1 not answered in time" in cli("report", "--config", str(config)).stdout


def test_sla_without_an_agreement_says_where_one_is_made(tmp_path: Path) -> None:
    """Exit 2 and the table that is missing."""
    path = tmp_path / "acme.toml"
    path.write_text(CONFIG, "utf-8")
    result = cli("sla", "--config", str(path))
    assert result.exit_code == 2
    assert "[sla]" in result.stderr


def test_clocks_are_counted_on_both_databases(store: Store) -> None:
    """Those that started since a moment by how they ended, and those that run by when they are due."""
    now = 100 * DAY
    ws = fill(store, [[stay(1, "mql", now - DAY, due_at=now + 5, met=1)], *ledger(now)[1:]])
    with store.read() as tx:
        assert clocks.since(tx, ws, 0, now) == (1, 2, 1)
        assert clocks.since(tx, ws, now - 10 * DAY, now) == (1, 1, 1)
        assert clocks.since(tx, ws, now, now) == (0, 0, 0)
        assert clocks.ticking(tx, ws, now) == (1, now + 7 * DAY, 1)
        assert [row.person for row in clocks.running(tx, ws, now, 9)] == [4]
        assert [row.person for row in clocks.unanswered(tx, ws, now, 9)] == [6]


def test_clocks_of_people_without_a_record_count_only_where_they_were_answered(store: Store) -> None:
    """Nobody can answer for one who was deleted everywhere: no clock of theirs runs or is late, on both databases; what was said before stays."""
    now = 100 * DAY
    ws = fill(store, ledger(now))
    with store.write() as tx:
        theirs = [row for rows in links.of_people(tx, range(1, 7)).values() for row in rows]
        links.rewrite(tx, [row._replace(state="gone") for row in theirs])
    with store.read() as tx:
        assert clocks.ticking(tx, ws, now) == (0, None, 0)
        assert [*clocks.running(tx, ws, now, 9), *clocks.unanswered(tx, ws, now, 9), *entries.overdue(tx, ws, now, 9)] == []
        assert clocks.since(tx, ws, 0, now) == (1, 1, 0)


def test_the_document_explains_every_column() -> None:
    """Whatever the CSV has, docs/reports.md says what it means; so it does for every option and for the agreement's keys."""
    assert [column for column in COLUMNS if f"`{column}`" not in DOCUMENT] == []
    for told in (
        "--since",
        "--until",
        "--by source",
        "--by cohort",
        "--by owner",
        "--json",
        "--csv",
        "--svg",
        "--html",
        "[sla]",
        "breach",
        "proposal",
        "holidays",
    ):
        assert told in DOCUMENT
