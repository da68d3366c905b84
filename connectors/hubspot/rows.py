"""A contact as JSON, and as a record: the hot path of every read, so plain dicts and no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...model.records import Moved, Native, Record, Ref
from .errors import KIND, strange

EMAIL = "email"
STAMP = "lastmodifieddate"
"""The contacts' change clock (other objects have `hs_lastmodifieddate`; HubSpot docs, Search the CRM)."""
MERGED = "hs_merged_object_ids"
"""The ids that were merged into this record, joined by `;`."""
ALWAYS = (STAMP, MERGED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def with_own(fields: Sequence[str]) -> list[str]:
    """The properties to ask for: those wanted and those that we always need."""
    return [*dict.fromkeys((*fields, *ALWAYS))]


def records_of(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[Record]:
    """The records in one answer: which properties it has is looked up once, in the first row, unless that lacks one and others differ from it."""
    if not rows:
        return []
    first = rows[0]["properties"].keys()
    names = [name for name in fields if name in first]
    if len(names) < len(fields) and any(row["properties"].keys() != first for row in rows):
        return [record_of(row, fields) for row in rows]
    try:
        return [_record(row, row["properties"], names) for row in rows]
    except (KeyError, AttributeError):  # rows that differ, or bear no stamp of their own, which HubSpot does not promise against
        return [record_of(row, fields) for row in rows]


def _record(row: Mapping[str, Any], found: Mapping[str, Any], names: Sequence[str]) -> Record:
    return Record(Ref(KIND, row["id"]), instant_ms(found[STAMP]), {name: found[name] or None for name in names})


def record_of(row: Mapping[str, Any], fields: Sequence[str]) -> Record:
    """The record in one row. A property that the account has not is absent from the answer and so from `values`."""
    found: dict[str, Any] = row["properties"]
    return Record(Ref(KIND, row["id"]), stamp_of(row), {name: found[name] or None for name in fields if name in found})


def shaped(rows: Any, *, where: str) -> list[dict[str, Any]]:
    """The rows of an answer: objects of the CRM. Raises `Unreachable` for something in their place that is none."""
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise strange(where=where)
    if not all(is_id(row.get("id")) for row in rows):
        raise strange("HubSpot's answer holds a record without a proper `id`", where=where)
    if not all(isinstance(row.get("properties"), dict) for row in rows):
        raise strange("HubSpot's answer holds a record without `properties`", where=where)
    return rows


def keyed(rows: Any, key: str, *, where: str) -> list[Mapping[str, Any]]:
    """What an answer lists, each known by its key. Raises `Unreachable` for one that has none."""
    if not all(isinstance(each, dict) and each.get(key) for each in rows or ()):
        raise strange(f"HubSpot's answer lists something without `{key}`", where=where)
    return rows or []


def contacts_of(rows: Any, *, where: str) -> list[dict[str, Any]]:
    """The same for contacts, each of which says when it was changed: without that nobody knows what is newer."""
    found = shaped(rows, where=where)
    if not all(is_stamped(row) for row in found):
        raise strange(f"HubSpot's answer holds a contact without `updatedAt` and `{STAMP}`", where=where)
    return found


def is_stamped(row: Mapping[str, Any]) -> bool:
    """It says when it was changed, in one of two places."""
    told = row["properties"].get(STAMP) or row.get("updatedAt")
    return isinstance(told, str) and told[:1].isdigit()


def is_id(found: Any) -> bool:
    """Ids of records are numbers, as text (HubSpot docs, Contacts); what else Unicode counts as digits has no business in a path."""
    return isinstance(found, str) and found.isascii() and found.isdigit()


def stamp_of(row: Mapping[str, Any]) -> int:
    """The modification time; `updatedAt` is the same moment where the property was not asked for."""
    return instant_ms(row["properties"].get(STAMP) or row["updatedAt"])


def instant_ms(text: str) -> int:
    """Milliseconds of a moment as HubSpot writes it: `...:00Z` without milliseconds when they are zero, else `....384Z`; or milliseconds as a number."""
    if text.isdigit():
        return int(text)
    since = datetime.fromisoformat(text) - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def moves_of(row: Mapping[str, Any]) -> list[Moved]:
    """The old ids that live on in this record: a merge mints a new id, or keeps the primary's (HubSpot docs, Contacts)."""
    merged = row["properties"].get(MERGED)
    if not merged:
        return []
    here = Ref(KIND, row["id"])
    return [Moved(Ref(KIND, old), here, "merged") for old in merged.split(";") if old and old != here.id]


def sent_values(values: Mapping[str, Native]) -> dict[str, str]:
    """Native values as HubSpot takes them: text, and an empty one clears."""
    return {name: value if isinstance(value, str) else _sent(value) for name, value in values.items()}


def _sent(value: Native) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
