"""A few of many, spread evenly over all of them, without knowing how many there will be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Spread(Generic[T]):
    """At most `size` of what is added: every so many-th, the step doubling whenever there are too many."""

    size: int
    _step: int = 1
    _met: int = 0
    _kept: list[T] = field(default_factory=list[T])

    def add(self, item: T) -> None:
        """One more."""
        if self._met % self._step == 0:
            self._kept.append(item)
        self._met += 1
        if len(self._kept) >= 2 * self.size:
            del self._kept[1::2]
            self._step *= 2

    @property
    def chosen(self) -> list[T]:
        """Those that were kept, in their order."""
        every = max(1, -(-len(self._kept) // self.size)) if self.size else 1
        return self._kept[::every][: self.size]
