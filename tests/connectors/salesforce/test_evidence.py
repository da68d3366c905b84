"""What opportunities and campaigns say about people: read with the people, told when it changes, in few calls, in orgs that have them and in others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from deals import ACTS, work
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_org import Org, Pulled, pulled

from stagesync.connectors.salesforce.cursor import Position, read, written
from stagesync.connectors.salesforce.evidence import CHANGED, FIELDS, STAGE, STATE
from stagesync.model.records import Present, Query, Ref, Sighting
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.salesforce.habits import Habits

ASKED = {"contact": ("LastName", "Account.Name", STATE, STAGE, CHANGED)}
PEOPLE = {"contact": ("LastName",), "lead": ("LastName",)}
HOUR = 3600.0


@pytest.fixture
def org() -> Org:
    """An empty org."""
    return Org()


def told(org: Org, found: Pulled) -> dict[str, Any]:
    """The state that each pulled contact's opportunities have; contacts about which nothing was said are left out."""
    return {str(record.values["LastName"]): record.values[STATE] for record in found.records.values() if STATE in record.values}


def later(org: Org, seconds: float = HOUR) -> None:
    """Windows close."""
    org.clock.at += seconds


def fetched(org: Org, ids: Sequence[str]) -> list[Any]:
    """The state that a look at these contacts gives."""
    seen = org.connector.fetch([Ref("contact", id) for id in ids], ASKED)
    return [each.record.values[STATE] for each in seen if isinstance(each, Present)]


def sightings(org: Org, cursor: str | None = None) -> tuple[list[Sighting], str]:
    """The events of one pull, and its cursor."""
    pages = list(org.connector.pull(Query(PEOPLE, cursor, signals=True)))
    return [each for page in pages for each in page.signals], pages[-1].cursor


def test_the_most_telling_opportunity_counts(org: Org) -> None:
    """Won before open before lost; among equals the one whose stage changed last; nobody without a role has any."""
    for name, stages in {"Won": ("Prospecting", "Closed Won", "Closed Lost"), "Open": ("Closed Lost", "Qualification"), "Lost": ("Closed Lost",)}.items():
        contact = org.contact(name)
        for stage in stages:
            org.world.open_opportunity(contact, stage)
    org.contact("None")
    both = org.contact("Both")
    older, newer = (org.world.open_opportunity(both, stage) for stage in ("Prospecting", "Qualification"))
    later(org, 5)
    org.world.set_stage(newer, "Needs Analysis")
    later(org, 5)
    org.world.set_stage(older, "Value Proposition")
    found = pulled(org.connector, None, ASKED)
    assert told(org, found) == {"Won": "won", "Open": "open", "Lost": "lost", "None": None, "Both": "open"}
    values = {record.values["LastName"]: record.values for record in found.records.values()}
    assert (values["Both"][STAGE], values["Both"][CHANGED]) == ("Value Proposition", org.world.org.row(older)[1]["LastStageChangeDate"])
    assert (values["None"][STAGE], values["None"][CHANGED]) == (None, None)
    assert values["Won"].keys() == set(ASKED["contact"])


def test_a_deal_that_moves_brings_its_contacts(org: Org) -> None:
    """A new role, a new stage, a deal in the bin and out of it: the contacts come as whole records with their own old stamps, and nobody else comes."""
    one, two, other = org.contact("One"), org.contact("Two"), org.contact("Other")
    deal = org.world.open_opportunity(one)
    later(org)
    first = pulled(org.connector, None, ASKED)
    cursor = first.cursor
    for act, expected in (
        (lambda: org.world.set_stage(deal, "Closed Won"), {"One": "won"}),
        (lambda: org.world.add_role(deal, two), {"Two": "won"}),
        (lambda: org.world.bin_opportunity(deal), {"One": None, "Two": None}),
        (lambda: org.world.undelete(deal), {"One": "won", "Two": "won"}),
        (lambda: org.world.set_stage(deal, "Closed Lost"), {"One": "lost", "Two": "lost"}),
    ):
        later(org)
        cursor = pulled(org.connector, cursor, ASKED).cursor
        act()
        found = pulled(org.connector, cursor, ASKED)
        assert told(org, found) == expected
        assert all(record.stamp == first.records[id].stamp for id, record in found.records.items())
        cursor = found.cursor
    assert other not in found.records


