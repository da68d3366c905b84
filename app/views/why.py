"""`stagesync why`: the story of one person's fields, in time order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...state import people
from ...state.store import Tx
from ...sync import explain
from ...sync.claims import STAGE
from ...sync.desk import Desk
from ...sync.explain import Event, Standing, Why
from ...sync.holds import because, group_id
from . import words
from .lifecycle import lifecycle_json, lifecycle_text
from .signals import signals_json, summary


def why_text(tx: Tx, desk: Desk, workspace: int, person: int, field: str | None = None) -> list[str]:
    """The story of one field, or of all fields that say something, as lines."""
    row = people.by_ids(tx, [person])[person]
    told = [each for each in explain.why(tx, desk, workspace, person, field) if field is not None or _says_something(each)]
    lines = [words.person(words.canonical_values(row.canonical), person)]
    for each in told:
        lines += ["", *_story(each), *([*lifecycle_text(tx, row), *summary(tx, person)] if each.field == STAGE else [])]
    lines += ["", "Times are UTC: the vendor's own for what was seen there, the start of the run for what we did."]
    return lines


def why_json(tx: Tx, desk: Desk, workspace: int, person: int, field: str | None = None) -> dict[str, Any]:
    """The same as one object."""
    row = people.by_ids(tx, [person])[person]
    told = explain.why(tx, desk, workspace, person, field)
    return {
        "person": person,
        "email": words.canonical_values(row.canonical).get("email"),
        "fields": [_field_json(each) for each in told],
        **lifecycle_json(tx, row),
        **(signals_json(tx, person) if field in (None, STAGE) else {}),
    }


def _says_something(told: Why) -> bool:
    return told.value is not None or bool(told.holds) or any(standing.value not in (None, False) for standing in told.standings)


def _story(told: Why) -> list[str]:
    source = f", from {told.source}" if told.source else ""
    rule = f" ({told.rule})" if told.rule else ""
    lines = [f"{words.label(told.field)}: {words.value(told.value)}{source}{rule}"]
    shown = [(each.system, f"{each.kind} {each.ref}", f"{each.native} = {words.value(each.value)}", _standing(each)) for each in told.standings]
    lines += ["  What each system says"]
    lines += words.table(shown, 4) if shown else ["    no system carries this field for this person"]
    if told.events:
        lines += ["  What happened"]
        lines += words.table([(words.moment(event.at), f"run {event.run}" if event.run else "", _sentence(event)) for event in told.events], 4)
    for hold in told.holds:
        lines += [f"  Open question {group_id(hold.question or '')}: {because(hold)}"]
        lines += words.table([(name, words.value(choice)) for name, choice in hold.payload.get("choices", {}).items()], 4)
    return [*lines, f"  What comes next: {'; '.join(told.next) or 'nothing, as long as nobody edits'}"]


def _standing(standing: Standing) -> str:
    return f"{standing.state} (record last modified {words.moment(standing.stamp)})"


def _sentence(event: Event) -> str:
    note = f" ({words.reason(event.note)})" if event.note else ""
    match event.kind:
        case "seen":
            return f"{event.system} changed {event.native}: {words.change(event.before, event.after)}{note}"
        case "met":
            return f"first meeting: {words.value(event.after)}{f' from {event.system}' if event.system else ''}"
        case "decided":
            return f"decided: {words.change(event.before, event.after)}{note}"
        case "held":
            return f"held: {event.note}"
        case "overruled":
            return f"{event.system}'s {words.value(event.before)} gave way to {words.value(event.after)}{note}"
        case "written":
            return (
                f"write to {event.system}{note}"
                if event.before is None and event.after is None
                else f"write to {event.system}: {words.change(event.before, event.after)}{note}"
            )


def _field_json(told: Why) -> dict[str, Any]:
    return {
        "field": told.field,
        "value": told.value,
        "version": told.version,
        "source": told.source or None,
        "rule": told.rule or None,
        "at": words.stamp(told.at),
        "systems": [_standing_json(each) for each in told.standings],
        "events": [_event_json(each) for each in told.events],
        "holds": [
            {
                "group": group_id(hold.question or ""),
                "question": hold.question,
                "reason": hold.reason,
                "choices": hold.payload.get("choices", {}),
                "answer": hold.answer,
            }
            for hold in told.holds
        ],
        "next": list(told.next),
    }


def _standing_json(standing: Standing) -> Mapping[str, Any]:
    return {
        "system": standing.system,
        "kind": standing.kind,
        "ref": standing.ref,
        "native": standing.native,
        "value": standing.value,
        "modified": words.stamp(standing.stamp),
        "state": standing.state,
    }


def _event_json(event: Event) -> Mapping[str, Any]:
    return {
        "at": words.stamp(event.at),
        "run": event.run,
        "kind": event.kind,
        "system": event.system or None,
        "native": event.native or None,
        "before": event.before,
        "after": event.after,
        "note": event.note or None,
    }
