"""How far a migration has come: one row for each pair of systems, with what is known of each of its phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from . import schema
from .sql import Bulk, Statement, decode, encode
from .store import Tx


class Passage(NamedTuple):
    """A migration from `source` to `target`, by the names of the systems. `first_run`: no run of it has a lower number.

    `phases`: phase -> what is known of it; `ended_at` (ms) once it came to its end.
    """

    id: int
    source: str
    target: str
    started_at: int
    first_run: int
    phases: dict[str, dict[str, Any]]

    @property
    def worked_on_at(self) -> int:
        """When somebody last began or ended something of it, ms."""
        return max(self.started_at, *(told.get(name, 0) for told in self.phases.values() for name in ("began_at", "ended_at")), 0)

    def ended(self, phase: str) -> bool:
        """The phase came to its end."""
        return "ended_at" in self.phases.get(phase, {})


_c = schema.migration.c
_ROW = tuple(_c[name] for name in Passage._fields)
_OF_WORKSPACE = Statement(select(*_ROW).where(_c.workspace == bindparam("ws")).order_by(_c.id.desc()))
_NEW = Bulk(schema.migration, ("workspace", "source", "target", "started_at", "first_run", "phases"), ignore=True)
_SET = Bulk(schema.migration, ("phases",), ("id",))


def of_workspace(tx: Tx, ws: int) -> list[Passage]:
    """All migrations of the workspace, the one that was worked on last first."""
    found = (Passage._make((*row[:-1], decode(row[-1]))) for row in tx.rows(_OF_WORKSPACE, {"ws": ws}))
    return sorted(found, key=lambda each: each.worked_on_at, reverse=True)


def begin(tx: Tx, ws: int, source: str, target: str, at: int, first_run: int) -> Passage:
    """The migration between these systems, begun now if it is new."""
    tx.many(_NEW, [(ws, source, target, at, first_run, encode({}))])
    return next(row for row in of_workspace(tx, ws) if (row.source, row.target) == (source, target))


def note(tx: Tx, passage: Passage, phase: str, told: Mapping[str, Any]) -> Passage:
    """Keep what is known of a phase, instead of what was known before."""
    phases = {**passage.phases, phase: dict(told)}
    tx.many(_SET, [(encode(phases), passage.id)])
    return passage._replace(phases=phases)
