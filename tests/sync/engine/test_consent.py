"""Opt-outs: carried to HubSpot by address, to every record in Salesforce, ahead of every new address, and never taken back by us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from office import Office
from questions import answer, groups

from stagesync.model.errors import CredentialError
from stagesync.sandbox.faults import Fault, FaultKind
from stagesync.sandbox.hubspot.habits import ALL_SCOPES
from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits
from stagesync.sync.looking.verify import verify

ANNA, BERT, NEW = "anna@a.example", "bert@b.example", "anna+new@a.example"
CALL = "POST /communication-preferences/v4/statuses/{email}/unsubscribe-all"
WITHOUT = tuple(scope for scope in ALL_SCOPES if not scope.startswith("communication_preferences"))


def met(office: Office, email: str = ANNA, **values: str) -> str:
    """Somebody who is in both systems; gives the contact's id."""
    contact = office.hub.create({"email": email, "lastname": "Ash", "lifecyclestage": "lead", **values})
    office.quiet()
    office.later()
    office.hub.calls.clear()
    return contact


def opted_out(office: Office, email: str) -> bool:
    """HubSpot sends nothing to that address."""
    return email in office.hub.portal.optouts


def say_in_crm(office: Office, email: str, value: object, field: str = "HasOptedOutOfEmail") -> None:
    """Somebody edits the Lead."""
    office.crm.edit(office.person(email)["Id"], {field: value})


def test_an_opt_out_reaches_hubspot(tmp_path: Path) -> None:
    """Ticked in Salesforce, it is written by the address in one call, shows at the contact, and is not written again."""
    office = Office(tmp_path)
    met(office)
    say_in_crm(office, ANNA, value=True)
    office.quiet()
    assert opted_out(office, ANNA)
    assert office.contact(ANNA)["hs_email_optout"] == "true"
    assert office.hub.calls[CALL] == 1
    assert verify(office.session).proved


def test_it_is_a_step_of_its_own(tmp_path: Path) -> None:
    """What else is to be written goes its own way, with its own row in the journal."""
    office = Office(tmp_path)
    met(office)
    office.crm.edit(office.person(ANNA)["Id"], {"HasOptedOutOfEmail": True, "Title": "CEO"})
    office.run()
    assert (office.contact(ANNA)["hs_email_optout"], office.contact(ANNA)["jobtitle"]) == ("true", "CEO")


def test_a_new_contact_is_never_mailable(tmp_path: Path) -> None:
    """The address is opted out before there is a contact with it."""
    office = Watched(tmp_path)
    office.humans = {"Ash"}
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", "HasOptedOutOfEmail": True})
    office.settled()
    assert office.contact(ANNA)["hs_email_optout"] == "true"


def lives(place: str, begun: Callable[[], Watched], address: str) -> int:
    """The program dies at the first place of this kind, in another life at the second, until a life is whole; nobody is ever mailable. Gives how many."""
    number, died = 0, True
    while died:
        number += 1
        office = begun()
        office.dies_at = (place, number)
        office.round()
        died = "-- died, started again" in office.story
        office.calm()
        office.settled()
        assert office.contact(address)["hs_email_optout"] == "true"
    return number


@pytest.mark.parametrize("place", ["hub", "committed"])
def test_death_while_a_contact_is_made(tmp_path_factory: pytest.TempPathFactory, place: str) -> None:
    """Wherever the program dies: one contact in the end, and never one that could be mailed."""

    def begun() -> Watched:
        office = Watched(tmp_path_factory.mktemp("state"))
        office.humans = {"Ash"}
        office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", "HasOptedOutOfEmail": True})
        return office

    assert lives(place, begun, ANNA) > 3


def test_another_portal_is_told_too(tmp_path: Path) -> None:
    """Opted out in one of two portals, somebody is opted out in both, and in Salesforce."""
    office = Office(tmp_path, second=True)
    met(office)
    assert office.hub2 is not None
    office.hub2.opt_out(ANNA)
    office.quiet()
    assert opted_out(office, ANNA) and office.person(ANNA)["HasOptedOutOfEmail"] is True
    assert office.run().writes == 0


