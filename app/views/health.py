"""`stagesync report`: how a workspace is, as short text and as an object. The page with pictures is `health_html.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...state.runs import RunRow
from ..standing.health import Freshness, Health
from ..standing.health_needs import Need, needs, sentence, verdict
from . import words
from .queues import queue_rows, queues_json
from .report import share
from .runs import did, run_row_json, state, took
from .schedule import next_run, schedule_json
from .sla import rate

LAST = 5
"""So many runs are told one by one."""
PROOF = "As far as the systems were read. Only `stagesync verify` asks them again, and is the proof."


def health_text(found: Health) -> list[str]:
    """What needs somebody comes first, then systems, people, acceptance and runs, as lines."""
    told = needs(found)
    return [
        f"Sync health of {found.workspace}, {words.moment(found.now)[:16]} UTC",
        sentence(told),
        *(line for need in told for line in (f"  {'!!' if need.broken else '! '} {need.what}", f"     -> {need.how}")),
        "",
        "Systems",
        *words.table([(each.system, freshness(each), quota(found, each.system)) for each in found.freshness]),
        "",
        f"People: {found.agreement.everybody:,}",
        *words.table([(f"{number:,}", name, meaning) for name, meaning, number in people_rows(found)]),
        f"  {PROOF}",
        *_waiting(found),
        *acceptance(found),
        "",
        f"Next run: {next_run(found.standing)}",
        *_runs(found.runs[:LAST]),
    ]


def people_rows(found: Health) -> list[tuple[str, str, int]]:
    """Name, meaning and number of each part of everybody."""
    told = found.agreement
    return [
        ("in sync", "nothing is to do", told.in_sync),
        ("behind", "the next run has something to settle", told.behind),
        ("held", "somebody has to answer a question", told.held),
        ("refused", "a system refused a write for good", told.refused),
        ("left alone", "somebody said to leave a difference as it is", told.left),
    ]


def freshness(each: Freshness) -> str:
    """How old what is known of a system is."""
    if each.read_at is None:
        return "never read to its end"
    return f"read {words.span(each.age_ms)} ago{' (too old)' if each.stale else ''}"


def quota(found: Health, system: str) -> str:
    """How much of the day's calls was used, and what the timetable costs."""
    told = [f"{each.used:,} of {each.limit:,} API calls used ({share(each.share)})" for each in found.quota if each.system == system]
    told += [f"a quiet day costs {cost.a_day:,}" for cost in found.standing.costs if cost.quiet and cost.system == system and found.standing.row is not None]
    return ", ".join(told) or "API calls: the last run was not told"


def acceptance(found: Health) -> list[str]:
    """How the agreement on acceptance is kept, as a line; none where nothing is agreed."""
    sla = found.acceptance
    if sla is None:
        return []
    more = " or more" if sla.most else ""
    until = f" (the first until {words.moment(sla.first_due_at)[:16]} UTC)" if sla.first_due_at is not None else ""
    month = f"this month {sla.month.met:,} in time, {sla.month.missed:,} not ({share(rate(sla.month))})"
    return [f"Acceptance: {sla.waiting:,} waiting in time{until}, {sla.unanswered:,}{more} not answered in time; {month}"]


def outcome(row: RunRow) -> str:
    """What became of a run, and what it wrote."""
    return f"{state(row)}: {done}" if (done := did(row)) else state(row)


def _waiting(found: Health) -> Iterator[str]:
    if found.holds:
        yield f"Held until somebody answers: {words.count(found.cases, 'case')} (`stagesync holds`)"
        yield from words.table([(group.id, group.plain_title) for group in found.holds])
    if found.refused:
        yield f"Refused and parked: {sum(each.count for each in found.refused):,} (`stagesync errors`)"
        yield from words.table(
            [(each.id, words.count(each.count, each.what), f"{each.system}: {each.code}{f' in {each.field}' if each.field else ''}") for each in found.refused]
        )
    if rows := queue_rows(found.events):
        yield from ("Events of systems that post or are posted to", *words.table(rows))
    if found.unknown:
        yield f"Writes whose outcome is not known yet: {found.unknown:,} (the next run looks them up)"


def _runs(rows: Sequence[RunRow]) -> list[str]:
    return (
        ["Last runs", *words.table([(str(row.id), words.moment(row.started_at), took(row), outcome(row)) for row in rows])] if rows else ["Last runs: none yet"]
    )


def health_json(found: Health) -> dict[str, Any]:
    """The same as one object; times in UTC."""
    told = needs(found)
    return {
        "workspace": found.workspace,
        "at": words.stamp(found.now),
        "verdict": verdict(told),
        "needs": [_need_json(need) for need in told],
        "systems": [_system_json(found, each) for each in found.freshness],
        "people": {"all": found.agreement.everybody, **{name.replace(" ", "_"): number for name, _, number in people_rows(found)}},
        "questions": [
            {"id": group.id, "question": group.plain_title, "holds": group.count, "people": len(group.people), "answers": group.answers}
            for group in found.holds
        ],
        "refused": [
            {"id": each.id, "system": each.system, "code": each.code, "field": each.field or None, "what": each.what, "count": each.count, "remedy": each.helps}
            for each in found.refused
        ],
        "events": queues_json(found.events),
        "unmapped": found.unmapped,
        "unknown_outcomes": found.unknown,
        "acceptance": _acceptance_json(found),
        "schedule": {name: value for name, value in schedule_json(found.standing).items() if name not in ("workspace", "file", "last_run")},
        "runs": [run_row_json(row) for row in found.runs[:LAST]],
    }


def _need_json(need: Need) -> dict[str, Any]:
    return {"broken": need.broken, "what": need.what, "how": need.how}


def _system_json(found: Health, each: Freshness) -> dict[str, Any]:
    used = next(({"used": told.used, "limit": told.limit, "at": words.stamp(told.at)} for told in found.quota if told.system == each.system), None)
    age = None if each.read_at is None else each.age_ms // 1000
    return {
        "system": each.system,
        "read_at": words.stamp(each.read_at),
        "age_s": age,
        "bound_s": each.bound_ms // 1000,
        "stale": each.stale,
        "quota": used,
    }


def _acceptance_json(found: Health) -> dict[str, Any] | None:
    sla = found.acceptance
    if sla is None:
        return None
    return {
        "running": sla.waiting,
        "first_due_at": words.stamp(sla.first_due_at),
        "overdue": sla.overdue,
        "unanswered": sla.unanswered,
        "month": {**sla.month._asdict(), "rate": rate(sla.month)},
    }
