"""`why --at`: how somebody stood at an earlier moment is what `why` had shown then."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from office import Office
from questions import answer

from stagesync.app.terminal import moments
from stagesync.app.views.why import why_json, why_text
from stagesync.model.errors import ConfigurationError
from stagesync.model.records import Ref
from stagesync.state import actions, changes, entries, leases
from stagesync.state.entries import HISTORY, NewEntry
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.looking.pulling import read_refs
from stagesync.sync.people import explain, holds
from stagesync.sync.people.answers import resolve
from stagesync.sync.people.explain import Story

GOLDEN = Path(__file__).parent / "golden"
ANNA = "anna@a.example"
FIELDS = ("stage", "city", "job_title")
DAY = 1_790_000_000_000


def told(office: Office, field: str | None = None, at: int | None = None) -> Story:
    """The story of the first person."""
    with office.session.store.read() as tx:
        return explain.story(tx, office.session, 1, field, at)


def text(office: Office, field: str | None = None, at: int | None = None) -> str:
    """The same in words."""
    with office.session.store.read() as tx:
        return "\n".join(why_text(tx, office.session, 1, field, at)) + "\n"


def anna(folder: Path | str, **more: Any) -> tuple[Office, str]:
    """Anna in both systems, agreed."""
    office = Office(folder, **more)
    contact = office.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Ash", "city": "Bonn", "lifecyclestage": "lead"})
    office.run()
    office.later()
    return office, contact


def lead(office: Office) -> dict[str, Any]:
    """Her live record in Salesforce."""
    return next(row for kind in ("Lead", "Contact") for row in office.crm.rows(kind) if row.get("Email") == ANNA and not row.get("IsConverted"))


def shown(story: Story) -> dict[str, Any]:
    """What a moment looks like: the hub's value, what each live record says and how that stands, and what is asked."""
    return {
        each.field: (
            each.value,
            sorted(
                (standing.system, standing.ref, standing.native, str(standing.value), standing.state) for standing in each.standings if _stands(standing.state)
            ),
            sorted(str(hold.question) for hold in each.holds),
        )
        for each in story.fields
        if each.field in FIELDS
    }


def _stands(state: str) -> bool:
    return not state.startswith(("moved", "deleted"))


def somebody(dice: random.Random, office: Office, contact: str) -> None:
    """Does something in one of the systems."""
    match dice.randrange(9):
        case 0 | 1:
            office.hub.edit(contact, {"city": dice.choice(("Ulm", "Kiel", "Bonn", ""))})
        case 2:
            office.hub.edit(contact, {"jobtitle": dice.choice(("CEO", "CTO", ""))})
        case 3:
            office.hub.edit(contact, {"lifecyclestage": dice.choice(("marketingqualifiedlead", "salesqualifiedlead"))})
        case 4 | 5:
            record = lead(office)
            office.crm.edit(record["Id"], {"City" if "Company" in record else "MailingCity": dice.choice(("Ulm", "Trier", None))})
        case 6:
            office.crm.edit(lead(office)["Id"], {"Title": dice.choice(("CEO", "Chair", None))})
        case 7 if "Company" in lead(office):
            office.crm.edit(lead(office)["Id"], {"Status": dice.choice(("Sales Qualified", "Open - Not Contacted"))})
        case 8 if "Company" in lead(office) and dice.random() < 0.4:
            office.crm.convert(lead(office)["Id"])
        case _:
            pass


@pytest.mark.parametrize("seed", range(12))
def test_a_moment_is_told_later_as_it_was_told_then(seed: int, tmp_path: Path) -> None:
    """After any work, each earlier moment between runs looks as it looked: values, versions, records that moved, questions and answers."""
    dice = random.Random(seed)
    held = seed % 3 == 0
    office, contact = anna(tmp_path, settings=Settings({}, None if held else {"hub": 0, "crm": 1}))
    looks: dict[int, dict[str, Any]] = {}
    for _ in range(8):
        looks[office.clock.now_ms()] = shown(told(office))
        office.later()
        for _ in range(dice.randrange(1, 4)):
            somebody(dice, office, contact)
            office.clock.at += 60
        office.later()
        office.run()
        office.later(60)
        if held and dice.random() < 0.5:
            with office.session.store.read() as tx:
                groups = [group for group in holds.groups(tx, office.session.workspace) if "hub" in group.uses]
            if groups:
                resolve(office.session.store, office.session.workspace, groups[0].id, "hub", None, office.clock.now_ms())
    for at, look in looks.items():
        assert shown(told(office, at=at)) == look, at


