"""Who is in which system, and how well that was kept: overlaps, duplicates, blanks, spellings and real differences."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any, NamedTuple, Protocol

from .people import STAGES, Company, Person, each_person, generate
from .records import (
    HubSpotRow,
    SalesforceRow,
    Statuses,
    account_fields,
    contact_fields,
    contact_properties,
    conversion_fields,
    lead_fields,
    opportunity_fields,
    salesforce_stamp,
)


class HubSpotSide(Protocol):
    """What is needed of a HubSpot world."""

    def load(self, rows: Sequence[Mapping[str, str | None]]) -> list[str]: ...


class SalesforceSide(Protocol):
    """What is needed of a Salesforce world."""

    def load(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> list[str]: ...

    def rows(self, kind: str) -> Iterator[Mapping[str, Any]]: ...


@dataclass(frozen=True)
class Population:
    """How many people were put where. `both` + `only_hubspot` + `only_salesforce` = `people`."""

    people: int = 0
    both: int = 0
    only_hubspot: int = 0
    only_salesforce: int = 0
    hubspot_contacts: int = 0
    leads: int = 0
    contacts: int = 0
    converted: int = 0

    def plus(self, placed: list[str], draft: _Draft) -> Population:
        """Together with one more load."""
        return Population(
            people=self.people + len(placed),
            both=self.both + placed.count("both"),
            only_hubspot=self.only_hubspot + placed.count("only_hubspot"),
            only_salesforce=self.only_salesforce + placed.count("only_salesforce"),
            hubspot_contacts=self.hubspot_contacts + len(draft.hubspot),
            leads=self.leads + len(draft.leads) + len(draft.converted),
            contacts=self.contacts + len(draft.contacts),
            converted=self.converted + len(draft.converted),
        )


class _Names(NamedTuple):
    """What a system calls the fields that get dirty."""

    first: str
    last: str
    phone: str
    mobile: str
    title: str
    street: str
    city: str
    state: str
    zip: str
    country: str


_HUBSPOT = _Names("firstname", "lastname", "phone", "mobilephone", "jobtitle", "address", "city", "state", "zip", "country")
_LEAD = _Names("FirstName", "LastName", "Phone", "MobilePhone", "Title", "Street", "City", "State", "PostalCode", "Country")
_CONTACT = _LEAD._replace(street="MailingStreet", city="MailingCity", state="MailingState", zip="MailingPostalCode", country="MailingCountry")

_SOLD = ("opportunity", "customer", "evangelist")
ROLES = ("info", "sales", "office", "contact", "billing", "purchasing")
_AT_ONCE = 25_000
"""People loaded together, so that memory holds each row once."""

_BOUGHT_BEFORE_MS = 200 * 86_400_000
_NEXT_STAGE = {stage: STAGES[index + 1] for index, stage in enumerate(STAGES[:6])}


# ---- dirt: each may befall a record of either system

Row = dict[str, Any]
Dirt = Callable[[Row, _Names, Person, Random], None]


def _blank(row: Row, names: _Names, person: Person, random: Random) -> None:
    for name in random.sample((names.phone, names.mobile, names.title, names.street, names.city, names.state, names.zip, names.country), 3):
        row[name] = None


def _no_first_name(row: Row, names: _Names, person: Person, random: Random) -> None:
    row[names.first] = None


def _native_script(row: Row, names: _Names, person: Person, random: Random) -> None:
    row[names.first], row[names.last] = person.native_first, person.native_last


def _shouting(row: Row, names: _Names, person: Person, random: Random) -> None:
    row[names.first], row[names.last] = person.first.upper(), person.last.upper()


def _country_otherwise(row: Row, names: _Names, person: Person, random: Random) -> None:
    also = person.company.country.also
    row[names.country] = also[int(random.random() * len(also))]


def _short_state(row: Row, names: _Names, person: Person, random: Random) -> None:
    row[names.state] = person.company.city.state or row[names.state]


def _other_phone(row: Row, names: _Names, person: Person, random: Random) -> None:
    other = person.phone._replace(tail=person.phone.tail[:-2] + f"{int(random.random() * 100):02d}")
    row[names.phone] = other.written(1)


def _other_title(row: Row, names: _Names, person: Person, random: Random) -> None:
    row[names.title] = f"Senior {person.title}"


def _moved(row: Row, names: _Names, person: Person, random: Random) -> None:
    cities = person.company.country.cities
    city = cities[int(random.random() * len(cities))]
    row[names.city], row[names.state], row[names.zip] = city.name, city.state_long or None, city.postal_code


def _other_last_name(row: Row, names: _Names, person: Person, random: Random) -> None:
    last = person.company.country.last
    row[names.last] = f"{row[names.last]}-{last[int(random.random() * len(last))][0]}"


_SPELLING: tuple[tuple[float, Dirt], ...] = ((0.22, _country_otherwise), (0.3, _short_state), (0.02, _shouting), (0.15, _blank), (0.01, _no_first_name))
_DIFFERENCES: tuple[tuple[float, Dirt], ...] = ((0.06, _other_phone), (0.05, _other_title), (0.03, _moved), (0.005, _other_last_name))


def _soil(row: Row, names: _Names, person: Person, random: Random, dirt: tuple[tuple[float, Dirt], ...]) -> None:
    for likely, befall in dirt:
        if random.random() < likely:
            befall(row, names, person, random)


# ---- who is where


@dataclass
class _Draft:
    """Everything to be loaded; records refer to each other by position until they have ids."""

    statuses: Statuses
    random: Random
    addresses: set[str]
    """Taken in HubSpot."""
    account_ids: dict[str, str]
    """Domain -> the account that is there already."""
    hubspot: list[HubSpotRow] = field(default_factory=list[HubSpotRow])
    accounts: dict[str, tuple[Company, int]] = field(default_factory=dict[str, tuple[Company, int]])
    leads: list[SalesforceRow] = field(default_factory=list[SalesforceRow])
    contacts: list[tuple[SalesforceRow, str]] = field(default_factory=list[tuple[SalesforceRow, str]])
    deals: list[tuple[Person, int]] = field(default_factory=list[tuple[Person, int]])
    converted: list[tuple[Person, SalesforceRow, int, int | None]] = field(default_factory=list[tuple[Person, SalesforceRow, int, int | None]])

    def in_hubspot(self, person: Person) -> bool:
        """Add a HubSpot contact; False if its address is taken there, since HubSpot keeps addresses unique."""
        random = self.random
        if person.email in self.addresses:
            return False
        self.addresses.add(person.email)
        row = contact_properties(person, int(random.random() * 6))
        _soil(row, _HUBSPOT, person, random, _SPELLING)
        if person.native_last != person.last and random.random() < 0.4:
            _native_script(row, _HUBSPOT, person, random)
        if random.random() < 0.03:
            row["hs_additional_emails"] = f"old.{person.email}"
        if random.random() < 0.01:
            row["email"] = None
        self.hubspot.append(row)
        return True

    def in_salesforce(self, person: Person) -> None:
        """Add a Lead, a Contact at an account, or a Lead that was converted into both."""
        random = self.random
        drawn = random.random()
        if person.stage in _SOLD:
            contact = self.contact(person)
            deal = self.deal(person, contact) if drawn < 0.8 else None
            if drawn < 0.5:
                self.converted.append((person, lead_fields(person, self.statuses), contact, deal))
        elif drawn < 0.06:
            self.contact(person)
            if drawn < 0.012:
                self.lead(person)
        else:
            self.lead(person)
            if drawn < 0.08:
                self.leads.append(self.older_lead(person))

    def lead(self, person: Person) -> None:
        """An unconverted Lead."""
        random = self.random
        row = lead_fields(person, self.statuses, int(random.random() * 6))
        self.dirty(row, _LEAD, person)
        if random.random() < 0.03:
            row["Company"] = person.company.short_name
        self.leads.append(row)

    def older_lead(self, person: Person) -> SalesforceRow:
        """The same person once more, from a list that somebody bought: same address, less known."""
        row = lead_fields(person, self.statuses)
        row.update(dict.fromkeys(("FirstName", "Phone", "MobilePhone", "Title", "Street", "City", "State", "PostalCode", "Industry", "NumberOfEmployees")))
        bought = salesforce_stamp(person.created_ms - _BOUGHT_BEFORE_MS)
        row.update(dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), bought))
        return {**row, "LeadSource": "Purchased List", "Status": self.statuses.of_stage["lead"]}

    def contact(self, person: Person) -> int:
        """A Contact at the person's account; gives its place."""
        company = person.company
        since = self.accounts.get(company.domain, (company, person.created_ms))[1]
        self.accounts[company.domain] = (company, min(since, person.created_ms))
        row = contact_fields(person, "", int(self.random.random() * 6))
        self.dirty(row, _CONTACT, person)
        self.contacts.append((row, company.domain))
        return len(self.contacts) - 1

    def deal(self, person: Person, contact: int) -> int:
        """An Opportunity with the Contact as its primary role; gives its place."""
        self.deals.append((person, contact))
        return len(self.deals) - 1

    def dirty(self, row: SalesforceRow, names: _Names, person: Person) -> None:
        """The spelling and the mistakes of Salesforce's users."""
        random = self.random
        _soil(row, names, person, random, _SPELLING)
        _soil(row, names, person, random, _DIFFERENCES)
        drawn = random.random()
        if drawn < 0.08:
            row["Email"] = ".".join(part.capitalize() for part in person.email.split("."))
        elif drawn < 0.095:
            row["Email"] = None
        elif drawn < 0.105:
            row["HasOptedOutOfEmail"] = True


