"""The language of conditions: what holds, what is never true of a blank, what counts of the signals, and what is told of a mistake."""

from __future__ import annotations

import pytest
from rulebooks import NOW, holds, mistakes, rulebook, signal, subject

from stagesync.lifecycle.rules.domains import Domains, domain_of
from stagesync.model.records import Signal

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
