"""Qualification: what a company's own rules say of a person, on the merged values and the signals. Pure.

A rule's result is one more claim of a stage: what becomes of it is for `decide`. Rules are told apart by how much they may do: `shadow` only reports,
`hold` asks, `apply` claims. Time alone never lowers anybody: where a rule that depends on it would, it asks, whatever its mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

from ...model.stages import StageReading
from ..decide import spoken
from ..funnel import Funnel
from .conditions import Condition, Group, Leaf, leaves
from .reviews import ageing, next_review
from .scores import Score
from .terms import Case, Subject, in_words

__all__ = ["Explained", "Judgement", "Mode", "Outcome", "Rule", "Rulebook", "Subject", "Tested", "Verdict"]

Mode: TypeAlias = Literal["shadow", "hold", "apply"]
Outcome: TypeAlias = Literal["yes", "no"]
_Place: TypeAlias = tuple[str | None, str | None]


class Verdict(NamedTuple):
    """What one rule says of one person. `place`: what it claims (a side state keeps the stage); None: nothing. `reason`: as configured, or blank."""

    rule: str
    mode: Mode
    outcome: Outcome
    place: StageReading | None
    team: str
    reason: str


class Judgement(NamedTuple):
    """What all rules that concern a person say. `review_at`: when time alone may change it (ms). `troubles`: (rule, what could not be compared)."""

    verdicts: tuple[Verdict, ...]
    review_at: int | None
    troubles: tuple[tuple[str, str], ...] = ()


class Tested(NamedTuple):
    """One part of a condition, as a reader sees it. `depth`: how far inside of others. `value`: the present values in words; blank for a group."""

    text: str
    value: str
    holds: bool
    depth: int = 0


class Explained(NamedTuple):
    """One rule and one person. `why_not`: why it does not concern them; blank where it does. `verdict`: None where it does not."""

    rule: str
    mode: Mode
    place: StageReading
    why_not: str
    tests: tuple[Tested, ...]
    outcome: Outcome
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `place`: what it is about, a stage or a side state. `stages` and `sides`: who it concerns (stage None: nobody knows one);
    `again`: also who stands beside the line and may come again; there only what happened since counts.
    """

    name: str
    place: StageReading
    stages: frozenset[str | None]
    sides: frozenset[str]
    again: bool
    when: Condition
    text: str
    mode: Mode
    team: str
    else_reason: str = ""
    else_side: str | None = None

    @property
    def looks_at_signals(self) -> bool:
        """It needs them."""
        return any(term.looks_at_signals for leaf in leaves(self.when) for term in leaf.terms)

    @property
    def denies(self) -> bool:
        """It says `not` somewhere."""
        return _denies(self.when)

    def coming_again(self) -> Rule:
        """The rule that also concerns whoever may come again, if what happens counts for it."""
        return replace(self, again=self.place.side is None and self.looks_at_signals)

    @property
    def ages(self) -> bool:
        """Time alone can change what it says."""
        return bool(ageing(self.when))


