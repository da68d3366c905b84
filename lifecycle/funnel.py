"""A funnel: the stages a company tells apart, their order, and the side states beside the line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """One place in the line. Stages of one position stand beside each other."""

    id: str
    label: str
    team: str
    position: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """Stages and side states by id (`sides`: id -> label).

    `rejections`: side states by which sales says no. `reentries`: side states from which a person may come again, in a new pass.
    """

    name: str
    stages: Mapping[str, Stage]
    sides: Mapping[str, str]
    rejections: frozenset[str]
    reentries: frozenset[str]

    def position(self, stage: str | None) -> int:
        """The place in the line, from 0; -1 for no stage. Raises `KeyError` for a stage of another funnel."""
        return -1 if stage is None else self.stages[stage].position

    @property
    def positions(self) -> Mapping[str, int]:
        """Stage id -> position: what `mapping` needs to know of a funnel."""
        return {stage.id: stage.position for stage in self.stages.values()}


def parse_funnel(table: Mapping[str, Any]) -> Funnel:
    """The funnel that a TOML table describes: `name`, `line` (a list of lists of stage ids), `stages`, `sides`."""
    places = {stage: position for position, beside in enumerate(table["line"]) for stage in beside}
    stages = {name: Stage(name, spec["label"], spec["team"], places[name]) for name, spec in table["stages"].items()}
    sides: Mapping[str, Mapping[str, Any]] = table["sides"]
    return Funnel(
        name=table["name"],
        stages=stages,
        sides={name: spec["label"] for name, spec in sides.items()},
        rejections=frozenset(name for name, spec in sides.items() if spec.get("rejection")),
        reentries=frozenset(name for name, spec in sides.items() if spec.get("reentry")),
    )


@cache
def default_funnel() -> Funnel:
    """HubSpot's stages with SAL, PQL and service-qualified; what is used where nobody chose another."""
    return parse_funnel(tomllib.loads(Path(__file__).with_name("hubspot.toml").read_text("utf-8")))
