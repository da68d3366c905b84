"""Long lists of values in requests that have room for so much. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import maxsize
from typing import TypeVar

Item = TypeVar("Item")


def packed(items: Iterable[tuple[Item, int]], room: int, most: int = maxsize) -> Iterator[list[Item]]:
    """The items in their order, in parts of `most` or fewer whose sizes are no more than `room` together; one that is larger is a part of its own."""
    part: list[Item] = []
    used = 0
    for item, size in items:
        if part and (used + size > room or len(part) == most):
            yield part
            part, used = [], 0
        part.append(item)
        used += size
    if part:
        yield part