def test_a_window_is_read_again(org: Org) -> None:
    """A deal whose change becomes visible behind the reader is told all the same."""
    contact = org.contact("Late")
    deal = org.world.open_opportunity(contact)
    later(org)
    cursor = pulled(org.connector, None, ASKED).cursor
    later(org)
    org.world.org.change_habits({"commit_lag_s": 300})
    org.world.set_stage(deal, "Closed Won")
    later(org, 60)
    found = pulled(org.connector, cursor, ASKED)
    assert told(org, found) == {}
    later(org, 300)
    assert told(org, pulled(org.connector, found.cursor, ASKED)) == {"Late": "won"}


def test_other_roles_of_a_concerned_contact_count_too(org: Org) -> None:
    """A contact whose one deal is lost is still the customer that another deal made of it."""
    contact = org.contact("Twice")
    org.world.open_opportunity(contact, "Closed Won")
    deal = org.world.open_opportunity(contact)
    cursor = pulled(org.connector, None, ASKED).cursor
    later(org)
    org.world.set_stage(deal, "Closed Lost")
    assert told(org, pulled(org.connector, cursor, ASKED)) == {"Twice": "won"}


def test_a_contact_that_changes_brings_what_its_deals_say_now(org: Org) -> None:
    """A merge moves roles to the winner, which has changed itself; a changed contact without roles is known to have none, a new one too."""
    winner, loser, other = org.contact("Winner"), org.contact("Loser"), org.contact("Other")
    org.world.open_opportunity(loser, "Closed Won")
    cursor = pulled(org.connector, None, ASKED).cursor
    later(org)
    org.world.merge(winner, [loser])
    org.world.edit(other, {"Title": "CEO"})
    org.contact("New")
    found = pulled(org.connector, cursor, ASKED)
    assert (told(org, found), set(found.moved)) == ({"Winner": "won", "Other": None, "New": None}, {loser})


def test_a_deleted_role_is_seen_by_whoever_looks(org: Org) -> None:
    """No feed tells it, so the fields are said to be without one; a look at the contact shows it."""
    contact = org.contact("Left")
    deal = org.world.open_opportunity(contact)
    later(org)
    cursor = pulled(org.connector, None, ASKED).cursor
    later(org)
    org.world.drop_role(deal, contact)
    assert pulled(org.connector, cursor, ASKED).records == {}
    assert fetched(org, [contact]) == [None]
    assert org.connector.capabilities.unfed == frozenset(FIELDS)


def test_looks_and_searches_are_complete(org: Org) -> None:
    """Records read by id, in either form of it, and found by their address have the same fields as pulled ones."""
    one, two = org.contact("One", Email="one@a.example"), org.contact("Two")
    org.world.open_opportunity(one, "Closed Won")
    assert fetched(org, [one, two, one[:15]]) == ["won", None, "won"]
    (record,) = org.connector.find("contact", "Email", ["one@a.example"], ("Email", STATE))
    assert record.values == {"Email": "one@a.example", STATE: "won"}
    assert [each.record.values for each in org.connector.fetch([Ref("contact", one)], {"contact": (STATE,)}) if isinstance(each, Present)] == [{STATE: "won"}]


def test_quiet_means_one_call_more(org: Org) -> None:
    """One query over the roles tells of them and of their deals; that a window is read again costs nothing either, however many are in it."""
    for number in range(50):
        org.world.open_opportunity(org.contact(f"Number {number}"))
    cursor = pulled(org.connector, None, ASKED).cursor
    org.calls()
    cursor = pulled(org.connector, cursor, ASKED).cursor
    assert org.calls() == {"GET queryAll": 2}
    later(org)
    cursor = pulled(org.connector, cursor, ASKED).cursor
    assert org.calls() == {"GET queryAll": 2}
    pulled(org.connector, cursor, {"contact": ("LastName", "Account.Name")})
    assert org.calls() == {"GET queryAll": 1}


def test_many_moved_deals_cost_few_calls(org: Org) -> None:
    """Contacts and their roles are read again by hundreds, never one by one."""
    contacts = org.world.load("Contact", [{"LastName": f"Number {number}"} for number in range(900)])
    deals = org.world.load("Opportunity", [{"Name": "Deal", "StageName": "Prospecting"} for _ in contacts])
    org.world.load("OpportunityContactRole", [{"OpportunityId": deal, "ContactId": contact} for deal, contact in zip(deals, contacts, strict=True)])
    org.calls()
    cursor = pulled(org.connector, None, ASKED).cursor
    assert sum(org.calls().values()) == 2
    later(org)
    for deal in deals:
        org.world.set_stage(deal, "Closed Won")
    found = pulled(org.connector, cursor, ASKED)
    assert len(found.records) == 900
    assert set(told(org, found).values()) == {"won"}
    assert sum(org.calls().values()) <= 6


