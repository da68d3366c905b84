"""Stage maps: what the two vendors' fields say about the stage, and how a stage is written into them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from mapping_accounts import FUNNEL, STAGES, defaults, field, kind, maps, options, org, portal

from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import SystemInput
from stagesync.mapping.stages import StageMap
from stagesync.model.errors import ConfigurationError
from stagesync.model.stages import StageReading


def hubspot(own: dict[str, Any] | None = None, stages: Any = STAGES) -> StageMap:
    """HubSpot's stage map, with the user's table laid over it."""
    found = kind(maps(hubspot={"stages": {"contact": own or {}}}, described=(portal(stages), org())), "hubspot", "contact").stage
    assert found is not None
    return found


def lead(own: dict[str, Any] | None = None, **account: Any) -> StageMap:
    """The stage map of a Salesforce Lead."""
    found = kind(maps(salesforce={"stages": {"lead": own or {}}}, described=(portal(), org(**account))), "salesforce", "lead").stage
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("lifecyclestage", "lead_status", "reading"),
    [
        ("subscriber", None, StageReading("subscriber")),
        ("marketingqualifiedlead", "NEW", StageReading("mql")),
        ("51439524", None, StageReading("sal")),
        ("salesqualifiedlead", "UNQUALIFIED", StageReading("sql", "disqualified", "Unqualified")),
        (None, "UNQUALIFIED", StageReading(None, "disqualified", "Unqualified")),
        ("lead", "BAD_TIMING", StageReading("lead", "nurture", "Bad Timing")),
        ("other", "OPEN", None),
        (None, None, None),
        ("777", None, None),
    ],
)
def test_hubspot_says(lifecyclestage: str | None, lead_status: str | None, reading: StageReading | None) -> None:
    """HubSpot's stage is in lifecyclestage, a custom one found by its label; two lead statuses are side states; blank, other and unmapped claim nothing."""
    assert hubspot().read({"lifecyclestage": lifecyclestage, "hs_lead_status": lead_status}) == reading


@pytest.mark.parametrize(
    ("status", "converted", "opportunity", "reading"),
    [
        ("Open - Not Contacted", False, None, StageReading("lead")),
        ("working - contacted", False, None, StageReading("sal")),
        ("Qualified", False, None, StageReading("sql")),
        ("Marketing Qualified", False, None, StageReading("mql")),
        ("Closed - Not Converted", False, None, StageReading(None, "disqualified", "Closed - Not Converted")),
        ("Nurturing", False, None, StageReading(None, "nurture", "Nurturing")),
        ("Closed - Converted", True, "006", StageReading("opportunity")),
        ("Closed - Converted", True, None, StageReading("sql")),
        ("Nurturing", True, None, StageReading("sql")),
        ("Closed - Converted", False, None, None),
        (None, False, None, None),
    ],
)
def test_salesforce_lead_says(status: str | None, converted: bool, opportunity: str | None, reading: StageReading | None) -> None:
    """A Lead's stage is in Status until it is converted; then the opportunity is the evidence."""
    assert lead().read({"Status": status, "IsConverted": converted, "ConvertedOpportunityId": opportunity}) == reading


def test_unmapped_values_are_named() -> None:
    """A value that nobody mapped is told with its field; values that are meant for somebody else are not."""
    assert hubspot().unmapped({"lifecyclestage": "777", "hs_lead_status": "OPEN"}) == "lifecyclestage=777"
    assert hubspot().unmapped({"lifecyclestage": "other"}) is None
    assert lead().unmapped({"Status": "Frozen"}) == "Status=Frozen"
    assert lead().unmapped({"Status": "Closed - Converted", "IsConverted": True}) is None


def test_contact_without_a_stage_field_expresses_none() -> None:
    """Salesforce Contacts hold no stage by default, and a note says so."""
    compiled = maps()
    assert kind(compiled, "salesforce", "contact").stage is None
    assert "salesforce contact holds no stage: it is not read or written there" in compiled.notes


