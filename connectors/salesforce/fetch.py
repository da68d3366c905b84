"""Reading certain records: by their ids, by a key, and where they went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...model.errors import Unreachable
from ...model.records import FieldChange, Gone, Moved, Observation, Present, Record, Ref, Unreadable
from . import evidence
from .client import Client
from .errors import Hidden, Refused, Unserved
from .rows import NEEDED, OBJECTS, Row, Shape, bookkeeping, fate, id15, id18, shape, whole
from .soql import fitting, selects

COLLECTION = 2_000
"""Ids that one read of a collection takes (REST API Developer Guide, Get Records Using sObject Collections)."""

_ID = re.compile(r"[0-9A-Za-z]{15}([0-9A-Z]{3})?")

Histories = Mapping[str, Mapping[str, Sequence[FieldChange]]]
"""The first 15 characters of an id -> native field -> versions, newest first."""


def fetch(client: Client, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], histories: Mapping[str, Histories]) -> list[Observation]:
    """One observation per ref, in their order. `histories`: by kind, what is known of their fields' versions."""
    found: dict[tuple[str, str], Observation] = {}
    for kind in OBJECTS:
        ids = list(dict.fromkeys(ref.id for ref in refs if ref.kind == kind and _ID.fullmatch(ref.id)))
        if ids:
            seen = _observed(client, kind, ids, fields.get(kind, ()), histories.get(kind, {}))
            found |= {(kind, id): observation for id, observation in seen.items()}
    return [found.get((ref.kind, id15(ref.id))) or Unreadable(ref, "this is no id of a Lead or Contact") for ref in refs]


def _observed(client: Client, kind: str, ids: list[str], fields: tuple[str, ...], histories: Histories) -> dict[str, Observation]:
    """By the first 15 characters of the id. What is not there any more is looked up among the deleted."""
    form = shape(kind, *evidence.split(fields))
    found: dict[str, Observation] = {}
    for row in read_by_id(client, kind, ids, fields):
        id = id15(row["Id"])
        found[id] = fate(form, row) or _as_it_is(form, row, histories.get(id, {}))
    missing = [id for id in ids if id15(id) not in found]
    lost = whereabouts(client, kind, missing) if missing else {}
    for id in missing:
        found[id15(id)] = lost.get(id15(id)) or Unreadable(Ref(kind, id), "not visible to this user, or erased from the recycle bin")
    return found


def _as_it_is(form: Shape, row: Row, history: Mapping[str, Sequence[FieldChange]]) -> Present | Unreadable:
    if row.get("IsConverted"):
        return Unreadable(Ref(form.kind, id18(row["Id"])), "the Lead was converted, and its Contact is hidden from this user (ConvertedContactId)")
    return Present(form.record(row), history)


def read_by_id(client: Client, kind: str, ids: Sequence[str], fields: tuple[str, ...]) -> list[Row]:
    """By the collection, 2,000 a call; by queries where fields of related records are asked for, unless this org was seen to give those in a collection."""
    own, beside = evidence.split(fields)
    related = any("." in name for name in own)
    if related and client.answers.get("parents_in_collections") != "yes":
        return _queried(client, kind, "Id", ids, fields)
    names = dict.fromkeys((*bookkeeping(kind, fate=True), *own))
    try:
        found = [row for row in collection(client, kind, ids, names) if row is not None]
    except (Unserved, Refused):  # there is no such call before version 42, and with many who emulate an org
        return _queried(client, kind, "Id", ids, fields)
    except Hidden:
        if not related:
            raise
        return _queried(client, kind, "Id", ids, fields)  # it is no longer so, or not for this field
    evidence.complete(client, found, beside)
    return found


def _queried(client: Client, kind: str, key: str, values: Iterable[str], fields: tuple[str, ...], also: str = "") -> list[Row]:
    """All rows with these values, in as many queries as fit into URLs."""
    own, beside = evidence.split(fields)
    fixed = bookkeeping(kind, fate=False)
    inside, outside = fitting(own, fixed, OBJECTS[kind])
    found = [row for query in selects((*fixed, *inside), OBJECTS[kind], key, values, also) for row in client.rows(query, NEEDED)]
    complete(client, kind, found, outside)
    evidence.complete(client, found, beside)
    return found


def complete(client: Client, kind: str, rows: Sequence[Row], fields: Sequence[str]) -> None:
    """Add the fields that found no room in the rows' query. A row that cannot be read a second time keeps them absent; each is known by its id."""
    if not fields:
        return
    told = {id15(more["Id"]): more for more in collection(client, kind, [row["Id"] for row in rows], ("Id", *fields)) if more is not None}
    for row in rows:
        more = told.get(id15(row["Id"]), {})
        row.update((name, more[name]) for name in fields if name in more)


def collection(client: Client, kind: str, ids: Sequence[str], fields: Iterable[str]) -> list[Row | None]:
    """One row per id, in their order; None for one that is deleted, or that this user may not see."""
    names = list(fields)
    needed = [name for name in NEEDED if name in names]
    found: list[Row | None] = []
    for start in range(0, len(ids), COLLECTION):
        part = list(ids[start : start + COLLECTION])
        rows: Any = client.collection(OBJECTS[kind], part, names)
        if not isinstance(rows, list) or len(rows) != len(part):
            raise Unreachable("a read of many records gave another number of them", where=client.system, next_step="run again")
        whole([row for row in rows if row is not None], client.system, needed)
        found += rows
    return found


def whereabouts(client: Client, kind: str, ids: Sequence[str]) -> dict[str, Gone | Moved]:
    """What became of records that are no longer there, by the first 15 characters of their ids; nothing about those that are there or cannot be seen."""
    names = bookkeeping(kind, fate=True)
    form = shape(kind, ())
    found: dict[str, Gone | Moved] = {}
    for query in selects(names, OBJECTS[kind], "Id", ids):
        for row in client.rows(query, NEEDED, everything=True):
            id = id15(row["Id"])
            seen = fate(form, row)
            if seen is not None:
                found[id] = seen
    return found


def find(client: Client, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> list[Record]:
    """All live records whose `key` is one of the values; converted Leads are none. SOQL compares text without regard to case."""
    form = shape(kind, *evidence.split(fields))
    also = "IsConverted = false" if kind == "lead" else ""
    given = [value for value in values if value]
    return [form.record(row) for row in _queried(client, kind, key, given, fields, also)]
