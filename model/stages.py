"""The nouns of the lifecycle that all rooms share."""

from __future__ import annotations

from dataclasses import dataclass

from .records import Actor


@dataclass(frozen=True, slots=True)
class StageReading:
    """What a system's fields say about the stage: a stage, a side state with its reason, or both.

    `stage` None with a side state means: the side state is known, the place in the line is not expressed.
    """

    stage: str | None = None
    side: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StageState:
    """A person's place as the hub knows it. `version` counts its changes; 0 is "nothing known yet"."""

    stage: str | None = None
    side: str | None = None
    reason: str | None = None
    pass_no: int = 1
    version: int = 0

    @property
    def reading(self) -> StageReading:
        """The place without its bookkeeping."""
        return StageReading(self.stage, self.side, self.reason)


@dataclass(frozen=True, slots=True)
class Claim:
    """One system's assertion of a stage. `at` in milliseconds and `actor` where history tells them.

    `changed`: the evidence differs from what was last agreed. `current`: the link carries the hub's current version,
    so a change is somebody's deliberate move and not an old value. `first`: the link meets the person for the first time.
    `team`: that of the actor, where one is known. `rule`: the qualification rule that says so; `system` then names it too.
    """

    system: str
    reading: StageReading
    changed: bool
    current: bool
    first: bool = False
    at: int | None = None
    actor: Actor | None = None
    team: str | None = None
    rule: str | None = None
