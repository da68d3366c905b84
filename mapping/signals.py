"""Signals in a record's own fields: which natives tell of an event, when it happened, and what makes it the same event when it is told again.

A vendor keeps the last form, the last opened e-mail and so on, and overwrites it with the next one: each sight that differs is an event of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ..model.records import Native, Ref, Signal, Value, Values
from .fields import Unmappable

_LONGEST = 200
"""A key stands in an index, whose rows have a limit; what is longer is told by its digest."""

Attribute = Callable[[Native, Values], Value]


@dataclass(frozen=True, slots=True)
class SignalMap:
    """One kind of event in one kind of record.

    `at`: the native with its time. `needs`: natives that must be filled; their values and the time make it the same event. `attributes`: name -> native.
    `moment` gives the time in ms, or None; `readers`: how an attribute's native is read where it is not taken as it is.
    """

    kind: str
    at: str
    needs: tuple[str, ...]
    attributes: Mapping[str, str]
    moment: Callable[[Native], int | None]
    readers: Mapping[str, Attribute]

    @property
    def natives(self) -> tuple[str, ...]:
        """All that is read."""
        return (self.at, *self.needs, *self.attributes.values())

    def told_by(self, changed: Collection[str]) -> bool:
        """A change of these natives may be another event; a count that only grows is none."""
        return self.at in changed or any(native in changed for native in self.needs)

    def read(self, source: str, ref: Ref, values: Values) -> Signal | None:
        """The event that the record tells, or None where it tells none. `source`: the system's name."""
        told = values.get(self.at)
        if told is None:
            return None
        needed = [values.get(native) for native in self.needs]
        if None in needed:
            return None
        at = self.moment(told)
        if at is None:
            return None
        return Signal(self.kind, at, source, _key(self.kind, ref, at, needed), self._attributes(values))

    def _attributes(self, values: Values) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, native in self.attributes.items():
            value = values.get(native)
            read = self.readers.get(native)
            if read is not None:
                try:
                    value = read(value, values)
                except Unmappable:
                    continue
            if value is not None:
                found[name] = value
        return found


def _key(kind: str, ref: Ref, at: int, needed: Sequence[Native]) -> str:
    """`form:contact/123:1772357400000:["Newsletter"]`. The record belongs to it: two people can do the same thing in one millisecond."""
    text = json.dumps(needed, ensure_ascii=True)
    if len(text) > _LONGEST:
        text = sha256(text.encode()).hexdigest()
    return f"{kind}:{ref.kind}/{ref.id}:{at}:{text}"


def read_signals(maps: Sequence[SignalMap], source: str, ref: Ref, values: Values, changed: Collection[str] | None = None) -> list[Signal]:
    """The events that a record tells, each once. `changed`: only those of which one of these natives tells (None: of all)."""
    found: dict[str, Signal] = {}
    for each in maps:
        if changed is None or each.told_by(changed):
            signal = each.read(source, ref, values)
            if signal is not None:
                found.setdefault(signal.key, signal)
    return list(found.values())
