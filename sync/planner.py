"""Makes the plan: matches what is unlinked, reconciles everybody who is due, and stores the rows, a chunk of people at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..mapping.fields import Unmappable
from ..model.records import FieldChange, Present, Ref
from ..model.stages import StageState
from ..state import actions, keys, links, people
from ..state.actions import ActionRow
from ..state.links import LinkRow
from ..state.people import PersonRow
from ..state.store import Tx
from .decision import Decision, Hold
from .desk import Asked, History
from .match import Identity, components, match
from .plan import Draft, Tally, rows_of
from .reconcile import reconcile
from .session import Session

CHUNK = 2_000


@dataclass(slots=True)
class Case:
    """One person to reconcile. `row` None: not in the state yet. `duplicates`: set aside when the plan is applied."""

    row: PersonRow | None
    links: list[LinkRow]
    duplicates: list[LinkRow] = field(default_factory=list[LinkRow])
    holds: list[ActionRow] = field(default_factory=list[ActionRow])

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


@dataclass(slots=True)
class Planner:
    """One plan in the making. `only`: people to whom it is limited."""

    session: Session
    run: int
    only: frozenset[int] | None = None
    tally: Tally = field(default_factory=Tally)
    _digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=8))
    _claimed: bytearray = field(default_factory=bytearray)
    _first: int = 0
    _met: set[int] = field(default_factory=set[int])

    def make(self) -> str:
        """Plan everybody; returns the plan's digest."""
        for cases in self._unmatched():
            self._plan(cases)
        for cases in self._due():
            self._plan(cases)
        return self._digest.hexdigest()

    # -- who is to be looked at

    def _unmatched(self) -> Iterator[list[Case]]:
        after = 0
        while True:
            with self.session.store.read() as tx:
                fresh = links.unmatched(tx, self.session.workspace, after, CHUNK)
                if not fresh:
                    return
                self._first = self._first or fresh[0].id
                after = fresh[-1].id
                found = self._match(tx, fresh)
            self._hold_ambiguous(found[1])
            yield [case for case in found[0] if self.only is None or (case.row is not None and case.row.id in self.only)]

    def _match(self, tx: Tx, fresh: Sequence[LinkRow]) -> tuple[list[Case], list[tuple[list[LinkRow], str]]]:
        """Group the fresh records with all that share a key, and decide each group."""
        ws = self.session.workspace
        rows = {row.id: row for row in fresh if not self._is_claimed(row.id)}
        pairs = [(one, other) for one, other in keys.neighbours(tx, ws, fresh[0].id, fresh[-1].id) if one in rows and not self._is_claimed(other)]
        beyond = [other for _, other in pairs if other not in rows]
        rows |= links.by_ids(tx, beyond) if beyond else {}
        held = actions.holds_of_links(tx, ws, list(rows))
        cases: list[Case] = []
        ambiguous: list[tuple[list[LinkRow], str]] = []
        joins: dict[int, Case] = {}
        for group in components(rows, pairs):
            members = [rows[link] for link in group if link in rows]
            for row in members:
                self._claim(row.id)
            asked = [hold for row in members for hold in held.get(row.id, [])]
            found = match(members, self._identify, _answer(asked))
            if found.ambiguous:
                ambiguous.append((found.ambiguous, found.reason))
            elif found.person is not None:
                case = joins.setdefault(found.person, Case(None, [], []))
                case.links.extend(found.members)
                case.duplicates.extend(found.duplicates)
                case.holds.extend(asked)
            elif found.members:
                cases.append(Case(None, found.members, found.duplicates, asked))
        return cases + self._join(tx, joins), ambiguous

    def _join(self, tx: Tx, joins: Mapping[int, Case]) -> list[Case]:
        """Records that join people who are known already."""
        if not joins:
            return []
        rows, known = people.by_ids(tx, list(joins)), links.of_people(tx, list(joins))
        holds = actions.holds_of_people(tx, self.session.workspace, list(joins))
        self._met.update(joins)
        joined: list[Case] = []
        for person, case in joins.items():
            theirs = known.get(person, [])
            taken = {row.account for row in theirs if row.state == "linked"}  # a second record in a system is a duplicate, whatever its address
            spare = [row for row in case.links if row.account in taken]
            fresh = [row for row in case.links if row.account not in taken]
            joined.append(Case(rows[person], [*theirs, *fresh], [*case.duplicates, *spare], [*case.holds, *holds.get(person, [])]))
        return joined

    def _due(self) -> Iterator[list[Case]]:
        after = 0
        while True:
            with self.session.store.read() as tx:
                rows = people.due(tx, self.session.workspace, after, CHUNK)
                if not rows:
                    return
                after = rows[-1].id
                wanted = [row for row in rows if row.id not in self._met and (self.only is None or row.id in self.only)]
                ids = [row.id for row in wanted]
                known = links.of_people(tx, ids)
                holds = actions.holds_of_people(tx, self.session.workspace, ids)
            yield [Case(row, known.get(row.id, []), [], holds.get(row.id, [])) for row in wanted]

    def _identify(self, row: LinkRow) -> Identity:
        kind = self.session.systems[row.account].system.map.kinds[row.kind]
        last_name = kind.fields.get("last_name")
        name = None
        if last_name is not None and row.seen.get(last_name.native) is not None:
            try:
                name = last_name.read(row.seen[last_name.native], row.seen)
            except Unmappable:
                name = None
        return Identity(str(name) if name is not None else None, tuple(value for key, value in kind.keys(row.seen) if key == "email"))

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

    # -- what becomes of them

    def _plan(self, cases: Sequence[Case]) -> None:
        if not cases:
            return
        decided = [(case, self._reconcile(case, None, {})) for case in cases]
        decided = self._with_history(decided)
        decided = self._without_taken_addresses(decided)
        self._store(decided)
        self.session.progress("planning", self.tally.people)

    def _reconcile(self, case: Case, history: History | None, blocked: Mapping[str, Hold]) -> Decision:
        return reconcile(self.session.desk, case.canonical, case.stage, case.links, answers=case.answers, history=history, blocked=blocked)

    def _with_history(self, decided: list[tuple[Case, Decision]]) -> list[tuple[Case, Decision]]:
        """Reconcile again those whose decision depends on who changed what and when."""
        wanting = [(case, decision) for case, decision in decided if decision.wants]
        if not wanting:
            return decided
        history = self._histories(wanting)
        return [(case, self._reconcile(case, history, {}) if decision.wants else decision) for case, decision in decided]

    def _histories(self, wanting: Sequence[tuple[Case, Decision]]) -> dict[int, dict[str, FieldChange]]:
        wanted: dict[int, list[tuple[LinkRow, set[str]]]] = {}
        for case, decision in wanting:
            for row in case.links:
                if row.id in decision.wants:
                    wanted.setdefault(row.account, []).append((row, decision.wants[row.id]))
        found: dict[int, dict[str, FieldChange]] = {}
        for account, asked in wanted.items():
            connector = self.session.systems[account].connector
            if not connector.capabilities.history:
                continue
            natives = tuple(sorted({native for _, fields in asked for native in fields}))
            kinds = {row.kind for row, _ in asked}
            answers = connector.fetch([Ref(row.kind, row.ref) for row, _ in asked], dict.fromkeys(kinds, natives), natives)
            for (row, _), answer in zip(asked, answers, strict=True):
                if isinstance(answer, Present):
                    found[row.id] = {
                        native: versions[0] for native, versions in answer.history.items() if versions and (versions[0].value or None) == row.seen.get(native)
                    }
        return found

    def _without_taken_addresses(self, decided: list[tuple[Case, Decision]]) -> list[tuple[Case, Decision]]:
        """A changed e-mail that another person has is held, naming both."""
        moved = {str(decision.changed["email"][1]): index for index, (_, decision) in enumerate(decided) if _new_address(decision)}
        if not moved:
            return decided
        with self.session.store.read() as tx:
            holders = keys.find(tx, self.session.workspace, "email", list(moved))
            rows = links.by_ids(tx, [link for _, link in holders])
        for address, link in holders:
            index, row = moved[address], rows[link]
            case, decision = decided[index]
            if row.person is None or (case.row is not None and row.person == case.row.id) or "email" in case.answers:
                continue
            system = self.session.systems.get(row.account)
            name = system.name if system else str(row.account)
            choices = {"this person": decision.changed["email"][1], "also": f"p{row.person} ({name} {row.kind} {row.ref})"}
            hold = Hold(f"taken:email:{name}", "email", choices, "another person has this address")
            decided[index] = (case, self._reconcile(case, {}, {"email": hold}))
        return decided

    def _hold_ambiguous(self, found: Sequence[tuple[list[LinkRow], str]]) -> None:
        """Records that cannot be told apart: one question a group, and they are set aside when the plan is applied."""
        if not found or self.only is not None:
            return
        rows: list[Draft] = []
        with self.session.store.read() as tx:
            known = actions.holds_of_links(tx, self.session.workspace, [group[0].id for group, _ in found])
        for group, reason in found:
            names = {f"{self.session.systems[row.account].name} {row.kind} {row.ref}": self._identify(row).last_name for row in group}
            payload = {"choices": names, "park": [row.id for row in group]}
            old = known.get(group[0].id, [])
            if any(hold.payload.get("choices") == names for hold in old):
                continue
            self.tally.holds["ambiguous"] += 1
            rows.append(Draft(None, group[0].id, op="hold", payload=payload, state="held", reason=reason, question="ambiguous", field="record"))
        self.tally.new_holds += len(rows)
        self._insert(rows)

    def _store(self, decided: Sequence[tuple[Case, Decision]]) -> None:
        rows: list[Draft] = []
        quiet: list[int] = []
        fresh = sum(1 for case, _ in decided if _number(case) is None)
        with self.session.store.write() as tx:
            person = people.reserve(tx, fresh) if fresh else 0
        for case, decision in decided:
            mine = _number(case)
            if mine is None:
                mine, person = person, person + 1
            made = self._rows(mine, case, decision)
            if made:
                rows.extend(made)
            elif case.row is not None:
                quiet.append(mine)
        self._insert(rows)
        if quiet:
            with self.session.store.write() as tx:
                people.clear_due(tx, self.session.workspace, quiet)

    def _rows(self, person: int, case: Case, decision: Decision) -> list[Draft]:
        """This person's rows; none where nothing moved and nothing new is asked."""
        made = list(rows_of(self.session.desk, person, case.row is None, decision, self.session.expand, self.tally))
        kept: set[int] = set()
        rows: list[Draft] = []
        for row in made:
            if row.op == "hold" and case.row is None:
                row = row._replace(link=case.links[0].id)
            same = next((hold for hold in case.holds if _same_hold(hold, row)), None) if row.op == "hold" else None
            if same is not None:
                kept.add(same.id)
            else:
                rows.append(row)
        self.tally.new_holds += sum(1 for row in rows if row.op == "hold")
        lifted = [hold.id for hold in case.holds if hold.id not in kept]
        decided = rows[0]
        if len(rows) == 1 and not lifted and not case.duplicates and not _remembers(decided.payload):
            self.tally.people -= 1
            return []
        writes = any(row.op in ("create", "update", "archive") for row in rows)
        memory = {**decided.payload, "lifted": lifted, "writes": writes, "duplicates": [row.id for row in case.duplicates]}
        return [decided._replace(payload=memory), *rows[1:]]

    def _insert(self, rows: Sequence[Draft]) -> None:
        if not rows:
            return
        with self.session.store.write() as tx:
            first = actions.reserve(tx, len(rows))
            actions.insert(tx, self.session.workspace, [ActionRow._make((first + offset, self.run, *row)) for offset, row in enumerate(rows)], self._digest)


def _answer(asked: Iterable[ActionRow]) -> str | None:
    """What somebody said about records that could not be told apart."""
    return next((hold.answer for hold in asked if hold.question == "ambiguous" and hold.answer not in (None, "skip")), None)


def _number(case: Case) -> int | None:
    """The person's number: the state's, or the one that an earlier, discarded plan gave to its questions."""
    if case.row is not None:
        return case.row.id
    return next((hold.person for hold in case.holds if hold.person is not None), None)


def _same_hold(hold: ActionRow, row: Draft) -> bool:
    return hold.question == row.question and hold.field == row.field and hold.payload.get("choices") == row.payload["choices"] and hold.answer in (None, "skip")


def _remembers(memory: Mapping[str, Any]) -> bool:
    return bool(memory["new"] or memory["links"] or memory["retired"] or memory["again"])


def _new_address(decision: Decision) -> bool:
    return "email" in decision.changed and decision.changed["email"][1] is not None
