"""Owners across the systems: by e-mail, never by guess, and never at the cost of somebody's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from office import Office

from stagesync.sync.looking.verify import verify

ANN = "ann.berg@example.com"
KEN = "ken.mori@example.com"
LEA = "lea.roth@example.com"


class Sales(Office):
    """An office in which Ann and Ken own records in both systems, Lea in HubSpot only, and Riley in Salesforce only."""

    def __init__(self, folder: Path, **given: Any) -> None:
        super().__init__(folder, **given)
        self.theirs = {each.email: each.id for each in self.hub.portal.owners}
        self.ours = {ANN: self.user(ANN), KEN: self.user(KEN)}
        self.queue = self.crm.org.queue
        self.session = self.reopened()

    def user(self, email: str, active: bool = True) -> str:
        """Somebody who works in Salesforce; gives the id."""
        return self.crm.org.plant("User", {"Username": email, "Email": email, "LastName": "Rep", "Name": "Rep", "UserType": "Standard", "IsActive": active})

    def lead(self, owner: str | None = None, email: str = "anna@a.example") -> str:
        """A Lead that belongs to this id; gives its own."""
        return self.crm.load("Lead", [{"Email": email, "LastName": "Ash", "Company": "A Inc", **({"OwnerId": owner} if owner else {})}])[0]

    def contacted(self, owner: str | None = None, email: str = "anna@a.example") -> str:
        """A contact that belongs to this id; gives its own."""
        return self.hub.create({"email": email, "lastname": "Ash", "company": "A Inc", **({"hubspot_owner_id": owner} if owner else {})})

    def owners(self, email: str = "anna@a.example") -> tuple[str | None, str]:
        """Who owns the person in HubSpot, and who in Salesforce, by id."""
        return self.contact(email).get("hubspot_owner_id") or None, self.person(email)["OwnerId"]

    def settled(self, runs: int = 2) -> None:
        """Further runs write nothing, ask nothing and overrule nothing."""
        for _ in range(runs):
            self.later()
            report = self.run()
            assert (report.writes, report.new_holds, report.overruled) == (0, 0, 0)


def test_an_owner_edited_in_hubspot_arrives_by_address(tmp_path: Path) -> None:
    """A new person comes with its owner, and a change of owner travels either way."""
    office = Sales(tmp_path)
    contact = office.contacted(office.theirs[ANN])
    office.run()
    assert office.owners() == (office.theirs[ANN], office.ours[ANN])
    office.later()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[KEN]})
    office.run()
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.later()
    office.crm.edit(office.person("anna@a.example")["Id"], {"OwnerId": office.ours[ANN]})
    office.run()
    assert office.owners() == (office.theirs[ANN], office.ours[ANN])
    office.settled()


def test_a_queue_takes_nothing_from_hubspot(tmp_path: Path) -> None:
    """A Lead that is put into a queue stays there and the contact keeps its owner, until somebody chooses one."""
    office = Sales(tmp_path)
    contact = office.contacted(office.theirs[ANN])
    office.run()
    office.later()
    lead = office.person("anna@a.example")["Id"]
    office.crm.edit(lead, {"OwnerId": office.queue, "City": "Bonn"})
    office.run()
    assert office.contact("anna@a.example")["city"] == "Bonn"
    office.settled()
    assert office.owners() == (office.theirs[ANN], office.queue)
    office.hub.edit(contact, {"jobtitle": "CEO"})
    office.run()
    assert office.owners() == (office.theirs[ANN], office.queue)
    office.later()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[KEN]})
    office.run()
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.settled()


def test_out_of_the_queue_is_an_edit(tmp_path: Path) -> None:
    """Whoever takes a Lead out of a queue owns the contact too."""
    office = Sales(tmp_path)
    lead = office.lead(office.queue)
    office.run()
    assert office.owners() == (None, office.queue)
    office.settled()
    office.crm.edit(lead, {"OwnerId": office.ours[KEN]})
    office.run()
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.settled()


@pytest.mark.parametrize("silent", ["queue", "left", "unknown"])
@pytest.mark.parametrize("email", [ANN, None])
def test_the_first_meeting_overrules_nobody(tmp_path: Path, silent: str, email: str | None) -> None:
    """A Lead of a queue, of somebody who left, or of somebody whom HubSpot does not know meets a contact: both keep what they have."""
    office = Sales(tmp_path)
    of = {"queue": office.queue, "left": office.user(LEA, active=False), "unknown": office.crm.org.somebody}[silent]
    office.session = office.reopened()
    office.lead(of)
    office.contacted(office.theirs[email] if email else None)
    report = office.run()
    assert (report.new_holds, report.overruled) == (0, 0)
    assert office.owners() == (office.theirs[email] if email else None, of)
    office.settled()


def test_the_first_meeting_fills_a_blank_owner(tmp_path: Path) -> None:
    """A contact without an owner gets the Lead's, as any blank field would."""
    office = Sales(tmp_path)
    office.lead(office.ours[KEN])
    office.contacted()
    office.run()
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.settled()


