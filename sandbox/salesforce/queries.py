"""Queries over the wire: pages of up to 2,000 rows, each cursor a snapshot that lives for two days."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from ..wire import Response
from .call import Call
from .errors import Refused
from .soql_run import Found

BATCH_SIZE = re.compile(r"batchsize\s*=\s*(\d+)", re.IGNORECASE)
LEAST_PAGE, MOST_PAGE = 200, 2000
CURSOR_MS = 2 * 86_400_000
KEPT = 500
"""How many cursors are remembered; older ones are gone, as after two days."""


@dataclass(frozen=True)
class Cursor:
    """A query's rows as they were when it ran."""

    found: Found
    page: int
    opened_ms: int


class Cursors:
    """Open cursors by the id in their locator."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Cursor] = OrderedDict()

    def query(self, call: Call, *, everything: bool) -> Response:
        """Run `?q=` and answer its first page."""
        found = call.org.runner.run(call.request.arg("q"), everything=everything)
        if found.shape is None:
            return call.answer({"totalSize": len(found.rows), "done": True, "records": []})
        asked = BATCH_SIZE.search(call.request.headers.get("sforce-query-options", ""))
        page = min(MOST_PAGE, max(LEAST_PAGE, int(asked.group(1)))) if asked else MOST_PAGE
        cursor = Cursor(found, page, call.org.clock.now_ms())
        name = call.org.store.mint_as("01g") if len(found.rows) > _room(call, cursor) else ""
        if name:
            self._open[name] = cursor
            while len(self._open) > KEPT:
                self._open.popitem(last=False)
        return self._page(call, name, cursor, 0)

    def more(self, call: Call, locator: str) -> Response:
        """Answer a further page. Raises INVALID_QUERY_LOCATOR."""
        name, _, start = locator.partition("-")
        cursor = self._open.get(name)
        if cursor is None or not start.isdigit() or not 0 <= int(start) < len(cursor.found.rows) or call.org.clock.now_ms() - cursor.opened_ms > CURSOR_MS:
            raise Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(call, name, cursor, int(start))

    def _page(self, call: Call, name: str, cursor: Cursor, start: int) -> Response:
        assert cursor.found.shape is not None
        stop = start + _room(call, cursor)
        total = len(cursor.found.rows)
        emit = call.org.runner.emitter(cursor.found.kind, cursor.found.shape, call.base)
        more = {"nextRecordsUrl": f"{call.base}/query/{name}-{stop}"} if stop < total else {}
        return call.answer({"totalSize": total, "done": stop >= total, **more, "records": [emit(row) for row in cursor.found.rows[start:stop]]})


def _room(call: Call, cursor: Cursor) -> int:
    """Rows that this page of the cursor has."""
    return max(1, min(cursor.page, call.org.habits.page_rows))
