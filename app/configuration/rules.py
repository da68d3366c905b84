"""The qualification rules of a configuration: what they may speak of, and the files beside it that they read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...lifecycle.funnel import Funnel
from ...lifecycle.rules import rulebook
from ...lifecycle.rules.domains import Domains
from ...lifecycle.rules.qualify import Rulebook
from ...lifecycle.rules.rulebook import SECTIONS, read_rulebook
from ...mapping.catalogue import shipped
from ...mapping.fills import WORDS as FILL_WORDS
from ...mapping.problems import Problems
from ...model.companies import FIELD as COMPANY

__all__ = ["SECTIONS", "read_domains", "read_rules"]


def read_rules(root: Mapping[str, Any], funnel: Funnel, folder: Path, problems: Problems) -> Rulebook | None:
    """The rulebook of a configuration; None where it has no rules. A funnel that is wrong itself says nothing of its stages."""
    if not any(name in root for name in SECTIONS) or any(problem.startswith("funnel.") for problem in problems.found):
        return None

    rules = read_rulebook(root, funnel, _fields(root.get("fields")), _reader(folder), problems.add)
    signals = root.get("signals")
    if rules is not None and rules.uses_signals and isinstance(signals, Mapping) and signals.get("keep") is False:
        problems.note("signals.keep is false, so rules and scores that look at signals find none")
    return rules


def read_domains(root: Mapping[str, Any], funnel: Funnel, folder: Path) -> Domains:
    """Whose address an e-mail address is, with what `[lists]` of the configuration corrects."""
    return rulebook.read_domains(root, funnel, _reader(folder)) if "lists" in root else Domains()


def _reader(folder: Path) -> rulebook.FolderReader:
    return lambda name: (folder / Path(name).expanduser()).read_text("utf-8-sig")


def _fields(own: object) -> list[str]:
    """The canonical fields: the catalogue's and one's own, but for those that are off, and those that we fill by ourselves."""
    said: Mapping[str, Any] = own if isinstance(own, Mapping) else {}
    tables = {name: said.get(name, {}) for name in [*shipped(), *said]}
    return [
        name
        for name, table in tables.items()
        if isinstance(table, Mapping) and table.get("enabled", True) is not False and not any(word in table for word in FILL_WORDS) and name != COMPANY
    ]
