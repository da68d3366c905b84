"""Who may move whom: every rule by name over the presets, and the laws of a decision that asks teams, over all of them."""

from __future__ import annotations

from itertools import permutations, product
from random import Random

import pytest

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.decide import StageDecision, decide
from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.overlay import read_funnel
from stagesync.lifecycle.presets import PRESETS, default_funnel, preset
from stagesync.model.records import Actor
from stagesync.model.stages import Claim, StageReading, StageState

FUNNEL = default_funnel()
HOLD, PUT_BACK = Authority(), Authority(unauthorised="put back")


def at(words: str | None) -> StageReading:
    """`mql`, `mql/nurture`, `/nurture`."""
    stage, _, side = (words or "").partition("/")
    return StageReading(stage or None, side or None, "No budget" if side == "disqualified" else None)


def state(words: str) -> StageState:
    """The hub's place after some history."""
    place = at(words)
    return StageState(place.stage, place.side, place.reason, 1, 3)


def move(system: str, words: str, team: str | None = None, *, current: bool = True, time: int | None = None) -> Claim:
    """Somebody's change."""
    return Claim(system, at(words), changed=True, current=current, team=team, at=time)


def rule(words: str, team: str | None = None) -> Claim:
    """What a qualification rule says."""
    return Claim("rule fits", at(words), changed=True, current=True, team=team, rule="fits")


MOVES = [
    # a team lets people into its own stages
    ("hubspot", "marketing", "lead", "mql", True),
    ("hubspot", "marketing", "mql", "sql", False),
    ("hubspot", "sales", "lead", "mql", False),
    ("hubspot", "sales", "subscriber", "sql", True),
    ("hubspot", "product", "subscriber", "pql", True),
    ("hubspot", "marketing", "mql", "pql", False),
    ("hubspot", "product", "mql", "pql", True),
    ("hubspot", "service", "customer", "evangelist", False),
    ("mckinsey", "service", "purchase", "loyalty", True),
    ("handoff", "sales", "mql", "sql", False),
    ("handoff", "business development", "mql", "sql", True),
    ("siriusdecisions", "sales", "inquiry", "sgl", True),
    ("waterfall-2012", "teleprospecting", "inquiry", "tgl", True),
    # nobody pulls back whom they have handed on
    ("hubspot", "marketing", "customer", "mql", False),
    ("hubspot", "marketing", "sql", "mql", False),
    ("hubspot", "marketing", "sal", "mql", False),
    ("hubspot", "product", "sal", "pql", False),
    ("handoff", "marketing", "sal", "mql", False),
    ("handoff", "business development", "deal", "sql", False),
    ("mckinsey", "service", "purchase", "consideration", False),
    # whoever has a person may send them back, and so may whoever is handed one
    ("hubspot", "sales", "sql", "mql", True),
    ("hubspot", "sales", "mql", "lead", True),
    ("hubspot", "marketing", "mql", "lead", True),
    ("hubspot", "marketing", "pql", "lead", False),
    ("hubspot", "sales", "pql", "lead", True),
    ("hubspot", "sales", "customer", "sql", True),
    ("handoff", "sales", "sql", "mql", True),
    ("handoff", "sales", "mql", "lead", False),
    ("waterfall-2012", "sales", "tql", "inquiry", True),
    # the same two put people aside
    ("hubspot", "sales", "mql", "mql/disqualified", True),
    ("hubspot", "sales", "lead", "lead/disqualified", True),
    ("hubspot", "marketing", "mql", "mql/nurture", True),
    ("hubspot", "marketing", "sql", "sql/disqualified", False),
    ("hubspot", "marketing", "sql", "sql/nurture", False),
    ("hubspot", "product", "mql", "mql/ineligible", False),
    ("hubspot", "service", "customer", "customer/churned", False),
    ("handoff", "sales", "mql", "mql/disqualified", False),
    ("handoff", "sales", "sql", "sql/disqualified", True),
    ("inbound-jp", "marketing", "sql", "sql/unresponsive", False),
    ("hubspot", "sales", "mql", "sal/unresponsive", True),
    ("hubspot", "marketing", "lead", "sal/unresponsive", False),
    # a no is taken back by those who say it
    ("hubspot", "marketing", "mql/disqualified", "mql", False),
    ("hubspot", "sales", "mql/disqualified", "mql", True),
    ("hubspot", "marketing", "mql/disqualified", "mql/nurture", False),
    ("hubspot", "marketing", "mql/disqualified", "lead", False),
    ("hubspot", "marketing", "lead/disqualified", "lead", True),
    ("hubspot", "marketing", "lead/disqualified", "mql", True),
    ("hubspot", "sales", "lead/disqualified", "sal", True),
    ("hubspot", "product", "lead/disqualified", "pql", False),
    ("handoff", "business development", "prospect/disqualified", "prospect", True),
    ("handoff", "business development", "sql/disqualified", "sql", False),
    ("mckinsey", "sales", "purchase/disqualified", "purchase", True),
    ("hubspot", "marketing", "mql/unresponsive", "mql", True),
    ("hubspot", "marketing", "sql/unresponsive", "sql", False),
    # whoever comes again begins anew, with the team that lets them in
    ("hubspot", "marketing", "sal/recycled", "mql", True),
    ("hubspot", "marketing", "sal/nurture", "sal", False),
    ("hubspot", "marketing", "sal/recycled", "sal/nurture", False),
    ("hubspot", "product", "customer/nurture", "pql", True),
    # a side state without a stage belongs to nobody
    ("hubspot", "product", "/nurture", "/disqualified", True),
]


