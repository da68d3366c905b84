"""Many histories on all processors: `make histories`, `make soak N=100000`, and one again by its seed.

make soak ARGS='--seed 417'     # one again, with its story
make soak ARGS='--hint 12'      # a random one in which HubSpot posts what happens
make soak ARGS='--job 12'       # a random one in which Salesforce is written by jobs
make soak ARGS='--case 88'      # a directed one
make soak ARGS='--story 7'      # a short story
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

Kind = Literal["random", "hinted", "bulk", "directed", "story"]
AGAIN = {"random": "--seed", "hinted": "--hint", "bulk": "--job", "directed": "--case", "story": "--story"}
MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: a state that is thrown away needs no disk."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one history ended: what is wrong, and the story of it."""

    kind: Kind
    number: int
    wrong: list[str]
    story: list[str]

    def told(self) -> str:
        """The whole of it, for whoever must find out why."""
        return "\n".join([*self.story, *self.wrong, f"again: make soak ARGS='{AGAIN[self.kind]} {self.number}'"])


def end_of(kind: Kind, number: int, folder: Path) -> Ended:
    """Live one history in a new folder below this one. Whatever it raises is wrong as well."""
    from directed import directed
    from histories import lived
    from stories import told

    lives: dict[Kind, Callable[[int, Path], tuple[list[str], list[str]]]] = {
        "random": lived,
        "hinted": partial(lived, hints=True),
        "bulk": partial(lived, bulk=True),
        "directed": directed,
        "story": told,
    }
    place = folder / f"{kind}{number}"
    try:
        wrong, story = lives[kind](number, place)
    except Exception as error:  # noqa: BLE001 - a history must not end in an exception, and the others go on
        import traceback

        wrong, story = [f"it ended in {type(error).__name__}: {error}"], traceback.format_exc().splitlines()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Ended(kind, number, wrong, story)


def _end_of(folder: str, what: tuple[Kind, int]) -> Ended:
    ended = end_of(*what, Path(folder))
    return ended if ended.wrong else Ended(ended.kind, ended.number, [], [])


def run(work: Sequence[tuple[Kind, int]], processes: int) -> list[Ended]:
    """All of them; those that went wrong. Says how far it is."""
    failed: list[Ended] = []
    began, step = time.monotonic(), max(1, len(work) // 10)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, multiprocessing.Pool(processes, maxtasksperchild=2_000) as pool:
        for done, ended in enumerate(pool.imap_unordered(partial(_end_of, folder), work, chunksize=8), 1):
            if ended.wrong:
                failed.append(ended)
                print(ended.told(), flush=True)
            if done % step == 0:
                print(f"{done:,} of {len(work):,} histories, {len(failed)} went wrong, {time.monotonic() - began:.0f} s", flush=True)
    return failed


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Live many histories, and say which went wrong.")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="so many random ones")
    parser.add_argument("--hinted", type=int, default=0, metavar="N", help="so many random ones with webhooks")
    parser.add_argument("--bulk", type=int, default=0, metavar="N", help="so many random ones in which Salesforce is written by jobs")
    parser.add_argument("--start", type=int, default=0, metavar="SEED", help="the seed of the first one")
    parser.add_argument("--directed", default="0", metavar="N", help="so many of the directed ones, or all")
    parser.add_argument("--stories", action="store_true", help="all short stories")
    parser.add_argument("--seed", type=int, help="one random history, with all that happened")
    parser.add_argument("--hint", type=int, metavar="SEED", help="one random history with webhooks, likewise")
    parser.add_argument("--job", type=int, metavar="SEED", help="one random history with jobs, likewise")
    parser.add_argument("--case", type=int, help="one directed history, likewise")
    parser.add_argument("--story", type=int, help="one short story, likewise")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """0 where all ended well."""
    from directed import cases, sample
    from stories import cases as stories

    asked = _asked(words)
    ones: dict[Kind, int | None] = {"random": asked.seed, "hinted": asked.hint, "bulk": asked.job, "directed": asked.case, "story": asked.story}
    for asked_for, one in ones.items():
        if one is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            ended = end_of(asked_for, one, Path(folder))
        print(ended.told() if ended.wrong else "\n".join([*ended.story, "it ended well"]))
        return 1 if ended.wrong else 0
    numbers = sample(len(cases()) if asked.directed == "all" else int(asked.directed))
    seeds = range(asked.start, asked.start + asked.random)
    lives: dict[Kind, Sequence[int]] = {
        "story": range(len(stories()) if asked.stories else 0),
        "directed": numbers,
        "random": seeds,
        "hinted": range(asked.start, asked.start + asked.hinted),
        "bulk": range(asked.start, asked.start + asked.bulk),
    }
    work: list[tuple[Kind, int]] = [(kind, number) for kind, chosen in lives.items() for number in chosen]
    began = time.monotonic()
    print(f"{len(lives['story']):,} short stories, {len(numbers):,} of {len(cases()):,} directed histories,", flush=True)
    print(f"{len(seeds):,} random ones, {asked.hinted:,} with webhooks and {asked.bulk:,} with jobs, all from seed {asked.start}", flush=True)
    failed = run(work, asked.processes)
    print(f"{time.monotonic() - began:.0f} s on {asked.processes} processors")
    print(f"{len(work) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
