"""The survey: both systems are read, nothing is written, and everything is told that somebody should know before the first record moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...connectors.contract import SystemDescription
from ...lifecycle.decide import spoken
from ...model.stages import StageReading
from ...state import links
from ...sync import engine
from ...sync.deciding.guard import Stop
from ...sync.engine import PlanReport
from ...sync.migrating.census import Census, census, written_for
from ...sync.migrating.fates import Fates, fates
from ...sync.migrating.pair import Pair
from ...sync.migrating.sample import Unmapped, unmapped_fields
from ...sync.people import holds
from ...sync.people.holds import Group
from ...sync.sending.companies import Named, named_companies
from .. import accounts
from ..courses import duplicates
from ..terminal.interrupts import abrupt
from .cost import Cost, costs
from .work import Way, Work, under_way


@dataclass(frozen=True, slots=True)
class Place:
    """Where records of the source stand, and what a new record of the target is given for it.

    `mapped`: somebody said what the value means. `written`: None where the target has no word for it; `exact`: what it is given says the same there.
    """

    kind: str
    said: str
    place: str | None
    written: str | None
    mapped: bool
    exact: bool
    records: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. `records`: system -> how many it has; `writes`: kind of change -> in how many records of the target; `asked`: open questions.

    `alike`: groups of records of the source that may be one human's, and how many records are in them: proposed, and merged by nobody.
    `companies`: to which people would be linked; None where they are not linked to any. `unread`: (system, what it did not tell although it was asked).
    `reading`: (system, how it was read), where somebody may want to know.
    """

    source: str
    target: str
    digest: str
    now: int
    records: dict[str, int]
    fates: Fates
    writes: dict[str, int]
    overruled: int
    census: Census
    places: tuple[Place, ...]
    unmapped: tuple[Unmapped, ...]
    companies: Named | None
    alike: tuple[int, int]
    asked: tuple[Group, ...]
    costs: tuple[Cost, ...]
    notes: tuple[str, ...]
    stops: tuple[Stop, ...]
    unread: tuple[tuple[str, str], ...]
    reading: tuple[tuple[str, str], ...]


def survey(config_file: Path | None, way: Way) -> Survey:
    """Read, count, and keep what was found as the measure for the load. Raises what stops a run."""
    with abrupt(), under_way("survey", config_file, way) as work:
        planned = engine.plan(work.session)
        found = _found(work, planned)
        made = {"run": planned.run, "digest": planned.digest, "mapping": work.session.desk.maps.digest, "ground": work.ground()}
        work.end("survey", {**made, "calls": _read(work), **_numbers(found)})
        work.running.display.hide()
        return found


def _numbers(found: Survey) -> dict[str, object]:
    return {"records": found.records, "writes": found.writes, "fates": [[fate, why, count] for (fate, why), count in sorted(found.fates.told.items())]}


def _found(work: Work, planned: PlanReport) -> Survey:
    session, pair = work.session, work.pair
    counted = census(session, pair)
    companies = named_companies(session, pair.target, planned.run)
    with session.store.read() as tx:
        asked = tuple(holds.groups(tx, session.workspace))
        live = links.counts(tx, session.workspace)
    return Survey(
        source=pair.source.name,
        target=pair.target.name,
        digest=planned.digest,
        now=session.clock.now_ms(),
        records={each.name: live[each.system.account].live if each.system.account in live else 0 for each in pair},
        fates=fates(session, pair, work.passage.first_run, planned.run),
        writes={kind: count for (system, kind), count in sorted(planned.tally.writes.items()) if system == pair.target.name},
        overruled=planned.tally.overruled,
        census=counted,
        places=tuple(_places(pair, counted)),
        unmapped=tuple(unmapped_fields(session, pair, _described(work))),
        companies=companies,
        alike=duplicates.count(work.running.place, work.pair.source),
        asked=asked,
        costs=tuple(costs(session, pair, planned, _read(work), counted.records.total(), companies.calls if companies else 0)),
        notes=tuple(_notes(work)),
        stops=planned.stops,
        unread=tuple((name, finding) for name, each in planned.pulled.items() for finding in each.findings),
        reading=tuple((name, note) for name, each in planned.pulled.items() for note in each.notes),
    )


def _read(work: Work) -> dict[str, int]:
    """What it takes to read each system: a survey that is made again reads only what has changed. An export spared calls, and may not be had the next time."""
    before: dict[str, int] = work.passage.phases.get("survey", {}).get("calls", {})
    usages = {each.name: each.connector.usage() for each in work.pair}
    return {name: max(usage.calls + usage.spared, before.get(name, 0)) for name, usage in usages.items()}


def _notes(work: Work) -> Iterator[str]:
    """What cannot be carried from the one to the other: of systems beside them, and of what the source cannot be told, nothing needs to be known."""
    beside = [name for name in work.running.place.config.systems if name not in (work.pair.source.name, work.pair.target.name)]
    for sentence in work.session.desk.maps.notes:
        name = sentence.partition(" ")[0]
        untold = name == work.pair.source.name and (": written there" in sentence or " writes of " in sentence or sentence.endswith("left as it is there"))
        if name not in beside and not untold:
            yield sentence


def _described(work: Work) -> SystemDescription:
    """The source's account as it was just looked at."""
    place = work.running.place
    known = accounts.recall(place.store, place.id, place.config.systems[work.pair.source.name], None)
    return known.description if known is not None else SystemDescription({})


def _places(pair: Pair, counted: Census) -> Iterator[Place]:
    """Each place of the source beside what the target is given for it: the crosswalk between the two."""
    goal = pair.goal.map.kinds[pair.goal.map.create_kind]
    for standing, records in sorted(counted.standings.items(), key=lambda each: (each[0].kind, -each[1], each[0].said)):
        given = written_for(goal, standing.stage, standing.side)
        written = ", ".join(f"{native}={value}" for native, value in given[0].items()) if given is not None else None
        place = spoken(StageReading(standing.stage, standing.side)) if standing.stage or standing.side else None
        yield Place(standing.kind, standing.said, place, written, standing.mapped, given is not None and given[1], records)
