"""Open questions: how they are grouped and worded, and what an answer does."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import Office
from questions import groups

from stagesync.app.views.holds import holds_json, holds_text, resolved_text
from stagesync.model.errors import ConfigurationError
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.people.answers import resolve
from stagesync.sync.people.holds import Group
from stagesync.sync.people.who import Scope, find_people


def _resolve(office: Office, group: str, use: str, only: set[int] | None = None) -> int:
    return resolve(office.session.store, office.session.workspace, group, use, None if only is None else Scope(frozenset(only)), office.clock.now_ms())


def _person(office: Office, email: str) -> int:
    with office.session.store.read() as tx:
        systems = {each.name: account for account, each in office.session.systems.items()}
        return find_people(tx, office.session.workspace, systems, email)[0]


@pytest.fixture
def unsure(tmp_path: Path) -> Office:
    """Three people who stand in both systems with different cities, the newer ones in HubSpot, and nobody said who wins."""
    office = Office(tmp_path, settings=Settings({}, {"hub": 0, "crm": 1}))
    for name in ("anna", "bert", "cleo"):
        office.crm.create("Lead", {"Email": f"{name}@a.example", "LastName": "Ash", "Company": "A", "City": "Bonn"})
    office.later()
    for name in ("anna", "bert", "cleo"):
        office.hub.create({"email": f"{name}@a.example", "lastname": "Ash", "city": "Ulm"})
    office.run()
    return office


def test_first_meetings_are_one_question(unsure: Office) -> None:
    """All cities that differ at the first meeting are one question with one id, which stays the same from run to run."""
    (group,) = groups(unsure)
    assert group.title == "3 cities differ where the records meet for the first time: crm, newest?"
    assert (group.count, len(group.people), list(group.answers)) == (3, 3, ["crm", "newest", "hub", "skip"])
    unsure.later()
    unsure.run()
    assert [(each.id, each.count) for each in groups(unsure)] == [(group.id, 3)]


def test_one_answer_resolves_the_group(unsure: Office) -> None:
    """The answer is carried out by the next run, for everybody, and the question is gone."""
    (group,) = groups(unsure)
    assert _resolve(unsure, group.id, "crm") == 3
    assert unsure.run().systems["hub"].updated == 3
    assert {unsure.contact(f"{name}@a.example")["city"] for name in ("anna", "bert", "cleo")} == {"Bonn"}
    assert groups(unsure) == []
    assert unsure.run().writes == 0


def test_an_answer_for_some_stays_theirs(unsure: Office) -> None:
    """Who was answered alone is not answered again with the rest of the group."""
    (group,) = groups(unsure)
    assert _resolve(unsure, group.id, "crm", {_person(unsure, "anna@a.example")}) == 1
    assert _resolve(unsure, group.id, "newest") == 2
    unsure.run()
    assert unsure.person("anna@a.example")["City"] == unsure.contact("anna@a.example")["city"] == "Bonn"
    assert unsure.person("bert@a.example")["City"] == unsure.contact("bert@a.example")["city"] == "Ulm"


def test_skip_leaves_things_alone(unsure: Office) -> None:
    """A skipped question is not asked again, and nothing is written."""
    (group,) = groups(unsure)
    _resolve(unsure, group.id, "skip")
    assert unsure.run().writes == 0
    assert groups(unsure) == []
    assert unsure.contact("anna@a.example")["city"] == "Ulm"


def test_answers_that_make_no_sense(unsure: Office) -> None:
    """An unknown group, and an answer that the question does not take, are refused with what is allowed."""
    (group,) = groups(unsure)
    with pytest.raises(ConfigurationError, match="there is no open group zzz"):
        _resolve(unsure, "zzz", "hub")
    with pytest.raises(ConfigurationError) as refused:
        _resolve(unsure, group.id, "pipedrive")
    assert refused.value.next_step == f"use one of: crm, newest, hub, skip; `stagesync holds {group.id}` says more"


@pytest.mark.parametrize(("use", "lives"), [("crm", False), ("hub", True)])
def test_a_deletion_is_asked_about(tmp_path: Path, use: str, lives: bool) -> None:
    """Who was deleted in one system is archived in the others, or made again, as somebody answers."""
    office = Office(tmp_path, order=("hub", "crm"))
    office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.run()
    office.later()
    office.crm.delete(office.person("anna@a.example")["Id"])
    office.run()
    (group,) = groups(office)
    assert group.title == "1 person was deleted in crm: does that hold everywhere (crm), or is the record made again (hub)?"
    assert list(group.answers) == ["crm", "hub", "skip"]
    _resolve(office, group.id, use)
    office.run()
    assert [row["Email"] for row in office.crm.rows("Lead")] == (["anna@a.example"] if lives else [])
    assert len(list(office.hub.contacts())) == int(lives)
    assert office.run().writes == 0


def test_ambiguous_records_are_asked_about(tmp_path: Path) -> None:
    """Records that share a role address but not a name are named with their systems, and linked once somebody says so."""
    office = Office(tmp_path)
    office.hub.create({"email": "info@a.example", "lastname": "Ash"})
    office.crm.create("Lead", {"Email": "info@a.example", "LastName": "Birch", "Company": "A"})
    office.run()
    (group,) = groups(office)
    assert (group.kind, group.count, list(group.answers)) == ("ambiguous", 1, ["newest", "skip"])
    with office.session.store.read() as tx:
        text = holds_text(tx, office.session.desk, office.session.workspace)
    assert any("info@a.example: hub contact" in line and '"Birch"' in line for line in text)
    assert any("Several humans: give each record an address of its own" in line for line in text)
    _resolve(office, group.id, "newest")
    office.run()
    assert office.contact("info@a.example")["lastname"] == office.person("info@a.example")["LastName"]
    assert groups(office) == []


def test_questions_on_the_screen(unsure: Office) -> None:
    """Each question comes with whom it is about, what each system says, and what to type for which answer."""
    with unsure.session.store.read() as tx:
        text = holds_text(tx, unsure.session.desk, unsure.session.workspace)
        told = holds_json(tx, unsure.session.desk, unsure.session.workspace)
    (group,) = groups(unsure)
    assert text[0] == "1 question is open. One answer resolves a whole group; the next run acts on it."
    assert text[2] == f"{group.id}  {group.title}"
    assert any("Ash <anna@a.example>" in line and 'crm "Bonn", hub "Ulm"' in line for line in text)
    assert f"    stagesync resolve {group.id} --use crm     crm's value stands" in text
    assert told["groups"][0]["answers"]["newest"] == "the value of the record that was modified last stands"
    assert told["groups"][0]["examples"][0]["choices"] == {"crm": "Bonn", "hub": "Ulm"}
    assert resolved_text("abc", "crm", 1) == ["abc: 1 case answered with crm.", "`stagesync sync` acts on it."]


def test_nothing_open(tmp_path: Path) -> None:
    """Without questions there is one sentence, not an empty screen."""
    office = Office(tmp_path)
    with office.session.store.read() as tx:
        assert holds_text(tx, office.session.desk, office.session.workspace) == ["Nothing is held: no question is open."]


@pytest.mark.parametrize(
    ("question", "about", "title"),
    [
        ("conflict:phone:crm+hub", "phone", "1 phone changed in several systems: crm, sales, newest?"),
        ("undecided:city:crm", "city", "1 city met an edit while we wrote to crm: whose value stands?"),
        ("loop:country:crm+hub", "country", "crm and hub keep correcting each other: 1 country goes back and forth. Which stands: crm, sales, newest?"),
        ("consent:email_opt_out:crm+hub", "email_opt_out", "1 person who had opted out is opted in again: does that stand?"),
        ("stage:crm+hub", "stage", "1 stage cannot be decided: crm, sales, newest?"),
        ("merged:crm", "record", "1 pair of linked people merged in crm: the record left over is not touched"),
        ("taken:email:crm", "email", "1 changed e-mail address belongs to another person already: take the new one all the same?"),
        ("unreadable:email:crm", "email", "1 email in crm cannot be understood: correct it there"),
        ("unwritable:industry:crm", "industry", "1 industry cannot be written to crm"),
        ("required:Company:crm", "Company", "1 person lacks Company, which crm requires: set a fallback in [systems.crm.create]"),
    ],
)
def test_every_kind_of_question_has_words(question: str, about: str, title: str) -> None:
    """No question shows its key; each says what is asked, and each can at least be skipped."""
    group = Group("abc", question, about, 1, systems={"crm": 1, "sales": 1})
    assert group.title == title
    assert "skip" in group.uses
    assert ("hub" in group.uses) == (group.kind in ("conflict", "undecided", "consent", "stage", "taken", "loop"))
