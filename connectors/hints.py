"""Hints: what a system tells by itself of records that can be read, and so is only a reason to look at them again.

A hint names records. What it says of them is neither kept nor believed: it may come late, twice, out of order, or never. The records are read as they stand
before anything else is read, and the pull goes on as if there had been no hint. So a lost one costs time and nothing else, and one too many costs a read.

The place up to which hints were read stands in the cursor, which is committed with what they showed: a run that dies in between reads them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.events import Event, Told
from ..model.ports import Clock, Inbox
from ..model.records import Gone, Moved, Observation, Page, Present, Query, Record, Ref

AT_ONCE = 1_000
_MARK = "hints "
"""Begins a cursor that has a place among the hints; what follows behind the second blank is the connector's own."""

Fetch = Callable[[Sequence[Ref], Mapping[str, tuple[str, ...]]], Sequence[Observation]]
Pull = Callable[[Query], Iterator[Page]]


def hint(key: str, kind: str, ids: Iterable[str], *, ended: bool = False) -> Event:
    """Look at these records again. `ended`: they may be gone, which a list of all that is there does not show."""
    return Event(key, {"kind": kind, "ids": list(ids), "ended": ended})


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of one system. `inbox`: None where it sends none."""

    inbox: Inbox | None
    system: str
    clock: Clock

    def then(self, query: Query, fetch: Fetch, pull: Pull) -> Iterator[Page]:
        """What the hints since the cursor are about, as it stands now, then the pull. Where everything is read anyway, only hints of an end are followed."""
        place, cursor = _parted(query.cursor)
        if self.inbox is not None:
            mark = self.inbox.mark() or ""
            after = _number(place, mark)
            if after:
                self.inbox.finish(self.system, after, self.clock.now_ms())
            while told := self.inbox.take(self.system, after, AT_ONCE):
                after = told[-1].id
                place = f"{mark}:{after}"
                yield self._page(_refs(told, ended=cursor is None), query, fetch, _joined(place, cursor or ""))
        for page in pull(replace(query, cursor=cursor)):
            yield replace(page, cursor=_joined(place, page.cursor)) if place else page

    def _page(self, refs: Sequence[Ref], query: Query, fetch: Fetch, cursor: str) -> Page:
        records, gone, moved = apart(fetch(refs, query.fields) if refs else ())
        return Page(records, cursor, self.clock.now_ms(), gone, moved)

    def close(self) -> None:
        """Let go of the inbox."""
        if self.inbox is not None:
            self.inbox.close()


def apart(answers: Iterable[Observation]) -> tuple[list[Record], list[Gone], list[Moved]]:
    """What is there, gone and elsewhere. Of what cannot be read nothing can be said now, and it stops nothing else: it comes again with its next change."""
    records: list[Record] = []
    gone: list[Gone] = []
    moved: list[Moved] = []
    for seen in answers:
        match seen:
            case Present(record=record):
                records.append(record)
            case Gone():
                gone.append(seen)
            case Moved():
                moved.append(seen)
            case _:
                continue
    return records, gone, moved


def heard(cursor: str, mark: str) -> int:
    """The number of the last hint of the inbox with this mark that was followed when this cursor was committed."""
    return _number(_parted(cursor)[0], mark)


def _refs(told: Sequence[Told], *, ended: bool) -> list[Ref]:
    """The records that are named, each once, in the order of their first hint. `ended`: only those that may be gone."""
    bodies: list[Any] = [each.event.body for each in told]
    return [*dict.fromkeys(Ref(body["kind"], id) for body in bodies if body["ended"] or not ended for id in body["ids"])]


def _parted(cursor: str | None) -> tuple[str, str | None]:
    """The place among the hints, and the connector's own cursor."""
    if cursor is None or not cursor.startswith(_MARK):
        return "", cursor
    _, place, own = cursor.split(" ", 2)
    return place, own or None


def _joined(place: str, cursor: str) -> str:
    return f"{_MARK}{place} {cursor}"


def _number(place: str, mark: str) -> int:
    """The number up to which all was read. A place in another inbox says nothing about this one."""
    of, _, number = place.partition(":")
    return int(number) if of == mark and number.isdecimal() else 0
