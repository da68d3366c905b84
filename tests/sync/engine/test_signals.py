"""Events that are evidence for a stage, end to end over the sandbox: told by the vendors' own fields, kept once, and with the person they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from office import Office

from stagesync.mapping.signals import read_signals
from stagesync.model.records import Record, Ref, Sighting, Signal
from stagesync.state import changes, keys, leases, links, people, signals
from stagesync.state.signals import NewSignal, SignalRow
from stagesync.sync import engine
from stagesync.sync.looking.observe import Seen, absorb
from stagesync.sync.people.who import find_people


def told(office: Office, who: str) -> list[SignalRow]:
    """The signals of the one person with that address, the newest first."""
    with office.session.store.read() as tx:
        (person,) = find_people(tx, office.session.workspace, {}, who)
        return signals.of_people(tx, [person]).get(person, [])


def kinds(office: Office, who: str) -> list[str]:
    """What they did, the newest first."""
    return [row.kind for row in told(office, who)]


def counted(office: Office) -> Mapping[tuple[str, str], int]:
    """(source, kind) -> how many are kept."""
    with office.session.store.read() as tx:
        return {(each.source, each.kind): each.signals for each in signals.counts(tx, office.session.workspace)}


def test_a_form_is_kept_once(tmp_path: Path, store_url: str) -> None:
    """A form that somebody filled in is one event, however often the contact is read again."""
    office = Office(tmp_path, url=store_url, signals=True)
    office.hub.submit_form("anna@a.example", "E-book", {"lastname": "Ash"}, "ORGANIC_SEARCH", "google")
    at = int(office.clock.at * 1000)
    office.run()
    found = told(office, "anna@a.example")
    assert [(row.kind, row.at, row.source, row.attributes) for row in found if row.kind == "form"] == [("form", at, "hub", {"form": "E-book", "count": 1})]
    assert [row.attributes for row in found if row.kind == "source"] == [{"source": "ORGANIC_SEARCH", "detail": "google"}]
    office.run()  # within the overlap: read again
    office.session = office.reopened()
    office.hub.edit(office.contact("anna@a.example")["id"], {"city": "Bonn"})
    office.quiet()
    assert told(office, "anna@a.example") == found


def test_two_forms_are_two_events(tmp_path: Path) -> None:
    """The vendor overwrites the last form with the next one; both are kept, and so is the first one of a contact that was read late."""
    office = Office(tmp_path, signals=True)
    office.hub.submit_form("anna@a.example", "Newsletter", {"lastname": "Ash"})
    office.later(600)
    office.hub.submit_form("anna@a.example", "E-book")
    office.run()
    assert [row.attributes["form"] for row in told(office, "anna@a.example") if row.kind == "form"] == ["E-book", "Newsletter"]
    office.later(600)
    office.hub.submit_form("anna@a.example", "Demo")
    office.run()
    assert [row.attributes["form"] for row in told(office, "anna@a.example") if row.kind == "form"] == ["Demo", "E-book", "Newsletter"]
    office.later(600)
    office.hub.submit_form("anna@a.example", "Demo")  # the same one again, later: another event
    office.run()
    assert kinds(office, "anna@a.example").count("form") == 4


def test_e_mails_and_visits(tmp_path: Path) -> None:
    """Opens, clicks, answers and visits are events at their last time, with the count that the vendor tells besides."""
    office = Office(tmp_path, signals=True)
    contact = office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.run()
    for deed in ("open", "open", "click", "reply"):
        office.later(60)
        office.hub.on_email(contact, deed)
    office.later(60)
    office.hub.visit(contact, "REFERRALS", "partner.example", pages=4)
    office.run()
    found = {row.kind: row.attributes for row in told(office, "anna@a.example")}
    assert found["email_open"] == {"count": 2}
    assert found["email_click"] == found["email_reply"] == {"count": 1}
    assert found["visit"] == {"count": 1, "pages": 4, "source": "REFERRALS", "detail": "partner.example"}
    assert found["source"] == {"source": "REFERRALS", "detail": "partner.example"}
    assert counted(office)["hub", "email_open"] == 1  # two opens between two looks leave one time


def test_where_a_lead_came_from(tmp_path: Path) -> None:
    """A Lead's source is an event at its creation, and a source that somebody corrects is another one of the same moment."""
    office = Office(tmp_path, signals=True)
    lead = office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc", "LeadSource": "Web"})
    office.run()
    office.later()
    office.crm.edit(lead, {"LeadSource": "Partner Referral"})
    office.run()
    found = told(office, "bob@b.example")
    assert [(row.source, row.attributes["source"]) for row in found] == [("crm", "Partner Referral"), ("crm", "Web")]
    assert found[0].at == found[1].at
    office.later()
    office.crm.convert(lead)
    office.quiet()
    assert told(office, "bob@b.example")[-1].attributes == {"source": "Web"}  # what the Lead told is still theirs


