"""What a changed configuration would do to everybody who is stored: the decisions of the next run, made without asking any system, and kept nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ...state import accounts, actions, links, people
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ..deciding.claims import words_of
from ..deciding.decision import Decision, Hold
from ..deciding.desk import View
from ..deciding.loops import loops
from ..deciding.reconcile import reconcile
from ..session import Session
from .cases import CHUNK, Case
from .knowing import knowledge

EXAMPLES = 3


class Change(NamedTuple):
    """One thing that would be different for one person. `name`: the field, rule, question or kind; `before` and `after` as they are shown.

    `what`: stage (the person's own), write, create, archive (in a `system`), question, answered (one that nobody would be asked any more), or rule (what
    it says, which by itself moves nobody).
    """

    person: int
    email: str
    what: str
    system: str
    name: str
    before: Any
    after: Any
    reason: str


@dataclass(slots=True)
class Outlook:
    """All changes, counted as they are found. `same`: the configuration means what the one of the last run meant.

    `people`: looked at; `touched`: with a change that is more than what a rule says; `due`: with something open whatever the configuration says.
    `moves`: (before, after) of stages. `rules`: (rule, what it said, what it says). `left`: system -> records that the configuration excludes.
    `unread`: (system, kind, native field) -> records in which it was never read.
    """

    same: bool = False
    people: int = 0
    touched: int = 0
    due: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    examples: dict[tuple[str, str], list[Change]] = field(default_factory=dict[tuple[str, str], list[Change]])
    writes: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    questions: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    answered: Counter[str] = field(default_factory=Counter[str])
    rules: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    left: Counter[str] = field(default_factory=Counter[str])
    unread: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])

    def count(self, change: Change) -> None:
        """One more."""
        match change.what:
            case "stage":
                move = (change.before, change.after)
                self.moves[move] += 1
                if len(shown := self.examples.setdefault(move, [])) < EXAMPLES:
                    shown.append(change)
            case "question":
                self.questions[(change.name, change.reason)] += 1
            case "answered":
                self.answered[change.name] += 1
            case "rule":
                self.rules[(change.name, change.before, change.after)] += 1
            case _:
                self.writes[(change.system, change.what, change.name)] += 1


def replay(session: Session, outlook: Outlook) -> Iterator[Change]:
    """Decide about everybody anew and tell what would change; everything is counted into `outlook` on the way.

    Where a decision depends on times that only a vendor's history tells, it is made without them.
    """
    with session.store.read() as tx:
        outlook.same = accounts.workspace(tx, session.name).mapping == session.desk.maps.digest
    if not outlook.same:
        session = replace(session, desk=replace(session.desk, remapped=True))
    after = 0
    while cases := _chunk(session, after):
        after = cases[-1].row.id if cases[-1].row is not None else after
        for case in cases:
            decision = _decide(session, case)
            found = list(_changes(session, case, decision))
            outlook.people += 1
            outlook.touched += any(change.what != "rule" for change in found)
            outlook.left.update(view.system.name for view in decision.views if view.frozen)
            outlook.due += case.row is not None and case.row.due is not None
            _unread(session, case.links, outlook)
            for change in found:
                outlook.count(change)
                yield change
        session.progress("replaying", outlook.people)


def _chunk(session: Session, after: int) -> list[Case]:
    """The next people in the order of their numbers, with all that is known of them."""
    with session.store.read() as tx:
        rows = people.each(tx, session.workspace, after, CHUNK)
        ids = [row.id for row in rows]
        known, holds = links.of_people(tx, ids), actions.holds_of_people(tx, session.workspace, ids)
    cases = [Case(row, known.get(row.id, []), [], holds.get(row.id, [])) for row in rows]
    for case, told in zip(cases, knowledge(session, cases), strict=True):
        case.known = told
    return cases


def _decide(session: Session, case: Case) -> Decision:
    decision = reconcile(session.desk, case.canonical, case.stage, case.links, answers=case.answers, known=case.known)
    if decision.wants:
        decision = reconcile(session.desk, case.canonical, case.stage, case.links, answers=case.answers, history={}, known=case.known)
    blocked = loops(session.desk, decision, case.holds, case.answers, (), session.clock.now_ms())  # of the quarrels, those that are open already
    if blocked:
        decision = reconcile(session.desk, case.canonical, case.stage, case.links, answers=case.answers, history={}, blocked=blocked, known=case.known)
    return decision


def _changes(session: Session, case: Case, decision: Decision) -> Iterator[Change]:
    person = case.row.id if case.row is not None else 0
    email = decision.canonical.get("email")
    who = (person, str(email[0]) if email is not None and email[0] is not None else "")
    if decision.stage.reading != case.stage.reading:
        reason = "; ".join(stay.evidence for stay in decision.stays)
        yield Change(*who, "stage", "", "stage", words_of(case.stage.reading), words_of(decision.stage.reading), reason)
    for each in (*_of_rules(session, case, decision), *_of_questions(case.holds, decision.holds), *_of_records(session, decision)):
        yield Change(*who, *each)


_Rest = tuple[str, str, str, Any, Any, str]
"""A change without whose it is."""


def _of_rules(session: Session, case: Case, decision: Decision) -> Iterator[_Rest]:
    rules = session.desk.policy.rules
    configured = {rule.name for rule in rules.rules} if rules is not None else set[str]()
    before: Mapping[str, Sequence[Any]] = case.known.notes.get("rules") or {}
    after: Mapping[str, Sequence[Any]] = decision.notes.get("rules") or {}
    for rule in sorted({*before, *after}):
        said = str(before[rule][0]) if rule in before else "nothing"
        says = str(after[rule][0]) if rule in after and rule in configured else "nothing"
        if said != says:
            yield "rule", "", rule, said, says, str(after[rule][3]) if rule in after and rule in configured else ""


def _of_questions(before: Sequence[ActionRow], after: Sequence[Hold]) -> Iterator[_Rest]:
    asked = [hold for hold in before if hold.answer in (None, "skip")]
    kept: set[int] = set()
    for hold in after:
        same = next((old for old in asked if (old.question, old.field) == (hold.question, hold.field) and old.payload.get("choices") == hold.choices), None)
        if same is not None:
            kept.add(same.id)
        else:
            yield "question", hold.about, hold.field, None, dict(hold.choices), hold.reason
    for old in asked:
        if old.id not in kept:
            yield "answered", "", old.field or "", dict(old.payload.get("choices", {})), None, old.reason


def _of_records(session: Session, decision: Decision) -> Iterator[_Rest]:
    for view in decision.views:
        if view not in decision.archives:
            yield from _of_view(view)
    for view in decision.archives:
        yield "archive", view.system.name, view.row.kind, view.row.ref, None, "deleted elsewhere"
    for creation in decision.creations:
        yield "create", session.desk.systems[creation.account].name, creation.kind, None, dict(creation.values), "missing there"


def _of_view(view: View) -> Iterator[_Rest]:
    for name, (before, after, _, reason) in view.fields.items():
        yield "write", view.system.name, name, before, after, str(reason)


def _unread(session: Session, rows: Sequence[LinkRow], outlook: Outlook) -> None:
    """Fields that are mapped now and were never read: what stands there nobody knows before the next run."""
    for row in rows:
        system = session.desk.systems.get(row.account)
        kind = system.map.kinds.get(row.kind) if system is not None else None
        if system is None or kind is None or row.state != "linked":
            continue
        for native in kind.asks:
            if native not in row.seen:
                outlook.unread[(system.name, row.kind, native)] += 1
