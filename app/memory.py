"""Python's search for cyclic garbage, made rare while a run works: it makes millions of small objects, and hardly one of them lies in a cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 200_000
"""How many more containers than before may be alive before the young ones are looked through: about two chunks of people, some 20 MB."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """For the length of the block: look seldom, and not at all at what was there before it."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
