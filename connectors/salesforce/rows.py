"""Rows of an answer as records: flat, blank as None, with stamp and author.

This is the hottest code of the connector: a row is changed in place, and nothing is done per field that can be done per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from ...model.errors import Unreachable
from ...model.records import Gone, Moved, Record, Ref

Row: TypeAlias = dict[str, Any]
"""One record as the API gives it, with `attributes` and nested related records."""

OBJECTS = {"contact": "Contact", "lead": "Lead"}
"""Kind -> object. Contact first: a Lead that was converted then moves to a Contact that is known already."""

KINDS_BY_PREFIX = {"003": "contact", "00Q": "lead"}
"""The first three characters of an id tell its object (SOAP API Developer Guide, DescribeSObjectResult: keyPrefix)."""

NEEDED = ("Id", "SystemModstamp")
"""Without these a row is no record of ours."""

_ALWAYS = ("Id", "SystemModstamp", "LastModifiedById")
_FATE = ("IsDeleted", "MasterRecordId")
_CONVERSION = ("IsConverted", "ConvertedContactId", "ConvertedOpportunityId", "Status")
DISPENSABLE = frozenset({"LastModifiedById", "MasterRecordId", *_CONVERSION} - {"IsConverted"})
"""Of these, what nothing depends on: without it less is known of who wrote, and of where a merged or converted record went."""
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@lru_cache(maxsize=16_384)
def stamp_ms(written: str) -> int:
    """A dateTime of the API (`2013-05-08T21:20:00.000+0000`) in milliseconds since 1970. Raises `Unreachable` for what is none, or has no offset."""
    try:
        return (datetime.fromisoformat(written) - _EPOCH) // _MS
    except (TypeError, ValueError):
        raise Unreachable("a record's stamp is no moment", next_step="check `instance_url`: does Salesforce answer there?") from None


def id15(id: str) -> str:
    """What makes two ids equal: the last three of 18 characters only repeat the case of the first 15."""
    return id[:15]


def id18(id: str) -> str:
    """The 18-character form of an id: three characters more, each the capitals among five as bits (SOAP API Developer Guide, ID Field Type)."""
    if len(id) != 15:
        return id
    return id + "".join(_CHECK[sum(char.isupper() << place for place, char in enumerate(id[start : start + 5]))] for start in (0, 5, 10))


def bookkeeping(kind: str, *, fate: bool) -> tuple[str, ...]:
    """The fields that we need of every row, whatever is mapped; `fate`: also what tells deleted and merged records."""
    return _ALWAYS + (_FATE if fate else ()) + (_CONVERSION if kind == "lead" else ())


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of one kind become records: `asked` is all that they may show, `dropped` is read beside it, `paths` lead into related records."""

    kind: str
    asked: frozenset[str]
    dropped: tuple[str, ...]
    paths: tuple[tuple[str, tuple[str, ...]], ...]
    heads: tuple[str, ...]

    def record(self, row: Row, *, converted: bool = False) -> Record:
        """The row's record; the row is used up. A converted Lead keeps what tells its conversion: that is evidence for its stage."""
        ref = Ref(self.kind, id18(row["Id"]))
        stamp = stamp_ms(row["SystemModstamp"])
        author = row.get("LastModifiedById")
        for path, parts in self.paths:
            value = _along(row, parts)
            if value is not _ABSENT:
                row[path] = value
        for head in self.heads:
            row.pop(head, None)
        kept = {name: row[name] for name in _CONVERSION if name in row} if converted else {}
        for name in self.dropped:
            row.pop(name, None)
        if len(row) > len(self.asked):  # somebody tells more than was asked for: it is nobody's to keep
            row = {name: value for name, value in row.items() if name in self.asked}
        row |= kept
        if "" in row.values():
            row = {name: None if value == "" else value for name, value in row.items()}
        return Record(ref, stamp, row, author and id18(author))


