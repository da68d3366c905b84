"""`plan`, `sync` and `apply` from the command line, against both worlds over sockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cli_box import Box, QuickClock, box, cli

from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds
from stagesync.state import actions, runs
from stagesync.sync import engine

DAY_MS = 24 * 3600 * 1000
IDENTITY = ("GET /account-info/v3/details", "GET /services/oauth2/userinfo")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Box]:
    """Both worlds with some dozens of people."""
    with box(tmp_path) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Box]:
    """Both worlds, empty, without duplicate rules."""
    with box(tmp_path, worlds=Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))) as made:
        yield made


def digest_in(text: str) -> str:
    """The digest that a message offers for approval."""
    found = re.search(r"--approve (\S+?)[`\s]", text)
    assert found is not None, text
    return found.group(1)


def contacts(made: Box, count: int, **values: str) -> list[str]:
    """So many contacts in HubSpot."""
    return [made.worlds.hubspot.by_hand.create({"email": f"p{number}@acme.example", "lastname": f"Lee{number}", **values}) for number in range(count)]


def test_a_first_sync_without_a_terminal_needs_a_yes(full: Box) -> None:
    """Nobody can be asked: exit 3 with the reason and the digest, the plan on stdout, and not one call that writes."""
    result = full.run("sync")
    assert result.exit_code == 3
    assert "this is the first run of this workspace" in result.stderr
    assert "stagesync sync --yes" in result.stderr
    assert digest_in(result.stderr) in result.stdout
    assert full.written() == []


def test_yes_syncs_and_the_next_run_writes_nothing(full: Box) -> None:
    """The last line has the fixed keys in their order; the second run says that it wrote nothing, and makes no call that writes."""
    result = full.run("sync", "--yes")
    assert result.exit_code in (0, 1), result.stderr
    pairs = [part.partition("=") for part in result.stdout.splitlines()[-1].split(" ")]
    assert [key for key, _, _ in pairs] == [
        *("people", "created", "updated", "held", "rejected", "overruled"),
        *("hubspot.writes", "hubspot.calls", "salesforce.writes", "salesforce.calls", "own_s", "vendor_s"),
    ]
    numbers = {key: float(value) for key, _, value in pairs}
    assert numbers["created"] > 0
    assert numbers["created"] + numbers["updated"] == numbers["hubspot.writes"] + numbers["salesforce.writes"]
    full.run("sync", "--yes")
    full.reset()
    again = full.run("sync")
    assert again.exit_code == 0, again.stderr
    assert re.fullmatch(r"0 writes: (everything agrees|\d+ held)", again.stdout.splitlines()[-2])
    assert full.written() == []


def test_json_is_one_object_with_the_same_keys(full: Box) -> None:
    """`--json` prints nothing besides the object, for a run as for a stop."""
    stopped = full.json("sync")
    assert stopped["stops"][-1]["kind"] == "first"
    told = full.json("sync", "--yes")
    assert {"people", "created", "updated", "held", "rejected", "overruled", "hubspot.writes", "salesforce.calls", "own_s", "vendor_s"} <= told.keys()


def test_a_plan_writes_nothing_and_its_digest_applies_it(full: Box) -> None:
    """`plan` shows a digest; `apply` with it does what the plan said, once."""
    plan = full.run("plan")
    assert plan.exit_code == 0, plan.stderr
    assert full.written() == []
    digest = full.json("plan")["digest"]
    applied = full.run("apply", "--approve", digest)
    assert applied.exit_code in (0, 1), applied.stderr
    assert full.written() != []
    again = full.run("apply", "--approve", digest)
    assert (again.exit_code, "that plan is applied" in again.stderr) == (2, True)


def test_an_unknown_digest_is_refused(full: Box) -> None:
    """A digest that no plan has gives exit 2 and the next step."""
    result = full.run("sync", "--approve", "0123abcd")
    assert result.exit_code == 2
    assert "there is no such plan: 0123abcd" in result.stderr
    assert "stagesync plan" in result.stderr


def test_a_dry_run_shows_the_plan_and_stops(full: Box) -> None:
    """`--dry-run` needs no approval, exits 0 and writes nothing."""
    result = full.run("sync", "--dry-run")
    assert result.exit_code == 0
    assert full.written() == []


def test_a_limit_bounds_the_writes_and_the_rest_follows(small: Box) -> None:
    """`--limit 2` makes two records; the next run makes the others."""
    contacts(small, 5)
    assert small.json("sync", "--yes", "--limit", "2")["created"] == 2
    assert small.json("sync", "--yes")["created"] == 3


def test_clears_need_more_than_a_yes(small: Box) -> None:
    """Twenty cleared values stop the run in spite of `--yes`; the approved plan clears them."""
    ids = contacts(small, 20, phone="+14155550100")
    small.run("sync", "--yes")
    small.later(1000)
    for id in ids:
        small.worlds.hubspot.by_hand.edit(id, {"phone": None})
    small.reset()
    stopped = small.run("sync", "--yes")
    assert stopped.exit_code == 3
    assert "20 clears in salesforce" in stopped.stderr
    assert "--yes`" not in stopped.stderr
    assert small.written() == []
    applied = small.run("sync", "--approve", digest_in(stopped.stderr))
    assert applied.exit_code == 0, applied.stderr
    assert [row.get("Phone") for row in small.worlds.salesforce.rows("Lead")] == [None] * 20


def test_an_edit_between_plan_and_apply_is_left_alone(small: Box) -> None:
    """Who was read anew since the plan is skipped and told, exit 1; with `--strict` nothing at all is applied, exit 3."""
    ids = contacts(small, 3)
    small.run("sync", "--yes")
    small.later(1000)
    for number, id in enumerate(ids):
        small.worlds.hubspot.by_hand.edit(id, {"jobtitle": f"Head {number}"})
    digest = small.json("plan")["digest"]
    lead = next(row for row in small.worlds.salesforce.rows("Lead") if row["Email"] == "p1@acme.example")
    small.worlds.salesforce.edit(str(lead["Id"]), {"Title": "Boss"})
    small.reset()
    strict = small.run("apply", "--approve", digest, "--strict")
    assert strict.exit_code == 3
    assert "1 records were edited since this plan was made" in strict.stderr
    assert not any(call.startswith("PATCH") for call in small.calls())
    applied = small.run("apply", "--approve", digest)
    assert applied.exit_code == 1
    assert "updated=2" in applied.stdout
    assert {row["Email"]: row["Title"] for row in small.worlds.salesforce.rows("Lead")}["p1@acme.example"] == "Boss"
    small.later(1000)
    assert small.run("sync").exit_code == 0


def test_only_plans_for_the_people_that_are_named(small: Box) -> None:
    """`--only` takes addresses, from stdin too; the others stay for the next run; an unknown name is exit 2."""
    ids = contacts(small, 3)
    small.run("sync", "--yes")
    small.later(1000)
    for id in ids:
        small.worlds.hubspot.by_hand.edit(id, {"jobtitle": "Head"})
    result = small.run("sync", "--json", "--only", "-", input="p0@acme.example\n\np2@acme.example\n")
    assert '"updated":2' in result.stdout
    assert small.json("sync")["updated"] == 1
    unknown = small.run("sync", "--only", "nobody@acme.example")
    assert (unknown.exit_code, "nobody is known as" in unknown.stderr) == (2, True)
    empty = small.run("sync", "--only", "-", input="")
    assert (empty.exit_code, "nobody was named on stdin" in empty.stderr) == (2, True)


def test_a_changed_mapping_is_asked_about(small: Box) -> None:
    """After another field map the run wants an answer again, exit 3, if it would write anything."""
    contacts(small, 2, jobtitle="Head")
    small.run("sync", "--yes")
    small.add('\n[fields.job_title]\npolicy = "always salesforce"\n')
    for row in list(small.worlds.salesforce.rows("Lead")):
        small.worlds.salesforce.edit(str(row["Id"]), {"Title": "Boss"})
    small.reset()
    stopped = small.run("sync")
    assert stopped.exit_code == 3
    assert small.written() == []
    assert "the mapping, funnel or rules changed since the last run" in stopped.stderr
    assert small.run("sync", "--yes").exit_code == 0


def test_a_quiet_run_makes_four_calls(small: Box) -> None:
    """With nothing changed and no window open: one search in HubSpot, in Salesforce one query for each kind and one for opportunities, and nobody is asked
    who he is."""
    contacts(small, 3)
    small.run("sync", "--yes")
    small.later(3600)
    small.run("sync")
    small.later(3600)
    small.reset()
    assert small.run("sync").exit_code == 0
    assert sum(small.worlds.hubspot.calls.values()) == 1
    assert sum(small.worlds.salesforce.calls.values()) == 3


def test_accounts_are_looked_at_again_after_a_day(small: Box) -> None:
    """What an account looks like is kept for a day, and no longer."""
    small.run("sync", "--yes")
    config = load(small.config)
    small.reset()
    clock = QuickClock()
    with wiring.opened(config, clock) as place, wiring.connected(place):
        assert small.calls() == {}
    clock.sleep(DAY_MS / 1000 + 1)
    with wiring.opened(config, clock) as place, wiring.connected(place):
        assert all(small.calls()[call] == 1 for call in IDENTITY)


def test_another_credential_is_looked_at_anew(small: Box) -> None:
    """A new token may see another account or other rights: identity and fields are read again."""
    small.run("sync", "--yes")
    small.worlds.hubspot.tokens.static = "pat-other"
    small.replace("pat-sandbox-token", "pat-other")
    small.reset()
    assert small.run("sync").exit_code == 0
    assert small.calls()[IDENTITY[0]] == 1
    assert IDENTITY[1] not in small.calls()


def test_another_portal_stops_the_run(tmp_path: Path) -> None:
    """A credential of another portal under the same name is exit 3 naming both; the digest in the message allows it."""
    with box(tmp_path, people=0) as first:
        first.run("sync", "--yes")
        state = first.config
    worlds = Worlds(HubSpotWorld(portal_id=99), SalesforceWorld())
    with box(tmp_path, worlds=worlds) as second:
        assert second.config == state
        second.run("sync", "--yes")
        stopped = second.run("sync", "--yes")
        assert stopped.exit_code == 3
        assert "hubspot 99" in stopped.stderr
        assert "hubspot 4710017" in stopped.stderr
        allowed = second.run("sync", "--yes", "--approve", digest_in(stopped.stderr))
        assert allowed.exit_code == 0, allowed.stderr
        assert second.run("sync").exit_code == 0


def test_one_account_under_two_names_is_a_mistake(small: Box) -> None:
    """The same portal twice would be kept the same with itself: exit 2."""
    text = small.config.read_text("utf-8")
    table = text[text.index("[systems.hubspot]") : text.index("[systems.salesforce]")]
    small.add("\n" + table.replace("systems.hubspot", "systems.twin"))
    result = small.run("sync", "--yes")
    assert result.exit_code == 2
    assert "are the same account" in result.stderr


def test_a_rejection_that_names_a_field_makes_the_next_run_look_again(small: Box) -> None:
    """The account's fields may have changed: what is known of it is read anew."""
    contacts(small, 2)
    small.worlds.salesforce.fail_rows("STRING_TOO_LONG", "too long", times=1, kind="Lead")
    first = small.json("sync", "--yes")
    assert first["rejected"] == 1
    with wiring.opened(load(small.config)) as place, place.store.read() as tx:
        last = runs.last(tx, place.id)
        assert last is not None
        named = [(row.result or {}).get("field") for row in actions.of_run(tx, last.id, ("rejected",), 0, 10)]
    small.reset()
    small.run("sync")
    assert ("GET /services/oauth2/userinfo" in small.calls()) is bool(named[0])