def test_whom_the_other_lacks_stays_here(tmp_path: Path) -> None:
    """Lea has no user in Salesforce: what she owns there is left as it is, in a new record to Salesforce itself, and nobody is asked."""
    office = Sales(tmp_path)
    contact = office.contacted(office.theirs[LEA])
    office.contacted(office.theirs[ANN], "bob@b.example")
    report = office.run()
    assert report.new_holds == 0
    assert office.owners() == (office.theirs[LEA], office.crm.org.integration)
    office.settled()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[ANN]})
    office.run()
    assert office.owners() == (office.theirs[ANN], office.ours[ANN])
    office.later()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[LEA]})
    office.run()
    assert office.owners() == (office.theirs[LEA], office.ours[ANN])
    office.settled()


def test_a_fallback_is_no_edit(tmp_path: Path) -> None:
    """With a fallback Lea's people belong to Ken in Salesforce, in new records and old, and HubSpot never hears of it."""
    office = Sales(tmp_path)
    office.fields = {"owner": {"fallback": {"crm": KEN}}}
    office.user(LEA, active=False)
    office.session = office.reopened()
    office.contacted(office.theirs[LEA])
    office.contacted(office.theirs[ANN], "bob@b.example")
    office.run()
    assert office.owners() == (office.theirs[LEA], office.ours[KEN])
    office.settled()
    bob = office.contact("bob@b.example")["id"]
    office.hub.edit(bob, {"hubspot_owner_id": office.theirs[LEA]})
    office.run()
    assert office.owners("bob@b.example") == (office.theirs[LEA], office.ours[KEN])
    office.settled()
    office.crm.edit(office.person("bob@b.example")["Id"], {"OwnerId": office.ours[ANN]})
    office.run()
    assert office.owners("bob@b.example") == (office.theirs[ANN], office.ours[ANN])
    office.settled()


def test_the_fallback_meets_its_own_trace(tmp_path: Path) -> None:
    """Where the fallback owns the Lead already, it agrees with the stranger who owns the contact: no winner, no write."""
    office = Sales(tmp_path)
    office.fields = {"owner": {"fallback": {"crm": KEN}}}
    office.session = office.reopened()
    office.lead(office.ours[KEN])
    office.contacted(office.theirs[LEA])
    report = office.run()
    assert (report.writes, report.new_holds, report.overruled) == (0, 0, 0)
    office.settled()


def test_an_owner_is_never_cleared(tmp_path: Path) -> None:
    """Whoever takes the owner off a contact gets it back: Salesforce still says whose it is."""
    office = Sales(tmp_path)
    contact = office.contacted(office.theirs[ANN])
    office.run()
    office.later()
    office.hub.edit(contact, {"hubspot_owner_id": ""})
    office.run()
    assert office.owners() == (office.theirs[ANN], office.ours[ANN])
    office.settled()


