"""How each system says each stage of the funnel, proved by writing it and reading it back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..lifecycle.funnel import Funnel
from ..mapping.maps import Maps
from ..model.records import Native


@dataclass(frozen=True, slots=True)
class Expression:
    """A stage in one kind of record. `written`: what a new record is given, None where there is nothing; `back`: the stage that this is read as."""

    system: str
    kind: str
    stage: str
    written: tuple[tuple[str, Native], ...] | None
    back: str | None

    @property
    def exact(self) -> bool:
        """Whoever reads the record sees the stage itself."""
        return self.back == self.stage


def expressions(funnel: Funnel, maps: Maps) -> list[Expression]:
    """Every stage in every kind that holds one: by system, kind, and the order of the line."""
    found: list[Expression] = []
    for system, table in maps.systems.items():
        for kind in table.kinds.values():
            for stage in funnel.stages if kind.stage is not None else ():
                written = kind.stage.write(stage, None, None) if kind.stage is not None else None
                reading = kind.stage.read(written) if kind.stage is not None and written is not None else None
                back = reading.stage if reading is not None else None
                found.append(Expression(system, kind.kind, stage, None if written is None else tuple(sorted(written.items())), back))
    return found


def losses(said: Sequence[Expression]) -> Iterator[str]:
    """Stages that a kind of record cannot tell from others, or not say at all: each with the TOML path of the map, what it means, and a remedy."""
    for (system, kind), rows in groupby(said, lambda each: (each.system, each.kind)):
        path = f"systems.{system}.stages.{kind}"
        lost: dict[tuple[str | None, tuple[tuple[str, Native], ...] | None], list[str]] = {}
        for row in rows:
            if not row.exact:
                lost.setdefault((row.back, row.written), []).append(row.stage)
        for (back, written), stages in lost.items():
            names = ", ".join(stages)
            if written is None:
                yield f"{path}: nothing is written for {names}: the record keeps what it says. Map values for them, or another stage by `instead`"
            elif back is None:
                yield f"{path}: {shown(written)} is written for {names}, and read as nothing. Map the value to the stage"
            else:
                yield f"{path}: {names} written as {shown(written)}, which reads as {back}. Give each a value of its own, or live with the loss"


def homeless(funnel: Funnel, said: Sequence[Expression]) -> Iterator[str]:
    """Stages that no system has a value of its own for: nobody can be put there in a system."""
    exact = {each.stage for each in said if each.exact}
    for stage in funnel.stages:
        if stage not in exact:
            yield f"funnel.stages.{stage}: no system has a value of its own for it, so nobody can be put there in any. Map one, or drop the stage"


def shown(written: tuple[tuple[str, Native], ...]) -> str:
    """`Status=Working, Kind__c=A`."""
    return ", ".join(f"{native}={value}" for native, value in written) or "nothing"
