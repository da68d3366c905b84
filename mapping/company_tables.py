"""How a system links people to the records of their companies.

[systems.salesforce.companies]
by = "domain"                        # or "name": by what a company's record is looked for
missing = "make"                     # or "leave": what becomes of people whose company has no record there

The field that holds the link comes with the connector's default maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..model.companies import FIELD, By
from .maps import CompanyRules
from .places import System
from .problems import Problems, closest

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
