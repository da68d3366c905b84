"""Automations that correct each other through us: they come to rest as a question, and an answer begins anew."""

from __future__ import annotations

from pathlib import Path

from office import Office
from questions import answer, groups

from stagesync.app.views.holds import holds_text
from stagesync.app.views.why import why_text
from stagesync.sync.people.explain import story
from stagesync.sync.planning.whatif import Outlook, replay

ANNA = "anna@a.example"
CEO, LONG = "CEO", "Chief Executive Officer"


def rounds(office: Office, most: int = 12) -> int:
    """Run every quarter of an hour until a run writes nothing, and once more; gives how many records were written meanwhile."""
    written = 0
    for _ in range(most):
        office.later(900)
        done = office.run().writes
        if done == 0 and office.run().writes == 0:
            return written
        written += done
    raise AssertionError(f"{written} writes, and no end")


def quarrelling(office: Office) -> str:
    """Anna is in both systems; a workflow in HubSpot shortens her title, a flow in Salesforce spells it out. Gives her contact's id."""
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "jobtitle": "Clerk"})
    office.quiet()
    office.hub.workflow("jobtitle", {LONG: CEO})
    office.crm.flow("Lead", "Title", {CEO: LONG})
    office.later()
    office.hub.edit(contact, {"jobtitle": CEO})
    return contact


def test_two_automations_come_to_rest(tmp_path: Path) -> None:
    """Neither is right or wrong: after a few rounds nothing is written any more, and one question names both, with what each says."""
    office = Office(tmp_path, order=("hub", "crm"))
    quarrelling(office)
    assert rounds(office) <= 8
    (group,) = groups(office)
    assert group.title == "crm and hub keep correcting each other: 1 job title goes back and forth. Which stands: crm, newest?"
    assert list(group.answers) == ["crm", "newest", "hub", "skip"]
    assert group.examples[0].payload["choices"] == {"hub": CEO, "crm": LONG}
    with office.session.store.read() as tx:
        shown = "\n".join(holds_text(tx, office.session.desk, office.session.workspace))
    assert f'crm "{LONG}"' in shown and f'hub "{CEO}"' in shown


def test_a_held_quarrel_holds_nothing_else(tmp_path: Path) -> None:
    """The other fields of the person go on, and nothing touches the one that is held, not even weeks later."""
    office = Office(tmp_path, order=("hub", "crm"))
    contact = quarrelling(office)
    rounds(office)
    for days in (1, 8, 40):
        office.later(days * 86_400)
        office.hub.edit(contact, {"city": f"Ulm {days}"})
        assert {office.run().writes, office.run().writes} == {1, 0}
        assert office.person(ANNA)["City"] == f"Ulm {days}"
        assert (office.contact(ANNA)["jobtitle"], office.person(ANNA)["Title"]) == (CEO, LONG)
        assert len(groups(office)) == 1


def test_the_answer_is_carried_out_and_counts_anew(tmp_path: Path) -> None:
    """Somebody switches one automation off and says which value stands; with both still on, it is asked again after some rounds."""
    office = Office(tmp_path, order=("hub", "crm"))
    quarrelling(office)
    rounds(office)
    answer(office, "crm")
    assert 2 <= rounds(office) <= 8
    assert len(groups(office)) == 1
    office.hub.portal.workflows.clear()
    answer(office, "crm")
    rounds(office)
    assert groups(office) == []
    assert (office.contact(ANNA)["jobtitle"], office.person(ANNA)["Title"]) == (LONG, LONG)


def test_skip_leaves_the_quarrel_alone(tmp_path: Path) -> None:
    """Skipped, both keep what they say, and it is not asked again."""
    office = Office(tmp_path, order=("hub", "crm"))
    contact = quarrelling(office)
    rounds(office)
    answer(office, "skip")
    office.later(30 * 86_400)
    office.hub.edit(contact, {"city": "Ulm"})
    assert office.run().new_holds == 0
    assert groups(office) == []
    assert (office.contact(ANNA)["jobtitle"], office.person(ANNA)["Title"]) == (CEO, LONG)


def test_a_third_value_ends_the_quarrel(tmp_path: Path) -> None:
    """Somebody types what neither automation minds: that is carried over, and the question is gone."""
    office = Office(tmp_path, order=("hub", "crm"))
    contact = quarrelling(office)
    rounds(office)
    office.later()
    office.hub.edit(contact, {"jobtitle": "Founder"})
    rounds(office)
    assert groups(office) == []
    assert office.person(ANNA)["Title"] == "Founder"


