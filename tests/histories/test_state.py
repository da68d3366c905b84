"""Histories in which not a vendor but our own side is out of step: the state is put back from an old backup, the machine's clock is wrong."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from histories import History
from lab import Lab
from oracle import settled
from salesforce_org import Hand

from stagesync.model.ports import Clock
from stagesync.sync.session import Session

SEEDS, PARTS = 60, 4


class Restored(Lab):
    """A lab whose state can be kept aside and put back."""

    def keep(self) -> Path:
        """A copy of the state as it is now."""
        self.store.close()
        kept = self.file.with_suffix(".kept")
        shutil.copy(self.file, kept)
        return kept

    def put_back(self, kept: Path) -> None:
        """Somebody puts the copy in the place of the state, and starts the program again."""
        self.store.close()
        for beside in self.file.parent.glob(f"{self.file.name}-*"):
            beside.unlink()
        shutil.copy(kept, self.file)
        self.story.append("-- the state is put back from a backup")
        self.session = self.reopened()
        there = {(row.world, row.id): row for world in self.worlds() for row in self.rows(world)}
        met = {place for place, row in there.items() if self.met(row)}
        known = {str(there[place].values["last_name"]) for place in met}
        for human in {str(row.values["last_name"]) for row in there.values()}:
            theirs = [row for row in there.values() if row.values["last_name"] == human]
            if len({row.values["email"] for row in theirs}) > 1 and not all((row.world, row.id) in met for row in theirs):
                self.doubt(human)  # met since the backup, and by now under two addresses: nothing tells that it is one person
        for human in set(self.deleted.values()):
            if human not in known:
                self.tainted.add(human)  # nobody told the old state of this person, so it cannot know that somebody deleted them
        last = {(doing.world, doing.id, doing.field): doing for doing in self.doings}
        standing = {spot for spot, doing in last.items() if (row := there.get(spot[:2])) and row.values[doing.field] == doing.value}
        # the others lost before, and that was on record then
        theirs_still = [doing for doing in self.doings if (doing.world, doing.id, doing.field) in standing]
        self.doings = [replace(doing, met=doing.met and (doing.world, doing.id) in met) for doing in theirs_still]

    @property
    def file(self) -> Path:
        """Where the state is."""
        return Path(self.url.removeprefix("sqlite:///"))


@pytest.mark.parametrize("part", range(PARTS))
def test_a_state_from_an_old_backup_catches_up(part: int, tmp_path: Path) -> None:
    """Some runs later the old file is put back: nobody is made twice, no edit is lost, nothing that was deleted comes back, and it comes to rest."""
    for seed in range(part, SEEDS, PARTS):
        folder, random = tmp_path / str(seed), Random(seed)
        folder.mkdir()
        lab = Restored(folder, random=Random(seed))
        history = History(lab, random)
        history.live(random.randint(1, 3))
        kept = lab.keep()
        lab.session = lab.reopened()
        history.live(random.randint(1, 3))
        lab.put_back(kept)
        wrong = list(settled(lab))
        lab.store.close()
        assert not wrong, "\n".join([*lab.story, *wrong, f"seed {seed}"])


@dataclass
class Wrong:
    """The machine's clock: now and then somebody sets it an hour back or a day forward. What it measures is right."""

    right: Hand
    random: Random
    off_s: float = 0.0
    share: float = 0.1

    def right_again(self) -> None:
        """Somebody sets it, for good."""
        self.off_s = self.share = 0.0

    def now_ms(self) -> int:
        """What it shows."""
        if self.random.random() < self.share:
            self.off_s = self.random.choice((0.0, -3_600.0, 86_400.0))
        return self.right.now_ms() + int(self.off_s * 1000)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self.right.monotonic()

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.right.sleep(seconds)


class Untimely(Lab):
    """A lab whose own clock is wrong; the vendors' are right."""

    own: Clock | None = None

    def reopened(self) -> Session:
        """As before, on the wrong clock."""
        session = super().reopened()
        return replace(session, clock=self.own) if self.own is not None else session


@pytest.mark.parametrize("part", range(PARTS))
def test_a_clock_that_jumps_changes_nothing(part: int, tmp_path: Path) -> None:
    """Between runs and in the midst of one the machine's clock goes an hour back or a day forward: all is carried, once, and it comes to rest."""
    for seed in range(part, SEEDS, PARTS):
        folder, random = tmp_path / str(seed), Random(seed)
        folder.mkdir()
        lab = Untimely(folder, random=Random(seed))
        lab.own = own = Wrong(lab.clock, Random(seed))
        lab.store.close()
        lab.session = lab.reopened()
        History(lab, random).live(random.randint(2, 5))
        own.right_again()
        lab.later(90_000)  # a sweep that was noted a day ahead comes a day late
        wrong = list(settled(lab))
        lab.store.close()
        assert not wrong, "\n".join([*lab.story, *wrong, f"seed {seed}"])
