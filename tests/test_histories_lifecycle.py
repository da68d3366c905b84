"""Whatever somebody does and whatever fails, under rules, clocks and authority: the ledger leads everybody to where they are, and all comes to rest.

`STAGESYNC_HISTORIES=5000` runs more histories, `STAGESYNC_HISTORY=417` replays one and prints its story.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lifecycle_histories import lived

COUNT = int(os.environ.get("STAGESYNC_HISTORIES", "24"))
REPLAYED = os.environ.get("STAGESYNC_HISTORY")
SEEDS = [int(REPLAYED)] if REPLAYED else range(COUNT)
PARTS = min(6, len(SEEDS))


@pytest.mark.parametrize("part", range(PARTS))
def test_random_histories_under_a_policy(part: int, tmp_path: Path) -> None:
    """People are moved, put aside, cleared, asked about and converted while calls fail and the program dies: the ledger is whole."""
    for seed in list(SEEDS)[part::PARTS]:
        wrong, story = lived(seed, tmp_path / str(seed))
        assert not wrong, "\n".join([*story, *wrong, f"replay it with STAGESYNC_HISTORY={seed}"])
