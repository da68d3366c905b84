"""Undo: what a run wrote goes back, nobody's edits do, and the next sync does not bring it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from office import Office
from questions import answer, groups
from ruled import FITS, lead, ruled, stage
from undoing import ANNA, both, planned, reasons, undo, worlds

from stagesync.model.errors import ConfigurationError
from stagesync.state import entries, people, runs


def test_values_go_back_where_the_run_wrote_them(store_url: str) -> None:
    """The edit that the run carried over stays where somebody made it, what was written goes back, and the next sync leaves both alone."""
    office = Office(store_url)
    contact, lead = both(office)
    office.hub.edit(contact, {"city": "Mainz", "jobtitle": "Head"})
    before = worlds(office)
    done = office.run()
    assert office.person(ANNA)["City"] == "Mainz"
    made, report = undo(office, done.run)
    assert worlds(office) == before
    assert (report.writes, made.refusals, dict(made.kept)) == (1, (), {("hub", "city"): 1, ("hub", "job_title"): 1})
    assert office.quiet() == 1
    office.crm.edit(lead, {"City": "Trier"})
    office.quiet()
    assert office.contact(ANNA)["city"] == "Trier"


def test_what_a_later_run_moved_is_undone_after_that_run(tmp_path: Path) -> None:
    """A run is refused where a later one moved the same field; once that one is undone, it goes back as well."""
    office = Office(tmp_path)
    contact, _ = both(office)
    office.hub.edit(contact, {"city": "Mainz"})
    first = office.run().run
    office.hub.edit(contact, {"city": "Trier"})
    office.later()
    second = office.run().run
    refused = planned(office, first)
    assert refused.empty and reasons(refused.refusals) == {("", "city", f"run {second} moved it since")}
    undo(office, second)
    assert office.person(ANNA)["City"] == "Mainz"
    undo(office, first)
    assert (office.person(ANNA)["City"], office.contact(ANNA)["city"]) == ("Bonn", "Trier")
    assert office.quiet() == 1


def test_a_stage_moves_back_as_a_correction(store_url: str) -> None:
    """The hub has the old stage again, the ledger says why, the record that was written says what it said, and nobody moves it again."""
    office = Office(store_url)
    contact, _ = both(office)
    office.hub.edit(contact, {"lifecyclestage": "marketingqualifiedlead"})
    before = worlds(office)
    done = office.run().run
    assert office.person(ANNA)["Status"] == "Marketing Qualified"
    made, _ = undo(office, done)
    assert worlds(office) == before and not made.refusals
    assert office.quiet() == 1
    with office.session.store.read() as tx:
        stays, row = entries.of_people(tx, [1])[1], people.by_ids(tx, [1])[1]
    assert (row.stage, stays[-1].stage, stays[-1].evidence) == ("lead", "lead", f"undo of run {done}")
    assert made.plan.tally.writes[("crm", "lowerings")] == 1


def test_a_stage_that_was_moved_on_in_hubspot_moves_back_there_too(tmp_path: Path) -> None:
    """HubSpot takes no lower stage in one write; the undo clears and sets it as any write would."""
    office = Office(tmp_path)
    _, lead = both(office)
    office.crm.edit(lead, {"Status": "Sales Qualified"})
    before = worlds(office)
    done = office.run().run
    assert office.contact(ANNA)["lifecyclestage"] == "salesqualifiedlead"
    undo(office, done)
    assert worlds(office) == before and office.quiet() == 1


@pytest.mark.parametrize("mode", ["apply", "hold"])
def test_a_rule_that_moved_somebody_does_not_move_them_again(store_url: str, mode: str) -> None:
    """What the rule said, or would ask, is taken as heard, also where the values by which it spoke went back; a new word of it counts again."""
    office = ruled(store_url, {**FITS, "mode": mode})
    contact = lead(office)
    office.hub.edit(contact, {"jobtitle": "CEO"})
    before = worlds(office)
    done = office.run().run
    if mode == "hold":
        answer(office, "fits")
        office.later()
        before = worlds(office)
        done = office.run().run
    assert stage(office) == "marketingqualifiedlead"
    undo(office, done)
    assert worlds(office) == before
    assert office.quiet() == 1 and office.run().held == 0 and worlds(office) == before


def test_a_created_record_is_archived_and_not_made_again(store_url: str) -> None:
    """What the run created goes to the bin; the person stays, and no later run makes the record again, whatever is edited."""
    office = Office(store_url)
    office.quiet()
    contact = office.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Berg", "lifecyclestage": "lead"})
    before = worlds(office)
    done = office.run().run
    assert office.person(ANNA)
    made, report = undo(office, done)
    assert (worlds(office), report.systems["crm"].archived, made.refusals) == (before, 1, ())
    assert office.quiet() == 1
    office.hub.edit(contact, {"city": "Mainz"})
    office.quiet()
    assert not list(office.crm.rows("Lead"))


def test_an_undo_can_be_undone(store_url: str) -> None:
    """Values, stage and record are as the run had left them, and again as before it when that is undone in its turn."""
    office = Office(store_url)
    contact, _ = both(office)
    office.hub.edit(contact, {"city": "Mainz", "lifecyclestage": "marketingqualifiedlead"})
    office.hub.create({"email": "bea@a.example", "lastname": "Bea", "city": "Ulm"})
    before = worlds(office)
    done = office.run().run
    after = worlds(office)
    office.later()
    taken_back = undo(office, done)[1].run
    assert worlds(office) == before
    again = undo(office, taken_back)[1].run
    assert _nameless(worlds(office)) == _nameless(after)
    assert office.quiet() == 1
    undo(office, again)
    assert worlds(office) == before and office.quiet() == 1


def _nameless(found: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Without the ids, which a record that is made again has anew."""
    return sorted(sorted(f"{name}={value}" for name, value in values.items() if name not in ("Id", "Name")) for values in found.values())


