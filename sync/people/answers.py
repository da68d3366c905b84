"""What somebody answers to a group of questions, or to some of them; the next run acts on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Any

from ...model.errors import ConfigurationError
from ...state import actions, links, people, sameness
from ...state.actions import ActionRow
from ...state.sameness import SameRow
from ...state.store import Store, Tx
from ..deciding.match import APART
from ..deciding.second import DIFFERENT, SAME, SECOND
from .holds import Group, open_group
from .who import Scope


def resolve(store: Store, workspace: int, group: str, use: str, only: Scope | None, now: int) -> int:
    """Answer a group, or only what it asks about these people and records; returns how many holds.

    Raises `ConfigurationError` where there is no such group, the answer makes no sense for it, or it asks nothing about any of these.
    """
    with store.read() as tx:
        chosen = _chosen(tx, workspace, group, use)
        asked = [hold for hold in actions.each_hold(tx, workspace) if hold.question == chosen.question and hold.answer is None]
    meant = [(hold, records) for hold in asked if (records := _meant(hold, only)) is not None]
    if only is not None and not meant:
        raise ConfigurationError("it asks nothing about any of these", where=f"resolve {group}", next_step=f"`stagesync holds {group}` names whom it is about")
    rows = [hold for hold, _ in meant]
    with store.write() as tx:
        if chosen.kind == SECOND and use in (SAME, DIFFERENT):
            _tell_of_records(tx, workspace, meant, use, now)
        else:
            actions.answer(tx, [row.id for row in rows], use, now)
        if use != "skip":
            people.mark_due(tx, workspace, sorted({row.person for row in rows if row.person is not None}), now)
            match_again(tx, rows)
    return len(rows)


def _chosen(tx: Tx, workspace: int, group: str, use: str) -> Group:
    chosen = open_group(tx, workspace, group, where="resolve")
    if use not in chosen.uses:
        allowed = f"use one of: {', '.join(chosen.uses)}; `stagesync holds {group}` says more"
        raise ConfigurationError(f"--use {use} is no answer to: {chosen.title}", where=f"resolve {group}", next_step=allowed)
    return chosen


def _meant(hold: ActionRow, only: Scope | None) -> list[int] | None:
    """Of the records that the question is about, those that somebody means; None: nothing of it is meant."""
    about: list[int] = hold.payload.get("park", [])
    if only is None or hold.person in only.people:
        return about
    named = only.links.intersection(about)
    if named and hold.kind == SECOND:
        return sorted(named)
    return about if named or not only.links.isdisjoint({hold.link, hold.payload.get("best")} - set(about)) else None


def _tell_of_records(tx: Tx, workspace: int, meant: Sequence[tuple[ActionRow, list[int]]], use: str, now: int) -> None:
    """Keep what was said of each record beside one that is written. A question of which a record is left stays open for that."""
    sameness.decide(tx, workspace, list({row[:2]: row for hold, records in meant for row in _said(hold, records, use, now)}.values()))
    if use == DIFFERENT:
        loose = links.by_ids(tx, [record for _, records in meant for record in records]).values()
        links.rewrite(tx, [row.unmatched for row in loose if row.state == "parked"])
    actions.answer(tx, [hold.id for hold, records in meant if len(records) == len(hold.payload["park"])], use, now)
    actions.set_payloads(tx, [_without(hold, records) for hold, records in meant if len(records) < len(hold.payload["park"])])


def _said(hold: ActionRow, records: Sequence[int], use: str, now: int) -> Iterator[SameRow]:
    """One human's are with the one that is written; another human's is so beside every record of the question."""
    best: int = hold.payload["best"]
    if use == SAME:
        yield from (SameRow(min(best, record), max(best, record), best, now) for record in records)
    else:
        pairs = ((record, other) for record, other in product(records, [best, *hold.payload["park"]]) if record != other)
        yield from (SameRow(min(pair), max(pair), None, now) for pair in pairs)


def _without(hold: ActionRow, records: Collection[int]) -> ActionRow:
    """The question about the other records. What each of them says is found out by the next run."""
    left: list[Any] = [record for record in hold.payload["park"] if record not in records]
    return hold._replace(payload={**hold.payload, "park": left})


def match_again(tx: Tx, rows: Collection[ActionRow]) -> None:
    """Records that were set aside by these questions about who they are, and are nobody's, are matched again."""
    parked: list[int] = [link for row in rows for link in row.payload.get("park", ())]
    if parked:
        apart = {link for row in rows if row.kind == APART for link in row.payload["park"]}
        found = [row for row in links.by_ids(tx, parked).values() if row.state == "parked" and (row.person is None or row.id in apart)]
        links.rewrite(tx, [row.unmatched for row in found])
