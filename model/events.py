"""What a system tells by itself, without being asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a system told. `key` makes it the same event when it is told again: unique for its system. `body`: JSON."""

    key: str
    body: Any


@dataclass(frozen=True, slots=True)
class Told:
    """An event that is kept in the inbox. `id`: its place there, greater for what came later. `received` in milliseconds by our clock."""

    id: int
    received: int
    event: Event
