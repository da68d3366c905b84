"""New contacts by an import: the same outcomes as by batches for a handful of calls, whatever fails and wherever, and nobody is there twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hubspot_portal import create
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_stand import BATCH, EXPORT, FIELDS, POST, Stand, address, kinds, people, person, stand, told

from stagesync.connectors.hubspot.imports.sheet import readers, rows_of
from stagesync.connectors.hubspot.imports.ways import CALLS, LEAST, bulk
from stagesync.model.records import Ref
from stagesync.model.writes import Rejected, Unknown
from stagesync.sandbox.wire import Request

MANY = 260


@pytest.fixture
def large() -> Iterator[Stand]:
    """A portal with imports and exports that take no time."""
    with stand() as made:
        yield made


@pytest.mark.parametrize(
    "habits",
    [
        {},
        {"import_takes_s": 300.0, "export_takes_s": 60.0},
        {"export_reads_index": True, "search_lag_s": 20.0, "export_order": "any"},
        {"export_moments": "epoch", "export_id_column": "label", "export_bom": True},
        {"export_rows_per_file": 50},
        {"default_stage": ""},
    ],
    ids=str,
)
def test_everybody_arrives_for_a_handful_of_calls(habits: dict[str, Any]) -> None:
    """However long it takes and however the export spells it: each with the id and values that HubSpot holds, those included that it added by itself."""
    with stand(**habits) as large:
        steps = people(MANY)
        outcomes = large.written(steps)
        stored = large.stored()
        for step, outcome in zip(steps, outcomes, strict=True):
            assert told(step, outcome, stored).values.keys() == {*FIELDS}
        made = [each["properties"] for each in large.world.contacts() if each["properties"]["email"].endswith("@new.example")]
        assert {each["hs_marketable_status"] for each in made} == {"false"}  # one is paid for, and for long
        calls = large.calls()
        assert (calls[POST], calls[EXPORT], calls.get(BATCH, 0), large.passage.remarks) == (2, 2, 0, [])
        assert sum(calls.values()) < 2 * CALLS


def test_the_next_ones_need_no_trial(large: Stand) -> None:
    """What was seen to arrive is believed for as long as the account is open: one import and one export, a property that is new aside."""
    large.written(people(MANY))
    large.calls()
    steps = [person(MANY + number, **({"jobtitle": "CTO"} if number == 3 else {})) for number in range(200)]
    outcomes = large.written(steps)
    assert set(kinds(outcomes)) == {"Applied"}
    calls = large.calls()
    assert (calls[POST], calls[EXPORT], calls[BATCH]) == (1, 1, 1)
    assert sum(calls.values()) < CALLS


def test_a_dated_version_has_imports_too() -> None:
    """At its own place; the export is asked for in its own words."""
    with stand(export_requires_all=True) as large:
        large.reopen(api_version="2026-09")
        assert set(kinds(large.written(people(MANY)))) == {"Applied"}
        assert large.calls()["POST /crm/imports/2026-09"] == 2
        large.reopen()
        assert set(kinds(large.written([person(1_000 + number) for number in range(MANY)]))) == {"Applied"}
        assert large.calls()[POST] == 2


def test_who_cannot_go_by_an_import_goes_by_a_batch(large: Stand) -> None:
    """Without an address, twice with one, opted out, in another's words, or with what a file may lose: made all the same, or refused as ever."""
    there = next(iter(large.world.contacts()))
    large.world.define("size", "Size", "enumeration", "select", [("s", "Small"), ("m", "S")])
    odd = [
        person(1_001, email=None),
        person(1_002, email="N1@new.example"),
        person(1_003, hs_email_optout=True),
        person(1_004, lastname="line\nbreak"),
        person(1_005, lastname='Robert "Bob"'),
        person(1_006, size="s"),
        person(1_007, hubspot_owner_id="99"),
        person(1_008, email=there["properties"]["email"]),
        person(1_009, email="no address"),
        person(1_010, hs_lead_status="NOPE"),
        person(1_011, nonsense="x"),
    ]
    outcomes = large.written([*people(MANY), *odd])
    assert set(kinds(outcomes[:MANY])) == {"Applied"}
    expected = ["Applied", "CONFLICT", *["Applied"] * 4, "INVALID_OPTION", "CONFLICT", "INVALID_EMAIL", "Unknown", "PROPERTY_DOESNT_EXIST"]
    assert kinds(outcomes[MANY:]) == expected
    taken = outcomes[MANY + 7]
    assert isinstance(taken, Rejected)
    assert taken.existing == Ref("contact", there["id"])
    stored = large.stored()
    assert stored[there["properties"]["email"]]["firstname"] == there["properties"]["firstname"]
    assert stored["n1003@new.example"]["lastname"] is not None
    assert "n1003@new.example" in large.world.portal.optouts
    assert stored["n1004@new.example"]["lastname"] == "line\nbreak"


