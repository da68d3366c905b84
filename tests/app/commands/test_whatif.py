"""`stagesync whatif`: what a changed configuration would do, told before it is switched on, without a call and without a trace."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box, cli

from stagesync.model.errors import NewerSchema, StateError
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds
from stagesync.state import people
from stagesync.state.schema import REVISION
from stagesync.state.store import open_store, reopen_store

NAMED = '[workspace]\nname = "box"\n'


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Box]:
    """Two worlds with some people, kept the same."""
    with box(tmp_path, 40) as made:
        assert made.run("sync", "--yes").exit_code in (0, 1)
        made.later(3600)
        assert made.run("sync", "--yes").exit_code == 0
        made.reset()
        yield made


def changed(of: Box, text: str, old: str = "", new: str = "") -> Path:
    """The configuration in use with some changes, in a file beside it that means the same workspace."""
    path = of.config.parent / "new.toml"
    path.write_text(NAMED + of.config.read_text("utf-8").replace(old, new) + text, "utf-8")
    return path


def told(config: Path) -> dict[str, Any]:
    """What would change, as one object."""
    result = cli("whatif", "--config", str(config), "--json")
    assert result.exit_code == 0, result.stderr
    return orjson.loads(result.stdout)


def trace(of: Box) -> dict[str, str]:
    """Every file of the folder, by its content."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in of.config.parent.iterdir()}


def stages(of: Box, config: Path | None = None) -> Counter[str]:
    """How many people stand where."""
    return Counter(orjson.loads(cli("status", "--config", str(config or of.config), "--json").stdout)["stages"])


def test_the_same_configuration_changes_nothing(small: Box) -> None:
    """What means the same is told to, and neither state nor systems see that anybody looked."""
    config = changed(small, "")
    before = trace(small)
    result = cli("whatif", "--config", str(config))
    assert result.exit_code == 0
    assert "Its maps, funnel and rules mean what those of the last run meant." in result.stdout
    assert "Nothing would change." in result.stdout
    assert (told(config)["changed"], told(config)["same"]) == (0, True)
    assert (trace(small), small.calls()) == (before, {})


REMAPPED = """
[systems.hubspot.stages.contact.values.lifecyclestage]
lead = "subscriber"
mql = ["marketingqualifiedlead", "lead"]
"""


def test_what_it_foretells_comes_true(small: Box) -> None:
    """Two values that mean other stages: the moves and writes that it tells are those of the sync that follows, and until then nothing has changed."""
    config = changed(small, REMAPPED)
    before, then = trace(small), stages(small)
    foretold = told(config)
    assert (trace(small), small.calls()) == (before, {})
    moves = Counter({(each["from"], each["to"]): each["people"] for each in foretold["stages"]})
    assert moves["lead", "mql"] > 0
    assert all(0 < len(each["examples"]) <= 3 for each in foretold["stages"])
    assert cli("sync", "--config", str(config), "--approve", planned(config)).exit_code in (0, 1)
    now = stages(small, config)
    for stage in {*then, *now}:
        came = sum(count for (_, after), count in moves.items() if after == stage)
        left = sum(count for (before, _), count in moves.items() if before == stage)
        assert now[stage] - then[stage] == came - left, stage
    after = told(config)
    assert (after["same"], after["changed"]) == (True, 0)


def planned(config: Path) -> str:
    """The digest of a new plan."""
    return orjson.loads(cli("plan", "--config", str(config), "--json").stdout)["digest"]


def test_every_change_is_in_the_file(small: Box) -> None:
    """`--csv` has one line a change with whose it is and why, as many as the summary counts; a folder that is not there is told before anything is done."""
    config, file = changed(small, REMAPPED), small.config.parent / "changes.csv"
    result = cli("whatif", "--config", str(config), "--csv", str(file))
    assert result.exit_code == 0
    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    foretold = told(config)
    assert sum(each["people"] for each in foretold["stages"]) == sum(row["what"] == "stage" for row in rows)
    assert sum(each["records"] for each in foretold["writes"]) == sum(row["what"] in ("write", "create", "archive") for row in rows)
    assert foretold["changed"] == len({row["person"] for row in rows})
    moved = next(row for row in rows if row["what"] == "stage")
    assert moved["email"] in result.stdout
    assert moved["reason"] != ""
    missing = cli("whatif", "--config", str(config), "--csv", str(small.config.parent / "no" / "x.csv"))
    assert (missing.exit_code, missing.stdout) == (2, "")


RULE = """
[[qualify]]
name = "fits"
stage = "sal"
when = 'country == "{country}"'
mode = "{mode}"
"""


@pytest.mark.parametrize("mode", ["shadow", "hold", "apply"])
def test_rules_before_they_are_switched_on(small: Box, mode: str) -> None:
    """A new rule: what it says of everybody, and by its mode nothing, questions, or moves."""
    countries = Counter(each["properties"].get("country") for each in small.worlds.hubspot.contacts())
    country = {"Germany": "DE", "United States": "US", "Japan": "JP", "India": "IN"}.get(str(countries.most_common(1)[0][0]), "US")
    foretold = told(changed(small, RULE.format(country=country, mode=mode)))
    said = Counter({each["says"]: each["people"] for each in foretold["rules"] if each["said"] == "nothing"})
    if mode == "hold":
        assert foretold["questions"][0]["people"] == foretold["changed"] > 0
        assert foretold["stages"] == foretold["writes"] == []
    else:
        assert said["yes"] > 0
        assert sum(each["people"] for each in foretold["stages"]) == (said["yes"] if mode == "apply" else 0)
        assert foretold["changed"] == (said["yes"] if mode == "apply" else 0)
    shown = cli("whatif", "--config", str(small.config.parent / "new.toml")).stdout
    assert {"shadow": "nothing -> yes", "hold": "Somebody would be asked", "apply": "-> sal"}[mode] in shown


