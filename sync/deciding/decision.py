"""What was decided about one person: the person and links as they shall be, the writes, and what is left to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...model.records import Native, Value
from ...model.stages import StageState
from .desk import View

Entry = list[Any]
"""A canonical value in the state: [value, version, source, at]."""
UNDO = "undo"
"""From where a value comes that an undo put back."""


class Hold(NamedTuple):
    """A question to somebody. `choices`: what each system says, in our terms; `about`: the system at fault, where it is one."""

    question: str
    field: str
    choices: Mapping[str, Any]
    reason: str
    about: str = ""


class Overruled(NamedTuple):
    """A value that lost, and the rule by which."""

    field: str
    system: str
    value: Any
    winner: Any
    rule: str


class Creation(NamedTuple):
    """A record to be made in a system that has none of this person."""

    account: int
    kind: str
    values: Mapping[str, Native]
    carried: Mapping[str, int]


class Stay(NamedTuple):
    """A place that the person entered, and how, for the ledger. `at`: by the vendor's clock (ms), where it tells; `system`: who told.

    `version`: of the stage then. `source` and `owner`: where the person first came from, and whose they are.
    """

    stage: str | None
    side: str | None
    reason: str | None
    pass_no: int
    version: int
    at: int | None
    system: str
    actor: str | None
    evidence: str
    source: str | None
    owner: str | None


@dataclass(slots=True)
class Decision:
    """The outcome of `reconcile` for one person.

    `canonical` and `stage` are complete; `changed` tells for the reader what moved: field -> [before, after, version, reason].
    `archives`: live links whose record shall be archived; `retired`: links with a tombstone that somebody lifted.
    `erased`: links whose record was erased, of which somebody said that this holds everywhere; `forget`: nothing is left of the person but what is kept here.
    `wants`: link -> native fields whose history is needed before this can be decided (then nothing else here counts).
    `excluded`: system -> why no record is made there. `lowered`: systems in which the stage goes back.
    `frees`: its new address is given up by somebody else in the same plan.
    `unmapped`: system -> `field=value` of a stage that nobody mapped.
    `stays`: the places that were entered now, one after the other. `promoted`: (rule, mode) of the qualification rules that speak for another stage.
    `notes` and `review_at`: what the next look needs to know of this one, and when time alone calls for it (ms).
    """

    canonical: dict[str, Entry]
    stage: StageState
    views: list[View]
    changed: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    creations: list[Creation] = field(default_factory=list[Creation])
    archives: list[View] = field(default_factory=list[View])
    retired: list[int] = field(default_factory=list[int])
    erased: list[int] = field(default_factory=list[int])
    forget: bool = False
    holds: list[Hold] = field(default_factory=list[Hold])
    overruled: list[Overruled] = field(default_factory=list[Overruled])
    wants: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    excluded: dict[str, str] = field(default_factory=dict[str, str])
    lowered: list[str] = field(default_factory=list[str])
    unmapped: dict[str, str] = field(default_factory=dict[str, str])
    stays: list[Stay] = field(default_factory=list[Stay])
    promoted: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    review_at: int | None = None
    again: bool = False
    frees: bool = False

    @property
    def held(self) -> frozenset[str]:
        """The fields that nobody may write now."""
        return frozenset(hold.field for hold in self.holds)

    @property
    def values(self) -> dict[str, Value]:
        """The canonical values alone."""
        return {name: entry[0] for name, entry in self.canonical.items()}