def test_a_scope_that_is_taken_away(tmp_path: Path) -> None:
    """The run stops and names the scope; with it back, the next run goes on."""
    office = Office(tmp_path)
    met(office)
    say_in_crm(office, ANNA, value=True)
    office.hub.switch(scopes=WITHOUT)
    with pytest.raises(CredentialError, match="lacks a scope: communication_preferences"):
        office.run()
    office.hub.switch(scopes=ALL_SCOPES)
    office.quiet()
    assert opted_out(office, ANNA)


def test_a_refused_address_stops_nobody_else(tmp_path: Path) -> None:
    """One address that HubSpot does not take is parked with its code; the others are opted out."""
    office = Office(tmp_path)
    met(office)
    met(office, BERT)
    office.hub.faults.add(Fault("status", "POST /communication-preferences", status=400, body='{"category": "VALIDATION_ERROR", "message": "no such address"}'))
    for email in (ANNA, BERT):
        say_in_crm(office, email, value=True)
    report = office.run()
    assert (report.systems["hub"].rejected, report.systems["hub"].updated) == (1, 1)
    assert sorted([opted_out(office, ANNA), opted_out(office, BERT)]) == [False, True]
    assert office.run().writes == 0


def test_without_the_scope_it_is_told_once(tmp_path: Path) -> None:
    """The system cannot carry opt-outs then: one finding and one note, no question, and nothing is sent."""
    office = Office(tmp_path, hub_habits=HubSpotHabits(scopes=WITHOUT))
    met(office)
    say_in_crm(office, ANNA, value=True)
    office.quiet()
    assert not opted_out(office, ANNA) and groups(office) == []
    assert office.hub.calls[CALL] == 0
    (connected,) = [each for each in office.session.systems.values() if each.name == "hub"]
    (finding,) = connected.connector.describe().findings
    assert finding.startswith("opt-outs are read and cannot be written, for which the scope communication_preferences.read_write is needed")
    assert [note for note in office.session.desk.maps.notes if "email_opt_out" in note] == [
        "hub contact cannot carry writes of email_opt_out: hs_email_optout is written by the system itself or only readable"
    ]


def test_once_the_scope_is_there_they_are_carried(tmp_path: Path) -> None:
    """What could not be written until now is written under the changed map."""
    office = Office(tmp_path, hub_habits=HubSpotHabits(scopes=WITHOUT))
    met(office)
    say_in_crm(office, ANNA, value=True)
    office.quiet()
    office.hub.switch(scopes=ALL_SCOPES)
    office.session = office.reopened()
    office.quiet()
    assert opted_out(office, ANNA)


def test_without_the_scope_no_new_address_is_written(tmp_path: Path) -> None:
    """Who opted out in HubSpot would be mailable at an address that cannot be opted out: the change is held, by name."""
    office = Office(tmp_path, hub_habits=HubSpotHabits(scopes=WITHOUT))
    contact = met(office)
    office.hub.edit(contact, {"hs_email_optout": "true"})
    office.quiet()
    office.later()
    say_in_crm(office, ANNA, NEW, "Email")
    office.quiet()
    assert office.contact(ANNA)["id"] == contact
    (group,) = groups(office)
    assert group.title.startswith("1 email cannot be written to hub: who has opted out would be mailable at the new address")


def test_nobody_is_ever_opted_in(tmp_path: Path) -> None:
    """Somebody decides that it was taken back: Salesforce says so, and HubSpot, which knows no way back, is left as it is without a write or a drift."""
    office = Office(tmp_path)
    contact = met(office)
    office.hub.edit(contact, {"hs_email_optout": "true"})
    office.quiet()
    office.later()
    say_in_crm(office, ANNA, value=False)
    office.run()
    answer(office, "crm")
    office.quiet()
    assert office.person(ANNA)["HasOptedOutOfEmail"] is False
    assert office.contact(ANNA)["hs_email_optout"] == "true"
    assert groups(office) == []
    assert verify(office.session).proved


