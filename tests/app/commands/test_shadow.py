"""A shadow looks on beside another tool: what it would have written, what the other tool did, and that it writes nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_box import cli
from hook_stand import SECRET
from shadow_stand import DAY, HOUR, MINUTE, Stand, stand
from taker import SYSTEM, taker

from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.model.errors import SafetyStop
from stagesync.model.writes import Step
from stagesync.sync import engine

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Stand]:
    """A company with a tool of its own."""
    with stand(tmp_path) as made:
        yield made


def test_what_the_tool_copies_is_the_same_that_would_have_been_written(acme: Stand) -> None:
    """An edit on either side waits until the tool has carried it across, and then counts as the same, with both delays."""
    acme.people("ann", "ben")
    acme.in_hubspot("ann", jobtitle="CEO")
    acme.in_salesforce("ben", Title="CTO")
    acme.look()
    assert [row.wanted for row in acme.rows(verdict="open")] == ["CEO", "CTO"]
    acme.copy()
    assert acme.counts("salesforce", "job_title") == {"same": 1}
    assert acme.counts("hubspot", "job_title") == {"same": 1}
    assert acme.report()["lag_ms"] == {"other_tool": 15 * MINUTE * 1000, "stagesync": MINUTE * 1000}
    assert acme.box.written() == []


def test_a_copy_before_our_look_is_the_same_too(acme: Stand) -> None:
    """Edit and copy come in one look: the earlier one is the edit, and what is told of the later one is that it would have been the same."""
    acme.people("ann")
    acme.in_salesforce("ann", Title="CFO")
    acme.clock.at += MINUTE
    acme.copy()
    assert acme.rows(verdict="open") == []
    assert acme.counts("hubspot", "job_title") == {"same": 1}
    assert acme.counts("salesforce", "job_title") == {}


def test_a_copy_into_what_is_only_read_is_not_ours(acme: Stand) -> None:
    """A system that stagesync only reads would not have been written, whoever was first."""
    acme.box.replace('connector = "hubspot"', 'connector = "hubspot"\ndirection = "read"')
    acme.people("ann", "ben")
    for name in ("ann", "ben"):
        acme.in_salesforce(name, Title="CFO")
    acme.clock.at += MINUTE
    acme.copy()
    assert acme.counts("hubspot", "job_title") == {"alone": 2}
    (group,) = [group for group in acme.report()["groups"] if group["system"] == "hubspot"]
    assert group["reason"] == "stagesync does not write this field there"


def test_a_stage_that_the_tool_puts_back_is_told_first(acme: Stand) -> None:
    """Somebody raises a stage in HubSpot, and the tool lowers it to what Salesforce has: that is different, with the reason for which it would be kept."""
    acme.people("ann")
    acme.in_hubspot("ann", lifecyclestage="salesqualifiedlead")
    acme.look()
    acme.copy()
    (group,) = [group for group in acme.report()["groups"] if group["fate"] == "different"]
    assert (group["system"], group["field"], group["lowered"]) == ("salesforce", "stage", True)
    assert (group["did"], group["reason"]) == ("the tool undid the edit where it was made", "hubspot moved: lead -> sql")
    (example,) = group["examples"]
    assert (example["before"], example["wanted"], example["theirs"], example["theirs_in"]) == ("lead", "sql", "lead", "hubspot")
    assert "the other tool moved 1 person back, stagesync would have moved 0 back" in acme.told()


def test_what_only_one_of_them_writes(acme: Stand) -> None:
    """The tool does not know the city; and it writes a company that nothing called for."""
    acme.people("ann", "ben")
    acme.in_hubspot("ann", city="Oslo")
    acme.look()
    acme.in_salesforce("ben", Title="CTO")
    acme.copy()  # by which it is known for a tool
    acme.tool.to_hubspot(acme.ids["ben"][0], {"company": "ACME INC."})
    acme.look()
    assert acme.counts("salesforce", "city") == {"unwritten": 1}
    assert acme.counts("hubspot", "company") == {"alone": 1}
    assert acme.counts("salesforce", "company") == {"unwritten": 1}
    (alone,) = [group for group in acme.report()["groups"] if group["fate"] == "alone"]
    assert alone["reason"] == "nothing in the other systems called for it"


def test_an_edit_that_somebody_makes_again_first_is_overtaken(acme: Stand) -> None:
    """Two edits before the tool comes are one copy: the first would have been written, and nobody else had the time."""
    acme.people("ann")
    acme.in_hubspot("ann", jobtitle="CEO")
    acme.look()
    acme.in_hubspot("ann", jobtitle="Chair")
    acme.look()
    assert [(row.wanted, row.verdict) for row in acme.rows(op="update")] == [("CEO", "again"), ("Chair", "open")]
    acme.in_salesforce("ann", Title="Chair")  # somebody types it by hand
    acme.look()
    assert acme.counts("salesforce", "job_title") == {"same": 1, "overtaken": 1}
    assert acme.report()["same_by_people"] == 1


def test_an_edit_and_its_copy_overtake_an_older_one(acme: Stand) -> None:
    """Somebody edits again and the tool copies that, all before we look: it wrote what would have been written then, not another value."""
    acme.people("ann")
    acme.in_hubspot("ann", jobtitle="CEO")
    acme.look()
    acme.in_hubspot("ann", jobtitle="Chair")
    acme.copy()
    assert acme.counts("salesforce", "job_title") == {"same": 1, "overtaken": 1}


def test_another_value_by_the_tool_is_different(acme: Stand) -> None:
    """A value that the tool rewrites on its way is not what would have been written."""
    acme.people("ann", "ben")
    acme.in_salesforce("ben", Title="CTO")
    acme.look()
    acme.copy()
    acme.in_salesforce("ann", Title="Head")
    acme.look()
    acme.tool.to_hubspot(acme.ids["ann"][0], {"jobtitle": "HEAD OF ALL"})
    acme.look()
    assert acme.counts("hubspot", "job_title") == {"same": 1, "different": 1}
    (group,) = [group for group in acme.report()["groups"] if group["fate"] == "different"]
    assert (group["did"], group["reason"]) == ("the tool wrote another value", "edited in salesforce")


def test_new_records(acme: Stand) -> None:
    """A new contact would be made in Salesforce: it waits until others make the lead. One who is in both when we first look was made there by others."""
    acme.people("ann")
    acme.tool.hub.by_hand.create({"email": "new@acme.example", "lastname": "New", "company": "Acme"})
    acme.look()
    assert acme.counts("salesforce", "", "create") == {"unwritten": 1}
    assert "for hubspot contact" in acme.told()
    acme.clock.at += HOUR
    acme.tool.crm.create("Lead", {"Email": "new@acme.example", "LastName": "New", "Company": "Acme"}, by=acme.tool.user)
    acme.look()
    assert acme.counts("salesforce", "", "create") == {"same": 1}
    acme.tool.hub.by_hand.create({"email": "two@acme.example", "lastname": "Two", "company": "Acme"})
    acme.clock.at += MINUTE
    acme.tool.crm.create("Lead", {"Email": "two@acme.example", "LastName": "Two", "Company": "Acme"}, by=acme.tool.user)
    acme.look()
    assert acme.counts("salesforce", "", "create") == {"same": 2}
    assert acme.counts("hubspot", "", "create") == {}


def test_a_record_that_could_not_be_found_again_would_not_have_been_made(acme: Stand) -> None:
    """Somebody without an e-mail, whom a mobile phone ties together: what another tool makes of them is told as its own, with the reason that a plan gives."""
    acme.box.add('[systems.hubspot.keys]\nmobile = "mobilephone"\n[systems.salesforce.keys]\nmobile = "MobilePhone"\n')
    acme.people("ann")
    acme.tool.hub.by_hand.create({"lastname": "New", "company": "Acme", "mobilephone": "+491701234567"})
    acme.look()
    acme.clock.at += HOUR
    acme.tool.crm.create("Lead", {"LastName": "New", "Company": "Acme", "MobilePhone": "+491701234567"}, by=acme.tool.user)
    acme.look()
    (row,) = acme.rows(op="create")
    assert (row.verdict, row.reason) == ("alone", "no e-mail: it could not be found again")


def test_what_has_nowhere_to_go_any_more_is_overtaken(acme: Stand) -> None:
    """A lead that would be made a contact is deleted first, and so is one that waits for a city."""
    acme.people("ann")
    acme.in_hubspot("ann", city="Oslo")
    lead = acme.tool.crm.create("Lead", {"Email": "new@acme.example", "LastName": "New", "Company": "Acme"})
    acme.look()
    assert [(row.op, row.field) for row in acme.rows(verdict="open")] == [("update", "city"), ("create", "")]
    acme.clock.at += HOUR
    acme.tool.crm.delete(lead)
    acme.tool.crm.delete(acme.ids["ann"][1])
    acme.look()
    assert acme.rows(verdict="open") == []
    assert acme.counts("hubspot", "", "create") == {"overtaken": 1}
    assert acme.counts("salesforce", "city") == {"overtaken": 1}


def test_what_waits_costs_no_look(acme: Stand) -> None:
    """Nobody is looked at again because something waits: only an edit makes anybody due."""
    acme.people("ann", "ben")
    acme.in_hubspot("ann", city="Oslo")
    acme.look()
    quiet = acme.look(HOUR).report
    assert quiet is not None
    assert quiet.people == 0
    assert [row.wanted for row in acme.rows(verdict="open")] == ["Oslo"]


def test_the_backlog_is_apart(acme: Stand) -> None:
    """Differences that stood when it began are told once, as that; and how many of them others have settled alike since."""
    for name in ("ann", "ben"):
        acme.person(name, jobtitle="Boss")
    acme.clock.at += HOUR
    acme.in_salesforce("ann", Title="CEO")
    acme.in_salesforce("ben", Title="CTO")
    acme.look()
    acme.in_hubspot("ben", jobtitle="CTO")
    acme.look()
    found = acme.report()
    assert found["fields"] == []
    assert found["backlog"] == [{"system": "hubspot", "operation": "update", "field": "job_title", "differences": 2, "since_alike": 1}]
    assert "Since it began nobody has edited anything" in acme.told()


def test_questions_that_would_be_asked(acme: Stand) -> None:
    """What nobody decided beforehand would be asked: at the beginning, and since."""
    acme.box.add('[fields.job_title]\nhubspot = "jobtitle"\nsalesforce = { lead = "Title" }\npolicy = "ask"\n')
    acme.people("ann", "ben")
    acme.in_hubspot("ann", jobtitle="CEO")
    acme.in_salesforce("ann", Title="CTO")
    acme.look()
    (question,) = acme.report()["questions"]
    assert (question["cases"], question["new"]) == (1, 1)
    assert "Questions that stagesync would ask" in acme.told()


def test_no_request_that_changes_something_can_leave(acme: Stand) -> None:
    """The engine's own application of a plan is refused twice: by the connector without its `write`, and behind it before the request."""
    acme.people("ann")
    acme.in_hubspot("ann", city="Oslo")
    acme.clock.at += MINUTE
    with wiring.opened(acme.shadow, acme.clock) as place, wiring.held(place, "test"):
        with wiring.connected(place) as session:
            planned = engine.plan(session)
            assert planned.tally.records == 1
            report = engine.apply(session, planned.run, planned=planned)
            assert isinstance(report.error, SafetyStop)
        for system in place.config.systems.values():
            shut = wiring.open_connector(place, system)
            behind: Any = vars(shut)["_connector"]
            step = Step(1, 1, "create", "contact" if system.name == "hubspot" else "lead", None, {"email": "x@acme.example", "Email": "x@acme.example"})
            for connector in (shut, behind):
                with pytest.raises(SafetyStop, match="writes to no system"):
                    connector.write([step])
            shut.close()
    assert acme.box.written() == []


