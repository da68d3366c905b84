"""Qualification rules and answers that are overdue: each speaks as one more claim, or asks somebody first. Pure.

What a rule said of a person is noted, and it speaks again only where that changes: whoever is moved by hand after a rule has spoken stays where they were put.
A person's notes: `rules`: rule -> [outcome, mode, pass, reason]; `declined`: question -> version of the stage for which somebody said no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..lifecycle.decide import StageDecision, decide
from ..lifecycle.qualify import Judgement, Rulebook, Subject, Verdict
from ..model.records import Actor
from ..model.stages import Claim, StageReading
from .claims import words_of
from .decision import Decision, Hold
from .desk import Asked, Desk, Known

PROPOSAL = "proposal"
"""The name under which a stage is proposed to somebody, in the place of a field's."""

SLA = "sla"


@dataclass(slots=True)
class _Hearing:
    """One person before the rules. `claims` are all that was heard so far, `verdict` what follows from them."""

    desk: Desk
    decision: Decision
    known: Known
    claims: list[Claim]
    verdict: StageDecision

    def hear(self, rule: str, place: StageReading, team: str | None, *, asked: bool = False) -> None:
        """One more claim. `asked`: somebody agreed to it, so that nobody's authority stands against it."""
        first, now = self.decision.stage.version == 0, self.known.now
        if asked:
            claim = Claim("somebody", place, changed=True, current=True, first=first, at=now, actor=Actor("user"))
        else:
            claim = Claim(f"rule {rule}", place, changed=True, current=True, first=first, at=now, team=team, rule=rule)
        self.claims.append(claim)
        self.verdict = decide(self.desk.funnel, self.decision.stage, self.claims, self.desk.settings.stage_conflict, self.desk.policy.authority)

    def judge(self, rules: Rulebook) -> Judgement:
        """What the rules say of the person where they stand now."""
        state, known = self.verdict.state, self.known
        since = known.since if state.version == self.decision.stage.version else known.now
        return rules.judge(Subject(self.decision.values, state.reading, state.pass_no, since, known.signals, known.now))


def qualify(
    desk: Desk, decision: Decision, known: Known, claims: Sequence[Claim], verdict: StageDecision, asked: Asked | None
) -> tuple[StageDecision, list[Claim]]:
    """The verdict once the rules were heard, with all claims. Notes, proposals and the time of the next look go to `decision`."""
    hearing = _Hearing(desk, decision, known, list(claims), verdict)
    notes: dict[str, Any] = dict(known.notes)
    if desk.policy.rules is not None and verdict.hold is None:
        _by_rules(hearing, desk.policy.rules, notes, asked)
    if desk.policy.sla is not None and known.overdue:
        _overdue(hearing, notes, asked)
    decision.notes = notes
    return hearing.verdict, hearing.claims


def _by_rules(hearing: _Hearing, rules: Rulebook, notes: dict[str, Any], asked: Asked | None) -> None:
    """One rule after the other, in their order, each from the place to which the ones before have brought the person."""
    noted: dict[str, list[Any]] = dict(notes.get("rules") or {})
    heard: set[str] = set()
    while True:
        judgement = hearing.judge(rules)
        fresh = next((each for each in judgement.verdicts if each.rule not in heard and _speaks(each, noted, hearing.verdict.state.pass_no)), None)
        if fresh is None:
            break
        heard.add(fresh.rule)
        noted[fresh.rule] = _note(fresh, hearing.verdict.state.pass_no)
        if fresh.place is not None:
            hearing.hear(fresh.rule, fresh.place, fresh.team)
    for verdict in judgement.verdicts:
        if verdict.mode == "hold":
            _propose(hearing, verdict, noted, asked)
        else:
            noted[verdict.rule] = _note(verdict, hearing.verdict.state.pass_no)
        if verdict.outcome == "yes" and verdict.mode != "apply":
            hearing.decision.promoted.append((verdict.rule, verdict.mode))
    hearing.decision.promoted.extend((rule, "apply") for rule in sorted(heard) if noted[rule][0] == "yes")
    hearing.decision.review_at = judgement.review_at
    if noted:
        notes["rules"] = noted


def _speaks(verdict: Verdict, noted: Mapping[str, Sequence[Any]], pass_no: int) -> bool:
    """It moves people by itself, and says something else of this one than it did."""
    return verdict.mode == "apply" and list(noted.get(verdict.rule, ()))[:3] != _note(verdict, pass_no)[:3]


def _note(verdict: Verdict, pass_no: int) -> list[Any]:
    return [verdict.outcome, verdict.mode, pass_no, verdict.reason]


def _propose(hearing: _Hearing, verdict: Verdict, noted: dict[str, list[Any]], asked: Asked | None) -> None:
    """Somebody is asked before the person is moved, and once only for what the rule says now."""
    declined = [verdict.outcome, "declined", hearing.verdict.state.pass_no]
    if verdict.place is None:
        noted[verdict.rule] = _note(verdict, hearing.verdict.state.pass_no)
    elif asked is not None and verdict.rule in asked.choices:
        if asked.answer == verdict.rule:
            hearing.hear(verdict.rule, verdict.place, verdict.team, asked=True)
        noted[verdict.rule] = [*declined, verdict.reason] if asked.answer == "hub" else _note(verdict, hearing.verdict.state.pass_no)
    elif noted.get(verdict.rule, [])[:3] != declined and not any(hold.field == PROPOSAL for hold in hearing.decision.holds):
        choices = {"hub": words_of(hearing.verdict.state.reading), verdict.rule: words_of(verdict.place)}
        hearing.decision.holds.append(Hold(f"rule:{verdict.rule}", PROPOSAL, choices, verdict.reason or f"the rule {verdict.rule} holds"))


def _overdue(hearing: _Hearing, notes: dict[str, Any], asked: Asked | None) -> None:
    """Nobody answered in time: a clock moves nobody, but it may propose to."""
    sla, state = hearing.desk.policy.sla, hearing.verdict.state
    if sla is None or sla.proposal is None or not sla.starts_at(state.reading):
        return
    declined = dict(notes.get("declined") or {})
    if asked is not None and SLA in asked.choices:
        if asked.answer == SLA:
            hearing.hear(SLA, sla.proposal, None, asked=True)
        else:
            notes["declined"] = {**declined, SLA: state.version}
    elif declined.get(SLA) != state.version and not any(hold.field == PROPOSAL for hold in hearing.decision.holds):
        choices = {"hub": words_of(state.reading), SLA: words_of(sla.proposal)}
        hearing.decision.holds.append(Hold("overdue:sla", PROPOSAL, choices, "nobody has answered in the agreed time"))