def test_three_systems_in_a_circle(tmp_path: Path) -> None:
    """Each of three corrects the one before: the circle is broken as well."""
    office = Office(tmp_path, second=True)
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "jobtitle": "Clerk"})
    office.quiet()
    office.hub.workflow("jobtitle", {"C": "A"})
    office.crm.flow("Lead", "Title", {"A": "B"})
    assert office.hub2 is not None
    office.hub2.workflow("jobtitle", {"B": "C"})
    office.later()
    office.hub.edit(contact, {"jobtitle": "A"})
    rounds(office, 20)
    (group,) = groups(office)
    assert group.kind == "loop" and group.about == "job_title"


def test_a_rule_and_an_automation(tmp_path: Path) -> None:
    """Under `always crm` a workflow's value is put back, and comes back: the third time somebody is asked."""
    office = Office(tmp_path, order=("hub", "crm"), fields={"job_title": {"policy": "always crm"}})
    lead = office.crm.create("Lead", {"Email": ANNA, "LastName": "Ash", "Company": "A", "Title": LONG})
    office.quiet()
    office.hub.workflow("jobtitle", {LONG: CEO})
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    assert rounds(office) <= 5
    (group,) = groups(office)
    assert group.title == "hub and stagesync keep correcting each other: 1 job title goes back and forth. Which stands: crm, newest?"
    assert office.contact(ANNA)["jobtitle"] == CEO
    office.hub.portal.workflows.clear()
    answer(office, "crm")
    rounds(office)
    assert office.contact(ANNA)["jobtitle"] == LONG
    assert office.crm.org.store.tables["Lead"].rows[lead]["Title"] == LONG


def test_a_stage_that_two_automations_move(tmp_path: Path) -> None:
    """Marketing's workflow makes an MQL of every lead, sales' flow a lead of every MQL: the stage is held like a field."""
    office = Office(tmp_path, order=("hub", "crm"))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead"})
    office.quiet()
    office.hub.workflow("lifecyclestage", {"lead": "marketingqualifiedlead"})
    office.crm.flow("Lead", "Status", {"Marketing Qualified": "Open - Not Contacted"})
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    assert rounds(office, 20) <= 12
    (group,) = groups(office)
    assert group.title == "crm and hub keep correcting each other: 1 stage goes back and forth. Which stands: crm, newest?"
    office.hub.portal.workflows.clear()
    answer(office, "crm")
    rounds(office)
    assert office.contact(ANNA)["lifecyclestage"] == "lead"
    assert groups(office) == []


def test_why_tells_the_quarrel(tmp_path: Path) -> None:
    """`why` shows each change with where it came from, and that it waits for an answer."""
    office = Office(tmp_path, order=("hub", "crm"))
    quarrelling(office)
    rounds(office)
    with office.session.store.read() as tx:
        (told,) = story(tx, office.session, 1, "job_title").fields
    assert [event.note for event in told.events if event.kind == "decided"] == ["edited in hub", "edited in crm", "edited in hub", "edited in crm"]
    assert [event.note for event in told.events if event.kind == "held"] == [
        "crm and hub keep correcting each other: each value came back within 7 days; waits for an answer"
    ]
    assert told.next == ("nothing, until the question is answered",)
    with office.session.store.read() as tx:
        text = "\n".join(why_text(tx, office.session, 1, "job_title"))
    assert "crm and hub keep correcting each other" in text and LONG in text


def test_whatif_leaves_an_open_quarrel_open(tmp_path: Path) -> None:
    """A replay under the same maps writes nothing that is held, and answers no question."""
    office = Office(tmp_path, order=("hub", "crm"))
    quarrelling(office)
    rounds(office)
    assert list(replay(office.session, Outlook())) == []


def test_a_formatter_that_nobody_declared(tmp_path: Path) -> None:
    """What we write is reformatted behind our back and spelled out again on the other side: that ends as a question too, not as a write in each run."""
    office = Office(tmp_path, order=("hub", "crm"))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "city": "munich"})
    office.quiet()
    office.crm.flow("Lead", "City", {"munich": "MUNICH"})
    office.hub.workflow("city", {"MUNICH": "munich"})
    office.later()
    office.hub.edit(contact, {"jobtitle": "Clerk"})
    assert rounds(office) <= 8
    assert [group.about for group in groups(office)] == ["city"]
