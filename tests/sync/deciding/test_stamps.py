"""Fields that the lifecycle fills: what each setting of the configuration means, what is wrong with it, and when they are set, by the pure functions alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_accounts import FUNNEL, defaults, field, kind, org, portal

from stagesync.mapping.compile import compile_maps
from stagesync.mapping.fields import Fill
from stagesync.mapping.maps import Maps, SystemInput
from stagesync.model.errors import ConfigurationError
from stagesync.model.stages import StageState
from stagesync.state.links import LinkRow
from stagesync.sync.deciding.decision import Decision, Stay
from stagesync.sync.deciding.desk import Desk, Settings, System, View, lay_out
from stagesync.sync.deciding.stamps import RULE, SOURCE, stamp

NOON = 1_772_366_400_000  # 2026-03-01T12:00:00Z
EVENING = NOON + 11 * 3_600_000 + 1_500  # 23:00:01.500Z: the 2nd in Berlin, the 1st in New York
LEAD, MQL, SQL = (StageState(stage, version=version) for version, stage in enumerate(("lead", "mql", "sql"), 1))
FIELDS: dict[str, Any] = {
    "mql_date": {"type": "datetime", "stage": "mql", "hubspot": "mql_date", "salesforce": {"lead": "MQL_Date__c"}},
    "qualified_on": {"type": "date", "stage": "any_qualified", "salesforce": {"lead": "Qualified__c"}},
    "lost_date": {"stage": "disqualified", "hubspot": "lost_date"},
    "lost_why": {"side": "disqualified", "what": "reason", "hubspot": "lost_why"},
}
GROUPS = {"any_qualified": ("mql", "pql", "service_qualified")}
PORTAL = portal(extra=(field("mql_date", "datetime"), field("lost_date", "datetime"), field("lost_why")))
ORG = org(extra=(field("MQL_Date__c", "datetime"), field("Qualified__c", "date")))


def compiled(fields: dict[str, Any]) -> Maps:
    """The maps over a portal and an org with room for the dates; HubSpot is in Berlin, Salesforce in New York."""
    systems = {
        "hubspot": SystemInput(defaults("hubspot"), PORTAL, zone="Europe/Berlin"),
        "salesforce": SystemInput(defaults("salesforce"), ORG, zone="America/New_York"),
    }
    return compile_maps(fields, systems, stages=FUNNEL.positions, sides=FUNNEL.sides, groups=GROUPS)


MAPS = compiled(FIELDS)
DESK = Desk({1: System("hubspot", 1, MAPS.systems["hubspot"]), 2: System("salesforce", 2, MAPS.systems["salesforce"])}, MAPS, FUNNEL, Settings())
BLANK = {"mql_date": None, "lost_date": None, "lost_why": None}


def contact(seen: dict[str, Any] | None = None, carried: dict[str, int] | None = None, agreed: dict[str, Any] | None = None) -> LinkRow:
    """A HubSpot contact as it was last read."""
    return LinkRow(1, 1, "contact", "501", 7, "linked", NOON, {**BLANK, **(seen or {})}, agreed or {}, carried or {}, None, None)


def lead(seen: dict[str, Any] | None = None) -> LinkRow:
    """A Salesforce Lead as it was last read."""
    return LinkRow(2, 2, "lead", "00Q1", 7, "linked", NOON, {"MQL_Date__c": None, "Qualified__c": None, **(seen or {})}, {}, {}, None, None)


def stay(state: StageState, at: int | None) -> Stay:
    """A place that was entered at this time of the vendor's."""
    return Stay(state.stage, state.side, state.reason, state.pass_no, state.version, at=at, system="hubspot", actor=None, evidence="", source=None, owner=None)


def stamped(
    before: StageState, after: StageState, *links: LinkRow, canonical: dict[str, list[Any]] | None = None, told: int | None = None, now: int = NOON
) -> tuple[Decision, list[View]]:
    """The decision after a move, and its views."""
    views = lay_out(DESK, links or (contact(),))
    decision = Decision(dict(canonical or {}), after, views)
    if after.version != before.version:
        decision.stays.append(stay(after, told))
    stamp(DESK, decision, before, now)
    return decision, views


