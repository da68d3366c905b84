"""Stage values that nobody mapped: the person's other fields travel, the value claims nothing, and status and check name it, its count and the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_box import Box, box, cli
from office import Office

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds
from stagesync.state import links


@pytest.fixture
def worlds() -> Worlds:
    """Two Leads whose status nobody mapped, one of them an MQL in HubSpot, and a contact at a stage of the portal's own."""
    hubspot, salesforce = HubSpotWorld(), SalesforceWorld()
    for name in ("ann", "bob"):
        salesforce.create("Lead", {"Email": f"{name}@acme.example", "LastName": "Lee", "Company": "Acme", "Status": "Waiting for Godot", "City": "Ulm"})
    hubspot.by_hand.create({"email": "ann@acme.example", "lifecyclestage": "marketingqualifiedlead"})
    options = [*_stages(hubspot), ("4711", "Sales accepted, almost")]
    hubspot.by_hand.define("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", options)
    hubspot.by_hand.create({"email": "cleo@acme.example", "lastname": "Cedar", "lifecyclestage": "4711"})
    return Worlds(hubspot, salesforce)


def _stages(hubspot: HubSpotWorld) -> list[tuple[str, str]]:
    return [(option.value, option.label) for option in hubspot.portal.catalogue.get("lifecyclestage").options]


def test_status_and_check_name_them(tmp_path: Path, worlds: Worlds) -> None:
    """Nothing is dropped: other fields arrive, stages stand, and both commands tell value and count, as text and as JSON."""
    with box(tmp_path, worlds=worlds) as made:
        made.run("sync", "--yes")
        assert {each["properties"]["email"]: each["properties"].get("city") for each in worlds.hubspot.contacts()}["ann@acme.example"] == "Ulm"
        assert made.json("status")["stages"] == {"mql": 1, "": 2}
        assert made.json("status")["unmapped"] == made.json("check")["unmapped"]
        assert made.json("status")["unmapped"] == [
            {"system": "salesforce", "kind": "lead", "native": "Status", "value": "Waiting for Godot", "records": 2,
             "path": "systems.salesforce.stages.lead.values.Status"},
            {"system": "hubspot", "kind": "contact", "native": "lifecyclestage", "value": "4711", "records": 1,
             "path": "systems.hubspot.stages.contact.values.lifecyclestage"},
        ]  # fmt: skip
        status = made.run("status").stdout
        assert re.search(r"salesforce +Status=Waiting for Godot +2 records +map it under \[systems.salesforce.stages.lead.values.Status\]", status)
        check = made.run("check").stdout
        assert "salesforce lead: 2 records say Status=Waiting for Godot, which nobody mapped; they keep their stage" in check
        assert "hubspot contact: 1 record says lifecyclestage=4711 (Sales accepted, almost), which nobody mapped" in check
        assert "salesforce lead: 2 records say Status=Waiting for Godot" in cli("funnel", "check", "--config", str(made.config)).stdout


def test_the_line_that_check_tells_maps_the_value(tmp_path: Path, worlds: Worlds) -> None:
    """Written into the configuration as it stands there, the line maps the value to the stage with the nearest name.

    Nobody moved anybody by it: it makes a stage for who had none, and lowers nobody who had one.
    """
    with box(tmp_path, worlds=worlds) as made:
        made.run("sync", "--yes")
        told = made.run("check").stdout
        table, line = _cure(told, "lifecyclestage=4711")
        assert line == 'sal = ["4711"]'
        made.add(f"\n{table}\n{line}\n")
        table, line = _cure(told, "Status=Waiting for Godot")
        made.add(f"\n{table}\n{line}\n")
        assert not re.search(r"which nobody mapped", made.run("check").stdout)
        made.run("sync", "--yes")
        assert made.json("status")["unmapped"] == []
        assert made.json("status")["stages"] == {"mql": 1, "sal": 1, "subscriber": 1}  # that HubSpot makes a lead of whoever is new is nobody's word
        assert {row["Email"]: row["Status"] for row in worlds.salesforce.rows("Lead")}["ann@acme.example"] == "Marketing Qualified"


def _cure(told: str, value: str) -> tuple[str, str]:
    found = re.search(rf"{re.escape(value)}.*?under (\[\S+\]) write for example\s+(\S[^\n]+)", told, re.DOTALL)
    assert found is not None, told
    return found[1], found[2]


def test_a_line_repeats_what_means_the_stage_already(tmp_path: Path) -> None:
    """A line of one's own replaces the default, so the suggestion keeps the value that is written, first, and the others that the account has."""
    salesforce = SalesforceWorld()
    salesforce.create("Lead", {"Email": "ann@acme.example", "LastName": "Lee", "Company": "Acme", "Status": "Marketing Qualified (hot)"})
    with box(tmp_path, worlds=Worlds(HubSpotWorld(), salesforce)) as made:
        made.run("sync", "--yes")
        assert _cure(made.run("check").stdout, "Status=Marketing Qualified (hot)")[1] == 'mql = ["Marketing Qualified", "Marketing Qualified (hot)"]'


def _noted(office: Office) -> dict[tuple[int, str, str], int]:
    with office.session.store.read() as tx:
        return links.unmapped(tx, office.session.workspace)


def test_a_value_is_counted_as_long_as_it_stands(tmp_path: Path) -> None:
    """A value beside a side state is counted too, is not written over, and is no longer counted once it is changed."""
    office = Office(tmp_path)
    office.hub.by_hand.define("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", [*_stages(office.hub), ("4711", "Partner")])
    contact = office.hub.create({"email": "ann@acme.example", "lastname": "Lee", "lifecyclestage": "4711", "hs_lead_status": "UNQUALIFIED"})
    office.quiet()
    assert list(_noted(office).values()) == [1]
    assert office.contact("ann@acme.example")["lifecyclestage"] == "4711"
    assert office.person("ann@acme.example")["Status"] == "Closed - Not Converted"
    office.later()
    office.hub.edit(contact, {"lifecyclestage": "lead"})
    office.quiet()
    assert _noted(office) == {}


def test_the_counts_of_one_box_are_its_own(tmp_path: Path) -> None:
    """Where every value is mapped, neither command says a word about it."""
    with box(tmp_path, 10) as made:
        made.run("sync", "--yes")
        assert made.json("status")["unmapped"] == []
        assert "nobody mapped: they claim nothing" not in made.run("status").stdout
        assert isinstance(made, Box)
