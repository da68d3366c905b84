"""The invented people are many, various and always the same, and both worlds hold them as real companies do."""

from __future__ import annotations

import re
from collections import Counter

import phonenumbers
import pytest
from email_validator import validate_email

from stagesync.sandbox.people import ascii_form, each_person, generate, load_countries
from stagesync.sandbox.population import ROLES, populate, populate_benchmark
from stagesync.sandbox.records import Statuses
from stagesync.sandbox.story import Event, story
from stagesync.sandbox.worlds import Worlds, build

DIGITS = re.compile(r"\D")


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    """Two worlds with a few thousand people."""
    return build(4_000, seed=3)


def test_the_same_seed_gives_the_same_people() -> None:
    """The generator depends on the number and the seed, and on nothing else."""
    assert generate(300, 5) == generate(300, 5) == list(each_person(300, 5))
    assert generate(300, 5) != generate(300, 6)
    assert generate(0) == []


def test_people_are_of_many_countries_and_scripts() -> None:
    """Umlauts, accents, Japanese in both scripts, and every country of the table."""
    people = generate(3_000, 2)
    assert {person.company.country.code for person in people} == {country.code for country, _ in load_countries()}
    letters = set("".join(person.first + person.last for person in people))
    assert set("üöäßéçãñå'-") <= letters
    assert any(person.native_last != person.last and not person.native_last.isascii() for person in people)


def test_addresses_are_unique_valid_and_nobodys() -> None:
    """Every address is one of its own, well formed, and under a top-level domain that is reserved for examples."""
    people = generate(2_000, 4)
    assert len({person.email for person in people}) == len(people)
    assert all(person.email.endswith(".example") and person.company.domain.endswith(".example") for person in people)
    for person in people[:300]:
        assert validate_email(person.email, check_deliverability=False).normalized == person.email


def test_all_writings_of_a_number_mean_one_number() -> None:
    """In its own country, every way to write a telephone number is valid and means the same."""
    seen: set[str] = set()
    for person in generate(400, 8):
        country = person.company.country.code
        for phone in (person.phone, person.mobile):
            if phone is None:
                continue
            parsed = [phonenumbers.parse(phone.written(style), country) for style in range(len(phone.writings))]
            assert all(phonenumbers.is_valid_number(each) for each in parsed), [phone.written(style) for style in range(len(phone.writings))]
            assert {phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164) for each in parsed} == {phone.written(0)}
            seen.add(country)
    assert len(seen) >= 8


def test_names_become_addresses() -> None:
    """Letters that ASCII lacks are spelled as their owners do."""
    assert [ascii_form(name) for name in ("Müller-Lüdenscheidt", "Großmann", "O'Brien", "Ōno", "François", "Yılmaz", "Åkesson", "田中")] == [
        *("mueller-luedenscheidt", "grossmann", "obrien", "ono", "francois", "yilmaz", "akesson", "x")
    ]


def test_six_of_ten_people_are_in_both_systems(worlds: Worlds) -> None:
    """The overlap by address is as promised, and HubSpot holds each address once."""
    contacts = [contact["properties"] for contact in worlds.hubspot.contacts()]
    emails = Counter(contact["email"] for contact in contacts if "email" in contact)
    there = {row["Email"].lower() for kind in ("Lead", "Contact") for row in worlds.salesforce.rows(kind) if "Email" in row}
    assert set(emails.values()) == {1}
    assert 0.54 < len(set(emails) & there) / len(set(emails) | there) < 0.64


def test_the_counts_are_the_worlds_own() -> None:
    """What `populate` reports is what lies in the worlds."""
    empty = build(0)
    counts = populate(empty.hubspot, empty.salesforce, generate(800, 9), seed=9)
    assert counts.people == counts.both + counts.only_hubspot + counts.only_salesforce == 800
    assert counts.hubspot_contacts == len(list(empty.hubspot.contacts()))
    assert counts.leads == len(list(empty.salesforce.rows("Lead")))
    assert counts.contacts == len(list(empty.salesforce.rows("Contact")))
    assert counts.converted == sum(row["IsConverted"] for row in empty.salesforce.rows("Lead"))


def test_salesforce_holds_duplicates_and_shared_addresses(worlds: Worlds) -> None:
    """The same person twice, as Lead and Lead or as Lead and Contact; and colleagues of different names behind one address."""
    by_email: dict[str, list[tuple[str, str]]] = {}
    for kind in ("Lead", "Contact"):
        for row in worlds.salesforce.rows(kind):
            if "Email" in row and not row.get("IsConverted"):
                by_email.setdefault(row["Email"].lower(), []).append((kind, row["LastName"].lower()))
    several = [found for found in by_email.values() if len(found) > 1]
    assert any(found[0] == found[1] == ("Lead", found[0][1]) for found in several)
    assert any({kind for kind, _ in found} == {"Lead", "Contact"} and len({last for _, last in found}) == 1 for found in several)
    shared = [email for email, found in by_email.items() if len({last for _, last in found}) > 1 and email.split("@")[0] in ROLES]
    assert shared
    hubspot = {contact["properties"].get("email") for contact in worlds.hubspot.contacts()}
    assert hubspot & set(shared)


