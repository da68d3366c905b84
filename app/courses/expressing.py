"""How each system says each stage and side state of the funnel, proved by writing it and reading it back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from ...lifecycle.funnel import Funnel
from ...mapping.maps import Maps
from ...mapping.stages import Rule, StageMap
from ...model.records import Native

Written: TypeAlias = tuple[tuple[str, Native], ...]
REASON = "For this reason"
"""A reason that is written and read back."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A stage in one kind of record.

    `written`: what a new record is given, None where there is nothing. `back`: the stage that this is read as. `stand_in`: the map itself says that
    another stage is written in its place, or none. `evidence`: what else means the stage, and is only read.
    """

    system: str
    kind: str
    stage: str
    written: Written | None
    back: str | None
    stand_in: bool
    evidence: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whoever reads the record sees the stage itself."""
        return self.back == self.stage


@dataclass(frozen=True, slots=True)
class Aside:
    """A side state in one kind of record, written for somebody at a stage. `alone`: the stage is not said any more. `reason`: what a reason is read as."""

    system: str
    kind: str
    side: str
    written: Written | None
    back: str | None
    alone: bool
    reason: str | None

    @property
    def exact(self) -> bool:
        """Whoever reads the record sees the side state itself."""
        return self.back == self.side


def expressions(funnel: Funnel, maps: Maps) -> list[Expression]:
    """Every stage in every kind that holds one: by system, kind, and the order of the line."""
    return [_said(system, kind, stage, table) for system, kind, table in _tables(maps) for stage in funnel.stages]


def asides(funnel: Funnel, maps: Maps) -> list[Aside]:
    """Every side state in every kind that holds stages, in the same order."""
    return [_aside(system, kind, side, table, funnel) for system, kind, table in _tables(maps) for side in funnel.sides]


def _tables(maps: Maps) -> Iterator[tuple[str, str, StageMap]]:
    for system, table in maps.systems.items():
        for name, kind in table.kinds.items():
            if kind.stage is not None:
                yield system, name, kind.stage


def _said(system: str, kind: str, stage: str, table: StageMap) -> Expression:
    written = table.write(stage, None, None)
    reading = table.read(written) if written else None
    return Expression(
        system,
        kind,
        stage,
        _plain(written),
        None if reading is None else reading.stage,
        table.expressed.get(stage) != stage,
        tuple(_when(rule) for rule in _heard(table.rules) if rule.stage == stage and rule.when and not rule.holds(written or {})),
    )


def _aside(system: str, kind: str, side: str, table: StageMap, funnel: Funnel) -> Aside:
    stage = next((stage for stage in funnel.stages if table.expressed.get(stage) == stage), None)
    before = (table.write(stage, None, None) if stage is not None else None) or {}
    changes = table.write(stage, side, REASON, before) if side in table.expressed else None
    reading = table.read({**before, **changes}) if changes else None
    if reading is None or reading.side is None:
        return Aside(system, kind, side, _plain(changes), None, alone=False, reason=None)
    return Aside(system, kind, side, _plain(changes), reading.side, alone=stage is not None and reading.stage != stage, reason=reading.reason)


def _plain(written: Mapping[str, Native] | None) -> Written | None:
    return None if written is None else tuple(sorted(written.items()))


