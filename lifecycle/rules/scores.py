"""Scores: points that add up, for what somebody is and for what they did, the latter fading as time passes. Pure.

A row without a signal counts once, while its condition holds. A row with one counts each signal of that kind: its points halve with every half-life,
and are gone when less than a hundredth is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .conditions import Condition, leaves
from .terms import DAY_MS, Case, Term

_GONE = 0.01
_LIVES = -math.log2(_GONE)
"""Half-lives until points are gone."""


@dataclass(frozen=True, slots=True)
class Points:
    """One row. `signal`: its kind, in lower case. `half_life`: in days; None: the points stay. `at_most`: all signals of the row together."""

    points: float
    when: Condition | None = None
    signal: str | None = None
    half_life: float | None = None
    at_most: float | None = None

    def worth(self, case: Case) -> float:
        """What the row adds."""
        if self.signal is None:
            return self.points if self.when is None or self.when.holds(case) else 0.0
        total = sum(self.points * self._left(case.subject.now - at) for at in self._times(case))
        return total if self.at_most is None else max(-self.at_most, min(self.at_most, total))

    def settles(self, case: Case) -> int | None:
        """From when on the row adds the same for ever, in milliseconds; None: it does already."""
        if self.signal is not None:
            newest = next(self._times(case), None) if self.half_life is not None else None
            end = None if newest is None or self.half_life is None else newest + math.ceil(self.half_life * _LIVES * DAY_MS)
            return end if end is not None and end > case.subject.now else None
        return max((end for term in self.terms if term.ageing is not None and (end := term.ageing.settles(case)) is not None), default=None)

    @property
    def ages(self) -> bool:
        """Time alone changes what it adds."""
        return self.half_life is not None or any(term.ageing is not None for term in self.terms)

    @property
    def terms(self) -> Sequence[Term]:
        """What its condition looks at."""
        return [term for leaf in leaves(self.when) for term in leaf.terms] if self.when is not None else []

    def _times(self, case: Case) -> Iterator[int]:
        """When each signal that counts was, newest first."""
        when = self.when
        signals = case.signals(self.signal or "")
        return (signal.at for signal in signals if when is None or when.holds(case.of(signal)))

    def _left(self, age: int) -> float:
        if self.half_life is None:
            return 1.0
        left = 0.5 ** (max(0, age) / DAY_MS / self.half_life)
        return left if left >= _GONE else 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """All rows of one name."""

    name: str
    rows: tuple[Points, ...]

    def total(self, case: Case) -> float:
        """The points that somebody has now."""
        return float(sum(row.worth(case) for row in self.rows))

    def settles(self, case: Case) -> int | None:
        """From when on it stays as it is; None: it does already."""
        return max((end for row in self.rows if (end := row.settles(case)) is not None), default=None)

    @property
    def ages(self) -> bool:
        """Time alone changes it."""
        return any(row.ages for row in self.rows)

    @property
    def looks_at_signals(self) -> bool:
        """It needs them."""
        return any(row.signal is not None or any(term.looks_at_signals for term in row.terms) for row in self.rows)

    @property
    def only_falls(self) -> bool:
        """While nothing happens it gets less and never more."""
        return all(row.points >= 0 for row in self.rows if row.half_life is not None) and not any(row.ages for row in self.rows if row.half_life is None)
