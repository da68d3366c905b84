"""What a qualification rule costs a person, once it is compiled."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Sequence

from stagesync.lifecycle.presets import default_funnel
from stagesync.lifecycle.rules.qualify import Rulebook, Subject
from stagesync.lifecycle.rules.rulebook import read_rulebook
from stagesync.model.records import Signal
from stagesync.model.stages import StageReading

from .table import Line

LIMIT_US = 30.0
DAY_MS = 86_400_000
NOW = 20_000 * DAY_MS

_TYPICAL = """
[[qualify]]
stage = "SAL"
when = 'company_domain and country in target_countries and industry in target_industries'
else_reason = "outside target"
"""
_SCORED = """
[[qualify]]
stage = "MQL"
when = 'score_fit + score_interest >= 40 and any("form", "e-book") and not has(job_title, "student", "intern")'
[[score]]
name = "fit"
points = 20
when = 'employees >= 50'
[[score]]
name = "interest"
points = 5
signal = "email_open"
half_life_days = 30
at_most = 25
"""
_SIX = _SCORED + "".join(
    f'[[qualify]]\nname = "{name}"\nstage = "sql"\nwhen = \'{when}\'\n'
    for name, when in {
        "bant": "budget > 1000 and authority and need and not blank(timing)",
        "asked": 'any("form", "title", "product") and days_since("form") < 30',
        "known": "company_domain and employees > 10",
        "patient": "days_in_stage > 14 and score_interest > 5",
        "regional": "country in target_countries or email_domain in target_accounts",
    }.items()
)
_FIELDS = ("email", "country", "industry", "employees", "job_title", "budget", "authority", "need", "timing")


def measure(people: int) -> Iterator[Line]:
    """So many people before each of three rulebooks."""
    subjects = [_subject(number) for number in range(people)]
    told = f"{people:,} people"
    for name, tables, rules in (("the condition of three parts", _TYPICAL, 1), ("scores and signals", _SCORED, 1), ("six rules, each", _SIX, 6)):
        book = _rulebook(tables)
        found = _us(book, subjects) / rules
        yield Line(f"qualification, {told}: {name}", f"{found:.1f} us a person", f"<= {LIMIT_US:g}", found <= LIMIT_US)


def _us(book: Rulebook, subjects: Sequence[Subject]) -> float:
    book.judge(subjects[0])  # the first one reads the lists of domains
    before = time.process_time()
    for subject in subjects:
        book.judge(subject)
    return (time.process_time() - before) / len(subjects) * 1e6


def _rulebook(tables: str) -> Rulebook:
    lists = {
        "target_countries": ["DE", "AT", "CH", "FR", "GB"],
        "target_industries": ["Software", "Media", "Banking"],
        "target_accounts": [f"company{number}.example" for number in range(1_000)],
    }
    mistakes: list[str] = []
    found = read_rulebook({**tomllib.loads(tables), "lists": lists}, default_funnel(), _FIELDS, str, lambda *told: mistakes.append(str(told)))
    if found is None or mistakes:
        raise ValueError(f"the rules of the bench are wrong: {mistakes}")
    return found


def _subject(number: int) -> Subject:
    values = {
        "email": f"anna.{number}@{'gmail.com' if number % 4 == 0 else f'company{number % 5_000}.example'}",
        "country": ("DE", "US", "FR", None)[number % 4],
        "industry": ("Software", "Retail")[number % 2],
        "employees": number % 200,
        "job_title": ("Head of Sales", "Student", "International Buyer")[number % 3],
        "budget": number % 5_000,
        "authority": number % 2 == 0,
        "need": True,
    }
    signals = [Signal("email_open", NOW - days * DAY_MS, "hubspot", str(days), {}) for days in range(number % 4)]
    form = Signal("form", NOW - number % 60 * DAY_MS, "hubspot", "form", {"title": "E-book: tea" if number % 2 else "Product"})
    return Subject(values, StageReading("lead"), 1, NOW - number % 30 * DAY_MS, [*signals, form], NOW)
