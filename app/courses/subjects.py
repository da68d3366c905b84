"""People as the qualification rules see them, read from the state: what the last run left there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...lifecycle.rules.qualify import Subject
from ...model.stages import StageReading
from ...state import entries, people, signals
from ...state.people import PersonRow
from ...state.store import Store, Tx

_PAGE = 2_000


def subjects_of(tx: Tx, rows: Sequence[PersonRow], now: int, *, with_signals: bool) -> list[Subject]:
    """One for each person, in their order."""
    numbers = [row.id for row in rows]
    told = signals.of_people(tx, numbers) if with_signals else {}
    stays = entries.of_people(tx, numbers)
    return [
        Subject(
            values=row.values,
            place=StageReading(row.stage, row.side, row.reason),
            pass_no=row.pass_no,
            since=entries.entered(stays.get(row.id, ()), side=False),
            signals=[each.signal for each in told.get(row.id, ())],
            now=now,
            aside_since=entries.entered(stays.get(row.id, ()), side=True) if row.side is not None else None,
        )
        for row in rows
    ]


def each_subject(store: Store, workspace: int, now: int, *, with_signals: bool) -> Iterator[tuple[PersonRow, Subject]]:
    """Everybody, a page at a time, so that nobody else is kept waiting for long."""
    after = 0
    while True:
        with store.read() as tx:
            rows = people.each(tx, workspace, after, _PAGE)
            found = subjects_of(tx, rows, now, with_signals=with_signals)
        yield from zip(rows, found, strict=True)
        if len(rows) < _PAGE:
            return
        after = rows[-1].id


def chosen_subjects(store: Store, persons: Sequence[int], now: int, *, with_signals: bool) -> list[tuple[PersonRow, Subject]]:
    """These people, in their order."""
    with store.read() as tx:
        found = people.by_ids(tx, persons)
        rows = [found[person] for person in persons]
        return list(zip(rows, subjects_of(tx, rows, now, with_signals=with_signals), strict=True))
