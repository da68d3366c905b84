"""What a system refused for good is parked: it is not sent again before what was wanted or what stands there changes, or somebody says so. Pure.

Parked is noted where the refusal was met, in the notes (`claim`) of a record's link, under the name of the field. A record that could not be made has no link
of its own, so that is noted with another record of the same person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ...model.records import Native

PARKED = "parked"
_CREATE = "create:"


class Why(NamedTuple):
    """Why it was refused: the vendor's code, the native field at fault where it is told, and the action that was refused."""

    code: str
    field: str | None
    action: int


def park(notes: Mapping[str, Any], name: str, on: Any, why: Why) -> dict[str, Any]:
    """The notes with this name parked `on` what was wanted and what stood there then."""
    return {**notes, PARKED: {**notes.get(PARKED, {}), name: {"on": on, "code": why.code, "field": why.field, "action": why.action}}}


def stands(notes: Mapping[str, Any], name: str, on: Any) -> bool:
    """It was refused before, and nothing has changed since."""
    entry = notes.get(PARKED, {}).get(name)
    return isinstance(entry, dict) and bool(entry["on"] == on)


def without(notes: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The notes with these names not parked any more."""
    left = {name: entry for name, entry in notes.get(PARKED, {}).items() if name not in names}
    rest = {key: value for key, value in notes.items() if key != PARKED}
    return {**rest, PARKED: left} if left else rest


def unparked(notes: dict[str, Any] | None) -> dict[str, Any] | None:
    """The notes with nothing parked any more; None where nothing else is noted."""
    if notes is None or PARKED not in notes:
        return notes
    return {key: value for key, value in notes.items() if key != PARKED} or None


def for_create(account: int) -> str:
    """The name under which a record is parked that could not be made in this account."""
    return f"{_CREATE}{account}"


def created_in(name: str) -> int | None:
    """The account in which a record could not be made, of a name from `for_create`."""
    return int(name.removeprefix(_CREATE)) if name.startswith(_CREATE) else None


def wanted(kind: str, values: Mapping[str, Native]) -> str:
    """What a new record was to hold, as a mark: the values themselves need not be kept a second time."""
    return hashlib.blake2b(json.dumps([kind, dict(values)], sort_keys=True).encode(), digest_size=8).hexdigest()
