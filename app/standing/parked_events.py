"""Events that nobody could understand, and events of ours that nobody took, by system and cause: for `stagesync errors` and `stagesync retry`."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...state import inbox, outbox
from ..wiring import Place

_REMEDIES: Mapping[str, str] = {
    "NO_REF": "the event says not whom it is about: mend `ref` or `email` of its table under [[systems.{system}.events]], or narrow its `when`",
    "NO_STAGE": "the event has no stage where `stage` looks for it: mend that expression, or narrow `when`",
    "BAD_VALUE": "an expression gave a list or a table where one value is wanted: let it name the value itself",
    "BAD_TIME": "what `at` names is no time: let it give seconds or milliseconds since 1970, or a moment like 2026-03-01T09:30:00Z",
    "BAD_EXPRESSION": "an expression cannot be used on this event (a function met a value of another type): mend it, or narrow `when`",
    "PRIVATE_ADDRESS": "`endpoint_url` leads into a private network: if that is meant, name its host in `allow_private` of [systems.{system}]",
    "NO_CONNECTION": "nobody answers at `endpoint_url` of [systems.{system}]: check the address, the certificate and the network",
    "TIMEOUT": "the endpoint did not answer within ten seconds: let it acknowledge first and work later",
    "BROKEN_ANSWER": "the endpoint broke off its answer: its log says why",
}
_UNKNOWN = "the endpoint answered with this status for a day: its log says why; mend that, then have them sent once more"


class Item(NamedTuple):
    """One event: its number in the inbox or outbox, by what it is known, when it came or was made (ms), and how often it was tried."""

    id: int
    key: str
    at: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Group:
    """Events of one system that have one cause. `outgoing`: they are ours."""

    system: str
    code: str
    outgoing: bool
    events: tuple[Item, ...]

    @property
    def id(self) -> str:
        """By which somebody names the group."""
        return hashlib.sha256(f"{'letter' if self.outgoing else 'event'} {self.system} {self.code}".encode()).hexdigest()[:6]

    @property
    def what(self) -> str:
        """What became of them."""
        return f"for {self.system} could not be delivered" if self.outgoing else f"of {self.system} could not be understood"

    @property
    def remedy(self) -> str:
        """What helps, as a sentence without its full stop."""
        return _REMEDIES.get(self.code, _UNKNOWN).replace("{system}", self.system)


def groups(place: Place) -> list[Group]:
    """All of them, the largest first."""
    found: dict[tuple[str, str, bool], list[Item]] = defaultdict(list)
    with inbox.inbox_of(place.config.state_url) as store:
        if store is not None:
            with store.read() as tx:
                for row in inbox.parked(tx, place.config.workspace):
                    found[row.system, row.code or "", False].append(Item(row.id, row.key, row.received, row.attempts))
                for letter in outbox.dead(tx, place.config.workspace):
                    found[letter.system, letter.code or "", True].append(Item(letter.id, letter.key, letter.made, letter.attempts))
    return sorted((Group(*cause, tuple(items)) for cause, items in found.items()), key=lambda group: (-len(group.events), group.id))


def again(place: Place, chosen: Sequence[Group]) -> int:
    """Let the next run read or send these once more; how many events."""
    told = [item.id for group in chosen if not group.outgoing for item in group.events]
    ours = [item.id for group in chosen if group.outgoing for item in group.events]
    if not told and not ours:
        return 0
    with inbox.inbox_of(place.config.state_url) as store:
        if store is None:
            return 0
        with store.write() as tx:
            return inbox.again(tx, told) + outbox.again(tx, place.config.workspace, ours)