def test_a_second_undo_finds_nothing(tmp_path: Path) -> None:
    """What is undone is not undone twice, and nothing is refused because of it."""
    office = Office(tmp_path)
    contact, _ = both(office)
    office.hub.edit(contact, {"city": "Mainz", "lifecyclestage": "marketingqualifiedlead"})
    office.hub.create({"email": "bea@a.example", "lastname": "Bea"})
    done = office.run().run
    undo(office, done)
    for _ in range(2):
        made = planned(office, done)
        assert made.empty and made.refusals == ()
        office.quiet()


def test_a_swap_of_addresses_is_swapped_back(tmp_path: Path) -> None:
    """Each address is free for a moment, as it was when the swap was carried over."""
    office = Office(tmp_path)
    names = {"anna": ANNA, "bea": "bea@a.example"}
    leads = {name: office.crm.create("Lead", {"Email": address, "LastName": name, "Company": "A"}) for name, address in names.items()}
    office.quiet()
    office.crm.edit(leads["anna"], {"Email": names["bea"]})
    office.crm.edit(leads["bea"], {"Email": names["anna"]})
    office.later()
    before = worlds(office)
    done = office.run().run
    assert office.contact(ANNA)["lastname"] == "bea"
    made, _ = undo(office, done)
    assert worlds(office) == before and not made.refusals
    assert office.quiet() == 1


def joining(place: Path | str) -> tuple[Office, str]:
    """Anna is in HubSpot, and the next run will link a Lead of Salesforce, which is only read, with her; its id."""
    office = Office(place)
    office.hub.create({"email": ANNA, "lastname": "Berg", "city": "Bonn"})
    office.directions = {"crm": "read"}
    office.session = office.reopened()
    office.quiet()
    lead = office.crm.create("Lead", {"Email": ANNA, "LastName": "Berg", "Company": "A", "Title": "Head"})
    office.later()
    return office, lead


def test_a_preview_asks_nothing(store_url: str) -> None:
    """As long as the undo is only looked at, however often, no record was taken from anybody: there is no question. Carried out, there is one."""
    office, _ = joining(store_url)
    done = office.run().run
    assert [planned(office, done).apart for _ in range(2)] == [1, 1]
    assert groups(office) == []
    undo(office, done)
    assert [group.count for group in groups(office)] == [1]