_Concerned: TypeAlias = tuple[tuple[Rule, ...], tuple[Leaf, ...]]
"""The rules that concern a person, and the parts of them that time alone can change."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules and scores of a configuration. `digest` changes with whatever they mean."""

    funnel: Funnel
    rules: tuple[Rule, ...]
    scores: Mapping[str, Score]
    digest: str
    _concerned: dict[_Place, _Concerned] = field(default_factory=dict["_Place", "_Concerned"], compare=False, repr=False)

    @property
    def uses_signals(self) -> bool:
        """Some rule needs them."""
        return any(rule.looks_at_signals for rule in self.rules) or any(score.looks_at_signals for score in self.scores.values())

    @property
    def words(self) -> frozenset[str]:
        """Every word of the conditions: the fields that they look at are among them."""
        texts = [rule.text for rule in self.rules]
        texts += [leaf.text for score in self.scores.values() for row in score.rows if row.when is not None for leaf in leaves(row.when)]
        return frozenset(word for text in texts for word in re.findall(r"\w+", text))

    def judge(self, subject: Subject) -> Judgement:
        """What the rules say that concern somebody at that place. Never raises, whatever the values are."""
        rules, parts = self._rules_at(subject.place)
        if not rules:
            return Judgement((), None)
        case = self._case(subject)
        if case is None:
            rules, parts = _concerned(rule for rule in rules if not rule.again or subject.place.side in rule.sides)
            case = Case(subject)
        verdicts: list[Verdict] = []
        troubles: list[tuple[str, str]] = []
        anew = self._anew(subject)
        for rule in rules:
            looked = anew if anew is not None and self.funnel.begins_again(subject.place, rule.place) else case
            holds = rule.when.holds(looked)
            verdicts.append(self._verdict(rule, subject.place, holds=holds, sure=not looked.troubles))
            if looked.troubles:
                troubles.extend((rule.name, f"{text} {what}") for text, what in looked.troubles.items())
                looked.troubles.clear()
        reviews = [next_review(parts, each) for each in (case, anew) if parts and each is not None]
        return Judgement(tuple(verdicts), min((at for at in reviews if at is not None), default=None), tuple(troubles))

    def explain(self, subject: Subject) -> tuple[Explained, ...]:
        """Every rule, with each part of its condition, also those that do not concern the person."""
        return tuple(self._explained(rule, subject) for rule in self.rules)

    def points(self, subject: Subject) -> Mapping[str, float]:
        """Every score of a person."""
        case = self._case(subject) or Case(subject)
        return {name: score.total(case) for name, score in self.scores.items()}

    def _rules_at(self, place: StageReading) -> _Concerned:
        key = (place.stage, place.side)
        found = self._concerned.get(key)
        if found is None:
            found = self._concerned[key] = _concerned(rule for rule in self.rules if not self._why_not(rule, place))
        return found

    def _why_not(self, rule: Rule, place: StageReading) -> str:
        """Why a rule does not concern anybody who stands there; blank where it does."""
        if place.side is None:
            return "" if place.stage in rule.stages else f"it is not about people at {spoken(place)}"
        if place.side in self.funnel.rejections:
            return f"somebody said no: {spoken(place)}"
        if place.side in rule.sides or (rule.again and place.side in self.funnel.reentries):
            return ""
        return f"it is not about people in {place.side}"

    def _comes_again(self, place: StageReading) -> bool:
        return place.side is not None and place.side in self.funnel.reentries

    def _case(self, subject: Subject) -> Case | None:
        """The person with the signals that count: beside the line, those since they were put there. None where nobody knows since when."""
        if not self._comes_again(subject.place):
            return Case(subject)
        after = subject.aside_since if subject.aside_since is not None else subject.since
        return None if after is None else Case(subject, after=after)

    def _anew(self, subject: Subject) -> Case | None:
        """Somebody who has bought, as rules see them that let them in again: with what happened since they were there. None for everybody else."""
        stage = self.funnel.stages.get(subject.place.stage or "")
        if subject.place.side is not None or stage is None or not stage.won:
            return None
        return Case(subject, after=subject.now if subject.since is None else subject.since)

    def _verdict(self, rule: Rule, place: StageReading, *, holds: bool, sure: bool) -> Verdict:
        """`sure`: everything could be compared. What could not rejects nobody, and by a `not` nobody gets further."""
        if not sure and (not holds or rule.denies):
            return Verdict(rule.name, rule.mode, "no", None, rule.team, "")
        if holds:
            return Verdict(rule.name, self._mode(rule, place, rule.place), "yes", rule.place, rule.team, rule.place.reason or "")
        if self._comes_again(place):
            return Verdict(rule.name, rule.mode, "no", None, rule.team, "")
        aside = StageReading(None, rule.else_side, rule.else_reason or None) if rule.else_side is not None else None
        return Verdict(rule.name, self._mode(rule, place, aside), "no", aside, rule.team, rule.else_reason)

    def _mode(self, rule: Rule, before: StageReading, after: StageReading | None) -> Mode:
        if after is None or rule.mode != "apply" or not rule.ages:
            return rule.mode
        if after.side is not None:
            return "hold"
        known = self.funnel.stages
        if before.side is not None or before.stage not in known or after.stage not in known or self.funnel.begins_again(before, after):
            return "apply"
        return "hold" if self.funnel.position(after.stage) < self.funnel.position(before.stage) else "apply"

    def _explained(self, rule: Rule, subject: Subject) -> Explained:
        why_not, case = self._why_not(rule, subject.place), self._case(subject)
        if case is None:
            case = Case(subject)
            if not why_not and rule.again and subject.place.side not in rule.sides:
                why_not = f"nobody knows since when they are in {subject.place.side}"
        anew = self._anew(subject)
        if anew is not None and self.funnel.begins_again(subject.place, rule.place):
            case = anew
        holds = rule.when.holds(case)
        verdict = None if why_not else self._verdict(rule, subject.place, holds=holds, sure=not case.troubles)
        outcome = verdict.outcome if verdict is not None else "yes" if holds else "no"
        return Explained(rule.name, rule.mode, rule.place, why_not, tuple(tested(rule.when, case)), outcome, verdict)


def _concerned(rules: Iterable[Rule]) -> _Concerned:
    found = tuple(rules)
    return found, tuple(leaf for rule in found for leaf in ageing(rule.when))


def _denies(condition: Condition) -> bool:
    return isinstance(condition, Group) and (condition.word == "not" or any(map(_denies, condition.parts)))


_JOINS = {"and": "all of these", "or": "one of these", "not": "not this"}


def tested(condition: Condition, case: Case) -> Sequence[Tested]:
    """The parts of a condition as a reader sees them, each with its present values and whether it holds: the parts of an `and` one below the other."""
    if isinstance(condition, Leaf):
        return [_leaf(condition, case)]
    if condition.word == "and":
        return [row for part in condition.parts for row in tested(part, case)]
    return [Tested(f"{_JOINS[condition.word]}:", "", condition.holds(case)), *(row._replace(depth=row.depth + 1) for row in _kept_together(condition, case))]


def _kept_together(group: Group, case: Case) -> Sequence[Tested]:
    """The parts of an `or` or a `not`; an `and` among them stays one."""
    found: list[Tested] = []
    for part in group.parts:
        rows = tested(part, case)
        if isinstance(part, Group) and part.word == "and":
            rows = [Tested(f"{_JOINS['and']}:", "", part.holds(case)), *(row._replace(depth=row.depth + 1) for row in rows)]
        found.extend(rows)
    return found


def _leaf(leaf: Leaf, case: Case) -> Tested:
    holds = leaf.holds(case)
    named = dict.fromkeys(term.text for term in leaf.terms)
    values = {term.text: in_words(case.shown(term)) for term in leaf.terms}
    value = "; ".join(f"{text} is {values[text]}" if text != leaf.text or len(named) > 1 else f"is {values[text]}" for text in named)
    trouble = case.troubles.get(leaf.text)
    return Tested(leaf.text, f"{value} ({trouble})" if trouble else value, holds)
