"""Reading named contacts now: by id or by a unique property, without the search index, which lags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from ...model.errors import ConfigurationError
from ...model.records import Gone, Moved, Observation, Present, Record, Ref, Unreadable
from .client import Client
from .errors import KIND
from .history import HISTORY_PAGE, dated, history_of
from .rows import ALWAYS, contacts_of, instant_ms, is_id, moves_of, records_of, shaped, with_own

BATCH = 100
"""Rows per batch call (HubSpot docs, Contacts)."""


def batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def batch_read(
    client: Client,
    ids: Sequence[str],
    fields: Sequence[str],
    *,
    history: Sequence[str] = (),
    key: str | None = None,
    archived: bool = False,
) -> list[dict[str, Any]]:
    """The rows that are there. One unknown id makes the answer a 207 with the rest in it; no order is promised."""
    body: dict[str, Any] = {"properties": with_own(fields), "propertiesWithHistory": list(history), "inputs": [{"id": each} for each in ids]}
    if key is not None:
        body["idProperty"] = key
    query = (("archived", "true"),) if archived else ()
    answer = client.read(f"{client.paths.contacts}/batch/read", body, query)
    if answer.status == 400 and key is not None:
        raise ConfigurationError(
            f"contacts cannot be found by {key}: HubSpot takes only e-mail and properties with unique values",
            where=client.system,
            next_step="use another key, or a property created with unique values",
        )
    return dated(contacts_of(client.expected(answer).get("results"), where=client.system), where=client.system)


def fetch(client: Client, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str], app_id: str | None) -> list[Observation]:
    """One observation per ref, in their order: there, merged into another, archived, erased, or unreadable."""
    found: dict[str, Observation] = {}
    wanted = list(dict.fromkeys(ref.id for ref in refs if ref.kind == KIND and is_id(ref.id)))
    parts = [partial(_read, client, ids, fields, history, app_id) for ids in batches(wanted, HISTORY_PAGE if history else BATCH)]
    for part in client.abreast(parts):
        found.update(part)
    return [found[ref.id] if ref.id in found else Unreadable(ref, f"not the id of a HubSpot contact: {ref.kind} {ref.id}") for ref in refs]


def _read(client: Client, ids: Sequence[str], fields: Sequence[str], history: Sequence[str], app_id: str | None) -> dict[str, Observation]:
    """What one batch shows, and what became of those that it does not."""
    found = _observed(ids, batch_read(client, ids, fields, history=history), fields, history, app_id)
    missing = [each for each in ids if each not in found]
    return found | _missing(client, missing, fields, history, app_id) if missing else found


def _observed(
    ids: Sequence[str], rows: Sequence[Mapping[str, Any]], fields: Sequence[str], history: Sequence[str], app_id: str | None
) -> dict[str, Observation]:
    """Rows whose id was asked for are there; one with another id tells by its merged ids whom it stands for."""
    asked = set(ids)
    found: dict[str, Observation] = {}
    for row, record in zip(rows, records_of(rows, fields), strict=True):
        if record.ref.id in asked:
            found[record.ref.id] = Present(record, history_of(row, history, app_id) if history else {})
        for move in moves_of(row):
            if move.ref.id in asked:
                found.setdefault(move.ref.id, move)
    return found


def _missing(client: Client, ids: Sequence[str], fields: Sequence[str], history: Sequence[str], app_id: str | None) -> dict[str, Observation]:
    """What became of ids that a batch read does not show. Most are in the bin, where many are read at once: a mass deletion costs a call for a hundred.

    What is in neither was merged (old ids resolve one by one: a 200 with another id), erased, or restored between the calls. Nobody is erased who is found
    in the bin at a second look.
    """
    found: dict[str, Observation] = _binned(client, ids)
    for each in [each for each in ids if each not in found]:
        ref = Ref(KIND, each)
        answer = client.get(f"{client.paths.contacts}/{each}", [("properties", ",".join(ALWAYS))])
        now = shaped([answer.data], where=client.system)[0]["id"] if answer.ok else each
        if now != each:
            found[each] = Moved(ref, Ref(KIND, now), "merged")
        elif answer.ok:  # restored between the two calls, or left out of the first answer: whoever asked for its history is still owed that
            again = _observed([each], batch_read(client, [each], fields, history=history), fields, history, app_id)
            found[each] = again.get(each, Unreadable(ref, "HubSpot shows it alone, but in no batch"))
        elif answer.status != 404:
            found[each] = Unreadable(ref, f"HubSpot answers {answer.status}")
    left = [each for each in ids if each not in found]
    if left:
        found |= {each: gone_of(each, None) for each in left} | _binned(client, left)
    return found


def _binned(client: Client, ids: Sequence[str]) -> dict[str, Observation]:
    """Those of the ids that lie in the recycle bin."""
    asked = set(ids)
    rows = [row for row in batch_read(client, ids, (), archived=True) if row["id"] in asked and is_archived(row)]
    return {row["id"]: gone_of(row["id"], row) for row in rows}


def is_archived(row: Mapping[str, Any]) -> bool:
    """The row says so itself: nobody is gone for want of a filter on the other side."""
    return bool(row.get("archived") or row.get("archivedAt"))


def gone_of(ident: str, row: Mapping[str, Any] | None) -> Gone:
    """In the recycle bin, or (no row) erased for good. `archivedAt` has been wrong before (HubSpot changelog): a hint, no more."""
    if row is None:
        return Gone(Ref(KIND, ident), why="erased")
    at = row.get("archivedAt")
    return Gone(Ref(KIND, ident), at=instant_ms(at) if at else None)


def find(client: Client, key: str, values: Sequence[str], fields: Sequence[str]) -> list[Record]:
    """All live contacts with one of the values, each once. Where HubSpot does not find a secondary address here, the create that follows is
    refused with the id of the contact that has it."""
    wanted = list(dict.fromkeys(value.strip().lower() if key == "email" else value for value in values if value.strip()))
    found: dict[str, Record] = {}
    parts = [partial(batch_read, client, part, fields, key=None if key == "hs_object_id" else key) for part in batches(wanted, BATCH)]
    for rows in client.abreast(parts):
        found.update((record.ref.id, record) for record in records_of(rows, fields))
    return list(found.values())
