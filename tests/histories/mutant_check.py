"""The mutation check of the suite: `make mutants ARGS='[MUTANT ...] [--histories N]'`.

Puts one bug after the other into the program and runs histories until one of them fails: random ones from three starts, and the directed set. Prints after
how many. Exit 1 where a bug is not found, where one is found that should be masked, or where the sound program fails. Each search has a process of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, zip_longest
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import stories
from directed import cases, directed
from histories import lived
from mutants import MUTANTS
from mutation import Mutant, mutated
from story import Case, wrong

STARTS = (10_000, 200_000, 3_000_000)
BOUND_S = 120
"""A history that takes longer hangs."""
ORDER = 1
"""Mixes the directed histories of a family."""
SAMPLE = 20
"""So many of each of the families that go through all places: `make histories` lives them all."""

Told: TypeAlias = Callable[[Path], list[str]]
"""One history: a folder to live in -> what is wrong in the end."""


def _lived(live: Callable[[int, Path], tuple[list[str], list[str]]], number: int, folder: Path) -> list[str]:
    return live(number, folder)[0]


def _told(case: Case, folder: Path) -> list[str]:
    return wrong(case, folder)[0]


def random_histories(start: int, most: int, *, hints: bool = False) -> Iterator[tuple[str, Told]]:
    """The random histories of these seeds. `hints`: a portal posts what happens in it."""
    live = partial(lived, hints=True) if hints else lived
    for seed in range(start, start + most):
        yield f"seed {seed}", partial(_lived, live, seed)


def directed_histories() -> Iterator[tuple[str, Told]]:
    """All stories and a sample of the directed ones, one of each family after the other, so that it says something after how many of them a bug is found."""
    families: dict[str, list[Told]] = {}
    for case in stories.cases():
        families.setdefault(case.family, []).append(partial(_told, case))
    for number, place in enumerate(cases()):
        families.setdefault(f"directed: {place.family}", []).append(partial(_lived, directed, number))
    chosen = [[(name, told) for told in _mixed(family)[: SAMPLE if name.startswith("directed") else None]] for name, family in families.items()]
    yield from filter(None, chain.from_iterable(zip_longest(*chosen)))


def _mixed(family: list[Told]) -> list[Told]:
    return random.Random(ORDER).sample(family, len(family))


@dataclass(slots=True)
class Search:
    """One search for one bug (None: the sound program). `start`: of the seeds; None: the directed set. `hinted`: with webhooks. `caught`: the number of the
    history that failed.

    The sound program goes on after a failure: what it `failed` says nothing about any bug, and is `spared` from the searches for them.
    """

    mutant: Mutant | None
    start: int | None
    most: int
    hinted: bool = False
    number: int = 0
    caught: int | None = None
    family: str = ""
    wrong: str = ""
    failed: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    spared: frozenset[int] = frozenset()
    reached: bool = True
    seconds: float = 0.0

    def histories(self) -> Iterator[tuple[str, Told]]:
        """The histories to run, each with the name of its kind."""
        return directed_histories() if self.start is None else random_histories(self.start, self.most, hints=self.hinted)


def _work(search: Search, folder: Path, pipe: Connection) -> None:
    """In a process of its own: tells of each history as it begins, and how it ended where it failed."""
    with mutated(search.mutant) if search.mutant else nullcontext(Counter({"": 1})) as reached:
        for number, (family, history) in enumerate(search.histories(), 1):
            if number in search.spared:
                continue
            pipe.send({"number": number, "family": family})
            signal.alarm(BOUND_S)
            try:
                found = history(folder / str(number))
            except Exception as error:  # noqa: BLE001 - a broken program may raise anything: it is found by that
                found = [f"raised {type(error).__name__}: {error}"]
            signal.alarm(0)
            if found and search.mutant is None:
                search.failed.append((number, f"{family}: {found[0]}"))
                pipe.send({"failed": search.failed})
            elif found:
                pipe.send({"caught": number, "wrong": found[0]})
                break
    wanted = {swap.function for swap in search.mutant.swaps} if search.mutant else {""}
    pipe.send({"reached": wanted <= {name for name, times in reached.items() if times}})


def run(searches: Sequence[Search], jobs: int, done: Callable[[Search], None]) -> None:
    """Carry all searches out, so many at a time."""
    context = get_context("fork")
    left = list(searches)
    under_way: dict[Any, tuple[Search, Any, TemporaryDirectory[str], float]] = {}
    while left or under_way:
        while left and len(under_way) < jobs:
            search = left.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            folder = TemporaryDirectory(ignore_cleanup_errors=True)
            process = context.Process(target=_work, args=(search, Path(folder.name), theirs))  # forked, so that nothing is loaded again
            process.start()
            theirs.close()
            under_way[ours] = (search, process, folder, time.monotonic())
        ready: list[Any] = wait(list(under_way))
        for pipe in ready:
            search, process, folder, begun = under_way[pipe]
            try:
                for name, value in pipe.recv().items():
                    setattr(search, name, value)
            except EOFError:
                del under_way[pipe]
                process.join()
                if process.exitcode:
                    search.caught, search.wrong = (
                        search.number,
                        "hangs" if process.exitcode == -signal.SIGALRM else f"the process ended with {process.exitcode}",
                    )
                search.seconds = time.monotonic() - begun
                folder.cleanup()
                done(search)


@dataclass(slots=True)
class Verdict:
    """What the searches for one bug came to."""

    mutant: Mutant
    searches: list[Search] = field(default_factory=list[Search])

    @property
    def found(self) -> bool:
        """At least one search found it."""
        return any(search.caught for search in self.searches)

    @property
    def good(self) -> bool:
        """It was found, or is masked and was not; and its lines were executed."""
        return self.found is not bool(self.mutant.masked) and any(search.reached for search in self.searches)

    def row(self) -> str:
        """As a line of the table."""
        chance = ", ".join(_count(search) for search in self.searches if search.start is not None)
        directed = next((search for search in self.searches if search.start is None), None)
        where = "with webhooks" if directed is None else f"{_count(directed)} ({directed.family})" if directed.caught else _count(directed)
        if not any(search.reached for search in self.searches):
            where += ", **its lines were never executed**"
        return f"| `{self.mutant.name}` | {self.mutant.what} | {chance} | {where} | {sum(search.seconds for search in self.searches):.0f} |"


def _count(search: Search) -> str:
    return str(search.caught) if search.caught else f"not in {search.number}"


def main(argv: Sequence[str]) -> int:
    """Search for the bugs, print the table, and say whether all is as it should be."""
    asked = argparse.ArgumentParser(description="Put bugs into the program and show after how many histories each is found.")
    asked.add_argument("mutants", nargs="*", metavar="MUTANT", help="only these (default: all)")
    asked.add_argument("--histories", type=int, default=150, help="random histories at most, from each of three starts (default: %(default)s)")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="searches at a time (default: %(default)s)")
    given = asked.parse_args(argv)
    known = {mutant.name: mutant for mutant in MUTANTS}
    if unknown := [name for name in given.mutants if name not in known]:
        asked.error(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = [known[name] for name in given.mutants] or list(MUTANTS)
    verdicts = {mutant.name: Verdict(mutant) for mutant in chosen}
    control = [Search(None, start, given.histories, hinted) for hinted in sorted({mutant.hinted for mutant in chosen}) for start in _starts(hinted=hinted)]

    def done(search: Search) -> None:
        name = search.mutant.name if search.mutant else "(no bug)"
        kind = "directed" if search.start is None else f"from {search.start}"
        print(
            f"  {name}, {kind}: {_count(search)}, {search.seconds:.0f} s {search.family if search.caught else ''} {search.wrong[:160]}",
            file=sys.stderr,
            flush=True,
        )

    for mutant in chosen:  # an outdated one is known before hours of searching
        with mutated(mutant):
            pass
    run(control, given.jobs, done)
    spared = {(search.hinted, search.start): frozenset(number for number, _ in search.failed) for search in control}
    searches = [
        Search(mutant, start, given.histories, mutant.hinted, spared=spared[mutant.hinted, start])
        for mutant in chosen
        for start in _starts(hinted=mutant.hinted)
    ]
    run(searches, given.jobs, done)
    for search in searches:
        if search.mutant is not None:
            verdicts[search.mutant.name].searches.append(search)
    return _printed(list(verdicts.values()), control)


def _starts(*, hinted: bool) -> tuple[int | None, ...]:
    """Where the searches begin: the directed set has no webhooks."""
    return STARTS if hinted else (None, *STARTS)


def _printed(verdicts: Sequence[Verdict], control: Sequence[Search]) -> int:
    print("| bug | in words | random, from three starts | directed | s |\n|---|---|---|---|---|")
    for verdict in verdicts:
        print(verdict.row())
    bad = [verdict for verdict in verdicts if not verdict.good]
    broken = [wrong for search in control for _, wrong in search.failed] + [search.wrong for search in control if search.caught]
    count = sum(search.number for search in control)
    print(f"\nThe program without any: {len(broken)} of {count} histories failed. {len(verdicts) - len(bad)} of {len(verdicts)} bugs are as they should be.")
    for verdict in bad:
        print(f"NOT AS IT SHOULD BE: {verdict.mutant.name}" + (f", though masked: {verdict.mutant.masked}" if verdict.mutant.masked else ""))
    for wrong_without in broken:
        print(f"FAILS WITHOUT ANY BUG: {wrong_without}")
    return 1 if bad or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
