"""Second records of somebody in one system: copies are left alone, whatever says something else is a question until somebody answers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import Office
from questions import answer, groups
from seconds import ANNA, LEAD, leads, records

from stagesync.app.views.why import why_json, why_text
from stagesync.app.views.words import moment
from stagesync.model.records import Ref
from stagesync.state import actions, leases, sameness
from stagesync.state.links import LinkRow
from stagesync.sync.deciding.copies import unlike
from stagesync.sync.duplicates.deciding import decide
from stagesync.sync.duplicates.rulings import Ruling
from stagesync.sync.looking.verify import verify


def apart(office: Office, *ids: str) -> None:
    """Somebody says that these two are two humans'."""
    one, other = sorted(Ref("lead", id) for id in ids)
    session = office.session
    with leases.acquire(session.store, session.workspace, "test"), session.store.write() as tx:
        decide(tx, session.workspace, [Ruling(one, other, None)], {row.address: row for row in records(office).values()}, session.clock.now_ms())


@pytest.mark.parametrize("differs", [{}, {"FirstName": "ANNA"}, {"FirstName": "A."}, {"FirstName": None}, {"FirstName": "Ash", "LastName": "Änna"}])
def test_a_copy_is_left_alone_without_a_question(tmp_path: Path, differs: dict[str, Any]) -> None:
    """Whoever it is, nothing is lost: it says the same, with the name in another spelling, in part, or swapped."""
    office = Office(tmp_path)
    newer, older = leads(office, **differs)
    office.quiet()
    assert groups(office) == []
    assert (records(office)[newer].state, records(office)[older].state) == ("linked", "parked")


@pytest.mark.parametrize(
    ("differs", "told"),
    [
        ({"Phone": "+49 30 7654321"}, ("phone +49301234567", "phone +49307654321")),
        ({"Phone": None}, ("phone +49301234567", "phone blank")),
        ({"Title": "CEO"}, ("job title blank", "job title CEO")),
        ({"Company": "Birch"}, ("company Acme", "company Birch")),
        ({"FirstName": "Anne"}, ("first name Anna", "first name Anne")),
        ({"Status": "Working - Contacted"}, ("stage lead", "stage sal")),
    ],
)
def test_what_says_something_else_is_asked_about(tmp_path: Path, differs: dict[str, Any], told: tuple[str, str]) -> None:
    """The person is synced by the better record; the question names what differs, once, and counts as one."""
    office = Office(tmp_path)
    newer, older = leads(office, **differs)
    assert office.plan().tally.new_holds == office.run().new_holds + 1 == 1
    office.quiet()
    (group,) = groups(office)
    assert (group.kind, group.count, list(group.answers)) == ("second", 1, ["same", "different", "skip"])
    assert group.examples[0].payload["choices"] == {f"crm lead {newer}": told[0], f"crm lead {older}": told[1]}
    assert office.contact(ANNA)["phone"] == "+49301234567"
    found = verify(office.session)
    assert (found.ambiguous, found.duplicates, found.proved) == (1, 0, True)


def test_one_that_is_no_copy_makes_a_question_of_all(tmp_path: Path) -> None:
    """Two humans may share an address and a name: then nobody knows whose the copy is."""
    office = Office(tmp_path)
    copy = office.crm.create("Lead", dict(LEAD))
    leads(office, Phone="+49 30 7654321")
    office.quiet()
    (group,) = groups(office)
    assert group.examples[0].payload["choices"][f"crm lead {copy}"] == "the same"


def test_an_opt_out_beside_the_person_is_heard_before_anybody_answers(tmp_path: Path) -> None:
    """It belongs to the address, whoever the record is."""
    office = Office(tmp_path)
    leads(office, Phone=None, HasOptedOutOfEmail=True)
    office.quiet()
    assert len(groups(office)) == 1
    assert office.contact(ANNA)["hs_email_optout"] == "true"
    assert {row["HasOptedOutOfEmail"] for row in office.crm.rows("Lead")} == {True}


def test_said_to_be_the_same_it_is_never_asked_about_again(tmp_path: Path) -> None:
    """The answer is kept as a decision about the two records, also when the second one moves to another address and back."""
    office = Office(tmp_path)
    newer, older = leads(office, Title="CEO")
    office.run()
    answer(office, "same")
    office.quiet()
    known = records(office)
    with office.session.store.read() as tx:
        (kept,) = sameness.about(tx, [known[older].id])
    assert (kept.survivor, verify(office.session).duplicates) == (known[newer].id, 1)
    for address in ("other@a.example", ANNA):
        office.later()
        office.crm.edit(older, {"Email": address})
        office.quiet()
    assert groups(office) == []
    assert records(office)[older].person == known[newer].person


