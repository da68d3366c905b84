"""How well duplicates are found where it is known whose each record is, and what a search costs."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from random import Random

import orjson

from stagesync.model.records import Ref
from stagesync.sandbox.people import Person, each_person
from stagesync.sync.duplicates.profile import Profile
from stagesync.sync.duplicates.search import find_duplicates

from . import labelled
from .labelled import Labelled
from .second import by_themselves
from .table import Line

THRESHOLDS = (40, 50, 60, 70, 80, 90)
MEMORY_MB = 250
_EVERY = 20
"""Every so many-th record of the crowd is there twice."""


def measure(*crowds: int) -> Iterator[Line]:
    """Precision and recall by threshold; seconds and memory for crowds of so many records, each in a process of its own."""
    if absent := labelled.missing():
        yield Line("labelled data", f"not installed: {', '.join(absent)} (make labelled)", "installed", False)
    else:
        for made in labelled.SETS:
            yield from _quality(made())
    for records in crowds:
        ran = subprocess.run([sys.executable, "-m", "bench.duplicates", str(records)], check=True, stdout=subprocess.PIPE)
        told = orjson.loads(ran.stdout)
        yield Line(f"{told['records']:,} records compared: CPU", f"{told['seconds']:.1f} s, {told['groups']:,} groups")
        yield Line(f"{told['records']:,} records compared: peak memory", f"{told['mb']} MB", f"{MEMORY_MB} MB", told["mb"] <= MEMORY_MB)


def _quality(data: Labelled) -> Iterator[Line]:
    sizes = Counter(data.humans.values())
    pairs = sum(size * (size - 1) // 2 for size in sizes.values())
    for threshold in THRESHOLDS:
        found = {frozenset(pair) for group in find_duplicates(data.profiles, threshold).groups for pair in combinations(group.members, 2)}
        right = sum(len({data.humans[ref] for ref in pair}) == 1 for pair in found)
        wrong = [pair for pair in found if len({data.humans[ref] for ref in pair}) > 1]
        hard = sum(not pair.isdisjoint(data.hard) for pair in wrong)
        told = f"precision {right / len(found):.3f}, recall {right / pairs:.3f}" if found else "nothing proposed"
        yield Line(f"{data.name}, from {threshold} points", f"{told}; wrong {len(wrong):,}, of those hard negatives {hard:,}")
    if data.hard:
        yield from by_themselves(data)


def _crowd(records: int) -> Iterator[Profile]:
    """So many records of the sandbox's people, some of them twice in another spelling."""
    chance = Random(labelled.SEED)
    for number, person in enumerate(each_person(records - records // (_EVERY + 1), labelled.SEED)):
        yield _profile(f"{number}", person, person.first, person.email)
        if number % _EVERY == 0:
            yield _profile(f"{number}b", person, person.first[:1] if chance.random() < 0.3 else person.first, f"{number}@post.example")


def _profile(ref: str, person: Person, first: str, address: str) -> Profile:
    return Profile(Ref("contact", ref), first, person.last, person.company.name, (address,), (person.phone.written(0),))


if __name__ == "__main__":
    found = find_duplicates(_crowd(int(sys.argv[1])))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.buffer.write(orjson.dumps({"records": found.records, "groups": len(found.groups), "seconds": time.process_time(), "mb": peak}))
