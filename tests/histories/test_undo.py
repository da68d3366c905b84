"""Undo under random work and deaths: what the run wrote goes back, whatever was done before, and wherever the program died.

`STAGESYNC_HISTORIES=5000` runs more of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from histories import History
from lab import Died, Lab
from undoing import undo, worlds

from stagesync.model.errors import StagesyncError
from stagesync.state import leases
from stagesync.sync import engine
from stagesync.sync.undoing.undo import UndoPlan, plan_undo

COUNT = int(os.environ.get("STAGESYNC_HISTORIES", "30"))
Seen = TypeVar("Seen")
DEEDS = {"edit": 10, "clear": 2, "make": 2, "both": 2, "stage": 5, "lower": 2, "address": 1}


def prepared(folder: Path, seed: int, look: Callable[[Lab], Seen]) -> tuple[Lab, Seen, int]:
    """Some people in agreement, then edits, then a run: the lab, what a look at the worlds showed before the run, and its number."""
    folder.mkdir(exist_ok=True)
    lab = Lab(folder, second=seed % 3 == 0)
    history = History(lab, Random(seed), deeds={"both": 1})
    for _ in range(3):
        history.deed()
    lab.quiet()
    lab.later()
    history.deeds = DEEDS
    for _ in range(8):
        history.deed()
    lab.later()
    before = look(lab)
    run = lab.run().run
    lab.later()
    return lab, before, run


def wrong(seed: int, folder: Path) -> list[str]:
    """One history in which nobody does anything after the run: what is not as it was before."""
    lab, before, run = prepared(folder, seed, worlds)
    made, report = undo(lab, run)
    found = [f"refused: {each}" for each in made.refusals] + _differ(before, worlds(lab))
    after = lab.quiet()
    found += [f"quiet after {after} runs"] if after != 1 else []
    found += [f"after the next sync: {each}" for each in _differ(before, worlds(lab))]
    lab.later()
    undo(lab, report.run)
    undo(lab, run)
    lab.store.close()
    return found


def _differ(before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> list[str]:
    """What is other than it was, record by record."""
    return [f"{record}: {before.get(record)} -> {now.get(record)}" for record in sorted({*before, *now}) if before.get(record) != now.get(record)]


@pytest.mark.parametrize("seed", range(max(8, COUNT // 10)))
def test_all_that_a_run_wrote_goes_back(seed: int, tmp_path: Path) -> None:
    """After random edits, a run and its undo, the worlds are as they were before the run, and stay so."""
    assert wrong(seed, tmp_path) == []


def values(lab: Lab) -> dict[tuple[str, str, str], str | None]:
    """(human, record, field) -> what stands there."""
    rows = [row for world in lab.worlds() for row in lab.rows(world)]
    return {(str(row.values["last_name"]), f"{row.world} {row.id}", name): value for row in rows for name, value in row.values.items()}


@pytest.mark.parametrize("seed", range(max(8, COUNT // 10)))
def test_nobodys_edit_is_undone(seed: int, tmp_path: Path) -> None:
    """What somebody typed after the run stands where they typed it; every field that nobody touched is as it was before the run."""
    lab, before, run = prepared(tmp_path, 1_000 + seed, values)
    random = Random(seed)
    first = len(lab.doings)
    history = History(lab, random, deeds={"edit": 8, "clear": 1, "stage": 2})
    history.tokens = 5_000
    for _ in range(random.randint(1, 6)):
        history.deed()
    lab.later()
    typed = {(doing.human, f"{doing.world} {doing.id}", doing.field): doing.value for doing in lab.doings[first:]}
    touched = {(human, name) for human, _, name in typed}
    made, _ = undo(lab, run)
    now = values(lab)
    assert {place: now[place] for place in typed} == typed
    stays = {each.person for each in made.refusals if each.field == "record"}
    untouched = {place: value for place, value in now.items() if (place[0], place[2]) not in touched}
    assert {place: value for place, value in untouched.items() if place in before and before[place] != value} == {}
    assert stays or not [place for place in untouched if place not in before]
    lab.quiet()
    lab.store.close()


def until_undone(lab: Lab, run: int) -> UndoPlan:
    """Undo, as often as it takes, as somebody does whose program died."""
    for _ in range(3):
        made, _ = undo(lab, run)
        if made.empty:
            return made
    raise AssertionError("there is always something left to undo")


def dies(lab: Lab, run: int, place: str, number: int) -> bool:
    """The undo dies at that call or commit; False where it came to its end before."""
    lab.clock.at += 1
    lab.commits = 0
    lab.calls.clear()
    lab.dies_at = (place, number)
    error: Exception | None = None
    try:
        with leases.acquire(lab.store, lab.session.workspace, "test"):
            made = plan_undo(lab.session, run)
            error = engine.apply(lab.session, made.plan.run, planned=made.plan).error
    except (StagesyncError, Died):
        pass
    if not lab.dead:
        lab.calm()
        return isinstance(error, Died)
    lab.restart()
    lab.later()
    return True


PLACES = [
    *((place, number) for place in ("commit", "committed") for number in range(1, 13)),
    *((world, number) for world in ("hub", "crm") for number in range(1, 7)),
]


@pytest.mark.parametrize("place", PLACES if COUNT > 100 else PLACES[5::4], ids=lambda place: f"{place[0]} {place[1]}")
def test_an_undo_that_dies_is_finished_by_the_next(place: tuple[str, int], tmp_path: Path) -> None:
    """Wherever it died, the run is undone in the end, with or without a sync in between, and no sync brings anything of it back."""
    lab, before, run = prepared(tmp_path, 7 + place[1] % 3, worlds)
    dies(lab, run, *place)
    if place[1] % 2:
        lab.run()
        lab.later()
    assert until_undone(lab, run).refusals == ()
    assert _differ(before, worlds(lab)) == []
    lab.quiet()
    assert _differ(before, worlds(lab)) == []
    lab.store.close()
