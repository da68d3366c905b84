"""Whatever somebody does and whatever fails: when it is calm again, everything is agreed, accounted for, and quiet.

`STAGESYNC_HISTORIES=5000` runs more histories, `STAGESYNC_HISTORY=417` replays one and prints its story.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Literal

import pytest
from histories import History
from lab import Lab
from oracle import settled

from stagesync.sandbox.faults import Fault

COUNT = int(os.environ.get("STAGESYNC_HISTORIES", "30"))
REPLAYED = os.environ.get("STAGESYNC_HISTORY")
SEEDS = [int(REPLAYED)] if REPLAYED else range(COUNT)
PARTS = min(6, len(SEEDS))


def _wrong(seed: int, folder: Path) -> tuple[list[str], list[str]]:
    """One history from its seed: what is wrong in the end, and the story."""
    folder.mkdir()
    random = Random(seed)
    lab = Lab(folder, second=seed % 3 == 0)
    try:
        History(lab, random).live(random.randint(2, 5))
        return list(settled(lab)), lab.story
    finally:
        lab.store.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_random_histories(part: int, tmp_path: Path) -> None:
    """Edits, clears, new people, moves, conversions, merges and deletions, also between our own calls, with faults and deaths, end well."""
    for seed in list(SEEDS)[part::PARTS]:
        wrong, story = _wrong(seed, tmp_path / str(seed))
        assert not wrong, "\n".join([*story, *wrong, f"replay it with STAGESYNC_HISTORY={seed}"])


PLACES = [*((name, number) for name in ("hub", "crm") for number in range(1, 9)), *(("commit", number) for number in range(1, 22))]
"""The places in a run of one edit at which something can go wrong: calls to either world, commits of the state."""


Trouble = Literal["dies", "died after", "lost_before", "lost_after", "truncated"]


def _troubles() -> Iterator[tuple[str, int, Trouble, str]]:
    """(place, number, fault, the world in which the same field is edited again)."""
    thorough = COUNT > 1_000
    for place, number in PLACES:
        faults: tuple[Trouble, ...] = ("dies", "died after") if place == "commit" else ("dies", "lost_before", "lost_after", "truncated")
        for index, fault in enumerate(faults):
            for world in ("hub", "crm"):
                if thorough or (number + index) % 4 == (place == "hub") + 2 * (world == "hub"):
                    yield place, number, fault, world


def _trouble(lab: Lab, place: str, number: int, fault: Trouble, again: str) -> list[str]:
    """An edit; in the run that carries it over something fails, and the same field is edited again in the same moment or before the next run."""
    lab.make("hub", "Human1", {"email": "human1@x.example", "city": "Bonn", "stage": "lead"})
    lab.make("crm", "Human2", {"email": "human2@x.example", "stage": "mql"})
    lab.round()
    lab.later()
    row = next(row for row in lab.rows("hub") if row.values["last_name"] == "Human1")
    lab.type(row, "city", "Ulm")
    lab.type(row, "stage", "sql")

    def edit_again() -> None:
        mine = next(row for row in lab.rows(again) if row.values["last_name"] == "Human1")
        lab.type(mine, "city", "Kiel")

    if fault in ("dies", "died after"):
        lab.dies_at = ("committed" if fault == "died after" else place, number)
    else:
        lab.worlds()[place].faults.add(Fault(fault, skip=number - 1))
    lab.moments[(again, number)] = edit_again  # where the run makes fewer calls, it happens right after it
    lab.round()
    lab.calm()
    lab.later()
    return list(settled(lab))


@pytest.mark.parametrize("part", range(6))
def test_trouble_at_every_call_and_commit(part: int, tmp_path: Path) -> None:
    """An edit, a fault at any call or commit of the run that carries it over, and the same field edited again: nothing is lost."""
    for place, number, fault, again in list(_troubles())[part::6]:
        folder = tmp_path / f"{place}{number}{fault}{again}"
        folder.mkdir()
        lab = Lab(folder)
        wrong = _trouble(lab, place, number, fault, again)
        lab.store.close()
        assert not wrong, "\n".join([*lab.story, *wrong, f"{fault} at {place} {number}, edited again in {again}"])
