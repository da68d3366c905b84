"""Rules of an org in the Salesforce world: assignment, duplicates, workflows, flows, and the history of what changed."""

from __future__ import annotations

import json

from salesforce_wire import CALM, LEAD, Client, codes

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.salesforce import SalesforceWorld


def test_assignment_rules_take_the_lead_unless_told_not_to() -> None:
    """Without Sforce-Auto-Assign: FALSE every saved Lead goes to the queue, an updated one too."""
    client = Client(SalesforceWorld())
    queue, owner = client.world.org.queue, client.world.org.integration
    left, taken = client.save("Lead", LEAD, sforce_auto_assign="FALSE")[0]["id"], client.save("Lead", LEAD)[0]["id"]
    assert {row["Id"]: row["OwnerId"] for row in client.soql("SELECT Id, OwnerId FROM Lead")} == {left: owner, taken: queue}
    client.save("Lead", {"id": left, "Title": "x"}, method="PATCH")
    assert client.soql(f"SELECT OwnerId FROM Lead WHERE Id = '{left}'") == [{"OwnerId": queue}]


def test_duplicate_rules() -> None:
    """A duplicate is refused: with its matches on a single call, without any id in a collection; allowSave passes an alert, not a block."""
    client = Client(SalesforceWorld())
    ada = {**LEAD, "Email": "ada@x.com"}
    existing = client.save("Lead", ada)[0]["id"]
    (result,) = client.save("Lead", ada)
    assert result == {"success": False, "errors": [{"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}]}
    (error,) = json.loads(client.call("POST", "/sobjects/Lead/", ada).body)
    assert error["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]["Id"] == existing
    assert codes(client.save("Lead", {**ada, "LastName": "Other"})) == [None]
    assert codes(client.save("Lead", ada, sforce_duplicate_rule_header="allowSave=true")) == [None]
    client.world.org.change_habits({"duplicate_rules": "block"})
    assert codes(client.save("Lead", ada, sforce_duplicate_rule_header="allowSave=true")) == ["DUPLICATES_DETECTED"]


def test_workflows_change_what_was_written(client: Client) -> None:
    """The org's own automation has the last word on a saved row."""
    client.world.org.workflows.append(lambda kind, row: {"Rating": "Hot"} if kind == "Lead" and row.get("Title") == "CEO" else {})
    id = client.save("Lead", {**LEAD, "Title": "CEO", "Rating": "Cold"})[0]["id"]
    assert client.soql(f"SELECT Rating FROM Lead WHERE Id = '{id}'") == [{"Rating": "Hot"}]


def test_flows_run_after_the_save() -> None:
    """A flow rewrites a value a moment after whoever saved it, in the admin's name; what it saves is looked at again, later."""
    client = Client(SalesforceWorld(clock=WorldClock(lambda: 1_790_000_000.0), habits=CALM))  # a moment is a millisecond
    client.world.flow("Lead", "Title", {"CEO": "Chief Executive Officer", "Chief Executive Officer": "Boss"})
    id = client.save("Lead", {**LEAD, "Title": "CEO"})[0]["id"]
    query = f"SELECT Title, LastModifiedById FROM Lead WHERE Id = '{id}'"
    assert client.soql(query)[0]["Title"] == "CEO"
    for title in ("Chief Executive Officer", "Boss", "Boss"):
        client.world.clock.advance(1)
        assert client.soql(query) == [{"Title": title, "LastModifiedById": client.world.org.admin}]


def test_history_of_tracked_fields(client: Client) -> None:
    """Who changed a tracked field, from what to what; untracked fields leave no trace."""
    client.world.org.change_habits({"tracked_fields": ["Lead.Status", "Lead.OwnerId"]})
    id = client.save("Lead", LEAD)[0]["id"]
    client.world.edit(id, {"Status": "Working - Contacted", "Title": "x"})
    client.save("Lead", {"id": id, "OwnerId": client.world.org.queue}, method="PATCH")
    rows = client.soql(f"SELECT Field, OldValue, NewValue, CreatedById FROM LeadHistory WHERE LeadId = '{id}' ORDER BY CreatedDate, Id")
    assert rows == [
        {"Field": "created", "OldValue": None, "NewValue": None, "CreatedById": client.world.org.integration},
        {"Field": "Status", "OldValue": "Open - Not Contacted", "NewValue": "Working - Contacted", "CreatedById": client.world.org.somebody},
        {"Field": "Owner", "OldValue": client.world.org.integration, "NewValue": client.world.org.queue, "CreatedById": client.world.org.integration},
    ]
    assert client.refused("GET", "/query/", query={"q": "SELECT Id FROM LeadHistory WHERE OldValue = 'x'"})[1] == "INVALID_FIELD"