@pytest.mark.parametrize(("name", "team", "before", "after", "allowed"), MOVES, ids=[f"{case[0]}: {case[1]} {case[2]} to {case[3]}" for case in MOVES])
def test_who_may_move_whom(name: str, team: str, before: str, after: str, allowed: bool) -> None:
    """Each case is what somebody who runs the funnel expects of the team."""
    assert HOLD.may(preset(name), team, at(before), at(after)) is allowed
    assert HOLD.may(preset(name), None, at(before), at(after))


def test_nobody_is_handed_on_beyond_a_won_deal() -> None:
    """Marketing that looks after evangelists is not next in line for everybody before them."""
    told: list[tuple[str, ...]] = []
    funnel = read_funnel({"stages": {"evangelist": {"team": "marketing"}}}, lambda *mistake: told.append(mistake))
    assert funnel is not None and not told
    for before, after in (("sql", "mql"), ("sql", "sql/disqualified"), ("customer", "mql"), ("customer", "customer/churned")):
        assert not HOLD.may(funnel, "marketing", at(before), at(after))
    assert HOLD.may(funnel, "marketing", at("customer"), at("evangelist"))
    assert HOLD.may(funnel, "marketing", at("evangelist"), at("evangelist/churned"))


def test_teams_may_be_named_beside_the_owner() -> None:
    """Who is named beside a stage may let people in there, but not pull them back; who is named beside a side state may set and take back that one."""
    authority = Authority(also={"sql": frozenset({"marketing"}), "disqualified": frozenset({"marketing"})})
    assert authority.may(FUNNEL, "marketing", at("lead"), at("sql"))
    assert not authority.may(FUNNEL, "marketing", at("lead"), at("sal"))
    assert not authority.may(FUNNEL, "marketing", at("sql"), at("mql"))
    assert authority.may(FUNNEL, "marketing", at("sql"), at("sql/disqualified"))
    assert authority.may(FUNNEL, "marketing", at("mql/disqualified"), at("mql"))
    assert not authority.may(FUNNEL, "marketing", at("mql/ineligible"), at("mql"))