def test_what_imports_change_goes_by_batches() -> None:
    """A trial shows it: of those few nobody can say whose they are, all others with such a value go the old way, and somebody is told."""
    with stand(import_alters={"phone": "phone"}, import_moments="epoch") as large:
        steps = people(900)
        outcomes = large.written(steps)
        stored = large.stored()
        changed = 0
        for step, outcome in zip(steps, outcomes, strict=True):
            if isinstance(outcome, Unknown):
                changed += 1
                assert "phone" in step.values or "met" in step.values
            else:
                told(step, outcome, stored)
        assert 0 < changed < 300
        assert large.passage.remarks == ["imports do not store every value of met, phone as it is sent: contacts with such values go by batches"]
        assert {each["phone"] for each in stored.values() if each["phone"]} >= {"+49 30 899", "+4930" + "1"}


NOBODY = ({"scopes": ("crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read", "crm.objects.owners.read")}, "crm.import")
UNUSABLE: dict[str, tuple[dict[str, Any], str, int]] = {
    "no right": (*NOBODY, 0),
    "no right to export": ({"scopes": (*NOBODY[0]["scopes"], "crm.import")}, "no export tells what came of them: HubSpot does not begin it", 1),
    "no export left": ({"exports_per_day": 0}, "no export tells what came of them: HubSpot does not begin it", 1),
    "moments to the minute": ({"export_moments": "minutes"}, "moments in its file are not told to the millisecond", 1),
    "other numbers": ({"export_numbers": "double"}, "an export does not show the contacts of a trial as they are", 1),
    "all is changed": ({"import_alters": {"email": "append:x"}}, "of a trial nobody arrived as they were sent", 1),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_where_imports_cannot_be_used_batches_do_it(case: str) -> None:
    """A trial is the most that is posted; everybody has an outcome, is there once, and somebody is told why."""
    habits, why, posts = UNUSABLE[case]
    with stand(**habits) as large:
        steps = people(MANY)
        outcomes = large.written(steps)
        assert set(kinds(outcomes)) <= ({"Applied"} if case != "all is changed" else {"Applied", "Unknown"})
        assert why in large.passage.remarks[-1]
        assert (large.calls().get(POST, 0), large.passage.ended) == (posts, True)
        assert large.stored().keys() >= {f"n{number}@new.example" for number in range(MANY)}
        assert set(kinds(large.written([person(1_000)]))) == {"Applied"}
        assert large.calls().get(POST, 0) == 0


def test_an_account_without_the_owners_scope(large: Stand) -> None:
    """Contacts with an owner go by batches then."""
    large.switch(scopes=[scope for scope in large.world.habits.scopes if scope != "crm.objects.owners.read"])
    assert set(kinds(large.written(people(MANY)))) == {"Applied"}
    assert large.calls()[BATCH] == 2


def test_somebody_else_makes_the_same_person_meanwhile(large: Stand) -> None:
    """Who has the address then is not taken for ours: another's values are never told as what we wrote."""
    large.written(people(MANY))
    steps = [person(1_000 + number) for number in range(MANY)]
    email = address(steps[7])
    large.meanwhile("/imports", lambda: large.world.create({"email": email, "firstname": "Other"}))
    outcomes = large.written(steps)
    assert kinds(outcomes[7:8]) == ["Unknown"]
    assert set(kinds([*outcomes[:7], *outcomes[8:]])) == {"Applied"}
    assert large.stored()[email]["firstname"] == "Other"


def test_an_export_that_shows_more_than_was_asked_for(large: Stand) -> None:
    """Whoever was there before is none of ours, be they as they may."""
    large.written(people(MANY))
    steps = [person(1_000 + number) for number in range(MANY)]
    there = large.world.create({name: str(value) for name, value in steps[7].values.items()})
    large.clock.at += 60
    large.client.get(large.client.paths.owners)  # so that we know what time it is there

    def everybody(request: Request) -> Request:
        asked = json.loads(request.body)
        return replace(request, body=json.dumps({**asked, "publicCrmSearchRequest": {}}).encode())

    large.instead("/export/async", everybody)
    outcomes = large.written(steps)
    assert kinds(outcomes[7:8]) == ["CONFLICT"]
    assert isinstance(outcomes[7], Rejected)
    assert outcomes[7].existing == Ref("contact", there)
    assert set(kinds([*outcomes[:7], *outcomes[8:]])) == {"Applied"}


def test_what_an_export_may_have_changed_is_read_by_the_address() -> None:
    """A field that we did not write, in a form of which no other shows what becomes of it."""
    with stand(export_line_breaks="blanks") as large:
        large.written(people(MANY))
        steps = [person(1_000 + number) for number in range(MANY)]
        large.meanwhile("/export/async", lambda: large.world.edit(large.stored()[address(steps[7])]["id"], {"message": "one\ntwo"}))
        outcomes = large.written(steps)
        assert told(steps[7], outcomes[7], large.stored()).values["message"] == "one\ntwo"


def test_a_choice_that_is_anothers_label_is_in_no_file() -> None:
    """Whichever of the two an import would take it for."""
    size = {"name": "size", "type": "enumeration", "options": [{"value": "s", "label": "Small"}, {"value": "m", "label": "S"}, {"value": "l", "label": "L"}]}
    known = readers([size, *({"name": name, "type": "string"} for name in ("email", "firstname"))])
    steps = [create(number, email=f"n{number}@new.example", size=value) for number, value in enumerate(("s", "m", "l", "Small"))]
    assert [row.place for row in rows_of(dict(enumerate(steps)), known, {})] == [1, 2]


@pytest.mark.parametrize("deed", ["cancel_import", "fail_import"])
def test_an_import_that_is_broken_off_keeps_what_it_has_made(deed: str) -> None:
    """Who was made is told as made; the others go by batches."""
    with stand(import_takes_s=100.0) as large:
        large.written(people(MANY))
        large.calls()

        def broken() -> None:
            large.clock.at += 75
            large.world.imports.go_on()
            getattr(large.world, deed)("51000003")

        large.meanwhile("/imports/51000003", broken)
        steps = [person(1_000 + number) for number in range(MANY)]
        outcomes = large.written(steps)
        stored = large.stored()
        for step, outcome in zip(steps, outcomes, strict=True):
            told(step, outcome, stored)
        assert large.calls()[BATCH] == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=40))
