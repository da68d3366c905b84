"""What was found out about an account: question, answer here, and what stagesync does either way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...connectors.contract import AccountId
from ...connectors.probing import Experiment, Finding
from . import words


@dataclass(frozen=True, slots=True)
class Account:
    """The system's name, whose account it is, and of what kind."""

    system: str
    identity: AccountId
    kind: str

    def __str__(self) -> str:
        return f"{self.system}: {self.identity.vendor} {self.identity.id} ({self.kind})"


def announced(account: Account, experiments: Sequence[Experiment[Any]]) -> Iterator[str]:
    """What is about to be done, what it costs, and what stays behind."""
    calls = sum(each.calls for each in experiments)
    yield f"{account}: {words.count(len(experiments), 'experiment')}, {calls:,} API calls at most."
    yield 'Each makes records called "stagesync probe ..." with addresses at example.com, and removes them.'
    yield "Whatever else syncs this account sees them meanwhile: pause it. What stays behind:"
    for leaves in dict.fromkeys(each.leaves for each in experiments if each.leaves != "nothing"):
        yield f"  - {leaves}"


def text(account: Account, experiments: Sequence[Experiment[Any]], found: Sequence[Finding]) -> Iterator[str]:
    """The matrix for people, a block for each question."""
    yield f"{account}: {words.count(sum(each.answer is not None for each in found), 'answer')} to {words.count(len(found), 'question')}"
    for experiment, finding in zip(experiments, found, strict=True):
        yield ""
        yield experiment.question
        yield f"  here        {finding.answer if finding.answer is not None else 'not found out: ' + finding.why}"
        yield f"  either way  {experiment.handled}"
        if experiment.habit:
            yield f"  sandbox     {experiment.habit}"
        if finding.left:
            yield f"  left behind {finding.left}"


def as_json(account: Account, experiments: Sequence[Experiment[Any]], found: Sequence[Finding]) -> dict[str, Any]:
    """The matrix for programs."""
    return {
        "system": account.system,
        "vendor": account.identity.vendor,
        "account": account.identity.id,
        "kind": account.kind,
        "questions": [_row(experiment, finding) for experiment, finding in zip(experiments, found, strict=True)],
    }


def _row(experiment: Experiment[Any], finding: Finding) -> dict[str, Any]:
    return {
        "name": experiment.name,
        "question": experiment.question,
        "answer": finding.answer,
        "why": finding.why or None,
        "handled": experiment.handled,
        "habit": experiment.habit or None,
        "calls": experiment.calls,
        "leaves": experiment.leaves,
        "left": finding.left or None,
    }
