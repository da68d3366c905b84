"""What the qualification rules would do with everybody of the state: whom each would promote or reject, and why."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...lifecycle.decide import spoken
from ...lifecycle.rules.qualify import Explained, Outcome, Rulebook, Verdict
from ...mapping.problems import closest
from ...model.errors import ConfigurationError
from ...state.people import PersonRow
from ..configuration.config import Config
from ..views.plan_files import cell, whole_file
from ..wiring import Place
from .subjects import each_subject


class Finding(NamedTuple):
    """One person whom a rule would move, or turn down for a reason. `why`: the conditions that make it so."""

    row: PersonRow
    verdict: Verdict
    stands: str
    why: str

    @property
    def outcome(self) -> str:
        """What would become of the person."""
        if self.verdict.place is None:
            return "stays"
        place = self.verdict.place
        return place.stage or place.side or ""


@dataclass(slots=True)
class Preview:
    """How it went. `counts`: (rule, outcome) -> people; `moved`: rule -> people whom it would move; `troubles`: (rule, what) -> people."""

    rules: tuple[str, ...]
    people: int = 0
    counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter[tuple[str, Outcome]])
    moved: Counter[str] = field(default_factory=Counter[str])
    troubles: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


Taker = Callable[[Finding], None]


def rulebook(config: Config) -> Rulebook:
    """The configured rules. Raises `ConfigurationError` where there are none."""
    if config.rules is None or not config.rules.rules:
        raise ConfigurationError(
            "there are no qualification rules", where=str(config.path), next_step="write [[qualify]] with stage and when; config.example.toml shows one"
        )
    return config.rules


def chosen(rules: Rulebook, name: str | None) -> tuple[str, ...]:
    """The rules that are meant; all where none is named. Raises `ConfigurationError` for one that is not there."""
    names = tuple(rule.name for rule in rules.rules)
    if name is None:
        return names
    if name not in names:
        raise ConfigurationError(f"there is no rule {name!r}", where="--rule", next_step=closest(name, names))
    return (name,)


def preview(rules: Rulebook, place: Place, names: tuple[str, ...], takers: Iterable[Taker]) -> Preview:
    """Look at everybody. Each finding goes to the takers as it comes; nothing is changed, and nobody is kept in memory."""
    seen, takers = Preview(names), tuple(takers)
    for row, subject in each_subject(place.store, place.id, place.clock.now_ms(), with_signals=rules.uses_signals and place.config.signals):
        seen.people += 1
        judgement = rules.judge(subject)
        seen.troubles.update({each: 1 for each in judgement.troubles if each[0] in names})
        verdicts = [verdict for verdict in judgement.verdicts if verdict.rule in names]
        seen.counts.update((verdict.rule, verdict.outcome) for verdict in verdicts)
        seen.moved.update(verdict.rule for verdict in verdicts if verdict.place is not None)
        telling = [verdict for verdict in verdicts if verdict.place is not None or verdict.reason]
        if telling and takers:
            reasons = {explained.rule: _because(explained) for explained in rules.explain(subject)}
            for verdict in telling:
                finding = Finding(row, verdict, spoken(subject.place), reasons[verdict.rule])
                for take in takers:
                    take(finding)
    return seen


def _because(explained: Explained) -> str:
    """The parts of the condition that decided: all where it holds, those that fail where it does not."""
    parts: list[list[str]] = []
    decides = False
    for test in explained.tests:
        shown = f"{test.text} ({test.value})" if test.value else test.text
        if not test.depth:
            decides = test.holds is (explained.outcome == "yes")
            parts += [[shown]] if decides else []
        elif decides:
            parts[-1].append(shown)
    return "; ".join(" ".join((head, ", ".join(rest))) if rest else head for head, *rest in parts)


@contextmanager
def into_csv(path: Path) -> Iterator[Taker]:
    """A file for spreadsheets, every cell quoted, that only its owner may read. Raises `StateError` where it cannot be written."""
    with whole_file(path) as file:
        file.write("\ufeff")
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(("person", "name", "email", "stage", "rule", "mode", "holds", "becomes", "reason", "why"))

        def take(finding: Finding) -> None:
            values, verdict = finding.row.values, finding.verdict
            name = " ".join(str(part) for part in (values.get("first_name"), values.get("last_name")) if part)
            said = (f"p{finding.row.id}", name, values.get("email"), finding.stands, verdict.rule, verdict.mode, verdict.outcome, finding.outcome)
            writer.writerow([cell(each) for each in (*said, verdict.reason, finding.why)])

        yield take
