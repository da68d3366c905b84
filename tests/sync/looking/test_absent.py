"""Absent is not empty: what a reply leaves out, passes over or must not show blanks nothing, deletes nobody and makes nobody twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from office import Office

from stagesync.model.errors import StagesyncError
from stagesync.sandbox.alter import altered
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.state import accounts
from stagesync.sync.looking import pulling
from stagesync.sync.looking.verify import verify
from stagesync.sync.sending import failures

EMAILS = tuple(f"p{number}@x.example" for number in range(4))
NAMES = {"jobtitle": "Title", "city": "City", "firstname": "FirstName", "lastname": "LastName"}
"""HubSpot's property -> the Lead's field."""

Shown = Mapping[str, Mapping[str, str | None]]


def settled(folder: Path, **options: Any) -> Office:
    """An office in which four people are the same on both sides."""
    office = Office(folder, **options)
    for number, email in enumerate(EMAILS):
        office.hub.create({"email": email, "lastname": f"L{number}", "firstname": "Ann", "jobtitle": "CEO", "city": "Rome", "company": "Inc"})
    office.quiet()
    office.later()
    return office


def hub(office: Office) -> Shown:
    """Everybody in HubSpot, by address."""
    found = [each["properties"] for each in office.hub.contacts()]
    assert len(found) == len({each.get("email") for each in found})
    return {str(each.get("email")): {name: each.get(name) for name in NAMES} for each in found}


def crm(office: Office) -> Shown:
    """Every Lead, by address, in HubSpot's words."""
    found = list(office.crm.rows("Lead"))
    assert len(found) == len({row["Email"] for row in found})
    return {str(row["Email"]): {name: row[native] for name, native in NAMES.items()} for row in found}


def edit(office: Office, email: str, world: str, **values: str | None) -> None:
    """Somebody edits, in HubSpot's words."""
    if world == "hub":
        office.hub.edit(office.contact(email)["id"], values)
    else:
        office.crm.edit(office.person(email)["Id"], {NAMES[name]: value for name, value in values.items()})


def run(office: Office) -> bool:
    """One run, which trouble may stop; whether it came to its end."""
    try:
        office.run()
    except StagesyncError:
        return False
    return True


def retry(office: Office) -> None:
    """Somebody has what was refused tried again."""
    failures.retry(office.session.store, office.session.workspace, lambda _: True, office.session.clock.now_ms())


def world(office: Office, name: str) -> HubSpotWorld | SalesforceWorld:
    """One of the two."""
    return office.hub if name == "hub" else office.crm


def edited(office: Office, time: str = "") -> dict[str, dict[str, str | None]]:
    """Somebody edits people on either side; gives what both sides must show at the end."""
    wanted = {email: dict(values) for email, values in hub(office).items()}
    for email, side, values in (
        (EMAILS[0], "hub", {"jobtitle": f"CTO{time}", "city": f"Oslo{time}"}),
        (EMAILS[1], "crm", {"jobtitle": f"CFO{time}"}),
        (EMAILS[2], "hub", {"city": f"Bern{time}"}),
        (EMAILS[2], "crm", {"jobtitle": f"COO{time}"}),
    ):
        edit(office, email, side, **values)
        wanted[email] |= values
    return wanted


def agreed(office: Office, wanted: Shown) -> None:
    """When all is well again, both sides show this, and nothing more is to be done."""
    office.hub.faults.clear()
    office.crm.faults.clear()
    office.later()
    retry(office)
    office.quiet()
    office.later()
    assert office.run().writes == 0
    assert hub(office) == wanted
    assert crm(office) == wanted


CALLS = {
    "hub": ("", "POST /crm/v3/objects/contacts/search", "POST /crm/v3/objects/contacts/batch/read", "POST /crm/v3/objects/contacts/batch/update"),
    "crm": ("", "GET /services/data/v66.0/query", "POST /services/data/v66.0/composite/sobjects/Lead", "PATCH /services/data/v66.0/composite/sobjects"),
}
WHERE = [(name, call) for name, calls in CALLS.items() for call in calls]


