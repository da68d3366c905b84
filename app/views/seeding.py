"""`stagesync funnel seed`: what lies ahead of the pass, and what it amounted to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...sync.past.seeding import Estimate, Seeding
from . import words

_AGAIN = "`stagesync funnel seed` goes on there"


def ahead_text(estimate: Estimate) -> Iterator[str]:
    """What will be read, as a line; nothing where nobody is left."""
    if estimate.people:
        calls = ", ".join(f"{number:,} of {system}" for system, number in estimate.calls.items() if number)
        yield f"reading the history of {words.count(estimate.people, 'person', 'people')}: about {calls or 'no'} calls"


def seeding_text(found: Seeding) -> Iterator[str]:
    """What was read and written, as lines."""
    if not found.people and not found.left:
        yield "The ledger is seeded: nobody is left whose history was not read."
        return
    yield f"{_people(found.people)} looked at: {words.count(found.entries, 'entry', 'entries')} of the ledger told by histories."
    yield from words.table(
        [
            (system, f"{words.count(told.records, 'record')}", f"{told.with_history:,} with history", words.count(told.calls, "call"))
            for system, told in found.systems.items()
        ]
    )
    for system, told in found.systems.items():
        if told.records and not told.with_history:
            yield f"{system} has no history of {', '.join(told.fields)}: the account does not track these fields, or nobody has changed them since it does."
        elif not told.fields:
            yield f"{system} was not asked: it has no history, shows no stage, or is only written to."
    if found.unexplained:
        yield f"{_people(found.unexplained)} were met in another place than history leads to; when they came there is not known."
    yield f"{_people(found.left)} are left: {_AGAIN}." if found.left else "The ledger is seeded."


def seeding_json(found: Seeding) -> dict[str, Any]:
    """The same as one object."""
    return {
        "people": found.people,
        "entries": found.entries,
        "unexplained": found.unexplained,
        "left": found.left,
        "done": not found.left,
        "systems": [
            {"system": system, "records": told.records, "with_history": told.with_history, "calls": told.calls, "fields": list(told.fields)}
            for system, told in found.systems.items()
        ],
    }


def _people(number: int) -> str:
    return words.count(number, "person", "people")
