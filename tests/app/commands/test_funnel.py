"""`stagesync funnel` from the command line, a funnel of one's own through a real sync, and the document about funnels."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest
from cli_box import Box, box, cli
from house import ROOT
from mapping_accounts import defaults, org, portal
from rich.cells import cell_len

from stagesync.app.views.funnel import funnel_text, plain
from stagesync.app.views.funnel_svg import funnel_svg
from stagesync.lifecycle.authority_table import read_authority
from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.overlay import read_funnel
from stagesync.lifecycle.presets import PRESETS, crosswalk, default_funnel, preset
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import SystemInput
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds

DOCUMENT = (ROOT / "docs" / "funnels.md").read_text("utf-8")
STRANGE = """
name = "<b> & 日本"
[stages]
sgl = { label = "営業が自ら発掘したとても長い名前のリード", team = "インサイドセールス", entry = true, beside = "mql" }
[moves]
lead = ["mql", "pql", "service_qualified", "sgl"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Box]:
    """Two worlds with a few people."""
    with box(tmp_path, 20) as found:
        yield found


def strange() -> Funnel:
    """A funnel with signs that need care."""
    funnel = read_funnel(tomllib.loads(STRANGE), lambda *told: pytest.fail(str(told)))
    assert funnel is not None
    return funnel


def check(of: Box, *words: str) -> tuple[int, str]:
    """Exit code and output of `funnel check`."""
    result = cli("funnel", "check", "--config", str(of.config), *words)
    return result.exit_code, result.stdout


def test_list_needs_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far from any configuration, every preset is on one line with its stages in order."""
    monkeypatch.chdir(tmp_path)
    lines = cli("funnel", "list").stdout.splitlines()
    assert [each.split()[0] for each in lines] == list(PRESETS)
    assert lines[1].endswith("inquiry > mql > sal | sgl > sql > won")
    assert [each["name"] for each in orjson.loads(cli("funnel", "list", "--json").stdout)["funnels"]] == list(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_show_draws_a_preset(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far from any configuration, the drawing fits 80 columns, parallel stages share their rows, and every stage, team and side state is in it."""
    monkeypatch.chdir(tmp_path)
    shown = cli("funnel", "show", name).stdout
    funnel = preset(name)
    drawing = shown.partition("Beside the line")[0]
    assert all(len(each) <= 80 for each in drawing.splitlines()[1:])
    for column in funnel.columns:
        assert any(all(f"│ {stage.id} " in each for stage in column) and each.count("│") == 2 * len(column) for each in drawing.splitlines())
        assert any([*re.findall(r"┌ ([\w ]+) ─", each)] == [stage.team for stage in column] for each in drawing.splitlines())
    assert all(label in shown for label in funnel.sides.values())
    told = orjson.loads(cli("funnel", "show", name, "--json").stdout)
    assert [stage["id"] for stage in told["stages"]] == list(funnel.stages)
    assert drawing.count("a won deal") == funnel_svg(funnel).count("a won deal") == sum(stage["won"] for stage in told["stages"]) > 0


def test_a_group_and_what_is_lost_are_shown() -> None:
    """The waterfall's drawing tells who counts as MQL, and where the way to the default funnel loses something."""
    shown = cli("funnel", "show", "waterfall-2012").stdout
    assert "any of aql, tql, tgl" in shown
    assert re.search(r"tgl +mql \(lossy\)", shown)
    assert re.search(r"won +customer$", shown, re.MULTILINE)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """A funnel that is not there is exit 2 with what there is; so is a picture into a folder that is not there."""
    result = cli("funnel", "show", "waterfall")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "choose one of hubspot, siriusdecisions" in result.stderr
    missing = cli("funnel", "show", "scored", "--svg", str(tmp_path / "no" / "x.svg"))
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "the folder does not exist" in missing.stderr


