"""Actions: one table for plan, intents, journal, holds and quarantine.

States: `planned`, `approved`, `sent`, `applied`, `rejected`, `unknown`, `held`, `overruled`, `skipped`.
An *intent* is sent or unknown: nobody can say yet what came of it. An open *hold* is held: somebody must decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Integer, Text, and_, bindparam, delete, func, or_, select, update

from . import ids as _ids
from .schema import action, run, word
from .sql import Bulk, Statement, among, decode, encode
from .store import Store, Tx

WRITES = ("create", "update", "archive")
"""The operations that a system is sent."""
ANSWERED = "answered_at"
"""Under this name the `result` of a hold says when it was answered (ms)."""


class ActionRow(NamedTuple):
    """One step for one person and account, or one held field.

    `op`: decide, create, update, archive, hold. `fields`: canonical field -> [before, after, version, reason].
    `payload`: native values to send, or what the decision wants remembered. `question` groups holds that one answer resolves.
    `urgent`: 1 where a write goes before those that are 0.
    """

    id: int
    run: int
    person: int | None
    link: int | None
    account: int | None
    step: int
    op: str
    fields: dict[str, Any]
    payload: dict[str, Any]
    state: str
    reason: str
    question: str | None
    field: str | None
    answer: str | None
    result: dict[str, Any] | None
    attempts: int
    urgent: int = 0

    @property
    def kind(self) -> str:
        """Of a hold: the kind of its question, which is the first word."""
        return (self.question or "").partition(":")[0]


class HoldGroup(NamedTuple):
    """Open holds that ask the same question: how many, of how many people, and the first of them."""

    question: str | None
    field: str | None
    holds: int
    people: int
    first_id: int


_ALL = 2**31 - 1
"""More rows than there are: `LIMIT` takes a number on both databases."""
_c = action.c
_ROW = tuple(_c[name] for name in ActionRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_AFTER = _c.id > bindparam("after")
_LIMIT = bindparam("limit", type_=Integer())
_INTENT = _c.state.in_([word("sent"), word("unknown")])
_HELD = _c.state == word("held")


def _if_given(name: str) -> Any:
    """`column = :name`, or all rows where the parameter is None."""
    return or_(bindparam(name, type_=_c[name].type).is_(None), _c[name] == bindparam(name, type_=_c[name].type))


_INSERT = Bulk(action, ("id", "workspace", *ActionRow._fields[1:]))
_PAYLOADS = Bulk(action, ("payload",), ("id",))
_RESULTS = Bulk(action, ("state", "result", "attempts"), ("id",))
_OF_RUN = Statement(
    select(*_ROW)
    .where(_c.run == bindparam("run"), _AFTER, among(_c.state, "states"), _if_given("op"), _if_given("account"), _if_given("urgent"))
    .order_by(_c.id)
    .limit(_LIMIT)
)
_SET_STATE = Statement(update(action).where(among(_c.id, "ids")).values(state=bindparam("new_state", type_=Text())))
_SET_RANGE = Statement(
    update(action)
    .where(
        _c.run == bindparam("run_id"),
        _c.id.between(bindparam("first"), bindparam("last")),
        _c.state == bindparam("before"),
        _if_given("account"),
        _if_given("op"),
    )
    .values(state=bindparam("after"))
)
_ANSWER = Statement(update(action).where(among(_c.id, "ids")).values(answer=bindparam("text", type_=Text()), result=bindparam("told", type_=Text())))
_INTENTS = Statement(select(*_ROW).where(_WORKSPACE, _INTENT).order_by(_c.id))
_HOLDS = Statement(select(*_ROW).where(_WORKSPACE, _HELD, _AFTER).order_by(_c.id).limit(_LIMIT))
_NUMBER_HELD = Statement(select(func.count()).where(_WORKSPACE, _HELD, or_(_c.answer.is_(None), _c.answer != word("skip"))))
_OF_KIND = or_(_c.question == bindparam("kind", type_=Text()), _c.question.like(bindparam("kind", type_=Text()) + ":%"))
_HOLDS_OF_KIND = Statement(select(*_ROW).where(_WORKSPACE, _HELD, _OF_KIND, _AFTER).order_by(_c.id).limit(_LIMIT))
_ANSWERED = Statement(select(*_ROW).where(_WORKSPACE, _HELD, _c.answer.is_not(None)).order_by(_c.id))
_HOLD_GROUPS = Statement(
    select(_c.question, _c.field, func.count(), func.count(_c.person.distinct()), func.min(_c.id))
    .where(_WORKSPACE, _HELD)
    .group_by(_c.question, _c.field)
    .order_by(func.count().desc(), func.min(_c.id))
)
_HOLDS_OF_PEOPLE = Statement(select(*_ROW).where(among(_c.person, "ids"), _HELD, _WORKSPACE).order_by(_c.id))
_HOLDS_OF_LINKS = Statement(select(*_ROW).where(among(_c.link, "ids"), _HELD, _WORKSPACE).order_by(_c.id))
_CREATING = Statement(
    select(_c.person).where(
        _c.person.is_not(None),
        among(_c.person, "ids"),
        _c.op == word("create"),
        _c.account == bindparam("account"),
        _c.run >= bindparam("first"),
        among(_c.state, "states"),
    )
)
_DISCARD = Statement(delete(action).where(_c.run == bindparam("run"), _c.state == word("planned")))
_BY_IDS = Statement(select(*_ROW).where(among(_c.id, "ids")).order_by(_c.id))
_OF_PERSON = Statement(select(*_ROW).where(_WORKSPACE, _c.person.is_not(None), _c.person == bindparam("person")).order_by(_c.id.desc()).limit(_LIMIT))
_JOURNAL = Statement(select(*_ROW).where(_c.person.is_not(None), among(_c.person, "ids"), _c.state == word("applied")).order_by(_c.id))
_LATELY = Statement(
    select(run.c.started_at, *_ROW)
    .join(run, run.c.id == _c.run)
    .where(
        _WORKSPACE,
        _c.person.is_not(None),
        among(_c.person, "ids"),
        run.c.started_at >= bindparam("since"),
        or_(
            and_(_c.op == word("decide"), _c.state == word("applied")),
            and_(_c.op == word("overrule"), _c.state == word("overruled")),
            and_(_c.op == word("hold"), _c.state == word("skipped"), _c.answer.is_not(None)),
        ),
    )
    .order_by(_c.id)
)
_OF_PEOPLE = Statement(  # by their index: SQLite would read through all that the run has
    select(*_ROW).where(_c.run + 0 == bindparam("run"), _c.person.is_not(None), among(_c.person, "ids"), _c.state == word("planned")).order_by(_c.id)
)
_TALLY = Statement(select(_c.account, _c.op, _c.state, func.count()).where(_c.run == bindparam("run")).group_by(_c.account, _c.op, _c.state))


def _row(*row: Any) -> ActionRow:
    id_, run, person, link, account, step, op, fields, payload, state, reason, *asked, result, attempts, urgent = row
    outcome = None if result is None else decode(result)
    return ActionRow._make((id_, run, person, link, account, step, op, decode(fields), decode(payload), state, reason, *asked, outcome, attempts, urgent))


def _result(result: dict[str, Any] | None) -> str | None:
    return None if result is None else encode(result)


def reserve(tx: Tx, n: int) -> int:
    """The first of `n` consecutive ids for new actions."""
    return _ids.reserve(tx, "action", n)


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""
        ...


def insert(tx: Tx, ws: int, rows: Sequence[ActionRow], digest: Digest | None = None) -> None:
    """Write new actions, with ids from `reserve`. `digest` takes in what is to be done: op, account, link, step and payload."""
    written = [
        (id_, ws, run, person, link, account, step, op, encode(fields), encode(payload), state, reason, *asked, _result(result), attempts, urgent)
        for id_, run, person, link, account, step, op, fields, payload, state, reason, *asked, result, attempts, urgent in rows
    ]
    tx.many(_INSERT, written)
    if digest is not None:
        digest.update("".join([f"{row[7]} {row[5]} {row[4]} {row[6]} {row[9]}\n" for row in written]).encode())


def of_run(
    tx: Tx, run: int, states: Iterable[str], after_id: int, limit: int, op: str | None = None, account: int | None = None, *, urgent: bool = False
) -> list[ActionRow]:
    """A run's actions in these states after this id, in order; of one operation or account if given. `urgent`: only those that are."""
    wanted = {"run": run, "after": after_id, "states": tx.listed(states), "op": op, "account": account, "urgent": 1 if urgent else None, "limit": limit}
    return list(starmap(_row, tx.rows(_OF_RUN, wanted)))


