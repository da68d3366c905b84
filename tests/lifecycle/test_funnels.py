"""Funnels as data: the presets, a company's own one over them, every mistake with its place, crosswalks, and the default maps in each funnel's words."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_accounts import defaults, options, org, portal
from slips import each_of, expect_one, told_by

from stagesync.app.courses.comparing import stage_order
from stagesync.app.courses.expressing import expressions, homeless, losses
from stagesync.lifecycle.funnel import Crosswalk, Funnel
from stagesync.lifecycle.overlay import read_funnel
from stagesync.lifecycle.presets import PRESETS, crosswalk, default_funnel, preset
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import Maps, SystemInput
from stagesync.mapping.stages import StageMap
from stagesync.model.errors import ConfigurationError
from stagesync.model.stages import StageReading

LINES = {
    "hubspot": "subscriber > lead > mql | pql | service_qualified > sal > sql > opportunity > customer > evangelist",
    "siriusdecisions": "inquiry > mql > sal | sgl > sql > won",
    "handoff": "lead > mql > sal > prospect > sql > deal > customer",
    "inbound-jp": "inquiry > mql > sql > sal > sgl > deal_closed > order_received",
    "scored": "suspect > qualified_lead > mql > sal > sql > customer",
    "mckinsey": "awareness > familiarity > consideration > purchase > loyalty",
    "waterfall-2012": "inquiry > aql > teleprospecting_accepted > tql | tgl > sal | sgl > sql > won",
}
LEADING_TEAMS = {
    "hubspot": {"mql": "marketing", "pql": "product", "service_qualified": "service", "sal": "sales", "customer": "sales"},
    "siriusdecisions": {"mql": "marketing", "sal": "sales", "sgl": "sales", "sql": "sales"},
    "handoff": {"mql": "marketing", "sal": "business development", "sql": "business development", "deal": "sales"},
    "inbound-jp": {"mql": "marketing", "sql": "sales", "order_received": "sales"},
    "scored": {"mql": "marketing", "sal": "sales"},
    "mckinsey": {"consideration": "marketing", "purchase": "sales", "loyalty": "service"},
    "waterfall-2012": {"aql": "marketing", "teleprospecting_accepted": "teleprospecting", "tgl": "teleprospecting", "sgl": "sales"},
}


def read(text: str) -> tuple[Funnel | None, list[str]]:
    """The funnel of a `[funnel]` table, and the mistakes as they are shown."""
    return told_by(lambda tell: read_funnel(tomllib.loads(text), tell))


def own(text: str) -> Funnel:
    """A funnel without mistakes."""
    funnel, told = read(text)
    assert told == []
    assert funnel is not None
    return funnel


def line(funnel: Funnel) -> str:
    """The line as `funnel list` shows it."""
    return " > ".join(" | ".join(stage.id for stage in column) for column in funnel.columns)


def compiled(funnel: Funnel, *, hubspot: dict[str, Any] | None = None, salesforce: dict[str, Any] | None = None, stages: Any = None) -> Maps:
    """The maps of both vendors in the words of a funnel, as the program makes them."""
    left = portal(stages) if stages is not None else portal()
    systems = {"hubspot": SystemInput(defaults("hubspot"), left, hubspot or {}), "salesforce": SystemInput(defaults("salesforce"), org(), salesforce or {})}
    alike = crosswalk(funnel, default_funnel()).stages
    return compile_maps({}, systems, stages=funnel.positions, sides=funnel.sides, groups=funnel.members, alike=alike)


def stage_map(maps: Maps, system: str = "hubspot", kind: str = "contact") -> StageMap:
    """One kind's stage map."""
    found = maps.systems[system].kinds[kind].stage
    assert found is not None
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_their_stages_in_order(name: str) -> None:
    """Every preset has its published stages, in its own order, and each stage a team and a label."""
    funnel = preset(name)
    assert line(funnel) == LINES[name]
    assert {stage: funnel.stages[stage].team for stage in LEADING_TEAMS[name]} == LEADING_TEAMS[name]
    assert all(stage.label and stage.team for stage in funnel.stages.values())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_side_states_with_reasons(name: str) -> None:
    """A rejection comes with reasons to choose from, and from recycled and nurture people come again."""
    funnel = preset(name)
    assert funnel.rejections == {"disqualified", "ineligible"}
    assert funnel.reentries == {"recycled", "nurture"}
    assert all(funnel.reasons[side] for side in funnel.sides)


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    """A wrong name lists what there is."""
    with pytest.raises(ConfigurationError, match="no funnel 'salesforce'") as raised:
        preset("salesforce")
    assert all(name in raised.value.next_step for name in PRESETS)