class Watched(Lab):
    """A lab that looks after every call whether HubSpot could send anything to these humans, who have opted out. `humans`: by last name."""

    humans: frozenset[str] | set[str] = frozenset()

    def call_ended(self, name: str, request: str) -> None:
        """As the lab's; nobody may be mailable even for a moment."""
        super().call_ended(name, request)
        for contact in self.hub.portal.store.live.values():
            email, known = contact.props.get("email"), contact.props.get("lastname") in self.humans
            assert not known or email is None or email in self.hub.portal.optouts, f"{email} is mailable after {request}"

    def settled(self) -> None:
        """Rounds until one writes nothing, and no question is left."""
        for _ in range(8):
            report = self.round()
            if report is not None and report.error is None and report.writes == 0:
                return
        raise AssertionError("\n".join(self.story))


def opted(folder: Path) -> Watched:
    """Anna has opted out, in both systems."""
    office = Watched(folder)
    contact = met(office)
    office.hub.edit(contact, {"hs_email_optout": "true"})
    office.settled()
    office.later()
    office.hub.calls.clear()
    office.humans = {"Ash"}
    return office


def moved(folder: Path) -> Watched:
    """Anna has opted out, in both systems, and somebody gives her another address in Salesforce."""
    office = opted(folder)
    say_in_crm(office, ANNA, NEW, "Email")
    return office


def test_an_opt_out_goes_before_the_new_address(tmp_path: Path) -> None:
    """The new address is opted out before the contact gets it: after no call was it mailable."""
    office = moved(tmp_path)
    office.settled()
    assert office.contact(NEW)["hs_email_optout"] == "true"
    assert office.hub.calls[CALL] == 1
    assert office.person(NEW)["HasOptedOutOfEmail"] is True


def test_both_addresses_where_the_opt_out_is_new_too(tmp_path: Path) -> None:
    """Opted out and moved in one plan: the old address first, as long as it is the contact's, then the new one, then the address itself."""
    office = Office(tmp_path)
    met(office)
    office.crm.edit(office.person(ANNA)["Id"], {"HasOptedOutOfEmail": True, "Email": NEW})
    office.quiet()
    assert opted_out(office, ANNA) and opted_out(office, NEW)
    assert office.contact(NEW)["hs_email_optout"] == "true"
    assert office.hub.calls[CALL] == 2


@pytest.mark.parametrize("kind", ["lost_before", "lost_after", "truncated"])
@pytest.mark.parametrize("skip", range(3))
def test_lost_answers_leave_nobody_mailable(tmp_path: Path, kind: FaultKind, skip: int) -> None:
    """Whichever of HubSpot's answers is lost, however often: at no moment could the new address be mailed, and it ends as without a loss."""
    office = moved(tmp_path)
    office.hub.faults.add(Fault(kind, "POST /", skip=skip, times=6))
    office.round()
    office.calm()
    office.settled()
    assert office.contact(NEW)["hs_email_optout"] == "true"


@pytest.mark.parametrize("place", ["hub", "commit", "committed"])
def test_death_between_the_steps(tmp_path_factory: pytest.TempPathFactory, place: str) -> None:
    """The program dies at each call to HubSpot, and around each commit: nobody was mailable for a moment, and the next run finishes it."""
    assert lives(place, lambda: moved(tmp_path_factory.mktemp("state")), NEW) > 5


def test_a_refused_address_keeps_the_new_one_waiting(tmp_path: Path) -> None:
    """An address that cannot be opted out is not given to the contact either, until it is tried again."""
    office = moved(tmp_path)
    office.hub.faults.add(Fault("status", "POST /communication-preferences", status=400, body='{"category": "VALIDATION_ERROR", "message": "not now"}'))
    office.round()
    office.settled()
    assert office.contact(ANNA)["hs_email_optout"] == "true"
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.settled()
    assert office.contact(NEW)["hs_email_optout"] == "true"


def test_an_address_that_somebody_changes_in_hubspot(tmp_path: Path) -> None:
    """There the flag of the old address is gone at once: nobody took it back, so it is written for the new one without a question."""
    office = Office(tmp_path)
    contact = met(office)
    office.hub.edit(contact, {"hs_email_optout": "true"})
    office.quiet()
    office.later()
    office.hub.edit(contact, {"email": NEW})
    assert office.contact(NEW).get("hs_email_optout") in (None, "false")
    office.quiet()
    assert opted_out(office, NEW) and office.contact(NEW)["hs_email_optout"] == "true"
    assert office.person(NEW)["HasOptedOutOfEmail"] is True
    assert groups(office) == []