def test_the_nearest_word_names_the_team() -> None:
    """A user's own team comes before the automations' and the system's; what this program wrote is nobody's move."""
    authority = Authority({"crm:7": "sales"}, {"crm": "marketing"}, {"crm": "service"})
    assert authority.team_of("crm", Actor("user", "7")) == "sales"
    assert authority.team_of("crm", Actor("user", "8")) == "service"
    assert authority.team_of("crm", Actor("automation", "7")) == "marketing"
    assert authority.team_of("crm", Actor("import", "7")) == "service"
    assert authority.team_of("crm", None) == "service"
    assert authority.team_of("crm", Actor("integration", "1", own=True)) is None
    assert authority.team_of("other", Actor("user", "7")) is None


def test_a_move_by_a_team_that_may_not_is_a_question() -> None:
    """Nothing moves, and the question names system, team, move and owner."""
    decision = decide(FUNNEL, state("mql"), [move("hubspot", "sql", "marketing")], authority=HOLD)
    sentence = "sales owns sql: marketing may not move mql -> sql"
    assert decision == StageDecision(state("mql"), f"stays mql: {sentence}", (), sentence, "unauthorised:hubspot:sql")


def test_a_move_by_a_team_that_may_not_is_put_back_where_that_is_wanted() -> None:
    """Nothing moves, and the move is overruled by whose right it is."""
    decision = decide(FUNNEL, state("mql"), [move("hubspot", "sql", "marketing")], authority=PUT_BACK)
    assert (decision.state, decision.hold) == (state("mql"), None)
    assert decision.overruled == (("hubspot", StageReading("sql"), "sales owns sql: marketing may not move mql -> sql"),)


def test_a_question_does_not_keep_others_from_moving() -> None:
    """Whoever may move the person is heard at once, and the move that nobody would have allowed is overruled."""
    for authority in (HOLD, PUT_BACK):
        decision = decide(FUNNEL, state("mql"), [move("hubspot", "opportunity", "marketing"), move("salesforce", "sal", "sales")], authority=authority)
        assert (decision.state.stage, decision.hold) == ("sal", None)
        assert decision.overruled == (("hubspot", StageReading("opportunity"), "sales owns opportunity: marketing may not move mql -> opportunity"),)


def test_whoever_wants_what_the_owner_does_anyway_is_not_overruled() -> None:
    """Two systems say SQL: the one whose team may say so moves the person, and the other has what it wants."""
    decision = decide(FUNNEL, state("mql"), [move("hubspot", "sql", "marketing"), move("salesforce", "sql", "sales")], authority=HOLD)
    assert (decision.state.stage, decision.overruled, decision.hold) == ("sql", (), None)
    assert decision.cause == "salesforce moved: mql -> sql"


def test_two_questions_are_one_hold() -> None:
    """Two moves that nobody may make are asked about together, in whatever order they come."""
    claims = [move("b", "sql", "marketing"), move("a", "mql/disqualified", "product"), move("c", "lead", current=False)]
    for order in permutations(claims):
        decision = decide(FUNNEL, state("mql"), order, authority=HOLD)
        assert decision.question == "unauthorised:a:disqualified+b:sql"
        assert decision.hold is not None and "marketing owns mql: product may not move mql -> mql, disqualified" in decision.hold
        assert [system for system, _, _ in decision.overruled] == ["c"]


def test_a_record_that_meets_the_person_is_not_asked_for_its_team() -> None:
    """It tells where the person stands; nobody has moved anybody."""
    met = Claim("hubspot", at("sql"), changed=True, current=False, first=True, team="marketing")
    assert decide(FUNNEL, state("mql"), [met], authority=HOLD).state.stage == "sql"
    assert decide(FUNNEL, StageState(), [met], authority=HOLD).state.stage == "sql"


