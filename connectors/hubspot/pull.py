"""Everything, or what changed: three parts in a row, each of which can be taken up where it broke off.

`scan`   the list, whose `after` is the next id: no cap, nothing shifts (module `listing`); or an export, where that takes too many calls (folder `export`)
`delta`  a search for what was modified since the last pull minus an overlap, because the index follows the records late
`bin`    the list of archived contacts, on request: nothing else tells of deletions, and it must be read whole

A delta's pages are cut by id alone (`hs_object_id GT last`, sorted by it): no page is deeper than the first, so neither the cap of 10,000
results nor ten thousand equal stamps matter, and rows that change meanwhile shift nothing. The window has no upper end: rows can only
enter it, and whatever changes behind the last id is newer than the pull's start, so that the next one sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from json import dumps
from typing import Any

from ...model.records import Observation, Page, Query, Ref
from ..hints import apart
from .client import Client
from .cursor import Cursor, parse
from .errors import KIND
from .export.harvest import GOES_ON, exporting, harvested
from .export.trial import count
from .export.ways import Unusable, by_export, is_time_to_count
from .listing import Listing, Shown, begun, following
from .read import fetch, gone_of, is_archived
from .rows import ALWAYS, STAMP, contacts_of, moves_of, records_of, with_own

_BY_PAGES = "contacts are read by pages, which may take the calls of several days"
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
    yield from _parts(client, Cursor(part="delta", since=cursor.looks_from(client.settings.overlap_s), sweep=sweep), fields)


def _parts(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[Page]:
    """The cursor's part and what follows it."""
    while cursor.part != "done":
        for page, place in _STEPS[cursor.part](client, cursor, fields):
            yield page
            cursor = place


def _scan(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[tuple[Page, Cursor]]:
    """Everybody, by the list or by an export. Where an export cannot be used, the list goes on where it was left for it."""
    notes = (GOES_ON,) if cursor.export else ()
    while cursor.part == "scan":
        by_export = bool(cursor.export)
        try:
            for page, place in harvested(client, cursor, fields) if by_export else _list(client, cursor, fields):
                yield replace(page, notes=(*notes, *page.notes)), place
                cursor, notes = place, ()
        except Unusable as error:
            cursor = cursor.by_list(for_good=not error.lost)
            notes = (*notes, f"an export would spare calls, but cannot be used, because {error.why}: {_BY_PAGES}")


def _list(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[tuple[Page, Cursor]]:
    """The pages of the list, up to its end or to the beginning of an export. Raises `Unusable` where one that is needed cannot be had."""
    names = with_own(fields)
    fits = len(",".join(names)) <= URL_LIMIT
    listing = Listing(client, names) if fits else Listing(client, observe=partial(_read, client, fields=fields))
    counted = cursor.listed
    for pages, (shown, place, notes) in enumerate(listing.walk(cursor), start=1):
        yield replace(_page(client, shown, fields, place), notes=notes), place
        calls_a_page = 1 if fits else 2
        left = client.line.left
        if left is None or counted or place.part != "scan" or not is_time_to_count(pages * calls_a_page, left):
            continue
        counted = True
        why = by_export(count(client), calls_a_page, left)
        if why is not None:
            place = exporting(client, place, fields)
            yield Page((), place.text(), client.server_time, notes=(why,), keep=True), place
            return


def _bin(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[tuple[Page, Cursor]]:
    for shown, place, notes in Listing(client, archived=True).walk(cursor):
        gone = [gone_of(row["id"], row) for row in shown.rows if is_archived(row)]
        yield Page((), place.text(), client.server_time, gone=gone, notes=notes), place


def _delta(client: Client, cursor: Cursor, fields: Sequence[str]) -> Iterator[tuple[Page, Cursor]]:
    body = search_body(cursor.since, cursor.after, with_own(fields))
    complete = len(dumps(body)) <= BODY_LIMIT
    if not complete:
        body = search_body(cursor.since, cursor.after, ALWAYS)
    found = client.search(body)
    cursor = begun(client, cursor)
    after = following(found)
    while not found.get("results") and after is not None:  # HubSpot may give an empty page before the end
        found = client.search({**body, "after": after})
        after = later if (later := following(found)) != after else None
    rows = contacts_of(found.get("results"), where=client.system)
    if not _in_order([cursor.after or "0", *(row["id"] for row in rows)]):
        yield from _scan(client, Cursor(start=cursor.start, sweep=cursor.sweep), fields)
        return
    place = cursor.at(rows[-1]["id"]) if rows and after is not None else cursor.over()
    yield _page(client, Shown(rows, after, None if complete else _read(client, rows, fields)), fields, place), place


def search_body(since: int, last_id: str, names: Sequence[str]) -> dict[str, Any]:
    """Modified at or after `since`, with an id beyond the last one: all that the reference requires of a body, the first page's `after` too."""
    filters = [{"propertyName": STAMP, "operator": "GTE", "value": str(since)}]
    if last_id:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": last_id})
    sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    return {"filterGroups": [{"filters": filters}], "sorts": sorts, "properties": list(names), "limit": SEARCH_PAGE, "after": "0"}


def _in_order(ids: Sequence[str]) -> bool:
    """The ids ascend, as numbers or as text: which of the two HubSpot's filter means is not documented, and both cut pages well. A page that
    does neither cannot be continued by its last id; then everything is listed again, which is always right."""
    return _ascending([int(each) for each in ids]) or _ascending(ids)


def _ascending(keys: Sequence[Any]) -> bool:
    return all(one < other for one, other in pairwise(keys))


def _read(client: Client, rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> Sequence[Observation]:
    """The values of contacts that were named without them."""
    return fetch(client, [Ref(KIND, row["id"]) for row in rows], fields, (), None) if rows else ()


def _page(client: Client, shown: Shown, fields: Sequence[str], place: Cursor) -> Page:
    moved = [move for row in shown.rows for move in moves_of(row)]
    server_time = client.server_time
    if shown.observed is None:
        return Page(records_of(shown.rows, fields), place.text(), server_time, moved=moved)
    records, gone, elsewhere = apart(shown.observed)
    return Page(records, place.text(), server_time, gone=gone, moved=[*moved, *elsewhere])


_Step = Callable[[Client, Cursor, Sequence[str]], Iterator[tuple[Page, Cursor]]]
_STEPS: Mapping[str, _Step] = {"scan": _scan, "delta": _delta, "bin": _bin}
"""Each gives the pages of its part, or the next ones of them, with the place behind each."""
