"""A migration whose phases are killed or told to stop at any instant, and started again, ends where an unbroken one does.

`make kills` kills a load 20 times; `STAGESYNC_LOAD_KILLS=20` does so by itself, `STAGESYNC_MOVE=7` replays one life.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
from killed_moves import killed_move
from kills import CREATE_LEADS, TIMEOUT_S, Stand
from moving import WAY, Move, fates, move
from programs import Program
from service import until

KILLS = int(os.environ.get("STAGESYNC_LOAD_KILLS", "2"))
REPLAYED = os.environ.get("STAGESYNC_MOVE")
IN_A_LIFE = 7

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs are killed in another way there")


def test_a_killed_migration_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    """Loads are killed until that has been done so often, one after the other, and the rehearsal, the proof and the cutover around each: both worlds, the
    ledger and the sum are those of the twin, nobody is there twice, and the proof holds."""
    died: Counter[str] = Counter()
    for seed in [int(REPLAYED)] if REPLAYED else count():
        if died["load"] >= KILLS:
            break
        with killed_move(tmp_path / str(seed), seed, min(IN_A_LIFE, KILLS - died["load"])) as lived:
            wrong = lived.live()
        assert not wrong, "\n".join([*lived.story, *wrong, f"replay it with STAGESYNC_MOVE={seed}"])
        died += lived.died


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[tuple[Move, Stand]]:
    """A portal and an org with nobody in them, and programs of their own over them."""
    with move(tmp_path) as made:
        yield made, Stand(made.box, None, TIMEOUT_S)


def test_a_load_that_is_told_to_stop_ends_the_batch_in_hand(ours: tuple[Move, Stand]) -> None:
    """SIGTERM during the first of two batches: its two hundred arrive, the others do not, exit 130 with what to do; then it goes on, and nobody is there
    twice."""
    made, place = ours
    made.people(210)
    digest = made.json("survey", *WAY)["digest"]
    met: list[Program] = []

    def stop() -> None:
        met[0].signal(SIGTERM)
        until(lambda: "stopping after the batch in hand" in met[0].err)

    place.at_call(CREATE_LEADS, stop)
    met.append(place.start("migrate", "load", "--approve", digest))
    assert (met[0].ended(), "`stagesync migrate load` goes on where it was" in met[0].err) == (130, True), met[0].err
    assert len(list(made.crm.rows("Lead"))) == 200
    assert "Next: `stagesync migrate load`" in met[0].out
    assert fates(made.json("load")) == {"created": 210}
    assert len(list(made.crm.rows("Lead"))) == 210


def test_a_rehearsal_that_is_killed_is_finished_by_the_load(ours: tuple[Move, Stand]) -> None:
    """Nobody can tell what became of its writes, so it is not put back: that is said, exit 1, and everybody arrives once all the same."""
    made, place = ours
    made.people(4)
    digest = made.json("survey", *WAY)["digest"]
    met: list[Program] = []
    place.at_call(CREATE_LEADS, lambda: met[0].signal(SIGKILL))
    met.append(place.start("migrate", "rehearse", "--yes", "--people", "2"))
    assert met[0].ended() == -SIGKILL
    told = made.phase("rehearse", "--undo")
    assert (told.exit_code, "broke off" in told.stdout) == (1, True), told.stderr
    assert place.start("migrate", "load", "--approve", digest).ended() == 0
    assert fates(made.json("verify")) == {"created": 4}
