"""Whatever somebody does and whatever fails: when it is calm again, everything is agreed, accounted for, and quiet.

`make histories` lives many more, `make soak N=100000` as many as wanted; `make soak ARGS='--seed 417'` tells the story of one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from directed import cases, sample
from history_run import end_of

RANDOM, DIRECTED, JOBS, PARTS = 200, 120, 12, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_random_histories(part: int, tmp_path: Path) -> None:
    """Edits, clears, new people, moves, conversions, merges and deletions, also between our own calls, with faults and deaths, end well."""
    for seed in range(part, RANDOM, PARTS):
        ended = end_of("random", seed, tmp_path)
        assert not ended.wrong, ended.told()


def test_random_histories_with_jobs(tmp_path: Path) -> None:
    """The same where all that is written to Salesforce goes by jobs, which take their time, break off, forget rows, and outlive the run that set them going."""
    for seed in range(JOBS):
        ended = end_of("bulk", seed, tmp_path)
        assert not ended.wrong, ended.told()


@pytest.mark.parametrize("part", range(6))
def test_trouble_at_any_call_and_commit(part: int, tmp_path: Path) -> None:
    """A change, a fault at a call or commit of the run that carries it over, and the same field changed again: nothing is lost."""
    for number in sample(DIRECTED)[part::6]:
        ended = end_of("directed", number, tmp_path)
        assert not ended.wrong, ended.told()


def test_the_directed_histories_cover_every_place_and_trouble() -> None:
    """Each family meets each trouble at each place, and the sample of the quick run has some of every family."""
    families = {case.family for case in cases()}
    assert {cases()[number].family for number in sample(DIRECTED)} == families
    for family in families:
        met = {(case.place, case.number, case.trouble) for case in cases() if case.family == family}
        assert len(met) == 8 * 2 * 4 + 21 * 2
