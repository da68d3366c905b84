"""The examples of all presets: each file is a configuration as it stands, and each funnel is walked from end to end, with a way out and a way back in."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from case_office import DAY, EXAMPLES, TOKENS, Company, company, example

from stagesync.app.configuration.loading import load
from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.presets import PRESETS, preset
from stagesync.state.entries import EntryRow

ANNA = "anna@acme.example"
AFTER_THE_DEAL = {"hubspot": ["evangelist"], "mckinsey": ["loyalty"]}
"""What comes when somebody has bought; HubSpot tells it."""


@pytest.mark.parametrize("name", PRESETS)
def test_every_example_is_a_configuration(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each preset has a file that loads as it is, with its own funnel, rules that act, and signals that are kept."""
    for variable, value in TOKENS.items():
        monkeypatch.setenv(variable, value)
    config = load(EXAMPLES / f"{name}.toml")
    assert (config.funnel, config.signals) == (preset(name), True)
    assert config.rules is not None and {rule.mode for rule in config.rules.rules} <= {"apply", "hold"}


def test_the_table_of_cases_names_rules_that_there_are() -> None:
    """Every file and every rule that `docs/cases.md` names exists, and every rule of the files is named there."""
    rows = [line.split(" | ") for line in (EXAMPLES.parents[1] / "docs" / "cases.md").read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    named = {(re.findall(r"^\W*([a-z0-9-]+)", row[1])[0], rule) for row in rows for rule in re.findall(r"`([^`=]+)`", row[2])}
    there = {(name, str(rule["name"])) for name in PRESETS for rule in tomllib.loads(example(name))["qualify"]}
    words = {"hold", "score_fit", "social_post", "buying_signal", "feature_question", "service_remark"}
    assert (len(rows), {each for each in named if each[1] not in words}) == (18, there - {("siriusdecisions", "asked for a demo")})


def counterpart(funnel: Funnel, stage: str) -> list[str]:
    """The stage that stands for one of the default funnel, where there is one."""
    own = funnel.crosswalks["hubspot"].stages if funnel.crosswalks else {name: name for name in funnel.stages}
    return [name for name, other in own.items() if other == stage][:1]


def walk(acme: Company, line: list[str]) -> None:
    """One stage after the other, told by HubSpot and by Salesforce in turn, and seen in both."""
    for number, stage in enumerate(line):
        acme.clock.at += DAY
        if number % 2:
            acme.move_contact(ANNA, stage)
        else:
            acme.move_lead(ANNA, stage)
        acme.run()
        assert acme.contact(ANNA)["lifecyclestage"] == acme.stage_values[stage]
        assert acme.lead(ANNA)["Status"] == acme.statuses[stage]
        assert (acme.person(ANNA).stage, acme.person(ANNA).side) == (stage, None)


def dated(stays: list[EntryRow]) -> list[int]:
    """When each stay began: at the vendor, as known of whatever somebody did and of a deal that was won; by the run that saw it where a deal was opened."""
    assert all(stay.entered_at is not None for stay in stays if stay.actor is not None or stay.stage in ("customer", "won", "purchase", "order_received"))
    return [stay.entered_seen if stay.entered_at is None else stay.entered_at for stay in stays]


@pytest.mark.parametrize("name", PRESETS)
def test_the_whole_line_twice(tmp_path: Path, name: str) -> None:
    """Somebody walks the line forward, is disqualified with a reason, recycled, comes back in a second pass with dates of its own, and buys."""
    funnel = preset(name)
    with company(tmp_path, name) as acme:
        line = [column[0].id for column in funnel.columns if column[0].id in acme.statuses]
        acme.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Ash", "lifecyclestage": acme.stage_values[line[0]]})
        acme.settle()
        assert acme.lead(ANNA)["Status"] == acme.statuses[line[0]]
        walk(acme, line[1:])
        last = line[-1]

        acme.move_lead(ANNA, "disqualified", Status_Reason__c="No budget")
        acme.settle()
        assert (acme.contact(ANNA)["hs_lead_status"], acme.contact(ANNA)["disqualified_reason"]) == ("UNQUALIFIED", "No budget")
        assert acme.person(ANNA).reason == "No budget"
        acme.clock.at += 90 * DAY
        acme.move_contact(ANNA, hs_lead_status="RECYCLED", disqualified_reason="Not ready")
        acme.settle()
        assert (acme.lead(ANNA)["Status"], acme.lead(ANNA)["Status_Reason__c"]) == ("Recycled", "Not ready")

        walk(acme, line[1:])
        assert not acme.contact(ANNA).get("hs_lead_status")
        deal = acme.sell(ANNA)
        acme.settle()
        acme.crm.set_stage(deal, "Closed Won")
        acme.settle()
        bought = [*counterpart(funnel, "opportunity"), *counterpart(funnel, "customer")]
        for stage in AFTER_THE_DEAL.get(name, []):
            acme.move_contact(ANNA, stage)
            acme.settle()
            bought.append(stage)
        assert acme.contact(ANNA)["lifecyclestage"] == acme.stage_values[bought[-1]]

        second = [f"2: {stage}" for stage in (*line[1:], *bought)]
        assert acme.passed(ANNA) == [*line, f"{last}, disqualified", f"{last}, recycled", *second]
        stays = acme.stays(ANNA)
        times = dated(stays[1:])
        assert times == sorted(times)
        again = len(line) + 1  # stays before the second pass, but for the first, whose date nobody knows
        assert times[again] - times[again - 1] >= DAY * 1000 and times[again] - times[0] > 90 * DAY * 1000
        counted = acme.report().whole
        assert (counted.passes.begun, counted.passes.again, counted.passes.rejected) == (2, 1, 1)
        assert [(row.entered, row.end) for row in counted.volume if row.id == bought[-1]] == [(1, 1)]
        assert acme.run().writes == 0