@pytest.mark.parametrize(
    ("stage", "side", "present", "written"),
    [
        ("mql", None, {}, {"lifecyclestage": "marketingqualifiedlead"}),
        ("sal", None, {"lifecyclestage": "lead"}, {"lifecyclestage": "51439524"}),
        ("sql", None, {"lifecyclestage": "lead", "hs_lead_status": "NEW"}, {"lifecyclestage": "salesqualifiedlead"}),
        ("sql", None, {"lifecyclestage": "lead", "hs_lead_status": "BAD_TIMING"}, {"lifecyclestage": "salesqualifiedlead", "hs_lead_status": None}),
        ("sql", "disqualified", {"lifecyclestage": "salesqualifiedlead"}, {"hs_lead_status": "UNQUALIFIED"}),
        ("sql", "recycled", {"lifecyclestage": "salesqualifiedlead"}, {"hs_lead_status": "BAD_TIMING"}),
        (None, "disqualified", {}, {"hs_lead_status": "UNQUALIFIED"}),
        ("pql", None, {"lifecyclestage": "marketingqualifiedlead"}, {}),
        ("mql", None, {"lifecyclestage": "marketingqualifiedlead", "hs_lead_status": "OPEN"}, {}),
        (None, None, {"lifecyclestage": "lead"}, {}),
    ],
)
def test_hubspot_is_written(stage: str | None, side: str | None, present: dict[str, Any], written: dict[str, Any]) -> None:
    """Only what differs is written; a lead status is cleared only where it means a side state that the person has left."""
    assert hubspot().write(stage, side, None, present) == written


@pytest.mark.parametrize(
    ("stage", "side", "present", "written"),
    [
        ("sal", None, {"Status": "Open - Not Contacted"}, {"Status": "Working - Contacted"}),
        ("mql", None, {"Status": "Open - Not Contacted"}, {}),
        ("sql", None, {"Status": "Qualified"}, {}),
        ("customer", None, {"Status": "Working - Contacted"}, {"Status": "Qualified"}),
        ("sal", "disqualified", {"Status": "Working - Contacted"}, {"Status": "Closed - Not Converted"}),
        ("sal", None, {"Status": "Nurturing"}, {"Status": "Working - Contacted"}),
        ("sal", None, {"Status": "Closed - Converted", "IsConverted": True}, None),
    ],
)
def test_salesforce_lead_is_written(stage: str | None, side: str | None, present: dict[str, Any], written: dict[str, Any] | None) -> None:
    """Status takes the stage or the side state, by the values that the org has; a converted Lead is closed."""
    assert lead().write(stage, side, None, present) == written


def test_a_converted_status_is_never_written() -> None:
    """A status that means converted would convert nothing: no stage or side state is written as one, even where the user names it."""
    own = {"values": {"Status": {"opportunity": ["Closed - Converted", "Qualified"]}}}
    for stage, side in product([None, *FUNNEL.stages], [None, *FUNNEL.sides]):
        assert (lead(own).write(stage, side, None, {}) or {}).get("Status") != "Closed - Converted"


@pytest.mark.parametrize("made", [hubspot, lead])
def test_what_is_written_is_read_back(made: Any) -> None:
    """For every stage and side state: the record that was written says what was meant (or what stands in for it), and writing again changes nothing."""
    stage_map: StageMap = made()
    presents: list[dict[str, Any]] = [{}, {"lifecyclestage": "lead", "hs_lead_status": "BAD_TIMING"}, {"Status": "Nurturing"}, {"Status": "Qualified"}]
    for stage, side, present in product([None, *FUNNEL.stages], [None, *FUNNEL.sides], presents):
        changes = stage_map.write(stage, side, None, present)
        if changes is None or (stage is None and side is None):
            continue
        after = {**present, **changes}
        reading = stage_map.read(after)
        assert reading is not None
        if side is not None and side in stage_map.expressed:
            assert reading.side == stage_map.expressed[side]
        elif stage is not None:
            assert reading.stage == stage_map.expressed[stage]
        assert stage_map.write(stage, side, None, after) == {}


