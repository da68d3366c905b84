"""`stagesync qualify` from the command line, over people that a real sync brought into the state, and the document about rules."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cli_box import Box, box, cli
from house import ROOT

from stagesync.app.configuration.loading import load
from stagesync.app.views.plan_files import cell
from stagesync.lifecycle.overlay import read_funnel
from stagesync.lifecycle.rules.rulebook import read_rulebook
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

RULES = """
[[qualify]]
name = "fits"
stage = "MQL"
when = 'company_domain and country in target_countries and (score_size >= 20 or has(job_title, "head"))'
else_reason = "outside target"
[[qualify]]
name = "student"
stage = "ineligible"
from = ["lead"]
when = 'contains(email_domain, "university")'
reason = "Student"
mode = "hold"
[[score]]
name = "size"
points = 20
when = "employees > 100"
[lists]
target_countries = ["DE"]
"""
PEOPLE = {
    "ann@acme.example": {"firstname": "Ann", "lastname": "Lee", "country": "Germany", "jobtitle": "Head of Tea"},
    "bob@gmail.com": {"lastname": "=Ray()", "country": "Germany", "jobtitle": "Head of Tea"},
    "cleo@university.example": {"lastname": "Fox", "country": "France"},
}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Three leads in HubSpot, read once, under rules that only report or ask."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    with box(tmp_path_factory.mktemp("acme"), worlds=worlds) as made:
        for email, values in PEOPLE.items():
            worlds.hubspot.by_hand.create({"email": email, "lifecyclestage": "lead", "company": "Acme", **values})
        made.add(RULES)
        assert made.run("sync", "--yes").exit_code in (0, 1)
        yield made


def qualify(made: Box, command: str, *words: str) -> str:
    """What a command prints, where all is well."""
    result = cli("qualify", command, "--config", str(made.config), *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_list_tells_the_rules_in_words(acme: Box) -> None:
    """What each may do, whom it concerns, its condition part by part, and how scores are made."""
    said = qualify(acme, "list")
    assert said.splitlines()[0] == "fits (shadow: only reports)"
    assert re.search(r"concerns +people without a stage, subscriber, lead$", said, re.MULTILINE)
    assert re.search(r"and +country in target_countries$", said, re.MULTILINE)
    assert re.search(r'otherwise +they stay, because of "outside target"$', said, re.MULTILINE)
    assert re.search(r"score_size\n  \+20  once when employees > 100$", said, re.MULTILINE)
    told = orjson.loads(qualify(acme, "list", "--json"))
    assert [(each["name"], each["mode"], each["stage"], each["side"]) for each in told["rules"]] == [
        ("fits", "shadow", "mql", None),
        ("student", "hold", None, "ineligible"),
    ]


def test_explain_prints_each_condition_with_its_value(acme: Box) -> None:
    """For one person, every part of every condition with the present value, and what follows."""
    said = qualify(acme, "explain", "bob@gmail.com")
    assert 'fits (shadow): does not hold: the person stays, reason "outside target"' in said
    assert re.search(r"no +company_domain +is false$", said, re.MULTILINE)
    assert re.search(r'yes +country in target_countries +country is "DE"$', said, re.MULTILINE)
    assert re.search(r'yes +has\(job_title, "head"\) +is true$', said, re.MULTILINE)
    assert "score_size is 0." in said
    told = orjson.loads(qualify(acme, "explain", "ann@acme.example", "--json"))["people"][0]
    fits = told["rules"][0]
    assert (fits["outcome"], fits["becomes"], fits["concerns"]) == ("yes", "mql", True)
    assert {"text": "company_domain", "value": "is true", "holds": True, "depth": 0} in fits["conditions"]


def test_preview_reports_whom_each_rule_would_move_and_why(acme: Box) -> None:
    """The report of the shadow: promoted, turned down with the reason, put aside; each with the conditions that decided."""
    said = qualify(acme, "preview")
    assert said.startswith("3 people as the last run left them.")
    assert "fits (shadow: only reports): concerns 3 people, holds for 1, not for 2" in said
    assert re.search(r"1 person would become mql\n +Ann Lee <ann@acme.example> \(p\d+\)  at lead  company_domain \(is true\)", said)
    assert '2 people would stay, reason "outside target"' in said
    assert re.search(r"1 person would become ineligible, reason \"Student\"\n +Fox <cleo@university.example>", said)
    only = orjson.loads(qualify(acme, "preview", "--rule", "student", "--json"))
    assert [(each["rule"], each["holds"], each["would_move"], len(each["people"])) for each in only["rules"]] == [("student", 1, 1, 1)]


def test_preview_writes_a_file_that_a_spreadsheet_may_open(acme: Box, tmp_path: Path) -> None:
    """Everybody is in it, only its owner may read it, and what looks like a formula is text."""
    path = tmp_path / "preview.csv"
    assert f"Written to {path}." in qualify(acme, "preview", "--csv", str(path))
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert sorted((row["email"], row["rule"], row["becomes"]) for row in rows) == [
        ("ann@acme.example", "fits", "mql"),
        ("bob@gmail.com", "fits", "stays"),
        ("cleo@university.example", "fits", "stays"),
        ("cleo@university.example", "student", "ineligible"),
    ]
    assert {row["name"] for row in rows if row["email"] == "bob@gmail.com"} == {"'=Ray()"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [cell(each) for each in ("=1", "+1", "-1", "@a", "a=1")] == ["'=1", "'+1", "'-1", "'@a", "a=1"]


def test_looking_changes_nothing(acme: Box) -> None:
    """Neither command calls a system."""
    acme.reset()
    for words in (["list"], ["explain", "ann@acme.example"], ["preview"]):
        qualify(acme, words[0], *words[1:])
    assert acme.calls() == {}


def test_what_is_not_there_is_told(acme: Box, tmp_path: Path) -> None:
    """No rule of that name, nobody of that name, no rules at all, nowhere to write: each is one message and exit 2 or 5."""
    unknown = cli("qualify", "preview", "--config", str(acme.config), "--rule", "fit")
    assert (unknown.exit_code, "there is no rule 'fit'" in unknown.stderr, "Did you mean fits?" in unknown.stderr) == (2, True, True)
    assert cli("qualify", "explain", "--config", str(acme.config), "nobody@acme.example").exit_code == 2
    assert cli("qualify", "preview", "--config", str(acme.config), "--csv", str(tmp_path / "no" / "x.csv")).exit_code == 5
    bare = tmp_path / "bare.toml"
    bare.write_text(acme.config.read_text("utf-8").partition("[[qualify]]")[0], "utf-8")
    assert "the systems alone decide" in cli("qualify", "list", "--config", str(bare)).stdout
    without = cli("qualify", "preview", "--config", str(bare))
    assert (without.exit_code, "there are no qualification rules" in without.stderr) == (2, True)


def test_mistakes_in_rules_are_told_with_the_others(acme: Box, tmp_path: Path) -> None:
    """The configuration's mistakes and those of conditions come in one list, each with its path."""
    wrong = tmp_path / "wrong.toml"
    text = acme.config.read_text("utf-8").replace("country in target_countries", "cuntry in target_countries")
    wrong.write_text(text + '\n[delete]\npolicy = "never"\n', "utf-8")
    told = cli("check", "--config", str(wrong))
    assert told.exit_code == 2
    assert "qualify[0].when: at sign 20 (\"cuntry in target_countries and\"): there is no 'cuntry'. Did you mean country" in told.stderr
    assert "delete.policy: 'never' is not allowed here" in told.stderr


def test_rules_without_signals_to_look_at_are_noted(acme: Box, tmp_path: Path) -> None:
    """Rules that count what is not kept work, and the configuration says so."""
    path = tmp_path / "kept.toml"
    rule = '[[qualify]]\nname = "asked"\nstage = "sql"\nwhen = \'any("form")\'\n'
    for keep, noted in (("false", True), ("true", False)):
        path.write_text(f"{acme.config.read_text('utf-8')}\n{rule}[signals]\nkeep = {keep}\n", "utf-8")
        assert any("signals.keep is false" in note for note in load(path).notes) is noted


def test_the_documents_examples_work() -> None:
    """Every TOML example of the document about rules is read without a mistake, over the funnel that it names."""
    document = (ROOT / "docs" / "qualification.md").read_text("utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 10
    for text in examples:
        table = tomllib.loads(text)
        funnel = read_funnel(table.get("funnel", {}), lambda *told: pytest.fail(str(told)))
        assert funnel is not None
        fields = {"email", "first_name", "country", "industry", "employees", "job_title", "lead_source", *table.get("fields", {})}
        assert read_rulebook(table, funnel, fields, lambda name: name, lambda *told: pytest.fail(str(told))) is not None, text
