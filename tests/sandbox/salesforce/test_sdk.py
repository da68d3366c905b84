"""The official client, simple-salesforce, drives the Salesforce world unchanged: over a real socket and without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.bulk2 import Operation, ResultsType
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
)
from simple_salesforce.format import format_external_id, format_soql

from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.salesforce import Habits, SalesforceWorld
from stagesync.sandbox.server import serve

ADA = {"LastName": "Lovelace", "FirstName": "Ada", "Company": "Engines", "Email": "ada@x.com"}


class Rewriting(HTTPAdapter):
    """simple-salesforce insists on https: this sends what it asks to the sandbox's http address."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._host = urlsplit(url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it to the sandbox, whatever host it was meant for."""
        assert request.url is not None
        request.url = urlsplit(request.url)._replace(scheme="http", netloc=self._host).geturl()
        return super().send(request, *args, **kwargs)


@pytest.fixture
def world() -> SalesforceWorld:
    """An org without duplicate rules."""
    return SalesforceWorld(habits=Habits(duplicate_rules="off"))


@pytest.fixture(params=["socket", "adapter"])
def session(request: pytest.FixtureRequest, world: SalesforceWorld) -> Iterator[requests.Session]:
    """A session whose https calls reach the world, on both ways."""
    with requests.Session() as made:
        if request.param == "adapter":
            made.mount("https://", WorldAdapter(world))
            yield made
        else:
            with serve(world) as url:
                made.mount("https://", Rewriting(url))
                yield made


@pytest.fixture
def client(session: requests.Session) -> Any:
    """A client with a session id and an instance, as one has it after a login of one's own."""
    return Salesforce(instance="sandbox.my.salesforce.com", session_id="00D-sandbox-session", session=session)


def test_accounts_are_made_looked_for_and_linked(client: Any) -> None:
    """An Account by name and website, a Contact of it, and the Contact moved to none."""
    made = client.Account.create({"Name": "Acme Inc", "Website": "https://www.acme.example"})["id"]
    contact = client.Contact.create({"LastName": "Lovelace", "AccountId": made})["id"]
    found = client.query("SELECT Id, Name FROM Account WHERE (Website LIKE '%acme.example%' OR Name LIKE 'nobody%')")["records"]
    assert [(row["Id"], row["Name"]) for row in found] == [(made, "Acme Inc")]
    assert client.query(f"SELECT Account.Name FROM Contact WHERE Id = '{contact}'")["records"][0]["Account"]["Name"] == "Acme Inc"
    assert client.Contact.update(contact, {"AccountId": None}) == 204
    assert client.Contact.get(contact)["AccountId"] is None


def test_rows_queries_and_pages(world: SalesforceWorld, client: Any) -> None:
    """Create, read, change, find, page, delete, with the client's own methods."""
    made = client.Lead.create(ADA)
    assert made["success"]
    assert client.Lead.get(made["id"])["Name"] == "Ada Lovelace"
    assert client.Lead.update(made["id"], {"Title": "Countess"}) == 204
    assert client.Lead.get_by_custom_id("Email", "ada@x.com")["Title"] == "Countess"
    world.load("Lead", [{"LastName": f"Müller {number}", "Email": f"m{number}@x.com"} for number in range(2500)])
    found = client.query_all(format_soql("SELECT Id, LastName, Owner.Name FROM Lead WHERE Email != {} ORDER BY SystemModstamp, Id", "ada@x.com"))
    assert found["totalSize"] == len(found["records"]) == 2500
    assert {one["LastName"] for one in found["records"]} == {f"Müller {number}" for number in range(2500)}
    assert sum(1 for _ in client.query_all_iter("SELECT Id FROM Lead")) == 2501
    assert client.Lead.delete(made["id"]) == 204
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 2500
    assert client.query_all("SELECT Id FROM Lead WHERE IsDeleted = true", include_deleted=True)["totalSize"] == 1
    assert client.api_usage["api-usage"].used == world.used


