"""Lives of a real migration whose phases are killed at any instant, beside a twin that nobody disturbs.

As in `kills`, everything but the machine's own timing follows from a seed. In every other life the rows go by bulk jobs, which take their time
where nobody waits in this process.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from kills import Stand, instant_of, stand
from moving import WAY, Move, fates

from stagesync.state import entries, people
from stagesync.state.store import open_store

PEOPLE = 40
BY_HISTORY = """
[fields.mql_date]
type = "datetime"
stage = "mql"
salesforce = { lead = "MQL_Date__c" }
"""
"""What only the source's histories tell: a second run of the load writes it."""
_STARTS_S = 0.5
"""How much longer a program of its own takes than the same in this process."""


@dataclass
class KilledMove:
    """A migration whose load is killed `kills` times and each other phase once, and its twin. `died`: phase -> how often it was killed."""

    seed: int
    kills: int
    killed: Stand
    twin: Stand
    died: Counter[str] = field(default_factory=Counter[str])
    story: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        for each in (self.killed, self.twin):
            _prepare(each, Random(self.seed), by_jobs=self.seed % 2 == 0)
        self.killed.box.worlds.salesforce.org.change_habits({"bulk_chunk_s": 0.2, "bulk_chunk_rows": 10})

    def live(self) -> list[str]:
        """From the survey to the cutover, with edits in the source before that; gives what is wrong after the load and in the end."""
        ours, theirs = (Move(each.box).json("survey", *WAY)["digest"] for each in (self.killed, self.twin))
        self._killed("rehearse", "--yes", "--people", "6", kills=1, took=1.0, requests=25)  # the twin has none: the load brings everybody over
        took, requests = self._unbroken("load", "--approve", theirs)
        self._killed("load", "--approve", ours, kills=self.kills, took=took, requests=requests)
        found = list(self._wrong("load"))
        self._killed("verify", kills=1, took=took, requests=10)
        seed = self.random.randrange(2**32)
        for each in (self.killed, self.twin):
            each.box.later(3600)
            _work(each, Random(seed))
        took, requests = self._unbroken("cutover", "--yes")
        self._killed("cutover", "--yes", kills=1, took=took, requests=requests)
        return [*found, *self._wrong("cutover")]

    def _unbroken(self, phase: str, *words: str) -> tuple[float, int]:
        """The twin's, in this process; how long it takes as a program, and how many requests it makes."""
        self.twin.requests, began = 0, time.monotonic()
        done = Move(self.twin.box).phase(phase, *words)
        assert done.exit_code in (0, 1), done.stderr
        return time.monotonic() - began + _STARTS_S, self.twin.requests

    def _killed(self, phase: str, *words: str, kills: int, took: float, requests: int) -> None:
        """Killed again and again, each time somewhere in a longer part of it, or until it ends before it can be. The load finishes a rehearsal, too."""
        for number in range(1, kills + 1):
            name, instant = instant_of(self.random, took * number / kills, requests * number // kills)
            died = self.killed.dies(instant, "migrate", phase, *words)
            self.story.append(f"{phase} killed {name}" if died else f"{phase} ended before it was to be killed {name}")
            self.died[phase] += died
            if not died:
                return
        if phase in ("load", "cutover"):
            self._in_peace(phase, *words)

    def _in_peace(self, phase: str, *words: str) -> None:
        program = self.killed.start("migrate", phase, *words)
        code = program.ended()
        self.story.append(f"{phase} in peace: exit {code}")
        assert code in (0, 1), "\n".join([*self.story, program.out, program.err])

    def _wrong(self, after: str) -> Iterator[str]:
        """What is not as with the twin, or not proved."""
        for what, told in (("records", _records), ("ledger", _ledger)):
            here, there = told(self.killed), told(self.twin)
            yield from (f"{after}: {count} too many in the {what}: {each}" for each, count in (here - there).items())
            yield from (f"{after}: {count} missing in the {what}: {each}" for each, count in (there - here).items())
        ours, theirs = (Move(each.box).json("verify") for each in (self.killed, self.twin))
        if not (ours["proved"] and theirs["proved"]) or fates(ours) != fates(theirs):
            yield f"{after}: proved {ours['proved']} with {fates(ours)}, the twin {theirs['proved']} with {fates(theirs)}"


def _prepare(each: Stand, random: Random, *, by_jobs: bool) -> None:
    """Some people have a past in the source; in the target its dates have a place."""
    hubspot, salesforce = each.box.worlds.hubspot.by_hand, each.box.worlds.salesforce
    for contact in random.sample(sorted(contact["id"] for contact in hubspot.contacts()), 8):
        for stage in ("lead", "marketingqualifiedlead"):
            each.box.later(60)
            hubspot.edit(contact, {"lifecyclestage": stage})
    salesforce.define("Lead", "MQL_Date__c", type="datetime")
    each.box.add(BY_HISTORY)
    if by_jobs:
        each.box.replace("access_token", "bulk_from = 10\naccess_token")


def _work(each: Stand, random: Random) -> None:
    """What happens in the source between the load and the cutover."""
    hubspot = each.box.worlds.hubspot.by_hand
    for contact in random.sample(sorted(contact["id"] for contact in hubspot.contacts() if contact["properties"].get("email")), 6):
        hubspot.edit(contact, {"city": f"Ulm {random.randint(1, 9)}"})
    for number in range(random.randint(3, 14)):
        hubspot.create({"email": f"late{number}@new.example", "lastname": f"Late{number}", "lifecyclestage": "lead"})


def _records(each: Stand) -> Counter[tuple[Any, ...]]:
    """What stands in both worlds, and who has a date from the histories."""
    dated = [("dated", row.get("Email")) for row in each.box.worlds.salesforce.rows("Lead") if row.get("MQL_Date__c")]
    return each.records() + Counter(dated)


def _ledger(each: Stand) -> Counter[tuple[Any, ...]]:
    """Who was in which stage, by whose word, in their order."""
    with closing(open_store(f"sqlite:///{each.state}")) as store, store.read() as tx:
        everybody = people.each(tx, 1, 0, 10_000)
        stays = entries.of_people(tx, [person.id for person in everybody])
    return Counter((person.values.get("email"), tuple((stay.stage, stay.origin) for stay in stays.get(person.id, ()))) for person in everybody)


@contextmanager
def killed_move(folder: Path, seed: int, kills: int) -> Iterator[KilledMove]:
    """A migration and its twin."""
    folder.mkdir()
    with ExitStack() as stack:
        killed = stack.enter_context(stand(folder / "killed", seed, people=PEOPLE))
        twin = stack.enter_context(stand(folder / "twin", seed, people=PEOPLE))
        yield KilledMove(seed, kills, killed, twin)
