"""`stagesync signal list`, and what other views tell of signals."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...state import links, people, signals
from ...state.signals import SignalRow
from ...state.store import Tx
from . import words


def events_of(tx: Tx, person: int, at: int | None = None) -> list[SignalRow]:
    """Their signals up to that moment (ms), the newest first; those of their records that the next run will give to them are among them."""
    mine = [row.id for row in links.of_people(tx, [person]).get(person, ())]
    found = [*signals.of_people(tx, [person]).get(person, ()), *(row for rows in signals.of_links(tx, mine).values() for row in rows)]
    return sorted((row for row in found if at is None or row.at <= at), key=lambda row: (-row.at, -row.id))


def signals_text(tx: Tx, person: int) -> list[str]:
    """One line for each signal."""
    events = events_of(tx, person)
    lines = [words.person(words.canonical_values(people.by_ids(tx, [person])[person].canonical), person)]
    if not events:
        return [*lines, "  no signal is known"]
    rows = [(words.moment(row.at), row.kind, row.source, ", ".join(f"{name} {words.value(value)}" for name, value in row.attributes.items())) for row in events]
    return [*lines, *words.table(rows), "Times are UTC."]


def signals_json(tx: Tx, person: int, at: int | None = None) -> dict[str, Any]:
    """The same as one object."""
    return {"person": person, "signals": [_json(row) for row in events_of(tx, person, at)]}


def _json(row: SignalRow) -> dict[str, Any]:
    told = {"kind": row.kind, "at": words.stamp(row.at), "source": row.source, "key": row.key, "attributes": row.attributes}
    return {**told, "seen_at": words.stamp(row.seen_at), "run": row.run}


def summary(tx: Tx, person: int, at: int | None = None) -> list[str]:
    """How often they did what, as one line under their stage; none where nothing is known."""
    events = events_of(tx, person, at)
    last = {row.kind: words.moment(row.at)[:10] for row in reversed(events)}
    counted = Counter(row.kind for row in events)
    told = ", ".join(f"{kind} {counted[kind]:,} (last {day})" for kind, day in sorted(last.items(), key=lambda each: each[1], reverse=True))
    return [f"  What they did (`stagesync signal list`): {told}"] if events else []


def kept(tx: Tx, workspace: int) -> list[str]:
    """How many signals are kept in all, as one line; none where there are none."""
    counts = Counter[str]()
    for each in signals.counts(tx, workspace):
        counts[each.kind] += each.signals
    return [f"Signals kept: {', '.join(f'{kind} {number:,}' for kind, number in counts.most_common())}"] if counts else []


def counts_json(tx: Tx, workspace: int) -> list[dict[str, Any]]:
    """By source and kind."""
    return [{"source": each.source, "kind": each.kind, "signals": each.signals, "last": words.stamp(each.last_at)} for each in signals.counts(tx, workspace)]
