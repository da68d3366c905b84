"""Qualification rules: the language of their conditions, what they say of people, scores that fade, and when to look again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from hypothesis import given
from hypothesis import strategies as st

from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.presets import preset
from stagesync.lifecycle.rules.domains import Domains, domain_of
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
    told: list[str] = []

    def read(name: str) -> str:
        if files is None or name not in files:
            raise FileNotFoundError(2, "No such file", name)
        return files[name]

    own = tomllib.loads(tables) if isinstance(tables, str) else tables
    read_rulebook({"lists": LISTS, **own}, preset("handoff"), FIELDS, read, lambda path, what, remedy: told.append(f"{path}: {what}. {remedy}"))
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


TRUE = [
    "true",
    "not false",
    "company_domain and country in target_countries and industry in target_industries",
    "company_domain == true",
    'email_domain == "acme.example"',
    "not free_mail and not disposable",
    'country == "de"',
    "country in ['de', 'CH']",
    'country not in ["FR"]',
    'first_name < "Berta"',
    "employees in sizes",
    "employees >= 50 and 49 < employees and employees != 49",
    "employees * 2 - 1 > 98.5",
    "(employees + 10) / 2 == 30",
    "employees > -1",
    "lead-score + 1 == 8",
    "authority and not budget",
    "blank(budget) and not blank(country)",
    "not (country == 'FR' or employees < 10)",
    "country == 'FR' or (employees > 10 and authority)",
    "not (budget > 10)",
    'contains(job_title, "chief", "SALES")',
    'has(job_title, "sales manager")',
    'has(products, "crm") and not has(products, "er")',
    'not has(job_title, "intern")',
    "revenue > 1000 and revenue - 1 < employees * 100 and revenue in [5, 1250.5]",
    "stage == 'MQL' and blank(side) and pass_no == 1",
    "days_in_stage == 10",
    "days_since(demo_date) > 0",
    'first_name == "A\\"nna" or "Anna" == first_name',
]
FALSE = [
    "false",
    "budget",
    "budget > 10",
    "budget <= 10",
    "budget == 10",
    "budget != 10",
    'budget in ["x"]',
    'budget not in ["x"]',
    "budget + 1 > 0",
    "country in sizes",
]


@pytest.mark.parametrize("condition", TRUE)
def test_conditions_that_hold(condition: str) -> None:
    """Names, texts in any case, numbers, lists, sums and calls mean what they say."""
    assert holds(condition)


@pytest.mark.parametrize("condition", FALSE)
def test_nothing_is_true_of_a_blank(condition: str) -> None:
    """Whatever is compared with a blank is not so, whichever way; neither is what cannot be compared."""
    assert not holds(condition)


SIGNALS = [
    signal("form", 2, title="E-Book: Tea", page="/offer"),
    signal("form", 5, title="Newsletter"),
    *(signal("email_open", days) for days in (1, 2, 3, 40, 50)),
    signal("call", 3, outcome="Connected", minutes=12),
    signal("call", 9, outcome="busy"),
]


@pytest.mark.parametrize(
    "condition",
    [
        'any("form", "e-book") and any("FORM", "newsletter") and count("email_open") >= 5 and not any("visit")',
        'count("form") == 2 and count("form", "tea") == 1 and count("form", "title", "tea") == 1 and count("form", "page", "tea") == 0',
        'days_since("form") == 2 and days_since("form", "newsletter") == 5',
        'last("call", "outcome") == "connected" and last("call", "minutes") > 10',
        'not (days_since("visit") > 3) and not (days_since("visit") < 3)',
        'blank(last("visit", "page")) or true',
    ],
)
def test_signals_are_counted_and_looked_into(condition: str) -> None:
    """Kinds and texts in any case, in any attribute or in one; the last of a kind; days since, which are blank where nothing happened."""
    if "blank(last" in condition:
        assert mistakes({"qualify": [{"stage": "sal", "when": condition}]})
    else:
        assert holds(condition, subject(signals=SIGNALS))


def test_signals_of_the_future_do_not_count_yet() -> None:
    """A clock that runs ahead at the vendor is no evidence before its time."""
    ahead = [Signal("form", NOW + 1, "test", "1")]
    assert not holds('any("form")', subject(signals=ahead))
    assert holds('any("form")', subject(signals=ahead, now=NOW + 1))


MISTAKES = [
    ("cuntry == 'DE'", "qualify[0].when: at sign 1 (\"cuntry == 'DE'\"): there is no 'cuntry'. Did you mean country?"),
    ("country in tagret_countries", "there is no 'tagret_countries'. Did you mean target_countries"),
    ("country == null", "nothing can be compared with null. Write blank(budget)"),
    ('country = "DE"', 'at sign 9 ("= "DE""): \'=\' cannot stand here. Write == to compare'),
    ("country && budget", "Write and"),
    ("!country", "Write not"),
    ("country.upper", "A name has no parts"),
    ("country and", "at its end: something is missing here"),
    ("", "is not a condition"),
    ("and country", 'at sign 1 ("and country"): something is missing here'),
    ("(country", "the parenthesis is never closed"),
    ("country)", "at sign 8 (\")\"): ')' is one too many"),
    ("10 < employees < 50", "compares twice. Write 10 < employees and employees < 50"),
    ("employees > '10'and employees + '1' > 3", "compares a number with text"),
    ("country in ['DE', 1]", "compares a number with text"),
    ("country in []", "a list must stand behind in"),
    ("country in employees", "a list must stand behind in. Write in"),
    ("'chief' in job_title", "one value alone must stand before in"),
    ("target_countries", "'target_countries' is a list. Write country in target_countries"),
    ("count('form', 'a', 'b', 'c') > 1", 'count cannot be used so. Write count("form")'),
    ("count > 1", "'count' needs to know of what"),
    ("cont('form') > 1", "there is no cont(...). Did you mean count"),
    ("contains('x', job_title)", "contains cannot be used so"),
    ("contains(job_title)", "contains cannot be used so"),
    ("blank('x')", "blank cannot be used so"),
    ("any('form',)", "something is missing here"),
    ("any('form' 'x')", "'x' cannot stand here"),
    ("'form'", "'form' stands alone. Compare something with it"),
    ("employees ** 2 > 3", "is no comparison"),
    ("employees >", "is no comparison"),
    ("country 'DE'", "is no comparison"),
    ("(country and budget) == true", "cannot stand inside of a comparison"),
    ("score_fit > 3", "there is no 'score_fit'"),
    ('"open', "Close the quotes"),
    ("country == 'a\\n'", "Close the quotes"),
    ("employees > 10€", "cannot stand here"),
    ("[employees for country in sizes]", "there is no 'for'"),
    ("__import__('os')", "there is no __import__(...)"),
    ("(" * 60 + "country" + ")" * 60, "goes too deep"),
    ("not " * 60 + "country", "goes too deep"),
    ("country and " * 300 + "country", "2,000 are the most"),
]


@pytest.mark.parametrize(("condition", "said"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_are_told_with_their_place(condition: str, said: str) -> None:
    """Each is told once, with the TOML path, where in the condition, and what to write instead."""
    told = mistakes({"qualify": [{"stage": "sal", "when": condition}]})
    assert len(told) == 1
    assert said in told[0]


def test_all_mistakes_of_the_tables_are_told_at_once() -> None:
    """Unknown keys, places, modes, names and numbers, each with its path, and no exception whatever stands there."""
    told = mistakes(
        """
        [[qualify]]
        stage = "SLA"
        when = "true"
        [[qualify]]
        stage = "sal"
        mod = "apply"
        mode = "always"
        from = ["mqls", "disqualified", "sal"]
        else_side = "mql"
        reason = "x"
        when = "true"
        [[qualify]]
        stage = "SAL"
        [[qualify]]
        stage = "recycled"
        when = "true"
        from = []
        [[qualify]]
        name = "x"
        stage = "nurture"
        when = "true"
        [[score]]
        name = "a b"
        points = 3
        when = "true"
        [[score]]
        name = "fit"
        points = true
        half_life_days = 0
        [[score]]
        name = "interest"
        points = 1
        signal = "form"
        when = 'count("form") > 1'
        half_life_days = -1
        at_most = "x"
        [lists]
        country = ["DE"]
        mixed = ["DE", 1]
        gone = { file = "no.txt" }
        """
    )
    paths = [each.partition(":")[0] for each in told]
    assert sorted(paths) == sorted(
        [
            "qualify[0].stage",
            "qualify[1].mod",
            "qualify[1].mode",
            "qualify[1].from",
            "qualify[1].from",
            "qualify[1].from",
            "qualify[1].else_side",
            "qualify[1].reason",
            "qualify[2].when",
            "qualify[2]",
            "qualify[3].from",
            "qualify[4].from",
            "score[0].name",
            "score[1]",
            "score[1].half_life_days",
            "score[1].half_life_days",
            "score[1].points",
            "score[2].when",
            "score[2].half_life_days",
            "score[2].at_most",
            "lists.country",
            "lists.mixed",
            "lists.gone",
        ]
    )
    assert any("qualify[0].stage: there is no stage, group or side state 'SLA'. Did you mean sql, sal" in each for each in told)
    for odd in (
        {"qualify": 3},
        {"qualify": [3]},
        {"score": {}},
        {"lists": 3},
        {"lists": {"a": {}}},
        {"qualify": [{"stage": 3, "when": 3, "name": "", "from": 3}]},
    ):
        assert mistakes(odd)


def test_a_list_is_read_from_a_file() -> None:
    """One value a line; blank lines and what stands behind # are left out."""
    own = {"qualify": [{"stage": "sal", "when": "email_domain in accounts"}], "lists": {"accounts": {"file": "a.txt"}}}
    assert mistakes(own, {"a.txt": "# ours\n\n ACME.example # big\n"}) == []
    found = read_rulebook(own, preset("handoff"), FIELDS, {"a.txt": "# ours\n\n ACME.example # big\n"}.__getitem__, lambda *told: pytest.fail(str(told)))
    assert found is not None
    assert found.judge(subject()).verdicts[0].outcome == "yes"