@pytest.mark.parametrize("how", ["deleted", "moved", "merged", "told apart"])
def test_a_question_goes_with_what_it_was_about(tmp_path: Path, how: str) -> None:
    """The second record is deleted, gets another address, is merged there, or somebody says that it is somebody else: nothing is asked any more."""
    office = Office(tmp_path)
    newer, older = leads(office, Title="CEO")
    office.run()
    office.later()
    match how:
        case "deleted":
            office.crm.delete(older)
        case "moved":
            office.crm.edit(older, {"Email": "ben@a.example"})
        case "merged":
            office.crm.merge(newer, [older])
        case _:
            apart(office, newer, older)
    office.quiet()
    assert groups(office) == []
    people = {row.person for row in records(office).values() if row.state == "linked"}
    assert len(people) == (2 if how in ("moved", "told apart") else 1)


def test_why_names_what_was_said_and_when(tmp_path: Path) -> None:
    """One human's, and which record is written; nothing before it was said; then two humans', which takes the first word back."""
    office = Office(tmp_path)
    newer, older = leads(office, Title="CEO")
    office.run()
    before = office.clock.now_ms()
    office.later(60)
    answer(office, "same")
    one, other = sorted((newer, older), key=lambda ref: records(office)[ref].id)
    person = records(office)[newer].person or 0
    with office.session.store.read() as tx:
        text, (said,) = why_text(tx, office.session, person), why_json(tx, office.session, person)["said_about_records"]
        assert why_json(tx, office.session, person, at=before)["said_about_records"] == []
        assert "What somebody said about records" not in why_text(tx, office.session, person, at=before)
        assert "What somebody said about records" in why_text(tx, office.session, person, "city", office.clock.now_ms())
    place = text.index("What somebody said about records")
    when = moment(office.clock.now_ms())
    told = f"  {when}  crm lead {one} and crm lead {other} are one human's: lead {newer} is the one that is written; lead {older} is left alone"
    assert text[place + 1] == f"{told}, and but for an opt-out nothing of it is heard"
    assert (said["said"], said["written"]["id"], said["at"][:19]) == ("one human's", newer, when.replace(" ", "T"))
    apart(office, newer, older)
    with office.session.store.read() as tx:
        (said,) = why_json(tx, office.session, person)["said_about_records"]
    assert (said["said"], said["written"]) == ("two humans'", None)


def test_left_open_it_is_not_asked_again(tmp_path: Path) -> None:
    """`skip` keeps it as it is; the person goes on being synced."""
    office = Office(tmp_path)
    leads(office, Title="CEO")
    office.run()
    answer(office, "skip")
    office.later()
    office.hub.edit(office.contact(ANNA)["id"], {"city": "Ulm"})
    office.quiet()
    assert groups(office) == []
    with office.session.store.read() as tx:
        assert [hold.answer for hold in actions.holds(tx, office.session.workspace)] == ["skip"]


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "FirstName": st.sampled_from(["Anna", "A.", "Ash", None]),
        "LastName": st.sampled_from(["Ash", "ASH", "Anna", None]),
        "Phone": st.sampled_from(["+49 30 1234567", "+49 (30) 1234567", "x", None]),
        "Title": st.sampled_from(["CEO", "", None]),
        "Status": st.sampled_from(["Open - Not Contacted", "Working - Contacted", None]),
        "HasOptedOutOfEmail": st.booleans(),
    },
)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A world in which nothing happens."""
    return Office(tmp_path_factory.mktemp("still"))


@given(VALUES, VALUES, st.booleans())
def test_whichever_is_the_better_one_they_are_copies_or_not(still: Office, mine: dict[str, Any], theirs: dict[str, Any], opted: bool) -> None:
    """What differs does not depend on which record is written; a record is its own copy; an opt-out is no difference."""
    account = next(each.system.account for each in still.session.systems.values() if each.name == "crm")
    one, other, same = (
        LinkRow(number, account, "lead", str(number), None, "new", 0, seen, {}, {}, None, None)
        for number, seen in enumerate((mine, theirs, {**mine, "HasOptedOutOfEmail": opted}))
    )
    desk = still.session.desk
    assert unlike(desk, one, other).keys() == unlike(desk, other, one).keys()
    assert unlike(desk, one, same) == {}
    assert all(here != there for here, there in unlike(desk, one, other).values())
