"""Events that nobody could understand, by system and cause: shown by `stagesync errors`, read once more on `stagesync retry`."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..state import inbox
from ..state.inbox import EventRow
from .wiring import Place

_REMEDIES: Mapping[str, str] = {
    "NO_REF": "the event says not whom it is about: mend `ref` or `email` of its table under [[systems.{system}.events]], or narrow its `when`",
    "NO_STAGE": "the event has no stage where `stage` looks for it: mend that expression, or narrow `when`",
    "BAD_VALUE": "an expression gave a list or a table where one value is wanted: let it name the value itself",
    "BAD_TIME": "what `at` names is no time: let it give seconds or milliseconds since 1970, or a moment like 2026-03-01T09:30:00Z",
    "BAD_EXPRESSION": "an expression cannot be used on this event (a function met a value of another type): mend it, or narrow `when`",
}
_UNKNOWN = "the connector gives this reason: mend what it names, then have them read once more"


@dataclass(frozen=True, slots=True)
class Group:
    """Events of one system that have one cause."""

    system: str
    code: str
    events: tuple[EventRow, ...]

    @property
    def id(self) -> str:
        """By which somebody names the group."""
        return hashlib.sha256(f"event {self.system} {self.code}".encode()).hexdigest()[:6]

    @property
    def remedy(self) -> str:
        """What helps, as a sentence without its full stop."""
        return _REMEDIES.get(self.code, _UNKNOWN).replace("{system}", self.system)


def groups(place: Place) -> list[Group]:
    """All of them, the largest first."""
    found: dict[tuple[str, str], list[EventRow]] = defaultdict(list)
    with inbox.inbox_of(place.config.state_url) as store:
        if store is not None:
            with store.read() as tx:
                for row in inbox.parked(tx, place.config.workspace):
                    found[row.system, row.code or ""].append(row)
    return sorted((Group(system, code, tuple(rows)) for (system, code), rows in found.items()), key=lambda group: (-len(group.events), group.id))


def again(place: Place, chosen: Sequence[Group]) -> int:
    """Let the next run read these once more; how many events."""
    ids = [row.id for group in chosen for row in group.events]
    if not ids:
        return 0
    with inbox.inbox_of(place.config.state_url) as store:
        if store is None:
            return 0
        with store.write() as tx:
            return inbox.again(tx, ids)
