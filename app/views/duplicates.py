"""What is told of duplicates: a review as a file, what a search came to, and what was decided."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from ...sync.duplicates.rulings import Line, Ruling
from ...sync.duplicates.search import LARGEST_BLOCK, Found
from ..courses.review import COLUMNS, Cluster
from . import words
from .duplicates_html import write_html
from .plan_files import cell

_LIKELY = 90
_SORTS = {
    "address": "e-mail address",
    "mailbox": "name before the @",
    "phone": "phone number",
    "company": "name within a company",
    "beginnings": "beginning of names",
}


def write_csv(system: str, found: Found, groups: Iterable[Cluster], file: TextIO) -> None:
    """One line a record, every cell quoted, in UTF-8 with the mark by which spreadsheets know it."""
    file.write("\ufeff")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for cluster in groups:
        writer.writerows([cell(row.told[column]) for column in COLUMNS] for row in cluster.rows)


FORMS: dict[str, Callable[[str, Found, Iterable[Cluster], TextIO], None]] = {".csv": write_csv, ".html": write_html}
"""Ending of the file -> how it is written."""


def found_text(system: str, found: Found, out: Path) -> Iterator[str]:
    """What a search came to."""
    yield f"{system}: {words.count(found.records, 'record')} compared, as last read."
    if found.groups:
        grouped = len({ref for group in found.groups for ref in group.members})
        likely = sum(group.score >= _LIKELY for group in found.groups)
        groups = words.count(len(found.groups), "group")
        yield f"{words.count(grouped, 'record')} in {groups} may be duplicates; {likely:,} of the groups at {_LIKELY} points or more."
    else:
        yield "None of them look like duplicates that nobody has decided about."
    for sort, (number, largest) in sorted(found.cut.items()):
        what = words.count(number, _SORTS[sort], f"{_SORTS[sort]}es" if sort == "address" else "")
        yield f"Nobody was compared because of {what} that more than {LARGEST_BLOCK} records share (the most: {largest:,})."
    if out.suffix.lower() == ".csv":
        yield f"{out} has them. Write same or different into `decision`, then: stagesync duplicates apply {out}"
    else:
        yield f"{out} shows them. Decisions go into a .csv: stagesync duplicates find {system} --out review.csv"
    yield "Nothing is merged before somebody has decided."


def found_json(system: str, found: Found, out: Path) -> dict[str, Any]:
    """The same for programs; scores are those of the groups."""
    return {
        "system": system,
        "records": found.records,
        "groups": len(found.groups),
        "grouped": len({ref for group in found.groups for ref in group.members}),
        "scores": {str(score): number for score, number in sorted(Counter(group.score for group in found.groups).items())},
        "cut": {sort: {"blocks": number, "largest": largest} for sort, (number, largest) in found.cut.items()},
        "file": str(out),
    }


def decided_text(lines: Sequence[Line], rulings: Sequence[Ruling]) -> Iterator[str]:
    """What a reviewed file decided."""
    told = decided_json(lines, rulings)
    if rulings:
        joined, apart = told["joined"], told["told_apart"]
        yield f"{words.count(joined, 'record gives way', 'records give way')} to another; {words.count(apart, 'pair is', 'pairs are')} told apart."
        yield "The next sync acts on it. Nothing was changed in any system: how to merge there is told in docs/duplicates.md."
    else:
        yield "Nothing is decided in this file."
    if told["undecided"]:
        yield f"{words.count(told['undecided'], 'group has', 'groups have')} no decision yet, and will be proposed again."


def decided_json(lines: Sequence[Line], rulings: Sequence[Ruling]) -> dict[str, int]:
    """The same for programs."""
    groups = {line.group for line in lines}
    decided = {line.group for line in lines if line.decision is not None}
    joined = sum(each.survivor is not None for each in rulings)
    return {"joined": joined, "told_apart": len(rulings) - joined, "undecided": len(groups - decided)}
