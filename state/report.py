"""The ledger read from end to end for a report, row by row, so that a million of them need no memory.

What a row says beside who and when is packed into one number by the database: fetching a dozen columns would cost several times what sorting and counting do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Integer, bindparam, case, literal_column, null, select

from ..model.stays import GONE, StayKind, When
from . import entries
from .entries import HAS_RECORD
from .schema import stage_entry, word
from .sql import Statement
from .store import Tx

Grouping: TypeAlias = Literal["source", "owner"]

_c = stage_entry.c
_ORDER = (_c.person + literal_column("0"), _c.id)  # a sum, so that no index is used: looking rows up by one takes three times as long as sorting them
_WHENS: tuple[When, ...] = ("before", "in", "after")
_CLOCKS: tuple[Literal["met", "missed", "running"] | None, ...] = (None, "met", "missed", "running")


@dataclass(frozen=True, slots=True)
class Ledger:
    """What of the ledger is read: everything, seen from the period `[since, until)`; `by` a column or nothing. `now`: a clock that is overdue then is missed.

    `stages` and `sides`: those of the funnel, without a name in common.
    """

    stages: Sequence[str]
    sides: Sequence[str]
    since: int
    until: int
    now: int
    by: Grouping | None = None

    def stays(self, tx: Tx, ws: int) -> Iterator[tuple[int, int, int, str | None]]:
        """The fields of `model.stays.Stay`: a person's together, in the order in which they came. Times are the vendor's, but not later than we saw it."""
        return tx.each(self._statement(), {"ws": ws, "since": self.since, "until": self.until, "now": self.now})

    def kind(self, number: int) -> StayKind:
        """What the number of a kind stands for."""
        rest, flags = divmod(number, 16)
        rest, ended = divmod(rest, 4)
        rest, began = divmod(rest, 4)
        names = [None, *self.stages, *self.sides, GONE]
        pass_no, place = divmod(rest, len(names))
        return StayKind(
            pass_no,
            names[place],
            len(self.stages) < place < len(names) - 1,
            flags % 2 == 1,
            flags // 2 % 2 == 1,
            _CLOCKS[flags // 4],
            _WHENS[began],
            _WHENS[ended],
        )

    def _statement(self) -> Statement:
        start = case((_c.entered_at < _c.entered_seen, _c.entered_at), else_=_c.entered_seen)
        end = case((_c.left_at < _c.left_seen, _c.left_at), else_=_c.left_seen)
        since, until = bindparam("since"), bindparam("until")
        began = case((start < since, _number(0)), (start < until, _number(1)), else_=_number(2))
        ended = case((_c.left_seen.is_(None), _number(2)), (end < since, _number(0)), (end < until, _number(1)), else_=_number(2))
        late = _c.due_at < bindparam("now")
        said = (_c.due_at.is_(None), _number(0)), (_c.met == 1, _number(1)), (_c.met == 0, _number(2))
        clock = case(*said, (~HAS_RECORD, _number(0)), (late, _number(2)), else_=_number(3))
        side = _numbered(_c.side, self.sides, 1 + len(self.stages))
        gone = 1 + len(self.stages) + len(self.sides)
        place = case((_c.origin == word(entries.GONE), _number(gone)), (_c.side.is_(None), _numbered(_c.stage, self.stages, 1)), else_=side)
        packed: ColumnElement[Any] = _c.pass_no * _number(1 + gone) + place
        for size, part in ((4, began), (4, ended), (4, clock), (2, _flag(_c.origin == "first")), (2, _flag(_c.entered_at.is_(None)))):
            packed = packed * _number(size) + part
        group = null() if self.by is None else _c[self.by]
        return Statement(select(_c.person, packed, start, group).where(_c.workspace == bindparam("ws")).order_by(*_ORDER))


def _number(value: int) -> ColumnElement[int]:
    """A constant in the SQL itself: a parameter would have to be looked up for each row."""
    return literal_column(str(value), Integer)


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, _number(1)), else_=_number(0))


def _numbered(column: ColumnElement[Any], names: Sequence[str], first: int) -> ColumnElement[int]:
    """The number of the name that stands there; 0 for a strange one, or none."""
    if not names:
        return _number(0)
    return case({name: _number(first + number) for number, name in enumerate(names)}, value=column, else_=_number(0))
