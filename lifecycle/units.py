"""What conversion is told of: single stages, and stages that are counted together. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .funnel import Funnel


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A stage, or stages that are counted together. `top`: the furthest position of them; whoever stands further has gone on."""

    id: str
    stages: tuple[str, ...]
    top: int


def units_of(funnel: Funnel) -> tuple[Unit, ...]:
    """Stages, positions that several stages share, and groups: each set of stages once, and none from which nobody can go on."""
    last = len(funnel.columns) - 1
    columns = [tuple(stage.id for stage in column) for column in funnel.columns]
    named = [(stage, (stage,)) for stage in funnel.stages] + [(group.id, group.stages) for group in funnel.groups.values()]
    found: dict[frozenset[str], Unit] = {}
    for name, stages in [*named, *(("+".join(column), column) for column in columns)]:
        top = max(funnel.position(stage) for stage in stages)
        if top < last:
            found.setdefault(frozenset(stages), Unit(name, stages, top))
    return tuple(sorted(found.values(), key=lambda unit: (unit.top, len(unit.stages))))