def test_mql_is_a_group_in_the_waterfall() -> None:
    """Whoever is an AQL, TQL or TGL counts as MQL, which has no place of its own."""
    funnel = preset("waterfall-2012")
    assert funnel.members == {"mql": ("aql", "tql", "tgl")}
    assert "mql" not in funnel.stages


def test_nothing_said_is_the_default() -> None:
    """Without a [funnel] table, and with its preset alone, there is nothing to change."""
    assert own("") is default_funnel()
    assert own('preset = "scored"') is preset("scored")


def test_a_preset_is_changed_in_one_place() -> None:
    """A stage is dropped, one is renamed, one is added beside another and one after it; all the rest stays."""
    funnel = own(
        'preset = "handoff"\nname = "acme"\n[stages]\nprospect = false\nlead = { label = "Contact" }\n'
        'sgl = { label = "SGL", team = "sales", entry = true, beside = "mql" }\ntrial = { label = "Trial", team = "product", after = "sgl" }'
    )
    assert (funnel.name, line(funnel)) == ("acme", "lead > mql | sgl > trial > sal > sql > deal > customer")
    assert (funnel.stages["lead"].label, funnel.stages["lead"].team) == ("Contact", "marketing")
    assert funnel.stages["sgl"].entry
    assert funnel.crosswalks["hubspot"].stages["deal"] == "opportunity"
    assert "prospect" not in funnel.crosswalks["hubspot"].stages


def test_a_line_of_ones_own_drops_the_rest() -> None:
    """A whole new line keeps what it names of the preset, and needs tables only for the new stages."""
    funnel = own('preset = "waterfall-2012"\nline = [["inquiry"], ["tql", "demo"], ["won"]]\n[stages.demo]\nlabel = "Demo"\nteam = "sales"')
    assert line(funnel) == "inquiry > tql | demo > won"
    assert funnel.members == {"mql": ("tql",)}
    assert set(funnel.crosswalks["hubspot"].stages) == {"inquiry", "tql", "won"}


def test_side_states_groups_and_moves_are_laid_over() -> None:
    """Side states come and go, a group is of the line's order, and the moves name what may follow."""
    funnel = own(
        "[sides]\nchurned = false\non_hold = { label = 'On hold', reentry = true, reasons = ['Budget next year'] }\n"
        "[groups]\nqualified = { label = 'Qualified', stages = ['pql', 'mql'] }\n[moves]\ndisqualified = []\nlead = ['mql', 'pql', 'service_qualified']"
    )
    assert "churned" not in funnel.sides
    assert funnel.reasons["on_hold"] == ("Budget next year",)
    assert "on_hold" in funnel.reentries
    assert funnel.members == {"qualified": ("mql", "pql")}
    assert not funnel.allows(StageReading("lead"), StageReading("sql"))
    assert not funnel.allows(StageReading("sal", "disqualified"), StageReading("sal"))
    assert funnel.allows(StageReading("sal"), StageReading("customer"))
    assert funnel.allows(StageReading("lead"), StageReading("subscriber"))


