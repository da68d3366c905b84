"""What a system shows us: records, where they are, and what became of them.

Native values are what a vendor's API carries, as JSON scalars. Blank is `None` (connectors turn `""` into `None`).
A field that is not in `values` was *absent* from the answer: that is neither blank nor changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Native: TypeAlias = str | int | float | bool | None
"""One value as a vendor stores it."""

Value: TypeAlias = str | int | float | bool | None
"""One value in our own terms (canonical). A multi-choice is its options, sorted, joined by `;`."""

Values: TypeAlias = Mapping[str, Native]
"""Native field name -> native value of one record."""


class Ref(NamedTuple):
    """A record's address inside its system: the kind (`contact`, `lead`) and the vendor's id."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read. `stamp` is its revision: the vendor's modification time in milliseconds.

    `author` is the id of whoever modified the *record* last, where the vendor tells it with the record (Salesforce).
    """

    ref: Ref
    stamp: int
    values: Values
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that is no longer there: deleted (it may come back) or erased for good."""

    ref: Ref
    at: int | None = None
    why: Literal["deleted", "erased"] = "deleted"


@dataclass(frozen=True, slots=True)
class Moved:
    """A record that lives on under another ref: merged into it, or a Lead converted to a Contact.

    `record` is the old record's last state where it can still be read: of a converted Lead it is evidence for the stage, of any other an opt-out may be in it
    that nobody has read.
    """

    ref: Ref
    to: Ref
    why: Literal["merged", "converted"]
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One event that is evidence for a stage: a form that was filled in, a feature that was used.

    `at`: when it happened, in milliseconds. `source`: the system, or whoever reported it. `key` makes it the same event when it is told again:
    unique for its source. `attributes`: what else is known of it.
    """

    kind: str
    at: int
    source: str
    key: str
    attributes: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Sighting:
    """A signal that a connector read in a row of its own, and the record that it is about.

    `key`: a match key and its value, for whoever has it, where the record is not known by the `ref`, or there is none.
    """

    ref: Ref | None
    signal: Signal
    key: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What to pull: kind -> native field names, from `cursor` on (None: everything, from the beginning).

    `sweep` asks in addition for what no change feed tells (HubSpot: the recycle bin). `signals`: also for events that stand in rows of their own.
    """

    fields: Mapping[str, tuple[str, ...]]
    cursor: str | None = None
    sweep: bool = False
    signals: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One part of a pull. `cursor` is opaque and covers everything up to and including this page.

    `server_time` is the vendor's clock (its `Date` header) in milliseconds. `signals`: events that were asked for, about records of any page.
    `findings`: what could not be read although it was asked for, as sentences; the cursor has not passed it. `notes`: what somebody may want to know of how
    it was read, as sentences. `keep`: the cursor should be kept at once, since what it stands for cannot be had again as cheaply.
    """

    records: Sequence[Record]
    cursor: str
    server_time: int
    gone: Sequence[Gone] = ()
    moved: Sequence[Moved] = ()
    signals: Sequence[Sighting] = ()
    findings: Sequence[str] = ()
    notes: Sequence[str] = ()
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change, as far as the vendor tells. `own`: it was this program."""

    kind: Literal["user", "automation", "integration", "import", "unknown"]
    id: str | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One version of one field, from the vendor's own history. `at` in milliseconds. `before`: what it took the place of, where the vendor says so with it."""

    value: Native
    at: int
    actor: Actor
    before: Native = None


@dataclass(frozen=True, slots=True)
class Present:
    """A record that was asked for and is there. `history`: native field -> versions, newest first, where asked for."""

    record: Record
    history: Mapping[str, Sequence[FieldChange]] = field(default_factory=dict[str, Sequence[FieldChange]])


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record about which nothing can be said now (no permission, a broken answer). It is *not* gone."""

    ref: Ref
    reason: str


Observation: TypeAlias = Present | Gone | Moved | Unreadable
