"""What becomes of a verdict: it is the person's stage from now on, and how they came there is kept for the ledger. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ...lifecycle.decide import StageDecision
from ...model.stages import Claim
from .claims import STAGE, actor_words, words_of
from .decision import Decision, Overruled, Stay
from .desk import Known


def take(decision: Decision, known: Known, verdict: StageDecision, claims: Sequence[Claim]) -> None:
    """The verdict over these claims is taken. Several may follow one another in one look: each step is a stay of its own."""
    before, decision.stage = decision.stage, verdict.state
    for system, reading, rule in verdict.overruled:
        decision.overruled.append(Overruled(STAGE, system, words_of(reading), words_of(verdict.state.reading), rule))
    if verdict.state.version == before.version:
        return
    decision.stays.append(_stay(decision, known, verdict, claims))
    if before.version:
        first, *_, cause = decision.changed.get(STAGE, [words_of(before.reading), ""])
        told = f"{cause}; {verdict.cause}" if cause else verdict.cause
        decision.changed[STAGE] = [first, words_of(verdict.state.reading), verdict.state.version, told]


def _stay(decision: Decision, known: Known, verdict: StageDecision, claims: Sequence[Claim]) -> Stay:
    state, values = verdict.state, decision.values
    behind = [claim for claim in claims if (claim.changed or claim.first) and claim.reading.side == state.side]
    behind = [claim for claim in behind if claim.reading.stage == state.stage] or behind
    last = max((claim for claim in behind if claim.at is not None), key=lambda claim: claim.at or 0, default=None)
    named = behind if last is None else [last]  # whoever is named did it at the time that is told
    source = next((signal.attributes.get("source") for signal in reversed(known.signals) if signal.kind == "source"), None) or values.get("lead_source")
    owner = values.get("owner")
    return Stay(
        stage=state.stage,
        side=state.side,
        reason=state.reason,
        pass_no=state.pass_no,
        version=state.version,
        at=None if last is None else last.at,
        system=" and ".join(sorted({claim.system for claim in behind})),
        actor=next((actor_words(claim) for claim in named if claim.actor is not None or claim.rule is not None), None),
        evidence=verdict.cause,
        source=None if source is None else str(source),
        owner=None if owner is None else str(owner),
    )
