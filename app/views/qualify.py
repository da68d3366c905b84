"""`stagesync qualify`: the rules in words, one person before them, and what they would do with everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...lifecycle.decide import spoken
from ...lifecycle.rules.conditions import Condition, Group
from ...lifecycle.rules.qualify import Explained, Rule, Rulebook, Subject, Tested, Verdict
from ...lifecycle.rules.scores import Score
from ...state.people import PersonRow
from ..courses.previewing import Finding, Preview
from . import words

_MODES = {"shadow": "only reports", "hold": "asks somebody", "apply": "moves people"}


class Examples:
    """The first people that each rule found, by what would become of them; `most` None: all."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.found: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
        self.count: dict[tuple[str, str, str], int] = defaultdict(int)

    def take(self, finding: Finding) -> None:
        """One more."""
        key = (finding.verdict.rule, finding.outcome, finding.verdict.reason)
        self.count[key] += 1
        if self.most is None or len(self.found[key]) < self.most:
            self.found[key].append(finding)

    def of(self, rule: str) -> list[tuple[str, str, int, list[Finding]]]:
        """What would become of people, the reason, how many, and examples."""
        return [(outcome, reason, self.count[name, outcome, reason], found) for (name, outcome, reason), found in self.found.items() if name == rule]


def rules_text(rules: Rulebook | None) -> list[str]:
    """All rules and scores, as lines."""
    if rules is None:
        return ["No qualification rules are configured: the systems alone decide the stages."]
    lines: list[str] = []
    for rule in rules.rules:
        lines += [f"{rule.name} ({rule.mode}: {_MODES[rule.mode]})", *words.table(_about(rules, rule)), ""]
    for score in rules.scores.values():
        lines += [f"score_{score.name}", *words.table((f"{row.points:+g}", text) for row, text in zip(score.rows, _rows(score), strict=True)), ""]
    return lines[:-1]


def rules_json(rules: Rulebook | None) -> dict[str, Any]:
    """The same as one object."""
    if rules is None:
        return {"rules": [], "scores": {}}
    return {"rules": [_rule_json(rules, rule) for rule in rules.rules], "scores": {score.name: list(_rows(score)) for score in rules.scores.values()}}


def _about(rules: Rulebook, rule: Rule) -> list[tuple[str, str]]:
    rows = [("leads to", spoken(rule.place)), ("concerns", ", ".join(_concerned(rules, rule))), *_when(rule.when)]
    if rule.else_side is not None or rule.else_reason:
        rows.append(("otherwise", f"{rule.else_side or 'they stay'}{f', because of {words.value(rule.else_reason)}' if rule.else_reason else ''}"))
    if rule.mode == "apply" and rule.ages and (rule.place.side is not None or rule.else_side is not None):
        rows.append(("but", "asks before it puts anybody beside the line, because time alone may bring it about"))
    return [*rows, ("team", rule.team or "none")]


def _when(condition: Condition) -> list[tuple[str, str]]:
    parts = condition.parts if isinstance(condition, Group) and condition.word == "and" else (condition,)
    return [("when" if not number else "and", part.text) for number, part in enumerate(parts)]


def _concerned(rules: Rulebook, rule: Rule) -> list[str]:
    nobody = ["people without a stage"] if None in rule.stages else []
    stages = [stage for stage in rules.funnel.stages if stage in rule.stages]
    again = [f"{side} (what happened since)" for side in rules.funnel.sides if side in rules.funnel.reentries] if rule.again else []
    return [*nobody, *stages, *(side for side in rules.funnel.sides if side in rule.sides), *again]


def _rows(score: Score) -> Iterable[str]:
    for row in score.rows:
        said = f"for each {row.signal}" if row.signal is not None else "once"
        said += f" when {row.when.text}" if row.when is not None else ""
        said += f", half after {row.half_life:g} days" if row.half_life is not None else ""
        yield said + (f", at most {row.at_most:g}" if row.at_most is not None else "")


def _rule_json(rules: Rulebook, rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "mode": rule.mode,
        "stage": rule.place.stage,
        "side": rule.place.side,
        "reason": rule.place.reason,
        "from": sorted({*(stage or "none" for stage in rule.stages), *rule.sides, *(rules.funnel.reentries if rule.again else ())}),
        "when": rule.text,
        "else_reason": rule.else_reason or None,
        "else_side": rule.else_side,
        "team": rule.team or None,
    }


def explained_text(rules: Rulebook, row: PersonRow, subject: Subject) -> list[str]:
    """One person before all rules, as lines."""
    since = f" since {words.moment(subject.since)}" if subject.since is not None else ""
    lines = [words.person(row.values, row.id), f"Stands at {spoken(subject.place)}{since}, pass {subject.pass_no}."]
    scores = [f"score_{name} is {total:.4g}" for name, total in rules.points(subject).items()]
    lines += [f"{'; '.join(scores)}."] if scores else []
    for each in rules.explain(subject):
        lines += [
            "",
            f"{each.rule} ({each.verdict.mode if each.verdict is not None else each.mode}): {_said(each)}",
            *words.table((_mark(test), f"{'  ' * test.depth}{test.text}", test.value) for test in each.tests),
        ]
    review = rules.judge(subject).review_at
    return [*lines, "", f"Looked at again by itself: {words.moment(review)} UTC." if review is not None else "Time alone changes nothing here."]


