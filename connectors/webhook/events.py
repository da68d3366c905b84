"""What an event means, as `[[systems.NAME.events]]` says: something about a person, a signal, a stage, or that somebody was deleted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jmespath

from ...model.events import Told
from ...model.records import Gone, Native, Ref, Sighting, Signal
from .settings import EventTable

KIND = "contact"
EMAIL, STAGE = "email", "stage"
_MILLISECONDS = 10**11
"""A number from here on is milliseconds: as seconds it would be the year 5138."""


class Poison(Exception):
    """An event that cannot be understood. `code`: why, in one word that holds nothing of it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a record that an event told. `at` in milliseconds."""

    ref: Ref
    at: int
    values: Mapping[str, Native]


@dataclass(slots=True)
class Meaning:
    """All that one event means."""

    parts: list[Part] = field(default_factory=list[Part])
    signals: list[Sighting] = field(default_factory=list[Sighting])
    gone: list[Gone] = field(default_factory=list[Gone])


class Reader:
    """The tables of one system, compiled."""

    def __init__(self, system: str, tables: Sequence[EventTable]) -> None:
        self._system = system
        self._tables = [_Compiled(table) for table in tables]

    def read(self, told: Told) -> Meaning:
        """What the event means by all tables that are about it; nothing where none is. Raises `Poison`."""
        meaning = Meaning()
        try:
            for table in self._tables:
                if table.is_about(told.event.body):
                    self._add(meaning, table, told)
        except Poison:
            raise
        except Exception:  # noqa: BLE001 - whatever an expression does to a body that it was not written for concerns this event alone
            raise Poison("BAD_EXPRESSION") from None
        return meaning

    def _add(self, meaning: Meaning, table: _Compiled, told: Told) -> None:
        body = told.event.body
        email, id_, at = table.text(body, "email"), table.text(body, "ref"), min(_moment(table.value(body, "at"), told.received), told.received)
        if table.source.kind == "signal":
            self._hear(meaning, table, told, (email, id_, at))
            return
        named = id_ or (email.lower() if email and table.source.ref is None else None)
        if named is None:
            raise Poison("NO_REF")
        ref = Ref(KIND, named)
        match table.source.kind:
            case "delete":
                meaning.gone.append(Gone(ref, at))
            case "stage":
                stage = table.text(body, "stage")
                if stage is None:
                    raise Poison("NO_STAGE")
                meaning.parts.append(Part(ref, at, {**({EMAIL: email} if email else {}), STAGE: stage}))
            case _:
                values = table.values(body, table.fields)
                meaning.parts.append(Part(ref, at, {**({EMAIL: email} if email else {}), **values}))

    def _hear(self, meaning: Meaning, table: _Compiled, told: Told, whose: tuple[str | None, str | None, int]) -> None:
        """A signal is given to the record of its id, or to whoever has its address."""
        email, id_, at = whose
        if not id_ and not email:
            raise Poison("NO_REF")
        attributes = {name: value for name, value in table.values(told.event.body, table.attributes).items() if value is not None}
        kind = table.source.signal or ""
        signal = Signal(kind, at, self._system, f"{told.event.key}/{kind}", attributes)
        meaning.signals.append(Sighting(Ref(KIND, id_) if id_ else None, signal, (EMAIL, email) if email else None))


class _Compiled:
    """One table with its expressions ready to be asked."""

    def __init__(self, table: EventTable) -> None:
        self.source = table
        self.fields = {name: jmespath.compile(text) for name, text in table.fields.items()}
        self.attributes = {name: jmespath.compile(text) for name, text in table.attributes.items()}
        said = {name: getattr(table, name) for name in ("when", "ref", "email", "at", "stage")}
        self._asked: dict[str, Any] = {name: jmespath.compile(text) for name, text in said.items() if text is not None}

    def is_about(self, body: Any) -> bool:
        """The event is meant. What JMESPath calls false is: nothing, false, and what is empty."""
        return "when" not in self._asked or self._asked["when"].search(body) not in (None, False, "", [], {})

    def value(self, body: Any, name: str) -> Any:
        """What stands there; None for nothing."""
        return self._asked[name].search(body) if name in self._asked else None

    def text(self, body: Any, name: str) -> str | None:
        """A text or a number as text; None for nothing. Raises `Poison`."""
        value = _scalar(self.value(body, name))
        if isinstance(value, (bool, float)):
            raise Poison("BAD_VALUE")
        return str(value).strip() or None if value is not None else None

    def values(self, body: Any, expressions: Mapping[str, Any]) -> dict[str, Native]:
        """What is told; a field of which nothing is told is left out, one that is the empty text is blank. Raises `Poison`."""
        found = {name: expression.search(body) for name, expression in expressions.items()}
        return {name: None if value == "" else _scalar(value) for name, value in found.items() if value is not None}


def _scalar(value: Any) -> Native:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise Poison("BAD_VALUE")


def _moment(value: Any, received: int) -> int:
    """In milliseconds: a number of seconds or milliseconds, or a moment in ISO 8601 (UTC where no zone is said). Raises `Poison`."""
    if value is None or value == "":
        return received
    try:
        if isinstance(value, str) and not value.strip().isdecimal():
            moment = datetime.fromisoformat(value.strip())
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
        number = float(value)
        if number < 0:
            raise ValueError
        return int(number if number >= _MILLISECONDS else number * 1_000)
    except (ValueError, TypeError, OverflowError):
        raise Poison("BAD_TIME") from None
