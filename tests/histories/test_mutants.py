"""The mutation check itself: every bug can still be put in and taken out, a few are found at once, and a directed history of each family ends well.

`make mutants` searches for all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import stories
from mutant_check import directed_histories, random_histories
from mutants import MUTANTS
from mutation import Mutant, Outdated, Swap, function_of, mutated
from story import Case, wrong

from stagesync.sync.deciding import merge

FOUND_AT_ONCE = ("loser-at-current", "last-writer-wins", "conflict-unrecorded")


def _named(name: str) -> Mutant:
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def test_every_mutant_has_a_name_of_its_own() -> None:
    """`make mutants ARGS=name` means one of them."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_can_be_put_in_and_taken_out(mutant: Mutant) -> None:
    """The lines that it swaps are still there, once each, and the program is the old one afterwards."""
    before = {function: function.__code__ for function in map(function_of, mutant.swaps)}
    with mutated(mutant):
        assert all(function.__code__ is not code for function, code in before.items())
    assert all(function.__code__ is code for function, code in before.items())


@pytest.mark.parametrize("name", FOUND_AT_ONCE)
def test_bugs_that_are_found_at_once(name: str, tmp_path: Path) -> None:
    """The histories fail within a handful of them, and the bug's lines were executed."""
    with mutated(_named(name)) as reached:
        assert any(told(tmp_path / name) for name, told in random_histories(10_000, 20))
    assert set(reached) == {swap.function for swap in _named(name).swaps}


def test_a_mutant_whose_lines_are_gone_is_an_error() -> None:
    """A change of the program cannot turn a bug into nothing without a word."""
    for function, old in (
        ("sync.deciding.merge:merge", "this was never there"),
        ("sync.deciding.merge:never_there", "pass"),
        ("sync.deciding.merge:merge", "return None"),
    ):
        with pytest.raises(Outdated), mutated(Mutant("gone", "", [Swap(function, old, "pass")])):
            pass


def test_lines_that_nobody_comes_to_are_known() -> None:
    """What was put in and never executed is told from what was executed and found nothing."""
    with mutated(Mutant("asleep", "", [Swap("sync.deciding.merge:_distinct", "found.append(value)", "found.append(value)")])) as reached:
        field: Any = None
        merge._distinct(field, [])  # pyright: ignore[reportPrivateUsage] - the smallest function with a line to which a call may not come
        assert not reached


@pytest.mark.parametrize("family", stories.FAMILIES, ids=lambda family: family.__name__)
def test_a_sample_of_each_directed_family(family: Any, tmp_path: Path) -> None:
    """Two histories of each end well in the program without any bug; `make mutants` runs them all."""
    cases: list[Case] = list(family())
    for case in cases[len(cases) // 3 :: len(cases) // 2 + 1]:
        found, story = wrong(case, tmp_path / str(id(case)))
        assert not found, "\n".join([*story, *found])


def test_stories_are_all_gone_through() -> None:
    """One of each family after the other, none left out."""
    told = [family for family, _ in directed_histories()]
    mine = [case.family for case in stories.cases()]
    assert sorted(family for family in told if not family.startswith("directed")) == sorted(mine)
    assert set(mine) <= set(told[: len(set(told))])