def _mark(test: Tested) -> str:
    return "yes" if test.holds else "no"


def _said(each: Explained) -> str:
    if each.verdict is None:
        return f"does not concern this person: {each.why_not}. It {'would hold' if each.outcome == 'yes' else 'would not hold'}."
    outcome = "holds" if each.outcome == "yes" else "does not hold"
    reason = f", reason {words.value(each.verdict.reason)}" if each.verdict.reason else ""
    return f"{outcome}: {_becomes(each.verdict)}{reason}"


def _becomes(verdict: Verdict) -> str:
    if verdict.place is None:
        return "the person stays"
    place = verdict.place.stage or verdict.place.side
    return {"shadow": f"would become {place}", "hold": f"somebody is asked whether they become {place}", "apply": f"becomes {place}"}[verdict.mode]


def explained_json(rules: Rulebook, row: PersonRow, subject: Subject) -> dict[str, Any]:
    """The same as one object."""
    return {
        "person": row.id,
        "email": row.values.get("email"),
        "stage": row.stage,
        "side": row.side,
        "since": words.stamp(subject.since),
        "scores": rules.points(subject),
        "review_at": words.stamp(rules.judge(subject).review_at),
        "rules": [_explained_json(each) for each in rules.explain(subject)],
    }


def _explained_json(each: Explained) -> dict[str, Any]:
    place = each.verdict.place if each.verdict is not None else None
    return {
        "rule": each.rule,
        "mode": each.verdict.mode if each.verdict is not None else each.mode,
        "concerns": each.verdict is not None,
        "why_not": each.why_not or None,
        "outcome": each.outcome,
        "becomes": (place.stage or place.side) if place is not None else None,
        "reason": (each.verdict.reason or None) if each.verdict is not None else None,
        "conditions": [test._asdict() for test in each.tests],
    }


def preview_text(rules: Rulebook, seen: Preview, examples: Examples, csv: Path | None) -> list[str]:
    """What each rule would do, with some of the people, as lines."""
    lines = [f"{words.count(seen.people, 'person', 'people')} as the last run left them. Nothing is changed by looking."]
    for rule in (rule for rule in rules.rules if rule.name in seen.rules):
        yes, no = seen.counts[rule.name, "yes"], seen.counts[rule.name, "no"]
        concerned = words.count(yes + no, "person", "people")
        lines += ["", f"{rule.name} ({rule.mode}: {_MODES[rule.mode]}): concerns {concerned}, holds for {yes:,}, not for {no:,}"]
        for outcome, reason, count, found in examples.of(rule.name):
            lines.append(f"  {_heading(outcome, count)}{f', reason {words.value(reason)}' if reason else ''}")
            lines += words.table(((words.person(finding.row.values, finding.row.id), f"at {finding.stands}", finding.why) for finding in found), 4)
            lines += [f"    ... and {count - len(found):,} more (--csv FILE lists all)"] if count > len(found) else []
        for (name, what), count in sorted(seen.troubles.items()):
            lines += [f"  For {words.count(count, 'person', 'people')} {what}, so this is not judged"] if name == rule.name else []
    return [*lines, *(["", f"Written to {csv}."] if csv is not None else [])]


def _heading(outcome: str, count: int) -> str:
    who_ = words.count(count, "person", "people")
    return f"{who_} would stay" if outcome == "stays" else f"{who_} would become {outcome}"


def preview_json(rules: Rulebook, seen: Preview, examples: Examples) -> Mapping[str, Any]:
    """The same as one object, with everybody."""
    return {"people": seen.people, "rules": [_preview_json(rule, seen, examples) for rule in rules.rules if rule.name in seen.rules]}


def _preview_json(rule: Rule, seen: Preview, examples: Examples) -> Mapping[str, Any]:
    found = [finding for _, _, _, each in examples.of(rule.name) for finding in each]
    return {
        "rule": rule.name,
        "mode": rule.mode,
        "holds": seen.counts[rule.name, "yes"],
        "does_not_hold": seen.counts[rule.name, "no"],
        "would_move": seen.moved[rule.name],
        "troubles": {what: count for (name, what), count in sorted(seen.troubles.items()) if name == rule.name},
        "people": [
            {
                "person": finding.row.id,
                "email": finding.row.values.get("email"),
                "stands": finding.stands,
                "holds": finding.verdict.outcome == "yes",
                "becomes": finding.outcome,
                "reason": finding.verdict.reason or None,
                "why": finding.why,
            }
            for finding in found
        ],
    }
