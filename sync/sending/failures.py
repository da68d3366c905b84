"""Writes that a system refused for good and that are parked: what is open, by cause, and how somebody has them tried again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from ...model.records import Ref
from ...state import actions, links, people
from ...state.store import Store, Tx
from ..deciding import parking
from ..deciding.removal import RECORD

EXAMPLES = 3
Operation: TypeAlias = Literal["create", "update", "archive"]
_TOGETHER = 500
"""So many records are unparked in one transaction."""


class Failure(NamedTuple):
    """One write that was refused. `account`: where. `fields`: ours that did not arrive; `field`: the native one at fault, "" where nobody told.

    `record` is the one that was to be changed; of a record that could not be made (`op` create), the one of the same person by which it is known.
    """

    account: int
    op: Operation
    record: Ref
    person: int | None
    fields: tuple[str, ...]
    code: str
    field: str
    action: int
    link: int


@dataclass(slots=True)
class Cause:
    """Refusals that have one cause. `id` is what `retry` takes; `sentence` the vendor's own of the first one, as far as it is still kept."""

    id: str
    account: int
    code: str
    field: str
    count: int = 0
    ops: set[str] = dataclasses.field(default_factory=set[str])
    fields: set[str] = dataclasses.field(default_factory=set[str])
    people: set[int] = dataclasses.field(default_factory=set[int])
    examples: list[Failure] = dataclasses.field(default_factory=list[Failure])
    sentence: str = ""


def open_failures(tx: Tx, workspace: int) -> Iterator[Failure]:
    """Everything that is parked, record by record."""
    for link, account, address, person, noted in links.parked(tx, workspace):
        found: dict[tuple[Operation, int], list[str]] = {}
        for name, entry in noted.items():
            if isinstance(entry, dict):  # what an older version parked says no cause, and is tried again when its person is looked at
                found.setdefault((_op(name), int(entry["action"])), []).append(name)
        for (op, action), names in found.items():
            first: Mapping[str, Any] = noted[names[0]]
            where = parking.created_in(names[0]) if op == "create" else None
            fields = tuple(sorted(name for name in names if _op(name) == "update"))
            told = (str(first["code"]), str(first["field"] or ""))
            yield Failure(account if where is None else where, op, address, person, fields, *told, action, link)


def _op(name: str) -> Operation:
    return "create" if parking.created_in(name) is not None else "archive" if name == RECORD else "update"


def count(tx: Tx, workspace: int) -> int:
    """How many writes are parked."""
    return sum(1 for _ in open_failures(tx, workspace))


def causes(tx: Tx, workspace: int) -> list[Cause]:
    """What is parked by system, vendor's code and field, the most frequent first."""
    found: dict[str, Cause] = {}
    for failure in open_failures(tx, workspace):
        id = cause_id(failure)
        cause = found.setdefault(id, Cause(id, failure.account, failure.code, failure.field))
        cause.count += 1
        cause.ops.add(failure.op)
        cause.fields.update(failure.fields)
        if failure.person is not None:
            cause.people.add(failure.person)
        if len(cause.examples) < EXAMPLES:
            cause.examples.append(failure)
    for cause in found.values():
        told = actions.by_ids(tx, [failure.action for failure in cause.examples])
        cause.sentence = next((said for row in told.values() if (said := str((row.result or {}).get("reason") or ""))), "")
    return sorted(found.values(), key=lambda cause: (-cause.count, cause.account, cause.code, cause.field))


def cause_id(failure: Failure) -> str:
    """A short name for a cause that stays the same from run to run."""
    return hashlib.sha256(f"{failure.account}:{failure.code}:{failure.field}".encode()).hexdigest()[:6]


def retry(store: Store, workspace: int, chosen: Callable[[Failure], bool], now: int) -> int:
    """Let the next run try these once more; how many. The caller holds the workspace's lease."""
    with store.read() as tx:
        found = [failure for failure in open_failures(tx, workspace) if chosen(failure)]
    for start in range(0, len(found), _TOGETHER):
        some = found[start : start + _TOGETHER]
        with store.write() as tx:
            known = links.by_ids(tx, [failure.link for failure in some])
            for failure in some:
                row = known[failure.link]
                names = [parking.for_create(failure.account)] if failure.op == "create" else [RECORD] if failure.op == "archive" else failure.fields
                known[row.id] = row._replace(claim=parking.without(row.claim or {}, names) or None)
            links.rewrite(tx, list(known.values()))
            people.mark_due(tx, workspace, sorted({failure.person for failure in some if failure.person is not None}), now)
    return len(found)
