"""Everything, or what changed: three parts in a row, each of which can be taken up where it broke off.

`scan`   the list, whose `after` is the next id: no cap, nothing shifts
`delta`  a search for what was modified since the last pull minus an overlap, because the index follows the records late
`bin`    the list of archived contacts, on request: nothing else tells of deletions, and it must be read whole

A delta's pages are cut by id alone (`hs_object_id GT last`, sorted by it): no page is deeper than the first, so neither the cap of 10,000
results nor ten thousand equal stamps matter, and rows that change meanwhile shift nothing. The window has no upper end: rows can only
enter it, and whatever changes behind the last id is newer than the pull's start, so that the next one sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from json import dumps
from typing import Any

from ...model.records import Page, Query, Ref
from ..hints import apart
from .client import Client
from .cursor import Cursor, parse
from .errors import KIND, strange
from .read import fetch, gone_of, is_archived
from .rows import ALWAYS, STAMP, moves_of, records_of, shaped, with_own

LIST_PAGE = 100
SEARCH_PAGE = 200
BODY_LIMIT = 2_900
"""A search body may have 3,000 characters (HubSpot docs, Search the CRM); beyond this, search gives ids and a batch read the values."""
URL_LIMIT = 5_000
"""Property names in a URL beyond this risk a 414; then the list gives ids and a batch read the values."""


def pull(client: Client, query: Query) -> Iterator[Page]:
    """The pages, at least one. The last one's cursor is where the next pull begins."""
    fields = query.fields.get(KIND, ())
    if query.cursor is None:
        yield from _parts(client, Cursor(sweep=query.sweep), fields)
        return
    cursor = parse(query.cursor, where=client.system)
    sweep = query.sweep and not (cursor.sweep or cursor.part == "bin")
    if cursor.part != "done":  # a pull that broke off: first its rest, then what happened since it began
        for page in _parts(client, cursor, fields):
            yield page
            cursor = parse(page.cursor, where=client.system)
    since = max(0, cursor.start - client.settings.overlap_s * 1000)
    yield from _parts(client, Cursor(part="delta", since=since, sweep=sweep), fields)


def _parts(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[Page]:
    """The cursor's part and what follows it."""
    while cursor.part != "done":
        page, cursor = _STEPS[cursor.part](client, cursor, fields)
        yield page


def _after(client: Client, cursor: Cursor, after: str | None) -> Cursor:
    """The place behind a page: further on, or in the next part. Raises `Unreachable` where a list leads to where it came from: it would never end."""
    if after is not None and after == cursor.after:
        raise strange(where=client.system)
    if after is not None:
        return cursor.at(after)
    follows = "bin" if cursor.sweep and cursor.part != "bin" else "done"
    return replace(cursor, part=follows, after="", sweep=False)


def _begun(client: Client, cursor: Cursor) -> Cursor:
    """The first answer of a pull tells when it began, by the vendor's own clock."""
    return cursor if cursor.start else replace(cursor, start=client.server_time)


def _scan(client: Client, cursor: Cursor, fields: Sequence[str]) -> tuple[Page, Cursor]:
    names = ",".join(with_own(fields))
    fits = len(names) <= URL_LIMIT
    found = _list(client, cursor.after, names if fits else ",".join(ALWAYS))
    rows = shaped(found.get("results"), where=client.system)
    following = _after(client, _begun(client, cursor), _next(found))
    return _page(client, rows, fields, following, complete=fits), following


def _bin(client: Client, cursor: Cursor, fields: Sequence[str]) -> tuple[Page, Cursor]:
    found = _list(client, cursor.after, ",".join(ALWAYS), archived=True)
    following = _after(client, _begun(client, cursor), _next(found))
    rows = shaped(found.get("results"), where=client.system)
    gone = [gone_of(row["id"], row) for row in rows if is_archived(row)]
    return Page((), following.text(), client.server_time, gone=gone), following


def _list(client: Client, after: str, names: str, *, archived: bool = False) -> Mapping[str, Any]:
    query = [("limit", str(LIST_PAGE)), ("properties", names), ("archived", "true" if archived else "false")]
    if after:
        query.append(("after", after))
    return client.expected(client.get(client.paths.contacts, query))


def _delta(client: Client, cursor: Cursor, fields: Sequence[str]) -> tuple[Page, Cursor]:
    body = search_body(cursor.since, cursor.after, with_own(fields))
    complete = len(dumps(body)) <= BODY_LIMIT
    if not complete:
        body = search_body(cursor.since, cursor.after, ALWAYS)
    found = client.search(body)
    cursor = _begun(client, cursor)
    after = _next(found)
    while not found.get("results") and after is not None:  # HubSpot may give an empty page before the end
        found = client.search({**body, "after": after})
        after = later if (later := _next(found)) != after else None
    rows = shaped(found.get("results"), where=client.system)
    if not _in_order([cursor.after or "0", *(row["id"] for row in rows)]):
        return _scan(client, Cursor(start=cursor.start, sweep=cursor.sweep), fields)
    following = _after(client, cursor, rows[-1]["id"] if rows and after is not None else None)
    return _page(client, rows, fields, following, complete=complete), following


def search_body(since: int, last_id: str, names: Sequence[str]) -> dict[str, Any]:
    """Modified at or after `since`, with an id beyond the last one."""
    filters = [{"propertyName": STAMP, "operator": "GTE", "value": str(since)}]
    if last_id:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": last_id})
    sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    return {"filterGroups": [{"filters": filters}], "sorts": sorts, "properties": list(names), "limit": SEARCH_PAGE}


def _in_order(ids: Sequence[str]) -> bool:
    """The ids ascend, as numbers or as text: which of the two HubSpot's filter means is not documented, and both cut pages well. A page that
    does neither cannot be continued by its last id; then everything is listed again, which is always right."""
    return _ascending([int(each) for each in ids]) or _ascending(ids)


def _ascending(keys: Sequence[Any]) -> bool:
    return all(one < other for one, other in pairwise(keys))


def _next(found: Mapping[str, Any]) -> str | None:
    after = ((found.get("paging") or {}).get("next") or {}).get("after")
    return str(after) if after else None


def _page(client: Client, rows: Sequence[Mapping[str, Any]], fields: Sequence[str], following: Cursor, *, complete: bool) -> Page:
    moved = [move for row in rows for move in moves_of(row)]
    server_time = client.server_time
    if complete:
        return Page(records_of(rows, fields), following.text(), server_time, moved=moved)
    refs = [Ref(KIND, row["id"]) for row in rows]
    records, gone, elsewhere = apart(fetch(client, refs, fields, (), None) if refs else ())
    return Page(records, following.text(), server_time, gone=gone, moved=[*moved, *elsewhere])


_STEPS: Mapping[str, Callable[[Client, Cursor, Sequence[str]], tuple[Page, Cursor]]] = {"scan": _scan, "delta": _delta, "bin": _bin}