def test_whose_address_it_is() -> None:
    """Free mail and thrown-away addresses are known by kept lists, with their subdomains, and the configuration has the last word."""
    domains = Domains(frozenset({"mail.acme.example"}), frozenset({"trash.example"}), frozenset({"gmx.de"}))
    assert [domain_of(each) for each in ("A@Gmail.COM", "nobody", None, "a@", 3)] == ["gmail.com", None, None, None, None]
    assert all(map(domains.is_free, ("gmail.com", "docomo.ne.jp", "mail.acme.example", "x.gmail.com")))
    assert all(map(domains.is_disposable, ("mailinator.com", "trash.example", "x.mailinator.com")))
    assert all(map(domains.is_company, ("acme.example", "gmx.de")))
    assert not any(map(domains.is_company, ("gmail.com", "mailinator.com", None)))
    corrected = rulebook({"qualify": [{"stage": "sal", "when": "company_domain"}], "lists": {"free_mail": ["Acme.example"]}})
    assert corrected.judge(subject()).verdicts[0].outcome == "no"


FITS = """
[[qualify]]
name = "fits"
stage = "SAL"
when = 'company_domain and country in target_countries'
else_reason = "outside target"
mode = "apply"
"""


def test_whom_a_rule_concerns() -> None:
    """Everybody before its stage, people without a stage too; nobody at or behind it, beside the line, or in a rejection."""
    yes = Verdict("fits", "apply", "yes", StageReading("sal"), "business development", "")
    assert [one(FITS, subject(place=place)) for place in (None, "lead", "mql")] == [yes] * 3
    assert [one(FITS, subject(place=place)) for place in ("sal", "sql", "customer", "unknown")] == [None] * 4
    for side in ("disqualified", "unresponsive", "churned", "recycled", "unknown"):
        assert one(FITS, subject(place=StageReading("mql", side))) is None
    assert one(FITS, subject({**ANNA, "email": "anna@gmail.com"})) == Verdict("fits", "apply", "no", None, "business development", "outside target")


