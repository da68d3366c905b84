"""What `stagesync export people`, `ledger` and `links` write: their columns, and their rows a page at a time. docs/exports.md tells what each column holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ...state import accounts, entries, links, people
from ...state.entries import EntryRow
from ...state.links import LinkRow
from ...state.people import PersonRow
from ...state.store import Store
from . import words

Row: TypeAlias = Sequence[Any]
PAGE = 2_000

PEOPLE = ("person", "stage", "side", "reason", "pass", "since")
"""Before the canonical fields; behind them a column for each system."""
LEDGER = (
    *("person", "pass", "stage", "side", "reason", "entered", "entered_seen", "left", "left_seen"),
    *("system", "actor", "evidence", "source", "owner", "origin", "due", "accepted"),
)
LINKS = ("person", "system", "kind", "ref", "state")


def each_person(store: Store, workspace: int, fields: Sequence[str], systems: Sequence[str]) -> Iterator[Row]:
    """Everybody, with the canonical values of these fields and the linked records in these systems."""
    after: int | None = 0
    while after is not None:
        with store.read() as tx:
            rows = people.each(tx, workspace, after, PAGE)
            numbers = [row.id for row in rows]
            stays, records = entries.of_people(tx, numbers), links.of_people(tx, numbers)
            names = {account: name for name, account in accounts.bound(tx, workspace).items()}
        for row in rows:
            since = entries.entered(stays.get(row.id, ()), side=row.side is not None)
            yield _person(row, since, _refs(records.get(row.id, ()), names), fields, systems)
        after = rows[-1].id if rows else None


def _person(row: PersonRow, since: int | None, refs: Mapping[str, list[str]], fields: Sequence[str], systems: Sequence[str]) -> Row:
    held = (row.canonical[name][0] if name in row.canonical else None for name in fields)
    return (_number(row.id), row.stage, row.side, row.reason, row.pass_no, words.stamp(since), *held, *(refs.get(name, []) for name in systems))


def _refs(records: Iterable[LinkRow], names: Mapping[int, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in records:
        if record.state == "linked":
            found.setdefault(names.get(record.account, ""), []).append(f"{record.kind}/{record.ref}")
    return found


def each_stay(store: Store, workspace: int) -> Iterator[Row]:
    """The whole ledger, in the order in which it was written."""
    after: int | None = 0
    while after is not None:
        with store.read() as tx:
            rows = entries.each(tx, workspace, after, PAGE)
        yield from map(_stay, rows)
        after = rows[-1].id if rows else None


def _stay(row: EntryRow) -> Row:
    times = (words.stamp(at) for at in (row.entered_at, row.entered_seen, row.left_at, row.left_seen))
    told = (row.system, row.actor, row.evidence or None, row.source, row.owner, row.origin, words.stamp(row.due_at))
    return (_number(row.person), row.pass_no, row.stage, row.side, row.reason, *times, *told, None if row.met is None else bool(row.met))


def each_link(store: Store, workspace: int) -> Iterator[Row]:
    """Every record ever seen, system by system."""
    with store.read() as tx:
        systems = sorted(accounts.bound(tx, workspace).items())
    for name, account in systems:
        for rows in links.pages(store, workspace, account, PAGE):
            for row in rows:
                yield (None if row.person is None else _number(row.person), name, row.kind, row.ref, row.state)


def _number(person: int) -> str:
    return f"p{person}"
