"""Between which two systems a migration moves everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from ...state import links
from ...state.links import LinkRow
from ..deciding.desk import Direction, System
from ..session import Connected, Session

CHUNK = 2_000


class Pair(NamedTuple):
    """The system that everybody comes from, and the one that they go to."""

    source: Connected
    target: Connected

    @property
    def goal(self) -> System:
        """The target as the pure core sees it."""
        return self.target.system


def one_way(session: Session, source: str, target: str) -> Session:
    """The session of a migration: of the source nothing is written, of the target nothing is taken over, and no other system has a say.

    Deletions of which no feed tells are looked for in each of its runs: a proof that misses somebody cannot wait for tomorrow's sweep.
    """
    directions: Mapping[str, Direction] = {source: "read", target: "write"}
    systems = {
        account: replace(connected, system=replace(connected.system, direction=directions[connected.name], creates=True))
        for account, connected in session.systems.items()
        if connected.name in directions
    }
    desk = replace(session.desk, systems={account: each.system for account, each in systems.items()}, agendas={})
    return replace(session, systems=systems, desk=desk, sweep_every_ms=0)


def pair_of(session: Session, source: str, target: str) -> Pair:
    """The two systems of these names."""
    named = {connected.name: connected for connected in session.systems.values()}
    return Pair(named[source], named[target])


def each_live(session: Session, connected: Connected) -> Iterator[list[LinkRow]]:
    """The records that a system has, as they were last read, a chunk at a time."""
    for rows in links.pages(session.store, session.workspace, connected.system.account, CHUNK):
        yield [row for row in rows if row.state in links.LIVE]
