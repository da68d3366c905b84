"""What is meant by the arguments of `stagesync retry`: groups of `stagesync errors`, or people."""

from __future__ import annotations

from collections.abc import Sequence

from ...sync.sending import failures
from ..standing import parked_events
from ..views.words import count
from ..wiring import Place
from .people import chosen


def retry(place: Place, what: Sequence[str]) -> tuple[int, int]:
    """Unpark these, or everything where nothing is named; how many writes, and how many events. Raises `ConfigurationError` for a name that nobody has."""
    with place.store.read() as tx:
        known = {cause.id for cause in failures.causes(tx, place.id)}
    events = [group for group in parked_events.groups(place) if not what or group.id in what]
    groups = known.intersection(what)
    whos = [word for word in what if word not in groups and word not in {group.id for group in events}]
    people = (chosen(place.store, place.id, place.bound(), whos) if whos else None) or frozenset[int]()
    writes = failures.retry(
        place.store,
        place.id,
        lambda failure: not what or failures.cause_id(failure) in groups or failure.person in people,
        place.clock.now_ms(),
    )
    return writes, parked_events.again(place, events)


def told(writes: int, events: int) -> list[str]:
    """What the command says when it is done."""
    if not writes and not events:
        return ["Nothing of that is parked."]
    what = " and ".join(count(number, word) for number, word in ((writes, "write"), (events, "event")) if number)
    return [f"{what} will be tried again.", "`stagesync sync` does it."]