def populate(hubspot: HubSpotSide, salesforce: SalesforceSide, people: Sequence[Person] | int, seed: int = 1) -> Population:
    """Put people into both worlds: six of ten into both, the others into one, with the dirt of real life.

    `people`: how many, or who. The same seed gives the same worlds, ids included, if they were empty.
    """
    persons = iter(each_person(people, seed) if isinstance(people, int) else people)
    statuses, random = _statuses(salesforce), Random(f"population {seed}")
    addresses: set[str] = set()
    account_ids: dict[str, str] = {}
    total = Population()
    with _no_garbage():
        while chunk := list(islice(persons, _AT_ONCE)):
            draft = _Draft(statuses, random, addresses, account_ids)
            placed = [_place(person, draft) for person in chunk]
            _load(hubspot, salesforce, draft)
            total = total.plus(placed, draft)
    return total


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Within, millions of new values are made and none is garbage: looking for it would take a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _place(person: Person, draft: _Draft) -> str:
    random = draft.random
    if random.random() < 0.008:
        person = _behind_a_shared_address(person, draft)
    drawn = random.random()
    if drawn < 0.6:
        seen_there = person
        if random.random() < 0.12 and person.stage in _NEXT_STAGE:
            seen_there = person._replace(stage=_NEXT_STAGE[person.stage])
        in_hubspot = draft.in_hubspot(person)
        draft.in_salesforce(seen_there)
        return "both" if in_hubspot else "only_salesforce"
    if drawn < 0.8 and draft.in_hubspot(person):
        return "only_hubspot"
    draft.in_salesforce(person)
    return "only_salesforce"


