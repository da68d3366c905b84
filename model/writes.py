"""What we ask a system to do, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .records import Native, Record, Ref

Operation: TypeAlias = Literal["create", "update", "archive"]


@dataclass(frozen=True, slots=True)
class Write:
    """An intended change of one record, before the connector expands it into steps.

    `id` is the number of the action (unique in the state; connectors use it as trace id). `before` has the native values
    that were last seen of the fields in `values`, and of the address to which one of them belongs; a value of None clears.
    `ref` is None for a create, `kind` always set.
    """

    id: int
    operation: Operation
    kind: str
    ref: Ref | None
    values: Mapping[str, Native]
    before: Mapping[str, Native] = field(default_factory=dict[str, Native])


@dataclass(frozen=True, slots=True)
class Move:
    """Why a stage is written: from which stage the record comes (None: nobody knows) to which, in words, for what reason, and in which pass of the person."""

    before: str | None
    after: str | None
    reason: str
    pass_no: int


@dataclass(frozen=True, slots=True)
class Step:
    """One request's worth of a write for one record. Steps of one write go in their order, each journalled by itself.

    `address`: the e-mail address that the step is about, where a system keeps a value by address and not by record (an opt-out in HubSpot).
    `move`: only for a system that cannot be looked at, and so must be told what there is to know of a stage.
    """

    id: int
    number: int
    operation: Operation
    kind: str
    ref: Ref | None
    values: Mapping[str, Native]
    address: str | None = None
    move: Move | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The system acknowledged the step. `stored`: what it now holds, where the answer shows it (`None`: read it back)."""

    ref: Ref
    stored: Record | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The system refused this row for good; the rest of its batch is not affected.

    `code` is the vendor's, `field` the native field at fault where known. `existing`: the record that stands in the way
    of a create. `gone` / `moved`: the record is no longer there / is now at that ref.
    """

    code: str
    reason: str
    field: str | None = None
    existing: Ref | None = None
    gone: bool = False
    moved: Ref | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not done, surely not done, and worth trying again after `retry_after` seconds (limit, lock)."""

    reason: str
    retry_after: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was done: it must be looked up before anything else is done to this record."""

    reason: str


Outcome: TypeAlias = Applied | Rejected | Deferred | Unknown
