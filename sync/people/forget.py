"""Forgets a person: everything personal is erased from the state, and hashes stay by which their records are known again and left alone.

Nobody is deleted in any system by this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...mapping.maps import SystemMap
from ...model.records import Record, Ref
from ...state import closing, erasing, forgotten, links, presence
from ...state import dossier as traces
from ...state.forgotten import Mark
from ...state.links import LinkRow
from ...state.presence import Cause
from ...state.store import Tx
from .dossier import Dossier


def prepare(tx: Tx, ws: int, now: int) -> None:
    """Plans hold what they would write: those that nobody applied are given up, and what broke off is cleared away. Their people stay due."""
    closing.recover(tx, ws, now)
    closing.supersede(tx, ws)


def forget(tx: Tx, ws: int, file: Dossier, now: int) -> dict[str, int]:
    """Erase the person of this file; how many rows of which table. The caller holds the lease."""
    records = [link.id for link in file.records]
    forgotten.remember(tx, ws, [*file.keys, *(forgotten.mark_of(link.account, link.address) for link in file.records)], now)
    beside = [link for row in file.actions for link in row.payload.get("park", ()) if link not in records]
    links.meet_again(tx, ws, beside)  # set aside because of one that is erased
    erased = erasing.erase(tx, ws, file.persons, records, [row.id for row in file.actions], [row.id for row in file.signals])
    presence.follow(tx, ws, dict.fromkeys(file.persons, Cause("")), now)
    return erased


class Arrived(NamedTuple):
    """A record of a pull, and the row that it has so far."""

    record: Record
    row: LinkRow | None


def forgotten_among(tx: Tx, ws: int, account: int, maps: SystemMap, arrived: Iterable[Arrived]) -> set[Ref]:
    """Those of the records that are nobody's yet and belong to somebody who was forgotten. Whose record changes hands is a matter of those who changed it."""
    marks: dict[Ref, Sequence[Mark]] = {}
    if not forgotten.any_of(tx, ws):
        return set()
    for record, row in arrived:
        kind = maps.kinds.get(record.ref.kind)
        if kind is not None and (row is None or row.person is None):
            marks[record.ref] = (forgotten.mark_of(account, record.ref), *kind.keys(dict(record.values)))
    known = forgotten.covered(tx, ws, {mark for theirs in marks.values() for mark in theirs})
    return {ref for ref, theirs in marks.items() if not known.isdisjoint(theirs)}


def leave_out(tx: Tx, ws: int, rows: Iterable[LinkRow]) -> None:
    """Rows that stood for a forgotten person's records before anybody had read those go."""
    numbers = [row.id for row in rows]
    if numbers:
        acts, told = traces.actions_of(tx, ws, [], numbers), traces.signals_of(tx, ws, [], numbers, [])
        erasing.erase(tx, ws, [], numbers, [row.id for row in acts], [row.id for row in told])