def test_both_choose_an_owner(tmp_path: Path) -> None:
    """A choice on one side and a queue on the other at once are no conflict: the choice counts where it came later, and each stays where the queue did."""
    office = Sales(tmp_path)
    contact = office.contacted(office.theirs[ANN])
    office.run()
    lead = office.person("anna@a.example")["Id"]
    office.later()
    office.crm.edit(lead, {"OwnerId": office.queue})
    office.later()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[KEN]})
    assert office.run().overruled == 0
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.settled()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[ANN]})
    office.later()
    office.crm.edit(lead, {"OwnerId": office.queue})
    assert office.run().overruled == 0
    assert office.owners() == (office.theirs[ANN], office.queue)
    office.settled()


def test_two_choices_are_a_conflict(tmp_path: Path) -> None:
    """Two owners chosen at once are decided like any field, and the one that lost is on record."""
    office = Sales(tmp_path)
    office.ours[LEA] = office.user(LEA)
    office.session = office.reopened()
    contact = office.contacted(office.theirs[ANN])
    office.run()
    office.later()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[KEN]})
    office.crm.edit(office.person("anna@a.example")["Id"], {"OwnerId": office.ours[LEA]})
    assert office.run().overruled == 1
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.settled()


def test_who_leaves_takes_nothing_along(tmp_path: Path) -> None:
    """Ken leaves Salesforce: what he owned stays as it is on both sides, and the next choice goes through."""
    office = Sales(tmp_path)
    contact = office.contacted(office.theirs[KEN])
    office.run()
    office.crm.org.store.put("User", {**office.crm.org.store.tables["User"].rows[office.ours[KEN]], "IsActive": False})
    office.session = office.reopened()
    office.settled()
    office.hub.edit(contact, {"jobtitle": "CEO"})
    office.run()
    assert office.owners() == (office.theirs[KEN], office.ours[KEN])
    office.settled()
    office.hub.edit(contact, {"hubspot_owner_id": office.theirs[ANN]})
    office.run()
    assert office.owners() == (office.theirs[ANN], office.ours[ANN])
    office.settled()


def test_verify_proves_what_owners_can_say(tmp_path: Path) -> None:
    """A queue, a stranger and a fallback are no drift; a person without any owner in common is not even worth a count."""
    office = Sales(tmp_path)
    office.fields = {"owner": {"fallback": {"crm": KEN}}}
    office.session = office.reopened()
    office.lead(office.queue)
    office.contacted(office.theirs[ANN])
    office.lead(office.queue, "bob@b.example")
    office.contacted(office.theirs[LEA], "cleo@c.example")
    office.quiet()
    found = verify(office.session)
    assert (found.proved, found.drifted, found.held) == (True, 0, 0)
    assert {key: count for key, count in found.unprovable.items() if key[1] == "owner"} == {("crm", "owner"): 1}
    office.crm.edit(office.person("cleo@c.example")["Id"], {"OwnerId": office.ours[ANN]})
    assert verify(office.session).drifted == 1


def test_of_three_systems_one_lacks_an_owner(tmp_path: Path) -> None:
    """Lea owns in two portals: Salesforce is not written, in a new record or an old one, nobody is asked, and verify takes it for what cannot be carried."""
    office = Sales(tmp_path, second=True)
    contact = office.contacted(office.theirs[LEA])
    assert office.run().new_holds == 0
    assert office.owners() == (office.theirs[LEA], office.crm.org.integration)
    assert office.contact("anna@a.example", "hub2")["hubspot_owner_id"] == office.theirs[LEA]
    office.settled()
    for owner, in_crm in ((ANN, office.ours[ANN]), (LEA, office.ours[ANN])):
        office.hub.edit(contact, {"hubspot_owner_id": office.theirs[owner]})
        assert office.run().new_holds == 0
        assert office.owners() == (office.theirs[owner], in_crm)
        assert office.contact("anna@a.example", "hub2")["hubspot_owner_id"] == office.theirs[owner]
        office.settled()
    found = verify(office.session)
    assert (found.proved, found.drifted, found.unprovable["crm", "owner"]) == (True, 0, 1)
