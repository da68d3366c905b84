"""A call that was refused as a whole wrote nothing: it is sent again without the rows that the refusal names, or in halves until the rows at fault stand alone.

One bad row in a hundred of which nothing is told costs about fifteen calls; one that is named costs one more. Where row after row turns out bad, the search
ends: that is no bad row but a fault of the set-up, and whoever sent the batch stops.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..model.errors import StagesyncError
from ..model.writes import Deferred, Outcome, Rejected

ENOUGH = 20
SHARE = 0.05
_SOON_S = 5.0

Outcomes = dict[int, Outcome]
"""The place of a step in the batch -> what came of it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was refused as a whole. `guilty`: the places that it names; `verdict`: what it means for the row at a place, if that is the one at fault.

    `of_all`: the fault is the same for every row, so that fewer of them would be refused as well.
    """

    guilty: Collection[int]
    verdict: Callable[[int], Outcome]
    of_all: bool = False


Send = Callable[[Sequence[int]], Outcomes | Refusal]
"""One call for the steps at these places."""

Works = Sequence[Callable[[], Outcomes | StagesyncError]]


def sorted_out(places: Sequence[int], send: Send) -> Outcomes:
    """Send, and if need be again, until each row has its outcome. Raises what `send` raises as long as surely nothing was done."""
    return _Search(send, len(places)).sent(places)


def in_turn(places: Sequence[int], size: int, send: Send, *, begun: bool = False) -> Outcomes:
    """As `sorted_out`, of `size` at a time, one call after the other. `begun`: something of the same batch was done already.

    Once anything may have been done, what stops everything only defers the rest; and so do too many refusals.
    """
    found: Outcomes = {}
    for start in range(0, len(places), size):
        refused = sum(isinstance(outcome, Rejected) for outcome in found.values())
        why = "too many rows of this batch were refused" if _is_hopeless(refused, start) else None
        try:
            if why is None:
                found |= sorted_out(places[start : start + size], send)
                continue
        except StagesyncError as stop:
            if not found and not begun:
                raise
            why = stop.what
        return found | dict.fromkeys(places[start:], Deferred(why, _SOON_S))
    return found


def at_once(places: Sequence[int], size: int, send: Send, abreast: Callable[[Works], Sequence[Outcomes | StagesyncError]]) -> Outcomes:
    """As `sorted_out`, of `size` at a time, several calls under way at once. What stops everything is raised where it stopped every one of them."""

    def sent(part: Sequence[int]) -> Outcomes | StagesyncError:
        try:
            return sorted_out(part, send)
        except StagesyncError as stop:  # raised only where surely nothing was done
            return stop

    parts = [places[start : start + size] for start in range(0, len(places), size)]
    told = abreast([partial(sent, part) for part in parts])
    stops = [each for each in told if isinstance(each, StagesyncError)]
    if stops and len(stops) == len(told):
        raise stops[0]
    found: Outcomes = {}
    for part, each in zip(parts, told, strict=True):
        found |= dict.fromkeys(part, Deferred(each.what, _SOON_S)) if isinstance(each, StagesyncError) else each
    return found


def _is_hopeless(refused: int, rows: int) -> bool:
    return refused >= ENOUGH and refused > SHARE * rows


@dataclass(slots=True)
class _Search:
    """For the rows at fault of one batch of so many `rows`; `found` counts them."""

    send: Send
    rows: int
    found: int = field(default=0, init=False)

    def sent(self, places: Sequence[int]) -> Outcomes:
        told = self.send(places)
        if not isinstance(told, Refusal):
            return told
        guilty = [place for place in places if len(places) == 1 or place in told.guilty]
        if guilty and (told.of_all or len(guilty) < len(places) or len(places) == 1):
            self.found += len(guilty)
            innocent = [place for place in places if place not in set(guilty)]
            return {place: told.verdict(place) for place in guilty} | self.rest(innocent)
        if self.hopeless:
            return self.left(places, "too many rows of this batch were refused")
        middle = len(places) // 2
        return self.sent(places[:middle]) | self.rest(places[middle:])

    def rest(self, places: Sequence[int]) -> Outcomes:
        """Like `sent`, but what stops everything only defers these rows: outcomes of the others are known already and must not be lost."""
        if self.hopeless or not places:
            return self.left(places, "too many rows of this batch were refused")
        try:
            return self.sent(places)
        except StagesyncError as stop:  # raised only where surely nothing was done
            return self.left(places, stop.what)

    @property
    def hopeless(self) -> bool:
        return _is_hopeless(self.found, self.rows)

    def left(self, places: Sequence[int], why: str) -> Outcomes:
        return dict.fromkeys(places, Deferred(why, _SOON_S))
