"""A privacy deletion in HubSpot arrives as a question, and the answer reaches the other system and our own state; nobody is made again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from office import NEWEST, Office
from questions import answer, groups

from stagesync.model.records import Ref
from stagesync.state import forgotten, links, people, runs
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.looking.pulling import read_refs

ANNA = "anna@acme.example"
Policy = Literal["hold", "archive", "ignore"]


def erased(folder: Path, policy: Policy = "hold") -> Office:
    """Anna was in both systems, somebody erased her in HubSpot, and the next edit in Salesforce made us notice."""
    office = Office(folder, settings=Settings(NEWEST, {"hub": 0, "crm": 1}, deletes=policy))
    contact = office.hub.by_hand.create({"email": ANNA, "lastname": "Ash", "jobtitle": "CTO"})
    office.run()
    office.clock.at += 3600
    office.hub.by_hand.gdpr_delete(contact)
    office.crm.edit(office.person(ANNA)["Id"], {"Title": "CEO"})
    office.run()
    return office


@pytest.mark.parametrize("policy", ["hold", "ignore"])
def test_an_erasure_is_a_question_of_its_own(tmp_path: Path, policy: Policy) -> None:
    """Whatever the policy, nobody is made again in HubSpot and nothing is deleted in Salesforce before somebody answers."""
    office = erased(tmp_path, policy)
    assert [office.run().writes for _ in range(3)] == [0, 0, 0]
    (group,) = groups(office)
    assert group.question == "erased:hub"
    assert group.title == "1 person was erased for good in hub: erase them everywhere, or keep their other records?"
    assert group.uses == ("hub", "skip")
    assert list(office.hub.contacts()) == []
    assert office.person(ANNA)["Title"] == "CEO"


def test_erased_everywhere_reaches_the_other_system_and_the_state(tmp_path: Path) -> None:
    """The Lead is archived, and when that is done the person is forgotten: nothing but hashes is left, by which they stay left alone."""
    office = erased(tmp_path)
    office.run()
    assert answer(office, "hub") == 1
    assert office.run().systems["crm"].archived == 1
    assert [row for row in office.crm.rows("Lead") if not row.get("IsDeleted")] == []
    office.run()
    session = office.session
    with session.store.read() as tx:
        assert people.count(tx, session.workspace) == 0
        assert links.counts(tx, session.workspace) == {}
        assert forgotten.count(tx, session.workspace) == 1
    office.hub.by_hand.create({"email": ANNA, "lastname": "Ash"})
    assert office.run().writes == 0
    with session.store.read() as tx:
        assert people.count(tx, session.workspace) == 0


def test_the_others_may_be_kept(tmp_path: Path) -> None:
    """`skip` keeps the Lead, makes nobody again in HubSpot, and is not asked anew; edits of the Lead change nothing about that."""
    office = erased(tmp_path)
    office.run()
    assert answer(office, "skip") == 1
    office.crm.edit(office.person(ANNA)["Id"], {"Title": "Chair"})
    assert office.quiet() <= 2
    assert groups(office) == []
    assert list(office.hub.contacts()) == []
    assert office.person(ANNA)["Title"] == "Chair"


def test_the_policy_archive_archives(tmp_path: Path) -> None:
    """As after any deletion: the Lead goes without a question. What is kept here stays until somebody says `forget`."""
    office = erased(tmp_path, "archive")
    office.quiet()
    assert [row for row in office.crm.rows("Lead") if not row.get("IsDeleted")] == []
    assert list(office.hub.contacts()) == []
    with office.session.store.read() as tx:
        assert people.count(tx, office.session.workspace) == 1


def test_somebody_without_another_record_is_asked_about_too(tmp_path: Path) -> None:
    """Only our own memory is left of them, and it goes at once when the answer is that they are erased everywhere."""
    office = Office(tmp_path, directions={"crm": "read"})
    contact = office.hub.by_hand.create({"email": ANNA, "lastname": "Ash"})
    office.run()
    office.hub.by_hand.gdpr_delete(contact)
    session = office.session
    hub = next(connected for connected in session.systems.values() if connected.name == "hub")
    with session.store.read() as tx:
        last = runs.last(tx, session.workspace)
    assert last is not None
    read_refs(session, last.id, hub, [Ref("contact", contact)])
    office.run()
    assert answer(office, "hub") == 1
    office.run()
    with office.session.store.read() as tx:
        assert people.count(tx, office.session.workspace) == 0