@pytest.mark.parametrize("funnel", [*map(preset, PRESETS), strange()], ids=[*PRESETS, "strange"])
def test_the_picture_is_whole(funnel: Funnel) -> None:
    """The SVG is well-formed, has every stage and side state, and no two boxes overlap or leave the picture."""
    root = ElementTree.fromstring(funnel_svg(funnel))
    space = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in root.iter(f"{space}text")]
    assert {*funnel.stages, *funnel.sides, funnel.name} <= set(texts)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    rects = [{key: float(each.attrib[key]) for key in ("x", "y", "width", "height")} for each in root.iter(f"{space}rect") if each.get("rx") == "8"]
    assert len(rects) == len(funnel.stages) + len(funnel.sides)
    for number, one in enumerate(rects):
        assert 0 <= one["x"] <= width - one["width"]
        assert 0 <= one["y"] <= height - one["height"]
        for other in rects[:number]:
            apart = abs(one["x"] - other["x"]) >= one["width"] or abs(one["y"] - other["y"]) >= min(one["height"], other["height"])
            assert apart


def test_the_picture_is_written(tmp_path: Path) -> None:
    """`--svg FILE` writes the picture beside what is printed."""
    result = cli("funnel", "show", "mckinsey", "--svg", str(tmp_path / "m.svg"))
    assert result.exit_code == 0
    assert (tmp_path / "m.svg").read_text("utf-8") == funnel_svg(preset("mckinsey"))


def test_wide_signs_keep_the_boxes_straight() -> None:
    """Boxes with signs of double width have one edge, and a terminal without such signs gets others of the same width."""
    drawing = [each for each in funnel_text(strange()) if "│" in each or "┌" in each or "└" in each]
    rows = [each for each in drawing if "sgl" in each or "イ" in each or "営" in each]
    assert len({cell_len(each) for each in rows}) == 1
    for each in plain(drawing, "ascii"):
        assert each.isascii()
    assert plain(drawing, "utf-8") == drawing


def test_show_without_a_name_is_the_configured_one(small: Box) -> None:
    """The configuration's own funnel is drawn by `show` alone, and its mistakes are all told."""
    small.add('[funnel]\npreset = "handoff"\nname = "acme"\n[funnel.stages]\nprospect = false\n')
    assert cli("funnel", "show", "--config", str(small.config)).stdout.startswith("acme: ")
    small.add('deal = 3\n[funnel.moves]\nnix = ["sql"]\n')
    wrong = cli("funnel", "show", "--config", str(small.config))
    assert wrong.exit_code == 2
    assert "funnel.stages.deal: is not a table" in wrong.stderr
    assert "funnel.moves.nix: 'nix' is neither a stage nor a side state" in wrong.stderr


def cells(said: str, place: str) -> list[str]:
    """What each kind of record says of a place, by the table of each."""
    _, *tables = said.partition("Beside the line")[2].split("\n\n")
    rows = [line.split(None, 1) for each in tables for line in each.splitlines()]
    return [row[1] for row in rows if row[:1] == [place]]


def test_check_proves_what_each_stage_is_written_as(small: Box) -> None:
    """Against the accounts, every stage has a cell per kind of record, and what is lost is told with the path of its map."""
    code, said = check(small)
    assert code == 0
    assert cells(said, "sql") == ["lifecyclestage=salesqualifiedlead", "Status=Sales Qualified", "-"]
    assert cells(said, "opportunity")[2] == "read: Opportunity.State=open or won, at least"
    assert cells(said, "mql") == ["lifecyclestage=marketingqualifiedlead", "Status=Marketing Qualified", "-"]
    assert cells(said, "nurture") == ["hs_lead_status=BAD_TIMING", "-", "-"]
    assert cells(said, "customer")[:2] == ["lifecyclestage=customer", "Status=Sales Qualified (reads as sql)"]
    assert max(len(line) for line in said.splitlines() if "=" in line and not line.startswith("  - ")) <= 120
    assert "systems.salesforce.stages.lead: opportunity, customer, evangelist are written as Status=Sales Qualified, which is read as sql" in said
    told = orjson.loads(check(small, "--json")[1])
    assert told["ok"]
    assert {(each["system"], each["stage"]) for each in told["stages"]} == {
        (system, stage) for system in ("hubspot", "salesforce") for stage in preset("hubspot").stages
    }


