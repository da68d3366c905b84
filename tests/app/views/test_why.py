"""`why`: the story of a field, in the order in which it happened."""

from __future__ import annotations

from pathlib import Path

from office import Office
from questions import answer

from stagesync.app.views.why import why_json, why_text
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.people import explain
from stagesync.sync.people.explain import Why
from stagesync.sync.people.who import find_people


def _who(office: Office, email: str) -> int:
    with office.session.store.read() as tx:
        systems = {each.name: account for account, each in office.session.systems.items()}
        return find_people(tx, office.session.workspace, systems, email)[0]


def _why(office: Office, email: str, field: str) -> Why:
    person = _who(office, email)
    with office.session.store.read() as tx:
        (told,) = explain.story(tx, office.session, person, field).fields
    return told


def _conflict(folder: Path) -> Office:
    office = Office(folder)
    contact = office.hub.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash", "city": "Bonn"})
    office.run()
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    office.crm.edit(office.person("anna@a.example")["Id"], {"City": "Berlin"})
    office.later()
    office.run()
    return office


def test_the_story_of_a_conflict(tmp_path: Path) -> None:
    """First meeting, both edits, the decision with its rule, the value that gave way, and the write stand in this order."""
    told = _why(_conflict(tmp_path), "anna@a.example", "city")
    assert (told.value, told.source) == ("Ulm", "hub")
    assert [event.kind for event in told.events] == ["met", "written", "seen", "seen", "decided", "overruled", "written"]
    assert {(event.system, event.before, event.after) for event in told.events if event.kind == "seen"} == {("hub", "Bonn", "Ulm"), ("crm", "Bonn", "Berlin")}
    overruled = next(event for event in told.events if event.kind == "overruled")
    assert (overruled.system, overruled.before, overruled.after, overruled.note) == ("crm", "Berlin", "Ulm", "conflict: hub goes first (tie)")
    assert [standing.state for standing in told.standings] == ["agrees", "agrees"]
    assert told.next == ()


def test_decisions_have_the_time_of_their_run(tmp_path: Path) -> None:
    """What we did is told with the start of the run that did it, later than the edits that caused it."""
    office = _conflict(tmp_path)
    told = _why(office, "anna@a.example", "city")
    decided = next(event for event in told.events if event.kind == "decided")
    edits = [event.at for event in told.events if event.kind == "seen"]
    assert decided.at is not None
    assert decided.at == office.clock.now_ms()
    assert all(at is not None and at < decided.at for at in edits)
    assert decided.run == 2


def test_the_text_of_a_conflict(tmp_path: Path) -> None:
    """The text names person, systems, records, rules, runs and times, and no event without its time."""
    office = _conflict(tmp_path)
    person = _who(office, "anna@a.example")
    with office.session.store.read() as tx:
        text = why_text(tx, office.session, person, "city")
        everything = why_text(tx, office.session, person)
        told = why_json(tx, office.session, person, "city")
    assert text[0] == f"Anna Ash <anna@a.example> (p{person})"
    assert text[2] == 'city: "Ulm", from hub'
    assert any('crm\'s "Berlin" gave way to "Ulm" (several changed it and nobody knows which came last, so hub goes first)' in line for line in text)
    assert any("run 2" in line and 'write to crm: "Berlin" -> "Ulm"' in line for line in text)
    assert not any("1970" in line or "time unknown" in line for line in everything)
    assert any(line.startswith("lifecycle stage: ") for line in everything)
    assert told["fields"][0]["events"][-1]["kind"] == "written"
    assert told["fields"][0]["events"][-1]["at"].endswith("Z")


def test_an_open_question_is_told(tmp_path: Path) -> None:
    """A field that is held shows the question, what each system says, and that nothing happens before an answer."""
    office = Office(tmp_path, settings=Settings({}, {"hub": 0, "crm": 1}))
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "city": "Ulm"})
    office.crm.create("Lead", {"Email": "anna@a.example", "LastName": "Ash", "Company": "A", "City": "Bonn"})
    office.run()
    told = _why(office, "anna@a.example", "city")
    assert told.next == ("nothing, until the question is answered",)
    assert [hold.payload["choices"] for hold in told.holds] == [{"crm": "Bonn", "hub": "Ulm"}]
    with office.session.store.read() as tx:
        text = "\n".join(why_text(tx, office.session, told.person, "city"))
    assert "nobody has said who wins" in text
    assert "waits for an answer" in text


def test_an_answered_question_is_told(tmp_path: Path) -> None:
    """After an answer the story has the question, the answer, the value that came of it, and the one that gave way."""
    office = Office(tmp_path, settings=Settings({}, {"hub": 0, "crm": 1}))
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "city": "Ulm"})
    office.crm.create("Lead", {"Email": "anna@a.example", "LastName": "Ash", "Company": "A", "City": "Bonn"})
    office.run()
    answer(office, "crm")
    office.run()
    told = _why(office, "anna@a.example", "city")
    assert [(event.kind, event.run) for event in told.events] == [("held", 1), ("answered", 1), ("met", 2), ("overruled", 2), ("written", 2)]
    assert told.events[0].note.endswith("answered: crm")
    assert (told.events[2].system, told.events[2].after) == ("crm", "Bonn")
    assert (told.events[3].system, told.events[3].before, told.events[3].note) == ("hub", "Ulm", "answered: crm")
    assert told.holds == ()


def test_what_a_stored_plan_would_do(tmp_path: Path) -> None:
    """Between plan and apply, the planned write is what comes next."""
    office = Office(tmp_path)
    contact = office.hub.create({"email": "anna@a.example", "lastname": "Ash", "city": "Bonn"})
    office.run()
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    report = office.plan()
    told = _why(office, "anna@a.example", "city")
    assert told.next[0] == f"the stored plan of run {report.run} writes it to crm"
    assert next(standing.state for standing in told.standings if standing.system == "hub") == "changed there, not agreed yet"


def test_a_stage_and_its_first_meeting(tmp_path: Path) -> None:
    """The stage's story begins with the meeting and tells who moved it."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "lifecyclestage": "lead"})
    office.run()
    office.later()
    office.crm.edit(office.person("anna@a.example")["Id"], {"Status": "Sales Qualified"})
    office.run()
    told = _why(office, "anna@a.example", "stage")
    assert told.value == "sql"
    assert [event.kind for event in told.events] == ["met", "written", "seen", "decided", "written"]
    assert told.events[3].note == "crm moved: lead -> sql"


def test_a_deleted_record_is_told(tmp_path: Path) -> None:
    """A record that is gone stands as deleted, with the question about it."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "city": "Bonn"})
    office.run()
    office.later()
    office.crm.delete(office.person("anna@a.example")["Id"])
    office.run()
    told = _why(office, "anna@a.example", "city")
    assert {standing.system: standing.state for standing in told.standings} == {"hub": "agrees", "crm": "deleted there"}
    assert [hold.question for hold in told.holds] == ["deleted:crm"]