def test_parallel_stages_are_not_before_each_other() -> None:
    """A rule for MQL is not about people who came in as PQL, and a group's name claims its first stage."""
    rule = '[[qualify]]\nstage = "{}"\nwhen = "true"\nmode = "apply"'
    assert one(rule.format("Marketing Qualified Lead"), subject(place="pql"), "hubspot") is None
    assert one(rule.format("mql"), subject(place="aql"), "waterfall-2012") is None
    verdict = one(rule.format("MQL"), subject(place="inquiry"), "waterfall-2012")
    assert verdict is not None
    assert verdict.place == StageReading("aql")


def test_from_names_stages_groups_sides_and_nobodys() -> None:
    """Who is named is concerned, and nobody else."""
    rule = '[[qualify]]\nstage = "sql"\nwhen = "stage in mql or blank(stage) or side == \'recycled\'"\nfrom = ["MQL", "none", "Recycled"]'
    assert [one(rule, subject(place=place), "waterfall-2012") is not None for place in ("aql", "tgl", None, "inquiry", "sal")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert one(rule, subject(place=StageReading("sal", "recycled")), "waterfall-2012") is not None
    assert one(rule, subject(place=StageReading("aql", "nurture")), "waterfall-2012") is None


def test_rules_put_people_aside_with_a_reason() -> None:
    """A rule that leads to a side state keeps the stage; so does the other outcome of one that names a side state for it."""
    intern = (
        '[[qualify]]\nstage = "Disqualified"\nfrom = ["sal"]\nreason = "No authority"\nmode = "apply"\nwhen = "has(job_title, \'intern\') and not authority"'
    )
    verdict = one(intern, subject({"job_title": "Intern, research"}, "sal"))
    assert verdict == Verdict("disqualified", "apply", "yes", StageReading(None, "disqualified", "No authority"), "", "No authority")
    rule = FITS + 'else_side = "ineligible"'
    assert one(rule, subject({})) == Verdict(
        "fits", "apply", "no", StageReading(None, "ineligible", "outside target"), "business development", "outside target"
    )


def test_who_comes_again_needs_something_new() -> None:
    """Somebody recycled is concerned by rules that look at signals, and only what happened since they were put aside counts."""
    rule = '[[qualify]]\nstage = "mql"\nwhen = "any(\'form\')"\nmode = "apply"\nelse_side = "disqualified"'
    recycled = StageReading("sal", "recycled", "Not ready")
    old, new = signal("form", 6), signal("form", 1)
    aside: dict[str, Any] = {"place": recycled, "aside_since": NOW - 3 * DAY_MS}
    found = [one(rule, subject(signals=signals, **aside)) for signals in ([old], [new, old])]
    assert [(each.outcome, each.place) for each in found if each is not None] == [("no", None), ("yes", StageReading("mql"))]
    assert one(rule, subject(place=recycled, signals=[new], since=None)) is None
    assert one(FITS, subject(**aside)) is None


def test_what_cannot_be_compared_is_told_and_rejects_nobody() -> None:
    """A number beside a text makes neither an error nor a rejection, and by a `not` nobody gets further."""
    rules = rulebook(
        """
        [[qualify]]
        name = "a"
        stage = "sal"
        when = 'employees > 10'
        else_side = "disqualified"
        mode = "apply"
        [[qualify]]
        name = "b"
        stage = "sal"
        when = 'not (employees > 10)'
        [[qualify]]
        name = "c"
        stage = "sal"
        when = 'employees > 10 or country == "DE"'
        """
    )
    judgement = rules.judge(subject({"employees": "many", "country": "DE"}))
    assert [(each.outcome, each.place) for each in judgement.verdicts] == [("no", None), ("no", None), ("yes", StageReading("sal"))]
    assert judgement.troubles == tuple((name, "employees > 10 compares a number with text") for name in "abc")
    told = rules.explain(subject({"employees": "many"}))[0].tests[0]
    assert (told.holds, told.value) == (False, 'employees is "many" (compares a number with text)')


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


def test_scores_add_up_and_fade() -> None:
    """Rows of one name add up, one kind of signal counts no more than its limit, and points halve until they are gone."""
    rules = rulebook(SCORED)
    opened = [signal("email_open", days) for days in (0, 10, 20)]
    points = rules.points(subject(signals=[*opened, signal("form", 50, Title="The E-Book"), signal("form", 50, title="x")]))
    assert points == {"fit": 20.0, "interest": 5 + 2.5 + 1.25 + 8}
    assert rules.points(subject(signals=[signal("email_open", 0, n=number) for number in range(9)]))["interest"] == 12
    assert rules.points(subject({}, signals=[signal("email_open", 67)])) == {"fit": 0, "interest": 0}
    assert rules.points(subject({}, signals=[signal("email_open", 66)]))["interest"] > 0.05


def test_the_next_look_is_exact_and_ends() -> None:
    """Days and fading scores are looked at on the day on which they pass the number, and never again after that."""
    days = rulebook({"qualify": [{"stage": "sal", "when": "days_in_stage > 14 and employees > 1"}]})
    review = days.judge(subject()).review_at
    assert review == NOW + 5 * DAY_MS
    assert days.judge(subject(now=review)).verdicts[0].outcome == "yes"
    assert days.judge(subject(now=review - 1)).verdicts[0].outcome == "no"
    assert days.judge(subject(now=review)).review_at is None
    assert days.judge(subject(since=None)).review_at is None
    fading = rulebook(SCORED.replace("score_fit + score_interest >= 30", "score_interest >= 5"))
    review = fading.judge(subject(place="lead", signals=[signal("email_open", 0), signal("email_open", 1)])).review_at
    assert review == NOW + 10 * DAY_MS
    assert fading.judge(subject(place="lead", signals=[signal("form", 1)])).review_at is None
    summed = rulebook(SCORED).judge(subject(place="lead", signals=[signal("email_open", 1)]))
    assert summed.review_at == NOW + DAY_MS
    assert rulebook(SCORED).judge(subject(place="lead", signals=[signal("email_open", 67)])).review_at is None
    assert rulebook(FITS).judge(subject()).review_at is None


def test_who_has_bought_comes_in_again_by_what_happened_since() -> None:
    """A customer's old wish is answered, a new one lets them in at an entry, also by a rule that looks at days; other rules know all that ever happened."""
    tables = """
        [[qualify]]
        stage = "service_qualified"
        from = ["customer"]
        when = 'any("remark", "upgrade") and days_since("remark") < 90'
        mode = "apply"
        [[qualify]]
        stage = "evangelist"
        when = 'any("remark") and any("form")'
        mode = "apply"
    """
    rules = rulebook(tables, preset("hubspot"))
    for days_ago, since, outcome in ((11, 10, "no"), (9, 10, "yes"), (9, None, "no")):
        anna = subject(place="customer", since=since and NOW - since * DAY_MS, signals=[signal("remark", days_ago, text="upgrade"), signal("form", 300)])
        again, further = rules.judge(anna).verdicts
        assert (again.mode, again.outcome, further.outcome) == ("apply", outcome, "yes")
        assert [each.outcome for each in rules.explain(anna)] == [outcome, "yes"]


def test_time_alone_never_lowers_anybody() -> None:
    """A rule that depends on time asks before it puts somebody aside or back, whatever its mode; forward it may go."""
    aside = '[[qualify]]\nstage = "recycled"\nfrom = ["mql"]\nwhen = "days_in_stage > 5"\nmode = "apply"'
    verdict = one(aside, subject())
    assert verdict is not None
    assert (verdict.mode, verdict.outcome) == ("hold", "yes")
    rejecting = one(SCORED.replace('mode = "apply"', 'mode = "apply"\nelse_side = "recycled"'), subject({}, "lead"))
    assert rejecting is not None
    assert (rejecting.mode, rejecting.outcome) == ("hold", "no")
    forward = one(aside.replace('"recycled"', '"sal"'), subject())
    assert forward is not None
    assert (forward.mode, forward.outcome) == ("apply", "yes")


def test_explain_shows_each_part_with_its_value() -> None:
    """Parts of an `and` one below the other, those of an `or` or a `not` further in, all looked at; and why a rule does not concern somebody."""
    condition = "company_domain and (country == 'FR' or employees + 1 > 40 and authority) and not budget"
    told = rulebook({"qualify": [{"stage": "sal", "when": condition, "name": "x"}]}).explain(subject(place="sql"))[0]
    assert [tuple(each) for each in told.tests] == [
        ("company_domain", "is true", True, 0),
        ("one of these:", "", True, 0),
        ("country == 'FR'", 'country is "DE"', False, 1),
        ("all of these:", "", True, 1),
        ("employees + 1 > 40", "employees is 50", True, 2),
        ("authority", "is true", True, 2),
        ("not this:", "", True, 0),
        ("budget", "is blank", False, 1),
    ]
    assert (told.outcome, told.verdict, told.why_not) == ("yes", None, "it is not about people at sql")


def test_the_digest_changes_with_the_meaning() -> None:
    """Another condition, list or order is another rulebook; the same text is the same."""
    digests = [rulebook(text).digest for text in (FITS, FITS, FITS.replace("SAL", "SQL"), FITS + '[lists]\ntarget_countries = ["FR"]')]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_the_digest_is_the_same_in_every_process() -> None:
    """The order in which a process keeps its sets is its own, so nothing of it is in the digest."""
    folders = [str(Path(__file__).parent), str(ROOT / "tests" / "workshop")]
    code = f"import sys; sys.path[:0] = {folders!r}; from test_qualify import SCORED, rulebook; print(rulebook(SCORED).digest)"
    seeds = [{**os.environ, "PYTHONHASHSEED": seed} for seed in ("1", "2")]
    digests = {subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env).stdout.strip() for env in seeds}
    assert digests == {rulebook(SCORED).digest}


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**17, 10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["DE", "10", "", "a@gmail.com", "2024-02-30", "\ud800"]),
)
NAMES = st.sampled_from(
    [
        "country",
        "employees",
        "budget",
        "email_domain",
        "company_domain",
        "days_in_stage",
        "stage",
        "score_interest",
        "score_fit",
        "lead-score",
        "pass_no",
        "demo_date",
    ]
)
OPERANDS = st.one_of(
    NAMES,
    st.integers(-99, 99).map(str),
    st.just("2.5"),
    st.just("'DE'"),
    st.just("true"),
    st.sampled_from(["count('form')", "days_since('form', 'x')", "last('form', 'title')"]),
)
LEAVES = st.one_of(
    NAMES,
    st.tuples(OPERANDS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), OPERANDS).map(" ".join),
    st.tuples(OPERANDS, st.sampled_from("+-*/"), OPERANDS, st.sampled_from(["==", "<", ">"]), OPERANDS).map(" ".join),
    st.tuples(NAMES, st.sampled_from([" in ", " not in "]), st.sampled_from(["target_countries", "sizes", "['DE', 'x']", "[1, 2.5]"])).map("".join),
    st.sampled_from(["contains(country, 'e')", "has(country, 'de')", "blank(budget)", "any('form', 'title', 'x')", "days_since(demo_date) > 3"]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join).map("({})".format), inner.map("not {}".format)),
    max_leaves=6,
)
SIGNAL_LISTS = st.lists(
    st.builds(
        lambda kind, days, value: Signal(kind, NOW - round(days * DAY_MS), "test", f"{kind}{days}", {"title": value}),
        st.sampled_from(["form", "email_open"]),
        st.floats(-5, 90),
        VALUES,
    ),
    max_size=5,
)


