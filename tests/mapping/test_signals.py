"""Which events stand in a record's own fields, and what makes one the same when it is told again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_accounts import FUNNEL, defaults, field, kind, org, portal

from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import KindMap, SystemInput
from stagesync.mapping.signals import read_signals
from stagesync.model.errors import ConfigurationError
from stagesync.model.records import Native, Ref, Signal

ANNA, BEN = Ref("contact", "1"), Ref("contact", "2")
TIMES = ("recent_conversion_date", "first_conversion_date", "createdate", "hs_email_last_open_date", "hs_analytics_last_timestamp")
TEXTS = ("recent_conversion_event_name", "first_conversion_event_name", "hs_analytics_source", "hs_analytics_source_data_1", "asked")
NUMBERS = ("num_conversion_events", "hs_email_open", "hs_analytics_num_visits")
EXTRA = (
    *(field(name, "datetime", writable=False) for name in TIMES),
    *(field(name) for name in TEXTS),
    *(field(name, "number", writable=False) for name in NUMBERS),
    field("asked_on", "date"),
    field("paid", "boolean"),
)


def contacts(own: Mapping[str, Any] | None = None, *, signals: bool = True, zone: str = "Europe/Berlin") -> KindMap:
    """HubSpot's contacts with those signals; `own`: the user's `[systems.hubspot.signals]`."""
    systems = {
        "hubspot": SystemInput(defaults("hubspot"), portal(extra=EXTRA), {"signals": own or {}}, zone=zone),
        "salesforce": SystemInput(defaults("salesforce"), org()),
    }
    return kind(compile_maps({}, systems, stages=FUNNEL.positions, sides=FUNNEL.sides, signals=signals), "hubspot", "contact")


CONTACTS = contacts()
FORM = {"recent_conversion_date": "2026-03-01T09:30:00.123Z", "recent_conversion_event_name": "E-book", "num_conversion_events": "2"}


def read(values: Mapping[str, Native], ref: Ref = ANNA, of: KindMap = CONTACTS) -> list[Signal]:
    """What the contact tells."""
    return read_signals(of.signals, "hubspot", ref, values)


def test_a_form() -> None:
    """Time in milliseconds, attributes by name, numbers as numbers, and a key that can be read."""
    (told,) = read(FORM)
    assert (told.kind, told.at, told.source, told.attributes) == ("form", 1772357400123, "hubspot", {"form": "E-book", "count": 2})
    assert told.key == 'form:contact/1:1772357400123:["E-book"]'


def test_the_first_form_is_also_the_last() -> None:
    """One form stands in two places of the record, in two spellings of its time, and is one event."""
    first = {"first_conversion_date": "1772357400123", "first_conversion_event_name": "E-book"}
    assert read({**FORM, **first}) == read(FORM)
    assert len(read({**FORM, **first, "first_conversion_date": "1772357400000"})) == 2


@pytest.mark.parametrize("missing", ["recent_conversion_date", "recent_conversion_event_name"])
def test_what_is_not_filled_tells_nothing(missing: str) -> None:
    """Without its time or its name there is no event, and a time that is none is no reason to fail."""
    assert read({**FORM, missing: None}) == []
    assert read({name: value for name, value in FORM.items() if name != missing}) == []
    assert read({**FORM, "recent_conversion_date": "soon"}) == []
    assert read({**FORM, "recent_conversion_date": "99999999999999999"}) == []


def test_a_count_without_a_time_is_no_event() -> None:
    """An opened e-mail is an event by its time; its count comes along, and growing alone it tells nothing new."""
    opened = {"hs_email_last_open_date": "2026-03-01T09:30:00Z", "hs_email_open": "3"}
    assert [each.attributes for each in read(opened)] == [{"count": 3}]
    assert read({"hs_email_open": "3"}) == []
    assert {each.key for each in read({**opened, "hs_email_open": "4"})} == {each.key for each in read(opened)}
    assert read_signals(CONTACTS.signals, "hubspot", ANNA, opened, {"hs_email_open"}) == []
    assert len(read_signals(CONTACTS.signals, "hubspot", ANNA, opened, {"hs_email_last_open_date"})) == 1
    assert [each.attributes for each in read({**opened, "hs_email_open": "many"})] == [{}]


def test_what_the_account_has_not_is_left_out() -> None:
    """A default whose fields are hidden is gone, and so is a hidden attribute; nothing is asked for that is not there."""
    assert [each.kind for each in CONTACTS.signals] == ["form", "form", "email_open", "visit", "source"]
    visit = CONTACTS.signals[3]
    assert visit.attributes == {"count": "hs_analytics_num_visits"}
    assert set(CONTACTS.asks) >= {"createdate", "hs_analytics_source", "num_conversion_events"}
    assert "hs_latest_source" not in CONTACTS.asks


def test_signals_that_nobody_wants_cost_nothing() -> None:
    """Where they are not kept, no field of theirs is asked for."""
    without = contacts(signals=False)
    assert without.signals == ()
    assert not {*TIMES, *NUMBERS} & set(without.asks)


def test_a_signal_of_ones_own() -> None:
    """A date is noon there, booleans are told as such, and all of it stands beside the defaults."""
    own = contacts({"contact": [{"kind": "consultation", "at": "asked_on", "needs": "asked", "attributes": {"topic": "asked", "paid": "paid"}}]})
    (told,) = read({"asked_on": "2026-03-01", "asked": "pricing", "paid": "false"}, of=own)
    assert (told.kind, told.at, told.attributes) == ("consultation", 1772362800000, {"topic": "pricing", "paid": False})
    assert len(own.signals) == len(CONTACTS.signals) + 1


@pytest.mark.parametrize("signals", [True, False])
def test_every_mistake_is_told_at_once(signals: bool) -> None:
    """Whether signals are kept or not, what somebody wrote wrong is told with its place."""
    rows = [{"kind": "Demo asked", "at": "asked"}, {"kind": "demo", "needs": ["asked_at"], "attributes": {"a": "b"}, "when": 1}, {"kind": 3, "at": "paid"}]
    with pytest.raises(ConfigurationError) as raised:
        contacts({"contact": rows, "lead": []}, signals=signals)
    told = "\n".join(raised.value.problems)
    for problem in (
        "signals.lead: hubspot has no kind 'lead'",
        "contact[0].kind: 'Demo asked' is no name for a kind of signal",
        "contact[0].at: asked is a text field, which holds no time",
        "contact[1].at: is missing",
        "contact[1].needs: hubspot contact has no field 'asked_at'",
        "contact[1].attributes.a: hubspot contact has no field 'b'",
        "contact[1].when: is not part of a signal",
        "contact[2].kind: 3 is not a text",
        "contact[2].at: paid is a boolean field, which holds no time",
    ):
        assert problem in told


VALUES = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.none() | st.datetimes().map(lambda each: each.isoformat() + "Z") | st.integers(10**9, 10**13).map(str) for name in TIMES},
        **{name: st.none() | st.text(max_size=300) for name in TEXTS},
        **{name: st.none() | st.integers(0, 10**6).map(str) for name in NUMBERS},
    },
)


@given(VALUES, VALUES)
def test_told_twice_is_told_once(before: dict[str, Native], after: dict[str, Native]) -> None:
    """The same values tell the same keys; where values changed, what their change tells covers all that was not told before."""
    first = read(before)
    assert read(before) == first
    assert len({each.key for each in first}) == len(first)
    now = {**before, **after}
    changed = {native for native, value in now.items() if before.get(native) != value}
    told = read_signals(CONTACTS.signals, "hubspot", ANNA, now, changed)
    known = {each.key for each in first}
    assert {each.key for each in read(now)} - known == {each.key for each in told} - known


@given(VALUES)
def test_keys_fit_everywhere(values: dict[str, Native]) -> None:
    """No value is too long or too odd for a key, and no two people share one."""
    mine, theirs = read(values), read(values, BEN)
    assert not {each.key for each in mine} & {each.key for each in theirs}
    assert all(len(each.key) < 300 and each.key.isascii() and each.key.isprintable() for each in mine)