def test_no_event_is_sent(acme: Stand) -> None:
    """A system that takes events hears nothing; the report says that what it would have been told stays unwritten."""
    with taker() as there:
        acme.box.add(SYSTEM.format(url=there.url, secret=SECRET))
        acme.people("ann")
        acme.in_hubspot("ann", jobtitle="CEO")
        acme.look()
        assert there.came == []
    assert acme.report()["backlog"] == [{"system": "product", "operation": "create", "field": "", "differences": 1, "since_alike": 0}]
    assert "product cannot be looked at" in acme.told()


def test_a_week_beside_the_tool(acme: Stand) -> None:
    """Five busy days on which everybody edits everywhere: no call that changes something arrives, every number is what was done, and the report can be read."""
    names = [f"p{number}" for number in range(8)]
    acme.person("late", jobtitle="Clerk")
    acme.people(*names, before=lambda: acme.in_salesforce("late", Title="Head"))
    for day in range(5):
        for hour, (titled, called, placed, raised) in enumerate(zip(names[:2], names[1:3], names[3:5], names[6:], strict=True)):
            acme.in_hubspot(titled, jobtitle=f"Boss {day}")
            acme.in_salesforce(called, Phone=f"+1 212 555 0{day}{hour}9")
            acme.in_hubspot(placed, city=f"City {day}{hour}")
            acme.in_hubspot(raised, lifecyclestage="salesqualifiedlead")
            acme.look()
            acme.copy()
            acme.clock.at += HOUR
        acme.clock.at += DAY - 3 * HOUR
    acme.tool.to_hubspot(acme.ids["p5"][0], {"company": "ACME INC."})
    acme.look()
    assert acme.box.written() == []
    assert acme.counts("salesforce", "job_title") == {"same": 10}
    assert acme.counts("hubspot", "phone") == {"same": 10}
    assert acme.counts("salesforce", "city") == {"unwritten": 2, "overtaken": 8}
    assert acme.counts("salesforce", "stage") == {"different": 10}
    assert acme.counts("hubspot", "company") == {"alone": 1}
    assert acme.told() == (GOLDEN / "shadow.txt").read_text("utf-8")


