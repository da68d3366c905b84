"""New records of a system with several requests under way: one write goes on while what came of the one before it is written down."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from lab import Lab

from stagesync.connectors.contract import Capabilities
from stagesync.model.errors import QuotaSpent
from stagesync.model.writes import Outcome, Step
from stagesync.sync.beside import THREADS
from stagesync.sync.session import Session

PEOPLE = 9


class Narrow:
    """HubSpot, where two calls of a single contact are under way at once. `spent`: the day's quota ends after so many writes."""

    def __init__(self, connector: Any, spent: int | None) -> None:
        self._connector = connector
        self._left = spent
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    @property
    def capabilities(self) -> Capabilities:
        """As HubSpot's, with small numbers."""
        return replace(self._connector.capabilities, abreast=2, batch=lambda step: (f"{step.kind}:{step.operation}", 1))

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Raises `QuotaSpent` once."""
        if self._left == len(self.sizes):
            self._left = None
            raise QuotaSpent("spent")
        self.sizes.append(len(steps))
        return self._connector.write(steps)


class Office(Lab):
    """People in Salesforce of whom nobody is in HubSpot yet."""

    spent: int | None = None
    narrow: Any

    def reopened(self) -> Session:
        """With a narrow HubSpot."""
        session = super().reopened()
        account, hub = next((account, each) for account, each in session.systems.items() if each.name == "hub")
        self.narrow = Narrow(hub.connector, self.spent)
        return replace(session, systems={**session.systems, account: replace(hub, connector=self.narrow)})


@contextmanager
def office(spent: int | None = None) -> Iterator[Office]:
    """Nobody has run yet."""
    with TemporaryDirectory() as folder:
        Office.spent = spent
        made = Office(Path(folder), random=Random(0))
        for number in range(PEOPLE):
            made.crm.create("Lead", {"Email": f"p{number}@x.example", "LastName": f"P{number}", "Company": "X", "City": "Ulm"})
        yield made
        made.store.close()


def end(made: Office) -> None:
    """Runs until nothing is left to do; then everybody is there once."""
    made.come_to_rest()
    assert sorted(each["properties"]["email"] for each in made.hub.contacts()) == [f"p{number}@x.example" for number in range(PEOPLE)], "\n".join(made.story)
    assert made.watch.wrong == []


@pytest.mark.parametrize(("place", "first", "every"), [("hub", 1, 1), ("commit", 1, 2), ("committed", 2, 2)])
def test_a_run_that_dies_anywhere_between_two_writes_ends_as_an_unbroken_one(place: str, first: int, every: int) -> None:
    """Two writes may be without an outcome then; each contact of theirs is looked up, and nobody is made twice."""
    for number in range(first, 60, every):
        with office() as made:
            made.dies_at = (place, number)
            if made.round() is not None:
                assert number > 6
                return
            end(made)
    raise AssertionError("it always died")


@pytest.mark.parametrize("spent", [0, 1, 3])
def test_what_stops_a_write_leaves_the_one_before_it_on_record(spent: int) -> None:
    """Where the quota ends, what was written counts, what was marked beforehand is taken back, and the next run goes on."""
    with office(spent) as made:
        report = made.round()
        assert report is not None
        assert isinstance(report.error, QuotaSpent)
        assert report.writes == len([*made.hub.contacts()]) == 2 * spent
        end(made)
        assert sum(made.narrow.sizes) >= PEOPLE


def test_writes_are_begun_before_the_last_ones_are_written_down() -> None:
    """In threads, and one at a time: a connector is never used from two."""
    with office() as made:
        made.session = replace(made.session, beside=THREADS)
        seen, threads = [0], set[int]()
        write = made.narrow.write

        def watched(steps: Sequence[Step]) -> Sequence[Outcome]:
            seen[0] += 1
            assert seen[0] == 1
            threads.add(threading.get_ident())
            outcomes = write(steps)
            seen[0] -= 1
            return outcomes

        made.narrow.write = watched
        report = made.round()
        assert report is not None
        assert report.writes == PEOPLE
        assert made.narrow.sizes == [2, 2, 2, 2, 1]
        assert threading.get_ident() not in threads
