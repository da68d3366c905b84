"""A few people go first: their part of the plan is carried out and read back, and only where all of it landed as wanted may the rest follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ...model.errors import SafetyStop
from ...state import actions
from ...state.actions import ActionRow
from ...state.store import Tx
from ..looking.verify import verify_people
from ..session import Session
from .apply import OPERATIONS, Sender
from .commit import commit_these
from .standing import Touched, drifted_of

_TOLD = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """What did not land as wanted: whose (0: nobody's any more), where, and what of it, without values."""

    person: int
    system: str
    what: str

    def __str__(self) -> str:
        return f"{f'p{self.person} in ' if self.person else ''}{self.system}: {self.what}"


Send = Callable[[Callable[[Sender], None]], Exception | None]
"""Let every system's sender do this, side by side, and find out what came of it; the first error."""


def canary(session: Session, run: int, number: int, started: int, send: Send, since: Touched | None) -> tuple[int, Exception | None]:
    """Write so many people and look; how many there were, and why the rest must not follow (None: it may).

    The others' decisions are not even committed: a run that ends here leaves them as they were. `since`: as in `commit_decisions`.
    """
    with session.store.write() as tx:
        rows = _rows_of(tx, session, run, _chosen(tx, session, run, number))
        decided = [row for row in rows if row.op == "decide"]
        stale = drifted_of(tx, session.workspace, decided, since) if since is not None else set[int]()
        late = {row.person for row in rows if row.id in stale}
        rows = [row for row in rows if row.person not in late]
        commit_these(tx, session, rows, started)
    persons = sorted({row.person for row in rows if row.person is not None})
    error = send(lambda sender: sender.send_these(rows))
    if error is not None:
        return len(persons), error
    session.progress("reading back the first", len(persons))
    differences = [*_not_done(session, rows), *_not_there(session, persons)]
    return len(persons), _stop(len(persons), differences) if differences else None


def _chosen(tx: Tx, session: Session, run: int, number: int) -> list[int]:
    """The first people of each kind of write in each system in turn, so that a few show all that the plan does."""
    kinds = [actions.of_run(tx, run, ("planned",), 0, number, op=op, account=account) for op in OPERATIONS for account in session.systems]
    turns = [row.person for turn in zip_longest(*kinds) for row in turn if row is not None and row.person is not None]
    return list(dict.fromkeys(turns))[:number]


def _rows_of(tx: Tx, session: Session, run: int, persons: Sequence[int]) -> list[ActionRow]:
    """All that the plan has about them, in the plan's order."""
    found = [row for person in persons for row in actions.of_person(tx, session.workspace, person) if row.run == run and row.state == "planned"]
    return sorted(found, key=lambda row: row.id)


def _not_done(session: Session, rows: Sequence[ActionRow]) -> list[Difference]:
    with session.store.read() as tx:
        now = actions.by_ids(tx, [row.id for row in rows if row.op in OPERATIONS])
    return [Difference(row.person or 0, session.systems[row.account or 0].name, _why(row)) for row in now.values() if row.state != "applied"]


def _why(row: ActionRow) -> str:
    if row.state != "rejected":
        return "not written, the record was changed meanwhile or could not be reached"
    told = row.result or {}
    return f"refused with {told.get('code')}{f' in {field}' if (field := told.get('field')) else ''}"


def _not_there(session: Session, persons: Sequence[int]) -> list[Difference]:
    """Fields that read back differ from what was wanted. What was refused is told already."""
    found = verify_people(session, persons)
    drifts = [(drift, [name for name, _, _, refused in drift.fields if not refused]) for drift in found.drifts]
    told = [Difference(drift.person, drift.system, f"{drift.kind} {drift.ref} reads back otherwise in {', '.join(names)}") for drift, names in drifts if names]
    return [*told, *(Difference(0, lost.system, f"{lost.kind} {lost.ref}: {lost.why}") for lost in found.lost)]


def _stop(number: int, differences: Sequence[Difference]) -> SafetyStop:
    told, first = "; ".join(map(str, differences[:_TOLD])), max(differences[0].person, 1)
    more = f"; and {len(differences) - _TOLD} more" if len(differences) > _TOLD else ""
    return SafetyStop(
        f"of the first {number:,} {'person' if number == 1 else 'people'} not all landed as wanted, and nobody else was written: {told}{more}",
        where="--canary",
        next_step=f"`stagesync why p{first}` and `stagesync errors` tell more; mend it, then run `stagesync sync --canary {number}` again",
    )