@pytest.fixture
def two_numbers() -> Worlds:
    """Ann stands in both systems with two phone numbers."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee", "phone": "+14155550101", "lifecyclestage": "lead"})
    worlds.salesforce.create("Lead", {"Email": "ann@acme.example", "LastName": "Lee", "Company": "Acme", "Phone": "+14155550102"})
    return worlds


def test_a_question_that_would_answer_itself(tmp_path: Path, two_numbers: Worlds) -> None:
    """Where the new configuration names a winner, the open question is told as no longer asked, with the write that follows."""
    with box(tmp_path, worlds=two_numbers) as made:
        made.replace('"contact details" = "newest"\n', "")
        made.run("sync", "--yes")
        assert made.json("status")["questions"] != []
        config = changed(made, "", "[first_meeting]\n", '[first_meeting]\n"contact details" = "hubspot"\n')
        foretold = told(config)
        assert foretold["no_longer_asked"] == {"phone": 1}
        assert {"system": "salesforce", "what": "write", "name": "phone", "records": 1} in foretold["writes"]
        assert "Would be asked no longer" in cli("whatif", "--config", str(config)).stdout


def test_who_is_excluded_and_what_was_never_read(tmp_path: Path, two_numbers: Worlds) -> None:
    """A new criterion leaves records alone, and a field that is mapped anew is named: what stands there nobody knows yet."""
    with box(tmp_path, worlds=two_numbers) as made:
        made.run("sync", "--yes")
        config = changed(made, '\n[fields.fax]\nhubspot = "fax"\nsalesforce = "Fax"\n[systems.salesforce.include]\nmin_stage = "sql"\n')
        foretold = told(config)
        assert foretold["left_alone"] == {"salesforce": 1}
        assert {(each["system"], each["kind"], each["native"]) for each in foretold["unread"]} == {
            ("hubspot", "contact", "fax"),
            ("salesforce", "lead", "Fax"),
        }
        shown = cli("whatif", "--config", str(config)).stdout
        assert "Left alone, since the configuration excludes them" in shown
        assert "  hubspot contact: fax" in shown


def test_a_value_that_is_mapped_now_is_heard(tmp_path: Path) -> None:
    """A value that said nothing so far, and one that nobody had mapped, would be the first that is known of their people."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee", "lifecyclestage": "other"})
    worlds.salesforce.create("Lead", {"Email": "bob@acme.example", "LastName": "Ray", "Company": "Acme", "Status": "Waiting for Godot"})
    with box(tmp_path, worlds=worlds) as made:
        made.run("sync", "--yes")
        text = '\n[systems.hubspot.stages.contact.values.lifecyclestage]\nevangelist = ["evangelist", "other"]\n'
        text += '[systems.salesforce.stages.lead.values.Status]\nsql = ["Sales Qualified", "Waiting for Godot"]\n'
        moves = {(each["from"], each["to"], each["examples"][0]["email"]) for each in told(changed(made, text))["stages"]}
        assert ("none", "evangelist", "ann@acme.example") in moves
        assert any(after == "sql" and email == "bob@acme.example" for _, after, email in moves)


def test_a_funnel_without_the_stages_of_people(small: Box) -> None:
    """A funnel that lost stages is answered as the run would answer it: with the stages and how many stand there."""
    result = cli("whatif", "--config", str(changed(small, '\n[funnel]\npreset = "mckinsey"\n')))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "people stand at stages that the funnel 'mckinsey' has not" in result.stderr
    assert "funnel.stages.lead:" in result.stderr


def test_it_must_mean_the_state_in_use(small: Box, tmp_path: Path) -> None:
    """A file of another name means another workspace, one elsewhere another state, and another account was never looked at: each is told, nothing is made."""
    other = small.config.parent / "other.toml"
    other.write_text(small.config.read_text("utf-8"), "utf-8")
    result = cli("whatif", "--config", str(other))
    assert result.exit_code == 2
    assert "the state has no workspace 'other' (it has: box)" in result.stderr
    assert 'write [workspace] name = "..."' in result.stderr
    away = tmp_path / "away"
    away.mkdir()
    (away / "box.toml").write_text(small.config.read_text("utf-8"), "utf-8")
    nowhere = cli("whatif", "--config", str(away / "box.toml"))
    assert (nowhere.exit_code, list(away.iterdir())) == (StateError("", where="", next_step="").exit_code, [away / "box.toml"])
    assert "there is no state here yet" in nowhere.stderr
    token = changed(small, "", 'token = "pat-sandbox-token"', 'token = "another"')
    stranger = cli("whatif", "--config", str(token))
    assert stranger.exit_code == 2
    assert "this account was not looked at yet with these settings" in stranger.stderr


def test_a_state_that_is_looked_at_is_left_as_it_is(tmp_path: Path) -> None:
    """It cannot be written, and one of another schema is refused instead of migrated."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    open_store(url).close()
    store = reopen_store(url)
    with store.read() as tx:
        assert people.count(tx, 1) == 0
    with pytest.raises(RuntimeError, match="looked at"), store.write():
        pass
    store.close()
    for revision, error in (("0000", StateError), ("9999", NewerSchema)):
        with sqlite3.connect(tmp_path / "state.db") as database:
            database.execute("UPDATE stagesync_version SET version_num = ?", (revision,))
        database.close()
        with pytest.raises(error):
            reopen_store(url)
    assert REVISION not in ("0000", "9999")