def test_the_settings_mean_places() -> None:
    """A stage, a group and a side state name what a field is filled with; one system is enough to have it mapped, and nobody is noted as lonely."""
    assert {each.name: each.fill for each in MAPS.filled} == {
        "mql_date": Fill("entered", "mql", frozenset({"mql"})),
        "qualified_on": Fill("entered", "any_qualified", frozenset(GROUPS["any_qualified"])),
        "lost_date": Fill("entered", "disqualified", side="disqualified"),
        "lost_why": Fill("reason", "disqualified", side="disqualified"),
    }
    assert [each.type for each in MAPS.filled] == ["datetime", "datetime", "datetime", "text"]
    assert not any(each.heard for each in MAPS.filled)
    assert "lost_why" in kind(MAPS, "hubspot", "contact").fields
    assert not any("nothing to keep the same" in note and "lost" in note for note in MAPS.notes)


def test_what_is_filled_is_part_of_the_meaning() -> None:
    """The maps' digest changes with the place of a field, and only with that."""
    other = compiled({**FIELDS, "mql_date": {**FIELDS["mql_date"], "stage": "sql"}})
    assert other.digest != MAPS.digest
    assert compiled(FIELDS).digest == MAPS.digest


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"stage": "mqll"}, "fields.mql_date.stage: 'mqll' is neither a stage, a group nor a side state of the funnel. Did you mean mql"),
        ({"side": "mql"}, "fields.mql_date.side: 'mql' is not a side state of the funnel."),
        ({"stage": "mql", "side": "disqualified"}, "fields.mql_date: names a stage and a side state."),
        ({"what": "entered"}, "fields.mql_date.what: does not say of which place. Add stage"),
        ({"stage": "mql", "what": "left"}, "fields.mql_date.what: 'left' is nothing that the lifecycle knows. Allowed: entered, reason"),
        ({"stage": "mql", "what": "reason"}, "fields.mql_date.what: only a side state has a reason."),
        ({"stage": "mql", "type": "number"}, "fields.mql_date.type: 'number' cannot hold the moment when somebody entered a place. Allowed: datetime, date"),
        ({"side": "disqualified", "what": "reason", "type": "date"}, "fields.mql_date.type: 'date' cannot hold a reason. Allowed: text"),
        ({"stage": "mql", "policy": "two-way"}, "fields.mql_date.policy: means nothing where the lifecycle sets the field. Remove it"),
        ({"stage": "mql", "hubspot": "mqldate"}, "fields.mql_date.hubspot: hubspot has no field 'mqldate'. Did you mean mql_date"),
        ({"stage": "mql", "hubspot": "lifecyclestage"}, "fields.mql_date.hubspot: hubspot contact lifecyclestage is a choice field, which does not hold"),
    ],
)
def test_mistakes_are_told_with_their_path(said: dict[str, Any], told: str) -> None:
    """Each mistake is told by its TOML path with a remedy, beside those of other fields."""
    with pytest.raises(ConfigurationError) as caught:
        compiled({"mql_date": {"hubspot": "mql_date", **said}, "phone": {"group": "nix"}})
    assert any(problem.startswith(told) for problem in caught.value.problems), caught.value.problems
    assert any(problem.startswith("fields.phone.group") for problem in caught.value.problems)


def test_entering_sets_the_moment_everywhere() -> None:
    """Who becomes an MQL gets the vendor's time in every record, a day in the account's own zone where the field is a date, with the reason why."""
    decision, (hub, crm) = stamped(LEAD, MQL, contact(), lead(), told=EVENING)
    moment = "2026-03-01T23:00:01.500Z"
    assert decision.canonical["mql_date"] == [moment, 1, SOURCE, EVENING]
    assert decision.changed["mql_date"] == [None, moment, 1, "set by the lifecycle when the person entered mql"]
    assert hub.values == {"mql_date": moment}
    assert crm.values == {"MQL_Date__c": "2026-03-01T23:00:01Z", "Qualified__c": "2026-03-01"}
    assert hub.fields["mql_date"][3] == "set by the lifecycle when the person entered mql"