def test_the_owner_has_the_last_word_on_entering() -> None:
    """A team that may also let people in gives way to the one that owns the stage; a team that is not known may be any, so that it stays in."""
    authority = Authority(also={"sql": frozenset({"marketing"})})
    claims = [move("hubspot", "sql", "marketing", time=9), move("salesforce", "sal", "sales", time=1)]
    for tie in ("furthest", "latest"):
        decision = decide(FUNNEL, state("mql"), claims, tie, authority)
        assert decision.state.stage == "sal"
        assert decision.overruled == (("hubspot", StageReading("sql"), "the team that owns a stage has the last word on entering it"),)
    assert decide(FUNNEL, state("mql"), [move("hubspot", "sql"), claims[1]], authority=authority).state.stage == "sql"
    assert decide(FUNNEL, state("mql"), claims).state.stage == "sql"


def test_a_no_beats_the_owner_and_leaves_a_won_deal() -> None:
    """A rejection is heard first, whichever team owns what the others bid for; who has bought is refused as a customer."""
    claims = [move("hubspot", "mql/disqualified", "marketing"), move("salesforce", "customer", "sales")]
    decision = decide(FUNNEL, state("mql"), claims, authority=HOLD)
    assert decision.state.reading == at("customer/disqualified")
    assert [rule for _, _, rule in decision.overruled] == ["a deal that is won comes before any other stage", "a rejection with a reason comes first"]


def test_a_rule_raises_and_rejects() -> None:
    """What a rule says of somebody goes the way of every claim, and is named by the rule."""
    assert decide(FUNNEL, state("mql"), [rule("sal")]).state.stage == "sal"
    assert decide(FUNNEL, state("mql"), [rule("/disqualified")]).state.reading == at("mql/disqualified")
    assert decide(FUNNEL, state("mql"), [rule("/nurture")]).state.reading == at("mql/nurture")
    assert decide(FUNNEL, state("mql"), [rule("sal")]).cause == "rule fits moved: mql -> sal"
    assert decide(FUNNEL, state("mql"), [rule("sal", "marketing")], authority=HOLD).question == "unauthorised:rule fits:sal"


def test_a_rule_neither_lowers_nor_takes_back_a_no() -> None:
    """What a rule says of somebody who is further, beside or refused is not heard; whoever may come again it lets in anew."""
    for before, said in (("sal", "mql"), ("mql", "pql"), ("mql/disqualified", "sal"), ("mql/disqualified", "/nurture")):
        decision = decide(FUNNEL, state(before), [rule(said)])
        assert decision.state == state(before)
        assert [text for _, _, text in decision.overruled] == ["a rule raises a stage or puts somebody aside, it does not lower and does not take back a no"]
    again = decide(FUNNEL, state("sal/recycled"), [rule("mql")]).state
    assert (again.reading, again.pass_no) == (StageReading("mql"), 2)


def test_who_has_bought_comes_in_again_at_an_entry() -> None:
    """A customer who asks service for more is service qualified in a new pass, by a rule or by service's own hand; no rule makes an MQL of a customer."""
    by_rule = decide(FUNNEL, state("customer"), [rule("service_qualified")])
    by_hand = decide(FUNNEL, state("evangelist"), [Claim("a", at("service_qualified"), changed=True, current=True, team="service")], authority=HOLD)
    for decision in (by_rule, by_hand):
        assert (decision.state.reading, decision.state.pass_no) == (StageReading("service_qualified"), 2)
        assert decision.cause.endswith("(enters again, pass 2)")
    assert decide(FUNNEL, state("customer"), [rule("mql")]).state == state("customer")
    assert decide(FUNNEL, state("customer/disqualified"), [rule("service_qualified")]).state == state("customer/disqualified")
    corrected = decide(FUNNEL, state("opportunity"), [Claim("a", at("pql"), changed=True, current=True)]).state
    assert (corrected.stage, corrected.pass_no) == ("pql", 1)


def teams(funnel: Funnel) -> list[str | None]:
    """All teams of a funnel, and nobody known."""
    return [None, *dict.fromkeys(stage.team for stage in funnel.stages.values())]


