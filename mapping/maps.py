"""Compiled maps: what the engine uses to translate records, made once per run by `mapping.compile`.

Blank is `None` on both sides, except where a side cannot be blank (`FieldMap.blank_is_false`: there blank is written and read as false).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from ..model.companies import By
from ..model.records import Native, Value, Values
from .fields import Field, Unmappable
from .signals import SignalMap
from .stages import StageMap

Reader: TypeAlias = Callable[[Native, Values], Value]
Writer: TypeAlias = Callable[[Value], Native]
Include: TypeAlias = Callable[[Mapping[str, Value], str | None], str | None]
"""(canonical values, stage) -> None where the person belongs into the system, else the reason why not, in words."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """One canonical field in one native field. `read` and `write` raise `Unmappable`.

    `lossy`: the native form holds less than the canonical one (it shortens or rounds), so a comparison must be made in native form.
    `shows`: natives of other fields that are read through this one (a company's name through the link to it), and change with it. `sticky`: as the field's own.
    """

    field: str
    native: str
    read: Reader
    write: Writer
    writable: bool
    creatable: bool
    lossy: bool = False
    blank_is_false: bool = False
    shows: tuple[str, ...] = ()
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class CompanyRules:
    """How people are linked to companies' records: by what a company is known there, and whether one that is not there is made."""

    by: By
    make: bool


@dataclass(frozen=True, slots=True)
class KindMap:
    """All about one kind of record in one system. Fields that the account hides are left out: it cannot carry them.

    `signals`: events that stand in its fields; none where signals are not kept, so that nobody asks for their natives. `hearsay`: natives that are read for
    signals alone: nothing to agree about, so a change of them is no edit. `belongs`: field -> the field to whose value it belongs there rather than to the
    record (an opt-out to the address).
    """

    kind: str
    fields: Mapping[str, FieldMap]
    stage: StageMap | None
    asks: tuple[str, ...]
    keys: Callable[[Values], tuple[tuple[str, str], ...]]
    primary: Callable[[Values], str | None]
    create_fallback: Mapping[str, Native]
    create_required: tuple[str, ...]
    signals: tuple[SignalMap, ...] = ()
    hearsay: frozenset[str] = frozenset()
    belongs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class SystemMap:
    """All kinds of one system, which of them is created, and who belongs into it. `companies`: None where people are not linked to companies."""

    system: str
    kinds: Mapping[str, KindMap]
    create_kind: str
    include: Include
    companies: CompanyRules | None = None


@dataclass(frozen=True, slots=True)
class Maps:
    """Everything that decides meaning. `fields`: the mapped ones in a stable order. `notes`: what cannot be carried, as sentences.

    `filled`: those of `fields` that the lifecycle fills. `digest` changes whenever the same record would be read or written in another way because of the
    configuration.
    """

    fields: Mapping[str, Field]
    systems: Mapping[str, SystemMap]
    notes: tuple[str, ...]
    digest: str
    filled: tuple[Field, ...] = ()


class DescribedOption(Protocol):
    """One value of a choice field in the account."""

    @property
    def value(self) -> str:
        """What the API takes."""
        ...

    @property
    def label(self) -> str:
        """What people see."""
        ...

    @property
    def active(self) -> bool:
        """It may still be chosen."""
        ...

    @property
    def done(self) -> bool:
        """A lead status that means converted."""
        ...

    @property
    def name(self) -> str:
        """What a user is called, whose label is the address."""
        ...


class DescribedField(Protocol):
    """One native field as the account has it."""

    @property
    def type(self) -> str:
        """One of text, email, phone, number, boolean, date, datetime, choice, multichoice, reference, other."""
        ...

    @property
    def writable(self) -> bool:
        """May be changed by the credential."""
        ...

    @property
    def creatable(self) -> bool:
        """May be given on create."""
        ...

    @property
    def required(self) -> bool:
        """A create must have it."""
        ...

    @property
    def length(self) -> int | None:
        """In characters."""
        ...

    @property
    def scale(self) -> int | None:
        """Digits after the point."""
        ...

    @property
    def options(self) -> tuple[DescribedOption, ...]:
        """The account's own values, in its order."""
        ...

    @property
    def restricted(self) -> bool:
        """Only `options` are taken."""
        ...


class DescribedKind(Protocol):
    """One kind of record as the account has it."""

    @property
    def fields(self) -> Mapping[str, DescribedField]:
        """By native name; what the credential may not see is not in it."""
        ...


class Description(Protocol):
    """What mapping needs to know of an account; `connectors.contract.SystemDescription` is one."""

    @property
    def kinds(self) -> Mapping[str, DescribedKind]:
        """By kind."""
        ...


@dataclass(frozen=True, slots=True)
class SystemInput:
    """What the maps of one system are compiled from.

    `defaults`: the vendor's maps (format: `mapping.defaults`). `overrides`: the `[systems.NAME]` table, of which `stages`, `include`, `create`,
    `keys` and `companies` are read here. `description` None: nothing is checked against the account. `zone`: where a datetime becomes a date. `region`: the
    ISO country of phone numbers that are written without one, on records without a country.
    """

    defaults: Mapping[str, Any]
    description: Description | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict[str, Any])
    zone: str = "UTC"
    region: str | None = None


def read_all(kind: KindMap, values: Values) -> tuple[dict[str, Value], dict[str, str]]:
    """The canonical values of one record, and for what cannot be translated the reason. Fields absent from `values` are in neither."""
    read: dict[str, Value] = {}
    failed: dict[str, str] = {}
    for name, field_map in kind.fields.items():
        native = field_map.native
        if native in values:
            try:
                read[name] = field_map.read(values[native], values)
            except Unmappable as refusal:
                failed[name] = refusal.reason
    return read, failed
