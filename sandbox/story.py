"""An ordinary day: somebody works in both systems, and everything happens that a sync must survive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .hubspot import HubSpotWorld
from .population import ROLES
from .salesforce import SalesforceWorld


class Event(NamedTuple):
    """One thing that somebody did. `what` is a sentence, `email` the person's address before it, `system` "hubspot" or "salesforce".

    `field` is the native name of what changed, if it was one field.
    """

    what: str
    email: str
    system: str
    field: str | None = None


class _Pair(NamedTuple):
    """One person who stands once in each system, as a contact and as an unconverted Lead."""

    email: str
    contact: str
    properties: dict[str, str]
    lead: str
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """What to call the person."""
        return " ".join(each for each in (self.properties.get("firstname"), self.properties.get("lastname")) if each)


_Wish = Callable[[_Pair], bool]


def story(hubspot: HubSpotWorld, salesforce: SalesforceWorld) -> list[Event]:
    """Act on both worlds, each time on another person who suits; what nobody suits is left out. Best after a first sync."""
    with hubspot.lock, salesforce.lock:
        hands = _Hands(hubspot, salesforce)
        hands.different_fields()
        hands.same_field()
        hands.stages()
        hands.conversion()
        hands.merges()
        hands.deletion()
        hands.cleared_value()
        hands.changed_address()
        return hands.events


class _Hands:
    """Somebody's two hands. `events` tells what they did."""

    def __init__(self, hubspot: HubSpotWorld, salesforce: SalesforceWorld) -> None:
        self.hubspot = hubspot
        self.salesforce = salesforce
        self.events: list[Event] = []
        self._pairs = list(_pairs(hubspot, salesforce))

    def different_fields(self) -> None:
        """Two fields of one person, one on each side."""
        if pair := self._take(lambda pair: _same_title(pair) and bool(pair.fields.get("City"))):
            self._in_hubspot(pair, "jobtitle", "Director of Operations", "job title")
            self._in_salesforce(pair, "Street", "1 New Harbour Road", "street")

    def same_field(self) -> None:
        """One field of one person, on both sides, with different values."""
        if pair := self._take(_same_title):
            self._in_hubspot(pair, "jobtitle", "Head of Purchasing", "job title")
            self._in_salesforce(pair, "Title", "Chief Buyer", "title")

    def stages(self) -> None:
        """Forward in each system, and once backward."""
        if pair := self._take(lambda pair: _stands(pair, "lead", "Open - Not Contacted")):
            self._in_hubspot(pair, "lifecyclestage", "marketingqualifiedlead", "lifecycle stage")
        if pair := self._take(lambda pair: _stands(pair, "lead", "Open - Not Contacted")):
            self._in_salesforce(pair, "Status", "Sales Qualified", "status")
        if pair := self._take(lambda pair: _stands(pair, "salesqualifiedlead", "Sales Qualified")):
            self._in_salesforce(pair, "Status", "Open - Not Contacted", "status taken back and")

    def conversion(self) -> None:
        """Sales turns a Lead into a Contact with an account and an opportunity."""
        if pair := self._take(lambda pair: _stands(pair, "salesqualifiedlead", "Sales Qualified") and bool(pair.fields.get("Company"))):
            self.salesforce.convert(pair.lead)
            self._tell(pair, "salesforce", f"{pair.name} is converted into a Contact with an account and an opportunity")

    def merges(self) -> None:
        """HubSpot: entered twice, then merged. Salesforce: an old duplicate is merged into the Lead in use."""
        if pair := self._take(lambda pair: "lastname" in pair.properties):
            typed = {"firstname": pair.properties.get("firstname"), "lastname": pair.properties["lastname"], "email": f"private.{pair.email}"}
            self.hubspot.merge(pair.contact, self.hubspot.create(typed))
            self._tell(pair, "hubspot", f"{pair.name} is entered once more, with a private address, and the two contacts are merged into a new one")
        for newer, older in _duplicate_leads(self.salesforce):
            self.salesforce.merge(newer["Id"], [older["Id"]])
            name = " ".join(each for each in (newer.get("FirstName"), newer["LastName"]) if each)
            self.events.append(Event(f"{name} is a Lead twice, and the older one is merged into the newer", newer["Email"].lower(), "salesforce"))
            break

    def deletion(self) -> None:
        """A Lead goes to the recycle bin."""
        if pair := self._take(_same_title):
            self.salesforce.delete(pair.lead)
            self._tell(pair, "salesforce", f"the Lead {pair.name} is deleted")

    def cleared_value(self) -> None:
        """Somebody empties a field."""
        if pair := self._take(_same_title):
            self._in_salesforce(pair, "Title", None, "title")

    def changed_address(self) -> None:
        """Somebody has a new e-mail address."""
        if pair := self._take(lambda pair: self._free(f"new.{pair.email}")):
            self._in_hubspot(pair, "email", f"new.{pair.email}", f"e-mail address {pair.email}")

    def _take(self, wish: _Wish) -> _Pair | None:
        """The first person who suits; nobody is taken twice."""
        for index, pair in enumerate(self._pairs):
            if wish(pair):
                return self._pairs.pop(index)
        return None

    def _free(self, email: str) -> bool:
        return self.hubspot.portal.store.find_email(email) is None

    def _in_hubspot(self, pair: _Pair, name: str, value: str, called: str) -> None:
        self.hubspot.edit(pair.contact, {name: value})
        self._tell(pair, "hubspot", f"{pair.name}: {called} set to {value!r}", name)

    def _in_salesforce(self, pair: _Pair, name: str, value: str | None, called: str) -> None:
        self.salesforce.edit(pair.lead, {name: value})
        self._tell(pair, "salesforce", f"{pair.name}: {called} {'cleared' if value is None else f'set to {value!r}'}", name)

    def _tell(self, pair: _Pair, system: str, what: str, name: str | None = None) -> None:
        self.events.append(Event(what, pair.email, system, name))


def _pairs(hubspot: HubSpotWorld, salesforce: SalesforceWorld) -> Iterator[_Pair]:
    records: dict[str, list[dict[str, Any]]] = {}
    for kind in ("Lead", "Contact"):
        for row in salesforce.rows(kind):
            if row.get("Email"):
                records.setdefault(row["Email"].lower(), []).append(row)
    for contact in hubspot.contacts():
        properties = contact["properties"]
        email = properties.get("email", "")
        found = records.get(email, [])
        if len(found) != 1 or "IsConverted" not in found[0] or found[0]["IsConverted"] or email.split("@")[0] in ROLES:
            continue
        if properties.get("lastname", "").lower() == found[0]["LastName"].lower():
            yield _Pair(email, contact["id"], properties, found[0]["Id"], found[0])


def _same_title(pair: _Pair) -> bool:
    return "jobtitle" in pair.properties and pair.properties["jobtitle"] == pair.fields.get("Title")


def _stands(pair: _Pair, stage: str, status: str) -> bool:
    return pair.properties.get("lifecyclestage") == stage and pair.fields.get("Status") == status


def _duplicate_leads(salesforce: SalesforceWorld) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(newer, older) Leads of one person: same address and last name, neither converted."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in salesforce.rows("Lead"):
        if not row.get("Email") or row["IsConverted"] or row["Email"].split("@")[0].lower() in ROLES:
            continue
        other = first.setdefault((row["Email"].lower(), row["LastName"].lower()), row)
        if other is not row:
            older, newer = sorted((row, other), key=lambda each: each["CreatedDate"])
            yield newer, older
