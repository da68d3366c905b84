"""The official hubspot-api-client drives the HubSpot world unchanged, over a real socket and straight into the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.contacts import ApiException, PublicMergeInput
from hubspot.crm.properties import ApiException as PropertiesApiException
from urllib3 import Retry

from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.server import serve

TOKEN = "pat-sandbox-token"


@dataclass(frozen=True)
class Wired:
    """A world, the official client, and the way in which each of its API objects reaches that world."""

    world: HubSpotWorld
    client: Any
    wire: Callable[[Any], Any]

    def contacts(self, name: str) -> Any:
        """One API object of the contacts package, such as `basic_api`."""
        return self.wire(getattr(self.client.crm.contacts, name))


@pytest.fixture(params=["socket", "straight"])
def wired(request: pytest.FixtureRequest) -> Iterator[Wired]:
    """The client pointed at a world over each of the two skins."""
    world = HubSpotWorld()
    if request.param == "straight":

        def wire(api: Any) -> Any:
            api.api_client.rest_client.pool_manager = WorldPool(world)
            return api

        yield Wired(world, HubSpot(access_token=TOKEN, retry=Retry(total=0)), wire)
        return
    with serve(world) as url:
        made: list[Any] = []

        def keep(api: Any) -> Any:
            made.append(api)
            return api

        yield Wired(world, HubSpot(access_token=TOKEN, host=url, retry=Retry(total=0)), keep)
        for api in made:
            api.api_client.rest_client.pool_manager.clear()


def test_one_contact_from_birth_to_bin(wired: Wired) -> None:
    """Create, read, change, read the history, archive."""
    basic = wired.contacts("basic_api")
    made = basic.create({"properties": {"email": "Ann@Example.com", "firstname": "Ann"}})
    assert made.properties["email"] == "ann@example.com" and made.created_at.tzinfo is not None
    assert basic.update(made.id, {"properties": {"lifecyclestage": "customer"}}).properties["lifecyclestage"] == "customer"
    read = basic.get_by_id("ann@example.com", id_property="email", properties=["city"], properties_with_history=["lifecyclestage"])
    assert (read.id, read.properties["city"]) == (made.id, None)
    assert [(version.value, version.source_type) for version in read.properties_with_history["lifecyclestage"]] == [
        ("customer", "INTEGRATION"),
        ("lead", "INTEGRATION"),
    ]
    basic.archive(made.id)
    with pytest.raises(ApiException) as gone:
        basic.get_by_id(made.id)
    assert gone.value.status == 404 and "resource not found" in str(gone.value.body)


def test_pages_and_all(wired: Wired) -> None:
    """The client's own walk over all pages meets every contact once."""
    ids = wired.world.load([{"email": f"p{i}@example.com"} for i in range(250)])
    basic = wired.contacts("basic_api")
    page = basic.get_page(limit=100, properties=["email", "phone"])
    assert len(page.results) == 100 and page.paging.next.after == ids[100]
    last = basic.get_page(limit=100, after=ids[200])
    assert [contact.id for contact in last.results] == ids[200:] and last.paging is None