def _heard(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that may be the first to tell a stage: where an earlier one has the same evidence, a later one never is."""
    return [rule for number, rule in enumerate(rules) if not any(before.stage is not None and before.when == rule.when for before in rules[:number])]


def _when(rule: Rule) -> str:
    """`IsConverted filled, Opportunity.State=won`."""
    parts = [
        f"{native} {'filled' if wanted else 'blank'}" if isinstance(wanted, bool) else f"{native}={' or '.join(sorted(map(str, wanted)))}"
        for native, wanted in rule.when.items()
    ]
    return f"{', '.join(parts)}{', at least' if rule.beyond is not None else ''}"


def losses(funnel: Funnel, said: Sequence[Expression]) -> Iterator[str]:
    """Stages that a kind of record cannot tell from others, or not say at all: each with the TOML path of the map, what it means, and a remedy."""
    for (system, kind), grouped in groupby(said, lambda each: (each.system, each.kind)):
        path, rows = f"systems.{system}.stages.{kind}", list(grouped)
        if not any(row.written for row in rows):
            yield f"{path}: {_only_read(rows)}"
            continue
        lost: dict[tuple[str | None, Written | None], list[str]] = {}
        for row in rows:
            if not row.exact:
                lost.setdefault((row.back, row.written), []).append(row.stage)
        for (back, written), stages in lost.items():
            yield f"{path}: {_loss(funnel, stages, written, back)}"


def _only_read(rows: Sequence[Expression]) -> str:
    """A kind of record that tells stages by evidence, and has no field of its own for them."""
    told = [f"{row.stage} ({'; '.join(row.evidence)})" for row in rows if row.evidence]
    if not told:
        return "no stage is read or written there: the record keeps what it says. Map a field of yours"
    return f"only read there: {', '.join(told)}. Nothing is written, so it keeps what it says of all others. Map a field of yours to have stages written"


def _loss(funnel: Funnel, stages: Sequence[str], written: Written | None, back: str | None) -> str:
    names = _are(stages)
    if not written:
        return f"{names} not written: the record keeps what it says. Map a value, or name another stage by `instead`"
    if back is None:
        return f"{names} written as {shown(written)}, which is read as nothing: a record that is met anew tells no stage. Map the value to the stage"
    group = next((group for group in funnel.groups.values() if {back, *stages} <= set(group.stages)), None)
    means = f"a record that is met anew, or edited there, says {back}"
    kept = f" (the group {group.id} loses nothing)" if group is not None else ""
    return f"{names} written as {shown(written)}, which is read as {back}: {means}{kept}. Give each a value of its own, or live with the loss"


def side_losses(said: Sequence[Aside]) -> Iterator[str]:
    """The same for side states, their reasons, and the stage that a side state may hide."""
    for (system, kind), grouped in groupby(said, lambda each: (each.system, each.kind)):
        path, rows = f"systems.{system}.stages.{kind}", list(grouped)
        written = [row for row in rows if row.written]
        if not written:
            continue  # that it is only read is told with the stages
        lost: dict[tuple[str | None, Written | None], list[str]] = {}
        for row in rows:
            if not row.exact:
                lost.setdefault((row.back, row.written), []).append(row.side)
        for (back, values), sides in lost.items():
            yield f"{path}: {_side_loss(sides, values, back)}"
        hidden = next((row for row in written if row.alone), None)
        if hidden is not None:
            where = f"a side state stands where the stage stood ({shown(hidden.written or ())})"
            means = "the person keeps the stage, and a record that is met anew tells the side state alone"
            yield f"{path}: {where}: {means}. Map side states to a field of their own"
        mute = next((row for row in written if row.back is not None and row.reason != REASON), None)
        if mute is not None:
            means = f"it is told as what the value is called ({mute.reason}), and one from elsewhere is not written" if mute.reason else "none is told there"
            yield f"{path}: no field holds the reason of a side state: {means}. Name one by `reason`"


def _side_loss(sides: Sequence[str], written: Written | None, back: str | None) -> str:
    if not written:
        return f"{_are(sides)} not written: nobody sees there that the person was put aside. Map a value, or name another side state by `instead`"
    if back is None:
        return f"{_are(sides)} written as {shown(written)}, which is read as nothing. Map the value to the side state"
    return f"{_are(sides)} written as {shown(written)}, which is read as {back}: a record that is met anew, or edited there, says {back}"


def _are(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def homeless(funnel: Funnel, said: Sequence[Expression]) -> Iterator[str]:
    """Stages that no system has a value of its own for: nobody can be put there in a system."""
    exact = {each.stage for each in said if each.exact}
    for stage in funnel.stages:
        if stage not in exact:
            yield f"funnel.stages.{stage}: no system has a value of its own for it, so nobody can be put there in any. Map one, or drop the stage"


def proofs(said: Sequence[Expression]) -> Iterator[str]:
    """For each kind of record, how many stages were read back as they were written."""
    for (system, kind), grouped in groupby(said, lambda each: (each.system, each.kind)):
        rows = list(grouped)
        if any(row.written for row in rows):
            exact = sum(row.exact for row in rows)
            yield f"{system} {kind}: {exact} of {len(rows)} stages are read back as they are written (`stagesync funnel check` shows each)"


def shown(written: Written) -> str:
    """`Status=Working, Kind__c=A`."""
    return ", ".join(f"{native}={value}" for native, value in written) or "nothing"