def test_a_first_reading_that_broke_off_misses_nothing(org: Org) -> None:
    """From any page on, with deals that move in between: in the end everybody is told as they are."""
    org.world.org.change_habits({"page_rows": 1})
    contacts = [org.contact(f"Number {number}") for number in range(4)]
    deals = [org.world.open_opportunity(contact) for contact in contacts]
    later(org)
    for pages in range(1, 5):
        part = pulled(org.connector, None, ASKED, pages=pages)
        for deal in deals:
            org.world.set_stage(deal, "Closed Won" if pages % 2 else "Qualification")
        later(org, 1)
        state = told(org, part)
        rest = pulled(org.reopened(), part.cursor, ASKED)
        state |= told(org, rest)
        state |= told(org, pulled(org.connector, rest.cursor, ASKED))
        assert state == {f"Number {number}": "won" if pages % 2 else "open" for number in range(4)}
        later(org)


def test_a_lost_cursor_of_the_roles_costs_nothing_but_a_query(org: Org) -> None:
    """Where the rest of the roles cannot be had any more, a new query goes on behind the last one."""
    org.world.org.change_habits({"page_rows": 2})
    for number in range(7):
        org.world.open_opportunity(org.contact(f"Number {number}"), "Closed Won")
    gone = '[{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]'
    org.world.faults.add(Fault("status", "GET /services/data/v66.0/query/01g", status=400, body=gone, content_type="application/json"))
    found = told(org, pulled(org.connector, None, ASKED))
    assert (len(found), set(found.values())) == (7, {"won"})


def test_a_cursor_without_this_feed_tells_everybody_with_a_role(org: Org) -> None:
    """A cursor of before goes on where it stood, and the roles are read from the beginning."""
    deal = org.world.open_opportunity(org.contact("Old"), "Closed Won")
    org.contact("Alone")
    later(org)
    before = pulled(org.connector, None, {"contact": ("LastName",)}).cursor
    assert read(before).keys() == {"contact"}
    later(org)
    found = pulled(org.connector, before, ASKED)
    assert told(org, found) == {"Old": "won"}
    later(org)
    org.world.set_stage(deal, "Closed Lost")
    assert told(org, pulled(org.connector, found.cursor, ASKED)) == {"Old": "lost"}


@pytest.mark.parametrize("hidden", [{"Opportunity"}, {"OpportunityContactRole"}, {"Opportunity", "OpportunityContactRole", "OpportunityStage"}])
def test_an_org_without_opportunities_is_described_without_them(hidden: set[str]) -> None:
    """The fields are not there, a finding says why, and everything else goes on."""
    org = Org(Habits(duplicate_rules="off", hidden_objects=frozenset(hidden)))
    org.contact("Ada")
    found = org.connector.describe()
    assert found.kinds["contact"].fields.keys().isdisjoint(FIELDS)
    assert any("Opportunity" in finding for finding in found.findings)
    assert len(pulled(org.connector).records) == 1


def test_the_fields_are_described_as_readable_only(org: Org) -> None:
    """With the states, the org's own stages in their order, and no right to write."""
    described = org.connector.describe()
    fields = {name: described.kinds["contact"].fields[name] for name in FIELDS}
    assert not any(field.writable or field.creatable or field.required for field in fields.values())
    assert [option.value for option in fields[STATE].options] == ["won", "open", "lost"]
    assert [option.value for option in fields[STAGE].options][:2] == ["Prospecting", "Qualification"]
    assert fields[CHANGED].type == "datetime"
    assert not any("Opportunity" in finding for finding in described.findings)
    assert described.kinds["lead"].fields.keys().isdisjoint(FIELDS)


DEEDS = st.lists(st.tuples(st.sampled_from((*ACTS, "pull")), st.integers(0, 3), st.integers(0, 2)), max_size=14)


@settings(max_examples=40, deadline=None)
@given(DEEDS, st.booleans())
def test_whatever_happens_the_told_state_is_what_a_look_shows(acts: list[tuple[str, int, int]], person_moves: bool) -> None:
    """Roles, moves, bins and edits in any order, pulls in between: what was told last of each contact is what reading it now gives."""
    org = Org(Habits(duplicate_rules="off", child_moves_person=person_moves))
    contacts = [org.contact(f"Number {number}") for number in range(3)]
    deals = [org.world.open_opportunity(contacts[0]) for _ in range(4)]
    state: dict[str, Any] = {}
    cursor = None
    for act, deal, choice in [*acts, ("pull", 0, 0)]:
        later(org, 1)
        if act == "pull":
            found = pulled(org.connector, cursor, ASKED)
            cursor = found.cursor
            state |= told(org, found)
            later(org, 1200)
        else:
            work(org.world, act, deals[deal], contacts, choice)
    assert state == dict(zip((f"Number {number}" for number in range(3)), fetched(org, contacts), strict=True))