def test_what_a_system_said_before_any_run_had_read_it(tmp_path: Path) -> None:
    """Between an edit and the next run the record says the new value and the hub still the old one; what came after is told."""
    office, contact = anna(tmp_path)
    office.hub.edit(contact, {"city": "Ulm"})
    edited = office.clock.now_ms()
    office.later()
    office.run()
    (city,) = told(office, "city", edited).fields
    assert (city.value, city.source) == ("Bonn", "hub")
    assert {standing.system: (standing.value, standing.state) for standing in city.standings} == {
        "hub": ("Ulm", "changed there, and no run had read it yet"),
        "crm": ("Bonn", "agrees"),
    }
    assert [event.kind for event in city.later] == ["decided", "written"]
    (before,) = told(office, "city", edited - 1).fields
    assert [standing.value for standing in before.standings] == ["Bonn", "Bonn"]
    assert [event.kind for event in before.later] == ["seen", "decided", "written"]
    assert before.next == ()


def test_a_plan_that_lay_counts_from_when_it_was_carried_out(tmp_path: Path) -> None:
    """Planned at noon and approved at three: at two nothing was decided yet."""
    office, contact = anna(tmp_path)
    office.hub.edit(contact, {"city": "Ulm"})
    office.later()
    planned = office.plan()
    office.later(7200)
    between = office.clock.now_ms()
    office.later(3600)
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        engine.apply(office.session, planned.run, stored=True, planned=planned)
    (city,) = told(office, "city", between).fields
    assert city.value == "Bonn"
    assert [event.at for event in city.later if event.kind == "written"] == [office.clock.now_ms()]


def test_questions_stand_as_they_stood(tmp_path: Path) -> None:
    """Open before the answer, answered before the next run settles it, and gone after that."""
    office, contact = anna(tmp_path, settings=Settings({}, None))
    office.hub.edit(contact, {"city": "Ulm"})
    office.crm.edit(lead(office)["Id"], {"City": "Kiel"})
    office.later()
    office.run()
    asked = office.clock.now_ms()
    office.later()
    answer(office, "crm")
    answered = office.clock.now_ms()
    office.later()
    office.run()
    moments_of = {at: told(office, "city", at).fields[0] for at in (asked - 1, asked, answered, office.clock.now_ms())}
    assert [[hold.answer for hold in each.holds] for each in moments_of.values()] == [[], [None], ["crm"], []]
    assert [event.kind for event in moments_of[asked].later][:1] == ["answered"]


def test_a_deletion_and_a_return_are_told_with_their_times(store_url: str) -> None:
    """The record was there, was deleted, and came back; each moment shows its own, on either database."""
    office, _ = anna(store_url)
    number = lead(office)["Id"]
    there = office.clock.now_ms()
    office.later()
    office.crm.delete(number)
    office.later()
    office.run()
    gone = office.clock.now_ms()
    office.later()
    office.crm.undelete(number)
    office.later()
    office.run()
    states = [{each.system: each.state for each in told(office, "city", at).fields[0].standings}["crm"] for at in (there, gone, office.clock.now_ms())]
    assert states == ["agrees", "deleted there", "agrees"]
    said = [(event.before, event.after) for event in told(office, "city").fields[0].events if event.kind == "record"]
    assert said == [("there", "deleted"), ("deleted", "there")]
    assert f"crm: the lead {number} was deleted" in text(office, "city")
    assert f"crm: the lead {number} is back" in text(office, "city")


def test_before_a_person_was_known(tmp_path: Path) -> None:
    """It is said plainly, as text and as JSON."""
    office, _ = anna(tmp_path)
    early = office.clock.now_ms() - 3_700_000
    assert "Nobody here knew this person then: they were first met at 2026-09-21 14:13:21 UTC." in text(office, at=early)
    with office.session.store.read() as tx:
        answer = why_json(tx, office.session, 1, None, early)
    assert (answer["known"], answer["known_since"], answer["fields"], answer["stays"]) == (False, "2026-09-21T14:13:21.000Z", [], [])


def test_what_histories_told_of_the_time_before(tmp_path: Path) -> None:
    """The ledger was seeded: of a moment before the first run it tells the stays that had begun by then, and no later ones."""
    office, _ = anna(tmp_path)
    met = office.clock.now_ms() - 3_600_000
    stays = [
        NewEntry(1, 1, stage, None, None, met - ago, met, evidence="told", origin=HISTORY) for stage, ago in (("subscriber", 9_000_000), ("lead", 5_000_000))
    ]
    with office.session.store.write() as tx:
        entries.replace(tx, office.session.workspace, {1: stays})
    shown_then = text(office, at=met - 6_000_000)
    assert "What the histories told later:" in shown_then
    assert "subscriber  told" in shown_then
    assert "pass 1  lead" not in shown_then