def test_collections_through_restful(client: Any) -> None:
    """Collections go by the client's door for any path, row errors in HTTP 200 included."""
    records = [{"attributes": {"type": "Lead"}, **ADA}, {"attributes": {"type": "Lead"}, "LastName": "x"}]
    made = client.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": records})
    assert [one["success"] for one in made] == [True, False]
    read = client.restful("composite/sobjects/Lead", method="POST", json={"ids": [made[0]["id"]], "fields": ["Id", "Email"]})
    assert read[0]["Email"] == "ada@x.com"


def test_metadata_limits_and_changes(world: SalesforceWorld, client: Any) -> None:
    """Describe, limits and the replication calls are understood by the client."""
    described = client.describe()
    assert described["maxBatchSize"] == 200
    fields = client.Lead.describe()
    assert {"LastName", "Company", "Status"} <= {one["name"] for one in fields["fields"]}
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    id = world.load("Lead", [ADA])[0]
    now = datetime.now(UTC)
    assert client.Lead.updated(now - timedelta(hours=1), now + timedelta(hours=1))["ids"] == [id]
    world.delete(id)
    assert [one["id"] for one in client.Lead.deleted(now - timedelta(hours=1), now + timedelta(hours=1))["deletedRecords"]] == [id]


def test_upsert(world: SalesforceWorld, client: Any) -> None:
    """Upsert by external id creates, then changes; several matches are the client's own error."""
    world.define("Lead", "Key__c", "Key", external_id=True)
    path = format_external_id("Key__c", "a/b +1")
    assert client.Lead.upsert(path, ADA) == 201
    assert client.Lead.upsert(path, {"Title": "x"}) == 200
    world.load("Lead", [{**ADA, "Key__c": "twice"}, {**ADA, "Key__c": "twice"}])
    with pytest.raises(SalesforceMoreThanOneRecord):
        client.Lead.upsert("Key__c/twice", {"Title": "x"})


def test_errors_have_the_clients_classes(world: SalesforceWorld, client: Any) -> None:
    """Refusals, an expired session and a failed condition arrive as the exceptions that the client has for them."""
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        client.query("SELECT Nope FROM Lead")
    assert "INVALID_FIELD" in str(malformed.value.content)
    id = world.load("Lead", [ADA])[0]
    with pytest.raises(SalesforceGeneralError) as failed:
        client.Lead.update(id, {"Title": "x"}, headers={"If-Unmodified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"})
    assert failed.value.status == 412
    world.sessions.expire()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Lead")


def test_login_by_client_credentials(session: requests.Session) -> None:
    """The client's own login gets a session that works."""
    client: Any = Salesforce(consumer_key="sandbox-consumer-key", consumer_secret="sandbox-consumer-secret", domain="sandbox.my", session=session)
    assert client.query("SELECT Id FROM Organization")["totalSize"] == 1


def test_login_by_soap(session: requests.Session) -> None:
    """The oldest login gives a session that works in REST, with or without a security token behind the password; a refusal has a code that the client reads."""
    login: Any = Salesforce
    who: dict[str, Any] = {"username": "integration@sandbox.example", "password": "sandbox-password", "session": session}
    also: list[dict[str, Any]] = [{"security_token": "Zx81"}, {"security_token": ""}, {"organizationId": "00D5g000004XYZAEA4"}]
    for more in also:
        assert login(**who, **more).query("SELECT Id FROM Organization")["totalSize"] == 1
    wrong: list[tuple[dict[str, Any], str]] = [({"password": "guessed"}, "INVALID_LOGIN"), ({"version": "65.0"}, "INVALID_SESSION_ID")]
    for given, code in wrong:
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            login(**{**who, "security_token": "", **given})
        assert refused.value.code == code