@given(CONDITIONS, st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES)), SIGNAL_LISTS, st.sampled_from([None, NOW - DAY_MS, NOW + DAY_MS]))
def test_no_mix_of_values_raises(condition: str, values: Mapping[str, Value], signals: Sequence[Signal], since: int | None) -> None:
    """Whatever a condition that can be read meets, there is an outcome, `explain` tells the same one, and the next look lies ahead."""
    told: list[str] = []
    own = tomllib.loads(SCORED) | {"qualify": [{"stage": "sal", "when": condition, "mode": "apply"}], "lists": LISTS}
    rules = read_rulebook(own, preset("handoff"), FIELDS, str, lambda *each: told.append(str(each)))
    if rules is None or told:
        assert all("compares" in each for each in told)
        return
    person = subject(values, "mql", signals, since=since)
    judgement = rules.judge(person)
    assert [each.verdict for each in rules.explain(person)] == list(judgement.verdicts)
    assert judgement.review_at is None or judgement.review_at > NOW


@given(st.text(max_size=40) | CONDITIONS.map(lambda text: text[: len(text) // 2]))
def test_whatever_is_written_is_read_or_told(condition: str) -> None:
    """Any text at all is a condition, or one mistake with a remedy."""
    told = mistakes({"qualify": [{"stage": "sal", "when": condition}]})
    assert len(told) <= 1
    assert all(each.startswith("qualify[0].when: ") for each in told)


@given(SIGNAL_LISTS, st.integers(0, 200), st.integers(1, 40), st.sampled_from(["", "\nelse_side = 'recycled'"]))
def test_a_faded_score_never_promotes_and_never_rejects(signals: Sequence[Signal], later: int, number: int, aside: str) -> None:
    """While nothing happens, no no becomes a yes, and nobody is put aside by a rule's own doing."""
    rules = rulebook(SCORED.replace("score_fit + score_interest >= 30", f"score_interest >= {number}").replace('"apply"', f'"apply"{aside}'))
    past = [each for each in signals if each.at <= NOW]
    first, second = (rules.judge(subject(place="lead", signals=past, now=NOW + days * DAY_MS)) for days in (0, later))
    assert (first.verdicts[0].outcome, second.verdicts[0].outcome) != ("no", "yes")
    assert second.verdicts[0].outcome == "yes" or second.verdicts[0].place is None or second.verdicts[0].mode == "hold"


@given(
    SIGNAL_LISTS, st.integers(1, 40), st.sampled_from([">", ">=", "<", "<="]), st.sampled_from(["score_interest", "days_since('email_open')", "days_in_stage"])
)
def test_no_change_is_missed_between_two_looks(signals: Sequence[Signal], number: int, relation: str, name: str) -> None:
    """From one look to the next, the outcome stays as it is on every day; and the looks end."""
    rules = rulebook(SCORED.replace("score_fit + score_interest >= 30", f"{name} {relation} {number}"))
    past, now, looks = [each for each in signals if each.at <= NOW], NOW, 0
    while (review := rules.judge(subject(place="lead", signals=past, now=now)).review_at) is not None:
        outcome = rules.judge(subject(place="lead", signals=past, now=now)).verdicts[0].outcome
        for day in range(now, review - DAY_MS, DAY_MS):
            assert rules.judge(subject(place="lead", signals=past, now=day)).verdicts[0].outcome == outcome
        now, looks = review, looks + 1
        assert looks < 200
    last = rules.judge(subject(place="lead", signals=past, now=now)).verdicts[0].outcome
    assert rules.judge(subject(place="lead", signals=past, now=now + 900 * DAY_MS)).verdicts[0].outcome == last


def test_the_example_configuration_shows_every_key() -> None:
    """Each key of a rule and of a score stands in the example file."""
    from stagesync.lifecycle.rules.rulebook import RULE_KEYS, SCORE_KEYS

    text = (ROOT / "config.example.toml").read_text("utf-8")
    part = text.partition("\n[[qualify]]")[2].partition("# -----")[0]
    assert all(re.search(rf"^#?{key} = ", part, re.MULTILINE) for key in (*RULE_KEYS, *SCORE_KEYS))
