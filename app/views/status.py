"""`stagesync status`: where the workspace stands, from the state alone, without asking any system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...state import accounts, actions, links, people, runs
from ...state.links import Counts
from ...state.store import Tx
from ...sync.people import holds
from ...sync.sending import failures
from ..standing.queues import Queue
from ..standing.unmapped import Unmapped, unmapped_values
from . import words
from .queues import queue_rows, queues_json
from .runs import did, run_row_json, state
from .signals import counts_json, kept
from .sla import waiting, waiting_json


def status_text(tx: Tx, workspace: int, name: str, line: Sequence[str], events: Sequence[Queue]) -> list[str]:
    """Systems, people by stage, open questions and the last run, as lines. `line`: the stages in the order of the funnel."""
    bound, counts = accounts.bound(tx, workspace), links.counts(tx, workspace)
    lines = [f"Workspace {name}: {words.count(people.count(tx, workspace), 'person', 'people')}"]
    lines += words.table([_system(tx, system, account, counts.get(account)) for system, account in bound.items()])
    stages = people.by_stage(tx, workspace)
    if stages:
        lines += [
            "By lifecycle stage, with those who are disqualified, otherwise aside, or without a record left (`stagesync funnel report` counts them apart)",
            *words.table([(stage or "(none)", f"{stages[stage]:,}") for stage in [*line, *({*stages} - {*line, None}), None] if stage in stages]),
        ]
    groups = holds.groups(tx, workspace)
    lines += [f"Held until somebody answers: {words.count(sum(group.count for group in groups), 'case')}{' (`stagesync holds`)' if groups else ''}"]
    lines += words.table([(group.id, group.title) for group in groups])
    if refused := failures.count(tx, workspace):
        lines.append(f"Refused and parked: {words.count(refused, 'write')} (`stagesync errors`)")
    if rows := queue_rows(events):
        lines += ["Events of systems that post or are posted to", *words.table(rows)]
    lines += _unmapped(unmapped_values(tx, workspace))
    lines += waiting(tx, workspace)
    lines += kept(tx, workspace)
    intents = actions.open_intents(tx, workspace)
    if intents:
        lines.append(f"Writes whose outcome is not known yet: {len(intents):,} (the next run looks them up)")
    last = runs.last(tx, workspace)
    if last is None:
        return [*lines, "Last run: none yet"]
    lines.append(f"Last run: {last.id}, {words.moment(last.started_at)} UTC, {state(last)}: {did(last) or 'nothing'}")
    if last.state == "planned":
        lines.append(f"  `stagesync apply --approve {last.digest}` carries its plan out")
    return lines


def status_json(tx: Tx, workspace: int, name: str, events: Sequence[Queue]) -> dict[str, Any]:
    """The same as one object."""
    counts, groups, last = links.counts(tx, workspace), holds.groups(tx, workspace), runs.last(tx, workspace)
    return {
        "workspace": name,
        "people": people.count(tx, workspace),
        "systems": {system: _system_json(tx, account, counts.get(account)) for system, account in accounts.bound(tx, workspace).items()},
        "stages": {stage or "": number for stage, number in people.by_stage(tx, workspace).items()},
        "questions": [{"id": group.id, "question": group.title, "holds": group.count} for group in groups],
        "refused": failures.count(tx, workspace),
        "events": queues_json(events),
        "unmapped": [each.as_json() for each in unmapped_values(tx, workspace)],
        "acceptance": waiting_json(tx, workspace),
        "signals": counts_json(tx, workspace),
        "unknown_outcomes": len(actions.open_intents(tx, workspace)),
        "last_run": None if last is None else run_row_json(last),
    }


def _unmapped(found: list[Unmapped]) -> list[str]:
    """Stage values that mean nothing to the funnel, and where to map them."""
    if not found:
        return []
    rows = [(each.system, f"{each.native}={each.value}", words.count(each.records, "record"), f"map it under [{each.path}]") for each in found]
    return ["Stage values that nobody mapped: they claim nothing (`stagesync check` shows the line that would map each)", *words.table(rows)]


def _system(tx: Tx, system: str, account: int, count: Counts | None) -> tuple[str, str, str]:
    known = accounts.by_id(tx, account)
    live, linked = (count.live, count.linked) if count else (0, 0)
    whose = known.name if known.ref in known.name else f"{known.ref} {known.name}"
    aside = f", {live - linked:,} not linked" if live > linked else ""
    return (system, f"{known.vendor} {whose}".rstrip(), f"{live:,} records, {linked:,} linked{aside}")


def _system_json(tx: Tx, account: int, count: Counts | None) -> dict[str, Any]:
    known = accounts.by_id(tx, account)
    return {"vendor": known.vendor, "account": known.ref, "records": count.live if count else 0, "linked": count.linked if count else 0}
