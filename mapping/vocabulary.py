"""The words of a funnel for stage maps: its places, the groups that stand for several of them, and the default maps said in these words.

The vendors' default maps speak of the stages of the default funnel. Another funnel takes them over by its crosswalk: a stage means there what its
counterpart means. Where several stages share one counterpart, the first in the line is read, and is written in the place of the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`stages`: in the order of the line, with their positions. `groups`: name -> stages, the least first. `alike`: stage -> the default funnel's."""

    stages: Mapping[str, int]
    sides: Collection[str]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    alike: Mapping[str, str] | None = None

    @property
    def names(self) -> Mapping[str, int]:
        """Everything that names a place in the line, with the position from which on somebody has reached it."""
        return {**self.stages, **{group: min(self.stages[stage] for stage in members) for group, members in self.groups.items()}}

    def stage(self, name: str) -> str:
        """The stage that a name claims: of a group the least, since it says no more."""
        return self.groups[name][0] if name in self.groups else name

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """Stage -> the first of its group, which says as much of it as the group's name does."""
        return {stage: members[0] for members in self.groups.values() for stage in members[1:]}

    def say(self, defaults: Table) -> Table:
        """A default stage map in this funnel's words: what it says of stages that have no counterpart here is left out."""
        if self.alike is None or not defaults:
            return defaults
        said: dict[str, Any] = {**defaults, "instead": dict(self._instead(defaults.get("instead", {})))}
        said["values"] = {
            native: {self._spoken[meaning]: values for meaning, values in table.items() if meaning in self._spoken}
            for native, table in cast("Mapping[str, Table]", defaults.get("values", {})).items()
        }
        said["rules"] = [self._row(row, defaults.get("instead", {})) for row in cast("Sequence[Table]", defaults.get("rules", ()))]
        said["write"] = [{**row, **({"stage": self._spoken.get(row["stage"])} if "stage" in row else {})} for row in defaults.get("write", ())]
        return said

    @property
    def _spoken(self) -> Mapping[str, str]:
        """Meaning in the default maps -> what it is here."""
        spoken = {side: side for side in self.sides}
        for stage in self.stages:
            if self.alike is not None and stage in self.alike:
                spoken.setdefault(self.alike[stage], stage)
        return spoken

    def _row(self, row: Table, instead: Table) -> Table:
        """A rule claims the nearest stage before its own that there is here, and keeps its other effects where there is none."""
        if "stage" not in row:
            return row
        spoken = self._spoken
        return {**row, "stage": next((spoken[meaning] for meaning in _chain(row["stage"], instead) if meaning in spoken), None)}

    def _instead(self, instead: Table) -> Iterator[tuple[str, str]]:
        spoken, alike = self._spoken, self.alike or {}
        for name in (*self.stages, *self.sides):
            meaning = alike.get(name, name if name in self.sides else None)
            if meaning is None:
                continue
            if spoken[meaning] != name:
                yield name, spoken[meaning]
                continue
            stand_in = next((spoken[other] for other in _chain(meaning, instead)[1:] if other in spoken), None)
            if stand_in is not None:
                yield name, stand_in


def _chain(meaning: str, instead: Table) -> list[str]:
    """A meaning and what stands in its place, and so on; each once."""
    found = [meaning]
    while (following := instead.get(found[-1])) is not None and following not in found:
        found.append(following)
    return found