def pages(store: Store, run: int, states: Iterable[str], size: int, op: str | None = None, account: int | None = None) -> Iterator[list[ActionRow]]:
    """The same, so many at a time, each page in a transaction of its own."""
    after = 0
    while True:
        with store.read() as tx:
            rows = of_run(tx, run, states, after, size, op, account)
        if not rows:
            return
        after = rows[-1].id
        yield rows


def of_people(tx: Tx, run: int, person_ids: Iterable[int]) -> list[ActionRow]:
    """All that a run plans for these people, in order."""
    return list(starmap(_row, tx.rows(_OF_PEOPLE, {"run": run, "ids": tx.listed(person_ids)})))


def by_ids(tx: Tx, ids: Iterable[int]) -> dict[int, ActionRow]:
    """Id -> action."""
    return {row[0]: _row(*row) for row in tx.rows(_BY_IDS, {"ids": tx.listed(ids)})}


def of_person(tx: Tx, ws: int, person: int, limit: int = _ALL) -> list[ActionRow]:
    """A person's actions, the newest first; all of them, or the newest so many."""
    return list(starmap(_row, tx.rows(_OF_PERSON, {"ws": ws, "person": person, "limit": limit})))


def journal(tx: Tx, person_ids: Iterable[int]) -> dict[int, list[ActionRow]]:
    """Person -> all that was applied for them, the oldest first."""
    return _grouped(tx.rows(_JOURNAL, {"ids": tx.listed(person_ids)}), ActionRow._fields.index("person"))