def test_the_observed_time_counts_where_the_vendor_tells_none() -> None:
    """A move without a time of the vendor's is dated when it was seen."""
    decision, _ = stamped(LEAD, MQL)
    assert decision.canonical["mql_date"][0] == "2026-03-01T12:00:00Z"


def test_a_first_meeting_dates_nobody_without_a_time() -> None:
    """Somebody who is met as an MQL may be one for years: no date is invented, and one that stands there stays; a time of the vendor's is taken."""
    decision, (hub,) = stamped(StageState(), MQL, contact({"mql_date": "2020-01-01T00:00:00Z"}))
    assert (decision.canonical, hub.values, decision.overruled) == ({}, {}, [])
    assert hub.carried == dict.fromkeys(("mql_date", "lost_date", "lost_why"), 0)
    known, (hub,) = stamped(StageState(), MQL, contact({"mql_date": "2020-01-01T00:00:00Z"}), told=NOON)
    assert known.canonical["mql_date"][0] == "2026-03-01T12:00:00Z"
    assert hub.values == {"mql_date": "2026-03-01T12:00:00Z"}


def test_whoever_comes_after_the_first_sync_has_just_entered() -> None:
    """A person who is new in a later run is dated when that run saw them; under other maps anybody may be met, so nobody is."""
    for desk, dated in ((replace(DESK, begun=True), True), (replace(DESK, begun=True, remapped=True), False)):
        decision = Decision({}, MQL, lay_out(desk, [contact()]), stays=[stay(MQL, None)])
        stamp(desk, decision, StageState(), NOON)
        assert ("mql_date" in decision.canonical) is dated


def test_nothing_moved_nothing_set() -> None:
    """As long as the stage stands, a first look at the fields sets none of them."""
    decision, (hub,) = stamped(MQL, MQL)
    assert (decision.canonical, decision.changed, hub.values) == ({}, {}, {})


def test_a_group_is_entered_once() -> None:
    """Moving between the stages of a group keeps the group's date; coming from outside sets it anew."""
    pql = StageState("pql", version=5)
    known = {"qualified_on": ["2026-01-01T00:00:00Z", 1, SOURCE, 0]}
    kept, _ = stamped(pql, StageState("mql", version=6), lead(), canonical=known)
    assert kept.canonical["qualified_on"][0] == "2026-01-01T00:00:00Z"
    anew, _ = stamped(StageState("sql", version=5), StageState("mql", version=6), lead(), canonical=known)
    assert anew.canonical["qualified_on"][:2] == ["2026-03-01T12:00:00Z", 2]


def test_another_reason_is_no_other_date() -> None:
    """A side state that is entered sets its date and its reason; another reason later changes the reason alone, and leaving it clears neither."""
    out = StageState("mql", "disqualified", "No budget", version=2)
    entered, (hub,) = stamped(LEAD, out, told=NOON)
    assert hub.values == {"mql_date": "2026-03-01T12:00:00Z", "lost_date": "2026-03-01T12:00:00Z", "lost_why": "No budget"}
    other = StageState("mql", "disqualified", "Competitor", version=3)
    changed, _ = stamped(out, other, told=EVENING, canonical=entered.canonical)
    assert changed.canonical["lost_why"][:2] == ["Competitor", 2]
    assert changed.canonical["lost_date"] == entered.canonical["lost_date"]
    left, _ = stamped(other, StageState("sql", version=4), told=EVENING, canonical=changed.canonical)
    assert left.canonical == changed.canonical
    again, _ = stamped(StageState("sql", version=4), StageState("sql", "disqualified", None, version=5), told=EVENING, canonical=changed.canonical)
    assert again.canonical["lost_why"][:2] == [None, 3]