@pytest.mark.parametrize(("name", "call"), [WHERE[1], WHERE[3], WHERE[5], WHERE[7]])
def test_every_trouble_passes(tmp_path: Path, name: str, call: str) -> None:
    """Whatever a call meets, once or for a while: afterwards both sides have every edit, nobody is there twice, and nothing is blank."""
    office = settled(tmp_path)
    for number, (trouble, fault) in enumerate(world(office, name).troubles.items()):
        wanted = edited(office, trouble)
        world(office, name).faults.add(replace(fault, match=call, times=1 + 8 * (number % 2)))
        run(office)
        agreed(office, wanted)


@pytest.mark.parametrize("rows", [1, 2, 9])
@pytest.mark.parametrize(("name", "call"), WHERE[2:4] + WHERE[6:])
def test_rows_that_a_reply_passes_over_are_not_gone(tmp_path: Path, name: str, call: str, rows: int) -> None:
    """Reads by id and writes that answer for some of the records only, again and again: nobody is taken for deleted, no edit is forgotten."""
    office = settled(tmp_path)
    wanted = edited(office)
    world(office, name).faults.add(Fault("missing_rows", call, rows=rows, times=4))
    run(office)
    run(office)
    agreed(office, wanted)


FIELDS = {"hub": ("jobtitle", "city"), "crm": ("Title", "City")}


@pytest.mark.parametrize("times", [1, 3, 20])
@pytest.mark.parametrize(("name", "call"), WHERE)
def test_fields_that_a_reply_lacks_are_not_empty(tmp_path: Path, name: str, call: str, times: int) -> None:
    """Of some replies two fields are missing, and by the next run no window is open any more: nothing is blanked, and what was edited arrives all the same."""
    office = settled(tmp_path)
    wanted = edited(office)
    office.later()
    world(office, name).faults.add(Fault("missing_fields", call, fields=FIELDS[name], times=times))
    run(office)
    office.later()
    run(office)
    agreed(office, wanted)


