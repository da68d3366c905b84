"""What a claim asks for, and how much of that can be heard before anybody is weighed against anybody. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model.stages import Claim, StageReading, StageState
from .funnel import Funnel


@dataclass(frozen=True, slots=True)
class Bid:
    """A place that one claim wants."""

    place: StageReading
    claim: Claim


def bid(funnel: Funnel, hub: StageState, claim: Claim) -> Bid | None:
    """The place that a claim wants; None where it agrees with the hub, or may not have what it wants."""
    place = _sought(funnel, hub, claim)
    if forbidden(funnel, hub, claim):
        rejects = place.side in funnel.rejections and hub.side not in funnel.rejections  # a no is heard wherever it comes from
        place = StageReading(hub.stage, place.side, place.reason) if rejects else hub.reading
    return None if place == hub.reading else Bid(place, claim)


def forbidden(funnel: Funnel, hub: StageState, claim: Claim) -> bool:
    """Somebody moved the person where the funnel does not let them go from here."""
    return bool(funnel.moves) and claim.changed and not claim.first and not funnel.allows(hub.reading, _sought(funnel, hub, claim))


def moved(claim: Claim) -> bool:
    """Somebody who saw the hub's present place changed it on purpose."""
    return claim.changed and claim.current and not claim.first


def agrees(hub: StageState, claim: Claim, place: StageReading) -> bool:
    """The claim has what it wants. Who says nothing of the stage does not mind which it is."""
    if not moved(claim):
        return within(claim.reading, place)
    wanted = _wanted(hub, claim)
    return (wanted if claim.reading.stage is not None else replace(wanted, stage=place.stage)) == place


def within(reading: StageReading, place: StageReading) -> bool:
    """Everything that the reading says is so; what it leaves out it does not deny."""
    return reading.stage in (None, place.stage) and reading.side in (None, place.side)


def _sought(funnel: Funnel, hub: StageState, claim: Claim) -> StageReading:
    """The place that a claim asks for, as far as its version lets it: the hub's own where it may ask for nothing."""
    if claim.rule is not None:
        return _by_rule(funnel, hub, claim.reading)
    place = _wanted(hub, claim)
    if moved(claim):
        return place
    further = funnel.position(claim.reading.stage) > funnel.position(hub.stage)
    rejects = claim.reading.side in funnel.rejections and hub.side not in funnel.rejections
    stage = claim.reading.stage if further else hub.stage
    return StageReading(stage, place.side, place.reason) if rejects else StageReading(stage, hub.side, hub.reason)


def _by_rule(funnel: Funnel, hub: StageState, said: StageReading) -> StageReading:
    """A rule raises people or puts them aside. It neither lowers a stage nor takes back a no; whoever begins a new pass it lets in where it says."""
    if hub.side in funnel.rejections:
        return hub.reading
    again = funnel.begins_again(hub.reading, said)
    raises = again or said.stage == hub.stage or funnel.position(said.stage) > funnel.position(hub.stage)
    if said.side is None:
        return StageReading(said.stage) if raises and said.stage is not None else hub.reading
    return StageReading(said.stage if raises and said.stage is not None else hub.stage, said.side, said.reason)


def _wanted(hub: StageState, claim: Claim) -> StageReading:
    """A reading in full: a side state alone keeps the stage, and the same side state without a reason keeps the reason."""
    reading = claim.reading
    reason = hub.reason if reading.side == hub.side and reading.reason is None else reading.reason
    return StageReading(reading.stage if reading.stage is not None else hub.stage, reading.side, reason if reading.side is not None else None)
