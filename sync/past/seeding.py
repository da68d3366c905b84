"""Seeds the ledger: after a first sync, the vendors' own histories tell how people came to where they were met.

A pass of its own, since reading histories takes many calls. It goes through the people in the order of their numbers, a chunk at a time, and each chunk is
committed together with how far the pass has come: broken off anywhere and started again, it ends the same. The caller holds the workspace's lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from math import ceil
from typing import Any, NamedTuple

from ...lifecycle.funnel import Funnel
from ...mapping.stages import StageMap
from ...model.records import FieldChange, Present
from ...model.stages import StageReading
from ...state import accounts, entries, links, people, presence
from ...state.entries import BEGUN, FIRST, HISTORY, RUN, EntryRow, NewEntry
from ...state.links import LinkRow
from ...state.people import PersonRow
from ...state.presence import Cause
from ..deciding.decision import Stay
from ..deciding.stamps import from_history
from ..session import Connected, Session
from .timeline import Arrival, Past, natives_of, trace

CHUNK = 500
_DONE = -1


@dataclass(slots=True)
class Told:
    """What one system told. `records`: so many were asked for, `with_history`: of so many it has versions; `fields`: the evidence that was asked for."""

    records: int = 0
    with_history: int = 0
    calls: int = 0
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Seeding:
    """What the pass amounted to. `entries`: rows of the ledger that history told; `unexplained`: people who stand elsewhere than history leads to.

    `left`: people whom the pass has yet to reach.
    """

    people: int = 0
    entries: int = 0
    unexplained: int = 0
    left: int = 0
    systems: dict[str, Told] = field(default_factory=dict[str, Told])


class Estimate(NamedTuple):
    """What lies ahead: so many people, and about so many calls by system."""

    people: int
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Seeds:
    """How one person's ledger shall begin. `passes`: so many more have gone before what is known of them."""

    stays: list[NewEntry]
    passes: int
    unexplained: bool


def estimate(session: Session, limit: int | None = None) -> Estimate:
    """What `seed` would do now: nobody where the pass is done."""
    with session.store.read() as tx:
        seeded, everybody = accounts.seeded(tx, session.workspace) or 0, people.count(tx, session.workspace)
        ahead = 0 if seeded == _DONE else people.count(tx, session.workspace, seeded)
        linked = {account: counts.linked for account, counts in links.counts(tx, session.workspace).items()}
    ahead = ahead if limit is None else min(ahead, limit)
    share = ahead / everybody if everybody else 0
    asked = {account: each for account, each in session.systems.items() if _stage_maps(each)}
    calls = {each.name: ceil(linked.get(account, 0) * share / each.connector.capabilities.history) for account, each in asked.items()}
    return Estimate(ahead, calls)


def seed(session: Session, limit: int | None = None, *, chunk: int = CHUNK) -> Seeding:
    """Take up the pass where it stands, for at most `limit` people, `chunk` at a time. Raises what the connectors raise; what is done by then stays done."""
    done = Seeding(systems={each.name: Told(fields=_evidence(each)) for each in session.systems.values()})
    while limit is None or done.people < limit:
        with session.store.read() as tx:
            after = accounts.seeded(tx, session.workspace) or 0
            size = chunk if limit is None else min(chunk, limit - done.people)
            rows = [] if after == _DONE else people.each(tx, session.workspace, after, size)
        if not rows:
            if after != _DONE:
                with session.store.write() as tx:
                    accounts.set_seeded(tx, session.workspace, _DONE)
            break
        _seed(session, rows, _pasts(session, [row.id for row in rows], done), done)
        done.people += len(rows)
        session.progress("reading histories", done.people)
        if session.stop():
            break
    done.left = estimate(session).people
    return done


def _stage_maps(connected: Connected) -> dict[str, StageMap]:
    """Kind -> how its records express the stage, for a system that is heard and has histories."""
    if not connected.system.reads or not connected.connector.capabilities.history:
        return {}
    return {name: kind.stage for name, kind in connected.system.map.kinds.items() if kind.stage is not None and natives_of(kind.stage)}


def _evidence(connected: Connected) -> tuple[str, ...]:
    return tuple(sorted({native for stage in _stage_maps(connected).values() for native in natives_of(stage)}))


def _pasts(session: Session, numbers: Sequence[int], done: Seeding) -> dict[int, list[Past]]:
    """Person -> what the histories of their records tell. Of a system that has none, the records are not even looked at here."""
    found: dict[int, list[Past]] = {}
    for account, connected in session.systems.items():
        stages, told = _stage_maps(connected), done.systems[connected.name]
        rows = [row for row in _linked(session, account, numbers) if row.kind in stages] if stages else []
        if not rows:
            continue
        before = connected.connector.usage().calls
        answers = connected.connector.fetch([row.address for row in rows], dict.fromkeys(stages, ()), _evidence(connected))
        told.calls += connected.connector.usage().calls - before
        told.records += len(rows)
        for row, answer in zip(rows, answers, strict=True):
            versions: Mapping[str, Sequence[FieldChange]] = answer.history if isinstance(answer, Present) else {}
            if any(versions.values()):
                told.with_history += 1
                found.setdefault(row.person or 0, []).append(Past(connected.name, row.id, stages[row.kind], row.seen, versions))
    return found


def _linked(session: Session, account: int, numbers: Sequence[int]) -> list[LinkRow]:
    with session.store.read() as tx:
        return [row for row in links.in_account(tx, numbers, account) if row.state == "linked"]


