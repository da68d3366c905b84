"""Events that wait, as a line for each system and as objects: for `status` and for the health page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..standing.queues import Queue
from . import words


def queue_rows(found: Sequence[Queue]) -> list[tuple[str, str]]:
    """System, and what waits there; only of those where anything does."""
    return [(queue.system, told) for queue in found if (told := "; ".join(_parts(queue)))]


def queues_json(found: Sequence[Queue]) -> list[dict[str, Any]]:
    """The same as objects, of all systems."""
    return [
        {
            "system": queue.system,
            "inbox": {"waiting": queue.told, "since": words.stamp(queue.told_since), "parked": queue.parked},
            "outbox": {"waiting": queue.ours, "since": words.stamp(queue.ours_since), "dead": queue.dead},
        }
        for queue in found
    ]


def _parts(queue: Queue) -> list[str]:
    parts: list[str] = []
    if queue.told:
        parts.append(f"{words.count(queue.told, 'event waits', 'events wait')} for a run since {_since(queue.told_since)}")
    if queue.ours:
        parts.append(f"{words.count(queue.ours, 'event', 'events')} not delivered yet, the first since {_since(queue.ours_since)}")
    if queue.parked:
        parts.append(f"{queue.parked:,} not understood")
    if queue.dead:
        parts.append(f"{queue.dead:,} given up")
    return parts


def _since(at: int | None) -> str:
    return f"{words.moment(at)[:16]} UTC"
