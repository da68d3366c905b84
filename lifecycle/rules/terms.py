"""What a condition can look at: the case of one person at one moment, and the values that names and calls stand for. Pure.

A value is text, a number, true or false, or blank (`None`). Texts are compared without regard to case, numbers as floating point. Whatever needs
no look is not computed, and what is computed once is kept for all rules of the case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from ...model.records import Signal, Value
from ...model.stages import StageReading

DAY_MS = 86_400_000
LONG_MS = 1_000 * DAY_MS
"""Time after which days no longer count as moving: whoever waits for more days than that in a computation is looked at when something else changes."""

Plain: TypeAlias = str | float | bool | None
"""A value as it is compared."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, as rules see them. `values`: canonical. All times in milliseconds.

    `since`: when the present stage was entered, where known; `aside_since`: when the present side state was, if not then. `signals`: of those of one
    moment the one that was told last stands first.
    """

    values: Mapping[str, Value]
    place: StageReading
    pass_no: int
    since: int | None
    signals: Sequence[Signal]
    now: int
    aside_since: int | None = None


class Case:
    """One look at one person. `after`: only signals later than that count. `troubles`: leaf of a condition -> why it cannot be judged."""

    __slots__ = ("_by_kind", "_found", "after", "subject", "troubles", "values")

    def __init__(self, subject: Subject, after: int | None = None, values: Mapping[str, Value] | None = None) -> None:
        self.subject = subject
        self.after = after
        self.values = subject.values if values is None else values
        self.troubles: dict[str, str] = {}
        self._found: dict[str, tuple[Value, Plain]] = {}
        self._by_kind: dict[str, list[Signal]] | None = None

    def shown(self, term: Term) -> Value:
        """The value as it is stored."""
        return self._look(term)[0]

    def plain(self, term: Term) -> Plain:
        """The value as it is compared."""
        return self._look(term)[1]

    def signals(self, kind: str) -> Sequence[Signal]:
        """Those of a kind that count, newest first."""
        if self._by_kind is None:
            self._by_kind = by_kind = {}
            latest = self.subject.now
            for signal in sorted(self.subject.signals, key=_newest_first):
                if signal.at <= latest and (self.after is None or signal.at > self.after):
                    by_kind.setdefault(signal.kind.casefold(), []).append(signal)
        return self._by_kind.get(kind, ())

    def at(self, moment: int) -> Case:
        """The same person at another time, when nothing has happened in between."""
        later = Case(replace(self.subject, now=moment), self.after, self.values)
        if all(signal.at <= self.subject.now for signal in self.subject.signals):
            later._by_kind = self._by_kind
        return later

    def of(self, signal: Signal) -> Case:
        """The case of one signal: its attributes are the names."""
        return Case(self.subject, self.after, signal.attributes)

    def _look(self, term: Term) -> tuple[Value, Plain]:
        found = self._found.get(term.text)
        if found is None:
            value = term.find(self)
            found = self._found[term.text] = (value, plain(value))
        return found


def _newest_first(signal: Signal) -> int:
    return -signal.at


class Ageing(Protocol):
    """How a value changes while nothing happens."""

    def settles(self, case: Case) -> int | None:
        """From when on it stays as it is; None: it does already."""
        ...


@dataclass(frozen=True, slots=True)
class Term:
    """One value that a condition looks at. `text`: how it is written, and its name. `looks_at_signals`: it is computed from them."""

    text: str
    find: Callable[[Case], Value]
    ageing: Ageing | None = None
    looks_at_signals: bool = False


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days since a moment. `start`: the moment, in milliseconds, where there is one."""

    start: Callable[[Case], int | None]

    def count(self, case: Case) -> int | None:
        """How many have passed; 0 where the moment is still to come."""
        start = self.start(case)
        return None if start is None else max(0, (case.subject.now - start) // DAY_MS)

    def settles(self, case: Case) -> int | None:
        """Never by itself; but nobody waits for ever."""
        start = self.start(case)
        return start + LONG_MS if start is not None and start + LONG_MS > case.subject.now else None


def plain(value: Value) -> Plain:
    """The value as it is compared: texts in one case, all numbers of one type, an empty text is blank."""
    if isinstance(value, str):
        return value.casefold() or None
    if isinstance(value, (bool, type(None))):
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    return None if math.isnan(number) else number


def as_number(value: Plain) -> Plain:
    """The number that a text is; anything else as it is. Vendors keep numbers as text here and there."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else value


def moment(value: Value) -> int | None:
    """The time that a canonical date or datetime means, in milliseconds: a date from its beginning in UTC. None for what is no date."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def in_words(value: Value) -> str:
    """A value for the reader."""
    if value is None or value == "":
        return "blank"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def whole(phrase: str) -> re.Pattern[str]:
    """Finds a phrase as whole words. Scripts that write without blanks have no word ends to look for."""
    folded = phrase.casefold()
    before = r"(?<![^\W_])" if folded[:1].isascii() else ""
    after = r"(?![^\W_])" if folded[-1:].isascii() else ""
    return re.compile(before + re.escape(folded) + after)
