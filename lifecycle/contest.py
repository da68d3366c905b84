"""Which of several bids wins. What a place means comes before the time at which somebody said it. Pure.

1. a rejection beats any stage, and one with a reason one without; but it is no word against a deal, and leaves a customer a customer (`as_bought`)
2. a place that is won beats one that is not: whoever has bought is a customer, whatever a score says later
3. the team that owns a place has the last word on entering it, where teams are known
4. the furthest, or the latest where that is configured and every time is known
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from ..model.stages import Claim, StageReading, StageState
from .bids import Bid
from .funnel import Funnel

Tie: TypeAlias = Literal["furthest", "latest"]

REJECTION = "a rejection with a reason comes first"
ONE_NO = "of several rejections one is kept"
WON = "a deal that is won comes before any other stage"
OWNER = "the team that owns a stage has the last word on entering it"
FURTHEST = "the furthest stage wins"
LATEST = "the later change wins"


def contest(funnel: Funnel, hub: StageState, bids: Sequence[Bid], tie: Tie, *, teams: bool) -> tuple[StageReading, Mapping[Claim, str]]:
    """The place that wins, and for each bid for another place the rule by which it lost. `bids`: one at least; `teams`: those of the claims count."""
    if len(bids) == 1:
        return bids[0].place, {}
    rejecting = [bid for bid in bids if _refuses(funnel, hub, bid)]
    reasoned = [bid for bid in rejecting if bid.place.reason is not None]
    rounds = [(REJECTION, reasoned or rejecting)] if rejecting else _rounds(funnel, bids, tie, teams=teams)
    standing = rounds[-1][1]
    place = min((bid.place for bid in standing), key=lambda place: _rank(funnel, place))
    lost: dict[Claim, str] = {}
    for rule, passed in (*rounds, (ONE_NO if rejecting else FURTHEST, [])):
        lost.update((bid.claim, rule) for bid in bids if bid.place != place and bid not in passed and bid.claim not in lost)
    if is_won(funnel, place) and not is_won(funnel, hub.reading):
        lost.update((bid.claim, WON) for bid in bids if bid.place == place and bid.claim.reading.stage not in (None, place.stage))
    return place, lost


def as_bought(funnel: Funnel, hub: StageState, bids: Sequence[Bid]) -> Sequence[Bid]:
    """Whoever is refused in the look in which they bought is refused as a customer: a no stands beside the line, and the deal would not be heard again."""
    won = [bid.place.stage for bid in bids if bid.place.stage is not None and is_won(funnel, bid.place)]
    if not won or is_won(funnel, hub.reading):
        return bids
    stage = min(won, key=lambda stage: (-funnel.position(stage), stage))
    refused = [bid for bid in bids if _refuses(funnel, hub, bid) and not is_won(funnel, bid.place)]
    return [replace(bid, place=replace(bid.place, stage=stage)) if bid in refused else bid for bid in bids]


def _refuses(funnel: Funnel, hub: StageState, bid: Bid) -> bool:
    return bid.place.side in funnel.rejections and bid.place.side != hub.side


def is_won(funnel: Funnel, place: StageReading) -> bool:
    """Whoever is at the place has bought."""
    return place.stage is not None and funnel.stages[place.stage].won


def _rounds(funnel: Funnel, bids: Sequence[Bid], tie: Tie, *, teams: bool) -> list[tuple[str, Sequence[Bid]]]:
    """Each rule with those who are left after it: all of them where it has nothing to say."""
    won = [bid for bid in bids if is_won(funnel, bid.place)] or bids
    owning = _without_strangers(funnel, won) if teams else won
    times = [bid.claim.at for bid in owning if bid.claim.at is not None]
    latest = [bid for bid in owning if bid.claim.at == max(times)] if tie == "latest" and len(times) == len(owning) else owning
    return [(WON, won), (OWNER, owning), (LATEST, latest)]


def _without_strangers(funnel: Funnel, bids: Sequence[Bid]) -> Sequence[Bid]:
    """Where the team that owns a place bids for it, bids by other teams for places that are not theirs fall out. A team that is not known may be any."""
    own = [bid for bid in bids if bid.place.stage is not None and bid.claim.team == funnel.stages[bid.place.stage].team]
    return [bid for bid in bids if bid.claim.team is None or bid in own] if own else bids


def _rank(funnel: Funnel, place: StageReading) -> tuple[int, bool, bool, str, str, str]:
    """Smallest first: the furthest, then a rejection, then one with a reason, then by the alphabet."""
    return -funnel.position(place.stage), place.side not in funnel.rejections, place.reason is None, place.stage or "", place.side or "", place.reason or ""
