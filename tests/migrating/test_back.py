"""`stagesync migrate --from salesforce --to hubspot`: the other way round, with what only this way has: two kinds of records, conversions, and a portal that is
particular about addresses and stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from moving import Move, fates, move

from stagesync.sandbox.faults import Fault

BACK = ("--from", "salesforce", "--to", "hubspot")
REFUSED = "refused@acme.example"


@dataclass
class Passage:
    """A migration that is over: what each phase told, and the contacts that there are now, by address."""

    move: Move
    told: dict[str, dict[str, Any]]
    codes: dict[str, int]
    calls: dict[str, int]
    """Those of the load."""

    def contact(self, name: str) -> dict[str, Any]:
        """The one contact of that name at Acme."""
        (found,) = (each["properties"] for each in self.move.hub.contacts() if each["properties"].get("email") == f"{name}@acme.example")
        return found


def _people(made: Move) -> None:
    """Leads and Contacts of every kind, and a portal that knows four of them."""
    crm, hub = made.crm, made.hub
    user = {"LastName": "Rep", "Name": "Rep", "UserType": "Standard", "IsActive": True}
    kim, lee = (crm.org.plant("User", {**user, "Username": name, "Email": f"{name}@vendor.example"}) for name in ("kim", "lee"))
    hub.add_owner("kim@vendor.example", "Kim", "Rep")

    def lead(name: str, **values: Any) -> str:
        shared = {"Email": f"{name}@acme.example", "LastName": name.title(), "Company": "Acme", "Status": "Open - Not Contacted"}
        return crm.create("Lead", {**shared, **values})

    def person(name: str, **values: Any) -> str:
        return crm.create("Contact", {"Email": f"{name}@acme.example", "LastName": name.title(), **values})

    lead("plain", Title="Boss", OwnerId=kim)
    lead("stranger", OwnerId=lee)
    crm.edit(lead("mql"), {"Status": "Marketing Qualified"})
    lead("sal", Status="Working - Contacted")
    lead("refused")
    lead("disqualified", Status="Closed - Not Converted")
    crm.convert(lead("converted"))
    won = person("won")
    crm.set_stage(crm.open_opportunity(won), "Closed Won")
    lead("both", Title="Lead's", Status="Marketing Qualified")
    person("both", Title="Contact's")
    lead("out", HasOptedOutOfEmail=True)
    lead("half", HasOptedOutOfEmail=True)
    person("half")
    lead("nobody", Email=None)
    lead("lowered", Title="Chief")
    hub.create({"email": "lowered@acme.example", "lastname": "Lowered", "jobtitle": "Clerk", "lifecyclestage": "customer"})
    lead("second")
    first = hub.create({"email": "first@acme.example", "lastname": "Second"})
    hub.merge(first, hub.create({"email": "second@acme.example", "lastname": "Second"}))
    hub.create({"email": "hubs@acme.example", "lastname": "Hubs", "lifecyclestage": "customer"})


def _refusal() -> str:
    """What HubSpot says of a batch in which one address is none to it."""
    bad = [{"isValid": False, "message": "Email address is invalid", "error": "INVALID_EMAIL", "name": "email", "propertyValue": REFUSED}]
    told = {"message": f"Property values were not valid: {orjson.dumps(bad).decode()}", "category": "VALIDATION_ERROR"}
    return orjson.dumps(told).decode()


@pytest.fixture(scope="module")
def passage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passage]:
    """All phases, one after the other; HubSpot does not take one of the addresses."""
    with move(tmp_path_factory.mktemp("back")) as made:
        _people(made)
        told: dict[str, dict[str, Any]] = {}
        codes: dict[str, int] = {}

        def phase(name: str, *words: str, called: str | None = None) -> dict[str, Any]:
            result = made.phase(name, *words, "--json")
            assert result.stdout, result.stderr
            told[called or name], codes[called or name] = orjson.loads(result.stdout), result.exit_code
            return told[called or name]

        phase("survey", *BACK)
        phase("rehearse", "--yes", "--people", "8")
        phase("rehearse", "--undo", called="undo")
        digest = phase("survey", called="again")["digest"]
        made.box.worlds.hubspot.faults.add(Fault("status", match="POST /crm/v3/objects/contacts/batch/create", status=400, body=_refusal()))
        made.box.reset()
        phase("load", "--approve", digest)
        calls = made.box.calls()
        phase("verify")
        made.crm.edit(next(str(row["Id"]) for row in made.crm.rows("Lead") if row["LastName"] == "Plain"), {"Title": "Chair"})
        made.crm.create("Contact", {"Email": "late@acme.example", "LastName": "Late"})
        phase("verify", called="behind")
        phase("cutover")
        phase("verify", called="proof")
        yield Passage(made, told, codes, calls)


def test_each_phase_ends_as_it_should(passage: Passage) -> None:
    """The load, in which somebody is refused, and each proof say that something is left; nothing is ever written to the source."""
    assert passage.codes == {"survey": 0, "rehearse": 0, "undo": 0, "again": 0, "load": 1, "verify": 1, "behind": 1, "cutover": 0, "proof": 1}
    assert not [call for call in passage.move.box.written() if "/services/" in call]


def test_everybody_is_accounted_for(passage: Passage) -> None:
    """A Lead beside a Contact that says something else is a question, and stays; a converted Lead is no record any more, its Contact is; before as after."""
    showed = {"created": 11, "matched": 2, "held": 2, "excluded": 1}
    assert fates(passage.told["survey"]) == fates(passage.told["again"]) == showed
    assert passage.told["survey"]["writes"] == {"creates": 11, "lowerings": 1, "updates": 2}
    assert fates(passage.told["load"]) == fates(passage.told["verify"]) == {**showed, "created": 10, "rejected": 1}
    assert fates(passage.told["proof"]) == {**showed, "created": 11, "rejected": 1}
    assert (passage.told["rehearse"]["landed"], passage.told["undo"]["people"]) == (True, 8)


def test_stages_go_over_as_near_as_hubspot_has_them(passage: Passage) -> None:
    """Each as it is called there: the nearest where HubSpot has none, a rejection beside the stage, and what an opportunity makes of a person."""
    found = {name: passage.contact(name)["lifecyclestage"] for name in ("plain", "mql", "sal", "converted", "won")}
    assert list(found.values()) == ["lead", "marketingqualifiedlead", "marketingqualifiedlead", "opportunity", "customer"]
    assert passage.contact("disqualified")["hs_lead_status"] == "UNQUALIFIED"
    given = {each["says"]: (each["written"], each["exact"]) for each in passage.told["survey"]["stages"]}
    assert given["Status=Working - Contacted"] == ("lifecyclestage=marketingqualifiedlead", False)


def test_a_stage_goes_back_where_the_portal_takes_it_forward_only(passage: Passage) -> None:
    """Somebody who is a customer there and a lead in the source is a lead afterwards, which the survey showed; whom only the portal knows is left alone."""
    assert (passage.contact("lowered")["lifecyclestage"], passage.contact("lowered")["jobtitle"]) == ("lead", "Chief")
    assert passage.contact("hubs")["lifecyclestage"] == "customer"


def test_of_a_lead_and_a_contact_the_contact_goes(passage: Passage) -> None:
    """What the Contact says stands there, once; an opt-out goes along from whichever of the two says it, and is no difference afterwards."""
    assert passage.contact("both")["jobtitle"] == "Contact's"
    assert {name: passage.contact(name)["hs_email_optout"] for name in ("out", "half")} == {"out": "true", "half": "true"}
    assert passage.told["verify"]["drifts"] == []
    assert {"system": "salesforce", "field": "email_opt_out", "records": 1} in passage.told["verify"]["unprovable"]


def test_each_opt_out_is_reckoned_as_a_call(passage: Passage) -> None:
    """HubSpot takes one address a call: the survey counts them, and the load makes no more calls for writing than it showed."""
    showed = next(each["calls"]["writing"] for each in passage.told["survey"]["costs"] if each["system"] == "hubspot")
    made = {call: count for call, count in passage.calls.items() if call.startswith("POST /c") and not call.endswith(("/search", "/batch/read"))}
    assert made["POST /communication-preferences/v4/statuses/{email}/unsubscribe-all"] == 2
    assert sum(made.values()) <= showed + 1, "the batch with an address that was refused went twice"


def test_owners_and_addresses_are_those_that_hubspot_knows(passage: Passage) -> None:
    """An owner whom the portal knows goes along, another is left to it; a second address of a contact is that contact's, and becomes its first."""
    assert [bool(passage.contact(name).get("hubspot_owner_id")) for name in ("plain", "stranger")] == [True, False]
    assert passage.contact("second")["hs_additional_emails"] == "first@acme.example"


def test_an_address_that_hubspot_refuses_stays_behind_alone(passage: Passage) -> None:
    """The others of its batch arrive; it is parked with the vendor's own word, in the sum it is told as refused."""
    assert not [each for each in passage.move.hub.contacts() if each["properties"].get("email") == REFUSED]
    told = passage.move.box.run("errors")
    assert "INVALID_EMAIL" in told.stdout, told.stdout


def test_the_source_s_own_history_tells_the_ledger(passage: Passage) -> None:
    """Who was a lead before they were an MQL there, by Salesforce's field history."""
    assert passage.told["load"]["histories"]["entries"] >= 1


def test_edits_and_new_people_come_with_the_cutover(passage: Passage) -> None:
    """An edit and a Contact made since are missed by the proof, brought over by the cutover, and then agree."""
    assert [(each["system"], each["field"], each["records"]) for each in passage.told["behind"]["differing"]] == [("salesforce", "job_title", 1)]
    assert (passage.told["cutover"]["created"], passage.told["cutover"]["updated"], passage.told["proof"]["drifted"]) == (1, 1, 0)
    assert passage.contact("plain")["jobtitle"] == "Chair"
    assert passage.contact("late")["lastname"] == "Late"
