"""Long lists in requests that have room for so much."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from stagesync.connectors.packing import packed


@given(st.lists(st.tuples(st.integers(), st.integers(1, 12))), st.integers(1, 20), st.integers(1, 5))
def test_parts_keep_the_order_and_the_room_and_are_as_few_as_that_allows(items: list[tuple[int, int]], room: int, most: int) -> None:
    """Nothing is lost, only a single item may be too large, and no part could have taken the first one of the next."""
    parts = list(packed(((item, item[1]) for item in items), room, most))
    assert list(chain.from_iterable(parts)) == items
    sizes = [sum(size for _, size in part) for part in parts]
    assert all(len(part) <= most and (size <= room or len(part) == 1) for part, size in zip(parts, sizes, strict=True))
    assert all(len(part) == most or size + after[0][1] > room for (part, after), size in zip(pairwise(parts), sizes, strict=False))