def test_it_leaves_the_real_workspace_alone(acme: Stand) -> None:
    """No real state is made; a real run holds its own lease beside it, and begins with a first meeting; `forget` names the shadow's file."""
    acme.people("ann")
    folder = acme.box.config.parent
    assert not (folder / "stagesync.db").exists()
    config = load(acme.box.config)
    with wiring.opened(config) as place, wiring.held(place, "sync"):
        acme.look()
    acme.in_hubspot("ann", city="Oslo")
    first = acme.box.run("sync")
    assert first.exit_code == 3
    assert "first" in first.stderr
    assert acme.box.run("sync", "--yes").exit_code == 0
    forgotten = cli("forget", "ann@acme.example", "--yes", "--config", str(acme.box.config))
    assert str(folder / "box.shadow.db") in forgotten.stdout


def test_a_shadow_state_never_becomes_a_real_one(acme: Stand) -> None:
    """A configuration that names the shadow's file is refused, and a shadow that would go on from a real state; both say what to do."""
    acme.people("ann")
    acme.box.add('\n[state]\nurl = "sqlite:///box.shadow.db"\n')
    for command in ("sync", "plan", "status", "verify"):
        refused = acme.box.run(command)
        assert refused.exit_code == 2
        assert "this state is a shadow's" in refused.stderr
    acme.box.replace("box.shadow.db", "other.shadow.db")
    acme.box.add('[workspace]\nname = "other"\n')
    assert acme.box.run("plan").exit_code == 0
    refused = cli("shadow", "run", "--config", str(acme.box.config))
    assert refused.exit_code == 2
    assert "no shadow goes on from it" in refused.stderr


def test_one_look_by_hand(acme: Stand) -> None:
    """`shadow run` looks once; before that, `shadow report` says how to begin."""
    acme.person("ann")
    words = ("--config", str(acme.box.config))
    before = cli("shadow", "report", *words)
    assert before.exit_code == 2
    assert "no shadow has looked on yet" in before.stderr
    acme.box.reset()
    looked = cli("shadow", "run", *words)
    assert looked.exit_code == 0
    assert "wrote nothing" in looked.stdout
    assert "1 look. Nothing was written" in acme.told()
    assert acme.box.written() == []
