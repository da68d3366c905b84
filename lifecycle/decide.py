"""The decision of a stage from what the systems say about it. Pure; independent of the order and the names of systems.

first meeting       a rejection with a reason first, then the furthest stage
one system moved    it counts, forward or backward: somebody did it, and it is the cause
several moved       `contest`: what a place means comes first, then the furthest or the latest
an older version    (a change by somebody who had not yet seen the hub's place, or a record that is new to the person) may raise or reject, never lower
a rule              may raise a stage or put somebody aside, never lower
an entry            is open to whoever has bought: a customer who asks for more begins a new pass there, which lowers nobody
a forbidden move    (the funnel names what may follow the hub's place, and this is not it) is not heard; a record that is new moved nobody
a move by a team    that may not make it (`authority`) is no match for anybody who may; alone it is put back, or somebody is asked
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..model.stages import Claim, StageReading, StageState
from .authority import Authority
from .bids import Bid, agrees, bid, forbidden, moved, within
from .contest import FURTHEST, REJECTION, Tie, as_bought, contest
from .funnel import Funnel

Overruled: TypeAlias = tuple[str, StageReading, str]
"""System, what it said, the rule in words."""

_FORBIDDEN = "the funnel does not allow this move"
_OLDER = "whoever had not seen the present stage may raise it, not lower it"
_RULE = "a rule raises a stage or puts somebody aside, it does not lower and does not take back a no"


@dataclass(frozen=True, slots=True)
class StageDecision:
    """What became of the claims.

    `state`: the new place, its version one higher where it changed. `cause`: a fragment such as "hubspot moved mql -> sql".
    `overruled`: claims that lost. `hold`: what somebody must decide, in words; `state` is then the old one, since nobody else moved. `question`: the
    short name of that, such as "unauthorised:crm:sql".
    """

    state: StageState
    cause: str
    overruled: tuple[Overruled, ...] = ()
    hold: str | None = None
    question: str = ""


def decide(funnel: Funnel, hub: StageState, claims: Sequence[Claim], conflict: Tie = "furthest", authority: Authority | None = None) -> StageDecision:
    """The person's place after these claims. Claims that are neither changed nor first assert nothing new.

    `claims`: at most one per system and record; their stages and side states are the funnel's. Raises `KeyError` for others.
    """
    asserting = [claim for claim in claims if (claim.changed or claim.first) and claim.reading != StageReading()]
    if not asserting:
        return StageDecision(hub, "nothing new")
    if hub.version == 0:
        return _meet(funnel, hub, asserting)
    bids = [found for claim in asserting if (found := bid(funnel, hub, claim)) is not None]
    barred = _barred(funnel, hub, bids, authority) if authority is not None else {}
    heard = as_bought(funnel, hub, [each for each in bids if each.claim not in barred])
    if heard:
        return _move(funnel, hub, asserting, heard, barred, *contest(funnel, hub, heard, conflict, teams=authority is not None))
    if barred and authority is not None and authority.unauthorised == "hold":
        return _ask(funnel, hub, asserting, bids, barred)
    return _stay(funnel, hub, asserting, barred)


def _meet(funnel: Funnel, hub: StageState, claims: Sequence[Claim]) -> StageDecision:
    """All records see the person for the first time: nobody moved anything, so only what they say counts, never when."""
    readings = [claim.reading for claim in claims]
    if readings.count(readings[0]) == len(readings):  # most people of a first sync: nothing to weigh
        return _moved_to(funnel, hub, readings[0], f"first meeting: {_names(claims)}: {spoken(readings[0])}", ())
    stage = _furthest(funnel, (reading.stage for reading in readings))
    rejecting = [reading for reading in readings if reading.side in funnel.rejections]
    beside = rejecting or [reading for reading in readings if reading.side is not None and not _outrun(funnel, reading, readings)]
    found = min(beside, key=lambda reading: (reading.reason is None, reading.side or "", reading.reason or ""), default=StageReading())
    place = StageReading(stage, found.side, found.reason)
    rule = REJECTION if rejecting else FURTHEST
    lost = [claim for claim in claims if not within(claim.reading, place)]
    who = _names(claim for claim in claims if claim not in lost)
    cause = f"first meeting: {who or 'all together'}: {spoken(place)}"
    return _moved_to(funnel, hub, place, cause, [(claim.system, claim.reading, f"first meeting: {rule}") for claim in lost])


def _outrun(funnel: Funnel, reading: StageReading, readings: Iterable[StageReading]) -> bool:
    """Somebody without a side state stands further: the person has gone on since it was set."""
    return reading.stage is not None and any(other.side is None and funnel.position(other.stage) > funnel.position(reading.stage) for other in readings)


def _barred(funnel: Funnel, hub: StageState, bids: Iterable[Bid], authority: Authority) -> Mapping[Claim, str]:
    """The bids by teams that may not make such a move, each with whose right it is. A record that meets the person has moved nobody."""
    found: dict[Claim, str] = {}
    for each in bids:
        team = None if each.claim.first else each.claim.team
        objection = authority.objection(funnel, team, hub.reading, each.place)
        if objection is not None:
            found[each.claim] = f"{objection}: {team} may not move {spoken(hub.reading)} -> {spoken(each.place)}"
    return found


def _move(
    funnel: Funnel, hub: StageState, claims: Sequence[Claim], bids: Sequence[Bid], barred: Mapping[Claim, str], place: StageReading, lost: Mapping[Claim, str]
) -> StageDecision:
    """The person is where the winning bids want them."""
    winners = [each.claim for each in bids if each.place == place]
    verb = "moved" if any(moved(claim) for claim in winners) else "is new and further" if all(claim.first for claim in winners) else "raised"
    cause = f"{_names(winners)} {verb}: {spoken(hub.reading)} -> {spoken(place)}"
    return _moved_to(funnel, hub, place, cause, _losers(funnel, hub, claims, place, {**barred, **lost}))


def _ask(funnel: Funnel, hub: StageState, claims: Sequence[Claim], bids: Iterable[Bid], barred: Mapping[Claim, str]) -> StageDecision:
    """Nobody moved the person but those who may not: somebody is asked."""
    sought = {f"{each.claim.system}:{_goal(hub, each.place)}" for each in bids}
    hold = " and ".join(sorted(set(barred.values())))
    others = [claim for claim in claims if claim not in barred]
    question = f"unauthorised:{'+'.join(sorted(sought))}"
    return StageDecision(hub, f"stays {spoken(hub.reading)}: {hold}", tuple(_losers(funnel, hub, others, hub.reading, {})), hold, question)


def _goal(hub: StageState, place: StageReading) -> str:
    """The one word for a move: the side state that is entered, else the stage."""
    return place.side if place.side is not None and place.side != hub.side else place.stage or "none"


def _stay(funnel: Funnel, hub: StageState, claims: Sequence[Claim], barred: Mapping[Claim, str]) -> StageDecision:
    """Nobody who could be heard wants the person elsewhere."""
    overruled = _losers(funnel, hub, claims, hub.reading, barred)
    rules = dict.fromkeys(rule for _, _, rule in overruled)
    return StageDecision(hub, f"stays {spoken(hub.reading)}: {' and '.join(rules)}" if rules else "nothing new", tuple(overruled))


def _losers(funnel: Funnel, hub: StageState, claims: Iterable[Claim], place: StageReading, rules: Mapping[Claim, str]) -> list[Overruled]:
    """The claims that do not have what they want, each with the rule by which: one of `rules`, or the one that kept it from bidding for it."""
    lost = [claim for claim in claims if not agrees(hub, claim, place)]
    return sorted(((claim.system, claim.reading, rules.get(claim) or _unheard(funnel, hub, claim)) for claim in lost), key=_by_text)


def _unheard(funnel: Funnel, hub: StageState, claim: Claim) -> str:
    if forbidden(funnel, hub, claim):
        return _FORBIDDEN
    return _OLDER if claim.rule is None else _RULE


def _furthest(funnel: Funnel, stages: Iterable[str | None]) -> str | None:
    """The furthest that is won, or the furthest of all where nobody has bought."""
    known = [stage for stage in stages if stage is not None]
    return min(known, key=lambda stage: (not funnel.stages[stage].won, -funnel.position(stage), stage), default=None)


def _moved_to(funnel: Funnel, hub: StageState, place: StageReading, cause: str, overruled: Iterable[Overruled]) -> StageDecision:
    again = funnel.begins_again(hub.reading, place)
    state = StageState(place.stage, place.side, place.reason, hub.pass_no + again, hub.version + 1)
    if again:
        cause = f"{cause} (enters again, pass {state.pass_no})"
    return StageDecision(state, cause, tuple(sorted(overruled, key=_by_text)))


def _by_text(row: Overruled) -> tuple[str, str, str]:
    return row[0], repr(row[1]), row[2]


def _names(claims: Iterable[Claim]) -> str:
    systems = {claim.system for claim in claims}
    return " and ".join(sorted(systems)) if len(systems) > 1 else "".join(systems)


def spoken(place: StageReading) -> str:
    """A place in words: `mql`, `mql, disqualified (No budget)`."""
    if place.side is None:
        return place.stage or "no stage"
    reason = f" ({place.reason})" if place.reason else ""
    return f"{place.stage}, {place.side}{reason}" if place.stage else f"{place.side}{reason}"
