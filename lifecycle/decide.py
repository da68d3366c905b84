"""The decision of a stage from what the systems say about it. Pure; independent of the order and the names of systems.

first meeting       a rejection with a reason first, then the furthest stage
one system moved    it counts, forward or backward: somebody did it, and it is the cause
several moved       a rejection first; else the furthest, or the latest where every time is known
an older version    (a change by somebody who had not yet seen the hub's place, or a record that is new to the person) may raise or reject, never lower
a forbidden move    (the funnel names what may follow the hub's place, and this is not it) is not heard; a record that is new moved nobody
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..model.stages import Claim, StageReading, StageState
from .funnel import Funnel

Tie: TypeAlias = Literal["furthest", "latest"]

_REJECTION = "a rejection with a reason comes first"
_FURTHEST = "the furthest stage wins"
_LATEST = "the later change wins"
_FORBIDDEN = "the funnel does not allow this move"
_OLDER = "whoever had not seen the present stage may raise it, not lower it"


@dataclass(frozen=True, slots=True)
class StageDecision:
    """What became of the claims.

    `state`: the new place, its version one higher where it changed. `cause`: a fragment such as "hubspot moved mql -> sql".
    `overruled`: (system, what it said, the rule in words). `hold`: the question, where it cannot be decided; `state` is then the old one.
    """

    state: StageState
    cause: str
    overruled: tuple[tuple[str, StageReading, str], ...] = ()
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class _Bid:
    """A place that one claim wants."""

    place: StageReading
    claim: Claim


def decide(funnel: Funnel, hub: StageState, claims: Sequence[Claim], conflict: Tie = "furthest") -> StageDecision:
    """The person's place after these claims. Claims that are neither changed nor first assert nothing new.

    `claims`: at most one per system and record; their stages and side states are the funnel's. Raises `KeyError` for others.
    """
    asserting = [claim for claim in claims if (claim.changed or claim.first) and claim.reading != StageReading()]
    if not asserting:
        return StageDecision(hub, "nothing new")
    if hub.version == 0:
        return _meet(funnel, hub, asserting)
    return _contend(funnel, hub, asserting, conflict)


def _meet(funnel: Funnel, hub: StageState, claims: Sequence[Claim]) -> StageDecision:
    """All records see the person for the first time: nobody moved anything, so only what they say counts, never when."""
    readings = [claim.reading for claim in claims]
    if readings.count(readings[0]) == len(readings):  # most people of a first sync: nothing to weigh
        return _decision(funnel, hub, readings[0], f"first meeting: {_names(claims)}: {spoken(readings[0])}", (), "")
    stage = _furthest(funnel, (reading.stage for reading in readings))
    rejecting = [reading for reading in readings if reading.side in funnel.rejections]
    beside = rejecting or [reading for reading in readings if reading.side is not None and not _outrun(funnel, reading, readings)]
    found = min(beside, key=lambda reading: (reading.reason is None, reading.side or "", reading.reason or ""), default=StageReading())
    place = StageReading(stage, found.side, found.reason)
    rule = _REJECTION if rejecting else _FURTHEST
    lost = [claim for claim in claims if not _within(claim.reading, place)]
    who = _names(claim for claim in claims if claim not in lost)
    cause = f"first meeting: {who or 'all together'}: {spoken(place)}"
    return _decision(funnel, hub, place, cause, lost, f"first meeting: {rule}")


def _outrun(funnel: Funnel, reading: StageReading, readings: Iterable[StageReading]) -> bool:
    """Somebody without a side state stands further: the person has gone on since it was set."""
    return reading.stage is not None and any(other.side is None and funnel.position(other.stage) > funnel.position(reading.stage) for other in readings)


def _contend(funnel: Funnel, hub: StageState, claims: Sequence[Claim], conflict: Tie) -> StageDecision:
    bids = [bid for claim in claims if (bid := _bid(funnel, hub, claim)) is not None]
    if not bids:
        unheard = _unheard(funnel, hub, [claim for claim in claims if not _agrees(hub, claim, hub.reading)])
        rules = dict.fromkeys(rule for _, _, rule in unheard)
        return StageDecision(hub, f"stays {spoken(hub.reading)}: {' and '.join(rules)}" if rules else "nothing new", unheard)
    rejecting = [bid for bid in bids if bid.place.side in funnel.rejections and bid.place.side != hub.side]
    times = [bid.claim.at for bid in bids if bid.claim.at is not None]
    if rejecting:
        standing, rule = rejecting, _REJECTION
    elif conflict == "latest" and len(times) == len(bids):
        standing, rule = [bid for bid in bids if bid.claim.at == max(times)], _LATEST
    else:
        standing, rule = bids, _FURTHEST
    place = min((bid.place for bid in standing), key=lambda place: _rank(funnel, place))
    winners = [bid.claim for bid in bids if bid.place == place]
    verb = "moved" if any(_moved(claim) for claim in winners) else "is new and further" if all(claim.first for claim in winners) else "raised"
    cause = f"{_names(winners)} {verb}: {spoken(hub.reading)} -> {spoken(place)}"
    bidding = [bid.claim for bid in bids if bid.place != place]
    lost = [claim for claim in claims if not _agrees(hub, claim, place)]
    beaten = [claim for claim in lost if claim in bidding]
    older = [claim for claim in lost if claim not in bidding]  # a winner too, where only its stage was heard
    decided = _decision(funnel, hub, place, cause, beaten, rule)
    return replace(decided, overruled=tuple(sorted((*decided.overruled, *_unheard(funnel, hub, older)), key=_by_text)))


def _unheard(funnel: Funnel, hub: StageState, claims: Iterable[Claim]) -> tuple[tuple[str, StageReading, str], ...]:
    """Claims that were no bid, each with the rule that kept it from being one."""
    rows = [(claim.system, claim.reading, _FORBIDDEN if _forbidden(funnel, hub, claim) else _OLDER) for claim in claims]
    return tuple(sorted(rows, key=_by_text))


def _forbidden(funnel: Funnel, hub: StageState, claim: Claim) -> bool:
    """Somebody moved the person where the funnel does not let them go from here."""
    return bool(funnel.moves) and claim.changed and not claim.first and not funnel.allows(hub.reading, _sought(funnel, hub, claim))


def _moved(claim: Claim) -> bool:
    """Somebody who saw the hub's present place changed it on purpose."""
    return claim.changed and claim.current and not claim.first


