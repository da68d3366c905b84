"""What came of an import, from an export of the contacts that were made since: a handful of calls, where looking them up takes one for a hundred.

A contact is known by its address. What was sent and stands in the file to the letter has arrived; that the file tells ids, revisions and what HubSpot added by
itself as every other answer does is shown by contacts that are read again by their ids (as in `export.trial`). Of whom that is not so, nothing is told here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Any

from ....model.records import Record, Ref
from ....model.writes import Applied
from ...splitting import Outcomes
from ..client import Client
from ..errors import KIND
from ..export.calls import fetched, start
from ..export.cells import ASIDE, SPACED
from ..export.harvest import asked_of
from ..export.layout import CREATED, Contact, Layout, Seen, instant_of, laid_out
from ..export.sheet import Sheet
from ..export.trial import Picks, compared, count
from ..export.ways import Unusable
from ..rows import EMAIL, STAMP, stamp_of
from .sheet import Row

_LOOKS = 5
"""How often it is seen whether the index has come as far as the import, ever more seldom: in all two times the lag that was ever recorded."""


def harvested(client: Client, since: int, made: int | None, rows: Sequence[Row], fields: Collection[str]) -> Outcomes:
    """Those of the rows that arrived, with what is stored of them: what was sent, and `fields`. `since`: when the import was begun, by HubSpot's clock;
    `made`: so many contacts it made. Raises `Unusable`."""
    created = [{"propertyName": CREATED, "operator": "GTE", "value": str(since)}]
    sent = dict.fromkeys(name for row in rows for name in row.cells)
    asked = asked_of(client, [EMAIL, *sent, *fields])
    _wait(client, created, made)
    with fetched(client, start(client, [*asked], created)) as file:
        sheet = Sheet(file)
        layout = laid_out(sheet.header, asked)
        found = _arrived(sheet, layout, since, {row.address: row for row in rows})
        picks = Picks()
        for contact in found.values():
            picks.offer(contact)
        stamp = layout.place(STAMP)

        def still(contact: Contact, row: Mapping[str, Any]) -> bool:
            return instant_of(contact.cells[stamp]) == stamp_of(row)

        seen = compared(client, layout, picks.all(), still, (ASIDE, SPACED))
    return {row.place: _applied(layout, found[row.address]) for row in rows if row.address in found and _is_sure(layout, row, found[row.address], seen)}


def _wait(client: Client, created: Sequence[dict[str, str]], made: int | None) -> None:
    """Let the index come as far as the import: an export may read it."""
    for pause in range(_LOOKS):
        if made is None or count(client, created) >= made:
            return
        client.clock.sleep(2.0 ** (pause + 1))


def _arrived(sheet: Sheet, layout: Layout, since: int, wanted: Mapping[str, Row]) -> dict[str, Contact]:
    """Address -> the contact that was made since with all that was sent. Raises `Unusable`."""
    email, created = layout.place(EMAIL), layout.place(CREATED)
    found: dict[str, Contact] = {}
    with closing(sheet.rows()) as lines:
        for contact in map(layout.contact, lines):
            address = (contact.cells[email].value or "").lower()
            row = wanted.get(address)
            if row is None or instant_of(contact.cells[created]) < since or not row.arrived(_values(layout, contact)):
                continue
            if address in found:
                raise Unusable("its file has a contact twice")
            found[address] = contact
    return found


def _values(layout: Layout, contact: Contact) -> dict[str, str | None]:
    return {name: cell.value for name, cell in zip(layout.names, contact.cells, strict=True)}


def _is_sure(layout: Layout, row: Row, contact: Contact, seen: Collection[Seen]) -> bool:
    """What was sent proves itself; all else must have a form that was seen to be exact."""
    return all(name in row.cells or (column, cell.form) in seen for column, (name, cell) in enumerate(zip(layout.names, contact.cells, strict=True)))


def _applied(layout: Layout, contact: Contact) -> Applied:
    ref = Ref(KIND, contact.id)
    return Applied(ref, Record(ref, instant_of(contact.cells[layout.place(STAMP)]), _values(layout, contact)))
