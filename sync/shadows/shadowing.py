"""What became of what a shadow would have written, and what others wrote besides. Pure.

The merge itself tells whether others did the same: a record that shows the hub's value has carried its version, whoever brought it there.
So what is left to say here is which of a person's fields were waiting, which edits met them, and which edits nobody waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ...model.companies import FIELD as COMPANY
from ...model.shadow import AGAIN, ALONE, FIRST, MOOT, OTHER, SAME, ShadowRow

Place: TypeAlias = tuple[int, int | None, str]
"""(account, link, field): a field of a record; without a link a record that is to be made, without a field (`""`) a whole record."""
Link = Any
"""A row of `state.links` (`LinkRow`); its attributes are used, nothing else of state."""

UNCALLED = "nothing in the other systems called for it"


class Want(NamedTuple):
    """What would be written now. `edited_at`: when the value came to be where it comes from (ms), where that is known."""

    op: str
    before: Any
    after: Any
    version: int
    reason: str
    lowers: bool = False
    edited_at: int | None = None


class Edit(NamedTuple):
    """A value that somebody changed since the last look. `meaning`: in our terms; `author`: as the ledger keeps it, "" where nobody knows; `at` in ms.

    `system`: where. `source`: another system that showed this value before it; "" where none did. `joined`: when it was entered there, if that was since the
    last look. `ours`: this field is written there.
    """

    before: Any
    after: Any
    meaning: Any
    system: str
    at: int | None
    author: str
    lowers: bool = False
    source: str = ""
    joined: int | None = None
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one person, after its decisions were taken. `versions`: of the canonical values; `held`: field -> why somebody would be asked.

    `links`: all of the person's; `fresh`: those that were not theirs before, in the order in which they were made. `barred`: account -> why no record is made.
    """

    person: int
    now: int
    wants: Mapping[Place, Want]
    waiting: Sequence[ShadowRow] = ()
    edits: Mapping[Place, Edit] = field(default_factory=dict[Place, Edit])
    links: Sequence[Link] = ()
    fresh: Sequence[Link] = ()
    known: bool = True
    versions: Mapping[str, int] = field(default_factory=dict[str, int])
    held: Mapping[str, str] = field(default_factory=dict[str, str])
    barred: Mapping[int, str] = field(default_factory=dict[int, str])
    backlog: bool = False


class Judged(NamedTuple):
    """`closed`: rows of which it is known now what became of them; `new`: rows that were not there."""

    closed: list[ShadowRow]
    new: list[ShadowRow]


def judge(look: Look) -> Judged:
    """Hold what was waiting against what the records show now."""
    closed: list[ShadowRow] = []
    spent: set[Place] = set()
    for row in look.waiting:
        if (end := _end(look, row, spent)) is not None:
            closed.append(end)
    ended = {row.id for row in closed}
    waits = {_place(row) for row in look.waiting if row.id not in ended}
    new = [_wanted(look, place, want) for place, want in look.wants.items() if place not in waits]
    if not look.backlog:
        new += _made(look, {row.account for row in closed if row.op == "create"})
        new += [_edited(look, place, edit) for place, edit in look.edits.items() if place not in spent]
    return Judged(closed, new)


def _place(row: ShadowRow) -> Place:
    return row.account, row.link, row.field


def _wanted(look: Look, place: Place, want: Want) -> ShadowRow:
    account, link, name = place
    before, edited_at = want.before, None if look.backlog else want.edited_at
    return ShadowRow(
        0, look.person, account, link, want.op, name, before, want.after, want.version, want.reason, want.lowers, look.backlog, edited_at, look.now
    )


def _end(look: Look, row: ShadowRow, spent: set[Place]) -> ShadowRow | None:
    """What became of one; None while it goes on waiting. `spent` takes in the edits that this tells of."""
    if row.op == "create":
        return _end_of_create(look, row)
    link = next((link for link in look.links if link.id == row.link), None)
    if link is None or link.state not in ("linked", "parked"):
        return row._replace(verdict=SAME if row.op == "archive" and link is not None and link.state == "gone" else MOOT)
    place, want = _place(row), look.wants.get(_place(row))
    edit, elsewhere = look.edits.get(place), _elsewhere(look, place)
    current = look.versions.get(row.field, 0)
    if edit is not None and edit.joined is None:
        spent.add(place)
        landed = edit.after == row.wanted or (link.carried.get(row.field) == row.version == current)
        landed = landed or (row.field == COMPANY and edit.after is not None)  # linked: to which record is for whoever did it to say
        return _told(row, SAME if landed else OTHER, place, edit)
    if want is not None and want.version == row.version:
        return None
    if want is None and current == row.version:
        return row._replace(verdict=MOOT)  # held, excluded, or no longer written there
    if elsewhere is None:
        return row._replace(verdict=AGAIN)
    spent.add(elsewhere[0])
    return _told(row, AGAIN, *elsewhere)


def _end_of_create(look: Look, row: ShadowRow) -> ShadowRow | None:
    made = next((link for link in look.links if link.account == row.account and link.state == "linked"), None)
    if made is not None:
        return row._replace(verdict=SAME, author=_author(made), written_in=made.account, at=made.stamp or None, brought=True)
    return None if (row.account, None, "") in look.wants else row._replace(verdict=MOOT)


def _told(row: ShadowRow, verdict: str, place: Place, edit: Edit) -> ShadowRow:
    """`place`: where the edit was made."""
    brought = verdict == SAME or bool(edit.source)
    return row._replace(verdict=verdict, theirs=edit.after, author=edit.author, written_in=place[0], at=edit.at, brought=brought)


def _elsewhere(look: Look, place: Place) -> tuple[Place, Edit] | None:
    """The last edit of this field in another record."""
    others = [(other, edit) for other, edit in look.edits.items() if other[2] == place[2] and other != place]
    return max(others, key=lambda pair: (pair[1].at or 0, pair[0][0]), default=None)


def _made(look: Look, awaited: set[int]) -> Iterator[ShadowRow]:
    """Records that others made of this person, and that nobody waited for. The first one of somebody new is no copy."""
    for link in look.fresh if look.known else look.fresh[1:]:
        if link.account in awaited:
            continue
        why = look.barred.get(link.account)
        verdict, reason = (ALONE, why) if why else (FIRST, "missing there")
        row = ShadowRow(0, look.person, link.account, link.id, "create", "", None, None, 0, reason, False, False, look.fresh[0].stamp or None, look.now)
        yield row._replace(verdict=verdict, author=_author(link), written_in=link.account, at=link.stamp or None, brought=True)


def _author(link: Link) -> str:
    return f"user {link.author}" if link.author else ""


def _edited(look: Look, place: Place, edit: Edit) -> ShadowRow:
    """An edit that nothing waited for: a copy that came before our look, or one that was not called for."""
    account, link, name = place
    row = ShadowRow(0, look.person, account, link, "edit", name, edit.before, None, 0, "", edit.lowers, False, edit.joined, look.now)
    row = _told(row, ALONE, place, edit)
    if name in look.held:
        return row._replace(reason=f"stagesync would ask first: {look.held[name]}")
    if (want := look.wants.get(place)) is not None:
        return row._replace(reason=f"stagesync would put it back: {want.reason}")
    if not edit.ours:
        return row._replace(reason="stagesync does not write this field there")
    if edit.joined is not None:
        return row._replace(verdict=FIRST, wanted=edit.after, reason=f"edited in {edit.source}")
    return row._replace(reason=f"it put what {edit.source} has, which nobody had edited" if edit.source else UNCALLED)
