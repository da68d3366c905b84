"""An export is held against the API before it is believed.

How HubSpot writes a cell is documented nowhere, so nothing is taken for granted that was not seen in this very file:

- It says once of each contact who it is, and it lacks nobody: as many contacts that were there before it was begun are in it as a search counts now.
- Contacts are picked so that each form in each column (module `cells`) is among them several times, and some from all over the file. They are read again by
  their ids, and each value must be the same to the letter. One that differs, and the whole file is refused.
- A column without any value is believed where a search finds nobody with one.
- A form of which no value was compared is not believed: contacts with such cells are read by their ids.

A contact that has changed since the reading began, or so shortly before that the search's index may have missed it, proves nothing either way: it comes again
with the delta that follows, by the same overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zlib import crc32

from ....model.errors import ConfigurationError
from ..client import Client
from ..read import BATCH, batch_read, batches
from ..rows import STAMP, stamp_of
from .cells import ASIDE, BLANK, SPACED
from .layout import CREATED, Contact, Layout, Seen, instant_of
from .once import Once
from .sheet import Sheet
from .ways import Unusable

EACH = 5
"""So many contacts are picked for each form in each column."""
MOST = 500
"""No more than that in all; some more come from all over the file."""
_SPREAD = 100
_GROUPS = 5
"""The most that one search takes (HubSpot docs, Search the CRM)."""


@dataclass(slots=True)
class Picks:
    """Contacts that show each form in each column, and some from all over the file."""

    counts: dict[Seen, int] = field(default_factory=dict[Seen, int])
    picked: dict[str, Contact] = field(default_factory=dict[str, Contact])
    spread: list[Contact] = field(default_factory=list[Contact])
    _number: int = 0
    _step: int = 1

    def offer(self, contact: Contact) -> None:
        """One more of the file's contacts."""
        seen = contact.seen()
        if len(self.picked) < MOST and any(self.counts.get(each, 0) < EACH for each in seen):
            self.picked[contact.id] = contact
            for each in seen:
                self.counts[each] = self.counts.get(each, 0) + 1
        if self._number % self._step == 0:
            self.spread.append(contact)
            if len(self.spread) == 2 * _SPREAD:
                del self.spread[1::2]
                self._step *= 2
        self._number += 1

    def all(self) -> dict[str, Contact]:
        """By their ids."""
        return self.picked | {contact.id: contact for contact in self.spread}


@dataclass(slots=True)
class Look:
    """What the file shows by itself, read from its first row to its last.

    `old`: contacts that were there before the reading began. `mark`: a sum of the ids of the rows that were given before. `blank`: columns without a value.
    `aside`, `spaced`: rows with a cell that is never believed, and others with one that is believed only where line breaks are `kept`.
    """

    picks: Picks = field(default_factory=Picks)
    rows: int = 0
    old: int = 0
    mark: int = 0
    blank: list[int] = field(default_factory=list[int])
    aside: int = 0
    spaced: int = 0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """What was proved of a file. `mark`: see `Look`."""

    rows: int
    mark: int
    seen: frozenset[Seen]

    def of(self, contact: Contact) -> bool:
        """All of its cells are believed."""
        return self.seen.issuperset(contact.seen())


def tried(client: Client, sheet: Sheet, layout: Layout, since: int, given: int) -> Trust:
    """What of the file is believed. `since`: what has changed from then on comes again; `given`: rows of it that were given before. Raises `Unusable`."""
    found = looked(sheet, layout, since, given)
    if 2 * (found.aside + (0 if found.kept else found.spaced)) > found.rows:
        raise Unusable("most of its contacts would have to be read one by one all the same")
    lacking = _count(client, [[_before(CREATED, since)]]) - found.old
    if lacking > 0:
        raise Unusable(f"its file lacks contacts, {lacking:,} or more")
    _no_values(client, [layout.names[column] for column in found.blank], since)
    never = (ASIDE,) if found.kept else (ASIDE, SPACED)

    def old(_: Contact, row: Mapping[str, Any]) -> bool:
        return stamp_of(row) < since

    return Trust(found.rows, found.mark, frozenset(compared(client, layout, found.picks.all(), old, never)))


def looked(sheet: Sheet, layout: Layout, since: int, given: int) -> Look:
    """Read it from its first row to its last. Raises `Unusable`."""
    stamp, created = layout.place(STAMP), layout.place(CREATED)
    found = Look(blank=list(range(len(layout.names))))
    with closing(Once()) as once, closing(sheet.rows()) as rows:
        for row in rows:
            contact = layout.contact(row)
            once.add(contact.id)
            found.rows += 1
            if found.rows <= given:
                found.mark = crc32(contact.id.encode(), found.mark)
            instant_of(contact.cells[stamp])
            found.old += instant_of(contact.cells[created]) < since
            found.blank = [column for column in found.blank if contact.cells[column].form == BLANK]
            forms = {cell.form for cell in contact.cells}
            if ASIDE in forms:
                found.aside += 1
                found.kept = found.kept or any("\n" in cell for cell in row)
            else:
                found.spaced += any(form.endswith(SPACED) for form in forms)
            found.picks.offer(contact)
        once.end()
    return found


def compared(
    client: Client, layout: Layout, picked: dict[str, Contact], tells: Callable[[Contact, Mapping[str, Any]], bool], never: tuple[str, ...]
) -> set[Seen]:
    """The forms of which a value was seen to be exact. Raises `Unusable` for one that is not. `tells`: whether a contact as it is now can prove anything of
    its row; `never`: how forms end that are not believed anyway."""
    seen: set[Seen] = set()
    for rows in client.abreast([partial(batch_read, client, ids, layout.names) for ids in batches([*picked], BATCH)]):
        for row in rows:
            if row["id"] in picked and tells(picked[row["id"]], row):
                seen |= set(_same(layout, picked[row["id"]], row["properties"], never))
    return seen


def _same(layout: Layout, contact: Contact, properties: Mapping[str, Any], never: tuple[str, ...]) -> Iterator[Seen]:
    for column, (name, cell) in enumerate(zip(layout.names, contact.cells, strict=True)):
        if cell.form.endswith(never):
            continue
        if cell.value != (properties.get(name) or None):
            raise Unusable(f"{name} is not the same in its file as everywhere else")
        yield column, cell.form


def _no_values(client: Client, names: Sequence[str], since: int) -> None:
    """Raises `Unusable` where somebody has a value of these."""
    for part in batches(names, _GROUPS):
        if _count(client, [[{"propertyName": name, "operator": "HAS_PROPERTY"}, _before(STAMP, since)] for name in part]):
            raise Unusable(f"its file has nothing in {' or '.join(part)}, and some contacts have")


def count(client: Client, filters: Sequence[dict[str, str]] = ()) -> int:
    """How many contacts there are that pass the filters, about: the index lags."""
    return _count(client, [filters] if filters else [])


def _count(client: Client, groups: Sequence[Sequence[dict[str, str]]]) -> int:
    """How many contacts a search finds. Raises `Unusable` where it is not understood."""
    asked = [{"filters": list(filters)} for filters in groups]
    try:
        found = client.search({"filterGroups": asked, "sorts": [], "properties": [], "limit": 1, "after": "0"})
    except ConfigurationError as error:
        raise Unusable("HubSpot does not count its contacts") from error
    total = found.get("total")
    if not isinstance(total, int):
        raise Unusable("HubSpot does not count its contacts")
    return total


def _before(name: str, since: int) -> dict[str, str]:
    return {"propertyName": name, "operator": "LT", "value": str(since)}
