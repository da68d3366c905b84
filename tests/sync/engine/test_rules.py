"""Qualification rules in the engine: what they move, what they ask, and what they leave alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from office import Office
from questions import answer
from ruled import ANNA, FITS, lead, ruled, stage

from stagesync.app.views.why import why_text
from stagesync.lifecycle.authority import Authority
from stagesync.state import entries, people

BERLIN = {"name": "near", "stage": "sal", "from": ["mql"], "when": "city == 'Berlin'", "else_reason": "too far away", "mode": "apply"}


def places(office: Office) -> Sequence[tuple[str | None, str | None]]:
    """The places of the ledger."""
    with office.session.store.read() as tx:
        return [(stay.stage, stay.side) for stay in entries.of_people(tx, [1])[1]]


def notes(office: Office) -> Any:
    """What is noted of the person."""
    with office.session.store.read() as tx:
        return people.by_ids(tx, [1])[1].notes


def test_a_rule_raises_whoever_comes_to_meet_it(store_url: str) -> None:
    """An edit makes the rule hold: the stage moves in both systems, and the ledger names the rule."""
    office = ruled(store_url, FITS)
    contact = lead(office, jobtitle="Clerk")
    assert (stage(office), notes(office)) == ("lead", {"rules": {"fits": ["no", "apply", 1, "not an executive"]}})
    office.hub.edit(contact, {"jobtitle": "CEO"})
    report = office.run()
    assert (stage(office), office.person(ANNA)["Status"], dict(report.promoted)) == ("marketingqualifiedlead", "Marketing Qualified", {("fits", "apply"): 1})
    assert places(office) == [("lead", None), ("mql", None)]
    assert office.run().writes == 0


def test_rules_follow_one_another_in_one_run(store_url: str) -> None:
    """Whom the first rule makes an MQL the second one takes on at once, and the ledger knows both steps."""
    office = ruled(store_url, FITS, BERLIN)
    contact = lead(office)
    office.hub.edit(contact, {"jobtitle": "CEO", "city": "Berlin"})
    office.run()
    assert office.person(ANNA)["Status"] == "Working - Contacted"
    assert places(office) == [("lead", None), ("mql", None), ("sal", None)]
    assert office.run().writes == 0


def test_whoever_is_put_back_by_hand_stays_there(store_url: str) -> None:
    """A rule does not fight: it speaks again only when what it says changes."""
    office = ruled(store_url, FITS)
    contact = lead(office, jobtitle="CEO")
    assert stage(office) == "marketingqualifiedlead"
    office.crm.edit(office.person(ANNA)["Id"], {"Status": "Open - Not Contacted"})
    office.run()
    assert stage(office) == "lead"
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    office.run()
    assert (stage(office), office.run().writes) == ("lead", 0)
    for title in ("Clerk", "CEO"):
        office.later()
        office.hub.edit(contact, {"jobtitle": title})
        office.run()
    assert stage(office) == "marketingqualifiedlead"


def test_whoever_is_let_in_again_by_hand_stays_there(store_url: str) -> None:
    """A rule sets her aside, sales takes her back: the rule leaves her there, in a second pass, until what it says changes."""
    office = ruled(store_url, {"name": "later", "stage": "recycled", "from": ["mql"], "when": "job_title == 'Student'", "mode": "apply"})
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "marketingqualifiedlead", "jobtitle": "Student"})
    office.quiet()
    assert places(office) == [("mql", None), ("mql", "recycled")]
    office.later()
    office.hub.edit(contact, {"hs_lead_status": ""})
    office.quiet()
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    office.quiet()
    assert places(office) == [("mql", None), ("mql", "recycled"), ("mql", None)]
    for title in ("Clerk", "Student"):
        office.later()
        office.hub.edit(contact, {"jobtitle": title})
        office.quiet()
    assert places(office)[-1] == ("mql", "recycled")


def test_a_rule_in_the_shadow_only_tells(store_url: str) -> None:
    """It is counted whom it speaks for, and nobody is moved; switched on, it moves them."""
    office = ruled(store_url, {**FITS, "mode": "shadow"})
    office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "lead", "jobtitle": "CEO"})
    report = office.run()
    assert (dict(report.promoted), stage(office), places(office)) == ({("fits", "shadow"): 1}, "lead", [("lead", None)])


def test_a_rule_that_asks_is_answered_yes(store_url: str) -> None:
    """Nothing moves before somebody agrees; then it moves, the ledger says what they agreed to, and the rule asks no more."""
    office = ruled(store_url, {**FITS, "mode": "hold"})
    lead(office, jobtitle="CEO")
    assert (stage(office), office.run().held) == ("lead", 1)
    answer(office, "fits")
    assert dict(office.run().promoted) == {}
    assert (stage(office), office.run().held) == ("marketingqualifiedlead", 0)
    with office.session.store.read() as tx:
        assert entries.of_people(tx, [1])[1][-1].evidence == "somebody moved: lead -> mql, as the rule fits proposed"
        assert "the rule fits holds; answered: fits" in "\n".join(why_text(tx, office.session, 1, "stage"))


def test_a_rule_that_asks_is_answered_no(store_url: str) -> None:
    """A no is remembered: it is not asked again while the rule says the same."""
    office = ruled(store_url, {**FITS, "mode": "hold"})
    contact = lead(office, jobtitle="CEO")
    answer(office, "hub")
    office.run()
    office.later()
    office.hub.edit(contact, {"city": "Ulm"})
    assert (office.run().held, stage(office)) == (0, "lead")


def test_a_yes_is_for_where_the_person_stood(store_url: str) -> None:
    """Somebody agrees that an MQL is set aside; sales makes an SQL of her before a run takes that in: whether that one is set aside is asked anew."""
    office = ruled(store_url, {"name": "later", "stage": "recycled", "from": ["mql", "sql"], "when": "job_title == 'Student'", "mode": "hold"})
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "lifecyclestage": "marketingqualifiedlead", "jobtitle": "Student"})
    office.quiet()
    answer(office, "later")
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "salesqualifiedlead"})
    assert (office.run().held, places(office)) == (1, [("mql", None), ("sql", None)])
    answer(office, "later")
    office.quiet()
    assert places(office)[-1] == ("sql", "recycled")


def test_a_rule_of_a_team_that_may_not_asks(store_url: str) -> None:
    """A rule that speaks for a team which does not own the stage is held like anybody else, and somebody's yes lets it stand."""
    office = ruled(store_url, {**FITS, "stage": "sql", "team": "marketing"}, authority=Authority())
    lead(office, jobtitle="CEO")
    assert (stage(office), office.run().held) == ("lead", 1)
    answer(office, "fits")
    office.run()
    assert (stage(office), office.run().writes) == ("salesqualifiedlead", 0)


def test_a_rule_puts_aside_with_its_reason(store_url: str) -> None:
    """Where it does not hold and says where such people go, they are disqualified with the reason, in both systems."""
    office = ruled(store_url, {**FITS, "from": ["lead"], "else_side": "disqualified"})
    lead(office, jobtitle="Intern")
    assert office.contact(ANNA)["hs_lead_status"] == "UNQUALIFIED"
    assert office.person(ANNA)["Status"] == "Closed - Not Converted"
    with office.session.store.read() as tx:
        assert people.by_ids(tx, [1])[1].reason == "not an executive"
    assert office.run().writes == 0


def test_a_rejection_beats_a_rule(store_url: str) -> None:
    """Sales says no in the same run in which the rule comes to hold: the no stands."""
    office = ruled(store_url, FITS)
    contact = lead(office)
    office.hub.edit(contact, {"jobtitle": "CEO"})
    office.crm.edit(office.person(ANNA)["Id"], {"Status": "Closed - Not Converted"})
    office.run()
    assert (office.contact(ANNA)["hs_lead_status"], places(office)[-1]) == ("UNQUALIFIED", ("lead", "disqualified"))
    assert office.run().writes == 0
