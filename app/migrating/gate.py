"""Keeps a sync in both directions away from a migration that is not over: it would write to the system that people are leaving."""

from __future__ import annotations

from ...model.errors import SafetyStop
from ...state import passage
from ...sync.session import Session


def expect_none_under_way(session: Session) -> None:
    """Raises `SafetyStop` where people were moved, nothing was cut over yet, and the configuration lets a run write to the source."""
    with session.store.read() as tx:
        known = passage.of_workspace(tx, session.workspace)
    writable = {connected.name for connected in session.systems.values() if connected.system.writes}
    for each in known:
        begun = bool(each.phases.get("load") or each.phases.get("rehearse"))
        if begun and not each.ended("cutover") and each.source in writable:
            raise SafetyStop(
                f"a migration from {each.source} to {each.target} is under way, and this run would write to {each.source} too",
                where=f"systems.{each.source}",
                next_step=f'finish it (`stagesync migrate` says how), or write direction = "read" under [systems.{each.source}]',
            )