def test_a_plan_that_was_given_up_overruled_nobody(tmp_path: Path) -> None:
    """Somebody edited the record between plan and approval: whose value would have given way is no part of the story."""
    office, contact = anna(tmp_path)
    office.hub.edit(contact, {"city": "Ulm"})
    office.crm.edit(lead(office)["Id"], {"City": "Kiel"})
    office.later()
    planned = office.plan()
    assert planned.tally.overruled == 1
    office.later()
    office.crm.edit(lead(office)["Id"], {"City": "Ulm"})
    office.later()
    account = next(account for account, each in office.session.systems.items() if each.name == "crm")
    read_refs(office.session, planned.run, office.session.systems[account], [Ref("lead", lead(office)["Id"])])
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        report = engine.apply(office.session, planned.run, stored=True)
    assert report.drifted == 1
    assert [event for event in told(office, "city").fields[0].events if event.kind == "overruled"] == []


def test_nothing_is_cut_off(tmp_path: Path) -> None:
    """A field that moved 401 times is told from its first meeting on where it is asked for; the story of all fields counts what it leaves out.

    One move is lived, and the state keeps 400 more of its kind: as many runs would take half a minute.
    """
    office, contact = anna(tmp_path)
    office.hub.edit(contact, {"city": "Town"})
    office.later(60)
    office.run()
    workspace = office.session.workspace
    with leases.acquire(office.session.store, workspace, "test"), office.session.store.write() as tx:
        wrote = actions.of_person(tx, workspace, 1)[0]
        seen = next(row for rows in changes.of_links(tx, [1, 2]).values() for row in rows if "city" in row.values)
        first = actions.reserve(tx, 400)
        actions.insert(tx, workspace, [wrote._replace(id=first + number) for number in range(400)])
        changes.insert(
            tx,
            workspace,
            [
                (seen.link, 1, seen.seen_at + number, seen.seen_at + number, seen.run, seen.author, {"city": [f"Town {number}", f"Town {number + 1}"]})
                for number in range(400)
            ],
        )
    (city,) = told(office, "city").fields
    assert (city.events[0].kind, city.events[0].after) == ("met", "Bonn")
    assert len([event for event in city.events if event.kind == "seen"]) == 401
    everything = text(office)
    assert "earlier events left out: `stagesync why p1 city` tells all" in everything
    assert "left out" not in text(office, "city")


def monday(folder: Path) -> tuple[Office, int]:
    """A week of work on one person, and the evening in its middle."""
    office, contact = anna(folder)
    office.hub.edit(contact, {"city": "Ulm"})
    office.crm.edit(lead(office)["Id"], {"City": "Berlin"})
    office.later()
    office.run()
    office.later()
    evening = office.clock.now_ms()
    office.crm.edit(lead(office)["Id"], {"Status": "Sales Qualified"})
    office.later()
    office.run()
    office.later()
    office.crm.convert(lead(office)["Id"])
    office.later()
    office.run()
    return office, evening


@pytest.mark.parametrize(("name", "field", "then"), [("why", None, False), ("why-city-at", "city", True), ("why-stage-at", "stage", True)])
def test_the_story_reads_as_it_was_agreed_that_it_should_read(name: str, field: str | None, then: bool, tmp_path: Path) -> None:
    """Of all fields as they are, and of one as it stood."""
    office, evening = monday(tmp_path)
    assert text(office, field, evening if then else None) == (GOLDEN / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("2026-09-20", "2026-09-20T23:59:59.999"),
        ("2026-09-20T14:30", "2026-09-20T14:30:59.999"),
        ("2026-09-20 14:30:07", "2026-09-20T14:30:07.999"),
        ("2026-09-20T14:30:07.5", "2026-09-20T14:30:07.500"),
        ("2026-09-20T14:30+02:00", "2026-09-20T12:30:59.999"),
        ("2026-09-20T14:30:07Z", "2026-09-20T14:30:07.999"),
    ],
)
def test_a_moment_is_the_end_of_what_is_named(typed: str, end: str) -> None:
    """A day means when it ended, a minute and a second likewise; UTC unless an offset is given."""
    assert moments.end_of(typed, "--at", DAY) == moments.end_of(f"{end}Z", "--at", DAY)


def test_today_means_until_now() -> None:
    """A day that is not over ends now; what is still to come, or no moment at all, is a mistake."""
    today = "2026-09-21"
    assert moments.end_of(today, "--at", DAY) == DAY
    for typed in ("2026-09-22", "2026-09-21T23:00", "yesterday", "2026-13-01", "2026-W38", "1790000000000", "2026-09-20T25:00", "2026-09-20Z", ""):
        with pytest.raises(ConfigurationError) as caught:
            moments.end_of(typed, "--at", DAY)
        assert caught.value.exit_code == 2
