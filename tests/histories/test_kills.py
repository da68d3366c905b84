"""A `sync` that is killed at any instant and started again ends where an unbroken one does.

`STAGESYNC_KILLS=200` kills more often, `STAGESYNC_KILLS_POSTGRES=200` on PostgreSQL; `STAGESYNC_KILL=417` replays one life.
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from kills import life

KILLS = int(os.environ.get("STAGESYNC_KILLS", "20"))
POSTGRES_KILLS = int(os.environ.get("STAGESYNC_KILLS_POSTGRES", "2"))
REPLAYED = os.environ.get("STAGESYNC_KILL")
IN_A_LIFE = 7

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs are killed in another way there")


def lives(kills: int) -> list[tuple[int, int]]:
    """(seed, kills) of each life."""
    if REPLAYED:
        return [(int(REPLAYED), min(kills, IN_A_LIFE))]
    return [(first // IN_A_LIFE, min(IN_A_LIFE, kills - first)) for first in range(0, kills, IN_A_LIFE)]


@pytest.mark.parametrize(("seed", "kills"), lives(KILLS))
def test_a_killed_sync_goes_on_where_it_was(seed: int, kills: int, tmp_path: Path) -> None:
    """Both worlds hold the same as those of an unbroken twin, nobody twice, nothing lost; `verify` is clean and the next run quiet."""
    with life(tmp_path, seed, kills) as lived:
        wrong = lived.live()
        assert not wrong, "\n".join([*lived.story, *wrong, f"replay it with STAGESYNC_KILL={seed}"])


@pytest.mark.parametrize(("seed", "kills"), lives(POSTGRES_KILLS))
def test_a_killed_sync_on_a_server_goes_on_where_it_was(seed: int, kills: int, tmp_path: Path, postgres_url: str) -> None:
    """The same on PostgreSQL, once the dead run's right has ended."""

    def a_minute_passes() -> None:
        with psycopg.connect(postgres_url) as connection:
            connection.execute("UPDATE lease SET until = 0")

    with life(tmp_path, seed, kills, postgres_url, a_minute_passes) as lived:
        wrong = lived.live()
        assert not wrong, "\n".join([*lived.story, *wrong, f"replay it with STAGESYNC_KILL={seed}"])
