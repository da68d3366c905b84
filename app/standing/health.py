"""How a workspace is: how fresh what is known of each system is, who agrees and who does not, what waits for somebody, and how the last runs went.

All of it is read from the state, by the functions from which the commands `status`, `holds`, `errors`, `sla`, `runs` and `schedule` take their figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...state import accounts, actions, clocks, people, runs
from ...state.clocks import Counts
from ...state.runs import RunRow
from ...state.store import Tx
from ...sync.people import holds
from ...sync.people.holds import Group
from ...sync.sending import failures
from ...sync.sending.failures import Cause
from ..views import schedule
from ..views.schedule import LATE_MS, Standing
from ..wiring import Place
from . import accepting, parked_events
from .queues import Queue, queues
from .remedies import remedy
from .unmapped import unmapped_values

DAY_MS = 24 * 3600 * 1000
RUNS = 30
"""So many of the last runs are looked at."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """One system. `read_at`: when it was last read to its end (ms), None where it never was. `bound_ms`: an age beyond that is too old."""

    system: str
    read_at: int | None
    age_ms: int
    bound_ms: int

    @property
    def stale(self) -> bool:
        """Nobody knows how it looks there now."""
        return self.read_at is None or self.age_ms > self.bound_ms


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everybody, each counted once, in the first of these that fits.

    `held`: a question about them is open. `refused`: a system refused a write for good. `behind`: the next run has something to settle.
    `left`: somebody said to leave a difference as it is. `in_sync`: nothing is to do, as far as the systems were read.
    """

    held: int
    refused: int
    behind: int
    left: int
    in_sync: int

    @property
    def everybody(self) -> int:
        """All people."""
        return self.held + self.refused + self.behind + self.left + self.in_sync

    def share(self, number: int) -> float | None:
        """The part of everybody. The whole is said only of everybody: a few of very many are not rounded away."""
        return min(number / self.everybody, 1.0 if number == self.everybody else 0.999) if self.everybody else None


@dataclass(frozen=True, slots=True)
class Refused:
    """Writes, or events, that have one cause and wait until something changes. `system`: who refuses; `what`: how many of what; `helps`: a sentence."""

    id: str
    system: str
    code: str
    field: str
    count: int
    what: str
    helps: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """People who wait to be accepted. `most`: there may be more of the unanswered. `month`: how the clocks ended that started since its beginning."""

    waiting: int
    first_due_at: int | None
    overdue: int
    unanswered: int
    most: bool
    month: Counts


@dataclass(frozen=True, slots=True)
class Quota:
    """One system's calls of a day: used by anybody, and how many there are, as they were told at the end of a run (`at`, ms)."""

    system: str
    used: int
    limit: int
    at: int

    @property
    def share(self) -> float:
        """The part that was used."""
        return self.used / self.limit


@dataclass(frozen=True, slots=True)
class Health:
    """Everything there is to say at `now` (ms). `runs`: the newest first. `events`: what waits. `unmapped`: stage values; `unknown`: writes, by outcome."""

    workspace: str
    now: int
    synced: bool
    freshness: Sequence[Freshness]
    agreement: Agreement
    holds: Sequence[Group]
    refused: Sequence[Refused]
    acceptance: Acceptance | None
    quota: Sequence[Quota]
    runs: Sequence[RunRow]
    standing: Standing
    events: Sequence[Queue]
    unmapped: int
    unknown: int

    @property
    def cases(self) -> int:
        """Questions, each case of a group for itself."""
        return sum(group.count for group in self.holds)


def look(tx: Tx, place: Place) -> Health:
    """Read it from the state, without asking any system."""
    now = place.clock.now_ms()
    groups, causes = holds.groups(tx, place.id), failures.causes(tx, place.id)
    standing = schedule.look(tx, place.id, place.config, now)
    return Health(
        workspace=place.config.workspace,
        now=now,
        synced=accounts.workspace(tx, place.config.workspace).synced,
        freshness=_freshness(tx, place, standing),
        agreement=_agreement(tx, place.id, groups, causes),
        holds=groups,
        refused=[*_writes(tx, place.id, causes), *_events(place)],
        acceptance=_acceptance(tx, place, now),
        quota=_quota(runs.last_applied(tx, place.id)),
        runs=runs.recent(tx, place.id, RUNS),
        standing=standing,
        events=queues(tx, place),
        unmapped=len(unmapped_values(tx, place.id)),
        unknown=len(actions.open_intents(tx, place.id)),
    )


def _freshness(tx: Tx, place: Place, standing: Standing) -> list[Freshness]:
    """With a service, two moments of the timetable may pass; without one, somebody runs it by hand, once a day or oftener."""
    bound, read = accounts.bound(tx, place.id), accounts.read_at(tx, place.id)
    found: list[Freshness] = []
    for system in place.config.systems:
        at = read.get(bound.get(system, 0))
        found.append(Freshness(system, at, max(standing.now - (at or standing.now), 0), _bound(standing, standing.now if at is None else at)))
    return found


def _bound(standing: Standing, at: int) -> int:
    if standing.row is None:
        return DAY_MS
    table = standing.config.timetable
    second = table.following(slot := table.following(at, at), slot)
    return second + table.jitter_ms + LATE_MS - at


def _agreement(tx: Tx, workspace: int, groups: Sequence[Group], causes: Sequence[Cause]) -> Agreement:
    held = people.known(tx, workspace, {person for group in groups for person in group.people})
    refused = {person for cause in causes for person in cause.people} - held
    behind = people.due_ids(tx, workspace) - held - refused
    left = {hold.person for hold in actions.each_hold(tx, workspace) if hold.answer == "skip" and hold.person is not None} - held - refused - behind
    counts = (len(held), len(refused), len(behind), len(left))
    return Agreement(*counts, max(people.count(tx, workspace) - sum(counts), 0))


def _writes(tx: Tx, workspace: int, causes: Sequence[Cause]) -> list[Refused]:
    names = {account: name for name, account in accounts.bound(tx, workspace).items()}
    found: list[Refused] = []
    for cause in causes:
        system = names.get(cause.account, str(cause.account))
        helps = remedy(accounts.by_id(tx, cause.account).vendor, cause.code, system)
        found.append(Refused(cause.id, system, cause.code, cause.field, cause.count, "write", helps))
    return found


def _events(place: Place) -> list[Refused]:
    return [Refused(group.id, group.system, group.code, "", len(group.events), "event", group.remedy) for group in parked_events.groups(place)]


def _acceptance(tx: Tx, place: Place, now: int) -> Acceptance | None:
    if place.config.sla is None:
        return None
    found = accepting.look(tx, place)
    waiting, first, overdue = clocks.ticking(tx, place.id, now)
    return Acceptance(waiting, first, overdue, len(found.unanswered), len(found.unanswered) == accepting.MOST, found.month)


def _quota(last: RunRow | None) -> list[Quota]:
    told: Mapping[str, Sequence[int]] = last.counts.get("quota", {}) if last else {}
    return [Quota(system, used, limit, (last.finished_at or last.acted_at) if last else 0) for system, (used, limit) in told.items()]
