"""Signals: events that are evidence for a stage, kept once however often they are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, func, select

from ..model.records import Signal, Value
from . import ids as _ids
from .schema import link, match_key, signal, word
from .sql import Bulk, Statement, among, decode, encode
from .store import Tx


class SignalRow(NamedTuple):
    """One event. `at`: when it happened, `seen_at`: when we heard of it (ms). Whom it is about: a `person`, or a record (`link`), or a match key (`who`)."""

    id: int
    person: int | None
    link: int | None
    who: str | None
    kind: str
    at: int
    seen_at: int
    source: str
    key: str
    attributes: dict[str, Value]
    run: int | None

    @property
    def signal(self) -> Signal:
        """The event itself, without its bookkeeping."""
        return Signal(self.kind, self.at, self.source, self.key, self.attributes)


class NewSignal(NamedTuple):
    """A signal to be kept, and what is known of whom it is about. `who`: `KEY:normalised value`, as in `email:anna@acme.example`."""

    person: int | None
    link: int | None
    who: str | None
    signal: Signal


class Count(NamedTuple):
    """How many signals of a kind a source told, and when the last one happened (ms)."""

    source: str
    kind: str
    signals: int
    last_at: int


_c = signal.c
_ROW = tuple(_c[name] for name in SignalRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_NOBODYS = _c.person.is_(None)
_NEWEST = (_c.at.desc(), _c.id.desc())
_PAGE = 5_000

_INSERT = Bulk(signal, ("id", "workspace", *SignalRow._fields[1:]), ignore=True)
_KEPT = Statement(select(_c.person).distinct().where(_c.id.between(bindparam("first"), bindparam("last")), _c.person.is_not(None)).order_by(_c.person))
_OF_PEOPLE = Statement(select(*_ROW).where(_c.person.is_not(None), among(_c.person, "ids")).order_by(*_NEWEST))
_BY_IDS = Statement(select(*_ROW).where(among(_c.id, "ids")).order_by(*_NEWEST))
_OF_LINKS = Statement(select(*_ROW).where(_NOBODYS, _c.link.is_not(None), among(_c.link, "ids")).order_by(*_NEWEST))
_COUNTS = Statement(select(_c.source, _c.kind, func.count(), func.max(_c.at)).where(_WORKSPACE).group_by(_c.source, _c.kind).order_by(_c.source, _c.kind))
_TOLD = Statement(select(_c.key).where(_WORKSPACE, _c.source == bindparam("source"), among(_c.key, "keys")))
_ATTACH = Bulk(signal, ("person",), ("id",))
_FOLLOW = (
    Statement(sa.update(signal).where(_NOBODYS, _c.link.is_not(None), _c.link == bindparam("old")).values(link=bindparam("new"), person=bindparam("to"))),
    Statement(
        sa.update(signal)
        .where(_c.person == select(link.c.person).where(link.c.id == bindparam("old")).scalar_subquery(), _c.link == bindparam("old"))
        .values(link=bindparam("new"), person=bindparam("to"))
    ),
)
_OWNED = Statement(
    select(_c.id, link.c.person, _c.run)
    .join(link, link.c.id == _c.link)
    .where(_WORKSPACE, _NOBODYS, _c.link.is_not(None), link.c.person.is_not(None), _c.id > bindparam("after"))
    .order_by(_c.id)
    .limit(bindparam("limit"))
)
_WHO = Statement(select(_c.id, _c.who).where(_WORKSPACE, _NOBODYS, _c.who.is_not(None), _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("limit")))
_KNOWN = Statement(
    select(match_key.c.value, func.min(link.c.person))
    .join(link, link.c.id == match_key.c.link)
    .where(
        match_key.c.workspace == bindparam("ws"),
        match_key.c.key == bindparam("key"),
        among(match_key.c.value, "values"),
        link.c.state == word("linked"),
        link.c.person.is_not(None),
    )
    .group_by(match_key.c.value)
    .having(sa.func.min(link.c.person) == sa.func.max(link.c.person))  # an address that several people share says nothing of any one
)


def add(tx: Tx, ws: int, rows: Sequence[NewSignal], seen_at: int, run: int | None) -> list[int]:
    """Keep signals. One that its source told before is left as it is. The people, in order, of those that are really new: they are to be looked at again."""
    if not rows:
        return []
    first = _ids.reserve(tx, "signal", len(rows))
    tx.many(
        _INSERT,
        [
            (first + i, ws, person, link, who, told.kind, told.at, seen_at, told.source, told.key, encode(dict(told.attributes)), run)
            for i, (person, link, who, told) in enumerate(rows)
        ],
    )
    return [person for (person,) in tx.rows(_KEPT, {"first": first, "last": first + len(rows) - 1})]


def attach(tx: Tx, ws: int) -> list[int]:
    """Give signals that are nobody's to their record's person, or to the only person who is known by their match key.

    The people, in order, whom nobody has looked at with these signals: those found by key, and those of whom something was reported between two runs
    (what a run read of a record was there when it was matched). Looks at nothing but the signals that are nobody's.
    """
    return sorted(_by_link(tx, ws) | _by_key(tx, ws))


def _by_link(tx: Tx, ws: int) -> set[int]:
    persons: set[int] = set()
    after = 0
    while rows := tx.rows(_OWNED, {"ws": ws, "after": after, "limit": _PAGE}):
        after = rows[-1][0]
        tx.many(_ATTACH, [(person, id_) for id_, person, _ in rows])
        persons.update(person for _, person, run in rows if run is None)
    return persons


def _by_key(tx: Tx, ws: int) -> set[int]:
    persons: set[int] = set()
    after = 0
    while rows := tx.rows(_WHO, {"ws": ws, "after": after, "limit": _PAGE}):
        after = rows[-1][0]
        asked: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for id_, who in rows:
            key, _, value = who.partition(":")
            asked[key][value].append(id_)
        for key, values in asked.items():
            found = tx.rows(_KNOWN, {"ws": ws, "key": key, "values": tx.listed(values)})
            tx.many(_ATTACH, [(person, id_) for value, person in found for id_ in values[value]])
            persons.update(person for _, person in found)
    return persons


def follow(tx: Tx, moves: Iterable[tuple[int, int, int | None]]) -> None:
    """(link, link of the record that it went into, its person): a record's signals go where the record goes."""
    for old, new, person in moves:
        for statement in _FOLLOW:
            tx.run(statement, {"old": old, "new": new, "to": person})


