"""Undoes a run: makes the inverse plan from what the run recorded, and stores it as a plan like any other. `engine.apply` carries it out."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model.companies import FIELD
from ...model.errors import ConfigurationError
from ...state import actions, changes, closing, keys, links, people, runs
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.runs import RunRow
from ...state.store import Tx
from ..deciding.creation import KEY
from ..deciding.desk import View
from ..deciding.guard import Situation, Stop, weigh
from ..deciding.match import APART
from ..deciding.removal import RECORD
from ..engine import PlanReport
from ..looking.pulling import pull_all
from ..people.who import find_scope
from ..planning.cases import Case
from ..planning.knowing import knowledge
from ..planning.plan import Draft, Tally, rows_of
from ..sending.settle import settle
from ..session import Connected, Session
from .inverse import File, Inverse, Refusal, invert

KIND = "undo"
"""The kind of a run that undoes another."""
CHUNK = 500
_ENDED = ("applied", "stopped")
_BECAUSE: Mapping[str, str] = {
    "running": "it is under way, or broke off before it wrote anything",
    "applying": "it is under way, or broke off",
    "broken": "it broke off, and what it left is finished by the next sync",
    "planned": "it was never applied: there is nothing to undo",
    "superseded": "it was never applied: there is nothing to undo",
}


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """The stored inverse of a run. `kept`: (system, field) -> records that say something else than the hub from then on, as before the run.

    `apart` and `rejoined`: records that are taken from their person, and given back. `people`: whom the run had anything to do with.
    `companies`: systems in which the run linked people to companies, and may have made some, which stay.
    """

    target: RunRow
    plan: PlanReport
    refusals: tuple[Refusal, ...]
    kept: Mapping[tuple[str, str], int]
    apart: int = 0
    rejoined: int = 0
    companies: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Nothing is left to undo."""
        return self.plan.tally.people == 0


def plan_undo(session: Session, run: int, only: Sequence[str] = ()) -> UndoPlan:
    """Read what is new, and store the inverse of that run. Writes nothing anywhere but in the state.

    `only`: the people to whom it is limited. Raises `ConfigurationError` for a run that cannot be undone, or a name that nobody has.
    """
    clock = time.process_time()
    target = undoable(session, run)
    now = session.clock.now_ms()
    with session.store.write() as tx:
        closing.recover(tx, session.workspace, now)
        closing.supersede(tx, session.workspace)
        mine, before = runs.start(tx, session.workspace, KIND, now, session.desk.maps.digest), links.counts(tx, session.workspace)
    session.begun(mine)
    settled = settle(session, mine)
    pulled = pull_all(session, mine)
    work = _Work(session, target, mine, _scope(session, only))
    work.make()
    situation = _situation(session, work.tally, before)
    stops = weigh(situation, session.limits)
    if work.tally.records == 0:
        stops = [stop for stop in stops if not stop.by_yes]
    digest = work.digest.hexdigest()
    with session.store.write() as tx:
        state = "planned" if work.tally.people else "applied"
        runs.finish(tx, mine, session.clock.now_ms(), state, {**_counts(work, stops), "live": situation.live}, digest)
    plan = PlanReport(mine, digest, work.tally, tuple(stops), pulled, settled, (), time.process_time() - clock)
    return UndoPlan(target, plan, tuple(work.refusals), dict(work.kept), work.apart, work.rejoined, frozenset(work.companies))


def undoable(session: Session, run: int) -> RunRow:
    """That run, if it can be undone. Raises `ConfigurationError` where there is none, or it did not come to its end."""
    with session.store.read() as tx:
        found = runs.of_workspace(tx, session.workspace, run)
    if found is None:
        raise ConfigurationError(f"there is no run {run}", where="undo", next_step="run `stagesync runs` to see them")
    if found.state not in _ENDED:
        step = "run `stagesync sync` first" if found.state in ("running", "applying", "broken") else "run `stagesync runs` to see what was applied"
        raise ConfigurationError(f"run {run} cannot be undone: {_BECAUSE.get(found.state, found.state)}", where="undo", next_step=step)
    return found


def _scope(session: Session, only: Sequence[str]) -> frozenset[int] | None:
    if not only:
        return None
    with session.store.read() as tx:
        return find_scope(tx, session.workspace, {connected.name: account for account, connected in session.systems.items()}, only).people


