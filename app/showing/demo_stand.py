"""Where the demo plays: both worlds on loopback, a configuration and a state in a folder of its own, and clocks that it moves together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ...lifecycle.report import Report
from ...sandbox.worlds import Worlds
from ...state import actions, links
from ...sync import engine
from ...sync.engine import PlanReport, RunReport
from ...sync.session import Session
from .. import wiring
from ..clock import SystemClock
from ..configuration.config import Config
from ..configuration.loading import load
from ..courses.reporting import Asked, read
from ..terminal.progress import shown
from .sandboxes import configuration, serving

STEP_S = 3600
"""Time between two steps: long enough for every window in which a change may still appear to close."""


class MovingClock(SystemClock):
    """Our clock, which the demo moves along with those of the worlds, so that their times can be told in one story."""

    def __init__(self) -> None:
        self._moved_ms = 0

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._moved_ms += int(seconds * 1000)

    def now_ms(self) -> int:
        """The present moment in milliseconds since 1970, as the worlds have it."""
        return super().now_ms() + self._moved_ms


@dataclass(frozen=True, slots=True)
class Stand:
    """Both worlds with their addresses, and the configuration that points at them."""

    worlds: Worlds
    hubspot: str
    salesforce: str
    config: Config
    clock: MovingClock

    def later(self) -> None:
        """An hour passes everywhere."""
        for world in self.worlds:
            with world.lock:
                world.clock.advance(STEP_S)
        self.clock.advance(STEP_S)

    @contextmanager
    def session(self, command: str) -> Iterator[Session]:
        """What `stagesync COMMAND` works with: the same wiring, lease and progress display."""
        with wiring.opened(self.config, self.clock) as place, wiring.held(place, command), shown() as progress, wiring.connected(place, progress) as session:
            yield session

    def sync(self) -> RunReport:
        """One whole run, an hour later. Raises what stopped it."""
        self.later()
        with self.session("sync") as session:
            planned = engine.plan(session)
            return carried_out(session, planned.run, planned)

    def counted(self) -> Report:
        """The ledger, from its beginning to now."""
        with wiring.opened(self.config, self.clock) as place, place.store.read() as tx:
            return read(tx, place, Asked())


@contextmanager
def standing(worlds: Worlds, *, winners: bool) -> Iterator[Stand]:
    """Serve both worlds for the length of the block. `winners`: the first meeting is decided by the newest record; else it is asked about."""
    with TemporaryDirectory(prefix="stagesync-demo-") as folder, serving(worlds) as (hubspot, salesforce):
        path = Path(folder) / "stagesync.toml"
        path.write_text(configuration(hubspot, salesforce, winner="newest" if winners else None), encoding="utf-8")
        yield Stand(worlds, hubspot, salesforce, load(path), MovingClock())


def carried_out(session: Session, run: int, planned: PlanReport | None) -> RunReport:
    """Apply a plan that was just made, or (None) the stored one. Raises what stopped it."""
    report = engine.apply(session, run, stored=planned is None, planned=planned)
    if report.error is not None:
        raise report.error
    return report


def held_addresses(session: Session) -> frozenset[tuple[str, str]]:
    """(address, field) of everything that waits for an answer, as far as its records show an address."""
    found: set[tuple[str, str]] = set()
    with session.store.read() as tx:
        for hold in actions.each_hold(tx, session.workspace):
            rows = list(links.by_ids(tx, [link for link in (hold.link, *hold.payload.get("park", ())) if link is not None]).values())
            if hold.person is not None:
                rows += links.of_people(tx, [hold.person]).get(hold.person, [])
            for row in rows:
                kind = session.desk.systems[row.account].map.kinds.get(row.kind) if row.account in session.desk.systems else None
                address = kind.primary(row.seen) if kind else None
                if address is not None:
                    found.add((address, hold.field or "record"))
    return frozenset(found)