def test_a_swap_of_addresses_takes_the_opt_out_along(tmp_path: Path) -> None:
    """Anna, who opted out, and Bert trade addresses in Salesforce: she stays opted out. HubSpot keeps it for her old address too, so Bert, who has that now, is
    opted out as well: it belongs to the address there."""
    office = opted(tmp_path)
    office.hub.create({"email": BERT, "lastname": "Birch", "lifecyclestage": "lead"})
    office.settled()
    office.later()
    anna, bert = office.person(ANNA)["Id"], office.person(BERT)["Id"]
    office.crm.edit(anna, {"Email": BERT})
    office.crm.edit(bert, {"Email": ANNA})
    office.settled()
    assert (office.contact(BERT)["lastname"], office.contact(BERT)["hs_email_optout"]) == ("Ash", "true")
    assert office.contact(ANNA)["lastname"] == "Birch"
    assert opted_out(office, BERT)
    assert office.person(BERT)["HasOptedOutOfEmail"] is True


def test_an_undo_of_an_address_leaves_nobody_mailable(tmp_path: Path) -> None:
    """The address goes back, opted out: what was opted out since stays so at the old one."""
    from test_undo import undo

    office = Office(tmp_path)
    met(office)
    say_in_crm(office, ANNA, NEW, "Email")
    done = office.run().run
    office.later()
    say_in_crm(office, NEW, value=True)
    office.quiet()
    undo(office, done)
    office.later()
    assert (office.contact(ANNA)["hs_email_optout"], opted_out(office, ANNA)) == ("true", True)


def twins(office: Office) -> tuple[str, str]:
    """Two Leads with Anna's address: the newer one is linked, the other is set aside. Gives their ids."""
    old = office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A"})
    office.later()
    new = office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A"})
    return new, old


def flags(office: Office) -> dict[str, bool]:
    """Lead -> has opted out."""
    return {row["Id"]: bool(row.get("HasOptedOutOfEmail")) for row in office.crm.rows("Lead")}


def test_every_record_with_the_address_is_told(tmp_path: Path) -> None:
    """A duplicate is left alone in all else, but whoever opted out is opted out in each record with their address."""
    office = Office(tmp_path, crm_habits=SalesforceHabits(duplicate_rules="off"))
    new, old = twins(office)
    office.hub.create({"email": ANNA, "lastname": "Ash", "hs_email_optout": "true", "jobtitle": "CEO"})
    office.hub.opt_out(ANNA)
    office.quiet()
    assert flags(office) == {new: True, old: True}
    assert office.crm.org.row(old)[1].get("Title") is None
    assert office.run().writes == 0


def test_any_record_with_the_address_counts(tmp_path: Path) -> None:
    """Ticked at the duplicate alone, at the first meeting or later, it is carried everywhere."""
    office = Office(tmp_path, crm_habits=SalesforceHabits(duplicate_rules="off"))
    new, old = twins(office)
    office.hub.create({"email": ANNA, "lastname": "Ash"})
    office.quiet()
    assert flags(office) == {new: False, old: False}
    office.later()
    office.crm.edit(old, {"HasOptedOutOfEmail": True})
    office.quiet()
    assert flags(office) == {new: True, old: True}
    assert opted_out(office, ANNA)


def test_a_duplicate_of_the_first_sync_counts(tmp_path: Path) -> None:
    """It is heard in the very plan in which it is found to be one."""
    office = Office(tmp_path, crm_habits=SalesforceHabits(duplicate_rules="off"))
    new, old = twins(office)
    office.crm.edit(old, {"HasOptedOutOfEmail": True})
    office.run()
    assert opted_out(office, ANNA)
    office.quiet()
    assert flags(office) == {new: True, old: True}


def test_a_duplicate_with_another_address_is_left_alone(tmp_path: Path) -> None:
    """Once its address is changed it is nobody's duplicate by address, and is not told."""
    office = Office(tmp_path, crm_habits=SalesforceHabits(duplicate_rules="off"))
    new, old = twins(office)
    office.hub.create({"email": ANNA, "lastname": "Ash"})
    office.quiet()
    office.crm.edit(old, {"Email": "other@a.example"})
    office.quiet()
    office.hub.opt_out(ANNA)
    office.later()
    office.quiet()
    assert flags(office) == {new: True, old: False}