def test_two_runs_at_once_do_not_happen(small: Box) -> None:
    """The second is exit 3 and names the first; nothing is asked of any system."""
    with wiring.opened(load(small.config)) as place, wiring.held(place, "sync"):
        small.reset()
        result = small.run("sync", "--yes")
    assert result.exit_code == 3
    assert re.search(r"workspace 'box' is held by stagesync sync on \S+, pid \d+ since", result.stderr)
    assert small.calls() == {}


def test_the_state_may_live_in_postgresql(small: Box, postgres_url: str) -> None:
    """A url is all it takes: sync, quiet run, and one run at a time; no file is made beside the configuration."""
    contacts(small, 3)
    small.add(f'\n[state]\nurl = "{postgres_url}"\n')
    assert small.json("sync", "--yes")["created"] == 3
    assert "0 writes: everything agrees" in small.run("sync").stdout
    with wiring.opened(load(small.config)) as place, wiring.held(place, "sync"):
        result = small.run("sync")
    assert (result.exit_code, "is held by stagesync sync on" in result.stderr) == (3, True)
    assert [path.name for path in small.config.parent.iterdir()] == ["box.toml"]


def test_a_removed_system_is_not_touched(small: Box) -> None:
    """Without its table a system is neither read nor written, and what was linked stays linked."""
    contacts(small, 2)
    small.run("sync", "--yes")
    text = small.config.read_text("utf-8")
    small.config.write_text(text[: text.index("[systems.salesforce]")], "utf-8")
    small.worlds.salesforce.calls.clear()
    assert small.run("sync", "--yes").exit_code == 0
    assert small.worlds.salesforce.calls == {}
    small.config.write_text(text, "utf-8")
    assert small.json("sync", "--yes")["created"] == 0


