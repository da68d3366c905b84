"""The stage of one person: claims out of the links' evidence, the decision of `lifecycle`, and what each system is owed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...lifecycle.decide import StageDecision, decide
from ...lifecycle.funnel import Funnel
from ...mapping.stages import StageMap
from ...model.records import Native, Values
from ...model.stages import StageReading
from .claims import STAGE, answered, claims_of, note_left_behind, stands_for, words_of
from .decision import Decision, Hold
from .desk import Asked, Desk, History, Known, View
from .qualifying import PROPOSAL, qualify
from .verdicts import take

GONE = "no stage stands there any more, and that moves nobody"


def decide_stage(
    desk: Desk, decision: Decision, views: Sequence[View], answers: Mapping[str, Asked], history: History | None, known: Known, blocked: Mapping[str, Hold]
) -> None:
    """Decide the stage and plan what each link must be told. `blocked`: held for a reason outside of the records."""
    claims = claims_of(desk, decision, views, history)
    if claims is None:
        return
    asked = answers.get(STAGE)
    if asked is not None and not stands_for(asked, decision.stage, [claim for _, claim in claims]):
        asked = None
    if asked is not None:
        claims = answered(claims, asked)
    heard = [claim for _, claim in claims]
    verdict = decide(desk.funnel, decision.stage, heard, desk.settings.stage_conflict, desk.policy.authority)
    if STAGE in blocked and any(claim.changed or claim.first for claim in heard):
        choices = {claim.system: words_of(claim.reading) for claim in heard}
        decision.holds.append(blocked[STAGE]._replace(choices={**choices, "hub": words_of(decision.stage.reading)}))
        decision.notes = known.notes
        return
    if verdict.hold is not None:
        choices = {claim.system: words_of(claim.reading) for claim in heard if claim.changed or claim.first}
        decision.holds.append(Hold(verdict.question, STAGE, {**choices, "hub": words_of(decision.stage.reading)}, verdict.hold))
        decision.notes = known.notes
        return
    before = decision.stage
    if asked is not None:
        verdict = replace(verdict, cause=_by_answer(verdict, decision, asked))
    take(decision, known, verdict, heard)
    qualify(desk, decision, before, known, answers.get(PROPOSAL))
    cause = decision.changed[STAGE][3] if STAGE in decision.changed else verdict.cause
    for view in views:
        _bring_up(desk, decision, view, cause)


def _by_answer(verdict: StageDecision, decision: Decision, asked: Asked) -> str:
    """Why the stage is what it is after somebody's answer."""
    if verdict.state.version == decision.stage.version:
        return f"stays {words_of(verdict.state.reading)}: somebody answered {asked.answer}"
    return f"{verdict.cause}, as somebody answered"


def _bring_up(desk: Desk, decision: Decision, view: View, cause: str) -> None:
    """Make one link carry the stage: by a write, or without one where it says so already or cannot say it."""
    state, stage = decision.stage, view.kind.stage
    if view.notes.get("converted") is not None and not view.notes.get("converted_told"):
        view.notes["converted_told"] = view.touched = True
    if stage is None or state.version == 0:
        _settle(view, stage, state.version)
        return
    if any(native not in view.seen for native in stage.writes):
        return  # the record has not told its stage yet: it is met when it does, and until then nobody writes over what may stand there
    cleared = "cleared" in view.notes
    if cleared and stage.spelled(view.seen) is not None:
        del view.notes["cleared"]  # it says a stage again: the next time that somebody clears it has a quiet cycle of its own
        view.touched, cleared = True, False
    if view.carried.get(STAGE) == state.version and not any(native in view.agreed for native in stage.evidence):
        return
    reading = stage.spelled(view.seen)
    if reading is None and stage.writes and not _may_fill(decision, view, stage):
        return
    says_so = reading is not None and reading.stage == state.stage and reading.side is None and state.side is None
    values = stage.write(state.stage, state.side, state.reason, view.seen) if view.system.writes and not says_so else None
    _settle(view, stage, state.version if not values else 0)
    if (values is None and not says_so) or "says" in view.notes:
        note_left_behind(view, stage, state)
    if not values:
        return
    if view.holds_back(STAGE, parked_on(state.version, stage.writes, view.seen, values)):
        return
    if reading is not None and _goes_back(desk, reading, state.stage):
        decision.lowered.append(view.system.name)
    why = GONE if cleared and STAGE not in decision.changed else cause
    view.owe(STAGE, values, words_of(reading) if reading else None, words_of(state.reading), state.version, why)


def parked_on(version: int, writes: frozenset[str], seen: Values, values: Values) -> list[Any]:
    """What a refused stage is parked on: the version, and what stood there. It is tried again when either changes."""
    return [version, *sorted(str((native, seen.get(native))) for native in values if native in writes)]


def _settle(view: View, stage: StageMap | None, version: int) -> None:
    for native in stage.evidence if stage else ():
        view.agree(native)
    view.carry(STAGE, version)


def _may_fill(decision: Decision, view: View, stage: StageMap) -> bool:
    """A record without a stage: blank is filled, but a stage that somebody cleared only after one quiet cycle, and a value nobody mapped never."""
    if stage.unmapped(view.seen) is not None:
        _settle(view, stage, decision.stage.version)
        return False
    cleared = view.carried.get(STAGE) is not None and any(native in view.agreed for native in stage.natives)
    if cleared and not view.notes.get("cleared"):
        view.notes["cleared"] = view.touched = decision.again = True
        return False
    view.notes.pop("cleared", None)
    return True


def _goes_back(desk: Desk, reading: StageReading, stage: str | None) -> bool:
    return reading.stage is not None and desk.funnel.position(stage) < desk.funnel.position(reading.stage)


def lowers(funnel: Funnel, before: Any, after: Any) -> bool:
    """Whether somebody goes back from one place to the other, both as `words_of` spells them. A place of another funnel compares with none."""
    one, other = (stage if (stage := str(place).partition(" (")[0]) in funnel.stages else None for place in (before, after))
    return one is not None and funnel.position(other) < funnel.position(one)


def stage_values(desk: Desk, decision: Decision, stage: StageMap) -> Mapping[str, Native]:
    """What a new record is given so that it says the person's stage; nothing where it cannot."""
    state = decision.stage
    if state.version == 0 or any(hold.field == STAGE for hold in decision.holds):
        return {}
    values: Mapping[str, Any] | None = stage.write(state.stage, state.side, state.reason, {})
    return values or {}
