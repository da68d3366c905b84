"""HubSpot's writes: every row accounted for, whatever the answer hides."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hubspot_portal import Portal, create, update
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_org import NoLimits

from stagesync.app.crew import in_threads
from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import open_account
from stagesync.model.errors import CredentialError, QuotaSpent
from stagesync.model.records import Present, Ref
from stagesync.model.writes import Applied, Deferred, Outcome, Rejected, Step, Unknown, Write
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits

CREATE, UPDATE = "POST /crm/v3/objects/contacts/batch/create", "POST /crm/v3/objects/contacts/batch/update"


def reasons(outcomes: list[Outcome]) -> list[str]:
    """Each outcome in a word: its class, or the code of a refusal."""
    return [outcome.code if isinstance(outcome, Rejected) else type(outcome).__name__ for outcome in outcomes]


def person(number: int, **values: Any) -> Step:
    """A step that creates the n-th person."""
    return create(number, **{"email": f"n{number}@new.example", "firstname": f"N{number}", **values})


def test_creates_go_in_one_call_and_bad_rows_alone() -> None:
    """A taken address names who has it, a missing option its field; the others are created, in one call."""
    portal = Portal()
    taken = portal.contact(1)
    rows = [person(1), create(2, email="p1@people.example"), person(3, lifecyclestage="no stage"), person(4, nonsense="x"), person(5)]
    outcomes = portal.written(*rows)
    assert reasons(outcomes) == ["Applied", "CONFLICT", "INVALID_OPTION", "PROPERTY_DOESNT_EXIST", "Applied"]
    assert [getattr(outcome, "field", None) for outcome in outcomes[1:4]] == ["email", "lifecyclestage", "nonsense"]
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].existing == Ref("contact", taken)
    assert portal.calls() == {"POST /batch/create": 1}


def test_what_is_stored_is_told() -> None:
    """The answer's values are passed on: trimmed text, and the stage that the account gave without being asked."""
    portal = Portal()
    (outcome,) = portal.written(person(1, city="  Berlin  ", jobtitle=None))
    assert isinstance(outcome, Applied)
    assert outcome.stored is not None
    assert (outcome.stored.values["city"], outcome.stored.values["lifecyclestage"]) == ("Berlin", "lead")


@pytest.mark.parametrize("only_in_message", [False, True])
def test_a_bad_value_is_named_in_both_forms(only_in_message: bool) -> None:
    """The property at fault is found in `errors`, or else in the JSON at the end of the message."""
    portal = Portal(Habits(errors_only_in_message=only_in_message))
    outcomes = portal.written(person(1), person(2, hs_lead_status="NOPE"))
    assert reasons(outcomes) == ["Applied", "INVALID_OPTION"]
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].field == "hs_lead_status"
    assert "[{" not in outcomes[1].reason


def test_a_merged_id_is_refused_with_the_new_one() -> None:
    """HubSpot loses an update by an old id without a word; we look, and tell where the record is now."""
    portal = Portal()
    one, two, three = (portal.contact(number) for number in (1, 2, 3))
    merged = portal.world.merge(one, two)
    outcomes = portal.written(update(1, one, firstname="X"), update(2, three, firstname="Y"))
    assert isinstance(outcomes[0], Rejected)
    assert outcomes[0].moved == Ref("contact", merged)
    assert reasons(outcomes)[1] == "Applied"


def test_two_changes_of_one_record_do_not_travel_together() -> None:
    """HubSpot applies rows for one id in no promised order, so the second one waits for the next batch."""
    portal = Portal()
    id = portal.contact(1)
    outcomes = portal.written(update(1, id, firstname="One"), update(2, id, firstname="Two"))
    assert reasons(outcomes) == ["Applied", "Deferred"]
    assert portal.stored(id)["firstname"] == "One"


def test_a_stage_goes_forward_in_one_step_and_back_in_two() -> None:
    """By the portal's own order; clearing, then setting, each in a request of its own, the other fields with the first."""
    portal = Portal()
    portal.world.define("lifecyclestage", "Stage", "enumeration", "radio", [("opportunity", "Opp"), ("lead", "Lead"), ("51", "Own")])
    ref = Ref("contact", portal.contact(1, lifecyclestage="lead"))
    expand = portal.connector.expand
    forward = expand(Write(1, "update", "contact", ref, {"lifecyclestage": "51"}, {"lifecyclestage": "lead"}))
    back = expand(Write(2, "update", "contact", ref, {"lifecyclestage": "opportunity", "city": "Bonn"}, {"lifecyclestage": "lead"}))
    cleared = expand(Write(3, "update", "contact", ref, {"lifecyclestage": None}, {"lifecyclestage": "lead"}))
    assert [dict(step.values) for step in forward] == [{"lifecyclestage": "51"}]
    assert [dict(step.values) for step in back] == [{"lifecyclestage": None, "city": "Bonn"}, {"lifecyclestage": "opportunity"}]
    assert [dict(step.values) for step in cleared] == [{"lifecyclestage": None}]
    assert sum(portal.calls().values()) == 1
    for step in back:
        portal.written(step)
    assert portal.stored(ref.id)["lifecyclestage"] == "opportunity"


