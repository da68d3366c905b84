"""Takes a plan's decisions as if they had been carried out, sends nothing, and keeps what would have been written and what others wrote.

A shadow's memory goes on like that of any other run: its decisions are committed, and what is owed stays owed. Where others bring a record to the same value,
the merge sees that the record agrees; where nobody does, it waits. Nobody stays due for that: whatever could change it is an edit, which makes its person due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...model.records import FieldChange, Native
from ...model.shadow import OPEN, ShadowRow
from ...state import accounts, actions, changes, links, people, runs, shadow
from ...state.actions import ActionRow
from ...state.changes import ChangeRow
from ...state.links import LinkRow
from ...state.people import PersonRow
from ...state.store import Tx
from ..deciding.claims import STAGE
from ..deciding.creation import why_not
from ..deciding.staging import lowers
from ..engine import PlanReport, RunReport, quota
from ..looking.history import newest_changes
from ..people.holds import because
from ..sending.commit import commit_decisions, commit_these
from ..session import Session
from .edits import Moved, edits_of, mapped
from .shadowing import Look, Place, Want, judge

CHUNK = 500


@dataclass(frozen=True, slots=True)
class _Part:
    """Some people: all the plan's rows about them, those of their records that are new to them, what differs in their records, and who did that."""

    persons: Sequence[int]
    rows: Sequence[ActionRow]
    new: frozenset[int]
    moved: Mapping[int, Moved]
    links: Mapping[int, LinkRow]
    history: Mapping[int, Mapping[str, FieldChange]] = field(default_factory=dict[int, Mapping[str, FieldChange]])


def follow(session: Session, planned: PlanReport) -> RunReport:
    """Take the plan's decisions and keep what it would have written. Nothing is sent to any system."""
    started, run = session.clock.now_ms(), planned.run
    with session.store.write() as tx:
        row, last = runs.by_id(tx, run), runs.last_applied(tx, session.workspace)
        backlog = last is None or session.desk.remapped
        counts = {**(row.counts if row else {}), runs.APPLIED_AT: started}
        runs.finish(tx, run, started, "applying", counts)
    new = 0
    for part in _parts(session, run, 0 if last is None else last.id, planned.tally.quiet):
        with session.store.write() as tx:
            new += _take(tx, session, part, started, backlog=backlog)
        session.progress("looking after others", new)
    commit_decisions(session, run, started)
    if new:
        session.tell(f"{new:,} {'value' if new == 1 else 'values'} would have been written now")
    return _finish(session, planned, counts)


def _finish(session: Session, planned: PlanReport, counts: Mapping[str, Any]) -> RunReport:
    with session.store.write() as tx:
        actions.discard(tx, planned.run)
        accounts.set_workspace(tx, session.workspace, mapping=session.desk.maps.digest, synced=True)
        held = actions.held(tx, session.workspace)
        usage = {connected.name: connected.connector.usage() for connected in session.systems.values()}
        calls = {name: each.calls for name, each in usage.items()}
        report = RunReport(
            run=planned.run,
            systems={},
            calls=calls,
            vendor_s=sum(each.vendor_s for each in usage.values()),
            own_s=planned.own_s,
            people=planned.tally.people,
            held=held,
            new_holds=planned.tally.new_holds,
            overruled=planned.tally.overruled,
            breached=planned.breached,
            quota=quota(session),
        )
        told = {**counts, "calls": calls, "quota": report.quota, "open_holds": held}
        runs.finish(tx, planned.run, session.clock.now_ms(), "applied", told)
    return report


def _parts(session: Session, run: int, since: int, quiet: Sequence[int]) -> Iterator[_Part]:
    """Whoever of the `quiet` has something waiting, then everybody of the plan, a chunk of people at a time. `since`: the run of the last look, 0 for none.

    The quiet are due no more, so they come first, before a system is asked for anything and may not answer.
    """
    for first in range(0, len(quiet), CHUNK):
        with session.store.read() as tx:
            waiting = shadow.open_of(tx, session.workspace, quiet[first : first + CHUNK])
            part = _part(tx, run, since, list(waiting)) if waiting else None
        if part is not None:
            yield part
    while True:  # whoever takes a part applies its decisions, so that the next one is the first that is left
        with session.store.read() as tx:
            decided = actions.of_run(tx, run, ("planned",), 0, CHUNK, op="decide")
            if not decided:
                return
            part = _part(tx, run, since, [row.person for row in decided if row.person is not None])
        asked = [(link, natives) for id_, each in part.moved.items() if (natives := _mapped(session, link := part.links[id_], each))]
        yield replace(part, history=newest_changes(session, asked))