def shape(kind: str, fields: Iterable[str], beside: Iterable[str] = ()) -> Shape:
    """The shape of rows of which `fields` were asked for; those `beside` are added to them from other objects."""
    asked = tuple(fields)
    paths = tuple((field, tuple(field.split("."))) for field in asked if "." in field)
    read = ("attributes", *bookkeeping(kind, fate=True))
    dropped = tuple(name for name in read if name not in asked)
    heads = tuple(dict.fromkeys(parts[0] for _, parts in paths))
    return Shape(kind, frozenset((*asked, *beside)), dropped, paths, heads)


_ABSENT = object()


def _along(row: Row, parts: tuple[str, ...]) -> Any:
    """Where there is no related record, its fields are blank; where nothing is said of it, or of the field, they are absent."""
    found: Any = row
    for part in parts:
        if found is None:
            return None
        found = found.get(part, _ABSENT)
        if found is _ABSENT:
            break
    return found


def fate(shape: Shape, row: Row) -> Gone | Moved | None:
    """What became of the record, if it is no longer where it was; None: it is still there, or this cannot be said. The row may be used up.

    A merged record is deleted and names the winner (SOAP API Developer Guide, merge); the bin tells what it said last (REST API Developer Guide, QueryAll).
    A converted Lead stays, read-only, and names its Contact.
    """
    ref = Ref(shape.kind, id18(row["Id"]))
    if row.get("IsDeleted"):
        winner = row.get("MasterRecordId")
        return Moved(ref, Ref(shape.kind, id18(winner)), "merged", shape.record(row)) if winner else Gone(ref, stamp_ms(row["SystemModstamp"]))
    if not row.get("IsConverted") or "ConvertedContactId" not in row:  # where the Contact is hidden from our user, the person is not gone
        return None
    contact = row.get("ConvertedContactId")
    if not contact:
        return Gone(ref, stamp_ms(row["SystemModstamp"]))
    return Moved(ref, Ref("contact", id18(contact)), "converted", shape.record(row, converted=True))


def next_url(data: Any, before: str | None, where: str) -> str | None:
    """The path of the next page of a query or a list of jobs; None behind the last one, which says that it is `done`.

    Of a whole address only the path counts: our token goes to our own org. Raises `Unreachable` for a page that leads to itself, as it would never end, and for
    one that is not the last and says no more: what follows it would be taken for read.
    """
    found = data.get("nextRecordsUrl")
    if not found and data.get("done") is not False:
        return None
    path = _path(found) if isinstance(found, str) else ""
    if not path.startswith("/") or path == before:
        raise Unreachable("the pages of a query lead nowhere", where=where, next_step="run again; if it stays, check any proxy in between")
    return path


def _path(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        return url
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def records_of(data: Any, where: str, needed: Sequence[str] = ()) -> list[Row]:
    """The rows of a query's answer; for `needed` see `whole`. Raises `Unreachable` for JSON that is no such answer."""
    found = data.get("records") if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise Unreachable("the answer to a query has no records", where=where, next_step="check `instance_url`: does Salesforce answer there?")
    return whole(found, where, needed)


def whole(rows: list[Any], where: str, needed: Sequence[str]) -> list[Row]:
    """The rows, which tell the `needed` fields: those that Salesforce tells of every record, and never as null. A path leads into a related record, where
    there is one. Raises `Unreachable` for a row that lacks one of them."""
    if not set(map(type, rows)) <= {dict}:
        raise _broken("an answer holds something else than records", where)
    for path in needed:
        head, _, rest = path.partition(".")
        told = [row.get(head) for row in rows]
        if rest:
            whole([each for each in told if each is not None], where, (rest,))
        elif not set(map(type, told)) <= {str, bool}:
            raise _broken(f"a record came without `{path}`", where)
    return rows


def _broken(what: str, where: str) -> Unreachable:
    return Unreachable(what, where=where, next_step="check `instance_url`: does Salesforce answer there, and does a proxy in between leave something out?")
