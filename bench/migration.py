"""A migration of everybody from HubSpot into an empty Salesforce, phase by phase as its user runs it: each command is a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .box import Box, box
from .table import Line

TARGET_MS = 0.4
"""So much time of our own a migrated person should take in the load."""
FLAT_MB = 100.0
"""So much more memory the larger number of people may take than the smaller."""
_CALLS_10S = 190
"""What HubSpot allows in ten seconds where it allows most (HubSpot docs, Usage guidelines)."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What one command took: seconds of the clock, seconds of its own, its largest size, and the calls to each system."""

    name: str
    seconds: float
    cpu_s: float
    peak_mb: float
    calls: Mapping[str, int]
    told: Mapping[str, Any]


def measure(sizes: tuple[int, int]) -> Iterator[Line]:
    """Lines about a migration of the larger size; its memory is held against that of the smaller one."""
    small, large = ({phase.name: phase for phase in _migrated(people)} for people in sizes)
    people = sizes[1]
    for phase in large.values():
        name = f"migrate {phase.name}, {people:,} people"
        least_s = phase.calls["hubspot"] / _CALLS_10S * 10
        yield Line(name, f"{phase.seconds:,.0f} s", f"HubSpot's limit alone: {least_s:,.0f} s")
        yield Line("  CPU per person", f"{phase.cpu_s / people * 1e3:.2f} ms", f"target {TARGET_MS} ms" if phase.name == "load" else "")
        yield Line("  calls", ", ".join(f"{count:,} {system}" for system, count in phase.calls.items()))
        before = small[phase.name].peak_mb
        grown = phase.peak_mb - before
        yield Line(f"  peak memory at {sizes[0]:,} and {people:,}", f"{before:.0f}, {phase.peak_mb:.0f} MB", f"+ {FLAT_MB:.0f} MB", grown <= FLAT_MB)


def _migrated(people: int) -> Iterator[Phase]:
    with box(people, None) as worlds:
        survey = _phase(worlds, "survey", "--from", "hubspot", "--to", "salesforce")
        yield survey
        load = _phase(worlds, "load", "--approve", str(survey.told["digest"]))
        if load.told["created"] < 0.99 * people:  # among very many, some have an address for which Salesforce has no room: they are held
            raise RuntimeError(f"the load did not do what it should: {load.told}")
        yield load
        yield _phase(worlds, "verify")


def _phase(worlds: Box, name: str, *words: str) -> Phase:
    worlds.calls()
    command = [str(Path(sys.executable).with_name("stagesync")), "migrate", name, *words, "--json", "--config", str(worlds.config)]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        told = ran.stdout.read()
        _, status, used = os.wait4(ran.pid, 0)
        ran.returncode = os.waitstatus_to_exitcode(status)
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"migrate {name} ended with exit {ran.returncode}")
    return Phase(name, time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, worlds.calls(), orjson.loads(told))
