"""Runs: what was started when, how it ended, and what it counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Integer, Text, bindparam, func, insert, or_, select, update

from .schema import run, word
from .sql import Statement, among, decode, encode
from .store import Tx

APPLIED_AT = "applied_at"
"""Under this name the counts of a run say when it began to carry its plan out (ms): a plan may lie for hours before somebody approves it."""


class RunRow(NamedTuple):
    """One run. `mapping`: digest of the maps it used; `digest`: of the plan it made; `counts`: its numbers by name."""

    id: int
    kind: str
    started_at: int
    finished_at: int | None
    state: str
    mapping: str | None
    digest: str | None
    counts: dict[str, Any]

    @property
    def acted_at(self) -> int:
        """When it began to carry its plan out, else when it was started."""
        return int(self.counts.get(APPLIED_AT, self.started_at))


_c = run.c
_ROW = tuple(_c[name] for name in RunRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_START = Statement(
    insert(run)
    .values(
        workspace=bindparam("ws"),
        kind=bindparam("kind"),
        started_at=bindparam("at"),
        mapping=bindparam("mapping"),
        state=bindparam("state"),
        counts=bindparam("counts"),
    )
    .returning(_c.id)
)
_FINISH = Statement(
    update(run)
    .where(_c.id == bindparam("run"))
    .values(
        finished_at=bindparam("at"), state=bindparam("state"), counts=bindparam("counts"), digest=func.coalesce(bindparam("digest", type_=Text()), _c.digest)
    )
)
_OF_WORKSPACE = Statement(select(*_ROW).where(_WORKSPACE, _c.id == bindparam("run")))
_BY_ID = Statement(select(*_ROW).where(_c.id == bindparam("run")))
_BY_IDS = Statement(select(*_ROW).where(among(_c.id, "runs")))
_RECENT = Statement(
    select(*_ROW)
    .where(_WORKSPACE, or_(bindparam("kind", type_=Text()).is_(None), _c.kind == bindparam("kind", type_=Text())))
    .order_by(_c.id.desc())
    .limit(bindparam("limit", type_=Integer()))
)
_APPLIED = Statement(select(*_ROW).where(_WORKSPACE, _c.kind == bindparam("kind"), _c.state == bindparam("state")).order_by(_c.id.desc()).limit(1))
_WROTE = Statement(select(*_ROW).where(_WORKSPACE, _c.kind.in_([word("sync"), word("undo")]), _c.state == word("applied")).order_by(_c.id.desc()).limit(1))
_BY_DIGEST = Statement(select(*_ROW).where(_WORKSPACE, _c.digest == bindparam("digest")).order_by(_c.id.desc()).limit(1))


def _rows(found: list[tuple[Any, ...]]) -> list[RunRow]:
    return [RunRow._make((*row[:-1], decode(row[-1]))) for row in found]


def start(tx: Tx, ws: int, kind: str, at: int, mapping: str | None) -> int:
    """Write down that a run begins (state `running`); its id."""
    return tx.rows(_START, {"ws": ws, "kind": kind, "at": at, "mapping": mapping, "state": "running", "counts": "{}"})[0][0]


def finish(tx: Tx, run: int, at: int, state: str, counts: Mapping[str, Any], digest: str | None = None) -> None:
    """Write down how it ended. A plan that is applied later is finished a second time; without a digest the known one stays."""
    tx.run(_FINISH, {"run": run, "at": at, "state": state, "counts": encode(counts), "digest": digest})


def by_id(tx: Tx, run: int) -> RunRow | None:
    """The run of this id."""
    return next(iter(_rows(tx.rows(_BY_ID, {"run": run}))), None)


def by_ids(tx: Tx, numbers: Iterable[int]) -> dict[int, RunRow]:
    """Id -> run."""
    return {row.id: row for row in _rows(tx.rows(_BY_IDS, {"runs": tx.listed(numbers)}))}


def of_workspace(tx: Tx, ws: int, run: int) -> RunRow | None:
    """The run of this id, if it is this workspace's."""
    return next(iter(_rows(tx.rows(_OF_WORKSPACE, {"ws": ws, "run": run}))), None)


def last(tx: Tx, ws: int, kind: str | None = None) -> RunRow | None:
    """The newest run, of a kind if one is given."""
    return next(iter(_rows(tx.rows(_RECENT, {"ws": ws, "kind": kind, "limit": 1}))), None)


def last_applied(tx: Tx, ws: int) -> RunRow | None:
    """The newest sync that was carried out to its end."""
    return next(iter(_rows(tx.rows(_APPLIED, {"ws": ws, "kind": "sync", "state": "applied"}))), None)


def last_written(tx: Tx, ws: int) -> RunRow | None:
    """The newest sync or undo that was carried out to its end."""
    return next(iter(_rows(tx.rows(_WROTE, {"ws": ws}))), None)


def recent(tx: Tx, ws: int, n: int) -> list[RunRow]:
    """The newest runs first."""
    return _rows(tx.rows(_RECENT, {"ws": ws, "kind": None, "limit": n}))


def by_digest(tx: Tx, ws: int, digest: str) -> RunRow | None:
    """The newest run that made the plan with this digest."""
    return next(iter(_rows(tx.rows(_BY_DIGEST, {"ws": ws, "digest": digest}))), None)
