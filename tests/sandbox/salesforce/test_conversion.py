"""Conversion, merge and the bin in the Salesforce world, and opportunities that follow their stage."""

from __future__ import annotations

import pytest
from salesforce_wire import LEAD, Client, codes

from stagesync.sandbox.salesforce import Habits, SalesforceWorld
from stagesync.sandbox.wire import Request


def test_conversion_makes_four_records_in_one_moment(client: Client) -> None:
    """A converted Lead points at what it became, takes its fields along, and is read-only from then on."""
    client.world.define("Contact", "Stage__c")
    client.world.define("Lead", "Stage__c", converts_to="Contact.Stage__c")
    lead = client.world.load("Lead", [{**LEAD, "Email": "a@x.com", "City": "Rome", "Stage__c": "sql", "HasOptedOutOfEmail": True}])[0]
    made = client.world.convert(lead)
    (row,) = client.soql("SELECT IsConverted, ConvertedDate, ConvertedContactId, ConvertedAccountId, ConvertedOpportunityId, Status, SystemModstamp FROM Lead")
    assert (row["ConvertedContactId"], row["ConvertedAccountId"], row["ConvertedOpportunityId"]) == (made.contact, made.account, made.opportunity)
    assert (row["IsConverted"], row["Status"], len(row["ConvertedDate"])) == (True, "Closed - Converted", 10)
    (contact,) = client.soql(
        f"SELECT LastName, Email, MailingCity, Stage__c, HasOptedOutOfEmail, Account.Name, SystemModstamp FROM Contact WHERE Id = '{made.contact}'"
    )
    assert (contact["MailingCity"], contact["Stage__c"], contact["HasOptedOutOfEmail"], contact["Account"]["Name"]) == ("Rome", "sql", True, "Acme")
    assert contact["SystemModstamp"] == row["SystemModstamp"]
    (role,) = client.soql("SELECT ContactId, Opportunity.StageName, Opportunity.IsClosed, Contact.Email FROM OpportunityContactRole")
    assert (role["ContactId"], role["Opportunity"]["StageName"], role["Opportunity"]["IsClosed"]) == (made.contact, "Prospecting", False)
    assert codes(client.save("Lead", {"id": lead, "Title": "x"}, method="PATCH")) == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    assert client.refused("PATCH", f"/sobjects/Contact/{made.contact}", {"Account": {"Name": "x"}})[1] == "INVALID_FIELD"


@pytest.mark.parametrize("keeps", [True, False])
def test_conversion_into_an_existing_contact_fills_gaps_only(keeps: bool) -> None:
    """What the Contact has stays; a Lead's opt-out may be lost there, since false is not empty."""
    client = Client(SalesforceWorld(habits=Habits(conversion_keeps_opt_out=keeps)))
    contact = client.world.load("Contact", [{"LastName": "Ada", "Phone": "1"}])[0]
    lead = client.world.load("Lead", [{**LEAD, "Phone": "2", "Title": "CTO", "HasOptedOutOfEmail": True}])[0]
    made = client.world.convert(lead, contact=contact, opportunity=False)
    assert made.contact == contact
    assert made.opportunity is None
    assert client.soql("SELECT Phone, Title, HasOptedOutOfEmail FROM Contact") == [{"Phone": "1", "Title": "CTO", "HasOptedOutOfEmail": keeps}]


def test_a_leads_queue_cannot_own_what_it_becomes(client: Client) -> None:
    """A Lead of a queue, converted by hand, goes to whoever converts it."""
    lead = client.world.load("Lead", [{**LEAD, "OwnerId": client.world.org.queue}])[0]
    client.world.convert(lead)
    assert client.soql("SELECT OwnerId FROM Contact") == [{"OwnerId": client.world.org.somebody}]


