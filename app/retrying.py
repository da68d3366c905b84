"""What is meant by the arguments of `stagesync retry`: groups of `stagesync errors`, or people."""

from __future__ import annotations

from collections.abc import Sequence

from ..sync import failures
from .people import chosen
from .views.words import count
from .wiring import Place


def retry(place: Place, what: Sequence[str]) -> int:
    """Unpark these, or everything where nothing is named; how many writes. Raises `ConfigurationError` for a name that nobody has."""
    with place.store.read() as tx:
        known = {cause.id for cause in failures.causes(tx, place.id)}
    groups = known.intersection(what)
    whos = [word for word in what if word not in groups]
    people = (chosen(place.store, place.id, place.bound(), whos) if whos else None) or frozenset[int]()
    return failures.retry(
        place.store,
        place.id,
        lambda failure: not what or failures.cause_id(failure) in groups or failure.person in people,
        place.clock.now_ms(),
    )


def told(again: int) -> list[str]:
    """What the command says when it is done."""
    if not again:
        return ["Nothing of that is parked."]
    return [f"{count(again, 'write')} will be tried again.", "`stagesync sync` does it."]
