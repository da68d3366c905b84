"""Histories that Hypothesis makes up, because it can make a bad one short: a few deeds, one trouble, and no more, instead of a page of them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random

from histories import History
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from lab import Lab
from oracle import settled
from weather import forecast

ROLLS = st.randoms(use_true_random=False)
DEEDS = sorted(History.kinds())
MANY = settings(max_examples=12, stateful_step_count=14, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


class Company(RuleBasedStateMachine):
    """People at work, an engine that runs now and then, and trouble."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.lab: Lab | None = None

    @initialize(second=st.booleans(), seed=st.integers(0, 99))
    def opens(self, second: bool, seed: int) -> None:
        """Two systems or three, in this weather."""
        self.lab = Lab(self.folder, random=Random(seed), weather=forecast(Random(seed)), second=second)
        self.history = History(self.lab, Random(seed))

    @rule(name=st.sampled_from(DEEDS), roll=ROLLS)
    def somebody(self, name: str, roll: Random) -> None:
        """Does something."""
        self.history.random = roll
        self.history.do(name)

    @rule(name=st.sampled_from(DEEDS), roll=ROLLS)
    def meanwhile(self, name: str, roll: Random) -> None:
        """Something will be done between two calls of the next run."""
        self.history.random = roll
        self.history.meddle(lambda: self.history.do(name))

    @rule(roll=ROLLS)
    def trouble(self, roll: Random) -> None:
        """A call of the next run will fail, or the program die."""
        self.history.random = roll
        self.history.trouble()

    @rule(seconds=st.sampled_from((0, 30, 1_000, 90_000)))
    def runs(self, seconds: int) -> None:
        """The engine runs, some time later."""
        assert self.lab is not None
        self.lab.later(seconds)
        self.lab.round()

    def teardown(self) -> None:
        """It is calm again: all is agreed, accounted for, and quiet."""
        lab = self.lab
        try:
            if lab is not None:
                lab.round()  # in which what was still to come comes
                lab.cleared()
                lab.later(90_000)
                wrong = list(settled(lab))
                assert not wrong, "\n".join([*lab.story, *wrong])
        finally:
            if lab is not None:
                lab.store.close()
            shutil.rmtree(self.folder)


TestCompany = Company.TestCase
TestCompany.settings = MANY