def test_what_stands_in_for_a_stage_is_read_as_that_stage() -> None:
    """Where HubSpot has no SAL, the MQL that was written for it does not lower a SAL when somebody changes the lead status only."""
    plain = tuple(option for option in STAGES if option.value != "51439524")
    stage_map = hubspot(stages=plain)
    assert stage_map.write("sal", None, None, {}) == {"lifecyclestage": "marketingqualifiedlead"}
    now = {"lifecyclestage": "marketingqualifiedlead", "hs_lead_status": "UNQUALIFIED"}
    assert stage_map.read(now) == StageReading("mql", "disqualified", "Unqualified")
    assert stage_map.read(now, StageReading("sal")) == StageReading("sal", "disqualified", "Unqualified")
    assert stage_map.read({"lifecyclestage": "lead"}, StageReading("sal")) == StageReading("lead")


def test_stand_ins_are_told_once() -> None:
    """What an account cannot express is a note for each kind of record, not a failure."""
    notes = maps().notes
    assert "hubspot contact has no value for pql, service_qualified: written there as mql" in notes
    assert any(note.startswith("salesforce lead has no value for") and "written there as sql" in note for note in notes)


def test_a_renamed_default_stage_keeps_its_meaning() -> None:
    """A default stage that the account labels like another one is still found by its internal value."""
    relabelled = options(("lead", "Lead"), ("marketingqualifiedlead", "MQL"), ("salesqualifiedlead", "SAL"))
    assert hubspot(stages=relabelled).read({"lifecyclestage": "salesqualifiedlead"}) == StageReading("sql")


def test_users_values_go_before_the_default_ones() -> None:
    """A line of the user's takes a value away from the default table and leaves the rest as it is."""
    stage_map = hubspot({"values": {"lifecyclestage": {"customer": ["Customer", "Partner"], "pql": "Evangelist"}}})
    assert stage_map.read({"lifecyclestage": "777"}) == StageReading("customer")
    assert stage_map.read({"lifecyclestage": "evangelist"}) == StageReading("pql")
    assert stage_map.read({"lifecyclestage": "lead"}) == StageReading("lead")
    assert stage_map.write("customer", None, None, {"lifecyclestage": "777"}) == {}


def test_decision_table_over_several_fields() -> None:
    """Evidence in two fields together reads as one stage, and is written into both."""
    own = {
        "rules": [{"when": {"lifecyclestage": "lead", "hs_lead_status": ["OPEN", "NEW"]}, "stage": "sal"}],
        "write": [{"stage": "sal", "set": {"lifecyclestage": "lead", "hs_lead_status": "OPEN"}}],
    }
    stage_map = hubspot(own)
    assert stage_map.read({"lifecyclestage": "lead", "hs_lead_status": "NEW"}) == StageReading("sal")
    assert stage_map.read({"lifecyclestage": "lead"}) == StageReading("lead")
    assert stage_map.write("sal", None, None, {"lifecyclestage": "subscriber"}) == {"lifecyclestage": "lead", "hs_lead_status": "OPEN"}
    assert stage_map.write("sal", None, None, {"lifecyclestage": "lead", "hs_lead_status": "NEW"}) == {}


def test_a_picklist_of_ones_own_on_the_contact() -> None:
    """A company that keeps the stage on the Contact maps its picklist in three lines."""
    own = {"contact": {"values": {"Lifecycle_Stage__c": {"mql": "MQL", "sal": "SAL", "sql": "SQL"}}}}
    found = kind(maps(salesforce={"stages": own}), "salesforce", "contact")
    assert found.stage is not None
    assert found.stage.read({"Lifecycle_Stage__c": "SAL"}) == StageReading("sal")
    assert found.stage.write("customer", None, None, {}) is None
    assert "Lifecycle_Stage__c" in found.asks


DEALS = (
    field("Opportunity.State", "choice", options=options(("won", "won"), ("open", "open"), ("lost", "lost")), writable=False, creatable=False),
    field("Opportunity.LastStageChangeDate", "datetime", writable=False, creatable=False),
    field("Stage__c", "choice", options=options(*((each, each) for each in ("MQL", "SQL", "Opportunity", "Customer", "No")))),
)