def test_an_address_that_nobody_has_yet(tmp_path: Path, store_url: str) -> None:
    """A signal about an unknown address waits for whoever turns out to have it, and that person is looked at."""
    office = Office(tmp_path, url=store_url, signals=True)
    office.hub.create({"email": "ben@b.example", "lastname": "Bay"})
    office.run()
    ws = office.session.workspace
    with office.session.store.write() as tx:
        events = [NewSignal(None, None, f"email:{each}@b.example", Signal("usage", 5, "product", each)) for each in ("anna", "ben")]
        assert signals.add(tx, ws, events, 10, None) == []
    office.run()
    assert [row.key for row in told(office, "ben@b.example")] == ["ben"]
    office.later()
    office.hub.create({"email": "anna@b.example", "lastname": "Ash"})
    office.quiet()
    assert [row.key for row in told(office, "anna@b.example")] == ["anna"]


def test_a_merge_tells_nothing_twice(tmp_path: Path) -> None:
    """What two contacts told is the one's that they went into, once, whichever person they were of."""
    office = Office(tmp_path, signals=True)
    one = office.hub.submit_form("anna@a.example", "Newsletter", {"lastname": "Ash"})
    office.later(60)
    other = office.hub.submit_form("anna.ash@a.example", "E-book", {"lastname": "Ash"})
    office.run()
    office.later()
    office.hub.merge(one, other)
    office.quiet()
    assert [row.attributes["form"] for row in told(office, "anna@a.example")] == ["E-book", "Newsletter"]
    assert counted(office) == {("hub", "form"): 2}


def test_signals_can_be_switched_on_later(tmp_path: Path) -> None:
    """Without signals their fields are not even asked for; once they are wanted, what the records still tell is read."""
    office = Office(tmp_path)
    office.hub.submit_form("anna@a.example", "E-book", {"lastname": "Ash"})
    office.run()
    assert counted(office) == {}
    account = next(iter(office.session.systems))
    assert "recent_conversion_date" not in office.session.asks(account)["contact"]
    office.signals = True
    office.session = office.reopened()
    office.later()
    assert office.run().writes == 0
    assert kinds(office, "anna@a.example") == ["form"]


def test_an_event_in_a_row_of_its_own(tmp_path: Path) -> None:
    """A sighting belongs to its record; one that nobody has read yet is asked for, and keeps its event until then."""
    office = Office(tmp_path, signals=True)
    office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc"})
    office.run()
    session = office.session
    (crm,) = (each.system for each in session.systems.values() if each.name == "crm")
    bob, eve = Ref("lead", office.person("bob@b.example")["Id"]), Ref("lead", "00Q000000000999EAA")
    seen = [Sighting(ref, Signal("campaign", 5, "crm", f"m{ref.id}")) for ref in (bob, eve, eve)]
    with session.store.write() as tx:
        assert absorb(tx, session.workspace, crm, Seen(signals=seen), 1, 10).unknown == (eve,)
        assert absorb(tx, session.workspace, crm, Seen(signals=seen), 1, 11).unknown == (eve,)
    assert kinds(office, "bob@b.example") == ["campaign"]
    values = {"Email": "eve@e.example", "LastName": "Elm"}
    with session.store.write() as tx:
        assert absorb(tx, session.workspace, crm, Seen(records=[Record(eve, 20, values)]), 1, 12).gone == 0
        assert absorb(tx, session.workspace, crm, Seen(signals=seen), 1, 13).unknown == ()
        (row,) = links.by_refs(tx, session.workspace, crm.account, [eve]).values()
        assert (row.state, row.person, row.stamp, row.seen) == ("new", None, 20, values)
        assert keys.find(tx, session.workspace, "email", ["eve@e.example"]) == [("eve@e.example", row.id)]
        assert [each.key for each in signals.of_links(tx, [row.id])[row.id]] == [f"m{eve.id}"]


