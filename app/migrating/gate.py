"""Keeps a sync in both directions away from a migration that is not over: it would write to the system that people are leaving."""

from __future__ import annotations

from ...model.errors import SafetyStop
from ...state import actions, passage
from ...state.store import Tx
from ...sync.session import Session


def expect_none_under_way(session: Session, stored: int | None = None) -> None:
    """Raises `SafetyStop` where people were moved, nothing was cut over yet, and this run may write to the source.

    `stored`: the run whose stored plan is carried out, which writes what it says; any other run may write wherever the configuration lets it.
    """
    with session.store.read() as tx:
        known = passage.of_workspace(tx, session.workspace)
        writable = {connected.name for connected in session.systems.values() if connected.system.writes} if stored is None else _written(tx, session, stored)
    for each in known:
        begun = bool(each.phases.get("load") or each.phases.get("rehearse"))
        if begun and not each.ended("cutover") and each.source in writable:
            remedy = f'or write direction = "read" under [systems.{each.source}]' if stored is None else "then make a new plan"
            raise SafetyStop(
                f"a migration from {each.source} to {each.target} is under way, and this run would write to {each.source} too",
                where=f"systems.{each.source}",
                next_step=f"finish it (`stagesync migrate` says how), {remedy}",
            )


def _written(tx: Tx, session: Session, run: int) -> set[str]:
    """The systems to which a stored plan writes."""
    accounts = {account for account, op, state in actions.tally(tx, run) if op in actions.WRITES and state == "planned"}
    return {connected.name for account, connected in session.systems.items() if account in accounts}
