"""What a record said last that went into another one: an opt-out in it is heard, once, and all else was chosen by whoever put the two together."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import Office
from questions import answer, questions

from stagesync.model.records import Ref
from stagesync.state import changes, links
from stagesync.state.links import LinkRow

ANNA = "anna@a.example"


def told(office: Office) -> tuple[bool, bool]:
    """Whether HubSpot mails nothing to Anna, and what her one record in Salesforce says."""
    (row,) = (row for kind in ("Lead", "Contact") for row in office.crm.rows(kind) if row.get("Email") == ANNA and not row.get("IsConverted"))
    return ANNA in office.hub.portal.optouts, bool(row.get("HasOptedOutOfEmail"))


def lead(office: Office, **values: object) -> str:
    """One more Lead with Anna's address."""
    return office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", **values})


def kept(office: Office, lead: str) -> LinkRow:
    """What is kept of that Lead."""
    account = next(account for account, connected in office.session.systems.items() if connected.name == "crm")
    with office.session.store.read() as tx:
        return links.by_refs(tx, office.session.workspace, account, [Ref("lead", lead)])[Ref("lead", lead)]


def settled(folder: Path) -> tuple[Office, str]:
    """An office that knows Anna; and her Lead."""
    office = Office(folder)
    first = lead(office)
    office.quiet()
    office.later()
    return office, first


def test_a_record_that_nobody_has_ever_read(tmp_path: Path) -> None:
    """It was made, opted out, and merged away between two looks. It is kept as one of hers, so that it is forgotten with her."""
    office, first = settled(tmp_path)
    second = lead(office, Email="second@a.example", HasOptedOutOfEmail=True)
    office.crm.merge(first, [second])
    office.quiet()
    assert told(office) == (True, True)
    assert kept(office, second).person == kept(office, first).person is not None


@pytest.mark.parametrize("seconds", [0, 1])
def test_one_merge_after_the_other(tmp_path: Path, seconds: int) -> None:
    """What the first of three said goes through the second into the last."""
    office, first = settled(tmp_path)
    second, third = lead(office), lead(office)
    office.run()
    office.crm.edit(third, {"HasOptedOutOfEmail": True})
    office.crm.merge(second, [third])
    office.later(seconds)
    office.crm.merge(first, [second])
    office.quiet()
    assert told(office) == (True, True)


def test_a_conversion_into_a_contact_that_is_there(tmp_path: Path) -> None:
    """A false opt-out there is not empty, so that the Lead's is not taken over by Salesforce."""
    office, first = settled(tmp_path)
    office.crm.edit(first, {"HasOptedOutOfEmail": True})
    account = office.crm.create("Account", {"Name": "A"})
    office.crm.convert(first, contact=office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash", "AccountId": account}))
    office.quiet()
    assert told(office) == (True, True)


def test_it_is_heard_once(tmp_path: Path) -> None:
    """Whoever says afterwards that it was taken back has the last word, though the bin is still read."""
    office, first = settled(tmp_path)
    office.crm.merge(first, [lead(office, HasOptedOutOfEmail=True)])
    office.quiet()
    office.crm.edit(first, {"HasOptedOutOfEmail": False})
    office.run()
    assert questions(office) == ["consent:email_opt_out:crm"]
    answer(office, "crm")
    office.quiet()
    assert told(office) == (True, False)
    office.later()
    office.quiet()
    assert (told(office), questions(office)) == ((True, False), [])


def test_other_values_were_chosen_by_whoever_merged(tmp_path: Path) -> None:
    """An edit that nobody had read gives way to what the other record said, and the log has it."""
    office, first = settled(tmp_path)
    second = lead(office, City="Kiel")
    office.quiet()
    office.crm.edit(first, {"City": "Bonn"})
    office.crm.merge(second, [first])
    office.quiet()
    assert office.person(ANNA)["City"] == office.contact(ANNA)["city"] == "Kiel"
    gone = kept(office, first)
    with office.session.store.read() as tx:
        known = changes.of_links(tx, [gone.id])[gone.id]
    assert [change.values["City"] for change in known if "City" in change.values] == [[None, "Bonn"]]
