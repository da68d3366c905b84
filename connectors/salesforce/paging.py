"""One object, page by page: everything, or what changed, by keyset, so that a crash costs a page and rows with equal stamps are never skipped.

Everything is read in the order of Ids. Changes are read in the order of (SystemModstamp, Id) from a window's beginning on, which lies `overlap_s` before the
vendor's time of the last reading: a record is stamped before it is committed, up to ten minutes for one transaction, and so becomes visible behind whoever
reads by stamps.
Ids are compared by Salesforce only: its order is not that of our strings.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from ..manners import Answer, http_date_ms
from . import harvest
from .client import Client
from .cursor import Position
from .rows import NEEDED, Row, next_url, records_of, stamp_ms, whole
from .soql import moment, select, text


@dataclass(frozen=True, slots=True)
class Part:
    """One page of one object: its rows, the place after it, and the vendor's time."""

    rows: list[Row]
    position: Position
    server_time: int


def parts(client: Client, source: str, columns: Sequence[str], position: Position, overlap_s: int, many: int | None = None) -> Iterator[Part]:
    """Follow the pages of the query; where its cursor is lost on the way, go on by keyset with a new query. `columns` have Id, SystemModstamp and IsDeleted.

    `many`: everything of an object that has so many records is read by a job, from its second page on.
    """
    answer: Answer | None = None
    following: str | None = None
    while True:
        if position.job is not None:
            position = yield from _harvested(client, source, columns, position)
            if position.since is not None:
                return
            following = None
        asked = client.clock.monotonic()
        answer = client.following(following) if following is not None else None
        if answer is None:
            answer = client.query(_question(source, columns, position, overlap_s), everything=position.since is not None)
        rows = records_of(answer.data, client.system, NEEDED)
        server_time = _server_ms(answer, rows, position)
        following = next_url(answer.data, following, client.system)
        if position.start is None:
            # The query saw what was there when it began, at the latest when it was sent.
            position = replace(position, start=server_time - int((client.clock.monotonic() - asked) * 1000))
        if following is None:
            position = Position(since=position.start)
        elif rows:
            position = replace(position, stamp=stamp_ms(rows[-1]["SystemModstamp"]), after=rows[-1]["Id"])
        if many is not None and following is not None and position.since is None and _is_large(answer, many):
            position = harvest.begun(client, source, columns, position) or position
            many = None  # one attempt is enough
        yield Part(rows, position, server_time)
        if following is None:
            return


def _harvested(client: Client, source: str, columns: Sequence[str], position: Position) -> Generator[Part, None, Position]:
    reading = harvest.harvested(client, source, columns, position)
    while True:
        try:
            rows, at = next(reading)
        except StopIteration as end:
            return end.value
        yield Part(whole(rows, client.system, NEEDED), at, client.clock.now_ms())


def _server_ms(answer: Answer, rows: Sequence[Row], position: Position) -> int:
    """The vendor's clock when it answered. One that is not shown need not agree with ours; then it is the newest stamp that came, which is not ahead of it."""
    told = http_date_ms(answer.headers.get("date", ""))
    return max((stamp_ms(row["SystemModstamp"]) for row in rows), default=position.since or 0) if told is None else told


def _is_large(answer: Answer, many: int) -> bool:
    size = answer.data.get("totalSize")
    return isinstance(size, int) and size >= many


def window(since: int, overlap_s: int) -> int:
    """Where the changes to be read begin, in milliseconds: a whole second."""
    return (since - overlap_s * 1000) // 1000 * 1000


def _question(source: str, columns: Sequence[str], at: Position, overlap_s: int) -> str:
    if at.since is None:
        return select(columns, source, f"Id > {text(at.after)}" if at.after else "", "Id")
    if at.stamp is not None and at.after is not None:
        stamp = moment(at.stamp)
        where = f"(SystemModstamp = {stamp} AND Id > {text(at.after)}) OR SystemModstamp > {stamp}"
    else:
        where = f"SystemModstamp >= {moment(window(at.since, overlap_s))}"
    return select(columns, source, where, "SystemModstamp, Id")
