"""What somebody reads after a run and of earlier ones: the report, the list of runs, the status of the workspace."""

from __future__ import annotations

from pathlib import Path

from office import Office

from stagesync.app.terminal.summary import numbers
from stagesync.app.views import words
from stagesync.app.views.run import run_json, run_text
from stagesync.app.views.runs import runs_json, runs_text
from stagesync.app.views.status import status_json, status_text
from stagesync.lifecycle.presets import default_funnel
from stagesync.sync import engine
from stagesync.sync.engine import RunReport
from stagesync.sync.sending.outcome import Count

LINE = list(default_funnel().stages)


def _report(**changes: object) -> RunReport:
    values: dict[str, object] = {
        "run": 3,
        "systems": {"hubspot": Count(created=1, updated=2), "salesforce": Count(rejected=1)},
        "calls": {"hubspot": 4, "salesforce": 1},
        "vendor_s": 0.25,
        "own_s": 0.5,
        "people": 1200,
        "held": 2,
        "new_holds": 1,
        "overruled": 3,
    }
    return RunReport(**{**values, **changes})  # pyright: ignore[reportArgumentType] - the report's own fields


def test_the_report_of_a_run() -> None:
    """Words first, one line a system, then the fixed line with its keys in their order."""
    assert run_text(_report()) == [
        "1,200 people had something to settle.",
        "  hubspot:     1 created, 2 updated  (4 calls)",
        "  salesforce:  1 refused             (1 call)",
        "3 values were overruled by a rule; both values are kept (`stagesync why WHO`).",
        "2 cases are held until somebody answers, 1 of them new (`stagesync holds`).",
        "1 write was refused and is parked (`stagesync errors`).",
        "people=1200 created=1 updated=2 held=2 rejected=1 overruled=3 hubspot.writes=3 hubspot.calls=4 "
        "salesforce.writes=0 salesforce.calls=1 own_s=0.5 vendor_s=0.25",
    ]
    assert list(run_json(_report())) == list(numbers(_report()))


def test_a_run_that_wrote_nothing() -> None:
    """It says so in the words on which scripts rely, before the fixed line."""
    quiet = {"hubspot": Count(), "salesforce": Count()}
    assert run_text(_report(systems=quiet, held=0, new_holds=0))[-2] == "0 writes: everything agrees"
    assert run_text(_report(systems=quiet))[-2] == "0 writes: 2 held"
    assert run_text(_report())[-2].startswith("1 write was refused")


def test_a_run_that_was_stopped() -> None:
    """What was left, and that the next run goes on, is said; nobody is told that everything agrees."""
    text = run_text(_report(systems={"hubspot": Count(skipped=5, unknown=1)}, drifted=1, held=0, new_holds=0, error=OSError()))
    assert "  hubspot:     5 left to the next run, 1 unknown (looked up by the next run)  (4 calls)" in text
    assert "  salesforce:  only read                                                      (1 call)" in text
    assert "1 person was edited since the plan was made: left to the next run." in text
    assert "The run was stopped before its end; the next one goes on from there." in text
    assert not any("everything agrees" in line for line in text)


def test_the_list_of_runs(tmp_path: Path) -> None:
    """Each run has its time, what became of it and what it did; the newest stands on top."""
    office = Office(tmp_path)
    with office.session.store.read() as tx:
        assert runs_text(tx, office.session.workspace) == ["There was no run yet: `stagesync sync` makes the first."]
    office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.run()
    office.run()
    office.hub.create({"email": "bert@a.example", "lastname": "Ash"})
    office.later()
    office.plan()
    with office.session.store.read() as tx:
        text, told = runs_text(tx, office.session.workspace), runs_json(tx, office.session.workspace, 2)
    assert [line.split()[0] for line in text] == ["run", "3", "2", "1"]
    assert "planned, waits for approval" in text[1]
    assert "1 writes planned" not in text[1]
    assert "1 write planned" in text[1]
    assert text[2].endswith("0 writes")
    assert text[3].endswith("1 created")
    assert [run["run"] for run in told["runs"]] == [3, 2]
    assert told["runs"][0]["state"] == "planned"


def test_the_status_of_a_workspace(tmp_path: Path) -> None:
    """Systems with their accounts, people by stage, what is held, and the last run with how to carry its plan out."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash", "lifecyclestage": "customer"})
    office.hub.create({"email": "bert@a.example", "lastname": "Ash", "lifecyclestage": "lead"})
    office.hub.create({"email": "info@a.example", "lastname": "Oak"})
    office.crm.create("Lead", {"Email": "info@a.example", "LastName": "Elm", "Company": "A"})
    office.run()
    office.later()
    report = office.plan()
    with office.session.store.read() as tx:
        text, told = status_text(tx, office.session.workspace, "office", LINE, ()), status_json(tx, office.session.workspace, "office", ())
    assert text[0] == "Workspace office: 2 people"
    assert any(line.startswith("  hub  hubspot 4710017") and line.endswith("3 records, 2 linked, 1 not linked") for line in text)
    assert [line.split() for line in text[4:6]] == [["lead", "1"], ["customer", "1"]]
    assert "Held until somebody answers: 1 case (`stagesync holds`)" in text
    assert text[-1] == f"  `stagesync apply --approve {report.digest}` carries its plan out"
    assert (told["people"], told["stages"], told["systems"]["hub"]["linked"]) == (2, {"customer": 1, "lead": 1}, 2)
    assert told["last_run"]["digest"] == report.digest


def test_the_status_before_the_first_run(tmp_path: Path) -> None:
    """An empty workspace is told as such, without a mistake."""
    office = Office(tmp_path)
    with office.session.store.read() as tx:
        assert status_text(tx, office.session.workspace, "office", LINE, ())[-1] == "Last run: none yet"


def test_a_stored_plan_that_gave_way(tmp_path: Path) -> None:
    """A plan that a later one replaced is listed as never applied."""
    office = Office(tmp_path)
    office.hub.create({"email": "anna@a.example", "lastname": "Ash"})
    office.plan()
    engine_plan: engine.PlanReport = office.plan()
    with office.session.store.read() as tx:
        text = runs_text(tx, office.session.workspace)
    assert engine_plan.run == 2
    assert "planned, never applied" in text[2]


def test_values_on_one_line() -> None:
    """Blank is said, text is quoted and shortened, and no control character reaches the terminal."""
    assert words.value(None) == words.value("") == "(blank)"
    assert (words.value(True), words.value(12)) == ("yes", "12")
    assert words.value("a\x1b[31mb\nc") == '"a [31mb c"'
    assert len(words.value("x" * 500)) == 82
    assert words.person({"first_name": "A\x1b", "email": "a@a.example"}, 3) == "A  <a@a.example> (p3)"


def test_rules_in_words() -> None:
    """The short names of rules are spelled out; what is plain already stays as it is."""
    assert words.reason("conflict: hub goes first (tie)") == "several changed it and nobody knows which came last, so hub goes first"
    assert words.reason("conflict: entered later in crm") == "several changed it, crm last"
    assert words.reason("edited in crm") == "edited in crm"