def test_check_tells_what_a_loss_means(small: Box) -> None:
    """A kind that is only read, a side state that hides the stage, and a reason that has no field: each with the path of its map and what to do."""
    told = orjson.loads(check(small, "--json")[1])
    [only_read] = [each for each in told["findings"] if each.startswith("systems.salesforce.stages.contact: ")]
    assert "only read there: opportunity (Opportunity.State=open or won, at least), customer" in only_read
    assert "customer (Opportunity.State=won, at least). Nothing is written" in only_read
    assert any(each.startswith("systems.salesforce.stages.lead: a side state stands where the stage stood (Status=") for each in told["findings"])
    assert any(each.startswith("systems.hubspot.stages.contact: no field holds the reason of a side state") for each in told["findings"])
    sides = {(each["system"], each["kind"], each["side"]): each for each in told["sides"]}
    assert sides["hubspot", "contact", "recycled"]["read_as"] == "nurture"
    assert (sides["hubspot", "contact", "disqualified"]["hides_stage"], sides["salesforce", "lead", "disqualified"]["hides_stage"]) == (False, True)
    customer = next(each for each in told["stages"] if (each["kind"], each["stage"], each["system"]) == ("contact", "customer", "salesforce"))
    assert (customer["written"], customer["evidence"]) == (None, ["Opportunity.State=won, at least"])


OWN = """
[funnel]
preset = "hubspot"
line = [["lead"], ["mql", "pql"], ["sql"]]
groups = { qualified = { label = "Qualified", stages = ["mql", "pql"] } }
sides = { recycled = false, nurture = false, unresponsive = false, churned = false, ineligible = false }
[systems.salesforce.stages.lead]
replace = true
reason = "Reason__c"
[systems.salesforce.stages.lead.values]
Place__c = { lead = "Lead", mql = "MQL", pql = "PQL", sql = "SQL" }
Aside__c = { disqualified = "Out" }
[systems.salesforce.stages.contact.values]
Place__c = { lead = "Lead", qualified = "Qualified", sql = "SQL" }
Aside__c = { disqualified = "Out" }
[systems.hubspot.stages.contact.values.lifecyclestage]
pql = "opportunity"
"""


def test_check_proves_picklists_of_ones_own(small: Box) -> None:
    """Picklists on Lead and Contact with a field for the reason: every stage of the Lead is read back, of the Contact all but what a group stands for."""
    for kind in ("Lead", "Contact"):
        small.worlds.salesforce.define(kind, "Place__c", "Place", "picklist", options=("Lead", "MQL", "PQL", "SQL", "Qualified"), restricted=True)
        small.worlds.salesforce.define(kind, "Aside__c", "Aside", "picklist", options=("Out",), restricted=True)
        small.worlds.salesforce.define(kind, "Reason__c", "Reason", length=100)
    small.add(OWN)
    code, said = check(small)
    assert code == 0
    assert cells(said, "pql") == ["lifecyclestage=opportunity", "Place__c=PQL", "Place__c=Qualified (reads as mql)"]
    assert cells(said, "disqualified") == ["hs_lead_status=UNQUALIFIED", "Aside__c=Out, Reason__c=For this reason", "Aside__c=Out"]
    told = orjson.loads(check(small, "--json")[1])
    about = {path: [each for each in told["findings"] if each.startswith(f"systems.salesforce.stages.{path}:")] for path in ("lead", "contact")}
    assert about["lead"] == []
    assert [each.partition(": ")[2][:66] for each in about["contact"]] == [
        "pql is written as Place__c=Qualified, which is read as mql: a reco",
        "no field holds the reason of a side state: it is told as what the ",
    ]
    assert "(the group qualified loses nothing)" in about["contact"][0]
    notes = small.json("check")["notes"]
    assert "salesforce lead: 4 of 4 stages are read back as they are written (`stagesync funnel check` shows each)" in notes
    assert "salesforce contact: 3 of 4 stages are read back as they are written (`stagesync funnel check` shows each)" in notes


