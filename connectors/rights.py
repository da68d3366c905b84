"""Rights that a credential may lack although most runs do without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Scoped(Protocol):
    """What a connector has in addition that can tell of them."""

    def lacks(self) -> Sequence[str]:
        """A sentence for each that this credential lacks, with what follows from it. Some calls, which nobody makes but `check`."""
        ...