def contact(own: dict[str, Any] | None = None) -> StageMap:
    """The stage map of a Salesforce Contact whose opportunities can be read."""
    found = kind(maps(salesforce={"stages": {"contact": own or {}}}, described=(portal(), org(extra=DEALS))), "salesforce", "contact").stage
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "hub", "reading"),
    [
        ("won", None, StageReading("customer")),
        ("open", None, StageReading("opportunity")),
        ("open", StageReading("mql"), StageReading("opportunity")),
        ("open", StageReading("customer"), StageReading("customer")),
        ("won", StageReading("evangelist"), StageReading("evangelist")),
        ("lost", StageReading("customer"), None),
        (None, StageReading("customer"), None),
    ],
)
def test_a_deal_says_at_least_a_stage(state: str | None, hub: StageReading | None, reading: StageReading | None) -> None:
    """A won or open deal raises, leaves whoever is further as they are, and can be written nowhere; a lost one says nothing."""
    table = contact()
    assert table.read({"Opportunity.State": state}, hub) == reading
    assert (table.writes, table.write("mql", None, None, {"Opportunity.State": state})) == (frozenset(), None)
    assert table.spelled({"Opportunity.State": state}) is None


def test_a_deal_beside_a_picklist_raises_what_it_says() -> None:
    """The picklist's own word counts where it is further, is written where it is not, and lowering it lowers as far as the deal lets it."""
    picklist = "Stage__c"
    table = contact({"values": {picklist: {"mql": "MQL", "sql": "SQL", "opportunity": "Opportunity", "customer": "Customer", "disqualified": "No"}}})
    for word, state, reading in (
        ("MQL", "open", StageReading("opportunity")),
        ("Customer", "open", StageReading("customer")),
        (None, "won", StageReading("customer")),
        ("No", "open", StageReading("opportunity", "disqualified", "No")),
        ("SQL", "lost", StageReading("sql")),
    ):
        assert table.read({picklist: word, "Opportunity.State": state}) == reading
    behind = {picklist: "SQL", "Opportunity.State": "open"}
    assert table.read(behind, StageReading("customer")) == StageReading("opportunity")
    assert table.spelled(behind) == StageReading("sql")
    assert table.write("opportunity", None, None, behind) == {picklist: "Opportunity"}
    assert table.write("opportunity", None, None, {**behind, picklist: "Opportunity"}) == {}


def test_an_old_deal_is_not_heard_again() -> None:
    """Below what a deal says, it is old while nothing of it has changed: then the record's own word counts; a deal won anew has another time."""
    table = contact({"values": {"Stage__c": {"mql": "MQL", "customer": "Customer"}}})
    won = {"Opportunity.State": "won", "Opportunity.LastStageChangeDate": "2026-03-01T09:30:00.000+0000", "Stage__c": "MQL"}
    again = StageReading("mql")
    assert (table.read(won, again), table.read(won, again, least=False)) == (StageReading("customer"), again)
    assert table.outlived(won, again) and table.outlived(won, again, {"Stage__c"})
    assert not table.outlived(won, again, {"Opportunity.LastStageChangeDate"}) and not table.outlived(won, again, {"Opportunity.State"})
    assert not table.outlived(won, StageReading("customer")) and not table.outlived(won, StageReading("evangelist")) and not table.outlived(won, None)
    assert not table.outlived({"Stage__c": "MQL"}, again)
    assert (table.since(won), table.since({**won, "Opportunity.State": "open"})) == ("2026-03-01T09:30:00.000+0000", None)
    with pytest.raises(ConfigurationError) as mistake:
        contact({"rules": [{"when": {"Opportunity.State": "lost"}, "stage": "mql", "at": "Opportunity.LastStageChangeDate"}]})
    assert any("goes with least = true" in each for each in mistake.value.problems)
    with pytest.raises(ConfigurationError) as mistake:
        contact({"rules": [{"when": {"Opportunity.State": "lost"}, "stage": "mql", "least": True, "at": "Lost__c"}]})
    assert any("has no field 'Lost__c'" in each for each in mistake.value.problems)