WRONG = """
[funnel]
preset = "hubspot"
line = [["subscriber"], ["lead"], ["mql", "pql", "service_qualified"], ["sal"], ["opportunity"], ["sql"], ["customer"], ["evangelist"]]
[funnel.stages]
demo = { label = "Demo", team = "sales", after = "lead" }
[funnel.moves]
lead = ["mql"]
mql = ["sal"]
sal = ["sql", "mql"]
subscriber = ["lead"]
customer = []
[systems.hubspot.stages.contact.values.lifecyclestage]
mqll = "marketingqualifiedlead"
sql = "salesqualifiedlead"
opportunity = ["opportunity", "salesqualifiedlead"]
"""
TOLD = {
    "unknown stage": "systems.hubspot.stages.contact.values.lifecyclestage.mqll: 'mqll' is neither a stage nor a side state of the funnel. Did you mean mql?",
    "unreachable stage": "funnel.moves: no move leads to 'demo'",
    "cycle without a side state": "funnel.moves.mql: mql -> sal -> mql goes round without a side state",
    "no write mapping": "systems.hubspot.stages.contact: demo is not written",
    "in no system": "funnel.stages.demo: no system has a value of its own for it",
    "one vendor value for two": "systems.hubspot.stages.contact.values.lifecyclestage.opportunity: 'salesqualifiedlead' already means sql",
    "order of the portal": "orders 'Sales Qualified Lead' before 'Opportunity', the funnel 'hubspot, changed' the other way around (funnel.line)",
}


def test_all_mistakes_are_told_at_once(small: Box) -> None:
    """Mistakes of the funnel, of the maps, and what only the accounts show stand in one report of either command, each with its TOML path."""
    small.add(WRONG)
    for said in (check(small), (small.run("check").exit_code, small.run("check").stdout)):
        assert said[0] == 2
        assert {name: told in said[1] for name, told in TOLD.items() if name != "no write mapping"} == dict.fromkeys(set(TOLD) - {"no write mapping"}, True)
    assert TOLD["no write mapping"] in check(small)[1]
    assert "hubspot contact cannot express demo: left as it is there" in small.run("check").stdout
    stopped = small.run("plan")
    assert stopped.exit_code == 2
    assert TOLD["cycle without a side state"] in stopped.stderr


def test_a_mistake_elsewhere_keeps_from_looking(small: Box) -> None:
    """With a mistake in how a system is reached no account is asked, and all mistakes that show without are told."""
    small.add(WRONG)
    small.replace('token = "', 'tokn = "')
    small.reset()
    result = cli("funnel", "check", "--config", str(small.config))
    assert (result.exit_code, result.stdout, small.calls()) == (2, "", {})
    assert "systems.hubspot.tokn" in result.stderr
    assert TOLD["cycle without a side state"] in result.stderr


def test_check_tells_what_prevents_a_sync(small: Box) -> None:
    """A stage map that names what the funnel has not is exit 2, with its place; an order of the portal's that contradicts the line is told, and no more."""
    small.add('[funnel]\npreset = "siriusdecisions"\n[systems.hubspot.stages.contact.values.lifecyclestage]\npql = "lead"\n')
    code, said = check(small)
    assert code == 2
    assert "systems.hubspot.stages.contact.values.lifecyclestage.pql: 'pql' is neither a stage nor a side state of the funnel" in said
    small.replace('pql = "lead"', 'inquiry = "customer"\nwon = "lead"')
    code, said = check(small)
    assert code == 0
    assert "orders 'Lead' before 'Marketing Qualified Lead', the funnel 'siriusdecisions' the other way around (funnel.line)" in said


def test_another_funnel_syncs(small: Box) -> None:
    """With another preset, people get its stages, the second run writes nothing, and both systems agree."""
    small.add('[funnel]\npreset = "siriusdecisions"\n')
    assert small.run("sync", "--yes").exit_code in (0, 1)
    stages = set(small.json("status")["stages"])
    assert {"inquiry", "mql"} & stages
    assert stages <= {*preset("siriusdecisions").stages, ""}
    small.later(3600)
    small.reset()
    assert small.run("sync", "--yes").exit_code == 0
    assert small.written() == []
    assert small.run("verify").exit_code == 0


