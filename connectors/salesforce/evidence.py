"""Evidence for a contact's stage that stands on other objects: the opportunities in which the contact has a role.

To the rest of the program they are four fields of the Contact, with a dot in their names, by which they can never be written. A change of an opportunity or of
a role moves their own stamps and not the Contact's (Salesforce Object Reference, System Fields), so they have a feed of their own: one query over the roles,
which may filter by the fields of the related records (SOQL and SOSL Reference, Relationship Queries), tells the changes of both. An org that refuses that
query, or is too large to answer it in two minutes, is asked in several small ones from then on, each by one indexed field.
A role that is deleted leaves no trace (Object Reference, OpportunityContactRole): no feed tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .client import Client
from .cursor import Position
from .errors import NOT_FOR_US
from .paging import window
from .rows import Row, id15, next_url, records_of, stamp_ms
from .soql import moment, select, selects, text

KIND = "contact"
POSITION = "opportunity"
"""The name of this feed's place in the cursor."""

STATE, STAGE, CHANGED, CREATED = "Opportunity.State", "Opportunity.StageName", "Opportunity.LastStageChangeDate", "Opportunity.CreatedDate"
FIELDS = (STATE, STAGE, CHANGED, CREATED)
STATES = ("lost", "open", "won")
"""From the least telling to the most telling."""

_ROLES, _DEALS = "OpportunityContactRole", "Opportunity"
_DEAL = ("IsWon", "IsClosed", "StageName", "LastStageChangeDate", "CreatedDate")
_COLUMNS = ("Id", "ContactId", *(f"Opportunity.{name}" for name in _DEAL))
_NEEDED = ("Id", "Contact.SystemModstamp", *(f"Opportunity.{name}" for name in _DEAL if name != "LastStageChangeDate"))
PROBE = select(("IsDeleted", "Contact.SystemModstamp", "Opportunity.SystemModstamp", *_COLUMNS), _ROLES) + " LIMIT 1"
"""Answered wherever the evidence can be read."""


class Deal(NamedTuple):
    """What one opportunity says; of several the greatest counts: won before open before lost, then the one whose stage changed last."""

    state: int
    at: str
    id: str
    stage: str
    changed: str | None
    created: str

    def values(self) -> dict[str, str | None]:
        """The four fields."""
        return {STATE: STATES[self.state], STAGE: self.stage, CHANGED: self.changed, CREATED: self.created}


NOTHING: Mapping[str, str | None] = dict.fromkeys(FIELDS)


@dataclass(slots=True)
class Told:
    """What the feed told. `known`: contacts of which every role was read, with the deal that counts; `partly`: contacts with more roles than were read.

    `start`: the vendor's time before the reading. `apart`: the contacts' roles are looked up by their ids. `refused`: why nothing can be known now.
    """

    start: int
    known: dict[str, Deal | None] = field(default_factory=dict[str, "Deal | None"])
    partly: set[str] = field(default_factory=set[str])
    apart: bool = False
    refused: str | None = None
    _filled: set[str] = field(default_factory=set[str])

    def fill(self, client: Client, rows: Sequence[Row], asked: Sequence[str]) -> None:
        """Add the fields to rows of contacts that the reading covers: who is not known has no role. What cannot be known stays absent."""
        if self.refused is None and self.apart:
            self.refused = complete(client, rows, asked)
            self._filled.update(row["Id"] for row in rows)
        elif self.refused is None:
            for row in rows:
                id = row["Id"]
                if id not in self.partly:
                    _put(row, self.known.get(id), asked)
                    self._filled.add(id)

    def rest(self) -> list[str]:
        """The contacts concerned to which nothing was added yet."""
        return [id for id in (*self.known, *self.partly) if id not in self._filled]

    @property
    def position(self) -> Position:
        """The feed's place once all of it was taken over."""
        return Position(since=self.start, apart=self.apart or None)

    @property
    def findings(self) -> tuple[str, ...]:
        """What somebody should know about it."""
        return (f"what opportunities say about contacts cannot be read: {self.refused}",) if self.refused is not None else ()


