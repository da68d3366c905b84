"""The decision of a stage: every rule by name, and its laws over all places of the default funnel."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.lifecycle.decide import StageDecision, Tie, decide
from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.presets import default_funnel
from stagesync.model.stages import Claim, StageReading, StageState

FUNNEL = default_funnel()
STAGES = [None, *FUNNEL.stages]
SIDES = [None, *FUNNEL.sides]
PLACES = [StageReading(stage, side, "No budget" if side == "disqualified" else None) for stage, side in product(STAGES, SIDES)]
DISQUALIFIED = StageReading("sal", "disqualified", "No budget")


def hub(stage: str | None, side: str | None = None, reason: str | None = None, version: int = 3) -> StageState:
    """The hub's place after some history."""
    return StageState(stage, side, reason, 1, version)


def moved(system: str, stage: str | None, side: str | None = None, reason: str | None = None, at: int | None = None) -> Claim:
    """Somebody's deliberate change."""
    return Claim(system, StageReading(stage, side, reason), changed=True, current=True, at=at)


def older(system: str, stage: str | None, side: str | None = None) -> Claim:
    """A change by somebody who had not seen the hub's place."""
    return Claim(system, StageReading(stage, side), changed=True, current=False)


def first(system: str, stage: str | None, side: str | None = None, reason: str | None = None) -> Claim:
    """A record that meets the person."""
    return Claim(system, StageReading(stage, side, reason), changed=True, current=False, first=True)


def place(decision: StageDecision) -> tuple[str | None, str | None]:
    """Stage and side state after the decision."""
    return decision.state.stage, decision.state.side


def position(funnel: Funnel, state: StageState) -> int:
    """Where the state stands in the line."""
    return funnel.position(state.stage)


def test_default_funnel_has_three_parallel_entries() -> None:
    """MQL, PQL and service-qualified share one position, and the line goes on to evangelist."""
    positions = FUNNEL.positions
    assert positions["mql"] == positions["pql"] == positions["service_qualified"]
    assert positions["subscriber"] < positions["lead"] < positions["mql"] < positions["sal"] < positions["sql"] < positions["evangelist"]


def test_first_meeting_takes_the_furthest() -> None:
    """Two records that meet agree on the stage that is further down the line, and the other reading is kept as overruled."""
    decision = decide(FUNNEL, StageState(), [first("hubspot", "mql"), first("salesforce", "sal")])
    assert decision.state == StageState("sal", version=1)
    assert [(system, reading.stage) for system, reading, _ in decision.overruled] == [("hubspot", "mql")]


def test_first_meeting_takes_a_rejection_before_the_furthest() -> None:
    """A record that sales has disqualified makes the person disqualified, at the furthest stage that anybody knows."""
    decision = decide(FUNNEL, StageState(), [first("hubspot", "sql"), first("salesforce", None, "disqualified", "No budget")])
    assert decision.state.reading == StageReading("sql", "disqualified", "No budget")
    assert decision.overruled == ()


def test_first_meeting_drops_a_side_state_that_somebody_has_outrun() -> None:
    """Nurture at an early stage does not hold back a person whom another record shows further on."""
    decision = decide(FUNNEL, StageState(), [first("hubspot", "lead", "nurture"), first("salesforce", "sql")])
    assert place(decision) == ("sql", None)
    assert decision.overruled[0][0] == "hubspot"


def test_one_forward_move_counts() -> None:
    """A stage that somebody raised is the new place, and the cause names system and move."""
    decision = decide(FUNNEL, hub("mql"), [moved("hubspot", "sql")])
    assert decision.state == StageState("sql", version=4)
    assert decision.cause == "hubspot moved: mql -> sql"


def test_one_backward_move_counts() -> None:
    """A stage that somebody lowered on purpose is the new place."""
    decision = decide(FUNNEL, hub("sql"), [moved("salesforce", "lead")])
    assert decision.state == StageState("lead", version=4)
    assert "salesforce moved: sql -> lead" in decision.cause


