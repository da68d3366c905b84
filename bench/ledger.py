"""A ledger as some years of work leave it, invented: people come by many ways, some again, some are deleted, and of half of them
no vendor tells how it began."""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stagesync.state.entries import NewEntry
from stagesync.state.schema import stage_entry

NOW = 1_795_000_000_000
_DAY = 86_400_000
_LINE = ("subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer", "evangelist")
_SOURCES = ("ORGANIC_SEARCH", "PAID_SEARCH", "Web", "OFFLINE", "REFERRAL", None)


def fill(database: Path, rows: int) -> None:
    """Write so many stays, or a few more, into an SQLite state that has none: the first of everybody by person, all others by time, as runs would."""
    dice = random.Random(3)
    first: list[NewEntry] = []
    later: list[NewEntry] = []
    person = 0
    while len(first) + len(later) < rows:
        person += 1
        stays = list(_person(dice, person))
        first.append(stays[0])
        later += stays[1:]
    later.sort(key=lambda stay: stay.entered_seen)
    columns = ("workspace", *NewEntry._fields)
    marks = ", ".join("?" * len(columns))
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO workspace (id, name, synced) VALUES (1, 'bench', 1)")
        told: Iterator[tuple[Any, ...]] = ((1, *stay) for stay in [*first, *later])
        connection.executemany(f"INSERT INTO {stage_entry.name} ({', '.join(columns)}) VALUES ({marks})", told)
    connection.close()


def _person(dice: random.Random, person: int) -> Iterator[NewEntry]:
    """One person's stays, each closed by the next."""
    source = dice.choice(_SOURCES)
    owner = f"rep{dice.randrange(60)}@acme.example" if dice.random() < 0.6 else None
    at, position, number, side = NOW - int(dice.random() * 730 * _DAY), dice.choice((0, 0, 1, 1, 1, 2)), 1, None
    stay: NewEntry | None = None
    while at < NOW:
        stage = _LINE[position] if position != 2 else dice.choice(("mql", "mql", "mql", "pql", "service_qualified"))
        told = None if dice.random() < (0.05 if stay else 0.5) else at  # a first meeting has no time unless it is seeded, a move nearly always has
        due = at + 3 * _DAY if position == 2 and side is None and dice.random() < 0.5 else None
        seen = max(at + dice.randrange(_DAY), stay.entered_seen + 1 if stay else 0)
        new = NewEntry(person, number, stage, side, None, told, seen, system="hubspot", actor="user 47", evidence="hubspot moved it")
        new = new._replace(source=source, owner=owner, origin="run" if stay else "first", due_at=due)
        if stay is not None:
            yield stay._replace(left_at=new.entered_at, left_seen=new.entered_seen, met=stay.met if stay.due_at is None else int(at <= stay.due_at))
        stay = new
        chance = dice.random()
        if chance < 0.22 or (side is not None and side not in ("recycled", "nurture")):
            break
        if side is not None:
            side, number, position = None, number + 1, dice.choice((1, 2))
        elif chance < 0.32:
            side = dice.choice(("disqualified", "recycled", "nurture", "unresponsive"))
        elif position < len(_LINE) - 1:
            position += 1
        else:
            break
        at += int(dice.expovariate(1 / 20) * _DAY)
    if stay is None:
        return
    if dice.random() >= 0.1:
        yield stay
        return
    left = max(stay.entered_seen, NOW - int(dice.random() * 30 * _DAY))
    yield stay._replace(left_at=left, left_seen=left)
    yield stay._replace(stage=None, side=None, entered_at=left, entered_seen=left, evidence="no record is left: deleted in hubspot", origin="gone", due_at=None)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
