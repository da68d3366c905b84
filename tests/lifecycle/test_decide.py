"""The decision of a stage: every rule by name, and its laws over all places of the default funnel."""

from __future__ import annotations

import tomllib
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.lifecycle.decide import StageDecision, Tie, decide
from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.overlay import read_funnel
from stagesync.lifecycle.presets import PRESETS, default_funnel, preset
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
    """Opportunity beats MQL, and the loser is kept with the rule."""
    decision = decide(FUNNEL, hub("sql"), [moved("hubspot", "mql"), moved("salesforce", "opportunity")])
    assert decision.state.stage == "opportunity"
    assert decision.overruled == (("hubspot", StageReading("mql"), "the furthest stage wins"),)


def test_the_latest_of_two_moves_wins_where_all_times_are_known() -> None:
    """With `latest`, times decide between two moves; if one is unknown, the furthest wins."""
    known = [moved("hubspot", "mql", at=2000), moved("salesforce", "opportunity", at=1000)]
    unknown = [moved("hubspot", "mql", at=2000), moved("salesforce", "opportunity")]
    decision = decide(FUNNEL, hub("sql"), known, "latest")
    assert decision.state.stage == "mql"
    assert decision.overruled == (("salesforce", StageReading("opportunity"), "the later change wins"),)
    assert decide(FUNNEL, hub("sql"), unknown, "latest").state.stage == "opportunity"


def test_a_won_deal_beats_a_later_change() -> None:
    """Customer beats MQL, whatever is later, and the rule says why; among those who have bought the furthest counts again."""
    mql = moved("hubspot", "mql", at=2000)
    decision = decide(FUNNEL, hub("sql"), [mql, moved("salesforce", "customer", at=1000)], "latest")
    assert decision.state.stage == "customer"
    assert decision.overruled == (("hubspot", StageReading("mql"), "a deal that is won comes before any other stage"),)
    assert decide(FUNNEL, hub("customer"), [mql, moved("salesforce", "evangelist", at=1000)], "latest").state.stage == "evangelist"
    assert decide(FUNNEL, hub("sql"), [moved("hubspot", "evangelist"), moved("salesforce", "customer")]).state.stage == "evangelist"


def test_a_won_deal_counts_at_the_first_meeting() -> None:
    """Where a funnel goes on behind the won deal, whoever has bought is met as a customer."""
    funnel = own("[stages]\nrenewal = { label = 'Renewal talk', team = 'sales', after = 'evangelist' }")
    assert place(decide(funnel, StageState(), [first("hubspot", "renewal"), first("salesforce", "customer")])) == ("customer", None)


def test_a_rejection_beats_a_forward_move() -> None:
    """Sales says no while marketing's score moves on: the no counts, with its reason, and the stage stays."""
    claims = [moved("hubspot", "sql", at=9), moved("salesforce", None, "disqualified", "No budget", at=1)]
    decision = decide(FUNNEL, hub("mql"), claims, "latest")
    assert decision.state.reading == StageReading("mql", "disqualified", "No budget")
    assert decision.overruled == (("hubspot", StageReading("sql"), "a rejection with a reason comes first"),)


@pytest.mark.parametrize("stage", [None, "mql", "lead"])
def test_a_rejection_leaves_a_customer_a_customer(stage: str | None) -> None:
    """A deal is won and somebody says no: seen in one look it is as if the no came after it. What loses is kept: that nobody minds, or another stage."""
    deal, no = moved("salesforce", "customer"), moved("hubspot", stage, "disqualified", "No budget")
    together = decide(FUNNEL, hub("mql"), [deal, no])
    assert decide(FUNNEL, hub("mql"), [no, deal]) == together
    assert together.state.reading == StageReading("customer", "disqualified", "No budget")
    assert together.cause == "hubspot moved: mql -> customer, disqualified (No budget)"
    kept = [] if stage is None else [("hubspot", no.reading, "a deal that is won comes before any other stage")]
    assert list(together.overruled) == [*kept, ("salesforce", deal.reading, "a rejection with a reason comes first")]
    bought = decide(FUNNEL, hub("mql"), [deal]).state
    assert decide(FUNNEL, bought, [moved("hubspot", None, "disqualified", "No budget")]).state.reading == together.state.reading


def test_a_rejection_with_a_reason_beats_one_without() -> None:
    """Of two rejections the one that says why is kept, though the other is further on."""
    claims = [moved("hubspot", "sql", "ineligible"), moved("salesforce", None, "disqualified", "No budget")]
    decision = decide(FUNNEL, hub("mql"), claims)
    assert decision.state.reading == StageReading("mql", "disqualified", "No budget")
    assert [rule for _, _, rule in decision.overruled] == ["a rejection with a reason comes first"]
    both = decide(FUNNEL, hub("mql"), [moved("hubspot", "sql", "ineligible", "Student"), claims[1]])
    assert both.state.reading == StageReading("sql", "ineligible", "Student")
    assert [rule for _, _, rule in both.overruled] == ["of several rejections one is kept"]


