"""`stagesync undo`: what would go back, what stays and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...sync.session import Session
from ...sync.undoing.inverse import Refusal
from ...sync.undoing.undo import UndoPlan
from . import words
from .plan import plan_json, plan_text

SHOWN = 20
"""So many refusals are shown one by one; JSON has all."""


def undo_text(session: Session, made: UndoPlan) -> list[str]:
    """The inverse plan as lines: what it undoes, the plan as any other is shown, what stays different, what is refused, and how to go on."""
    head = [title(made)]
    if made.empty:
        return [*head, f"Nothing is left to undo of run {made.target.id}.", *stays(made)]
    lines = [*head, *plan_text(session, made.plan, approvable=False), *_linked(made), *_kept(made), *stays(made)]
    return [*lines, "", *_approval(made)]


def undo_json(session: Session, made: UndoPlan) -> dict[str, Any]:
    """The same as one object."""
    return {**plan_json(session, made.plan), **outcome_json(made)}


def outcome_json(made: UndoPlan) -> dict[str, Any]:
    """What an undo adds to the numbers of a plan or a run."""
    return {
        "undoes": made.target.id,
        "refused": [each._asdict() for each in made.refusals],
        "kept": [{"system": system, "field": name, "records": count} for (system, name), count in sorted(made.kept.items())],
        "companies_stay": sorted(made.companies),
        "unlinked": made.apart,
        "linked_again": made.rejoined,
    }


def title(made: UndoPlan) -> str:
    """Which run is undone."""
    target = made.target
    of = f", itself the undo of run {target.counts.get('undoes')}" if target.kind == "undo" else ""
    return f"Undo of run {target.id} (begun {words.moment(target.started_at)} UTC{of})"


def stays(made: UndoPlan) -> list[str]:
    """What an undo leaves as it is. Who has come to use a company's record since cannot be told from here."""
    told = [f"Companies that the run made in {system} stay there: others may have come to use them" for system in sorted(made.companies)]
    return [*refused(made.refusals), *([""] if told else []), *told]


def refused(refusals: Sequence[Refusal]) -> list[str]:
    """Each thing that stays as it is, by name."""
    if not refusals:
        return []
    rows = [(f"p{each.person}", each.system or "everywhere", words.label(each.field), each.why) for each in refusals[:SHOWN]]
    more = [f"  ... and {len(refusals) - SHOWN:,} more (`--json` names all)"] if len(refusals) > SHOWN else []
    return ["", f"Not undone: {words.count(len(refusals), 'case')}", *words.table(rows), *more]


def _linked(made: UndoPlan) -> list[str]:
    lines: list[str] = []
    if made.apart:
        several = words.count(made.apart, "record is", "records are")
        lines.append(f"  {several} taken from the person to whom the run gave them (then `stagesync holds` asks about them)")
    if made.rejoined:
        lines.append(f"  {words.count(made.rejoined, 'record is', 'records are')} given back to the person from whom the run took them")
    return ["", "Links", *lines] if lines else []


def _kept(made: UndoPlan) -> list[str]:
    """What the run only carried over stays where somebody entered it, so that the systems differ there again."""
    told = [f"  {system}: {words.label(name)} in {words.count(count, 'record')}" for (system, name), count in sorted(made.kept.items())]
    return ["", "Stays as somebody entered it there, different from the others until somebody edits it again", *told] if told else []


def _approval(made: UndoPlan) -> list[str]:
    lines: list[str] = []
    stops = made.plan.stops
    if stops:
        lines.append("Before anything is written, somebody must agree, because")
        lines += [f"  - {stop.sentence}{'' if stop.by_yes else ' (`--yes` is not enough)'}" for stop in stops]
    lines.append(f"To carry out exactly this plan:        stagesync apply --approve {made.plan.digest}")
    if all(stop.by_yes for stop in stops):
        lines.append(f"To plan anew and carry that out:       stagesync undo {made.target.id} --yes")
    return lines
