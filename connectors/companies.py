"""What systems have in common that keep companies as records: which of several it is, and what was found once in a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..model.companies import NONE_FOUND, SEVERAL_FOUND, By, Company, Found, Linked
from ..model.records import Native
from ..model.spelling import firm
from ..model.writes import Rejected

Finder = Callable[[Mapping[str, Company]], Mapping[str, Found]]
"""Looks for companies, and makes them if it may: by what each is known -> what became of it."""


class Candidate(NamedTuple):
    """A record that may be a company's. `values`: those of a person who is linked to it."""

    id: str
    name: str
    domain: str | None
    values: Mapping[str, Native]


class Known:
    """The companies that were found or made in this session. `link`: the native field with the link to one."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._found: dict[tuple[By, str | None], Linked] = {}

    def ask(self, wanted: Sequence[Company], by: By, find: Finder) -> list[Found]:
        """The record of each company, in their order; each is looked for once, under the name that came first."""
        asked: dict[str, Company] = {}
        for company in wanted:
            if (key := company.key(by)) is not None and (by, key) not in self._found:
                asked.setdefault(key, company)
        found = find(asked) if asked else {}
        self._found |= {(by, key): each for key, each in found.items() if isinstance(each, Linked)}
        nameless = Rejected(NONE_FOUND, f"nobody knows the company's {by}", self._link)
        return [self._found.get((by, company.key(by))) or found.get(company.key(by) or "", nameless) for company in wanted]


def choose(wanted: Mapping[str, Company], candidates: Iterable[Candidate], by: By, link: str) -> dict[str, Found]:
    """Which record each company's is: the only one that fits; of several with its domain the one that also has its name. Nothing is guessed."""
    known: dict[str, list[Candidate]] = {}
    for each in candidates:
        known.setdefault((each.domain if by == "domain" else firm(each.name)) or "", []).append(each)
    return {key: _chosen(company, known.get(key, ()), by, link) for key, company in wanted.items()}


def missing(wanted: Mapping[str, Company], found: Mapping[str, Found]) -> dict[str, Company]:
    """Those that have no record."""
    return {key: company for key, company in wanted.items() if isinstance(each := found[key], Rejected) and each.code == NONE_FOUND}


def _chosen(company: Company, fit: Sequence[Candidate], by: By, link: str) -> Found:
    named = [each for each in fit if firm(each.name) == firm(company.name)] if by == "domain" and len(fit) > 1 else fit
    if len(named) == 1:
        return Linked(named[0].id, named[0].values)
    if not fit:
        return Rejected(NONE_FOUND, "the company has no record there", link)
    return Rejected(SEVERAL_FOUND, f"{len(fit)} records may be the company's", link)