def test_people_keep_their_stages_when_the_funnel_changes(small: Box) -> None:
    """A funnel without the stages that people stand at stops a run before it does anything, and names them; one that only adds stages goes on."""
    small.add('[funnel]\npreset = "hubspot"\n')
    small.run("sync", "--yes")
    small.replace('preset = "hubspot"', 'preset = "mckinsey"')
    small.reset()
    stopped = small.run("sync", "--yes")
    assert (stopped.exit_code, small.written()) == (2, [])
    assert re.search(r"funnel\.stages\.lead: \d+ people are there", stopped.stderr)
    small.replace('preset = "mckinsey"', '[funnel.stages.trial]\nlabel = "Trial"\nteam = "product"\nafter = "mql"')
    assert small.run("sync", "--yes").exit_code in (0, 1)


def test_the_documents_tables_are_the_presets() -> None:
    """Each preset's section lists its stages as they are."""
    for name in PRESETS:
        funnel = preset(name)
        way = crosswalk(funnel, default_funnel())
        section = DOCUMENT.partition(f"### {name}\n")[2].partition("\n##")[0]
        rows = [
            f"| {stage.position + 1} | `{stage.id}` | {stage.label}{', an entry' if stage.entry else ''} | {stage.team} |"
            f" `{way.stages[stage.id]}`{' (lossy)' if stage.id in way.lossy else ''} |"
            for stage in funnel.stages.values()
        ]
        assert [each for each in section.splitlines() if each.startswith("| ")][1:] == rows


def test_the_documents_examples_work() -> None:
    """Every TOML example is a funnel, or teams of one, without mistakes, and its stage maps compile over both vendors."""
    examples = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 5
    for text in examples:
        table = tomllib.loads(text)
        funnel = read_funnel(table.get("funnel", {}), lambda *told: pytest.fail(str(told)))
        assert funnel is not None
        read_authority(table, funnel, ("hubspot", "salesforce"), lambda *told: pytest.fail(str(told)))
        given = {name: SystemInput(defaults(name), look(), table.get("systems", {}).get(name, {})) for name, look in (("hubspot", portal), ("salesforce", org))}
        alike = crosswalk(funnel, default_funnel()).stages
        assert compile_maps({}, given, stages=funnel.positions, sides=funnel.sides, groups=funnel.members, alike=alike).systems


def test_a_forbidden_move_is_put_back_and_explained(tmp_path: Path) -> None:
    """An edit that the funnel's moves forbid is put back where it was made, an allowed one travels, the next run writes nothing, and `why` names the rule."""
    with box(tmp_path, worlds=Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))) as made:
        made.add('[funnel.moves]\nlead = ["mql"]\n')
        portal = made.worlds.hubspot.by_hand
        ids = [portal.create({"email": f"p{number}@acme.example", "lastname": "Lee", "company": "Acme", "lifecyclestage": "lead"}) for number in range(2)]
        assert made.run("sync", "--yes").exit_code == 0
        made.later(3600)
        portal.edit(ids[0], {"lifecyclestage": "salesqualifiedlead"})
        portal.edit(ids[1], {"lifecyclestage": "marketingqualifiedlead"})
        assert made.run("sync", "--yes").exit_code == 0
        there = [each["properties"] for each in portal.contacts()]
        assert {each["email"]: each["lifecyclestage"] for each in there} == {"p0@acme.example": "lead", "p1@acme.example": "marketingqualifiedlead"}
        told = made.run("why", "p0@acme.example", "stage").stdout
        assert 'hubspot\'s "sql" gave way to "lead" (the funnel does not allow this move)' in told
        made.later(3600)
        made.reset()
        assert made.run("sync", "--yes").exit_code == 0
        assert made.written() == []


def test_a_changed_rule_of_the_funnel_is_asked_about(small: Box) -> None:
    """What counts as a rejection decides what is written: after a change of it a run without a yes stops before its first write."""
    assert small.run("sync", "--yes").exit_code in (0, 1)
    small.later(3600)
    portal = small.worlds.hubspot.by_hand
    portal.edit(next(iter(portal.contacts()))["id"], {"jobtitle": "Head of Tea"})
    small.add("[funnel.sides.churned]\nrejection = true\n")
    stopped = small.run("sync")
    assert stopped.exit_code == 3
    assert "the mapping, funnel or rules changed since the last run" in stopped.stderr
    assert small.run("sync", "--yes").exit_code in (0, 1)
