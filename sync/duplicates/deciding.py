"""Takes somebody's decisions about two records each into the state, and brings what is linked already into line with them. Nothing is written in any system.

The survivor's person stays. A record that gives way is set aside as a duplicate, and where it had a person of its own, that person's other records join the
survivor's. Two that are told apart and had been taken for one are matched again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from ...model.errors import SafetyStop
from ...model.records import Ref
from ...state import actions, dissolving, links, people, presence, sameness
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.presence import Cause
from ...state.sameness import SameRow
from ...state.store import Tx
from ..deciding.match import AMBIGUOUS
from ..deciding.sameness import Sameness
from ..deciding.second import SECOND
from ..people.answers import match_again
from ..people.forget import prepare
from .rulings import Ruling

ABOUT_MATCHES = (AMBIGUOUS, SECOND)
"""The questions about whose a record is."""


def decide(tx: Tx, ws: int, rulings: Sequence[Ruling], known: Mapping[Ref, LinkRow], now: int) -> None:
    """Keep what was decided about these records, all of which are `known`. The caller holds the lease.

    Raises `SafetyStop` where a write to one of these people is still open: who they are must not change under it.
    """
    prepare(tx, ws, now)
    _refuse_open(tx, ws, known.values())
    _answer(tx, ws, {row.id for row in known.values()})
    for each in rulings:
        one, other = known[each.one].id, known[each.other].id
        if each.survivor is None:
            sameness.decide(tx, ws, [_row(one, other, None, now)])
            _part(tx, ws, one, other, now)
        else:
            survivor, loser = (one, other) if each.survivor == each.one else (other, one)
            before = Sameness.of(sameness.around(tx, ws, {survivor, loser}))
            for link in [loser, *sorted(before.ends(loser) - {loser} - before.ends(survivor))]:  # whom it gave way to so far gives way to the new survivor too
                sameness.decide(tx, ws, [_row(survivor, link, survivor, now)])
                _join(tx, ws, survivor, link, now)


def _row(one: int, other: int, survivor: int | None, now: int) -> SameRow:
    return SameRow(min(one, other), max(one, other), survivor, now)


def _answer(tx: Tx, ws: int, mine: Set[int]) -> None:
    """Questions in which one of the records stands are moot: whatever is still open after the decision is asked again."""
    asked = [hold for hold in actions.each_hold(tx, ws) if hold.kind in ABOUT_MATCHES and not mine.isdisjoint(_asked_about(hold))]
    match_again(tx, asked)
    actions.set_state(tx, [hold.id for hold in asked], "skipped")


def _asked_about(hold: ActionRow) -> list[int]:
    return [*hold.payload.get("park", ()), *filter(None, [hold.payload.get("best")])]


def _refuse_open(tx: Tx, ws: int, rows: Iterable[LinkRow]) -> None:
    mine = {row.id for row in rows}
    persons = {row.person for row in rows if row.person is not None}
    if any(act.person in persons or act.link in mine for act in actions.open_intents(tx, ws)):
        raise SafetyStop("a write to one of these people has no known outcome yet", where="duplicates apply", next_step="run `stagesync sync`, then this again")


def _join(tx: Tx, ws: int, best: int, loser: int, now: int) -> None:
    """One human: the survivor is linked to the person, and the other one set aside. Two whom nobody has met yet are left to matching."""
    rows = links.by_ids(tx, [best, loser])
    survivor, other = rows[best], rows[loser]
    person = survivor.person if survivor.person is not None else other.person
    if person is None:
        return
    if survivor.state != "linked":
        links.rewrite(tx, [_linked(survivor, person)])
    links.rewrite(tx, [_aside(other, person)])
    if other.person not in (None, person):
        _follow(tx, ws, other.person, person, now)
    presence.follow(tx, ws, {person: Cause()}, now)
    people.mark_due(tx, ws, [person], now)


def _follow(tx: Tx, ws: int, gone: int, person: int, now: int) -> None:
    """The other person was never one of their own: their records join the survivor's, as duplicates where that system has a record of theirs already."""
    theirs = links.of_people(tx, [gone, person])
    taken = {row.account for row in theirs.get(person, ()) if row.state == "linked"}
    moved = [
        _aside(row, person) if row.state == "parked" or row.account in taken else row._replace(person=person, carried={}, agreed={})
        for row in theirs.get(gone, ())
    ]
    links.rewrite(tx, moved)
    held = actions.holds_of_people(tx, ws, [gone]).get(gone, [])
    actions.set_state(tx, [hold.id for hold in held], "skipped")
    dissolving.dissolve(tx, ws, gone, person, now)


def _part(tx: Tx, ws: int, first: int, second: int, now: int) -> None:
    """Two humans: whichever was set aside as the other's duplicate is matched again."""
    rows = links.by_ids(tx, [first, second])
    one, other = rows[first], rows[second]
    if one.person is None or one.person != other.person:
        return
    loose = [row for row in (one, other) if row.state == "parked"]
    links.rewrite(tx, [row.unmatched for row in loose])
    people.mark_due(tx, ws, [one.person], now)


def _linked(row: LinkRow, person: int) -> LinkRow:
    return row._replace(state="linked", person=person, carried={}, agreed={})


def _aside(row: LinkRow, person: int) -> LinkRow:
    return row._replace(state="parked", person=person, carried={}, agreed={}, claim=None)