def creating(tx: Tx, person_ids: Iterable[int], account: int, first_run: int, states: Iterable[str]) -> set[int]:
    """Those of these people for whom runs from this one on make a record in the account, by creates in these states."""
    wanted = {"ids": tx.listed(person_ids), "account": account, "first": first_run, "states": tx.listed(states)}
    return {row[0] for row in tx.rows(_CREATING, wanted)}


def lately(tx: Tx, ws: int, person_ids: Iterable[int], since: int) -> dict[int, list[tuple[int, ActionRow]]]:
    """Person -> (when the run began, row) of what runs since then (ms) decided and overruled, and of the questions in them that were answered; in order."""
    found: dict[int, list[tuple[int, ActionRow]]] = defaultdict(list)
    for at, *columns in tx.rows(_LATELY, {"ws": ws, "ids": tx.listed(person_ids), "since": since}):
        row = _row(*columns)
        found[row.person or 0].append((at, row))
    return dict(found)


def tally(tx: Tx, run: int) -> dict[tuple[int | None, str, str], int]:
    """(account, op, state) -> how many actions of the run."""
    return {(account, op, state): number for account, op, state, number in tx.rows(_TALLY, {"run": run})}


def set_state(tx: Tx, ids: Iterable[int], state: str) -> None:
    """Let these actions be in this state."""
    tx.run(_SET_STATE, {"ids": tx.listed(ids), "new_state": state})