def split(fields: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that the object has itself, and those of ours among them."""
    return tuple(name for name in fields if name not in FIELDS), tuple(name for name in fields if name in FIELDS)


def changes(client: Client, position: Position | None, contacts_since: int | None, overlap_s: int, start: int) -> Told:
    """What changed since the position; without one, or where all contacts are read, all roles there are. `start`: the vendor's time before this reading.

    A window's roles are those that changed, those of opportunities that changed, and those of contacts that changed since `contacts_since`. Of these contacts
    every role is among them.
    """
    since = None if position is None or position.since is None or contacts_since is None else min(position.since, contacts_since)
    low = None if since is None else window(since, overlap_s)
    if position is None or not position.apart:
        try:
            return _together(client, low, start)
        except NOT_FOR_US:
            pass
    return _apart(client, low, start, everybody_comes=contacts_since is None)


def _together(client: Client, low: int | None, start: int) -> Told:
    told = Told(start)
    for row_page in _pages(client, low):
        for row in row_page:
            contact, owner = row.get("ContactId"), row.get("Contact")
            if contact is None:
                continue
            if low is None or (owner is not None and stamp_ms(owner["SystemModstamp"]) >= low):
                told.known[contact] = _greater(told.known.get(contact), row)
            else:
                told.partly.add(contact)
    return told


def _apart(client: Client, low: int | None, start: int, *, everybody_comes: bool) -> Told:
    """The same by plain queries: the contacts whose roles or opportunities changed. The roles of those that come anyway are looked up as they come."""
    told = Told(start, apart=True)
    try:
        if low is not None:
            changed = f"SystemModstamp >= {moment(low)}"
            deals = [row["Id"] for row in client.rows(select(("Id",), _DEALS, changed), ("Id",), everything=True)]
            for query in (select(("ContactId",), _ROLES, changed), *selects(("ContactId",), _ROLES, "OpportunityId", deals)):
                told.partly.update(row["ContactId"] for row in client.rows(query, (), everything=True) if row.get("ContactId") is not None)
        elif not everybody_comes:
            told.partly.update(row["ContactId"] for row in client.rows(select(("ContactId",), _ROLES), ()) if row.get("ContactId") is not None)
    except NOT_FOR_US as refused:
        told.refused = refused.what
    return told


def _pages(client: Client, low: int | None) -> Iterator[list[Row]]:
    """All pages, in the order of Ids; where the query's cursor is lost, on with a new query behind the last row."""
    answer, after, following = None, None, None
    while True:
        if answer is None:
            answer = client.query(_question(low, after), everything=low is not None)
        rows = records_of(answer.data, client.system, _NEEDED)
        if rows:
            after = rows[-1]["Id"]
        yield rows
        following = next_url(answer.data, following, client.system)
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


def complete(client: Client, rows: Sequence[Row], asked: Sequence[str]) -> str | None:
    """Add the fields to rows of contacts that were read by their ids. Where the org refuses to tell, they stay absent, and why is returned."""
    if not asked or not rows:
        return None
    found: dict[str, Deal | None] = {}
    try:
        for query in selects(_COLUMNS, _ROLES, "ContactId", [row["Id"] for row in rows]):
            for role in client.rows(query, (*_NEEDED, "ContactId")):
                id = id15(role["ContactId"])
                found[id] = _greater(found.get(id), role)
    except NOT_FOR_US as refused:
        return refused.what
    for row in rows:
        _put(row, found.get(id15(row["Id"])), asked)
    return None


def _greater(best: Deal | None, role: Row) -> Deal | None:
    deal = _deal(role)
    return deal if best is None or (deal is not None and deal > best) else best


def _deal(role: Row) -> Deal | None:
    """None for a role that went into the bin with its opportunity, or whose opportunity this user may not see."""
    of = role.get("Opportunity")
    if of is None or role.get("IsDeleted"):
        return None
    state = "won" if of["IsWon"] else "lost" if of["IsClosed"] else "open"
    changed = of.get("LastStageChangeDate")
    return Deal(STATES.index(state), changed or of["CreatedDate"], role["Id"], of["StageName"], changed, of["CreatedDate"])


def _put(row: Row, deal: Deal | None, asked: Sequence[str]) -> None:
    values = NOTHING if deal is None else deal.values()
    for name in asked:
        row[name] = values[name]