def test_an_unchanged_claim_asserts_nothing() -> None:
    """A record that still says what was agreed does not pull the person anywhere."""
    claim = Claim("hubspot", StageReading("customer"), changed=False, current=True)
    assert decide(FUNNEL, hub("mql"), [claim]).state == hub("mql")


def test_the_furthest_of_two_moves_wins() -> None:
    """Customer beats MQL, and the loser is kept with the rule."""
    decision = decide(FUNNEL, hub("sql"), [moved("hubspot", "mql"), moved("salesforce", "customer")])
    assert decision.state.stage == "customer"
    assert decision.overruled == (("hubspot", StageReading("mql"), "the furthest stage wins"),)


def test_the_latest_of_two_moves_wins_where_all_times_are_known() -> None:
    """With `latest`, times decide between two moves; if one is unknown, the furthest wins."""
    known = [moved("hubspot", "mql", at=2000), moved("salesforce", "customer", at=1000)]
    unknown = [moved("hubspot", "mql", at=2000), moved("salesforce", "customer")]
    assert decide(FUNNEL, hub("sql"), known, "latest").state.stage == "mql"
    assert decide(FUNNEL, hub("sql"), unknown, "latest").state.stage == "customer"


def test_a_rejection_beats_a_forward_move() -> None:
    """Sales says no while marketing's score moves on: the no counts, with its reason, and the stage stays."""
    claims = [moved("hubspot", "sql", at=9), moved("salesforce", None, "disqualified", "No budget", at=1)]
    decision = decide(FUNNEL, hub("mql"), claims, "latest")
    assert decision.state.reading == StageReading("mql", "disqualified", "No budget")
    assert decision.overruled == (("hubspot", StageReading("sql"), "a rejection with a reason comes first"),)


def test_an_older_version_may_raise() -> None:
    """A change made before its author saw the hub's place still counts where it is further."""
    assert decide(FUNNEL, hub("mql"), [older("salesforce", "sql")]).state.stage == "sql"


def test_an_older_version_never_lowers() -> None:
    """A change made before its author saw the hub's place does not pull the person back, and is kept with the rule."""
    decision = decide(FUNNEL, hub("sql"), [older("salesforce", "lead")])
    assert decision.state == hub("sql")
    assert decision.overruled == (("salesforce", StageReading("lead"), "whoever had not seen the present stage may raise it, not lower it"),)


def test_a_new_record_of_a_known_person_never_lowers() -> None:
    """A Lead that joins a customer is told the stage, not asked."""
    decision = decide(FUNNEL, hub("customer"), [first("salesforce", "lead")])
    assert decision.state == hub("customer")
    assert decision.overruled[0][0] == "salesforce"


def test_a_side_state_alone_keeps_the_stage() -> None:
    """A status that says only `nurture` leaves the place in the line as it is."""
    assert place(decide(FUNNEL, hub("sal"), [moved("salesforce", None, "nurture")])) == ("sal", "nurture")


@pytest.mark.parametrize("side", ["recycled", "nurture"])
def test_leaving_recycled_or_nurture_begins_a_new_pass(side: str) -> None:
    """Somebody who gives a stage to a person that was put aside lets them enter again."""
    decision = decide(FUNNEL, hub("sal", side), [moved("salesforce", "mql")])
    assert place(decision) == ("mql", None)
    assert decision.state.pass_no == 2


def test_taking_back_a_rejection_is_no_new_pass() -> None:
    """A person who was disqualified by mistake goes on in the same pass."""
    decision = decide(FUNNEL, hub("sal", "disqualified", "No budget"), [moved("salesforce", "sql")])
    assert place(decision) == ("sql", None)
    assert decision.state.pass_no == 1


@given(st.permutations(range(3)), st.data())
def test_the_order_of_claims_does_not_matter(order: list[int], data: st.DataObject) -> None:
    """Any order of three claims leads to one decision."""
    claims = [_any_claim(data, system) for system in ("a", "b", "c")]
    state = data.draw(st.sampled_from([StageState(), hub("mql"), hub("sal", "nurture"), hub(*_parts(DISQUALIFIED))]))
    conflict: Tie = data.draw(st.sampled_from(("furthest", "latest")))
    assert decide(FUNNEL, state, claims, conflict) == decide(FUNNEL, state, [claims[index] for index in order], conflict)