def test_a_rejection_that_stands_already_is_no_new_one() -> None:
    """Where a person is refused already, who takes them further is weighed against who takes the no back by the line alone."""
    claims = [moved("hubspot", "sal", "disqualified"), moved("salesforce", "sql")]
    assert place(decide(FUNNEL, hub("mql", "disqualified"), claims)) == ("sql", None)


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


MODES = (((True, True), (True, True)), ((True, True), (True, False)), ((True, False), (True, False)))
"""(changed, current) of two claims."""


@pytest.mark.parametrize("name", PRESETS)
def test_no_lowering_without_a_cause_over_all_places(name: str) -> None:
    """Over every hub place and every pair of claims of every preset, the stage falls only to where a deliberate move put it, in whatever order they come."""
    funnel, lowered = preset(name), 0
    stages = [None, *funnel.stages]
    hubs = [hub(stage, side) for stage, side in product(stages, (None, "disqualified", "nurture"))]  # one side state of each sort
    claimed = [StageReading(stage, side) for stage, side in product(stages, (None, "disqualified"))] + [StageReading(None, "nurture")]
    for (a_mode, b_mode), a, b in product(MODES, claimed, claimed):
        claims = [Claim("a", a, *a_mode), Claim("b", b, *b_mode)]
        for state in hubs:
            decision = decide(funnel, state, claims)
            falls = position(funnel, decision.state) < position(funnel, state)
            if falls or a_mode != b_mode:
                assert decide(funnel, state, claims[::-1]) == decision
            if falls:
                lowered += 1
                movers = [claim for claim in claims if claim.changed and claim.current and claim.reading.stage == decision.state.stage]
                assert movers, (state, claims, decision)
                assert movers[0].system in decision.cause or movers[-1].system in decision.cause
    assert lowered > 1000


@pytest.mark.parametrize("name", PRESETS)
def test_one_claim_lowers_only_on_purpose_in_every_preset(name: str) -> None:
    """Over every hub place and every single claim, only a current, changed one lowers the stage; one that is unchanged does nothing."""
    funnel = preset(name)
    places = [StageReading(stage, side) for stage, side in product([None, *funnel.stages], (None, "disqualified", "nurture", "churned"))]
    for before, reading, (changed, current, new) in product(places, places, product((True, False), repeat=3)):
        state = hub(before.stage, before.side)
        after = decide(funnel, state, [Claim("a", reading, changed, current, new)]).state
        assert position(funnel, after) >= position(funnel, state) or (changed and current and not new)
        assert changed or new or after == state


STRICT = """
[moves]
subscriber = ["lead"]
lead = ["mql", "pql"]
disqualified = []
recycled = ["mql"]
"""


def strict() -> Funnel:
    """The default funnel with a table of allowed moves."""
    return own(STRICT)


def own(text: str) -> Funnel:
    """A funnel of one's own, without mistakes."""
    mistakes: list[tuple[str, ...]] = []
    funnel = read_funnel(tomllib.loads(text), lambda *told: mistakes.append(told))
    assert funnel is not None and not mistakes
    return funnel


def test_a_forbidden_move_is_overruled_by_name() -> None:
    """Skipping what the funnel does not let anybody skip changes nothing, and is kept with the rule."""
    decision = decide(strict(), hub("lead"), [moved("hubspot", "sql")])
    assert decision.state == hub("lead")
    assert decision.overruled == (("hubspot", StageReading("sql"), "the funnel does not allow this move"),)


def test_a_rejection_is_heard_where_its_stage_is_not() -> None:
    """Sales says no at a stage that the person may not go to: the no counts, the stage stays, and the rule is told."""
    decision = decide(strict(), hub("lead"), [moved("hubspot", "sql", "disqualified", "No budget")])
    assert decision.state.reading == StageReading("lead", "disqualified", "No budget")
    assert [rule for _, _, rule in decision.overruled] == ["the funnel does not allow this move"]


def test_a_side_state_may_have_one_way_back_or_none() -> None:
    """Who is disqualified stays so, who is recycled comes back as MQL only, and a correction backward needs no entry in the table."""
    funnel = strict()
    assert place(decide(funnel, hub("lead", "disqualified"), [moved("hubspot", "lead")])) == ("lead", "disqualified")
    assert place(decide(funnel, hub("sal", "recycled"), [moved("hubspot", "sal")])) == ("sal", "recycled")
    assert place(decide(funnel, hub("sal", "recycled"), [moved("hubspot", "mql")])) == ("mql", None)
    assert place(decide(funnel, hub("lead"), [moved("hubspot", "subscriber")])) == ("subscriber", None)


def test_no_edit_goes_where_the_funnel_forbids_over_all_places() -> None:
    """Over every hub place and claim, the stage that comes out was allowed from where the person stood, or is lower, or is the same."""
    funnel = strict()
    for stage, side, wanted, current in product(STAGES, SIDES, PLACES, (True, False)):
        state = hub(stage, side)
        after = decide(funnel, state, [Claim("a", wanted, changed=True, current=current)]).state
        row = side if side in funnel.moves and after.side is None else stage
        allowed = funnel.moves.get(row or "", frozenset(funnel.stages))
        assert after.stage == stage or after.stage in allowed or position(funnel, after) < position(funnel, state)
        assert side != "disqualified" or after.side is not None


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
