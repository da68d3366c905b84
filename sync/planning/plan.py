"""From a decision to rows of the plan: what is remembered on apply, what is sent, what is held. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...model.companies import FIELD as COMPANY
from ...model.records import Native, Ref
from ...model.writes import Step, Write
from ..deciding.claims import STAGE
from ..deciding.creation import KEY
from ..deciding.decision import Decision
from ..deciding.desk import Desk, View

Expand = Callable[[int, Write], Sequence[Step]]
"""(account, write) -> the steps that the system's connector makes of it."""


class Draft(NamedTuple):
    """A row of the plan: the columns of `state.actions` in their order, but for `id` and `run`, which are given when it is stored."""

    person: int | None
    link: int | None = None
    account: int | None = None
    step: int = 1
    op: str = "decide"
    fields: Mapping[str, Any] = {}
    payload: Mapping[str, Any] = {}
    state: str = "planned"
    reason: str = ""
    question: str | None = None
    field: str | None = None
    answer: str | None = None
    result: dict[str, Any] | None = None
    attempts: int = 0
    urgent: int = 0


@dataclass(slots=True)
class Tally:
    """What a plan amounts to. `written`: people of whom a record is written; `quiet`: the numbers of those who were due and of whom nothing is to be done.

    Keys of `writes`: (system, creates | fills | updates | clears | archives | lowerings); of `promoted`: (rule, mode).
    """

    people: int = 0
    written: int = 0
    writes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    holds: Counter[str] = field(default_factory=Counter[str])
    new_holds: int = 0
    overruled: int = 0
    excluded: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    promoted: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    records: int = 0
    quiet: list[int] = field(default_factory=list[int])

    def of(self, kind: str) -> int:
        """All systems' writes of one kind."""
        return sum(count for (_, name), count in self.writes.items() if name == kind)


def rows_of(desk: Desk, person: int, new: bool, decision: Decision, expand: Expand, tally: Tally) -> Iterator[Draft]:
    """The rows of one person, counted into `tally`: first the decision itself, then overruled values, holds and writes."""
    tally.people += 1
    for system, reason in decision.excluded.items():
        tally.excluded[(system, reason)] += 1
    for system, value in decision.unmapped.items():
        tally.unmapped[(system, value)] += 1
    tally.promoted.update(decision.promoted)
    names = {system.name: account for account, system in desk.systems.items()}
    yield Draft(person, fields=decision.changed, payload=_memory(decision, new))
    for lost in decision.overruled:
        tally.overruled += 1
        yield Draft(
            person,
            op="overrule",
            account=names.get(lost.system),
            field=lost.field,
            fields={lost.field: [lost.value, lost.winner, None, lost.rule]},
            reason=lost.rule,
        )
    for hold in decision.holds:
        tally.holds[hold.question] += 1
        yield Draft(
            person,
            op="hold",
            state="held",
            account=names.get(hold.about),
            field=hold.field,
            question=hold.question,
            reason=hold.reason,
            payload={"choices": dict(hold.choices)},
        )
    yield from _writes(desk, person, decision, expand, tally)


def _writes(desk: Desk, person: int, decision: Decision, expand: Expand, tally: Tally) -> Iterator[Draft]:
    for view in decision.views:
        if view.values and view not in decision.archives:
            yield from _update(person, view, expand, tally, view.system.name in decision.lowered)
    for view in decision.archives:
        tally.records += 1
        tally.writes[(view.system.name, "archives")] += 1
        yield Draft(person, op="archive", account=view.row.account, link=view.row.id, reason="deleted elsewhere", payload={"kind": view.row.kind, "values": {}})
    for creation in decision.creations:
        tally.records += 1
        tally.writes[(desk.systems[creation.account].name, "creates")] += 1
        yield Draft(
            person,
            op="create",
            account=creation.account,
            reason="missing there",
            payload={"kind": creation.kind, "values": dict(creation.values), "carried": dict(creation.carried)},
        )


def _update(person: int, view: View, expand: Expand, tally: Tally, lowered: bool) -> Iterator[Draft]:
    name, seen = view.system.name, view.seen
    owners = [view.kind.fields[key].native for field, key in view.kind.belongs.items() if field in view.fields]
    link = _link(view)
    before = {native: seen.get(native) for native in (*view.values, *owners, *link)}
    tally.records += 1
    tally.writes[(name, _sort(view.values, before))] += 1
    if lowered:
        tally.writes[(name, "lowerings")] += 1
    urgent = int(STAGE in view.fields and KEY not in view.fields)  # whose address changes waits until others have freed it
    done: set[str] = set()
    for step in _steps(view, before, link, expand):
        done -= step.values.keys()
        done |= {native for native, value in step.values.items() if (native, value) in view.values.items()}
        yield Draft(
            person,
            op="update",
            account=view.row.account,
            link=view.row.id,
            step=step.number,
            fields={field: change for field, change in view.fields.items() if _finishes(step, _natives(view, field), done)},
            payload={"kind": view.row.kind, "values": dict(step.values), "before": before, **({"address": step.address} if step.address else {})},
            reason="; ".join(sorted({str(change[3]) for change in view.fields.values()})),
            urgent=urgent,
        )


def _link(view: View) -> tuple[str, ...]:
    """The natives that lead to a company's record, where the record is to be linked to one."""
    mapped = view.kind.fields.get(COMPANY) if COMPANY in view.fields else None
    return () if mapped is None else (mapped.native, *mapped.shows)


def _steps(view: View, before: Mapping[str, Native], link: Sequence[str], expand: Expand) -> Iterator[Step]:
    """The link to a company's record comes last, by itself: where it cannot be made, that holds up nothing else."""
    ref = Ref(view.row.kind, view.row.ref)
    values = {native: value for native, value in view.values.items() if native not in link}
    last = 0
    if values:
        for step in expand(view.row.account, Write(0, "update", view.row.kind, ref, values, before)):
            last = step.number
            yield step
    if link:
        yield Step(0, last + 1, "update", view.row.kind, ref, {native: value for native, value in view.values.items() if native in link})


def _natives(view: View, field: str) -> set[str]:
    """What is written for a field."""
    mapped = view.kind.fields.get(field)
    stage = view.kind.stage.writes if field == STAGE and view.kind.stage is not None else frozenset[str]()
    return ({mapped.native} if mapped is not None else set(stage)) & view.values.keys()


def _finishes(step: Step, natives: set[str], done: set[str]) -> bool:
    """With this step all of the field is as it shall be, or is so once more: at another address."""
    return not natives.isdisjoint(step.values) and natives <= done


def _sort(values: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """The most serious thing that a write does: clear, change, or only fill blanks."""
    if any(value is None and before[native] is not None for native, value in values.items()):
        return "clears"
    if any(before[native] is not None for native in values):
        return "updates"
    return "fills"


def _memory(decision: Decision, new: bool) -> dict[str, Any]:
    """What is committed when the plan is applied: the person and the links as they shall be."""
    stage = decision.stage
    return {
        "new": new,
        "canonical": decision.canonical,
        "stage": [stage.stage, stage.side, stage.reason, stage.pass_no, stage.version],
        "links": [[view.row.id, view.row.stamp, view.carried, view.agreed, view.notes] for view in decision.views if view.touched or view.row.state == "new"],
        "retired": decision.retired,
        "erased": decision.erased,
        "forget": decision.forget,
        "again": decision.again,
        "stays": [list(stay) for stay in decision.stays],
        "notes": dict(decision.notes),
        "review_at": decision.review_at,
    }
