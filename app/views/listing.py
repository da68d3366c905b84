"""A stored plan as a flat list of changes, in the plan's order, a chunk at a time, so that its size does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...state import actions, links
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.store import Tx
from ...sync.deciding.claims import STAGE
from ...sync.deciding.desk import Desk
from ...sync.deciding.staging import lowers
from ...sync.people.holds import because, group_id
from ...sync.session import Session
from . import words

CHUNK = 2_000
NAMES = 10_000
"""So many names are kept while the plan is read: more than are planned in one batch."""
KINDS: Mapping[str, str] = {
    "create": "new record",
    "change": "change",
    "fill": "blank filled",
    "clear": "value cleared",
    "lower": "stage moved back",
    "archive": "record archived",
    "overruled": "overruled",
    "held": "held",
}
"""Kinds of changes, and what to call them."""


class Change(NamedTuple):
    """One planned change of one field, or one value overruled, or one question. `system` is where, `record` which one ("" for a new one).

    `before` and `after` are canonical, for a new record native. `question`: the id of the group that asks, for what is held.
    """

    action: int
    person: int | None
    who: str
    email: str
    system: str
    record: str
    kind: str
    field: str
    before: Any
    after: Any
    reason: str
    question: str


def each_change(session: Session, run: int) -> Iterator[Change]:
    """All changes of a stored plan."""
    reader = Reader(session.desk)
    for rows, records in each_chunk(session, run):
        for row in rows:
            yield from reader.read(row, records)


def each_chunk(session: Session, run: int) -> Iterator[tuple[list[ActionRow], Mapping[int, LinkRow]]]:
    """The plan's rows in their order, with the records that they touch."""
    after = 0
    while True:
        with session.store.read() as tx:
            rows = actions.of_run(tx, run, ("planned", "held"), after, CHUNK)
            records = _records(tx, rows)
        if not rows:
            return
        after = rows[-1].id
        yield rows, records


def _records(tx: Tx, rows: list[ActionRow]) -> Mapping[int, LinkRow]:
    wanted = [row.link for row in rows if row.link is not None]
    return links.by_ids(tx, wanted) if wanted else {}


@dataclass(slots=True)
class Reader:
    """Turns the rows of a plan, given in their order, into changes.

    Names stand in the decisions, which come before the other rows of the same batch of people.
    """

    desk: Desk
    _names: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    _link: int | None = None
    _told: set[str] = field(default_factory=set[str])

    def read(self, row: ActionRow, records: Mapping[int, LinkRow]) -> Iterator[Change]:
        """The changes that one row makes."""
        if row.link != self._link:
            self._link = row.link
            self._told.clear()
        system = self.desk.systems.get(row.account) if row.account is not None else None
        name = system.name if system else ""
        record = records.get(row.link) if row.link is not None else None
        ref = f"{record.kind} {record.ref}" if record else ""
        match row.op:
            case "decide":
                self._remember(row)
            case "update":
                for key, (before, after, _, reason) in row.fields.items():
                    if key not in self._told:  # each step of a write names the fields that it finishes
                        self._told.add(key)
                        yield self._change(row, name, ref, self._sort(key, before, after), key, before, after, str(reason))
            case "create":
                for key, value in self._named(row).items():
                    yield self._change(row, name, "", "create", key, None, value, row.reason)
            case "archive":
                yield self._change(row, name, ref, "archive", "record", ref, None, row.reason)
            case "overrule":
                for key, (lost, won, _, rule) in row.fields.items():
                    yield self._change(row, name, "", "overruled", key, lost, won, str(rule))
            case _:
                choices = ", ".join(f"{key} {words.value(value)}" for key, value in row.payload.get("choices", {}).items())
                yield self._change(row, name, "", "held", row.field or "record", choices, None, because(row), group_id(row.question or ""))

    def _remember(self, row: ActionRow) -> None:
        values = words.canonical_values(row.payload.get("canonical", {}))
        self._names[row.person or 0] = (words.person({**values, "email": None}, None), str(values.get("email") or ""))
        if len(self._names) > NAMES:
            del self._names[next(iter(self._names))]

    def _change(self, row: ActionRow, system: str, record: str, kind: str, name: str, before: Any, after: Any, reason: str, question: str = "") -> Change:
        who, email = self._names.get(row.person or 0, ("", ""))
        return Change(row.id, row.person, who, email, system, record, kind, name, before, after, reason, question)

    def _sort(self, name: str, before: Any, after: Any) -> str:
        if name == STAGE and lowers(self.desk.funnel, before, after):
            return "lower"
        if after is None:
            return "clear"
        return "fill" if before is None else "change"

    def _named(self, row: ActionRow) -> dict[str, Any]:
        """The values of a new record by canonical name, where there is one."""
        system = self.desk.systems.get(row.account or 0)
        kind = system.map.kinds.get(str(row.payload["kind"])) if system else None
        names: dict[str, str] = {field_map.native: name for name, field_map in kind.fields.items()} if kind else {}
        if kind and kind.stage:
            names |= dict.fromkeys(kind.stage.writes, STAGE)
        return {names.get(str(native), str(native)): value for native, value in row.payload["values"].items()}
