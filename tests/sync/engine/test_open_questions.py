"""What no public source settles: the main job ends the same whichever way the vendors do it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from office import Office

from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits
from stagesync.state import signals

HUB: list[tuple[str, Any]] = [
    ("backward_stage", "applied"),
    ("answer_echoes_ignored_stage", True),
    ("batch_update_loses_merged_ids", False),
    ("batch_read_follows_merges", False),
    ("email_lookup_finds_secondary", False),
    ("ids_compare_as_text", True),
    ("list_after", "refused"),
    ("list_after", "ignored"),
    ("list_after", "opaque"),
    ("versions_kept", 2),
    ("optout_moves_stamp", False),
    ("restore_moves_stamp", True),
    ("search_lag_s", 30.0),
]
CRM: list[tuple[str, Any]] = [
    ("same_values_move_stamps", False),
    ("ids_sort", "small letters first"),
    ("empty_text_is_null", False),
    ("unknown_field_fails", "row"),
    ("converted_leads_editable", True),
    ("conversion_keeps_opt_out", True),
    ("merge_keeps_opt_out", True),
    ("child_moves_person", True),
    ("conversion_moves_members", False),
    ("commit_lag_s", 120.0),
]


def _day(office: Office) -> None:
    """Three people live through a day of edits; at its end all is quiet."""
    hub = {name: office.hub.create({"email": f"{name}@a.example", "lastname": name, "city": "Bonn", "lifecyclestage": "salesqualifiedlead"}) for name in "abc"}
    office.later()
    office.run()
    office.later()
    lead = {name: office.person(f"{name}@a.example")["Id"] for name in "abc"}
    office.crm.edit(lead["a"], {"Status": "Open - Not Contacted", "Title": "CEO"})
    office.hub.edit(hub["b"], {"city": ""})
    office.crm.edit(lead["b"], {"HasOptedOutOfEmail": True})
    office.crm.add_campaign_member(lead["c"], "Webinar")
    office.later()
    office.run()
    office.crm.convert(lead["c"])
    other = office.hub.create({"email": "second@a.example", "lastname": "a"})
    office.later()
    office.run()
    office.later()
    office.hub.merge(hub["a"], other)
    office.later()
    office.quiet()
    office.later()
    assert office.run().writes == 0


def _agreed(office: Office) -> None:
    assert office.contact("a@a.example")["lifecyclestage"] == "lead"
    assert office.contact("a@a.example")["jobtitle"] == "CEO"
    assert office.person("a@a.example")["Status"] == "Open - Not Contacted"
    assert office.person("b@a.example")["City"] is None
    assert not office.contact("b@a.example").get("city")
    assert office.contact("c@a.example")["lifecyclestage"] == "opportunity"
    assert office.person("c@a.example", "Contact")["LastName"] == "c"


@pytest.mark.parametrize(("habit", "value"), HUB, ids=[f"{habit}={value}" for habit, value in HUB])
def test_either_way_of_hubspot(tmp_path: Path, habit: str, value: Any) -> None:
    """One open question of HubSpot answered the other way changes nothing of the outcome."""
    office = Office(tmp_path, hub_habits=replace(HubSpotHabits(page_rows=1), **{habit: value}))
    _day(office)
    _agreed(office)


@pytest.mark.parametrize(("habit", "value"), CRM, ids=[f"{habit}={value}" for habit, value in CRM])
def test_either_way_of_salesforce(tmp_path: Path, habit: str, value: Any) -> None:
    """One open question of Salesforce answered the other way changes nothing of the outcome."""
    office = Office(tmp_path, crm_habits=replace(SalesforceHabits(duplicate_rules="off"), **{habit: value}), signals=True)
    _day(office)
    _agreed(office)
    with office.session.store.read() as tx:
        told = {each.kind: each.signals for each in signals.counts(tx, office.session.workspace)}
    assert told["campaign"] == 1


def test_a_stage_that_is_refused_is_told_and_left(tmp_path: Path) -> None:
    """Where HubSpot refuses even a stage that was cleared before, the refusal is counted and nothing goes round in circles."""
    office = Office(tmp_path, hub_habits=replace(HubSpotHabits(), backward_stage="refused"))
    office.hub.create({"email": "a@a.example", "lastname": "a", "lifecyclestage": "salesqualifiedlead"})
    office.run()
    office.later()
    office.crm.edit(office.person("a@a.example")["Id"], {"Status": "Marketing Qualified"})
    office.run()
    office.later()
    office.quiet()
    assert office.contact("a@a.example")["lifecyclestage"] in ("marketingqualifiedlead", "salesqualifiedlead")
