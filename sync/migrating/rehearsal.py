"""Who goes first in a rehearsal, so that a few people show what will happen to all, and how a rehearsal that was undone is made as if it had not been."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ...mapping.maps import KindMap
from ...model.records import Native
from ...state import actions, keys, links, people, runs
from ...state.links import LinkRow
from ...state.store import Tx
from ..deciding.creation import KEY
from ..deciding.match import APART
from ..session import Session
from ..undoing.undo import KIND as UNDO
from .pair import CHUNK, Pair, each_live
from .spread import Spread

Trait: TypeAlias = tuple[Literal["stage", "there", "owner", "letters", "longest", "filled", "sparse"], str]
"""What somebody is an example of, the weightiest kind first; the second part says of which stage or field."""
_WEIGHT: Mapping[str, int] = {kind: number for number, kind in enumerate(("stage", "there", "owner", "letters", "longest", "filled", "sparse"))}
_UNDOS = 200
"""So many of the last runs are looked through for undos."""


class Example(NamedTuple):
    """One record that shows something. `traits`: what of."""

    link: int
    name: str
    traits: tuple[Trait, ...]


class _Best(NamedTuple):
    measure: int
    link: int
    name: str


def examples(session: Session, pair: Pair, number: int) -> list[Example]:
    """So many records of the source that nobody has moved yet, and that no question keeps back: first one for each trait, the rest spread over all.

    Memory does not grow with their number.
    """
    best: dict[Trait, _Best] = {}
    spread: Spread[tuple[int, str]] = Spread(number)
    with session.store.read() as tx:
        asked = {link for hold in actions.each_hold(tx, session.workspace) for link in hold.payload.get("park", ())}
    for rows in each_live(session, pair.source):
        fresh = [row for row in rows if row.state == "new" and row.id not in asked and _address(pair, row) is not None]
        there = _there(session, pair, fresh)
        for row in fresh:
            name = f"{pair.source.name}:{row.ref}"
            spread.add((row.id, name))
            for trait, measure in _traits(pair.source.system.map.kinds[row.kind], row, there=row.id in there):
                known = best.get(trait)
                if known is None or measure > known.measure:
                    best[trait] = _Best(measure, row.id, name)
    return list(_picked(best, [*spread.chosen, *spread.kept], number))


def _picked(best: Mapping[Trait, _Best], rest: Sequence[tuple[int, str]], number: int) -> Iterator[Example]:
    shown: dict[int, list[Trait]] = {}
    names: dict[int, str] = {}
    for trait, found in sorted(best.items(), key=lambda each: (_WEIGHT[each[0][0]], each[0][1])):
        if found.link in shown or len(shown) < number:
            shown.setdefault(found.link, []).append(trait)
            names[found.link] = found.name
    for link, name in rest:
        if len(shown) < number:
            shown.setdefault(link, [])
            names[link] = name
    return (Example(link, names[link], tuple(traits)) for link, traits in shown.items())


def _address(pair: Pair, row: LinkRow) -> Native:
    kind = pair.source.system.map.kinds.get(row.kind)
    return row.seen.get(kind.fields[KEY].native) if kind is not None and KEY in kind.fields else None


def _there(session: Session, pair: Pair, rows: Sequence[LinkRow]) -> set[int]:
    """Those whose address the target has already."""
    wanted = {str(_address(pair, row)).strip().lower(): row.id for row in rows}
    with session.store.read() as tx:
        found = keys.find(tx, session.workspace, KEY, list(wanted))
        records = links.by_ids(tx, [link for _, link in found])
    return {wanted[address] for address, link in found if records[link].account == pair.goal.account}


def _traits(kind: KindMap, row: LinkRow, *, there: bool) -> Iterator[tuple[Trait, int]]:
    """What the record is an example of, and how good a one."""
    if there:
        yield ("there", ""), 0
    if kind.stage is not None:
        yield ("stage", kind.stage.said(row.seen) or "(blank)"), 0
    filled = 0
    for name, mapped in kind.fields.items():
        value = row.seen.get(mapped.native)
        if value is None or value is False:
            continue
        filled += 1
        if name == "owner":
            yield ("owner", str(value)), 0
        elif isinstance(value, str):
            yield ("longest", name), len(value)
            if not value.isascii():
                yield ("letters", name), len(value)
        yield ("filled", name), 0
    yield ("sparse", row.kind), -filled


def moved_by(tx: Tx, run: int) -> list[int]:
    """The people whom a run decided about."""
    found: list[int] = []
    after = 0
    while rows := actions.of_run(tx, run, ("applied",), after, CHUNK, op="decide"):
        after = rows[-1].id
        found.extend(row.person for row in rows if row.person is not None)
    return found


def forget_rehearsal(session: Session, pair: Pair, run: int) -> int:
    """After a rehearsal was undone: its people are to be moved by the load as if they had never been; how many.

    An undo leaves a record that it archived as one that no sync makes again, a value that it put back as one that stays, and a record that it took from its
    person as a question. Here all three are to be done again.
    """
    now = session.clock.now_ms()
    with session.store.write() as tx:
        archived = {row.link for undo in _undos(tx, session.workspace, run) for row in actions.of_run(tx, undo, ("applied",), 0, 2**31 - 1, op="archive")}
        persons = moved_by(tx, run)
        theirs = [row for rows in links.of_people(tx, persons).values() for row in rows if row.account == pair.goal.account]
        apart = [hold for hold in actions.each_hold(tx, session.workspace) if (hold.question or "").startswith(f"{APART}:{run}:")]
        taken = links.by_ids(tx, [link for hold in apart for link in hold.payload["park"]]).values()
        links.rewrite(
            tx,
            [
                *(row._replace(state="moved") for row in theirs if row.state == "gone" and row.id in archived),
                *(row._replace(carried={}, agreed={}) for row in theirs if row.state == "linked"),
                *(row.unmatched for row in taken if row.state == "parked"),
            ],
        )
        actions.set_state(tx, [hold.id for hold in apart], "skipped")
        people.mark_due(tx, session.workspace, persons, now)
    return len(persons)


def _undos(tx: Tx, workspace: int, run: int) -> list[int]:
    return [row.id for row in runs.recent(tx, workspace, _UNDOS) if row.kind == UNDO and row.counts.get("undoes") == run]