def test_a_second_pass_has_its_own_date() -> None:
    """The date of the first pass stands until the stage is entered again in the second, even where the person stood at that stage all the time."""
    away = StageState("mql", "recycled", "Bad timing", pass_no=1, version=3)
    known = {"mql_date": ["2026-01-01T00:00:00Z", 1, SOURCE, 0]}
    resting, _ = stamped(MQL, away, canonical=known)
    assert resting.canonical["mql_date"] == known["mql_date"]
    elsewhere, _ = stamped(away, StageState("lead", pass_no=2, version=4), canonical=known)
    assert elsewhere.canonical["mql_date"] == known["mql_date"]
    back, _ = stamped(away, StageState("mql", pass_no=2, version=4), canonical=known)
    assert back.canonical["mql_date"][:2] == ["2026-03-01T12:00:00Z", 2]


def test_what_somebody_types_is_put_back_by_name() -> None:
    """An edit never becomes the value: it is overruled by name and put back, also one to blank, and one that cannot be read."""
    known = {"mql_date": ["2026-01-01T00:00:00Z", 1, SOURCE, 0]}
    for typed in ("2030-01-01T00:00:00Z", None, "soon"):
        edited = contact({"mql_date": typed}, {"mql_date": 1, "lost_date": 0, "lost_why": 0}, {"mql_date": "2026-01-01T00:00:00Z"})
        decision, (hub,) = stamped(MQL, MQL, edited, canonical=known)
        assert hub.values == {"mql_date": "2026-01-01T00:00:00Z"}
        assert [(each.field, each.system, each.winner, each.rule) for each in decision.overruled] == [("mql_date", "hubspot", "2026-01-01T00:00:00Z", RULE)]
        assert (decision.canonical, decision.holds) == (known, [])
        assert hub.agreed == {}


def test_what_says_the_same_needs_no_write() -> None:
    """A record that already holds the moment, to the second or as a day, is only remembered as agreeing."""
    known = {"mql_date": ["2026-03-01T23:00:01.500Z", 3, SOURCE, 0], "qualified_on": ["2026-03-01T23:00:01.500Z", 2, SOURCE, 0]}
    _, (crm,) = stamped(MQL, MQL, lead({"MQL_Date__c": "2026-03-01T23:00:01Z", "Qualified__c": "2026-03-01"}), canonical=known)
    assert crm.values == {}
    assert crm.carried == {"mql_date": 3, "qualified_on": 2}


def test_several_moves_in_one_look_are_followed_one_by_one() -> None:
    """Somebody whom a rule moves on in the same look has the date of each place on the way."""
    views = lay_out(DESK, [contact()])
    decision = Decision({}, SQL, views, stays=[stay(MQL, NOON), stay(SQL, EVENING)])
    stamp(DESK, decision, LEAD, NOON)
    assert decision.canonical["mql_date"][0] == "2026-03-01T12:00:00Z"


@given(
    st.lists(st.tuples(st.sampled_from([None, *FUNNEL.stages]), st.sampled_from([None, "disqualified", "recycled"]), st.booleans()), min_size=1, max_size=8),
    st.sampled_from([None, "2020-01-01T00:00:00Z", "soon"]),
)
def test_any_history_settles(moves: list[tuple[str | None, str | None, bool]], typed: str | None) -> None:
    """Whatever moves come in whatever order, and whatever stands there: once written, a second look owes nothing, and no value goes without a version."""
    state, canonical, row = StageState(), dict[str, list[Any]](), contact({"mql_date": typed})
    for number, (stage, side, again) in enumerate(moves, 1):
        after = StageState(stage, side, "Because" if side else None, state.pass_no + again, number)
        decision, (view,) = stamped(state, after, row, canonical=canonical, told=NOON + number)
        assert all(decision.canonical[name][1] >= entry[1] for name, entry in canonical.items())
        versions = {name: change[2] for name, change in view.fields.items()}
        row = row._replace(seen={**row.seen, **view.values}, carried={**view.carried, **versions}, agreed=view.agreed)
        state, canonical = after, decision.canonical
        quiet, (view,) = stamped(state, state, row, canonical=canonical)
        assert (view.values, quiet.changed, quiet.overruled) == ({}, {}, [])
