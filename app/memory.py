"""How a process keeps house with memory while a run works: it makes millions of small objects, in a dozen threads."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 200_000
"""How many more containers than before may be alive before the young ones are looked through: about two chunks of people, some 20 MB."""
_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


@contextmanager
def frugal() -> Iterator[None]:
    """For the length of the block look seldom for cyclic garbage, of which there is hardly any, and not at all at what was there before it."""
    _share_one_heap()
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _share_one_heap() -> None:
    """Let all threads take memory from one place, for the rest of the process: glibc gives each a heap of its own, and what one of them has let go of, no
    other may take. Other C libraries have no such thing.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_ARENA_MAX, 1)