def test_who_changed_is_looked_at(tmp_path: Path) -> None:
    """A new event makes its person due, and one that is told again does not."""
    office = Office(tmp_path, signals=True)
    contact = office.hub.submit_form("anna@a.example", "E-book", {"lastname": "Ash"})
    office.quiet()
    office.later()
    office.hub.on_email(contact, "open")
    assert office.run().people == 0  # looked at, and nothing was found to do
    (hub,) = (each.system for each in office.session.systems.values() if each.name == "hub")
    maps = hub.map.kinds["contact"].signals
    with office.session.store.write() as tx:
        (row,) = links.by_refs(tx, office.session.workspace, hub.account, [Ref("contact", contact)]).values()
        again = [NewSignal(row.person, row.id, None, each) for each in read_signals(maps, "hub", row.address, row.seen)]
        assert len(again) == 2
        assert signals.add(tx, office.session.workspace, again, 99, None) == []
        later = replace(again[0].signal, key="another")
        assert signals.add(tx, office.session.workspace, [again[0]._replace(signal=later)], 99, None) == [row.person]


def test_what_no_feed_tells_is_read_by_the_sweep(tmp_path: Path) -> None:
    """A role that was taken away leaves no trace for any query: once a day the records that had one are read again."""
    office = Office(tmp_path)
    lead = office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc"})
    office.crm.convert(lead)
    office.quiet()
    office.later(3600)
    office.run()  # from now on no window reads the contact again
    (contact,), (role,) = office.crm.rows("Contact"), office.crm.rows("OpportunityContactRole")

    def state() -> object:
        with office.session.store.read() as tx:
            (row,) = links.by_refs(tx, office.session.workspace, crm, [Ref("contact", contact["Id"])]).values()
            return row.seen["Opportunity.State"]

    crm = next(account for account, each in office.session.systems.items() if each.name == "crm")
    assert state() == "open"
    office.crm.drop_role(role["OpportunityId"], role["ContactId"])
    office.later(3600)
    office.run()
    assert state() == "open"
    office.later(24 * 3600)
    office.run()
    assert state() is None


def test_a_campaign_that_somebody_answered(tmp_path: Path) -> None:
    """Being put into a campaign and answering it are two events of the Lead, which was not touched by either."""
    office = Office(tmp_path, signals=True)
    lead = office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc"})
    office.run()
    office.later()
    member = office.crm.add_campaign_member(lead, "Webinar", "Sent")
    office.run()
    assert [(row.kind, row.source, row.attributes["campaign"], row.attributes["status"]) for row in told(office, "bob@b.example")] == [
        ("campaign", "crm", "Webinar", "Sent")
    ]
    office.later()
    office.crm.respond(member)
    office.run()
    office.run()
    assert [row.attributes["responded"] for row in told(office, "bob@b.example")] in ([True, False], [False, True])


def test_what_is_only_told_is_no_edit(tmp_path: Path) -> None:
    """Fields that only tell of events leave nothing to agree about, no change on record, and nobody who is looked at for nothing."""
    office = Office(tmp_path, signals=True)
    contact = office.hub.submit_form("anna@a.example", "E-book", {"lastname": "Ash"}, "ORGANIC_SEARCH")
    office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc", "LeadSource": "Web"})
    assert office.run().writes == 2
    office.later()
    office.hub.on_email(contact, "open")
    office.hub.edit(contact, {"hs_email_click": "7"})  # a count that grew by itself
    office.run()
    with office.session.store.read() as tx:
        ws = office.session.workspace
        assert people.due(tx, ws, 0, 10) == []
        rows = [row for account in office.session.systems for row in links.each(tx, ws, account, 0, 10)]
        assert [row.agreed for row in rows] == [{}] * 4
        assert changes.of_links(tx, [row.id for row in rows]) == {}
        assert {row.seen.get("hs_email_click") for row in rows if row.ref == contact} == {"7"}


def test_a_form_while_we_write(tmp_path: Path) -> None:
    """What happens to a contact between our reading and our writing is told by the next pull."""
    office = Office(tmp_path, signals=True)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.run()
    office.later()
    office.crm.edit(office.person("anna@a.example")["Id"], {"City": "Berlin"})
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        planned = engine.plan(office.session)
        office.later(1)
        office.hub.submit_form("anna@a.example", "E-book")
        office.later(1)
        engine.apply(office.session, planned.run, planned=planned)
    office.quiet()
    assert office.contact("anna@a.example")["city"] == "Berlin"
    assert kinds(office, "anna@a.example") == ["form"]
