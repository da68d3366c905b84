"""Whatever somebody does and whatever fails, under rules, clocks and authority: the ledger leads everybody to where they are, and all comes to rest.

`STAGESYNC_HISTORIES=5000` runs more histories, `STAGESYNC_HISTORY=417` replays one and prints its story.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lifecycle_histories import Ruled, calmed, lived, policy

from stagesync.state import entries, people

COUNT = int(os.environ.get("STAGESYNC_HISTORIES", "18"))
REPLAYED = os.environ.get("STAGESYNC_HISTORY")
SEEDS = [int(REPLAYED)] if REPLAYED else range(COUNT)
PARTS = min(6, len(SEEDS))


@pytest.mark.parametrize("part", range(PARTS))
def test_random_histories_under_a_policy(part: int, tmp_path: Path) -> None:
    """People are moved, put aside, cleared, asked about and converted while calls fail and the program dies: the ledger is whole."""
    for seed in list(SEEDS)[part::PARTS]:
        wrong, story = lived(seed, tmp_path / str(seed))
        assert not wrong, "\n".join([*story, *wrong, f"replay it with STAGESYNC_HISTORY={seed}"])


PLACES = [*((name, number) for name in ("hub", "crm") for number in range(1, 9)), *((moment, n) for moment in ("commit", "committed") for n in range(1, 19))]
"""The places at which the program may die in a run that carries over what two rules, a clock and somebody's unauthorised move decided."""


def dying(place: str, number: int, folder: Path) -> tuple[list[str], list[str]]:
    """Anna comes to meet two rules, Ben is moved by those who may not, Cleo has waited too long; the program dies there, and is started again."""
    folder.mkdir()
    lab = Ruled(folder, policy(unauthorised="put back", breach="propose", also=()))
    for human, stage in (("Anna", "lead"), ("Ben", "mql"), ("Cleo", "lead")):
        lab.make("hub", human, {"email": f"{human.lower()}@x.example", "stage": stage})
    lab.round()
    anna, ben, cleo = (next(row for row in lab.rows("hub") if row.values["last_name"] == human) for human in ("Anna", "Ben", "Cleo"))
    lab.later()
    lab.type(cleo, "stage", "mql")
    lab.round()
    lab.later(7200)
    lab.type(anna, "job_title", "Jo1")
    lab.type(anna, "city", "Ci2")
    lab.type(ben, "stage", "sql")
    lab.make("crm", "Dan", {"email": "dan@x.example", "stage": "mql"})
    lab.dies_at = (place, number)
    lab.round()
    lab.calm()
    wrong = list(calmed(lab))
    with lab.store.read() as tx:
        known = [row.id for row in people.each(tx, lab.session.workspace, 0, 10)]
        ledger = [[stay.stage for stay in stays] for stays in entries.of_people(tx, known).values()]
    if sorted(ledger) != [["lead", "mql"], ["lead", "mql", "sal"], ["mql"], ["mql"]]:
        wrong.append(f"the ledger says {ledger}")
    lab.store.close()
    return wrong, lab.story


@pytest.mark.parametrize("part", range(4))
def test_the_ledger_survives_death_at_any_call_and_commit(part: int, tmp_path: Path) -> None:
    """Wherever the program dies, nobody enters a place twice or not at all, and the clock that ran out is told."""
    places = PLACES if COUNT > 1_000 else PLACES[1::3]
    for place, number in places[part::4]:
        wrong, story = dying(place, number, tmp_path / f"{place}{number}")
        assert not wrong, "\n".join([*story, *wrong, f"died at {place} {number}"])
