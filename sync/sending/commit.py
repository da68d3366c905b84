"""Commits what a plan decided: persons, links and versions, a chunk of people at a time, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from ...state import actions, links, people, presence
from ...state.actions import ActionRow
from ...state.links import LinkRow, Remembered
from ...state.people import PersonRow
from ...state.presence import Cause
from ...state.store import Tx
from ..deciding.erasure import ERASED, STANDS
from ..deciding.match import AMBIGUOUS, APART
from ..deciding.removal import RECORD
from ..people.dossier import gather
from ..people.forget import forget
from ..session import Session
from . import ledger
from .standing import Touched, drifted_of

CHUNK = 2_000
_LAST = 2**62
"""No action has a higher number."""


def commit_decisions(session: Session, run: int, started: int, since: Touched | None = None, *, everybody: bool = True) -> int:
    """Make the plan's decisions the state's; returns how many people drifted. `since`: what happened since a stored plan was made; None: it is made just now.

    A person with writes stays due until they are settled, so that a crash plans them again. `everybody`: whoever was nobody's yet was looked at.
    """
    after, drifted = 0, 0
    while True:
        with session.store.write() as tx:
            found = actions.of_run(tx, run, ("planned",), after, CHUNK + 1, op="decide")
            if not found:
                break
            rows, beyond = found[:CHUNK], found[CHUNK:]
            stale = drifted_of(tx, session.workspace, rows, since) if since is not None else set[int]()
            drifted += len(stale)
            _commit(tx, session, [row for row in rows if row.id not in stale], started)
            if stale:
                _skip(tx, session.workspace, run, [row for row in rows if row.id in stale], started)
            # what these decisions overruled is on record with them, or a crash would forget whose value lost
            actions.set_state_range(tx, run, rows[0].id, beyond[0].id - 1 if beyond else _LAST, "planned", "overruled", op="overrule")
            after = rows[-1].id
    if everybody:
        _set_aside(session, since.records if since is not None else set())
    return drifted


def commit_these(tx: Tx, session: Session, rows: Sequence[ActionRow], started: int) -> None:
    """Make the decisions about a few people the state's; `rows` are all of the plan's rows about them."""
    _commit(tx, session, [row for row in rows if row.op == "decide"], started)
    actions.set_state(tx, [row.id for row in rows if row.op == "overrule"], "overruled")


def _commit(tx: Tx, session: Session, rows: Sequence[ActionRow], started: int) -> None:
    fresh: list[PersonRow] = []
    known: list[PersonRow] = []
    remembered: list[Remembered] = []
    lifted: list[int] = []
    retired: list[int] = []
    erased: list[int] = []
    for row in rows:
        memory, person = row.payload, row.person or 0
        due = started + 1 if memory["again"] else (started if memory["writes"] else None)
        stage, side, reason, pass_no, version = memory["stage"]
        notes, review_at = memory["notes"] or None, memory["review_at"]
        (fresh if memory["new"] else known).append(PersonRow(person, stage, side, reason, pass_no, version, memory["canonical"], due, notes, review_at))
        for link, _, carried, agreed, notes in memory["links"]:
            remembered.append(Remembered(link, person, "linked", carried, agreed, notes or None))
        for link in memory["duplicates"]:
            remembered.append(Remembered(link, person, "parked", {}, {}, None))
        lifted.extend(memory["lifted"])
        retired.extend(memory["retired"])
        erased.extend(memory.get("erased", ()))
    if fresh:
        people.insert(tx, session.workspace, fresh)
    if known:
        people.update(tx, session.workspace, known)
    ledger.enter(tx, session, rows, started)
    links.remember(tx, remembered)
    linked = {row.person or 0: Cause() for row in rows if (row.payload["links"] or row.payload["duplicates"]) and not row.payload["new"]}
    presence.follow(tx, session.workspace, linked, started, rows[0].run if rows else None)
    if retired:
        links.rewrite(tx, [link._replace(state="moved") for link in links.by_ids(tx, retired).values()])
    if erased:
        links.rewrite(tx, [link._replace(claim={**(link.claim or {}), ERASED: STANDS}) for link in links.by_ids(tx, erased).values()])
    actions.set_state(tx, [row.id for row in rows], "applied")
    if lifted:
        actions.set_state(tx, lifted, "skipped")
    _ask(tx, session.workspace, rows)
    leaving = people.by_ids(tx, [row.person for row in rows if row.person is not None and row.payload.get("forget")])
    for person in leaving.values():
        forget(tx, session.workspace, gather(tx, session.workspace, person), started)


def _ask(tx: Tx, workspace: int, rows: Sequence[ActionRow]) -> None:
    """What there is to be asked only now: about records that were taken from their people."""
    asked = [(row.run, ask) for row in rows for ask in row.payload.get("asks", ())]
    first = actions.reserve(tx, len(asked)) if asked else 0
    actions.insert(tx, workspace, [_question(first + offset, run, ask) for offset, (run, ask) in enumerate(asked)])


def _question(number: int, run: int, ask: Mapping[str, Any]) -> ActionRow:
    payload = {"choices": ask["choices"], "park": [ask["link"]]}
    return ActionRow(number, run, None, ask["link"], None, 1, "hold", {}, payload, "held", ask["reason"], ask["question"], RECORD, None, None, 0)


def _skip(tx: Tx, workspace: int, run: int, rows: Sequence[ActionRow], started: int) -> None:
    """Drifted people are left for the next plan, with all that this plan wanted for them."""
    persons = sorted({row.person for row in rows if row.person is not None})
    actions.set_state(tx, [row.id for row in actions.of_people(tx, run, persons)], "skipped")
    people.mark_due(tx, workspace, persons, started + 1)


def _set_aside(session: Session, stirred: Set[int]) -> None:
    """Records that nobody could tell apart are set aside until somebody does; also those of a plan that broke off or was never applied.

    A question goes with what it was about: when there is none of its records left that it alone asks about. `stirred`: what no plan has looked at since.
    """
    asked: dict[int, list[int]] = {}
    for kind in (AMBIGUOUS, APART):
        after = 0
        while True:
            with session.store.write() as tx:
                rows = actions.holds(tx, session.workspace, kind, after, CHUNK)
                if not rows:
                    break
                after = rows[-1].id
                named = links.by_ids(tx, [link for row in rows for link in row.payload["park"]])
                for row in rows:
                    asked[row.id] = [link for link in row.payload["park"] if link in named and _is_open(kind, named[link])]
                aside = {link for row in rows if row.answer in (None, "skip") for link in asked[row.id] if named[link].state == "new"} - stirred
                links.remember(tx, [Remembered(link, None, "parked", {}, {}, None) for link in sorted(aside)])
    newest = {link: hold for hold, theirs in asked.items() for link in theirs}
    moot = [hold for hold, theirs in asked.items() if all(newest[link] != hold for link in theirs)]
    if moot:
        with session.store.write() as tx:
            actions.set_state(tx, moot, "skipped")


def _is_open(kind: str, row: LinkRow) -> bool:
    """It still has to be said whose this record is."""
    return row.state == "parked" if kind == APART else row.person is None and row.state in ("new", "parked")