def _part(tx: Tx, run: int, since: int, persons: Sequence[int]) -> _Part:
    rows = actions.of_people(tx, run, persons)
    named = links.by_ids(tx, [link for row in rows if row.op == "decide" for link, *_ in row.payload["links"]])
    theirs = {**named, **{link.id: link for found in links.of_people(tx, persons).values() for link in found}}
    moved = _moved(changes.of_links(tx, theirs), since) if since else {}
    return _Part(persons, rows, frozenset(link.id for link in named.values() if link.person is None), moved, theirs)


def _moved(found: Mapping[int, Sequence[ChangeRow]], since: int) -> dict[int, Moved]:
    return {link: moved for link, rows in found.items() if (moved := _moved_of(rows, since)) is not None}


def _moved_of(rows: Sequence[ChangeRow], since: int) -> Moved | None:
    """What the changes of a record come to; None where there are none. One that came back from the bin, or went there, is no edit of its fields."""
    before: dict[str, Native] = {}
    author, at = None, None
    for row in rows:
        if row.run is not None and row.run > since and changes.RECORD not in row.values:
            author, at = row.author, row.at
            for native, (was, _) in row.values.items():
                before.setdefault(native, was)
    return Moved(before, author, at) if before else None


def _mapped(session: Session, link: LinkRow, moved: Moved) -> set[str]:
    connected = session.systems.get(link.account)
    kind = connected.system.map.kinds.get(link.kind) if connected is not None else None
    return mapped(kind, moved) if kind is not None and link.state in ("new", "linked") else set()


def _take(tx: Tx, session: Session, part: _Part, started: int, *, backlog: bool) -> int:
    """Commit what was decided about some people and what is to be remembered of it; how many writes were not wanted before."""
    commit_these(tx, session, part.rows, started)
    decided = {row.person or 0: row for row in part.rows if row.op == "decide"}
    people.clear_due(tx, session.workspace, [number for number, row in decided.items() if not row.payload["again"]])
    rows, known = people.by_ids(tx, part.persons), links.of_people(tx, part.persons)
    waiting = shadow.open_of(tx, session.workspace, part.persons)
    held = actions.holds_of_people(tx, session.workspace, part.persons)
    of_person: dict[int, list[ActionRow]] = {}
    for row in part.rows:
        of_person.setdefault(row.person or 0, []).append(row)
    closed, new = list[ShadowRow](), list[ShadowRow]()
    for number, person in rows.items():
        decision, theirs = decided.get(number), known.get(number, [])
        live = [link for link in theirs if link.state == "linked" and _mapped_kind(session, link)]
        fresh = sorted((link for link in theirs if link.id in part.new and link.state == "linked"), key=lambda link: (link.stamp, link.id))
        look = Look(
            person=number,
            now=started,
            wants=dict(_wants(session, decision, of_person[number])) if decision is not None else {},
            waiting=waiting.get(number, ()),
            edits=edits_of(session.desk, live, part.moved, part.history),
            links=theirs,
            fresh=fresh,
            known=decision is None or not decision.payload["new"],
            versions={**{name: entry[1] for name, entry in person.canonical.items()}, STAGE: person.stage_version},
            held={hold.field: because(hold) for hold in held.get(number, ()) if hold.field is not None},
            barred=dict(_barred(session, person, fresh)),
            backlog=backlog,
        )
        judged = judge(look)
        closed += judged.closed
        new += judged.new
    shadow.close(tx, closed)
    shadow.insert(tx, session.workspace, new)
    return sum(row.verdict == OPEN for row in new)


def _mapped_kind(session: Session, link: LinkRow) -> bool:
    connected = session.systems.get(link.account)
    return connected is not None and link.kind in connected.system.map.kinds


def _wants(session: Session, decided: ActionRow, rows: Sequence[ActionRow]) -> Iterator[tuple[Place, Want]]:
    """What the plan would write for one person, field by field; a new or an archived record as a whole."""
    canonical, stays = decided.payload["canonical"], decided.payload["stays"]
    for row in rows:
        if row.op not in actions.WRITES or row.account is None:
            continue
        if row.op != "update":
            yield (row.account, row.link, ""), Want(row.op, None, None, 0, row.reason)
        for name, (before, after, version, reason) in row.fields.items():
            at = (stays[-1][5] if stays else None) if name == STAGE else canonical[name][3] if name in canonical else None
            back = name == STAGE and lowers(session.desk.funnel, before, after)
            yield (row.account, row.link, name), Want(row.op, before, after, version, str(reason), back, at)


def _barred(session: Session, person: PersonRow, fresh: Sequence[LinkRow]) -> Iterator[tuple[int, str]]:
    """Where others made a record that would not have been made, and why not."""
    for link in fresh:
        connected = session.systems.get(link.account)
        if connected is None:
            continue
        system = connected.system
        why = why_not(system, person.values, person.stage) if system.creates and system.writes else "stagesync makes no records there"
        if why is not None:
            yield link.account, why
