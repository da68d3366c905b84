"""Who is to be looked at: records that nobody knows yet, grouped into people, then everybody who is due; a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...mapping.fields import Unmappable
from ...model.stages import StageState
from ...state import actions, keys, links, people, sameness
from ...state.actions import ActionRow
from ...state.links import MATCHED, LinkRow
from ...state.people import PersonRow
from ...state.store import Tx
from ..deciding.copies import unlike
from ..deciding.desk import NOTHING_KNOWN, Asked, Known
from ..deciding.match import AMBIGUOUS, Doubt, Identity, components, doubts, match, rank
from ..deciding.sameness import NOTHING_SAID, Sameness
from ..deciding.second import still_asked
from ..people.who import Scope
from ..session import Session

CHUNK = 2_000


@dataclass(slots=True)
class Case:
    """One person to reconcile. `row` None: not in the state yet. `duplicates`: set aside when the plan is applied.

    `doubts`: what is to be asked of these, and is still asked of those that were set aside before. `known`: what else there is on the person.
    """

    row: PersonRow | None
    links: list[LinkRow]
    duplicates: list[LinkRow] = field(default_factory=list[LinkRow])
    holds: list[ActionRow] = field(default_factory=list[ActionRow])
    known: Known = NOTHING_KNOWN
    doubts: list[Doubt] = field(default_factory=list[Doubt])

    @property
    def answers(self) -> dict[str, Asked]:
        """What somebody answered about this person, by field."""
        return {
            hold.field or "": Asked(hold.answer, hold.payload.get("choices", {})) for hold in self.holds if hold.answer is not None and hold.answer != "skip"
        }

    @property
    def canonical(self) -> Mapping[str, list[Any]]:
        """What the hub knows."""
        return self.row.canonical if self.row else {}

    @property
    def stage(self) -> StageState:
        """Where the hub has the person."""
        row = self.row
        return StageState(row.stage, row.side, row.reason, row.pass_no, row.stage_version) if row else StageState()

    @property
    def number(self) -> int | None:
        """The person's number: the state's, or the one that an earlier, discarded plan gave to its questions."""
        if self.row is not None:
            return self.row.id
        return next((hold.person for hold in self.holds if hold.person is not None), None)


Ambiguous = tuple[list[LinkRow], str]
"""Records that cannot be told apart, and why."""


@dataclass(slots=True)
class Cases:
    """One run's people. `scope` limits it to some (None: all)."""

    session: Session
    scope: Scope | None = None
    _claimed: bytearray = field(default_factory=bytearray)
    _first: int = 0
    _met: set[int] = field(default_factory=set[int])
    _anything_said: bool | None = None

    def unmatched(self) -> Iterator[tuple[list[Case], list[Ambiguous]]]:
        """People made of records that nobody knows yet, or that these join; and the groups that are a question."""
        after = 0
        while True:
            with self.session.store.read() as tx:
                fresh = links.unmatched(tx, self.session.workspace, after, CHUNK)
                if not fresh:
                    return
                self._first = self._first or fresh[0].id
                after = fresh[-1].id
                found = self._match(tx, fresh)
            yield [case for case in found[0] if self._wanted(case)], found[1] if self.scope is None else []

    def _match(self, tx: Tx, fresh: Sequence[LinkRow]) -> tuple[list[Case], list[Ambiguous]]:
        """Group the fresh records with all that share a key, and decide each group."""
        ws = self.session.workspace
        rows = {row.id: row for row in fresh if not self._is_claimed(row.id)}
        pairs = [(one, other) for one, other in keys.neighbours(tx, ws, fresh[0].id, fresh[-1].id) if one in rows and not self._is_claimed(other)]
        said = self._said(tx, {*rows, *(other for _, other in pairs)})
        if said is not NOTHING_SAID:
            pairs = self._as_said(tx, said, rows, pairs)
        beyond = [link for pair in pairs for link in pair if link not in rows]
        rows |= links.by_ids(tx, beyond) if beyond else {}
        held = self._strangers(tx, actions.holds_of_links(tx, ws, list(rows)))
        cases: list[Case] = []
        ambiguous: list[Ambiguous] = []
        joins: dict[int, Case] = {}
        for group in components(rows, pairs):
            members = [rows[link] for link in group if link in rows]
            for row in members:
                self._claim(row.id)
            asked = [hold for row in members for hold in held.get(row.id, [])]
            found = match(members, self.identify, self._copies, _answer(asked), said)
            if found.ambiguous:
                ambiguous.append((found.ambiguous, found.reason))
            elif found.person is not None:
                case = joins.setdefault(found.person, Case(None, [], []))
                case.links.extend(found.members)
                case.duplicates.extend(found.duplicates)
                case.doubts.extend(found.doubts)
                case.holds.extend(asked)
            elif found.members:
                cases.append(Case(None, found.members, found.duplicates, asked, doubts=found.doubts))
        return cases + self._join(tx, joins, said), ambiguous

    def _strangers(self, tx: Tx, held: Mapping[int, list[ActionRow]]) -> Mapping[int, list[ActionRow]]:
        """The questions that are about nobody whom the state knows: a known person's stay theirs, wherever the record goes that they were about."""
        if not held:
            return held
        known = people.by_ids(tx, {hold.person for holds in held.values() for hold in holds if hold.person is not None})
        return {link: [hold for hold in holds if hold.person not in known] for link, holds in held.items()}

    def _said(self, tx: Tx, known: set[int]) -> Sameness:
        """What somebody said about these links, and about those to which that leads."""
        if self._anything_said is None:
            self._anything_said = sameness.any_of(tx, self.session.workspace)
        if not self._anything_said:
            return NOTHING_SAID
        return Sameness.of(sameness.around(tx, self.session.workspace, known))

    def _as_said(self, tx: Tx, said: Sameness, rows: Mapping[int, LinkRow], pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The pairs of one human: also those that share nothing but what somebody said, and none that somebody told apart."""
        tied = [*pairs, *(pair for pair in said.ties if not any(map(self._is_claimed, pair)))]
        named = {link for pair in (*tied, *said.apart) for link in pair} - rows.keys()
        around = {**rows, **links.by_ids(tx, named)}
        live = [pair for pair in tied if all(link in around and around[link].state in MATCHED for link in pair)]
        return said.without_strangers(live, {link: row.person for link, row in around.items()})

    def _join(self, tx: Tx, joins: Mapping[int, Case], said: Sameness) -> list[Case]:
        """Records that join people who are known already."""
        if not joins:
            return []
        rows, known = people.by_ids(tx, list(joins)), links.of_people(tx, list(joins))
        holds = actions.holds_of_people(tx, self.session.workspace, list(joins))
        self._met.update(joins)
        joined: list[Case] = []
        for person, case in joins.items():
            theirs = known.get(person, [])
            taken = {row.account: row for row in theirs if row.state == "linked"}
            fresh: list[LinkRow] = []
            spare: list[LinkRow] = []
            for row in sorted(case.links, key=rank):  # a second record in a system is a duplicate, whatever its address
                (spare if row.account in taken else fresh).append(row)
                taken.setdefault(row.account, row)
            held = [*case.holds, *holds.get(person, [])]
            asked = {row.id for doubt in case.doubts for row in doubt.others} | {row.id for row in spare} | still_asked(held)
            aside = [row for row in (*theirs, *case.duplicates, *spare) if row.id in asked]
            joined.append(Case(rows[person], [*theirs, *fresh], [*case.duplicates, *spare], held, doubts=self._doubts(taken.values(), aside, said)))
        return joined

    def _doubts(self, own: Iterable[LinkRow], aside: Sequence[LinkRow], said: Sameness) -> list[Doubt]:
        """Of the records beside a person, those of whom it is to be asked whose they are. `own`: the person's own, one for each system."""
        there = [row for row in aside if row.state in MATCHED and self._is_mapped(row)]
        return [
            doubt
            for best in own
            if self._is_mapped(best)
            for doubt in doubts(best, [row for row in there if row.account == best.account and row.id != best.id], self._copies, said)
        ]

    def _is_mapped(self, row: LinkRow) -> bool:
        connected = self.session.systems.get(row.account)
        return connected is not None and row.kind in connected.system.map.kinds

    def _copies(self, best: LinkRow, other: LinkRow) -> bool:
        """The other record says nothing else."""
        return not unlike(self.session.desk, best, other)

    def due(self) -> Iterator[list[Case]]:
        """People who are due and were not met as unmatched."""
        after = 0
        while True:
            with self.session.store.read() as tx:
                rows = people.due(tx, self.session.workspace, after, CHUNK)
                if not rows:
                    return
                after = rows[-1].id
                wanted = [row for row in rows if row.id not in self._met and (self.scope is None or row.id in self.scope.people)]
                ids = [row.id for row in wanted]
                known = links.of_people(tx, ids)
                holds = actions.holds_of_people(tx, self.session.workspace, ids)
                asked = still_asked(hold for theirs in holds.values() for hold in theirs)
                said = self._said(tx, asked) if asked else NOTHING_SAID
            yield [self._known(row, known.get(row.id, []), holds.get(row.id, []), said) for row in wanted]

    def _known(self, row: PersonRow, theirs: list[LinkRow], held: list[ActionRow], said: Sameness) -> Case:
        asked = still_asked(held)
        aside = [link for link in theirs if link.id in asked and link.state == "parked"]
        return Case(row, theirs, [], held, doubts=self._doubts([link for link in theirs if link.state == "linked"], aside, said) if aside else [])

    def _wanted(self, case: Case) -> bool:
        if self.scope is None:
            return True
        return (case.row is not None and case.row.id in self.scope.people) or any(row.id in self.scope.links for row in case.links)

    def identify(self, row: LinkRow) -> Identity:
        """What matching needs of a record."""
        kind = self.session.systems[row.account].system.map.kinds[row.kind]

        def named(field: str) -> str | None:
            mapped = kind.fields.get(field)
            if mapped is None or row.seen.get(mapped.native) is None:
                return None
            try:
                name = mapped.read(row.seen[mapped.native], row.seen)
            except Unmappable:
                return None
            return None if name is None else str(name)

        return Identity(named("last_name"), tuple(value for key, value in kind.keys(row.seen) if key == "email"), named("first_name"))

    def _is_claimed(self, link: int) -> bool:
        offset = link - self._first
        return 0 <= offset < len(self._claimed) and bool(self._claimed[offset])

    def _claim(self, link: int) -> None:
        offset = link - self._first
        if offset < 0:
            return
        if offset >= len(self._claimed):
            self._claimed.extend(bytes(offset + 10_000 - len(self._claimed)))
        self._claimed[offset] = 1


def _answer(asked: Iterable[ActionRow]) -> str | None:
    """What somebody said about records that could not be told apart."""
    return next((hold.answer for hold in asked if hold.kind == AMBIGUOUS and hold.answer not in (None, "skip")), None)