def _behind_a_shared_address(person: Person, draft: _Draft) -> Person:
    """Move a person to an address that a colleague of another last name uses too; the colleague is a Lead of the same company."""
    random = draft.random
    shared = person._replace(email=f"{ROLES[int(random.random() * len(ROLES))]}@{person.company.domain}")
    names = person.company.country
    first, last = names.first[int(random.random() * len(names.first))][0], names.last[int(random.random() * len(names.last))][0]
    if last != person.last:
        draft.lead(shared._replace(first=first, last=last, native_first=first, native_last=last, stage="lead"))
    return shared


def _statuses(salesforce: SalesforceSide) -> Statuses:
    return Statuses.in_org(str(row["ApiName"]) for row in salesforce.rows("LeadStatus"))


def _load(hubspot: HubSpotSide, salesforce: SalesforceSide, draft: _Draft) -> None:
    hubspot.load(draft.hubspot)
    accounts = draft.account_ids
    new = {domain: account_fields(*told) for domain, told in draft.accounts.items() if domain not in accounts}
    accounts.update(zip(new, salesforce.load("Account", list(new.values())), strict=True))
    for row, domain in draft.contacts:
        row["AccountId"] = accounts[domain]
    contacts = salesforce.load("Contact", [row for row, _ in draft.contacts])
    deal_rows = [opportunity_fields(person, accounts[person.company.domain]) for person, _ in draft.deals]
    deals = salesforce.load("Opportunity", deal_rows)
    roles = zip(deals, (contact for _, contact in draft.deals), strict=True)
    salesforce.load(
        "OpportunityContactRole",
        [{"OpportunityId": deal, "ContactId": contacts[contact], "Role": "Decision Maker", "IsPrimary": True} for deal, contact in roles],
    )
    for person, row, contact, deal in draft.converted:
        row.update(conversion_fields(person, accounts[person.company.domain], contacts[contact], None if deal is None else deals[deal]))
    salesforce.load("Lead", [*draft.leads, *(row for _, row, _, _ in draft.converted)])


# ---- for measuring


def benchmark_people(n_each: int, overlap: float = 0.6, seed: int = 1) -> tuple[list[Person], list[Person], list[Person]]:
    """People for a bench: (in both, only in HubSpot, only in Salesforce), so that each side has `n_each`. All are leads, nobody opted out."""
    shared = round(n_each * overlap)
    persons = [person._replace(stage="lead", opted_out=False) for person in generate(2 * n_each - shared, seed)]
    return persons[:shared], persons[shared:n_each], persons[n_each:]


def populate_benchmark(hubspot: HubSpotSide, salesforce: SalesforceSide, n_each: int, overlap: float = 0.6, seed: int = 1) -> Population:
    """Fill both worlds so that it is known what a first sync must do: nobody is ambiguous, nothing differs but spelling.

    People in both are equal up to the case of the address and the way to write telephone numbers; in Salesforce all are Leads.
    The others are each to be created on the other side.
    """
    both, only_hubspot, only_salesforce = benchmark_people(n_each, overlap, seed)
    statuses = _statuses(salesforce)
    hubspot.load([contact_properties(person) for person in (*both, *only_hubspot)])
    known = [lead_fields(person, statuses, 2 + person.number % 3) for person in both]
    for row in known[::5]:
        row["Email"] = str(row["Email"]).capitalize()
    salesforce.load("Lead", [*known, *(lead_fields(person, statuses) for person in only_salesforce)])
    return Population(len(both) + len(only_hubspot) + len(only_salesforce), len(both), len(only_hubspot), len(only_salesforce), n_each, n_each, 0, 0)
