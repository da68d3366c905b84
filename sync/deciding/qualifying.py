"""Qualification rules and answers that are overdue: each speaks as one more claim, or asks somebody first. Pure.

What a rule said of a person is noted, and it speaks again only where that changes: whoever is moved by hand after a rule has spoken stays where they were put.
A person's notes: `rules`: rule -> [outcome, mode, pass, reason]; `declined`: question -> version of the stage for which somebody said no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...lifecycle.decide import decide
from ...lifecycle.rules.qualify import Judgement, Rulebook, Subject, Verdict
from ...lifecycle.sla import Sla
from ...model.records import Actor
from ...model.stages import Claim, StageReading, StageState
from .claims import words_of
from .decision import Decision, Hold, Stay
from .desk import Asked, Desk, Known
from .verdicts import take

PROPOSAL = "proposal"
"""The name under which a stage is proposed to somebody, in the place of a field's."""

SLA = "sla"


@dataclass(frozen=True, slots=True)
class _Hearing:
    """One person before the rules, after their records were heard. `noted`: rule -> note, as it is being rewritten; `before`: their place before this look."""

    desk: Desk
    decision: Decision
    known: Known
    asked: Asked | None
    noted: dict[str, list[Any]]
    before: StageState

    def judge(self, rules: Rulebook) -> Judgement:
        """What the rules say of the person where they stand now."""
        state, known = self.decision.stage, self.known
        since, aside = (_since(self.before, self.decision.stays, known, side=side) for side in (False, True))
        return rules.judge(Subject(self.decision.values, state.reading, state.pass_no, since, known.signals, known.now, aside))

    def hear(self, claim: Claim, after: str = "") -> bool:
        """One more claim; False where whose rule it is may not make such a move, so that somebody must be asked. `after`: what else led to it."""
        verdict = decide(self.desk.funnel, self.decision.stage, [claim], self.desk.settings.stage_conflict, self.desk.policy.authority)
        if verdict.hold is None:
            take(self.decision, self.known, replace(verdict, cause=verdict.cause + after), [claim])
        return verdict.hold is None

    def open_to(self, verdict: Verdict) -> bool:
        """What a rule says is still to be told: it reports only, or somebody has its question before them."""
        return verdict.mode == "shadow" or any(hold.question == f"rule:{verdict.rule}" for hold in self.decision.holds)

    def note(self, verdict: Verdict) -> None:
        """What a rule said is remembered."""
        self.noted[verdict.rule] = _note(verdict, self.decision.stage.pass_no)

    def ask(self, question: str, name: str, place: StageReading, reason: str) -> None:
        """Somebody is asked whether the person shall be moved there; about one place at a time."""
        if not any(hold.field == PROPOSAL for hold in self.decision.holds):
            choices = {"hub": words_of(self.decision.stage.reading), name: words_of(place)}
            self.decision.holds.append(Hold(question, PROPOSAL, choices, reason))

    def agreed(self, place: StageReading, proposer: str) -> None:
        """Somebody said yes: it is their claim, and nobody's authority stands against it. `proposer`: what asked them, in words."""
        self.hear(Claim("somebody", place, changed=True, current=True, at=self.known.now, actor=Actor("user")), f", as {proposer} proposed")


def qualify(desk: Desk, decision: Decision, before: StageState, known: Known, asked: Asked | None) -> None:
    """Let the rules, and a clock that ran out, speak about the person where the records have them. `before`: their place before the records were heard;
    `asked`: what somebody answered to a proposal."""
    hearing = _Hearing(desk, decision, known, asked, dict(known.notes.get("rules") or {}), before)
    notes = dict(known.notes)
    if desk.policy.rules is not None:
        _by_rules(hearing, desk.policy.rules)
        notes["rules"] = hearing.noted
    if desk.policy.sla is not None and known.overdue and not decision.stays:  # whoever has just come there waits from now on
        _overdue(hearing, desk.policy.sla, notes)
    decision.notes = {name: note for name, note in notes.items() if note}


def _since(before: StageState, stays: Sequence[Stay], known: Known, *, side: bool) -> int | None:
    """When the person entered the stage where this look has brought them, or the side state: as the ledger will tell it."""
    began: int | None = None
    for stay in reversed(stays):
        if (stay.stage, stay.pass_no) != (stays[-1].stage, stays[-1].pass_no) or (side and stay.side != stays[-1].side):
            return began
        began = known.now if stay.at is None else stay.at
    ledger = known.aside_since if side else known.since
    stood = not stays or ((before.stage, before.pass_no) == (stays[-1].stage, stays[-1].pass_no) and (not side or before.side == stays[-1].side))
    return ledger if ledger is not None and stood else began


