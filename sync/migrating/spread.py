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
    kept: list[T] = field(default_factory=list[T])
    """Fewer than twice as many, from which the few are chosen."""

    def add(self, item: T) -> None:
        """One more."""
        if self._met % self._step == 0:
            self.kept.append(item)
        self._met += 1
        if len(self.kept) >= 2 * self.size:
            del self.kept[1::2]
            self._step *= 2

    @property
    def chosen(self) -> list[T]:
        """Those that were kept, in their order."""
        every = max(1, -(-len(self.kept) // self.size)) if self.size else 1
        return self.kept[::every][: self.size]
