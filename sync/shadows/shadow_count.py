"""Counts what a shadow remembers: for each field of each system what would have been written, and what others did about it. Pure.

Who is the other tool shows in what it does: it brings over what another system has. So does, now and then, a person; whoever mostly does something else is one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from ...lifecycle.funnel import Funnel
from ...model.shadow import AGAIN, ALONE, OPEN, OTHER, SAME, ShadowRow
from ..deciding.claims import STAGE
from ..deciding.staging import lowers

Fate: TypeAlias = Literal["same", "different", "unwritten", "overtaken", "alone"]
"""Would have been written, and others wrote the same; something else, or undid it; nothing; or somebody edited it again, or the record went away before.

`alone`: written by the other tool, and would not have been.
"""
FATES: tuple[Fate, ...] = ("same", "different", "unwritten", "overtaken", "alone")

EXAMPLES = 3
COPIES = 3
"""A user who brought over fewer values than this is a person."""
MOSTLY = 0.8
"""The part of a user's changes that brought something over, from which on that is no person. Of an integration half is enough."""

Who: TypeAlias = tuple[int, str]
"""(account, author as the ledger keeps it)."""


class Writer(NamedTuple):
    """Somebody who changed something while the shadow looked on. `brought`: changes that brought over what another system had. `tool`: taken for one."""

    account: int
    author: str
    changes: int
    brought: int
    tool: bool


class Key(NamedTuple):
    """What is counted together. `field`: "" for whole records. `did`: what the other tool did instead, "" where that is told by `fate`.

    `reason`: why it would have been written, or what there is to say of what would not. `lowered`: the other tool moved a stage back.
    """

    account: int
    op: str
    field: str
    fate: Fate
    did: str
    reason: str
    lowered: bool


@dataclass(slots=True)
class Group:
    """Rows that say the same, the first of them, and of those that would have been written how many lower a stage."""

    count: int = 0
    lowering: int = 0
    examples: list[ShadowRow] = field(default_factory=list[ShadowRow])


@dataclass(frozen=True, slots=True)
class Lag:
    """Median times in ms from an edit to its copy: by the other tool, and to the look at which it would have been written."""

    theirs: int | None
    ours: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """All of it. `backlog`: (account, operation, field) -> (differences that stood at the beginning, how many of them others have settled since, alike)."""

    groups: Mapping[Key, Group]
    backlog: Mapping[tuple[int, str, str], tuple[int, int]]
    writers: Sequence[Writer]
    by_hand: int
    lag: Lag

    def table(self) -> dict[tuple[int, str, str], Counter[Fate]]:
        """(account, operation, field) -> how many of each fate."""
        found: dict[tuple[int, str, str], Counter[Fate]] = defaultdict(Counter[Fate])
        for key, group in self.groups.items():
            found[(key.account, _sort(key.op), key.field)][key.fate] += group.count
        return dict(sorted(found.items()))


def count(rows: Iterable[ShadowRow], funnel: Funnel) -> Count:
    """Count the rows in their order."""
    kept: list[ShadowRow] = []
    backlog: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row.backlog:
            entry = backlog[(row.account, row.op, row.field)]
            entry[0] += 1
            entry[1] += row.verdict == SAME
        kept += [row] if not row.backlog or row.verdict != OPEN else []
    writers = _writers(kept)
    tools = {(each.account, each.author) for each in writers if each.tool}
    groups: dict[Key, Group] = defaultdict(Group)
    by_hand, theirs, ours = 0, list[int](), list[int]()
    for row in kept:
        tool = _by_tool(row, tools)
        fate = None if row.backlog else _fate(row, tool=tool)
        if fate is None:
            continue
        _add(groups[Key(row.account, row.op, row.field, fate, _did(row, fate), row.reason, tool and _lowered(row, funnel))], row)
        by_hand += fate == "same" and not tool
        if row.edited_at is not None and fate != "alone":
            ours.append(max(row.seen_at - row.edited_at, 0))
            theirs += [max(row.at - row.edited_at, 0)] if fate == "same" and tool and row.at is not None else []
    lag = Lag(round(median(theirs)) if theirs else None, round(median(ours)) if ours else None)
    return Count(dict(groups), {key: (total, same) for key, (total, same) in sorted(backlog.items())}, writers, by_hand, lag)


def _sort(op: str) -> str:
    """An edit of others and an update of ours are about the same field."""
    return "update" if op == "edit" else op


def _add(group: Group, row: ShadowRow) -> None:
    group.count += 1
    group.lowering += row.lowers
    if len(group.examples) < EXAMPLES:
        group.examples.append(row)


def _writers(rows: Sequence[ShadowRow]) -> list[Writer]:
    """By what they edited: records are made in both systems by people too."""
    changes, brought = Counter[Who](), Counter[Who]()
    for row in rows:
        if row.author is not None and row.op != "create":
            who = (row.written_in or 0, row.author)
            changes[who] += 1
            brought[who] += row.brought
    return [Writer(*who, number, brought[who], _is_tool(who[1], number, brought[who])) for who, number in sorted(changes.items())]


def _is_tool(author: str, changes: int, brought: int) -> bool:
    if author.startswith("integration"):
        return brought > 0 and brought * 2 >= changes
    return author.startswith("user") and brought >= COPIES and brought >= changes * MOSTLY


def _by_tool(row: ShadowRow, tools: Container[tuple[int | None, str | None]]) -> bool:
    """By a sync tool; what was brought over by nobody knows whom is taken for its work."""
    return (row.written_in, row.author) in tools or (row.brought and not row.author)


def _fate(row: ShadowRow, *, tool: bool) -> Fate | None:
    match row.verdict:
        case "open":
            return "unwritten"
        case "same" | "first":
            return "same"
        case "other" | "again":
            return "different" if tool else "overtaken"
        case "moot":
            return "overtaken"
        case _:
            return "alone" if tool else None


def _did(row: ShadowRow, fate: Fate) -> str:
    if fate != "different":
        return ""
    if row.verdict == OTHER:
        return "the tool wrote another value"
    return "the tool undid the edit where it was made" if row.brought else "the tool wrote another value where the edit was made"


def _lowered(row: ShadowRow, funnel: Funnel) -> bool:
    """Others moved the stage back: from where it stood, or from where it would have been."""
    if row.field != STAGE:
        return False
    return row.lowers if row.verdict == ALONE else row.verdict in (OTHER, AGAIN) and lowers(funnel, row.wanted, row.theirs)