def _seed(session: Session, rows: Sequence[PersonRow], pasts: Mapping[int, list[Past]], done: Seeding) -> None:
    """Write one chunk and how far the pass has come, together."""
    with session.store.write() as tx:
        ledgers = entries.of_people(tx, [row.id for row in rows])
        seeds = {row.id: found for row in rows if (found := _seeds(session, row, ledgers.get(row.id, []), pasts.get(row.id, []))) is not None}
        passes = {person: found.passes for person, found in seeds.items() if found.passes}
        entries.replace(tx, session.workspace, {person: found.stays for person, found in seeds.items()}, passes)
        presence.follow(tx, session.workspace, dict.fromkeys(seeds, Cause()), session.clock.now_ms())  # who is known since before there was a ledger
        dates = {row.id: found for row in rows if row.id in seeds and (found := _dates(session, row, seeds[row.id], ledgers.get(row.id, [])))}
        now = [_later(row, passes.get(row.id, 0), dates.get(row.id, {})) for row in people.by_ids(tx, {*passes, *dates}).values()]
        people.update(tx, session.workspace, now)
        people.mark_due(tx, session.workspace, sorted(dates), session.clock.now_ms())
        accounts.set_seeded(tx, session.workspace, rows[-1].id)
    done.entries += sum(stay.origin == HISTORY for found in seeds.values() for stay in found.stays)
    done.unexplained += sum(found.unexplained for found in seeds.values())


def _seeds(session: Session, row: PersonRow, ledger: Sequence[EntryRow], pasts: Sequence[Past]) -> _Seeds | None:
    """How the person's ledger shall begin; None where it may stay as it is."""
    if row.stage_version == 0:
        return None
    begun = list(takewhile(lambda entry: entry.origin in BEGUN, ledger))
    followed = ledger[len(begun) :]
    arrivals = trace(session.desk.funnel, pasts, session.desk.settings.stage_conflict, _end(begun, followed))
    met = begun[-1].new if begun else None if followed else _met(row, session.clock.now_ms())
    if not arrivals and (begun or met is None):
        return None
    seen = begun[0].entered_seen if begun else met.entered_seen if met is not None else followed[0].entered_seen
    source = begun[0].source if begun else _source(row)
    stays = [_stay(row.id, arrival, seen, source) for arrival in arrivals]
    closing = _closing(session.desk.funnel, stays, met)
    if closing is not None:
        stays.append(closing)
    passes = stays[-1].pass_no - (met.pass_no if met is not None else followed[0].pass_no)
    if passes < 0:
        stays = [stay._replace(pass_no=stay.pass_no - passes) for stay in stays]
    return _Seeds(stays, max(passes, 0), unexplained=closing is not None and bool(arrivals))


def _end(begun: Sequence[EntryRow], followed: Sequence[EntryRow]) -> int | None:
    """The last moment that is history's to tell: once the person was met, it is the runs that watch. What they wrote themselves stands in the history too,
    and not every vendor says of it that it was us."""
    met = [row.entered_seen for row in begun[-1:]]
    moved = [row.entered_seen if row.entered_at is None else row.entered_at for row in followed[:1]]
    return min((at - 1 for at in (*met, *moved)), default=None)


def _met(row: PersonRow, now: int) -> NewEntry:
    """The first entry of somebody who is known since before there was a ledger."""
    return NewEntry(
        row.id, row.pass_no, row.stage, row.side, row.reason, None, now, evidence="stood here when the ledger began", source=_source(row), origin=FIRST
    )


def _stay(person: int, arrival: Arrival, seen: int, source: str | None) -> NewEntry:
    state = arrival.state
    return NewEntry(
        person,
        state.pass_no,
        state.stage,
        state.side,
        state.reason,
        arrival.at,
        seen,
        system=arrival.system,
        actor=arrival.actor,
        evidence=arrival.evidence,
        source=source,
        origin=HISTORY,
    )


def _closing(funnel: Funnel, stays: Sequence[NewEntry], met: NewEntry | None) -> NewEntry | None:
    """The entry by which the person got where they were met, where history does not lead there; hardly ever does anybody know when."""
    if met is None or (stays and (stays[-1].stage, stays[-1].side) == (met.stage, met.side)):
        return None
    if not stays:
        return met
    again = funnel.begins_again(StageReading(stays[-1].stage, stays[-1].side), StageReading(met.stage, met.side))
    at = met.entered_at if (met.entered_at or 0) > (stays[-1].entered_at or 0) else None
    return met._replace(pass_no=stays[-1].pass_no + again, entered_at=at, left_at=None, left_seen=None, origin=FIRST)


def _dates(session: Session, row: PersonRow, found: _Seeds, ledger: Sequence[EntryRow]) -> dict[str, list[Any]]:
    """What history tells for the fields that the lifecycle fills, as far as nothing was known of them."""
    if not session.desk.maps.filled:
        return {}
    followed = [(entry.new._replace(pass_no=entry.pass_no + found.passes), entry.entered_seen) for entry in ledger if entry.origin == RUN]
    stays: list[Stay] = []
    for number, (new, seen) in enumerate([*((stay, None) for stay in found.stays), *followed], 1):
        at = new.entered_at if new.entered_at is not None else seen
        stays.append(Stay(new.stage, new.side, new.reason, new.pass_no, number, at, new.system or "", None, "", None, None))
    return from_history(session.desk, row.canonical, stays)


def _later(row: PersonRow, passes: int, dates: Mapping[str, list[Any]]) -> PersonRow:
    """The person, with what is noted of them, in the pass that history counts, and with the dates that it tells."""
    notes = dict(row.notes or {})
    if "rules" in notes:
        notes["rules"] = {rule: [outcome, mode, pass_no + passes, *rest] for rule, (outcome, mode, pass_no, *rest) in notes["rules"].items()}
    return row._replace(pass_no=row.pass_no + passes, notes=notes or None, canonical={**row.canonical, **dates})


def _source(row: PersonRow) -> str | None:
    value = (row.canonical.get("lead_source") or (None,))[0]
    return None if value is None else str(value)
