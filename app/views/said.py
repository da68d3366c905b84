"""What somebody said about records beside each other: that they are one human's, or two humans'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...state import links, sameness
from ...state.links import LinkRow
from ...state.store import Tx
from . import words


def said_json(tx: Tx, records: Iterable[int], names: Mapping[int, str], at: int | None = None) -> list[dict[str, Any]]:
    """All of it in which one of these records stands, in the order of time; `at`: only what had been said by then (ms). `names`: account -> system.

    About the same two records the last word counts, and no other is kept.
    """
    rows = sorted((row for row in sameness.about(tx, records) if at is None or row.at <= at), key=lambda row: row.at)
    known = links.by_ids(tx, [number for row in rows for number in row[:2]])
    return [
        {
            "records": [address(known[number], names) for number in row[:2]],
            "said": "one human's" if row.same else "two humans'",
            "written": None if row.survivor is None else address(known[row.survivor], names),
            "at": words.stamp(row.at),
        }
        for row in rows
    ]


def said_text(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same as lines; none where nothing was said."""
    if found:
        yield "What somebody said about records"
        yield from words.table([(_moment(each["at"]), _sentence(each)) for each in found])


def address(link: LinkRow, names: Mapping[int, str]) -> dict[str, Any]:
    """A record by its system, its kind and its id there."""
    return {"system": names.get(link.account, f"account {link.account}"), "kind": link.kind, "id": link.ref}


def _sentence(said: Mapping[str, Any]) -> str:
    one, other = (f"{each['system']} {each['kind']} {each['id']}" for each in said["records"])
    if said["written"] is None:
        return f"{one} and {other} are two humans': each is a person of its own"
    aside = next(each for each in said["records"] if each != said["written"])
    written = f"{said['written']['kind']} {said['written']['id']} is the one that is written"
    return f"{one} and {other} are one human's: {written}; {aside['kind']} {aside['id']} is left alone, and but for an opt-out nothing of it is heard"


def _moment(stamp: str) -> str:
    return stamp[:19].replace("T", " ")