def test_search(wired: Wired) -> None:
    """A search comes back with its total and the next offset."""
    wired.world.load([{"email": f"p{i}@example.com", "city": "Bonn"} for i in range(5)])
    asked = {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": "bonn"}]}], "limit": 2, "properties": ["city"]}
    found = wired.contacts("search_api").do_search(asked)
    assert (found.total, len(found.results), found.paging.next.after) == (5, 2, "2")


def test_batches(wired: Wired) -> None:
    """All five batches, with what is told in a 207."""
    batch = wired.contacts("batch_api")
    made = batch.create({"inputs": [{"properties": {"email": f"p{i}@example.com"}, "objectWriteTraceId": str(i), "associations": []} for i in range(3)]})
    ids = [row.id for row in made.results]
    assert (made.status, len(ids)) == ("COMPLETE", 3)
    clash = batch.create({"inputs": [{"properties": {"email": f"p{i}@example.com"}, "objectWriteTraceId": str(i)} for i in (2, 3)]})
    assert (len(clash.results), clash.num_errors, clash.errors[0].context["objectWriteTraceId"]) == (1, 1, ["2"])
    read = batch.read({"inputs": [{"id": ids[0]}, {"id": "7"}], "properties": ["email"], "propertiesWithHistory": []})
    assert ([row.id for row in read.results], read.errors[0].context) == ([ids[0]], {"ids": ["7"]})
    updated = batch.update({"inputs": [{"id": ids[0], "properties": {"city": "Bonn"}}, {"id": "7", "properties": {"city": "Bonn"}}]})
    assert (updated.results[0].properties["city"], updated.errors[0].category) == ("Bonn", "OBJECT_NOT_FOUND")
    upserted = batch.upsert({"inputs": [{"id": f"p{i}@example.com", "idProperty": "email", "properties": {"city": "Ulm"}} for i in (0, 9)]})
    assert [row.new for row in upserted.results] == [False, True]
    batch.archive({"inputs": [{"id": ids[1]}]})
    assert {row["id"] for row in wired.world.contacts()} == {ids[0], ids[2], clash.results[0].id, upserted.results[1].id}


def test_merge_and_purge(wired: Wired) -> None:
    """A merge mints a new id that the old ones lead to; a purge removes it."""
    ids = wired.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    basic = wired.contacts("basic_api")
    merged = basic.merge(PublicMergeInput(primary_object_id=ids[0], object_id_to_merge=ids[1]))
    assert merged.id not in ids and basic.get_by_id(ids[1]).id == merged.id
    basic.purge({"objectId": merged.id})
    assert list(wired.world.contacts()) == []


def test_properties_and_owners(wired: Wired) -> None:
    """Definitions with their options and metadata, a new property, and the owners."""
    core = wired.wire(wired.client.crm.properties.core_api)
    stage = core.get_by_name("contacts", "lifecyclestage")
    assert [option.value for option in stage.options][-1] == "other" and stage.modification_metadata.read_only_options
    assert {"email", "hs_email_optout", "hs_v2_date_entered_lead"} <= {each.name for each in core.get_all("contacts").results}
    new = {"name": "stagesync_id", "label": "Id", "type": "string", "fieldType": "text", "groupName": "contactinformation", "hasUniqueValue": True}
    assert core.create("contacts", new).has_unique_value
    with pytest.raises(PropertiesApiException) as again:
        core.create("contacts", new)
    assert again.value.status == 409
    owners = wired.wire(wired.client.crm.owners.owners_api)
    assert [owner.user_id for owner in owners.get_page(limit=2).results] == [9001, 9002]
    assert owners.get_page(email="lea.roth@example.com").results[0].first_name == "Lea"


def test_errors_reach_the_client(wired: Wired) -> None:
    """Conflicts, bad values, wrong tokens and limits are the client's own exceptions with HubSpot's bodies."""
    taken = wired.world.load([{"email": "a@example.com"}])[0]
    basic = wired.contacts("basic_api")
    with pytest.raises(ApiException) as conflict:
        basic.create({"properties": {"email": "a@example.com"}})
    assert conflict.value.status == 409 and f"Existing ID: {taken}" in str(conflict.value.body)
    with pytest.raises(ApiException) as bad:
        basic.update(taken, {"properties": {"hs_lead_status": "nonsense"}})
    assert bad.value.status == 400 and "INVALID_OPTION" in str(bad.value.body)
    wired.world.switch(rate_limit=True, ten_secondly_max=1)
    basic.get_by_id(taken)
    with pytest.raises(ApiException) as limited:
        basic.get_by_id(taken)
    assert limited.value.status == 429 and "TEN_SECONDLY_ROLLING" in str(limited.value.body)
    wired.world.switch(rate_limit=False)
    basic.api_client.configuration.access_token = "wrong"
    with pytest.raises(ApiException) as refused:
        basic.get_by_id(taken)
    assert refused.value.status == 401


def test_oauth_client_gets_and_uses_a_token(wired: Wired) -> None:
    """The client's token call works, and what it gets opens the door until it expires."""
    tokens = wired.wire(wired.client.oauth.tokens_api)
    granted = tokens.create(grant_type="refresh_token", client_id="sandbox-client", client_secret="sandbox-secret", refresh_token="sandbox-refresh")
    basic = wired.contacts("basic_api")
    basic.api_client.configuration.access_token = granted.access_token
    assert basic.get_page().results == []
    wired.world.tokens.expire_all()
    with pytest.raises(ApiException) as expired:
        basic.get_page()
    assert expired.value.status == 401 and "EXPIRED_AUTHENTICATION" in str(expired.value.body)


def test_default_habits_are_the_documented_ones() -> None:
    """Out of the box: no lag and no limits to wait for, a backward stage is ignored, a merge mints an id."""
    habits = HubSpotWorld().habits
    assert habits == Habits()
    assert (habits.search_lag_s, habits.rate_limit, habits.backward_stage, habits.merge_preserves_primary_id) == (0.0, False, "ignored", False)