def _bid(funnel: Funnel, hub: StageState, claim: Claim) -> _Bid | None:
    """The place that a claim wants; None where it agrees with the hub, or may not have what it wants."""
    place = _sought(funnel, hub, claim)
    if _forbidden(funnel, hub, claim):
        rejects = place.side in funnel.rejections and hub.side not in funnel.rejections  # a no is heard wherever it comes from
        place = StageReading(hub.stage, place.side, place.reason) if rejects else hub.reading
    return None if place == hub.reading else _Bid(place, claim)


def _sought(funnel: Funnel, hub: StageState, claim: Claim) -> StageReading:
    """The place that a claim asks for, as far as its version lets it: the hub's own where it may ask for nothing."""
    place = _wanted(hub, claim)
    if _moved(claim):
        return place
    further = funnel.position(claim.reading.stage) > funnel.position(hub.stage)
    rejects = claim.reading.side in funnel.rejections and hub.side not in funnel.rejections
    stage = claim.reading.stage if further else hub.stage
    return StageReading(stage, place.side, place.reason) if rejects else StageReading(stage, hub.side, hub.reason)


def _wanted(hub: StageState, claim: Claim) -> StageReading:
    """A reading in full: a side state alone keeps the stage, and the same side state without a reason keeps the reason."""
    reading = claim.reading
    reason = hub.reason if reading.side == hub.side and reading.reason is None else reading.reason
    return StageReading(reading.stage if reading.stage is not None else hub.stage, reading.side, reason if reading.side is not None else None)


def _agrees(hub: StageState, claim: Claim, place: StageReading) -> bool:
    return _wanted(hub, claim) == place if _moved(claim) else _within(claim.reading, place)


def _within(reading: StageReading, place: StageReading) -> bool:
    """Everything that the reading says is so; what it leaves out it does not deny."""
    return reading.stage in (None, place.stage) and reading.side in (None, place.side)


def _rank(funnel: Funnel, place: StageReading) -> tuple[int, bool, bool, str, str, str]:
    """Smallest first: the furthest, then a rejection, then one with a reason, then by the alphabet."""
    return -funnel.position(place.stage), place.side not in funnel.rejections, place.reason is None, place.stage or "", place.side or "", place.reason or ""


def _furthest(funnel: Funnel, stages: Iterable[str | None]) -> str | None:
    return min((stage for stage in stages if stage is not None), key=lambda stage: (-funnel.position(stage), stage), default=None)


def _decision(funnel: Funnel, hub: StageState, place: StageReading, cause: str, lost: Sequence[Claim], rule: str) -> StageDecision:
    again = hub.side in funnel.reentries and place.side is None
    state = StageState(place.stage, place.side, place.reason, hub.pass_no + again, hub.version + 1)
    if again:
        cause = f"{cause} (enters again, pass {state.pass_no})"
    return StageDecision(state, cause, _overruled(lost, rule) if lost else ())


def _overruled(claims: Iterable[Claim], rule: str) -> tuple[tuple[str, StageReading, str], ...]:
    return tuple(sorted(((claim.system, claim.reading, rule) for claim in claims), key=_by_text))


def _by_text(row: tuple[str, StageReading, str]) -> tuple[str, str]:
    return row[0], repr(row[1])


def _names(claims: Iterable[Claim]) -> str:
    systems = {claim.system for claim in claims}
    return " and ".join(sorted(systems)) if len(systems) > 1 else "".join(systems)


def spoken(place: StageReading) -> str:
    """A place in words: `mql`, `mql, disqualified (No budget)`."""
    if place.side is None:
        return place.stage or "no stage"
    reason = f" ({place.reason})" if place.reason else ""
    return f"{place.stage}, {place.side}{reason}" if place.stage else f"{place.side}{reason}"
