"""Hands in the Salesforce world: everything that somebody can do by hand can be done over HTTP."""

from __future__ import annotations

import json
from typing import Any

from salesforce_wire import LEAD, Client, codes

from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.ids import normalise
from stagesync.sandbox.wire import Request


def hand(world: SalesforceWorld, named: str, /, **posted: Any) -> Any:
    """Use one hand over HTTP."""
    response = world.handle(Request("POST", f"/_sandbox/hands/{named}", "", {}, json.dumps(posted).encode()))
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_hands_over_http(client: Client) -> None:
    """Everything that somebody can do by hand can be done over HTTP, uncounted."""
    world = client.world
    hand(world, "define", kind="Lead", name="Tier__c", type="picklist", options=["A", "B"], restricted=True)
    first, second = hand(world, "load", kind="Lead", rows=[{**LEAD, "Tier__c": "A"}, LEAD])["ids"]
    third = hand(world, "create", kind="Lead", values=LEAD)["id"]
    hand(world, "edit", id=first, values={"Tier__c": "B"})
    hand(world, "merge", winner=first, losers=[second])
    made = hand(world, "convert", lead_id=first)
    assert normalise(made["contact"]) == made["contact"]
    hand(world, "delete", id=third)
    hand(world, "undelete", id=third)
    hand(world, "habits", tracked_fields=["Lead.Rating"], duplicate_rules="off")
    hand(world, "fail-rows", code="UNABLE_TO_LOCK_ROW")
    assert codes(client.save("Lead", LEAD)) == ["UNABLE_TO_LOCK_ROW"]
    hand(world, "expire-sessions")
    assert client.call("GET", "/limits/").status == 401
    records = json.loads(world.handle(Request("GET", "/_sandbox/records", "kind=Lead")).body)
    assert {one["Id"] for one in records} == {first, third}
    refused = world.handle(Request("POST", "/_sandbox/hands/edit", "", {}, json.dumps({"id": first, "values": {"Title": "x"}}).encode()))
    assert refused.status == 400
    assert b"CANNOT_UPDATE_CONVERTED_LEAD" in refused.body
    for name, posted in (
        ("habits", {"nope": 1}),
        ("edit", {"id": "nonsense", "values": {}}),
        ("load", {"kind": "Nope", "rows": []}),
        ("define", {"kind": "Lead"}),
    ):
        assert world.handle(Request("POST", f"/_sandbox/hands/{name}", "", {}, json.dumps(posted).encode())).status == 400
