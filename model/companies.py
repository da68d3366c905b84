"""Companies as the systems keep them: records of their own, to which people are linked.

A *company* is what we know of one: its name, and the domain of its addresses where they are a company's. As one text it is `Acme Inc <acme.example>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from .records import Native
from .spelling import firm
from .writes import Deferred, Rejected

FIELD = "company_record"
"""The canonical field: to which company's record a person is to be linked. It is never merged; it follows from company, e-mail and website."""

By: TypeAlias = Literal["domain", "name"]

NONE_FOUND = "NO_COMPANY"
SEVERAL_FOUND = "SEVERAL_COMPANIES"
"""Our own codes: nothing is linked where there is no such company and none may be made, or where nobody can tell which of several it is."""

_TOLD = re.compile(r"(?P<name>.*) <(?P<domain>[^<>\s]+)>", re.DOTALL)
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Company(NamedTuple):
    """One company, as people name it."""

    name: str
    domain: str | None = None

    def __str__(self) -> str:
        return self.name if self.domain is None else f"{self.name} <{self.domain}>"

    def key(self, by: By) -> str | None:
        """By what it is known again; None where that is not known."""
        return self.domain if by == "domain" else firm(self.name) or None


def read_company(told: str) -> Company:
    """The company that a text of ours names."""
    match = _TOLD.fullmatch(told)
    return Company(told) if match is None else Company(match["name"], match["domain"])


def host_of(url: str | None) -> str | None:
    """The host of a web address as somebody typed it, without `www.`; None where there is none."""
    bare = _SCHEME.sub("", (url or "").strip().lower())
    host = re.split(r"[/?#:]", bare, maxsplit=1)[0].removeprefix("www.").rstrip(".")
    return host if "." in host else None


@dataclass(frozen=True, slots=True)
class Linked:
    """A company's record in one system. `values`: the native values of a person who is linked to it (Salesforce: `AccountId`, `Account.Name`)."""

    id: str
    values: Mapping[str, Native]


Found: TypeAlias = Linked | Rejected | Deferred
"""What became of looking for a company's record: it is there; there is none, or several among which nothing decides; or nobody can say yet."""