def test_merge_leaves_losers_in_the_bin_with_their_master(client: Client) -> None:
    """Losers are deleted and name the winner; what pointed at them points at the winner. At most three records."""
    winner, loser, third, fourth = client.world.load("Contact", [{"LastName": f"L{number}"} for number in range(4)])
    deal = client.world.create("Opportunity", {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"})
    client.world.create("OpportunityContactRole", {"OpportunityId": deal, "ContactId": loser})
    with pytest.raises(ValueError, match="INVALID_MERGE_RECORD"):
        client.world.merge(winner, [loser, third, fourth])
    client.world.merge(winner, [loser], {"Title": "kept"})
    assert client.soql("SELECT Id, MasterRecordId FROM Contact WHERE MasterRecordId != null") == [{"Id": loser, "MasterRecordId": winner}]
    assert client.soql("SELECT ContactId FROM OpportunityContactRole") == [{"ContactId": winner}]
    assert client.soql("SELECT Id FROM Contact WHERE IsDeleted = false AND Title = 'kept'") == [{"Id": winner}]
    assert codes(client.save("Contact", {"id": loser, "Title": "x"}, method="PATCH")) == ["ENTITY_IS_DELETED"]


SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:p="urn:partner.soap.sforce.com" xmlns:o="urn:sobject.partner.soap.sforce.com">'
    "<s:Header><p:SessionHeader><p:sessionId>{token}</p:sessionId></p:SessionHeader></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
MERGE = (
    "<p:merge><p:request><p:masterRecord><o:type>Lead</o:type><o:Id>{0}</o:Id></p:masterRecord>"
    "<p:recordToMergeIds>{1}</p:recordToMergeIds></p:request></p:merge>"
)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (SOAP.format(token="00D-sandbox-session", body=MERGE.format("{0}", "{1}")), 200, b">true<"),
        (SOAP.format(token="00D-sandbox-session", body=MERGE.format("{0}", "{0}")), 200, b"INVALID_MERGE_RECORD"),
        (SOAP.format(token="00D-sandbox-session", body=MERGE.format("{0}", "nobody")), 200, b"MALFORMED_ID"),
        (SOAP.format(token="00D-sandbox-session", body="<p:logout/>"), 500, b"sf:UNKNOWN_EXCEPTION"),
        (SOAP.format(token="another", body=MERGE.format("{0}", "{1}")), 500, b"sf:INVALID_SESSION_ID"),
        ("<!DOCTYPE x><x/>", 500, b"sf:INVALID_SOAP_HEADER"),
        ("<x", 500, b"sf:UNKNOWN_EXCEPTION"),
    ],
)
def test_merge_by_soap(client: Client, text: str, status: int, said: bytes) -> None:
    """A refused row is a result in a 200; a session that is none, another call, and what is no SOAP are faults. Only a call that is let in is counted."""
    ids = client.world.load("Lead", [LEAD, LEAD])
    answer = client.world.handle(Request("POST", "/services/Soap/u/59.0", "", {"content-type": "text/xml"}, text.format(*ids).encode()))
    assert (answer.status, said in answer.body) == (status, True), answer.body
    assert len(client.soql("SELECT Id FROM Lead WHERE IsDeleted = false")) == (1 if said == b">true<" else 2)
    assert client.world.used == (2 if b"sessionId" in text.encode() and "another" not in text else 1)


def test_the_bin(client: Client) -> None:
    """A deleted account takes its contacts along and brings them back; a purged record is gone even for queryAll."""
    account = client.world.load("Account", [{"Name": "Acme"}])[0]
    contact = client.world.load("Contact", [{"LastName": "x", "AccountId": account}])[0]
    client.world.delete(account)
    assert client.soql("SELECT Id, IsDeleted FROM Contact") == [{"Id": contact, "IsDeleted": True}]
    client.world.undelete(account)
    assert client.soql("SELECT Id, IsDeleted FROM Contact") == [{"Id": contact, "IsDeleted": False}]
    client.world.delete(contact)
    client.world.purge(contact)
    assert client.soql("SELECT Id FROM Contact") == []


def test_opportunities_follow_their_stage(client: Client) -> None:
    """Closed, won and probability come from OpportunityStage; a role that is deleted leaves no trace in the bin."""
    deal = client.save("Opportunity", {"Name": "D", "StageName": "Qualification", "CloseDate": "2026-12-31"})[0]["id"]
    client.world.edit(deal, {"StageName": "Closed Won"})
    fields = "IsClosed, IsWon, Probability, LastStageChangeDate"
    (row,) = client.soql(f"SELECT {fields} FROM Opportunity")
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (True, True, 100.0)
    assert row["LastStageChangeDate"] is not None
    contact = client.world.load("Contact", [{"LastName": "x"}])[0]
    role = client.save("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})[0]["id"]
    assert client.call("DELETE", f"/sobjects/OpportunityContactRole/{role}").status == 204
    assert client.soql("SELECT Id FROM OpportunityContactRole") == []
