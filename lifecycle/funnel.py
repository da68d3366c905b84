"""A funnel: the stages a company tells apart, their order, the groups that are counted together, and the side states beside the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model.stages import StageReading


@dataclass(frozen=True, slots=True)
class Stage:
    """One place in the line. Stages of one position stand beside each other.

    `entry`: people come in here without passing what is before. `won`: whoever is here has bought.
    """

    id: str
    label: str
    team: str
    position: int
    entry: bool = False
    won: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Stages that go by one name together. `stages`: in the order of the line, so that the first is the least that the name can mean."""

    id: str
    label: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Stage -> stage of another funnel. A stage that is not in it has no counterpart there."""

    source: str
    target: str
    stages: Mapping[str, str]

    @property
    def lossy(self) -> frozenset[str]:
        """The stages that share their counterpart with another, so that the way back does not find them."""
        counterparts = list(self.stages.values())
        return frozenset(stage for stage, counterpart in self.stages.items() if counterparts.count(counterpart) > 1)


@dataclass(frozen=True, slots=True)
class Funnel:
    """Stages, groups and side states by id (`sides`: id -> label), stages in the order of the line.

    `rejections`: side states by which sales says no. `reentries`: side states from which a person may come again, in a new pass. `reasons`: side
    state -> the usual ones. `moves`: stage or side state -> the stages that may follow; where nothing stands, any. `crosswalks`: by the other funnel.
    """

    name: str
    stages: Mapping[str, Stage]
    sides: Mapping[str, str]
    rejections: frozenset[str]
    reentries: frozenset[str]
    title: str = ""
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    groups: Mapping[str, Group] = field(default_factory=dict[str, Group])
    moves: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    crosswalks: Mapping[str, Crosswalk] = field(default_factory=dict[str, Crosswalk])

    def position(self, stage: str | None) -> int:
        """The place in the line, from 0; -1 for no stage. Raises `KeyError` for a stage of another funnel."""
        return -1 if stage is None else self.stages[stage].position

    @property
    def positions(self) -> Mapping[str, int]:
        """Stage id -> position: what `mapping` needs to know of a funnel."""
        return {stage.id: stage.position for stage in self.stages.values()}

    @property
    def columns(self) -> tuple[tuple[Stage, ...], ...]:
        """The line: for each position the stages that stand there."""
        found: dict[int, list[Stage]] = {}
        for stage in self.stages.values():
            found.setdefault(stage.position, []).append(stage)
        return tuple(tuple(found[position]) for position in sorted(found))

    @property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Group -> its stages."""
        return {group.id: group.stages for group in self.groups.values()}

    def begins_again(self, before: StageReading, after: StageReading) -> bool:
        """Whether such a move begins a new pass: out of a side state from which people come again, or by an entry for somebody who has bought."""
        if after.side is not None or before.side in self.reentries:
            return after.side is None
        if before.stage is None or after.stage is None or before.side in self.rejections:
            return False
        return self.stages[before.stage].won and self.stages[after.stage].entry and self.position(after.stage) < self.position(before.stage)

    def allows(self, before: StageReading, after: StageReading) -> bool:
        """Whether somebody may move a person so. Backward is a correction and always open; a side state may be entered from everywhere."""
        if before.stage is None or before.stage == after.stage:
            forward = True
        else:
            allowed = self.moves.get(before.stage)
            forward = allowed is None or after.stage in allowed or self.position(after.stage) < self.position(before.stage)
        if before.side is None or after.side is not None or before.side not in self.moves:
            return forward
        return after.stage in self.moves[before.side]