def test_a_record_that_joined_is_taken_from_its_person_until_somebody_says_otherwise(store_url: str) -> None:
    """The match was wrong: what it wrote goes back and the two go their own ways, until the question that is left is answered."""
    office, lead = joining(store_url)
    before = worlds(office)
    done = office.run().run
    assert office.contact(ANNA)["jobtitle"] == "Head"
    made, _ = undo(office, done)
    assert worlds(office) == before and (made.apart, made.refusals) == (1, ())
    office.crm.edit(lead, {"Title": "Chief"})
    assert office.quiet() == 1 and worlds(office)[f"crm {lead}"]["Title"] == "Chief"
    (group,) = groups(office)
    assert group.title.startswith("1 record was taken from its person by the undo of run")
    assert answer(office, "newest") == 1
    office.quiet()
    assert office.contact(ANNA)["jobtitle"] == "Chief"


def test_a_record_that_was_taken_away_is_matched_again_under_another_address(tmp_path: Path) -> None:
    """Whoever corrects the address makes somebody else of it, who meets everything for the first time."""
    office, lead = joining(tmp_path)
    undo(office, office.run().run)
    office.crm.edit(lead, {"Email": "other@a.example"})
    office.quiet()
    assert office.contact("other@a.example")["jobtitle"] == "Head" and office.contact(ANNA).get("jobtitle") is None
    assert office.run().held == 0


def test_the_first_sync_can_be_undone_and_that_again(tmp_path: Path) -> None:
    """Everything that the first sync wrote goes, and comes back with an undo of the undo."""
    office = Office(tmp_path)
    office.hub.create({"email": ANNA, "lastname": "Berg", "phone": "+49 228 123456", "lifecyclestage": "marketingqualifiedlead"})
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Berg", "Company": "A", "Title": "Head"})
    office.hub.create({"email": "bea@a.example", "lastname": "Bea"})
    before = worlds(office)
    done = office.run().run
    after = worlds(office)
    office.later()
    made, report = undo(office, done)
    assert worlds(office) == before and (made.apart, made.refusals) == (1, ())
    assert office.quiet() == 1
    undo(office, report.run)
    assert _nameless(worlds(office)) == _nameless(after)
    assert office.quiet() == 1 and office.run().held == 0


@pytest.mark.parametrize(("state", "words"), [("running", "under way"), ("applying", "under way"), ("broken", "broke off"), ("planned", "never applied")])
def test_only_runs_that_came_to_their_end_are_undone(tmp_path: Path, state: str, words: str) -> None:
    """A run that is open, broken or never applied is refused with what to do, and so is one that never was."""
    office = Office(tmp_path)
    both(office)
    with office.session.store.write() as tx:
        run = runs.start(tx, office.session.workspace, "sync", 1, None)
        if state != "running":
            runs.finish(tx, run, 2, state, {})
    with pytest.raises(ConfigurationError, match=words):
        planned(office, run)
    with pytest.raises(ConfigurationError, match="there is no run 99"):
        planned(office, 99)


def test_only_these_people(tmp_path: Path) -> None:
    """An undo may be limited to some; the others can follow later."""
    office = Office(tmp_path)
    contact, _ = both(office)
    other = office.hub.create({"email": "bea@a.example", "lastname": "Bea", "city": "Ulm"})
    office.quiet()
    office.hub.edit(contact, {"city": "Mainz"})
    office.hub.edit(other, {"city": "Trier"})
    office.later()
    done = office.run().run
    undo(office, done, [ANNA])
    assert (office.person(ANNA)["City"], office.person("bea@a.example")["City"]) == ("Bonn", "Trier")
    undo(office, done)
    assert office.person("bea@a.example")["City"] == "Ulm" and office.quiet() == 1


def test_what_is_due_for_another_reason_is_not_forgotten(tmp_path: Path) -> None:
    """An edit that the undo reads on its way is carried over by the next sync."""
    office = Office(tmp_path)
    contact, _ = both(office)
    office.hub.edit(contact, {"city": "Mainz"})
    done = office.run().run
    office.hub.edit(contact, {"jobtitle": "Head"})
    undo(office, done)
    assert (office.person(ANNA)["City"], office.person(ANNA).get("Title")) == ("Bonn", None)
    office.quiet()
    assert (office.person(ANNA)["City"], office.person(ANNA)["Title"]) == ("Bonn", "Head")
