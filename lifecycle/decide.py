"""The decision of a stage from what the systems say about it. Pure; independent of the order and the names of systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..model.stages import Claim, StageReading, StageState
from .funnel import Funnel

Tie: TypeAlias = Literal["furthest", "latest"]


@dataclass(frozen=True, slots=True)
class StageDecision:
    """What became of the claims.

    `state`: the new place, its version one higher where it changed. `cause`: a fragment such as "hubspot moved mql -> sql".
    `overruled`: (system, what it said, the rule in words). `hold`: the question, where it cannot be decided; `state` is then the old one.
    """

    state: StageState
    cause: str
    overruled: tuple[tuple[str, StageReading, str], ...] = ()
    hold: str | None = None


def decide(funnel: Funnel, hub: StageState, claims: Sequence[Claim], conflict: Tie = "furthest") -> StageDecision:
    """The person's place after these claims."""
    raise NotImplementedError
