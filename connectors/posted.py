"""The JSON of a post, as far as anybody is expected to nest it: whatever is deeper breaks what reads it next."""

from __future__ import annotations

from typing import Any

import orjson

DEEPEST = 32
"""Nobody's event is nested more than that."""


def posted_json(body: bytes) -> Any:
    """What a post says. Raises `ValueError` for what is no JSON, or is nested too deep; its text holds nothing of it."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ValueError("the body is no JSON") from None
    if _depth(found) > DEEPEST:
        raise ValueError(f"the body is nested more than {DEEPEST} deep")
    return found


def _depth(body: Any) -> int:
    """How many lists and tables lie in one another."""
    level, depth = [body], 0
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