@pytest.mark.parametrize("echoes", [False, True])
def test_a_stage_is_not_believed_from_the_answer(echoes: bool) -> None:
    """A backward stage sent in one step is ignored by HubSpot: the outcome shows nothing stored, and the look shows the old stage."""
    portal = Portal(Habits(answer_echoes_ignored_stage=echoes))
    id = portal.contact(1, lifecyclestage="customer")
    assert portal.written(update(1, id, lifecyclestage="lead")) == [Applied(Ref("contact", id), None)]
    (seen,) = portal.seen(id)
    assert seen.record.values["lifecyclestage"] == "customer"


def test_a_call_refused_for_one_value_is_sent_again_without_it() -> None:
    """A 400 for the whole batch wrote nothing: the row whose value is named is refused, the rest goes in one more call."""
    portal = Portal()
    bad = [{"isValid": False, "message": "bad", "error": "INVALID_X", "name": "city", "propertyValue": "B"}]
    body = json.dumps({"message": f"Property values were not valid: {json.dumps(bad)}", "category": "VALIDATION_ERROR"})
    portal.world.faults.add(Fault("status", match=CREATE, status=400, body=body))
    outcomes = portal.written(person(1, city="A"), person(2, city="B"), person(3, city="C"))
    assert outcomes[1] == Rejected("INVALID_X", "bad", field="city")
    assert reasons(outcomes) == ["Applied", "INVALID_X", "Applied"]
    assert portal.calls() == {"POST /batch/create": 2}


def test_a_call_refused_without_a_name_is_halved() -> None:
    """Where the refusal names nobody, halves find the row: here the last of four, and the other three are written."""
    portal = Portal()
    unnamed = '{"status":"error","message":"Invalid input JSON"}'
    for skip in (0, 1, 2):  # the four; not the first two; the last two; not the third; the fourth
        portal.world.faults.add(Fault("status", match=CREATE, skip=skip, status=400, body=unnamed))
    outcomes = portal.written(*(person(number) for number in range(1, 5)))
    assert reasons(outcomes) == ["Applied", "Applied", "Applied", "error"]
    assert portal.calls() == {"POST /batch/create": 5}


def test_a_stop_between_halves_keeps_what_is_known() -> None:
    """The first half is written when the daily quota ends: its outcomes are told, the other half comes again later."""
    portal = Portal()
    portal.world.faults.add(Fault("status", match=CREATE, status=400, body="{}"))
    portal.world.faults.add(Fault("status", match=CREATE, skip=1, status=429, body='{"policyName":"DAILY"}'))
    outcomes = portal.written(*(person(number) for number in range(1, 5)))
    assert reasons(outcomes) == ["Applied", "Applied", "Deferred", "Deferred"]


def test_an_unknown_property_in_all_rows_costs_one_call() -> None:
    """The property itself is at fault, so all rows that have it are refused at once."""
    portal = Portal()
    error = {"message": "no such", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["x"]}}
    body = json.dumps({"status": "error", "message": "no", "category": "VALIDATION_ERROR", "errors": [error]})
    portal.world.faults.add(Fault("status", match=CREATE, status=400, body=body))
    outcomes = portal.written(person(1, x="1"), person(2, x="2"))
    assert outcomes == [Rejected("PROPERTY_DOESNT_EXIST", "no such", field="x")] * 2
    assert portal.calls() == {"POST /batch/create": 1}


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        (Fault("lost_before"), 0),
        (Fault("lost_after"), 2),
        (Fault("truncated"), 2),
        (Fault("status", status=500, body="{}"), 0),
        (Fault("status", status=502, body="<html>Bad gateway</html>", content_type="text/html"), 0),
        (Fault("status", status=524, body=""), 0),
        (Fault("status", status=200, body="<html>welcome</html>", content_type="text/html"), 0),
        (Fault("status", status=200, body=""), 0),
        (Fault("status", status=200, body='{"status":"COMPLETE","results":[]}'), 0),
    ],
)
def test_an_answer_that_tells_nothing_leaves_creates_unknown(fault: Fault, made: int) -> None:
    """Nobody can say whether the rows were created, so they are unknown and the call is not repeated."""
    portal = Portal()
    portal.world.faults.add(fault)
    outcomes = portal.written(person(1), person(2))
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]
    assert len(list(portal.world.contacts())) == made
    assert portal.calls() == {"POST /batch/create": 1}