def _situation(session: Session, tally: Tally, before: Mapping[int, links.Counts]) -> Situation:
    with session.store.read() as tx:
        now = links.counts(tx, session.workspace)
    names = {account: connected.name for account, connected in session.systems.items()}
    return Situation(
        writes=dict(tally.writes),
        linked={name: now[account].linked if account in now else 0 for account, name in names.items()},
        live={name: now[account].live if account in now else 0 for account, name in names.items()},
        before={name: before[account].live for account, name in names.items() if account in before and before[account].linked},
        first_run=False,
        mapping_changed=False,
    )


def _counts(work: _Work, stops: Sequence[Stop]) -> dict[str, Any]:
    """`limited`: the rest of the world was not looked at, so that this counts neither as a first sync nor as one under a new mapping."""
    refused = Counter((refusal.field, refusal.why) for refusal in work.refusals)
    return {
        "undoes": work.target.id,
        "people": work.tally.people,
        "writes": [[system, kind, count] for (system, kind), count in sorted(work.tally.writes.items())],
        "refused": [[name, why, count] for (name, why), count in sorted(refused.items())],
        "stops": [[stop.kind, stop.sentence] for stop in stops],
        "limited": True,
        **({} if work.tally.people else {"created": 0, "updated": 0, "archived": 0, "rejected": 0}),
    }