def of_people(tx: Tx, ids: Iterable[int]) -> dict[int, list[SignalRow]]:
    """Person -> their signals, the newest first; people without any are left out."""
    return _grouped(tx.rows(_OF_PEOPLE, {"ids": tx.listed(ids)}), SignalRow._fields.index("person"))


def of_links(tx: Tx, ids: Iterable[int]) -> dict[int, list[SignalRow]]:
    """Link -> its signals that are nobody's yet, the newest first."""
    return _grouped(tx.rows(_OF_LINKS, {"ids": tx.listed(ids)}), SignalRow._fields.index("link"))


def by_ids(tx: Tx, ids: Iterable[int]) -> list[SignalRow]:
    """These signals, the newest first."""
    return [_row(row) for row in tx.rows(_BY_IDS, {"ids": tx.listed(ids)})]


def _row(row: tuple[Any, ...]) -> SignalRow:
    return SignalRow._make((*row[:9], decode(row[9]), row[10]))


def _grouped(rows: list[tuple[Any, ...]], by: int) -> dict[int, list[SignalRow]]:
    found: dict[int, list[SignalRow]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(_row(row))
    return dict(found)


def counts(tx: Tx, ws: int) -> list[Count]:
    """How many signals there are, by source and kind."""
    return [Count(*row) for row in tx.rows(_COUNTS, {"ws": ws})]


def known(tx: Tx, ws: int, told: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these (source, key), the ones that are kept already."""
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in told:
        keys[source].append(key)
    return {(source, key) for source, found in keys.items() for (key,) in tx.rows(_TOLD, {"ws": ws, "source": source, "keys": tx.listed(found)})}