@given(st.data())
def test_the_names_of_systems_do_not_matter(data: st.DataObject) -> None:
    """Whatever the systems are called, the person ends in the same place."""
    claims = [_any_claim(data, system) for system in ("a", "b", "c")]
    state = data.draw(st.sampled_from([StageState(), hub("mql"), hub("sal", "nurture")]))
    results = set[StageState]()
    for names in permutations("xyz"):
        renamed = [Claim(name, c.reading, c.changed, c.current, c.first, c.at) for name, c in zip(names, claims, strict=True)]
        results.add(decide(FUNNEL, state, renamed).state)
    assert len(results) == 1


def _parts(reading: StageReading) -> tuple[str | None, str | None, str | None]:
    return reading.stage, reading.side, reading.reason


def _any_claim(data: st.DataObject, system: str) -> Claim:
    reading = data.draw(st.sampled_from(PLACES))
    changed, current, new = data.draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    return Claim(system, reading, changed, current, new, data.draw(st.sampled_from([None, 1, 2])))


def test_no_lowering_without_a_cause_over_all_places() -> None:
    """Over every hub place and every pair of claims (stages and side states), the stage falls only to where a deliberate move put it."""
    claimed = [StageReading(stage, side) for stage, side in product(STAGES, (None, "disqualified", "nurture"))]
    hubs = [hub(stage, side) for stage, side in product(STAGES, SIDES)]
    kinds = [(True, True), (True, False), (False, True)]
    lowered = 0
    for state, a, b in product(hubs, claimed, claimed):
        for (a_changed, a_current), (b_changed, b_current) in ((kinds[0], kinds[0]), (kinds[0], kinds[1]), (kinds[1], kinds[1]), (kinds[2], kinds[1])):
            claims = [Claim("a", a, a_changed, a_current), Claim("b", b, b_changed, b_current)]
            decision = decide(FUNNEL, state, claims)
            if position(FUNNEL, decision.state) < position(FUNNEL, state):
                lowered += 1
                movers = [claim for claim in claims if claim.changed and claim.current and claim.reading.stage == decision.state.stage]
                assert movers, (state, claims, decision)
                assert movers[0].system in decision.cause or movers[-1].system in decision.cause
    assert lowered > 1000


def test_agreement_changes_nothing_over_all_places() -> None:
    """Deciding again when everybody says the hub's place, changed or not, changes nothing: the decision is idempotent."""
    for before, a, b in product([StageState(), hub("mql"), hub("sal", "nurture")], PLACES, PLACES):
        after = decide(FUNNEL, before, [moved("a", *_parts(a)), first("b", *_parts(b))]).state
        again = [Claim(system, after.reading, changed, current=True) for system, changed in (("a", False), ("b", True))]
        decision = decide(FUNNEL, after, again)
        assert decision.state == after or after.version == 0
        assert decision.overruled == ()


def test_every_change_raises_the_version_by_one() -> None:
    """The version counts the changes of the place, no more and no less."""
    for state, a in product([StageState(), hub("mql"), hub("sal", "nurture")], PLACES):
        after = decide(FUNNEL, state, [moved("a", *_parts(a))]).state
        assert after.version == state.version + (after.reading != state.reading)


def test_every_claim_is_heard_or_overruled() -> None:
    """What a changed claim says is in the new place, or it is listed as overruled: nothing is dropped in silence."""
    for state, a, b in product([StageState(), hub("mql"), hub("sal", "nurture")], PLACES, PLACES):
        decision = decide(FUNNEL, state, [moved("a", *_parts(a)), older("b", b.stage, b.side)])
        overruled = {system for system, _, _ in decision.overruled}
        for system, reading in (("a", a), ("b", b)):
            heard = reading.stage in (None, decision.state.stage) and reading.side in (None, decision.state.side)
            assert heard or system in overruled
