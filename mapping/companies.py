"""Companies as records of their own: how a system links people to them.

[systems.salesforce.companies]
by = "domain"                        # or "name": by what a company's record is looked for
missing = "make"                     # or "leave": what becomes of people whose company has no record there

The field that holds the link comes with the connector's default maps. A company is told as one text, `Acme Inc <acme.example>` (`model.companies`); which
record that is in the account, only the connector can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..model.companies import FIELD, By, read_company
from ..model.records import Native, Value
from .fields import Silent
from .maps import CompanyRules, Writer
from .problems import Problems, closest
from .text import as_text

if TYPE_CHECKING:
    from .places import System

_WORDS: Mapping[str, tuple[str, ...]] = {"by": ("domain", "name"), "missing": ("make", "leave")}


def company_rules(system: System, problems: Problems) -> CompanyRules | None:
    """What `[systems.NAME.companies]` says; None without it."""
    path = f"systems.{system.name}.companies"
    if "companies" not in system.given.overrides:
        return None
    table = problems.table(path, system.given.overrides["companies"])
    for key in table:
        if key not in _WORDS:
            problems.add(f"{path}.{key}", "is not a setting of companies", closest(key, _WORDS))
    if not any(FIELD in kind.fields for kind in system.defaults.kinds.values()):
        problems.add(path, f"{system.name} keeps no companies to which people could be linked", "Remove it")
    by, missing = (_word(path, word, table, problems) for word in _WORDS)
    return CompanyRules(cast("By", by), missing == "make")


def _word(path: str, word: str, table: Mapping[str, Any], problems: Problems) -> str:
    allowed = _WORDS[word]
    said = table.get(word, allowed[0])
    if said in allowed:
        return str(said)
    problems.add(f"{path}.{word}", f"{said!r} is not known", f"Allowed: {', '.join(allowed)}")
    return allowed[0]


def check_company(path: str, name: str, kind: str, said: Mapping[str, Any], problems: Problems) -> bool:
    """Whether this is the link to a company's record. It follows from other fields, so that nobody decides about it."""
    if kind == "company" and name != FIELD:
        problems.add(f"{path}.type", "only company_record is a link to a company's record", 'For a company\'s name, write type = "text"')
    if name == FIELD:
        for word in said.keys() & {"type", "policy", "clears", "sticky", "translate", "fallback"}:
            problems.add(f"{path}.{word}", "means nothing where a link follows from company, email and website", "Remove it")
    return name == FIELD


def company_writer(by: By) -> Writer:
    """A writer of the company's text, from which the connector finds the record. Raises `Silent` where it could not even be looked for."""

    def write(value: Value) -> Native:
        if value is not None and read_company(as_text(value)).key(by) is None:
            raise Silent(f"nobody knows the company's {by}")
        return value

    return write
