"""What the lines of a reviewed file say: which records are one human's, which are not, and where that contradicts itself. Pure.

`same` on a line: this record is the same human as the group's survivor. `different`: it is nobody else of its group. Blank: nobody has decided.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from ...model.records import Ref
from ..deciding.match import components

Decision = Literal["same", "different"]


class Line(NamedTuple):
    """One line of a review. `number`: where it stands in the file, from 1."""

    number: int
    group: str
    ref: Ref
    decision: Decision | None
    survivor: bool


class Ruling(NamedTuple):
    """What was decided about two records, the smaller ref first. `survivor`: the one that is written; None: two humans. `lines`: where that stands."""

    one: Ref
    other: Ref
    survivor: Ref | None
    lines: tuple[int, ...] = ()


def group_name(system: str, members: Iterable[Ref]) -> str:
    """The name of a group: the same for the same records, so that a group that was changed in the file is known by it."""
    told = "\n".join([system, *(f"{kind} {id_}" for kind, id_ in sorted(members))])
    return hashlib.sha256(told.encode()).hexdigest()[:10]


def read_rulings(system: str, lines: Sequence[Line]) -> tuple[list[Ruling], list[str]]:
    """(what was decided, what is wrong with it). Groups are whole, as they were written."""
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.group].append(line)
    found: list[Ruling] = []
    wrong: list[str] = []
    for name, members in groups.items():
        if group_name(system, (line.ref for line in members)) != name:
            wrong.append(f"{_lines(members)}: group {name} is not the one that was written: its lines were changed, added or removed")
        else:
            _read(members, found, wrong)
    return found, wrong or [*contradictions(found), *_two_survivors(found)]


def _read(members: Sequence[Line], found: list[Ruling], wrong: list[str]) -> None:
    """One group."""
    survivors = [line for line in members if line.survivor]
    same = [line for line in members if line.decision == "same" and not line.survivor]
    apart = [line for line in members if line.decision == "different"]
    name = members[0].group
    if same and len(survivors) != 1:
        marked = f"{_lines(survivors)} are marked" if survivors else "none is marked"
        wrong.append(f"{_lines(same)}: group {name} needs one survivor, and {marked}")
    elif same and survivors[0] in apart:
        wrong.append(f"{_lines(survivors)}: the survivor of group {name} is marked different, and {_lines(same)} the same as it")
    elif not same and any(line.decision == "same" for line in survivors):
        wrong.append(f"{_lines(survivors)}: the survivor of group {name} is marked same, and no other line of the group is")
    else:
        found += [_ruling(line, survivors[0], survivors[0].ref) for line in same]
        settled = {line.ref for line in apart}
        found += [_ruling(one, other, None) for one, other in combinations(members, 2) if one.ref in settled or other.ref in settled]


def contradictions(found: Iterable[Ruling]) -> list[str]:
    """Where one human would be two by these. Those without lines were decided before."""
    rulings = list(dict.fromkeys(found))
    numbers = {ref: number for number, ref in enumerate(sorted({ref for each in rulings for ref in each[:2]}))}
    same = [each for each in rulings if each.survivor is not None]
    root = {link: humans[0] for humans in components(numbers.values(), [(numbers[each.one], numbers[each.other]) for each in same]) for link in humans}
    human = {ref: root[number] for ref, number in numbers.items()}
    return [
        f"{_where(each)}: {_name(each.one)} and {_name(each.other)} are told apart, and are the same by {_others(each, same, human)}"
        for each in rulings
        if each.survivor is None and human[each.one] == human[each.other]
    ]


def _two_survivors(found: Iterable[Ruling]) -> list[str]:
    """A record that stands in two groups gives way to one survivor alone."""
    ways: dict[Ref, Ruling] = {}
    wrong: list[str] = []
    for each in found:
        if each.survivor is None:
            continue
        loser = each.other if each.survivor == each.one else each.one
        before = ways.setdefault(loser, each)
        if before.survivor != each.survivor:
            wrong.append(f"{_where(before)} and {_where(each)}: {_name(loser)} gives way to two records: leave one of its groups for the next review")
    return wrong


def _others(each: Ruling, same: Sequence[Ruling], human: Mapping[Ref, int]) -> str:
    told = [other for other in same if human[other.one] == human[each.one]]
    where = sorted({number for other in told for number in other.lines})
    before = ["what was decided before"] if any(not other.lines for other in told) else []
    return " and ".join([*([_numbered(where)] if where else []), *before])


def _ruling(one: Line, other: Line, survivor: Ref | None) -> Ruling:
    first, second = sorted((one.ref, other.ref))
    return Ruling(first, second, survivor, tuple(sorted((one.number, other.number))))


def _name(ref: Ref) -> str:
    return f"{ref.kind} {ref.id}"


def _where(each: Ruling) -> str:
    return _numbered(each.lines) if each.lines else "decided before"


def _lines(lines: Iterable[Line]) -> str:
    return _numbered(sorted(line.number for line in lines))


def _numbered(numbers: Sequence[int]) -> str:
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