def test_any_text_arrives_as_by_batches(texts: list[str]) -> None:
    """Whatever letters: what is told is what HubSpot holds, and no other than a batch would have made of it."""
    steps = [person(number, lastname=text) for number, text in enumerate(texts)]
    with stand() as large:
        outcomes = large.written(steps)
        stored = large.stored()
        for step, outcome in zip(steps, outcomes, strict=True):
            told(step, outcome, stored)
            assert (stored[address(step)]["lastname"] or "") == str(step.values["lastname"]).strip()


# ---- when


def test_imports_pay_where_too_few_calls_are_left() -> None:
    """Batches as long as they suffice, and where not even two imports are to be had or nobody tells what is left."""
    assert not bulk(100).pays("create", 10_000)
    assert bulk(99).pays("create", 10_000)
    assert bulk(99).why == "99 are left today"
    assert not bulk(None).pays("create", 10**9)
    assert not bulk(2 * CALLS - 1).pays("create", 10**9)
    assert bulk(2 * CALLS).pays("create", 10**9)
    assert not bulk(99).pays("update", 10**9)
    assert not any(bulk(0).takes("create", rows) for rows in range(0, LEAST, 100))


def test_a_connector_offers_imports_by_the_calls_that_are_left() -> None:
    """Told anew with each answer; few contacts go by batches whatever is left."""
    with stand(daily_max=1_000) as large:
        connector = large.reopen()
        assert connector.capabilities.bulk is not None
        assert not connector.capabilities.bulk.pays("create", 10**9)
        connector.identity()
        assert connector.capabilities.bulk.pays("create", 89_901)
        assert not connector.capabilities.bulk.pays("create", 89_900)
        assert set(kinds(connector.write(people(MANY)))) == {"Applied"}
        assert large.calls().get(POST, 0) == 0
        assert connector.usage().remarks == ()