@dataclass(slots=True)
class _Work:
    """One inverse plan in the making. `scope`: the people to whom it is limited (None: all)."""

    session: Session
    target: RunRow
    run: int
    scope: frozenset[int] | None
    tally: Tally = field(default_factory=Tally)
    digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=8))
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    kept: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    apart: int = 0
    rejoined: int = 0
    companies: set[str] = field(default_factory=set[str])

    def make(self) -> None:
        """Turn round everything that the run did, a chunk of people at a time."""
        self.digest.update(f"{KIND} {self.target.id}\n".encode())
        for persons in self._chunks():
            files = self._files(persons)
            self.companies.update(connected.name for file in files for act in file.acts if act.run == self.target.id and (connected := self._linked(act)))
            self._store(self._without_taken_addresses(files))
            self.session.progress("planning", self.tally.people)
        self._refuse_open()

    def _chunks(self) -> Iterator[list[int]]:
        for rows in actions.pages(self.session.store, self.target.id, ("applied",), CHUNK, "decide"):
            yield [row.person for row in rows if row.person is not None and (self.scope is None or row.person in self.scope)]

    def _linked(self, act: ActionRow) -> Connected | None:
        """The system in which this write linked somebody to a company's record that may have been made for that."""
        connected = self.session.systems.get(act.account or 0)
        rules = connected.system.map.companies if connected is not None else None
        linked = FIELD in act.fields or act.payload.get("carried", {}).get(FIELD)
        return connected if rules is not None and rules.make and linked and act.op in ("create", "update") else None

    def _files(self, persons: Sequence[int]) -> list[File]:
        authors = {account: connected.own_actor for account, connected in self.session.systems.items()}
        with self.session.store.read() as tx:
            rows, theirs, acts = people.by_ids(tx, persons), links.of_people(tx, persons), actions.journal(tx, persons)
            numbers = [link.id for found in theirs.values() for link in found]
            seen = changes.of_links(tx, numbers)
            asked = actions.holds_of_links(tx, self.session.workspace, numbers)
            for person in persons:
                if person not in rows:
                    self._refuse_joined(tx, person, [act for act in acts.get(person, []) if act.run == self.target.id])
        known = knowledge(self.session, [Case(row, theirs.get(person, [])) for person, row in rows.items()])
        told = zip(rows.items(), known, strict=True)
        return [File(row, theirs.get(person, []), acts.get(person, []), seen, asked, authors, each) for (person, row), each in told]

    def _refuse_joined(self, tx: Tx, person: int, acts: Sequence[ActionRow]) -> None:
        """Somebody has said since that this person is another one: their records are that one's, who was not theirs when the run wrote."""
        if all(act.op not in actions.WRITES for act in acts):
            return
        theirs = [link for act in acts if act.op == "decide" for link, *_ in act.payload["links"]]
        now = sorted({row.person for row in links.by_ids(tx, theirs).values() if row.person is not None})
        whose = f"p{now[0]}" if now else "another person"
        why = f"somebody said since that they are one human with {whose}: what the run wrote into their records stays"
        self.refusals.append(Refusal(person, "", RECORD, why))

    def _invert(self, file: File, blocked: Mapping[str, str]) -> Inverse:
        return invert(self.session.desk, file, self.target.id, self.session.clock.now_ms(), blocked)

    def _without_taken_addresses(self, files: Sequence[File]) -> list[tuple[int, Inverse]]:
        """An address goes back only where nobody else has it by now, or whoever has it gives it up in this plan, as when a swap is undone."""
        found = [self._invert(file, {}) for file in files]
        wanted = {index: _addresses(inverse) for index, inverse in enumerate(found) if _addresses(inverse)}
        holders = self._holders({address for each in wanted.values() for address in each})
        while wanted:
            leaving = {files[index].row.id for index in wanted}
            others = {index: {row.person for address in each for row in holders.get(address, ())} - {files[index].row.id} for index, each in wanted.items()}
            taken = [index for index, persons in others.items() if persons - leaving]
            if not taken:
                for index, persons in others.items():
                    found[index].decision.frees = bool(persons)
                break
            for index in taken:
                del wanted[index]
                found[index] = self._invert(files[index], {KEY: "another person has that address now"})
        return [(file.row.id, inverse) for file, inverse in zip(files, found, strict=True)]

    def _holders(self, addresses: set[str]) -> dict[str, list[LinkRow]]:
        holders: dict[str, list[LinkRow]] = {}
        if addresses:
            with self.session.store.read() as tx:
                found = keys.find(tx, self.session.workspace, KEY, sorted(addresses))
                rows = links.by_ids(tx, [link for _, link in found])
            for address, link in found:
                if rows[link].state in links.MATCHED:
                    holders.setdefault(address, []).append(rows[link])
        return holders

    def _store(self, found: Sequence[tuple[int, Inverse]]) -> None:
        rows: list[Draft] = []
        for person, inverse in found:
            self.refusals += inverse.refusals
            if not inverse.empty:
                self.kept.update(inverse.kept)
                self.apart += len(inverse.apart)
                self.rejoined += len(inverse.rejoined)
                rows += self._rows(person, inverse)
        if rows:
            rows.sort(key=lambda row: (row.op != "decide", row.account or 0, row.op))
            with self.session.store.write() as tx:
                first = actions.reserve(tx, len(rows))
                made = [ActionRow._make((first + offset, self.run, *row)) for offset, row in enumerate(rows)]
                actions.insert(tx, self.session.workspace, made, self.digest)

    def _rows(self, person: int, inverse: Inverse) -> Iterator[Draft]:
        expand = self.session.expand_freeing if inverse.decision.frees else self.session.expand
        cause = f"undo of run {self.target.id}"
        decided, *rest = rows_of(self.session.desk, person, False, inverse.decision, expand, self.tally)
        by_link = {view.row.id: view for view in inverse.decision.views}
        memory = {
            **decided.payload,
            "lifted": inverse.questions,
            "writes": any(row.op in actions.WRITES for row in rest),
            "duplicates": [link for link, _, _ in inverse.apart],
            "asks": [self._ask(person, by_link[link], cause) for link, _, _ in inverse.apart],
            "undo": {"run": self.target.id, "fields": inverse.fields, "apart": inverse.apart},
        }
        yield decided._replace(payload=memory)
        for row in rest:
            if row.op == "archive" and row.link is not None:
                row = row._replace(reason=f"{cause}, which made it", payload={**row.payload, "before": dict(by_link[row.link].seen)})
            yield row._replace(reason=cause) if row.op == "create" else row

    def _ask(self, person: int, view: View, cause: str) -> dict[str, Any]:
        """The question that is left with a record once it was taken from its person, and not before: a preview asks nothing."""
        self.tally.holds[APART] += 1
        choices = {view.system.name: f"{view.row.kind} {view.row.ref}", "person": f"p{person}"}
        return {"link": view.row.id, "question": f"{APART}:{self.target.id}:{view.system.name}", "reason": cause, "choices": choices}

    def _refuse_open(self) -> None:
        """What was sent and never heard of again can be undone by nobody."""
        with self.session.store.read() as tx:
            rows = actions.of_run(tx, self.target.id, ("sent", "unknown"), 0, 100_000)
        for row in rows:
            if row.person is not None and (self.scope is None or row.person in self.scope):
                connected = self.session.systems.get(row.account or 0)
                names = list(row.fields) or [RECORD]
                self.refusals += [Refusal(row.person, connected.name if connected else "", name, "nobody knows yet what became of the write") for name in names]


def _addresses(inverse: Inverse) -> set[str]:
    """The addresses that go back to this person."""
    found = {view.values[mapped.native] for view in inverse.decision.views if KEY in view.fields and (mapped := view.kind.fields.get(KEY)) is not None}
    return {str(address).lower() for address in found if address is not None}
