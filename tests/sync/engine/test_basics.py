"""The main job, end to end over the sandbox: what somebody does in one system shows in the other."""

from __future__ import annotations

from pathlib import Path

from office import Office


def test_two_people_meet(tmp_path: Path, store_url: str) -> None:
    """People of either system are made in the other, and those of both are linked and filled, on either database."""
    office = Office(tmp_path, url=store_url)
    office.hub.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash", "phone": "+14155550132"})
    office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc"})
    office.hub.create({"email": "cleo@c.example", "lastname": "Cedar"})
    office.crm.create("Lead", {"Email": "CLEO@c.example", "LastName": "Cedar", "Company": "C Inc", "FirstName": "Cleo"})
    report = office.run()
    assert (report.systems["hub"].created, report.systems["crm"].created) == (1, 1)
    assert office.person("anna@a.example")["Company"] == "[not provided]"
    assert office.person("anna@a.example")["Phone"] == "+14155550132"
    assert office.contact("bob@b.example")["company"] == "B Inc"
    assert office.contact("cleo@c.example")["firstname"] == "Cleo"
    assert office.run().writes == 0


def test_edits_of_different_fields(tmp_path: Path) -> None:
    """Different fields edited on the two sides both arrive."""
    office = Office(tmp_path)
    contact = office.hub.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash"})
    office.run()
    lead = office.person("anna@a.example")
    office.later()
    office.hub.edit(contact, {"jobtitle": "CEO"})
    office.crm.edit(lead["Id"], {"City": "Berlin"})
    office.run()
    assert office.person("anna@a.example")["Title"] == "CEO"
    assert office.contact("anna@a.example")["city"] == "Berlin"
    assert office.run().writes == 0


def test_true_conflict(tmp_path: Path, store_url: str) -> None:
    """The same field edited on both sides goes by the order of systems where times are not known, and the loser is on record."""
    office = Office(tmp_path, url=store_url)
    contact = office.hub.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash", "city": "Bonn"})
    office.run()
    lead = office.person("anna@a.example")
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    office.crm.edit(lead["Id"], {"City": "Berlin"})
    report = office.run()
    assert report.overruled >= 1
    assert office.person("anna@a.example")["City"] == office.contact("anna@a.example")["city"] == "Ulm"
    assert office.run().writes == 0


def test_stage_forward_and_back(tmp_path: Path) -> None:
    """A stage moves forward from either side, and back where somebody lowered it."""
    office = Office(tmp_path)
    contact = office.hub.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    lead = office.person("anna@a.example")
    assert lead["Status"] == "Open - Not Contacted"
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    office.run()
    assert office.person("anna@a.example")["Status"] == "Marketing Qualified"
    office.later()
    office.crm.edit(lead["Id"], {"Status": "Sales Qualified"})
    office.run()
    assert office.contact("anna@a.example")["lifecyclestage"] == "salesqualifiedlead"
    office.later()
    office.crm.edit(lead["Id"], {"Status": "Marketing Qualified"})
    office.run()
    assert office.contact("anna@a.example")["lifecyclestage"] == "marketingqualifiedlead"
    assert office.run().writes == 0


def test_conversion(tmp_path: Path, store_url: str) -> None:
    """A converted Lead's link moves to the Contact, and the conversion is evidence for the stage."""
    office = Office(tmp_path, url=store_url)
    office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc", "Status": "Sales Qualified"})
    office.run()
    lead = office.person("bob@b.example")
    office.later()
    office.crm.convert(lead["Id"])
    office.run()
    assert office.contact("bob@b.example")["lifecyclestage"] == "opportunity"
    office.later()
    office.crm.edit(office.person("bob@b.example", "Contact")["Id"], {"Title": "CTO"})
    office.run()
    assert office.contact("bob@b.example")["jobtitle"] == "CTO"
    assert office.run().writes == 0
    assert len(list(office.crm.rows("Lead"))) == 1


def test_merge_in_hubspot(tmp_path: Path) -> None:
    """A merge in HubSpot mints a new id, and the link follows it."""
    office = Office(tmp_path)
    one = office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.run()
    office.later()
    other = office.hub.create({"email": "anna.ash@a.example", "lastname": "Ash", "city": "Bonn"})
    office.hub.merge(one, other)
    office.run()
    office.run()
    assert office.person("anna@a.example")["City"] == "Bonn"
    assert office.run().writes == 0
    assert len(list(office.hub.contacts())) == 1


def test_delete_is_held(tmp_path: Path) -> None:
    """A deleted Lead is not made again, nor is its contact deleted: it is held."""
    office = Office(tmp_path)
    office.crm.create("Lead", {"Email": "bob@b.example", "LastName": "Birch", "Company": "B Inc"})
    office.run()
    office.later()
    office.crm.delete(office.person("bob@b.example")["Id"])
    report = office.run()
    assert report.writes == 0
    assert report.new_holds == 1
    assert office.run().new_holds == 0
    assert office.contact("bob@b.example")


def test_clear_and_address(tmp_path: Path) -> None:
    """A cleared value and a changed e-mail are edits like any other."""
    office = Office(tmp_path)
    contact = office.hub.create({"email": "anna@a.example", "lastname": "Ash", "city": "Bonn"})
    office.run()
    office.later()
    office.hub.edit(contact, {"city": "", "email": "anna@new.example"})
    office.run()
    assert office.person("anna@new.example")["City"] is None
    assert office.run().writes == 0


def test_one_person_first(tmp_path: Path) -> None:
    """A run for one person writes that one alone, known or not, and does not count as the first run."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.hub.create({"email": "ben@b.example", "lastname": "Bay"})
    report = office.run(only=("anna@a.example",))
    assert report.systems["crm"].created == 1
    assert office.person("anna@a.example")["LastName"] == "Ash"
    assert "first" in {stop.kind for stop in office.plan().stops}
    assert office.run().systems["crm"].created == 1
    assert office.run().writes == 0


def test_a_word_that_stands_for_two_stages(tmp_path: Path) -> None:
    """A subscriber whose Lead has the only status that Salesforce has for one is not made a lead by meeting it."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "lifecyclestage": "subscriber"})
    office.crm.create("Lead", {"Email": "anna@a.example", "LastName": "Ash", "Company": "A Inc"})
    office.run()
    assert office.contact("anna@a.example")["lifecyclestage"] == "subscriber"
    assert office.person("anna@a.example")["Status"] == "Open - Not Contacted"
    assert office.run().writes == 0


def test_an_address_without_room_there_is_held(tmp_path: Path) -> None:
    """Salesforce takes e-mails of 80 characters: a longer one is no reason to fail, nor to make a record that nobody could find again."""
    office = Office(tmp_path)
    office.hub.create({"email": f"anna@{'a' * 63}.{'b' * 20}.example", "lastname": "Ash"})
    office.hub.create({"email": "cleo@c.example", "lastname": "Cedar"})
    report = office.run()
    assert (report.systems["crm"].created, report.held) == (1, 1)
    assert office.run().writes == 0