@pytest.mark.parametrize(
    ("status", "body", "waited"),
    [
        (429, '{"errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING","message":"You have reached your ten_secondly_rolling limit."}', 10.0),
        (429, '{"category":"RATE_LIMITS","message":"You have reached your secondly limit."}', 1.0),
        (423, '{"message":"locked"}', 2.0),
    ],
)
def test_a_call_that_was_surely_not_done_is_repeated_after_its_pause(status: int, body: str, waited: float) -> None:
    """429 and 423 did nothing: even creates are sent again, after the pause that belongs to each."""
    portal = Portal()
    portal.world.faults.add(Fault("status", match=CREATE, status=status, body=body))
    assert reasons(portal.written(person(1))) == ["Applied"]
    assert portal.clock.slept == [waited]


def test_a_limit_that_stays_defers_the_rows() -> None:
    """When patience ends the rows are surely not done, and come again later."""
    portal = Portal()
    portal.world.faults.add(Fault("status", times=99, status=429, body="{}", headers=(("Retry-After", "20"),)))
    (outcome,) = portal.written(person(1))
    assert isinstance(outcome, Deferred)
    assert outcome.retry_after == 20.0
    assert sum(portal.clock.slept) <= 90


def test_a_move_to_another_data_centre_defers_at_once() -> None:
    """477 names hours: nobody waits for that inside a call."""
    portal = Portal()
    portal.world.faults.add(Fault("status", times=99, status=477, body="{}", headers=(("Retry-After", "7200"),)))
    assert portal.written(person(1)) == [Deferred("HubSpot is moving this account to another data centre", 7200.0)]
    assert portal.clock.slept == []


def test_a_spent_day_stops_everything() -> None:
    """The daily 429 is not waited for."""
    portal = Portal()
    portal.world.faults.add(Fault("status", status=429, body='{"policyName":"DAILY","message":"You have reached your daily limit."}'))
    with pytest.raises(QuotaSpent, match="midnight"):
        portal.written(person(1))
    assert portal.clock.slept == []


def test_our_share_of_the_day_is_kept() -> None:
    """Beyond the configured share of the account's calls nothing more is sent, so that others can work."""
    portal = Portal(Habits(daily_max=10), daily_share=0.5)
    for _ in range(5):
        portal.connector.identity()
    portal.calls()
    with pytest.raises(QuotaSpent, match="5 of 10"):
        portal.written(person(1))
    assert portal.calls() == {}


def test_a_missing_scope_is_named() -> None:
    """A write without the right says which scope to add."""
    portal = Portal(Habits(scopes=("crm.objects.contacts.read",)))
    with pytest.raises(CredentialError, match=r"crm\.objects\.contacts\.write"):
        portal.written(person(1))


def test_a_lost_update_is_found_by_a_look() -> None:
    """An answer that passes over an update in silence is resolved by reading the record, if it shows what was sent."""
    portal = Portal()
    id = portal.contact(1, city="Bonn")
    portal.world.faults.add(Fault("status", match=UPDATE, times=2, status=200, body='{"status":"COMPLETE","results":[]}'))
    assert reasons(portal.written(update(1, id, city="Bonn"))) == ["Applied"]
    assert reasons(portal.written(update(2, id, city="Kiel"))) == ["Unknown"]


def test_rows_without_their_trace_are_known_by_their_address() -> None:
    """Where an answer does not repeat the trace ids, the unique address tells which row it is; a row with neither is unknown."""
    portal = Portal()
    rows = [{"id": "71", "properties": {"email": "n2@new.example"}, "updatedAt": "2026-01-01T00:00:00Z"}, {"id": "72", "properties": {}}, {"id": "73"}, 5]
    portal.world.faults.add(Fault("status", match=CREATE, status=201, body=json.dumps({"status": "COMPLETE", "results": rows})))
    outcomes = portal.written(person(1), person(2))
    assert reasons(outcomes) == ["Unknown", "Applied"]
    assert isinstance(outcomes[1], Applied)
    assert outcomes[1].ref == Ref("contact", "71")


def test_trouble_during_the_look_leaves_the_rows_unknown() -> None:
    """Something may have been written, so nothing is raised any more: the answered row is told, the other one is unknown."""
    portal = Portal()
    one, two, three = (portal.contact(number) for number in (1, 2, 3))
    portal.world.merge(one, two)
    portal.world.faults.add(Fault("status", match="POST /crm/v3/objects/contacts/batch/read", status=401, body="{}"))
    assert reasons(portal.written(update(1, one, city="Bonn"), update(2, three, city="Bonn"))) == ["Unknown", "Applied"]


def test_what_is_stored_is_told_without_bookkeeping() -> None:
    """Written and asked fields only: HubSpot's own stamps would look like somebody's edits."""
    portal = Portal()
    portal.pulled(fields=("email", "firstname"))
    (outcome,) = portal.written(person(1, city="Bonn"))
    assert isinstance(outcome, Applied)
    assert outcome.stored is not None
    assert outcome.stored.values.keys() == {"email", "firstname", "city", "lifecyclestage"}