MISTAKES = [
    ('preset = "hubpsot"', "funnel.preset: there is no funnel 'hubpsot'. Known: hubspot"),
    ("presets = 1", "funnel.presets: there is no such key. Known: preset, name"),
    ("name = 3", "funnel.name: must be text on one line"),
    ("line = 3", "funnel.line: is not a list of positions"),
    ("line = [3]", "funnel.line[0]: is not a list of names"),
    ("line = [['mql'], []]", "funnel.line[1]: is a position without a stage"),
    ("line = [['mql'], ['sal', 'mql']]", "funnel.line[1]: 'mql' stands in the line already"),
    ("line = [['mql'], ['sall']]", "funnel.line: 'sall' is not a stage of the funnel. Write [funnel.stages.sall] with label and team"),
    ("stages = 1", "funnel.stages: is not a table"),
    ("[stages]\nmql = 1", "funnel.stages.mql: is not a table"),
    ("[stages.mql]\nteem = 'x'", "funnel.stages.mql.teem: there is no such key. Known: label, team, entry"),
    ("[stages.mql]\nentry = 1", "funnel.stages.mql.entry: 1 is neither true nor false"),
    ("[stages.new]\nlabel = 'New'\nteam = 'sales'", "funnel.stages.new: has no position. Name it in funnel.line, or write beside"),
    ("[stages.new]\nafter = 'mql'\nteam = 'sales'", "funnel.stages.new.label: is missing"),
    ("[stages.new]\nafter = 'mql'\nlabel = 'New'", "funnel.stages.new.team: is missing"),
    ("[stages.new]\nafter = 'nql'\nlabel = 'New'\nteam = 'sales'", "funnel.stages.new.after: 'nql' is not a stage of the funnel. Known: subscriber"),
    ("[stages.new]\nafter = 'mql'\nbeside = 'sal'\nlabel = 'New'\nteam = 'sales'", "funnel.stages.new: says both beside and after"),
    ("[stages.MQL]\nafter = 'mql'\nlabel = 'M'\nteam = 'sales'", "funnel.stages.MQL: has the name of funnel.stages.mql"),
    ("[stages.'a b']\nafter = 'mql'\nlabel = 'M'\nteam = 'sales'", "funnel.stages.a b: is no name"),
    ("[sides.lead]\nlabel = 'L'", "funnel.sides.lead: has the name of funnel.stages.lead"),
    ("[sides.x]\nlabel = 'L'\nrejects = true", "funnel.sides.x.rejects: there is no such key. Known: label, rejection, reentry, reasons"),
    ("[sides.x]\nlabel = 'L'\nreasons = 'none'", "funnel.sides.x.reasons: is not a list of names"),
    ("[groups.g]\nlabel = 'G'", "funnel.groups.g.stages: names no stage"),
    ("[groups.g]\nlabel = 'G'\nstages = ['mqll']", "funnel.groups.g.stages: 'mqll' is not a stage of the funnel"),
    ("[moves]\nmqll = ['sal']", "funnel.moves.mqll: 'mqll' is neither a stage nor a side state of the funnel"),
    ("[moves]\nmql = ['sall']", "funnel.moves.mql: 'sall' is not a stage of the funnel"),
    ("[moves]\nmql = ['lead']", "funnel.moves.lead: lead -> mql -> lead goes round without a side state"),
    (
        "line = [['lead'], ['mql'], ['sal'], ['sql']]\n[moves]\nlead = ['mql']\nmql = ['sql']",
        "funnel.moves: no move leads to 'sal'. Add it to the moves of another stage, or write entry = true in [funnel.stages.sal]",
    ),
    ("[crosswalk.hubspott]\nmql = 'mql'", "funnel.crosswalk.hubspott: there is no funnel 'hubspott'"),
    ("[crosswalk.handoff]\nmql = 'mqll'", "funnel.crosswalk.handoff.mql: 'mqll' is not a stage of handoff"),
    ("[crosswalk.handoff]\nmqll = 'mql'", "funnel.crosswalk.handoff.mqll: 'mqll' is not a stage of the funnel"),
    ("crosswalk = 1", "funnel.crosswalk: is not a table"),
]


@each_of(MISTAKES)
def test_each_mistake_names_its_place_and_a_remedy(text: str, said: str) -> None:
    """One mistake gives one line: the TOML path, what is wrong, and what to do."""
    _, told = read(text)
    expect_one(told, said)


def test_all_mistakes_are_told_at_once() -> None:
    """Mistakes in every part of the table are told together."""
    parts = ("groups = 1", "moves = 1", "line = [[], ['mql', 'nix']]", "[sides.x]\nlabel = ''", "[stages.mql]\nteam = 1", "[crosswalk.nix]")
    _, told = read("\n".join(parts))
    assert {line.partition(": ")[0] for line in told} == {
        "funnel.groups", "funnel.moves", "funnel.line[0]", "funnel.line", "funnel.sides.x.label", "funnel.stages.mql.team", "funnel.crosswalk.nix",
    }  # fmt: skip


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["mql", "sal", "x", "hubspot", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["mql", "sal", "x", "label", "team", "after", "stages", "hubspot"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["preset", "name", "title", "line", "stages", "groups", "sides", "moves", "crosswalk"]), JUNK, max_size=4))
def test_any_table_is_a_funnel_or_told(table: dict[str, Any]) -> None:
    """Whatever stands in [funnel], there is a funnel that holds together, or at least one mistake is told; nothing breaks."""
    funnel, told = told_by(lambda tell: read_funnel(table, tell))
    if told:
        assert all(line.startswith("funnel.") for line in told)
        return
    assert funnel is not None
    assert [stage.position for column in funnel.columns for stage in column] == sorted(funnel.positions.values())
    assert set(funnel.positions.values()) == set(range(len(funnel.columns)))
    assert all(stage in funnel.stages for group in funnel.groups.values() for stage in group.stages)


