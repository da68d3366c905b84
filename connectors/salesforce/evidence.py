"""Evidence for a contact's stage that stands on other objects: the opportunities in which the contact has a role.

To the rest of the program they are three fields of the Contact, with a dot in their names, by which they can never be written. A change of an opportunity or of
a role moves their own stamps and not the Contact's (Salesforce Object Reference, System Fields), so they have a feed of their own: one query over the roles,
which may filter by the fields of the related records (SOQL and SOQL Reference, Relationship Queries), tells the changes of both.
A role that is deleted leaves no trace (Object Reference, OpportunityContactRole): no feed tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .client import Client
from .cursor import Position
from .paging import window
from .rows import Row, id15, records_of, stamp_ms
from .soql import moment, select, selects, text

KIND = "contact"
POSITION = "opportunity"
"""The name of this feed's place in the cursor."""

STATE, STAGE, CHANGED = "Opportunity.State", "Opportunity.StageName", "Opportunity.LastStageChangeDate"
FIELDS = (STATE, STAGE, CHANGED)
STATES = ("lost", "open", "won")
"""From the least telling to the most telling."""

_ROLES = "OpportunityContactRole"
_DEAL = ("IsWon", "IsClosed", "StageName", "LastStageChangeDate", "CreatedDate")
_COLUMNS = ("Id", "ContactId", *(f"Opportunity.{name}" for name in _DEAL))
PROBE = select(("IsDeleted", "Contact.SystemModstamp", "Opportunity.SystemModstamp", *_COLUMNS), _ROLES) + " LIMIT 1"
"""Answered wherever the evidence can be read."""


class Deal(NamedTuple):
    """What one opportunity says; of several the greatest counts: won before open before lost, then the one whose stage changed last."""

    state: int
    at: str
    id: str
    stage: str
    changed: str | None

    def values(self) -> dict[str, str | None]:
        """The three fields."""
        return {STATE: STATES[self.state], STAGE: self.stage, CHANGED: self.changed}


NOTHING: Mapping[str, str | None] = dict.fromkeys(FIELDS)


@dataclass(slots=True)
class Told:
    """What the feed told. `known`: contacts of which every role was read, with the deal that counts; `partly`: contacts with more roles than were read.

    `start`: the vendor's time before the reading.
    """

    start: int
    known: dict[str, Deal | None] = field(default_factory=dict[str, "Deal | None"])
    partly: set[str] = field(default_factory=set[str])
    _filled: set[str] = field(default_factory=set[str])

    def fill(self, rows: Iterable[Row], asked: Sequence[str]) -> None:
        """Add the fields to rows of contacts that the reading covers: who is not known has no role."""
        for row in rows:
            id = row["Id"]
            if id not in self.partly:
                _put(row, self.known.get(id), asked)
                self._filled.add(id)

    def rest(self) -> list[str]:
        """The contacts concerned to which nothing was added yet."""
        return [id for id in (*self.known, *self.partly) if id not in self._filled]


def split(fields: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that the object has itself, and those of ours among them."""
    return tuple(name for name in fields if name not in FIELDS), tuple(name for name in fields if name in FIELDS)


def changes(client: Client, position: Position | None, contacts_since: int | None, overlap_s: int) -> Told:
    """What changed since the position; without one, or where all contacts are read, all roles there are.

    A window's roles are those that changed, those of opportunities that changed, and those of contacts that changed since `contacts_since`. Of these contacts
    every role is among them.
    """
    asked = client.clock.monotonic()
    since = None if position is None or position.since is None or contacts_since is None else min(position.since, contacts_since)
    low = None if since is None else window(since, overlap_s)
    told: Told | None = None
    for row_page, server_time in _pages(client, low):
        told = told or Told(server_time - int((client.clock.monotonic() - asked) * 1000))
        for row in row_page:
            contact, owner = row["ContactId"], row.get("Contact")
            if contact is None:
                continue
            if low is None or (owner is not None and stamp_ms(owner["SystemModstamp"]) >= low):
                told.known[contact] = _greater(told.known.get(contact), row)
            else:
                told.partly.add(contact)
    assert told is not None
    return told


def _pages(client: Client, low: int | None) -> Iterator[tuple[list[Row], int]]:
    """All pages, in the order of Ids; where the query's cursor is lost, on with a new query behind the last row."""
    answer, after = None, None
    while True:
        if answer is None:
            answer = client.query(_question(low, after), everything=low is not None)
        rows = records_of(answer.data, client.system)
        if rows:
            after = rows[-1]["Id"]
        yield rows, client.server_ms(answer)
        following = answer.data.get("nextRecordsUrl")
        if following is None:
            return
        answer = client.following(following)


def _question(low: int | None, after: str | None) -> str:
    behind = f"Id > {text(after)}" if after else ""
    if low is None:
        return select(_COLUMNS, _ROLES, behind, "Id")
    stamp = moment(low)
    changed = " OR ".join(f"{path}SystemModstamp >= {stamp}" for path in ("", "Opportunity.", "Contact."))
    return select(("IsDeleted", "Contact.SystemModstamp", *_COLUMNS), _ROLES, f"({changed}) AND {behind}" if behind else changed, "Id")


def complete(client: Client, rows: Sequence[Row], asked: Sequence[str]) -> None:
    """Add the fields to rows of contacts that were read by their ids."""
    if not asked or not rows:
        return
    found: dict[str, Deal | None] = {}
    for query in selects(_COLUMNS, _ROLES, "ContactId", [row["Id"] for row in rows]):
        for role in client.rows(query):
            id = id15(role["ContactId"])
            found[id] = _greater(found.get(id), role)
    for row in rows:
        _put(row, found.get(id15(row["Id"])), asked)


def _greater(best: Deal | None, role: Row) -> Deal | None:
    deal = _deal(role)
    return deal if best is None or (deal is not None and deal > best) else best


def _deal(role: Row) -> Deal | None:
    """None for a role that went into the bin with its opportunity, or whose opportunity this user may not see."""
    of = role.get("Opportunity")
    if of is None or role.get("IsDeleted"):
        return None
    state = "won" if of["IsWon"] else "lost" if of["IsClosed"] else "open"
    changed = of["LastStageChangeDate"]
    return Deal(STATES.index(state), changed or of["CreatedDate"], role["Id"], of["StageName"], changed)


def _put(row: Row, deal: Deal | None, asked: Sequence[str]) -> None:
    values = NOTHING if deal is None else deal.values()
    for name in asked:
        row[name] = values[name]