def test_a_row_that_an_answer_left_out_comes_with_its_history_all_the_same() -> None:
    """HubSpot's first answer lacks one of two rows: looked for by itself, it still says who changed what, or somebody's edit would count as ours."""
    portal = Portal()
    ids = [portal.contact(number) for number in range(2)]
    portal.world.faults.add(Fault("missing_rows", match="POST /crm/v3/objects/contacts/batch", times=1))
    assert [bool(seen.history.get("firstname")) for seen in portal.seen(*ids, history=("firstname",))] == [True, True]


def test_an_accounts_own_rules_are_told_by_their_name() -> None:
    """From 2026-09 on the account's required properties bind creates: refused by row, with HubSpot's code for it."""
    portal = Portal(Habits(required_properties=("company",)), api_version="2026-09")
    outcomes = portal.written(person(1), person(2, company="Acme"))
    assert reasons(outcomes) == ["MISSING_REQUIRED_PROPERTY", "Applied"]


@pytest.mark.parametrize("finds", [True, False])
def test_a_secondary_address_never_makes_a_second_contact(finds: bool) -> None:
    """Whether HubSpot finds by it or not: if it does not, the create is refused and names the contact that has it."""
    portal = Portal(Habits(email_lookup_finds_secondary=finds))
    one, two = portal.contact(1), portal.contact(2)
    merged = portal.world.merge(one, two)
    found = portal.connector.find("contact", "email", ["P2@people.example"], ("email",))
    assert [record.ref.id for record in found] == ([merged] if finds else [])
    (outcome,) = portal.written(create(1, email="p2@people.example"))
    assert isinstance(outcome, Rejected)
    assert outcome.existing == Ref("contact", merged)


ROW = st.sampled_from(["new", "taken", "bad option", "bad property", "no name"])


@settings(max_examples=30)
@given(kinds=st.lists(ROW, min_size=1, max_size=12), version=st.sampled_from(["v3", "2026-09"]))
def test_any_mixture_of_rows_is_accounted_for(kinds: list[str], version: str) -> None:
    """However good and bad rows are mixed, each good one is created once and each bad one refused, in their places."""
    portal = Portal(api_version=version)
    portal.contact(1)
    made = {"new": {}, "taken": {"email": "p1@people.example"}, "bad option": {"lifecyclestage": "?"}, "bad property": {"zzz": "1"}}
    steps = [create(number, city="X") if kind == "no name" else person(number, **made[kind]) for number, kind in enumerate(kinds)]
    outcomes = portal.written(*steps)
    assert [isinstance(outcome, Applied) for outcome in outcomes] == [kind == "new" for kind in kinds]
    addresses = sorted(str(each["properties"].get("email")) for each in portal.world.contacts())
    assert addresses == sorted(["p1@people.example", *(f"n{number}@new.example" for number, kind in enumerate(kinds) if kind == "new")])


def test_several_batches_are_under_way_at_once() -> None:
    """A thousand contacts are ten calls in threads of their own; each lands once, and each row has its own outcome, in order."""
    portal = Portal()
    connector = open_account(
        "hubspot", portal.settings, Ports(portal.clock, NoLimits(), portal.drawer, portal.watch.sending, abreast=in_threads), WorldPool(portal.world)
    )
    assert connector.capabilities.abreast == 10
    steps = [person(number, **({"email": "broken"} if number % 250 == 7 else {})) for number in range(1_000)]
    outcomes = connector.write(steps)
    assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Rejected)] == [7, 257, 507, 757]
    made = {contact["id"]: contact["properties"]["email"] for contact in portal.world.contacts()}
    assert len(made) == 996
    assert all(made[outcome.ref.id] == step.values["email"] for step, outcome in zip(steps, outcomes, strict=True) if isinstance(outcome, Applied))
    refs = [outcome.ref for outcome in outcomes if isinstance(outcome, Applied)]
    seen = connector.fetch(refs, {"contact": ("email",)})
    assert [each.record.ref for each in seen if isinstance(each, Present)] == refs
    assert connector.usage().calls == portal.world.calls.total()


def test_a_quota_that_ends_between_batches_defers_the_rest() -> None:
    """What was written is told as written; the rows of calls that were refused can be sent again."""
    portal = Portal()
    portal.world.faults.add(replace(portal.world.troubles["limit of the day"], match="POST /crm/v3/objects/contacts/batch/create", skip=2))
    outcomes = portal.connector.write([person(number) for number in range(301)])
    assert [type(outcome) for outcome in outcomes] == [Applied] * 200 + [Deferred] * 100 + [Applied]
