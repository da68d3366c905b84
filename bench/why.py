"""How long `why` takes where a million people are known: told inside the process, and for the whole command with the start of the interpreter."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import orjson

from stagesync.app.configuration.loading import load
from stagesync.app.wiring import opened
from stagesync.state import links
from stagesync.state.store import Store

from .box import Box, box
from .crowd import multiply
from .table import Line

WITHIN_MS = 100
_TEMPLATES = 250
_EDITED = 100
_ASKED = 10


def measure(people: int) -> Iterator[Line]:
    """Lines about `why` at so many people."""
    with box(_TEMPLATES, 0.6) as worlds:
        _live(worlds)
        with opened(load(worlds.config)) as place:
            have = multiply(place.store, place.id, people, lambda done: print(f"  {done:,} people", end="\r", file=sys.stderr))
            whos = _whos(place.store, have)
        size = worlds.database.stat().st_size / 2**30
        yield Line("people known, and the state's size", f"{have:,}, {size:.1f} GB")
        for kind, named in whos.items():
            _forget_pages(worlds.database)
            ran = orjson.loads(
                subprocess.run([sys.executable, "-m", "bench.measured", "why", str(worlds.config), *named], check=True, stdout=subprocess.PIPE).stdout
            )
            cold, warm = ran["cold_ms"], ran["warm_ms"]
            told = f"cold {median(cold):.0f} (at most {max(cold):.0f}), warm {median(warm):.0f} (at most {max(warm):.0f}) ms"
            yield Line(f"why by {kind}, in the process", told, f"< {WITHIN_MS} ms", max(cold) < WITHIN_MS)
        yield from _commands(worlds, [named[0] for named in whos.values()])


def _live(worlds: Box) -> None:
    """Two runs, with a day's edits between them."""
    worlds.run()
    worlds.later()
    contacts = [each["id"] for each in worlds.look("hubspot", "records")][:_EDITED]
    worlds.hand("hubspot", "hands/edit-many", {"edits": {id: {"jobtitle": f"Head of {id}", "city": "Ulm"} for id in contacts}})
    worlds.later()
    worlds.run()
    worlds.later()
    worlds.run()


def _whos(store: Store, people: int) -> dict[str, list[str]]:
    """How somebody names ten random people: kind -> names."""
    dice = random.Random(7)
    with store.read() as tx:
        found = [row for row in links.by_ids(tx, dice.sample(range(1, people), 4 * _ASKED)).values() if row.person is not None and row.state == "linked"][
            :_ASKED
        ]
    addresses = [str(row.seen.get("email") or row.seen.get("Email")) for row in found]
    return {"e-mail": addresses, "ref": [row.ref for row in found], "our number": [f"p{row.person}" for row in found]}


def _forget_pages(database: Path) -> None:
    """The system's cache lets go of the file, so that it is read from the disk."""
    with database.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _commands(worlds: Box, whos: list[str]) -> Iterator[Line]:
    """The quickest of three, since other programs only add to it; the process that asked nothing tells what the start costs."""
    command = Path(sys.executable).with_name("stagesync")
    for what, words in (("stagesync why, the whole command", ["why", "--config", str(worlds.config)]), ("stagesync why --help", ["why", "--help"])):
        walls: list[float] = []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for who in whos:
            began = time.perf_counter()
            subprocess.run([command, *words, *([who] if "--config" in words else [])], check=True, stdout=subprocess.DEVNULL)
            walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(whos)
        yield Line(what, f"{min(walls):.2f} s, CPU {cpu:.2f} s")
