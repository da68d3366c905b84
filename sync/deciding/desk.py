"""What a reconciliation looks at: the systems, the rules, and one person's links as they lie on the desk. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ...lifecycle.decide import Tie
from ...lifecycle.funnel import Funnel
from ...lifecycle.policy import Policy
from ...mapping.maps import KindMap, Maps, SystemMap
from ...model.records import FieldChange, Native, Signal, Values
from .parking import PARKED, stands, without

Direction = Literal["both", "read", "write"]
Link = Any
"""A row of `state.links` (`LinkRow`); its attributes are used, nothing else of state."""


@dataclass(frozen=True, slots=True)
class System:
    """One connected system as the pure core sees it. `account` is its number in the state.

    `looks`: its records can be looked at. Where they cannot, they are told part by part (see `connectors.contract.Capabilities`).
    """

    name: str
    account: int
    map: SystemMap
    direction: Direction = "both"
    creates: bool = True
    looks: bool = True

    @property
    def reads(self) -> bool:
        """Its edits count."""
        return self.direction != "write"

    @property
    def writes(self) -> bool:
        """It may be written."""
        return self.direction != "read"


@dataclass(frozen=True, slots=True)
class Settings:
    """How differences are decided.

    `winners`: field group -> system or "newest", for first meetings. `order`: system -> rank for ties, None holds them.
    `deletes`: what a deletion somewhere means elsewhere.
    """

    winners: Mapping[str, str] = field(default_factory=dict[str, str])
    order: Mapping[str, int] | None = None
    stage_conflict: Tie = "furthest"
    deletes: Literal["hold", "archive", "ignore"] = "hold"


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that is the same for all people of a run. `systems`: by account number.

    `remapped`: the maps are not those of the last run, so that a record's words may mean another place although nobody changed them.
    `begun`: a first sync was applied, so that whoever is met for the first time has come since.
    `agendas`: what `meet` goes through, made once for each combination of kinds that meets.
    """

    systems: Mapping[int, System]
    maps: Maps
    funnel: Funnel
    settings: Settings
    policy: Policy = field(default_factory=Policy)
    remapped: bool = False
    begun: bool = False
    agendas: dict[tuple[str, ...], list[Any]] = field(default_factory=dict[tuple[str, ...], list[Any]], compare=False, repr=False)


class Asked(NamedTuple):
    """What somebody answered to a hold, and to which choices."""

    answer: str
    choices: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person beside the records. `notes`: what earlier looks left (see `qualifying`). `since`: when the present stage was entered (ms),
    `aside_since`: when the present side state was.

    `overdue`: the answer that the SLA asks for has not come in time. `now`: the time of this look, in ms.
    """

    signals: Sequence[Signal] = ()
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    since: int | None = None
    aside_since: int | None = None
    overdue: bool = False
    now: int = 0


NOTHING_KNOWN = Known()


@dataclass(slots=True)
class View:
    """One link on the desk: the row, its maps, and its memory as it is being rewritten. `refused`: what is owed and parked, so that it is not sent."""

    row: Link
    system: System
    kind: KindMap
    carried: dict[str, int]
    agreed: dict[str, Native]
    notes: dict[str, Any]
    frozen: bool = False
    touched: bool = False
    values: dict[str, Native] = field(default_factory=dict[str, Native])
    fields: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    refused: set[str] = field(default_factory=set[str])

    @property
    def seen(self) -> Values:
        """The native values as last read."""
        return self.row.seen

    def agree(self, native: str) -> None:
        """What was last read is agreed from now on."""
        if self.agreed.pop(native, _NOTHING) is not _NOTHING:
            self.touched = True

    def carry(self, name: str, version: int) -> None:
        """This link carries that version of the field from now on."""
        if self.carried.get(name) != version:
            self.carried[name] = version
            self.touched = True

    def holds_back(self, name: str, on: Any) -> bool:
        """Whether this was refused before, and nothing has changed since."""
        if not self.notes or not stands(self.notes, name, on):
            return False
        self.refused.add(name)
        return True

    def unpark(self) -> None:
        """What is parked and does not hold anything back any more is forgotten: it is agreed by now, or tried again."""
        if PARKED in self.notes and (lifted := self.notes[PARKED].keys() - self.refused):
            self.notes, self.touched = without(self.notes, lifted), True

    def owe(self, name: str, values: Mapping[str, Native], before: Any, after: Any, version: int, reason: str) -> None:
        """Plan a write of these native values, which makes the link carry `version` of the field."""
        self.values.update(values)
        self.fields[name] = [before, after, version, reason]


_NOTHING = object()


def lay_out(desk: Desk, links: Sequence[Link]) -> list[View]:
    """The links of a person that take part: live ones of connected systems, in a fixed order."""
    views: list[View] = []
    for row in links:
        system = desk.systems.get(row.account)
        if system is None or row.state not in ("new", "linked"):
            continue
        kind = system.map.kinds.get(row.kind)
        if kind is None:
            continue
        views.append(View(row, system, kind, dict(row.carried), dict(row.agreed), dict(row.claim or ())))
    if len(views) > 1:
        views.sort(key=lambda view: (view.system.name, view.row.id))
    return views


History = Mapping[int, Mapping[str, FieldChange]]
"""Link -> native field -> its newest version by the vendor's own history."""
