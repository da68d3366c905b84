"""Makes the plan: reconciles everybody who is to be looked at, and stores the rows, a chunk of people at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...state import actions, keys, links, people
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ..deciding.decision import Decision, Hold
from ..deciding.desk import History
from ..deciding.loops import WINDOW_MS, loops, moving
from ..deciding.match import AMBIGUOUS
from ..deciding.reconcile import reconcile
from ..deciding.second import RECORD, asks_it, frozen, second_of
from ..looking.history import newest_changes
from ..people.who import Scope
from ..session import Session
from .cases import Ambiguous, Case, Cases
from .knowing import knowledge
from .plan import Draft, Tally, rows_of


@dataclass(slots=True)
class _Decided:
    """One case and what was decided. `history`: None until it was needed and read; `blocked`: fields held for what the records do not tell."""

    case: Case
    decision: Decision
    history: History | None = None
    blocked: dict[str, Hold] = field(default_factory=dict[str, Hold])


@dataclass(slots=True)
class Planner:
    """One plan in the making. `scope`: to whom it is limited (None: everybody)."""

    session: Session
    run: int
    scope: Scope | None = None
    tally: Tally = field(default_factory=Tally)
    _refreshed: list[ActionRow] = field(default_factory=list[ActionRow])
    _digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=8))

    def make(self) -> str:
        """Plan everybody; returns the plan's digest."""
        cases = Cases(self.session, self.scope)
        for found, ambiguous in cases.unmatched():
            self._hold_ambiguous(cases, ambiguous)
            self._plan(found)
        for found in cases.due():
            self._plan(found)
        return self._digest.hexdigest()

    def _plan(self, cases: Sequence[Case]) -> None:
        if not cases:
            return
        for case, known in zip(cases, knowledge(self.session, cases), strict=True):
            case.known = known
        decided = [_Decided(case, self._reconcile(case, None, {})) for case in cases]
        self._read_histories(decided)
        self._break_loops(decided)
        self._hold_taken_addresses(decided)
        self._store(decided)
        self.session.progress("planning", self.tally.people)

    def _reconcile(self, case: Case, history: History | None, blocked: Mapping[str, Hold]) -> Decision:
        desk, answers = self.session.desk, case.answers
        rows = [*case.links, *(row._replace(state="parked") for row in case.duplicates)]
        return reconcile(desk, case.canonical, case.stage, rows, answers=answers, history=history, blocked=blocked, known=case.known)

    def _read_histories(self, decided: Sequence[_Decided]) -> None:
        """Reconcile again those whose decision depends on who changed what and when."""
        wanting = [each for each in decided if each.decision.wants]
        if not wanting:
            return
        history = newest_changes(
            self.session, [(row, each.decision.wants[row.id]) for each in wanting for row in each.case.links if row.id in each.decision.wants]
        )
        for each in wanting:
            each.history = history
            self._again(each)

    def _again(self, each: _Decided) -> None:
        each.decision = self._reconcile(each.case, each.history, each.blocked)

    def _break_loops(self, decided: Sequence[_Decided]) -> None:
        """A field that only goes on flipping is held. The journal is read for those alone of whom something moved or was put back."""
        desk, now = self.session.desk, self.session.clock.now_ms()
        restless = {each.case.row.id: each for each in decided if each.case.row is not None and moving(desk, each.decision, each.case.answers)}
        if not restless:
            return
        with self.session.store.read() as tx:
            known = actions.lately(tx, self.session.workspace, list(restless), now - WINDOW_MS)
        for person, each in restless.items():
            each.blocked |= loops(desk, each.decision, each.case.holds, each.case.answers, known.get(person, ()), now)
            if each.blocked:
                self._again(each)

    def _hold_taken_addresses(self, decided: Sequence[_Decided]) -> None:
        """An e-mail that is to be written while another person has it is held, naming both; unless that person gives it up in this plan, as in a swap.

        Whoever is only owed it, since a run broke off in the middle of a swap, is looked at like whoever was given it just now.
        """
        movers = [each for each in decided if _gets_address(each.decision)]
        if not movers:
            return
        with self.session.store.read() as tx:
            found = keys.find(tx, self.session.workspace, "email", list({_address(each.decision) for each in movers}))
            rows = links.by_ids(tx, [link for _, link in found])
        holders: dict[str, list[LinkRow]] = {}
        for address, link in found:
            holders.setdefault(address, []).append(rows[link])
        staying: list[_Decided] = []
        while True:
            leaving = {each.case.row.id: _address(each.decision) for each in movers if each.case.row is not None}
            taken = [(each, row) for each in movers if (row := self._holder(each, holders, leaving)) is not None]
            if not taken:
                break
            for each, row in taken:
                each.blocked["email"] = self._taken(each.decision, row)
                staying.append(each)
                movers.remove(each)
        for each in staying:
            each.history = each.history or {}
            self._again(each)
        for each in movers:
            mine, address = each.case.row.id if each.case.row is not None else None, _address(each.decision)
            each.decision.frees = any(row.person != mine and self._gives_up(row, address, leaving) for row in holders.get(address, ()))

    def _holder(self, decided: _Decided, holders: Mapping[str, Sequence[LinkRow]], leaving: Mapping[int, str]) -> LinkRow | None:
        """A record of somebody else who has this person's new address and does not give it up."""
        case = decided.case
        if "email" in case.answers:
            return None
        mine, address = case.row.id if case.row is not None else None, _address(decided.decision)
        others = (row for row in holders.get(address, ()) if row.person not in (None, mine))
        return next((row for row in others if not self._gives_up(row, address, leaving)), None)

    def _gives_up(self, row: LinkRow, address: str, leaving: Mapping[int, str]) -> bool:
        """The record gets another address in this plan. One that is only its second address stays with it."""
        kind = self.session.desk.systems[row.account].map.kinds.get(row.kind) if row.account in self.session.desk.systems else None
        first = kind is not None and "email" in kind.fields and str(row.seen.get(kind.fields["email"].native)).lower() == address
        return first and leaving.get(row.person or 0, address) != address

    def _taken(self, decision: Decision, row: LinkRow) -> Hold:
        system = self.session.systems.get(row.account)
        name = system.name if system else str(row.account)
        choices = {"this person": _address(decision), "also": f"p{row.person} ({name} {row.kind} {row.ref})"}
        return Hold(f"taken:email:{name}", "email", choices, "another person has this address")

    def _hold_ambiguous(self, cases: Cases, found: Sequence[Ambiguous]) -> None:
        """Records that cannot be told apart: one question a group, and they are set aside when the plan is applied."""
        if not found:
            return
        rows: list[Draft] = []
        with self.session.store.read() as tx:
            known = actions.holds_of_links(tx, self.session.workspace, [row.id for group, _ in found for row in group])
        for group, reason in found:
            names = {f"{self.session.systems[row.account].name} {row.kind} {row.ref}": cases.identify(row).last_name for row in group}
            payload = {"choices": names, "park": [row.id for row in group]}
            asked = Draft(None, group[0].id, op="hold", payload=payload, state="held", reason=reason, question=AMBIGUOUS, field="record")
            open_ones = [hold for row in group for hold in known.get(row.id, []) if hold.question == AMBIGUOUS]
            same = next((hold for hold in open_ones if _same_group(hold, asked)), None)
            if same is not None:
                self._refresh(same, asked)
                continue
            self.tally.holds[AMBIGUOUS] += 1
            rows.append(asked)
        self.tally.new_holds += len(rows)
        self._insert(rows)
        self._store_refreshed()

    def _store(self, decided: Sequence[_Decided]) -> None:
        rows: list[Draft] = []
        quiet: list[int] = []
        fresh = sum(1 for each in decided if each.case.number is None)
        with self.session.store.write() as tx:
            person = people.reserve(tx, fresh) if fresh else 0
        for each in decided:
            case, decision = each.case, each.decision
            mine = case.number
            if mine is None:
                mine, person = person, person + 1
            made = self._rows(mine, case, decision)
            if made:
                rows.extend(made)
            elif case.row is not None:
                quiet.append(mine)
        # What is marked together lies together: on pages shared with others, each mark would write eight times as much.
        self._insert(sorted(rows, key=lambda row: (row.op != "decide", row.account or 0, row.op)))
        self._store_refreshed()
        if quiet:
            self.tally.quiet += quiet
            with self.session.store.write() as tx:
                people.clear_due(tx, self.session.workspace, quiet)

    def _rows(self, person: int, case: Case, decision: Decision) -> list[Draft]:
        """This person's rows; none where nothing moved and nothing new is asked."""
        expand = self.session.expand_freeing if decision.frees else self.session.expand
        made = [*rows_of(self.session.desk, person, case.row is None, decision, expand, self.tally), *self._second(person, case)]
        kept = {hold.id for hold in case.holds if frozen(hold, self.session.desk.systems.values())}
        rows: list[Draft] = []
        for row in made:
            if row.op == "hold" and case.row is None:
                row = row._replace(link=case.links[0].id)
            same = next((hold for hold in case.holds if _same_hold(hold, row) or asks_it(hold, row)), None) if row.op == "hold" else None
            if same is not None:
                kept.add(same.id)
                self._refresh(same, row)
            else:
                rows.append(row)
        self.tally.new_holds += sum(1 for row in rows if row.op == "hold")
        lifted = [hold.id for hold in case.holds if hold.id not in kept]
        decided = rows[0]
        if len(rows) == 1 and not lifted and not case.duplicates and not _remembers(case, decided.payload):
            self.tally.people -= 1
            return []
        writes = any(row.op in actions.WRITES for row in rows)
        self.tally.written += writes
        moving = {view.row.id for view in decision.views if view.values}
        again = decided.payload["again"] or any(doubt.best.id in moving for doubt in case.doubts)  # a question is told by what stands there afterwards
        memory = {**decided.payload, "lifted": lifted, "writes": writes, "duplicates": [row.id for row in case.duplicates], "again": again}
        return [decided._replace(payload=memory), *rows[1:]]

    def _second(self, person: int, case: Case) -> Iterator[Draft]:
        """One question for each system in which the person may have a second record."""
        for doubt in case.doubts:
            asked = second_of(self.session.desk, doubt)
            self.tally.holds[asked.question] += 1
            payload = {"choices": asked.choices, "best": asked.best, "park": list(asked.others), "differs": list(asked.differs)}
            yield Draft(person, asked.others[0], op="hold", payload=payload, state="held", reason=asked.reason, question=asked.question, field=RECORD)

    def _refresh(self, hold: ActionRow, row: Draft) -> None:
        """A question that stands shows what the records say today."""
        if hold.payload != row.payload:
            self._refreshed.append(hold._replace(payload=dict(row.payload)))

    def _store_refreshed(self) -> None:
        if self._refreshed:
            with self.session.store.write() as tx:
                actions.set_payloads(tx, self._refreshed)
            self._refreshed = []

    def _insert(self, rows: Sequence[Draft]) -> None:
        if not rows:
            return
        with self.session.store.write() as tx:
            first = actions.reserve(tx, len(rows))
            actions.insert(tx, self.session.workspace, [ActionRow._make((first + offset, self.run, *row)) for offset, row in enumerate(rows)], self._digest)


def _same_hold(hold: ActionRow, row: Draft) -> bool:
    return hold.question == row.question and hold.field == row.field and hold.payload.get("choices") == row.payload["choices"] and hold.answer in (None, "skip")


def _same_group(hold: ActionRow, asked: Draft) -> bool:
    """These records, and for the same reason: whoever was to be left alone is so as long as nothing of it changes."""
    if hold.payload["choices"] == asked.payload["choices"]:
        return True
    return hold.answer is None and hold.reason == asked.reason and set(asked.payload["park"]) <= set(hold.payload["park"])


def _remembers(case: Case, memory: Mapping[str, Any]) -> bool:
    noted = case.row is not None and ((case.row.notes or {}) != memory["notes"] or case.row.review_at != memory["review_at"])
    return bool(memory["new"] or memory["links"] or memory["retired"] or memory["again"] or memory["forget"] or noted)


def _address(decision: Decision) -> str:
    return str(decision.canonical["email"][0])


def _gets_address(decision: Decision) -> bool:
    """The person's address moved, or is to be written to a record that does not have it yet."""
    entry = decision.canonical.get("email")
    return entry is not None and entry[0] is not None and ("email" in decision.changed or any("email" in view.fields for view in decision.views))