def test_own_rules_stand_before_the_deals_and_say_so() -> None:
    """A rule of the company's own says exactly its stage; `least` goes with a stage alone; maps that differ in it alone are two."""
    rule = {"when": {"Opportunity.State": "won"}, "stage": "sql"}
    exact, least = contact({"rules": [rule]}), contact({"rules": [{**rule, "least": True}], "replace": True})
    assert exact.read({"Opportunity.State": "won"}, StageReading("customer")) == StageReading("sql")
    assert least.read({"Opportunity.State": "won"}, StageReading("customer")) == StageReading("customer")
    assert least.meaning() != contact({"rules": [rule], "replace": True}).meaning()
    with pytest.raises(ConfigurationError) as mistake:
        contact({"rules": [{"when": {"Opportunity.State": "lost"}, "side": "recycled", "least": True}]})
    assert any("least" in each for each in mistake.value.problems)


def test_reason_in_a_field_of_its_own() -> None:
    """A field for the reason is read with the side state, written with it, and cleared when the person comes back."""
    described = (portal(), org(extra=(field("Reason__c"),)))
    stage_map = kind(maps(salesforce={"stages": {"lead": {"reason": "Reason__c"}}}, described=described), "salesforce", "lead").stage
    assert stage_map is not None
    now = {"Status": "Closed - Not Converted", "Reason__c": "No budget"}
    assert stage_map.read(now) == StageReading(None, "disqualified", "No budget")
    assert stage_map.write("sal", "disqualified", "No time", {"Status": "Working - Contacted"}) == {"Status": "Closed - Not Converted", "Reason__c": "No time"}
    assert stage_map.write("sal", None, None, now) == {"Status": "Working - Contacted", "Reason__c": None}
    unsaid = {"Status": "Closed - Not Converted", "Reason__c": None}
    assert stage_map.write("sal", "disqualified", "Closed - Not Converted", unsaid) == {}
    assert stage_map.write("sal", "disqualified", "No time", unsaid) == {"Reason__c": "No time"}


def test_a_stage_field_that_may_not_be_written_is_evidence_only() -> None:
    """Where the credential may only read the stage, it is read, and nothing is written."""
    locked = field("lifecyclestage", "choice", writable=False, creatable=False, options=STAGES)
    stage_map = kind(maps(described=(portal(extra=(locked,)), org())), "hubspot", "contact").stage
    assert stage_map is not None
    assert stage_map.read({"lifecyclestage": "lead"}) == StageReading("lead")
    assert stage_map.write("sql", None, None, {"lifecyclestage": "lead"}) is None
    assert stage_map.write("sql", "disqualified", None, {"lifecyclestage": "lead"}) == {"hs_lead_status": "UNQUALIFIED"}


def test_input_without_a_description_is_taken_on_trust() -> None:
    """Without the account's description the first listed value is written."""
    compiled = compile_maps({}, {"salesforce": SystemInput(defaults("salesforce"))}, stages=FUNNEL.positions, sides=FUNNEL.sides)
    stage_map = compiled.systems["salesforce"].kinds["lead"].stage
    assert stage_map is not None
    assert stage_map.write("mql", None, None, {}) == {"Status": "Marketing Qualified"}


@pytest.mark.parametrize(("stage", "side", "status"), [("mql", "recycled", "Recycled"), ("pql", None, "Product Qualified")])
def test_a_word_that_may_not_be_chosen_any_more_stays_where_it_says_so(stage: str, side: str | None, status: str) -> None:
    """An option that is no longer active still means what it meant: it is not replaced by the word for something else."""
    made = lead()
    assert made.expressed.get(side or stage) != (side or stage)
    assert made.write(stage, side, None, {"Status": status}) == {}
    assert made.write("sql", None, None, {"Status": status}) == {"Status": "Qualified"}