def test_bulk_ingest(world: SalesforceWorld, client: Any) -> None:
    """An ingest job takes rows as CSV, ignores empty cells, clears with #N/A, and tells failures apart; results name each row's id."""
    id = world.load("Lead", [{**ADA, "Title": "Countess", "Phone": "1"}])[0]
    bulk = client.bulk2.Lead._client  # the public methods sleep between polls
    job = bulk.create_job(Operation.update)["id"]
    bulk.upload_job_data(job, f'Id,Title,Phone,DoNotCall,Email\n{id},#N/A,,true,"ada@x.com"\n{id},,,,nonsense\n')
    assert bulk.close_job(job)["state"] == "UploadComplete"
    told = bulk.get_job(job, is_query=False)
    assert (told["state"], told["numberRecordsProcessed"], told["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    assert id in bulk.get_ingest_results(job, ResultsType.successful)
    assert "INVALID_EMAIL_ADDRESS" in bulk.get_ingest_results(job, ResultsType.failed)
    row = client.Lead.get(id)
    assert (row["Title"], row["Phone"], row["DoNotCall"]) == (None, "1", True)
    job = bulk.create_job(Operation.insert)["id"]
    bulk.upload_job_data(job, "LastName,Nope\nx,y\n")
    bulk.close_job(job)
    assert bulk.get_job(job, is_query=False)["state"] == "Failed"
    assert '"x","y"' in bulk.get_ingest_results(job, ResultsType.unprocessed)


def test_bulk_query(world: SalesforceWorld, client: Any) -> None:
    """A query job answers CSV in pages that can be read again."""
    world.load("Lead", [{"LastName": f"Müller {number}"} for number in range(5)])
    bulk = client.bulk2.Lead._client  # the public methods sleep between polls
    job = bulk.create_job(Operation.query, query="SELECT LastName, Owner.Name, DoNotCall FROM Lead ORDER BY LastName")["id"]
    told = bulk.get_job(job, is_query=True)
    assert (told["state"], told["object"], told["jobType"]) == ("JobComplete", "Lead", "V2Query")
    first = bulk.get_query_results(job, max_records=3)
    assert first["number_of_records"] == 3
    assert first["records"].splitlines()[0] == '"LastName","Owner.Name","DoNotCall"'
    rest = bulk.get_query_results(job, locator=first["locator"], max_records=3)
    assert (rest["number_of_records"], rest["locator"]) == (2, "")
    assert bulk.get_query_results(job, max_records=3) == first


def test_bulk_of_the_first_version(world: SalesforceWorld, client: Any) -> None:
    """Batches of JSON: each row has its result in its place, null clears, a query tells moments in milliseconds, an unknown field fails its batch."""
    world.define("Lead", "Key__c", "Key", external_id=True, unique=True)
    good, bad = client.bulk.Lead.insert([{**ADA, "Title": "Countess"}, {"LastName": "Nobody"}])
    assert (good["success"], good["created"], bad["success"], bad["errors"][0]["statusCode"]) == (True, True, False, "REQUIRED_FIELD_MISSING")
    (changed,) = client.bulk.Lead.update([{"Id": good["id"], "Title": None, "DoNotCall": True}])
    assert (changed["id"], changed["created"]) == (good["id"], False)
    assert (client.Lead.get(good["id"])["Title"], client.Lead.get(good["id"])["DoNotCall"]) == (None, True)
    keyed = [client.bulk.Lead.upsert([{**ADA, "Key__c": "k"}], "Key__c")[0] for _ in range(2)]
    assert [(each["id"] == keyed[0]["id"], each["created"]) for each in keyed] == [(True, True), (True, False)]
    (row,) = client.bulk.Lead.query(f"SELECT Id, CreatedDate, Owner.Name FROM Lead WHERE Id = '{good['id']}'")
    assert (row["Id"], row["Owner"]["Name"], row["CreatedDate"] % 1000) == (good["id"], "Integration User", 0)
    assert client.bulk.Lead.delete([{"Id": good["id"]}], include_detailed_results=True)[0]["Id"] == good["id"]
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 1
    assert len(client.bulk.Lead.query_all("SELECT Id FROM Lead")) == 2
    with pytest.raises(SalesforceGeneralError, match="No such column"):
        client.bulk.Lead.query("SELECT Nope FROM Lead")
    with pytest.raises(SalesforceMalformedRequest, match="InvalidBatch"):
        client.bulk.Lead.insert([{"LastName": "x", "Nope": 1}])
    with pytest.raises(SalesforceMalformedRequest, match="InvalidEntity"):
        client.bulk.Nothing__c.insert([{"LastName": "x"}])
    world.sessions.expire()
    with pytest.raises(SalesforceMalformedRequest, match="InvalidSessionId"):
        client.bulk.Lead.query("SELECT Id FROM Lead")


def test_a_deal_moves_its_own_stamp_and_not_the_persons(world: SalesforceWorld, client: Any) -> None:
    """Roles are found by their deal's stamp and read with its fields; a role goes into the bin with its deal, and leaves nothing behind when it is deleted."""
    contact = client.Contact.create({"LastName": "Lovelace"})["id"]
    before = client.Contact.get(contact)["SystemModstamp"]
    deal, other = world.open_opportunity(contact, Name="Looms"), world.open_opportunity(contact)
    ahead = "2999-01-01T00:00:00Z"
    world.org.clock.advance(5)
    world.set_stage(deal, "Closed Won")
    moved = client.Opportunity.get(deal)["SystemModstamp"].replace("+0000", "Z")
    told = "SELECT ContactId, Opportunity.StageName, Opportunity.IsWon, Opportunity.LastStageChangeDate, Contact.SystemModstamp FROM OpportunityContactRole"
    (row,) = client.query(f"{told} WHERE SystemModstamp >= {ahead} OR Opportunity.SystemModstamp >= {moved}")["records"]
    assert (row["ContactId"], row["Opportunity"]["StageName"], row["Opportunity"]["IsWon"]) == (contact, "Closed Won", True)
    assert row["Opportunity"]["LastStageChangeDate"] is not None
    assert client.Contact.get(contact)["SystemModstamp"] == before == row["Contact"]["SystemModstamp"]
    roles = "SELECT OpportunityId, IsDeleted FROM OpportunityContactRole"
    world.bin_opportunity(deal)
    world.drop_role(other, contact)
    assert client.query(roles)["totalSize"] == 0
    assert [row["OpportunityId"] for row in client.query_all(roles, include_deleted=True)["records"]] == [deal]


def test_a_campaigns_own_list_says_who_has_responded(world: SalesforceWorld, client: Any) -> None:
    """Responses are told by the status, which the campaign lists; one that it does not list becomes its default; on conversion members go to the Contact."""
    campaign = client.Campaign.create({"Name": "Webinar", "Type": "Webinar"})["id"]
    assert client.CampaignMemberStatus.create({"CampaignId": campaign, "Label": "Attended", "HasResponded": True, "SortOrder": 3})["success"]
    lead = client.Lead.create(ADA)["id"]
    member = client.CampaignMember.create({"CampaignId": campaign, "LeadId": lead, "Status": "nonsense"})["id"]
    names = "Status, HasResponded, FirstRespondedDate, LeadId, ContactId, Campaign.Name, Campaign.Type"

    def shown() -> dict[str, Any]:
        return client.query(f"SELECT {names} FROM CampaignMember WHERE Id = '{member}'")["records"][0]

    assert (shown()["Status"], shown()["HasResponded"], shown()["FirstRespondedDate"]) == ("Sent", False, None)
    client.CampaignMember.update(member, {"Status": "Attended"})
    assert (shown()["Status"], shown()["HasResponded"], shown()["Campaign"]["Name"]) == ("Attended", True, "Webinar")
    assert shown()["FirstRespondedDate"] is not None
    with pytest.raises(SalesforceMalformedRequest):
        client.CampaignMember.update(member, {"HasResponded": False})
    made = world.convert(lead)
    assert shown()["ContactId"] == made.contact
    (role,) = client.query("SELECT ContactId, OpportunityId FROM OpportunityContactRole")["records"]
    assert (role["ContactId"], role["OpportunityId"]) == (made.contact, made.opportunity)


def test_an_object_can_be_closed_to_the_client(world: SalesforceWorld, client: Any) -> None:
    """It is in no list, cannot be queried, and nothing leads through it; whoever works in the org sees it all the same."""
    contact = client.Contact.create({"LastName": "Lovelace"})["id"]
    world.org.change_habits({"hidden_objects": ["Opportunity"]})
    deal = world.open_opportunity(contact)
    assert "Opportunity" not in {one["name"] for one in client.describe()["sobjects"]}
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Id FROM Opportunity")
    assert "INVALID_TYPE" in str(refused.value.content)
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Opportunity.StageName FROM OpportunityContactRole")
    assert "INVALID_FIELD" in str(refused.value.content)
    assert client.query("SELECT OpportunityId FROM OpportunityContactRole")["records"][0]["OpportunityId"] == deal