def set_state_range(tx: Tx, run: int, first_id: int, last_id: int, before: str, after: str, account: int | None = None, op: str | None = None) -> int:
    """Move a whole batch, first to last id, from one state to the next in one statement; of one account or operation if given; how many there were."""
    return tx.run(_SET_RANGE, {"run_id": run, "first": first_id, "last": last_id, "before": before, "after": after, "account": account, "op": op})


def set_results(tx: Tx, rows: Sequence[tuple[int, str, dict[str, Any] | None, int]]) -> None:
    """Write (id, state, result, attempts) of single actions. Ids are distinct."""
    tx.many(_RESULTS, [(state, _result(result), attempts, id_) for id_, state, result, attempts in rows])


def set_payloads(tx: Tx, rows: Sequence[ActionRow]) -> None:
    """Write down what single actions are to send, as it was found out since. Ids are distinct."""
    tx.many(_PAYLOADS, [(encode(row.payload), row.id) for row in rows])


def answer(tx: Tx, ids: Iterable[int], answer: str, at: int) -> None:
    """Write down what somebody decided, and when (ms); the next run acts on it."""
    tx.run(_ANSWER, {"ids": tx.listed(ids), "text": answer, "told": encode({ANSWERED: at})})


def discard(tx: Tx, run: int) -> None:
    """Forget the planned rows of a plan that will not be applied."""
    tx.run(_DISCARD, {"run": run})


def open_intents(tx: Tx, ws: int) -> list[ActionRow]:
    """What was sent and never heard of again, in order: the first thing that a run must clear up."""
    return list(starmap(_row, tx.rows(_INTENTS, {"ws": ws})))


def holds(tx: Tx, ws: int, kind: str | None = None, after_id: int = 0, limit: int = 1000) -> list[ActionRow]:
    """Open holds after this id, in order; if given, of one question, or of all that begin with this word."""
    if kind is None:
        return list(starmap(_row, tx.rows(_HOLDS, {"ws": ws, "after": after_id, "limit": limit})))
    return list(starmap(_row, tx.rows(_HOLDS_OF_KIND, {"ws": ws, "kind": kind, "after": after_id, "limit": limit})))


def each_hold(tx: Tx, ws: int, kind: str | None = None) -> Iterator[ActionRow]:
    """Every hold that is open, answered or not, in order; if given, of one question, or of all that begin with this word."""
    after = 0
    while rows := holds(tx, ws, kind, after):
        after = rows[-1].id
        yield from rows


def held(tx: Tx, ws: int) -> int:
    """How many holds are open, but for those that somebody wants to be left alone."""
    return tx.rows(_NUMBER_HELD, {"ws": ws})[0][0]


def answered_since(tx: Tx, ws: int, at: int) -> list[ActionRow]:
    """Open holds that somebody answered after that moment (ms)."""
    return [row for row in starmap(_row, tx.rows(_ANSWERED, {"ws": ws})) if (row.result or {}).get(ANSWERED, 0) > at]


def hold_groups(tx: Tx, ws: int) -> list[HoldGroup]:
    """Open holds by what they ask, the largest group first."""
    return [HoldGroup(*row) for row in tx.rows(_HOLD_GROUPS, {"ws": ws})]


def holds_of_people(tx: Tx, ws: int, person_ids: Iterable[int]) -> dict[int, list[ActionRow]]:
    """Person -> their open holds."""
    return _grouped(tx.rows(_HOLDS_OF_PEOPLE, {"ws": ws, "ids": tx.listed(person_ids)}), ActionRow._fields.index("person"))


def holds_of_links(tx: Tx, ws: int, link_ids: Iterable[int]) -> dict[int, list[ActionRow]]:
    """Link -> its open holds (a record that could not be matched has no person yet)."""
    return _grouped(tx.rows(_HOLDS_OF_LINKS, {"ws": ws, "ids": tx.listed(link_ids)}), ActionRow._fields.index("link"))


def _grouped(rows: list[tuple[Any, ...]], by: int) -> dict[int, list[ActionRow]]:
    found: dict[int, list[ActionRow]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(_row(*row))
    return dict(found)
