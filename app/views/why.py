"""`stagesync why`: the story of one person's fields, in time order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...state import links
from ...state.store import Tx
from ...sync.deciding.claims import STAGE
from ...sync.people import explain
from ...sync.people.explain import Event, Standing, Story, Why
from ...sync.people.holds import because, group_id
from ...sync.session import Session
from . import words
from .lifecycle import lifecycle_json, lifecycle_text
from .said import said_json, said_text
from .signals import signals_json, summary

LATEST = 12
"""So many events of a field are told where all fields are; the others are counted."""
_CLOCKS = "Times are UTC: the vendor's own for what was seen there, the moment at which the run began to carry it out for what we did."
_MOMENT = "What a system said counts by the vendor's time, what we did by ours; so a system may say what no run had read yet."


def why_text(tx: Tx, session: Session, person: int, field: str | None = None, at: int | None = None) -> list[str]:
    """The story of one field, or of all fields that say something, as lines. `at`: as it stood at that moment (ms)."""
    story = explain.story(tx, session, person, field, at)
    name = words.person(words.canonical_values(story.row.canonical), person)
    lines = [name if at is None else f"{name} as of {words.moment(at)} UTC"]
    if story.then is None:
        return [*lines, "", *_not_known(tx, session, story, at)]
    for each in story.fields:
        if field is not None or _says_something(each):
            lines += ["", *_story(each, at, whole=field is not None)]
            lines += [*lifecycle_text(tx, story.then, session.actors, at), *summary(tx, person, at)] if each.field == STAGE else []
    said = list(said_text(_said(tx, session, person, at)))
    return [*lines, *(["", *said] if said else []), "", _CLOCKS, *([] if at is None else [_MOMENT])]


def _not_known(tx: Tx, session: Session, story: Story, at: int | None) -> list[str]:
    since = "" if story.known_since is None else f": they were first met at {words.moment(story.known_since)} UTC"
    told = lifecycle_text(tx, story.row._replace(notes=None), session.actors, at)
    return [f"Nobody here knew this person then{since}.", *(["What the histories told later:", *told] if told else [])]


def why_json(tx: Tx, session: Session, person: int, field: str | None = None, at: int | None = None) -> dict[str, Any]:
    """The same as one object."""
    story = explain.story(tx, session, person, field, at)
    return {
        "person": person,
        "email": words.canonical_values(story.row.canonical).get("email"),
        "at": words.stamp(at),
        "known_since": words.stamp(story.known_since),
        "known": story.then is not None,
        "fields": [_field_json(each) for each in story.fields],
        "said_about_records": _said(tx, session, person, at),
        **lifecycle_json(tx, story.then or story.row._replace(notes=None), session.actors, at),
        **(signals_json(tx, person, at) if field in (None, STAGE) else {}),
    }


def _said(tx: Tx, session: Session, person: int, at: int | None) -> list[dict[str, Any]]:
    records = [link.id for link in links.of_people(tx, [person]).get(person, [])]
    return said_json(tx, records, {account: connected.name for account, connected in session.systems.items()}, at)


def _says_something(told: Why) -> bool:
    return told.value is not None or bool(told.holds) or any(standing.value not in (None, False) for standing in told.standings)


def _story(told: Why, at: int | None, *, whole: bool) -> list[str]:
    source = f", from {told.source}" if told.source else ""
    rule = f" ({told.rule})" if told.rule else ""
    lines = [f"{words.label(told.field)}: {words.value(told.value)}{source}{rule}"]
    shown = [(each.system, f"{each.kind} {each.ref}", f"{each.native} = {words.value(each.value)}", _standing(each)) for each in told.standings]
    lines += ["  What each system says" if at is None else "  What each system said"]
    lines += words.table(shown, 4) if shown else ["    no system carries this field for this person"]
    lines += _happened(told, whole=whole)
    for hold in told.holds:
        lines += [f"  Open question {group_id(hold.question or '')}: {because(hold)}"]
        lines += words.table([(name, words.value(choice)) for name, choice in hold.payload.get("choices", {}).items()], 4)
    if at is not None:
        return [*lines, *_after(told)]
    return [*lines, f"  What comes next: {'; '.join(told.next) or 'nothing, as long as nobody edits'}"]


def _happened(told: Why, *, whole: bool) -> list[str]:
    events = told.events if whole else [event for event in told.events if event.kind != "record" or told.field == STAGE]
    if not events:
        return []
    left = 0 if whole else max(len(events) - LATEST, 0)
    more = [f"    {words.count(left, 'earlier event')} left out: `stagesync why p{told.person} {told.field}` tells all"] if left else []
    return ["  What happened", *more, *words.table(_lines(events)[left:], 4)]


def _after(told: Why) -> list[str]:
    if not told.later:
        return ["  What came after: nothing until now"]
    more = f" ({words.count(len(told.later) - 1, 'more event')} since)" if len(told.later) > 1 else ""
    return ["  What came after", *words.table(_lines(told.later[:1]), 4), *([f"    {more.strip()}"] if more else [])]


def _standing(standing: Standing) -> str:
    who = f" by {standing.who}" if standing.who else ""
    return f"{standing.state} (record last modified {words.moment(standing.stamp)}{who})" if standing.stamp else standing.state


def _lines(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    return [(words.moment(event.at), f"run {event.run}" if event.run else "", _sentence(event)) for event in events]


def _sentence(event: Event) -> str:
    note = f" ({words.reason(event.note)})" if event.note else ""
    by = f", by {event.who}" if event.who else ""
    match event.kind:
        case "seen":
            who = f" (record last modified by {event.who})" if event.who else ""
            return f"{event.system} changed {event.native}: {words.change(event.before, event.after)}{who}"
        case "record":
            return f"{event.system}: {_became(event)}{by}{note}"
        case "met":
            return f"first meeting: {words.value(event.after)}{f' from {event.system}' if event.system else ''}"
        case "decided":
            return f"decided: {words.change(event.before, event.after)}{note}{by}"
        case "held":
            return f"held: {event.note}"
        case "answered":
            return f"answered: {event.after}"
        case "overruled":
            return f"{event.system}'s {words.value(event.before)} gave way to {words.value(event.after)}{note}"
        case "written":
            return (
                f"write to {event.system}{note}"
                if event.before is None and event.after is None
                else f"write to {event.system}: {words.change(event.before, event.after)}{note}"
            )


def _became(event: Event) -> str:
    match event.before, event.after:
        case "there", after:
            return f"the {event.native or 'record'} was {after}"
        case "deleted" | "erased", _:
            return f"the {event.native} is back"
        case before, after:
            return f"the {before} lives on as {after}"


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
        "after": [_event_json(each) for each in told.later],
    }


def _standing_json(standing: Standing) -> Mapping[str, Any]:
    return {
        "system": standing.system,
        "kind": standing.kind,
        "ref": standing.ref,
        "native": standing.native,
        "value": standing.value,
        "modified": words.stamp(standing.stamp or None),
        "modified_by": standing.who or None,
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
        "by": event.who or None,
        "read": words.stamp(event.seen_at),
        "note": event.note or None,
    }
