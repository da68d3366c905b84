"""How each system says each stage of the funnel, proved by writing it and reading it back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..lifecycle.funnel import Funnel
from ..mapping.maps import Maps
from ..mapping.stages import StageMap
from ..model.records import Native


@dataclass(frozen=True, slots=True)
class Expression:
    """A stage in one kind of record.

    `written`: what a new record is given, None where there is nothing. `back`: the stage that this is read as. `stand_in`: the map itself says that
    another stage is written in its place, or none.
    """

    system: str
    kind: str
    stage: str
    written: tuple[tuple[str, Native], ...] | None
    back: str | None
    stand_in: bool

    @property
    def exact(self) -> bool:
        """Whoever reads the record sees the stage itself."""
        return self.back == self.stage


def expressions(funnel: Funnel, maps: Maps) -> list[Expression]:
    """Every stage in every kind that holds one: by system, kind, and the order of the line."""
    found: list[Expression] = []
    for system, table in maps.systems.items():
        for name, kind in table.kinds.items():
            if kind.stage is not None:
                found.extend(_said(system, name, stage, kind.stage) for stage in funnel.stages)
    return found


def _said(system: str, kind: str, stage: str, stage_map: StageMap) -> Expression:
    written = stage_map.write(stage, None, None)
    reading = None if written is None else stage_map.read(written)
    return Expression(
        system,
        kind,
        stage,
        None if written is None else tuple(sorted(written.items())),
        None if reading is None else reading.stage,
        stage_map.expressed.get(stage) != stage,
    )


def losses(said: Sequence[Expression]) -> Iterator[str]:
    """Stages that a kind of record cannot tell from others, or not say at all: each with the TOML path of the map, what it means, and a remedy."""
    for (system, kind), rows in groupby(said, lambda each: (each.system, each.kind)):
        path = f"systems.{system}.stages.{kind}"
        lost: dict[tuple[str | None, tuple[tuple[str, Native], ...] | None], list[str]] = {}
        for row in rows:
            if not row.exact:
                lost.setdefault((row.back, row.written), []).append(row.stage)
        for (back, written), stages in lost.items():
            names = f"{', '.join(stages)} {'is' if len(stages) == 1 else 'are'}"
            if written is None:
                yield f"{path}: {names} not written: the record keeps what it says. Map a value, or name another stage by `instead`"
            elif back is None:
                yield f"{path}: {names} written as {shown(written)}, which is read as nothing. Map the value to the stage"
            else:
                yield f"{path}: {names} written as {shown(written)}, which is read as {back}. Give each a value of its own, or live with the loss"


def homeless(funnel: Funnel, said: Sequence[Expression]) -> Iterator[str]:
    """Stages that no system has a value of its own for: nobody can be put there in a system."""
    exact = {each.stage for each in said if each.exact}
    for stage in funnel.stages:
        if stage not in exact:
            yield f"funnel.stages.{stage}: no system has a value of its own for it, so nobody can be put there in any. Map one, or drop the stage"


def shown(written: tuple[tuple[str, Native], ...]) -> str:
    """`Status=Working, Kind__c=A`."""
    return ", ".join(f"{native}={value}" for native, value in written) or "nothing"