@pytest.mark.parametrize("name", PRESETS)
def test_crosswalks_lead_somewhere(name: str) -> None:
    """Every stage of every preset has a counterpart in the default funnel, and every target exists."""
    funnel = preset(name)
    way = crosswalk(funnel, default_funnel())
    assert list(way.stages) == list(funnel.stages)
    assert set(way.stages.values()) <= set(default_funnel().stages)


@pytest.mark.parametrize("name", PRESETS)
def test_a_funnel_is_itself_in_its_own_words(name: str) -> None:
    """The crosswalk from a funnel to itself changes and loses nothing."""
    funnel = preset(name)
    way = crosswalk(funnel, funnel)
    assert way.stages == {stage: stage for stage in funnel.stages}
    assert way.lossy == frozenset()


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "inbound-jp"])
def test_crosswalks_keep_the_order(name: str) -> None:
    """Whoever is further stays further or beside; only the funnel that turns SQL and SAL around turns them around."""
    funnel, default = preset(name), default_funnel()
    way = crosswalk(funnel, default).stages
    there = [{default.position(way[stage.id]) for stage in column} for column in funnel.columns]
    assert all(max(here) <= min(following) for here, following in pairwise(there))


def test_the_buyers_mind_in_hubspots_words() -> None:
    """The crosswalk from awareness to loyalty ships, one to one."""
    way = crosswalk(preset("mckinsey"), default_funnel())
    assert way.stages == {"awareness": "subscriber", "familiarity": "lead", "consideration": "mql", "purchase": "customer", "loyalty": "evangelist"}
    assert way.lossy == frozenset()


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz")))
def test_lossy_is_what_has_no_way_back(stages: dict[str, str]) -> None:
    """A stage is lossy if and only if another one has the same counterpart: the others are found again from there."""
    way = Crosswalk("one", "other", stages)
    back = {there: stage for stage, there in stages.items() if stage not in way.lossy}
    assert all((back.get(there) == stage) is (stage not in way.lossy) for stage, there in stages.items())
    assert all(sum(other == stages[stage] for other in stages.values()) > 1 for stage in way.lossy)


@pytest.mark.parametrize("name", PRESETS)
def test_default_maps_speak_every_funnel(name: str) -> None:
    """Without a word of the user's, every preset reads and writes both vendors' stages, and what it writes is read as the stage or its stand-in."""
    funnel = preset(name)
    maps = compiled(funnel)
    alike = crosswalk(funnel, default_funnel()).stages
    for each in expressions(funnel, maps):
        assert each.back in funnel.stages, each
        assert each.exact or stage_map(maps, each.system, each.kind).lossy[each.stage] == each.back
        if each.exact and each.system == "hubspot":
            meant = {"mql": "marketingqualifiedlead", "sql": "salesqualifiedlead", "sal": "51439524"}.get(alike[each.stage], alike[each.stage])
            assert each.written == (("lifecyclestage", meant),)


@pytest.mark.parametrize("name", PRESETS)
def test_a_converted_lead_is_closed_in_every_funnel(name: str) -> None:
    """Whatever the funnel calls it, a converted Lead is read and never written."""
    funnel = preset(name)
    lead = stage_map(compiled(funnel), "salesforce", "lead")
    values = {"Status": "Closed - Converted", "IsConverted": True, "ConvertedOpportunityId": "006"}
    reading = lead.read(values)
    assert reading is not None
    assert reading.stage in funnel.stages
    assert all(lead.write(stage, None, None, values) is None for stage in funnel.stages)


def test_a_converted_lead_is_closed_where_nothing_is_alike() -> None:
    """A funnel with no word of the default one claims nothing by a conversion, and writes nothing into it."""
    funnel = own("line = [['cold'], ['warm']]\n[stages]\ncold = { label = 'Cold', team = 'x' }\nwarm = { label = 'Warm', team = 'x' }")
    lead = stage_map(compiled(funnel, salesforce={"stages": {"lead": {"values": {"Status": {"cold": "Qualified"}}}}}), "salesforce", "lead")
    values = {"Status": "Qualified", "IsConverted": True, "ConvertedOpportunityId": None}
    assert lead.read(values) == StageReading()
    assert lead.write("warm", None, None, values) is None
    assert lead.read({**values, "IsConverted": False}) == StageReading("cold")


