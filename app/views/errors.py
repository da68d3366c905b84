"""`stagesync errors`: the writes that a system refused for good, by cause, with what helps. Records are told by their refs: nobody's data is shown."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...state import accounts, actions
from ...state.store import Tx
from ...sync.sending import failures
from ...sync.sending.failures import Cause, Failure
from ..standing.parked_events import Group
from ..standing.remedies import remedy
from . import words
from .plan_files import cell, whole_file

_EXAMPLES = 3
_OPS = {"create": ("new record", ""), "update": ("change", ""), "archive": ("archival", "")}
_COLUMNS = ("group", "system", "code", "field", "operation", "record", "person", "our_fields", "run", "sentence", "remedy")


def errors_text(tx: Tx, workspace: int, events: Sequence[Group] = ()) -> list[str]:
    """Every cause with its count, its remedy, examples and how to have it tried again, as lines. `events`: those that could not be understood or delivered."""
    found, names = failures.causes(tx, workspace), _names(tx, workspace)
    told = [line for group in events for line in ("", *_event_text(group))]
    if not found:
        return ["Nothing is parked: no system refuses a write.", *told]
    total = sum(cause.count for cause in found)
    several = words.count(total, "write was refused and is parked", "writes were refused and are parked")
    lines = [f"{several}. What is parked is tried again when the record or the wanted value changes, or on `stagesync retry`."]
    for cause in found:
        lines += ["", *_cause_text(tx, cause, names)]
    return [*lines, *told]


def _event_text(group: Group) -> list[str]:
    """Events are told by the ids that their sender gave them."""
    lines = [f"{group.id}  {words.count(len(group.events), 'event')} {group.what}: {group.code}", f"    {_sentence(group.remedy)}"]
    lines += [f"    event {item.key}, {'made' if group.outgoing else 'received'} {words.stamp(item.at)}" for item in group.events[:_EXAMPLES]]
    if len(group.events) > _EXAMPLES:
        lines.append(f"    ... and {len(group.events) - _EXAMPLES:,} more")
    return [*lines, f"    stagesync retry {group.id}  has them {'sent' if group.outgoing else 'read'} once more"]


def _cause_text(tx: Tx, cause: Cause, names: dict[int, str]) -> list[str]:
    system = names.get(cause.account, str(cause.account))
    what = " and ".join(_OPS[op][0] + "s" for op in sorted(cause.ops)) if len(cause.ops) > 1 or cause.count > 1 else _OPS[next(iter(cause.ops))][0]
    where = f" in {cause.field}" if cause.field else ""
    lines = [f"{cause.id}  {system} refuses {cause.count:,} {what} of {words.count(len(cause.people), 'person', 'people')}: {cause.code}{where}"]
    lines.append(f"    {_sentence(remedy(_vendor(tx, cause.account), cause.code, system))}")
    if cause.sentence:
        lines.append(f"    {system} says: {words.value(cause.sentence)}")
    lines += [f"    {_example(failure, names)}" for failure in cause.examples]
    if cause.count > len(cause.examples):
        lines.append(f"    ... and {cause.count - len(cause.examples):,} more")
    return [*lines, f"    stagesync retry {cause.id}  tries them once more"]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _example(failure: Failure, names: dict[int, str]) -> str:
    who = _person(failure)
    if failure.op == "create":
        return f"{who}: no record could be made"
    of = f" ({', '.join(words.label(name) for name in failure.fields)})" if failure.fields else ""
    return f"{who}: {names.get(failure.account, '?')} {failure.record.kind} {failure.record.id}{of}"


def errors_json(tx: Tx, workspace: int, events: Sequence[Group] = ()) -> dict[str, Any]:
    """The same as one object."""
    names = _names(tx, workspace)
    told = [
        {
            "id": group.id,
            "system": group.system,
            "code": group.code,
            "count": len(group.events),
            "remedy": group.remedy,
            "outgoing": group.outgoing,
            "examples": [{"event": item.key, "at": words.stamp(item.at), "attempts": item.attempts} for item in group.events[:_EXAMPLES]],
        }
        for group in events
    ]
    return {"groups": [_cause_json(tx, cause, names) for cause in failures.causes(tx, workspace)], "events": told}


def _cause_json(tx: Tx, cause: Cause, names: dict[int, str]) -> dict[str, Any]:
    system = names.get(cause.account, str(cause.account))
    return {
        "id": cause.id,
        "system": system,
        "code": cause.code,
        "field": cause.field or None,
        "operations": sorted(cause.ops),
        "fields": sorted(cause.fields),
        "count": cause.count,
        "people": len(cause.people),
        "remedy": remedy(_vendor(tx, cause.account), cause.code, system),
        "sentence": cause.sentence,
        "examples": [{"person": each.person, "operation": each.op, "record": _record(each)} for each in cause.examples],
    }


def write_errors_csv(tx: Tx, workspace: int, out: Path) -> int:
    """One line for each refused write, as `write_plan` writes a plan; returns how many. Raises `StateError` where the file cannot be written."""
    names, written = _names(tx, workspace), 0
    with whole_file(out) as file:
        file.write("\ufeff")
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(_COLUMNS)
        for failure in failures.open_failures(tx, workspace):
            writer.writerow([cell(each) for each in _row(tx, failure, names)])
            written += 1
    return written


def _row(tx: Tx, failure: Failure, names: dict[int, str]) -> tuple[Any, ...]:
    act = actions.by_ids(tx, [failure.action]).get(failure.action)
    system = names.get(failure.account, str(failure.account))
    return (
        *(failures.cause_id(failure), system, failure.code, failure.field, failure.op),
        *(_record(failure) or "", _person(failure), " ".join(failure.fields)),
        *(act.run if act else "", (act.result or {}).get("reason", "") if act else "", remedy(_vendor(tx, failure.account), failure.code, system)),
    )


def _person(failure: Failure) -> str:
    return "nobody's" if failure.person is None else f"p{failure.person}"


def _record(failure: Failure) -> str | None:
    """The record that was to be changed; none where it could not be made."""
    return None if failure.op == "create" else f"{failure.record.kind} {failure.record.id}"


def _names(tx: Tx, workspace: int) -> dict[int, str]:
    return {account: name for name, account in accounts.bound(tx, workspace).items()}


def _vendor(tx: Tx, account: int) -> str:
    return accounts.by_id(tx, account).vendor
