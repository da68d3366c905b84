"""What waits between the systems and the state: events that no run has taken in yet, events of ours that no endpoint has taken, and what was set aside."""

from __future__ import annotations

from dataclasses import dataclass

from ...connectors.contract import Telling
from ...state import accounts, inbox, outbox
from ...state.store import Tx
from ...sync.looking.pulling import cursor_of
from ..wiring import Place


@dataclass(frozen=True, slots=True)
class Queue:
    """One system's. `told`: its events that wait for a run, `parked`: that could not be understood; `ours`: our events that wait for it, `dead`: given up.

    `told_since`, `ours_since`: when the first of those that wait came or was made (ms); None where none does.
    """

    system: str
    told: int
    told_since: int | None
    parked: int
    ours: int
    ours_since: int | None
    dead: int


def queues(tx: Tx, place: Place) -> list[Queue]:
    """Those of all systems that can tell or be told, in the order of the configuration; none where nothing was ever kept. Raises `StateError`."""
    names = [name for name, system in place.config.systems.items() if isinstance(system.plugin, Telling)]
    with inbox.inbox_of(place.config.state_url) as store:
        if store is None or not names:
            return []
        with store.read() as beside:
            mark, workspace = inbox.mark(beside) or "", place.config.workspace
            parked, letters = inbox.count_parked(beside, workspace), outbox.counts(beside, workspace)
            return [
                Queue(name, *inbox.count_new(beside, workspace, name, _heard(tx, place, name, mark)), parked.get(name, 0), *letters.get(name, (0, None, 0)))
                for name in names
            ]


def _heard(tx: Tx, place: Place, name: str, mark: str) -> int:
    """The last event of a system that was taken into the state: its cursor is committed with what it covers, and the inbox learns of it with the next run."""
    plugin, account = place.config.systems[name].plugin, accounts.bound(tx, place.id).get(name)
    cursor = cursor_of(tx, place.id, account) if account is not None else None
    return plugin.heard(cursor, mark) if cursor is not None and isinstance(plugin, Telling) else 0
