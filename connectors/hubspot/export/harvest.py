"""Everybody by an export: one file with all contacts, where the list would take more calls than are left today (module `ways`).

The place is the export's number and how many of its rows were given: whoever takes a pull up asks for the same file again, and goes on behind them. What
happens meanwhile comes with the delta that follows, as it does behind a list: that looks from before the export was begun, by the same overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from math import ceil
from typing import Any
from zlib import crc32

from ....model.records import Moved, Page, Record, Ref
from ...hints import apart
from ..client import Client
from ..cursor import Cursor
from ..errors import KIND
from ..listing import PAGE
from ..read import BATCH, batch_read, batches, fetch
from ..rows import MERGED, STAMP, keyed, moves_of, records_of, with_own
from .calls import fetched, start
from .layout import NEEDED, Layout, instant_of, laid_out
from .sheet import Sheet
from .trial import Trust, tried
from .ways import Unusable

CHUNK = 1_000
"""Rows that are handed on at once."""
GOES_ON = "everybody is read by an export that was begun before"


def exporting(client: Client, cursor: Cursor, fields: Sequence[str]) -> Cursor:
    """The place at the beginning of a new export. Raises `Unusable`."""
    return cursor.exporting(start(client, [*asked_of(client, fields)]))


def harvested(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[tuple[Page, Cursor]]:
    """The rest of the cursor's export, with the place behind each page. Raises `Unusable` before the first one is given."""
    asked = asked_of(client, fields)
    with fetched(client, cursor.export) as file:
        sheet = Sheet(file)
        layout = laid_out(sheet.header, asked)
        trust = tried(client, sheet, layout, cursor.looks_from(client.settings.overlap_s), cursor.rows)
        if trust.mark != cursor.mark:  # not the file of which rows were given before
            cursor = cursor.exporting(cursor.export)
        client.line.meter.spared += ceil(trust.rows / PAGE)
        with closing(sheet.rows()) as rows:
            yield from _given(client, cursor, fields, islice(rows, cursor.rows, None), layout, trust)


def asked_of(client: Client, fields: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The properties that an export is asked for, as far as the account has them, with their definitions. Raises `Unusable` where it lacks one that we need."""
    told = client.expected(client.get(client.paths.properties))
    known = {str(each["name"]): each for each in keyed(told.get("results"), "name", where=client.system)}
    if not known.keys() >= set(NEEDED):
        raise Unusable(f"this account does not show {', '.join(sorted({*NEEDED} - known.keys()))}")
    return {name: known[name] for name in dict.fromkeys((*NEEDED, *with_own(fields))) if name in known}


def _given(client: Client, cursor: Cursor, fields: Sequence[str], rows: Iterator[Sequence[str]], layout: Layout, trust: Trust) -> Iterator[tuple[Page, Cursor]]:
    """The rows behind the cursor. Those that are not believed wait until a call for them is full."""
    wanted = [(name, layout.place(name)) for name in fields if name in layout.names]
    stamp, merged = layout.place(STAMP), layout.place(MERGED)
    while part := [layout.contact(row) for row in islice(rows, CHUNK)]:
        mark, waiting = cursor.mark, [*cursor.aside]
        records, moved = list[Record](), list[Moved]()
        for contact in part:
            mark = crc32(contact.id.encode(), mark)
            if not trust.of(contact):
                waiting.append(contact.id)
                continue
            cells = contact.cells
            records.append(Record(Ref(KIND, contact.id), instant_of(cells[stamp]), {name: cells[place].value for name, place in wanted}))
            moved += moves_of({"id": contact.id, "properties": {MERGED: cells[merged].value}})
        full = len(waiting) // BATCH * BATCH
        cursor = cursor.given(cursor.rows + len(part), mark, waiting[full:])
        yield _with_aside(client, records, moved, waiting[:full], fields, cursor), cursor
    yield _with_aside(client, [], [], cursor.aside, fields, cursor.over()), cursor.over()


def _with_aside(client: Client, records: list[Record], moved: list[Moved], ids: Sequence[str], fields: Sequence[str], place: Cursor) -> Page:
    """A page with these, and with the contacts of these ids as they are now."""
    gone = []
    for part in batches(ids, BATCH):
        rows = batch_read(client, part, fields)
        records += records_of(rows, fields)
        moved += [move for row in rows for move in moves_of(row)]
        there = {row["id"] for row in rows}
        late, ended, elsewhere = apart(fetch(client, [Ref(KIND, id) for id in part if id not in there], fields, (), None))
        records, gone, moved = [*records, *late], [*gone, *ended], [*moved, *elsewhere]
    return Page(records, place.text(), client.server_time, gone=gone, moved=moved)
