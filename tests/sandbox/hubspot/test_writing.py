"""Writing into the HubSpot world: what is stored, what is refused, unique addresses, and the stage that only goes forward."""

from __future__ import annotations

import orjson
import pytest
from hubspot_wire import CONTACTS, STAGE, T0, Portal

from stagesync.sandbox.hubspot import Habits
from stagesync.sandbox.hubspot.instants import instant

# ---- writing


def test_create_trims_defaults_and_answers(portal: Portal) -> None:
    """A create trims, lower-cases the address, gets the account's default stage unasked, and tells what it made."""
    answer = portal.call("POST", CONTACTS, {"properties": {"email": " A@Example.COM ", "lastname": " Berg "}})
    shown = answer.json["properties"]
    assert answer.status == 201 and not answer.json["archived"]
    assert (shown["email"], shown["lastname"], shown[STAGE]) == ("a@example.com", "Berg", "lead")
    assert shown["hs_lifecyclestage_lead_date"] == instant(int(T0 * 1000))


@pytest.mark.parametrize("default", ["", "51439524"])
def test_default_stage_is_a_setting(default: str) -> None:
    """An account without a default stage, or with one that was deleted since, leaves the stage empty."""
    portal = Portal(Habits(default_stage=default))
    made = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}}).json
    assert portal.stage(made["id"]) is None


def test_addresses_are_unique_secondary_ones_too(portal: Portal) -> None:
    """A taken address answers 409 with the id in prose only; so does a secondary address, and a PATCH."""
    ids = portal.world.load([{"email": "a@example.com", "hs_additional_emails": "old@example.com"}, {"email": "b@example.com"}])
    for address in ("A@example.com", "old@example.com"):
        answer = portal.call("POST", CONTACTS, {"properties": {"email": address}})
        assert (answer.status, answer.json["category"]) == (409, "CONFLICT")
        assert answer.json["message"] == f"Contact already exists. Existing ID: {ids[0]}"
    assert portal.patch(ids[1], email="a@example.com").status == 409
    assert portal.patch(ids[0], email="a@example.com").status == 200


def test_own_secondary_address_trades_places(portal: Portal) -> None:
    """A contact may make its own secondary address the primary one, and keeps the other."""
    number = portal.world.load([{"email": "a@example.com", "hs_additional_emails": "old@example.com"}])[0]
    assert portal.patch(number, email="old@example.com").status == 200
    assert portal.get(number, "properties=hs_additional_emails").json["properties"]["hs_additional_emails"] == "a@example.com"
    assert portal.get("a@example.com", "idProperty=email").json["id"] == number


def test_lookup_by_secondary_address_is_a_habit() -> None:
    """Whether a GET by address finds a secondary one is not documented, so it can be switched."""
    for finds, status in ((True, 200), (False, 404)):
        portal = Portal(Habits(email_lookup_finds_secondary=finds))
        portal.world.load([{"email": "a@example.com", "hs_additional_emails": "old@example.com"}])
        assert portal.get("old@example.com", "idProperty=email").status == status


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("nothing_such", "x", "PROPERTY_DOESNT_EXIST"),
        ("email", "no address", "INVALID_EMAIL"),
        ("hs_lead_status", "new", "INVALID_OPTION"),
        ("hubspot_owner_id", "1", "INVALID_OPTION"),
        ("associatedcompanyid", "many", "INVALID_LONG"),
        ("closedate", "soon", "INVALID_DATE"),
        ("hs_email_optout", "true", "READ_ONLY_VALUE"),
        ("num_conversion_events", "3", "READ_ONLY_VALUE"),
    ],
)
def test_bad_values_fail_the_whole_request(portal: Portal, name: str, value: str, error: str) -> None:
    """One bad value refuses the good ones beside it; it is named in `errors` and as JSON at the end of the message."""
    number = portal.world.load([{"email": "a@example.com"}])[0]
    answer = portal.patch(number, city="Bonn", **{name: value})
    assert (answer.status, answer.json["category"]) == (400, "VALIDATION_ERROR")
    assert (answer.json["errors"][0]["code"], answer.json["errors"][0]["context"]) == (error, {"propertyName": [name]})
    told = orjson.loads(answer.json["message"].partition(": ")[2])
    assert [(each["name"], each["error"]) for each in told] == [(name, error)]
    assert portal.get(number, "properties=city").json["properties"]["city"] is None


def test_values_take_their_stored_form(portal: Portal) -> None:
    """Multi-choices append with a leading semicolon, times become instants, "" clears, and every write moves the stamp."""
    number = portal.world.load([{"email": "a@example.com", "hs_buying_role": "CHAMPION", "lastmodifieddate": "1000"}])[0]
    shown = portal.patch(number, hs_buying_role=";OTHER", closedate="1735689600000", city="", associatedcompanyid=12).json["properties"]
    assert (shown["hs_buying_role"], shown["closedate"]) == ("CHAMPION;OTHER", "2025-01-01T00:00:00Z")
    assert (shown["city"], shown["associatedcompanyid"]) == (None, "12")
    portal.world.clock.advance(5)
    stamp = portal.patch(number, closedate="2025-01-01T00:00:00Z").json["properties"]["lastmodifieddate"]
    assert stamp == instant(int(T0 * 1000) + 5000)


