"""Seeding the ledger from the vendors' own histories, over both sandboxes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from cli_box import box, cli
from office import Office

from stagesync.model.errors import Unreachable
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.state import accounts, entries, leases, people
from stagesync.state.entries import EntryRow
from stagesync.state.store import open_store
from stagesync.sync.past import seeding
from stagesync.sync.past.seeding import Seeding

HOUR = 3_600_000
START = 1_790_000_000_000


class Past(Office):
    """An office in which an hour passes between any two deeds, and whose past can be read."""

    def __init__(self, folder: Path, *, tracked: frozenset[str] = frozenset({"Lead.Status"}), **given: Any) -> None:
        super().__init__(folder, crm_habits=Habits(duplicate_rules="off", tracked_fields=tracked), **given)

    def contacted(self, *stages: str, email: str = "anna@a.example", **more: str) -> str:
        """A contact that went through these stages of HubSpot; gives its id."""
        id = self.hub.create({"email": email, "lastname": "Ash", "lifecyclestage": stages[0], **more})
        for stage in stages[1:]:
            self.later()
            self.hub.edit(id, {"lifecyclestage": stage})
        self.later()
        return id

    def lead(self, *statuses: str, email: str = "anna@a.example") -> str:
        """A Lead that had these values of Status; gives its id."""
        id = self.crm.create("Lead", {"Email": email, "LastName": "Ash", "Company": "A Inc", "Status": statuses[0]})
        for status in statuses[1:]:
            self.later()
            self.crm.edit(id, {"Status": status})
        self.later()
        return id

    def seed(self, limit: int | None = None) -> Seeding:
        """One seeding pass, or a part of it."""
        with leases.acquire(self.session.store, self.session.workspace, "test"):
            return seeding.seed(self.session, limit)

    def ledger(self, number: int = 1) -> list[EntryRow]:
        """A person's ledger."""
        with self.session.store.read() as tx:
            return entries.of_people(tx, [number]).get(number, [])

    def told(self, number: int = 1) -> list[tuple[int | None, str, str]]:
        """(hours since the beginning, place, origin) of a person's stays."""
        return [(None if row.entered_at is None else (row.entered_at - START) // HOUR, place(row), row.origin) for row in self.ledger(number)]

    def everything(self) -> Any:
        """All people and all ledgers by address, but for numbers: who is the first depends on which system answered first."""
        with self.session.store.read() as tx:
            everybody = people.each(tx, self.session.workspace, 0, 1000)
            ledgers = entries.of_people(tx, [row.id for row in everybody])
        return {row.canonical["email"][0]: (row._replace(id=0), [each.new._replace(person=0) for each in ledgers[row.id]]) for row in everybody}

    def number(self, email: str) -> int:
        """Whose address it is."""
        with self.session.store.read() as tx:
            return next(row.id for row in people.each(tx, self.session.workspace, 0, 1000) if row.canonical["email"][0] == email)


def place(row: EntryRow) -> str:
    """Where somebody stands, with the pass if it is not the first."""
    side = "" if row.side is None else f"/{row.side}"
    return f"{row.stage}{side}{'' if row.pass_no == 1 else f' ({row.pass_no})'}"


def test_hubspot_tells_when_somebody_came_through_the_stages(tmp_path: Path) -> None:
    """Who did it and when stands in the ledger instead of the bare first meeting, and each stay ends where the next begins."""
    office = Past(tmp_path)
    office.contacted("subscriber", "lead", "marketingqualifiedlead")
    office.run()
    assert office.told() == [(None, "mql", "first")]
    found = office.seed()
    assert (found.people, found.entries, found.unexplained, found.left) == (1, 3, 0, 0)
    assert office.told() == [(0, "subscriber", "history"), (1, "lead", "history"), (2, "mql", "history")]
    first, second, last = office.ledger()
    assert (first.left_at, second.left_at, last.left_at, last.left_seen) == (second.entered_at, last.entered_at, None, None)
    assert (second.system, second.actor, second.evidence) == ("hub", "user 9001", "hub moved: subscriber -> lead")
    assert office.run().writes == 0


def test_who_was_gone_for_a_while_still_was(tmp_path: Path) -> None:
    """What the runs saw follows what history tells: nobody is where they were while they had no record, and of whoever has none now history tells nothing."""
    office = Past(tmp_path)
    contact = office.contacted("lead", "marketingqualifiedlead")
    office.contacted("lead", "salesqualifiedlead", email="ben@b.example")
    office.quiet()
    leads = [office.person(email)["Id"] for email in ("anna@a.example", "ben@b.example")]
    for email in ("anna@a.example", "ben@b.example"):
        office.hub.archive(office.contact(email)["id"])
    for lead in leads:
        office.crm.delete(lead)
    office.later(90_000)
    office.quiet()
    office.hub.restore(contact)
    office.hub.edit(contact, {"city": "Ulm"})
    office.later(90_000)
    office.quiet()
    anna, ben = office.number("anna@a.example"), office.number("ben@b.example")
    assert [row.origin for row in office.ledger(anna)] == ["first", "gone", "back"]
    office.seed()
    assert [(place(row), row.origin) for row in office.ledger(anna)] == [("lead", "history"), ("mql", "history"), ("None", "gone"), ("mql", "back")]
    assert [(place(row), row.origin) for row in office.ledger(ben)] == [("sql", "first"), ("None", "gone")]
    assert all((one.left_at, one.left_seen) == (other.entered_at, other.entered_seen) for one, other in pairwise(office.ledger(anna)))


def test_both_systems_tell_one_story(tmp_path: Path) -> None:
    """Marketing raised the person in HubSpot, sales took over in Salesforce; the second to tell a stage adds nothing."""
    office = Past(tmp_path)
    contact = office.contacted("lead", "marketingqualifiedlead")
    office.lead("Marketing Qualified", "Working - Contacted", "Sales Qualified")
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    office.run()
    assert office.seed().systems["crm"].with_history == 1
    assert office.told() == [(0, "lead", "history"), (1, "mql", "history"), (3, "sal", "history"), (4, "sql", "history")]
    assert [row.system for row in office.ledger()] == ["hub", "hub", "crm", "crm"]


def test_a_record_that_came_later_and_lower_lowers_nobody(tmp_path: Path) -> None:
    """A new Lead begins as open although HubSpot says MQL, and an old place in HubSpot that changes is no step back from what sales did meanwhile."""
    office = Past(tmp_path)
    contact = office.contacted("lead", "marketingqualifiedlead")
    office.lead("Open - Not Contacted", "Sales Qualified")
    office.hub.edit(contact, {"lifecyclestage": "lead"})
    office.later()
    office.run()
    office.seed()
    assert office.told() == [(0, "lead", "history"), (1, "mql", "history"), (3, "sql", "history")]


def test_whoever_came_again_is_in_the_second_pass(tmp_path: Path) -> None:
    """History counts the passes, so the person and what follows are counted on from there."""
    office = Past(tmp_path)
    contact = office.contacted("marketingqualifiedlead")
    office.hub.edit(contact, {"hs_lead_status": "BAD_TIMING"})
    office.later()
    office.hub.edit(contact, {"hs_lead_status": None})
    office.later()
    office.run()
    office.seed()
    assert office.told() == [(0, "mql", "history"), (1, "mql/nurture", "history"), (2, "mql (2)", "history")]
    with office.session.store.read() as tx:
        assert people.by_ids(tx, [1])[1].pass_no == 2
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    office.run()
    assert office.told()[2:] == [(2, "mql (2)", "history"), (4, "sql (2)", "run")]


def test_somebody_who_went_back_did_so_in_the_ledger(tmp_path: Path) -> None:
    """A stage that somebody lowered on purpose was left and entered again."""
    office = Past(tmp_path)
    office.contacted("lead", "marketingqualifiedlead", "lead")
    office.run()
    office.seed()
    assert office.told() == [(0, "lead", "history"), (1, "mql", "history"), (2, "lead", "history")]


def test_what_history_does_not_explain_closes_the_ledger_without_a_time(tmp_path: Path) -> None:
    """HubSpot's past leads to lead; that the person is SQL, a Lead says whose changes the org does not track."""
    office = Past(tmp_path, tracked=frozenset())
    office.contacted("subscriber", "lead")
    office.lead("Open - Not Contacted", "Sales Qualified")
    office.run()
    found = office.seed()
    assert (found.systems["crm"].records, found.systems["crm"].with_history) == (1, 0)
    assert (found.entries, found.unexplained) == (2, 1)
    assert office.told() == [(0, "subscriber", "history"), (1, "lead", "history"), (None, "sql", "first")]


def test_where_nothing_is_told_the_ledger_stays(tmp_path: Path) -> None:
    """An org without history: the first meeting is all that is known."""
    office = Past(tmp_path, tracked=frozenset(), order=("crm",))
    office.lead("Marketing Qualified")
    office.run()
    found = office.seed()
    assert (found.people, found.entries, found.unexplained, found.left) == (1, 0, 0, 0)
    assert office.told() == [(None, "mql", "first")]


def test_our_own_writes_are_echoes(tmp_path: Path) -> None:
    """What a sync wrote into the other system stands in its history too, and moves nobody in the ledger."""
    office = Past(tmp_path)
    contact = office.contacted("lead")
    office.run()
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    office.run()
    assert office.person("anna@a.example")["Status"] == "Marketing Qualified"
    office.later()
    office.seed()
    assert office.told() == [(0, "lead", "history"), (2, "mql", "run")]
    assert [row.system for row in office.ledger()] == ["hub", "hub"]


def test_what_runs_saw_is_kept_and_follows(tmp_path: Path) -> None:
    """The ledger of a person who has moved since the first sync begins with history, and the move is there once."""
    office = Past(tmp_path)
    contact = office.contacted("subscriber", "marketingqualifiedlead")
    office.run()
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    office.later()
    office.run()
    moved = office.ledger()[-1]
    for _ in range(2):
        office.seed()
        assert office.told() == [(0, "subscriber", "history"), (1, "mql", "history"), (3, "sql", "run")]
        assert office.ledger()[-1].new == moved.new


def test_what_nobody_has_read_yet_is_left_to_the_next_run(tmp_path: Path) -> None:
    """An edit after the last sync stands in the history already, but not in the state."""
    office = Past(tmp_path)
    contact = office.contacted("lead", "marketingqualifiedlead")
    office.run()
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    office.seed()
    assert office.told() == [(0, "lead", "history"), (1, "mql", "history")]
    office.run()
    assert office.told()[2:] == [(3, "sql", "run")]


def test_people_from_before_the_ledger_are_entered(tmp_path: Path) -> None:
    """A state that was synced by an older program has people without a ledger: those whom history knows, and those whom it does not."""
    office = Past(tmp_path, tracked=frozenset())
    office.contacted("lead", "marketingqualifiedlead")
    office.lead("Sales Qualified", email="ben@b.example")
    office.run()
    with office.session.store.write() as tx:
        entries.replace(tx, office.session.workspace, {1: [], 2: []})
    office.seed()
    assert office.told(office.number("anna@a.example")) == [(0, "lead", "history"), (1, "mql", "history")]
    assert office.told(office.number("ben@b.example")) == [(None, "sql", "first")]


class Dying:
    """A connector that dies with every so many of its readings, before or after the system has answered."""

    def __init__(self, connector: Any, deadly: Callable[[], bool]) -> None:
        self.connector, self.deadly = connector, deadly

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connector, name)

    def fetch(self, *asked: Any) -> Any:
        """As the connector reads."""
        if self.deadly():
            raise Unreachable("the line is cut", where="test")
        answers = self.connector.fetch(*asked)
        if self.deadly():
            raise Unreachable("the line is cut", where="test")
        return answers


def crowd(folder: Path) -> Past:
    """Nine people with a past of their own each, met by a first sync, of whom some have moved since."""
    office = Past(folder)
    made = [
        office.contacted(*("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead")[: 1 + number % 4], email=f"p{number}@a.example")
        for number in range(7)
    ]
    office.lead("Open - Not Contacted", "Closed - Not Converted", "Working - Contacted", email="p1@a.example")
    office.lead("Sales Qualified", email="p8@a.example")
    office.lead("Marketing Qualified", "Recycled", "Marketing Qualified", email="p9@a.example")
    office.run()
    office.later()
    office.hub.edit(made[0], {"lifecyclestage": "customer"})
    office.run()
    return office


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the crowd's ledgers are after one pass."""
    office = crowd(tmp_path_factory.mktemp("unbroken"))
    office.seed()
    return office.everything()


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_a_pass_that_breaks_off_anywhere_ends_like_an_unbroken_one(tmp_path: Path, unbroken: Any, every: int) -> None:
    """Whichever reading fails, or the moment right after a commit: started again it goes on behind what was committed, and ends the same."""
    broken = crowd(tmp_path)
    moments, starts = 0, 0

    def deadly() -> bool:
        nonlocal moments
        moments += 1
        return moments % every == 0 and moments < 12 * every

    def tell(_what: str, _count: int) -> None:
        if deadly():
            raise KeyboardInterrupt

    systems = {account: replace(each, connector=cast(Any, Dying(each.connector, deadly))) for account, each in broken.session.systems.items()}
    session = replace(broken.session, systems=systems, progress=tell)
    while True:
        starts += 1
        try:
            with leases.acquire(session.store, session.workspace, "test"):
                seeding.seed(session, chunk=2)
            break
        except (Unreachable, KeyboardInterrupt):
            continue
    assert starts > 1
    assert broken.everything() == unbroken
    with session.store.read() as tx:
        assert accounts.seeded(tx, session.workspace) == -1
    assert {row.origin for number in range(1, 10) for row in broken.ledger(number)} == {"first", "history", "run"}


def test_a_part_of_the_people_is_read_and_the_next_part_later(tmp_path: Path) -> None:
    """In the order of their numbers; what lies ahead is told before, and when all is done there is nothing to read."""
    office = crowd(tmp_path)
    assert seeding.estimate(office.session) == (9, {"hub": 1, "crm": 1})
    assert seeding.estimate(office.session, 3).people == 3
    first = office.seed(limit=3)
    assert (first.people, first.left) == (3, 6)
    began = [office.ledger(number)[0].origin for number in range(1, 10)]
    assert "history" in began[:3]
    assert set(began[3:]) == {"first"}
    office.run()
    rest = office.seed()
    assert (rest.people, rest.left) == (6, 0)
    again = office.seed()
    assert (again.people, again.left, [told.records for told in again.systems.values()]) == (0, 0, [0, 0])
    assert seeding.estimate(office.session) == (0, {"hub": 0, "crm": 0})


def test_a_system_that_is_only_written_to_tells_nothing(tmp_path: Path) -> None:
    """What stands there came from us, so its history is not asked for."""
    office = Past(tmp_path, directions={"crm": "write"})
    office.contacted("lead", "marketingqualifiedlead")
    office.run()
    assert office.seed().systems["crm"] == seeding.Told()


def test_the_command_says_what_lies_ahead_and_what_it_found(tmp_path: Path) -> None:
    """Nothing before the first sync; then the rest of the people, in parts, as text and as JSON, and not one call writes."""
    with box(tmp_path, 12) as there:
        seed = ("funnel", "seed", "--config", str(there.config))
        early = cli(*seed)
        assert early.exit_code == 2
        assert "stagesync sync" in early.stderr
        assert there.run("sync", "--yes").exit_code in (0, 1)
        there.reset()
        part = cli(*seed, "--limit", "5")
        assert part.exit_code == 0
        assert "reading the history of 5 people: about" in part.stderr
        assert "5 people looked at" in part.stdout
        assert "salesforce has no history of" in part.stdout
        assert "`stagesync funnel seed` goes on there" in part.stdout
        told = orjson.loads(cli(*seed, "--json").stdout)
        assert (told["done"], told["left"]) == (True, 0)
        assert {each["system"] for each in told["systems"]} == {"hubspot", "salesforce"}
        assert told["people"] > 0
        assert told["entries"] > 0
        assert [call for call in there.written() if not call.endswith(("/sobjects/Lead", "/sobjects/Contact"))] == []  # these read many records by POST
        assert "nobody is left" in cli(*seed).stdout
        with closing(open_store(f"sqlite:///{tmp_path / 'stagesync.db'}")) as store, store.read() as tx:
            assert {row.origin for row in entries.each(tx, 1, 0, 1000)} >= {"history"}