def take_as_heard(desk: Desk, decision: Decision, known: Known, before: StageState) -> None:
    """What the rules, and a clock that ran out, say of the person now is noted and moves nobody: somebody has just put the person there. What they would
    ask is taken as answered with no. `before`: where the person was before that.
    """
    hearing, notes = _Hearing(desk, decision, known, None, dict(known.notes.get("rules") or {}), before), dict(known.notes)
    if desk.policy.rules is not None:
        judgement = hearing.judge(desk.policy.rules)
        for verdict in judgement.verdicts:
            hearing.note(verdict)
            if verdict.mode == "hold" and verdict.place is not None:
                hearing.noted[verdict.rule][1] = "declined"
        notes["rules"], decision.review_at = hearing.noted, judgement.review_at
    if desk.policy.sla is not None:
        notes["declined"] = {**(notes.get("declined") or {}), SLA: decision.stage.version}
    decision.notes = {name: note for name, note in notes.items() if note}


def _by_rules(hearing: _Hearing, rules: Rulebook) -> None:
    """One rule after the other, in their order, each from the place to which the ones before have brought the person."""
    decision, heard = hearing.decision, set[str]()
    _let_back_in(hearing, rules)
    while True:
        judgement = hearing.judge(rules)
        fresh = next((each for each in judgement.verdicts if each.rule not in heard and _speaks(each, hearing.noted, decision.stage.pass_no)), None)
        if fresh is None:
            break
        heard.add(fresh.rule)
        _apply(hearing, fresh)
    for verdict in judgement.verdicts:
        if verdict.rule in heard:
            continue
        if verdict.mode == "hold" and verdict.place is not None:
            _propose(hearing, verdict, verdict.place)
        else:
            hearing.note(verdict)
        if verdict.outcome == "yes" and verdict.mode != "apply" and hearing.open_to(verdict):
            decision.promoted.append((verdict.rule, verdict.mode))
    decision.review_at = judgement.review_at


def _let_back_in(hearing: _Hearing, rules: Rulebook) -> None:
    """Whom a rule had set aside and somebody has now let in again, the same answer sets aside no more where they stand. Further on, in the new pass, it may."""
    before, state = hearing.before, hearing.decision.stage
    if state.pass_no == before.pass_no or state.side is not None or before.side is None:
        return
    for verdict in hearing.judge(rules).verdicts:
        aside = verdict.place is not None and verdict.place.side == before.side
        if aside and list(hearing.noted.get(verdict.rule, ()))[:3] == _note(verdict, before.pass_no)[:3]:
            hearing.note(verdict)


def _speaks(verdict: Verdict, noted: Mapping[str, Sequence[Any]], pass_no: int) -> bool:
    """It moves people by itself, and says something else of this one than it did."""
    return verdict.mode == "apply" and list(noted.get(verdict.rule, ()))[:3] != _note(verdict, pass_no)[:3]


def _note(verdict: Verdict, pass_no: int) -> list[Any]:
    return [verdict.outcome, verdict.mode, pass_no, verdict.reason]


def _apply(hearing: _Hearing, verdict: Verdict) -> None:
    name, place, now = verdict.rule, verdict.place, hearing.known.now
    version = hearing.decision.stage.version
    if place is not None and not hearing.hear(Claim(f"rule {name}", place, changed=True, current=True, at=now, team=verdict.team, rule=name)):
        _propose(hearing, verdict, place)
        return
    hearing.note(verdict)
    if hearing.decision.stage.version != version and verdict.outcome == "yes":
        hearing.decision.promoted.append((name, "apply"))


def _propose(hearing: _Hearing, verdict: Verdict, place: StageReading) -> None:
    """Somebody is asked before the person is moved, and once only for what the rule says now. An answer is for the places that were shown."""
    asked, declined = hearing.asked, [verdict.outcome, "declined", hearing.decision.stage.pass_no]
    shown = {"hub": words_of(hearing.decision.stage.reading), verdict.rule: words_of(place)}
    if asked is not None and asked.choices == shown:
        if asked.answer == verdict.rule:
            hearing.note(verdict)
            hearing.agreed(place, f"the rule {verdict.rule}")
        else:
            hearing.noted[verdict.rule] = [*declined, verdict.reason]
    elif hearing.noted.get(verdict.rule, [])[:3] != declined:
        hearing.ask(f"rule:{verdict.rule}", verdict.rule, place, verdict.reason or f"the rule {verdict.rule} holds")


def _overdue(hearing: _Hearing, sla: Sla, notes: dict[str, Any]) -> None:
    """Nobody answered in time: a clock moves nobody, but it may propose to."""
    state, asked = hearing.decision.stage, hearing.asked
    if sla.proposal is None or not sla.starts_at(state.reading):
        return
    declined = dict(notes.get("declined") or {})
    if asked is not None and SLA in asked.choices:
        if asked.answer == SLA:
            hearing.agreed(sla.proposal, "the clock that ran out")
        else:
            notes["declined"] = {**declined, SLA: state.version}
    elif declined.get(SLA) != state.version:
        hearing.ask("overdue:sla", SLA, sla.proposal, "nobody has answered in the agreed time")