def test_account_rules_bind_from_2026_09() -> None:
    """What the account requires binds writes of version 2026-09 and passes on v3."""
    portal = Portal(Habits(required_properties=("company",), conditional_properties=(("hs_lead_status", "UNQUALIFIED", "message"),)))
    new = "/crm/objects/2026-09/contacts"
    refused = portal.call("POST", new, {"properties": {"email": "a@example.com"}})
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "MISSING_REQUIRED_PROPERTY")
    made = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}})
    unqualified = {"properties": {"hs_lead_status": "UNQUALIFIED"}}
    refused = portal.call("PATCH", f"{new}/{made.json['id']}", unqualified)
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "MISSING_CONDITIONAL_REQUIRED_PROPERTY")
    assert portal.call("PATCH", f"{CONTACTS}/{made.json['id']}", unqualified).status == 200


# ---- the stage


def test_backward_stage_is_success_without_change(portal: Portal) -> None:
    """A backward write answers 200, keeps the stage and moves the stamp; cleared first, the lower stage lands."""
    number = portal.world.load([{"email": "a@example.com", STAGE: "customer"}])[0]
    portal.world.clock.advance(1)
    answer = portal.patch(number, lifecyclestage="lead")
    assert (answer.status, answer.json["properties"][STAGE]) == (200, "customer")
    assert answer.json["updatedAt"] == instant(int(T0 * 1000) + 1000)
    assert portal.patch(number, lifecyclestage="").json["properties"][STAGE] is None
    assert portal.patch(number, lifecyclestage="lead").json["properties"][STAGE] == "lead"


def test_backward_habits() -> None:
    """Whether a backward write is ignored, applied or refused, and what its answer shows, can be switched."""
    for habits, status, shown, kept in (
        (Habits(backward_stage="applied"), 200, "lead", "lead"),
        (Habits(answer_echoes_ignored_stage=True), 200, "lead", "customer"),
        (Habits(backward_stage="refused"), 400, None, "customer"),
    ):
        portal = Portal(habits)
        number = portal.world.load([{"email": "a@example.com", STAGE: "customer"}])[0]
        answer = portal.patch(number, lifecyclestage="lead")
        assert answer.status == status and answer.json.get("properties", {}).get(STAGE) == shown
        assert portal.stage(number) == kept


def test_order_of_custom_stages_counts(portal: Portal) -> None:
    """Forward is decided by displayOrder, custom numeric stages included, and their dates exist."""
    options = [("lead", "Lead"), ("51439524", "Accepted"), ("customer", "Customer")]
    portal.world.define(STAGE, "Lifecycle Stage", "enumeration", "radio", options)
    number = portal.world.load([{"email": "a@example.com", STAGE: "lead"}])[0]
    assert portal.patch(number, lifecyclestage="51439524").json["properties"][STAGE] == "51439524"
    assert portal.patch(number, lifecyclestage="lead").json["properties"][STAGE] == "51439524"
    assert portal.get(number, "properties=hs_v2_date_entered_51439524").json["properties"]["hs_v2_date_entered_51439524"]
    shown = portal.call("GET", "/crm/v3/properties/contacts/lifecyclestage").json
    assert [(option["value"], option["displayOrder"]) for option in shown["options"]] == [("lead", 0), ("51439524", 1), ("customer", 2)]
    assert shown["modificationMetadata"]["readOnlyOptions"]


def test_stage_dates_follow_moves(portal: Portal) -> None:
    """Entry, exit and time in a stage are kept; the older form's dates of later stages go when an earlier one is set."""
    number = portal.world.load([{"email": "a@example.com", STAGE: "customer", "createdate": str(int(T0 * 1000) - 9000)}])[0]
    portal.world.edit(number, {STAGE: "lead"})
    names = "hs_v2_date_entered_customer,hs_v2_date_exited_customer,hs_v2_latest_time_in_customer,hs_v2_date_entered_current_stage"
    names += ",hs_lifecyclestage_customer_date,hs_lifecyclestage_lead_date"
    shown = portal.get(number, f"properties={names}").json["properties"]
    now = instant(int(T0 * 1000))
    assert shown["hs_v2_date_entered_customer"] == instant(int(T0 * 1000) - 9000)
    assert (shown["hs_v2_date_exited_customer"], shown["hs_v2_latest_time_in_customer"]) == (now, "9000")
    assert shown["hs_v2_date_entered_current_stage"] == shown["hs_lifecyclestage_lead_date"] == now
    assert shown["hs_lifecyclestage_customer_date"] is None


def test_history_names_its_authors(portal: Portal) -> None:
    """Newest first; own writes carry the app's id, a user's hand the user's, and loaded values are as old as their stage's entry."""
    entered = "2026-03-01T10:00:00Z"
    number = portal.world.load([{"email": "a@example.com", STAGE: "lead", "hs_v2_date_entered_lead": entered}])[0]
    portal.patch(number, lifecyclestage="opportunity")
    portal.world.clock.advance(60)
    portal.world.edit(number, {STAGE: "marketingqualifiedlead"})
    hand, own, first = portal.history(number, STAGE)
    assert (hand["value"], hand["sourceType"], hand["sourceId"], hand["updatedByUserId"]) == ("marketingqualifiedlead", "CRM_UI", "userId:9001", 9001)
    assert (own["value"], own["sourceType"], own["sourceId"]) == ("opportunity", "INTEGRATION", "1234567") and "updatedByUserId" not in own
    assert (first["value"], first["timestamp"]) == ("lead", entered)
    listed = portal.call("GET", CONTACTS, query=f"limit=50&propertiesWithHistory={STAGE}").json["results"][0]
    read = portal.batch("read", {"id": number}, propertiesWithHistory=[STAGE], properties=[]).json["results"][0]
    assert listed["propertiesWithHistory"] == read["propertiesWithHistory"] == {STAGE: [hand, own, first]}