def test_more_records_lack_a_field_than_are_noted_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then everything is read anew, once; and where that does not help either, it is not read anew for ever."""
    monkeypatch.setattr(pulling, "LACKING", 2)
    office = settled(tmp_path)
    wanted = edited(office)
    for email in EMAILS:
        edit(office, email, "hub", firstname="Eva")
        wanted[email]["firstname"] = "Eva"
    office.later()
    office.hub.faults.add(Fault("missing_fields", fields=("jobtitle",), times=999))
    scans = []
    for _ in range(4):
        office.hub.calls.clear()
        office.run()
        scans.append(office.hub.calls["GET /crm/v3/objects/contacts"])
        office.later()
    assert scans == [0, 1, 0, 0]
    edit(office, EMAILS[3], "hub", jobtitle="CXO")
    wanted[EMAILS[3]]["jobtitle"] = "CXO"
    for email in EMAILS:
        edit(office, email, "hub", city="Ulm")
        wanted[email]["city"] = "Ulm"
    office.run()
    agreed(office, wanted)


HIDDEN = {"hub": {"hidden_properties": ["jobtitle", "city"]}, "crm": {"hidden_fields": ["Lead.Title", "Lead.City"]}}
LOCKED = {"hub": {"locked_properties": ["jobtitle", "city"]}, "crm": {"locked_fields": ["Lead.Title", "Lead.City"]}}


def switch(office: Office, habits: Mapping[str, Mapping[str, list[str]]], name: str, *, on: bool) -> None:
    """A permission is lost, or comes back."""
    changes = {habit: values if on else [] for habit, values in habits[name].items()}
    if name == "hub":
        office.hub.switch(**changes)
    else:
        office.crm.org.change_habits(changes)


@pytest.mark.parametrize("noticed", [False, True])
@pytest.mark.parametrize("habits", [HIDDEN, LOCKED])
@pytest.mark.parametrize("name", ["hub", "crm"])
def test_fields_to_which_the_right_is_lost(tmp_path: Path, name: str, habits: Mapping[str, Mapping[str, list[str]]], noticed: bool) -> None:
    """Two fields are not seen, or not to be written, for a while, whether the account is described anew or not: values stay, and edits arrive in the end."""
    office = settled(tmp_path)
    switch(office, habits, name, on=True)
    wanted = edited(office)
    before = {email: {*hub(office)[email].values(), *crm(office)[email].values()} for email in EMAILS}
    for _ in range(3):
        office.later()
        if noticed:
            office.session = office.reopened()
        run(office)
    assert all(set(values.values()) <= before[email] for side in (hub(office), crm(office)) for email, values in side.items())
    switch(office, habits, name, on=False)
    office.session = office.reopened()
    if habits is LOCKED and noticed:  # what cannot be written is no debt: the fields say so themselves, and the check names who differs
        office.quiet()
        assert verify(office.session).drifted == sum(hub(office)[email] != crm(office)[email] for email in EMAILS) > 0
    else:
        agreed(office, wanted)


@pytest.mark.parametrize("anew", [False, True])
def test_records_that_are_not_shared_for_a_while(tmp_path: Path, anew: bool) -> None:
    """Two Leads vanish from every answer, even when all are read: they are not deleted, nobody makes them again, and their edits arrive later."""
    office = settled(tmp_path)
    office.crm.org.change_habits({"hidden_records": [office.person(email)["Id"] for email in (EMAILS[0], EMAILS[2])]})
    wanted = {email: dict(values) for email, values in hub(office).items()}
    for email in (EMAILS[0], EMAILS[1]):
        edit(office, email, "hub", city="Oslo")
        wanted[email]["city"] = "Oslo"
    for _ in range(3):
        office.later(90_000)
        if anew:
            with office.session.store.write() as tx:
                for account in office.session.systems:
                    accounts.set_cursor(tx, office.session.workspace, account, None)
        run(office)
    assert {email: values["city"] for email, values in hub(office).items()} == {email: values["city"] for email, values in wanted.items()}
    assert crm(office).keys() == wanted.keys()
    office.crm.org.change_habits({"hidden_records": []})
    edit(office, EMAILS[2], "crm", jobtitle="COO")
    wanted[EMAILS[2]]["jobtitle"] = "COO"
    agreed(office, wanted)


@pytest.mark.parametrize("how", ["upper", "squeeze", "cut:4", "append:!", "phone"])
@pytest.mark.parametrize("name", ["hub", "crm"])
def test_values_that_a_vendor_stores_changed(tmp_path: Path, name: str, how: str) -> None:
    """Automation makes something else of what is saved on one side: that side shows its own form, the other what was typed, and nobody fights over it."""
    office = settled(tmp_path)
    if name == "hub":
        office.hub.switch(alters={"jobtitle": how})
    else:
        office.crm.org.change_habits({"alters": {"Lead.Title": how}})
    other = "crm" if name == "hub" else "hub"
    typed = "Head of  Sales, 1st"
    edit(office, EMAILS[0], other, jobtitle=typed)
    edit(office, EMAILS[1], name, jobtitle=typed)
    office.later()
    office.quiet(3)
    office.later()
    assert office.run().writes == 0
    mine, theirs = (hub(office), crm(office)) if name == "hub" else (crm(office), hub(office))
    assert (mine[EMAILS[0]]["jobtitle"], theirs[EMAILS[0]]["jobtitle"]) == (altered(typed, how), typed)
    assert (mine[EMAILS[1]]["jobtitle"], theirs[EMAILS[1]]["jobtitle"]) == (altered(typed, how), altered(typed, how))
    assert mine[EMAILS[3]]["jobtitle"] == theirs[EMAILS[3]]["jobtitle"] == "CEO"
