"""The link to a company's record: a field that follows from others.

A company is told as one text, `Acme Inc <acme.example>` (`model.companies`); which record that is in the account, only the connector can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.companies import FIELD, By, read_company
from ..model.records import Native, Value
from .fields import Silent
from .maps import Writer
from .problems import Problems
from .text import as_text


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
