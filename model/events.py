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


@dataclass(frozen=True, slots=True)
class Letter:
    """An event of ours on its way to a system. `ref`: the record it is about; those of one record go in order. `key` is the same however often it is sent."""

    ref: str
    key: str
    body: Any


@dataclass(frozen=True, slots=True)
class Pending:
    """A letter that was not delivered yet: its place, how often it was tried, and when it is due (ms)."""

    id: int
    letter: Letter
    attempts: int
    due: int
