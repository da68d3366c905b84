"""Humans who are hard to tell apart, and are not one: whatever their records share, none is merged before somebody has decided so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from office import Office

from stagesync.model.records import Ref
from stagesync.state import leases, links, sameness
from stagesync.state.links import LinkRow
from stagesync.sync.duplicates.deciding import decide
from stagesync.sync.duplicates.profile import profile_of
from stagesync.sync.duplicates.rulings import Ruling
from stagesync.sync.duplicates.search import Found, find_duplicates

LINE = "+49 30 1234567"


def hard() -> Iterator[tuple[str, str, str, str, str]]:
    """(first name, last name, company, e-mail, phone) of humans each of whom is like the one before."""
    for first in ("Anna", "Bernd", "Cleo"):  # a family with one mailbox and one line
        yield first, "Ash", "At home", "ash@family.example", "+49 30 1111111"
    for first in ("Lea", "Lia"):  # twins at one company
        yield first, "Birch", "Acme GmbH", f"{first.lower()}.birch@acme.example", "+49 30 2222222"
    for local in ("john.smith", "john.smith2"):  # one name, one company, one switchboard
        yield "John", "Smith", "Acme GmbH", f"{local}@acme.example", LINE
    yield "Jane", "Smith", "Acme GmbH", "jane.smith@acme.example", LINE
    for first, last in (("Dora", "Dogwood"), ("Emil", "Elm")):  # one address of a role
        yield first, last, "Birch Ltd", "info@birch.example", ""
    for tag in ("", "+father", "+son"):  # one mailbox by tags
        yield "Karl", "Cedar", "", f"karl.cedar{tag}@cedar.example", ""
    for company in ("Acme GmbH", "Birch Ltd"):  # a name that many have
        yield "Maria", "Müller", company, f"maria@{company[:4].lower()}.example", ""


def filled(office: Office) -> dict[str, str]:
    """All of them as Leads, each its own human; address and first name -> id."""
    for first, last, company, email, phone in hard():
        office.crm.create("Lead", {"FirstName": first, "LastName": last, "Company": company or "-", "Email": email, "Phone": phone or None})
    return {f"{row['Email']} {row['FirstName']}": row["Id"] for row in office.crm.rows("Lead")}


def rows(office: Office) -> list[LinkRow]:
    """What the state knows of the Leads."""
    session = office.session
    account = next(each.system.account for each in session.systems.values() if each.name == "crm")
    with session.store.read() as tx:
        return links.each(tx, session.workspace, account, 0, 100)


def looked(office: Office) -> Found:
    """A search over them."""
    session, known = office.session, rows(office)
    return find_duplicates(profile_of(session.systems[row.account].system.map.kinds[row.kind], row.address, row.seen) for row in known)


def rule(office: Office, *rulings: Ruling) -> None:
    """Somebody decides."""
    session = office.session
    with leases.acquire(session.store, session.workspace, "test"), session.store.write() as tx:
        decide(tx, session.workspace, rulings, {row.address: row for row in rows(office)}, session.clock.now_ms())


def test_no_hard_negative_is_merged_without_somebody_s_decision(tmp_path: Path) -> None:
    """Every one is a person of their own or a question, before a search and after it; what is proposed are proposals."""
    office = Office(tmp_path)
    filled(office)
    office.quiet()
    for _ in range(2):
        linked = [row.person for row in rows(office) if row.person is not None]
        assert len(set(linked)) == len(linked)
        assert {row.state for row in rows(office) if row.person is None} == {"parked"}
        assert looked(office).groups
        office.later()
        office.quiet()
    emails = [each["properties"]["email"] for each in office.hub.contacts()]
    assert sorted(emails) == sorted({*emails})
    assert {"john.smith@acme.example", "john.smith2@acme.example", "karl.cedar+son@cedar.example"} <= set(emails)
    assert not {"ash@family.example", "info@birch.example"} & set(emails)


def test_what_somebody_decided_about_a_question_answers_it(tmp_path: Path) -> None:
    """A family at one address: Anna and Bernd are told apart from each other and from Cleo; two of one role's are one human after all."""
    office = Office(tmp_path)
    ids = filled(office)
    office.quiet()
    family = sorted(Ref("lead", ids[f"ash@family.example {first}"]) for first in ("Anna", "Bernd", "Cleo"))
    dora, emil = (Ref("lead", ids[f"info@birch.example {first}"]) for first in ("Dora", "Emil"))
    one, other = sorted((dora, emil))
    rule(office, *(Ruling(*pair, None) for pair in combinations(family, 2)), Ruling(one, other, dora))
    office.quiet()
    found = {row.address: row for row in rows(office)}
    assert len({found[ref].person for ref in family} - {None}) == 3
    assert (found[emil].state, found[emil].person) == ("parked", found[dora].person)
    assert office.contact("info@birch.example")["lastname"] == "Dogwood"
    with office.session.store.read() as tx:
        assert len(sameness.around(tx, office.session.workspace, [found[ref].id for ref in (*family, dora)])) == 4


def test_a_second_review_may_find_a_better_survivor(tmp_path: Path) -> None:
    """The third gives way to the second, then the second to the first: all are one person, and the first is written."""
    office = Office(tmp_path)
    ids = filled(office)
    office.quiet()
    karls = [Ref("lead", ids[f"karl.cedar{tag}@cedar.example Karl"]) for tag in ("", "+father", "+son")]
    for survivor, loser in ((karls[1], karls[2]), (karls[0], karls[2])):
        one, other = sorted((survivor, loser))
        rule(office, Ruling(one, other, survivor))
        office.quiet()
        office.later()
    found = {row.address: row for row in rows(office)}
    assert [found[ref].state for ref in karls] == ["linked", "parked", "parked"]
    assert len({found[ref].person for ref in karls}) == 1