def hubs(funnel: Funnel) -> list[StageState]:
    """Every stage, in the line and in one side state of each sort."""
    return [StageState(stage, side, None, 1, 3) for stage, side in product([None, *funnel.stages], (None, "disqualified", "nurture", "churned"))]


def readings(funnel: Funnel) -> list[StageReading]:
    """What may be claimed: every stage, in the line and refused, and side states alone."""
    beside = [StageReading(None, side) for side in ("nurture", "unresponsive")]
    return [StageReading(stage, side) for stage, side in product([None, *funnel.stages], (None, "disqualified")) if stage or side] + beside


def explained(funnel: Funnel, before: StageState, after: StageState, claims: list[Claim], authority: Authority) -> bool:
    """Somebody who saw the present place, or a rule that lets a person come again, wanted this place and might have it."""
    return any(
        claim.reading.stage == after.stage
        and claim.changed
        and (claim.current if claim.rule is None else funnel.begins_again(before.reading, after.reading))
        and authority.may(funnel, claim.team, before.reading, after.reading)
        for claim in claims
    )


def looked_into(funnel: Funnel, before: StageState, claims: list[Claim], authority: Authority) -> StageDecision:
    """The decision, once every law is seen to hold for it."""
    found = decide(funnel, before, claims, authority=authority)
    case = (before, claims, found)
    assert decide(funnel, before, claims[::-1], authority=authority) == found, case
    if funnel.position(found.state.stage) < funnel.position(before.stage):
        assert explained(funnel, before, found.state, claims, authority), case
    if found.state != before:
        assert found.hold is None and found.state.version == before.version + 1
        assert any(authority.may(funnel, claim.team, before.reading, found.state.reading) for claim in claims), case
    told = {system for system, _, _ in found.overruled}
    for claim in claims:
        heard = claim.reading.stage in (None, found.state.stage) and claim.reading.side in (None, found.state.side)
        assert heard or claim.system in told or f"{claim.system}:" in found.question, case
    assert bool(found.hold) == bool(found.question)
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_one_claim_of_every_team_over_all_places(name: str) -> None:
    """Over every place, claim and team of every preset: what a team may not do changes nothing, asked about or put back, and all else goes as without teams."""
    funnel, refused = preset(name), 0
    for before, reading, current, team in product(hubs(funnel), readings(funnel), (True, False), teams(funnel)):
        claims = [Claim("a", reading, changed=True, current=current, team=team)]
        asked, put_back = (looked_into(funnel, before, claims, authority) for authority in (HOLD, PUT_BACK))
        assert asked.state == put_back.state
        free = decide(funnel, before, claims)
        if asked.hold is None:
            assert asked == put_back == free
        else:
            refused += 1
            assert team is not None and asked.state == before and free.state != before
            assert put_back.overruled == (("a", reading, asked.hold),)
    assert refused > 100


@pytest.mark.parametrize("name", PRESETS)
def test_two_claims_of_all_teams(name: str) -> None:
    """For pairs of claims drawn from all places, teams, versions and rules: no lowering without a cause, no order, no names, no silence."""
    funnel, draw, lowered, held = preset(name), Random(name), 0, 0
    places, said, known = hubs(funnel), readings(funnel), teams(funnel)
    for _ in range(3_000):
        before = draw.choice(places)
        claims = [
            Claim(system, draw.choice(said), changed=True, current=draw.random() < 0.8, team=draw.choice(known), rule=draw.choice((None, None, None, "r")))
            for system in "ab"
        ]
        asked, put_back = (looked_into(funnel, before, claims, authority) for authority in (HOLD, PUT_BACK))
        assert asked.state == put_back.state
        renamed = [Claim(name, c.reading, c.changed, c.current, team=c.team, rule=c.rule) for name, c in zip("ba", claims, strict=True)]
        assert decide(funnel, before, renamed, authority=HOLD).state == asked.state
        lowered += funnel.position(asked.state.stage) < funnel.position(before.stage)
        held += asked.hold is not None
    assert lowered > 100 and held > 100
