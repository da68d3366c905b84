"""What a HubSpot account has beside its contacts: definitions of properties, owners, and consent by address."""

from __future__ import annotations

from hubspot_wire import CONTACTS, STAGE, Portal

from stagesync.sandbox.hubspot import Habits


def test_property_definitions(portal: Portal) -> None:
    """Defined by API, patched options replace the list, names are unique, HubSpot's own are protected."""
    body = {"name": "grade", "label": "Grade", "type": "enumeration", "fieldType": "select", "groupName": "contactinformation"}
    path = "/crm/v3/properties/contacts"
    made = portal.call("POST", path, {**body, "options": [{"label": "A", "value": "a", "displayOrder": 0, "hidden": False}]})
    assert (made.status, made.json["options"][0]["value"]) == (201, "a")
    again = portal.call("POST", path, body)
    assert (again.status, again.json["category"], again.json["subCategory"]) == (409, "OBJECT_ALREADY_EXISTS", "Properties.PROPERTY_WITH_NAME_EXISTS")
    patched = portal.call("PATCH", f"{path}/grade", {"options": [{"label": "B", "value": "b", "displayOrder": 0, "hidden": False}]})
    assert [option["value"] for option in patched.json["options"]] == ["b"]
    assert portal.call("PATCH", f"{path}/lifecyclestage", {"options": []}).status == 400
    assert portal.call("GET", f"{path}/nothing_such").status == 404
    assert portal.call("DELETE", f"{path}/grade").status == 204 and portal.call("DELETE", f"{path}/email").status == 400
    listed = {each["name"]: each for each in portal.call("GET", path).json["results"]}
    assert listed["hs_email_optout"]["modificationMetadata"]["readOnlyValue"] and "grade" not in listed
    assert [option["value"] for option in listed[STAGE]["options"]][:3] == ["subscriber", "lead", "marketingqualifiedlead"]


def test_definitions_that_are_not_there(portal: Portal) -> None:
    """No archived and no sensitive ones; one that is missing is named, alone or among others; several are archived at once."""
    path = "/crm/v3/properties/contacts"
    assert portal.call("GET", path, query="archived=true").json == portal.call("GET", path, query="dataSensitivity=sensitive").json == {"results": []}
    assert "nonsense" in portal.call("GET", f"{path}/nonsense").json["message"]
    mixed = portal.call("POST", f"{path}/batch/read", {"archived": False, "inputs": [{"name": "email"}, {"name": "nonsense"}]})
    assert (mixed.status, [each["name"] for each in mixed.json["results"]], mixed.json["errors"][0]["context"]) == (207, ["email"], {"name": ["nonsense"]})
    given = {"name": "zz", "label": "Z", "type": "string", "fieldType": "text", "groupName": "own", "hasUniqueValue": True}
    assert portal.call("POST", f"{path}/batch/create", {"inputs": [given]}).status == 201
    assert [each["name"] for each in portal.call("GET", f"{path}/groups").json["results"]][-1] == "own"
    assert portal.call("POST", f"{path}/batch/archive", {"inputs": [{"name": "zz"}]}).status == 204
    assert portal.call("GET", f"{path}/zz").status == 404


def test_owners_page_and_lookups(portal: Portal) -> None:
    """Owners come in pages, by address, by owner id and by user id; an owner's id is not the user's."""
    number = portal.world.add_owner("zoe@example.com", "Zoe")
    page = portal.call("GET", "/crm/v3/owners/", query="limit=3").json
    assert len(page["results"]) == 3
    rest = portal.call("GET", "/crm/v3/owners", query=f"limit=3&after={page['paging']['next']['after']}").json
    assert [owner["id"] for owner in rest["results"]] == [number] and "paging" not in rest
    owner = portal.call("GET", "/crm/owners/2026-09", query="email=ZOE@example.com").json["results"][0]
    assert owner["id"] == number != str(owner["userId"])
    assert portal.call("GET", f"/crm/v3/owners/{owner['userId']}", query="idProperty=userId").json["id"] == number
    contact = portal.world.load([{"email": "a@example.com"}])[0]
    assert portal.patch(contact, hubspot_owner_id=number).status == 200


def test_opt_out_belongs_to_the_address(portal: Portal) -> None:
    """It can be set with no contact there, applies when one gets the address, and stays behind when the address changes. The channel must be named."""
    path = "/communication-preferences/v4/statuses/a@example.com/unsubscribe-all"
    assert portal.call("GET", path, query="channel=EMAIL").json["results"] == []
    assert portal.call("GET", path).status == portal.call("POST", path).status == 400
    verbose = portal.call("POST", path, query="channel=EMAIL&verbose=true").json["results"]
    assert {row["setStatusSuccessReason"] for row in verbose} == {"UNSUBSCRIBE_FROM_ALL_OCCURRED"}
    assert portal.call("GET", path, query="channel=EMAIL").json["results"][0]["status"] == "UNSUBSCRIBED"
    number = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}}).json["id"]
    assert portal.get(number, "properties=hs_email_optout").json["properties"]["hs_email_optout"] == "true"
    portal.patch(number, email="b@example.com")
    assert portal.get(number, "properties=hs_email_optout").json["properties"]["hs_email_optout"] is None
    portal.patch(number, email="a@example.com")
    assert portal.get(number, "properties=hs_email_optout").json["properties"]["hs_email_optout"] == "true"


def test_opt_out_may_leave_the_stamp() -> None:
    """Whether an opt-out moves the last-modified stamp is not confirmed, so it can be switched."""
    for moves in (True, False):
        portal = Portal(Habits(optout_moves_stamp=moves))
        number = portal.world.load([{"email": "a@example.com", "lastmodifieddate": "1000"}])[0]
        portal.world.edit(number, {"hs_email_optout": "true"})
        shown = portal.get(number, "properties=hs_email_optout").json
        assert (shown["properties"]["hs_email_optout"], shown["updatedAt"] != "1970-01-01T00:00:01Z") == ("true", moves)