def test_approve_goes_with_no_other_plan(small: Box) -> None:
    """`--approve` together with `--only` is a contradiction: exit 2."""
    result = small.run("sync", "--approve", "x", "--only", "a@b.example")
    assert (result.exit_code, "--approve carries out a stored plan as it is" in result.stderr) == (2, True)


def test_a_plan_file_needs_a_known_ending(small: Box) -> None:
    """`--out plan.docx` is refused before anything is read."""
    result = small.run("plan", "--out", "plan.docx")
    assert (result.exit_code, small.calls()) == (2, {})
    assert "end the name in .json, .csv, .html" in result.stderr


def test_a_stopped_engine_is_told_by_an_event(small: Box) -> None:
    """A run that is asked to stop before its first batch writes nothing, and the next run writes all."""
    contacts(small, 3)
    with wiring.opened(load(small.config)) as place, wiring.held(place, "test"), wiring.connected(place) as session:
        report = engine.plan(session)
        small.reset()
        engine.apply(replace(session, stop=lambda: True), report.run, planned=report)
        assert small.written() == []
    assert small.json("sync", "--yes")["created"] == 3


def commands(*words: str) -> Iterator[tuple[str, ...]]:
    """Every command, those in groups included."""
    for name in re.findall(r"^│ ([a-z]+)  ", cli(*words, "--help").stdout.partition("Commands")[2], re.MULTILINE):
        inner = list(commands(*words, name))
        yield from inner or [(*words, name)]


def test_help_shows_an_example_for_every_command() -> None:
    """Each command's help has its options and an example."""
    listed = list(commands())
    assert len(listed) >= 12
    for words in listed:
        shown = re.sub(r"\s+", " ", cli(*words, "--help").stdout)
        assert f"Example: stagesync {' '.join(words)}" in shown, words
