"""SOQL as text: names and values that cannot break out of their place, and queries that fit into a URL.

A query travels in the URL of a GET, and Salesforce takes at most 16,384 bytes of URI and headers together (Salesforce Developer Limits, API Request Limits).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote_plus

from ...model.errors import ConfigurationError
from ..packing import packed

ROOM = 12_000
"""Bytes for one query in its encoded form; the rest is for the host, the path and the headers, of which a token can be long."""

CONDITION_ROOM = 2_000
"""Bytes of it that columns leave to the condition, so that a list of values is not asked one by one."""

LONGEST_TEXT = 4_000
"""Characters that one text in a WHERE clause may have (Salesforce Developer Limits, SOQL and SOSL)."""

_PLAIN_IN_URLS = "!'()*,:=@"
_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_SPECIAL = re.compile("[\\\\'\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def name(field: str) -> str:
    """The name of a field or a path (`Account.Name`), unchanged. Raises `ConfigurationError` for anything that is no name."""
    if not _NAME.fullmatch(field):
        raise ConfigurationError(f"{field!r} is no field of Salesforce", next_step="write the API name, such as `Email`, `Stage__c` or `Account.Name`")
    return field


def text(value: str) -> str:
    """A value as a quoted text (SOQL and SOSL Reference, Quoted String Escape Sequences)."""
    return f"'{_SPECIAL.sub(_escaped, value)}'"


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04X}"


def moment(ms: int) -> str:
    """Milliseconds since 1970 as a dateTime literal in UTC; stamps of Salesforce are whole seconds."""
    at = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{at}.{ms % 1000:03d}Z" if ms % 1000 else f"{at}Z"


def select(fields: Sequence[str], source: str, where: str = "", order: str = "") -> str:
    """A whole query."""
    parts = [f"SELECT {','.join(name(field) for field in fields)} FROM {source}"]
    if where:
        parts.append(f"WHERE {where}")
    if order:
        parts.append(f"ORDER BY {order}")
    return " ".join(parts)


def encoded(query: str) -> str:
    """The query as it stands in a URL. What RFC 3986 allows in a query stays as it is: a list of addresses is a third shorter so."""
    return quote_plus(query, safe=_PLAIN_IN_URLS)


def lists(field: str, values: Iterable[str], room: int) -> Iterator[str]:
    """`field IN (...)` for all values, in as many parts as it takes to keep each within `room` encoded bytes. Equal values are named once.

    Raises `ConfigurationError` where the room does not suffice for a single value. A text that is too long for SOQL is left out: no indexed field can hold it.
    """
    head = f"{name(field)} IN ("
    rest = room - len(encoded(head + ")"))

    def sized() -> Iterator[tuple[str, int]]:
        for value in dict.fromkeys(values):
            if len(value) > LONGEST_TEXT:
                continue
            written = text(value)
            size = len(encoded(written + ","))
            if size > rest:
                raise ConfigurationError(f"a query over `{field}` does not fit into a URL", next_step="map fewer fields")
            yield written, size

    for part in packed(sized(), rest):
        yield f"{head}{','.join(part)})"


def selects(fields: Sequence[str], source: str, field: str, values: Iterable[str], also: str = "") -> Iterator[str]:
    """Queries for the rows whose `field` has one of the values (and for which `also` holds), each fit for a URL."""
    tail = f" AND {also}" if also else ""
    room = ROOM - len(encoded(select(fields, source, "x") + tail))
    for condition in lists(field, values, room):
        yield select(fields, source, condition + tail)


def fitting(fields: Sequence[str], fixed: Sequence[str], source: str) -> tuple[list[str], list[str]]:
    """The fields that fit beside the `fixed` ones into one query, paths first, and those that must be read in another way.

    Raises `ConfigurationError` where not even the paths (`Account.Name`) fit: those can be read by a query only.
    """
    room = ROOM - CONDITION_ROOM - len(encoded(select(fixed, source)))
    inside: list[str] = []
    outside: list[str] = []
    for field in sorted((each for each in dict.fromkeys(fields) if each not in fixed), key=lambda each: "." not in each):
        size = len(encoded("," + field))
        if size <= room:
            inside.append(field)
            room -= size
        elif "." in field:
            raise ConfigurationError(f"too many fields of related records are mapped: `{field}` finds no room in a query", next_step="map fewer of them")
        else:
            outside.append(field)
    return inside, outside
