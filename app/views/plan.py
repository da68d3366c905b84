"""`stagesync plan`: what a sync would do, on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...sync.engine import PlanReport
from ...sync.people import holds
from ...sync.people.holds import Group
from ...sync.session import Session
from ..terminal.summary import plan_json as numbers
from . import words
from .companies import companies_text
from .holds import second_records
from .listing import KINDS, Change
from .survey import Survey, survey

_KINDS = {
    "creates": ("new record", ""),
    "updates": ("record changed", "records changed"),
    "fills": ("record with only blanks filled", "records with only blanks filled"),
    "clears": ("record with a value cleared", "records with a value cleared"),
    "archives": ("record archived", "records archived"),
    "lowerings": ("stage moved back", "stages moved back"),
}
_TOP = 8


def plan_text(session: Session, report: PlanReport, *, approvable: bool = True) -> list[str]:
    """The plan as lines: what would be written where and why, what that sets off, what is held or left out, and how to approve it.

    `approvable` False: it is only a trial, and nobody can carry it out.
    """
    found = survey(session, report.run, report.companies)
    tally = report.tally
    lines = [f"Plan {report.digest}: {words.count(tally.people, 'person has', 'people have')} something to settle. Nothing is written yet."]
    lines += _reading(report)
    lines += _writes(session, report, found)
    lines += _sets_off(report, found)
    lines += _overruled(found)
    lines += _qualified(report)
    lines += _held(session, report)
    lines += _left_out(session, report)
    lines += _examples(found)
    return [*lines, "", *_approval(report)] if approvable else lines


def plan_json(session: Session, report: PlanReport) -> dict[str, Any]:
    """The same as one object."""
    found = survey(session, report.run, report.companies)
    with session.store.read() as tx:
        groups = holds.groups(tx, session.workspace)
    return {
        **numbers(report),
        "calls": {system: cost.calls for system, cost in found.costs.items()},
        "cost": [
            {"system": system, "calls": cost.calls, "bulk": cost.bulk, "jobs": cost.jobs, "seconds": cost.seconds, "companies": cost.companies}
            for system, cost in found.costs.items()
        ],
        "companies": {system: named._asdict() for system, named in report.companies.items()},
        "changes": [{"system": system, "kind": kind, "field": name, "count": count} for (system, kind, name), count in sorted(found.fields.items())],
        "stage_moves": [{"system": system, "from": before, "to": after, "count": count} for (system, before, after), count in sorted(found.moves.items())],
        "overruled_by": [{"rule": rule, "field": name, "count": count} for (rule, name), count in sorted(found.rules.items())],
        "unmapped": [{"system": system, "value": value, "people": count} for (system, value), count in sorted(report.tally.unmapped.items())],
        "qualified": [{"rule": rule, "mode": mode, "people": count} for (rule, mode), count in sorted(report.tally.promoted.items())],
        "breached": report.breached,
        "forgotten": [{"system": name, "records": each.forgotten} for name, each in report.pulled.items() if each.forgotten],
        "unread": [{"system": name, "finding": finding} for name, each in report.pulled.items() for finding in each.findings],
        "reading": [{"system": name, "note": note} for name, each in report.pulled.items() for note in each.notes],
        "not_carried": list(session.desk.maps.notes),
        "questions": [{"id": group.id, "question": group.title, "holds": group.count} for group in groups],
        "examples": [{**change._asdict(), "question": change.question or None} for changes in found.examples.values() for change in changes],
    }


def writes_text(writes: Mapping[str, int]) -> str:
    """`10 new records, 1 stage moved back`. `writes`: kind of change -> how many."""
    return ", ".join(words.count(count, *_KINDS[kind]) for kind in _KINDS if (count := writes.get(kind, 0))) or "nothing"


def _reading(report: PlanReport) -> list[str]:
    lines = words.readings((name, note) for name, each in report.pulled.items() for note in each.notes)
    return ["", "How it was read", *(f"  {line}" for line in lines)] if lines else []


def _writes(session: Session, report: PlanReport, found: Survey) -> list[str]:
    lines = ["", "What would be written"]
    for connected in session.systems.values():
        name = connected.name
        told = writes_text({kind: count for (system, kind), count in report.tally.writes.items() if system == name and kind != "lowerings"})
        cost = found.costs[name].text() if name in found.costs else ""
        lines.append(f"  {name}: {told}{f'  ({cost})' if cost else ''}")
        fields: Counter[str] = Counter()
        for (system, kind, field), count in found.fields.items():
            if system == name and kind not in ("create", "archive"):
                fields[words.label(field)] += count
        if fields:
            rest = f", and {len(fields) - _TOP} more" if len(fields) > _TOP else ""
            lines.append(f"    in existing records: {', '.join(f'{field} {count:,}' for field, count in fields.most_common(_TOP))}{rest}")
        if name in report.companies:
            lines += [f"    {line}" for line in companies_text(name, report.companies[name])]
    return lines


def _sets_off(report: PlanReport, found: Survey) -> list[str]:
    """What follows from the writes in the systems themselves."""
    told: list[str] = []
    for system in sorted({system for system, _, _ in found.moves}):
        moves = Counter({(before, after): count for (name, before, after), count in found.moves.items() if name == system})
        back = report.tally.writes.get((system, "lowerings"), 0)
        shown = ", ".join(f"{before} -> {after} {count:,}" for (before, after), count in moves.most_common(4))
        rest = ", ..." if len(moves) > 4 else ""
        several = words.count(moves.total(), "record changes", "records change")
        told.append(f"  {system}: {several} lifecycle stage ({shown}{rest}): workflows that listen for it will start")
        if back:
            told.append(f"  {system}: {back:,} of them {'moves' if back == 1 else 'move'} back")
    for (system, kind), count in sorted(report.tally.writes.items()):
        if kind == "creates":
            several = words.count(count, "new record starts", "new records start")
            told.append(f"  {system}: {several} whatever listens for new records there, and may count for billing")
    return ["", "What that sets off", *told] if told else []


def _overruled(found: Survey) -> list[str]:
    if not found.rules:
        return []
    rules: dict[str, Counter[str]] = {}
    for (rule, name), count in found.rules.items():
        rules.setdefault(rule, Counter())[words.label(name)] += count
    lines = ["", f"Overruled by a rule: {words.count(found.rules.total(), 'value gives', 'values give')} way; both values are kept"]
    for rule, fields in sorted(rules.items(), key=lambda item: -item[1].total())[:_TOP]:
        most = ", ".join(f"{name} {count:,}" for name, count in fields.most_common(5))
        lines.append(f'  {fields.total():,} because "{words.reason(rule)}": {most}{", ..." if len(fields) > 5 else ""}')
    return [*lines, *([f"  ... and {len(rules) - _TOP} more rules"] if len(rules) > _TOP else [])]


def _qualified(report: PlanReport) -> list[str]:
    lines = words.promotions(report.tally.promoted)
    if report.breached:
        lines.append(f"{words.count(report.breached, 'person was', 'people were')} not answered in the agreed time (`stagesync sla`).")
    return ["", "Qualification", *(f"  {line}" for line in lines)] if lines else []


def _held(session: Session, report: PlanReport) -> list[str]:
    with session.store.read() as tx:
        groups = holds.groups(tx, session.workspace)
    if not groups:
        return []
    total = sum(group.count for group in groups)
    new = words.of_which_new(report.tally.new_holds, total)
    head = f"Held until somebody answers: {words.count(total, 'case')}{new}; one answer resolves each of these (`stagesync holds`)"
    return ["", head, *(line for group in groups for line in _group(group))]


def _group(group: Group) -> list[str]:
    return [f"  {group.id}  {group.title}", *(f"          {line}" for line in second_records(group))]


def _left_out(session: Session, report: PlanReport) -> list[str]:
    lines = [
        f"  {words.count(count, 'person', 'people')} not created in {system}: {reason}" for (system, reason), count in sorted(report.tally.excluded.items())
    ]
    lines += [
        f"  {words.count(count, 'person has', 'people have')} a stage in {system} that nobody mapped ({value}): it says nothing"
        for (system, value), count in sorted(report.tally.unmapped.items())
    ]
    lines += [f"  {line}" for line in words.unread([(name, finding) for name, each in report.pulled.items() for finding in each.findings])]
    lines += [
        f"  {words.count(each.forgotten, 'record')} in {name} left out: {'its person was' if each.forgotten == 1 else 'their people were'} forgotten"
        for name, each in report.pulled.items()
        if each.forgotten
    ]
    notes = session.desk.maps.notes
    if any(stop.kind in ("first", "mapping") for stop in report.stops):
        lines += [f"  {note}" for note in notes]
    elif notes:
        lines.append(
            f"  as before, {words.count(len(notes), 'field or stage', 'fields or stages')} that one of the systems cannot carry (`stagesync check` lists them)"
        )
    return ["", "Left out", *lines] if lines else []


def _examples(found: Survey) -> list[str]:
    lines: list[str] = []
    for kind in ("change", "lower", "clear", "fill", "create", "archive"):
        for (system, name), changes in sorted(found.examples.items(), key=lambda item: item[0]):
            if name == kind:
                lines += _example(system, kind, changes)
    return ["", "Examples", *lines] if lines else []


def _example(system: str, kind: str, changes: list[Change]) -> list[str]:
    people: dict[int | None, list[Change]] = {}
    for change in changes:
        people.setdefault(change.person, []).append(change)
    lines: list[str] = []
    for person, theirs in people.items():
        first = theirs[0]
        who = f"{first.who or first.email or 'somebody'} (p{person})"
        if kind == "create":
            shown = ", ".join(f"{words.label(each.field)} {words.value(each.after)}" for each in theirs[:4])
            lines.append(f"  {system}, {KINDS[kind]}: {who}: {shown}{f' and {len(theirs) - 4} more' if len(theirs) > 4 else ''}")
            continue
        for each in theirs[:2]:
            lines.append(f"  {system}, {KINDS[kind]}: {who}: {words.label(each.field)} {words.change(each.before, each.after)} ({words.reason(each.reason)})")
    return lines


def _approval(report: PlanReport) -> list[str]:
    if report.empty and not report.stops:
        return ["Nothing would be written."]
    lines: list[str] = []
    grave = [stop for stop in report.stops if not stop.by_yes]
    if report.stops:
        lines.append("Before anything is written, somebody must agree, because")
        lines += [f"  - {stop.sentence}{'' if stop.by_yes else ' (`--yes` is not enough)'}" for stop in report.stops]
    lines.append(f"To carry out exactly this plan:        stagesync apply --approve {report.digest}")
    if not grave:
        lines.append(f"To plan anew and carry that out:       stagesync sync{' --yes' if report.stops else ''}")
    return lines
