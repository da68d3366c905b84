"""A review: the groups of records that may be one human's, with what somebody needs to decide, and the file in which the decisions come back."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ...mapping.maps import read_all
from ...model.errors import ConfigurationError
from ...model.records import Ref
from ...state import links
from ...state.links import LinkRow
from ...sync.deciding.match import rank
from ...sync.duplicates.grouping import Group
from ...sync.duplicates.profile import profile_of
from ...sync.duplicates.rulings import Decision, Line, group_name
from ...sync.session import Connected
from ..views import words
from ..wiring import Place

COLUMNS = (
    *("group", "score", "decision", "survivor", "name", "emails", "phones", "company", "job_title", "city", "stage", "changed", "why"),
    *("system", "kind", "id", "link"),
)
SHOWN = COLUMNS[4:12]
"""What tells two humans apart."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What stands before a file that Excel saved as Unicode text."""
_NEEDED = ("group", "decision", "survivor", "system", "kind", "id")
_DECISIONS = {"same": "same", "different": "different", "": None}
_YES = {"yes": True, "y": True, "x": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False, "": False}
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a review, as it is written: column -> text. `survivor`: it is the one that is proposed to be written."""

    told: Mapping[str, str]
    survivor: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """One group with its records, the proposed survivor first."""

    name: str
    score: int
    rows: tuple[Row, ...]


def clusters(place: Place, connected: Connected, groups: Sequence[Group], urls: Mapping[str, str]) -> Iterator[Cluster]:
    """The groups with what the state knows of their records, a page at a time. `urls`: what goes before a record's id to make its address, by kind."""
    for begin in range(0, len(groups), _PAGE):
        page = groups[begin : begin + _PAGE]
        with place.store.read() as tx:
            known = links.by_refs(tx, place.id, connected.system.account, {ref for group in page for ref in group.members})
        for group in page:
            name = group_name(connected.name, group.members)
            members = sorted((known[ref] for ref in group.members), key=rank)
            rows = tuple(_row(connected, row, group, name, urls, survivor=row is members[0]) for row in members)
            yield Cluster(name, group.score, rows)


def _row(connected: Connected, row: LinkRow, group: Group, name: str, urls: Mapping[str, str], *, survivor: bool) -> Row:
    kind, ref = connected.system.map.kinds[row.kind], row.address
    profile, (read, _) = profile_of(kind, ref, row.seen), read_all(kind, row.seen)
    stage = kind.stage.read(row.seen) if kind.stage is not None else None
    told = {
        "group": name,
        "score": str(group.score),
        "decision": "",
        "survivor": "yes" if survivor else "",
        "name": profile.name,
        "emails": "; ".join(profile.addresses),
        "phones": "; ".join(profile.phones),
        "company": profile.company or "",
        "job_title": str(read.get("job_title") or ""),
        "city": str(read.get("city") or ""),
        "stage": str((stage and stage.stage) or ""),
        "changed": words.moment(row.stamp)[:10] if row.stamp else "",
        "why": group.reason(ref),
        "system": connected.name,
        "kind": row.kind,
        "id": row.ref,
        "link": f"{urls[row.kind]}{row.ref}" if row.kind in urls else "",
    }
    return Row(told, survivor)


def read_review(path: Path) -> tuple[str, list[Line]]:
    """(system, lines) of a reviewed file, whatever a spreadsheet made of it: comma, semicolon or tab, with or without a mark before it, or as UTF-16.

    Raises `ConfigurationError`, with every mistake and its line.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the file cannot be read: {error.strerror}", where=str(path), next_step="name the file that was reviewed") from None
    text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig", "replace")
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    missing = [column for column in _NEEDED if column not in (table.fieldnames or ())]
    if missing:
        what = f"this is no review: it has no column {', '.join(missing)}"
        raise ConfigurationError(what, where=str(path), next_step="write one by `stagesync duplicates find SYSTEM --out FILE`")
    wrong: list[str] = []
    try:
        read = list(_lines(table, wrong))
    except csv.Error as error:
        raise unusable(path, [f"line {table.line_num}: cannot be read: {error}"]) from None
    if not read:
        raise ConfigurationError("the review has no lines", where=str(path), next_step="write one by `stagesync duplicates find SYSTEM --out FILE`")
    systems = {system for system, _ in read}
    if len(systems) > 1:
        wrong.append(f"it names several systems: {', '.join(sorted(systems))}")
    wrong += _twice(line for _, line in read)
    if wrong:
        raise unusable(path, wrong)
    return read[0][0], [line for _, line in read]


def unusable(path: Path, wrong: Sequence[str]) -> ConfigurationError:
    """Nothing of the file was taken."""
    step = "correct these lines and apply the file again; nothing of it was taken"
    return ConfigurationError("the review contradicts itself, or was changed", where=str(path), next_step=step, problems=tuple(wrong))


def _lines(table: csv.DictReader[str], wrong: list[str]) -> Iterator[tuple[str, Line]]:
    for told in table:
        number = table.line_num
        cells = {column: _plain(told.get(column)) for column in _NEEDED}
        if not any(cells.values()):
            continue
        decision, survivor = cells["decision"].lower(), cells["survivor"].lower()
        if not cells["system"]:
            wrong.append(f"line {number}: it does not say of which system the record is")
        if decision not in _DECISIONS:
            wrong.append(f"line {number}: the decision {cells['decision']!r} is neither same, different nor blank")
        if survivor not in _YES:
            wrong.append(f"line {number}: the survivor {cells['survivor']!r} is neither yes nor blank")
        chosen = cast("Decision | None", _DECISIONS.get(decision))
        yield cells["system"], Line(number, cells["group"], Ref(cells["kind"], cells["id"]), chosen, _YES.get(survivor, False))


def _plain(cell: str | None) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it."""
    return (cell or "").strip().removeprefix("'")


def _twice(lines: Iterable[Line]) -> list[str]:
    met: dict[tuple[str, Ref], int] = {}
    wrong: list[str] = []
    for line in lines:
        first = met.setdefault((line.group, line.ref), line.number)
        if first != line.number:
            wrong.append(f"line {line.number}: {line.ref.kind} {line.ref.id} stands in line {first} too, in the same group")
    return wrong