def test_only_the_users_own_tables_may_name_what_is_not_there() -> None:
    """The vendors' defaults name stages that a funnel has not, in silence; in the user's table the same is a mistake."""
    funnel = preset("mckinsey")
    compiled(funnel)
    with pytest.raises(ConfigurationError) as raised:
        compiled(funnel, hubspot={"stages": {"contact": {"values": {"lifecyclestage": {"mql": "lead"}}}}}, salesforce={"include": {"min_stage": "sql"}})
    places = [problem.partition(": ")[0] for problem in raised.value.problems]
    assert places == ["systems.hubspot.stages.contact.values.lifecyclestage.mql", "systems.salesforce.include.min_stage"]


def test_a_group_is_mapped_like_a_stage() -> None:
    """A value that means a group is read as the least of it, written for all of it, and read back as what the person is."""
    funnel = preset("waterfall-2012")
    own_map = {"stages": {"contact": {"values": {"lifecyclestage": {"mql": "marketingqualifiedlead", "tql": "Partner"}}}}}
    contact = stage_map(compiled(funnel, hubspot=own_map))
    assert contact.read({"lifecyclestage": "marketingqualifiedlead"}) == StageReading("aql")
    assert contact.write("tgl", None, None) == {"lifecyclestage": "marketingqualifiedlead"}
    assert contact.read({"lifecyclestage": "marketingqualifiedlead"}, StageReading("tgl")) == StageReading("tgl")
    assert contact.write("tql", None, None) == {"lifecyclestage": "777"}
    assert contact.read({"lifecyclestage": "777"}) == StageReading("tql")


def test_a_group_is_a_threshold_like_a_stage() -> None:
    """`min_stage` may name a group: whoever has reached the first of it belongs in."""
    include = compiled(preset("waterfall-2012"), salesforce={"include": {"min_stage": "mql"}}).systems["salesforce"].include
    assert include({}, "inquiry") is not None
    assert include({}, "aql") is None
    assert include({}, "won") is None


def test_what_the_systems_cannot_say_is_told_with_its_place() -> None:
    """Stages without a value of their own, and two stages with one vendor value, are named with the path of the map."""
    funnel = preset("siriusdecisions")
    said = expressions(funnel, compiled(funnel))
    assert list(homeless(funnel, said)) == [
        "funnel.stages.sgl: no system has a value of its own for it, so nobody can be put there in any. Map one, or drop the stage"
    ]
    told = list(losses(funnel, said))
    assert any(each.startswith("systems.hubspot.stages.contact: sgl is written as lifecyclestage=51439524, which is read as sal") for each in told)
    assert any(each.startswith("systems.salesforce.stages.lead: won is written as Status=Qualified, which is read as sql") for each in told)


def test_a_stage_that_nothing_is_written_for_is_told() -> None:
    """A stage of one's own that no map knows is left alone in the record, and told with the place where it could be mapped."""
    funnel = own("[stages]\ntrial = { label = 'Trial', team = 'product', after = 'mql' }")
    told = list(losses(funnel, expressions(funnel, compiled(funnel))))
    assert any(each.startswith("systems.hubspot.stages.contact: trial is not written: the record keeps what it says") for each in told)


def test_a_write_table_that_is_read_as_another_stage_is_told() -> None:
    """Two stages that the user writes as one vendor value are told, though the map has something to write for both."""
    rows = [{"stage": "sal", "set": {"lifecyclestage": "lead"}}, {"stage": "pql", "set": {"lifecyclestage": "other"}}]
    said = expressions(
        default_funnel(), compiled(default_funnel(), hubspot={"stages": {"contact": {"write": rows, "values": {"lifecyclestage": {"sal": []}}}}})
    )
    told = list(losses(default_funnel(), [each for each in said if each.system == "hubspot" and not each.stand_in]))
    assert [each.partition(", which ")[0] for each in told] == [
        "systems.hubspot.stages.contact: pql is written as lifecyclestage=other",
        "systems.hubspot.stages.contact: sal is written as lifecyclestage=lead",
    ]
    assert told[0].endswith("which is read as nothing: a record that is met anew tells no stage. Map the value to the stage")
    assert "which is read as lead: a record that is met anew, or edited there, says lead" in told[1]


def test_the_portals_order_is_held_against_the_line() -> None:
    """A portal that orders SAL before SQL contradicts the funnel in which SQL comes first, and not the others."""
    stages = options(("lead", "Lead"), ("marketingqualifiedlead", "MQL"), ("5", "SAL"), ("salesqualifiedlead", "SQL"), ("customer", "Customer"))
    accounts = {"hubspot": portal(stages), "salesforce": org()}
    for name in ("handoff", "inbound-jp"):
        told = [each for each in stage_order(compiled(preset(name), stages=stages), accounts, preset(name)) if each.startswith("hubspot")]
        assert len(told) == (name == "inbound-jp")
