"""The list of contacts, live or archived: by several chains of pages side by side (module `ranges`), or by one where the account does not go along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...model.records import Observation
from ..manners import Answer, MaybeDone
from .client import IN_FLIGHT, Client
from .cursor import Cursor
from .errors import strange
from .ranges import Ask, Chain, Ranges, Strange
from .rows import ALWAYS, contacts_of, is_id

PAGE = 100
"""Contacts of one call (HubSpot docs, Contacts)."""
ALONE = "pages from several places of the list do not fit together here, so contacts are read one page after the other, which takes longer"

Observe = Callable[[Sequence[Mapping[str, Any]]], Sequence[Observation]]
_Reading = Callable[[Answer], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of a page, and where it says that the list goes on. `observed`: the same contacts with their values, where the list is asked for ids alone."""

    rows: Sequence[Mapping[str, Any]]
    after: str | None
    observed: Sequence[Observation] | None = None

    def first(self, number: int) -> Shown:
        """Only so many of the rows."""
        return replace(self, rows=self.rows[:number], observed=None if self.observed is None else self.observed[:number])


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked of the list. `observe`: how the values are read, where it gives ids alone."""

    client: Client
    names: Sequence[str] = ALWAYS
    archived: bool = False
    observe: Observe | None = None

    def walk(self, cursor: Cursor) -> Iterator[tuple[Shown, Cursor, Sequence[str]]]:
        """Its pages from the cursor on to its end, each with the place behind it and with what somebody may want to know."""
        part, notes = cursor.part, list[str]()
        if not cursor.alone:
            try:
                for shown, place in self._side_by_side(cursor):
                    yield shown, place, ()
                    cursor = place
            except Strange:
                cursor = cursor.serial()
                notes.append(ALONE)
        while cursor.part == part:
            shown = self._shown(cursor.after, self.client.expected)
            cursor = begun(self.client, cursor)
            if shown.after is not None and shown.after == cursor.after:  # a list that leads to where it came from would never end
                raise strange(where=self.client.system)
            cursor = cursor.at(shown.after) if shown.after is not None else cursor.over()
            yield shown, cursor, notes
            notes = []

    def _side_by_side(self, cursor: Cursor) -> Iterator[tuple[Shown, Cursor]]:
        """Raises `Strange`: what was given before is right, and the last cursor is where one chain goes on."""
        ranges = Ranges([Chain(*each) for each in cursor.ranges or [(_id(cursor.after or "0"), None)]], IN_FLIGHT)

        def more() -> Callable[[], tuple[Ask, Shown]] | None:
            ask = ranges.more()
            return None if ask is None else partial(self._asked, ask, self.client.expected if ranges.alone() else _found)

        for ask, shown in self.client.flow(more):
            news = ranges.take(ask, [int(row["id"]) for row in shown.rows], None if shown.after is None else _id(shown.after))
            if news or not ask.ahead:
                cursor = begun(self.client, cursor).split(ranges.left())
                yield shown.first(news), cursor

    def _asked(self, ask: Ask, read: _Reading) -> tuple[Ask, Shown]:
        try:
            return ask, self._shown(str(ask.after) if ask.after else "", read)
        except MaybeDone:
            if not ask.ahead:
                raise
            raise Strange from None  # a server may fail over a place that it has not named itself

    def _shown(self, after: str, read: _Reading) -> Shown:
        """A page from there on; nothing: from the beginning."""
        query = [("limit", str(PAGE)), ("properties", ",".join(self.names)), ("archived", "true" if self.archived else "false")]
        if after:
            query.append(("after", after))
        found = read(self.client.get(self.client.paths.contacts, query))
        rows = contacts_of(found.get("results"), where=self.client.system)
        return Shown(rows, following(found), None if self.observe is None else self.observe(rows))


def following(found: Mapping[str, Any]) -> str | None:
    """Where an answer says that the next page is."""
    after = ((found.get("paging") or {}).get("next") or {}).get("after")
    return str(after) if after else None


def pages(client: Client, path: str, query: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """What a list names, page after page. Raises `Unreachable` for one that goes round in a circle, beside what a call raises."""
    after: str | None = None
    while True:
        told = client.expected(client.get(path, [*query, *([("after", after)] if after else [])]))
        yield told.get("results")
        before, after = after, following(told)
        if after is None:
            return
        if after == before:
            raise strange(where=client.system)


def begun(client: Client, cursor: Cursor) -> Cursor:
    """The first answer of a pull tells when it began, by the vendor's own clock."""
    return cursor if cursor.start else replace(cursor, start=client.server_time)


def _found(answer: Answer) -> Mapping[str, Any]:
    """Raises `Strange` for a refusal: the one chain will tell whether it is meant for everybody."""
    if not answer.ok or not isinstance(answer.data, dict):
        raise Strange
    return answer.data


def _id(after: str) -> int:
    """Raises `Strange` for a place that is no id."""
    if not is_id(after):
        raise Strange
    return int(after)