# ---- campaigns


def test_members_are_events(org: Org) -> None:
    """A Lead and a Contact, with the campaign, what they said and when: the day of a response in the org's zone, never before they were members."""
    lead, contact = org.lead("Lead"), org.contact("Contact")
    one, two = org.world.add_campaign_member(lead, "Webinar"), org.world.add_campaign_member(contact, "Webinar")
    (campaign,) = org.world.rows("Campaign")
    org.world.edit(campaign["Id"], {"Type": "Webinar"})
    made = org.clock.now_ms() // 1000 * 1000
    later(org, 3 * 86_400)
    org.world.respond(two)
    day = org.world.org.row(two)[1]["FirstRespondedDate"]
    found = {each.ref: each.signal for each in sightings(org)[0]}
    assert found.keys() == {Ref("lead", lead), Ref("contact", contact)}
    first, second = found[Ref("lead", lead)], found[Ref("contact", contact)]
    assert (first.kind, first.source, first.key, first.at) == ("campaign", "crm", f"{one}:Sent", made)
    assert first.attributes == {"campaign": "Webinar", "campaign_type": "Webinar", "status": "Sent", "responded": False}
    assert (second.key, second.attributes["responded"]) == (f"{two}:Responded", True)
    zone = {"Europe/Berlin": "+02:00", "UTC": "+00:00"}[org.connector.identity().zone]
    assert second.at == _ms(f"{day}T00:00:00{zone}") > made


def _ms(written: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(written).timestamp() * 1000)


def test_members_are_told_when_they_change(org: Org) -> None:
    """From their own place in the cursor; whoever does not ask is told nothing and pays nothing."""
    contact = org.contact("Contact")
    member = org.world.add_campaign_member(contact, "Webinar")
    assert all(not page.signals for page in org.connector.pull(Query(PEOPLE)))
    later(org)
    found, cursor = sightings(org)
    assert len(found) == 1
    later(org)
    org.calls()
    assert sightings(org, cursor)[0] == []
    assert org.calls() == {"GET queryAll": 3}
    org.world.respond(member)
    found, cursor = sightings(org, cursor)
    assert [each.signal.key for each in found] == [f"{member}:Responded"]
    later(org)
    org.world.delete(member)
    assert sightings(org, cursor)[0] == []


@pytest.mark.parametrize("moves", [True, False])
def test_converted_members_are_the_same_events(moves: bool) -> None:
    """Whether or not the vendor gives a member that goes over to the Contact a new stamp, its key stays, so that it counts once."""
    org = Org(Habits(duplicate_rules="off", conversion_moves_members=moves))
    lead = org.lead("Lead")
    org.world.add_campaign_member(lead, "Webinar")
    later(org)
    before, cursor = sightings(org)
    later(org)
    made = org.world.convert(lead)
    after, _ = sightings(org, cursor)
    assert {each.signal.key for each in after} <= {each.signal.key for each in before}
    assert [each.ref for each in after] == ([Ref("contact", made.contact)] if moves else [])
    assert [each.ref for each in sightings(org)[0]] == [Ref("contact", made.contact)]


@pytest.mark.parametrize("hidden", ["Campaign", "CampaignMember"])
def test_an_org_without_campaigns_has_no_such_events(hidden: str) -> None:
    """The feature is off, or the user may not see it: people are read all the same, from where they were."""
    org = Org(Habits(duplicate_rules="off", hidden_objects=frozenset({hidden})))
    contact = org.contact("Contact")
    found, cursor = sightings(org)
    assert found == []
    assert {ref.id for page in org.connector.pull(Query(PEOPLE)) for ref in (record.ref for record in page.records)} == {contact}
    org.world.org.change_habits({"hidden_objects": []})
    org.world.add_campaign_member(contact, "Webinar")
    assert len(sightings(org, cursor)[0]) == 1


def test_the_places_of_all_feeds_are_kept() -> None:
    """The cursor of one pull knows every feed of the last one."""
    places = {"contact": Position(since=1), "lead": Position(start=2, stamp=3, after="x"), "opportunity": Position(since=4), "campaign": Position(since=5)}
    assert read(written(places)) == places
