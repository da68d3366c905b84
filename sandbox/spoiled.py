"""Answers out of which something is taken: rows that are passed over in silence, fields that are not there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import orjson

from .wire import Response

_LISTS = ("results", "records", "compositeResponse")
"""Under which names answers keep their rows, where the answer is not a list itself."""


def without_rows(response: Response, count: int) -> Response:
    """The answer without its last `count` rows: what it says beside them (counts, the link to a next page) stays as it is."""
    return _changed(response, lambda rows: rows[: max(0, len(rows) - count)])


def without_fields(response: Response, names: Collection[str]) -> Response:
    """The answer with these fields in none of its rows."""
    return _changed(response, lambda rows: [_less(row, names) for row in rows])


def _changed(response: Response, change: Callable[[list[Any]], list[Any]]) -> Response:
    """The answer with other rows; one that is no success, has none, or is no JSON stays as it is."""
    if response.status >= 300 or not response.body or "json" not in response.headers.get("Content-Type", ""):
        return response
    found = orjson.loads(response.body)
    if isinstance(found, list):
        return replace(response, body=orjson.dumps(change(found)))
    kept = {name: change(found[name]) for name in _LISTS if isinstance(found, dict) and isinstance(found.get(name), list)}
    return replace(response, body=orjson.dumps({**found, **kept})) if kept else response


def _less(row: Any, names: Collection[str]) -> Any:
    """HubSpot keeps a record's values under `properties`, Salesforce in the record itself."""
    if not isinstance(row, dict):
        return row
    left = {name: value for name, value in row.items() if name not in names}
    values = left.get("properties")
    return {**left, "properties": {name: value for name, value in values.items() if name not in names}} if isinstance(values, dict) else left