def test_converted_leads_lead_to_their_contacts(worlds: Worlds) -> None:
    """Every converted Lead names a Contact of its person, that Contact's account, and mostly an opportunity with its role."""
    org = worlds.salesforce.org
    converted = [row for row in worlds.salesforce.rows("Lead") if row["IsConverted"]]
    roles = {(row["OpportunityId"], row["ContactId"]) for row in worlds.salesforce.rows("OpportunityContactRole")}
    assert len(converted) > 100
    for row in converted:
        kind, contact = org.row(row["ConvertedContactId"])
        assert (kind, contact["AccountId"]) == ("Contact", row["ConvertedAccountId"])
        if deal := row.get("ConvertedOpportunityId"):
            assert (deal, contact["Id"]) in roles
    assert sum("ConvertedOpportunityId" in row for row in converted) > len(converted) / 2


def test_stages_are_spread_over_both(worlds: Worlds) -> None:
    """Every default stage and every status is somewhere; somebody has opted out, somebody has no address."""
    contacts = [contact["properties"] for contact in worlds.hubspot.contacts()]
    leads = list(worlds.salesforce.rows("Lead"))
    assert {"subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"} <= {
        contact["lifecyclestage"] for contact in contacts
    }
    assert {"UNQUALIFIED", "BAD_TIMING", "IN_PROGRESS"} <= {contact.get("hs_lead_status") for contact in contacts}
    assert {row["ApiName"] for row in worlds.salesforce.rows("LeadStatus")} == {row["Status"] for row in leads}
    assert any(contact.get("hs_email_optout") == "true" for contact in contacts)
    assert any(row["HasOptedOutOfEmail"] for row in leads)
    assert any("email" not in contact for contact in contacts)
    assert any("Email" not in row for row in leads)


def test_differences_come_in_groups(worlds: Worlds) -> None:
    """Numbers and titles really differ for many people in both systems, and blanks stand against values on either side."""
    contacts = {contact["properties"].get("email"): contact["properties"] for contact in worlds.hubspot.contacts()}
    differing: Counter[str] = Counter()
    for row in worlds.salesforce.rows("Lead"):
        contact = contacts.get(row.get("Email", "").lower())
        if contact is None or row["IsConverted"]:
            continue
        title, there = contact.get("jobtitle"), row.get("Title")
        differing["title"] += title is not None and there is not None and title != there
        differing["blank here"] += title is None and there is not None
        differing["blank there"] += title is not None and there is None
        phone, other = DIGITS.sub("", contact.get("phone", "")), DIGITS.sub("", row.get("Phone", ""))
        differing["phone"] += bool(phone and other) and phone[-2:] != other[-2:]
        differing["case"] += row.get("Email") != row.get("Email", "").lower()
    assert all(differing[what] > 20 for what in ("title", "blank here", "blank there", "phone", "case")), differing


def test_the_benchmark_population_is_predictable() -> None:
    """In both worlds the same people stand once each, equal in everything but the case of the address and the writing of numbers."""
    worlds = build(0)
    counts = populate_benchmark(worlds.hubspot, worlds.salesforce, 500, 0.6, seed=2)
    assert (counts.both, counts.only_hubspot, counts.only_salesforce) == (300, 200, 200)
    contacts = {contact["properties"]["email"]: contact["properties"] for contact in worlds.hubspot.contacts()}
    leads = {row["Email"].lower(): row for row in worlds.salesforce.rows("Lead")}
    both = set(contacts) & set(leads)
    assert (len(contacts), len(leads), len(both)) == (500, 500, 300)
    for email in both:
        contact, lead = contacts[email], leads[email]
        pairs = {
            "firstname": "FirstName",
            "lastname": "LastName",
            "jobtitle": "Title",
            "company": "Company",
            "city": "City",
            "country": "Country",
            "website": "Website",
        }
        assert all(contact.get(ours) == lead.get(theirs) for ours, theirs in pairs.items())
        numbers = [phonenumbers.parse(each, _region(lead["Country"])) for each in (contact["phone"], lead["Phone"])]
        assert numbers[0].national_number == numbers[1].national_number
        assert (contact["lifecyclestage"], lead["Status"]) == ("lead", "Open - Not Contacted")


def _region(name: str) -> str:
    return next(country.code for country, _ in load_countries() if country.name == name)


def test_a_day_of_work_touches_everything() -> None:
    """The story changes fields and stages, converts, merges, deletes, clears and renames, each on another person, and says so truly."""
    worlds = build(2_000, seed=11)
    before = {row["Id"]: row for kind in ("Lead", "Contact") for row in worlds.salesforce.rows(kind)}
    events = story(*worlds)
    happened = {(event.system, event.field) for event in events}
    assert happened >= {("hubspot", "jobtitle"), ("salesforce", "Title"), ("hubspot", "lifecyclestage"), ("salesforce", "Status"), ("hubspot", "email")}
    assert sum(event.field is None for event in events) == 4
    after = {row["Id"]: row for kind in ("Lead", "Contact") for row in worlds.salesforce.rows(kind)}
    changed = {id for id in before.keys() & after.keys() if before[id] != after[id]}
    assert len(before.keys() - after.keys()) == 2
    assert len(changed) >= 6
    assert sum(row.get("IsConverted", False) for row in after.values()) == sum(row.get("IsConverted", False) for row in before.values()) + 1
    assert len({event.email for event in events}) == len(events) - 2


def test_a_story_leaves_out_what_nobody_suits() -> None:
    """In worlds without people nothing happens."""
    assert story(*build(0)) == list[Event]()


def test_an_org_without_a_fitting_status_is_named() -> None:
    """A stage that no status can say is a ValueError with what the org has."""
    with pytest.raises(ValueError, match=r"no value for .*sal.*; it has New"):
        Statuses.in_org(["New"])
