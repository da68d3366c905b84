"""The guards' limits of a migration: measured from what somebody has seen and approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...sync.deciding.guard import Limit


def beyond(limits: Mapping[str, Limit], seen: Mapping[str, int]) -> dict[str, Limit]:
    """The limits, counted from there. `seen`: kind of change -> writes that are approved."""
    most = {**seen, "people": sum(count for kind, count in seen.items() if kind != "lowerings")}
    return {kind: replace(limit, count=limit.count + most.get(kind, 0)) for kind, limit in limits.items()}
