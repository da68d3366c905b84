"""`stagesync schedule`: next and last runs of every workspace, and what a timetable costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box, cli

from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.state import schedule


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """Two people in both worlds."""
    with box(tmp_path, people=2) as made:
        yield made


def shown(*paths: Path) -> list[dict[str, Any]]:
    """What `schedule --json` says of each workspace."""
    return orjson.loads(cli("schedule", "--json", *map(str, paths)).stdout)["workspaces"]


def test_before_anything_ran(acme: Box) -> None:
    """The timetable, and that the first run is made by hand."""
    result = cli("schedule", str(acme.config))
    assert result.exit_code == 0
    assert "Workspace box" in result.stdout
    assert "every 1 min" in result.stdout
    assert "when `stagesync serve` is started" in result.stdout
    assert "the first is made by hand: `stagesync sync`" in result.stdout


def test_after_runs_the_cost_of_a_quiet_one_is_known(acme: Box) -> None:
    """The least that a quiet run needed, times the runs of a day, against the daily quota; before there was one, that is said."""
    acme.run("sync", "--yes")
    assert "if each wrote something, as all did so far" in cli("schedule", str(acme.config)).stdout
    acme.later(3600)
    quiet = acme.run("sync").stdout.splitlines()[-1]
    calls = int(quiet.partition("salesforce.calls=")[2].split()[0])
    acme.add('\n[schedule]\nevery = "15m"\n')
    (found,) = shown(acme.config)
    cost = next(cost for cost in found["costs"] if cost["system"] == "salesforce")
    assert cost["runs_a_day"] == 96
    assert cost["calls"] == calls
    assert cost["calls_a_day"] == 96 * calls
    assert cost["daily_limit"] > 0
    assert found["last_run"]["state"] == "applied"
    assert "96 runs a day of" in cli("schedule", str(acme.config)).stdout


def test_a_timetable_that_cannot_be_paid_is_noted_by_check(acme: Box) -> None:
    """Where a quiet day costs more calls than the account has, `check` says so and stays fine."""
    for _ in range(2):
        acme.run("sync", "--yes")
    acme.add('\n[schedule]\nevery = "1s"\n')
    result = acme.run("check")
    assert result.exit_code == 0, result.stdout
    assert "schedule: every 1 s is more than the daily quota of salesforce allows" in result.stdout


def test_what_a_service_left_is_told_in_the_zone(acme: Box) -> None:
    """Next run, how the last one ended and how often in a row; a run without an end is said to be one."""
    acme.add('\n[schedule]\ncron = "0 6 * * *"\nzone = "Asia/Tokyo"\n')
    config = load(acme.config)
    with wiring.opened(config) as place:
        with place.store.write() as tx:
            schedule.set_next(tx, place.id, "0 6 * * *", 4_070_898_000_000, 4_070_898_000_000)
            schedule.begin(tx, place.id, 1_798_750_800_000, "stagesync serve on box, pid 1")
            schedule.end(tx, place.id, 1_798_750_801_000, "unreachable", "hubspot does not answer", 3)
        text = cli("schedule", str(acme.config)).stdout
        assert "2099-01-01 06:00:00 JST" in text
        assert "ended 2027-01-01 06:00:01 JST, unreachable, 3 times in a row: hubspot does not answer" in text
        with place.store.write() as tx:
            schedule.begin(tx, place.id, 1_798_750_900_000, "stagesync serve on box, pid 2")
        assert "pid 2 began 2027-01-01 06:01:40 JST and has not ended" in cli("schedule", str(acme.config)).stdout
        with place.store.write() as tx:
            schedule.set_next(tx, place.id, "0 6 * * *", 1_000, 1_000)
        assert "is `stagesync serve` running?" in cli("schedule", str(acme.config)).stdout


def test_a_folder_of_configurations_and_one_that_is_broken(acme: Box) -> None:
    """Each workspace is shown; what is wrong with the broken one is told, exit 2."""
    (acme.config.parent / "broken.toml").write_text("[systems", "utf-8")
    (acme.config.parent / "second.toml").write_text(acme.config.read_text("utf-8"), "utf-8")
    result = cli("schedule", str(acme.config.parent))
    assert result.exit_code == 2
    assert "Workspace box" in result.stdout
    assert "Workspace second" in result.stdout
    assert "broken.toml" in result.stderr


def test_one_workspace_in_two_files_is_refused(acme: Box) -> None:
    """It would be run twice by one service."""
    twin = acme.config.with_name("twin.toml")
    twin.write_text(acme.config.read_text("utf-8") + '\n[workspace]\nname = "box"\n', "utf-8")
    result = cli("schedule", str(acme.config), str(twin))
    assert result.exit_code == 2
    assert "mean the same workspace 'box'" in result.stderr


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    """Exit 2 with what to do."""
    result = cli("schedule", str(tmp_path))
    assert result.exit_code == 2
    assert "the folder holds no configuration" in result.stderr
