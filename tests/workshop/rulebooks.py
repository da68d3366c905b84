"""Rulebooks of a company, its Anna, and what the rules say of her."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from slips import told_by

from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.presets import preset
from stagesync.lifecycle.rules.qualify import Rulebook, Subject, Verdict
from stagesync.lifecycle.rules.rulebook import read_rulebook
from stagesync.lifecycle.rules.terms import DAY_MS
from stagesync.model.records import Signal, Value
from stagesync.model.stages import StageReading

NOW = 20_000 * DAY_MS
FIELDS = ("email", "first_name", "country", "industry", "employees", "budget", "authority", "job_title", "products", "demo_date", "lead-score", "revenue")
LISTS = {"target_countries": ["DE", "AT"], "target_industries": ["Software", "Media"], "sizes": [10, 50]}
ANNA: Mapping[str, Value] = {
    "email": "Anna@Acme.example",
    "first_name": "Anna",
    "country": "DE",
    "industry": "SOFTWARE",
    "employees": 50,
    "authority": True,
    "job_title": "International Sales Manager",
    "products": "CRM;ERP light",
    "demo_date": "2024-09-01",
    "lead-score": 7,
    "revenue": "1250.50",
}


def rulebook(tables: str | Mapping[str, Any], funnel: Funnel | None = None) -> Rulebook:
    """The rules of these tables, which have no mistake."""
    own = tomllib.loads(tables) if isinstance(tables, str) else tables
    found = read_rulebook({"lists": LISTS, **own}, funnel or preset("handoff"), FIELDS, pytest.fail, lambda *told: pytest.fail(str(told)))
    assert found is not None
    return found


def mistakes(tables: str | Mapping[str, Any], files: Mapping[str, str] | None = None) -> list[str]:
    """All that is told of these tables."""

    def read(name: str) -> str:
        if files is None or name not in files:
            raise FileNotFoundError(2, "No such file", name)
        return files[name]

    own = tomllib.loads(tables) if isinstance(tables, str) else tables
    _, told = told_by(lambda tell: read_rulebook({"lists": LISTS, **own}, preset("handoff"), FIELDS, read, tell))
    return told


def subject(values: Mapping[str, Value] = ANNA, place: StageReading | str | None = "mql", signals: Sequence[Signal] = (), **more: Any) -> Subject:
    """One person, who came where they are ten days ago."""
    standing = place if isinstance(place, StageReading) else StageReading(place)
    given_ = {"pass_no": 1, "since": NOW - 10 * DAY_MS, "now": NOW, **more}
    return Subject(values=values, place=standing, signals=signals, **given_)


def signal(kind: str, days_ago: float = 1, **attributes: Value) -> Signal:
    """One that happened so many days ago."""
    return Signal(kind, NOW - round(days_ago * DAY_MS), "test", f"{kind}{days_ago}{attributes}", attributes)


def holds(condition: str, of: Subject | None = None) -> bool:
    """Whether a condition holds for somebody at MQL."""
    verdicts = rulebook({"qualify": [{"stage": "sal", "when": condition}]}).judge(of or subject()).verdicts
    assert len(verdicts) == 1
    return verdicts[0].outcome == "yes"


def one(tables: str, of: Subject, funnel: str = "handoff") -> Verdict | None:
    """What the only rule says, if it concerns the person."""
    verdicts = rulebook(tables, preset(funnel)).judge(of).verdicts
    assert len(verdicts) <= 1
    return verdicts[0] if verdicts else None


FITS = """
[[qualify]]
name = "fits"
stage = "SAL"
when = 'company_domain and country in target_countries'
else_reason = "outside target"
mode = "apply"
"""
SCORED = """
[[qualify]]
stage = "mql"
when = "score_fit + score_interest >= 30"
mode = "apply"
[[score]]
name = "fit"
points = 20
when = "country in target_countries"
[[score]]
name = "interest"
points = 5
signal = "Email_open"
half_life_days = 10
at_most = 12
[[score]]
name = "interest"
points = 8
signal = "form"
when = "contains(title, 'e-book')"
"""
