"""The names that a condition can use, and what they stand for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .domains import Domains, domain_of
from .scores import Score
from .terms import Case, Days, Term

DOMAIN_LISTS = ("free_mail", "disposable", "company_domains")
"""Lists of the configuration that correct the kept ones instead of standing for themselves."""

_SINCE = Days(lambda case: case.subject.since)

_STANDING: Mapping[str, Term] = {
    term.text: term
    for term in (
        Term("stage", lambda case: case.subject.place.stage),
        Term("side", lambda case: case.subject.place.side),
        Term("reason", lambda case: case.subject.place.reason),
        Term("pass_no", lambda case: case.subject.pass_no),
        Term("days_in_stage", _SINCE.count, _SINCE),
    )
}

BUILT_IN = (*_STANDING, "email_domain", "company_domain", "free_mail", "disposable")
"""Names that mean the same in every configuration. A field of that name cannot be used in conditions."""


def built_in(domains: Domains) -> Mapping[str, Term]:
    """The built-in names; `domains`: whose an e-mail address is."""

    def domain(case: Case) -> str | None:
        return domain_of(case.values.get("email"))

    return {
        **_STANDING,
        "email_domain": Term("email_domain", domain),
        "company_domain": Term("company_domain", lambda case: domains.is_company(domain(case))),
        "free_mail": Term("free_mail", lambda case: domains.is_free(domain(case))),
        "disposable": Term("disposable", lambda case: domains.is_disposable(domain(case))),
    }


def field_terms(fields: Collection[str]) -> Mapping[str, Term]:
    """The canonical fields."""
    return {name: _field(name) for name in fields}


def score_term(score: Score) -> Term:
    """A score, as `score_NAME`."""
    return Term(f"score_{score.name}", score.total, score if score.ages else None, score.looks_at_signals)


def _field(name: str) -> Term:
    return Term(name, lambda case: case.values.get(name))
